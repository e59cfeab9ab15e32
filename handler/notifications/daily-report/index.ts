import { defineNotification } from "../define";
import {
  mapMessage,
  messageContentSchema,
  messageDetailSchema,
  messageHints,
  messageRecipients,
  messageReplyTo,
} from "../message";

const content = {
  title: "Daily report",
  message: "The notification system is up: this report went the whole way from its schedule to your mailbox.",
};

export const dailyReport = defineNotification({
  id: "daily-report",
  ruleName: "daily-report",
  description: "Mails a report every day at 09:00 UTC to the recipients of the stage",
  lane: "standard",
  trigger: {
    kind: "schedule",
    source: "custom.application",
    detailType: "Daily Report",
    expression: "cron(0 9 * * ? *)",
    detail: (recipients) => ({ emailConfig: { recipient: [...recipients], subject: "Daily report" }, ...content }),
  },
  detail: messageDetailSchema,
  recipients: messageRecipients,
  replyTo: messageReplyTo,
  hints: messageHints,
  subject: "{{subject}}",
  content: messageContentSchema,
  map: mapMessage,
  sample: { emailConfig: { recipient: "success@simulator.amazonses.com", subject: "Daily report" }, ...content },
});
