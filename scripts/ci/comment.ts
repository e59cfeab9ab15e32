import { join } from "node:path";
import { readManifest, readSummary } from "./artifact";
import { type GitHub } from "./github";
import { Refusal } from "./refusal";

/** Nobody sees it in the comment, and it finds the comment again. */
const marker = "<!-- event-driven-email: plan -->";

/** GitHub takes 65,536 characters in a comment and in an issue; what is left over is for the frame. */
export const mostCharacters = 64_000;

interface CommentContent {
  readonly stages: readonly string[];
  /** Has the artifact of each stage in a folder of the stage's name. */
  readonly folder: string;
  /** The address of the run. */
  readonly run: string;
}

interface PlanComment {
  readonly body: string;
  /** Why the plan of a stage can't be used, as sentences. The comment has them, too. */
  readonly problems: readonly string[];
}

/** The comment of a pull request: the plan of each stage. A damaged plan of one stage leaves those of the others readable. */
export function planComment({ stages, folder, run }: CommentContent): PlanComment {
  const room = Math.floor(mostCharacters / Math.max(1, stages.length));
  const problems: string[] = [];
  const sections = stages.map((stage) => {
    try {
      return stageSection(join(folder, stage), { stage, run, room });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      problems.push(`${stage}: ${error.message}`);
      return `## The plan of the stage ${stage} can't be used\n\n${shorten(error.message, room, run)}`;
    }
  });
  const head = `What a merge would apply, and nothing else. [The run](${run}) has the plans as artifacts.`;
  return { body: [marker, head, ...sections].join("\n\n"), problems };
}

function stageSection(
  folder: string,
  { stage, run, room }: { readonly stage: string; readonly run: string; readonly room: number },
): string {
  const summary = readSummary(folder);
  if (summary === undefined) {
    return `## The stage ${stage} was not planned\n\nThe job failed; [its log](${run}) says why. Without this plan, a merge is not deployed.`;
  }
  const { commit } = readManifest(folder, stage);
  return `${shorten(summary, room, run)}\n\nPlanned of ${commit}, which is this branch merged into its base.`;
}

/**
 * Cuts a text at the end of a line, and closes what is open there.
 * @param room the most characters.
 */
export function shorten(markdown: string, room: number, run: string): string {
  if (markdown.length <= room) return markdown;
  const lines: string[] = [];
  // The fence that is open, and how many `<details>` are.
  let fence: string | undefined;
  let details = 0;
  let length = 200;
  for (const line of markdown.split("\n")) {
    length += line.length + 1;
    if (length > room) break;
    lines.push(line);
    const [ticks] = /^`{3,}/.exec(line) ?? [];
    if (fence === undefined) {
      fence = ticks;
      details += line.split("<details").length - line.split("</details").length;
    } else if (line.trim() === fence) fence = undefined;
  }
  return [
    ...lines,
    ...(fence === undefined ? [] : [fence]),
    ...Array.from({ length: Math.max(0, details) }, () => "</details>"),
    "",
    `The rest does not fit here: [the run](${run}) has all of it in its summary.`,
  ].join("\n");
}

/** Updates the comment of an earlier run, or makes it. */
export async function putComment(github: GitHub, pullRequest: number, body: string): Promise<void> {
  const comments = await github.all(
    "/repos/{owner}/{repo}/issues/{issue_number}/comments",
    { path: { issue_number: pullRequest } },
    (page) => page,
  );
  // A person may have quoted the comment, marker and all.
  const ours = comments.find((comment) => comment.user?.type === "Bot" && comment.body?.startsWith(marker));
  if (ours === undefined) {
    await github.call("post", "/repos/{owner}/{repo}/issues/{issue_number}/comments", {
      path: { issue_number: pullRequest },
      body: { body },
    });
  } else {
    await github.call("patch", "/repos/{owner}/{repo}/issues/comments/{comment_id}", {
      path: { comment_id: Number(ours.id) },
      body: { body },
    });
  }
}
