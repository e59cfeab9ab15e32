import { createHash } from "node:crypto";
import * as z from "zod";
import { type EventEnvelope } from "../contract/envelope";
import { maximumTemplateDataBytes, toSubject, toTemplateData } from "../contract/template-data";
import { PermanentError } from "../errors";

/** EventBridge content filter on `detail`: field to the values that match. */
export type DetailPattern = Readonly<Record<string, readonly string[]>>;

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
  /** Schema of the event's `detail`. `npm run schema` gives it to producers as JSON Schema. */
  readonly detail: Schema;
  /** Addresses to mail, as `parseEmailAddress` returns them. */
  readonly recipients: (detail: z.output<Schema>) => readonly string[];
  /** Subject line of the template; what it reads is made one line, without control characters, in every part; the bodies are `body.html` and `body.txt` in the notification's folder. */
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
  "recipients" | "map" | "trigger"
> {
  readonly trigger: EventTrigger | ScheduleTrigger<unknown>;
  /**
   * Parses the event's detail and maps it to a mail.
   * @throws PermanentError `InvalidEvent` that lists every problem, without the values: they are the recipient's.
   */
  readonly prepare: (event: EventEnvelope) => PreparedEmail;
}

/** Every notification's detail may carry it; its own schema need not know. */
const idempotencySchema = z.object({
  idempotencyKey: z
    .string()
    .min(1)
    .max(256)
    // SQS changes what XML does not know (SendMessage), and the key would be another one behind a queue.
    .regex(/^[^\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]*$/u)
    .optional(),
});

function idempotencyKeyOf(event: EventEnvelope, trigger: { readonly kind: "event" | "schedule" }): string {
  const parsed = idempotencySchema.safeParse(event.detail);
  if (!parsed.success) {
    throw new PermanentError(
      "InvalidEvent",
      "detail.idempotencyKey has to be a text of 1 to 256 characters, without control characters and non-characters.",
    );
  }
  const { idempotencyKey } = parsed.data;
  if (idempotencyKey !== undefined) return idempotencyKey;
  return trigger.kind === "event" ? event.id : new Date(event.time).toISOString().slice(0, "2026-11-25T09:00".length);
}

export function defineNotification<Schema extends z.ZodType, Variable extends string>(
  definition: NotificationDefinition<Schema, Variable>,
): Notification {
  const { recipients, map, ...rest } = definition;
  const inSubject = new Set([...definition.subject.matchAll(/\{\{\s*(\w+)/g)].map(([, name]) => name));
  return {
    ...rest,
    prepare(event) {
      const parsed = definition.detail.safeParse(event.detail);
      if (!parsed.success) {
        const problems = parsed.error.issues.map((issue) => `${["detail", ...issue.path].join(".")}: ${issue.message}`);
        throw new PermanentError("InvalidEvent", `The event does not fit "${definition.id}". ${problems.join("; ")}`);
      }
      const values = map({
        id: event.id,
        source: event.source,
        detailType: event["detail-type"],
        time: event.time,
        detail: parsed.data,
      });
      const templateData = toTemplateData(
        Object.fromEntries(
          Object.entries<string>(values).map(([name, value]) => [name, inSubject.has(name) ? toSubject(value) : value]),
        ),
      );
      const bytes = Buffer.byteLength(JSON.stringify(templateData));
      if (bytes > maximumTemplateDataBytes) {
        throw new PermanentError(
          "InvalidEvent",
          `The event makes ${bytes} bytes of template data and SES takes ${maximumTemplateDataBytes}: shorten its message.`,
        );
      }
      return {
        idempotencyKey: idempotencyKeyOf(event, definition.trigger),
        recipients: recipients(parsed.data),
        refusedRecipients: [],
        replyTo: [],
        templateData,
        contentHash: createHash("sha256").update(JSON.stringify(templateData)).digest("hex"),
      };
    },
  };
}
