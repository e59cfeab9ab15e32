import { SafeHtml } from "../../handler/contract/safe-html";
import { type Reads, toTemplateData } from "../../handler/contract/template-data";
import { catalogue } from "../../handler/notifications";
import { type Notification } from "../../handler/notifications/define";
import { type Edition, editionKey, editionsOf } from "../../handler/notifications/editions";
import { sampleEvent } from "../../handler/notifications/sample";
import { renderTemplate, type Template } from "../../stacks/templates/render";
import { describeFailure } from "../text";
import { type Block, code, details, fenced, html } from "./markdown";
import { first, type Naming } from "./naming";
import { type Change, type TerraformPlan } from "./terraform-json";
import { differingLines } from "./values";

/** The changes of the stored templates, as text and as the mails that a recipient would see. */

export const templateType = "aws_ses_template";

const parts = ["subject", "text", "html"] as const;
type Part = (typeof parts)[number];

/** Time of the sample's event, so that one plan has one summary. */
const sampleTime = "2026-01-01T09:00:00Z";

/** A template before or after the apply. */
export interface Mail {
  readonly template: Template;
  /** The template filled with the notification's sample, or else why it can't be filled. */
  readonly filled: Template | { readonly problem: string };
}

export interface TemplateChange {
  /** The `editionKey`, or the template's name where this checkout has no such notification. */
  readonly name: string;
  /** `undefined` where the template is new. */
  readonly before: Mail | undefined;
  /** `undefined` where the template is removed. */
  readonly after: Mail | undefined;
  /** The parts that differ; none where the template only gets another name. */
  readonly differing: readonly Part[];
  /** The name of the page that shows both mails; `undefined` where there is nothing to compare. */
  readonly page: string | undefined;
}

/** Lists the templates that the plan makes, changes or removes. */
export function templateChanges(
  plan: TerraformPlan,
  naming: Naming,
  notifications: readonly Notification[] = catalogue,
): TemplateChange[] {
  const pages = new Set<string>();
  return plan.resource_changes
    .filter(
      ({ mode, type, change: { actions } }) =>
        mode === "managed" &&
        type === templateType &&
        actions.some((action) => ["create", "update", "delete"].includes(action)),
    )
    .map(({ address, change }) => {
      const stored = naming.short(String(first(change.after ?? change.before).name));
      const notification = notificationOf(stored, notifications);
      const edition = notification === undefined ? undefined : editionAt(address, notification);
      const name = notification === undefined || edition === undefined ? stored : editionKey(notification, edition);
      const [before, after] = (["before", "after"] as const).map((side) =>
        mailOf(templateOf(change, side), notification, edition),
      );
      const differing = parts.filter((part) => differs(change, part));
      return { name, before, after, differing, page: differing.length === 0 ? undefined : pageName(name, pages) };
    });
}

/** A file's name that no other page has, on a disk that does not tell capital letters either. */
function pageName(name: string, taken: Set<string>): string {
  const plain = name
    .replace(/[^\w-]/g, "_")
    .slice(0, 100)
    .toLowerCase();
  let free = plain;
  for (let count = 2; taken.has(free); count += 1) free = `${plain}-${count}`;
  taken.add(free);
  return `${free}.html`;
}

function templateOf(change: Change, side: "before" | "after"): Template | undefined {
  if (change[side] === null || change[side] === undefined) return undefined;
  const partOf = (part: Part): string => {
    // As in differences.ts, a secret stays one on both sides.
    if (isMarked(change.before_sensitive, part) || isMarked(change.after_sensitive, part)) return "(sensitive)";
    if (side === "after" && isMarked(change.after_unknown, part)) return "(known after apply)";
    return valueOf(change[side], part) ?? "";
  };
  return { subject: partOf("subject"), html: partOf("html"), text: partOf("text") };
}

function valueOf(values: unknown, part: Part): string | undefined {
  const value = first(values)[part];
  return typeof value === "string" && value !== "" ? value : undefined;
}

const differs = ({ before, after, after_unknown: unknown }: Change, part: Part): boolean =>
  isMarked(unknown, part) || valueOf(before, part) !== valueOf(after, part);

const isMarked = (marks: unknown, part: Part): boolean => marks === true || first(marks)[part] === true;

/** The notification of a template's short name: `<notification>-<hash>`. */
const notificationOf = (name: string, notifications: readonly Notification[]): Notification | undefined =>
  notifications.find(({ id }) => name.startsWith(`${id}-`) && /^[0-9a-f]{8}$/.test(name.slice(id.length + 1)));

/** The edition whose template has this address in the stack, or else the first one. */
function editionAt(address: string, notification: Notification): Edition {
  const editions = editionsOf(notification);
  const isAt = (edition: Edition) =>
    address.replace(/_[0-9A-F]{8}$/, "").endsWith(`template-${editionKey(notification, edition)}`);
  return editions.find(isAt) ?? editions[0];
}

function mailOf(
  template: Template | undefined,
  notification: Notification | undefined,
  edition: Edition | undefined,
): Mail | undefined {
  if (template === undefined) return undefined;
  if (notification === undefined) {
    const problem = "no notification of this checkout has a template of that name, so that there is no sample";
    return { template, filled: { problem } };
  }
  try {
    const content = notification.prepare(sampleEvent(notification, { time: sampleTime })).contentIn(edition?.locale);
    const reads = readsOfAll(content);
    const data = toTemplateData(content, { subject: reads, text: reads, html: reads, hasWords: true });
    return { template, filled: renderTemplate(template, { ...data }) };
  } catch (error) {
    // Today's notification may no longer supply what the old template reads.
    return { template, filled: { problem: `today's sample does not fit it: ${describeFailure(error)}` } };
  }
}

/** Everything that a template could read of the value. The old template may read what today's does not. */
function readsOfAll(value: unknown): Reads {
  if (Array.isArray(value))
    return { plain: true, ...(value.length === 0 ? {} : { rows: merged(value.map(readsOfAll)) }) };
  if (typeof value !== "object" || value === null || value instanceof SafeHtml)
    return { plain: true, lines: true, asked: true };
  return {
    fields: Object.fromEntries(Object.entries(value).map(([name, each]) => [name, readsOfAll(each)])),
    asked: true,
  };
}

/** What is read of any of the rows. */
function merged(rows: readonly Reads[]): Reads {
  return rows.reduce((one, other) => {
    const fields = { ...one.fields, ...other.fields };
    return { ...one, ...other, ...(Object.keys(fields).length === 0 ? {} : { fields }) };
  });
}

/** @param pagesIn where the pages of the mails are, as plain text; `undefined` where there are none. */
export function describeTemplates(changes: readonly TemplateChange[], pagesIn: string | undefined): Block[] {
  const pages = changes.flatMap(({ page }) => page ?? []);
  const told = changes.flatMap(describeTemplate);
  if (pagesIn === undefined || pages.length === 0) return told;
  const files = pages.map((page) => code(page)).join(", ");
  const where = `To see the mails before and after, open in a browser, from ${code(pagesIn)}`;
  return [{ text: `${where}: ${files}.`, short: `${where}: one page for each template.` }, ...told];
}

function describeTemplate({ name, before, after, differing }: TemplateChange): Block[] {
  const title = code(name);
  if (after === undefined || before === undefined) {
    const what = after === undefined ? "is removed" : "is new";
    const mail = after ?? before;
    return [
      { text: `- Template ${title} ${what}.` },
      ...(mail === undefined ? [] : [renderings(name, [["The mail", mail]])]),
    ];
  }
  if (differing.length === 0) return [{ text: `- Template ${title} gets another name, and no other content.` }];
  return [
    { text: `- Template ${title} changes: ${differing.join(", ")}.` },
    ...differing.map((part) => ({
      text: details(
        `The template's ${part}, line by line: ${html(name)}`,
        fenced(differingLines(before.template[part], after.template[part]), "diff"),
      ),
      short: `The difference of the ${part} of ${title} is left out: it is too long.`,
    })),
    renderings(name, [
      ["The mail before", before],
      ["The mail after", after],
    ]),
  ];
}

function renderings(name: string, mails: readonly (readonly [string, Mail])[]): Block {
  return {
    text: details(
      `${mails.length === 1 ? "The mail" : "The mails before and after"}: ${html(name)}`,
      mails.map(([title, mail]) => rendering(title, mail)).join("\n\n"),
    ),
    short: `${mails.length === 1 ? "The mail" : "The mails"} of ${code(name)} ${mails.length === 1 ? "is" : "are"} left out: too long.`,
  };
}

function rendering(title: string, { filled }: Mail): string {
  if ("problem" in filled) return `**${title}** can't be filled with a sample: ${code(filled.problem)}`;
  const { subject, text, html: body } = filled;
  return [
    `**${title}**, with the notification's sample:`,
    `Subject: ${code(subject)}`,
    fenced(text, "text"),
    fenced(body, "html"),
  ].join("\n\n");
}
