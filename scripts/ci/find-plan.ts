import { type GitHub, type Schema } from "./github";
import { planAgain, Refusal } from "./refusal";

/** The workflow whose runs make plans. */
const workflow = "plan.yml";
const workflowPath = `.github/workflows/${workflow}`;

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
 * an earlier commit of the pull request, which nobody has approved, could claim to be of this one. The run of a pull
 * request is of the merge of its head and its base, so the base has to be the branch that is deployed, too.
 * @throws Refusal if there is no such plan, or if the branch has moved on.
 */
export async function findPlan(github: GitHub, deployment: Deployment): Promise<FoundPlan> {
  await refuseMovedBranch(github, deployment);
  const { stage, commit, branch } = deployment;
  const heads = [commit, ...(await mergedHeads(github, deployment))];
  const found = (await Promise.all(heads.map((head) => runsOf(github, head)))).flat();
  const isOfBranch = await Promise.all(found.map((run) => isMergeWith(github, branch, run)));
  const runs = found.filter((_, index) => isOfBranch[index]);
  // GitHub says the second of a run; of two runs in one second, the later has the higher id.
  const newest = runs.sort(
    (a, b) => Date.parse(b.created_at) - Date.parse(a.created_at) || Number(b.id) - Number(a.id),
  )[0];
  if (newest === undefined) {
    const why =
      heads.length === 1 ? "it came without a pull request" : `its pull request has no run of plan.yml into ${branch}`;
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
  // A tag may have the branch's name.
  const [deployed, head] = [await treeOf(commit), await treeOf(`heads/${branch}`)];
  if (deployed.tree === head.tree) return;
  throw new Refusal(
    `The commit has moved on: ${branch} is at ${head.sha}, and this deployment is of ${commit}. Nothing was changed: the deployment of ${head.sha} takes its place.`,
  );
}

/**
 * The heads of the pull requests that this commit merged. GitHub counts a pull request as merged, too, whose head is one of
 * the commits of another one. What such a commit in the middle holds, nobody had to read, so a merge commit has to have the
 * head as its parent.
 */
async function mergedHeads(github: GitHub, { commit, branch }: Deployment): Promise<string[]> {
  const pulls = await github.all(
    "/repos/{owner}/{repo}/commits/{commit_sha}/pulls",
    { path: { commit_sha: commit } },
    (page) => page,
  );
  const { parents } = await github.call("get", "/repos/{owner}/{repo}/commits/{ref}", { path: { ref: commit } });
  return pulls
    .filter(({ merge_commit_sha: merge, base }) => merge === commit && base.ref === branch)
    .map(({ head }) => head.sha)
    .filter((head) => parents.length < 2 || parents.some(({ sha }) => sha === head));
}

/** The events of a pull request after which it has another base: by hand, or because its base was merged and deleted. */
const baseChanges: readonly string[] = ["base_ref_changed", "automatic_base_change_succeeded"];

/**
 * Whether a run is of nothing but its commit and the branch. A pull request into another branch runs the code of that one,
 * and the workflow that stands there: whoever can push a branch could make a plan of any code for a reviewed commit.
 *
 * GitHub does not say which pull request has started a run
 * (https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run), but names its head branch. Every pull request
 * of this branch, open or closed, has to lead into the deployed branch, and to have done so when the run began.
 */
async function isMergeWith(github: GitHub, branch: string, run: Schema<"workflow-run">): Promise<boolean> {
  if (run.event !== "pull_request") return true;
  const began = Date.parse(run.created_at);
  const found = await github.all(
    "/repos/{owner}/{repo}/pulls",
    { query: { state: "all", head: `${run.repository.owner.login}:${run.head_branch ?? ""}` } },
    (page) => page,
  );
  // GitHub lists all pull requests where it does not understand `head`, for example without a branch.
  const pulls = found.filter(({ head }) => head.ref === run.head_branch);
  if (!pulls.some(({ created_at: created }) => Date.parse(created) <= began)) return false;
  if (pulls.some(({ base }) => base.ref !== branch)) return false;
  const events = await Promise.all(
    pulls.map(({ number }) =>
      github.all(
        "/repos/{owner}/{repo}/issues/{issue_number}/events",
        { path: { issue_number: number } },
        (page) => page,
      ),
    ),
  );
  return events.flat().every(({ event, created_at: at }) => !baseChanges.includes(event) || Date.parse(at) < began);
}

/**
 * Runs of plan.yml for this commit that had the right to plan. Those of a fork never have it. The parameters of a request
 * narrow the answer, but what counts is what the answer says.
 */
async function runsOf(github: GitHub, head: string): Promise<Schema<"workflow-run">[]> {
  const runs = await github.all(
    "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs",
    { path: { workflow_id: workflow }, query: { head_sha: head } },
    (page) => page.workflow_runs,
  );
  return runs.filter((run) => {
    // It is null where the fork was deleted, although GitHub's description does not say so.
    const from = run.head_repository as typeof run.head_repository | null;
    return (
      ["pull_request", "workflow_dispatch"].includes(run.event) &&
      from?.id === run.repository.id &&
      run.head_sha === head &&
      // GitHub may name the ref behind the path.
      run.path.split("@")[0] === workflowPath
    );
  });
}

async function artifactIdOf(github: GitHub, run: Schema<"workflow-run">, stage: string): Promise<number> {
  const name = artifactOf(stage);
  const artifacts = await github.all(
    "/repos/{owner}/{repo}/actions/runs/{run_id}/artifacts",
    { path: { run_id: Number(run.id) }, query: { name } },
    (page) => page.artifacts,
  );
  // A run that was run again may have one of each attempt.
  const newest = artifacts.filter((artifact) => artifact.name === name).sort((a, b) => b.id - a.id)[0];
  if (newest === undefined) throw new Refusal(`${run.html_url} has no artifact "${name}": ${planAgain}.`);
  if (newest.expired) throw new Refusal(`The artifact "${name}" of ${run.html_url} has expired: ${planAgain}.`);
  return newest.id;
}
