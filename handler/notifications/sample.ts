import { mailboxOf } from "../contract/email-address";
import { type EventEnvelope } from "../contract/envelope";
import { type Notification } from "./define";
import { knownFields } from "./request-schema";

/**
 * Makes an event with a notification's sample, for calling the function without a bus.
 * @param changes fields that replace those of the sample's event.
 */
export function sampleEvent(
  { id, trigger, sample }: Pick<Notification, "id" | "trigger" | "sample">,
  changes: { readonly id?: string; readonly time?: string; readonly detail?: unknown } = {},
): EventEnvelope {
  const { detail = sample, ...others } = changes;
  return {
    id: `sample-${id}`,
    source: trigger.source,
    "detail-type": trigger.detailType,
    time: new Date().toISOString(),
    ...others,
    detail: detail as EventEnvelope["detail"],
  };
}

/**
 * Returns `detail` with other recipients, for trying a notification. A detail with a field `emailConfig.recipient` gets
 * them there. In any other, they replace the addresses that the event would mail, wherever the detail has them.
 * @throws Error if the notification does not take its recipients from the detail.
 */
export function readdressed(notification: Notification, detail: object, recipients: readonly string[]): object {
  const named = recipients.length === 1 ? recipients[0] : recipients;
  if (knownFields(notification.detail).some((field) => field.join(".") === "emailConfig.recipient")) {
    const emailConfig = "emailConfig" in detail ? (detail.emailConfig as object) : {};
    return { ...detail, emailConfig: { ...emailConfig, recipient: named } };
  }
  const changed = replaced(detail, mailboxesOf(notification, detail), named) as object;
  const { recipients: mailed, refusedRecipients } = notification.prepare(
    sampleEvent(notification, { detail: changed }),
  );
  const wanted = new Set(recipients.map((address) => mailboxOf(address)));
  // Refused entries count here as well: a bad address is reported later, when the event is mailed.
  const isRead = mailed.length + refusedRecipients.length >= wanted.size;
  if (isRead && mailed.every((address) => wanted.has(mailboxOf(address)))) return changed;
  throw new Error(
    `An event of "${notification.id}" does not take its recipients from its detail: they stay as the definition has them.`,
  );
}

/** The mailboxes that the event would mail, without entries that are refused. */
function mailboxesOf(notification: Notification, detail: object): ReadonlySet<string> {
  return new Set(notification.prepare(sampleEvent(notification, { detail })).recipients.map(mailboxOf));
}

function replaced(value: unknown, old: ReadonlySet<string>, by: unknown): unknown {
  const isOld = (text: unknown) => typeof text === "string" && old.has(mailboxOf(text));
  if (isOld(value)) return by;
  if (Array.isArray(value)) {
    // A list of recipients is replaced as a whole, because the new list may have another length.
    return value.some(isOld) ? [by].flat() : value.map((each) => replaced(each, old, by));
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, replaced(each, old, by)]));
}
