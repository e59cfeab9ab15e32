import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type * as TypeScript from "typescript";
import { type Command } from "commander";
import { findNotification } from "../../handler/notifications";
import { type Notification } from "../../handler/notifications/define";
import { triggerProblems } from "../../handler/notifications/patterns";
import { idProblem } from "../../stacks/catalogue-check";
import { readConfig } from "../../stacks/config";
import { Names } from "../../stacks/names";
import project from "../../package.json";
import { lanes } from "../../stacks/lanes";
import { scheduleProblem } from "../../stacks/schedule-expression";
import { exitCodes, exitCodesHelp, type Io, UsageError } from "../command";

/** `npm run new-notification` writes a notification that works at once, its line in the catalogue and its test. */
export function define(command: Command, io: Io, end: (exitCode: number) => void): Command {
  return command
    .argument("<id>", "name of its folder, in small letters, digits and hyphens: invoice-paid")
    .option("--lane <lane>", "standard, or priority for what must not wait behind other mail", "standard")
    .option("--detail-type <text>", "of the event; default: the id in words")
    .option("--source <text>", "of the event", "custom.application")
    .option("--schedule <expression>", "cron(..) or rate(..) in UTC, instead of an event")
    .option("--json", "one JSON document on standard output", false)
    .addHelpText("after", exitCodesHelp("the notification is written", "a file could not be written"))
    .action(async (id: string, options: NewNotificationOptions & { readonly json: boolean }) => {
      const { files, next } = await newNotification(id, options);
      io.stdout.write(`${options.json ? JSON.stringify({ id, files }, null, 2) : next}\n`);
      end(exitCodes.well);
    });
}

export interface NewNotificationOptions {
  /** @default "standard" */
  readonly lane?: string;
  /**
   * `cron(..)` or `rate(..)` in UTC. With it, the notification is started by the schedule and not by an event.
   * @default none
   */
  readonly schedule?: string;
  /** @default the id in words: `Invoice Paid` */
  readonly detailType?: string;
  /** @default "custom.application" */
  readonly source?: string;
  /**
   * The project's folder.
   * @default that of this checkout
   */
  readonly root?: string;
}

/** The values that the written files are made from. */
interface Plan {
  readonly id: string;
  /** Name of the exported constant. */
  readonly name: string;
  readonly lane: Notification["lane"];
  readonly schedule: string | undefined;
  readonly detailType: string;
  readonly source: string;
}

export interface WrittenNotification {
  /** Paths below the project's folder. */
  readonly files: readonly string[];
  /** Tells a person what was written and what to do next. */
  readonly next: string;
}

/**
 * Writes a notification.
 * @throws UsageError before anything is written, if the id or an option can't be used.
 */
export async function newNotification(id: string, options: NewNotificationOptions = {}): Promise<WrittenNotification> {
  const ts = await import("typescript");
  const format = await formatter();
  const root = options.root ?? join(__dirname, "..", "..");
  const unnamed = toPlan(id, options);
  const folder = join("handler", "notifications", id);
  const list = join("handler", "notifications", "index.ts");
  const listText = readFileSync(join(root, list), "utf8");
  const plan = { ...unnamed, name: freeName(ts.default, unnamed, listText) };
  const files = {
    [join(folder, "index.ts")]: definitionOf(plan),
    [join(folder, "body.html")]: htmlOf(plan),
    [join(folder, "body.txt")]: textOf(plan),
    [join("__tests__", "handler", "notifications", `${id}.test.ts`)]: testOf(plan),
  };
  for (const path of [folder, ...Object.keys(files)]) {
    if (existsSync(join(root, path)))
      throw new UsageError(`${path} exists: choose another id, or change what is there.`);
  }
  const listed = withEntry(ts.default, listText, plan, list);
  const formatted = await Promise.all(
    Object.entries({ ...files, [list]: listed }).map(
      async ([path, text]) => [path, path.endsWith(".ts") ? await format(text) : text] as const,
    ),
  );
  for (const [path, text] of formatted) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { flag: path === list ? "w" : "wx" });
  }
  const written = formatted.map(([path]) => path);
  return { files: written, next: tellNext(plan, written) };
}

function toPlan(id: string, options: NewNotificationOptions): Plan {
  const words = id.split("-").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  const { lane = "standard", schedule, detailType = words.join(" "), source = "custom.application" } = options;
  // The id's length is checked with a stage's prefix. The sandbox's stage is used, because it needs no configuration.
  const { prefix } = new Names(readConfig({ STAGE: "sandbox" }));
  const problem = idProblem(id, prefix);
  if (problem !== undefined) throw new UsageError(capitalized(problem));
  const known = lanes.find((each) => each === lane);
  if (known === undefined) throw new UsageError(`There is no lane "${lane}": use ${lanes.join(" or ")}.`);
  const wrongSchedule = schedule === undefined ? undefined : scheduleProblem(schedule);
  if (wrongSchedule !== undefined) throw new UsageError(`The schedule ${wrongSchedule}.`);
  const kind = schedule === undefined ? "event" : "schedule";
  const [wrongTrigger] = triggerProblems({ kind, source, detailType });
  if (wrongTrigger !== undefined) throw new UsageError(`The trigger ${wrongTrigger}`);
  const same = findNotification({ source, "detail-type": detailType });
  if (same?.id === id) {
    throw new UsageError(`The notification "${id}" exists: choose another id, or change handler/notifications/${id}.`);
  }
  if (same !== undefined) {
    throw new UsageError(
      `The source "${source}" with the detail-type "${detailType}" is that of "${same.id}": give another one (npm run new-notification -- ${id} --detail-type "..").`,
    );
  }
  if (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(detailType)) {
    throw new UsageError(
      `The detail-type ${JSON.stringify(detailType)} has a line break or a control character, and the mail's subject begins with it: leave that out.`,
    );
  }
  const name = words.join("").replace(/^./, (first) => first.toLowerCase());
  return { id, name, lane: known, schedule, detailType, source };
}

const capitalized = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** Words that JavaScript reserves, so no constant can have such a name. */
const reserved =
  "arguments await break case catch class const continue debugger default delete do else enum eval export extends false " +
  "finally for function if implements import in instanceof interface let new null package private protected public " +
  "return static super switch this throw true try typeof undefined var void while with yield";

/**
 * Finds a name for the constant that no other constant in the written files and the catalogue's file has. Two ids may
 * lead to the same name, as `a-1` and `a1` do.
 */
function freeName(ts: typeof TypeScript, plan: Plan, listText: string): string {
  const taken = new Set(reserved.split(" "));
  const collect = (node: TypeScript.Node): void => {
    if (ts.isIdentifier(node)) taken.add(node.text);
    ts.forEachChild(node, collect);
  };
  const written = { ...plan, name: "_" };
  for (const text of [listText, definitionOf(written), testOf(written)]) {
    collect(ts.createSourceFile("any.ts", text, ts.ScriptTarget.Latest));
  }
  let { name } = plan;
  while (taken.has(name)) name += "Notification";
  return name;
}

/** Loads Prettier with the project's style. It is loaded here, because no other command needs it. */
async function formatter(): Promise<(text: string) => Promise<string>> {
  const { format } = await import("prettier/standalone");
  const plugins = [await import("prettier/plugins/estree"), await import("prettier/plugins/typescript")];
  return (text) => format(text, { ...project.prettier, parser: "typescript", plugins });
}

/** Writes a text as a TypeScript string. Prettier chooses the quotation marks later. */
const quoted = (text: string) => JSON.stringify(text);

function definitionOf({ id, name, lane, schedule, detailType, source }: Plan): string {
  const isScheduled = schedule !== undefined;
  const example = isScheduled
    ? '{ name: "reader", reference: "this week" }'
    : '{ name: "Ada Lovelace", reference: "2026-0001" }';
  const trigger = isScheduled
    ? `{
        kind: "schedule",
        source: ${quoted(source)},
        detailType: ${quoted(detailType)},
        expression: ${quoted(schedule)},
        // The schedule's event is always the same: its recipients are those of the stage.
        detail: (recipients) => ({ recipient: [...recipients], ...example }),
      }`
    : `{ kind: "event", source: ${quoted(source)}, detailType: ${quoted(detailType)} }`;
  return `import * as z from "zod/mini";
    import { defineNotification } from "../define";
    import { addressesSchema } from "../recipients";

    const example = ${example};

    export const ${name} = defineNotification({
      id: ${quoted(id)},
      ruleName: ${quoted(`${id}-rule`)},
      description: ${quoted(isScheduled ? `Mails ${detailType} by its schedule` : `Mails that ${detailType} happened`)},
      lane: ${quoted(lane)},
      trigger: ${trigger},
      detail: z.object({
        /** One address or a list: each gets a mail of its own. */
        recipient: addressesSchema,
        name: z.string(),
        reference: z.string(),
      }),
      // Other readers of the event may need fields that this mail does not.
      unknownFields: "ignore",
      recipients: ({ recipient }) => recipient,
      subject: ${quoted(`${plain(detailType)}: {{reference}}`)},
      content: z.object({ name: z.string(), reference: z.string() }),
      map: ({ detail: { name, reference } }) => ({ name, reference }),
      sample: { recipient: "success@simulator.amazonses.com", ...example },
    });
    `;
}

/** Prepares a text for a template, so that Handlebars does not read a `{{` in it. */
const plain = (text: string) => text.replace(/\{(?=\{)/g, "{ ");

function htmlOf({ detailType }: Plan): string {
  const title = plain(detailType).replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"></head>
<body style="margin:0;padding:24px;background:#f4f5f7;color:#1c2430;font:16px/1.5 system-ui,sans-serif">
<div style="max-width:560px;margin:0 auto;padding:24px 32px;background:#ffffff;border-radius:8px">
<h2 style="margin:0 0 16px">${title}</h2>
<p>Dear {{name}},</p>
<p>this is about {{reference}}.</p>
</div>
</body>
</html>
`;
}

function textOf({ detailType }: Plan): string {
  return `${plain(detailType)}

Dear {{name}},

this is about {{reference}}.
`;
}

function testOf({ id, name, schedule, detailType }: Plan): string {
  const [reader, reference] = schedule === undefined ? ["Ada Lovelace", "2026-0001"] : ["reader", "this week"];
  return `import { ${name} } from "../../../handler/notifications/${id}";
    import { sampleEvent } from "../../../handler/notifications/sample";
    import { renderMail } from "../../../stacks/templates/mail";

    const event = sampleEvent(${name});

    it("mails whom the event names", () => {
      expect(${name}.prepare(event).recipients).toEqual(["success@simulator.amazonses.com"]);
    });

    it("says what the event says", () => {
      const { subject, html, text } = renderMail(${name}, event);
      expect(subject).toBe(${quoted(`${plain(detailType)}: ${reference}`)});
      for (const body of [html, text]) {
        expect(body).toContain("Dear ${reader},");
        expect(body).toContain("this is about ${reference}.");
      }
    });

    it("refuses an event without what it says", () => {
      const detail = { ...event.detail, reference: undefined };
      expect(() => ${name}.prepare({ ...event, detail })).toThrow("detail.reference");
    });
    `;
}

/**
 * Adds a notification's import and line to the text of the catalogue's file, each in alphabetical order.
 * @param file the file's path, for an error's message.
 */
function withEntry(ts: typeof TypeScript, text: string, { id, name }: Plan, file: string): string {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  let list = source.statements
    .filter((statement) => ts.isVariableStatement(statement))
    .flatMap(({ declarationList }) => [...declarationList.declarations])
    .find((declaration) => declaration.name.getText() === "catalogue")?.initializer;
  // The list may be followed by a type, as in `[..] satisfies readonly Notification[]`.
  while (list !== undefined && (ts.isSatisfiesExpression(list) || ts.isAsExpression(list))) list = list.expression;
  if (list === undefined || !ts.isArrayLiteralExpression(list)) {
    throw new Error(
      `${file} has no list \`catalogue\` any more: write the notification's folder and its line by hand.`,
    );
  }
  const entries = list.elements.filter((element) => ts.isIdentifier(element));
  const next = entries.find((entry) => entry.text > name);
  const previous = next === undefined ? list.elements.at(-1) : list.elements[list.elements.indexOf(next) - 1];
  const isLast = next === undefined && !list.elements.hasTrailingComma;
  const at = previous === undefined ? list.getStart() + 1 : endOfLine(ts, text, previous.end + (isLast ? 0 : 1));
  const withLine = insert(text, at, `${isLast && previous !== undefined ? "," : ""}\n${name},`);

  // The imports stand before the list, so the insertion of the line has not moved them.
  const imports = source.statements.filter((statement) => ts.isImportDeclaration(statement));
  const later = imports.find(
    ({ moduleSpecifier }) => ts.isStringLiteral(moduleSpecifier) && moduleSpecifier.text > `./${id}`,
  );
  const line = `import { ${name} } from "./${id}";`;
  if (later !== undefined) return insert(withLine, later.getStart(), `${line}\n`);
  const last = imports.at(-1);
  return last === undefined ? `${line}\n${withLine}` : insert(withLine, last.end, `\n${line}`);
}

const insert = (text: string, at: number, what: string) => text.slice(0, at) + what + text.slice(at);

/** The position after `position` and a comment on the same line. */
function endOfLine(ts: typeof TypeScript, text: string, position: number): number {
  return ts.getTrailingCommentRanges(text, position)?.at(-1)?.end ?? position;
}

function tellNext({ id, schedule }: Plan, files: readonly string[]): string {
  const send =
    schedule === undefined
      ? `     npm run send -- ${id} --sandbox   puts one more.`
      : `     The clock fires its schedule on AWS only.`;
  return `Written:
${files.map((file) => `  ${file}`).join("\n")}

It works as it is. Next:
  1. Say in handler/notifications/${id}/index.ts what the event's detail holds, whom it mails and what the mail shows,
     and write body.html and body.txt. docs/notifications.md tells what each field means.
  2. npx jest ${id}
  3. npm start
     sends the sample of each notification, and shows the mail in the inbox.
${send}
  4. npm run schema -- ${id}
     prints what a producer may put into the event's detail.
  5. npm run docs
     writes the package for producers, and adds it to docs/catalogue.md and to the diagram. It takes a picture of the mail, which needs a Chromium.`;
}
