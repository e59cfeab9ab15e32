import { Command, CommanderError, Help, type Option } from "commander";
import "aws-emulator/aws-sdk-settings";
import { type CommandModule, exitCodes, type Io, UsageError } from "./command";
import * as bootstrap from "./commands/bootstrap";
import * as cdktf from "./commands/cdktf";
import * as deadLetters from "./commands/dead-letters";
import * as doctor from "./commands/doctor";
import * as newNotification from "./commands/new-notification";
import * as plan from "./commands/plan";
import * as preview from "./commands/preview";
import * as schema from "./commands/schema";
import * as send from "./commands/send";
import * as smoke from "./commands/smoke";
import * as templates from "./commands/templates";
import { askAtTerminal, openInBrowser, runNode, runProgram } from "./program";
import { describeFailure } from "./text";

/** The program behind the commands of `npm run`. Each command is a file in `commands/`. */

const commands: Readonly<Record<string, { readonly summary: string; readonly module: CommandModule }>> = {
  preview: { summary: "Shows the mail of every notification, and follows the files.", module: preview },
  send: { summary: "Checks an event, and puts it on the bus.", module: send },
  "new-notification": {
    summary: "Writes a notification's folder, its line in the catalogue and its test.",
    module: newNotification,
  },
  schema: { summary: "Prints the JSON Schema of an event's detail, for producers.", module: schema },
  doctor: { summary: "Checks whether a stage is in order, and says what to do.", module: doctor },
  templates: {
    summary: "Compares the templates that SES stores for the stage with those of this checkout.",
    module: templates,
  },
  "dead-letters": {
    summary: "Lists what is parked in the stage's dead-letter queue, and sends it again.",
    module: deadLetters,
  },
  smoke: { summary: "Tries the whole stage with mail to SES's mailbox simulator, and cleans up.", module: smoke },
  bootstrap: { summary: "Makes the bucket for Terraform's state, and keeps its own state in it.", module: bootstrap },
  plan: { summary: "Shows what a deploy would change.", module: plan },
  deploy: { summary: "Deploys the stage.", module: cdktf.deploy },
  destroy: { summary: "Destroys the stage.", module: cdktf.destroy },
};

/**
 * Runs one command.
 * @param argv the command's name and its arguments.
 * @returns the exit code. It never rejects.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let exitCode: number = exitCodes.well;
  try {
    await programOf(io, (code) => (exitCode = code)).parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    // Commander has already written the help, or what was wrong.
    if (error instanceof CommanderError) {
      if (error.code === "commander.excessArguments") io.stderr.write(`${hyphensHint(argv)}\n`);
      return error.exitCode === 0 ? exitCodes.well : exitCodes.usage;
    }
    io.stderr.write(`${describeFailure(error)}\n`);
    return error instanceof UsageError ? exitCodes.usage : exitCodes.problems;
  }
}

/** Without the hyphens, npm keeps an option's name for itself and hands on its value, as one more argument. */
const hyphensHint = ([command = ""]: readonly string[]): string =>
  `npm hands on options only behind two hyphens: npm run ${command} -- <arguments and options>`;

function programOf(io: Io, end: (exitCode: number) => void): Command {
  const program = new Command("npm run")
    .description("Works on a deployed stage, or on the sandbox of this machine.")
    .exitOverride()
    .configureHelp({ optionDescription: describeOption })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    });
  for (const [name, { summary, module }] of Object.entries(commands)) {
    const command = module.define(program.command(name).description(summary), io, end);
    // npm reads options before the two hyphens as its own, so the usage shows the hyphens.
    command.usage(`-- ${command.usage()}`);
  }
  return program;
}

/** The option's description, without a default value that only says that the option is off. */
function describeOption(option: Option): string {
  const { defaultValue, description } = option as { readonly defaultValue: unknown; readonly description: string };
  const isOff = defaultValue === false || (Array.isArray(defaultValue) && defaultValue.length === 0);
  return isOff ? description : new Help().optionDescription(option);
}

/** Runs the program in this process. */
async function main(): Promise<void> {
  // A reader that stops reading (`| head`) closes the pipe, which is not a failure.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
  process.exitCode = await run(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    onInterrupt: (listener) => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, listener);
    },
    isTerminal: process.stdin.isTTY,
    runNode: (words) => runNode(words, process.env),
    runProgram: (program) => runProgram(program, process.env),
    ask: askAtTerminal,
    openInBrowser,
  });
}

if (require.main === module) void main();
