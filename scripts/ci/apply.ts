import { readManifest, unpackStack } from "./artifact";
import { checkPackages } from "./package-check";
import { type Environment, ProgramError } from "./program";
import { planAgain, Refusal } from "./refusal";
import { type Source } from "./source";
import { isStale, type StateVersion, Terraform } from "./terraform";

interface Application {
  /** The folder that the plan's job uploaded. */
  readonly artifact: string;
  /** A clean folder for the stack. */
  readonly into: string;
  readonly stage: string;
  /** The commit that is deployed. */
  readonly source: Source;
  readonly environment: Environment;
}

/**
 * Applies a plan that another job has made, and nothing else. Each check comes before the first change.
 * @throws Refusal if the commit or the state has moved on since the plan, or if the artifact is not as planned.
 */
export async function applyPlan({ artifact, into, stage, source, environment }: Application): Promise<void> {
  const manifest = readManifest(artifact, stage);
  if (manifest.tree !== source.tree) {
    throw new Refusal(
      `The commit has moved on: the plan was made of the files ${manifest.tree} (commit ${manifest.commit}), and the files ${source.tree} (commit ${source.commit}) are deployed. Nothing was changed: ${planAgain}.`,
    );
  }
  await unpackStack(artifact, into, environment);
  const terraform = new Terraform(into, environment);
  await terraform.init("readonly");
  refuseOtherState(manifest.state ?? undefined, await terraform.stateVersion());
  checkPackages(await terraform.showPlan(), into);
  await terraform.apply().catch((cause: unknown) => {
    if (isStale(cause)) {
      throw new Refusal(`The state has moved on while this job began. Nothing was changed: ${planAgain}.`, { cause });
    }
    if (!(cause instanceof ProgramError)) throw cause;
    throw new Error(
      `The apply failed midway. The state holds what was done, so this plan can't be applied a second time. Mend the cause above, and ${planAgain}.`,
      { cause },
    );
  });
}

function refuseOtherState(planned: StateVersion | undefined, found: StateVersion | undefined): void {
  if (planned?.lineage === found?.lineage && planned?.serial === found?.serial) return;
  const describe = (state: StateVersion | undefined) =>
    state === undefined ? "no state" : `serial ${state.serial} of ${state.lineage}`;
  throw new Refusal(
    `The state has moved on: the plan was made for ${describe(planned)}, and now there is ${describe(found)}. Somebody has applied or changed the stage since then. Nothing was changed: ${planAgain}.`,
  );
}
