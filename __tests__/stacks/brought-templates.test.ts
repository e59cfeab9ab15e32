import { readdirSync } from "node:fs";
import { join } from "node:path";
import { sampleEvent } from "../../handler/notifications/sample";
import { type Notification } from "../../handler/notifications/define";
import { checkCatalogue } from "../../stacks/catalogue-check";
import { loadTemplate } from "../../stacks/templates/load";
import { renderMail } from "../../stacks/templates/mail";
import { type Template } from "../../stacks/templates/render";
import { mailgunBilling } from "../fixtures/brought/mailgun-billing";
import { mjmlDelivery } from "../fixtures/brought/mjml-delivery";
import { postmarkComment } from "../fixtures/brought/postmark-comment";
import { postmarkInvitation } from "../fixtures/brought/postmark-invitation";
import { postmarkInvoice } from "../fixtures/brought/postmark-invoice";
import { sendgridDeals } from "../fixtures/brought/sendgrid-deals";
import { sendgridReceipt } from "../fixtures/brought/sendgrid-receipt";
import { sesFriends } from "../fixtures/brought/ses-friends";
import { sesPreferences } from "../fixtures/brought/ses-preferences";

/** Public templates, brought in as the guide says ("Bring a template" in docs/notifications.md). */
const brought = [
  mailgunBilling,
  mjmlDelivery,
  postmarkComment,
  postmarkInvitation,
  postmarkInvoice,
  sendgridDeals,
  sendgridReceipt,
  sesFriends,
  sesPreferences,
] as const;
const folder = join(__dirname, "..", "fixtures", "brought");
const templateOf = (notification: Pick<Notification, "id" | "subject" | "content">) =>
  loadTemplate(notification, undefined, join(folder, notification.id));

/** The mail of the sample, with changes to its detail. */
function mail<Detail extends object>(
  notification: Notification & { readonly sample: unknown },
  changes: Partial<Detail> = {},
): Template {
  const detail = { ...(notification.sample as Detail), ...changes };
  const event = sampleEvent(notification, { time: "2026-11-24T09:00:00Z", detail });
  return renderMail(notification, event, undefined, templateOf(notification));
}

/** What stands in the text, each behind the one before. */
const inOrder = (...texts: string[]): RegExp =>
  new RegExp(texts.map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("[^]*"));

/** The details of a sample with each text made hostile, but for addresses. */
function hostile(value: unknown): unknown {
  if (typeof value === "string") return /^https:|@/.test(value) ? value : `${value}"><img src=x onerror='a'>{{x}}`;
  if (Array.isArray(value)) return value.map(hostile);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, hostile(each)]));
}

it("are all held by the synth", () => {
  expect(checkCatalogue(brought, { prefix: "shop-dev", templateOf, folder }).map(({ id }) => id)).toEqual(
    readdirSync(folder),
  );
});

it.each(brought.map((notification) => [notification.id, notification] as const))(
  "show texts of an event as texts: %s",
  (_, notification) => {
    const { html, text } = mail(notification, hostile(notification.sample) as object);
    expect(html).toContain("&quot;&gt;&lt;img src=x onerror=&#39;a&#39;&gt;{{x}}");
    expect(html).not.toContain("<img src=x");
    expect(text).toContain(`"><img src=x onerror='a'>{{x}}`);
  },
);

it("SES, preferences: a list, and the other branch without one", () => {
  const some = mail(sesPreferences);
  expect(some.subject).toBe("Subscription preferences for Anaya Iyengar");
  expect(some.html).toMatch(inOrder(">Sports</li>", ">Travel</li>", ">Cooking</li>", "?id=518%20062"));
  expect(some.text).toContain("- Sports\n- Travel\n- Cooking\n\nTo change them: https://");
  for (const subscription of [[], undefined]) {
    const none = mail(sesPreferences, { subscription });
    expect(none.html).not.toContain("<li");
    expect(none.text).toBe(
      "Dear Anaya,\n\nYou have no subjects yet. Choose some: https://www.example.com/preferences?id=518%20062\n",
    );
  }
});

it("SES, friends: an inline partial, for the mail and for each row", () => {
  const { html, text } = mail(sesFriends);
  expect(html.replaceAll(/\s+/g, " ")).toMatch(inOrder("Hello Shirley Rodriguez", "Anaya Iyengar", "> Jane </li>"));
  expect(text).toBe("Hello Shirley Rodriguez, these are your friends:\n- Anaya Iyengar\n- Jane\n");
  expect(mail(sesFriends, { lastName: undefined }).text).toContain("Hello Shirley, these");
});

it("Postmark, invoice: rows in order, the total, and addresses", () => {
  const { subject, html, text } = mail(postmarkInvoice);
  expect(subject).toBe("Invoice 2026-0042, due 11 December 2026");
  expect(html).toMatch(inOrder("Seats", "EUR 40.00", "Storage", "EUR 2.50", "Support", "EUR 7.50", "Total", "50.00"));
  expect(html).toContain('href="https://shop.example/pay?invoice=42&amp;by=card"');
  expect(text).toContain("Pay now ( https://shop.example/pay?invoice=42&by=card )");
  expect(mail(postmarkInvoice, { invoice_details: [] }).text).toMatch(/due 11 December 2026\s+Total\s+EUR 50\.00/);
  expect(() => mail(postmarkInvoice, { action_url: "javascript:alert(1)" })).toThrow();
});

it("Postmark, comment: the lines of a text, and attachments where there are some", () => {
  const { html, text } = mail(postmarkComment);
  expect(html).toContain("Two things:<br>\n&nbsp;&nbsp;the title is cut<br>");
  expect(html).toMatch(inOrder("title.png", "12 kB PNG", "footer.pdf", "3 MB PDF", "at 10:00"));
  expect(text).toContain("title.png ( https://files.example/1 ) (12 kB PNG)\nfooter.pdf");
  for (const attachment_details of [[], undefined]) {
    const none = mail(postmarkComment, { attachment_details });
    expect(none.html).not.toContain("<table");
    expect(none.text).toContain("  the footer is missing\n\nBy Ada at ");
  }
});

it("Postmark, invitation: an address of mail as a link, and as a text", () => {
  const { html, text } = mail(postmarkInvitation);
  expect(html).toContain('href="mailto:help@app.example"');
  expect(html).toContain('title="Engines &amp; Sons"');
  expect(text).toContain("Charles of Engines & Sons would");
  expect(text).toContain("support ( help@app.example )");
});

it("SendGrid, receipt: rows with pictures, and no receipt where the flag is off", () => {
  const receipt = mail(sendgridReceipt);
  expect(receipt.subject).toBe("Your receipt");
  expect(receipt.html).toMatch(inOrder("/new.png", "New sneakers", "$ 79.95", "/old.png", "$ 49.95", "$ 129.90"));
  expect(receipt.text).toMatch(inOrder("New sneakers", "$ 79.95", "Old sneakers", "$ 49.95", "Sum $ 129.90", "Apt. 2"));
  const delivery = mail(sendgridReceipt, { receipt: false, address02: undefined });
  expect(delivery.subject).toBe("Your delivery");
  expect(delivery.html).not.toMatch(/sneakers|129\.90|<div[^>]*><\/div>/);
  expect(delivery.html).toMatch(inOrder("1 Mill Lane", "Denver, CO 80202"));
  expect(delivery.text).not.toMatch(/sneakers|Sum|Apt/);
});

it("SendGrid, deals: a branch for each row", () => {
  const { html } = mail(sendgridDeals);
  expect(html).toMatch(inOrder("This week</h1>", "/1.png", "Styles</h2>", "/2.png", "/3.png", "Laces</h3>", "/4.png"));
  expect(html.match(/<a /g)).toHaveLength(2);
  const bare = ["This week", "Styles", "Laces"].map((header) => ({
    header,
    text: "Shoes",
    image01: "https://shop.example/1.png",
    c2a_button: "Look",
  }));
  const other = mail(sendgridDeals, { user: { w_deal: bare } });
  expect(other.html).toMatch(inOrder(">This week</p>", ">Styles</p>", ">Laces</p>"));
  expect(other.html).not.toMatch(/<h\d|<img/);
  expect(mail(sendgridDeals, { user: { w_deal: [] } }).html).toContain("No deals this week.");
});

it("Mailgun, billing: one page around two branches", () => {
  const paid = mail(mailgunBilling);
  expect(paid.html).toMatch(inOrder("#137333", "it is paid", "Bill 12345", "November 24, 2026", "Acme Inc."));
  expect(paid.text).toMatch(inOrder("Mail $19.99", "Storage $1,009.99", "Domains $4.00", "Total $1,033.98"));
  expect(paid.html.match(/<tr class="first">/g)).toHaveLength(1);
  const failed = mail(mailgunBilling, { failed: true });
  for (const part of ["html", "text"] as const) {
    expect(paid[part]).not.toContain("We could not charge your card");
    expect(failed[part]).toMatch(inOrder("We could not charge your card", "Bill 12345", "Domains"));
    expect(failed[part]).not.toContain("it is paid");
  }
});

it("MJML, delivery: a section for each row, and sections that are left out", () => {
  const { html, text } = mail(mjmlDelivery);
  expect(html).toMatch(inOrder("<title", "Delivered to John", "x2", "Pain au chocolat", "x1<", "Croissant", "x1200"));
  expect(html).toMatch(
    inOrder('alt="Jack"', 'src="https://food.example/jack.png"', 'href="https://food.example/offer"'),
  );
  expect(text).toMatch(inOrder("Pain au chocolat", "3.00 €", "Croissant", "3.50 €", "Apple juice", "9.00 €", "Jack"));
  const plain = mail(mjmlDelivery, { courier: undefined, offer: undefined });
  expect(plain.html).not.toMatch(/Brought by|Next time|jack\.png/);
  expect(plain.text).not.toMatch(/Brought by|Next time/);
  expect(plain.html).toContain("9.00 €");
});
