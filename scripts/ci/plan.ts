import { rmSync } from "node:fs";
import { join } from "node:path";
import { ConfigurationError, readConfig } from "../../stacks/config";
import { writeMailPages } from "../../operations/plan/mail-pages";
import { summarize } from "../../operations/plan/summary";
import { readPlan } from "../../operations/plan/terraform-json";
import { writeArtifact } from "./artifact";
import { type Environment, run } from "./program";
import { Refusal } from "./refusal";
import { readSource } from "./source";
import { Terraform } from "./terraform";
import { withVariables } from "./variables";

/** GitHub takes a mebibyte as the summary of a step. */
const mostCharacters = 500_000;

/** Where the artifact has the pages of the mails. */
const mailsFolder = "mails";

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
export async function makePlan(source: string, artifact: string, ofJob: Environment): Promise<void> {
  const { environment, settings } = withVariables(ofJob);
  const { commit, tree } = await readSource(source, environment);
  const { stage, stack, folder, terraform } = await synthesize(source, environment);
  // The state is asked for before the plan. If it moves in between, the plan is refused later; the other way round, a
  // plan for an older state could pass.
  const state = (await terraform.stateVersion()) ?? null;
  await terraform.plan();
  const plan = readPlan(await terraform.showJson());
  // There may be pages of an earlier plan, where a person plans again into the same folder.
  rmSync(join(artifact, mailsFolder), { recursive: true, force: true });
  writeMailPages(join(artifact, mailsFolder), plan);
  const pagesIn = `the folder ${mailsFolder} of the run's artifact plan-${stage}`;
  const summary = summarize(plan, { limit: mostCharacters, pagesIn });
  const manifest = { stage, stack, commit, tree, state, settings };
  await writeArtifact(artifact, folder, { manifest, summary }, environment);
}
