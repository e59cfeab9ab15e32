import { type ClaimAnswer, claimId, type ClaimStore } from "./claims";
import { bytesOfEvent, type EventEnvelope, envelopeSchema, mostEventBytes } from "./contract/envelope";
import { maskAddresses } from "./contract/mask";
import { hashRecipient } from "./contract/recipient-hash";
import { allowsRecipient, type RecipientPolicy } from "./contract/recipient-policy";
import { type NotificationError, PermanentError, TransientError } from "./errors";
import { findNotification } from "./notifications";
import { type Notification } from "./notifications/define";
import { type Clock } from "./pacer";

/** One templated mail to one recipient. */
export interface TemplatedEmail {
  readonly recipient: string;
  readonly template: string;
  readonly templateData: Readonly<Record<string, string>>;
  /** They come back in SES's own events about the mail, and lead from there to the business event. */
  readonly tags: { readonly notification: string; readonly eventId: string; readonly attempt: number };
}

/** Sends a mail before `deadline` (milliseconds since 1970); rejects with a `NotificationError`. */
export type SendEmail = (email: TemplatedEmail, deadline: number) => Promise<{ readonly messageId: string }>;

type Attributes = Readonly<Record<string, unknown>>;

/** The part of the logger that is needed; no attribute holds an address or a body. */
export interface Log {
  info(message: string, attributes: Attributes): void;
  warn(message: string, attributes: Attributes): void;
  error(message: string, attributes: Attributes): void;
}

export interface Metrics {
  emailSent(notification: string): void;
  /** The mail was out already: a second delivery of its event, or a retry. */
  duplicatePrevented(notification: string): void;
  eventFailed(type: string): void;
}

export interface NotifyDependencies {
  readonly sendEmail: SendEmail;
  readonly claims: ClaimStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Name of the stored template that a notification's mails are sent with. */
  readonly templateNameOf: (notificationId: string) => string;
  readonly recipientPolicy: RecipientPolicy;
}

/** When Lambda ends this run, in milliseconds since 1970. */
export interface Run {
  readonly endsAt: number;
}

export interface NotifyResult {
  readonly notification: string;
  readonly eventId: string;
  /** One a recipient, those of earlier tries included. */
  readonly messageIds: readonly string[];
}

export type Notify = (input: unknown, run: Run) => Promise<NotifyResult>;

/**
 * What a send needs at most: SES's answer within `requestTimeoutMs` of handler/adapters/ses.ts, and the claim's record.
 * Less time than this, and the run could end between the two.
 */
export const sendBudgetMs = 8000;

/** Clocks of two execution environments may differ by this much. */
const clockSkewMs = 1000;

/**
 * Turns one event into mail.
 * @throws NotificationError, logged and counted: Lambda must see a failure as a failure, or the event is gone.
 */
export function createNotify(dependencies: NotifyDependencies): Notify {
  const { log, metrics } = dependencies;
  return async (input, run) => {
    let eventId: string | undefined;
    try {
      const event = parseEnvelope(input);
      eventId = event.id;
      refuseOversized(input);
      return await deliver(event, run, dependencies);
    } catch (cause) {
      const error = toNotificationError(cause);
      metrics.eventFailed(error.name);
      const about = { eventId, failure: error.name, retryable: error.retryable, ...causeOf(error) };
      // Nothing went wrong where a mail only has to wait for its turn: no error is counted. (Lambda itself counts a run
      // that throws, so the alarm lambda-errors rings all the same.)
      if (["OutOfTime", "ClaimHeld"].includes(error.name)) log.warn(error.message, about);
      else log.error(error.message, about);
      throw error;
    }
  };
}

async function deliver(event: EventEnvelope, run: Run, dependencies: NotifyDependencies): Promise<NotifyResult> {
  const notification = findNotification(event);
  if (notification === undefined) {
    throw new PermanentError(
      "UnknownNotification",
      `No notification takes source "${maskAddresses(event.source)}" with detail-type "${maskAddresses(event["detail-type"])}": add one to handler/notifications, or narrow the rule.`,
    );
  }
  const { recipients, templateData, idempotencyKey } = notification.prepare(event);
  refuseForbidden(recipients, dependencies.recipientPolicy);

  const messageIds: string[] = [];
  const failures: NotificationError[] = [];
  for (const recipient of recipients) {
    try {
      const mail = { recipient, templateData, claim: claimId(notification.trigger, idempotencyKey, recipient) };
      messageIds.push(await sendOnce(mail, notification, event, run, dependencies));
    } catch (cause) {
      const failure = toNotificationError(cause);
      failures.push(failure);
      // What fails for one recipient alone must not keep the mail from the others; what fails for all would only
      // fail again, and the next try goes on from here.
      if (failure.retryable && failure.name !== "ClaimHeld") break;
    }
  }
  if (failures.length > 0) throw summarize(failures, recipients.length);
  return { notification: notification.id, eventId: event.id, messageIds };
}

interface Mail {
  readonly recipient: string;
  readonly templateData: Readonly<Record<string, string>>;
  readonly claim: string;
}

/** Sends a mail that is not out yet. @returns its message id. */
async function sendOnce(
  mail: Mail,
  notification: Notification,
  event: EventEnvelope,
  run: Run,
  { sendEmail, claims, clock, log, metrics, templateNameOf }: NotifyDependencies,
): Promise<string> {
  const about = { eventId: event.id, notification: notification.id, recipient: hashRecipient(mail.recipient) };
  const deadline = run.endsAt - sendBudgetMs;
  if (clock.now() > deadline) {
    throw new TransientError("OutOfTime", "The run's time was over before all mails were sent; the next try goes on.");
  }
  const answer = await claim();
  switch (answer.state) {
    case "sent":
      metrics.duplicatePrevented(notification.id);
      log.info("Email was sent before", { ...about, messageId: answer.messageId });
      return answer.messageId;
    case "held":
      throw new TransientError("ClaimHeld", "Another run is sending this mail at this moment.");
    case "unknown":
      throw new PermanentError(
        "OutcomeUnknown",
        "An earlier try ended without SES's answer, so the mail may be out. Look for its event id among SES's events before you send it again.",
      );
    case "claimed":
  }
  let messageId: string;
  try {
    ({ messageId } = await sendEmail(
      {
        recipient: mail.recipient,
        template: templateNameOf(notification.id),
        templateData: mail.templateData,
        tags: { notification: notification.id, eventId: event.id, attempt: answer.attempt },
      },
      deadline,
    ));
  } catch (cause) {
    const failure = toNotificationError(cause);
    const isUnknown = failure.name === "OutcomeUnknown";
    await (isUnknown ? claims.markUnknown(answer.claim) : claims.markFailed(answer.claim)).catch((error: unknown) => {
      // The claim stays as it is, and counts as unknown once this run is over: parked, not sent twice.
      log.warn("The failure could not be recorded", {
        ...about,
        cause: error instanceof Error ? error.name : typeof error,
      });
    });
    if (isUnknown && notification.onUnknown === "resend") {
      throw new TransientError("ServiceUnavailable", "SES gave no answer; this notification may be sent again.", {
        cause: failure,
      });
    }
    throw failure;
  }
  // The mail is out: a failure from here on must not look like one of the send, or it would be sent again.
  await claims.markSent(answer.claim, messageId).catch((error: unknown) => {
    log.warn("The send could not be recorded: a second delivery of this event will be parked, not mailed", {
      ...about,
      messageId,
      cause: error instanceof Error ? error.name : typeof error,
    });
  });
  metrics.emailSent(notification.id);
  log.info("Email sent", { ...about, messageId, attempt: answer.attempt });
  return messageId;

  async function claim(): Promise<ClaimAnswer> {
    try {
      return await claims.claim({
        id: mail.claim,
        notification: notification.id,
        eventId: event.id,
        heldUntil: run.endsAt + clockSkewMs,
        takeOver: notification.onUnknown === "resend",
      });
    } catch (cause) {
      throw new TransientError("ClaimStoreUnavailable", "The mail could not be claimed, so it was not sent.", {
        cause,
      });
    }
  }
}

/** One error for the event: transient while a retry can still reach somebody. */
function summarize(failures: readonly NotificationError[], recipients: number): NotificationError {
  const [first, ...others] = [...failures].sort((a, b) => Number(b.retryable) - Number(a.retryable));
  if (first === undefined) throw new Error("There is no failure to summarize; this is a bug in handler/notify.ts.");
  if (recipients === 1) return first;
  const message = `${failures.length} of ${recipients} mails failed. ${first.message}`;
  const options = { cause: first.cause };
  if (others.length === 0 && failures.length === recipients) return first;
  return first instanceof PermanentError
    ? new PermanentError(first.type, message, options)
    : new TransientError(first.type, message, options);
}

function parseEnvelope(input: unknown): EventEnvelope {
  const parsed = envelopeSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "event"}: ${issue.message}`);
  throw new PermanentError("InvalidEvent", `The input is not an EventBridge event. ${problems.join("; ")}`);
}

/** @throws PermanentError */
export function refuseOversized(input: unknown): void {
  const bytes = bytesOfEvent(input);
  if (bytes <= mostEventBytes) return;
  throw new PermanentError(
    "InvalidEvent",
    `The event has ${bytes} bytes, and at most ${mostEventBytes} are mailed: put the content elsewhere, and mail a link to it. The bus's archive has the whole event.`,
  );
}

function refuseForbidden(recipients: readonly string[], policy: RecipientPolicy): void {
  const refused = recipients.filter((recipient) => !allowsRecipient(policy, recipient));
  if (refused.length === 0) return;
  throw new PermanentError(
    "RecipientRefused",
    `${refused.length} of ${recipients.length} recipients are not on the allow-list of this stage (${refused.map(hashRecipient).join(", ")}): add the address or its domain to allowedRecipients in stacks/stages.ts.`,
  );
}

export function toNotificationError(cause: unknown): NotificationError {
  return cause instanceof PermanentError || cause instanceof TransientError
    ? cause
    : new TransientError("Unclassified", "The notification failed for a reason that is not classified.", { cause });
}

/** The name only: the message of a foreign error may quote an address. */
function causeOf(error: Error): Attributes {
  return error.cause instanceof Error ? { cause: error.cause.name } : {};
}
