import { Testing } from "cdktf";
import * as z from "zod";
import { defineNotification } from "../../../handler/notifications/define";
import { Naming } from "../../../operations/plan/naming";
import { templateChanges } from "../../../operations/plan/templates";
import { type TerraformPlan } from "../../../operations/plan/terraform-json";
import { NotificationStack } from "../../../stacks/notification-stack";
import { type TemplateReader } from "../../../stacks/templates/load";
import { configOf } from "../../support/stack";
import { templateOfFiles } from "../../support/template-files";

it("names the mail of each language and variant, and fills it with that language's numbers", () => {
  const notification = defineNotification({
    id: "example-invoice",
    ruleName: "example-invoice-rule",
    description: "Thanks a customer for a payment",
    lane: "standard",
    trigger: { kind: "event", source: "com.example.billing", detailType: "Invoice Paid" },
    detail: z.object({ customer: z.string(), price: z.number() }),
    recipients: ({ customer }) => customer,
    subject: "{{price}}",
    content: z.object({ price: z.string() }),
    map: ({ detail: { price } }, format) => ({ price: format.number(price) }),
    locales: ["en", "de-DE"],
    variants: { a: { weight: 1 }, b: { weight: 1 } },
    sample: { customer: "success@simulator.amazonses.com", price: 1234.5 },
  });
  const templateOf: TemplateReader = (each, edition) =>
    templateOfFiles(each, { "body.html": "<p>{{price}}</p>", "body.b.html": "<b>{{price}}</b>" }, edition);
  const stack = new NotificationStack(Testing.app(), "notification", configOf(), [notification], templateOf);
  const { resource } = JSON.parse(Testing.synth(stack)) as {
    resource: { aws_ses_template: Record<string, Record<string, unknown>> };
  };
  const plan = {
    resource_changes: Object.entries(resource.aws_ses_template).map(([id, after]) => ({
      address: `aws_ses_template.${id}`,
      mode: "managed",
      type: "aws_ses_template",
      change: { actions: ["create"], before: null, after },
    })),
  } as unknown as TerraformPlan;
  const naming = Object.assign(new Naming(plan), { short: (name: string) => name.slice(name.indexOf("example-")) });
  const changes = templateChanges(plan, naming, [notification]);
  expect(changes.map(({ name, after }) => [name, after?.filled])).toEqual([
    ["example-invoice", expect.objectContaining({ subject: "1,234.5" })],
    ["example-invoice_de-DE_a", expect.objectContaining({ subject: "1.234,5" })],
    ["example-invoice_de-DE_b", expect.objectContaining({ subject: "1.234,5" })],
    ["example-invoice_en_b", expect.objectContaining({ subject: "1,234.5" })],
  ]);
});
