import { type TemplateData } from "../../handler/contract/template-data";
import { type Notification } from "../../handler/notifications/define";
import { sampleEvent } from "../../handler/notifications/sample";
import { CatalogueError, checkCatalogue } from "../../stacks/catalogue-check";
import { sandboxEndpoint } from "../../stacks/sandbox-endpoint";
import { type Edition, editionsOf } from "../../handler/notifications/editions";
import { notificationsFolder } from "../../stacks/templates/files";
import { loadTemplate, TemplateError, type TemplateReader } from "../../stacks/templates/load";
import { dataOf } from "../../stacks/templates/mail";
import { renderTemplate, type Template } from "../../stacks/templates/render";

/** What a gallery shows: the mail of each notification's sample, in each of its editions. */
export interface Previews {
  readonly editions: readonly PreviewedEdition[];
  /** What the synth refuses and that is of no single notification; each a sentence that names the file. */
  readonly problems: readonly string[];
}

export interface PreviewedEdition extends Edition {
  /** The notification's id. */
  readonly notification: string;
  readonly description: string;
  /** The detail-type and source, or the schedule, that causes the mail. */
  readonly cause: string;
  /** The addresses that the sample is mailed to. */
  readonly to: readonly string[];
  /** The mail of the sample; `undefined` where none can be made, and `problems` say why. */
  readonly mail: PreviewedMail | undefined;
  /** What the synth refuses of this notification: a sentence each, with file, line and column. */
  readonly problems: readonly string[];
}

export interface PreviewedMail extends Template {
  readonly data: TemplateData;
}

/** Time of the sample's event: always the same, so that a gallery changes only with the catalogue. */
const sampleTime = "2026-01-01T09:00:00Z";

/**
 * Renders the samples as the function and SES do. A notification that makes no mail does not keep the others from it.
 * @param folder where each folder has to be a notification of the catalogue.
 */
export function previewsOf(
  notifications: readonly Notification[],
  templateOf: TemplateReader = loadTemplate,
  folder = notificationsFolder,
): Previews {
  const refused = synthProblems(notifications, templateOf, folder);
  const isOf = (id: string) => (problem: string) => problem.startsWith(`handler/notifications/${id}/`);
  const usable = notifications.filter(isWhole);
  return {
    editions: usable.flatMap((notification) =>
      previewedEditions(notification, refused.filter(isOf(notification.id)), templateOf),
    ),
    problems: refused.filter((problem) => !usable.some(({ id }) => isOf(id)(problem))),
  };
}

/** Of another definition nothing can be said but what the synth says. */
function isWhole(notification: Notification): boolean {
  try {
    return notification.problems().length === 0;
  } catch {
    return false;
  }
}

function synthProblems(
  notifications: readonly Notification[],
  templateOf: TemplateReader,
  folder: string,
): readonly string[] {
  try {
    checkCatalogue(notifications, { prefix: sandboxEndpoint({}).names.prefix, templateOf, folder });
    return [];
  } catch (error) {
    return error instanceof CatalogueError ? error.problems : [messageOf(error)];
  }
}

function previewedEditions(
  notification: Notification,
  refused: readonly string[],
  templateOf: TemplateReader,
): PreviewedEdition[] {
  return editionsOf(notification).map((edition) => ({
    ...edition,
    notification: notification.id,
    description: notification.description,
    cause: causeOf(notification),
    ...mailOf(notification, edition, refused, templateOf),
  }));
}

function causeOf({ trigger }: Notification): string {
  if (trigger.kind === "schedule") return `${trigger.expression}, in UTC`;
  return `${trigger.detailType} of ${trigger.source}`;
}

function mailOf(
  notification: Notification,
  edition: Edition,
  refused: readonly string[],
  templateOf: TemplateReader,
): Pick<PreviewedEdition, "to" | "mail" | "problems"> {
  try {
    const template = templateOf(notification, edition);
    const event = sampleEvent(notification, { time: sampleTime });
    const data = dataOf(notification, event, edition, template);
    const mail = { ...renderTemplate(template, { ...data }), data };
    return { to: notification.prepare(event).recipients, mail, problems: refused };
  } catch (error) {
    // The synth has looked at it, too, and told the same.
    const own = error instanceof TemplateError ? error.problems : [messageOf(error)];
    const isTold = (problem: string) => refused.some((each) => each.includes(problem));
    return { to: [], mail: undefined, problems: [...refused, ...own.filter((problem) => !isTold(problem))] };
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message || error.name : String(error));
