import { type EventTrigger, type Notification } from "../../handler/notifications/define";
import { anyOf, complementOf, type EventPattern } from "../../handler/notifications/patterns";

/** A rule for events that no notification's rule takes. */
export interface ComplementRule {
  /** The rule's name without project and stage. */
  readonly name: string;
  readonly pattern: EventPattern;
}

type Triggered = Pick<Notification, "trigger">;

/**
 * Rules for the events that a notification should have taken and did not. Such an event has the notification's source
 * and detail-type, and a value that is in neither its pattern nor its `ignored`. There are as many rules as it takes to
 * keep each pattern within `mostCharacters`.
 */
export function unmatchedRules(notifications: readonly Triggered[], mostCharacters: number): ComplementRule[] {
  return named("unmatched-rule", pack(eventTriggers(notifications).flatMap(complementOf), mostCharacters));
}

export interface UnroutedRules {
  readonly rules: readonly ComplementRule[];
  /**
   * Sources with more detail-types than a pattern can exclude one by one. The pattern excludes only their beginnings.
   */
  readonly inexact: readonly { readonly source: string; readonly beginnings: readonly string[] }[];
}

/**
 * Rules for the events that come from a known source with a detail-type that no notification has. The detail-types of
 * schedules do not count as known, because the rule of a schedule is on another bus.
 *
 * Each source needs exactly one pattern. If two rules each excluded a part of its detail-types, each rule would take
 * what the other excludes. Where a source has more detail-types than a pattern can hold, the pattern excludes their
 * beginnings instead, each as long as possible. It then misses an unknown detail-type that begins like a known one, but
 * it never takes a known one.
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

/** Gives each pattern a name. The first rule has the name without a number, because most catalogues need only one. */
function named(name: string, patterns: readonly EventPattern[]): ComplementRule[] {
  return patterns.map((pattern, index) => ({ name: index === 0 ? name : `${name}-${index + 1}`, pattern }));
}

/**
 * Packs the alternatives into as few patterns as possible, in their order. An alternative that is too long by itself
 * stays whole, and then the policy rule on long patterns refuses it.
 */
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
  // A text is left out if it begins with another text of the list, which excludes it already.
  return cut.filter((text) => !cut.some((other) => other !== text && text.startsWith(other)));
}

const lengthOf = (pattern: unknown): number => JSON.stringify(pattern).length;
