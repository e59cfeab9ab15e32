import { Command, CommanderError } from "commander";
import { defaultPort } from "../stacks/sandbox-endpoint";

export interface Options {
  /** Whether to check everything from apply to destroy and then end. */
  readonly once: boolean;
}

/** The command line is wrong, or asks for the help, so there is nothing to start. */
export interface NothingToDo {
  readonly exitCode: 0 | 2;
  readonly text: string;
}

/** @param words what follows `npm start --`. */
export function parseOptions(words: readonly string[]): Options | NothingToDo {
  let text = "";
  const command = new Command("npm start --")
    .description(
      "Starts the sandbox: applies the stack to an emulator on this machine, sends a sample of each notification, and serves an inbox. Ctrl-C stops it and removes everything.",
    )
    .option("--once", "check the whole way from apply to destroy, and end")
    .helpOption("--help", "show this")
    .usage("[--once]")
    .addHelpText(
      "after",
      `\nEnvironment:\n  SANDBOX_PORT   the port of 127.0.0.1 to listen on (default: ${defaultPort})\n\nExit codes: 0 all is well; 1 something failed; 2 used wrongly.`,
    )
    .allowExcessArguments()
    .exitOverride()
    .configureOutput({ writeOut: (part) => (text += part), writeErr: () => undefined });
  try {
    command.parse(words, { from: "user" });
    const [argument] = command.args;
    const { once = false } = command.opts<Partial<Options>>();
    return argument === undefined ? { once } : misuse(`unknown argument '${argument}'`);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { exitCode: 0, text: text.trimEnd() };
    return misuse(error.message.replace(/^error: /, "").replace("\n", " "));
  }
}

function misuse(problem: string): NothingToDo {
  return { exitCode: 2, text: `npm start: ${problem}; run "npm start -- --help" for the usage.` };
}
