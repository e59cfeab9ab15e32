import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../main";
import { importableTypes } from "../operations/bootstrap/bucket";
import { type Environment, readConfig } from "../stacks/config";
import { exampleEnvironment } from "../stacks/example-environment";
import { devEnvironment } from "./support/stack";
import { projectStages } from "./support/stages";
import { standInTerraform } from "./support/stand-in-terraform";

const root = join(__dirname, "..");
const TERRAFORM_BINARY_NAME = standInTerraform();
process.env.TERRAFORM_BINARY_NAME = TERRAFORM_BINARY_NAME;

/** @returns the output folder of a synth in this process. */
function synth(environment: Environment): string {
  const outdir = mkdtempSync(join(tmpdir(), "synth-"));
  createApp(readConfig(environment), { outdir }).synth();
  return outdir;
}

/** @returns the output folder of a synth as cdktf starts it: main.ts in a process of its own. */
function runMain(environment: Environment): string {
  const outdir = mkdtempSync(join(tmpdir(), "synth-"));
  execFileSync(process.execPath, ["--import", "tsx", "main.ts"], {
    cwd: root,
    env: { PATH: process.env.PATH, TERRAFORM_BINARY_NAME, CDKTF_OUTDIR: outdir, ...environment },
  });
  return outdir;
}

const stackOf = (outdir: string, name: string) =>
  JSON.parse(readFileSync(join(outdir, "stacks", name, "cdk.tf.json"), "utf8")) as {
    terraform: { backend?: Record<string, unknown>; cloud?: unknown; required_version?: string };
    provider: Record<string, Record<string, unknown>[]>;
    resource: Record<string, Record<string, unknown>>;
    data: Record<string, Record<string, unknown>>;
  };

it("synthesizes the stage with locked, encrypted remote state, and the bucket for it", () => {
  const outdir = runMain({ STAGE: "sandbox" });
  const { terraform } = stackOf(outdir, "notification-sandbox");
  expect(terraform.required_version).toBe(">= 1.10");
  expect(terraform.backend).toEqual({
    s3: {
      allowed_account_ids: ["123456789012"],
      bucket: "email-automation-terraform-state-123456789012",
      key: "email-automation/sandbox/us-east-1/terraform.tfstate",
      region: "us-east-1",
      skip_region_validation: true,
      use_lockfile: true,
    },
  });
  const state = stackOf(outdir, "state-backend");
  expect(Object.keys(state.resource).sort()).toEqual([
    "aws_s3_bucket",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
  ]);
  // npm run bootstrap takes what it finds of them, instead of failing at it.
  expect(Object.keys(state.resource).filter((type) => !importableTypes.includes(type))).toEqual([]);
  const only = (type: string) => Object.values(state.resource[type] ?? {})[0];
  expect(only("aws_s3_bucket")).toMatchObject({ lifecycle: { prevent_destroy: true } });
  expect(only("aws_s3_bucket_versioning")).toMatchObject({ versioning_configuration: { status: "Enabled" } });
  expect(only("aws_s3_bucket_server_side_encryption_configuration")).toMatchObject({
    rule: [{ apply_server_side_encryption_by_default: { sse_algorithm: "aws:kms" } }],
  });
  expect(only("aws_s3_bucket_public_access_block")).toMatchObject({
    block_public_acls: true,
    block_public_policy: true,
    ignore_public_acls: true,
    restrict_public_buckets: true,
  });
  expect(only("aws_s3_bucket_lifecycle_configuration")).toMatchObject({
    rule: [{ status: "Enabled", noncurrent_version_expiration: [{ noncurrent_days: 90 }] }],
  });
  expect(Object.values(state.data.aws_iam_policy_document ?? {})).toMatchObject([
    {
      statement: [
        { effect: "Deny", condition: [{ test: "Bool", values: ["false"], variable: "aws:SecureTransport" }] },
      ],
    },
  ]);
});

it("warns where the shell's region wins over that of the stage's entry, by cdktf's annotations", () => {
  const warningsOf = (environment: Environment) => {
    const manifest = readFileSync(
      join(synth({ STAGE: "sandbox", BACKEND: "local", ...environment }), "manifest.json"),
      "utf8",
    );
    const { stacks } = JSON.parse(manifest) as {
      stacks: Record<string, { annotations: { level: string; message: string }[] }>;
    };
    return Object.values(stacks).flatMap(({ annotations }) => annotations.filter(({ level }) => /warn/.test(level)));
  };
  expect(warningsOf({ AWS_REGION: "us-east-1" })).toEqual([]);
  expect(warningsOf({ AWS_REGION: "eu-west-1" })).toMatchObject([
    {
      message: expect.stringContaining('AWS_REGION="eu-west-1" wins over sandbox.region in stacks/stages.ts') as string,
    },
  ]);
});

it("hands the state to Terraform Cloud", () => {
  const outdir = synth({ STAGE: "sandbox", BACKEND: "cloud", TF_CLOUD_ORGANIZATION: "acme", TF_WORKSPACE: "mail" });
  expect(readdirSync(join(outdir, "stacks"))).toEqual(["notification-sandbox"]);
  expect(stackOf(outdir, "notification-sandbox").terraform.cloud).toEqual({
    organization: "acme",
    workspaces: { name: "mail" },
  });
});

it("keeps the state beside the project, and not in the output, where the backend is local", () => {
  const outdir = synth({ STAGE: "sandbox", BACKEND: "local" });
  expect(readdirSync(join(outdir, "stacks"))).toEqual(["notification-sandbox"]);
  const { backend, required_version } = stackOf(outdir, "notification-sandbox").terraform;
  expect(required_version).toBe(">= 1.10");
  expect(backend).toEqual({
    local: { path: join(root, "local-state", "email-automation-sandbox-123456789012-us-east-1.tfstate") },
  });
});

describe("the state bucket's own state", () => {
  const backendIn = (environment: Environment) =>
    stackOf(synth({ ...devEnvironment, ...environment }), "state-backend").terraform;

  it("is in the bucket, locked, under a key that no stage can have", () => {
    expect(backendIn({})).toMatchObject({
      required_version: ">= 1.10",
      backend: {
        s3: {
          allowed_account_ids: ["123456789012"],
          bucket: "shop-terraform-state-123456789012",
          key: "shop/state-backend/terraform.tfstate",
          region: "eu-west-1",
          use_lockfile: true,
        },
      },
    });
  });

  it("is in the bucket that STATE_BUCKET and STATE_REGION name", () => {
    expect(backendIn({ STATE_BUCKET: "our-states", STATE_REGION: "us-west-2" }).backend).toMatchObject({
      s3: { bucket: "our-states", region: "us-west-2" },
    });
  });

  it("does not follow the stage or its region", () => {
    const inAnotherRegion = backendIn({ AWS_REGION: "us-east-1", STATE_REGION: "eu-west-1" });
    expect(inAnotherRegion).toEqual(backendIn({}));
    expect(backendIn({ STAGE: "staging" })).toEqual(backendIn({}));
  });
});

describe("a second account and a second region", () => {
  type Json = ReturnType<typeof stackOf>;
  const first = { ...devEnvironment, AWS_REGION: "eu-west-1", STATE_REGION: "eu-west-1" };
  const stateOf = ({ terraform }: Json) => (terraform.backend as { s3: { bucket: string; key: string } }).s3;
  const stagesOf = (environment: Environment) => stackOf(synth({ ...first, ...environment }), "notification-dev");

  it("have a state of their own, without an edit", () => {
    const [home, account, region] = [{}, { AWS_ACCOUNT_ID: "210987654321" }, { AWS_REGION: "us-west-2" }].map(stagesOf);
    if (home === undefined || account === undefined || region === undefined) throw new Error("unreachable");
    expect(stateOf(account)).toEqual({
      ...stateOf(home),
      allowed_account_ids: ["210987654321"],
      bucket: "shop-terraform-state-210987654321",
    });
    // The bucket and its region stay those of the account's first region.
    expect(stateOf(region)).toEqual({ ...stateOf(home), key: "shop/dev/us-west-2/terraform.tfstate" });
  });

  it("leave nothing of the first one in the JSON", () => {
    const text = JSON.stringify(
      stagesOf({ AWS_ACCOUNT_ID: "210987654321", AWS_REGION: "us-west-2", STATE_REGION: "" }),
    );
    expect(text).not.toMatch(/123456789012|eu-west-1/);
    expect(text).toContain("210987654321");
    expect(text).toContain("us-west-2");
  });
});

it("keeps every rule where a repository deploys the stage, whose roles have a boundary of another stack", () => {
  const outdir = synth({ ...devEnvironment, DEPLOY_REPOSITORY: "acme/shop" });
  expect(readdirSync(join(outdir, "stacks")).sort()).toEqual(["ci-access", "notification-dev", "state-backend"]);
});

it("keeps every rule in the SES sandbox, where a role names the identities of recipients that others have verified", () => {
  for (const STAGE of ["dev", "sandbox"]) {
    const outdir = synth({
      ...devEnvironment,
      STAGE,
      IDENTITIES: "existing",
      EMAIL_RECIPIENT: "a@example.com,b@example.org",
    });
    expect(readdirSync(join(outdir, "stacks"))).toContain(`notification-${STAGE}`);
  }
});

it("lets no provider work in another account", () => {
  const outdir = synth({ ...devEnvironment, AWS_ACCOUNT_ID: "999999999999" });
  for (const stack of readdirSync(join(outdir, "stacks"))) {
    const { provider } = stackOf(outdir, stack);
    expect(provider.aws?.map(({ allowed_account_ids }) => allowed_account_ids)).toEqual([["999999999999"]]);
  }
});

it("ends with the problems, and synthesizes nothing, where the configuration is bad", () => {
  const outdir = mkdtempSync(join(tmpdir(), "synth-"));
  const run = spawnSync(process.execPath, ["--import", "tsx", "main.ts"], {
    cwd: root,
    env: { PATH: process.env.PATH, CDKTF_OUTDIR: outdir },
    encoding: "utf8",
  });
  expect(run.status).toBe(1);
  expect(run.stderr).toContain("STAGE is not set");
  expect(readdirSync(outdir)).toEqual([]);
});

it("ends with each broken rule and its fix, and without cdktf's advice to skip them, where a stack breaks the policy", () => {
  const outdir = mkdtempSync(join(tmpdir(), "synth-"));
  const EMAIL_RECIPIENT = Array.from({ length: 50 }, (_, at) => `a${at}@${"x".repeat(60)}.example.com`).join(",");
  const run = spawnSync(process.execPath, ["--import", "tsx", "main.ts"], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      TERRAFORM_BINARY_NAME,
      CDKTF_OUTDIR: outdir,
      ...exampleEnvironment("dev", projectStages.dev),
      EMAIL_RECIPIENT,
    },
    encoding: "utf8",
  });
  expect(run.status).toBe(1);
  const [first, ...violations] = run.stderr.trim().split("\n");
  expect(first).toBe(
    "The stacks break the rules of stacks/policy, which docs/policy.md lists; nothing was synthesized.",
  );
  expect(violations.length).toBeGreaterThan(1);
  for (const line of violations)
    expect(line).toMatch(/^ {2}- \[notification-dev\] [a-z-]+: aws_\w+\.\S+ has .*: name .*\.$/);
});
