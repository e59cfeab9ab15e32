import { isRecord, parseObject } from "./http";

export interface Access {
  /** The service that asks: `events.amazonaws.com`. */
  readonly service?: string;
  /** Who asks, where it is no service: the ARN of a role or a user. */
  readonly principalArn?: string;
  readonly action: string;
  /** ARN of what is asked for. */
  readonly resource: string;
  /** ARN of the rule that it is asked for, where the service tells it. */
  readonly sourceArn?: string;
}

/**
 * Whether a resource's policy lets a service in. IAM itself is not emulated, and this shows most wrong policies.
 * A condition of another kind than those below counts as not met.
 */
export function allows(policy: string | undefined, access: Access): boolean {
  const matching = matchingStatements(policy, access);
  return (
    matching.some((statement) => statement.Effect === "Allow") &&
    !matching.some((statement) => statement.Effect === "Deny")
  );
}

/** Whether a statement of the policy denies the request. */
export function denies(policy: string | undefined, access: Access): boolean {
  return matchingStatements(policy, access).some((statement) => statement.Effect === "Deny");
}

export type Statement = Readonly<Record<string, unknown>>;

/** The statements of a policy; `undefined` where it is no JSON object. */
export function statementsOf(policy: string | undefined): readonly Statement[] | undefined {
  const document = parseObject(policy ?? "");
  return document && listOf(document.Statement).filter(isRecord);
}

function matchingStatements(policy: string | undefined, access: Access): readonly Statement[] {
  return (statementsOf(policy) ?? []).filter((statement) => matches(statement, access));
}

function matches(statement: Statement, access: Access): boolean {
  const { Principal: principal, NotPrincipal: notPrincipal, Action: action, NotAction: notAction } = statement;
  const { Resource: resource, NotResource: notResource } = statement;
  return (
    (notPrincipal === undefined ? isPrincipal(principal, access) : !isPrincipal(notPrincipal, access)) &&
    (notAction === undefined ? isLikeOne(action, access.action, true) : !isLikeOne(notAction, access.action, true)) &&
    (notResource === undefined
      ? isLikeOne(resource ?? "*", access.resource)
      : !isLikeOne(notResource, access.resource)) &&
    Object.entries(isRecord(statement.Condition) ? statement.Condition : {}).every(([operator, keys]) =>
      Object.entries(isRecord(keys) ? keys : {}).every(([key, wanted]) => isMet(operator, key, listOf(wanted), access)),
    )
  );
}

function isPrincipal(principal: unknown, { service, principalArn }: Access): boolean {
  if (principal === "*") return true;
  if (!isRecord(principal)) return false;
  const accountId = principalArn?.split(":")[4] ?? "";
  const names = [principalArn, accountId, `arn:aws:iam::${accountId}:root`];
  return (
    listOf(principal.AWS).some(
      (name) => name === "*" || (principalArn !== undefined && names.includes(name as string)),
    ) || listOf(principal.Service).some((name) => service !== undefined && (name === service || name === "*"))
  );
}

function isMet(operator: string, key: string, wanted: readonly unknown[], access: Access): boolean {
  const { sourceArn, principalArn } = access;
  const known: Readonly<Record<string, string | undefined>> = {
    "aws:sourcearn": sourceArn,
    "aws:sourceaccount": sourceArn?.split(":")[4],
    "aws:principalarn": principalArn,
    "aws:principalaccount": principalArn?.split(":")[4],
    "aws:securetransport": "true",
    "aws:principalisawsservice": String(access.service !== undefined),
  };
  const value = known[key.toLowerCase()];
  const name = operator.replace(/IfExists$/, "");
  const test = tests[name.replace("Not", "")];
  if (test === undefined) return false;
  // A negated condition is met by a request that lacks its key, as is one with `IfExists`.
  if (value === undefined) return key.toLowerCase() in known && (name !== operator || name.includes("Not"));
  return wanted.some((each) => test(each, value)) !== name.includes("Not");
}

/** The operators of conditions. Each has its negation, with `Not` in its name. */
const tests: Readonly<Record<string, (wanted: unknown, value: string) => boolean>> = {
  ArnEquals: like,
  ArnLike: like,
  StringLike: like,
  StringEquals: (wanted, value) => wanted === value,
  StringEqualsIgnoreCase: (wanted, value) => String(wanted).toLowerCase() === value.toLowerCase(),
  Bool: (wanted, value) => String(wanted).toLowerCase() === value,
};

const isLikeOne = (patterns: unknown, value: string, ignoreCase = false): boolean =>
  listOf(patterns).some((pattern) => like(pattern, value, ignoreCase));

/** `*` and `?` of IAM. */
function like(pattern: unknown, value: string, ignoreCase = false): boolean {
  if (typeof pattern !== "string") return false;
  const source = pattern
    .replace(/[\\^$.+()[\]{}|]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, ignoreCase ? "is" : "s").test(value);
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  return value === undefined ? [] : [value];
}
