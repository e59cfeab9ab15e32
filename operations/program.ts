import { spawn } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import { type Environment } from "../stacks/config";
import { type Program, type ProgramResult } from "./command";

/**
 * Runs a program with this Node, at this terminal.
 * @param words the program's file, and its arguments
 * @returns its exit code; where a signal ended it, 128 and the number of the signal, as a shell has it.
 */
export async function runNode(words: readonly string[], environment: Environment): Promise<number> {
  return (await run([process.execPath, ...words], "inherit", { environment })).code;
}

/**
 * Runs a program for its answer.
 * @throws Error if it can't be started.
 */
export function runProgram(
  { words, directory, environment, answers }: Program,
  ofCommand: Environment,
): Promise<ProgramResult> {
  // 2 is this process's own standard error.
  return run(words, answers ? "pipe" : 2, { environment: environment ?? ofCommand, directory });
}

function run(
  [file, ...words]: readonly [string, ...string[]],
  stdout: "inherit" | "pipe" | 2,
  { environment, directory }: { readonly environment: Environment; readonly directory?: string | undefined },
): Promise<ProgramResult> {
  const child = spawn(file, words, { stdio: ["inherit", stdout, "inherit"], env: environment, cwd: directory });
  const chunks: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  // Ctrl-C reaches the program by itself, and this process waits until it is done: cdktf gives back its lock.
  const listeners = {
    SIGINT: () => undefined,
    SIGTERM: () => child.kill("SIGTERM"),
    SIGHUP: () => child.kill("SIGHUP"),
  };
  for (const [signal, listener] of Object.entries(listeners)) process.on(signal, listener);
  return new Promise<ProgramResult>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      const output = Buffer.concat(chunks).toString("utf8");
      resolve({ code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]), output });
    });
  }).finally(() => {
    for (const [signal, listener] of Object.entries(listeners)) process.off(signal, listener);
  });
}

/** Opens an address in the browser that the person has chosen on this machine, from within WSL too. */
export async function openInBrowser(address: string): Promise<void> {
  // The package is an ES module.
  const { default: open } = await import("open");
  await open(address);
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
