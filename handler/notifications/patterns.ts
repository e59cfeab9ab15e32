import { maskAddresses } from "../contract/mask";
import { PermanentError } from "../errors";
import { type EventTrigger, type ScheduleTrigger } from "./define";
import { similarName, tellMeant, type Vocabulary } from "./problems";

/**
 * Which events a notification's trigger takes: on the bus, as EventBridge event patterns, and in the function. Both
 * come from the one definition, so the rules and the function can't disagree:
 *
 * - `patternOf`: the events that are mailed,
 * - `complementOf`: the events of the same source and detail-type that are the producer's error, such as a priority
 *   `HIGH` or a missing field. Without this pattern, no rule would take them,
 * - `ignoredOf`: the events that the definition deliberately does not mail.
 *
 * An event whose fields have one value each fits exactly one of the three. EventBridge matches an array if one of its
 * elements matches (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-arrays.html), so an
 * event with an array fits at least one of the three, and maybe more. `routeOf` says which one counts.
 */

/** An EventBridge event pattern (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html). */
export type EventPattern = Readonly<Record<string, unknown>>;

/** The pattern of the notification's rule. */
export function patternOf(trigger: EventTrigger): EventPattern {
  const { detailPattern = {} } = trigger;
  // EventBridge refuses an empty object in a pattern.
  return withDetail(trigger, Object.keys(detailPattern).length === 0 ? undefined : detailPattern);
}

/**
 * Patterns for the events that neither the notification's rule nor `ignored` takes. They are alternatives, one for each
 * field of the pattern; `anyOf` makes one pattern of them. There are none if the rule takes every event of its source
 * and detail-type.
 */
export function complementOf(trigger: EventTrigger): readonly EventPattern[] {
  return Object.keys(trigger.detailPattern ?? {}).map((field) =>
    withDetail(trigger, {
      // `anything-but` matches null and numbers too, but only where there is a value. An object and an empty array have
      // none of their own, so `exists: false` matches these.
      [field]: [{ "anything-but": expectedValues(trigger, field) }, { exists: false }],
    }),
  );
}

/**
 * Patterns for the events that the definition deliberately does not mail: alternatives, one for each field of
 * `ignored`.
 */
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

/** Makes one pattern that matches if any of `patterns` matches. @returns `undefined` for an empty list. */
export function anyOf(patterns: readonly EventPattern[]): EventPattern | undefined {
  // EventBridge refuses an `$or` with a single alternative.
  return patterns.length > 1 ? { $or: patterns } : patterns[0];
}

function withDetail({ source, detailType }: EventTrigger, detail: EventPattern | undefined): EventPattern {
  return { source: [source], "detail-type": [detailType], ...(detail === undefined ? {} : { detail }) };
}

/** The values of a field that are no error of the producer: those that are mailed, and those that are ignored. */
function expectedValues({ detailPattern, ignored }: EventTrigger, field: string): readonly string[] {
  return [...(detailPattern?.[field] ?? []), ...(ignored?.[field] ?? [])];
}

export type Route = "mailed" | "ignored" | "unmatched";

/**
 * Says what EventBridge's rules for `trigger` do with an event. If an array fits more than one pattern, the
 * notification's rule counts first, and then the complement.
 * @param detail the detail of an event that has the trigger's source and detail-type.
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

/**
 * The values that EventBridge compares: the field's value, or the elements of an array. An object has no value itself.
 */
function valuesOf(field: unknown): unknown[] {
  return [field].flat(Infinity).filter((value) => value === null || !["object", "undefined"].includes(typeof value));
}

function includes(values: readonly unknown[] | undefined, value: unknown): boolean {
  return values?.includes(value) ?? false;
}

/**
 * Refuses an event that the notification's rule does not take. Such an event comes by the complement's rule, or from a
 * queue after the pattern was changed. An ignored event is refused too: it only reaches the function if a person sends
 * it there, and that person should not believe that it was mailed.
 * @throws PermanentError `NoRuleMatches` that names the field and the values that it may have, without the event's own
 * value.
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

/** Most fields of an event that are searched for a misspelling of the missing field. */
const mostFields = 50;

function quoted(values: readonly string[]): string {
  return values.map((value) => `"${value}"`).join(" or ");
}

/**
 * Lists why a trigger can't become rules. Each problem is a phrase that follows the words "its trigger".
 *
 * EventBridge reserves sources that begin with `aws.` for AWS, and refuses an empty list of values. Besides, one value
 * can't be both mailed and ignored.
 */
export function triggerProblems(
  trigger: EventTrigger | Pick<ScheduleTrigger<unknown>, "kind" | "source" | "detailType">,
): readonly string[] {
  // These are checked although TypeScript demands them, because a definition may be run without a type check.
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
