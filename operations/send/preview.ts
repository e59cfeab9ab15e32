import { defaultSender } from "../../handler/contract/environment";
import { type TemplateData } from "../../handler/contract/template-data";
import { type Config } from "../../stacks/config";
import { type Edition, editionsOf } from "../../handler/notifications/editions";
import { loadTemplate, type TemplateReader } from "../../stacks/templates/load";
import { dataOf, editionOf } from "../../stacks/templates/mail";
import { renderTemplate, type Template } from "../../stacks/templates/render";
import { UsageError } from "../command";
import { type CheckedEvent } from "./event";

/** What a checked event would send to its first recipient, or in the edition that is asked for. */
export interface MailPreview extends Template, Edition {
  /** The notification's id. */
  readonly notification: string;
  /** The address that the stage has for the notification's sender. */
  readonly from: string;
  readonly to: readonly string[];
  /** Empty where replies go to the sender. */
  readonly replyTo: readonly string[];
  readonly templateData: TemplateData;
}

/** Which of the declared editions is meant. @default that of the mail to the first recipient */
export interface EditionOptions {
  readonly locale?: string;
  readonly variant?: string;
}

/**
 * Makes the mail as the function and SES would.
 * @throws UsageError where the notification has no such edition, or the stage has no such sender.
 */
export function previewOf(
  { notification, event }: CheckedEvent,
  { senders, replyTo, stage }: Pick<Config, "senders" | "replyTo" | "stage">,
  options: EditionOptions,
  templateOf: TemplateReader = loadTemplate,
): MailPreview {
  const { id, sender = defaultSender } = notification;
  const edition = chosen(id, editionsOf(notification), options, editionOf(notification, event));
  const from = senders.find(({ name }) => name === sender)?.address;
  if (from === undefined) throw new UsageError(`The stage ${stage} has no sender "${sender}", which "${id}" names.`);
  const template = templateOf(notification, edition);
  const prepared = notification.prepare(event);
  const templateData = dataOf(notification, event, edition, template);
  return {
    notification: id,
    ...edition,
    from,
    to: prepared.recipients,
    replyTo: prepared.replyTo.length > 0 ? prepared.replyTo : replyTo,
    ...renderTemplate(template, { ...templateData }),
    templateData,
  };
}

function chosen(id: string, editions: readonly Edition[], { locale, variant }: EditionOptions, own: Edition): Edition {
  const ofLocale = editions.filter((edition) => edition.locale === (locale ?? own.locale));
  if (ofLocale.length === 0) {
    const declared = [...new Set(editions.map((edition) => edition.locale))].join(", ");
    throw new UsageError(`--locale: "${id}" has no locale "${String(locale)}": use one of ${declared}.`);
  }
  const found = ofLocale.find((edition) => edition.variant === (variant ?? own.variant));
  if (found !== undefined) return found;
  const declared = [...new Set(ofLocale.flatMap((edition) => edition.variant ?? []))].join(", ");
  throw new UsageError(
    declared === ""
      ? `--variant: "${id}" has no variants. Leave it out.`
      : `--variant: "${id}" has no variant "${String(variant)}": use one of ${declared}.`,
  );
}

/** @returns the mail for a person: headers, then the text, then the template data, or the HTML alone. */
export function describePreview(preview: MailPreview, isHtml: boolean): string {
  const { from, to, replyTo, subject, text, html, templateData, locale, variant } = preview;
  if (isHtml) return html;
  const headers = [
    ["From", from],
    ["To", to.join(", ")],
    ["Reply-To", replyTo.join(", ")],
    ["Subject", subject],
    ["Locale", locale],
    ["Variant", variant ?? ""],
  ].filter(([, value]) => value !== "");
  return `${headers.map(([name, value]) => `${`${name ?? ""}:`.padEnd(10)}${value ?? ""}`).join("\n")}

${text.trimEnd()}

Template data:
${JSON.stringify(templateData, null, 2)}
`;
}
