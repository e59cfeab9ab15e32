import { CreateTemplateCommand, SendTemplatedEmailCommand, VerifyEmailIdentityCommand } from "@aws-sdk/client-ses";
import { TestGateway } from "aws-emulator/testing/gateway";
import { sampleEvent } from "../../handler/notifications/sample";
import { dataOf, renderMail } from "../../stacks/templates/mail";
import { brought, broughtTemplate } from "../support/brought";
import { describeWith } from "../support/requires";

/** Details that make the other branches of a template, or no rows; the expected mails are those of the unit test. */
const others: Readonly<Record<string, object>> = {
  "mailgun-billing": { failed: true },
  "mjml-delivery": { courier: undefined, offer: undefined },
  "postmark-comment": { attachment_details: [] },
  "postmark-invoice": { invoice_details: [] },
  "sendgrid-deals": { user: { w_deal: [] } },
  "sendgrid-receipt": { receipt: false, address02: undefined },
  "ses-friends": { lastName: undefined, friends: [] },
  "ses-preferences": { subscription: [] },
};

const from = "sender@example.com";
const time = "2026-11-24T09:00:00Z";

describeWith(["moto"], "the brought templates, mailed by SES's client", () => {
  const gateway = new TestGateway();
  beforeAll(async () => {
    await gateway.start();
    await gateway.ses.send(new VerifyEmailIdentityCommand({ EmailAddress: from }));
  });
  afterAll(() => gateway.stop());

  it.each(brought.map((notification) => [notification.id, notification] as const))(
    "%s arrives with its rows and branches",
    async (id, notification) => {
      const template = broughtTemplate(notification);
      const { subject: SubjectPart, html: HtmlPart, text: TextPart } = template;
      const stored = { TemplateName: id, SubjectPart, HtmlPart, TextPart };
      await gateway.ses.send(new CreateTemplateCommand({ Template: stored }));
      const details = [{}, ...(others[id] === undefined ? [] : [others[id]])].map((changes) => ({
        ...(notification.sample as object),
        ...changes,
      }));
      const seen: string[] = [];
      for (const detail of details) {
        const event = sampleEvent(notification, { time, detail });
        const { MessageId } = await gateway.ses.send(
          new SendTemplatedEmailCommand({
            Source: from,
            Destination: { ToAddresses: ["success@simulator.amazonses.com"] },
            Template: id,
            TemplateData: JSON.stringify(dataOf(notification, event, undefined, template)),
          }),
        );
        const mail = (await gateway.mails()).find((each) => each.id === MessageId);
        expect(mail).toMatchObject(renderMail(notification, event, undefined, template));
        seen.push(String(mail?.html));
      }
      // Without it, both mails might be of the same branch.
      expect(new Set(seen).size).toBe(details.length);
    },
  );

  it("shows the rows that the event has, in their order", async () => {
    const mails = await gateway.mails();
    const texts = mails.filter(({ template }) => template === "postmark-invoice").map(({ text }) => text);
    expect(texts.join()).toMatch(/Seats\s+EUR 40\.00\s+Storage\s+EUR 2\.50\s+Support\s+EUR 7\.50\s+Total/);
    expect(texts.some((text) => !text.includes("Seats"))).toBe(true);
  });
});
