import { stages, type Stage } from "../../stacks/stages";
import { Refusal } from "./refusal";

/** The stages that a workflow may deploy, in the order in which it does. The sandbox has no account, so it is none. */
export const deployableStages: readonly Stage[] = (Object.keys(stages) as Stage[]).filter(
  (stage) => stage !== "sandbox",
);

const whereStagesAre =
  "CI_STAGES is a variable of the repository: on GitHub, Settings, Secrets and variables, Actions, Variables (https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/use-variables; docs/ci.md).";

/**
 * The stages that the workflows plan, apply and watch.
 * @param chosen the repository's variable `CI_STAGES`: names with blanks or commas between them. Without it there are
 * none, so that a repository that is not set up yet has no failing jobs.
 * @returns names in the order of `stacks/stages.ts`, whatever the order of `chosen` is.
 * @throws Refusal if a name is not a deployable stage.
 */
export function selectStages(chosen: string | undefined): Stage[] {
  const names = (chosen ?? "").split(/[\s,]+/).filter((name) => name !== "");
  const unknown = names.filter((name) => !(deployableStages as readonly string[]).includes(name));
  if (unknown.length > 0) {
    throw new Refusal(
      `CI_STAGES has ${unknown.map((name) => `"${name}"`).join(", ")}: name stages of stacks/stages.ts that can be deployed (${deployableStages.join(", ")}). ${whereStagesAre}`,
    );
  }
  return deployableStages.filter((stage) => names.includes(stage));
}
