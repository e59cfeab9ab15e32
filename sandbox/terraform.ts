import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installArchiveStandIn } from "./archive-provider/install";
import { platform, type Tools } from "./tools";

/** What AWS clients need to talk to the sandbox instead of AWS. The synthesized JSON stays the one that AWS gets. */
export function sandboxEnvironment(endpoint: string, region: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: "true",
    // The provider would retry an error of the emulator for minutes.
    AWS_MAX_ATTEMPTS: "2",
  };
}

/** Terraform's environment on this machine: where its providers come from, and nothing of the user's AWS settings. */
export function terraformEnvironment(tools: Tools, workDirectory: string): Record<string, string> {
  const mirrors = new Map<string, string>();
  if (tools.awsProvider) mirrors.set("hashicorp/aws", tools.awsProvider.value.folder);
  let standIn = false;
  if (tools.archiveProvider) {
    mirrors.set("hashicorp/archive", tools.archiveProvider.value.folder);
  } else if (tools.awsProvider && !canInstallArchive(tools, workDirectory)) {
    const mirror = join(workDirectory, "archive-mirror");
    installArchiveStandIn(mirror, tools.awsProvider.value.host, platform());
    mirrors.set("hashicorp/archive", mirror);
    standIn = true;
  }
  const config = join(workDirectory, "terraform.rc");
  writeFileSync(config, cliConfiguration(mirrors));
  return {
    PATH: process.env.PATH ?? "",
    HOME: process.env.HOME ?? workDirectory,
    TF_CLI_CONFIG_FILE: config,
    CHECKPOINT_DISABLE: "1",
    TF_IN_AUTOMATION: "1",
    TF_INPUT: "0",
    // The stand-in speaks without TLS, on this machine only.
    ...(standIn ? { TF_DISABLE_PLUGIN_TLS: "1" } : {}),
  };
}

function cliConfiguration(mirrors: ReadonlyMap<string, string>): string {
  const blocks = [...mirrors].map(
    ([provider, folder]) =>
      `  filesystem_mirror {\n    path    = ${JSON.stringify(folder)}\n    include = [${JSON.stringify(provider)}]\n  }\n`,
  );
  return `provider_installation {\n${blocks.join("")}  direct {\n    exclude = ${JSON.stringify([...mirrors.keys()])}\n  }\n}\n`;
}

/** Asks Terraform itself: whether its registry can be reached is for it to find out. */
function canInstallArchive(tools: Tools, workDirectory: string): boolean {
  const folder = mkdtempSync(join(workDirectory, "probe-"));
  const config = join(folder, "terraform.rc");
  writeFileSync(config, cliConfiguration(new Map()));
  writeFileSync(
    join(folder, "main.tf"),
    'terraform {\n  required_providers {\n    archive = {\n      source = "hashicorp/archive"\n    }\n  }\n}\n',
  );
  const run = spawnSync(tools.terraform.value, ["init", "-backend=false"], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TF_CLI_CONFIG_FILE: config, CHECKPOINT_DISABLE: "1" },
    timeout: 30_000,
  });
  return run.status === 0;
}

export class TerraformError extends Error {
  override readonly name = "TerraformError";
}

export interface TerraformOptions {
  readonly binary: string;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Interrupts what runs, so that Terraform can save its state and give back its lock. */
  readonly signal?: AbortSignal;
}

/** Runs Terraform in the folder of one stack. */
export class Terraform {
  constructor(private readonly options: TerraformOptions) {
    mkdirSync(options.directory, { recursive: true });
  }

  async init(): Promise<void> {
    await this.run(["init", "-no-color"]);
  }

  async apply(onLine: (line: string) => void = () => undefined): Promise<void> {
    await this.run(["apply", "-auto-approve", "-no-color"], { onLine });
  }

  async destroy(onLine: (line: string) => void = () => undefined): Promise<void> {
    // Once asked for, it goes through: an interrupt of the start must not leave half of the stack.
    await this.run(["destroy", "-auto-approve", "-no-color"], { onLine, interruptible: false });
  }

  /** @returns the plan's text where it would change something. */
  async findChanges(): Promise<string | undefined> {
    const { code, output } = await this.run(["plan", "-detailed-exitcode", "-no-color", "-lock=false"], {
      accept: [0, 2],
    });
    return code === 2 ? output : undefined;
  }

  async outputs(): Promise<Record<string, unknown>> {
    const { output } = await this.run(["output", "-json"]);
    const parsed = JSON.parse(output) as Record<string, { value: unknown }>;
    return Object.fromEntries(Object.entries(parsed).map(([name, { value }]) => [name, value]));
  }

  private run(
    words: readonly string[],
    settings: { onLine?: (line: string) => void; accept?: readonly number[]; interruptible?: boolean } = {},
  ): Promise<{ code: number; output: string }> {
    const { onLine = () => undefined, accept = [0], interruptible = true } = settings;
    const { binary, directory, environment, signal } = this.options;
    return new Promise((resolve, reject) => {
      if (interruptible && signal?.aborted) {
        reject(new TerraformError(`terraform ${words[0] ?? ""} was not started: the sandbox is stopping.`));
        return;
      }
      // A group of its own: Ctrl-C reaches the sandbox alone, which then stops things in order.
      const child = spawn(binary, words, { cwd: directory, env: { ...environment }, detached: true });
      const interrupt = () => child.kill("SIGINT");
      if (interruptible) signal?.addEventListener("abort", interrupt, { once: true });
      let output = "";
      const take = (chunk: Buffer) => {
        const text = chunk.toString();
        output += text;
        for (const line of text.split("\n")) if (line.trim() !== "") onLine(line.trim());
      };
      child.stdout.on("data", take);
      child.stderr.on("data", take);
      child.once("error", reject);
      child.once("close", (code) => {
        signal?.removeEventListener("abort", interrupt);
        if (code !== null && accept.includes(code)) resolve({ code, output });
        else
          reject(
            new TerraformError(`terraform ${words.join(" ")} ended with ${code ?? "a signal"}.\n${errorsOf(output)}`),
          );
      });
    });
  }
}

/** Terraform's own error blocks; the end of its output where it has none. */
function errorsOf(output: string): string {
  const start = output.search(/^(╷|Error:)/m);
  return start === -1 ? output.split("\n").slice(-20).join("\n") : output.slice(start);
}
