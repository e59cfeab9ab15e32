import { type PermanentFailureType } from "../../handler/contract/failures";
import { claimId, isTakenForOther } from "../../handler/claims";
import { type MailFailure } from "../../handler/contract/failure-record";
import { hashRecipient } from "../../handler/contract/recipient-hash";
import { allowsRecipient, type RecipientPolicy } from "../../handler/contract/recipient-policy";
import { type RefusedRecipient } from "../../handler/notifications/define";
import { plural, textOfError } from "../text";
import { type Claim } from "./claims";
import { type ParkedMessage } from "./parked-message";

/** One mail of a parked event. */
export interface ParkedMail {
  /** `hashRecipient` of the address. Logs and SES's events have the same hash. */
  readonly recipient: string;
  /** Id of its claim. */
  readonly claim: string;
  /**
   * State of the claim. It is `unread` if the claims could not be read, and `released` if it was unknown and this
   * command has released it, so that the mail can be sent again.
   */
  readonly state: Claim["state"] | "unread" | "released";
  /** SES's id of the mail, if it is out. */
  readonly messageId?: string;
  /** The event that the mail was last tried for. */
  readonly eventId?: string;
  /** Whether the claim is of another event, which has the same idempotency key and different content. */
  readonly isOther: boolean;
  /** Why the mail failed, according to the record. */
  readonly failure: MailFailure | undefined;
  /** Whether the recipient is not on the stage's allow-list, as configured in this checkout. */
  readonly isForbidden: boolean;
}

/** The mails of a parked event, each with what became of it. */
export interface Mails {
  /** Id of the parked event. */
  readonly eventId: string | undefined;
  readonly list: readonly ParkedMail[];
  /** Entries of the event's list of recipients that are no usable addresses. */
  readonly refused: readonly RefusedRecipient[];
  /** Why the claims could not be read; missing if they were read. */
  readonly unread?: string;
}

export interface MailsDependencies {
  /** Reads the claims of some ids. */
  readonly read: (ids: readonly string[]) => Promise<ReadonlyMap<string, Claim>>;
  readonly recipientPolicy: RecipientPolicy;
}

/**
 * Types of failure whose reason lies in the mail and not in the stage. A mail that failed with one is undeliverable.
 */
const undeliverableTypes = new Set<string>([
  "InvalidEvent",
  "UnknownNotification",
  "NoRuleMatches",
  "InvalidRecipient",
  "RecipientRefused",
  "MessageRejected",
] satisfies PermanentFailureType[]);

export const isUndeliverable = (type: string | undefined): boolean =>
  type !== undefined && undeliverableTypes.has(type);

/**
 * Reads the claim of each mail of a parked event. If no mail can be made of the event, the list is empty. It never
 * rejects: if the claims can't be read, `unread` has the reason.
 */
export async function readMails(parked: ParkedMessage, { read, recipientPolicy }: MailsDependencies): Promise<Mails> {
  const { prepared, notification, eventId } = parked;
  if (prepared === undefined || notification === undefined) return { eventId, list: [], refused: [] };
  const ids = prepared.recipients.map((recipient) => claimId(notification.trigger, prepared.idempotencyKey, recipient));
  let claims: ReadonlyMap<string, Claim> | undefined;
  let unread: string | undefined;
  try {
    claims = await read(ids);
  } catch (error) {
    unread = textOfError(error);
  }
  const list = prepared.recipients.map((address, index): ParkedMail => {
    const claim = ids[index] ?? "";
    const recipient = hashRecipient(address);
    return {
      recipient,
      claim,
      ...withClaim(claims?.get(claim), parked),
      failure: parked.failures.find((failure) => failure.recipient === recipient) ?? onlyFailure(parked),
      isForbidden: !allowsRecipient(recipientPolicy, address),
    };
  });
  return { eventId, list, refused: prepared.refusedRecipients, ...(unread === undefined ? {} : { unread }) };
}

/** The fields of a mail that come from its claim. */
function withClaim(
  claim: Claim | undefined,
  parked: ParkedMessage,
): Pick<ParkedMail, "state" | "messageId" | "eventId" | "isOther"> {
  if (claim === undefined) return { state: "unread", isOther: false };
  const { state, messageId, eventId } = claim;
  return {
    state,
    ...(messageId === undefined ? {} : { messageId }),
    ...(eventId === undefined ? {} : { eventId }),
    isOther: isOtherMail(claim, parked),
  };
}

/** Decides as the function does. A claim without event id or content hash was written by an early version. */
function isOtherMail({ eventId, contentHash }: Claim, parked: ParkedMessage): boolean {
  if (eventId === undefined || contentHash === undefined) return false;
  return isTakenForOther(
    { state: "unknown", claimedFor: { eventId, contentHash } },
    { eventId: parked.eventId ?? "", contentHash: parked.prepared?.contentHash ?? "" },
  );
}

/**
 * Returns an unknown mail after an attempt to release its claim.
 * @param claim the claim after the attempt. It is not free if a run of the function has changed it in the meantime.
 */
export function afterRelease(mail: ParkedMail, claim: Claim, parked: ParkedMessage): ParkedMail {
  const now = { ...mail, ...withClaim(claim, parked) };
  return now.state === "free" ? { ...now, state: "released" } : now;
}

/**
 * If a record does not list its mails and the event has only one, the record's own reason is the reason of that mail.
 */
function onlyFailure({ prepared, failures, reason }: ParkedMessage): MailFailure | undefined {
  return failures.length === 0 && prepared?.recipients.length === 1
    ? { type: reason.type, message: reason.message }
    : undefined;
}

/**
 * Whether a mail is neither out nor known to be undeliverable, so that somebody may wait for it.
 * @param parked the event that the mail belongs to.
 */
export function couldBeSent({ state, failure }: ParkedMail, { refusal }: ParkedMessage): boolean {
  if (state === "sent") return false;
  return state !== "free" || (refusal === undefined && !isUndeliverable(failure?.type));
}

export const isOut = ({ state }: ParkedMail): boolean => state === "sent";
export const isUnknown = ({ state }: ParkedMail): boolean => state === "unknown";

export const hashesOf = (mails: readonly ParkedMail[]): string => mails.map(({ recipient }) => recipient).join(", ");

/** Describes the mails in one line, for example `2 of 3 mails are out; 0123456789ab: unknown`. */
export function describeMails({ eventId, list, refused, unread }: Mails): string {
  const out = list.filter(isOut).length;
  const all = plural(list.length, "mail");
  const counted =
    unread === undefined
      ? `${out} of ${all} ${out === 1 || list.length === 1 ? "is" : "are"} out`
      : `How many of ${all} went out is not known: the claims could not be read (${unread})`;
  const words = list
    .map((mail) => [mail.recipient, wordsFor(mail, eventId)] as const)
    .filter(([, word]) => word !== "");
  const groups = [...new Set(words.map(([, word]) => word))].map((word) => {
    const recipients = words.filter(([, each]) => each === word).map(([recipient]) => recipient);
    return `${recipients.join(", ")}: ${word}`;
  });
  const entries = refused.map(({ position, problem }) => `entry ${position} of its list of recipients ${problem}`);
  return [...(list.length === 0 ? [] : [counted]), ...groups, ...entries].join("; ");
}

/** Describes one mail. A mail that is out needs no words, unless it was sent for another event. */
function wordsFor(mail: ParkedMail, parkedEventId: string | undefined): string {
  const { state, failure, isOther, eventId = parkedEventId, isForbidden } = mail;
  const forOther = eventId === parkedEventId ? "" : `, tried for event ${eventId ?? "unknown"}`;
  switch (state) {
    case "sent":
      return isOther ? `out${forOther}, with other content under the same idempotency key` : "";
    case "unknown":
      return `unknown${forOther}`;
    case "released":
      return "was unknown, and is released";
    case "held":
      return `being sent at this moment${forOther}`;
    case "unread":
      return failure === undefined ? "" : failure.type;
    case "free":
      return [
        `not out${failure === undefined ? "" : ` (${failure.type})`}`,
        ...(isForbidden ? ["not on the allow-list of this stage"] : []),
      ].join(", ");
  }
}
