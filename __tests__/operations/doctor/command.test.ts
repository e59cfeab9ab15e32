import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { freePort } from "aws-emulator/processes";
import { OperationsProcess, runOperation } from "../../support/operations-command";
import { checks, doctor, placeOf, type Report } from "./doctor-report";
import { exampleEnvironment } from "../../../stacks/example-environment";
import { stages, type StageSettings } from "../../../stacks/stages";
import { devEnvironment } from "../../support/stack";
import { projectStages } from "../../support/stages";

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
  // The command is a process of its own, which reads the project's own entries.
  const environment = exampleEnvironment("prod", projectStages.prod);
  const { AWS_ACCOUNT_ID: account, AWS_REGION: region = "" } = environment;
  const scopes = new Set<string>();
  const server = createServer((request, response) => {
    // Credential=<key>/<date>/<region>/<service>/aws4_request
    const [, scope = "", service = ""] =
      /Credential=[^/]+\/\d+\/([^/]+)\/([^/]+)\//.exec(request.headers.authorization ?? "") ?? [];
    scopes.add(`${service} ${scope}`);
    deny(service, request, response);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { code, output, errors } = await new OperationsProcess(["doctor", "--json"], {
    ...environment,
    PROJECT_NAME: "shop",
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
    errors: `AWS account ${account ?? ""}, region ${region}, stage prod, through ${endpoint} (AWS_ENDPOINT_URL)\n`,
  });
  expect([...scopes].sort()).toEqual([
    `lambda ${region}`,
    `monitoring ${region}`,
    "s3 eu-central-1",
    `ses ${region}`,
    `sns ${region}`,
    `sqs ${region}`,
  ]);
  const report = JSON.parse(output) as Report;
  expect(report).toMatchObject({ stage: "prod", prefix: "shop-prod" });
  // A stage with a domain of its own has further checks, by DNS.
  const known = report.checks.filter(({ check }) => checks.includes(check));
  expect(known.map(({ check, status, todo }) => [check, status, todo])).toEqual(
    checks.map((check) => [check, "unknown", "Run it with a role that may read this."]),
  );
});

describe("with another region in the shell than in the stage's entry", () => {
  const known: Record<string, StageSettings> = stages;

  it.each([
    ["eu-central-1", ["AWS_REGION"]],
    ["eu-west-1", []],
  ])("warns of it, and still says that no check could be made: %s", async (region, first) => {
    const replaced = [
      jest.replaceProperty(known, "dev", { ...stages.dev, region }),
      jest.replaceProperty(process, "env", {
        ...process.env,
        AWS_ENDPOINT_URL: `http://127.0.0.1:${await freePort()}`,
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
      }),
    ];
    const { code, output } = await runOperation(["doctor", "--json"], devEnvironment);
    for (const each of replaced) each.restore();
    expect(code).toBe(1);
    const report = JSON.parse(output) as Report;
    expect(report.checks.map(({ check }) => check)).toEqual([...first, ...checks]);
    expect(report.checks.filter(({ check }) => check === "AWS_REGION")).toEqual(
      first.map((check) => ({
        check,
        status: "warn",
        finding: 'It is "eu-west-1", and dev.region in stacks/stages.ts is "eu-central-1".',
        todo: "Unset AWS_REGION, unless that is meant.",
      })),
    );
  });
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
