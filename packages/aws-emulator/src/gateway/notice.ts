import { failureInDetail } from "./failure-records";
import { isRecord, recordsIn, textOf } from "./http";

/** What an event brings bad news of: its delivery to a log group is a success, and what it says is none. */
export interface Notice {
  readonly kind: "bounced" | "complained" | "rejected" | "unrendered" | "delayed" | "failure";
  /** What it says, in one line. */
  readonly text: string;
}

/** Who an event comes from: SES, a failed invocation, or anybody else. */
export type Origin = "business" | "ses" | "failure";

/**
 * The bad news of an event of SES, or of one that carries the record of a failed invocation.
 * https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
 */
export function noticeOf(source: string, detail: Readonly<Record<string, unknown>>): Notice | undefined {
  if (source !== "aws.ses") {
    const failure = failureInDetail(detail);
    return failure && { kind: "failure", text: failure.reason };
  }
  const type = textOf(detail.eventType) ?? "";
  const about = Object.hasOwn(readers, type) ? readers[type] : undefined;
  return about && { kind: about.kind, text: about.read(partOf(detail, about.part)) || "SES gives no reason" };
}

/** The mail that an event of SES is about. */
export function sesMailIn(
  source: string,
  detail: Readonly<Record<string, unknown>>,
): { readonly messageId: string | undefined; readonly eventId: string | undefined } | undefined {
  if (source !== "aws.ses" || !isRecord(detail.mail)) return undefined;
  const { messageId, tags } = detail.mail;
  const eventIds = isRecord(tags) ? tags.eventId : undefined;
  return { messageId: textOf(messageId), eventId: Array.isArray(eventIds) ? textOf(eventIds[0]) : undefined };
}

type Part = Readonly<Record<string, unknown>>;

const partOf = (detail: Part, name: string): Part => {
  const part = detail[name];
  return isRecord(part) ? part : {};
};

const sentence = (...parts: readonly (string | undefined)[]) => parts.filter(Boolean).join(": ");

const addressesIn = (list: unknown) =>
  recordsIn(list)
    .map(({ emailAddress }) => textOf(emailAddress) ?? "")
    .filter(Boolean)
    .join(", ");

/** By the event's type, the part of its detail that says it. */
const readers: Readonly<
  Record<string, { readonly kind: Notice["kind"]; readonly part: string; readonly read: (part: Part) => string }>
> = {
  Bounce: {
    kind: "bounced",
    part: "bounce",
    read: ({ bouncedRecipients: recipients, bounceType, bounceSubType }) => {
      const diagnosis = textOf(recordsIn(recipients)[0]?.diagnosticCode);
      return sentence(addressesIn(recipients), diagnosis ?? sentence(textOf(bounceType), textOf(bounceSubType)));
    },
  },
  Complaint: {
    kind: "complained",
    part: "complaint",
    read: ({ complainedRecipients, complaintFeedbackType }) =>
      sentence(addressesIn(complainedRecipients), textOf(complaintFeedbackType)),
  },
  Reject: { kind: "rejected", part: "reject", read: ({ reason }) => textOf(reason) ?? "" },
  "Rendering Failure": {
    kind: "unrendered",
    part: "failure",
    read: ({ templateName, errorMessage }) => sentence(textOf(templateName), textOf(errorMessage)),
  },
  DeliveryDelay: {
    kind: "delayed",
    part: "deliveryDelay",
    read: ({ delayedRecipients, delayType }) => sentence(addressesIn(delayedRecipients), textOf(delayType)),
  },
};
