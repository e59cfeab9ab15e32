import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { putComment } from "../../../scripts/ci/comment";
import { putDriftIssue, putDriftIssues } from "../../../scripts/ci/drift-issue";
import { findPlan } from "../../../scripts/ci/find-plan";
import { GitHub } from "../../../scripts/ci/github";
import { GitHubServer, mergedPull, planRun, type Pull, type Run } from "../../support/github-server";

let server: GitHubServer;
let github: GitHub;
beforeEach(async () => {
  server = await GitHubServer.start();
  github = new GitHub(server.options);
});
afterEach(() => server.close());

const person = { type: "User", login: "jane" };
const bot = { type: "Bot", login: "github-actions[bot]" };

describe("the comment of a pull request", () => {
  const body = "<!-- event-driven-email: plan -->\n\nfirst";

  it("is made once, and then updated", async () => {
    await putComment(github, 7, body);
    await putComment(github, 7, body.replace("first", "second"));
    expect(server.comments.get(7)).toMatchObject([{ body: body.replace("first", "second") }]);
  });

  it("is found behind a hundred others, and no person's quote is taken for it", async () => {
    const others = Array.from({ length: 120 }, (_, id) => ({ id, body: id === 3 ? body : `said ${id}`, user: person }));
    server.comments.set(7, [...others, { id: 500, body, user: bot }]);
    await putComment(github, 7, `${body}, again`);
    expect(server.writes).toEqual(["PATCH /issues/comments/500"]);
  });

  it("tells what GitHub refused, and that a permission may be missing", async () => {
    const stranger = new GitHub({ ...server.options, token: "of another job" });
    await expect(putComment(stranger, 7, body)).rejects.toThrow(/answered 401 to GET .*comments: .*Bad credentials/);
    await expect(
      github.call("get", "/repos/{owner}/{repo}/issues/{issue_number}", { path: { issue_number: 1 } }),
    ).rejects.toThrow(/404.*"permissions"/);
    await server.close();
    await expect(putComment(github, 7, body)).rejects.toThrow("run the job again");
  });
});

describe("the pages of a list", () => {
  it("are asked of GitHub alone, because the token goes with each request", async () => {
    server.nextPage = "http://127.0.0.1:1/repos/acme/mail/issues/7/comments?page=2";
    await expect(putComment(github, 7, "text")).rejects.toThrow(/next page is .*, which is elsewhere/);
  });

  it("end, although one leads to itself", async () => {
    server.nextPage = `${server.options.apiUrl}/repos/acme/mail/issues/7/comments?page=2`;
    await expect(putComment(github, 7, "text")).rejects.toThrow(/was read already/);
  });
});

describe("the issue of a stage that has drifted", () => {
  const run = "https://github.example/acme/mail/actions/runs/1";
  const find = (stage: string, report: string | undefined) => putDriftIssue(github, { stage, report, run });

  it("is opened once, updated, and closed where nothing differs any more", async () => {
    expect(await find("dev", "a queue")).toMatch(/issue \d+ is open/);
    expect(await find("dev", "a queue and a topic")).toContain("updated");
    expect(server.issues).toMatchObject([{ title: "The stage dev has drifted", state: "open" }]);
    expect(server.issues[0]?.body).toContain("a queue and a topic");
    expect(await find("dev", undefined)).toContain("closed");
    expect(server.issues).toMatchObject([{ state: "closed" }]);
    expect(server.comments.get(server.issues[0]?.number ?? 0)).toHaveLength(1);
    expect(await find("dev", undefined)).toBe("dev: nothing has drifted");
    expect(await find("dev", "a queue")).toContain("is open");
    expect(server.issues.map(({ state }) => state)).toEqual(["closed", "open"]);
  });

  it("is cut where the report is longer than GitHub takes, and leads to the run", async () => {
    await find("dev", "- `aws_sqs_queue.queue`: differs\n".repeat(3000));
    const { body = "" } = server.issues[0] ?? {};
    expect(body.length).toBeLessThan(65_536);
    expect(body).toMatch(
      new RegExp(`^<!-- event-driven-email: drift dev -->[^]*The rest does not fit here: \\[the run\\]\\(${run}`),
    );
  });

  it("is one for each stage, and no person's issue and no pull request", async () => {
    const body = "<!-- event-driven-email: drift dev -->";
    server.issues.push({ number: 1, title: "quoted", body, state: "open", user: person });
    const pull = { diff_url: "", html_url: "", patch_url: "", url: "" };
    server.issues.push({ number: 2, title: "a change", body, state: "open", user: bot, pull_request: pull });
    await find("dev", "a queue");
    await find("prod", "a topic");
    expect(server.issues.map(({ title }) => title)).toEqual([
      "quoted",
      "a change",
      "The stage dev has drifted",
      "The stage prod has drifted",
    ]);
  });
});

describe("the issues of several stages that have drifted", () => {
  let reports: string;
  beforeEach(() => {
    reports = mkdtempSync(join(tmpdir(), "ci-drift-"));
    for (const stage of ["dev", "prod"]) {
      mkdirSync(join(reports, stage));
      writeFileSync(join(reports, stage, "report.md"), `a queue of ${stage}`);
    }
  });
  afterEach(() => {
    rmSync(reports, { recursive: true });
  });

  it("are written for those whose job came that far, although GitHub refuses one", async () => {
    // GitHub may have locked or deleted an issue since it listed it.
    const body = "<!-- event-driven-email: drift dev -->";
    server.issues.push({ number: 1.5, title: "gone", body, state: "open", user: bot });
    const told: string[] = [];
    const put = putDriftIssues(github, { stages: ["dev", "staging", "prod"], reports, run: "run" }, (sentence) => {
      told.push(sentence);
    });
    await expect(put).rejects.toThrow(/^GitHubError: GitHub answered 404 to PATCH .*issues\/1\.5/);
    expect(told).toEqual([
      expect.stringMatching(/^dev: its issue could not be written \(.*404/),
      "staging: its job has failed, so its issue stays as it is",
      expect.stringMatching(/^prod: drifted, issue \d+ is open$/),
    ]);
  });
});

describe("the plan that was read before a merge", () => {
  const [merged, head, tree] = ["a".repeat(40), "b".repeat(40), "c".repeat(40)];
  const run = (change: Partial<Run> = {}) => planRun(head, change);
  const pull = (change: Partial<Pull> = {}) => mergedPull(head, merged, change);
  const find = () => findPlan(github, { stage: "dev", commit: merged, branch: "main" });

  beforeEach(() => {
    server.commits.set(merged, { sha: merged, tree });
    server.commits.set("heads/main", { sha: merged, tree });
    server.pulls.push(pull());
    server.runs.push(run());
    server.artifacts.set(1, [{ id: 70, name: "plan-dev", expired: false }]);
  });

  it("is the artifact of the last run for the head of the pull request", async () => {
    server.runs.push(run({ id: 2, created_at: "2026-01-01T11:00:00Z" }));
    server.artifacts.set(2, [
      { id: 71, name: "plan-dev", expired: false },
      { id: 72, name: "plan-dev", expired: false },
      { id: 73, name: "plan-prod", expired: false },
    ]);
    expect(await find()).toEqual({ runId: 2, artifactId: 72 });
  });

  it("is that of the later of two runs of one second, in whatever order GitHub lists them", async () => {
    for (const [id, artifact] of [
      [3, 73],
      [2, 72],
    ] as const) {
      server.runs.push(run({ id }));
      server.artifacts.set(id, [{ id: artifact, name: "plan-dev", expired: false }]);
    }
    expect(await find()).toEqual({ runId: 3, artifactId: 73 });
    server.runs.reverse();
    expect(await find()).toEqual({ runId: 3, artifactId: 73 });
    server.runs.splice(0, 3, run({ id: 2 }), run({ id: 3, conclusion: "failure" }));
    await expect(find()).rejects.toThrow("has not succeeded (failure)");
  });

  it("is found by a run whose path names its ref, too", async () => {
    server.runs.splice(0, 1, run({ path: ".github/workflows/plan.yml@refs/heads/feature" }));
    expect(await find()).toEqual({ runId: 1, artifactId: 70 });
  });

  it("is held against each name itself, where GitHub answers more than it was asked for", async () => {
    server.ignoresFilters = true;
    const later = { created_at: "2026-01-01T12:00:00Z" };
    server.runs.push(run({ id: 2, head_sha: "d".repeat(40), ...later }));
    server.artifacts.set(1, [
      { id: 70, name: "plan-dev", expired: false },
      { id: 71, name: "plan-prod", expired: false },
      { id: 72, name: "plan-dev-evil", expired: false },
    ]);
    expect(await find()).toEqual({ runId: 1, artifactId: 70 });
    // Here the pull request of another branch is no reason to trust the run.
    server.runs.splice(0, 2, run({ head_branch: null }));
    await expect(find()).rejects.toThrow("no run of plan.yml into main");
    server.runs.splice(0, 1, run());
    server.artifacts.set(1, [{ id: 71, name: "plan-prod", expired: false }]);
    await expect(find()).rejects.toThrow('has no artifact "plan-dev"');
  });

  it("is on the last page, too", async () => {
    const others = Array.from({ length: 250 }, (_, id) => run({ id: id + 10, event: "push" }));
    server.runs.splice(0, 1, ...others, run());
    expect(await find()).toEqual({ runId: 1, artifactId: 70 });
  });

  it("is a later run that a person started for the commit itself", async () => {
    const byHand = { id: 3, event: "workflow_dispatch", head_sha: merged, created_at: "2026-01-02T10:00:00Z" };
    server.runs.push(run(byHand));
    server.artifacts.set(3, [{ id: 74, name: "plan-dev", expired: false }]);
    expect(await find()).toEqual({ runId: 3, artifactId: 74 });
  });

  it.each([
    ["of a fork", { head_repository: { id: 6 } }, "no run of plan.yml"],
    ["of another event, which a branch can start", { event: "push" }, "no run of plan.yml"],
    ["of a fork that is gone", { head_repository: null }, "no run of plan.yml"],
    ["of another workflow", { path: ".github/workflows/evil.yml" }, "no run of plan.yml"],
    ["that has failed", { conclusion: "failure" }, /has not succeeded \(failure\)/],
    ["that still runs", { conclusion: null, status: "in_progress" }, /has not succeeded \(in_progress\)/],
  ])("is no run %s", async (_, change, message) => {
    server.runs.splice(0, 1, run(change));
    await expect(find()).rejects.toThrow(message);
    await expect(find()).rejects.toThrow(/[Nn]othing was changed: .*make a new plan/);
  });

  it("is not an earlier one, where the last run has failed", async () => {
    server.runs.push(run({ id: 2, conclusion: "failure", created_at: "2026-01-01T11:00:00Z" }));
    await expect(find()).rejects.toThrow("has not succeeded");
  });

  it("is not that of an earlier commit of the pull request", async () => {
    server.runs.splice(0, 1, run({ head_sha: "d".repeat(40) }));
    await expect(find()).rejects.toThrow("no run of plan.yml");
  });

  // Such a run executes the code of the other branch, and its artifact may claim what it likes.
  it.each([
    [
      "into another branch",
      () => server.pulls.push(pull({ number: 8, merge_commit_sha: null, base: { ref: "evil" } })),
    ],
    [
      "whose base was another one then",
      () => server.events.set(7, [{ event: "base_ref_changed", created_at: "2026-01-01T10:30:00Z" }]),
    ],
    [
      "whose base was merged and deleted since",
      () => server.events.set(7, [{ event: "automatic_base_change_succeeded", created_at: "2026-01-01T10:30:00Z" }]),
    ],
    ["that was made only later", () => server.pulls.splice(0, 1, pull({ created_at: "2026-01-01T10:30:00Z" }))],
    ["that is not known any more", () => server.runs.splice(0, 1, run({ head_branch: "renamed" }))],
  ])("is not that of a pull request %s", async (_, change) => {
    change();
    await expect(find()).rejects.toThrow("no run of plan.yml into main");
  });

  it("is that of a pull request whose base was changed before the run", async () => {
    server.events.set(7, [
      { event: "base_ref_changed", created_at: "2026-01-01T09:30:00Z" },
      { event: "labeled", created_at: "2026-01-01T10:30:00Z" },
    ]);
    expect(await find()).toEqual({ runId: 1, artifactId: 70 });
  });

  it("is not that of a commit in the middle of the pull request, which has a pull request of its own", async () => {
    const middle = "9".repeat(40);
    server.commits.set(merged, { sha: merged, tree, parents: ["8".repeat(40), head] });
    server.pulls.push(pull({ number: 8, head: { sha: middle, ref: "middle" } }));
    server.runs.push(run({ id: 2, head_sha: middle, head_branch: "middle", created_at: "2026-01-01T11:00:00Z" }));
    server.artifacts.set(2, [{ id: 71, name: "plan-dev", expired: false }]);
    expect(await find()).toEqual({ runId: 1, artifactId: 70 });
  });

  it("is not that of a pull request that was merged into another branch", async () => {
    server.pulls.splice(0, 1, pull({ base: { ref: "next" } }));
    await expect(find()).rejects.toThrow("it came without a pull request");
  });

  it("is missing for a commit that came without a pull request", async () => {
    server.pulls.splice(0);
    await expect(find()).rejects.toThrow("it came without a pull request");
  });

  it("is missing where the artifact is, or has expired", async () => {
    server.artifacts.set(1, [{ id: 70, name: "plan-dev", expired: true }]);
    await expect(find()).rejects.toThrow("has expired");
    server.artifacts.clear();
    await expect(find()).rejects.toThrow('has no artifact "plan-dev"');
  });

  it("is held against the branch, and not against a tag of its name", async () => {
    server.commits.set("main", { sha: merged, tree });
    server.commits.set("heads/main", { sha: "e".repeat(40), tree: "f".repeat(40) });
    await expect(find()).rejects.toThrow("main is at eee");
  });

  it("is not looked for where the branch has moved on", async () => {
    server.commits.set("heads/main", { sha: "e".repeat(40), tree: "f".repeat(40) });
    await expect(find()).rejects.toThrow(/main is at e{40}, and this deployment is of a{40}/);
  });
});
