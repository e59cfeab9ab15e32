import { spawnSync } from "node:child_process";
import { type NothingToDo, parseOptions } from "../../sandbox/options";
import { projectRoot } from "../support/sandbox";

it.each([
  [[], { once: false }],
  [["--once"], { once: true }],
])("takes %j", (words, options) => {
  expect(parseOptions(words)).toEqual(options);
});

it.each([
  [["--onec"], "unknown option '--onec' (Did you mean --once?)"],
  [["--once=3"], "unknown option '--once=3' (Did you mean --once?)"],
  [["-x"], "unknown option '-x'"],
  [["once"], "unknown argument 'once'"],
])("refuses %j in one sentence", (words, problem) => {
  const text = `npm start: ${problem}; run "npm start -- --help" for the usage.`;
  expect(parseOptions(words)).toEqual({ exitCode: 2, text });
});

it("shows its options, its environment and its exit codes", () => {
  const help = parseOptions(["--help"]);
  expect(help).toMatchObject({ exitCode: 0 });
  for (const part of ["--once", "SANDBOX_PORT", "2 used wrongly"]) {
    expect(help).toMatchObject({ text: expect.stringContaining(part) as string });
  }
});

describe("npm start, before it starts anything", () => {
  const start = (words: readonly string[], environment: NodeJS.ProcessEnv = {}) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", "sandbox/start.ts", ...words], {
      cwd: projectRoot,
      env: { PATH: process.env.PATH, ...environment },
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  };

  it("ends with 2 where it is used wrongly, with one sentence", () => {
    const { text } = parseOptions(["--onec"]) as NothingToDo;
    expect(start(["--onec"])).toEqual({ status: 2, stdout: "", stderr: `${text}\n` });
    const port = 'SANDBOX_PORT="seven" is not a port: use a number from 1 to 65535\n';
    expect(start([], { SANDBOX_PORT: "seven" })).toEqual({ status: 2, stdout: "", stderr: port });
  });

  it("prints its help and ends with 0", () => {
    const { text } = parseOptions(["--help"]) as NothingToDo;
    expect(start(["--help"])).toEqual({ status: 0, stdout: `${text}\n`, stderr: "" });
  });
});
