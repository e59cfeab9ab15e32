import { spawn } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import { type Environment } from "../stacks/config";

export interface ProgramSettings {
  /** @default the folder of this process */
  readonly directory?: string;
  /** The whole environment of the program. */
  readonly environment: Environment;
}

/**
 * Runs a program with this Node, at this terminal.
 * @param words the program's file, and its arguments
 * @returns its exit code; where a signal ended it, 128 and the number of the signal, as a shell has it.
 */
export function runNode(words: readonly string[], environment: Environment): Promise<number> {
  return runProgram([process.execPath, ...words], { environment });
}

/**
 * Runs a program at this terminal.
 * @param words the program's name or file, and its arguments
 * @returns its exit code; where a signal ended it, 128 and the number of the signal, as a shell has it.
 * @throws Error where it can't be started.
 */
export function runProgram(
  [program = "", ...words]: readonly string[],
  { directory, environment }: ProgramSettings,
): Promise<number> {
  const child = spawn(program, words, { stdio: "inherit", env: environment, cwd: directory });
  // Ctrl-C reaches the program by itself, and this process waits until it is done: Terraform gives back its lock.
  const listeners = {
    SIGINT: () => undefined,
    SIGTERM: () => child.kill("SIGTERM"),
    SIGHUP: () => child.kill("SIGHUP"),
  };
  for (const [signal, listener] of Object.entries(listeners)) process.on(signal, listener);
  return new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  }).finally(() => {
    for (const [signal, listener] of Object.entries(listeners)) process.off(signal, listener);
  });
}

/** Asks the person at this terminal. @returns the line that was typed; an empty one where the terminal was closed. */
export function askAtTerminal(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise<string>((resolve) => {
    terminal.once("close", () => {
      resolve("");
    });
    terminal.question(question, resolve);
  }).finally(() => {
    terminal.close();
  });
}
