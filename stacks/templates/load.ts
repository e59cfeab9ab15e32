import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join, relative } from "node:path";
import Handlebars from "handlebars";
import { convert } from "html-to-text";
import { templateName } from "../../handler/contract/environment";
import { hasVisibleCharacter, toSubject } from "../../handler/contract/text";
import { type TemplateReads } from "../../handler/contract/template-data";
import { type Notification } from "../../handler/notifications/define";
import { compilePart } from "./compile";
import { type Part, type Partials, type Piece, type Problem, type Source } from "./pieces";
import { type ContentType, ContentTypeError, contentTypeOf } from "./content-type";
import { type Edition } from "./editions";
import { contextProblems, withLanguage } from "./html-context";
import { mjmlToHtml } from "./mjml";
import { renderPart, type Template } from "./render";

const projectRoot = join(__dirname, "..", "..");

/** The folder that has one folder for each notification, named by its id. */
export const notificationsFolder = join(projectRoot, "handler", "notifications");

/** Folders below `notificationsFolder` that hold no notification, but what notifications share. */
export const sharedFolders = ["layouts", "partials"] as const;

/** Most that SES stores of a template, in bytes: https://docs.aws.amazon.com/ses/latest/dg/send-personalized-email-api.html */
const largestTemplate = 500 * 1024;

/** A compiled template, and what it reads of the content. */
export interface LoadedTemplate extends Template {
  readonly reads: TemplateReads;
  /** The pieces that each part was joined of, each with its place in the author's files. */
  readonly pieces: Readonly<Record<Part, readonly Piece[]>>;
}

/** What a template is made from. */
export type TemplateSource = Pick<Notification, "id" | "subject" | "content">;

/** A template that SES would not render, or of which a part is missing. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";

  /** @param problems each with its file and line. */
  constructor(
    notification: string,
    readonly problems: readonly string[],
    options?: ErrorOptions,
  ) {
    super(`The template of "${notification}" would not be rendered.\n  ${problems.join("\n  ")}`, options);
  }
}

/**
 * Reads, checks and compiles the template of a notification. If a template reads a value that is not supplied, SES
 * accepts the send and returns a MessageId, but sends no mail. Such a template must therefore not be deployed.
 * @param folder that holds `body.mjml` or `body.html`, and `body.txt` where the text is not to be derived.
 * @throws TemplateError that names file, line and column of every problem.
 */
export function loadTemplate(
  notification: TemplateSource,
  _edition?: Edition,
  folder = join(notificationsFolder, notification.id),
): LoadedTemplate {
  const { id } = notification;
  if (!existsSync(folder)) {
    throw new TemplateError(id, [
      `${shown(folder)}: there is no such folder: the id of a notification is the name of its folder.`,
    ]);
  }
  const definition = join(folder, "index.ts");
  const type = typeOf(notification, definition);
  const subjectSource = { file: definition, text: notification.subject };
  const html = ["body.mjml", "body.html"]
    .map((name) => readSource(join(folder, name)))
    .find((source) => source !== undefined);
  const text = readSource(join(folder, "body.txt"));
  if (html === undefined)
    throw new TemplateError(id, [
      `${shown(join(folder, "body.html"))}: it is missing: write it, or body.mjml beside index.ts.`,
    ]);
  const subject = oneLine(compiled(subjectSource, "subject", type));
  const parts = {
    subject,
    html: htmlPart(html, type),
    text: text === undefined ? derivedText(html, type) : compiled(text, "text", type),
  };
  const problems = [
    ...(["subject", "html", "text"] as const).flatMap((part) =>
      parts[part].problems.map((problem) => tell(problem, part, definition)),
    ),
    ...emptyParts({ subject: subjectSource, html, ...(text === undefined ? {} : { text }) }, definition),
  ];
  if (problems.length === 0) {
    for (const part of ["subject", "html", "text"] as const) {
      const { file } = { subject: subjectSource, html, text: text ?? html }[part];
      problems.push(...storedProblems(part, parts[part].pieces, file));
    }
  }
  if (problems.length > 0) throw new TemplateError(id, [...new Set(problems)]);
  const joined = (part: Part) => parts[part].pieces.map((piece) => piece.text).join("");
  const template = { subject: joined("subject"), html: joined("html"), text: joined("text") };
  const bytes = Buffer.byteLength(JSON.stringify(template));
  if (bytes > largestTemplate) {
    throw new TemplateError(id, [
      `${shown(html.file)}: the template has ${bytes} bytes, and SES stores ${largestTemplate}: shorten it, and keep pictures on a server.`,
    ]);
  }
  return {
    ...template,
    reads: {
      subject: subject.reads,
      html: parts.html.reads,
      text: parts.text.reads,
      hasWords: hasWords(subject.pieces),
    },
    pieces: { subject: subject.pieces, html: parts.html.pieces, text: parts.text.pieces },
  };
}

type PartOfTemplate = {
  readonly pieces: readonly Piece[];
  readonly reads: TemplateReads[Part];
  readonly problems: readonly Problem[];
};

function typeOf({ id, content }: TemplateSource, definition: string): ContentType {
  try {
    const type = contentTypeOf(content, "content");
    if (type.kind === "object" && !type.optional) return type;
    throw new ContentTypeError("content has to be an object: write z.object({ .. })");
  } catch (error) {
    if (!(error instanceof ContentTypeError)) throw error;
    throw new TemplateError(id, [`${shown(definition)}: ${error.message}`], { cause: error });
  }
}

/** A schema's fields are read when they are needed, so a problem of theirs comes while the template is compiled. */
/** A partial's file ends in a line break, and a subject has one line. */
function oneLine(part: PartOfTemplate): PartOfTemplate {
  const pieces = part.pieces.map((piece) =>
    piece.kind === "static" ? { ...piece, text: piece.text.replace(/\s*[\r\n]+\s*/g, " ") } : piece,
  );
  return { ...part, pieces };
}

function compiled(source: Source, part: Part, type: ContentType): PartOfTemplate {
  try {
    return compilePart(source, part, type, partialsFor(extname(source.file)));
  } catch (error) {
    if (!(error instanceof ContentTypeError)) throw error;
    return { pieces: [], reads: {}, problems: [{ file: "", line: 1, column: 1, problem: error.message }] };
  }
}

/** BCP 47 tag of the language that the templates are written in. */
const language = "en";

const isMjml = ({ file }: Source): boolean => file.endsWith(".mjml");

function htmlPart(source: Source, type: ContentType): PartOfTemplate {
  const part = compiled(source, "html", type);
  const { pieces, problems } = markupOf(source, part);
  return { ...part, pieces: withLanguage(pieces, language), problems: [...problems, ...contextProblems(pieces)] };
}

function markupOf(source: Source, { pieces, problems }: PartOfTemplate) {
  if (!isMjml(source) || problems.length > 0) return { pieces, problems };
  return mjmlToHtml(pieces, language);
}

/** Stands for a piece while the text is made of the HTML. */
const stands = /hbs(\d+)text/g;

/** Makes the text part of the HTML, where the author has written none. */
function derivedText(source: Source, type: ContentType): PartOfTemplate {
  const part = compiled(source, "text", type);
  const { pieces, problems } = markupOf(source, part);
  if (problems.length > 0) return { ...part, problems };
  const markup = pieces.map((piece, at) => (piece.kind === "static" ? piece.text : `hbs${at}text`)).join("");
  // What stands outside of <body> counts too, such as a condition around the whole page.
  const text = convert(`<body>${markup}</body>`, {
    wordwrap: false,
    formatters: {
      cell: (element, walk, builder) => {
        walk(element.children, builder);
        builder.addInline(" ");
      },
    },
    selectors: [
      { selector: "head", format: "skip" },
      { selector: "tr", format: "block", options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
      ...["td", "th"].map((selector) => ({ selector, format: "cell" })),
      { selector: "img", format: "skip" },
      { selector: "a", options: { hideLinkHrefIfSameAsText: true } },
      ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({ selector, options: { uppercase: false } })),
    ],
  });
  const words = text.split(stands).map((word, at): Piece => {
    const piece = at % 2 === 1 ? pieces[Number(word)] : undefined;
    return piece ?? { kind: "static", text: word, place: { file: source.file, line: 1, column: 1 } };
  });
  return {
    ...part,
    pieces: [...words, { kind: "static", text: "\n", place: { file: source.file, line: 1, column: 1 } }],
    problems,
  };
}

/** The layouts and partials that a file with this extension may name. */
function partialsFor(extension: string): Partials {
  // The subject stands in index.ts, and takes what a text takes.
  const kinds = extension === ".ts" ? [".txt"] : extension === ".mjml" ? [".mjml", ".html"] : [extension];
  const folders = sharedFolders.map((name) => join(notificationsFolder, name)).filter((folder) => existsSync(folder));
  const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  return {
    names: files.filter((file) => kinds.includes(extname(file))).map((file) => nameOf(file)),
    read: (name) =>
      kinds
        .flatMap((kind) => files.filter((file) => extname(file) === kind && nameOf(file) === name))
        .map(readSource)
        .find((source) => source !== undefined),
  };
}

function nameOf(file: string): string {
  return file.replace(/^.*[\\/]/, "").replace(/\.[^.]*$/, "");
}

/** The path as messages name it: relative to the project's root, and with `/` on Windows, too. */
function shown(file: string): string {
  return relative(projectRoot, file).replaceAll("\\", "/");
}

/** Reads a file with `\n` as its line ends, so that a checkout on Windows has the same stored template. */
function readSource(file: string): Source | undefined {
  return existsSync(file) ? { file, text: readFileSync(file, "utf8").replace(/\r\n?/g, "\n") } : undefined;
}

function tell({ file, line, column, problem }: Problem, part: Part, definition: string): string {
  if (file === "") return `${shown(definition)}: ${problem}`;
  // The subject is a line of TypeScript, so its columns are not the file's.
  if (part === "subject" && file.endsWith("index.ts")) return `${shown(file)}:${subjectLine(file)}: ${problem}`;
  return `${shown(file)}:${line}:${column}: ${problem}`;
}

/** Reports parts without content, and a line break in the subject. */
function emptyParts(sources: Readonly<Partial<Record<Part, Source>>>, definition: string): string[] {
  return Object.entries(sources).flatMap(([part, { file, text }]) => {
    const place = part === "subject" ? `${shown(definition)}:${subjectLine(definition)}` : shown(file);
    if (text.trim() === "") return [`${place}: ${part === "subject" ? "the subject" : "it"} is empty.`];
    return part === "subject" && toSubject(text) !== text.trim()
      ? [`${place}: the subject has a line break or another character that no header takes`]
      : [];
  });
}

/**
 * Whether the subject has words of its own. A subject that has them in one branch alone counts, too: a mail with a blank
 * subject is better than one that is parked.
 */
const hasWords = (pieces: readonly Piece[]): boolean =>
  pieces.some((piece) => piece.kind === "static" && hasVisibleCharacter(piece.text));

/**
 * Reads what SES would store once more. Braces that the author did not mean as an expression, such as those of a text in
 * HTML's own notation (`&#123;`), may have become one.
 */
function storedProblems(part: Part, pieces: readonly Piece[], file: string): string[] {
  const meant = pieces.filter((piece) => piece.kind === "value").length;
  const place = `${shown(file)}: the ${part === "html" ? "HTML" : part}`;
  try {
    const counter = new ValueCounter();
    counter.accept(Handlebars.parse(pieces.map((piece) => piece.text).join("")));
    return counter.count === meant
      ? []
      : [
          `${place} has braces that SES would read as an expression: write {{ in another way, for example with a blank.`,
        ];
  } catch (error) {
    return [`${place} could not be read by SES: ${error instanceof Error ? error.message : String(error)}`];
  }
}

class ValueCounter extends Handlebars.Visitor {
  count = 0;

  override MustacheStatement(): void {
    this.count += 1;
  }
}

interface BlankRead {
  /** File, line and column of the value. */
  readonly place: string;
  readonly shown: string;
}

/**
 * Finds the values that the mail would show and that are blank in `data`. A value in a block that is left out does not
 * count, because the mail does not show it.
 */
export function blankReads(
  id: string,
  template: LoadedTemplate,
  data: Readonly<Record<Part, unknown>>,
  folder = join(notificationsFolder, id),
): BlankRead[] {
  return (["subject", "html", "text"] as const).flatMap((part) => {
    const read = new Set<string>();
    const watched = { [part]: watch(data[part], "", (name) => read.add(name)) };
    renderPart(template[part], watched);
    return [...read].map((name) => {
      const piece = template.pieces[part].find((each) => each.kind === "value" && endsWith(each.text, name));
      const place =
        piece === undefined
          ? { file: join(folder, "index.ts"), line: 1, column: 1, problem: "" }
          : { ...piece.place, problem: "" };
      return {
        place: tell(place, part, join(folder, "index.ts")).replace(/: $/, ""),
        shown: piece?.kind === "value" ? piece.shown : `{{${name}}}`,
      };
    });
  });
}

/** Whether the compiled expression shows the field of this name. */
function endsWith(expression: string, name: string): boolean {
  const path = expression.replace(/^\{\{~?|~?\}\}$/g, "");
  return path === name || path.endsWith(`.${name}`) || path.endsWith(`/${name}`);
}

/**
 * Copies the data with each blank text replaced by an object that tells when it is shown. An empty text becomes an empty
 * list, because Handlebars' blocks treat both as empty.
 */
function watch(value: unknown, name: string, onShown: (name: string) => void): unknown {
  if (typeof value === "string") {
    if (hasVisibleCharacter(value)) return value;
    const toString = () => {
      onShown(name);
      return value;
    };
    return Object.assign(value === "" ? [] : {}, { toString });
  }
  if (Array.isArray(value)) return value.map((row) => watch(row, "this", onShown));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, watch(each, key, onShown)]));
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
  notification: TemplateSource,
  templateOf: TemplateReader = loadTemplate,
): string {
  return templateName(prefix, notification.id, templateHash(templateOf(notification)));
}

export type TemplateReader = (notification: TemplateSource, edition?: Edition) => LoadedTemplate;

/** The line in the definition that has the subject. */
function subjectLine(file: string): number {
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  return Math.max(1, lines.findIndex((line) => /^\s*subject\b/.test(line)) + 1);
}

/** Keeps Terraform from reading `${` and `%{` in a text as its own expressions. */
export function escapeForTerraform(text: string): string {
  return text.replace(/([$%])\{/g, "$1$1{");
}
