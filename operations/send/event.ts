import { readFileSync, statSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { type EventEnvelope, envelopeSchema } from "../../handler/contract/envelope";
import { catalogue } from "../../handler/notifications";
import { type EventTrigger, type Notification } from "../../handler/notifications/define";
import { readdressed } from "../../handler/notifications/sample";
import { refuseOversized } from "../../handler/send-notification";
import { loadTemplate, type TemplateReader } from "../../stacks/templates/load";
import { renderMail } from "../../stacks/templates/mail";
import { UsageError } from "../command";
import { describeFailure } from "../text";

/** Options of the event that a person puts on the bus. */
export interface EventOptions {
  /**
   * Addresses to mail, separated by commas.
   * @default the addresses that the detail names
   */
  readonly to?: string;
  readonly subject?: string;
  /**
   * JSON, or the path of a file with JSON.
   * @default the notification's sample
   */
  readonly detail?: string;
  /** Whether the event goes to the sandbox. No real mail is sent there, so the sample's own recipients may stay. */
  readonly sandbox?: boolean;
}

/** Where notifications and templates come from. Tests pass their own. */
interface Sources {
  readonly notifications: readonly Notification[];
  readonly templateOf: TemplateReader;
}

/**
 * Lists the notifications that an event starts, separated by commas. Those with a schedule are left out: the clock
 * starts them, or in the sandbox `POST /_sandbox/fire/<rule name>`.
 */
export const eventNotifications = (notifications: readonly Notification[] = catalogue): string =>
  notifications
    .filter(({ trigger }) => trigger.kind === "event")
    .map(({ id }) => id)
    .join(", ");

export interface CheckedEvent {
  readonly notification: Notification & { readonly trigger: EventTrigger };
  readonly event: EventEnvelope;
}

/**
 * Makes the event to put, and checks it as the function would.
 * @throws UsageError that says why the function would refuse the event.
 */
export function checkedEvent(
  id: string | undefined,
  options: EventOptions,
  { notifications, templateOf }: Sources = { notifications: catalogue, templateOf: loadTemplate },
): CheckedEvent {
  const notification = findEventNotification(id, notifications);
  try {
    const event = eventOf(notification.trigger, detailOf(notification, options));
    refuseOversized(event);
    const { refusedRecipients } = notification.prepare(event);
    const mail = renderMail(notification, event, undefined, templateOf(notification));
    const [refused] = refusedRecipients;
    // The function would mail the other recipients. Here it is refused, because the person can correct it at once.
    if (refused !== undefined) {
      const where = options.to === undefined ? "--detail: its recipient" : "--to:";
      throw new UsageError(`${where} number ${refused.position} ${refused.problem}.`);
    }
    if (options.subject !== undefined) {
      const subject = options.subject === "-" ? "+" : "-";
      const other = eventOf(notification.trigger, detailOf(notification, { ...options, subject }));
      if (isDeepStrictEqual(mail, renderMail(notification, other, undefined, templateOf(notification)))) {
        throw new UsageError(`--subject: nothing in a mail of "${notification.id}" reads it. Leave it out.`);
      }
    }
    return { notification, event };
  } catch (cause) {
    throw cause instanceof UsageError ? cause : new UsageError(describeFailure(cause), { cause });
  }
}

function findEventNotification(
  id: string | undefined,
  notifications: readonly Notification[],
): Notification & { readonly trigger: EventTrigger } {
  const known = eventNotifications(notifications);
  if (id === undefined) throw new UsageError(`The notification's name is missing: use one of ${known}`);
  const notification = notifications.find((candidate) => candidate.id === id);
  if (notification === undefined) throw new UsageError(`There is no notification "${id}": use one of ${known}`);
  if (notification.trigger.kind !== "event") {
    throw new UsageError(
      `A schedule makes "${id}", and no event: use one of ${known}. docs/notifications.md says how to fire a schedule in the sandbox.`,
    );
  }
  return { ...notification, trigger: notification.trigger };
}

/**
 * Makes the event's detail from the given one, or else from the notification's sample, and applies the other options.
 */
function detailOf(
  notification: Notification & { readonly trigger: EventTrigger },
  { to, subject, detail: text, sandbox = false }: EventOptions,
): Record<string, unknown> {
  if (to === undefined && text === undefined && !sandbox) {
    throw new UsageError("--to is missing: name whom to mail the sample to, --to you@example.com, or give a --detail.");
  }
  const given: object = text === undefined ? (notification.sample as object) : readDetail(text);
  refuseOversized(eventOf(notification.trigger, given as Record<string, unknown>));
  const withRecipients = to === undefined ? given : withRecipientsOf(notification, given, to);
  if (subject === undefined) return { ...withRecipients };
  const emailConfig = "emailConfig" in withRecipients ? (withRecipients.emailConfig as object) : {};
  return { ...withRecipients, emailConfig: { ...emailConfig, subject } };
}

/** @throws UsageError if the event can't be sent to the addresses in `to`. */
function withRecipientsOf(notification: Notification, detail: object, to: string): object {
  const recipients = to.split(",").map((entry) => entry.trim());
  try {
    return readdressed(notification, detail, recipients);
  } catch (cause) {
    throw new UsageError(`--to: ${describeFailure(cause)}`, { cause });
  }
}

/** All events of a call have the same time, so that they differ only by the options. */
const now = new Date().toISOString();

function eventOf({ source, detailType }: EventTrigger, detail: Record<string, unknown>): EventEnvelope {
  return envelopeSchema.parse({ id: "not-sent-yet", source, "detail-type": detailType, time: now, detail });
}

/** @throws UsageError if the text is neither a JSON object nor the path of a file with one. */
function readDetail(text: string): object {
  // JSON is not looked for as a file, because the system throws on a name that is too long.
  const isJson = /^\s*[[{]/.test(text);
  const json = !isJson && statSync(text, { throwIfNoEntry: false })?.isFile() ? readFileSync(text, "utf8") : text;
  let detail: unknown;
  try {
    detail = JSON.parse(json);
  } catch (cause) {
    throw new UsageError(`--detail is neither a file nor JSON: ${text}`, { cause });
  }
  if (typeof detail === "object" && detail !== null && !Array.isArray(detail)) return detail;
  throw new UsageError(`--detail has to be a JSON object: ${json}`);
}
