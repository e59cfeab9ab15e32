import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { readConfig } from "../../stacks/config";
import { describeFailure } from "../text";

/** `npm run plan`, `deploy` and `destroy`: cdktf for the stage that the environment names. */

const commands = { plan: "diff", deploy: "deploy", destroy: "destroy" } as const;
type Command = keyof typeof commands;

/** Each as cdktf takes it. */
const approvals = ["--auto-approve", "--auto-approve=true", "--autoApprove", "--autoApprove=true"];
const questions = ["--help", "-h"];

/**
 * Without a terminal to ask at, cdktf ends in an error of the library that draws its question, and leaves the state
 * locked (terraform-cdk issue 827).
 * @throws Error where there is nobody who could answer.
 */
export function refuseQuestionToNobody(command: Command, words: readonly string[], isTerminal: boolean): void {
  if (command === "plan" || isTerminal || words.some((word) => [...approvals, ...questions].includes(word))) return;
  throw new Error(
    `npm run ${command} asks before it changes anything, and there is no terminal to answer at. Nothing was started, and nothing is locked. ` +
      `Look at npm run plan, and then say yes beforehand: npm run ${command} -- ${[...words, "--auto-approve"].join(" ")}`,
  );
}

/** What cdktf gets. The first word may name another stack than the stage's: `npm run deploy -- state-backend`. */
export function cdktfArguments(command: Command, words: readonly string[], stage: string): string[] {
  const namesStack = words[0] !== undefined && !words[0].startsWith("-");
  return [commands[command], ...(namesStack ? [] : [`notification-${stage}`]), ...words];
}

/** @returns its exit code. */
function runCdktf(words: readonly string[]): Promise<number> {
  // Node runs it, because Windows has no executable of that name.
  const program = join(dirname(require.resolve("cdktf-cli/package.json")), "bundle", "bin", "cdktf");
  const child = spawn(process.execPath, [program, ...words], { stdio: "inherit" });
  // Ctrl-C reaches cdktf by itself, and this process has to wait until it has given back its lock.
  process.on("SIGINT", () => undefined);
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve(code ?? 1);
    });
  });
}

async function main([command = "", ...words]: readonly string[]): Promise<void> {
  if (!Object.hasOwn(commands, command)) {
    throw new Error(`"${command}" is unknown: use one of ${Object.keys(commands).join(", ")}`);
  }
  const known = command as Command;
  refuseQuestionToNobody(known, words, process.stdin.isTTY);
  process.exitCode = await runCdktf(cdktfArguments(known, words, readConfig().stage));
}

if (require.main === module) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(describeFailure(error));
    process.exitCode = 1;
  });
}
