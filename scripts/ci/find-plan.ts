import { type GitHub, type Schema } from "./github";
import { planAgain, Refusal } from "./refusal";

/** The workflow whose runs make plans. */
const workflow = "plan.yml";

/** The name of a stage's plan among the artifacts of a run. */
const artifactOf = (stage: string): string => `plan-${stage}`;

interface Deployment {
  readonly stage: string;
  /** The commit on the default branch that is deployed. */
  readonly commit: string;
  readonly branch: string;
}

interface FoundPlan {
  readonly runId: number;
  readonly artifactId: number;
}

/**
 * Finds the plan that was read before the merge: that of the newest plan run for the head of the merged pull request,
 * or for the commit itself, which a person starts by hand.
 *
 * GitHub says which commit a run is of. The artifact says it, too, but it is written by the code of a branch: a plan of
 * an earlier commit of the pull request, which nobody has approved, could claim to be of this one.
 * @throws Refusal if there is no such plan, or if the branch has moved on.
 */
export async function findPlan(github: GitHub, deployment: Deployment): Promise<FoundPlan> {
  await refuseMovedBranch(github, deployment);
  const { stage, commit } = deployment;
  const heads = [commit, ...(await mergedHeads(github, commit))];
  const runs = (await Promise.all(heads.map((head) => runsOf(github, head)))).flat();
  const newest = runs.sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at))[0];
  if (newest === undefined) {
    const why = heads.length === 1 ? "it came without a pull request" : "its pull request has no run of plan.yml";
    throw new Refusal(`There is no plan for ${commit}: ${why}. Nothing was changed: ${planAgain}.`);
  }
  if (newest.conclusion !== "success") {
    throw new Refusal(
      `The last plan run, ${newest.html_url}, has not succeeded (${newest.conclusion ?? newest.status ?? "unknown"}). Nothing was changed: wait for it, or ${planAgain}.`,
    );
  }
  return { runId: Number(newest.id), artifactId: await artifactIdOf(github, newest, stage) };
}

/**
 * A deployment that is run again, or that waited for an approval, may be of a commit that later ones have mended.
 * @throws Refusal
 */
async function refuseMovedBranch(github: GitHub, { commit, branch }: Deployment): Promise<void> {
  const treeOf = async (ref: string) => {
    const found = await github.call("get", "/repos/{owner}/{repo}/commits/{ref}", { path: { ref } });
    return { sha: found.sha, tree: found.commit.tree.sha };
  };
  const [deployed, head] = [await treeOf(commit), await treeOf(branch)];
  if (deployed.tree === head.tree) return;
  throw new Refusal(
    `The commit has moved on: ${branch} is at ${head.sha}, and this deployment is of ${commit}. Nothing was changed: the deployment of ${head.sha} takes its place.`,
  );
}

/** The heads of the pull requests that this commit merged. */
async function mergedHeads(github: GitHub, commit: string): Promise<string[]> {
  const pulls = await github.all(
    "/repos/{owner}/{repo}/commits/{commit_sha}/pulls",
    { path: { commit_sha: commit } },
    (page) => page,
  );
  return pulls.filter((pull) => pull.merge_commit_sha === commit).map((pull) => pull.head.sha);
}

/** Runs of plan.yml for this commit that had the right to plan. Those of a fork never have it. */
async function runsOf(github: GitHub, head: string): Promise<Schema<"workflow-run">[]> {
  const runs = await github.all(
    "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs",
    { path: { workflow_id: workflow }, query: { head_sha: head } },
    (page) => page.workflow_runs,
  );
  return runs.filter(
    ({ event, head_repository: from, repository, head_sha: sha }) =>
      ["pull_request", "workflow_dispatch"].includes(event) && from.id === repository.id && sha === head,
  );
}

async function artifactIdOf(github: GitHub, run: Schema<"workflow-run">, stage: string): Promise<number> {
  const name = artifactOf(stage);
  const artifacts = await github.all(
    "/repos/{owner}/{repo}/actions/runs/{run_id}/artifacts",
    { path: { run_id: Number(run.id) }, query: { name } },
    (page) => page.artifacts,
  );
  // A run that was run again may have one of each attempt.
  const newest = artifacts.sort((a, b) => b.id - a.id)[0];
  if (newest === undefined) throw new Refusal(`${run.html_url} has no artifact "${name}": ${planAgain}.`);
  if (newest.expired) throw new Refusal(`The artifact "${name}" of ${run.html_url} has expired: ${planAgain}.`);
  return newest.id;
}
