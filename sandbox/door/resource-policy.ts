import { isRecord } from "./http";

export interface Access {
  /** Of the service that asks: `events.amazonaws.com`. */
  readonly service: string;
  readonly action: string;
  /** ARN of what is asked for. */
  readonly resource: string;
  /** ARN of the rule that it is asked for, where the service tells it. */
  readonly sourceArn?: string;
}

/**
 * Whether a resource's policy lets a service in: the part of IAM that a wrong policy is told by without IAM itself.
 * A condition of another kind than those below counts as not met.
 */
export function allows(policy: string | undefined, access: Access): boolean {
  if (policy === undefined || policy === "") return false;
  const document: unknown = JSON.parse(policy);
  const statements = listOf(isRecord(document) ? document.Statement : []).filter(isRecord);
  const matching = statements.filter((statement) => matches(statement, access));
  return (
    matching.some((statement) => statement.Effect === "Allow") &&
    !matching.some((statement) => statement.Effect === "Deny")
  );
}

function matches(statement: Readonly<Record<string, unknown>>, access: Access): boolean {
  return (
    isPrincipal(statement.Principal, access.service) &&
    listOf(statement.Action).some((action) => like(action, access.action, true)) &&
    listOf(statement.Resource ?? "*").some((resource) => like(resource, access.resource)) &&
    Object.entries(isRecord(statement.Condition) ? statement.Condition : {}).every(([operator, keys]) =>
      Object.entries(isRecord(keys) ? keys : {}).every(([key, wanted]) => isMet(operator, key, listOf(wanted), access)),
    )
  );
}

function isPrincipal(principal: unknown, service: string): boolean {
  if (principal === "*") return true;
  if (!isRecord(principal)) return false;
  return principal.AWS === "*" || listOf(principal.Service).some((name) => name === service || name === "*");
}

function isMet(operator: string, key: string, wanted: readonly unknown[], access: Access): boolean {
  const known: Readonly<Record<string, string>> = {
    ...(access.sourceArn === undefined
      ? {}
      : { "aws:sourcearn": access.sourceArn, "aws:sourceaccount": access.sourceArn.split(":")[4] ?? "" }),
  };
  const value = known[key.toLowerCase()];
  if (operator === "Bool") return key.toLowerCase() === "aws:securetransport" && wanted.includes("true");
  if (value === undefined) return false;
  if (["ArnEquals", "ArnLike", "StringLike"].includes(operator)) return wanted.some((each) => like(each, value));
  return operator === "StringEquals" && wanted.includes(value);
}

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
