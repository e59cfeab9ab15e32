import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import Handlebars from "handlebars";
import { templateName } from "../handler/contract/environment";
import { htmlSuffix, suppliedVariables, toSubject } from "../handler/contract/template-data";
import { type Notification } from "../handler/notifications/define";

/** The stored template of a notification, in the shape of SES. */
export interface Template {
  readonly subject: string;
  readonly html: string;
  readonly text: string;
}

const projectRoot = join(__dirname, "..");

/**
 * Reads and checks the template of a notification. SES answers a send whose template reads a variable that is not
 * supplied with a MessageId, and sends nothing: so such a template must not be deployed.
 * @param folder of `body.html` and `body.txt`.
 * @throws Error that names file, line and variable of every problem.
 */
export function loadTemplate(
  notification: Pick<Notification, "id" | "subject" | "variables">,
  folder = join(projectRoot, "handler", "notifications", notification.id),
): Template {
  const parts = [
    { file: join(folder, "index.ts"), role: "subject", body: notification.subject },
    { file: join(folder, "body.html"), role: "html", body: readBody(join(folder, "body.html")) },
    { file: join(folder, "body.txt"), role: "text", body: readBody(join(folder, "body.txt")) },
  ] as const;
  const problems = parts.flatMap(({ file, role, body }) =>
    [
      ...(role === "subject" && toSubject(body) !== body.trim() ? [headerBreak] : []),
      ...checkPart(body, notification.variables, role === "html"),
    ].map(
      ({ line, problem }) =>
        `${relative(projectRoot, file)}:${role === "subject" ? subjectLine(file) : line}: ${problem}`,
    ),
  );
  if (problems.length > 0) {
    throw new Error(`The template of "${notification.id}" would not be rendered.\n  ${problems.join("\n  ")}`);
  }
  const [subject, html, text] = parts;
  return { subject: subject.body, html: html.body, text: text.body };
}

/** A checkout on Windows may have line ends of its own: the stored template is the same. */
const readBody = (file: string) => readFileSync(file, "utf8").replace(/\r\n?/g, "\n");

/** 8 hexadecimal digits of what SES stores: templates with one hash are one template. */
export function templateHash({ subject, html, text }: Template): string {
  return createHash("sha256")
    .update(JSON.stringify([subject, html, text]))
    .digest("hex")
    .slice(0, 8);
}

/** The name that the template of this checkout has in SES, behind project and stage. */
export function storedTemplateName(
  prefix: string,
  notification: Pick<Notification, "id" | "subject" | "variables">,
  templateOf: TemplateReader = loadTemplate,
): string {
  return templateName(prefix, notification.id, templateHash(templateOf(notification)));
}

export type TemplateReader = (notification: Pick<Notification, "id" | "subject" | "variables">) => Template;

/** A subject has one line, where the definition names it. */
function subjectLine(file: string): number {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.findIndex((line) => /^\s*subject:/.test(line)) + 1;
}

interface Problem {
  readonly line: number;
  readonly problem: string;
}

/** The values are made one line (handler/notifications/define.ts); the template's own text is the definition's. */
const headerBreak: Problem = {
  line: 1,
  problem: "the subject has a line break or another character that no header takes",
};

function checkPart(body: string, variables: readonly string[], isHtml: boolean): Problem[] {
  let program: hbs.AST.Program;
  try {
    program = Handlebars.parse(body);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return [{ line: Number(/line (\d+)/.exec(text)?.[1] ?? 1), problem: text.split("\n")[0] ?? text }];
  }
  const supplied = suppliedVariables(variables);
  const collector = new VariableReads();
  collector.accept(program);
  return collector.reads.flatMap(({ name, line }): Problem[] => {
    if (supplied.includes(name)) {
      return isHtml && !name.endsWith(htmlSuffix)
        ? [{ line, problem: `{{${name}}} is not escaped; an HTML body reads {{${name}${htmlSuffix}}}` }]
        : [];
    }
    const otherCase = supplied.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
    const hint = otherCase ? `did you mean {{${otherCase}}}?` : `supplied are ${supplied.join(", ")}`;
    return [{ line, problem: `{{${name}}} is not supplied by the mapping; ${hint}` }];
  });
}

/**
 * Handlebars' helpers that SES knows, and that a template here may use: each takes a parameter. SES has inline partials
 * besides (SES guide, "send personalized email (advanced)"); here, what is none of these is taken for a variable, and
 * refused.
 */
const helpers = new Set(["if", "unless", "each", "with"]);

/** Collects every variable that a template reads. */
class VariableReads extends Handlebars.Visitor {
  readonly reads: { readonly name: string; readonly line: number }[] = [];

  override BlockStatement(block: hbs.AST.BlockStatement): void {
    this.call(block);
    // `acceptKey` takes what a statement may lack, too.
    this.acceptKey(block, "program");
    this.acceptKey(block, "inverse");
  }

  override MustacheStatement(mustache: hbs.AST.MustacheStatement): void {
    this.call(mustache);
  }

  override PathExpression(path: hbs.AST.PathExpression): void {
    // Of the data that Handlebars itself brings, `@root` is the way to every variable.
    if (path.data && path.parts[0] !== "root") return;
    this.reads.push({ name: path.original, line: path.loc.start.line });
  }

  /** A helper's own name is no variable: one without a parameter is none. */
  private call(statement: hbs.AST.BlockStatement | hbs.AST.MustacheStatement): void {
    const { path, params } = statement;
    const isHelper = "original" in path && helpers.has(path.original) && params.length > 0;
    // `{{"name"}}` and `{{12}}` read a variable of that name, too.
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
