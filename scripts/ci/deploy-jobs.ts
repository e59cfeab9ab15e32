import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

/** The workflow that has a job for each stage. Every other one takes its stages from `CI_STAGES`. */
const file = ".github/workflows/deploy.yml";

const jobsSchema = z.record(
  z.string(),
  z.object({
    needs: z.union([z.string(), z.array(z.string())]).default([]),
    if: z.string().default(""),
    with: z.record(z.string(), z.unknown()).default({}),
  }),
);

/**
 * Looks whether deploy.yml deploys the stages one behind the other. A stage without a job would be planned and never
 * deployed, and one whose job was copied may deploy the other stage, or not wait for its turn.
 * @param stages in the order of their deployment.
 * @returns what is wrong, as sentences with the fix. A job of a stage that is gone is no problem, because it never runs.
 */
export function deployJobProblems(stages: readonly string[], workflow: string): string[] {
  const { jobs } = z.object({ jobs: jobsSchema }).parse(parse(workflow));
  return stages.flatMap((stage, at) => {
    const before = stages.slice(0, at);
    const needs = `needs: [${["stages", ...before].join(", ")}]`;
    const job = jobs[stage];
    if (job === undefined) {
      const neighbour = stages[at - 1] ?? stages[at + 1] ?? "another stage";
      const others = stages.slice(at + 1);
      const behind = others.length === 0 ? "" : `, and add ${stage} to the needs of ${others.join(" and ")}`;
      return `The stage ${stage} has no job in ${file}: copy the one of ${neighbour}, write ${stage} where it says ${neighbour}, give it "${needs}"${behind}.`;
    }
    const selected = "fromJSON(needs.stages.outputs.stages)";
    const { stage: deployed, smoke } = job.with;
    const wrong = [
      ["stages", ...before].every((name) => [job.needs].flat().includes(name)) ? [] : `"${needs}"`,
      job.if.includes(`contains(${selected}, '${stage}')`) ? [] : `"contains(${selected}, '${stage}')" in its if`,
      // A job whose needed job was left out is left out, too, unless its condition says otherwise.
      at === 0 || job.if.includes("!cancelled() && !failure()") ? [] : '"!cancelled() && !failure()" in its if',
      deployed === stage ? [] : `"stage: ${stage}"`,
      smoke === `\${{ ${selected}[0] == '${stage}' }}` ? [] : `"smoke: \${{ ${selected}[0] == '${stage}' }}"`,
    ].flat();
    return wrong.map((fix) => `The job ${stage} in ${file} does not have ${fix}: give it that.`);
  });
}

/** The same for a checkout; without GitHub's workflow, nothing is wrong. */
export function problemsOfCheckout(source: string, stages: readonly string[]): string[] {
  const path = join(source, file);
  return existsSync(path) ? deployJobProblems(stages, readFileSync(path, "utf8")) : [];
}
