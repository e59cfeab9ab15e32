import { rmSync } from "node:fs";
import { join } from "node:path";
import { ConfigurationError, readConfig } from "../../stacks/config";
import { type Manifest, writeArtifact } from "./artifact";
import { type Environment, run } from "./program";
import { Refusal } from "./refusal";
import { readSource } from "./source";
import { type Plan, realChanges, Terraform } from "./terraform";
import { withVariables } from "./variables";

interface PlannedStack {
  readonly stage: string;
  readonly stack: string;
  /** The output folder of the stack, with the plan in it. */
  readonly folder: string;
  readonly terraform: Terraform;
  /** The environment that the stage was synthesized in. */
  readonly environment: Environment;
}

/**
 * Synthesizes the stage that the environment names, as `cdktf synth` does, and gets Terraform ready in its folder.
 * @param source a checkout with its dependencies.
 * @throws Refusal if the stage can't be planned here.
 */
export async function synthesize(source: string, environment: Environment): Promise<PlannedStack> {
  const { stage, backend } = configOf(environment);
  if (backend.kind !== "s3") {
    throw new Refusal(
      `BACKEND="${backend.kind}" keeps the state where another job can't apply a kept plan: use BACKEND=s3, or let Terraform Cloud review and apply (docs/deploy.md).`,
    );
  }
  const output = join(source, "cdktf.out");
  // Without this, the folder could hold a file of an earlier synth.
  rmSync(output, { recursive: true, force: true });
  await run([process.execPath, "--import", "tsx", "main.ts"], {
    directory: source,
    environment: { ...environment, CDKTF_OUTDIR: output },
  });
  const stack = `notification-${stage}`;
  const folder = join(output, "stacks", stack);
  const terraform = new Terraform(folder, environment);
  await terraform.init("written");
  await terraform.validate();
  return { stage, stack, folder, terraform, environment };
}

function configOf(environment: Environment): ReturnType<typeof readConfig> {
  try {
    return readConfig(environment);
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause;
    const { STAGE: stage = "" } = environment;
    throw new Refusal(
      `${cause.message}\nIn a workflow, they are variables of the GitHub environment "${stage}-plan" (docs/ci.md).`,
      { cause },
    );
  }
}

/**
 * Plans a stage, and writes the folder that a later job applies.
 * @param source a checkout with its dependencies.
 * @param artifact the folder to write.
 * @throws Refusal if the stage can't be planned here.
 */
export async function makePlan(source: string, artifact: string, ofJob: Environment): Promise<Manifest["changes"]> {
  const { environment, settings } = withVariables(ofJob);
  const { commit, tree } = await readSource(source, environment);
  const { stage, stack, folder, terraform } = await synthesize(source, environment);
  // The state is asked for before the plan. If it moves in between, the plan is refused later; the other way round, a
  // plan for an older state could pass.
  const state = (await terraform.stateVersion()) ?? null;
  await terraform.plan();
  const changes = countChanges(await terraform.showJson());
  const summary = fenced(await terraform.showText());
  const manifest = { stage, stack, commit, tree, state, changes, settings };
  await writeArtifact(artifact, folder, { manifest, summary }, environment);
  return changes;
}

/** The same counts as in Terraform's own last line, with replacements by themselves. */
export function countChanges(plan: Plan): Manifest["changes"] {
  const count = (...wanted: string[]) =>
    realChanges(plan).filter(({ change: { actions } }) => [...actions].sort().join() === wanted.sort().join()).length;
  return {
    add: count("create"),
    change: count("update"),
    replace: count("create", "delete"),
    destroy: count("delete"),
  };
}

/** As code in a comment. The fence is longer than any in the text, so that a template's text can't end it. */
export function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}
