import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { until } from "aws-emulator/testing/until";

export const projectRoot = join(__dirname, "..", "..");

/** How long a step of the real system may take, in milliseconds. */
export const patienceMs = 600_000;

/**
 * Only the variables that a program needs to start and to find its tools (sandbox/tools). A test must not depend on the
 * other variables of the shell that it runs in.
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

  /** Closes the pipes as a closed terminal does. What the program prints from now on fails. */
  hangUp(): void {
    this.child.stdout?.destroy();
    this.child.stderr?.destroy();
    this.child.kill("SIGHUP");
  }

  /** @returns the exit code. */
  end(): Promise<number | null> {
    return this.ended;
  }

  /** Waits for a text in the output. Fails with the whole output if the process ends without it. */
  async prints(text: string): Promise<void> {
    const look = () => {
      if (this.output.includes(text)) return true;
      if (this.child.exitCode !== null) throw new Error(`It ended (${this.child.exitCode}):\n${this.output}`);
      return undefined;
    };
    await until(`"${text}" in the output`, look, patienceMs);
  }

  async get(path: string): Promise<unknown> {
    return (await fetch(`${this.url}/_sandbox/${path}`)).json();
  }
}
