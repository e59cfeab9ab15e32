import { join } from "node:path";
import { loadTemplate, type TemplateReader } from "../../stacks/templates/load";
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
export const brought = [
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
export const broughtFolder = join(__dirname, "..", "fixtures", "brought");
export const broughtTemplate: TemplateReader = (notification, edition) =>
  loadTemplate(notification, edition, join(broughtFolder, notification.id));
