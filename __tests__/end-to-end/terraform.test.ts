import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { emailRequest } from "../../handler/notifications/email-request";
import { storedTemplateName } from "../../stacks/templates";
import { awsClientConfig } from "aws-emulator/client-config";
import { type Gateway, startGateway } from "aws-emulator";
import { findLeftovers } from "../../sandbox/leftovers";
import { type RunningMoto, startMoto } from "aws-emulator/processes";
import { sandboxEnvironment, Terraform, terraformEnvironment } from "../../sandbox/terraform";
import { findTools } from "../../sandbox/tools";
import { devEnvironment } from "../support/stack";
import { bareEnvironment, projectRoot } from "../support/sandbox";
import { exampleAccountId } from "../../stacks/stages";

/** The synthesized JSON in the hands of the real Terraform and the real AWS provider, as a team's CI has it. */

jest.setTimeout(1_800_000);

const region = devEnvironment.AWS_REGION ?? "";
const tools = findTools();

let moto: RunningMoto;
let gateway: Gateway;
let directory: string;

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
  await new S3Client(awsClientConfig(gateway.url, region)).send(
    new CreateBucketCommand({
      Bucket: `shop-terraform-state-${exampleAccountId}`,
      CreateBucketConfiguration: { LocationConstraint: "eu-west-1" },
    }),
  );
  execFileSync(process.execPath, ["--import", "tsx", "main.ts"], {
    cwd: projectRoot,
    // A domain has more beside its identity than an address.
    env: { ...bareEnvironment, ...devEnvironment, SENDER_IDENTITY: "domain", CDKTF_OUTDIR: join(directory, "synth") },
  });
});
afterAll(async () => {
  await gateway.close();
  await moto.stop();
  rmSync(directory, { recursive: true, force: true });
});

const stacks = () => join(directory, "synth", "stacks");

function terraformIn(folder: string): Terraform {
  return new Terraform({
    binary: tools.terraform.value,
    directory: folder,
    environment: { ...terraformEnvironment(tools, directory), ...sandboxEnvironment(gateway.url, region) },
  });
}

it("validates and plans the state bucket", async () => {
  const terraform = terraformIn(join(stacks(), "state-backend"));
  await terraform.init();
  await terraform.validate();
  const { text } = await terraform.plan();
  expect(text).toContain("Plan: 6 to add, 0 to change, 0 to destroy.");
});

it("plans the stage in one job, and applies that plan in another", async () => {
  const planned = join(stacks(), "notification-dev");
  const planner = terraformIn(planned);
  await planner.init();
  await planner.validate();
  const { changes } = await planner.plan({ planFile: "plan.tfplan" });
  expect(changes).toBe(true);

  // What a CI hands from job to job: the stack's folder, and nothing around it.
  const applied = join(directory, "another-job");
  cpSync(planned, applied, { recursive: true });
  rmSync(planned, { recursive: true });
  const applier = terraformIn(applied);
  await applier.apply({ planFile: "plan.tfplan" });
  expect(await applier.outputs()).toMatchObject({
    event_bus_name: "shop-dev-event-bus",
    function_name: "shop-dev-email-processor",
    template_names: { "email-request": storedTemplateName("shop-dev", emailRequest) },
    dns_zone_file: expect.stringMatching(
      /^\w+\._domainkey\.example\.com\. 600 IN CNAME \w+\.dkim\.amazonses\.com\.$/m,
    ) as string,
  });
  expect(await applier.findChanges()).toBeUndefined();

  await applier.destroy();
  expect(await findLeftovers(awsClientConfig(gateway.url, region))).toEqual([]);
});
