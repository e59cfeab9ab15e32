import { envelopeSchema } from "../../handler/contract/envelope";
import {
  type FailureRecord,
  failureRecordSchema,
  type MailFailure,
  mailFailureSchema,
} from "../../handler/contract/failure-record";
import { permanentFailureTypes } from "../../handler/contract/failures";
import { catalogue, findNotification } from "../../handler/notifications";
import { type Notification, type PreparedEmail } from "../../handler/notifications/define";
import { routeOf } from "../../handler/notifications/patterns";
import { refuseOversized } from "../../handler/send-notification";
import { retryQueueSettings } from "../../stacks/delivery-windows";
import { constantContent, occurrenceFields } from "../../stacks/scheduled-event";
import { type Names } from "../../stacks/names";
import { type LaneBudgets } from "../../stacks/send-budget";

/** A message that SQS returned. */
export interface QueueMessage {
  readonly messageId: string;
  readonly body: string;
  /** The attributes that SQS sets: `SentTimestamp`, `ApproximateReceiveCount`, .. */
  readonly systemAttributes: Readonly<Record<string, string>>;
  /** The attributes that the sender sets. EventBridge sets `ERROR_CODE`, `RULE_ARN`, .. */
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * How the message came to be parked:
 * - `event-target`: EventBridge could not deliver the event to a rule's target, whose dead-letter queue this is. The
 *   body is the event.
 * - `failure-record`: the function failed for good and parked the event at once, in its first run or after the event
 *   had been in the retry queue. If it could not park the event, the body is Lambda's record, which the dead-letter
 *   rule brought.
 * - `retries-exhausted`: SQS moved Lambda's record here after the last try in the retry queue.
 * - `unknown`: none of these. The message is shown and never redriven.
 */
type ParkedFormat = "event-target" | "failure-record" | "retries-exhausted" | "unknown";

export interface ParkedMessage {
  readonly messageId: string;
  readonly format: ParkedFormat;
  readonly reason: { readonly type: string; readonly message: string };
  /** The notification that takes the event; `undefined` if the catalogue has none. */
  readonly notification: Notification | undefined;
  /** Id of the business event. */
  readonly eventId: string | undefined;
  /** How often the event was tried, on all lanes together; `undefined` if the message does not say. */
  readonly attempts: number | undefined;
  readonly redrives: number;
  /** Time of the event, in milliseconds since 1970. */
  readonly eventTime: number | undefined;
  /**
   * Time at which the message first came into a queue, in milliseconds since 1970. SQS keeps it for 14 days from then.
   */
  readonly queuedAt: number;
  /** The event's recipients, as addresses. Empty if the event names none, or not where they are looked for. */
  readonly recipients: readonly string[];
  /** The mail that the function of this checkout makes of the event; `undefined` if it makes none. */
  readonly prepared: PreparedEmail | undefined;
  /** Why the function of this checkout would refuse the whole event, so that a redrive would be parked again. */
  readonly refusal: string | undefined;
  /** The mails that failed. Only records that the function parked itself list them. */
  readonly failures: readonly MailFailure[];
  /** The record that a redrive sends, before its count of redrives is raised; `undefined` without a business event. */
  readonly record: Readonly<Record<string, unknown>> | undefined;
  /** The event, unchanged. */
  readonly event: unknown;
  readonly body: string;
}

export interface ParkedContext {
  readonly names: Names;
  readonly budgets: LaneBudgets;
  /** The stage's recipients, whom scheduled notifications mail. */
  readonly recipients: readonly [string, ...string[]];
}

/**
 * Reads one message of the dead-letter queue. It never throws, because a message of unknown format has to be listed
 * too.
 */
export function parseParkedMessage(message: QueueMessage, context: ParkedContext): ParkedMessage {
  const content = parseJson(message.body);
  const { record, raw } = recordIn(content);
  if (isFromTarget(message)) return ofTarget(message, content, raw, record, context);
  if (record !== undefined) return ofRecord(message, raw, record, context);
  if (envelopeSchema.safeParse(content).success) return ofTarget(message, content, undefined, undefined, context);
  return ofUnknown(message, content);
}

function isFromTarget({ attributes }: QueueMessage): boolean {
  return attributes.ERROR_CODE !== undefined || attributes.RULE_ARN !== undefined;
}

/**
 * Finds a failure record in a message: the message is one, or is Lambda's event on the failures bus that contains one.
 */
function recordIn(content: unknown): { record: FailureRecord | undefined; raw: Record<string, unknown> | undefined } {
  const inner = isObject(content) && content.source === "lambda" ? content.detail : content;
  if (!isObject(inner)) return { record: undefined, raw: undefined };
  // Another version of the function may write its list of mails differently, which must not hide the event.
  const { failures, ...rest } = inner;
  const told = (Array.isArray(failures) ? (failures as unknown[]) : []).flatMap(
    (failure) => mailFailureSchema.safeParse(failure).data ?? [],
  );
  const raw = told.length === 0 ? rest : { ...rest, failures: told };
  const record = failureRecordSchema.safeParse(raw).data;
  return record === undefined ? { record, raw: undefined } : { record, raw };
}

function ofTarget(
  message: QueueMessage,
  content: unknown,
  raw: Record<string, unknown> | undefined,
  record: FailureRecord | undefined,
  context: ParkedContext,
): ParkedMessage {
  const {
    ERROR_CODE: code,
    ERROR_MESSAGE: text = "",
    RULE_ARN: rule = "",
    RETRY_ATTEMPTS: retries = "",
  } = message.attributes;
  const event = record?.requestPayload ?? toBusinessEvent(content, rule, context);
  const about = aboutEvent(event);
  // The number of the function's runs or, if it never ran, the number of EventBridge's tries to reach it.
  const attempts =
    record?.requestContext.approximateInvokeCount ?? (/^\d+$/.test(retries) ? Number(retries) + 1 : undefined);
  const before = record?.responsePayload;
  const reason =
    code === undefined
      ? {
          type: "Unknown",
          message: "The message does not say why the event was parked, so somebody put it here by hand.",
        }
      : {
          type: code,
          message:
            `EventBridge could not deliver to the target of ${nameOfRule(rule, context.names)}: ${text}` +
            (before ? ` (Before that: ${before.errorType ?? "unknown"}. ${before.errorMessage ?? ""})` : ""),
        };
  return {
    ...common(message),
    ...about,
    format: "event-target",
    reason,
    attempts,
    redrives: record?.redrives ?? 0,
    failures: record?.failures ?? [],
    record:
      about.notification === undefined
        ? undefined
        : (raw ?? {
            requestContext: { condition: "NotDelivered", approximateInvokeCount: attempts ?? 0 },
            requestPayload: event,
            responsePayload: { errorType: reason.type, errorMessage: text },
          }),
  };
}

function ofRecord(
  message: QueueMessage,
  raw: Record<string, unknown> | undefined,
  record: FailureRecord,
  { budgets }: ParkedContext,
): ParkedMessage {
  const { condition, approximateInvokeCount } = record.requestContext;
  const { errorType, errorMessage } = record.responsePayload ?? {};
  const { redrives = 0 } = record;
  const about = aboutEvent(record.requestPayload);
  const isMoved = isMovedBySqs(message, record);
  // The message's own receive count is not used, because it also counts each time that this command listed it.
  const receives =
    isMoved && about.notification
      ? retryQueueSettings(about.notification.lane, budgets[about.notification.lane].timeoutSeconds).maxReceiveCount
      : 0;
  const attempts = approximateInvokeCount + receives;
  return {
    ...common(message),
    ...about,
    format: isMoved ? "retries-exhausted" : "failure-record",
    reason: {
      type: errorType ?? condition,
      message: (isMoved ? everyRetryFailed(redrives) : "") + (errorMessage ?? neverRan(condition)),
    },
    attempts,
    redrives,
    failures: record.failures ?? [],
    record:
      about.notification === undefined
        ? undefined
        : {
            ...raw,
            requestContext: {
              ...(isObject(raw?.requestContext) ? raw.requestContext : {}),
              approximateInvokeCount: attempts,
            },
          },
  };
}

/**
 * Whether SQS moved the record here from the retry queue after its last try. Records of transient failures come only
 * that way: the function and the dead-letter rule park only permanent failures.
 */
function isMovedBySqs({ systemAttributes }: QueueMessage, record: FailureRecord): boolean {
  if (systemAttributes.DeadLetterQueueSourceArn !== undefined) return true;
  const isPermanent = (permanentFailureTypes as readonly string[]).includes(record.responsePayload?.errorType ?? "");
  return !isPermanent && record.requestContext.condition !== "Parked";
}

/** Says that the retries failed, because SQS moves the record unchanged: its own reason is from before the retries. */
function everyRetryFailed(redrives: number): string {
  return redrives === 0
    ? "Every retry failed, for hours. "
    : "It was sent again, and every retry failed, for hours; the function's log says why. Before that: ";
}

function neverRan(condition: string): string {
  return condition === "EventAgeExceeded"
    ? "The function never ran: it was throttled until the event was too old."
    : "The record has no reason.";
}

function ofUnknown(message: QueueMessage, content: unknown): ParkedMessage {
  const about = aboutEvent(
    isObject(content) && content.requestPayload !== undefined ? content.requestPayload : content,
  );
  const shape = isObject(content)
    ? `a JSON object with ${Object.keys(content).slice(0, 8).join(", ") || "nothing in it"}`
    : content === undefined
      ? "no JSON"
      : "JSON, but no object";
  return {
    ...common(message),
    ...about,
    notification: undefined,
    format: "unknown",
    reason: {
      type: "UnknownFormat",
      message: `Neither an event nor a failure record: ${shape}, ${Buffer.byteLength(message.body)} bytes.`,
    },
    attempts: undefined,
    redrives: 0,
    failures: [],
    record: undefined,
  };
}

function common({
  messageId,
  body,
  systemAttributes,
}: QueueMessage): Pick<ParkedMessage, "messageId" | "body" | "queuedAt"> {
  return { messageId, body, queuedAt: Number(systemAttributes.SentTimestamp ?? "0") };
}

type AboutEvent = Pick<
  ParkedMessage,
  "event" | "eventId" | "eventTime" | "notification" | "recipients" | "prepared" | "refusal"
>;

function aboutEvent(event: unknown): AboutEvent {
  const { id, time, source, "detail-type": detailType } = isObject(event) ? event : {};
  const eventTime = typeof time === "string" ? Date.parse(time) : Number.NaN;
  const notification =
    typeof source === "string" && typeof detailType === "string"
      ? findNotification({ source, "detail-type": detailType })
      : undefined;
  const { prepared, refusal } = prepare(event, notification);
  return {
    event,
    eventId: typeof id === "string" ? id : undefined,
    eventTime: Number.isNaN(eventTime) ? undefined : eventTime,
    notification,
    prepared,
    refusal,
    recipients: prepared?.recipients ?? addressesIn(event),
  };
}

/** Makes the event's mail as the function of this checkout would, or says why it would refuse the event. */
function prepare(event: unknown, notification: Notification | undefined): Pick<ParkedMessage, "prepared" | "refusal"> {
  const none = (refusal: string) => ({ prepared: undefined, refusal });
  if (notification === undefined) return none("No notification takes this event.");
  const whole = envelopeSchema.safeParse(event);
  if (!whole.success) return none("A part of the event is missing.");
  try {
    refuseOversized(event);
    return { prepared: notification.prepare(whole.data), refusal: refusalByPattern(whole.data.detail, notification) };
  } catch (error) {
    return none(error instanceof Error ? error.message : String(error));
  }
}

function refusalByPattern(detail: Record<string, unknown>, { id, trigger }: Notification): string | undefined {
  if (trigger.kind !== "event" || routeOf(trigger, detail) === "mailed") return undefined;
  const fields = Object.keys(trigger.detailPattern ?? {}).map((field) => `detail.${field}`);
  return `The pattern of "${id}" does not take it: see ${fields.join(", ")}.`;
}

/** Finds recipients in an event of which no mail can be made. They are not checked. */
function addressesIn(event: unknown): readonly string[] {
  const detail = isObject(event) && isObject(event.detail) ? event.detail : {};
  const { recipient } = isObject(detail.emailConfig) ? detail.emailConfig : {};
  return [recipient].flat().filter((text) => typeof text === "string");
}

/**
 * Returns the event that the function would have received. For a schedule, the target's input transformer makes that
 * event (stacks/constructs/event-routing.ts), so the parked one may be the event from before the transformer.
 */
function toBusinessEvent(content: unknown, ruleArn: string, { names, recipients }: ParkedContext): unknown {
  if (!isObject(content) || content.source !== "aws.events") return content;
  const ruleName = nameOfRule(ruleArn, names);
  const trigger = catalogue.find((notification) => notification.ruleName === ruleName)?.trigger;
  if (trigger?.kind !== "schedule") return content;
  const occurrence = Object.fromEntries(occurrenceFields.map((name) => [name, content[name]]));
  return { ...occurrence, ...constantContent(trigger, recipients) };
}

function nameOfRule(ruleArn: string, names: Names): string {
  const name = ruleArn.slice(ruleArn.lastIndexOf("/") + 1);
  return name.startsWith(`${names.prefix}-`) ? name.slice(names.prefix.length + 1) : name || "a rule";
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
