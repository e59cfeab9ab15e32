import { exitCodes } from "../command";
import { isUnreachable, type StageAccess } from "../stage";

/**
 * Result of a check. `unknown` means that the check could not be made: it is neither good nor bad, and gives the
 * reason.
 */
export type Status = "ok" | "warn" | "fail" | "unknown";

export interface Verdict {
  readonly status: Status;
  /** What was found. */
  readonly finding: string;
  /** What to do about it. */
  readonly todo?: string;
}

export interface Check {
  readonly name: string;
  /** Makes the check. If it rejects, the verdict is `unknown`. */
  readonly run: () => Promise<Verdict>;
}

export interface CheckResult extends Verdict {
  readonly check: string;
}

export type DoctorStage = Pick<StageAccess, "config" | "names" | "isSandbox" | "whenUnreachable">;

export const ok = (finding: string): Verdict => ({ status: "ok", finding });
export const warn = (finding: string, todo: string): Verdict => ({ status: "warn", finding, todo });
export const fail = (finding: string, todo: string): Verdict => ({ status: "fail", finding, todo });
export const unknown = (finding: string, todo?: string): Verdict => ({
  status: "unknown",
  finding,
  ...(todo === undefined ? {} : { todo }),
});

/** From the best to the worst. */
const order: readonly Status[] = ["ok", "unknown", "warn", "fail"];

/** Makes one verdict of several: the worst status, with the findings of all that have it. */
export function worst(verdicts: readonly Verdict[], whenAllIsWell: string): Verdict {
  const status = verdicts.reduce<Status>(
    (worse, verdict) => (order.indexOf(verdict.status) > order.indexOf(worse) ? verdict.status : worse),
    "ok",
  );
  if (status === "ok") return ok(whenAllIsWell);
  const bad = verdicts.filter((verdict) => verdict.status === status);
  const todos = [...new Set(bad.flatMap(({ todo }) => (todo === undefined ? [] : [todo])))];
  return {
    status,
    finding: bad.map(({ finding }) => finding).join(" "),
    ...(todos.length === 0 ? {} : { todo: todos.join(" ") }),
  };
}

/** Makes all checks at the same time. */
export function runChecks(
  checks: readonly Check[],
  stage: Pick<StageAccess, "isSandbox" | "whenUnreachable">,
): Promise<CheckResult[]> {
  return Promise.all(
    checks.map(async ({ name, run }) => ({
      check: name,
      ...(await run().catch((error: unknown) => whyNot(error, stage))),
    })),
  );
}

function whyNot(
  error: unknown,
  { isSandbox, whenUnreachable }: Pick<StageAccess, "isSandbox" | "whenUnreachable">,
): Verdict {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const reason = `${name}: ${firstLine(message)}`;
  if (/AccessDenied|NotAuthorized|Unauthorized|AuthorizationError/i.test(name)) {
    return unknown(reason, "Run it with a role that may read this.");
  }
  if (/Credential|InvalidAccessKeyId|UnrecognizedClient|SignatureDoesNotMatch|InvalidSignature|Token/i.test(name)) {
    return unknown(reason, "Log in: there are no credentials that AWS takes.");
  }
  if (/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|Timeout|Network/i.test(`${name} ${message}`) || name === "AggregateError") {
    return unknown(isSandbox && isUnreachable(error) ? "Nothing answers." : reason, whenUnreachable);
  }
  // moto answers a call that it does not emulate with an HTML page, or says that there is nothing at that path.
  if (isSandbox && /SyntaxError|UnknownError|NotImplemented|InternalFailure|^NotFound$/.test(name)) {
    return unknown("The sandbox does not emulate it: it is checked on AWS.");
  }
  return unknown(reason, "Look at the reason; AWS may be at fault.");
}

function firstLine(text: string): string {
  const line = text.split("\n")[0] ?? "";
  return line.length > 160 ? `${line.slice(0, 160)}..` : line;
}

/**
 * Returns the one reason why no check could be made, for example that the sandbox is down or that there are no
 * credentials.
 * @returns `undefined` if a check was made, or if there are several reasons.
 */
export function onlyFinding(results: readonly CheckResult[]): string | undefined {
  const [first] = results;
  const isTheOnly = results.every(
    ({ status, finding, todo }) => status === "unknown" && finding === first?.finding && todo === first.todo,
  );
  if (!isTheOnly || first === undefined) return undefined;
  const { finding, todo = "" } = first;
  return `${finding}${/[.?!]$/.test(finding) ? "" : "."} ${todo}`.trim();
}

/**
 * The command reports problems if a check failed. Single checks that could not be made are no problem; all of them are.
 */
export function exitCodeOf(results: readonly CheckResult[]): number {
  const hasFailed = results.some(({ status }) => status === "fail");
  return hasFailed || results.every(({ status }) => status === "unknown") ? exitCodes.problems : exitCodes.well;
}
