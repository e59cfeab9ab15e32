import { z } from "zod";
import { type Environment, ProgramError, run } from "./program";

/** The version of a state: Terraform counts the serial up with each change, and a new state has a new lineage. */
export interface StateVersion {
  readonly lineage: string;
  readonly serial: number;
}

/** The parts of `terraform show -json <plan>` that the steps read. */
const planSchema = z.object({
  terraform_version: z.string(),
  resource_changes: z
    .array(
      z.object({
        address: z.string(),
        mode: z.string(),
        type: z.string(),
        change: z.object({
          actions: z.array(z.string()),
          after: z.record(z.string(), z.unknown()).nullish(),
        }),
      }),
    )
    .default([]),
  resource_drift: z
    .array(z.object({ address: z.string(), change: z.object({ actions: z.array(z.string()) }) }))
    .default([]),
  output_changes: z.record(z.string(), z.object({ actions: z.array(z.string()) })).default({}),
});
export type Plan = z.infer<typeof planSchema>;

const stateSchema = z.object({ lineage: z.string(), serial: z.number() });

/** How long Terraform waits for the lock of the state, which another run may hold. */
const lockPatience = "-lock-timeout=10m";

/** The name of a kept plan in the stack's folder. */
const planFile = "plan.tfplan";

/** Terraform in the folder of one stack. What it prints goes to the job's log. */
export class Terraform {
  constructor(
    private readonly directory: string,
    private readonly environment: Environment,
  ) {}

  /** @param lockFile `readonly` demands the very providers that the lock file names. */
  async init(lockFile: "readonly" | "written"): Promise<void> {
    await this.run(["init", "-no-color", ...(lockFile === "readonly" ? ["-lockfile=readonly"] : [])]);
  }

  async validate(): Promise<void> {
    await this.run(["validate", "-no-color"]);
  }

  /** Keeps the plan in the stack's folder. */
  async plan(): Promise<void> {
    await this.run(["plan", "-no-color", lockPatience, `-out=${planFile}`]);
  }

  async apply(): Promise<void> {
    await this.run(["apply", "-no-color", lockPatience, planFile]);
  }

  /** The kept plan as JSON. It has sensitive values in the clear, so it is never written to a file. */
  showJson(): Promise<string> {
    return this.read(["show", "-json", planFile]);
  }

  async showPlan(): Promise<Plan> {
    return planSchema.parse(JSON.parse(await this.showJson()));
  }

  /** @returns `undefined` where there is no state yet. */
  async stateVersion(): Promise<StateVersion | undefined> {
    const text = (await this.read(["state", "pull"])).trim();
    if (text === "") return undefined;
    const { lineage, serial } = stateSchema.parse(JSON.parse(text));
    return lineage === "" ? undefined : { lineage, serial };
  }

  private async read(words: readonly string[]): Promise<string> {
    return (await this.run(words, true)).text;
  }

  private run(words: readonly string[], quiet = false): ReturnType<typeof run> {
    return run([this.environment.TERRAFORM_BINARY_NAME ?? "terraform", ...words], {
      directory: this.directory,
      environment: { ...this.environment, TF_IN_AUTOMATION: "1", TF_INPUT: "0" },
      quiet,
    });
  }
}

/** Whether Terraform itself found, with the state locked, that the state has moved on since the plan. */
export function isStale(error: unknown): boolean {
  return (
    error instanceof ProgramError &&
    (error.errors.includes("Saved plan is stale") || error.errors.includes("Saved plan does not match the given state"))
  );
}

/** Changes of a plan that change something. */
export const realChanges = (plan: Plan): Plan["resource_changes"] =>
  plan.resource_changes.filter(
    ({ mode, change }) =>
      mode === "managed" && !change.actions.every((action) => action === "no-op" || action === "read"),
  );
