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
  /**
   * Whether mails whose outcome is unknown are sent again. A recipient whose first mail is out then gets a second one.
   */
  readonly resendUnknown: boolean;
  /** Whether a discard may give up mails that could still be sent, or whose outcome is unknown. */
  readonly giveUp: boolean;
  /** Hashes of the recipients that the two wishes are limited to. If it is empty, they hold for every recipient. */
  readonly recipients: ReadonlySet<string>;
}

export type Decision =
  | {
      readonly kind: "redrive";
      readonly lane: Lane;
      /** Body of the message to the lane's retry queue. */
      readonly body: string;
      readonly redrives: number;
      /** The mails whose claims have to be released first. */
      readonly release: readonly ParkedMail[];
      /** What the person should know about this redrive. */
      readonly warning?: string;
    }
  /** Every mail of the event is out by now, so its record is removed and nothing is sent. */
  | { readonly kind: "finish" }
  | { readonly kind: "refuse"; readonly refusal: Refusal };

export interface Refusal {
  /** What is wrong. The list may show it already, as the event's reason or as the state of a mail. */
  readonly cause?: string;
  /** What follows from it, and what to do. */
  readonly advice: string;
}

/** Describes a refusal to a person. @param told texts that the person sees already; a cause in them is not repeated. */
export function describeRefusal({ cause, advice }: Refusal, told: readonly string[] = []): string {
  const isTold = cause === undefined || told.some((text) => text.includes(cause));
  return isTold ? advice : `${sentence(cause)} ${advice}`;
}

/** A field's path stays in its own spelling, because the producer looks for it in JSON. */
function sentence(text: string): string {
  const begin = text.startsWith("detail") ? text.charAt(0) : text.charAt(0).toUpperCase();
  return `${begin}${text.slice(1)}${/[.?!]$/.test(text) ? "" : "."}`;
}

/**
 * Decides whether a parked message is sent again, and how. A redrive is refused if it could mail nobody: the event
 * would only be parked again, and the number of redrives is limited.
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
      `It was redriven ${redrives} times, which is the most: its claims may expire during another one, and without them the mail could be sent twice. Find the cause, then let its producer put a new event.`,
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

/** Whether all mails are out. That happens if a redrive was interrupted after its send and before the deletion. */
function isFinished({ list, refused, unread }: Mails): boolean {
  return (
    unread === undefined &&
    refused.length === 0 &&
    list.length > 0 &&
    list.every((mail) => isOut(mail) && !mail.isOther)
  );
}

/**
 * Writes the body. @returns `undefined` if the record is nested too deeply: `JSON.parse` reads any depth, but
 * `JSON.stringify` throws at a few thousand levels.
 */
function toBody(record: object): string | undefined {
  try {
    return toMessageBody(record);
  } catch {
    return undefined;
  }
}

/** Chooses the claims that a redrive releases. If the redrive would send nothing, it returns the reason instead. */
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

/**
 * Decides without the claims. The function reads the claims itself, so a redrive sends no mail twice. But it may turn
 * out that there is nothing to send.
 */
function chooseUnread(
  parked: ParkedMessage,
  unread: string,
  { resendUnknown }: Wishes,
): ReturnType<typeof chooseMails> {
  const cause = `the claims could not be read (${unread})`;
  if (resendUnknown) return { cause, advice: "No mail was released." };
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
  | { readonly kind: "discard"; /** What is lost by the deletion. */ readonly note: string }
  | { readonly kind: "refuse"; readonly refusal: Refusal };

/**
 * Decides whether a parked message is deleted for good. A mail that could still be sent is given up only with `giveUp`.
 */
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

/** Whether the record mentions a mail whose outcome was unknown when the event was parked. */
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
