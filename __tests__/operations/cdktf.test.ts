import { type CommandResult, runOperation } from "../support/operations-command";
import { devEnvironment } from "../support/stack";
import { stages, type StageSettings } from "../../stacks/stages";

const commands = ["plan", "deploy", "destroy"] as const;
const names = { plan: "diff", deploy: "deploy", destroy: "destroy" } as const;
const place = "AWS account 123456789012, region eu-west-1, stage dev";

interface Settings {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly isTerminal?: boolean;
  /** Of cdktf. */
  readonly exitCode?: number;
}

/** Runs a command with a cdktf that notes what it is given. */
async function run(
  words: readonly string[],
  { environment = devEnvironment, isTerminal, exitCode = 0 }: Settings = {},
) {
  const started: (readonly string[])[] = [];
  const result = await runOperation(words, environment, {
    isTerminal: isTerminal ?? false,
    runNode: (program) => {
      started.push(program);
      return Promise.resolve(exitCode);
    },
  });
  return { ...result, started };
}

/** The words that cdktf was given; the first of what was started is its file. */
const handedOn = ({ started }: { readonly started: readonly (readonly string[])[] }) =>
  started.map(([, ...words]) => words);

function expectRefusal(result: CommandResult & { readonly started: unknown }, sentence: string): void {
  expect(result).toMatchObject({ code: 2, output: "", started: [] });
  expect(result.errors).toContain(sentence);
}

describe.each(commands)("npm run %s", (name) => {
  it("explains itself, and starts nothing", async () => {
    const { code, output, errors, started } = await run([name, "--help"]);
    expect({ code, errors, started }).toEqual({ code: 0, errors: "", started: [] });
    const stacks = name === "plan" ? "stack" : "stacks...";
    expect(output).toContain(`Usage: npm run ${name} -- [${stacks}] [options of cdktf]`);
    expect(output).toContain(`npx cdktf ${names[name]} --help`);
    expect(output).toMatch(/Exit code:\n {2}0 {2}.+\n {2}1 {2}.+\n {2}2 {2}used wrongly/);
  });

  it("says where it acts, and runs cdktf for the stage's stack", async () => {
    const result = await run([name], { isTerminal: true });
    expect(result).toMatchObject({ code: 0, output: "" });
    expect(result.errors).toBe(`${place}: cdktf ${names[name]} notification-dev\n`);
    expect(handedOn(result)).toEqual([[names[name], "notification-dev"]]);
    expect(result.started[0]?.[0]).toMatch(/cdktf-cli[\\/]bundle[\\/]bin[\\/]cdktf$/);
  });

  it("says where the shell's region is not that of the stage's entry", async () => {
    const known: Record<string, StageSettings> = stages;
    const replaced = jest.replaceProperty(known, "dev", { ...stages.dev, region: "eu-central-1" });
    const { errors } = await run([name], { isTerminal: true });
    replaced.restore();
    expect(errors).toMatch(
      /^AWS account 123456789012, region eu-west-1 \(AWS_REGION; eu-central-1 in stacks\/stages\.ts\), stage dev: cdktf /,
    );
  });

  it("hands on every word as it is", async () => {
    const words = [
      "--auto-approve",
      "--skip-provider-lock",
      "--parallelism",
      "5",
      "--var",
      "a=b c",
      "--app=x",
      "-o",
      "d",
    ];
    expect(handedOn(await run([name, ...words]))).toEqual([[names[name], "notification-dev", ...words]]);
    const others = name === "plan" ? ["state-backend"] : ["state-backend", "other"];
    expect(handedOn(await run([name, ...others, "--no-color", "--auto-approve"]))).toEqual([
      [names[name], ...others, "--no-color", "--auto-approve"],
    ]);
  });

  it.each([
    [["--auto-approve", "state-backend"]],
    [["--parallelism", "-1", "state-backend", "--auto-approve"]],
    [["--skip-synth", "true", "--output=d", "state-backend", "--autoApprove"]],
    [["--auto-approve", "--var=a=b", "c=d", "--noColor", "state-backend"]],
  ])("acts on no other stack than that which stands behind options: %j", async (words) => {
    expect(handedOn(await run([name, ...words]))).toEqual([[names[name], ...words]]);
  });

  it("refuses words that cdktf would leave out", async () => {
    expectRefusal(
      await run([name, "--auto-approve", "--", "state-backend"]),
      `cdktf leaves out what stands behind a -- of its own: npm run ${name} -- takes no other.`,
    );
  });

  it.each([
    [1, 1],
    [2, 1],
    [130, 130],
  ])("where cdktf ends with %i, ends with %i", async (exitCode, code) => {
    expect((await run([name, "--auto-approve"], { exitCode })).code).toBe(code);
  });

  it("names the variable that the stack ci-access needs", async () => {
    const words = [name, "ci-access"];
    expectRefusal(
      await run(words, { isTerminal: true }),
      `npm run ${name} -- ci-access needs the repository of GitHub that the access is for: set deployRepository in stacks/stages.ts, or export DEPLOY_REPOSITORY=owner/name (docs/ci-access.md).`,
    );
    const environment = { ...devEnvironment, DEPLOY_REPOSITORY: "acme/mail" };
    expect(handedOn(await run(words, { isTerminal: true, environment }))).toEqual([[names[name], "ci-access"]]);
  });

  it("names the sandbox first where no stage is configured", async () => {
    expectRefusal(
      await run([name, "--auto-approve"], { environment: {} }),
      "No stage is configured. For the sandbox on this machine: npm start, and in another terminal source .sandbox/environment.sh\nFor a stage on AWS:\n  - STAGE is not set",
    );
  });

  it("tells a bad configuration before cdktf starts", async () => {
    expectRefusal(
      await run([name, "--auto-approve"], { environment: { ...devEnvironment, STAGE: "live" } }),
      'STAGE="live" is unknown',
    );
  });

  it.each(["--sandbox", "--json"])("refuses %s, which cdktf would take and not know", async (option) => {
    expectRefusal(await run([name, option, "--auto-approve"]), `npm run ${name} has no ${option}: `);
    expectRefusal(await run([name, `${option}=true`, "--auto-approve"]), `npm run ${name} has no ${option}: `);
  });

  it("goes to the sandbox where the shell has its environment", async () => {
    const environment = { STAGE: "sandbox", AWS_ENDPOINT_URL: "http://127.0.0.1:4599" };
    const result = await run([name, "--auto-approve"], { environment });
    expect(result.errors).toBe(
      `Sandbox at http://127.0.0.1:4599 (AWS_ENDPOINT_URL), region us-east-1, stage sandbox: cdktf ${names[name]} notification-sandbox --auto-approve --skip-provider-lock\n`,
    );
    expect(handedOn(result)).toEqual([[names[name], "notification-sandbox", "--auto-approve", "--skip-provider-lock"]]);
  });

  it.each(["--skip-provider-lock", "--skipProviderLock=false"])("leaves %s as it is said", async (option) => {
    const environment = { STAGE: "sandbox", AWS_ENDPOINT_URL: "http://127.0.0.1:4599" };
    const result = await run([name, "--auto-approve", option], { environment });
    expect(handedOn(result)).toEqual([[names[name], "notification-sandbox", "--auto-approve", option]]);
  });

  it("does not take the stage sandbox to AWS", async () => {
    expectRefusal(await run([name, "--auto-approve"], { environment: { STAGE: "sandbox" } }), "AWS_ENDPOINT_URL");
  });
});

it.each([
  ["plan", []],
  ["deploy", ["--auto-approve"]],
  ["deploy", ["--auto-approve=true"]],
  ["destroy", ["--skip-provider-lock", "--autoApprove"]],
  ["destroy", ["state-backend", "--autoApprove=true"]],
  ["deploy", ["--auto-approve=false", "--auto-approve", "true"]],
] as const)("lets %s %j go on without a terminal", async (name, words) => {
  expect(await run([name, ...words])).toMatchObject({ code: 0, started: [expect.anything()] });
});

it.each([
  ["deploy", []],
  ["deploy", ["state-backend"]],
  ["destroy", ["--auto-approve=false"]],
  ["destroy", ["--parallelism", "5"]],
  ["deploy", ["--auto-approve", "false"]],
  ["deploy", ["--auto-approve", "--auto-approve=false"]],
] as const)("stops %s %j where nobody can answer", async (name, words) => {
  const result = await run([name, ...words]);
  expectRefusal(result, `npm run ${name} asks before it changes anything, and there is no terminal to answer at.`);
  expect(result.errors).toContain(`npm run ${name} -- ${[...words, "--auto-approve"].join(" ")}\n`);
});

it("shows a command that a shell takes as it was meant", async () => {
  const words = ["--var", "subject=It's $5"];
  const shown = `--var 'subject=It'\\''s $5'`;
  expect((await run(["deploy", ...words])).errors).toContain(`npm run deploy -- ${shown} --auto-approve\n`);
  expect((await run(["plan", ...words])).errors).toContain(`: cdktf diff notification-dev ${shown}\n`);
});

it("plans no stack out of several", async () => {
  expectRefusal(
    await run(["plan", "state-backend", "notification-dev"]),
    "cdktf plans one stack, and leaves out the others: name one of state-backend, notification-dev.",
  );
});
