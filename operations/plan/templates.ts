import { catalogue as ownCatalogue } from "../../handler/notifications";
import { type Notification } from "../../handler/notifications/define";
import { sampleEvent } from "../../handler/notifications/sample";
import { renderTemplate, type Template } from "../../stacks/templates";
import { describeFailure } from "../text";
import { type Block, code, details, fenced, html } from "./markdown";
import { first, type Naming } from "./naming";
import { type ResourceChange } from "./terraform-json";
import { differingLines } from "./values";

/** The changes of the stored templates, as text and as the mails that a recipient would see. */

const parts = ["subject", "text", "html"] as const;

/** Time of the sample's event, so that one plan has one summary. */
const sampleTime = "2026-01-01T09:00:00Z";

/** @param catalogue @default the project's own notifications */
export function describeTemplates(
  changes: readonly ResourceChange[],
  naming: Naming,
  catalogue: readonly Notification[] = ownCatalogue,
): Block[] {
  return changes.flatMap(({ change }) => {
    const [before, after] = [templateOf(change.before), templateOf(change.after)];
    const name = String(first(change.after ?? change.before).name);
    const notification = notificationOf(naming.short(name), catalogue);
    const title = notification === undefined ? code(naming.short(name)) : code(notification.id);
    if (after === undefined || before === undefined) {
      const what = after === undefined ? "is removed" : "is new";
      const mail = after ?? before;
      return [
        { text: `- Template ${title} ${what}.` },
        ...(mail === undefined ? [] : [renderings(notification, [["The mail", mail]])]),
      ];
    }
    const differing = parts.filter((part) => before[part] !== after[part]);
    if (differing.length === 0) return [{ text: `- Template ${title} gets another name, and no other content.` }];
    return [
      { text: `- Template ${title} changes: ${differing.join(", ")}.` },
      ...differing.map((part) => ({
        text: details(
          `The template's ${part}, line by line`,
          fenced(differingLines(before[part], after[part]), "diff"),
        ),
        short: `The difference of the template's ${part} is left out: it is too long.`,
      })),
      renderings(notification, [
        ["The mail before", before],
        ["The mail after", after],
      ]),
    ];
  });
}

function templateOf(values: unknown): Template | undefined {
  const { subject, html: body, text } = first(values);
  if (values === null || values === undefined) return undefined;
  return { subject: textOf(subject), html: textOf(body), text: textOf(text) };
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** The notification of a template's short name: `<notification>-<hash>`. */
const notificationOf = (name: string, catalogue: readonly Notification[]): Notification | undefined =>
  catalogue.find(({ id }) => name.startsWith(`${id}-`) && /^[0-9a-f]{8}$/.test(name.slice(id.length + 1)));

function renderings(notification: Notification | undefined, mails: readonly (readonly [string, Template])[]): Block {
  if (notification === undefined) {
    return { text: "The mail can't be shown: no notification of this checkout has a template of that name." };
  }
  const texts = mails.map(
    ([title, template]) => `**${title}**, with the notification's sample:\n\n${rendering(notification, template)}`,
  );
  return {
    text: details(
      `${mails.length === 1 ? "The mail" : "The mails before and after"}: ${html(notification.id)}`,
      texts.join("\n\n"),
    ),
    short: "The mails are left out: they are too long.",
  };
}

function rendering(notification: Notification, template: Template): string {
  try {
    const { templateData } = notification.prepare(sampleEvent(notification, { time: sampleTime }));
    const { subject, text, html: body } = renderTemplate(template, templateData);
    return [`Subject: ${code(subject)}`, fenced(text, "text"), fenced(body, "html")].join("\n\n");
  } catch (error) {
    // Today's notification may no longer supply what the old template reads.
    return `It can't be rendered with today's sample: ${code(describeFailure(error))}`;
  }
}
