import { dirname, join } from "node:path";
import { type Command } from "commander";
import parse from "yargs-parser";
import { shellWord } from "aws-emulator/processes";
import { type Config } from "../../stacks/config";
import { type CommandModule, exitCodes, exitCodesHelp, type Io, UsageError } from "../command";
import { configOf, placeOf, refuseSandboxAtAws, sourceTheSandbox } from "../stage";

/** `npm run plan`, `deploy` and `destroy`: cdktf for the stage that the environment names. */

const commands = { plan: "diff", deploy: "deploy", destroy: "destroy" } as const;
type Name = keyof typeof commands;

export const deploy = moduleOf("deploy");
export const destroy = moduleOf("destroy");

function moduleOf(name: Name): CommandModule {
  return {
    define: (command, io, end) =>
      withHelp(command, name).action(async (words: readonly string[]) => {
        end(await runCdktf(name, words, io));
      }),
  };
}

/** @param code of cdktf or of Terraform. */
export function exitCodeOf(code: number): number {
  return code === exitCodes.well || code === exitCodes.interrupted ? code : exitCodes.problems;
}

/** What the words behind a command mean to cdktf. */
interface Words {
  /** The stacks that they name. Options may stand before them and between them. */
  readonly stacks: readonly string[];
  /** Whether the question is answered beforehand. */
  readonly isApproved: boolean;
  /** Whether they say if the providers' hashes are written to a lock file. */
  readonly hasProviderLock: boolean;
}

/** The options of `cdktf diff`, `deploy` and `destroy` that take no value, as `--help` of cdktf 0.21 lists them. */
const flags = [
  "auto-approve",
  "disable-plugin-cache-env",
  "help",
  "ignore-missing-stack-dependencies",
  "migrate-state",
  "no-color",
  "outputs-file-include-sensitive-outputs",
  "refresh-only",
  "skip-provider-lock",
  "skip-synth",
  "version",
];

/** Reads the words with the parser of yargs, which cdktf reads them with. */
function readWords(words: readonly string[]): Words {
  const {
    _: stacks,
    autoApprove,
    skipProviderLock,
  } = parse([...words], {
    // Each option has a second spelling: `--autoApprove`.
    boolean: [...flags, ...flags.map((flag) => parse.camelCase(flag))],
    array: ["var", "var-file", "varFile"],
    configuration: { "parse-positional-numbers": false },
  });
  return {
    stacks: stacks.map(String),
    isApproved: [autoApprove].flat().at(-1) === true,
    hasProviderLock: skipProviderLock !== undefined,
  };
}

/** @param more of the command's own, for its help. */
export function withHelp(command: Command, name: Name, more = ""): Command {
  const stacks = name === "plan" ? "stack" : "stacks...";
  return command
    .argument("[words...]", "stacks in place of the stage's own, and options of cdktf")
    .usage(`[${stacks}] [options of cdktf]`)
    .allowUnknownOption()
    .addHelpText(
      "after",
      `
The environment names the stage (docs/configuration.md).
${sourceTheSandbox}.
Every ${more === "" ? "option but --help" : "other option"} is handed on to cdktf; npx cdktf ${commands[name]} --help lists them.
${more}${name === "plan" ? "" : `Without a terminal to answer at, say --auto-approve.\n`}${exitCodesHelp("cdktf has done it", "cdktf or Terraform failed, and says why")}
  130  interrupted`,
    );
}

/**
 * Says where it acts, and runs cdktf there.
 * @returns the exit code of the command.
 * @throws UsageError if it is used wrongly; then nothing was started.
 */
export async function runCdktf(name: Name, words: readonly string[], io: Io): Promise<number> {
  refuseOptionsOfOthers(name, words);
  const read = readWords(words);
  refuseLeftOut(name, words, read);
  const config = configOf(io.environment, sourceTheSandbox);
  refuseSandboxAtAws(config, io.environment);
  refuseAccessForNobody(name, read, config);
  refuseQuestionToNobody(name, words, read, io.isTerminal);
  const handedOn = [
    commands[name],
    ...(read.stacks.length > 0 ? [] : [`notification-${config.stage}`]),
    ...words,
    // The sandbox may be offline, and a lock file needs the provider registry.
    ...(config.stage === "sandbox" && !read.hasProviderLock ? ["--skip-provider-lock"] : []),
  ];
  io.stderr.write(`${placeOf(config, io.environment)}: cdktf ${handedOn.map(shellWord).join(" ")}\n`);
  // Node runs it, because Windows has no executable of that name.
  const code = await io.runNode([
    join(dirname(require.resolve("cdktf-cli/package.json")), "bundle", "bin", "cdktf"),
    ...handedOn,
  ]);
  return exitCodeOf(code);
}

/**
 * cdktf takes every option that it does not know, and says nothing: `--sandbox` would act in the account.
 * @throws UsageError
 */
function refuseOptionsOfOthers(name: Name, words: readonly string[]): void {
  const has = (option: string) => words.some((word) => word === option || word.startsWith(`${option}=`));
  if (has("--sandbox")) {
    throw new UsageError(
      `npm run ${name} has no --sandbox: the environment alone names the stage. ${sourceTheSandbox}.`,
    );
  }
  if (has("--json")) throw new UsageError(`npm run ${name} has no --json: cdktf writes for a person.`);
}

/**
 * cdktf says nothing of what it leaves out, and would act on other stacks than those that were meant.
 * @throws UsageError
 */
function refuseLeftOut(name: Name, words: readonly string[], { stacks }: Words): void {
  if (words.includes("--")) {
    throw new UsageError(`cdktf leaves out what stands behind a -- of its own: npm run ${name} -- takes no other.`);
  }
  if (name === "plan" && stacks.length > 1) {
    throw new UsageError(`cdktf plans one stack, and leaves out the others: name one of ${stacks.join(", ")}.`);
  }
}

/**
 * Without a repository there is no stack `ci-access`, and cdktf would say only that it could not find it.
 * @throws UsageError
 */
function refuseAccessForNobody(name: Name, { stacks }: Words, { ci }: Config): void {
  if (ci !== undefined || !stacks.includes("ci-access")) return;
  throw new UsageError(
    `npm run ${name} -- ci-access needs the repository of GitHub that the access is for: set deployRepository in stacks/stages.ts, or export DEPLOY_REPOSITORY=owner/name (docs/ci-access.md).`,
  );
}

/**
 * Without a terminal to ask at, cdktf ends in an error of the library that draws its question, and leaves the state
 * locked (terraform-cdk issue 827).
 * @throws UsageError if there is no terminal to answer at.
 */
function refuseQuestionToNobody(
  name: Name,
  words: readonly string[],
  { isApproved }: Words,
  isTerminal: boolean,
): void {
  if (name === "plan" || isTerminal || isApproved) return;
  throw new UsageError(
    `npm run ${name} asks before it changes anything, and there is no terminal to answer at. Nothing was started, and nothing is locked. ` +
      `Look at npm run plan, and then say yes beforehand: npm run ${name} -- ${[...words, "--auto-approve"].map(shellWord).join(" ")}`,
  );
}
