import { spawn } from "node:child_process";
import { constants } from "node:os";
import { type Environment } from "../stacks/config";

/**
 * Runs a program with this Node, at this terminal.
 * @param words the program's file, and its arguments
 * @returns its exit code; where a signal ended it, 128 and the number of the signal, as a shell has it.
 */
export function runNode(words: readonly string[], environment: Environment): Promise<number> {
  const child = spawn(process.execPath, words, { stdio: "inherit", env: environment });
  // Ctrl-C reaches the program by itself, and this process waits until it is done: cdktf gives back its lock.
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
