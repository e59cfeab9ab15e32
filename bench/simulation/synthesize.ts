import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withTerraform } from "../../sandbox/synthesize";
import { exampleEnvironment } from "../../stacks/example-environment";
import { type Stage, stages } from "../../stacks/stages";

const projectRoot = join(__dirname, "..", "..");

/**
 * Synthesizes a stage with `main.ts` in a temporary folder.
 * @param terraform an absolute path: cdktf asks Terraform for its version.
 * @returns the content of the stack's `cdk.tf.json`.
 */
export function synthesize(stage: Stage, terraform: string): unknown {
  const folder = mkdtempSync(join(tmpdir(), "event-driven-email-simulation-"));
  try {
    execFileSync(process.execPath, ["--import", "tsx", "main.ts"], {
      cwd: projectRoot,
      env: withTerraform(terraform, {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        ...exampleEnvironment(stage, stages[stage]),
        PROJECT_NAME: "simulation",
        CDKTF_OUTDIR: folder,
      }),
      stdio: ["ignore", "ignore", "inherit"],
    });
    return JSON.parse(readFileSync(join(folder, "stacks", `notification-${stage}`, "cdk.tf.json"), "utf8")) as unknown;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
