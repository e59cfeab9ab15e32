import { maskAddresses } from "../contract/mask";
import { PermanentError } from "../errors";
import { type EventTrigger, type ScheduleTrigger } from "./define";
import { similarName, tellMeant, type Vocabulary } from "./problems";

/**
 * What a notification's trigger means on the bus, as EventBridge event patterns, and in the function. All of it comes
 * from the definition, so rule and function can't disagree:
 *
 * - `patternOf`: the events that are mailed,
 * - `complementOf`: the events of the same source and detail-type that should have been mailed, and that no rule takes
 *   without it (a priority `HIGH`, a missing field),
 * - `ignoredOf`: those that the definition leaves out on purpose.
 *
 * An event whose fields have one value each fits exactly one of the three. EventBridge matches an array where one of its
 * elements does (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-arrays.html), so an array can
 * fit more than one, and never none; `routeOf` says what comes first.
 */

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html */
export type EventPattern = Readonly<Record<string, unknown>>;

/** The pattern of the notification's rule. */
export function patternOf(trigger: EventTrigger): EventPattern {
  const { detailPattern = {} } = trigger;
  // EventBridge refuses an empty object in a pattern.
  return withDetail(trigger, Object.keys(detailPattern).length === 0 ? undefined : detailPattern);
}

/**
 * The events that neither the notification's rule nor `ignored` takes, as alternatives: one a field of the pattern, none
 * where the rule takes every event of its source and detail-type. `anyOf` makes one pattern of them.
 */
export function complementOf(trigger: EventTrigger): readonly EventPattern[] {
  return Object.keys(trigger.detailPattern ?? {}).map((field) =>
    withDetail(trigger, {
      // `anything-but` takes null and numbers, and needs a value; an object and an empty array have none of their own.
      [field]: [{ "anything-but": expectedValues(trigger, field) }, { exists: false }],
    }),
  );
}

/** The events that the definition leaves out on purpose, as alternatives: one a field of `ignored`. */
export function ignoredOf(trigger: EventTrigger): readonly EventPattern[] {
  const { detailPattern = {}, ignored = {} } = trigger;
  return Object.entries(ignored).map(([field, values]) => {
    const others = Object.keys(detailPattern).filter((name) => name !== field);
    return withDetail(trigger, {
      ...Object.fromEntries(others.map((name) => [name, expectedValues(trigger, name)])),
      [field]: values,
    });
  });
}

/** One pattern that takes what any of `patterns` takes; `undefined` where there are none. */
export function anyOf(patterns: readonly EventPattern[]): EventPattern | undefined {
  // EventBridge wants two alternatives or more in an `$or`.
  return patterns.length > 1 ? { $or: patterns } : patterns[0];
}

function withDetail({ source, detailType }: EventTrigger, detail: EventPattern | undefined): EventPattern {
  return { source: [source], "detail-type": [detailType], ...(detail === undefined ? {} : { detail }) };
}

/** What the field may say without being an error of the producer: what is mailed, and what is left out on purpose. */
function expectedValues({ detailPattern, ignored }: EventTrigger, field: string): readonly string[] {
  return [...(detailPattern?.[field] ?? []), ...(ignored?.[field] ?? [])];
}

export type Route = "mailed" | "ignored" | "unmatched";

/**
 * What EventBridge does with an event's detail by `trigger`. Where an array fits more than one pattern, the rule's comes
 * first, then the complement.
 * @param detail of an event that has the trigger's source and detail-type.
 */
export function routeOf(trigger: EventTrigger, detail: Readonly<Record<string, unknown>>): Route {
  const { detailPattern = {} } = trigger;
  const fields = Object.keys(detailPattern);
  if (fields.every((field) => valuesOf(detail[field]).some((value) => includes(detailPattern[field], value)))) {
    return "mailed";
  }
  const isExpected = fields.every((field) => {
    const values = valuesOf(detail[field]);
    return values.length > 0 && values.every((value) => includes(expectedValues(trigger, field), value));
  });
  return isExpected ? "ignored" : "unmatched";
}

/** What EventBridge compares: the value, or the elements of an array. An object has no value of its own. */
function valuesOf(field: unknown): unknown[] {
  return [field].flat(Infinity).filter((value) => value === null || !["object", "undefined"].includes(typeof value));
}

function includes(values: readonly unknown[] | undefined, value: unknown): boolean {
  return values?.includes(value) ?? false;
}

/**
 * Refuses an event that EventBridge does not bring by the notification's rule. It comes by the complement's rule, or from
 * a queue after the pattern was changed. One that is ignored on purpose is refused, too: whoever sent it to the function
 * by hand shall not take it for mailed.
 * @throws PermanentError `NoRuleMatches`, with the field and what it may say, without the event's own value.
 */
export function refuseUnrouted(
  trigger: EventTrigger,
  detail: Readonly<Record<string, unknown>>,
  vocabulary: Vocabulary,
): void {
  const route = routeOf(trigger, detail);
  if (route === "mailed") return;
  const { detailPattern = {} } = trigger;
  const problems = Object.keys(detailPattern)
    .filter((field) => !valuesOf(detail[field]).some((value) => includes(detailPattern[field], value)))
    .map((field) => tellField(trigger, field, detail, vocabulary));
  throw new PermanentError("NoRuleMatches", `The event is mailed to nobody. ${problems.join("; ")}`);
}

function tellField(
  { detailPattern, ignored }: EventTrigger,
  field: string,
  detail: Readonly<Record<string, unknown>>,
  vocabulary: Vocabulary,
): string {
  const wanted = detailPattern?.[field] ?? [];
  const leftOut = ignored?.[field] ?? [];
  const values = valuesOf(detail[field]);
  const rule = `detail.${field} has to be ${quoted(wanted)}`;
  if (values.length > 0 && values.every((value) => includes(leftOut, value))) {
    return `${rule}; what it says is left out on purpose`;
  }
  const isMissing = values.length === 0 ? ", and is missing" : "";
  const purpose = leftOut.length === 0 ? "" : ` (${quoted(leftOut)} is left out on purpose)`;
  return `${rule}${purpose}${isMissing}${tellSlip()}`;

  function tellSlip(): string {
    const texts = values.filter((value) => typeof value === "string");
    const meant = texts.map((text) => similarName(text, wanted)).find((value) => value !== undefined);
    if (meant !== undefined) return `: did you mean "${meant}"?`;
    if (values.length > 0) return "";
    const other = Object.keys(detail)
      .slice(0, mostFields)
      .filter((name) => !vocabulary.known.some((known) => known.length === 1 && known[0] === name))
      .find((name) => tellMeant([name], vocabulary).includes(`detail.${field}?`));
    if (other === undefined) return "";
    return `: detail.${maskAddresses(other, 60)} is not known${tellMeant([other], vocabulary)}`;
  }
}

/** Of an event's fields, as many are looked at for one that is meant. */
const mostFields = 50;

function quoted(values: readonly string[]): string {
  return values.map((value) => `"${value}"`).join(" or ");
}

/**
 * Why a trigger can't become rules, each in the end of a sentence that begins with it. EventBridge keeps sources that
 * begin with `aws.` for itself, refuses an empty list, and a value can't be mailed and ignored.
 */
export function triggerProblems(
  trigger: EventTrigger | Pick<ScheduleTrigger<unknown>, "kind" | "source" | "detailType">,
): readonly string[] {
  // TypeScript demands all of these of those who ask it.
  const given: Readonly<Record<string, unknown>> = { ...trigger };
  const missing = ["source", "detailType"].filter((name) => typeof given[name] !== "string" || given[name] === "");
  if (missing.length > 0) return missing.map((name) => `has no ${name}.`);
  if (given.kind !== "event" && given.kind !== "schedule") {
    return [`has the kind "${String(given.kind)}": use event or schedule.`];
  }
  const { source, detailType } = trigger;
  return [
    ...(/^aws\./.test(source)
      ? [`has the source "${source}": EventBridge keeps what begins with "aws." for AWS.`]
      : []),
    ...(source.length > 256 ? [`has a source of ${source.length} characters, and EventBridge takes 256.`] : []),
    ...(detailType.length > 128
      ? [`has a detailType of ${detailType.length} characters, and EventBridge takes 128.`]
      : []),
    ...(trigger.kind === "event" ? patternProblems(trigger) : []),
  ];
}

function patternProblems({ detailPattern = {}, ignored = {} }: EventTrigger): readonly string[] {
  const problems: string[] = [];
  for (const [field, values] of Object.entries(detailPattern)) {
    if (/^\$|\./.test(field)) {
      problems.push(`has ${field} in detailPattern, which EventBridge reads as its own: name one field of detail.`);
    }
    if (values.length === 0) problems.push(`lists no value for ${field} in detailPattern.`);
  }
  for (const [field, values] of Object.entries(ignored)) {
    const wanted = detailPattern[field];
    if (wanted === undefined) problems.push(`ignores values of ${field}, which is not in detailPattern.`);
    else if (values.length === 0) problems.push(`lists no value for ${field} in ignored.`);
    const both = values.filter((value) => wanted?.includes(value));
    if (both.length > 0) problems.push(`mails and ignores ${quoted(both)} of ${field}.`);
  }
  return problems;
}
