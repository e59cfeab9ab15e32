import { type EventEnvelope } from "../../handler/contract/envelope";
import { type TemplateData } from "../../handler/contract/template-data";
import { type Notification } from "../../handler/notifications/define";
import { mailData } from "../../handler/notifications/mail-data";
import { type Edition } from "./editions";
import { type LoadedTemplate, loadTemplate } from "./load";
import { renderTemplate, type Template } from "./render";

/**
 * Makes the template data of an event as the function does.
 * @throws PermanentError where the function would refuse the event.
 */
export function dataOf(
  notification: Notification,
  event: EventEnvelope,
  edition?: Edition,
  template: LoadedTemplate = loadTemplate(notification, edition),
): TemplateData {
  return mailData(notification, notification.prepare(event).content, template.reads);
}

/**
 * Makes the mail of an event, as the function and SES do.
 * @throws PermanentError where the function would refuse the event.
 */
export function renderMail(
  notification: Notification,
  event: EventEnvelope,
  edition?: Edition,
  template: LoadedTemplate = loadTemplate(notification, edition),
): Template {
  return renderTemplate(template, { ...dataOf(notification, event, edition, template) });
}
