import { type Command } from "commander";
import { type Environment } from "../stacks/config";

/** What every command of the program shares. */

export const exitCodes = {
  well: 0,
  /** Problems were found, or the operation failed. */
  problems: 1,
  /** The command was used wrongly: nothing was done. */
  usage: 2,
  /** Ended by a person, as a shell counts it. */
  interrupted: 130,
} as const;

/** Below the options in each command's help. */
export const exitCodesHelp = (well: string, problems: string): string => `
Exit code:
  0  ${well}
  1  ${problems}
  2  used wrongly: an option, a value or the configuration; nothing was done`;

/** The command was called in a way that it does not know. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What a command gets from its process; a test hands in its own. */
export interface Io {
  /** For the answer alone, so that it can be piped on. */
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Environment;
  /** Calls the listener where a person interrupts. A command that does not listen is ended at once. */
  readonly onInterrupt: (listener: () => void) => void;
  /** Whether somebody is at the terminal who could answer a question. */
  readonly isTerminal: boolean;
  /**
   * Runs a program with Node at the terminal of the command.
   * @param words the program's file, and its arguments
   * @returns its exit code.
   */
  readonly runNode: (words: readonly string[]) => Promise<number>;
}

interface Output {
  write(text: string): unknown;
}

/** A file of `commands/`. */
export interface CommandModule {
  /**
   * Adds the command's arguments, options and action.
   * @param end takes the exit code.
   */
  readonly define: (command: Command, io: Io, end: (exitCode: number) => void) => Command;
}

/** The options that every command has. */
export function addCommonOptions(command: Command): Command {
  return command
    .option("--json", "one JSON document on standard output (npm run --silent keeps npm's own lines out of it)", false)
    .option("--sandbox", "the sandbox on this machine, not AWS", false);
}

export interface CommonOptions {
  readonly json: boolean;
  readonly sandbox: boolean;
}
