import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeleteRolePermissionsBoundaryCommand, IAMClient } from "@aws-sdk/client-iam";
import { LambdaClient, ListEventSourceMappingsCommand } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { createApp } from "../../main";
import { emailRequest } from "../../handler/notifications/email-request";
import { Arns } from "../../stacks/arns";
import { type Config } from "../../stacks/config";
import { boundaryArn } from "../../stacks/function-boundary";
import { storedTemplateName } from "../../stacks/templates";
import { awsClientConfig } from "aws-emulator/client-config";
import { type Gateway, startGateway } from "aws-emulator";
import { findLeftovers } from "../../sandbox/leftovers";
import { type RunningMoto, startMoto } from "aws-emulator/processes";
import { withTerraform } from "../../sandbox/synthesize";
import { sandboxEnvironment, Terraform, terraformEnvironment } from "../../sandbox/terraform";
import { findTools } from "../../sandbox/tools";
import { changedStack } from "../support/changed-stack";
import { callRoute53, createHostedZone } from "../support/hosted-zone";
import { notRecorded, recordedRequests, recordedRequestsFile } from "../support/iam/recorded-requests";
import { readCiRoles } from "../support/iam/ci-roles";
import { recordedStage, recordedZoneId } from "../support/iam/recorded-stage";
import { audit, TerraformRecord } from "../support/iam/terraform-record";
import { type Passage, type PassingAnswer, startPassage } from "../support/passage";
import { exampleAccountId } from "../../stacks/stages";

/** What Terraform and the AWS provider call while they plan, apply, change and destroy a stage, against the roles of the CI. */

jest.setTimeout(1_800_000);

const { region, accountId } = recordedStage();
const tools = findTools();

let moto: RunningMoto;
let gateway: Gateway;
let passage: Passage;
let directory: string;
/** The stage that is recorded, with the hosted zone that the emulator has made. */
let zoneId: string;
let config: Config;
const record = new TerraformRecord();

/** Answers to operations that moto 5.2.1 does not have. What counts here is that Terraform makes the call. */
const unknownToMoto: Readonly<Record<string, PassingAnswer>> = {
  "AWSEvents.UpdateEventBus": { status: 200, body: "{}" },
};

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "terraform-test-"));
  moto = await startMoto(tools.moto.value);
  gateway = await startGateway({
    port: 0,
    motoSocket: moto.socket,
    region,
    accountId: exampleAccountId,
    workDirectory: join(directory, "functions"),
    retryDelaysMs: [100],
  });
  passage = await startPassage(gateway.url, (call) => {
    record.take(call);
    return unknownToMoto[call.target];
  });
  await new S3Client(clients()).send(
    new CreateBucketCommand({
      Bucket: `shop-terraform-state-${exampleAccountId}`,
      CreateBucketConfiguration: { LocationConstraint: "eu-west-1" },
    }),
  );
  zoneId = await createHostedZone(gateway.url, "example.com");
  config = recordedStage(zoneId);
  Object.assign(process.env, withTerraform(tools.terraform.value, process.env));
  createApp(config, { outdir: join(directory, "synth") }).synth();
});
afterAll(async () => {
  await passage.close();
  await gateway.close();
  await moto.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** For the calls of the test itself, which are not in the record. */
const clients = () => awsClientConfig(gateway.url, region);
const stacks = () => join(directory, "synth", "stacks");

function terraformIn(folder: string, variables: Readonly<Record<string, string>> = {}): Terraform {
  return new Terraform({
    binary: tools.terraform.value,
    directory: folder,
    environment: {
      ...terraformEnvironment(tools, directory),
      ...sandboxEnvironment(passage.url, region),
      ...variables,
    },
  });
}

it("makes the roles of the CI, and plans no change after it", async () => {
  const terraform = terraformIn(join(stacks(), "ci-access"));
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
  const applied = () => join(directory, "another-job");
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
    const { EventSourceMappings = [] } = await new LambdaClient(clients()).send(new ListEventSourceMappingsCommand({}));
    functionOfMapping = Object.fromEntries(
      EventSourceMappings.map(({ UUID = "", FunctionArn = "" }) => [UUID, FunctionArn.split(":")[6] ?? ""]),
    );
  });

  it("is changed, and destroyed", async () => {
    // A stage that was deployed before it had a CI has roles without a boundary.
    const RoleName = "shop-staging-role-eu-west-1";
    await new IAMClient(clients()).send(new DeleteRolePermissionsBoundaryCommand({ RoleName }));
    const stack = join(applied(), "cdk.tf.json");
    writeFileSync(stack, changedStack(readFileSync(stack, "utf8")));
    const assets = join(applied(), "assets");
    const [bundle = ""] = readdirSync(assets, { recursive: true, encoding: "utf8" }).filter((name) =>
      /\.mjs$/.test(name),
    );
    appendFileSync(join(assets, bundle), "\n// changed");
    record.role = "deploy";
    await terraformIn(applied()).apply();
    // The apply has just read all of the stage.
    await terraformIn(applied(), { TF_CLI_ARGS_destroy: "-refresh=false" }).destroy();
    record.role = undefined;
  });

  it("leaves nothing behind but the roles of the CI", async () => {
    expect((await findLeftovers(clients())).sort()).toEqual([
      "role shop-staging-ci-deploy-eu-west-1",
      "role shop-staging-ci-plan-eu-west-1",
      "role shop-staging-ci-smoke-eu-west-1",
    ]);
    expect(await callRoute53(gateway.url, "GET", `hostedzone/${zoneId}/rrset`)).not.toMatch(/<Type>(CNAME|MX|TXT)</);
  });

  it("needs each permission that the CI has, and no other", async () => {
    const arns = Arns.of(config);
    const roles = await readCiRoles(new IAMClient(clients()), (suffix) => arns.names.inAccount(suffix), accountId);
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
