import { type Change } from "./terraform-json";

/** What differs between a resource before and after the apply. */

/** What can be shown of a value. */
export type Shown =
  | { readonly kind: "value"; readonly value: unknown }
  /** There is no value, or an empty one: to AWS, most attributes are the same without a value and with an empty one. */
  | { readonly kind: "none" }
  | { readonly kind: "unknown" }
  | { readonly kind: "sensitive" };

export interface Difference {
  /** For example `metric_query[0].period`. */
  readonly path: string;
  readonly before: Shown;
  readonly after: Shown;
}

/** The two sides of a change, with the marks of what is unknown and what is sensitive. */
interface Sides {
  readonly before: unknown;
  readonly after: unknown;
  readonly unknown: unknown;
  readonly sensitiveBefore: unknown;
  readonly sensitiveAfter: unknown;
}

/** Attributes that repeat another one (`tags_all`), or that say when Terraform looked. */
const repeated: ReadonlySet<string> = new Set(["tags_all", "last_modified", "timeouts"]);

/** Lists the attributes that differ. */
export function differencesOf(change: Change): Difference[] {
  const sides = {
    before: change.before,
    after: change.after,
    unknown: change.after_unknown,
    sensitiveBefore: change.before_sensitive,
    sensitiveAfter: change.after_sensitive,
  };
  return memberDifferences(sides, "").filter(({ path }) => !repeated.has(path.split(/[.[]/)[0] ?? ""));
}

function compare(sides: Sides, path: string): Difference[] {
  const { before, after, unknown, sensitiveBefore, sensitiveAfter } = sides;
  // A secret stays one where it becomes public, and where it was public: its other side may be almost the same.
  if (sensitiveBefore === true || sensitiveAfter === true) {
    if (unknown !== true && same(before, after)) return [];
    return [{ path, before: hidden(before), after: unknown === true ? { kind: "unknown" } : hidden(after) }];
  }
  if (unknown === true) return [{ path, before: shown(before), after: { kind: "unknown" } }];
  if (isContainer(before) || isContainer(after)) {
    if (isList(before, after) && !hasMarks(unknown, sensitiveBefore, sensitiveAfter)) {
      return same(before, after) ? [] : [{ path, before: shown(before), after: shown(after) }];
    }
    return memberDifferences(sides, path);
  }
  return same(before, after) ? [] : [{ path, before: shown(before), after: shown(after) }];
}

function memberDifferences(sides: Sides, path: string): Difference[] {
  const all = Object.values(sides) as unknown[];
  const isIndexed = [sides.before, sides.after].some(Array.isArray);
  const names = [...new Set(all.flatMap((side) => (isContainer(side) ? Object.keys(side) : [])))];
  return names.flatMap((name) =>
    compare(
      {
        before: member(sides.before, name),
        after: member(sides.after, name),
        unknown: marked(sides.unknown, name),
        sensitiveBefore: marked(sides.sensitiveBefore, name),
        sensitiveAfter: marked(sides.sensitiveAfter, name),
      },
      isIndexed ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`,
    ),
  );
}

const isContainer = (value: unknown): value is object => typeof value === "object" && value !== null;

const member = (value: unknown, name: string): unknown =>
  isContainer(value) && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;

/** A mark on a whole covers its parts. */
const marked = (marks: unknown, name: string): unknown => (marks === true ? true : member(marks, name));

/** Whether both sides are lists of plain values, which are compared as wholes. */
const isList = (...sides: readonly unknown[]): boolean =>
  sides.some(Array.isArray) &&
  sides.every((side) => isEmpty(side) || (Array.isArray(side) && side.every((each) => !isContainer(each))));

const hasMarks = (...marks: readonly unknown[]): boolean =>
  marks.some((mark) => mark === true || (isContainer(mark) && hasMarks(...(Object.values(mark) as unknown[]))));

/** Whether the value is one that stands for none. */
export function isEmpty(value: unknown): boolean {
  if (isContainer(value)) return Object.keys(value).length === 0;
  return value === undefined || value === null || value === "" || value === 0 || value === false;
}

/** JSON texts are compared by their content, and lists of texts regardless of their order. */
function same(before: unknown, after: unknown): boolean {
  return (isEmpty(before) && isEmpty(after)) || canonical(before) === canonical(after);
}

/** A text that is equal for equal values, whatever the order of members. */
export function canonical(value: unknown): string {
  const parsed = typeof value === "string" ? parsedJson(value) : undefined;
  return JSON.stringify(inOrder(parsed ?? value ?? null));
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (!isContainer(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, each]) => [name, inOrder(each)]),
  );
}

/** The object or the list that a text holds as JSON; `undefined` for any other text. */
export function parsedJson(text: string): object | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    return isContainer(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

const shown = (value: unknown): Shown =>
  isEmpty(value) && value !== 0 && value !== false ? { kind: "none" } : { kind: "value", value };

const hidden = (value: unknown): Shown => (isEmpty(value) ? { kind: "none" } : { kind: "sensitive" });
