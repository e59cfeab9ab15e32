import { devNull } from "node:os";
import { createInterface } from "node:readline";
import { inheritedBy } from "./child-environment";
import { type Child, startChild } from "aws-emulator/processes";
import { resolveProviders, type Tools } from "./tools";

/**
 * The variables with which AWS clients, Terraform among them, talk to the sandbox. So the synthesized JSON is the same
 * as for AWS.
 */
export function sandboxEnvironment(endpoint: string, region: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: "true",
    // The AWS CLI and the SDKs read this variable. The AWS provider (5.100.0) does not, because it has a setting of its
    // own, `max_retries`.
    AWS_MAX_ATTEMPTS: "2",
    // The user's profiles are not read, because they may ask for FIPS endpoints or for a role.
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
  };
}

/**
 * Terraform's environment: that of the user without its AWS and Terraform settings, and the sources of the providers.
 */
export function terraformEnvironment(tools: Omit<Tools, "moto">, workDirectory: string): Record<string, string> {
  const { environment } = resolveProviders({
    terraform: tools.terraform.value,
    awsMirror: tools.awsProvider,
    archiveMirror: tools.archiveProvider,
    workDirectory,
  });
  return baseEnvironment(environment);
}

/** @param providers the variables that `resolveProviders` returns. */
export function baseEnvironment(
  providers: Readonly<Record<string, string>>,
  ofUser: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  return {
    ...inheritedBy("terraform", ofUser),
    ...providers,
    CHECKPOINT_DISABLE: "1",
    TF_IN_AUTOMATION: "1",
    TF_INPUT: "0",
  };
}

export class TerraformError extends Error {
  override readonly name = "TerraformError";

  constructor(
    /** For example `terraform apply -auto-approve`. */
    readonly command: string,
    /** `null` where a signal ended the command, or where it did not start. */
    readonly exitCode: number | null,
    /** Terraform's own error messages, or the end of its output where there are none. */
    readonly detail: string,
    ending = exitCode === null ? "was ended by a signal" : `failed with exit code ${exitCode}`,
    options?: ErrorOptions,
  ) {
    super(detail === "" ? `${command} ${ending}.` : `${command} ${ending}:\n${detail}`, options);
  }
}

export type LineListener = (line: string) => void;

export interface TerraformOptions {
  readonly binary: string;
  /** The folder of the stack. */
  readonly directory: string;
  /** The whole environment of Terraform's process. It inherits nothing else. */
  readonly environment: Readonly<Record<string, string>>;
  /** Interrupts the running command, so that Terraform can save its state and release its lock. */
  readonly signal?: AbortSignal;
  /**
   * Runs before Terraform is interrupted. An interrupted provider gives up the calls that are under way; what AWS has
   * made by such a call is in no state, and `destroy` does not find it.
   */
  readonly beforeInterrupt?: (() => Promise<void>) | undefined;
  /**
   * How long an interrupted Terraform may take before it is killed, in milliseconds.
   * @default 120_000, because Terraform finishes the calls that it has begun, and the provider itself may wait for up
   * to a minute
   */
  readonly patienceMs?: number;
}

export interface Plan {
  readonly changes: boolean;
  readonly text: string;
}

interface RunSettings {
  readonly onLine?: LineListener | undefined;
  readonly accept?: readonly number[];
  readonly interruptible?: boolean;
}

interface Output {
  readonly code: number;
  /** Terraform's standard output. */
  readonly text: string;
}

/** Runs Terraform in the folder of one stack. */
export class Terraform {
  constructor(private readonly options: TerraformOptions) {}

  async init(onLine?: LineListener): Promise<void> {
    await this.run(["init", "-no-color"], { onLine });
  }

  async validate(): Promise<void> {
    await this.run(["validate", "-no-color"]);
  }

  /** @param settings.planFile a file that keeps the plan, for `show` or for an apply in another process. */
  async plan(settings: { readonly planFile?: string; readonly onLine?: LineListener } = {}): Promise<Plan> {
    const keep = settings.planFile === undefined ? [] : [`-out=${settings.planFile}`];
    const { code, text } = await this.run(["plan", "-no-color", "-detailed-exitcode", ...keep], {
      onLine: settings.onLine,
      accept: [0, 2],
    });
    return { changes: code === 2, text };
  }

  /** @returns the plan's text where the plan would change something; otherwise `undefined`. */
  async findChanges(): Promise<string | undefined> {
    const { changes, text } = await this.plan();
    return changes ? text : undefined;
  }

  /** @param settings.planFile a plan that `plan` has kept. Only this plan is applied. */
  async apply(settings: { readonly planFile?: string; readonly onLine?: LineListener } = {}): Promise<void> {
    const { planFile, onLine } = settings;
    await this.run(["apply", "-no-color", ...(planFile === undefined ? ["-auto-approve"] : [planFile])], { onLine });
  }

  /**
   * Destroys the stack. The signal does not interrupt it, because it often runs after an interrupt, and half of it
   * would leave resources behind.
   */
  async destroy(onLine?: LineListener): Promise<void> {
    await this.run(["destroy", "-no-color", "-auto-approve"], { onLine, interruptible: false });
  }

  /** The stack's outputs by name. */
  async outputs(): Promise<Record<string, unknown>> {
    const { text } = await this.run(["output", "-json"]);
    const parsed = JSON.parse(text) as Record<string, { value: unknown }>;
    return Object.fromEntries(Object.entries(parsed).map(([name, { value }]) => [name, value]));
  }

  /** Reads a kept plan in Terraform's JSON form. */
  async show(planFile: string): Promise<unknown> {
    return JSON.parse((await this.run(["show", "-json", planFile])).text);
  }

  /** The addresses of all resources in the state; an empty list before the first apply. */
  async stateList(): Promise<string[]> {
    try {
      const { text } = await this.run(["state", "list"]);
      return text.split("\n").filter((line) => line !== "");
    } catch (error) {
      if (error instanceof TerraformError && error.detail.includes("No state file was found")) return [];
      throw error;
    }
  }

  private async run(words: readonly string[], settings: RunSettings = {}): Promise<Output> {
    const { onLine = () => undefined, accept = [0], interruptible = true } = settings;
    const { binary, directory, environment, beforeInterrupt, patienceMs = 120_000 } = this.options;
    const command = ["terraform", ...words.filter((word) => word !== "-no-color")].join(" ");
    const signal = interruptible ? this.options.signal : undefined;
    if (signal?.aborted) throw new TerraformError(command, null, "", "was not started: the sandbox is stopping");

    const child = startChild([binary, ...words], { directory, environment, stdio: ["ignore", "pipe", "pipe"] });
    const text = collect(child.process.stdout, onLine);
    const errors = collect(child.process.stderr, onLine);
    const stopListening = interruptOn(signal, child, { beforeInterrupt, patienceMs });
    const { code, error } = await child.ended;
    stopListening();
    if (error !== undefined) {
      throw new TerraformError(command, null, error.message, `could not be started (${binary} in ${directory})`, {
        cause: error,
      });
    }
    if (code !== null && accept.includes(code)) return { code, text: text() };
    // Terraform prints a page on "execution halted", which says no more than this sentence.
    if (signal?.aborted) throw new TerraformError(command, code, "", "was interrupted");
    throw new TerraformError(command, code, errorsOf(errors(), text()));
  }
}

/** Collects a stream's text and passes on its lines one by one, however the stream is cut into chunks. */
function collect(stream: NodeJS.ReadableStream | null, onLine: LineListener): () => string {
  const lines: string[] = [];
  if (stream !== null) {
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      if (line.trim() !== "") onLine(line.trim());
    });
  }
  return () => lines.join("\n");
}

/**
 * Interrupts Terraform alone and not its providers. Terraform needs them to finish what it has begun, and stops them
 * itself.
 */
function interruptOn(
  signal: AbortSignal | undefined,
  child: Child,
  { beforeInterrupt, patienceMs = 0 }: Pick<TerraformOptions, "beforeInterrupt" | "patienceMs">,
): () => void {
  let force: NodeJS.Timeout | undefined;
  const kill = () => {
    child.process.kill("SIGINT");
  };
  const interrupt = () => {
    force = setTimeout(() => {
      child.signal("SIGKILL");
    }, patienceMs);
    if (beforeInterrupt === undefined) kill();
    else beforeInterrupt().then(kill, kill);
  };
  signal?.addEventListener("abort", interrupt, { once: true });
  return () => {
    signal?.removeEventListener("abort", interrupt);
    clearTimeout(force);
  };
}

/** Terraform's own error messages without their frames, or the last lines of its output where there are none. */
export function errorsOf(errors: string, output: string): string {
  const bare = errors
    .split("\n")
    .filter((line) => !/^[╷╵]/.test(line))
    .map((line) => line.replace(/^│ ?/, ""))
    .join("\n");
  const start = bare.search(/^Error:/m);
  if (start !== -1)
    return bare
      .slice(start)
      .replace(/\n{3,}/g, "\n\n")
      .trim();
  return `${output}\n${bare}`.trim().split("\n").slice(-20).join("\n");
}

/** Counts the resources that an apply or a destroy has finished, from the lines that Terraform prints. */
export class Progress {
  private finished = 0;
  private planned: number | undefined;

  /** @returns whether the line changed the count. */
  take(line: string): boolean {
    const plan = /^Plan: (\d+) to add, (\d+) to change, (\d+) to destroy/.exec(line);
    if (plan) {
      this.planned = plan.slice(1).reduce((sum, count) => sum + Number(count), 0);
      return true;
    }
    if (!/: (?:Creation|Modifications|Destruction) complete after /.test(line)) return false;
    this.finished++;
    return true;
  }

  /** How many quarters of the planned changes are done, from 0 to 4; 0 before there is a plan. */
  get quarters(): number {
    return this.planned === undefined ? 0 : this.isThrough ? 4 : Math.floor((4 * this.finished) / this.planned);
  }

  get isThrough(): boolean {
    return this.finished === this.planned;
  }

  toString(): string {
    return this.planned === undefined ? `${this.finished} done` : `${this.finished} of ${this.planned} done`;
  }
}
