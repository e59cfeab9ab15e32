import { createHash } from "node:crypto";
import { type EventEnvelope, envelopeSchema } from "./contract/envelope";
import { templateName } from "./contract/environment";
import { allowsRecipient, type RecipientPolicy } from "./contract/recipient-policy";
import { type NotificationError, PermanentError, TransientError } from "./errors";
import { findNotification } from "./notifications";

/** One templated mail to one recipient. */
export interface TemplatedEmail {
  readonly recipient: string;
  readonly template: string;
  readonly templateData: Readonly<Record<string, string>>;
}

/** Sends a mail; rejects with a `NotificationError`. */
export type SendEmail = (email: TemplatedEmail) => Promise<{ readonly messageId: string }>;

type Attributes = Readonly<Record<string, unknown>>;

/** The part of the logger that is needed; no attribute holds an address or a body. */
export interface Log {
  info(message: string, attributes: Attributes): void;
  error(message: string, attributes: Attributes): void;
}

export interface Metrics {
  emailSent(notification: string): void;
  eventFailed(type: string): void;
}

export interface NotifyDependencies {
  readonly sendEmail: SendEmail;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly templateNamePrefix: string;
  readonly recipientPolicy: RecipientPolicy;
}

export interface NotifyResult {
  readonly notification: string;
  readonly eventId: string;
  readonly messageIds: readonly string[];
}

/**
 * Turns one event into mail.
 * @throws NotificationError, logged and counted: Lambda must see a failure as a failure, or the event is gone.
 */
export function createNotify(dependencies: NotifyDependencies): (input: unknown) => Promise<NotifyResult> {
  const { log, metrics } = dependencies;
  return async (input) => {
    let eventId: string | undefined;
    try {
      const event = parseEnvelope(input);
      eventId = event.id;
      return await deliver(event, dependencies);
    } catch (cause) {
      const error = toNotificationError(cause);
      metrics.eventFailed(error.name);
      log.error(error.message, { eventId, failure: error.name, retryable: error.retryable, ...causeOf(error) });
      throw error;
    }
  };
}

async function deliver(event: EventEnvelope, dependencies: NotifyDependencies): Promise<NotifyResult> {
  const { sendEmail, log, metrics, templateNamePrefix, recipientPolicy } = dependencies;
  const notification = findNotification(event);
  if (notification === undefined) {
    throw new PermanentError(
      "UnknownNotification",
      `No notification takes source "${event.source}" with detail-type "${event["detail-type"]}": add one to handler/notifications, or narrow the rule.`,
    );
  }
  const { recipients, templateData } = notification.prepare(event);
  refuseForbidden(recipients, recipientPolicy);

  const messageIds: string[] = [];
  for (const recipient of recipients) {
    const { messageId } = await sendEmail({
      recipient,
      template: templateName(templateNamePrefix, notification.id),
      templateData,
    });
    messageIds.push(messageId);
    metrics.emailSent(notification.id);
    log.info("Email sent", {
      eventId: event.id,
      notification: notification.id,
      messageId,
      recipient: hashRecipient(recipient),
    });
  }
  return { notification: notification.id, eventId: event.id, messageIds };
}

function parseEnvelope(input: unknown): EventEnvelope {
  const parsed = envelopeSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "event"}: ${issue.message}`);
  throw new PermanentError("InvalidEvent", `The input is not an EventBridge event. ${problems.join("; ")}`);
}

function refuseForbidden(recipients: readonly string[], policy: RecipientPolicy): void {
  const refused = recipients.filter((recipient) => !allowsRecipient(policy, recipient));
  if (refused.length === 0) return;
  throw new PermanentError(
    "RecipientRefused",
    `${refused.length} of ${recipients.length} recipients are not on the allow-list of this stage (${refused.map(hashRecipient).join(", ")}): add the address or its domain to allowedRecipients in stacks/stages.`,
  );
}

/** Tells recipients apart in a log without naming them. */
export function hashRecipient(recipient: string): string {
  return createHash("sha256").update(recipient.toLowerCase()).digest("hex").slice(0, 12);
}

function toNotificationError(cause: unknown): NotificationError {
  return cause instanceof PermanentError || cause instanceof TransientError
    ? cause
    : new TransientError("Unclassified", "The notification failed for a reason that is not classified.", { cause });
}

/** The name only: the message of a foreign error may quote an address. */
function causeOf(error: Error): Attributes {
  return error.cause instanceof Error ? { cause: error.cause.name } : {};
}
