import { spawn } from "node:child_process";
import { run } from "../../operations/cli";
import { stages } from "../../stacks/stages";
import { freePort } from "aws-emulator/processes";
import { runOperation, sandboxOn } from "../support/operations-command";
import { projectRoot } from "../support/sandbox";

const commands = ["send", "schema", "doctor", "templates", "dead-letters"] as const;

/** Words that are right, but for what comes behind them. */
const words: Readonly<Record<(typeof commands)[number], readonly string[]>> = {
  send: ["send", "email-request", "--to", "a@example.com"],
  schema: ["schema", "email-request"],
  doctor: ["doctor"],
  templates: ["templates"],
  "dead-letters": ["dead-letters"],
};
const onStages = commands.filter((name) => name !== "schema");

describe.each(commands)("npm run %s", (name) => {
  it("explains itself, with the options and exit codes of every command", async () => {
    const { code, output, errors } = await runOperation([name, "--help"]);
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    expect(output).toContain(`Usage: npm run ${name} -- [options]`);
    for (const text of ["--json ", "--sandbox ", "Exit code:\n  0  ", "\n  1  ", "\n  2  used wrongly"]) {
      expect(output).toContain(text);
    }
    expect(output).not.toContain("(default: false)");
    expect(output).not.toContain("(default: [])");
  });

  it("refuses an option that it does not know, once", async () => {
    const { code, output, errors } = await runOperation([...words[name], "--sandbox", "--jsno"]);
    expect({ code, output }).toEqual({ code: 2, output: "" });
    expect(errors).toBe("error: unknown option '--jsno'\n(Did you mean --json?)\n");
  });
});

it("says that npm keeps an option without the two hyphens, and hands on its value", async () => {
  // npm run new-notification invoice-paid --source com.example.billing
  const { code, errors } = await runOperation(["new-notification", "invoice-paid", "com.example.billing"]);
  expect(code).toBe(2);
  expect(errors).toMatch(
    /too many arguments.*\nnpm hands on .*: npm run new-notification -- <arguments and options>\n$/,
  );
});

describe.each(onStages)("npm run %s", (name) => {
  it("names the sandbox first where no stage is configured", async () => {
    const { code, output, errors } = await runOperation(words[name]);
    expect({ code, output }).toEqual({ code: 2, output: "" });
    const [first, second, ...problems] = errors.trimEnd().split("\n");
    expect(first).toBe(
      `No stage is configured. For the sandbox on this machine, add --sandbox: npm run ${name} -- --sandbox`,
    );
    expect(second).toBe("For a stage on AWS:");
    expect(problems).toEqual([`  - STAGE is not set: export STAGE to one of ${Object.keys(stages).join(", ")}`]);
  });

  it("refuses a port that is none", async () => {
    expect(await runOperation([...words[name], "--sandbox"], { SANDBOX_PORT: "port" })).toEqual({
      code: 2,
      output: "",
      errors: 'SANDBOX_PORT="port" is not a port: use a number from 1 to 65535\n',
    });
  });

  it("goes to the sandbox where the shell has its environment", async () => {
    const port = await freePort();
    const { code, errors } = await runOperation(words[name], { ...sandboxOn(port), STAGE: "sandbox" });
    expect(code).toBe(1);
    expect(errors).toContain(`Sandbox at http://127.0.0.1:${port} (the port of SANDBOX_PORT), region us-east-1`);
    expect(errors.match(/Nothing answers/g)).toHaveLength(1);
  });
});

describe("npm run schema", () => {
  it.each([[], ["--json"], ["--sandbox"]])("prints one JSON document (%s)", async (...option) => {
    const { code, output, errors } = await runOperation(["schema", "priority-alert", ...option]);
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    expect(JSON.parse(output)).toMatchObject({
      type: "object",
      properties: { priority: { enum: ["high", "critical"] } },
    });
  });

  it.each([
    [["schema"], "The notification's name is missing: use one of email-request"],
    [["schema", "newsletter"], 'There is no notification "newsletter": use one of email-request'],
  ])("says which there are: %j", async (argv, problem) => {
    const { code, output, errors } = await runOperation(argv);
    expect({ code, output }).toEqual({ code: 2, output: "" });
    expect(errors).toContain(problem);
  });
});

it.each([
  [[], 2, "", "Commands:"],
  [["newsletter"], 2, "", "error: unknown command 'newsletter'"],
  [["--help"], 0, "Commands:", ""],
])("%j ends with %i, and says which commands there are", async (argv, code, output, errors) => {
  const result = await runOperation(argv);
  expect(result.code).toBe(code);
  expect(result.output).toContain(output);
  expect(result.errors).toContain(errors);
});

it("tells a failure as such, in its own words", async () => {
  const error = new Error("It broke.");
  let errors = "";
  const io = {
    stdout: {
      write: () => {
        throw error;
      },
    },
    stderr: { write: (text: string) => (errors += text) },
    environment: {},
    onInterrupt: () => undefined,
    isTerminal: false,
    runNode: () => Promise.resolve(0),
    runProgram: () => Promise.resolve({ code: 0, output: "" }),
    ask: () => Promise.resolve(""),
    openInBrowser: () => Promise.resolve(),
  };
  expect(await run(["schema", "email-request"], io)).toBe(1);
  expect(errors).toBe("It broke.\n");
});

it("does not mind a reader who has seen enough", async () => {
  const child = spawn(process.execPath, ["--import", "tsx", "operations/cli.ts", "schema", "email-request"], {
    cwd: projectRoot,
    env: { PATH: process.env.PATH },
  });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  child.stdout.destroy();
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect({ code, errors }).toEqual({ code: 0, errors: "" });
});
