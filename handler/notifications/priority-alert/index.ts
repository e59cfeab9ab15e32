import * as z from "zod/mini";
import { defineNotification } from "../define";
import {
  mapMessage,
  messageContentSchema,
  messageDetailSchema,
  messageHints,
  messageRecipients,
  messageReplyTo,
} from "../message";

const priorities = ["high", "critical"] as const;
const meansPriority = "did you mean detail.priority?";

export const priorityAlert = defineNotification({
  id: "priority-alert",
  ruleName: "priority-rule",
  description: "Mails alerts of high and critical priority, ahead of bulk mail",
  lane: "priority",
  trigger: {
    kind: "event",
    source: "custom.application",
    detailType: "Priority Alert",
    detailPattern: { priority: priorities },
    ignored: { priority: ["low"] },
  },
  detail: z.extend(messageDetailSchema, { priority: z.enum(priorities) }),
  recipients: messageRecipients,
  replyTo: messageReplyTo,
  hints: { ...messageHints, severity: meansPriority, level: meansPriority, urgency: meansPriority },
  subject: "{{subject}}",
  content: z.extend(messageContentSchema, { priority: z.string() }),
  map: (event) => ({ ...mapMessage(event), priority: event.detail.priority }),
  sample: {
    priority: "high",
    emailConfig: { recipient: "success@simulator.amazonses.com", subject: "Checkout is failing" },
    title: "Checkout is failing",
    message: "More than one in ten checkouts failed during the last five minutes.",
  },
});
