import * as z from "zod";
import { defineNotification } from "../../handler/notifications/define";
import { emailRequest } from "../../handler/notifications/email-request";
import { emailConfigSchema } from "../../handler/notifications/message";
import { UsageError } from "../../operations/command";
import { checkedEvent } from "../../operations/send/event";
import { templateOfFiles } from "../support/template-files";

/** A notification that takes a subject, and whose mail need not show it. */
function notificationWith(subject: string, html = "<p>{{title}}</p>") {
  const notification = defineNotification({
    id: "invoice-paid",
    ruleName: "invoice-rule",
    description: "Thanks for a payment",
    lane: "standard",
    trigger: { kind: "event", source: "shop.billing", detailType: "Invoice Paid" },
    detail: z.object({ emailConfig: emailConfigSchema, title: z.string() }),
    recipients: ({ emailConfig }) => emailConfig.recipient,
    subject,
    content: z.object({ subject: z.string(), title: z.string() }),
    map: ({ detail }) => ({ subject: detail.emailConfig.subject ?? "Thank you", title: detail.title }),
    sample: { emailConfig: { recipient: "success@simulator.amazonses.com" }, title: "Thank you" },
  });
  const template = templateOfFiles(notification, { "body.html": html, "body.txt": "{{title}}" });
  return { notifications: [notification], templateOf: () => template };
}
const options = { to: "a@example.com", subject: "Hello" };

it.each([
  ["the subject line", notificationWith("{{subject}}")],
  ["the body", notificationWith("Thank you", "<h1>{{subject}}</h1>")],
])("takes a --subject that %s shows", (_, sources) => {
  expect(checkedEvent("invoice-paid", options, sources).event).toMatchObject({
    source: "shop.billing",
    "detail-type": "Invoice Paid",
    detail: { emailConfig: { recipient: "a@example.com", subject: "Hello" }, title: "Thank you" },
  });
});

it.each(["Hello", "-"])("refuses a --subject that no mail would show: %s", (subject) => {
  const send = () => checkedEvent("invoice-paid", { ...options, subject }, notificationWith("Thank you"));
  expect(send).toThrow('--subject: nothing in a mail of "invoice-paid" reads it. Leave it out.');
  expect(send).toThrow(UsageError);
});

it("does not ask for the subject where none is given", () => {
  expect(checkedEvent("invoice-paid", { to: "a@example.com" }, notificationWith("Thank you")).event.detail).toEqual({
    emailConfig: { recipient: "a@example.com" },
    title: "Thank you",
  });
});

it("names the option that an address is of", () => {
  const sources = notificationWith("Thank you");
  expect(() => checkedEvent("invoice-paid", { to: "a@example.com,b" }, sources)).toThrow(/^--to: number 2 /);
  const detail = JSON.stringify({ emailConfig: { recipient: ["a@example.com", "b"] }, title: "x" });
  expect(() => checkedEvent("invoice-paid", { detail }, sources)).toThrow(/^--detail: its recipient number 2 /);
});

it("asks whom to mail, but for the sandbox, where the sample's own recipient is nobody", () => {
  expect(() => checkedEvent("email-request", {})).toThrow("--to is missing");
  expect(checkedEvent("email-request", { sandbox: true }).event.detail).toEqual(emailRequest.sample);
});
