import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import Handlebars from "handlebars";
import { templateName } from "../handler/contract/environment";
import { hasVisibleCharacter, htmlSuffix, suppliedVariables, toSubject } from "../handler/contract/template-data";
import { type Notification } from "../handler/notifications/define";

/** The stored template of a notification, with the parts that SES stores. */
export interface Template {
  readonly subject: string;
  readonly html: string;
  readonly text: string;
}

const projectRoot = join(__dirname, "..");

/** The folder that has one folder for each notification, named by its id. */
export const notificationsFolder = join(projectRoot, "handler", "notifications");

/** A template that SES would not render, or of which a part is missing. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";

  /** @param problems each with its file and line. */
  constructor(
    notification: string,
    readonly problems: readonly string[],
  ) {
    super(`The template of "${notification}" would not be rendered.\n  ${problems.join("\n  ")}`);
  }
}

/**
 * Reads and checks the template of a notification. If a template reads a variable that is not supplied, SES accepts the
 * send and returns a MessageId, but sends no mail. Such a template must therefore not be deployed.
 * @param folder that holds `body.html` and `body.txt`.
 * @throws TemplateError that names file, line and variable of every problem.
 */
export function loadTemplate(
  notification: Pick<Notification, "id" | "subject" | "variables">,
  folder = join(notificationsFolder, notification.id),
): Template {
  if (!existsSync(folder)) {
    const problem = `${shown(folder)}: there is no such folder: the id of a notification is the name of its folder.`;
    throw new TemplateError(notification.id, [problem]);
  }
  const bodies = { html: readBody(join(folder, "body.html")), text: readBody(join(folder, "body.txt")) };
  const parts = [
    { file: join(folder, "index.ts"), part: "subject", body: notification.subject },
    { file: join(folder, "body.html"), part: "html", body: bodies.html },
    { file: join(folder, "body.txt"), part: "text", body: bodies.text },
  ] as const;
  const problems = parts.flatMap(({ file, part, body }) => {
    if (body === undefined) return [`${shown(file)}: it is missing: a notification has an HTML and a text body.`];
    if (body.trim() === "") return [`${shown(file)}: ${part === "subject" ? "the subject" : "it"} is empty.`];
    return [
      ...(part === "subject" && toSubject(body) !== body.trim() ? [headerBreak] : []),
      ...checkPart(body, notification.variables, part === "html"),
    ].map(({ line, problem }) => `${shown(file)}:${part === "subject" ? subjectLine(file) : line}: ${problem}`);
  });
  if (problems.length > 0) throw new TemplateError(notification.id, problems);
  return { subject: notification.subject, html: bodies.html ?? "", text: bodies.text ?? "" };
}

/** The path as messages name it: relative to the project's root, and with `/` on Windows, too. */
function shown(file: string): string {
  return relative(projectRoot, file).replaceAll("\\", "/");
}

/** Reads a file with `\n` as its line ends, so that a checkout on Windows has the same stored template. */
function readBody(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8").replace(/\r\n?/g, "\n") : undefined;
}

/** Renders the mail as SES does: SES escapes nothing, and refuses a variable that the data does not have. */
export function renderTemplate(template: Template, data: Readonly<Record<string, unknown>>): Template {
  const part = (body: string) => compiled(body)(data);
  return { subject: part(template.subject), html: part(template.html), text: part(template.text) };
}

/** Compiled bodies by their text. The tests' large catalogues have the same body a hundred times. */
const compiledBodies = new Map<string, HandlebarsTemplateDelegate>();

function compiled(body: string): HandlebarsTemplateDelegate {
  const known = compiledBodies.get(body);
  if (known !== undefined) return known;
  const made = Handlebars.compile(body, { noEscape: true, strict: true });
  compiledBodies.set(body, made);
  return made;
}

interface BlankRead {
  /** File and line of the variable. */
  readonly place: string;
  readonly variable: string;
}

/**
 * Finds the variables that the mail would show and that are blank in `data`. A variable in a block that is left out
 * does not count, because the mail does not show it.
 */
export function blankReads(
  id: string,
  template: Template,
  data: Readonly<Record<string, string>>,
  folder = join(notificationsFolder, id),
): BlankRead[] {
  const files = { subject: "index.ts", html: "body.html", text: "body.txt" };
  return (["subject", "html", "text"] as const).flatMap((part) => {
    const read = new Set<string>();
    const watched = Object.entries(data).map(([name, value]) => [
      name,
      hasVisibleCharacter(value) ? value : watch(value, () => read.add(name)),
    ]);
    compiled(template[part])(Object.fromEntries(watched));
    const file = join(folder, files[part]);
    return [...read].map((variable) => {
      const line = part === "subject" ? subjectLine(file) : lineOf(template[part], variable);
      return { place: `${shown(file)}:${line}`, variable };
    });
  });
}

/**
 * Calls `onShown` when a template shows `value`. An empty text becomes an empty list, because Handlebars' blocks treat
 * both as empty.
 */
function watch(value: string, onShown: () => void): object {
  const toString = () => {
    onShown();
    return value;
  };
  return Object.assign(value === "" ? [] : {}, { toString });
}

function lineOf(body: string, variable: string): number {
  const collector = new VariableReads();
  collector.accept(Handlebars.parse(body));
  return collector.reads.find(({ name }) => name === variable)?.line ?? 1;
}

/**
 * The first 8 hexadecimal digits of the SHA-256 of what SES stores. Templates with the same hash are the same template.
 */
export function templateHash({ subject, html, text }: Template): string {
  return createHash("sha256")
    .update(JSON.stringify([subject, html, text]))
    .digest("hex")
    .slice(0, 8);
}

/** The name under which SES stores the template of this checkout. It begins with project and stage (`prefix`). */
export function storedTemplateName(
  prefix: string,
  notification: Pick<Notification, "id" | "subject" | "variables">,
  templateOf: TemplateReader = loadTemplate,
): string {
  return templateName(prefix, notification.id, templateHash(templateOf(notification)));
}

export type TemplateReader = (notification: Pick<Notification, "id" | "subject" | "variables">) => Template;

/** The line in the definition that has the subject. */
function subjectLine(file: string): number {
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  return Math.max(1, lines.findIndex((line) => /^\s*subject\b/.test(line)) + 1);
}

interface Problem {
  readonly line: number;
  readonly problem: string;
}

/**
 * Reports a line break in the subject of the definition. The values of its variables have none, because
 * handler/notifications/define.ts puts each on one line.
 */
const headerBreak: Problem = {
  line: 1,
  problem: "the subject has a line break or another character that no header takes",
};

/** Shortens an error of Handlebars, which also lists every token that it would have accepted. */
function parseProblem(message: string): Problem {
  const [, line, near, token] = /^Parse error on line (\d+):\n(.*)\n-*\^\n.*got '(\w+)'$/.exec(message) ?? [];
  if (line !== undefined) {
    const what = token === "EOF" ? "a block or an expression is not closed" : `${token ?? ""} is not expected here`;
    return { line: Number(line), problem: `Handlebars can't parse "${near ?? ""}": ${what}` };
  }
  return { line: Number(/ - (\d+):\d+$/.exec(message)?.[1] ?? 1), problem: `Handlebars can't parse it: ${message}` };
}

function checkPart(body: string, variables: readonly string[], isHtml: boolean): Problem[] {
  let program: hbs.AST.Program;
  try {
    program = Handlebars.parse(body);
  } catch (error) {
    return [parseProblem(error instanceof Error ? error.message : String(error))];
  }
  const supplied = suppliedVariables(variables);
  const collector = new VariableReads();
  collector.accept(program);
  const partials = collector.partials.map(({ name, line }) => ({
    line,
    problem: `{{> ${name}}} is a partial, and there are none here: write its content into the body`,
  }));
  const reads = collector.reads.flatMap(({ name, line }): Problem[] => {
    if (supplied.includes(name)) {
      return isHtml && !name.endsWith(htmlSuffix)
        ? [{ line, problem: `{{${name}}} is not escaped; an HTML body reads {{${name}${htmlSuffix}}}` }]
        : [];
    }
    const otherCase = supplied.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
    const hint = otherCase ? `did you mean {{${otherCase}}}?` : `supplied are ${supplied.join(", ")}`;
    return [{ line, problem: `{{${name}}} is not supplied by the mapping; ${hint}` }];
  });
  return [...partials, ...reads];
}

/**
 * Helpers of Handlebars that a template may use. SES knows each of them, and each takes a parameter. Any other name
 * counts as a variable that is not supplied, and is refused. (SES also knows inline partials: SES guide, "send
 * personalized email (advanced)". They are refused here.)
 */
const helpers = new Set(["if", "unless", "each", "with"]);

/** Collects every variable that a template reads. */
class VariableReads extends Handlebars.Visitor {
  readonly reads: { readonly name: string; readonly line: number }[] = [];
  /** Partials that the template asks for. */
  readonly partials: { readonly name: string; readonly line: number }[] = [];

  override PartialStatement(partial: hbs.AST.PartialStatement): void {
    const name = "original" in partial.name ? partial.name.original : "..";
    this.partials.push({ name, line: partial.loc.start.line });
  }

  override PartialBlockStatement(partial: hbs.AST.PartialBlockStatement): void {
    const name = "original" in partial.name ? partial.name.original : "..";
    this.partials.push({ name, line: partial.loc.start.line });
  }

  override BlockStatement(block: hbs.AST.BlockStatement): void {
    this.call(block);
    // `acceptKey` also takes a part that the statement does not have.
    this.acceptKey(block, "program");
    this.acceptKey(block, "inverse");
  }

  override MustacheStatement(mustache: hbs.AST.MustacheStatement): void {
    this.call(mustache);
  }

  override PathExpression(path: hbs.AST.PathExpression): void {
    // Of the variables that Handlebars itself supplies (`@index`, `@root`, ..), only `@root` leads to variables of the
    // data.
    if (path.data && path.parts[0] !== "root") return;
    this.reads.push({ name: path.original, line: path.loc.start.line });
  }

  /** The name of a helper is not a variable, unless it stands without a parameter: `{{if}}` reads a variable. */
  private call(statement: hbs.AST.BlockStatement | hbs.AST.MustacheStatement): void {
    const { path, params } = statement;
    const isHelper = "original" in path && helpers.has(path.original) && params.length > 0;
    // `{{"name"}}` and `{{12}}` also read a variable of that name.
    if (path.type !== "PathExpression" && "original" in path) {
      this.reads.push({ name: path.original, line: path.loc.start.line });
    } else if (!isHelper) this.accept(path);
    this.acceptArray(params);
    this.acceptKey(statement, "hash");
  }
}

/** Keeps Terraform from reading `${` and `%{` in a text as its own expressions. */
export function escapeForTerraform(text: string): string {
  return text.replace(/([$%])\{/g, "$1$1{");
}
