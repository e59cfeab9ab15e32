import { spawn } from "node:child_process";
import { join } from "node:path";

export interface CommandResult {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** A command of `operations/` against a sandbox, as a process. */
export class OperationsCommand {
  readonly ended: Promise<CommandResult>;
  private readonly child;

  constructor(name: "dead-letters" | "doctor", port: number, words: readonly string[] = []) {
    const file = join(__dirname, "..", "..", "operations", `${name}.ts`);
    this.child = spawn(process.execPath, ["--import", "tsx", file, "--sandbox", ...words], {
      env: { ...process.env, SANDBOX_PORT: String(port), NODE_NO_WARNINGS: "1" },
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

  interrupt(): void {
    this.child.kill("SIGINT");
  }
}
