import { spawn } from "node:child_process";
import { run } from "../../operations/cli";
import { type Io } from "../../operations/command";
import { projectRoot } from "./sandbox";

export interface CommandResult {
  /** The exit code; `null` where a signal ended the command. */
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of a command for the sandbox on this port. */
export const sandboxOn = (port: number): Environment => ({ SANDBOX_PORT: String(port) });

const refuse = () => Promise.reject(new Error("Nothing is to be started or asked."));

/** Runs a command of `operations/` in this process. Its AWS clients still read the variables of this process. */
export async function runOperation(
  words: readonly string[],
  environment: Environment = {},
  {
    isTerminal = false,
    onInterrupt = () => undefined,
    runNode = refuse,
    runProgram = refuse,
    ask = refuse,
    openInBrowser = refuse,
  }: Partial<Io> = {},
): Promise<CommandResult> {
  let output = "";
  let errors = "";
  const code = await run(words, {
    stdout: { write: (text) => (output += text) },
    stderr: { write: (text) => (errors += text) },
    environment,
    onInterrupt,
    isTerminal,
    runNode,
    runProgram,
    ask,
    openInBrowser,
  });
  return { code, output, errors };
}

/** A command of `operations/` that runs as a process of its own, as a person runs it. */
export class OperationsProcess {
  readonly ended: Promise<CommandResult>;
  readonly child;

  constructor(words: readonly string[], environment: Environment = {}) {
    this.child = spawn(process.execPath, ["--import", "tsx", "operations/cli.ts", ...words], {
      cwd: projectRoot,
      env: { PATH: process.env.PATH, ...environment },
    });
    let output = "";
    let errors = "";
    this.child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    this.child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    this.ended = new Promise((resolve) => {
      this.child.once("close", (code) => {
        resolve({ code, output, errors });
      });
    });
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  kill(signal: "SIGINT" | "SIGKILL"): void {
    this.child.kill(signal);
  }
}
