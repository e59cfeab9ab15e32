import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import Handlebars from "handlebars";
import { templateName } from "../../handler/contract/environment";
import { hasVisibleCharacter, toSubject } from "../../handler/contract/text";
import { type TemplateReads } from "../../handler/contract/template-data";
import { type Notification } from "../../handler/notifications/define";
import { type Edition, editionsOf, editionSuffix } from "../../handler/notifications/editions";
import { compilePart } from "./compile";
import { type Compiled, type Part, type Piece, type Problem, type Source } from "./pieces";
import { type ContentType, ContentTypeError, contentTypeOf } from "./content-type";
import { contextProblems, withLanguage, withoutOnPage } from "./html-context";
import { derivedText } from "./derived-text";
import { Bodies, type Body, notificationsFolder, partialsFor, shown } from "./files";
import { beside } from "./line-breaks";
import { type Messages, messagesOf } from "./messages";
import { mjmlToHtml } from "./mjml";
import { type Template } from "./render";

/** Most that SES stores of a template, in bytes: https://docs.aws.amazon.com/ses/latest/dg/send-personalized-email-api.html */
const largestTemplate = 500 * 1024;

/** A compiled template, and what it reads of the content. */
export interface LoadedTemplate extends Template {
  readonly reads: TemplateReads;
  /** The pieces that each part was joined of, each with its place in the author's files. */
  readonly pieces: Readonly<Record<Part, readonly Piece[]>>;
}

/** What a template is made from. */
export type TemplateSource = Pick<Notification, "id" | "subject" | "content" | "locales" | "variants">;

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
 * Reads, checks and compiles the template of an edition of a notification. If a template reads a value that is not
 * supplied, SES accepts the send and returns a MessageId, but sends no mail. Such a template must therefore not be
 * deployed.
 * @param edition @default the notification's first one
 * @param folder that holds `body.mjml` or `body.html`, and `body.txt` where the text is not to be derived.
 * @throws TemplateError that names file, line and column of every problem.
 */
export function loadTemplate(
  notification: TemplateSource,
  edition: Edition = editionsOf(notification)[0],
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
  const bodies = new Bodies(folder, notification);
  const messages = messagesOf(folder, edition);
  const subjectSource = { file: definition, text: notification.subject, isOfLocale: false };
  const html = bodies.find([".mjml", ".html"], edition);
  const text = bodies.find([".txt"], edition);
  if (html === undefined)
    throw new TemplateError(id, [
      ...bodies.problems(),
      `${shown(join(folder, "body.html"))}: it is missing: write it, or body.mjml beside index.ts.`,
    ]);
  const compiler: PartCompiler = {
    type,
    messages,
    locale: edition.locale,
    isTranslated: (notification.locales ?? []).length > 1,
  };
  const subject = oneLine(compiled(subjectSource, "subject", compiler));
  const parts = {
    subject,
    html: htmlPart(html, compiler),
    text: text === undefined ? derivedPart(html, compiler) : compiled(text, "text", compiler),
  };
  const sources = { subject: subjectSource, html, text: text ?? html };
  const problems = [
    ...bodies.problems(),
    ...messages.problems,
    ...partNames.flatMap((part) => parts[part].problems.map((problem) => tell(problem, part, definition))),
    ...emptyParts({ subject: subjectSource, html, ...(text === undefined ? {} : { text }) }, definition),
  ];
  if (problems.length === 0) {
    for (const part of partNames) {
      problems.push(...storedProblems(part, parts[part].pieces, sources[part].file));
      const isShared = servesOthers(part, sources[part], notification, edition, bodies);
      problems.push(...untranslated(parts[part], sources[part], isShared, notification, part));
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

const partNames = ["subject", "html", "text"] as const;

/** Whether the file of a part makes the mail of another locale, too. */
function servesOthers(
  part: Part,
  source: Body,
  { locales }: TemplateSource,
  { locale, ...rest }: Edition,
  bodies: Bodies,
): boolean {
  if (source.isOfLocale) return false;
  return (locales ?? []).some((other) => {
    if (other === locale) return false;
    if (part === "subject") return true;
    const extensions = source.file.endsWith(".txt") ? [".txt"] : [".mjml", ".html"];
    return bodies.find(extensions, { ...rest, locale: other })?.file === source.file;
  });
}

/**
 * Reports words that several languages would share, file by file. A file that shows texts of a messages file has its
 * words there; what else it says is taken for a name, which is the same in each language.
 * @param isShared whether the part's own file makes the mails of several languages. What partials and layouts say, all
 * languages share.
 */
function untranslated(
  { authored, readsMessages }: PartOfTemplate,
  { file: own }: Source,
  isShared: boolean,
  { locales }: TemplateSource,
  part: Part,
): string[] {
  if (locales === undefined || locales.length < 2) return [];
  const files = new Set(authored.flatMap((piece) => (isOfMessages(piece) ? [] : [piece.place.file])));
  return [...files].flatMap((file) => {
    if (readsMessages.has(file) || (file === own && !isShared) || !hasLetters(authored, file)) return [];
    const isSubject = part === "subject" && file === own;
    const place = isSubject ? `${shown(file)}:${subjectLine(file)}: the subject` : `${shown(file)}: it`;
    const [, other = ""] = locales;
    const words = file === own ? "its words" : "its words, and those that it is given,";
    const better = isSubject || file !== own ? "" : `, or write body.${other}${extname(file)}`;
    return [
      `${place} says the same in ${locales.join(" and ")}: write ${words} as {{t "key"}}, with the text in messages.${other}.json${better}.`,
    ];
  });
}

const isOfMessages = (piece: Piece): boolean => piece.kind === "static" && piece.message !== undefined;

/** Whether a reader sees letters that stand in the file itself. */
function hasLetters(authored: readonly Piece[], file: string): boolean {
  const ofFile = authored.map((piece): Piece => {
    if (piece.kind !== "static") return piece;
    return piece.place.file === file && !isOfMessages(piece) ? piece : { ...piece, text: " " };
  });
  const words = /\.(?:html|mjml)$/.test(file) ? derivedText(ofFile, file) : ofFile;
  const text = words.map((piece) => (piece.kind === "static" ? piece.text : " ")).join("");
  // The address of a link stands in a derived text, too, and is the same in each language.
  return /\p{L}/u.test(text.replace(/\b(?:https?|mailto):\S*/g, " "));
}

interface PartOfTemplate extends Compiled {
  /** The pieces as they are compiled, before MJML and before a text is derived. */
  readonly authored: readonly Piece[];
}

/** What the parts of an edition are compiled with. */
interface PartCompiler {
  readonly type: ContentType;
  readonly messages: Messages;
  readonly locale: string;
  /** Whether the notification has several locales, so that the mail's own counts and not what a shared body says. */
  readonly isTranslated: boolean;
}

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

const noHeader = "the subject has a line break or another character that no header takes";

/**
 * A partial's file ends in a line break, and a subject has one line. Other characters that `toSubject` takes out are
 * reported, because their author can take them out.
 */
function oneLine(part: PartOfTemplate): PartOfTemplate {
  const pieces = part.pieces.map((piece) =>
    piece.kind === "static" ? { ...piece, text: piece.text.replace(/\s*[\r\n]+\s*/g, " ") } : piece,
  );
  const problems = pieces.flatMap((piece): Problem[] =>
    piece.kind === "static" && piece.text.trim() !== toSubject(piece.text)
      ? [{ ...piece.place, problem: noHeader }]
      : [],
  );
  return { ...part, pieces, problems: [...part.problems, ...problems] };
}

function compiled(source: Source, part: Part, { type, messages }: PartCompiler): PartOfTemplate {
  try {
    const compiledPart = compilePart(source, part, type, partialsFor(extname(source.file)), messages);
    return { ...compiledPart, authored: compiledPart.pieces };
  } catch (error) {
    if (!(error instanceof ContentTypeError)) throw error;
    const problem = { file: "", line: 1, column: 1, problem: error.message };
    return { pieces: [], authored: [], reads: {}, problems: [problem], readsMessages: new Set() };
  }
}

const isMjml = ({ file }: Source): boolean => file.endsWith(".mjml");

function htmlPart(source: Body, compiler: PartCompiler): PartOfTemplate {
  const part = compiled(source, "html", compiler);
  const { pieces, problems } = markupOf(source, part, compiler);
  return {
    ...part,
    pieces: withLanguage(pieces, compiler.locale),
    // MJML that has problems is not made into HTML, and an <mj-button> is a link in HTML only.
    problems: isMjml(source) && problems.length > 0 ? problems : [...problems, ...contextProblems(pieces)],
  };
}

function markupOf(source: Body, { pieces: authored, problems }: PartOfTemplate, compiler: PartCompiler) {
  const pieces = withoutForeignLanguage(source, authored, compiler);
  if (!isMjml(source) || problems.length > 0) return { pieces, problems };
  return mjmlToHtml(pieces, compiler.locale);
}

/** What a page says of its language is that of one locale, and its direction, too, where several locales share it. */
function withoutForeignLanguage({ isOfLocale }: Body, pieces: readonly Piece[], { isTranslated }: PartCompiler) {
  if (!isTranslated) return pieces;
  const without = withoutOnPage("lang", pieces);
  return isOfLocale ? without : withoutOnPage("dir", without);
}

/** The text part, where the author has written none. */
function derivedPart(source: Body, compiler: PartCompiler): PartOfTemplate {
  const part = compiled(source, "text", compiler);
  const { pieces, problems } = markupOf(source, part, compiler);
  return { ...part, pieces: problems.length > 0 ? pieces : derivedText(pieces, source.file), problems };
}

/** A problem as messages tell it, with its place. */
export function tell({ file, line, column, problem }: Problem, part: Part, definition: string): string {
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
    return part === "subject" && /[\r\n]/.test(text.trim()) ? [`${place}: ${noHeader}`] : [];
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
  const meant = pieces.filter((piece) => piece.kind === "value" || piece.text === beside).length;
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

/** Counts what SES would read as an expression. Three braces are never stored, so they count as one too many. */
class ValueCounter extends Handlebars.Visitor {
  count = 0;

  override MustacheStatement({ escaped }: hbs.AST.MustacheStatement): void {
    this.count += escaped ? 1 : 2;
  }

  override CommentStatement(): void {
    this.count += 1;
  }
}

/**
 * The first 8 hexadecimal digits of the SHA-256 of what SES stores. Editions never share a hash: their order may change,
 * and Terraform then has to make the template of the one before it removes that of the other.
 * @param suffix of the edition: `editionSuffix`.
 */
export function templateHash({ subject, html, text }: Template, suffix = ""): string {
  return createHash("sha256")
    .update(JSON.stringify([subject, html, text, ...(suffix === "" ? [] : [suffix])]))
    .digest("hex")
    .slice(0, 8);
}

/** The name under which SES stores the template of this checkout. It begins with project and stage (`prefix`). */
export function storedTemplateName(
  prefix: string,
  notification: TemplateSource,
  edition: Edition = editionsOf(notification)[0],
  templateOf: TemplateReader = loadTemplate,
): string {
  const hash = templateHash(templateOf(notification, edition), editionSuffix(notification, edition));
  return templateName(prefix, notification.id, hash);
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
