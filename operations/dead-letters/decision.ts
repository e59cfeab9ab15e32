import { type EventEnvelope, envelopeSchema } from "../../handler/contract/envelope";
import { type Notification } from "../../handler/notifications/define";
import { maximumRedrives } from "../../stacks/delivery-windows";
import { type Lane } from "../lanes";
import { isObject, type ParkedMessage } from "./parked-message";

export type Decision =
  | {
      readonly kind: "redrive";
      readonly lane: Lane;
      /** Body for the lane's retry queue. */
      readonly body: string;
      readonly redrives: number;
      /** Whether the claims of its mails have to be released first. */
      readonly releaseClaims: boolean;
      /** What the person should know before. */
      readonly warning?: string;
    }
  | { readonly kind: "refuse"; readonly why: string };

/** Whether a parked message is sent again, and how. */
export function decide(parked: ParkedMessage, options: { readonly resendUnknown: boolean }): Decision {
  const { record, notification, redrives, reason, event } = parked;
  if (parked.format === "unknown") {
    return refuse("Its format is not known, so there is no event to send. Read it with --json --show-recipients.");
  }
  if (isObject(event) && event.source === "aws.ses") {
    return refuse(
      "It is what SES told about a mail, for the feedback log; no mail follows from it. --discard removes it.",
    );
  }
  if (notification === undefined || record === undefined) {
    return refuse("No notification takes this event: add one to handler/notifications and deploy it first.");
  }
  if (redrives >= maximumRedrives) {
    return refuse(
      `It was redriven ${redrives} times, which is the most: claims are kept for that many, and behind them a second mail could not be told from a first one. Find the cause, then let its producer put a new event.`,
    );
  }
  const whole = envelopeSchema.safeParse(event);
  if (!whole.success) {
    return refuse(
      "A part of the event is missing here, so nothing could be mailed from it. Where it was too large, the bus's archive has the whole: shorten what its producer sends.",
    );
  }
  const isUnknown = reason.type === "OutcomeUnknown";
  if (isUnknown && !options.resendUnknown) {
    return refuse(
      "Its mail may be out, and its claim says so: a redrive would be parked again. Look for it first; if it is not out, --resend-unknown.",
    );
  }
  const problem = refusalOf(whole.data, notification);
  return {
    kind: "redrive",
    lane: notification.lane,
    body: JSON.stringify({ ...record, redrives: redrives + 1 }),
    redrives: redrives + 1,
    releaseClaims: isUnknown,
    ...(problem === undefined ? {} : { warning: `It will be parked again: ${problem}` }),
  };
}

/** What the function of this checkout would say to the event. */
function refusalOf(event: EventEnvelope, notification: Notification): string | undefined {
  try {
    notification.prepare(event);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function refuse(why: string): Decision {
  return { kind: "refuse", why };
}
