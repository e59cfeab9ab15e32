import { BlockList, isIP } from "node:net";
import { isRecord } from "../../gateway/http";
import { wildcard } from "./pattern-wildcard";

/** The first line is AWS's own text; the second says where, as AWS's says which column. */
export class InvalidEventPattern extends Error {
  override readonly name = "InvalidEventPatternException";

  constructor(reason: string, path?: string, options?: ErrorOptions) {
    super(`Event pattern is not valid. Reason: ${reason}${path === undefined ? "" : `\n at "${path}"`}`, options);
  }
}

type Test = (value: unknown) => boolean;

/** What is said of a value at a path; "absent": that there is none. */
export type Filter = Test | "absent";

/** Names that `$or` does not take as fields, because an operator could be meant. */
export const reservedNames: ReadonlySet<string> = new Set(
  [
    "exactly equals-ignore-case prefix suffix anything-but exists wildcard numeric cidr = < <= > >= regex not-wildcard",
    "not-equals-ignore-case date-after date-on-or-after date-before date-on-or-before in-date-range",
    "ip-address-in-range ip-address-not-in-range",
  ].flatMap((names) => names.split(" ")),
);

/** The texts of the errors are those of https://github.com/aws/event-ruler, which AWS answers with. */
export function filterOf(pattern: unknown, path: string): Filter {
  const refuse = (reason: string): never => {
    throw new InvalidEventPattern(reason, path);
  };
  if (Array.isArray(pattern)) return refuse("Match value must be String, number, true, false, or null");
  if (!isRecord(pattern)) return scalar(pattern);
  const [operator, ...others] = Object.keys(pattern);
  if (operator === undefined) return refuse("Match expression name not found");
  const build = Object.hasOwn(operators, operator) ? operators[operator] : undefined;
  if (build === undefined) return refuse(`Unrecognized match type ${operator}`);
  const filter = build(pattern[operator], refuse);
  if (others.length === 0) return filter;
  const isList = operator === "numeric" || operator === "anything-but";
  return refuse(isList ? "Too many elements in numeric expression" : "Only one key allowed in match expression");
}

type Refuse = (reason: string) => never;

/** A value, or an IP address in any of its spellings. */
function scalar(wanted: unknown): Test {
  const version = typeof wanted === "string" ? isIP(wanted) : 0;
  if (version === 0) return (value) => value === wanted;
  const block = new BlockList();
  block.addAddress(wanted as string, version === 4 ? "ipv4" : "ipv6");
  return inBlock(block, version);
}

const operators: Readonly<Record<string, (operand: unknown, refuse: Refuse) => Filter>> = {
  exactly: (operand, refuse) => scalarText(text("exact", operand, refuse)),
  prefix: (operand, refuse) => affix("prefix", "Prefix", operand, refuse, (value, part) => value.startsWith(part)),
  suffix: (operand, refuse) => affix("suffix", "Suffix", operand, refuse, (value, part) => value.endsWith(part)),
  "equals-ignore-case": (operand, refuse) => {
    const wanted = text("equals-ignore-case", operand, refuse).toLowerCase();
    return onText((value) => value.toLowerCase() === wanted);
  },
  wildcard: (operand, refuse) => onText(wildcard(text("wildcard", operand, refuse), refuse)),
  exists: (operand, refuse) => {
    if (typeof operand !== "boolean") return refuse("exists match pattern must be either true or false.");
    return operand ? () => true : "absent";
  },
  numeric,
  cidr,
  "anything-but": anythingBut,
};

const scalarText =
  (wanted: string): Test =>
  (value) =>
    value === wanted;

const onText =
  (matches: (value: string) => boolean): Test =>
  (value) =>
    typeof value === "string" && matches(value);

function text(operator: string, operand: unknown, refuse: Refuse): string {
  return typeof operand === "string" ? operand : refuse(`${operator} match pattern must be a string`);
}

function affix(
  operator: string,
  title: string,
  operand: unknown,
  refuse: Refuse,
  matches: (value: string, part: string) => boolean,
): Test {
  if (!isRecord(operand)) {
    const part = text(operator, operand, refuse);
    return onText((value) => matches(value, part));
  }
  const [inner, ...others] = Object.keys(operand);
  if (inner === undefined) return refuse(`${title} expression name not found`);
  if (inner !== "equals-ignore-case") return refuse(`Unsupported ${operator} pattern: ${inner}`);
  const part = text(inner, operand[inner], refuse).toLowerCase();
  if (others.length > 0) return refuse("Only one key allowed in match expression");
  return onText((value) => matches(value.toLowerCase(), part));
}

const comparisons: Readonly<Record<string, (value: number, limit: number) => boolean>> = {
  "=": (value, limit) => value === limit,
  "<": (value, limit) => value < limit,
  "<=": (value, limit) => value <= limit,
  ">": (value, limit) => value > limit,
  ">=": (value, limit) => value >= limit,
};

/** One comparison, or a lower and an upper bound, in this order. */
function numeric(operand: unknown, refuse: Refuse): Test {
  if (!Array.isArray(operand)) return refuse("Value of numeric must be an array.");
  const [operator, limit, upperOperator, upperLimit, ...others] = operand as unknown[];
  if (typeof operator !== "string")
    return refuse(`Invalid member in numeric match: ${operand.length === 0 ? "]" : JSON.stringify(operator)}`);
  const compare = Object.hasOwn(comparisons, operator) ? comparisons[operator] : undefined;
  if (compare === undefined) return refuse(`Unrecognized numeric range operator: ${operator}`);
  if (typeof limit !== "number") return refuse(`Value of ${operator === "=" ? "equals" : operator} must be numeric`);
  if (operand.length === 2) return (value) => typeof value === "number" && compare(value, limit);
  if (!operator.startsWith(">")) return refuse("Too many elements in numeric expression");
  if (typeof upperOperator !== "string") return refuse(`Bad value in numeric range: ${JSON.stringify(upperOperator)}`);
  const compareUpper = upperOperator.startsWith("<") ? comparisons[upperOperator] : undefined;
  if (compareUpper === undefined) return refuse(`Bad numeric range operator: ${upperOperator}`);
  if (typeof upperLimit !== "number") return refuse(`Value of ${upperOperator} must be numeric`);
  if (others.length > 0) return refuse("Too many terms in numeric range expression");
  if (limit >= upperLimit) return refuse("Bottom must be less than top");
  return (value) => typeof value === "number" && compare(value, limit) && compareUpper(value, upperLimit);
}

function cidr(operand: unknown, refuse: Refuse): Test {
  if (typeof operand !== "string") return refuse("prefix match pattern must be a string");
  const [address = "", bits, ...others] = operand.replace(/\/+$/, "").split("/");
  if (bits === undefined || others.length > 0) return refuse("Malformed CIDR, one '/' required");
  if (!/^[+-]?\d+$/.test(bits)) return refuse("Malformed CIDR, mask bits must be an integer");
  const prefix = Number(bits);
  if (prefix < 0) return refuse("Malformed CIDR, mask bits must not be negative");
  const version = isIP(address);
  if (version === 0) return refuse(`Nonstandard IP address: ${address}`);
  const most = version === 4 ? 32 : 128;
  if (prefix >= most) return refuse(`IPv${version} mask bits must be < ${most}`);
  const block = new BlockList();
  block.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  return inBlock(block, version);
}

function inBlock(block: BlockList, version: number): Test {
  return onText((value) => isIP(value) === version && block.check(value, version === 4 ? "ipv4" : "ipv6"));
}

/** `anything-but`: values of one type, or one operator with its values. A field that is missing does not match it. */
function anythingBut(operand: unknown, refuse: Refuse): Test {
  const [operator, ...others] = isRecord(operand) ? Object.keys(operand) : [];
  if (isRecord(operand)) {
    if (operator === undefined) return refuse("Anything-But expression name not found");
    if (!["equals-ignore-case", "prefix", "suffix", "wildcard"].includes(operator)) {
      return refuse(`Unsupported anything-but pattern: ${operator}`);
    }
  }
  const given = isRecord(operand) && operator !== undefined ? operand[operator] : operand;
  if (!Array.isArray(given) && typeof given !== "string" && typeof given !== "number") {
    return refuse("Value of anything-but must be an array or single string/number value.");
  }
  const values = Array.isArray(given) ? (given as unknown[]) : [given];
  const forbidden =
    operator === undefined
      ? ofOneType(values, refuse).map(
          (value): Test =>
            (found) =>
              found === value,
        )
      : values.map((value) => operators[operator]?.(forbiddenText(operator, value, refuse), refuse) as Test);
  if (others.length > 0) return refuse("Too many elements in numeric expression");
  return (value) => !forbidden.some((matches) => matches(value));
}

function ofOneType(values: readonly unknown[], refuse: Refuse): readonly unknown[] {
  if (!values.every((value) => typeof value === "string" || typeof value === "number")) {
    return refuse("Inside anything but list, start|null|boolean is not supported.");
  }
  if (new Set(values.map((value) => typeof value)).size === 1) return values;
  return refuse("Inside anything but list, either all values are number or string, mixed type is not supported");
}

function forbiddenText(operator: string, value: unknown, refuse: Refuse): string {
  const isAffix = operator === "prefix" || operator === "suffix";
  if (typeof value !== "string") {
    if (isAffix) return refuse("prefix/suffix match pattern must be a string");
    if (operator === "wildcard") return refuse("wildcard match pattern must be a string");
    return refuse("Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.");
  }
  if (isAffix && value === "") return refuse("Null prefix/suffix not allowed");
  return value;
}
