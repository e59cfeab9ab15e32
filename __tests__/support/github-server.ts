import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { type GitHubOptions, type Schema } from "../../scripts/ci/github";

/**
 * A stand-in for the part of GitHub's REST API that scripts/ci uses. Its rows have the field names and types of GitHub's
 * OpenAPI description, so the type check holds them to it. It pages as GitHub does: with a Link header.
 */

type User = { readonly type: string; readonly login: string };
export interface Comment extends Pick<Schema<"issue-comment">, "id" | "body"> {
  readonly user: User;
}
export interface Issue extends Pick<Schema<"issue">, "number" | "title" | "state" | "pull_request"> {
  body: string;
  readonly user: User;
}
export interface Run extends Pick<
  Schema<"workflow-run">,
  "id" | "event" | "head_sha" | "head_branch" | "path" | "status" | "conclusion" | "created_at" | "html_url"
> {
  /** `null` where the fork that the run is of was deleted. */
  readonly head_repository: { readonly id: number } | null;
  readonly repository: { readonly id: number; readonly owner: { readonly login: string } };
}
export type Artifact = Pick<Schema<"artifact">, "id" | "name" | "expired">;
export interface Pull extends Pick<Schema<"pull-request-simple">, "number" | "merge_commit_sha" | "created_at"> {
  readonly head: { readonly sha: string; readonly ref: string };
  readonly base: { readonly ref: string };
}
export interface IssueEvent {
  readonly event: string;
  readonly created_at: string;
}

/** A run of plan.yml that has planned the branch `feature` of this repository. */
export const planRun = (head: string, change: Partial<Run> = {}): Run => ({
  id: 1,
  event: "pull_request",
  head_sha: head,
  head_branch: "feature",
  path: ".github/workflows/plan.yml",
  status: "completed",
  conclusion: "success",
  created_at: "2026-01-01T10:00:00Z",
  html_url: "https://github.example/acme/mail/actions/runs/1",
  repository: { id: 5, owner: { login: "acme" } },
  head_repository: { id: 5 },
  ...change,
});

/** The pull request of the branch `feature`, which was made before that run and is merged into `main`. */
export const mergedPull = (head: string, merged: string, change: Partial<Pull> = {}): Pull => ({
  number: 7,
  merge_commit_sha: merged,
  created_at: "2026-01-01T09:00:00Z",
  head: { sha: head, ref: "feature" },
  base: { ref: "main" },
  ...change,
});

const bot: User = { type: "Bot", login: "github-actions[bot]" };
const repository = "/repos/acme/mail";

export class GitHubServer {
  /** By the number of the pull request or the issue. */
  readonly comments = new Map<number, Comment[]>();
  readonly issues: Issue[] = [];
  readonly runs: Run[] = [];
  /** By the id of the run. */
  readonly artifacts = new Map<number, Artifact[]>();
  readonly pulls: Pull[] = [];
  /** By the number of the pull request. */
  readonly events = new Map<number, IssueEvent[]>();
  /** The commit's own hash, that of its tree, and its parents, by the commit's hash or a ref such as `heads/main`. */
  readonly commits = new Map<
    string,
    { readonly sha: string; readonly tree: string; readonly parents?: readonly string[] }
  >();
  /** Whether lists come whole, as from a GitHub Enterprise Server that does not know a parameter yet. */
  ignoresFilters = false;
  /** The address of the next page, in place of the true one. */
  nextPage: string | undefined;
  /** Each request that changed something: `POST /issues`. */
  readonly writes: string[] = [];
  private nextId = 1000;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<GitHubServer> {
    const server = createServer();
    const github = new GitHubServer(server);
    server.on("request", (request, response) => {
      void bodyOf(request).then((body) => {
        const { status, answer } = github.answer(request, body);
        const url = new URL(request.url ?? "", "http://localhost");
        const { rows, link = github.nextPage && `<${github.nextPage}>; rel="next"` } = paged(
          answer,
          url,
          String(request.headers.host),
        );
        response.writeHead(status, { "content-type": "application/json", ...(link ? { link } : {}) });
        response.end(JSON.stringify(rows));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return github;
  }

  get options(): GitHubOptions {
    const { port } = this.server.address() as AddressInfo;
    return { apiUrl: `http://127.0.0.1:${port}`, repository: "acme/mail", token: "token-of-the-job" };
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(request: IncomingMessage, body: Record<string, string>): { status: number; answer: unknown } {
    const url = new URL(request.url ?? "", "http://localhost");
    if (request.headers.authorization !== "Bearer token-of-the-job")
      return { status: 401, answer: { message: "Bad credentials" } };
    const path = url.pathname.startsWith(repository) ? url.pathname.slice(repository.length) : "";
    const method = request.method ?? "";
    if (method !== "GET") this.writes.push(`${method} ${path}`);
    const at = (pattern: RegExp) => pattern.exec(`${method} ${path}`)?.slice(1);
    const ok = (answer: unknown, status = 200) => ({ status, answer });
    let found: string[] | undefined;
    if ((found = at(/^GET \/issues\/(\d+)\/comments$/))) return ok(this.comments.get(Number(found[0])) ?? []);
    if ((found = at(/^POST \/issues\/(\d+)\/comments$/))) {
      const number = Number(found[0]);
      const comment: Comment = { id: this.nextId++, body: body.body ?? "", user: bot };
      this.comments.set(number, [...(this.comments.get(number) ?? []), comment]);
      return ok(comment, 201);
    }
    if ((found = at(/^PATCH \/issues\/comments\/(\d+)$/))) {
      const comment = [...this.comments.values()].flat().find(({ id }) => Number(id) === Number(found?.[0]));
      return comment === undefined ? ok({ message: "Not Found" }, 404) : ok(Object.assign(comment, body));
    }
    if (at(/^GET \/issues$/)) {
      return ok(this.issues.filter(({ state }) => state === (url.searchParams.get("state") ?? "open")));
    }
    if (at(/^POST \/issues$/)) {
      const issue: Issue = {
        number: this.nextId++,
        title: body.title ?? "",
        body: body.body ?? "",
        state: "open",
        user: bot,
      };
      this.issues.push(issue);
      return ok(issue, 201);
    }
    if ((found = at(/^PATCH \/issues\/(\d+)$/))) {
      const issue = this.issues.find(({ number }) => number === Number(found?.[0]));
      return issue === undefined ? ok({ message: "Not Found" }, 404) : ok(Object.assign(issue, body));
    }
    if ((found = at(/^GET \/commits\/([^/]+)\/pulls$/))) {
      return ok(this.pulls.filter(({ merge_commit_sha: merge }) => merge === found?.[0]));
    }
    if (at(/^GET \/pulls$/)) {
      if (url.searchParams.get("state") !== "all") return ok({ message: "the stand-in lists all states only" }, 422);
      return ok(
        this.pulls.filter(({ head }) => this.ignoresFilters || `acme:${head.ref}` === url.searchParams.get("head")),
      );
    }
    if ((found = at(/^GET \/issues\/(\d+)\/events$/))) return ok(this.events.get(Number(found[0])) ?? []);
    if ((found = at(/^GET \/commits\/([^/]+)$/))) {
      const commit = this.commits.get(decodeURIComponent(found[0] ?? ""));
      if (commit === undefined) return ok({ message: "No commit found" }, 422);
      const parents = (commit.parents ?? []).map((sha) => ({ sha }));
      return ok({ sha: commit.sha, commit: { tree: { sha: commit.tree } }, parents });
    }
    if (at(/^GET \/actions\/workflows\/plan\.yml\/runs$/)) {
      const runs = this.runs.filter(
        ({ head_sha: sha }) => this.ignoresFilters || sha === url.searchParams.get("head_sha"),
      );
      return ok({ total_count: runs.length, workflow_runs: runs });
    }
    if ((found = at(/^GET \/actions\/runs\/(\d+)\/artifacts$/))) {
      const artifacts = (this.artifacts.get(Number(found[0])) ?? []).filter(
        ({ name }) => this.ignoresFilters || name === url.searchParams.get("name"),
      );
      return ok({ total_count: artifacts.length, artifacts });
    }
    return ok({ message: `Not Found: ${method} ${path}` }, 404);
  }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, string>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === "" ? {} : (JSON.parse(text) as Record<string, string>);
}

/** One page of a list, which may be within an object beside its count, and the Link header that names the next one. */
function paged(answer: unknown, url: URL, host: string): { rows: unknown; link?: string } {
  const [size, page] = [Number(url.searchParams.get("per_page") ?? 30), Number(url.searchParams.get("page") ?? 1)];
  const cut = (list: readonly unknown[]) => list.slice((page - 1) * size, page * size);
  const within = Object.entries(answer as object).find(([name]) => ["workflow_runs", "artifacts"].includes(name));
  const list: unknown = within?.[1] ?? answer;
  if (!Array.isArray(list)) return { rows: answer };
  const rows = within === undefined ? cut(list) : { ...(answer as object), [within[0]]: cut(list) };
  if (page * size >= list.length) return { rows };
  const next = new URL(url.href);
  next.host = host;
  next.searchParams.set("page", String(page + 1));
  return { rows, link: `<${next.href}>; rel="next", <${next.href}>; rel="last"` };
}
