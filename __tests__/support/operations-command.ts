import { spawn } from "node:child_process";
import { join } from "node:path";

export interface CommandResult {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** A command of `operations/` as a process. */
export class OperationsCommand {
  readonly ended: Promise<CommandResult>;
  private readonly child;

  /** @param where the sandbox's port, or all that the environment says, of a stage on AWS. */
  constructor(
    name: "dead-letters" | "doctor" | "send",
    where: number | Readonly<Record<string, string>>,
    words: readonly string[] = [],
  ) {
    const file = join(__dirname, "..", "..", "operations", "commands", `${name}.ts`);
    const [option, environment] =
      typeof where === "number"
        ? [["--sandbox"], { ...process.env, SANDBOX_PORT: String(where) }]
        : [[], { PATH: process.env.PATH, ...where }];
    this.child = spawn(process.execPath, ["--import", "tsx", file, ...option, ...words], {
      env: { ...environment, NODE_NO_WARNINGS: "1" },
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
