import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startChild } from "aws-emulator/processes";
import { text } from "node:stream/consumers";

export interface Ran {
  readonly code: number;
  readonly log: string;
}

export interface WorkerOptions {
  /** The absolute path of Terraform. */
  readonly terraform: string;
  /** Gets an empty folder for each phase of each run. */
  readonly workDirectory: string;
  /** The workspace's variables of the category `env`, and what the worker itself sets. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * What works on the runs: each phase in an empty folder. The phase `plan` unpacks the uploaded configuration and nothing
 * else. HashiCorp's agent then persists the folder, and restores it for the phase `apply`; it logs "Persisting filesystem
 * to remote storage" and "Restoring filesystem from remote storage". So does this worker.
 */
export class Worker {
  constructor(private readonly options: WorkerOptions) {}

  /** @param configuration a tar.gz. @returns the persisted folder, too. */
  async plan(run: string, configuration: Buffer): Promise<Ran & { readonly persisted: Buffer }> {
    const folder = await this.unpack(`${run}-plan`, configuration);
    const init = await this.terraform(folder, ["init", "-no-color"], run);
    const plan =
      init.code === 0
        ? await this.terraform(folder, ["plan", "-no-color", "-detailed-exitcode", "-out=terraform.tfplan"], run)
        : init;
    // The providers are not persisted: the log of the phase `apply` has an init of its own.
    const persisted = await tar(["--exclude=.terraform", "-czf", "-", "-C", folder, "."]);
    return { code: plan.code, log: init === plan ? init.log : init.log + plan.log, persisted };
  }

  async apply(run: string, persisted: Buffer): Promise<Ran> {
    const folder = await this.unpack(`${run}-apply`, persisted);
    const init = await this.terraform(folder, ["init", "-no-color"], run);
    if (init.code !== 0) return init;
    return this.terraform(folder, ["apply", "-no-color", "terraform.tfplan"], run);
  }

  private async unpack(name: string, archive: Buffer): Promise<string> {
    const folder = join(this.options.workDirectory, name);
    mkdirSync(folder);
    const file = `${folder}.tar.gz`;
    writeFileSync(file, archive);
    await tar(["-xzf", file, "-C", folder]);
    return folder;
  }

  private async terraform(directory: string, words: readonly string[], run: string): Promise<Ran> {
    const { terraform, environment } = this.options;
    const child = startChild([terraform, ...words], {
      directory,
      // With the first variable, the `cloud` block only stands for the state: the run is here (`Configure` in
      // hashicorp/terraform, internal/cloud/backend.go). The second one goes along with each stored state.
      environment: { ...environment, TF_FORCE_LOCAL_BACKEND: "1", TFE_RUN_ID: run },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { stdout, stderr } = child.process;
    if (stdout === null || stderr === null) throw new Error("Terraform has no output.");
    const [log, errors, { code }] = await Promise.all([text(stdout), text(stderr), child.ended]);
    return { code: code ?? 1, log: log + errors };
  }
}

function tar(words: readonly string[]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    execFile("tar", words, { encoding: "buffer", maxBuffer: 2 ** 28 }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`tar ${words.join(" ")} failed`, { cause: error }));
    });
  });
}
