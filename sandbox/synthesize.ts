import { spawn } from "node:child_process";
import { symlinkSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { type Environment } from "aws-emulator/processes";

interface SynthesizeOptions {
  /** An absolute path: cdktf asks it for its version. */
  readonly terraform: string;
  /** The process's whole environment but for Terraform: the stage, and where the JSON goes. */
  readonly environment: Environment;
}

/** Writes a stage's Terraform JSON. The synth runs in a process of its own, as in `cdktf synth`. */
export function synthesize(projectRoot: string, { terraform, environment }: SynthesizeOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", "main.ts"], {
      cwd: projectRoot,
      env: withTerraform(terraform, environment),
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

/**
 * The environment of a synth that finds this Terraform. cdktf asks for its version with a command line of a shell, which
 * a path with blanks would break; so cdktf gets the file's name alone, and PATH its folder.
 */
export function withTerraform(terraform: string, environment: Environment): Record<string, string | undefined> {
  const folders = [dirname(terraform), ...(environment.PATH ? [environment.PATH] : [])];
  return { ...environment, PATH: folders.join(delimiter), TERRAFORM_BINARY_NAME: basename(terraform) };
}

/**
 * A path of this Terraform for `TERRAFORM_BINARY_NAME` in a user's shell, which has a PATH of its own.
 * @param folder gets a link, where a shell would not take the path as one word.
 */
export function asOneWord(terraform: string, folder: string): string {
  if (/^[\w@%+=:,.\\/-]+$/.test(terraform)) return terraform;
  const link = join(folder, "terraform");
  symlinkSync(terraform, link);
  return link;
}
