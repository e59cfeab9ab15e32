import { join } from "node:path";
import { mailsOf } from "../../handler/mails";
import { type Edition } from "../../handler/notifications/editions";
import { sampleEvent } from "../../handler/notifications/sample";
import { checkCatalogue } from "../../stacks/catalogue-check";
import { loadTemplate, type TemplateReader } from "../../stacks/templates/load";
import { renderMail } from "../../stacks/templates/mail";
import { invoicePaid } from "../fixtures/invoice-paid";

/** What a newcomer has written with docs/notifications.md alone: rows, a button, two languages and two variants. */
const templateOf: TemplateReader = (notification, edition) =>
  loadTemplate(notification, edition, join(__dirname, "..", "fixtures", "invoice-paid"));

const time = "2026-11-24T09:00:00Z";
const sample = invoicePaid.sample as { customer: object };
const paid = (total: number, language: string, name = "Ada Lovelace") =>
  sampleEvent(invoicePaid, { time, detail: { ...sample, total, customer: { ...sample.customer, name, language } } });
const editionOf = (event: ReturnType<typeof paid>): Edition | undefined =>
  mailsOf(invoicePaid, invoicePaid.prepare(event))[0]?.edition;

it("is held by the synth in each language and variant", () => {
  expect(checkCatalogue([invoicePaid], { prefix: "shop-dev", templateOf }).map(({ edition }) => edition)).toEqual([
    { locale: "en", variant: "plain" },
    { locale: "en", variant: "warm" },
    { locale: "fr", variant: "plain" },
    { locale: "fr", variant: "warm" },
  ]);
});

it.each([
  [
    "en",
    "plain",
    "Invoice 2026-0001 is paid",
    "Dear Ada Lovelace,",
    "€1,200.00",
    "See the invoice",
    "November 24, 2026",
  ],
  [
    "en",
    "warm",
    "Thank you, Ada Lovelace! Invoice 2026-0001 is paid",
    "Hello Ada Lovelace, how good",
    "€34.50",
    "See the invoice",
    "Timestamp: ",
  ],
  [
    "fr",
    "plain",
    "La facture 2026-0001 est payée",
    "Bonjour Ada Lovelace,",
    "1 200,00 €",
    "Voir la facture",
    "24 novembre 2026",
  ],
  [
    "fr",
    "warm",
    "Merci, Ada Lovelace ! La facture 2026-0001 est payée",
    "quel plaisir",
    "34,50 €",
    "Voir la facture",
    "Date et heure: ",
  ],
])("has rows, a button and money in %s, %s", (locale, variant, subject, ...shown) => {
  const edition = { locale, variant };
  const mail = renderMail(invoicePaid, paid(1234.5, locale), edition, templateOf(invoicePaid, edition));
  const plain = (text: string) => text.replaceAll(/[\u00a0\u202f]/g, " ");
  expect(mail.subject).toBe(subject);
  for (const body of [mail.html, mail.text]) {
    for (const words of [...shown, "Analytical engine, lease", "Punched cards"]) expect(plain(body)).toContain(words);
    expect(body).toContain("https://billing.example.com/invoices/2026-0001");
  }
  expect(mail.html).toMatch(new RegExp(`<html lang="${locale}"`));
  expect(mail.html).toContain('href="https://billing.example.com/invoices/2026-0001"');
});

it("shows a name as it is, and never as markup", () => {
  const edition = { locale: "fr", variant: "warm" };
  const event = paid(1, "fr", "Zoé <b>& Co</b>\r\nBcc: eve@example.com");
  const { subject, html, text } = renderMail(invoicePaid, event, edition, templateOf(invoicePaid, edition));
  expect(subject).toContain("Zoé <b>& Co</b> Bcc: eve@example.com");
  expect(html).toContain("Zoé &lt;b&gt;&amp; Co&lt;/b&gt;");
  expect(text).toContain("Zoé <b>& Co</b>");
});

it("is warm above 1,000, in the customer's language, and as the weights choose otherwise", () => {
  expect(editionOf(paid(1000.01, "fr_CA"))).toEqual({ locale: "fr", variant: "warm" });
  expect(editionOf(paid(1000.01, "de"))).toEqual({ locale: "en", variant: "warm" });
  const content = invoicePaid.prepare(paid(1000, "en")).contentIn("en");
  expect(invoicePaid.chosenVariant(content, { address: "ada@example.com" })).toBeUndefined();
});
