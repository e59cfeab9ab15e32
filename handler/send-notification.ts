import { type Claim, type ClaimAnswer, type ClaimStore, isTakenForOther } from "./claims";
import {
  bytesOfEvent,
  type EventEnvelope,
  envelopeSchema,
  isNestedDeeperThan,
  mostEventBytes,
  mostEventLevels,
} from "./contract/envelope";
import { defaultSender } from "./contract/environment";
import { type MailFailure } from "./contract/failure-record";
import { compareFailures, isWait } from "./contract/failures";
import { maskAddresses } from "./contract/mask";
import { hashRecipient } from "./contract/recipient-hash";
import { allowedRecipient, type RecipientPolicy } from "./contract/recipient-policy";
import { type TemplateData, type TemplateReads } from "./contract/template-data";
import { createError, type NotificationError, PermanentError, TransientError } from "./errors";
import { mailsOf, type PreparedMail } from "./mails";
import { findNotification } from "./notifications";
import { type Notification, type PreparedEmail, type RefusedRecipient } from "./notifications/define";
import { type Edition } from "./notifications/editions";
import { mailData } from "./notifications/mail-data";
import { type Limit } from "./concurrency";
import { type Clock, longestSendMs } from "./pacer";

/** One templated mail to one recipient. */
export interface TemplatedEmail {
  /** The `From` address. */
  readonly sender: string;
  readonly recipient: string;
  readonly template: string;
  readonly templateData: Readonly<Record<string, unknown>>;
  /** Addresses that replies go to. If the list is empty, replies go to the sender. */
  readonly replyTo: readonly string[];
  readonly tags: MailTags;
}

/**
 * Tags that SES repeats in its own events about the mail. They lead from there to the business event and its recipient.
 */
interface MailTags {
  readonly notification: string;
  readonly eventId: string;
  /** `hashRecipient` of the address. */
  readonly recipient: string;
  readonly attempt: number;
  /** Name of the stored template. */
  readonly template: string;
  readonly locale: string;
  /** Absent where the notification has no variants. */
  readonly variant?: string;
}

/** Sends a mail before `deadline` (in milliseconds since 1970). It rejects with a `NotificationError`. */
export type SendEmail = (email: TemplatedEmail, deadline: number) => Promise<{ readonly messageId: string }>;

type Attributes = Readonly<Record<string, unknown>>;

/** The part of the logger that the function uses. No attribute may hold an address or a mail's content. */
export interface Log {
  info(message: string, attributes: Attributes): void;
  warn(message: string, attributes: Attributes): void;
  error(message: string, attributes: Attributes): void;
}

export interface Metrics {
  emailSent(notification: string): void;
  /** The mail had been sent before: its event was delivered twice, or was retried. */
  duplicatePrevented(notification: string): void;
  /** The mail was not sent, because another event with different content has claimed the same idempotency key. */
  keyReused(notification: string): void;
  eventFailed(type: string): void;
}

export interface SentTemplate {
  readonly name: string;
  readonly reads: TemplateReads;
}

export interface SendNotificationDependencies {
  readonly sendEmail: SendEmail;
  readonly claims: ClaimStore;
  readonly clock: Clock;
  /** Limits the mails that are worked on at once, over all events of a batch. */
  readonly limit: Limit;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The stored template of one edition of a notification: its name, and what it reads. */
  readonly templateOf: (notificationId: string, edition: Edition) => SentTemplate;
  /** The stage's `From` addresses by the names that notifications use. */
  readonly senders: Readonly<Record<string, string>>;
  readonly recipientPolicy: RecipientPolicy;
  /** Addresses that replies go to if the event names none. */
  readonly replyTo: readonly string[];
}

export interface Run {
  /** Time at which Lambda ends this run, in milliseconds since 1970. */
  readonly endsAt: number;
}

export interface NotificationResult {
  readonly notification: string;
  readonly eventId: string;
  /** SES's message ids, one for each recipient, those of earlier tries included. */
  readonly messageIds: readonly string[];
}

export type SendNotification = (input: unknown, run: Run) => Promise<NotificationResult>;

/** Most milliseconds by which the clocks of two execution environments are assumed to differ. */
const clockSkewMs = 1000;

/**
 * Makes the function that turns one event into mails.
 *
 * That function rejects with a `NotificationError` if any mail was not sent, and has logged and counted it by then. The
 * failure must not be swallowed: after a run that succeeds, Lambda drops the event.
 */
export function createSendNotification(dependencies: SendNotificationDependencies): SendNotification {
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
      const [first, ...others] = error.failures;
      const failed = others.length === 0 ? first : undefined;
      const about = {
        eventId,
        recipient: failed?.recipient,
        position: failed?.position,
        failure: error.name,
        retryable: error.retryable,
        ...causeOf(error),
      };
      // The stack counts `ERROR` lines, one for each failed event. Lambda's own count of errors, which the alarm
      // lambda-errors uses, includes runs that throw because a mail has to wait, and leaves out events that are parked.
      if (isWait(error.name) && error.failures.every(({ type }) => isWait(type))) log.warn(error.message, about);
      else log.error(error.message, about);
      throw error;
    }
  };
}

/**
 * Tries every mail of the event. A failure for one recipient does not keep the mail from the others.
 * @throws NotificationError that lists the mails that failed.
 */
async function deliver(
  event: EventEnvelope,
  run: Run,
  dependencies: SendNotificationDependencies,
): Promise<NotificationResult> {
  const notification = findNotification(event);
  if (notification === undefined) {
    throw new PermanentError(
      "UnknownNotification",
      `No notification takes source "${maskAddresses(event.source)}" with detail-type "${maskAddresses(event["detail-type"])}": add one to handler/notifications, or narrow the rule.`,
    );
  }
  const prepared = notification.prepare(event);
  const { recipients, refusedRecipients } = prepared;
  // All is made before the first mail goes out: an event that makes no mail is refused as a whole.
  const filled = templateFiller(notification, dependencies.templateOf);
  const mailsOfEvent = mailsOf(notification, prepared).map((mail): Mail => {
    filled(mail);
    return { ...prepared, ...mail, filled };
  });
  const mails = recipients.length + refusedRecipients.length;
  // If this were a success, the event would be gone without anybody having been mailed.
  if (mails === 0) throw new PermanentError("InvalidEvent", `The event names no recipient of "${notification.id}".`);

  const outcomes = await sendEach(mailsOfEvent, notification, event, run, dependencies);
  const messageIds = outcomes.flatMap((outcome) => ("messageId" in outcome ? [outcome.messageId] : []));
  const failed = [
    ...refusedRecipients.map(toFailedMail),
    ...outcomes.flatMap((outcome) => ("error" in outcome ? [outcome] : [])),
  ];
  if (failed.length === 0) return { notification: notification.id, eventId: event.id, messageIds };
  if (mails > 1) logEach(failed, { eventId: event.id, notification: notification.id }, dependencies.log);
  throw summarize(failed, mails);
}

/** Tries the mails, a few at once, and returns what became of each, in the order of the mails. */
async function sendEach(
  mails: readonly Mail[],
  notification: Notification,
  event: EventEnvelope,
  run: Run,
  dependencies: SendNotificationDependencies,
): Promise<readonly ({ readonly messageId: string } | FailedMail)[]> {
  // Once the turn of one mail comes too late for this run, so do those of the mails behind it. They are not even
  // claimed.
  let tooLate: NotificationError | undefined;
  const send = async (mail: Mail) => {
    try {
      if (tooLate !== undefined) throw tooLate;
      const recipient = requireAllowed(mail.recipient, dependencies.recipientPolicy);
      return { messageId: await sendOnce({ ...mail, recipient }, notification, event, run, dependencies) };
    } catch (cause) {
      const error = toNotificationError(cause);
      if (error.type === "OutOfTime") tooLate ??= error;
      return { place: { recipient: hashRecipient(mail.recipient) }, error };
    }
  };
  return Promise.all(mails.map((mail) => dependencies.limit(() => send(mail))));
}

/** A mail that was not sent, and the reason. */
interface FailedMail {
  readonly place: Place;
  readonly error: NotificationError;
}

/** Identifies a mail within its event. */
type Place = Pick<MailFailure, "recipient" | "position">;

function toFailedMail({ position, problem }: RefusedRecipient): FailedMail {
  const message = `Entry ${position} of the recipients ${problem}. Correct it where the event is made.`;
  return { place: { position }, error: new PermanentError("InvalidRecipient", message) };
}

/**
 * Logs one line for each failed mail of an event with several. The event's own `ERROR` line says enough for a single
 * mail.
 */
function logEach(failed: readonly FailedMail[], about: Attributes, log: Log): void {
  for (const { place, error } of failed) {
    const attributes = { ...about, ...place, failure: error.name, retryable: error.retryable, ...causeOf(error) };
    if (isWait(error.name)) log.info(error.message, attributes);
    else log.warn(error.message, attributes);
  }
}

/** Most mails that a message lists: `maximumRecipients`, the most that an event can name. */
const mostListed = 50;

/** Makes one error for the event. It is transient as long as a retry can still reach somebody. */
function summarize(failed: readonly FailedMail[], mails: number): NotificationError {
  const [first] = failed.map(({ error }) => error).sort(compareFailures);
  if (first === undefined)
    throw new Error("There is no failure to summarize; this is a bug in handler/send-notification.ts.");
  const listed = failed
    .slice(0, mostListed)
    .map(({ place: { recipient, position }, error }) => `${recipient ?? `entry ${position ?? "?"}`} ${error.name}`);
  if (failed.length > mostListed) listed.push(`and ${failed.length - mostListed} more`);
  const message =
    mails === 1 ? first.message : `${failed.length} of ${mails} mails failed: ${listed.join(", ")}. ${first.message}`;
  return createError(first.type, message, {
    failures: failed.map(({ place, error: { type, message: reason } }) => ({ ...place, type, message: reason })),
    ...(first.cause === undefined ? {} : { cause: first.cause }),
  });
}

interface Mail extends PreparedMail, Pick<PreparedEmail, "contentHash" | "replyTo"> {
  readonly filled: FillTemplate;
}

/** A stored template, and what it is sent with. */
interface FilledTemplate {
  /** Name of the stored template. */
  readonly template: string;
  readonly templateData: TemplateData;
}

type FillTemplate = (mail: Pick<PreparedMail, "edition" | "content">) => FilledTemplate;

/** Makes the template data of each edition once, because an event may have many mails. */
function templateFiller(
  notification: Notification,
  templateOf: SendNotificationDependencies["templateOf"],
): FillTemplate {
  const made = new Map<string, FilledTemplate>();
  return ({ edition, content }) => {
    const key = `${edition.locale} ${edition.variant ?? ""}`;
    const { name, reads } = templateOf(notification.id, edition);
    const filled = made.get(key) ?? { template: name, templateData: mailData(notification, content, reads) };
    made.set(key, filled);
    return filled;
  };
}

/**
 * Sends a mail, unless it was sent before.
 * @returns SES's id of the mail, also where an earlier run sent it.
 */
async function sendOnce(
  mail: Mail,
  notification: Notification,
  event: EventEnvelope,
  run: Run,
  dependencies: SendNotificationDependencies,
): Promise<string> {
  const { clock, log, metrics } = dependencies;
  const { recipient, contentHash } = mail;
  const about: AboutMail = { eventId: event.id, notification: notification.id, recipient: hashRecipient(recipient) };
  const deadline = run.endsAt - longestSendMs;
  if (clock.now() > deadline) {
    throw new TransientError("OutOfTime", "The run's time was over before all mails were sent; the next try goes on.");
  }
  const answer = await claim(mail, notification, event, run, dependencies);
  const isKeyReused = isTakenForOther(answer, { eventId: event.id, contentHash });
  if (isKeyReused) {
    metrics.keyReused(notification.id);
    log.warn(
      "Not sent: an event with other content has used the same idempotencyKey. A different mail needs a key of its own.",
      { ...about, claim: answer.state },
    );
  }
  switch (answer.state) {
    case "sent":
      if (!isKeyReused) {
        metrics.duplicatePrevented(notification.id);
        log.info("Email was sent before", { ...about, messageId: answer.messageId });
      }
      return answer.messageId;
    case "held":
      throw new TransientError("ClaimHeld", "Another run is sending this mail at this moment.");
    case "unknown":
      throw new PermanentError(
        "OutcomeUnknown",
        "An earlier try ended without SES's answer, so the mail may be out. Look for it among SES's events before you send it again.",
      );
    case "claimed":
      return sendClaimed(mail, notification, { ...answer, about, deadline }, dependencies);
  }
}

/** The attributes that a log line about a mail has. */
type AboutMail = Pick<MailTags, "notification" | "eventId" | "recipient">;

async function claim(
  { claimId, edition, contentHash }: Mail,
  { id, onUnknown }: Notification,
  event: EventEnvelope,
  run: Run,
  { claims }: SendNotificationDependencies,
): Promise<ClaimAnswer> {
  try {
    return await claims.claim({
      id: claimId,
      notification: id,
      edition,
      eventId: event.id,
      contentHash,
      heldUntil: run.endsAt + clockSkewMs,
      takeOver: onUnknown === "resend",
    });
  } catch (cause) {
    throw new TransientError("ClaimStoreUnavailable", "The mail could not be claimed, so it was not sent.", { cause });
  }
}

interface ClaimedSend {
  readonly claim: Claim;
  readonly attempt: number;
  /** The variant that the claim has kept of an earlier try. */
  readonly variant?: string;
  readonly about: AboutMail;
  readonly deadline: number;
}

/** Sends a mail that this run has claimed, and marks the claim with the result. */
async function sendClaimed(
  { recipient, content, filled, edition: chosen, replyTo }: Mail,
  notification: Notification,
  { claim: ownClaim, attempt, variant: kept, about, deadline }: ClaimedSend,
  dependencies: SendNotificationDependencies,
): Promise<string> {
  const { sendEmail, claims, log, metrics } = dependencies;
  // An earlier try has chosen by the weights of its time. Its variant counts as long as there is one of that name.
  const isKept = kept !== undefined && Object.hasOwn(notification.variants ?? {}, kept);
  const edition = isKept ? { ...chosen, variant: kept } : chosen;
  let messageId: string;
  try {
    const { template, templateData } = filled({ edition, content });
    ({ messageId } = await sendEmail(
      {
        sender: senderOf(notification, dependencies.senders),
        recipient,
        template,
        templateData,
        replyTo: replyTo.length > 0 ? replyTo : dependencies.replyTo,
        tags: { ...about, attempt, template, ...edition },
      },
      deadline,
    ));
  } catch (cause) {
    const failure = toNotificationError(cause);
    const isUnknown = failure.name === "OutcomeUnknown";
    await (isUnknown ? claims.markUnknown(ownClaim) : claims.markFailed(ownClaim)).catch((error: unknown) => {
      // The claim stays `claimed`. When this run has ended, that counts as unknown, so a later try parks the event and
      // does not send the mail twice.
      log.warn("The failure could not be recorded", { ...about, cause: nameOf(error) });
    });
    if (isUnknown && notification.onUnknown === "resend") {
      throw new TransientError("ServiceUnavailable", "SES gave no answer; this notification may be sent again.", {
        cause: failure,
      });
    }
    throw failure;
  }
  // The mail has been sent. A failure from here on must not be reported as a failed send, or the mail would be sent
  // again.
  await claims.markSent(ownClaim, messageId).catch((error: unknown) => {
    log.warn("The send could not be recorded: a second delivery of this event will be parked, not mailed", {
      ...about,
      messageId,
      cause: nameOf(error),
    });
  });
  metrics.emailSent(notification.id);
  log.info("Email sent", { ...about, messageId, attempt });
  return messageId;
}

/**
 * Returns the `From` address of a notification's mails. The synth refuses a sender that the stage lacks, so it can only be
 * missing while a deployment changes the function's code and its variables one after the other.
 * @throws TransientError
 */
function senderOf({ id, sender = defaultSender }: Notification, senders: Readonly<Record<string, string>>): string {
  const address = Object.hasOwn(senders, sender) ? senders[sender] : undefined;
  if (address !== undefined) return address;
  throw new TransientError(
    "Unclassified",
    `The function knows no sender "${sender}", which "${id}" names: deploy the stack again.`,
  );
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error);

function parseEnvelope(input: unknown): EventEnvelope {
  const parsed = envelopeSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "event"}: ${issue.message}`);
  throw new PermanentError("InvalidEvent", `The input is not an EventBridge event. ${problems.join("; ")}`);
}

/**
 * @throws PermanentError `InvalidEvent` if the event is larger than `mostEventBytes` or deeper than `mostEventLevels`.
 */
export function refuseOversized(input: unknown): void {
  if (isNestedDeeperThan(mostEventLevels, input)) {
    throw new PermanentError(
      "InvalidEvent",
      `The event is nested more than ${mostEventLevels} levels deep: make it flatter. The bus's archive has the whole event.`,
    );
  }
  const bytes = bytesOfEvent(input);
  if (bytes <= mostEventBytes) return;
  throw new PermanentError(
    "InvalidEvent",
    `The event has ${bytes} bytes, and at most ${mostEventBytes} are mailed: put the content elsewhere, and mail a link to it. The bus's archive has the whole event.`,
  );
}

/**
 * Returns the recipient's address as the stage's policy spells it.
 * @throws PermanentError `RecipientRefused` if the policy does not allow the recipient.
 */
function requireAllowed(recipient: string, policy: RecipientPolicy): string {
  const allowed = allowedRecipient(policy, recipient);
  if (allowed !== undefined) return allowed;
  throw new PermanentError(
    "RecipientRefused",
    "The recipient is not on the allow-list of this stage: add the address or its domain to allowedRecipients in stacks/stages.ts.",
  );
}

export function toNotificationError(cause: unknown): NotificationError {
  return cause instanceof PermanentError || cause instanceof TransientError
    ? cause
    : new TransientError("Unclassified", "The notification failed for a reason that is not classified.", { cause });
}

/** The cause's name, without its message: the message of an error that is not ours may quote an address. */
function causeOf(error: Error): Attributes {
  return error.cause instanceof Error ? { cause: error.cause.name } : {};
}
