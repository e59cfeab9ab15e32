import { type EventEnvelope } from "../../handler/contract/envelope";
import { type TemplateData } from "../../handler/contract/template-data";
import { mailsOf } from "../../handler/mails";
import { type Notification } from "../../handler/notifications/define";
import { type Edition, editionsOf } from "../../handler/notifications/editions";
import { mailData } from "../../handler/notifications/mail-data";
import { type LoadedTemplate, loadTemplate } from "./load";
import { renderTemplate, type Template } from "./render";

/**
 * Makes the template data of an event as the function does.
 * @param edition @default that of the mail to the event's first recipient
 * @throws PermanentError where the function would refuse the event.
 */
export function dataOf(
  notification: Notification,
  event: EventEnvelope,
  edition: Edition = editionOf(notification, event),
  template: LoadedTemplate = loadTemplate(notification, edition),
): TemplateData {
  return mailData(notification, notification.prepare(event).contentIn(edition.locale), template.reads);
}

/**
 * Makes the mail of an event, as the function and SES do.
 * @param edition @default that of the mail to the event's first recipient
 * @throws PermanentError where the function would refuse the event.
 */
export function renderMail(
  notification: Notification,
  event: EventEnvelope,
  edition: Edition = editionOf(notification, event),
  template: LoadedTemplate = loadTemplate(notification, edition),
): Template {
  return renderTemplate(template, { ...dataOf(notification, event, edition, template) });
}

/** The edition of the mail to the event's first recipient. */
export function editionOf(notification: Notification, event: EventEnvelope): Edition {
  return mailsOf(notification, notification.prepare(event))[0]?.edition ?? editionsOf(notification)[0];
}
