import { spawn } from "node:child_process";
import { inheritedBy } from "./child-environment";

/**
 * Writes the sandbox stage's Terraform JSON to a folder. The synth runs in a process of its own, as in `cdktf synth`.
 */
export function synthesize(projectRoot: string, outdir: string, region: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", "main.ts"], {
      cwd: projectRoot,
      env: { ...inheritedBy("any"), STAGE: "sandbox", AWS_REGION: region, CDKTF_OUTDIR: outdir },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`The synth failed:\n${errors}`));
    });
  });
}
