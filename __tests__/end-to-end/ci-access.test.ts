import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DeleteRolePermissionsBoundaryCommand, IAMClient } from "@aws-sdk/client-iam";
import { LambdaClient, ListEventSourceMappingsCommand } from "@aws-sdk/client-lambda";
import { createApp } from "../../main";
import { emailRequest } from "../../handler/notifications/email-request";
import { Arns } from "../../stacks/arns";
import { type Config } from "../../stacks/config";
import { boundaryArn } from "../../stacks/function-boundary";
import { storedTemplateName } from "../../stacks/templates/load";
import { findLeftovers } from "../../sandbox/leftovers";
import { withTerraform } from "../../sandbox/synthesize";
import { Terraform } from "../../sandbox/terraform";
import { changedStack } from "../support/changed-stack";
import { EmulatedAws } from "../support/emulated-aws";
import { callRoute53, createHostedZone } from "../support/hosted-zone";
import { notRecorded, recordedRequests, recordedRequestsFile } from "../support/iam/recorded-requests";
import { readCiRoles } from "../support/iam/ci-roles";
import { recordedStage, recordedZoneId } from "../support/iam/recorded-stage";
import { audit, CallRecord } from "../support/iam/terraform-record";
import { type Passage, type PassingAnswer, startPassage } from "../support/passage";

/** What Terraform and the AWS provider call while they plan, apply, change and destroy a stage, against the roles of the CI. */

jest.setTimeout(1_800_000);

const { region, accountId } = recordedStage();

let aws: EmulatedAws;
let passage: Passage;
/** The stage that is recorded, with the hosted zone that the emulator has made. */
let zoneId: string;
let config: Config;
const record = new CallRecord();

/** Answers to operations that moto 5.2.1 does not have. What counts here is that Terraform makes the call. */
const unknownToMoto: Readonly<Record<string, PassingAnswer>> = {
  "AWSEvents.UpdateEventBus": { status: 200, body: "{}" },
};

beforeAll(async () => {
  aws = await EmulatedAws.start();
  passage = await startPassage(aws.url, (call) => {
    record.take(call);
    return unknownToMoto[call.target];
  });
  await aws.makeStateBucket();
  zoneId = await createHostedZone(aws.url, "example.com");
  config = recordedStage(zoneId);
  Object.assign(process.env, withTerraform(aws.tools.terraform.value, process.env));
  createApp(config, { outdir: join(aws.directory, "synth") }).synth();
});
afterAll(async () => {
  await passage.close();
  await aws.stop();
});

const stacks = () => join(aws.directory, "synth", "stacks");
const ciAccess = () => terraformIn(join(stacks(), "ci-access"));

function terraformIn(folder: string, destroyWith: readonly string[] = []): Terraform {
  return new Terraform({
    binary: aws.tools.terraform.value,
    directory: folder,
    environment: {
      ...aws.terraformVariables({ region, url: passage.url }),
      TF_CLI_ARGS_destroy: destroyWith.join(" "),
    },
  });
}

it("makes the roles of the CI, and plans no change after it", async () => {
  const terraform = ciAccess();
  await terraform.init();
  await terraform.apply();
  expect(await terraform.outputs()).toEqual({
    plan_role_arn: `arn:aws:iam::${accountId}:role/ci/shop-staging-ci-plan-eu-west-1`,
    deploy_role_arn: `arn:aws:iam::${accountId}:role/ci/shop-staging-ci-deploy-eu-west-1`,
    smoke_role_arn: `arn:aws:iam::${accountId}:role/ci/shop-staging-ci-smoke-eu-west-1`,
  });
  expect(await terraform.findChanges()).toBeUndefined();
});

describe("a stage", () => {
  const applied = () => join(aws.directory, "another-job");
  /** The function of each event source mapping, by its id. */
  let functionOfMapping: Record<string, string>;

  it("is planned in one job, and that plan is applied in another", async () => {
    record.role = "plan";
    const planned = join(stacks(), "notification-staging");
    const planner = terraformIn(planned);
    await planner.init();
    const { changes } = await planner.plan({ planFile: "plan.tfplan" });
    expect(changes).toBe(true);

    // What a CI hands from job to job: the stack's folder, and nothing around it.
    cpSync(planned, applied(), { recursive: true });
    rmSync(planned, { recursive: true });
    const applier = terraformIn(applied());
    record.role = "deploy";
    await applier.apply({ planFile: "plan.tfplan" });
    record.role = "plan";
    expect(await applier.outputs()).toMatchObject({
      event_bus_name: "shop-staging-event-bus",
      function_name: "shop-staging-email-processor",
      template_names: { "email-request": storedTemplateName("shop-staging", emailRequest) },
    });
    expect(await applier.findChanges()).toBeUndefined();
    record.role = undefined;
    const { EventSourceMappings = [] } = await new LambdaClient(aws.client).send(
      new ListEventSourceMappingsCommand({}),
    );
    functionOfMapping = Object.fromEntries(
      EventSourceMappings.map(({ UUID = "", FunctionArn = "" }) => [UUID, FunctionArn.split(":")[6] ?? ""]),
    );
  });

  it("is changed, and destroyed", async () => {
    // A stage that was deployed before it had a CI has roles without a boundary.
    const RoleName = "shop-staging-role-eu-west-1";
    await new IAMClient(aws.client).send(new DeleteRolePermissionsBoundaryCommand({ RoleName }));
    const stack = join(applied(), "cdk.tf.json");
    writeFileSync(stack, changedStack(readFileSync(stack, "utf8")));
    const assets = join(applied(), "assets");
    const [bundle = ""] = readdirSync(assets, { recursive: true, encoding: "utf8" }).filter((name) =>
      /\.cjs$/.test(name),
    );
    appendFileSync(join(assets, bundle), "\n// changed");
    record.role = "deploy";
    await terraformIn(applied()).apply();
    // The apply has just read all of the stage.
    await terraformIn(applied(), ["-refresh=false"]).destroy();
    record.role = undefined;
  });

  it("leaves nothing behind but what ci-access has made", async () => {
    expect((await findLeftovers(aws.client)).sort()).toEqual([
      `identity provider arn:aws:iam::${accountId}:oidc-provider/token.actions.githubusercontent.com`,
      "policy shop-staging-ci-reads-eu-west-1",
      "policy shop-staging-function-boundary-eu-west-1",
      "role shop-staging-ci-deploy-eu-west-1",
      "role shop-staging-ci-plan-eu-west-1",
      "role shop-staging-ci-smoke-eu-west-1",
    ]);
    expect(await callRoute53(aws.url, "GET", `hostedzone/${zoneId}/rrset`)).not.toMatch(/<Type>(CNAME|MX|TXT)</);
  });

  it("needs each permission that the CI has, and no other", async () => {
    const arns = Arns.of(config);
    const roles = await readCiRoles(new IAMClient(aws.client), (suffix) => arns.names.inAccount(suffix), accountId);
    const requests = await record.requests({
      partition: arns.partition,
      region,
      accountId,
      functionOfMapping,
      keyTags: { project: config.projectName, stage: config.stage },
      boundary: boundaryArn(arns),
    });
    const { missing, unused, kinds } = await audit(roles, requests, record.keyPolicy);
    expect(missing).toEqual([]);
    expect(unused).toEqual(Object.keys(notRecorded).sort());
    if (process.env.UPDATE_FIXTURES) {
      const text = JSON.stringify({ keyPolicy: record.keyPolicy, kinds }, null, 2);
      writeFileSync(recordedRequestsFile, `${text.replaceAll(zoneId, recordedZoneId)}\n`);
    }
    // UPDATE_FIXTURES=1 npx jest __tests__/end-to-end/ci-access.test.ts writes it anew.
    expect(Object.entries(kinds).map(([kind, { roles: of }]) => [kind, of])).toEqual(
      Object.entries(recordedRequests().kinds).map(([kind, { roles: of }]) => [kind, of]),
    );
  });
});

it("removes the roles of the CI again, and then nothing is left", async () => {
  // An administrator does this: the roles themselves can't (ci-access-stack.test.ts).
  await ciAccess().destroy();
  expect(await findLeftovers(aws.client)).toEqual([]);
});
