import { createHash } from "node:crypto";
import * as z from "zod";
import { type EventEnvelope } from "../contract/envelope";
import { hasVisibleCharacter, maximumTemplateDataBytes, toSubject, toTemplateData } from "../contract/template-data";
import { PermanentError } from "../errors";
import { refuseUnrouted, triggerProblems } from "./patterns";
import { type Hints, isOnlyUnknown, tellProblems, type Vocabulary } from "./problems";
import { readRecipients, readReplyTo } from "./recipients";
import { knownFields, schemaProblems, textOf, toRequestSchema, type UnknownFields } from "./request-schema";

/** EventBridge content filter on `detail`: field to the values that match. */
type DetailPattern = Readonly<Record<string, readonly string[]>>;

/** An event on the custom bus. */
export interface EventTrigger {
  readonly kind: "event";
  readonly source: string;
  readonly detailType: string;
  readonly detailPattern?: DetailPattern;
  /**
   * Values of the pattern's fields that are left out on purpose. An event that fits neither the pattern nor these is an
   * error of its producer, and is parked as `NoRuleMatches`.
   * @default none
   */
  readonly ignored?: DetailPattern;
}

/** A schedule on the default bus (the only one with schedules); its target builds the event from a constant detail. */
export interface ScheduleTrigger<Detail> {
  readonly kind: "schedule";
  readonly source: string;
  readonly detailType: string;
  /** `cron(..)` or `rate(..)`, UTC. */
  readonly expression: string;
  /** The detail that the schedule's target carries, for the recipients of the stage. */
  readonly detail: (recipients: readonly [string, ...string[]]) => Detail;
}

export interface NotificationDefinition<Schema extends z.ZodType, Variable extends string> {
  /** Name of the notification's folder; part of physical names. */
  readonly id: string;
  /** Name of its EventBridge rule, behind project and stage. */
  readonly ruleName: string;
  readonly description: string;
  readonly lane: "standard" | "priority";
  readonly trigger: EventTrigger | ScheduleTrigger<z.input<Schema>>;
  /**
   * Schema of the event's `detail`, read as `toRequestSchema` says. `idempotencyKey` may come with every event and need
   * not stand in it. `npm run schema` gives it to producers as JSON Schema.
   */
  readonly detail: Schema;
  /**
   * What to do with fields that the schema does not know. An event that asks for a mail is a command: what it says and
   * nobody does is refused. `ignore` is for facts that have other readers, too.
   * @default "refuse"
   */
  readonly unknownFields?: UnknownFields;
  /** What to tell producers about names that the schema does not know. */
  readonly hints?: Hints;
  /**
   * Whom to mail: an address or a list of them, as the event has it. Each is checked behind this function, and mailboxes
   * are mailed once.
   */
  readonly recipients: (detail: z.output<Schema>) => unknown;
  /** Where replies go: an address or a list of them, as the event has it; nothing where the stage's addresses are meant. */
  readonly replyTo?: (detail: z.output<Schema>) => unknown;
  /**
   * Subject line of the template; the bodies are `body.html` and `body.txt` in the notification's folder. The values of the
   * variables that the subject reads are made one line without control characters, in the bodies, too.
   */
  readonly subject: string;
  /** Names that `map` supplies. */
  readonly variables: readonly Variable[];
  /** Raw values of the template's variables; escaping happens behind it, in one place. */
  readonly map: (event: BusinessEvent<z.output<Schema>>) => Readonly<Record<Variable, string>>;
  /**
   * What to do with a mail that may be out or not, because no answer came: `park` it for a person, or `resend` it and
   * risk a second mail.
   * @default "park"
   */
  readonly onUnknown?: "park" | "resend";
  /** A detail that fits the schema: the sandbox, `npm run doctor` and `npm run send` use it. */
  readonly sample: z.input<Schema>;
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
   * Two events with the same key are one: `detail.idempotencyKey`, else the event's id. A schedule's event is known by
   * its minute: EventBridge may run a rule twice for one time (EventBridge troubleshooting, "My rule ran more than once").
   */
  readonly idempotencyKey: string;
  /** Well-formed addresses in the form that came, one a mailbox. */
  readonly recipients: readonly string[];
  /** Entries of the event's list of recipients that no mail can go to: they keep the mail from nobody else. */
  readonly refusedRecipients: readonly RefusedRecipient[];
  /** Well-formed addresses; empty where the event names none. */
  readonly replyTo: readonly string[];
  readonly templateData: Readonly<Record<string, string>>;
  /**
   * Hash of what the mail says, whenever its event happened: two events with one `idempotencyKey` and different content
   * are told by it.
   */
  readonly contentHash: string;
}

export interface RefusedRecipient {
  /** In the event's list; the first is 1. */
  readonly position: number;
  /** What is wrong with it, without its value: `is empty`, `has a display name`, .. */
  readonly problem: string;
}

/** A notification, its types closed over. */
export interface Notification extends Omit<
  NotificationDefinition<z.ZodType, string>,
  "recipients" | "replyTo" | "map" | "trigger"
> {
  readonly trigger: EventTrigger | ScheduleTrigger<unknown>;
  /**
   * Parses the event's detail and maps it to a mail.
   * @throws PermanentError `InvalidEvent` that lists every problem, without the values: they are the recipient's.
   */
  readonly prepare: (event: EventEnvelope) => PreparedEmail;
  /**
   * What is wrong with the definition itself, each in a sentence. The synth refuses it, so nothing else has to ask; and an
   * import of the catalogue does not fail for one of many.
   */
  readonly problems: () => readonly string[];
}

const keyName = "idempotencyKey";

/** Every notification's detail may carry it; its own schema need not know. */
const keySchema = z
  .string()
  .max(256)
  // SQS changes what XML does not know (SendMessage), and the key would be another one behind a queue.
  .regex(/^[^\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]*$/u)
  // An empty or blank key is a template that was filled with nothing: all its events would be one.
  .refine(hasVisibleCharacter);

function idempotencyKeyOf(event: EventEnvelope, trigger: { readonly kind: "event" | "schedule" }): string {
  const given = event.detail[keyName] ?? undefined;
  if (given === undefined) {
    return trigger.kind === "event" ? event.id : new Date(event.time).toISOString().slice(0, "2026-11-25T09:00".length);
  }
  const parsed = keySchema.safeParse(typeof given === "number" || typeof given === "boolean" ? textOf(given) : given);
  if (parsed.success) return parsed.data;
  throw new PermanentError(
    "InvalidEvent",
    `detail.${keyName} has to be a text of 1 to 256 characters, one of them visible, without control characters and non-characters; of numbers, those are taken that have an exact text.`,
  );
}

/** An event that says the same at another time has the same hash. */
const anyTime = { id: "00000000-0000-0000-0000-000000000000", time: "1970-01-01T00:00:00Z" };

export function defineNotification<Schema extends z.ZodType, Variable extends string>(
  definition: NotificationDefinition<Schema, Variable>,
): Notification {
  const { recipients, replyTo, map, ...rest } = definition;
  const refuse = (problem: string): never => {
    throw new PermanentError("InvalidEvent", `The event does not fit "${definition.id}". ${problem}`);
  };

  /** Made with the first event: a schema may name others that are defined after it. */
  let reading: Reading | undefined;
  const read = () => (reading ??= readingOf(definition));

  const parse = (detail: EventEnvelope["detail"]): z.output<Schema> => {
    const parsed = parseDetail(read(), detail);
    return "problem" in parsed ? refuse(parsed.problem) : (parsed.data as z.output<Schema>);
  };

  const toData = (event: BusinessEvent<z.output<Schema>>): Record<string, string> => {
    const values = Object.entries<string>(map(event));
    const { inSubject } = read();
    return Object.fromEntries(values.map(([name, value]) => [name, inSubject.has(name) ? toSubject(value) : value]));
  };

  return {
    ...rest,
    problems: () => problemsOf(definition),
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
      const values = toData(business);
      if (!hasVisibleCharacter(renderSubject(definition.subject, values))) {
        return refuse("Its subject has no visible character.");
      }
      const templateData = toTemplateData(values);
      const bytes = Buffer.byteLength(JSON.stringify(templateData));
      if (bytes > maximumTemplateDataBytes) {
        return refuse(
          `It makes ${bytes} bytes of template data and SES takes ${maximumTemplateDataBytes}: shorten its message.`,
        );
      }
      return {
        idempotencyKey: idempotencyKeyOf(event, definition.trigger),
        recipients: named.addresses,
        refusedRecipients: named.refused,
        replyTo: replies,
        templateData,
        contentHash: hashOf([toTemplateData(toData({ ...business, ...anyTime })), replies]),
      };
    },
  };
}

/** What is made of a definition once, and read for each of its events. */
interface Reading {
  readonly schema: z.core.$ZodType;
  readonly vocabulary: Vocabulary;
  /** Whether the definition's own schema knows the key. */
  readonly hasKey: boolean;
  /** The variables that the subject reads. */
  readonly inSubject: ReadonlySet<string>;
}

function readingOf<Schema extends z.ZodType, Variable extends string>(
  definition: NotificationDefinition<Schema, Variable>,
): Reading {
  requireSoundSchema(definition);
  const fields = knownFields(definition.detail);
  const hasKey = fields.some((field) => field.length === 1 && field[0] === keyName);
  return {
    schema: toRequestSchema(definition.detail, definition.unknownFields ?? "refuse"),
    vocabulary: { known: hasKey ? fields : [...fields, [keyName]], hints: definition.hints ?? {} },
    hasKey,
    // Whatever stands between the braces: `{{~name}}` and `{{&name}}` are read as well.
    inSubject: new Set(
      [...definition.subject.matchAll(/\{\{[^}]*/g)].flatMap(([expression]) => expression.match(/\w+/g) ?? []),
    ),
  };
}

/** The detail as the definition's schema reads it, or what is wrong with it. */
function parseDetail(
  { schema, vocabulary, hasKey }: Reading,
  detail: EventEnvelope["detail"],
): { readonly data: unknown } | { readonly problem: string } {
  const { [keyName]: _, ...withoutKey } = detail;
  let parsed = z.safeParse(schema, hasKey ? detail : withoutKey);
  // Of a schema's alternatives, one may know the key and the event's own not.
  if (!parsed.success && hasKey && isOnlyUnknown(keyName, parsed.error.issues)) {
    parsed = z.safeParse(schema, withoutKey);
  }
  if (!parsed.success) return { problem: tellProblems(parsed.error.issues, vocabulary) };
  // No schema need know the key, so none tells it from a field that is written like it.
  const like = Object.keys(detail).find((name) => name !== keyName && name.toLowerCase() === keyName.toLowerCase());
  if (like !== undefined) return { problem: `detail.${like}: is not known: did you mean detail.${keyName}?` };
  return { data: parsed.data };
}

/** The subject with the values of its variables, as a reader of the mail sees it. */
function renderSubject(subject: string, values: Readonly<Record<string, string>>): string {
  return subject.replace(/\{\{\{?[~&\s]*(\w+)[~\s]*\}?\}\}/g, (_, name: string) => values[name] ?? "");
}

/** What a definition can't be without, and how a message calls it. TypeScript demands it of those who ask it. */
const demanded = {
  ruleName: "string",
  description: "string",
  subject: "string",
  variables: "object",
  trigger: "object",
  detail: "object",
  recipients: "function",
  map: "function",
} as const;

function problemsOf<Schema extends z.ZodType, Variable extends string>(
  definition: NotificationDefinition<Schema, Variable>,
): readonly string[] {
  const missing = Object.entries(demanded)
    .filter(([name, type]) => typeof (definition as unknown as Readonly<Record<string, unknown>>)[name] !== type)
    .map(([name]) => name);
  if (missing.length > 0) return [`it has no ${missing.join(", no ")}, or not as NotificationDefinition wants it.`];
  const { trigger, detail } = definition;
  return [
    ...triggerProblems(trigger).map((problem) => `its trigger ${problem}`),
    ...schemaProblems(detail).map((problem) => `its schema can't be read: ${problem}`),
  ];
}

/** @throws Error that says which field can't be read, and why. */
function requireSoundSchema({ id, detail }: { readonly id: string; readonly detail: z.ZodType }): void {
  const problems = schemaProblems(detail);
  if (problems.length > 0) throw new Error(`The schema of "${id}" can't be read: ${problems.join(" ")}`);
}

function hashOf(content: unknown): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}
