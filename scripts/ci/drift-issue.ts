import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { mostCharacters, shorten } from "./comment";
import { type GitHub } from "./github";

interface Finding {
  readonly stage: string;
  /** `undefined` where nothing has drifted. */
  readonly report: string | undefined;
  /** The address of the run. */
  readonly run: string;
}

/**
 * Opens an issue for a stage that has drifted, updates the one that is open, or closes it where nothing differs any more.
 * @returns what was done, in words.
 */
export async function putDriftIssue(github: GitHub, { stage, report, run }: Finding): Promise<string> {
  const marker = `<!-- event-driven-email: drift ${stage} -->`;
  const issues = await github.all("/repos/{owner}/{repo}/issues", { query: { state: "open" } }, (page) => page);
  const ours = issues.find(
    ({ user, body, pull_request: pull }) => pull === undefined && user?.type === "Bot" && body?.startsWith(marker),
  );
  if (report === undefined) {
    if (ours === undefined) return `${stage}: nothing has drifted`;
    await github.call("post", "/repos/{owner}/{repo}/issues/{issue_number}/comments", {
      path: { issue_number: ours.number },
      body: { body: `The stage is what the default branch says again ([run](${run})).` },
    });
    await github.call("patch", "/repos/{owner}/{repo}/issues/{issue_number}", {
      path: { issue_number: ours.number },
      body: { state: "closed", state_reason: "completed" },
    });
    return `${stage}: nothing has drifted any more, issue ${ours.number} is closed`;
  }
  const body = `${marker}\n\n${shorten(report, mostCharacters, run)}\n\nFound by [this run](${run}).`;
  if (ours === undefined) {
    const { number } = await github.call("post", "/repos/{owner}/{repo}/issues", {
      body: { title: `The stage ${stage} has drifted`, body },
    });
    return `${stage}: drifted, issue ${number} is open`;
  }
  await github.call("patch", "/repos/{owner}/{repo}/issues/{issue_number}", {
    path: { issue_number: ours.number },
    body: { body },
  });
  return `${stage}: still drifted, issue ${ours.number} is updated`;
}

/**
 * The issues of several stages. Where GitHub refuses one, the others are still made.
 * @param reports has the report of each stage's job in a folder of the stage's name.
 * @param tell takes what was done, one sentence a stage.
 * @throws Error if GitHub refused one, with every reason.
 */
export async function putDriftIssues(
  github: GitHub,
  { stages, reports, run }: { readonly stages: readonly string[]; readonly reports: string; readonly run: string },
  tell: (sentence: string) => void,
): Promise<void> {
  const problems: unknown[] = [];
  for (const stage of stages) {
    const report = readDriftReport(reports, stage);
    if (report === undefined) tell(`${stage}: its job has failed, so its issue stays as it is`);
    else {
      await putDriftIssue(github, { stage, report: report || undefined, run }).then(tell, (error: unknown) => {
        tell(`${stage}: its issue could not be written (${String(error)})`);
        problems.push(error);
      });
    }
  }
  if (problems.length > 0) throw new AggregateError(problems, problems.map(String).join("\n"));
}

/** The report of a stage's job; `undefined` where the job did not come that far. */
function readDriftReport(folder: string, stage: string): string | undefined {
  const file = join(folder, stage, "report.md");
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}
