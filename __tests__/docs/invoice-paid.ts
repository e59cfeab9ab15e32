import * as z from "zod/mini";
import { defineNotification } from "../../handler/notifications/define";

/** The example of README.md, which the types hold to what a definition is today. */
export const invoicePaid = defineNotification({
  id: "invoice-paid",
  ruleName: "invoice-paid-rule",
  description: "Tells a customer that an invoice is paid",
  lane: "standard",
  trigger: { kind: "event", source: "shop.billing", detailType: "Invoice Paid" },
  detail: z.object({ customer: z.object({ email: z.string(), name: z.string() }), invoice: z.string() }),
  recipients: ({ customer }) => customer.email,
  subject: "Invoice {{invoice}} is paid",
  content: z.object({ name: z.string(), invoice: z.string() }),
  map: ({ detail: { customer, invoice } }) => ({ name: customer.name, invoice }),
  sample: { customer: { email: "success@simulator.amazonses.com", name: "Jane" }, invoice: "2026-0042" },
});
