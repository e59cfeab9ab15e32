import { type EventTrigger, type Notification } from "../../handler/notifications/define";
import { anyOf, complementOf, type EventPattern } from "../../handler/notifications/patterns";

/** A rule for events that no notification's rule takes. */
export interface ComplementRule {
  /** Behind project and stage. */
  readonly name: string;
  readonly pattern: EventPattern;
}

type Triggered = Pick<Notification, "trigger">;

/**
 * The rules of the events that a notification should have taken and did not: of its source and detail-type, with a value
 * that neither its pattern nor its `ignored` has. As many as the length of a pattern asks for.
 */
export function unmatchedRules(notifications: readonly Triggered[], mostCharacters: number): ComplementRule[] {
  return named("unmatched-rule", pack(eventTriggers(notifications).flatMap(complementOf), mostCharacters));
}

export interface UnroutedRules {
  readonly rules: readonly ComplementRule[];
  /** Sources of so many detail-types that a pattern can't exclude each; only their beginnings are. */
  readonly inexact: readonly { readonly source: string; readonly beginnings: readonly string[] }[];
}

/**
 * The rules of the events that come from a source of ours with a detail-type that nobody has a rule for. A schedule's
 * detail-type is none of the bus: the schedule's rule is on another.
 *
 * "None of these" can't be shared between rules, for each of them would take what the others know. Where a source has more
 * detail-types than one pattern can hold, the pattern excludes beginnings of them, as long as possible: it then misses an
 * unknown detail-type that begins like a known one, and never takes a known one.
 */
export function unroutedRules(notifications: readonly Triggered[], mostCharacters: number): UnroutedRules {
  const known = eventTriggers(notifications);
  const sources = [...new Set(notifications.map(({ trigger }) => trigger.source))];
  const inexact: { source: string; beginnings: string[] }[] = [];
  const alternatives = sources.map((source): EventPattern => {
    const detailTypes = [
      ...new Set(known.filter((trigger) => trigger.source === source).map(({ detailType }) => detailType)),
    ];
    if (detailTypes.length === 0) return { source: [source] };
    const exact = { source: [source], "detail-type": [{ "anything-but": detailTypes }] };
    if (lengthOf(exact) <= mostCharacters) return exact;
    const byBeginning = (beginnings: readonly string[]) => ({
      source: [source],
      "detail-type": [{ "anything-but": { prefix: beginnings } }],
    });
    const beginnings = longestBeginnings(detailTypes, (some) => lengthOf(byBeginning(some)) <= mostCharacters);
    inexact.push({ source, beginnings });
    return byBeginning(beginnings);
  });
  return { rules: named("unrouted-rule", pack(alternatives, mostCharacters)), inexact };
}

function eventTriggers(notifications: readonly Triggered[]): EventTrigger[] {
  return notifications.flatMap(({ trigger }) => (trigger.kind === "event" ? [trigger] : []));
}

/** Of the first, the name is without a number: most catalogues need no second. */
function named(name: string, patterns: readonly EventPattern[]): ComplementRule[] {
  return patterns.map((pattern, index) => ({ name: index === 0 ? name : `${name}-${index + 1}`, pattern }));
}

/** As few patterns as hold all alternatives in their order; one that is too long by itself is left to the policy rule. */
function pack(alternatives: readonly EventPattern[], mostCharacters: number): EventPattern[] {
  const groups: EventPattern[][] = [];
  for (const alternative of alternatives) {
    const last = groups.at(-1);
    const together = anyOf([...(last ?? []), alternative]);
    if (last !== undefined && lengthOf(together) <= mostCharacters) last.push(alternative);
    else groups.push([alternative]);
  }
  return groups.map(anyOf).filter((pattern) => pattern !== undefined);
}

function longestBeginnings(texts: readonly string[], fits: (beginnings: readonly string[]) => boolean): string[] {
  const longest = Math.max(...texts.map((text) => Array.from(text).length));
  for (let length = longest; length > 1; length -= 1) {
    const beginnings = beginningsOf(texts, length);
    if (fits(beginnings)) return beginnings;
  }
  return beginningsOf(texts, 1);
}

function beginningsOf(texts: readonly string[], length: number): string[] {
  const cut = [...new Set(texts.map((text) => Array.from(text).slice(0, length).join("")))].sort();
  // What begins with another one is excluded by that.
  return cut.filter((text) => !cut.some((other) => other !== text && text.startsWith(other)));
}

const lengthOf = (pattern: unknown): number => JSON.stringify(pattern).length;
