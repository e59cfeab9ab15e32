import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { join } from "node:path";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { awsClientConfig } from "aws-emulator/client-config";
import { startMoto, type TestMoto } from "aws-emulator/testing/moto";
import { runOperation } from "../../support/operations-command";
import { projectRoot } from "../../support/sandbox";
import { devEnvironment } from "../../support/stack";

/** The order of the steps, with moto's S3 and a Terraform that only notes what it is told. */

const bucket = "bootstrap-test-states";
const key = "shop/state-backend/terraform.tfstate";
const file = join(projectRoot, "local-state", `${bucket}.tfstate`);
const before = { ...process.env };

let moto: TestMoto;
let s3: S3Client;

beforeEach(async () => {
  moto = await startMoto();
  s3 = new S3Client(awsClientConfig(moto.url, "eu-west-1"));
  // The command's client has no credentials of its own.
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" });
});
afterEach(async () => {
  await moto.stop();
  process.env = { ...before };
  for (const each of [file, `${file}.backup`]) rmSync(each, { force: true });
});

const stateText = (serial: number, others: readonly object[] = []) =>
  JSON.stringify({
    version: 4,
    serial,
    lineage: "l",
    resources: [
      { mode: "managed", type: "aws_s3_bucket", name: "bucket", instances: [{ attributes: { id: bucket } }] },
      { mode: "managed", type: "aws_s3_bucket_policy", name: "policy", instances: [{ attributes: { id: bucket } }] },
      ...others,
    ],
  });

const makeBucket = () =>
  s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }));
const putState = (text: string) => s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: text }));
const putFile = (text: string) => {
  mkdirSync(join(projectRoot, "local-state"), { recursive: true });
  writeFileSync(file, text);
};

interface Settings {
  readonly words?: readonly string[];
  readonly answer?: string;
  /** Terraform's exit codes by its sub-command. */
  readonly codes?: Readonly<Record<string, number>>;
  readonly endpoint?: string;
}

async function bootstrap({ words = [], answer = "yes", codes = {}, endpoint = moto.url }: Settings = {}) {
  const steps: string[] = [];
  const questions: string[] = [];
  const read = (folder: string, name: string) =>
    existsSync(join(folder, name)) ? (JSON.parse(readFileSync(join(folder, name), "utf8")) as object) : undefined;
  const result = await runOperation(
    ["bootstrap", ...words],
    { ...devEnvironment, STATE_BUCKET: bucket, AWS_ENDPOINT_URL: endpoint },
    {
      isTerminal: true,
      ask: (question) => {
        questions.push(question.trim());
        return Promise.resolve(answer);
      },
      runProgram: async ({ words: [program, ...given], directory = "", environment = {} }) => {
        if (program === process.execPath) {
          const folder = join(environment.CDKTF_OUTDIR ?? "", "stacks", "state-backend");
          mkdirSync(folder, { recursive: true });
          const resource = { aws_s3_bucket: { bucket: {} }, aws_s3_bucket_policy: { policy: {} } };
          writeFileSync(join(folder, "cdk.tf.json"), JSON.stringify({ resource }));
          return { code: codes.synth ?? 0, output: "" };
        }
        const imports = read(directory, "import.tf.json") as { import: { to: string }[] } | undefined;
        const place = read(directory, "backend_override.tf.json") === undefined ? "bucket" : "file";
        const taken = imports === undefined ? "" : ` importing ${imports.import.map(({ to }) => to).join(", ")}`;
        const [name = ""] = given;
        const code = codes[name] ?? (name === "plan" ? 2 : 0);
        steps.push(`${name} with the ${place}${name === "plan" ? taken : ""}`);
        if (code !== 0 && code !== 2) return { code, output: "" };
        // What the real one does to the state.
        if (name === "apply" && place === "file") {
          if (!existsSync(file)) putFile(stateText(1));
          await makeBucket().catch(() => undefined);
        }
        if (name === "apply" && place === "bucket") await putState(stateText(9));
        if (name === "state") await putState(readFileSync(file, "utf8"));
        return { code, output: "" };
      },
    },
  );
  return { ...result, steps, questions };
}

const moved = ["init with the bucket", "state with the bucket"];

it("makes the bucket with a state in a file, moves it, and removes the file", async () => {
  const result = await bootstrap();
  expect(result).toMatchObject({
    code: 0,
    output: `The state of the bucket ${bucket} is in s3://${bucket}/${key}.\n`,
    steps: ["init with the file", "plan with the file", "apply with the file", ...moved],
    questions: [`Do this, and keep the state in s3://${bucket}/${key}? Only "yes" goes on:`],
  });
  expect(existsSync(file)).toBe(false);
});

it.each(["", "no", "y", "Yes"])("changes nothing where the answer is %j", async (answer) => {
  const result = await bootstrap({ answer });
  expect(result).toMatchObject({ code: 1, output: "", steps: ["init with the file", "plan with the file"] });
  expect(result.errors).toMatch(/Nothing was changed\.\n$/);
});

it("asks nothing with --auto-approve", async () => {
  expect(await bootstrap({ words: ["--auto-approve"] })).toMatchObject({ code: 0, questions: [] });
});

it("asks nothing where nothing is to be done", async () => {
  await makeBucket();
  await putState(stateText(4));
  expect(await bootstrap({ codes: { plan: 0 } })).toMatchObject({
    code: 0,
    steps: ["init with the bucket", "plan with the bucket"],
    questions: [],
  });
});

it("takes a bucket that no state knows, without a file", async () => {
  await makeBucket();
  expect(await bootstrap()).toMatchObject({
    code: 0,
    steps: ["init with the bucket", "plan with the bucket importing aws_s3_bucket.bucket", "apply with the bucket"],
  });
});

it("takes what the file does not know, where an apply was killed, and then moves the file's state", async () => {
  await makeBucket();
  putFile(JSON.stringify({ version: 4, serial: 1, lineage: "l", resources: [] }));
  expect(await bootstrap()).toMatchObject({
    code: 0,
    steps: ["init with the file", "plan with the file importing aws_s3_bucket.bucket", "apply with the file", ...moved],
  });
});

it("only moves the state where the bucket is complete", async () => {
  await makeBucket();
  putFile(stateText(3));
  expect(await bootstrap({ codes: { plan: 0 } })).toMatchObject({
    code: 0,
    steps: ["init with the file", "plan with the file", ...moved],
    questions: [expect.stringContaining("keep the state in")],
  });
});

it.each(["synth", "init", "plan", "apply", "state"])(
  "goes no further where %s fails, and keeps the file",
  async (step) => {
    putFile(stateText(3));
    const result = await bootstrap({ codes: { [step]: 1 } });
    expect(result).toMatchObject({ code: 1, output: "" });
    expect(result.errors).toMatch(
      /Nothing was changed\.\n$|run npm run bootstrap again, and it goes on from there\.\n$/,
    );
    expect(existsSync(file)).toBe(true);
    expect(await bootstrap()).toMatchObject({ code: 0 });
    expect(existsSync(file)).toBe(false);
  },
);

it("removes a file that knows no more than the state in the bucket", async () => {
  await makeBucket();
  await putState(stateText(4));
  putFile(stateText(5));
  expect((await bootstrap({ codes: { plan: 0 } })).code).toBe(0);
  expect(existsSync(file)).toBe(false);
});

it("keeps a file that knows more than the state in the bucket, and says so", async () => {
  await makeBucket();
  await putState(stateText(4));
  const other = { mode: "managed", type: "aws_s3_bucket", name: "other", instances: [{ attributes: { id: "logs" } }] };
  putFile(stateText(3, [other]));
  const result = await bootstrap({ codes: { plan: 0 } });
  expect(result.code).toBe(1);
  expect(result.errors).toContain("knows resources that the state in");
  expect(existsSync(file)).toBe(true);
});

describe("a bucket's name that is taken", () => {
  let server: Server;
  beforeEach(async () => {
    // moto knows one account, so what S3 answers for another one's bucket is written down here (API_HeadBucket).
    server = createServer((_, response) => response.writeHead(403).end()).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
  });
  afterEach(() => {
    server.close();
  });

  it("is told as such, with the ways out, and nothing is started", async () => {
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, errors, steps } = await bootstrap({ endpoint });
    expect({ code, steps }).toEqual({ code: 1, steps: [] });
    expect(errors).toContain(`The bucket ${bucket} is there, and AWS does not let you look at it.`);
    expect(errors).toContain("not account 123456789012's");
    expect(errors).toContain("export STATE_BUCKET with a free name");
  });
});
