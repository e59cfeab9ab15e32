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
  /** `hashRecipient` of its address: the one in the logs and in SES's events. */
  readonly recipient: string;
  /** Id of its claim. */
  readonly claim: string;
  /**
   * The claim's; `unread` where the claims could not be read, so nobody can tell; `released` where it was unknown, and a
   * person lets it be sent again.
   */
  readonly state: Claim["state"] | "unread" | "released";
  /** SES's, where it is out. */
  readonly messageId?: string;
  /** The event that it was last tried for. */
  readonly eventId?: string;
  /** It was tried for another event with the same idempotency key, whose mail says something else. */
  readonly isOther: boolean;
  /** Why it failed, as the record tells. */
  readonly failure: MailFailure | undefined;
  /** The stage, as configured in this checkout, does not mail this recipient. */
  readonly isForbidden: boolean;
}

/** What became of an event, mail by mail. */
export interface Mails {
  /** Of the parked event. */
  readonly eventId: string | undefined;
  readonly list: readonly ParkedMail[];
  /** Entries of the event's list of recipients that no mail can go to. */
  readonly refused: readonly RefusedRecipient[];
  /** Why the claims could not be read. */
  readonly unread?: string;
}

export interface MailsDependencies {
  /** Reads the claims of some ids. */
  readonly read: (ids: readonly string[]) => Promise<ReadonlyMap<string, Claim>>;
  readonly recipientPolicy: RecipientPolicy;
}

/** Types of failure that are the mail's own: nothing that a person mends in the stage lets it out as it is. */
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
 * Tells of each mail of a parked event what its claim says. Reads nothing where no mail can be made of the event. Never
 * rejects: where the claims can't be read, that is the answer.
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

/** What a claim says of its mail. */
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

/** As the function decides it. A claim that does not say both was written by an earlier version. */
function isOtherMail({ eventId, contentHash }: Claim, parked: ParkedMessage): boolean {
  if (eventId === undefined || contentHash === undefined) return false;
  return isTakenForOther(
    { state: "unknown", claimedFor: { eventId, contentHash } },
    { eventId: parked.eventId ?? "", contentHash: parked.prepared?.contentHash ?? "" },
  );
}

/** What is told of an unknown mail whose claim a person wanted to release; the claim may have become another meanwhile. */
export function afterRelease(mail: ParkedMail, claim: Claim, parked: ParkedMessage): ParkedMail {
  const now = { ...mail, ...withClaim(claim, parked) };
  return now.state === "free" ? { ...now, state: "released" } : now;
}

/** A record without a word of its mails says of an event with one mail all the same why that failed. */
function onlyFailure({ prepared, failures, reason }: ParkedMessage): MailFailure | undefined {
  return failures.length === 0 && prepared?.recipients.length === 1
    ? { type: reason.type, message: reason.message }
    : undefined;
}

/**
 * Whether a mail is neither out nor known to be undeliverable: somebody may wait for it.
 * @param parked the event that it is of
 */
export function couldBeSent({ state, failure }: ParkedMail, { refusal }: ParkedMessage): boolean {
  if (state === "sent") return false;
  return state !== "free" || (refusal === undefined && !isUndeliverable(failure?.type));
}

export const isOut = ({ state }: ParkedMail): boolean => state === "sent";
export const isUnknown = ({ state }: ParkedMail): boolean => state === "unknown";

export const hashesOf = (mails: readonly ParkedMail[]): string => mails.map(({ recipient }) => recipient).join(", ");

/** `2 of 3 mails are out; 0123456789ab: unknown`. */
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

/** Nothing of a mail that is out, unless it was another event's. */
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
