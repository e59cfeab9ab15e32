import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../main";
import { type Environment, readConfig } from "../stacks/config";
import { devEnvironment } from "./support/stack";
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
  expect(stackOf(outdir, "notification-sandbox").terraform.backend).toEqual({
    local: { path: join(root, "local-state", "email-automation-sandbox-123456789012-us-east-1.tfstate") },
  });
});

it("keeps the state bucket's own state beside the project, one for each bucket", () => {
  const pathIn = (environment: object) =>
    stackOf(synth({ ...devEnvironment, ...environment }), "state-backend").terraform.backend;
  expect(pathIn({})).toEqual({
    local: { path: join(root, "local-state", "shop-terraform-state-123456789012.tfstate") },
  });
  expect(pathIn({ STATE_BUCKET: "our-states" })).toEqual({
    local: { path: join(root, "local-state", "our-states.tfstate") },
  });
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
