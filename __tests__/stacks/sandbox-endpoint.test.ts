import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findSandbox, sandboxEndpoint } from "../../stacks/sandbox-endpoint";
import { temporaryFolder } from "aws-emulator/testing/temporary";
import { exampleAccountId } from "../../stacks/stages";

/**
 * Writes the environment file of a running sandbox.
 * @returns its path.
 */
function written(script: string): string {
  const file = join(temporaryFolder(), "environment.sh");
  writeFileSync(file, script);
  return file;
}

const none = join(__dirname, "no-environment.sh");

it.each<[string, Readonly<Record<string, string>>, string, number, string]>([
  ["the port of the shell", { SANDBOX_PORT: "4601" }, written("export SANDBOX_PORT='4602'\n"), 4601, "SANDBOX_PORT"],
  [
    "the port of the running sandbox",
    {},
    written("export A='b'\nexport SANDBOX_PORT='4602'\nexport C='d'\n"),
    4602,
    ".sandbox/environment.sh",
  ],
  ["that port without quotes", {}, written("export SANDBOX_PORT=4602"), 4602, ".sandbox/environment.sh"],
  ["the default port beside a file without one", {}, written("export A='b'\n"), 4566, "the default port"],
  ["the default port where no sandbox runs", {}, none, 4566, "the default port"],
  ["the default port for an empty name", { SANDBOX_PORT: "" }, none, 4566, "the default port"],
])("a sandbox is found on %s", (_, environment, file, port, namedBy) => {
  const found = findSandbox(environment, file);
  expect(found).toMatchObject({ port, endpoint: `http://127.0.0.1:${port}`, region: "us-east-1" });
  expect(found.namedBy).toContain(namedBy);
  expect(found.names.of("event-bus")).toBe("email-automation-sandbox-event-bus");
});

it.each(["0", "65536", "4566.5", "port", " ", "0x11D6", "1e3", " 4566"])("SANDBOX_PORT=%j is no port", (text) => {
  const problem = `SANDBOX_PORT="${text}" is not a port: use a number from 1 to 65535`;
  expect(() => findSandbox({ SANDBOX_PORT: text }, none)).toThrow(problem);
  expect(() => sandboxEndpoint({ SANDBOX_PORT: text })).toThrow(problem);
});

it("an empty SANDBOX_PORT is none", () => {
  expect(sandboxEndpoint({ SANDBOX_PORT: "" }).port).toBe(4566);
});

it("names the file whose port is none", () => {
  const file = written("export SANDBOX_PORT='70000'\n");
  expect(() => findSandbox({}, file)).toThrow(`SANDBOX_PORT in ${file}="70000" is not a port`);
});

it("is not led elsewhere by what the shell says of a stage on AWS", () => {
  const aws = { STAGE: "prod", PROJECT_NAME: "shop", AWS_REGION: "eu-west-1", AWS_ACCOUNT_ID: "999999999999" };
  expect(findSandbox(aws, none)).toMatchObject({
    region: "us-east-1",
    config: { stage: "sandbox", projectName: "email-automation", accountId: exampleAccountId },
  });
});
