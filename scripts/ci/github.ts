import { type components, type paths } from "@octokit/openapi-types";

/** GitHub's REST API, as far as the workflows need it. Its paths and bodies are typed by GitHub's OpenAPI description. */

export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

/** What GitHub gives each job. */
export interface GitHubOptions {
  /** `GITHUB_API_URL`, for example `https://api.github.com`. */
  readonly apiUrl: string;
  /** `GITHUB_REPOSITORY`: `<owner>/<name>`. */
  readonly repository: string;
  /** `GITHUB_TOKEN`, with the permissions of the job. */
  readonly token: string;
}

/** GitHub refused a request, or did not answer. */
class GitHubError extends Error {
  override readonly name = "GitHubError";
}

type Method = "get" | "post" | "patch";
type Operation<P extends keyof paths, M extends Method> = paths[P] extends Record<M, infer O> ? O : never;
type Json<T> = T extends { content: { "application/json": infer Value } } ? Value : never;
type Answer<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { responses: infer Answers } ? Json<Answers[keyof Answers & (200 | 201)]> : never;
type Query<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { parameters: { query?: infer Q extends object } } ? Q : Record<string, never>;
type Body<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { requestBody?: infer B } ? Json<NonNullable<B>> : never;

interface Call<P extends keyof paths, M extends Method> {
  /** Values of the placeholders in the path, but for `owner` and `repo`. */
  readonly path?: Readonly<Record<string, string | number>>;
  readonly query?: Query<P, M>;
  readonly body?: Body<P, M>;
}

export class GitHub {
  constructor(private readonly options: GitHubOptions) {}

  /**
   * One request.
   * @throws GitHubError
   */
  async call<M extends Method, P extends keyof paths>(
    method: M,
    path: P,
    call: Call<P, M> = {},
  ): Promise<Answer<P, M>> {
    const { answer } = await this.send(method, this.address(path, call.path, call.query ?? {}), call.body);
    return answer as Answer<P, M>;
  }

  /**
   * Reads a list to its last page.
   * @param rows takes the rows out of the answer of one page.
   * @throws GitHubError
   */
  async all<P extends keyof paths, Row>(
    path: P,
    call: Omit<Call<P, "get">, "body">,
    rows: (answer: Answer<P, "get">) => readonly Row[],
  ): Promise<Row[]> {
    const found: Row[] = [];
    const read = new Set<string>();
    let next: string | undefined = this.address(path, call.path, { per_page: 100, ...(call.query ?? {}) });
    while (next !== undefined) {
      // The token goes with each request, so it goes nowhere else.
      if (new URL(next).origin !== new URL(this.options.apiUrl).origin || read.has(next))
        throw new GitHubError(
          `GitHub's next page is ${next}, which is elsewhere or was read already: run the job again.`,
        );
      read.add(next);
      const page: { answer: unknown; next: string | undefined } = await this.send("get", next);
      found.push(...rows(page.answer as Answer<P, "get">));
      next = page.next;
    }
    return found;
  }

  private address(path: string, values: Readonly<Record<string, string | number>> = {}, query: object = {}): string {
    const [owner = "", repo = ""] = this.options.repository.split("/");
    const known: Record<string, string | number> = { owner, repo, ...values };
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(known[name])));
    const words = Object.entries(query).map(([name, value]) => [name, String(value)]);
    const search = new URLSearchParams(Object.fromEntries(words) as Record<string, string>).toString();
    return `${this.options.apiUrl}${filled}${search === "" ? "" : `?${search}`}`;
  }

  private async send(
    method: Method,
    url: string,
    body?: unknown,
  ): Promise<{ answer: unknown; next: string | undefined }> {
    const request = `${method.toUpperCase()} ${new URL(url).pathname}`;
    const response = await fetch(url, {
      method: method.toUpperCase(),
      headers: {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${this.options.token}`,
        "x-github-api-version": "2022-11-28",
        "content-type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((cause: unknown) => {
      throw new GitHubError(`GitHub did not answer (${request}): run the job again.`, { cause });
    });
    if (!response.ok) throw new GitHubError(await describeRefusal(request, response));
    return { answer: await response.json(), next: nextOf(response.headers.get("link")) };
  }
}

async function describeRefusal(request: string, response: Response): Promise<string> {
  const text = (await response.text()).slice(0, 500);
  const hint =
    response.status === 403 || response.status === 404
      ? ` The job's "permissions" may lack what this needs (docs/ci.md).`
      : "";
  return `GitHub answered ${response.status} to ${request}: ${text}.${hint}`;
}

/** The address of the next page in a Link header: `<https://..?page=2>; rel="next", <https://..>; rel="last"`. */
function nextOf(link: string | null): string | undefined {
  const next = link?.split(",").find((part) => part.includes('rel="next"'));
  return next?.slice(next.indexOf("<") + 1, next.indexOf(">"));
}
