import { synthesize } from "./plan";
import { type Environment } from "./program";
import { type Plan, realChanges } from "./terraform";
import { withVariables } from "./variables";

/**
 * Compares a stage with the checkout: what an apply would change.
 * @returns a report in Markdown; `undefined` where nothing differs.
 */
export async function findDrift(source: string, ofJob: Environment): Promise<string | undefined> {
  const { environment } = withVariables(ofJob);
  const { stage, terraform } = await synthesize(source, environment);
  await terraform.plan();
  return driftReport(stage, await terraform.showPlan());
}

/** @returns `undefined` where the plan changes nothing. */
export function driftReport(stage: string, plan: Plan): string | undefined {
  const changes = realChanges(plan).map(({ address, change }) => ({ address, actions: change.actions }));
  const outputs = Object.entries(plan.output_changes)
    .filter(([, { actions }]) => !actions.every((action) => action === "no-op"))
    .map(([name, { actions }]) => ({ address: `output ${name}`, actions }));
  if (changes.length + outputs.length === 0) return undefined;
  const changedOutside = new Set(plan.resource_drift.map(({ address }) => address));
  const isOutside = ({ address }: { readonly address: string }) => changedOutside.has(address);
  const section = (
    title: string,
    rows: readonly { readonly address: string; readonly actions: readonly string[] }[],
  ) =>
    rows.length === 0
      ? []
      : [`### ${title}`, rows.map(({ address, actions }) => `- \`${address}\`: ${inWords(actions)}`).join("\n")];
  return [
    `The stage \`${stage}\` is not what the default branch says.`,
    ...section("Changed outside Terraform", changes.filter(isOutside)),
    ...section("Not applied yet, or changed because of the above", [
      ...changes.filter((row) => !isOutside(row)),
      ...outputs,
    ]),
    "Where the change outside was meant, put it into the code. Otherwise make a plan and deploy it, which takes it back.",
  ].join("\n\n");
}

function inWords(actions: readonly string[]): string {
  const key = [...actions].sort().join();
  const words: Record<string, string> = {
    create: "is missing, and would be created",
    update: "differs, and would be changed",
    delete: "would be destroyed",
    "create,delete": "would be replaced",
    forget: "would be forgotten by the state",
  };
  return words[key] ?? `would be changed (${key})`;
}
