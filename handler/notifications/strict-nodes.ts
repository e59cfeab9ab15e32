import { isDeepStrictEqual } from "node:util";
import * as z from "zod/mini";

/**
 * Replacements for the kinds of schema at which Zod drops the report of an unknown field that comes from a schema
 * within them. Each reads values as Zod does, except that the report is kept. For JSON Schema, checks and error texts
 * it is still Zod's own schema.
 */

type Schema = z.core.$ZodType;
type Payload = z.core.ParsePayload;
type Context = z.core.ParseContextInternal;
type Issue = z.core.$ZodRawIssue;
type Path = readonly PropertyKey[];

/** Makes a catch that replaces wrong values as usual, but still reports unknown fields. */
export function strictCatch(schema: z.core.$ZodCatch): Schema {
  const { def } = schema._zod;
  return reading(schema, (payload, context) => {
    const inner = run(def.innerType, payload.value, context);
    if (inner.issues.every(isUnknownField)) return add(payload, inner);
    const caught = z.clone(schema, { ...def, checks: [], innerType: replay(inner) });
    return add(payload, {
      value: run(caught, payload.value, context).value,
      issues: inner.issues.flatMap(unknownFieldsIn),
    });
  });
}

/**
 * Makes a union that reports unknown fields. If all alternatives refuse the value, the one that is meant is the one
 * that has only unknown fields to report. The union reports these as its own issues, so that the other half of an
 * intersection can still take the fields.
 * @param first is tried before the alternatives. If it refuses the value, its issues are dropped.
 */
export function strictUnion(schema: z.core.$ZodUnion, first?: Schema): Schema {
  const { def } = schema._zod;
  return reading(schema, (payload, context) => {
    const taken = first === undefined ? undefined : run(first, payload.value, context);
    if (taken?.issues.length === 0) return add(payload, taken);
    const results: Payload[] = [];
    for (const option of def.options) {
      const result = run(option, payload.value, context);
      // An exclusive union has to know whether other alternatives take the value as well.
      if (result.issues.length === 0 && def.inclusive !== false) return add(payload, result);
      results.push(result);
    }
    const meant = fewest(results.filter(({ issues }) => issues.every(isUnknownField)));
    if (meant !== undefined && meant.issues.length > 0) return add(payload, meant);
    return add(
      payload,
      run(z.clone(schema, { ...def, checks: [], options: results.map(replay) }), payload.value, context),
    );
  });
}

/**
 * Makes a discriminated union that, if the discriminator is wrong, also reports the fields that no alternative knows.
 */
export function strictDiscriminatedUnion(schema: z.core.$ZodDiscriminatedUnion): Schema {
  const { def } = schema._zod;
  const parse = schema._zod.parse.bind(schema._zod);
  return reading(schema, (payload, context) => {
    const result = parse(payload, context) as Payload;
    const isUndecided = result.issues.some(({ code, inst }) => code === "invalid_union" && inst === schema);
    if (!isUndecided) return result;
    const alternatives = def.options.map((option) => run(option, result.value, context).issues);
    result.issues.push(...commonUnknownFields(alternatives));
    return result;
  });
}

/**
 * Makes an intersection that reports a field, at every level, if neither half knows it. If one half changes a value and
 * the other does not, the changed value counts. (Zod's own intersection throws in that case.)
 */
export function strictIntersection(schema: z.core.$ZodIntersection): Schema {
  const { def } = schema._zod;
  return reading(schema, (payload, context) => {
    const { value } = payload;
    const left = run(def.left, value, context);
    const right = run(def.right, value, context);
    const leftPaths = left.issues.flatMap(unknownFieldsIn).flatMap(pathsOf);
    const rightPaths = right.issues.flatMap(unknownFieldsIn).flatMap(pathsOf);
    const issues = [
      ...left.issues.flatMap((issue) => keepPaths(issue, (path) => rightPaths.some((other) => leadsTo(other, path)))),
      // A field that both halves refuse is reported once, by the left half.
      ...right.issues.flatMap((issue) =>
        keepPaths(issue, (path) => leftPaths.some((other) => other.length < path.length && leadsTo(other, path))),
      ),
    ];
    if (!issues.every(isUnknownField)) return add(payload, { value, issues });
    const differences: Path[] = [];
    const merged = merge(left.value, right.value, value, [], differences);
    return add(payload, {
      value: merged,
      issues: [...issues, ...differences.map((path) => readDifferently(path, value))],
    });
  });
}

/**
 * Makes a pipe that keeps the issues of its first half away from the second half, because a union or an optional text
 * there would drop them.
 */
export function strictPipe(schema: z.core.$ZodPipe): Schema {
  const { def } = schema._zod;
  return reading(schema, (payload, context) => {
    const first = run(def.in, payload.value, context);
    if (!first.issues.every(({ code }) => code === "unrecognized_keys")) {
      payload.aborted = true;
      return add(payload, first);
    }
    const second = run(def.out, first.value, context);
    return add(payload, { ...second, issues: [...first.issues, ...second.issues] });
  });
}

/** Changes how a schema reads a value; its checks still run afterwards. The schema has to be a clone made for this. */
function reading(schema: Schema, read: (payload: Payload, context: Context) => Payload): Schema {
  const internals = schema._zod;
  const hasChecks = internals.run !== internals.parse;
  internals.parse = read;
  if (!hasChecks) internals.run = read;
  return schema;
}

function run(schema: Schema, value: unknown, context: Context): Payload {
  // The result is no promise: `safeParse` throws if a schema is asynchronous, and `schemaProblems` refuses
  // `z.promise()`.
  return schema._zod.run({ value, issues: [] }, context) as Payload;
}

function add(payload: Payload, { value, issues }: Payload): Payload {
  payload.value = value;
  payload.issues.push(...issues);
  return payload;
}

/** Makes a schema that returns another schema's finished result for any value, so that nothing is read twice. */
function replay({ value, issues }: Payload): Schema {
  return z.transform((_, context) => {
    context.issues.push(...issues);
    return value;
  });
}

function isUnknownField(issue: Issue): boolean {
  if (issue.code === "custom") return issue.params?.isUnknownField === true;
  return issue.code === "unrecognized_keys" || (issue.code === "invalid_key" && issue.origin === "record");
}

/**
 * Lists the unknown fields of an issue. Of a union's alternatives, only those whose type the value has are considered.
 */
function unknownFieldsIn(issue: Issue): readonly Issue[] {
  if (isUnknownField(issue)) return [issue];
  if (issue.code !== "invalid_union") return [];
  return commonUnknownFields(issue.errors as readonly (readonly Issue[])[]).map((unknown) => ({
    ...unknown,
    path: [...(issue.path ?? []), ...(unknown.path ?? [])],
  }));
}

function commonUnknownFields(alternatives: readonly (readonly Issue[])[]): readonly Issue[] {
  const found = alternatives
    .filter((issues) => issues.every(isWithin))
    .map((issues) => ({ issues: issues.flatMap(unknownFieldsIn) }));
  return fewest(found)?.issues ?? [];
}

/** Whether an issue is about something within the value, which means that the value itself has the right type. */
function isWithin(issue: Issue): boolean {
  if (isUnknownField(issue) || (issue.path ?? []).length > 0) return true;
  if (issue.code !== "invalid_union") return false;
  return (issue.errors as readonly (readonly Issue[])[]).some((issues) => issues.every(isWithin));
}

function fewest<Result extends { readonly issues: readonly Issue[] }>(results: readonly Result[]): Result | undefined {
  const count = ({ issues }: Result) => issues.flatMap(pathsOf).length;
  return [...results].sort((one, other) => count(one) - count(other))[0];
}

function pathsOf(issue: Issue): readonly Path[] {
  const path = issue.path ?? [];
  return issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...path, key]) : [path];
}

/**
 * Returns the issue with those of its unknown fields for which `isKept` is true. A field that differs from a known one
 * by case only (code `custom`) is always kept.
 */
function keepPaths(issue: Issue, isKept: (path: Path) => boolean): readonly Issue[] {
  if (issue.code === "unrecognized_keys") {
    const keys = issue.keys.filter((key) => isKept([...(issue.path ?? []), key]));
    return keys.length === 0 ? [] : [{ ...issue, keys }];
  }
  return issue.code !== "custom" && isUnknownField(issue) && !isKept(issue.path ?? []) ? [] : [issue];
}

function leadsTo(path: Path, longer: Path): boolean {
  return path.every((part, index) => String(part) === String(longer[index]));
}

function merge(left: unknown, right: unknown, given: unknown, path: Path, differences: Path[]): unknown {
  if (isPlainObject(left) && isPlainObject(right)) {
    const values = isPlainObject(given) ? given : {};
    const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].filter((name) => name !== "__proto__");
    return Object.fromEntries(
      names.map((name) => {
        if (!Object.hasOwn(right, name)) return [name, left[name]];
        if (!Object.hasOwn(left, name)) return [name, right[name]];
        return [name, merge(left[name], right[name], values[name], [...path, name], differences)];
      }),
    );
  }
  if (Array.isArray(left) && Array.isArray(right) && left.length === right.length) {
    const values: readonly unknown[] = Array.isArray(given) ? given : [];
    return left.map((item, index) => merge(item, right[index], values[index], [...path, index], differences));
  }
  if (isDeepStrictEqual(left, right) || isDeepStrictEqual(right, given)) return left;
  if (!isDeepStrictEqual(left, given)) differences.push(path);
  return right;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function readDifferently(path: Path, input: unknown): Issue {
  return {
    code: "custom",
    path: [...path],
    message: "is read in two ways by the notification's own schema: let one half of its intersection change it",
    input,
  };
}
