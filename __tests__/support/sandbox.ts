import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";

export const projectRoot = join(__dirname, "..", "..");

/** Time that a step of the real system may take, in milliseconds: generous, for it is never what is tested. */
const patience = 240_000;

/**
 * Only what a program needs to be found, and to find its tools (sandbox/tools): a test must not depend on the rest of the
 * shell that it runs in.
 */
export const bareEnvironment: NodeJS.ProcessEnv = Object.fromEntries(
  ["PATH", "HOME", "TERRAFORM", "MOTO_SERVER", "TF_PROVIDER_MIRROR"]
    .filter((name) => process.env[name] !== undefined)
    .map((name) => [name, process.env[name]]),
);

/** `npm start` as a process. */
export class SandboxProcess {
  output = "";
  private readonly child: ChildProcess;
  private readonly ended: Promise<number | null>;

  constructor(
    readonly port: number,
    words: readonly string[] = [],
    environment: NodeJS.ProcessEnv = bareEnvironment,
  ) {
    this.child = spawn(process.execPath, ["--import", "tsx", "sandbox/start.ts", ...words], {
      cwd: projectRoot,
      env: { ...environment, SANDBOX_PORT: String(port) },
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    }
    this.ended = new Promise((resolve) => {
      this.child.once("close", resolve);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  interrupt(): void {
    this.child.kill("SIGINT");
  }

  /** @returns the exit code. */
  end(): Promise<number | null> {
    return this.ended;
  }

  /** Waits for a text in the output; fails with the whole output where the process ends without it. */
  async prints(text: string): Promise<void> {
    await until(`"${text}" in the output`, () => {
      if (this.output.includes(text)) return true;
      if (this.child.exitCode !== null) throw new Error(`It ended (${this.child.exitCode}):\n${this.output}`);
      return undefined;
    });
  }

  async get(path: string): Promise<unknown> {
    return (await fetch(`${this.url}/_sandbox/${path}`)).json();
  }
}

/** Asks until there is an answer. */
export async function until<Value>(
  what: string,
  ask: () => Value | undefined | Promise<Value | undefined>,
): Promise<Value> {
  const deadline = Date.now() + patience;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`There was no ${what} within ${patience / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === "object" && address !== null) resolve(address.port);
        else reject(new Error("There is no free port"));
      });
    });
  });
}
