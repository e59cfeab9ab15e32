import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { cdktfArguments, refuseQuestionToNobody } from "../../operations/commands/cdktf";
import { devEnvironment } from "../support/stack";

const root = join(__dirname, "..", "..");

/** `npm run <command> -- <words>` without a terminal. */
function run(command: string, words: readonly string[] = [], environment: object = devEnvironment) {
  return spawnSync("npm", ["run", "--silent", command, "--", ...words], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
  });
}

it.each(["deploy", "destroy"])("npm run %s needs --auto-approve without a terminal, and starts nothing", (command) => {
  const { status, stdout, stderr } = run(command, ["--parallelism", "5"]);
  expect(status).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toContain(
    `npm run ${command} asks before it changes anything, and there is no terminal to answer at.`,
  );
  expect(stderr).toContain(`npm run ${command} -- --parallelism 5 --auto-approve`);
});

it("tells a bad configuration before cdktf starts", () => {
  const { status, stdout, stderr } = run("plan", [], { STAGE: "live" });
  expect(status).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toContain('STAGE="live" is unknown');
});

it("hands on to cdktf what it is given, and its exit code", () => {
  expect(run("deploy", ["--help"]).stdout).toContain("cdktf deploy [stacks...]");
  expect(run("plan", ["--no-such-option"]).status).toBe(1);
});

it.each([
  ["plan", [], false],
  ["deploy", [], true],
  ["destroy", ["state-backend"], true],
  ["deploy", ["--auto-approve"], false],
  ["destroy", ["--skip-provider-lock", "--autoApprove"], false],
  ["deploy", ["--auto-approve=true"], false],
] as const)("lets %s %j go on (terminal: %s)", (command, words, isTerminal) => {
  expect(() => {
    refuseQuestionToNobody(command, words, isTerminal);
  }).not.toThrow();
});

it.each([
  ["deploy", []],
  ["destroy", ["--auto-approve=false"]],
  ["deploy", ["state-backend"]],
] as const)("stops %s %j where nobody can answer", (command, words) => {
  expect(() => {
    refuseQuestionToNobody(command, words, false);
  }).toThrow(`npm run ${command} -- ${[...words, "--auto-approve"].join(" ")}`);
});

it("works on the stage's stack, or on the one that the first word names", () => {
  expect(cdktfArguments("plan", [], "dev")).toEqual(["diff", "notification-dev"]);
  expect(cdktfArguments("deploy", ["--auto-approve"], "dev")).toEqual(["deploy", "notification-dev", "--auto-approve"]);
  expect(cdktfArguments("destroy", ["state-backend", "--auto-approve"], "dev")).toEqual([
    "destroy",
    "state-backend",
    "--auto-approve",
  ]);
});
