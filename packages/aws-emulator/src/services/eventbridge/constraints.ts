import { type Answer, isRecord, jsonError } from "../../gateway/http";
import { stringify } from "../../gateway/json-text";

/** What AWS's model of an API says of a member: https://github.com/boto/botocore, data/events/2015-10-07. */
export interface Constraint {
  /** As AWS's message names it: `targets.1.member.id`. */
  readonly path: string;
  readonly value: unknown;
  readonly isRequired?: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: RegExp;
  readonly values?: readonly string[];
}

/** AWS's answer to a request that its model does not fit; `undefined` where it fits. */
export function violations(constraints: readonly Constraint[]): Answer | undefined {
  const problems = constraints.flatMap(problemsOf);
  if (problems.length === 0) return undefined;
  const count = problems.length === 1 ? "1 validation error" : `${problems.length} validation errors`;
  return jsonError(400, "ValidationException", `${count} detected: ${problems.join("; ")}`);
}

function problemsOf({ path, value, isRequired = false, min, max, pattern, values }: Constraint): string[] {
  const problem = (said: string, what: string) =>
    `Value ${said} at '${path}' failed to satisfy constraint: Member must ${what}`;
  if (value === undefined || value === null) return isRequired ? [problem("null", "not be null")] : [];
  const text = typeof value === "string" || typeof value === "number" ? String(value) : stringify(value);
  const said = `'${text.length > mostSaid ? `${text.slice(0, mostSaid)}..` : text}'`;
  const isNumber = typeof value === "number";
  const size = isNumber
    ? value
    : Array.isArray(value)
      ? value.length
      : isRecord(value)
        ? Object.keys(value).length
        : text.length;
  const have = isNumber ? "have value" : "have length";
  return [
    ...(pattern === undefined || pattern.test(text)
      ? []
      : [problem(said, `satisfy regular expression pattern: ${pattern.source.replace(/^\^|\$$/g, "")}`)]),
    ...(min !== undefined && size < min ? [problem(said, `${have} greater than or equal to ${min}`)] : []),
    ...(max !== undefined && size > max ? [problem(said, `${have} less than or equal to ${max}`)] : []),
    ...(values !== undefined && !values.includes(text)
      ? [problem(said, `satisfy enum value set: [${values.join(", ")}]`)]
      : []),
  ];
}

/** The value as AWS's message repeats it: as a whole, however long it is. */
const mostSaid = 200;

export const namePattern = /^[.\-_A-Za-z0-9]+$/;
/** Of a bus, by name or ARN. */
export const busPattern = /^(arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:[0-9]{12}:event-bus\/)?[/.\-_A-Za-z0-9]+$/;
