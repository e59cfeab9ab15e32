import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { catalogue } from "../../../handler/notifications";
import { type CheckResult } from "../../../operations/doctor/check";
import { freePort } from "aws-emulator/processes";
import { OperationsProcess, runOperation, sandboxOn } from "../../support/operations-command";
import { parkedStage } from "../../support/parked";
import { deployAws, deployEmail, DoctorWorld } from "./doctor-world";

interface Report {
  readonly stage: string;
  readonly prefix: string;
  readonly summary: Readonly<Record<CheckResult["status"], number>>;
  readonly checks: readonly CheckResult[];
}

const doctor = (port: number, ...words: string[]) => runOperation(["doctor", "--sandbox", ...words], sandboxOn(port));
const placeOf = (port: number) =>
  `Sandbox at http://127.0.0.1:${port} (the port of SANDBOX_PORT), region us-east-1, stage sandbox\n`;

const checks = [
  "Sender verified",
  "SES sandbox",
  "Send rate and quota",
  ...catalogue.map(({ id }) => `Template ${id}`),
  "Configuration set",
  "SES's events",
  "Concurrency, standard lane",
  "Concurrency, priority lane",
  "Concurrency of the account",
  "Dead letters",
  "Retries",
  "Alarm topic",
  "Alarms",
  "State bucket",
];

describe("in the sandbox", () => {
  let world: DoctorWorld;
  let port: number;
  beforeAll(async () => {
    world = await DoctorWorld.start();
    port = Number(new URL(world.gateway.gateway.url).port);
  });
  afterAll(async () => {
    await world.stop();
  });

  it("fails where nothing is deployed, and does not where all is in order", async () => {
    const empty = await doctor(port, "--json");
    expect(empty).toMatchObject({ code: 1, errors: placeOf(port) });
    const report = JSON.parse(empty.output) as Report;
    expect(Object.keys(report)).toEqual(["stage", "prefix", "summary", "checks"]);
    expect(report).toMatchObject({ stage: "sandbox", prefix: parkedStage.names.prefix });
    expect(report.checks.map(({ check }) => check)).toEqual(checks);
    expect(report.checks[0]).toEqual({
      check: "Sender verified",
      status: "fail",
      finding: expect.stringContaining("SES has no identity notifications@example.com (the sender).") as string,
      todo: 'Deploy the stack again (docs/deploy.md, "Try a deployment in the sandbox").',
    });
    const { fail, warn, unknown, ok } = report.summary;
    expect({ fail, warn, unknown, ok }).toEqual(count(report.checks));

    await deployEmail(parkedStage, world.clients);
    await deployAws(parkedStage, world.gateway, world.clients);
    const { code, output, errors } = await doctor(port);
    expect({ code, errors }).toEqual({ code: 0, errors: placeOf(port) });
    expect(output).toMatch(/Check\s+│\s+│ What was found, and what to do/);
    for (const check of checks) expect(output).toMatch(new RegExp(`${check} +│ (ok|unknown) `));
    expect(output).toContain("The sandbox does not emulate it: it is checked on AWS.");
    expect(output).not.toContain(">");
    expect(output.trimEnd().split("\n").at(-1)).toBe(
      `email-automation-sandbox: 0 fail, 0 warn, 3 unknown, ${checks.length - 3} ok`,
    );
  });
});

function count(results: readonly CheckResult[]): Report["summary"] {
  const summary = { fail: 0, warn: 0, unknown: 0, ok: 0 };
  for (const { status } of results) summary[status] += 1;
  return summary;
}

it("is not made where nothing listens, and says once what to do", async () => {
  const port = await freePort();
  expect(await doctor(port)).toEqual({
    code: 1,
    output: "",
    errors: `${placeOf(port)}No check could be made. Nothing answers. Start the sandbox: npm start. Where it listens on another port, name that: export SANDBOX_PORT=<port>.\n`,
  });
  const { code, output } = await doctor(port, "--json");
  expect(code).toBe(1);
  expect((JSON.parse(output) as Report).summary).toEqual({ fail: 0, warn: 0, unknown: checks.length, ok: 0 });
});

it("is not made with an option that it does not know", async () => {
  expect(await doctor(1, "--jsno")).toMatchObject({
    code: 2,
    output: "",
    errors: expect.stringContaining("unknown option '--jsno'") as string,
  });
});

it("is not made with a configuration that can't be used", async () => {
  const { code, output, errors } = await runOperation(["doctor"], { STAGE: "prod" });
  expect({ code, output }).toEqual({ code: 2, output: "" });
  expect(errors).toMatch(/^The configuration .* add --sandbox: npm run doctor -- --sandbox\nFor a stage on AWS:\n/);
  expect(errors).toContain("EMAIL_SENDER is not set");
});

it("on AWS asks for the state where the bucket is, and is not made without permissions", async () => {
  const scopes = new Set<string>();
  const server = createServer((request, response) => {
    // Credential=<key>/<date>/<region>/<service>/aws4_request
    const [, region = "", service = ""] =
      /Credential=[^/]+\/\d+\/([^/]+)\/([^/]+)\//.exec(request.headers.authorization ?? "") ?? [];
    scopes.add(`${service} ${region}`);
    deny(service, request, response);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { code, output, errors } = await new OperationsProcess(["doctor", "--json"], {
    STAGE: "prod",
    PROJECT_NAME: "shop",
    AWS_ACCOUNT_ID: "123456789012",
    AWS_REGION: "eu-west-1",
    EMAIL_SENDER: "shop@example.com",
    EMAIL_RECIPIENT: "team@example.com",
    BACKEND: "s3",
    STATE_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_ENDPOINT_URL: endpoint,
  }).ended.finally(() => {
    server.closeAllConnections();
    server.close();
  });
  expect({ code, errors }).toEqual({
    code: 1,
    errors: `AWS account 123456789012, region eu-west-1, stage prod, through ${endpoint} (AWS_ENDPOINT_URL)\n`,
  });
  expect([...scopes].sort()).toEqual([
    "lambda eu-west-1",
    "monitoring eu-west-1",
    "s3 eu-central-1",
    "ses eu-west-1",
    "sns eu-west-1",
    "sqs eu-west-1",
  ]);
  const report = JSON.parse(output) as Report;
  expect(report).toMatchObject({ stage: "prod", prefix: "shop-prod" });
  expect(report.checks.map(({ check, status, todo }) => [check, status, todo])).toEqual(
    checks.map((check) => [check, "unknown", "Run it with a role that may read this."]),
  );
});

/** "You may not", in the protocol of the service. */
function deny(service: string, request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  const isQuery = service === "sns" || (service === "ses" && request.url === "/");
  const error = `<Error><Code>AccessDenied</Code><Message>You may not.</Message></Error>`;
  if (service === "s3" || isQuery) {
    response.writeHead(403, { "content-type": "text/xml" });
    response.end(isQuery ? `<ErrorResponse>${error}</ErrorResponse>` : error);
  } else {
    response.writeHead(403, { "content-type": "application/json" });
    response.end(JSON.stringify({ __type: "AccessDeniedException", message: "You may not." }));
  }
}
