import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { templateName } from "../handler/contract/environment";
import { mailsOf } from "../handler/mails";
import { type Notification } from "../handler/notifications/define";
import { type Edition, editionsOf } from "../handler/notifications/editions";
import { mailData } from "../handler/notifications/mail-data";
import { sampleEvent } from "../handler/notifications/sample";
import { lanes } from "./lanes";
import { blankReads } from "./templates/blank-reads";
import { notificationsFolder, sharedFolders } from "./templates/files";
import { type LoadedTemplate, TemplateError, type TemplateReader } from "./templates/load";

/**
 * Everything that is wrong with the catalogue. The synth reports all problems at once, each in a sentence that names
 * the file.
 */
export class CatalogueError extends Error {
  override readonly name = "CatalogueError";

  constructor(readonly problems: readonly string[]) {
    super(
      `The catalogue has ${problems.length} problem${problems.length === 1 ? "" : "s"}; nothing was synthesized.\n` +
        problems.map((problem) => `  - ${problem}`).join("\n"),
    );
  }
}

export interface CatalogueContext {
  /** Project and stage, which every physical name begins with. */
  readonly prefix: string;
  /** Reads the stored template of a notification. */
  readonly templateOf: TemplateReader;
  /**
   * Folder of the notifications: each folder in it has to be in the catalogue. `undefined` for a catalogue without a
   * folder.
   */
  readonly folder?: string | undefined;
  /** The stage, and the names of its senders. @default the notifications' senders are not checked */
  readonly senders?: { readonly stage: string; readonly names: readonly string[] };
}

/** The stored template of one edition of a notification. */
export interface CheckedTemplate {
  readonly notification: Notification;
  readonly edition: Edition;
  readonly template: LoadedTemplate;
}

/**
 * Checks every notification: its id and names, its trigger, its template, and that its sample makes a mail without
 * gaps.
 * @returns the stored template of each edition of each notification, in the catalogue's order.
 * @throws CatalogueError that lists every problem.
 */
export function checkCatalogue(
  notifications: readonly Notification[],
  context: CatalogueContext,
): readonly CheckedTemplate[] {
  const isList: boolean = Array.isArray(notifications);
  if (!isList) {
    throw new CatalogueError([`${shownFolder}/index.ts: the catalogue is no list: write it as [first, second].`]);
  }
  const templates: CheckedTemplate[] = [];
  const problems: string[] = [];
  const known = notifications.filter((each, at) => {
    const problem = orMessage(() => entryProblem(each), "can't be read");
    if (problem !== undefined) problems.push(`${shownFolder}/index.ts: entry ${at + 1} of the catalogue ${problem}`);
    return problem === undefined;
  });
  const unlisted = context.folder === undefined ? [] : unlistedFolders(context.folder, known);
  const unreadable = new Set<Notification>();
  for (const notification of known) {
    const misnamed =
      context.folder === undefined || existsSync(join(context.folder, notification.id))
        ? undefined
        : unlisted.find(({ text }) => text?.includes(`"${notification.id}"`));
    if (misnamed !== undefined) {
      unlisted.splice(unlisted.indexOf(misnamed), 1);
      problems.push(
        `${fileOf(misnamed.name)}: the id is "${notification.id}" and the folder's name is "${misnamed.name}": give both one name.`,
      );
      continue;
    }
    const { templates: ofNotification, problems: own, isReadable = true } = checked(notification, context);
    problems.push(...new Set(own));
    if (!isReadable) unreadable.add(notification);
    templates.push(...ofNotification);
  }
  const readable = known.filter((notification) => !unreadable.has(notification));
  problems.push(...sharedNames(readable), ...sharedTriggers(readable), ...unlisted.map(({ problem }) => problem));
  if (problems.length > 0) throw new CatalogueError(problems);
  return templates;
}

/**
 * TypeScript would reject each of these entries, but the synth runs without type checking (tsx), so they are checked
 * here.
 */
function entryProblem(entry: Partial<Notification> | null | undefined): string | undefined {
  if (entry === undefined) return "is undefined: the folder exports it by another name.";
  if (entry instanceof Promise) return "is a promise: import the notification itself.";
  if (typeof entry?.problems !== "function") return "is no notification: make it with defineNotification.";
  return typeof entry.id === "string" ? undefined : `has the id ${String(entry.id)}: give it its folder's name.`;
}

/** @returns what `read` gives, or the message of its error behind `what`. */
function orMessage<Value>(read: () => Value, what: string): Value | string {
  try {
    return read();
  } catch (error) {
    return `${what}: ${messageOf(error)}`;
  }
}

/** The folder as messages name it. Its separators are `/` on Windows, too. */
const shownFolder = "handler/notifications";
const fileOf = (id: string) => `${shownFolder}/${id}/index.ts`;

const otherFolders: readonly string[] = sharedFolders;

function unlistedFolders(folder: string, notifications: readonly Notification[]) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !otherFolders.includes(entry.name))
    .filter(({ name }) => !notifications.some(({ id }) => id === name))
    .map(({ name }) => {
      const file = join(folder, name, "index.ts");
      return statSync(file, { throwIfNoEntry: false })?.isFile()
        ? {
            name,
            text: readFileSync(file, "utf8"),
            problem: `${fileOf(name)}: it is not in the catalogue: import it in ${shownFolder}/index.ts, and add a line to \`catalogue\` there.`,
          }
        : {
            name,
            problem: `${shownFolder}/${name}: it has no index.ts: define the notification there, or remove the folder.`,
          };
    });
}

interface Checked {
  /** Those that can be read. */
  readonly templates: readonly CheckedTemplate[];
  readonly problems: readonly string[];
  /** Whether its fields can be read. A getter or a Proxy may throw. */
  readonly isReadable?: boolean;
}

function checked(notification: Notification, context: CatalogueContext): Checked {
  try {
    return checkNotification(notification, context);
  } catch (error) {
    const problems = [`${fileOf(notification.id)}: it can't be read: ${messageOf(error)}`];
    return { templates: [], problems, isReadable: false };
  }
}

function checkNotification(notification: Notification, context: CatalogueContext): Checked {
  const { id, ruleName } = notification;
  const inFile = (problems: readonly string[]) => problems.map((problem) => `${fileOf(id)}: ${problem}`);
  const wrongId = idProblem(id, context.prefix);
  // With a wrong id, nothing else can be checked: the names of the notification's files come from the id.
  if (wrongId !== undefined) return { templates: [], problems: inFile([wrongId]) };
  if (!isSchema(notification.detail)) {
    return {
      templates: [],
      problems: inFile(["its detail is no schema of Zod 4: write z.object({ .. }), with zod from package.json."]),
    };
  }
  const incomplete = notification.problems();
  if (incomplete.length > 0) return { templates: [], problems: inFile(incomplete) };
  const problems = inFile([
    ...ruleNameProblems(ruleName, context.prefix),
    ...laneProblems(notification),
    ...senderProblems(notification, context.senders),
  ]);
  const templates = editionsOf(notification).flatMap((edition): CheckedTemplate[] => {
    try {
      return [{ notification, edition, template: context.templateOf(notification, edition) }];
    } catch (error) {
      problems.push(...(error instanceof TemplateError ? error.problems : inFile([messageOf(error)])));
      return [];
    }
  });
  problems.push(...inFile(sameVariants(templates)), ...templates.flatMap((template) => mailProblems(template)));
  return { templates, problems };
}

/** Reports variants that do not differ: the mails of both would be counted apart, and nothing would be compared. */
function sameVariants(templates: readonly CheckedTemplate[]): string[] {
  return templates.flatMap(({ edition: { locale, variant }, template }, at) => {
    const twin = templates
      .slice(0, at)
      .find(
        (other) =>
          other.edition.locale === locale &&
          (["subject", "html", "text"] as const).every((part) => other.template[part] === template[part]),
      );
    return twin === undefined
      ? []
      : [
          `its variants "${twin.edition.variant ?? ""}" and "${variant ?? ""}" say the same in "${locale}": write a body of "${variant ?? ""}", or messages.${locale}.${variant ?? ""}.json.`,
        ];
  });
}

/** `problems()` reports a schema that is missing. */
const isSchema = (detail: unknown): boolean => detail === undefined || "_zod" in Object(detail);

/** EventBridge takes up to 64 characters for a rule's name (PutRule), and SES for a template's (CreateTemplate). */
const longestName = 64;

/**
 * @returns why `id` can't be the id of a notification, and the fix, in one sentence; `undefined` where the id is valid.
 */
export function idProblem(id: string, prefix: string): string | undefined {
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(id)) {
    const better = toId(id);
    const example = better === "" ? "invoice-paid" : better;
    return `the id "${id}" can't be a part of the names in AWS: use small letters, digits and single hyphens, for example "${example}".`;
  }
  if (otherFolders.includes(id))
    return `the id "${id}" is the name of a folder that holds no notification: choose another.`;
  if (existsSync(join(notificationsFolder, `${id}.ts`))) {
    return `the id "${id}" is the name of a file there, ${shownFolder}/${id}.ts: choose another.`;
  }
  const most = longestName - templateName(prefix, "", "0".repeat(8)).length;
  return id.length <= most
    ? undefined
    : `the id "${id}" has ${id.length} characters, and ${most} fit into the name of its template behind "${prefix}": choose a shorter one.`;
}

/** The valid id that is closest to `text`; empty where `text` has no letter. */
function toId(text: string): string {
  return text
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "");
}

/**
 * Names of the rules that the stack itself makes. A notification can't use them, because two rules with one name would
 * share their alarms.
 */
const ownRules = /^(?:(?:priority-)?retry-rule|dead-letter-rule|feedback-rule|(?:unmatched|unrouted)-rule(?:-\d+)?)$/;

function ruleNameProblems(ruleName: string, prefix: string): string[] {
  if (!/^[\w.-]+$/.test(ruleName)) {
    return [
      `the ruleName "${ruleName}" has characters that EventBridge refuses: use letters, digits, hyphens, dots and underscores.`,
    ];
  }
  if (ownRules.test(ruleName))
    return [`the ruleName "${ruleName}" is the name of a rule that the stack itself makes: choose another.`];
  const most = longestName - `${prefix}-`.length;
  return ruleName.length <= most
    ? []
    : [
        `the ruleName "${ruleName}" has ${ruleName.length} characters, and EventBridge takes ${most} behind "${prefix}": choose a shorter one.`,
      ];
}

function laneProblems({ lane }: Notification): string[] {
  return lanes.includes(lane) ? [] : [`there is no lane "${lane}": use ${lanes.join(" or ")}.`];
}

function senderProblems({ sender }: Notification, senders: CatalogueContext["senders"]): string[] {
  if (sender === undefined || senders === undefined || senders.names.includes(sender)) return [];
  const { stage, names } = senders;
  return [
    `the stage ${stage} has no sender "${sender}": use ${names.join(" or ")}, or add "${sender}" to the senders of ${stage} in stacks/stages.ts.`,
  ];
}

/** An address of SES's mailbox simulator: https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html */
const someRecipient = "success@simulator.amazonses.com";

/**
 * Makes an edition's mail of the sample, and for a schedule that of its detail, from the event to the rendered text.
 */
function mailProblems({ notification, edition, template }: CheckedTemplate): string[] {
  const { id, sample, trigger } = notification;
  if (sample === undefined || sample === null) {
    return [`${fileOf(id)}: it has no sample: give it a detail that fits its schema.`];
  }
  const details = [{ name: "the sample", detail: sample }];
  if (trigger.kind === "schedule") {
    try {
      details.push({ name: "the detail of its schedule", detail: trigger.detail([someRecipient]) as object });
    } catch (error) {
      return [`${fileOf(id)}: the detail of its schedule can't be made: ${messageOf(error)}`];
    }
  }
  return details.flatMap(({ name, detail }) => {
    try {
      const prepared = notification.prepare(sampleEvent(notification, { detail }));
      const { contentIn, refusedRecipients } = prepared;
      // The locale and the variant are chosen, too: a definition that fails at this fails at each event.
      mailsOf(notification, prepared);
      const data = mailData(notification, contentIn(edition.locale), template.reads);
      return [
        ...refusedRecipients.map(
          ({ position, problem }) => `${fileOf(id)}: recipient number ${position} of ${name} ${problem}.`,
        ),
        ...blankReads(id, template, data).map(
          ({ place, shown }) =>
            `${place}: ${name} leaves ${shown} empty: give it a value there, or show it within {{#if ..}} only.`,
        ),
      ];
    } catch (error) {
      return [`${fileOf(id)}: ${name} makes no mail: ${messageOf(error)}`];
    }
  });
}

function sharedNames(notifications: readonly Notification[]): string[] {
  return notifications.flatMap(({ id, ruleName }, at) => {
    const earlier = notifications.slice(0, at);
    if (earlier.some((other) => other.id === id)) {
      return [`${fileOf(id)}: the id "${id}" is twice in the catalogue: give each notification its own.`];
    }
    const first = earlier.find((other) => other.ruleName === ruleName);
    return first === undefined
      ? []
      : [`${fileOf(id)}: "${first.id}" has the ruleName "${ruleName}", too: give each notification its own.`];
  });
}

/**
 * Finds notifications that share a trigger. The function finds a notification by source and detail-type, so the second
 * one would never be mailed.
 */
function sharedTriggers(notifications: readonly Notification[]): string[] {
  // `entryProblem` or `problems()` has already reported a trigger that is missing, or one without these texts.
  const triggered = notifications.filter(({ trigger }: { trigger?: Partial<Notification["trigger"]> | null }) =>
    [trigger?.source, trigger?.detailType].every((text) => typeof text === "string"),
  );
  return triggered.flatMap((notification, at) => {
    const first = triggered
      .slice(0, at)
      .find(
        ({ trigger }) =>
          trigger.source === notification.trigger.source && trigger.detailType === notification.trigger.detailType,
      );
    if (first === undefined || first.id === notification.id) return [];
    const { source, detailType } = notification.trigger;
    return [
      `${fileOf(notification.id)}: "${first.id}" has the source "${source}" with the detail-type "${detailType}", too, and the function tells notifications apart by these two: give each its own.`,
    ];
  });
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return "what was thrown has no text";
  }
}
