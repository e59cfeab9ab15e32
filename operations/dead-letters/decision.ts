import { envelopeSchema } from "../../handler/contract/envelope";
import { toMessageBody } from "../../handler/contract/failure-record";
import { maximumRedrives } from "../../stacks/delivery-windows";
import { type Lane } from "../../stacks/lanes";
import { plural } from "../text";
import {
  couldBeSent,
  describeMails,
  hashesOf,
  isOut,
  isUndeliverable,
  isUnknown,
  type ParkedMail,
  type Mails,
} from "./mails";
import { isObject, type ParkedMessage } from "./parked-message";

/** What a person asks for about an event's mails. */
export interface Wishes {
  /** Mails whose outcome is unknown are sent, a second time where the first is out. */
  readonly resendUnknown: boolean;
  /** Mails that are neither out nor known to be undeliverable are given up. */
  readonly giveUp: boolean;
  /** Hashes of the recipients that both of these are meant for; none: for every recipient. */
  readonly recipients: ReadonlySet<string>;
}

export type Decision =
  | {
      readonly kind: "redrive";
      readonly lane: Lane;
      /** Body for the lane's retry queue. */
      readonly body: string;
      readonly redrives: number;
      /** The mails whose claims have to be released first. */
      readonly release: readonly ParkedMail[];
      /** What the person should know before. */
      readonly warning?: string;
    }
  /** Every mail of it is out by now: only the record is left, and goes. */
  | { readonly kind: "finish" }
  | { readonly kind: "refuse"; readonly refusal: Refusal };

export interface Refusal {
  /** What is wrong: the list may have told it already, as the event's reason or of its mails. */
  readonly cause?: string;
  /** What follows from it, and what to do. */
  readonly advice: string;
}

/** @param told what a reader has before him already: the cause is not repeated. */
export function describeRefusal({ cause, advice }: Refusal, told: readonly string[] = []): string {
  const isTold = cause === undefined || told.some((text) => text.includes(cause));
  return isTold ? advice : `${sentence(cause)} ${advice}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? "" : "."}`;
}

/**
 * Whether a parked message is sent again, and how. It is not where nothing could be mailed by it: it would only be
 * parked again, and each redrive is one of few.
 */
export function decideRedrive(parked: ParkedMessage, mails: Mails, wishes: Wishes): Decision {
  const { record, notification, redrives, event, refusal, prepared } = parked;
  if (parked.format === "unknown") {
    return refuse("Its format is not known, so there is no event to send. Read it with --json --show-recipients.");
  }
  if (isFeedback(parked)) {
    return refuse(
      "It is what SES told about a mail, for the feedback log; no mail follows from it. --discard removes it.",
    );
  }
  if (notification === undefined || record === undefined) {
    return refuse("No notification takes this event: add one to handler/notifications and deploy it first.");
  }
  if (isFinished(mails) && !wishes.resendUnknown) return { kind: "finish" };
  if (redrives >= maximumRedrives) {
    return refuse(
      `It was redriven ${redrives} times, which is the most: claims are kept for that many, and behind them a second mail could not be told from a first one. Find the cause, then let its producer put a new event.`,
    );
  }
  if (!envelopeSchema.safeParse(event).success) {
    return refuse(
      "A part of the event is missing here, so nothing could be mailed from it. Where it was too large, the bus's archive has the whole: shorten what its producer sends.",
    );
  }
  if (prepared === undefined || refusal !== undefined) {
    return refuse(
      "It would be parked again. Its producer has to put a corrected event; or change the notification so that it takes this one, deploy it, and redrive then.",
      refusal,
    );
  }
  if (prepared.recipients.length === 0) {
    return refuse("Nobody can be mailed. Its producer has to put a corrected event.", describeMails(mails));
  }
  const choice = chooseMails(parked, mails, wishes);
  if ("advice" in choice) return { kind: "refuse", refusal: choice };
  const body = toBody({ ...record, redrives: redrives + 1 });
  if (body === undefined) {
    return refuse("Its event is nested too deeply to be sent again. Its producer has to put a flatter one.");
  }
  return {
    kind: "redrive",
    lane: notification.lane,
    body,
    redrives: redrives + 1,
    release: choice.release,
    ...(choice.warning === undefined ? {} : { warning: choice.warning }),
  };
}

/** As after a redrive that was interrupted between its send and the deletion. */
function isFinished({ list, refused, unread }: Mails): boolean {
  return (
    unread === undefined &&
    refused.length === 0 &&
    list.length > 0 &&
    list.every((mail) => isOut(mail) && !mail.isOther)
  );
}

/** `JSON.parse` reads any depth, and `JSON.stringify` throws behind some thousand levels. */
function toBody(record: object): string | undefined {
  try {
    return toMessageBody(record);
  } catch {
    return undefined;
  }
}

/** Which claims are released for a redrive that sends something; or why it would send nothing. */
function chooseMails(
  parked: ParkedMessage,
  { list, refused, unread }: Mails,
  wishes: Wishes,
): { readonly release: readonly ParkedMail[]; readonly warning?: string } | Refusal {
  if (unread !== undefined) return chooseUnread(parked, unread, wishes);
  if (list.some(({ state }) => state === "held")) {
    return { advice: "A run of the function is sending it at this moment. Wait a minute." };
  }
  const unknown = list.filter(isUnknown);
  const release = wishes.resendUnknown ? unknown.filter((mail) => isMeant(mail, wishes)) : [];
  if (wishes.resendUnknown && release.length === 0) {
    return {
      advice: `No mail of it${wishes.recipients.size > 0 ? " to these recipients" : ""} is unknown, so there is nothing to release: --redrive sends what is not out.`,
    };
  }
  const free = list.filter(({ state }) => state === "free" || state === "released");
  const wanted = [...release, ...free];
  const toSend = wanted.filter(({ isForbidden }) => !isForbidden);
  const forbidden = wanted.filter(({ isForbidden }) => isForbidden);
  const stays = unknown.filter((mail) => !release.includes(mail));
  if (toSend.length === 0) return whyNothingIsSent(list, refused.length, stays, forbidden);
  const rest = [
    ...(stays.length > 0 ? [`${hashesOf(stays)} may be out or not, and stays unknown`] : []),
    ...(forbidden.length > 0 ? [`${hashesOf(forbidden)} is not on the allow-list of this stage`] : []),
    ...(refused.length > 0
      ? [`${plural(refused.length, "entry", "entries")} of its list of recipients can't be mailed`]
      : []),
  ];
  return {
    release: release.filter(({ isForbidden }) => !isForbidden),
    ...(rest.length === 0
      ? {}
      : { warning: `It is sent to ${hashesOf(toSend)}, and then parked again for the rest: ${rest.join("; ")}.` }),
  };
}

/** The function reads the claims by itself, so a redrive can send nothing twice; but it may send nothing at all. */
function chooseUnread(
  parked: ParkedMessage,
  unread: string,
  { resendUnknown }: Wishes,
): ReturnType<typeof chooseMails> {
  const cause = `the claims could not be read (${unread})`;
  if (resendUnknown) return { cause, advice: "So none was released." };
  if (mentionsUnknown(parked)) {
    return { cause, advice: "A mail of it may be out, as its record says; which one is not known." };
  }
  return {
    release: [],
    warning: `Its claims could not be read (${unread}): whether anything is left to send is not known. What is out is not sent again.`,
  };
}

function whyNothingIsSent(
  list: readonly ParkedMail[],
  refused: number,
  unknown: readonly ParkedMail[],
  forbidden: readonly ParkedMail[],
): Refusal {
  if (forbidden.length > 0) {
    return {
      cause: "not on the allow-list of this stage",
      advice: `Add the address of ${hashesOf(forbidden)} or its domain to allowedRecipients in stacks/stages.ts, and deploy, first.`,
    };
  }
  if (unknown.length > 0) {
    return {
      advice: `${hashesOf(unknown)}: the mail may be out, and its claim says so, so a redrive would send nothing. Look for it first; if it is not out, --resend-unknown.`,
    };
  }
  const other = list.filter(({ isOther }) => isOther);
  const advice = [
    "Every mail of it is out, so nothing is left to send: --discard removes the record.",
    ...(other.length > 0
      ? [
          `${hashesOf(other)}: what is out says something else under the same idempotency key; its producer has to put a new event with a new key.`,
        ]
      : []),
    ...(refused > 0
      ? [
          `For ${plural(refused, "entry", "entries")} of its list of recipients its producer has to put a corrected event.`,
        ]
      : []),
  ].join(" ");
  return { advice };
}

export type DiscardDecision =
  | { readonly kind: "discard"; /** What is lost by it. */ readonly note: string }
  | { readonly kind: "refuse"; readonly refusal: Refusal };

/** Whether a parked message is deleted for good. A mail that somebody may wait for goes only on a person's word. */
export function decideDiscard(parked: ParkedMessage, mails: Mails, wishes: Wishes): DiscardDecision {
  if (parked.format === "unknown" || isFeedback(parked)) {
    return { kind: "discard", note: "No mail follows from it." };
  }
  const { list, unread } = mails;
  if (list.length === 0) {
    const why = sentence(parked.refusal ?? describeMails(mails));
    const isLost = isUndeliverable(parked.reason.type) && !mentionsUnknown(parked);
    return isLost || (wishes.giveUp && wishes.recipients.size === 0)
      ? { kind: "discard", note: `Given up: the event, of which this checkout can make no mail. ${why}` }
      : refuse(
          `This checkout can make no mail of the event, so nobody can tell which are out. ${why} To give it up all the same: --give-up, without a --filter recipient=..`,
        );
  }
  if (list.some(({ state }) => state === "held")) {
    return refuse("A run of the function is sending it at this moment. Wait a minute.");
  }
  const waitedFor = list.filter((mail) => couldBeSent(mail, parked));
  const unasked = waitedFor.filter((mail) => !wishes.giveUp || !isMeant(mail, wishes));
  if (unasked.length > 0) {
    return refuse(
      unread === undefined
        ? `${describeMails(mails)}. That is neither out nor known to be undeliverable: ${hashesOf(unasked)}. To give it up: --give-up (a --filter recipient=<hash> narrows it to that mail).`
        : `${describeMails(mails)}. To give it up all the same: --give-up.`,
    );
  }
  const lost = list.filter((mail) => !isOut(mail));
  return {
    kind: "discard",
    note: lost.length === 0 ? `${describeMails(mails)}.` : `${describeMails(mails)}. Given up: ${hashesOf(lost)}.`,
  };
}

/** Whether the record tells of a mail whose outcome was unknown when it was parked. */
function mentionsUnknown({ reason, failures }: ParkedMessage): boolean {
  return [reason, ...failures].some(({ type }) => type === "OutcomeUnknown");
}

function isFeedback({ event }: ParkedMessage): boolean {
  return isObject(event) && event.source === "aws.ses";
}

function isMeant({ recipient }: ParkedMail, { recipients }: Wishes): boolean {
  return recipients.size === 0 || recipients.has(recipient);
}

function refuse(advice: string, cause?: string) {
  return { kind: "refuse", refusal: { advice, ...(cause === undefined ? {} : { cause }) } } as const;
}
