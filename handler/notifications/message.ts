import * as z from "zod/mini";
import { hasVisibleCharacter } from "../contract/text";
import { type BusinessEvent } from "./define";
import { type Hints } from "./problems";
import { addressesSchema } from "./recipients";

/** What the notifications of the seed set share: a detail with `emailConfig`, `title` and `message`. */

export const emailConfigSchema = z.object({
  /** One address or a list. Each recipient gets a mail of its own, so that recipients do not see each other. */
  recipient: addressesSchema,
  /** Where replies go. By default they go to the stage's addresses for replies, or else to the sender. */
  replyTo: z.optional(addressesSchema),
  subject: z.optional(z.string().check(z.maxLength(998), z.refine(hasVisibleCharacter, "has no visible character"))),
});

export const messageDetailSchema = z.object({
  emailConfig: emailConfigSchema,
  title: z.optional(z.string()),
  message: z.optional(z.string()),
});

export type MessageDetail = z.output<typeof messageDetailSchema>;

/** What the templates of the seed set read. */
export const messageContentSchema = z.object({
  subject: z.string(),
  title: z.string(),
  message: z.string(),
  timestamp: z.string(),
  source: z.string(),
});

const copies = "each recipient gets a mail of its own, so name everybody in detail.emailConfig.recipient";
const files = "a mail has no attachments, so put a link into detail.message";
const senders = "the notification decides who sends; replies go to detail.emailConfig.replyTo";
const meansMessage = "did you mean detail.message?";
const meansRecipient = "did you mean detail.emailConfig.recipient?";

/**
 * Hints for names that other systems use: for fields that a message has under another name, and for some it does not
 * have.
 */
export const messageHints: Hints = {
  body: meansMessage,
  content: meansMessage,
  description: meansMessage,
  html: meansMessage,
  text: meansMessage,
  to: meansRecipient,
  email: meansRecipient,
  address: meansRecipient,
  addresses: meansRecipient,
  headline: "did you mean detail.title?",
  cc: copies,
  bcc: copies,
  attachment: files,
  attachments: files,
  from: senders,
  sender: senders,
};

/** Maps an event to the templates' content. Subject, title and message have defaults; a recipient has none. */
export function mapMessage(event: BusinessEvent<MessageDetail>): z.input<typeof messageContentSchema> {
  const { detail } = event;
  return {
    subject: detail.emailConfig.subject ?? `Notification: ${event.detailType}`,
    title: detail.title ?? event.detailType,
    message: detail.message ?? "No message provided",
    // This is the event's time and not the current time, so that a retry makes the same mail.
    timestamp: event.time,
    source: event.source,
  };
}

export function messageRecipients(detail: MessageDetail): unknown {
  return detail.emailConfig.recipient;
}

export function messageReplyTo(detail: MessageDetail): unknown {
  return detail.emailConfig.replyTo;
}
