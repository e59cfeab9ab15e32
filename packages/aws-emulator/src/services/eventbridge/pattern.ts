import { isRecord } from "../../gateway/http";
import { type Filter, filterOf, InvalidEventPattern, reservedNames } from "./pattern-filters";

export { InvalidEventPattern } from "./pattern-filters";

/**
 * EventBridge's content filtering:
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html.
 * It works as https://github.com/aws/event-ruler does: a pattern is a list of alternatives, each a filter list for every
 * dotted path; an event is the list of the values at its dotted paths. What AWS refuses is refused when it is compiled.
 */
export type Matcher = (event: unknown) => boolean;

/** What a pattern says of one path: compiled, and as it is written. */
interface Condition {
  readonly filters: readonly Filter[];
  readonly written: readonly unknown[];
}

/** One way to match: all of its paths have to. */
type Alternative = ReadonlyMap<string, Condition>;

/** How near an event comes to a pattern that it does not match. */
export interface Nearness {
  /** How many of the pattern's fields match. */
  readonly matching: number;
  /** How many fields the pattern has: with `$or`, those of the alternative that comes nearest. */
  readonly fields: number;
  /**
   * The first field, in the pattern's order, that differs. Missing: each field matches by itself, but not in the same
   * element of an array.
   */
  readonly difference?: Difference;
}

interface Difference {
  /** `detail.priority` */
  readonly path: string;
  /** The filters of the pattern, as they are written. */
  readonly expected: readonly unknown[];
  /** The event's values there: several in an array, none where the field is missing. */
  readonly actual: readonly unknown[];
}

export interface CompiledPattern {
  readonly matches: Matcher;
  /** For an event that the pattern does not match. */
  readonly nearness: (event: unknown) => Nearness;
}

/** PutRule refuses a pattern whose `$or` lists make more (the page above). */
const mostAlternatives = 1000;

/** @throws InvalidEventPattern */
export const compilePattern = (text: string): Matcher => parsePattern(text).matches;

/** @throws InvalidEventPattern */
export function parsePattern(text: string): CompiledPattern {
  let pattern: unknown;
  try {
    pattern = JSON.parse(text);
  } catch (cause) {
    throw new InvalidEventPattern(
      `it is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      undefined,
      {
        cause,
      },
    );
  }
  if (!isRecord(pattern)) throw new InvalidEventPattern("Filter is not an object");
  const alternatives = parseObject(pattern, undefined, [new Map()], false);
  const paths = prefixesOf(alternatives);
  return {
    matches: (event) => {
      if (!isRecord(event)) return false;
      const leaves = leavesOf(event, paths);
      return alternatives.some((alternative) => matches(alternative, leaves));
    },
    nearness: (event) => {
      const leaves = leavesOf(isRecord(event) ? event : {}, paths);
      return alternatives.map((alternative) => nearnessOf(alternative, leaves)).reduce(nearer);
    },
  };
}

/** Most fields that match; then fewest that do not. */
const nearer = (one: Nearness, other: Nearness): Nearness => (compareNearness(other, one) < 0 ? other : one);

/** Negative where the first is the nearer one. */
export const compareNearness = (one: Nearness, other: Nearness): number =>
  other.matching - one.matching || one.fields - one.matching - (other.fields - other.matching);

function nearnessOf(alternative: Alternative, leaves: ReadonlyMap<string, readonly Leaf[]>): Nearness {
  const differing = [...alternative].filter(([path, { filters }]) => {
    const values = leaves.get(path) ?? [];
    if (values.length === 0) return !filters.includes("absent");
    return !values.some(({ value }) => filters.some((filter) => filter !== "absent" && filter(value)));
  });
  const [first] = differing;
  const counts = { matching: alternative.size - differing.length, fields: alternative.size };
  if (first === undefined) return counts;
  const [path, { written }] = first;
  const actual = (leaves.get(path) ?? []).map(({ value }) => value).reverse();
  return { ...counts, difference: { path, expected: written, actual } };
}

const join = (path: string | undefined, name: string) => (path === undefined ? name : `${path}.${name}`);

function parseObject(
  pattern: Readonly<Record<string, unknown>>,
  path: string | undefined,
  before: readonly Alternative[],
  isInsideOr: boolean,
): readonly Alternative[] {
  const entries = Object.entries(pattern);
  if (entries.length === 0) throw new InvalidEventPattern("Empty objects are not allowed", path);
  return entries.reduce((alternatives, [name, value]) => {
    const below = join(path, name);
    if (name === "$or") return parseOr(value, path, alternatives);
    if (isInsideOr && reservedNames.has(name)) {
      throw new InvalidEventPattern(`${name} is Ruler reserved fieldName which cannot be used inside $or.`, path);
    }
    if (isRecord(value)) return parseObject(value, below, alternatives, isInsideOr);
    if (!Array.isArray(value)) throw new InvalidEventPattern(`"${name}" must be an object or an array`, path);
    if (value.length === 0) throw new InvalidEventPattern("Empty arrays are not allowed", below);
    const filters = value.map((each) => filterOf(each, below));
    // A path that is written twice, nested and with dots, has its last filters.
    const condition: Condition = { filters, written: value as unknown[] };
    return alternatives.map((alternative) => new Map([...alternative, [below, condition]]));
  }, before);
}

function parseOr(patterns: unknown, path: string | undefined, before: readonly Alternative[]): readonly Alternative[] {
  if (!Array.isArray(patterns)) throw new InvalidEventPattern("It must be an Array followed with $or.", path);
  const after: Alternative[] = [];
  for (const pattern of patterns as unknown[]) {
    if (!isRecord(pattern)) {
      throw new InvalidEventPattern("Only JSON object is allowed in array of $or relationship.", path);
    }
    after.push(...parseObject(pattern, path, before, true));
    if (after.length > mostAlternatives) {
      throw new InvalidEventPattern(
        `$or makes more than ${mostAlternatives} combinations of the pattern's fields`,
        path,
      );
    }
  }
  if (patterns.length < 2) {
    throw new InvalidEventPattern("There must have at least 2 Objects in $or relationship.", path);
  }
  return after;
}

/** The pattern's paths and what leads to them: an event is not looked into anywhere else, however deep it is. */
function prefixesOf(alternatives: readonly Alternative[]): ReadonlySet<string> {
  const prefixes = new Set<string>();
  for (const path of alternatives.flatMap((alternative) => [...alternative.keys()])) {
    for (let end = path.indexOf("."); end !== -1; end = path.indexOf(".", end + 1)) prefixes.add(path.slice(0, end));
    prefixes.add(path);
  }
  return prefixes;
}

/** Of the arrays that a value stands in, by their ids: the index of the element that it is in. */
type Elements = ReadonlyMap<number, number>;

interface Leaf {
  readonly value: unknown;
  readonly elements: Elements;
}

/** A position in an array, and that array's own position. */
interface Within {
  readonly id: number;
  readonly index: number;
  readonly parent: Within | undefined;
}

function elementsOf(within: Within | undefined): Elements {
  const elements = new Map<number, number>();
  for (let each = within; each !== undefined; each = each.parent) elements.set(each.id, each.index);
  return elements;
}

/** The scalars of an event by path. Objects and empty arrays are none: `exists` does not see them. */
function leavesOf(event: Readonly<Record<string, unknown>>, paths: ReadonlySet<string>): Map<string, Leaf[]> {
  const leaves = new Map<string, Leaf[]>();
  // No recursion: an event of another tool may be deeper than the stack.
  const left: { value: unknown; path: string | undefined; within: Within | undefined }[] = [
    { value: event, path: undefined, within: undefined },
  ];
  let arrays = 0;
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { value, path, within } = next;
    if (isRecord(value)) {
      for (const [name, member] of Object.entries(value)) {
        const below = join(path, name);
        if (paths.has(below)) left.push({ value: member, path: below, within });
      }
    } else if (Array.isArray(value)) {
      const id = arrays++;
      for (const [index, element] of (value as unknown[]).entries()) {
        // Scalars of one array are alternatives of each other, and bind no other field to their position.
        const isContainer = typeof element === "object" && element !== null;
        left.push({ value: element, path, within: isContainer ? { id, index, parent: within } : within });
      }
    } else if (path !== undefined) {
      const leaf = { value, elements: elementsOf(within) };
      const known = leaves.get(path);
      if (known === undefined) leaves.set(path, [leaf]);
      else known.push(leaf);
    }
  }
  return leaves;
}

/**
 * Whether the event has a value for each path, so that values below one array come from the same element. The paths are
 * tried in the order of their names, as `exists: false` is asked of the elements that were chosen before.
 */
function matches(alternative: Alternative, leaves: ReadonlyMap<string, readonly Leaf[]>): boolean {
  const paths = [...alternative.keys()].sort();
  const candidates = paths.map((path) => {
    const filters = alternative.get(path)?.filters ?? [];
    const all = leaves.get(path) ?? [];
    const fitting = all.filter(({ value }) => filters.some((filter) => filter !== "absent" && filter(value)));
    return { all, fitting, mayBeAbsent: filters.includes("absent") };
  });
  if (candidates.some(({ fitting, mayBeAbsent }) => fitting.length === 0 && !mayBeAbsent)) return false;
  let chosen: Elements[] = [new Map()];
  for (const [index, { all, fitting, mayBeAbsent }] of candidates.entries()) {
    const later = new Set(
      candidates.slice(index + 1).flatMap((each) => each.all.flatMap(({ elements }) => [...elements.keys()])),
    );
    const next = new Map<string, Elements>();
    for (const elements of chosen) {
      const ways = fitting.flatMap((leaf) => together(elements, leaf.elements) ?? []);
      if (mayBeAbsent && !all.some((leaf) => together(elements, leaf.elements) !== undefined)) ways.push(elements);
      for (const way of ways) {
        // Arrays that no later path looks into make no difference any more.
        const open = [...way].filter(([id]) => later.has(id)).sort(([one], [other]) => one - other);
        next.set(JSON.stringify(open), new Map(open));
      }
    }
    chosen = [...next.values()];
  }
  return chosen.length > 0;
}

/** Both, or `undefined` where they stand in different elements of one array. */
function together(chosen: Elements, elements: Elements): Elements | undefined {
  for (const [id, index] of elements) {
    if ((chosen.get(id) ?? index) !== index) return undefined;
  }
  return new Map([...chosen, ...elements]);
}
