import * as z from "zod";
import { parseEmailAddress } from "../contract/email-address";
import { toSubject } from "../contract/template-data";
import { type BusinessEvent } from "./define";

/** What the notifications of the seed set share: the recipe's `emailConfig`, `title` and `message`. */

/** SES takes 50 recipients a message (https://docs.aws.amazon.com/ses/latest/dg/quotas.html); an event takes as many. */
export const maximumRecipients = 50;

const addressSchema = z
  .string()
  .max(320)
  .meta({ format: "email" })
  .transform((text, context) => {
    const address = parseEmailAddress(text);
    if (address !== undefined) return address;
    context.addIssue({ code: "custom", message: "is not an e-mail address" });
    return z.NEVER;
  });

export const emailConfigSchema = z.object({
  /** One address or a list; a list is mailed one by one, so recipients do not see each other. */
  recipient: z.union([addressSchema, z.array(addressSchema).min(1).max(maximumRecipients)], {
    error: `needs an e-mail address, or a list of 1 to ${maximumRecipients} of them`,
  }),
  subject: z
    .string()
    .max(998)
    .refine((text) => toSubject(text) !== "", "has no visible character")
    .optional(),
});

export const messageDetailSchema = z.object({
  emailConfig: emailConfigSchema,
  title: z.string().optional(),
  message: z.string().optional(),
});

export type MessageDetail = z.output<typeof messageDetailSchema>;

export const messageVariables = ["subject", "title", "message", "timestamp", "source"] as const;

/** The recipe's mapping, with its defaults; there is no default recipient. */
export function mapMessage(event: BusinessEvent<MessageDetail>): Record<(typeof messageVariables)[number], string> {
  const { detail } = event;
  return {
    subject: detail.emailConfig.subject ?? `Notification: ${event.detailType}`,
    title: detail.title ?? event.detailType,
    message: detail.message ?? "No message provided",
    // The event's own time, not the clock's: a retry makes the same mail.
    timestamp: event.time,
    source: event.source,
  };
}

export function messageRecipients(detail: MessageDetail): string[] {
  return [...new Set([detail.emailConfig.recipient].flat())];
}
