import { createHash } from "node:crypto";
import * as z from "zod/mini";
import "../contract/english";
import { type EventEnvelope } from "../contract/envelope";
import { hasVisibleCharacter } from "../contract/text";
import { PermanentError } from "../errors";
import { defaultLocale, editionProblems, type Editions, lookUpLocale, type Variant } from "./editions";
import { createFormatters, type Formatters } from "./format";
import { refuseUnrouted, triggerProblems } from "./patterns";
import { type Hints, isOnlyUnknown, tellProblems, type Vocabulary } from "./problems";
import { readRecipients, readReplyTo } from "./recipients";
import { knownFields, schemaProblems, textOf, toRequestSchema, type UnknownFields } from "./request-schema";

/** EventBridge content filter on `detail`: for each field the values that match. */
type DetailPattern = Readonly<Record<string, readonly string[]>>;

/** An event on the custom bus. */
export interface EventTrigger {
  readonly kind: "event";
  readonly source: string;
  readonly detailType: string;
  readonly detailPattern?: DetailPattern;
  /**
   * Values of the pattern's fields whose events are deliberately not mailed. An event that fits neither the pattern nor
   * these values is an error of its producer, and is parked as `NoRuleMatches`.
   * @default none
   */
  readonly ignored?: DetailPattern;
}

/** A schedule. It is on the default bus, because only that bus has schedules; its target sends a constant detail. */
export interface ScheduleTrigger<Detail> {
  readonly kind: "schedule";
  readonly source: string;
  readonly detailType: string;
  /** `cron(..)` or `rate(..)` in UTC. */
  readonly expression: string;
  /** Makes the detail that the schedule's target sends, from the recipients of the stage. */
  readonly detail: (recipients: readonly [string, ...string[]]) => Detail;
}

export interface NotificationDefinition<
  Schema extends z.core.$ZodType,
  Content extends z.core.$ZodType,
  VariantName extends string = string,
> {
  /** Name of the notification's folder. The names of its AWS resources contain it. */
  readonly id: string;
  /** Last part of the name of its EventBridge rule; project and stage come before it. */
  readonly ruleName: string;
  readonly description: string;
  readonly lane: "standard" | "priority";
  /**
   * Short name of the sender that its mail comes from: one of `senders` in stacks/stages.ts. Every stage needs it.
   * @default "default", the address of EMAIL_SENDER
   */
  readonly sender?: string;
  readonly trigger: EventTrigger | ScheduleTrigger<z.input<Schema>>;
  /**
   * Schema of the event's `detail`. `toRequestSchema` says how strictly it is read. Every event may have an
   * `idempotencyKey`, so the schema need not list it. `npm run schema` prints the schema as JSON Schema for producers.
   */
  readonly detail: Schema;
  /**
   * What to do with fields that the schema does not know. `refuse` is for events that ask for a mail: the producer
   * means something by each field, so a field without effect is an error. `ignore` is for events that have other
   * readers too.
   * @default "refuse"
   */
  readonly unknownFields?: UnknownFields;
  /** What to tell producers about some fields that the schema does not know. */
  readonly hints?: Hints;
  /**
   * Returns whom to mail: an address or a list of addresses, unchecked, as the event has it. Afterwards each is
   * checked, and each mailbox gets one mail.
   */
  readonly recipients: (detail: z.output<Schema>) => unknown;
  /**
   * Returns where replies go: an address or a list of addresses, unchecked, as the event has it. If it returns
   * `undefined` or `null`, replies go to the stage's addresses.
   * @default the stage's addresses
   */
  readonly replyTo?: (detail: z.output<Schema>) => unknown;
  /**
   * Subject line, as a template; it becomes one line without control characters. The bodies are `body.mjml` or
   * `body.html`, and `body.txt`, in the notification's folder.
   */
  readonly subject: string;
  /**
   * Schema of what the templates read: texts, numbers, booleans, lists and objects, `link()` for an address and
   * `safeHtml()` for markup. The synth holds each template against it.
   */
  readonly content: Content;
  /**
   * Returns the content, with raw values: each part of the mail escapes them as it needs. It is called for each locale of
   * the event's mails, with that locale's formatters. If the result does not fit `content`, the event is parked as
   * `InvalidEvent`.
   */
  readonly map: (event: BusinessEvent<z.output<Schema>>, format: Formatters) => z.input<Content>;
  /**
   * Time zone of the dates that `map` formats, as in the IANA database.
   * @default "UTC"
   */
  readonly timeZone?: string;
  /**
   * BCP 47 tags of the languages that the mail is written in. The first is for readers of any other language. The texts
   * are in `messages.<locale>.json`, or in bodies of their own, such as `body.fr.mjml`.
   * @default ["en"]
   */
  readonly locales?: readonly [string, ...string[]];
  /**
   * Returns the reader's language: a tag of BCP 47, or several with the preferred one first. `lookUpLocale` finds the
   * locale that serves it.
   * @default the first of `locales`
   */
  readonly locale?: (detail: z.output<Schema>, recipient: Recipient) => string | readonly string[] | null | undefined;
  /**
   * Templates that share the mails by their weights. What differs is in `body.<variant>.html` and the like, or in
   * `messages.<locale>.<variant>.json`. Which one a mail gets follows from its claim, so each try chooses the same.
   * @default there is one template for each locale
   */
  readonly variants?: Readonly<Record<VariantName, Variant>>;
  /**
   * Chooses one of `variants` for a recipient; `undefined` leaves the choice to the weights.
   * @default the weights choose
   */
  readonly template?: (content: z.output<Content>, recipient: Recipient) => NoInfer<VariantName> | undefined;
  /**
   * What to do with a mail that may be out, because SES gave no answer: `park` it for a person, or `resend` it and risk
   * a second mail.
   * @default "park"
   */
  readonly onUnknown?: "park" | "resend";
  /** An example of a detail that fits the schema. The sandbox, `npm run doctor` and `npm run send` use it. */
  readonly sample: z.input<Schema>;
}

/** Whom a mail goes to. */
interface Recipient {
  /** The address, as the event has it. */
  readonly address: string;
}

export interface BusinessEvent<Detail> {
  readonly id: string;
  readonly source: string;
  readonly detailType: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly detail: Detail;
}

export interface PreparedEmail {
  /**
   * Two events with the same key count as one. The key is `detail.idempotencyKey` or, without it, the event's id. For a
   * schedule's event it is the event's minute, because EventBridge may run a rule twice for one time (EventBridge
   * troubleshooting, "My rule ran more than once").
   */
  readonly idempotencyKey: string;
  /** Well-formed addresses, one for each mailbox, in the form that came first. */
  readonly recipients: readonly string[];
  /**
   * Entries of the event's list of recipients that are no usable addresses. The other recipients are mailed all the
   * same.
   */
  readonly refusedRecipients: readonly RefusedRecipient[];
  /** Well-formed addresses for replies; empty if the event names none. */
  readonly replyTo: readonly string[];
  /**
   * Hash of the mail's content, in which the event's id and time and the reader's language count for nothing. It shows
   * that two events with the same `idempotencyKey` have different content.
   */
  readonly contentHash: string;
  /** The locale of the mail to this recipient: one of the notification's. */
  readonly localeOf: (recipient: string) => string;
  /**
   * What the templates of a locale read, checked by the schema `content`.
   * @param locale @default the notification's first one
   * @throws PermanentError `InvalidEvent` where it does not fit the schema.
   */
  readonly contentIn: (locale?: string) => unknown;
}

export interface RefusedRecipient {
  /** Position in the event's list; the first is 1. */
  readonly position: number;
  /** What is wrong with the entry, without its value: `is empty`, `has a display name`, .. */
  readonly problem: string;
}

/** A notification, without the type parameters of its definition: so different ones can stand in one catalogue. */
export interface Notification extends Omit<
  NotificationDefinition<z.core.$ZodType, z.core.$ZodType>,
  "recipients" | "replyTo" | "map" | "locale" | "template" | "trigger"
> {
  readonly trigger: EventTrigger | ScheduleTrigger<unknown>;
  /**
   * Parses the event's detail and maps it to a mail.
   * @throws PermanentError `InvalidEvent` that lists the problems, or `NoRuleMatches`. The event's values are left out,
   * because they may be personal data.
   */
  readonly prepare: (event: EventEnvelope) => PreparedEmail;
  /**
   * The variant that the definition itself chooses for a recipient; `undefined` where the weights choose.
   * @throws PermanentError `InvalidEvent` where it chooses one that it does not declare.
   */
  readonly chosenVariant: (content: unknown, recipient: Recipient) => string | undefined;
  /**
   * Lists what is wrong with the definition itself, each problem as a sentence. Only the synth has to call it, and then
   * refuses the definition. It is not checked on import, so that one faulty notification does not break the whole
   * catalogue.
   */
  readonly problems: () => readonly string[];
}

const keyName = "idempotencyKey";

/** Schema of the key. Every notification's detail may have a key, also where the notification's own schema lacks it. */
const keySchema = z.string().check(
  z.maxLength(256),
  // SQS may change characters that XML does not allow (SendMessage), so the key would differ after a queue.
  z.regex(/^[^\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]*$/u),
  // A blank key usually means that the producer had no value to fill in. All its events would then count as one.
  z.refine(hasVisibleCharacter),
);

function idempotencyKeyOf(event: EventEnvelope, trigger: { readonly kind: "event" | "schedule" }): string {
  const given = event.detail[keyName] ?? undefined;
  if (given === undefined) {
    return trigger.kind === "event" ? event.id : new Date(event.time).toISOString().slice(0, "2026-11-25T09:00".length);
  }
  const parsed = keySchema.safeParse(typeof given === "number" || typeof given === "boolean" ? textOf(given) : given);
  if (parsed.success) return parsed.data;
  throw new PermanentError(
    "InvalidEvent",
    `detail.${keyName} has to be a text of 1 to 256 characters, one of them visible, without control characters and non-characters. Put a number with very many digits in quotation marks.`,
  );
}

/** Stands in for the event's id and time in the hash: the same content at another time has the same hash. */
const anyTime = { id: "00000000-0000-0000-0000-000000000000", time: "1970-01-01T00:00:00Z" };

/** Makes a notification from its definition. It does not check the definition; `problems` does. */
export function defineNotification<
  Schema extends z.core.$ZodType,
  Content extends z.core.$ZodType,
  const VariantName extends string = string,
>(definition: NotificationDefinition<Schema, Content, VariantName>): Notification {
  const { recipients, replyTo, map, locale, template, ...rest } = definition;
  const editions: Editions = rest;
  const refuse = (problem: string): never => {
    throw new PermanentError("InvalidEvent", `The event does not fit "${definition.id}". ${problem}`);
  };

  /** It is made when the first event comes, because a schema may refer to schemas that are defined after it. */
  let reading: Reading | undefined;
  const read = () => (reading ??= readingOf(definition));

  const parse = (detail: EventEnvelope["detail"]): z.output<Schema> => {
    const parsed = parseDetail(read(), detail);
    return "problem" in parsed ? refuse(parsed.problem) : (parsed.data as z.output<Schema>);
  };

  const contentOf = (event: BusinessEvent<z.output<Schema>>, inLocale: string): unknown => {
    const format = createFormatters(inLocale, definition.timeZone ?? "UTC");
    const parsed = z.safeParse(definition.content, map(event, format));
    if (parsed.success) return parsed.data;
    const problems = parsed.error.issues.map(({ path, message }) => `${["content", ...path].join(".")}: ${message}`);
    return refuse(`Its content can't be shown. ${problems.slice(0, 5).join("; ")}`);
  };

  return {
    ...rest,
    problems: () => problemsOf(definition),
    chosenVariant(content, recipient) {
      const chosen = template?.(content as z.output<Content>, recipient);
      if (chosen === undefined || Object.hasOwn(editions.variants ?? {}, chosen)) return chosen;
      return refuse(`Its definition chooses the template "${chosen}", which is none of its variants.`);
    },
    prepare(event) {
      if (definition.trigger.kind === "event") refuseUnrouted(definition.trigger, event.detail, read().vocabulary);
      const business = {
        id: event.id,
        source: event.source,
        detailType: event["detail-type"],
        time: event.time,
        detail: parse(event.detail),
      };
      const named = readRecipients(recipients(business.detail));
      if ("problem" in named) return refuse(named.problem);
      const replies = readReplyTo(replyTo?.(business.detail));
      if ("problem" in replies) return refuse(replies.problem);
      return {
        idempotencyKey: idempotencyKeyOf(event, definition.trigger),
        recipients: named.addresses,
        refusedRecipients: named.refused,
        replyTo: replies,
        contentHash: hashOf([contentOf({ ...business, ...anyTime }, defaultLocale(editions)), replies]),
        localeOf: (address) => lookUpLocale(locale?.(business.detail, { address }), editions),
        contentIn: (inLocale = defaultLocale(editions)) => contentOf(business, inLocale),
      };
    },
  };
}

/** What is derived from a definition once, and used for each of its events. */
interface Reading {
  readonly schema: z.core.$ZodType;
  readonly vocabulary: Vocabulary;
  /** Whether the definition's own schema has a field `idempotencyKey`. */
  readonly hasKey: boolean;
}

function readingOf<Schema extends z.core.$ZodType, Content extends z.core.$ZodType, VariantName extends string>(
  definition: NotificationDefinition<Schema, Content, VariantName>,
): Reading {
  requireSoundSchema(definition);
  const fields = knownFields(definition.detail);
  const hasKey = fields.some((field) => field.length === 1 && field[0] === keyName);
  return {
    schema: toRequestSchema(definition.detail, definition.unknownFields ?? "refuse"),
    vocabulary: { known: hasKey ? fields : [...fields, [keyName]], hints: definition.hints ?? {} },
    hasKey,
  };
}

/** Reads the detail with the definition's schema. @returns the data, or the problem as a text. */
function parseDetail(
  { schema, vocabulary, hasKey }: Reading,
  detail: EventEnvelope["detail"],
): { readonly data: unknown } | { readonly problem: string } {
  const { [keyName]: _, ...withoutKey } = detail;
  let parsed = z.safeParse(schema, hasKey ? detail : withoutKey);
  // If the schema is a union, one alternative may have the key, and the one that the event means may lack it.
  if (!parsed.success && hasKey && isOnlyUnknown(keyName, parsed.error.issues)) {
    parsed = z.safeParse(schema, withoutKey);
  }
  if (!parsed.success) return { problem: tellProblems(parsed.error.issues, vocabulary) };
  // The schema may not know the key, so it does not report a field like `IdempotencyKey` as a misspelling of it.
  const like = Object.keys(detail).find((name) => name !== keyName && name.toLowerCase() === keyName.toLowerCase());
  if (like !== undefined) return { problem: `detail.${like}: is not known: did you mean detail.${keyName}?` };
  return { data: parsed.data };
}

/**
 * The required fields of a definition and their JavaScript types. They are checked although TypeScript demands them,
 * because a definition may be run without a type check.
 */
const demanded = {
  ruleName: "string",
  description: "string",
  subject: "string",
  content: "object",
  trigger: "object",
  detail: "object",
  recipients: "function",
  map: "function",
} as const;

/** The optional fields that are functions. `locale: "fr"` would fail at the first event, and not before. */
const optionalFunctions = ["replyTo", "locale", "template"] as const;

function problemsOf<Schema extends z.core.$ZodType, Content extends z.core.$ZodType, VariantName extends string>(
  definition: NotificationDefinition<Schema, Content, VariantName>,
): readonly string[] {
  const missing = Object.entries(demanded)
    .filter(([name, type]) => typeof (definition as unknown as Readonly<Record<string, unknown>>)[name] !== type)
    .map(([name]) => name);
  if (missing.length > 0) return [`it has no ${missing.join(", no ")}, or not as NotificationDefinition wants it.`];
  const { trigger, detail } = definition;
  return [
    ...editionProblems(definition).map((problem) => `its ${problem}`),
    ...optionalFunctions
      .filter((name) => definition[name] !== undefined && typeof definition[name] !== "function")
      .map((name) => `its ${name} is no function: write ${name}: (..) => .., or leave it out.`),
    ...(definition.template === undefined || definition.variants !== undefined
      ? []
      : ["its template chooses a variant, and it declares none: write variants: { a: { weight: 1 }, .. }."]),
    ...triggerProblems(trigger).map((problem) => `its trigger ${problem}`),
    ...schemaProblems(detail).map((problem) => `its schema can't be read: ${problem}`),
  ];
}

/** @throws Error that names each field of the schema that can't be read, and the reason. */
function requireSoundSchema({ id, detail }: { readonly id: string; readonly detail: z.core.$ZodType }): void {
  const problems = schemaProblems(detail);
  if (problems.length > 0) throw new Error(`The schema of "${id}" can't be read: ${problems.join(" ")}`);
}

function hashOf(content: unknown): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}
