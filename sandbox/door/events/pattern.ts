import { BlockList, isIP } from "node:net";
import { isRecord } from "../http";

/**
 * EventBridge's content filtering:
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html.
 * A pattern is compiled once, so that what EventBridge would refuse is refused when the rule is made.
 */
export type Matcher = (event: unknown) => boolean;

export class InvalidEventPattern extends Error {
  override readonly name = "InvalidEventPatternException";

  constructor(reason: string) {
    super(`Event pattern is not valid. Reason: ${reason}`);
  }
}

/** `undefined` stands for a field that is not there; its value is a scalar, as an array matches by its elements. */
type Test = (value: unknown) => boolean;

export function compilePattern(text: string): Matcher {
  let pattern: unknown;
  try {
    pattern = JSON.parse(text);
  } catch (cause) {
    throw new InvalidEventPattern(`it is no JSON: ${String(cause)}`);
  }
  if (!isRecord(pattern)) throw new InvalidEventPattern("Filter is not an object");
  return fields(pattern, "");
}

/** Every field of `pattern` matches the same object. */
function fields(pattern: Readonly<Record<string, unknown>>, path: string): Matcher {
  const names = Object.keys(pattern);
  if (names.length === 0) throw new InvalidEventPattern(`Empty objects are not allowed: "${path}"`);
  const matchers = names.map((name) =>
    name === "$or"
      ? alternatives(pattern[name], path)
      : field(name, pattern[name], path === "" ? name : `${path}.${name}`),
  );
  return (event) => matchers.every((matches) => matches(event));
}

function alternatives(patterns: unknown, path: string): Matcher {
  if (!Array.isArray(patterns) || patterns.length < 2 || !patterns.every(isRecord)) {
    throw new InvalidEventPattern(`"$or" must be an array of two or more objects${path && `, in "${path}"`}`);
  }
  const matchers = patterns.map((pattern) => fields(pattern, path));
  return (event) => matchers.some((matches) => matches(event));
}

function field(name: string, pattern: unknown, path: string): Matcher {
  if (Array.isArray(pattern)) {
    if (pattern.length === 0) throw new InvalidEventPattern(`Empty arrays are not allowed: "${path}"`);
    const tests = pattern.map((filter) => test(filter, path));
    return (event) => {
      const values = scalars(isRecord(event) ? event[name] : undefined);
      return tests.some((matches) => (values.length === 0 ? matches(undefined) : values.some(matches)));
    };
  }
  if (!isRecord(pattern)) throw new InvalidEventPattern(`"${path}" must be an object or an array`);
  const matches = fields(pattern, path);
  return (event) => {
    const value = isRecord(event) ? event[name] : undefined;
    // In an array of objects, one element has to match the whole sub-pattern.
    return Array.isArray(value) ? value.flat(Infinity).some(matches) : matches(value);
  };
}

/** The leaves at a path. An object is no leaf: `exists` does not see it. */
function scalars(value: unknown): unknown[] {
  const values: unknown[] = Array.isArray(value) ? value.flat(Infinity) : [value];
  return values.filter((each) => each !== undefined && !isRecord(each));
}

function isScalar(value: unknown): boolean {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

function test(filter: unknown, path: string): Test {
  if (isScalar(filter)) return (value) => value === filter;
  const [operator, ...others] = isRecord(filter) ? Object.keys(filter) : [];
  if (!isRecord(filter) || operator === undefined || others.length > 0) {
    throw new InvalidEventPattern(`Only one key allowed in match expression, in "${path}"`);
  }
  const build = operators[operator];
  if (build === undefined) throw new InvalidEventPattern(`Unrecognized match type ${operator}, in "${path}"`);
  return build(filter[operator], path);
}

const operators: Readonly<Record<string, (operand: unknown, path: string) => Test>> = {
  prefix: (operand, path) => affix("prefix", operand, path, (value, part) => value.startsWith(part)),
  suffix: (operand, path) => affix("suffix", operand, path, (value, part) => value.endsWith(part)),
  "equals-ignore-case": (operand, path) => {
    const wanted = text("equals-ignore-case", operand, path).toLowerCase();
    return onText((value) => value.toLowerCase() === wanted);
  },
  wildcard: (operand, path) => {
    const expression = wildcard(text("wildcard", operand, path), path);
    return onText((value) => expression.test(value));
  },
  exists: (operand, path) => {
    if (typeof operand !== "boolean") {
      throw new InvalidEventPattern(`exists match pattern must be either true or false, in "${path}"`);
    }
    return (value) => (value !== undefined) === operand;
  },
  numeric,
  cidr,
  "anything-but": anythingBut,
};

const onText =
  (matches: (value: string) => boolean): Test =>
  (value) =>
    typeof value === "string" && matches(value);

function text(operator: string, operand: unknown, path: string): string {
  if (typeof operand !== "string")
    throw new InvalidEventPattern(`${operator} match pattern must be a string, in "${path}"`);
  return operand;
}

function affix(
  operator: string,
  operand: unknown,
  path: string,
  matches: (value: string, part: string) => boolean,
): Test {
  if (isRecord(operand)) {
    const [inner, ...others] = Object.keys(operand);
    if (inner !== "equals-ignore-case" || others.length > 0) {
      throw new InvalidEventPattern(`Unsupported anything in a ${operator} pattern: ${String(inner)}, in "${path}"`);
    }
    const part = text(inner, operand[inner], path).toLowerCase();
    return onText((value) => matches(value.toLowerCase(), part));
  }
  const part = text(operator, operand, path);
  return onText((value) => matches(value, part));
}

/** `*` stands for any characters; `\*` and `\\` for the characters themselves. */
function wildcard(pattern: string, path: string): RegExp {
  if (/(?<!\\)(?:\\\\)*\*\*/.test(pattern)) {
    throw new InvalidEventPattern(`Consecutive wildcard characters, in "${path}": ${pattern}`);
  }
  const tokens = pattern.match(/\\[*\\]|[^]/g) ?? [];
  const source = tokens.map((token) =>
    token === "*" ? "[^]*" : (token.length === 2 ? token.slice(1) : token).replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"),
  );
  return new RegExp(`^${source.join("")}$`, "u");
}

const comparisons: Readonly<Record<string, (value: number, limit: number) => boolean>> = {
  "=": (value, limit) => value === limit,
  "<": (value, limit) => value < limit,
  "<=": (value, limit) => value <= limit,
  ">": (value, limit) => value > limit,
  ">=": (value, limit) => value >= limit,
};

function numeric(operand: unknown, path: string): Test {
  if (!Array.isArray(operand) || operand.length === 0 || operand.length % 2 !== 0) {
    throw new InvalidEventPattern(`Invalid numeric match: an array of operators and numbers is needed, in "${path}"`);
  }
  const tests: ((value: number) => boolean)[] = [];
  for (let index = 0; index < operand.length; index += 2) {
    const compare = comparisons[String(operand[index])];
    const limit: unknown = operand[index + 1];
    if (compare === undefined) {
      throw new InvalidEventPattern(`Unrecognized numeric range operator: ${String(operand[index])}, in "${path}"`);
    }
    if (typeof limit !== "number") {
      throw new InvalidEventPattern(`Value of ${String(operand[index])} must be numeric, in "${path}"`);
    }
    tests.push((value) => compare(value, limit));
  }
  return (value) => typeof value === "number" && tests.every((matches) => matches(value));
}

function cidr(operand: unknown, path: string): Test {
  const [address = "", bits = ""] = text("cidr", operand, path).split("/");
  const version = isIP(address);
  const prefix = bits === "" ? Number.NaN : Number(bits);
  const most = version === 4 ? 32 : 128;
  if (version === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > most) {
    throw new InvalidEventPattern(`Malformed CIDR, in "${path}": ${String(operand)}`);
  }
  const block = new BlockList();
  block.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  return onText((value) => isIP(value) === version && block.check(value, version === 4 ? "ipv4" : "ipv6"));
}

/** The negation of one operator, of a value or of a list of them. It needs a value: a missing field does not match. */
function anythingBut(operand: unknown, path: string): Test {
  const forbidden = isRecord(operand)
    ? forbiddenBy(operand, path)
    : values(operand, path).map((value) => test(value, path));
  return (value) => value !== undefined && !forbidden.some((matches) => matches(value));
}

function forbiddenBy(operand: Readonly<Record<string, unknown>>, path: string): Test[] {
  const [operator = "", ...others] = Object.keys(operand);
  if (!["prefix", "suffix", "equals-ignore-case", "wildcard"].includes(operator) || others.length > 0) {
    throw new InvalidEventPattern(`Unsupported anything-but pattern: ${operator}, in "${path}"`);
  }
  return values(operand[operator], path).map((value) => test({ [operator]: value }, path));
}

function values(operand: unknown, path: string): unknown[] {
  const list: unknown[] = Array.isArray(operand) ? operand : [operand];
  if (list.length === 0 || !list.every(isScalar)) {
    throw new InvalidEventPattern(`Inside anything-but list, only values are allowed, in "${path}"`);
  }
  return list;
}
