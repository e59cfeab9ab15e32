import * as z from "zod";
import { type Fate, fates } from "./simulator";

/** SES's event about a mail, as the feedback log has it. Addresses are masked there. */
const feedbackSchema = z.object({
  "detail-type": z.string(),
  detail: z.object({
    mail: z.object({ messageId: z.string(), tags: z.record(z.string(), z.array(z.string())).optional() }),
    bounce: z.object({ bounceSubType: z.string() }).optional(),
  }),
});

export interface FeedbackEvent {
  readonly detailType: string;
  readonly messageId: string;
  /** Id of the event that the mail was sent for. The function gives it to SES as a tag. */
  readonly eventId: string | undefined;
  readonly bounceSubType: string | undefined;
}

/** Reads lines of the feedback log. Lines that are no event of SES are left out. */
export function readFeedback(lines: readonly string[]): FeedbackEvent[] {
  return lines.flatMap((line) => {
    const { data } = feedbackSchema.safeParse(parseJson(line));
    if (data === undefined) return [];
    const { mail, bounce } = data.detail;
    return {
      detailType: data["detail-type"],
      messageId: mail.messageId,
      eventId: mail.tags?.eventId?.[0],
      bounceSubType: bounce?.bounceSubType,
    };
  });
}

/** The detail-types that SES should have published about a mail of this fate, and that are not there. */
export function missingFeedback(fate: Fate, events: readonly FeedbackEvent[]): string[] {
  return fates[fate].tells.filter((wanted) => events.every(({ detailType }) => detailType !== wanted));
}

/** The detail-types as a person reads them: `Email Sent, Email Bounced (General)`. */
export function describeFeedback(events: readonly FeedbackEvent[]): string {
  const names = events.map(
    ({ detailType, bounceSubType }) => detailType + (bounceSubType === undefined ? "" : ` (${bounceSubType})`),
  );
  return [...new Set(names)].join(", ") || "nothing";
}

/** Ids of the mails that SES took for one of these events. */
export function mailsSentFor(eventIds: readonly string[], events: readonly FeedbackEvent[]): string[] {
  const sent = events.filter(
    ({ detailType, eventId }) => detailType === "Email Sent" && eventId !== undefined && eventIds.includes(eventId),
  );
  return [...new Set(sent.map(({ messageId }) => messageId))];
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
