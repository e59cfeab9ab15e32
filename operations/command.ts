import { type Command } from "commander";
import { type Environment } from "../stacks/config";

/** The types, options and exit codes that all commands share. */

export const exitCodes = {
  well: 0,
  /** Problems were found, or the operation failed. */
  problems: 1,
  /** The command was used wrongly, and nothing was done. */
  usage: 2,
  /** A person interrupted the command. Shells use this code too: 128 and the number of SIGINT. */
  interrupted: 130,
} as const;

/** Makes the text below the options in a command's help. */
export const exitCodesHelp = (well: string, problems: string): string => `
Exit code:
  0  ${well}
  1  ${problems}
  2  used wrongly: an option, a value or the configuration; nothing was done`;

/** Wrong use of a command: an argument, an option or the configuration. Its message is shown without a stack trace. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The parts of its process that a command uses. Tests pass their own. */
export interface Io {
  /** Only the answer is written here, so that it can be piped to another program. */
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Environment;
  /** Calls the listener when a person interrupts. Without a listener, the interrupt ends the command at once. */
  readonly onInterrupt: (listener: () => void) => void;
  /** Whether somebody is at the terminal who could answer a question. */
  readonly isTerminal: boolean;
  /**
   * Runs a program with Node at the terminal of the command.
   * @param words the program's file, and its arguments
   * @returns its exit code.
   */
  readonly runNode: (words: readonly string[]) => Promise<number>;
  /** Runs a program for its answer. What it says to a person goes to `stderr`. */
  readonly runProgram: (program: Program) => Promise<ProgramResult>;
  /** Asks the person at the terminal. @returns the line that was typed; an empty one where the terminal was closed. */
  readonly ask: (question: string) => Promise<string>;
  /** Opens an address in the person's browser. */
  readonly openInBrowser: (address: string) => Promise<void>;
}

/** A program that a command runs for its answer. */
export interface Program {
  /** The program's file, and its arguments. */
  readonly words: readonly [string, ...string[]];
  /** @default the folder of the command */
  readonly directory?: string;
  /** The whole environment of the program. @default that of the command */
  readonly environment?: Environment;
  /** Whether its standard output is the answer. Otherwise it goes to `stderr`. */
  readonly answers: boolean;
}

export interface ProgramResult {
  /** As a shell has it: 128 and the number of the signal where one ended the program. */
  readonly code: number;
  /** Its standard output, where that is the answer. */
  readonly output: string;
}

interface Output {
  write(text: string): unknown;
}

/** What each file in `commands/` exports. */
export interface CommandModule {
  /**
   * Adds the command's arguments, options and action.
   * @param end is called with the exit code when the command has finished.
   */
  readonly define: (command: Command, io: Io, end: (exitCode: number) => void) => Command;
}

/** Adds the options that every command has. */
export function addCommonOptions(command: Command): Command {
  return command
    .option("--json", "one JSON document on standard output (npm run --silent keeps npm's own lines out of it)", false)
    .option("--sandbox", "the sandbox on this machine, not AWS", false);
}

export interface CommonOptions {
  readonly json: boolean;
  readonly sandbox: boolean;
}
