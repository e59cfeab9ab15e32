import { defineNotification } from "../define";
import {
  mapMessage,
  messageContentSchema,
  messageDetailSchema,
  messageHints,
  messageRecipients,
  messageReplyTo,
} from "../message";

export const emailRequest = defineNotification({
  id: "email-request",
  ruleName: "email-rule",
  description: "Mails what an application asks for",
  lane: "standard",
  trigger: { kind: "event", source: "custom.application", detailType: "Email Notification Request" },
  detail: messageDetailSchema,
  recipients: messageRecipients,
  replyTo: messageReplyTo,
  hints: messageHints,
  subject: "{{subject}}",
  content: messageContentSchema,
  map: mapMessage,
  sample: {
    emailConfig: { recipient: "success@simulator.amazonses.com", subject: "Your export is ready" },
    title: "Your export is ready",
    message: "The export that you asked for can be downloaded until tomorrow evening.",
  },
});
