import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import {
  CreateBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { withTerraform } from "../../sandbox/synthesize";
import { exampleAccountId } from "../../stacks/stages";
import { cloneTo } from "../support/clone";
import { EmulatedAws } from "../support/emulated-aws";
import { bareEnvironment } from "../support/sandbox";
import { devEnvironment } from "../support/stack";

/** `npm run bootstrap` with the real Terraform and the real AWS provider, as people run it from clones of their own. */

jest.setTimeout(1_800_000);

const region = devEnvironment.AWS_REGION ?? "";

/** The states of one project. */
const ofProject = (project: string) => {
  const bucket = `${project}-terraform-state-${exampleAccountId}`;
  const key = `${project}/state-backend/terraform.tfstate`;
  return { project, bucket, key, place: `s3://${bucket}/${key}` };
};
type Project = ReturnType<typeof ofProject>;
const shop = ofProject("shop");
/** Its bucket is there before the first test, so that these tests need not wait until `shop` has one. */
const crm = ofProject("crm");

let aws: EmulatedAws;
let s3: S3Client;
let making: Promise<Result>;

const clone = (name: string) => join(aws.directory, name);

beforeAll(async () => {
  aws = await EmulatedAws.start();
  s3 = new S3Client(aws.client);
  for (const name of ["ada", "grace", "joan"]) cloneTo(clone(name));
  // The AWS provider watches a new lifecycle configuration for most of a minute. The other tests run meanwhile.
  making = bootstrapIn("joan", shop);
});
afterAll(() => aws.stop());

interface Result {
  readonly code: number;
  readonly output: string;
}

function bootstrapIn(
  name: string,
  { project }: Project,
  environment: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const words = ["--import", "tsx", "operations/cli.ts", "bootstrap", "--auto-approve"];
  const env = withTerraform(aws.tools.terraform.value, {
    ...bareEnvironment,
    ...aws.terraformVariables(),
    ...devEnvironment,
    PROJECT_NAME: project,
    ...environment,
  });
  return new Promise((resolve) => {
    execFile(process.execPath, words, { cwd: clone(name), env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const output = stripVTControlCharacters(stdout + stderr);
      resolve({ code: error === null ? 0 : Number(error.code), output });
    });
  });
}

/** Expects the exit code and the texts. Shows the whole output where they are not there. */
function expectEnd({ code, output }: Result, expected: number, ...texts: readonly string[]): void {
  if (code !== expected) throw new Error(`It ended with ${code}:\n${output}`);
  for (const text of texts) expect(output).toContain(text);
}

/** Makes a bucket by hand, with all settings but the policy. */
async function makeByHand({ bucket }: Project): Promise<void> {
  const target = { Bucket: bucket };
  await s3.send(new CreateBucketCommand({ ...target, CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }));
  await s3.send(new PutBucketVersioningCommand({ ...target, VersioningConfiguration: { Status: "Enabled" } }));
  const byDefault = {
    ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms" as const },
    BucketKeyEnabled: true,
  };
  await s3.send(
    new PutBucketEncryptionCommand({ ...target, ServerSideEncryptionConfiguration: { Rules: [byDefault] } }),
  );
  const PublicAccessBlockConfiguration = {
    BlockPublicAcls: true,
    BlockPublicPolicy: true,
    IgnorePublicAcls: true,
    RestrictPublicBuckets: true,
  };
  await s3.send(new PutPublicAccessBlockCommand({ ...target, PublicAccessBlockConfiguration }));
  const rule = {
    ID: "old-versions",
    Status: "Enabled" as const,
    Filter: { Prefix: "" },
    NoncurrentVersionExpiration: { NoncurrentDays: 90 },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
  };
  await s3.send(new PutBucketLifecycleConfigurationCommand({ ...target, LifecycleConfiguration: { Rules: [rule] } }));
}

interface State {
  readonly resources: readonly { readonly mode: string }[];
}

async function stateText({ bucket, key }: Project): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return (await Body?.transformToString()) ?? "";
}

const parsed = (text: string) => JSON.parse(text) as State;

const resourcesIn = async (project: Project) =>
  parsed(await stateText(project)).resources.filter(({ mode }) => mode === "managed").length;

function keepInFile(name: string, { bucket }: Project, text: string): string {
  mkdirSync(join(clone(name), "local-state"), { recursive: true });
  const file = join(clone(name), "local-state", `${bucket}.tfstate`);
  writeFileSync(file, text);
  return file;
}

it("takes a bucket that no state knows, with what it lacks, and makes nothing a second time", async () => {
  await makeByHand(crm);
  expectEnd(
    await bootstrapIn("ada", crm),
    0,
    // What changes is the bucket's tags.
    "Plan: 5 to import, 1 to add, 1 to change, 0 to destroy.",
    `The state of the bucket ${crm.bucket} is in ${crm.place}`,
  );
  expect(await resourcesIn(crm)).toBe(6);
});

it("has nothing to do in a fresh clone, which sees the same state", async () => {
  const before = await stateText(crm);
  expectEnd(await bootstrapIn("grace", crm), 0, "No changes.", `is in ${crm.place}`);
  expect(await stateText(crm)).toBe(before);
  expect(existsSync(join(clone("grace"), "local-state"))).toBe(false);
});

it("goes on where it was interrupted before it moved the state, and before it made all of the bucket", async () => {
  const before = await stateText(crm);
  await s3.send(new DeleteObjectCommand({ Bucket: crm.bucket, Key: crm.key }));
  await s3.send(new DeleteBucketPolicyCommand({ Bucket: crm.bucket }));
  const file = keepInFile("ada", crm, before);
  expectEnd(await bootstrapIn("ada", crm), 0, "Plan: 1 to add, 0 to change, 0 to destroy.");
  expect(await resourcesIn(crm)).toBe(6);
  expect(existsSync(file)).toBe(false);
});

it("removes the file that an interrupted move has left, and keeps one that holds another state", async () => {
  const stored = await stateText(crm);
  const left = keepInFile("grace", crm, stored);
  const other = keepInFile("ada", crm, stored.replaceAll(`"id": "${crm.bucket}"`, '"id": "another-bucket"'));
  expectEnd(await bootstrapIn("grace", crm), 0, "No changes.");
  expect(existsSync(left)).toBe(false);
  expectEnd(await bootstrapIn("ada", crm), 1, `knows resources that the state in ${crm.place} does not know`);
  expect(existsSync(other)).toBe(true);
  expect(await stateText(crm)).toBe(stored);
});

it("names the bucket's own region where the environment has another", async () => {
  const result = await bootstrapIn("grace", crm, { STATE_REGION: "us-west-2" });
  expectEnd(result, 1, `is in ${region}, and its state was looked for in us-west-2`, `export STATE_REGION=${region}`);
});

it("leaves a bucket alone that another project manages", async () => {
  const before = await stateText(crm);
  const result = await bootstrapIn("grace", ofProject("billing"), { STATE_BUCKET: crm.bucket });
  expectEnd(result, 1, `The bucket ${crm.bucket} is that of the project crm`);
  expect(await stateText(crm)).toBe(before);
});

it("makes the bucket, and moves the bucket's own state into it", async () => {
  expectEnd(
    await making,
    0,
    "Plan: 6 to add, 0 to change, 0 to destroy.",
    `The state of the bucket ${shop.bucket} is in ${shop.place}`,
  );
  expect(await resourcesIn(shop)).toBe(6);
  expect(readdirSync(join(clone("joan"), "local-state"))).toEqual([]);
});
