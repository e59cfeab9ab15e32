import { spawn } from "node:child_process";
import { Refusal } from "./refusal";

/** Environment of a program that a step runs. */
export type Environment = Readonly<Record<string, string | undefined>>;

interface RunOptions {
  readonly directory: string;
  readonly environment: Environment;
  /** Exit codes that are no failure. @default [0] */
  readonly accept?: readonly number[];
  /** Where true, what the program prints is returned and not shown. */
  readonly quiet?: boolean;
}

interface Ran {
  readonly code: number;
  /** Standard output; empty where it was shown. */
  readonly text: string;
}

/** A program that a step ran has failed. What it printed is in the job's log. */
export class ProgramError extends Error {
  override readonly name = "ProgramError";

  constructor(
    command: string,
    readonly code: number | null,
    /** What it printed on standard error. */
    readonly errors: string,
  ) {
    super(`${command} ${code === null ? "was ended by a signal" : `failed with exit code ${code}`}.`);
  }
}

/**
 * Runs a program, and shows what it prints in the job's log, on standard error. A signal to this process is left to the
 * program, which gets it too: Terraform then finishes what it has begun and gives back its lock.
 * @throws ProgramError if it fails.
 * @throws Refusal if it can't be started.
 */
export async function run(command: readonly [string, ...string[]], options: RunOptions): Promise<Ran> {
  const [file, ...words] = command;
  const { directory, environment, accept = [0], quiet = false } = options;
  const child = spawn(file, words, {
    cwd: directory,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  // A character of several bytes may be cut between two chunks.
  child.stdout.setEncoding("utf8");
  child.stderr.setEncoding("utf8");
  let text = "";
  let errors = "";
  child.stdout.on("data", (chunk: string) => {
    if (quiet) text += chunk;
    else process.stderr.write(chunk);
  });
  child.stderr.on("data", (chunk: string) => {
    errors += chunk;
    process.stderr.write(chunk);
  });
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, pass);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", (cause) => {
        reject(
          new Refusal(`${file} could not be started (${cause.message}): install it, and put it on the PATH.`, {
            cause,
          }),
        );
      });
      child.once("close", resolve);
    });
    if (code === null || !accept.includes(code)) throw new ProgramError(command.join(" "), code, errors);
    return { code, text };
  } finally {
    for (const signal of signals) process.off(signal, pass);
  }
}
