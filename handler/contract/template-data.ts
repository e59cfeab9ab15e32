import { SafeHtml } from "./safe-html";
import { escapeHtml, toSubject } from "./text";

/**
 * What one part of a template reads of the content. The synth finds it, the package carries it, and the function makes
 * the template data from it: only what is read goes to SES.
 */
export interface Reads {
  /** The value as it is shown, or whether there is one. */
  plain?: true;
  /** The text with `<br>` for its line breaks, under the field's name with `linesForm`. */
  lines?: true;
  /** Whether a number is other than zero, or a record has a row, under the field's name with `askedForm`. */
  asked?: true;
  /** What is read of an object, by its fields. */
  fields?: Record<string, Reads>;
  /** What is read of each row of a list or a record. */
  rows?: Reads;
}

/** Most bytes of template data, as JSON, that SES takes (SendTemplatedEmail, TemplateData: maximum length). */
export const maximumTemplateDataBytes = 262_144;

/** What the parts of a template read. */
export interface TemplateReads {
  readonly subject: Reads;
  readonly text: Reads;
  readonly html: Reads;
  /** Whether the subject shows words of its own, so that it is never blank. */
  readonly hasWords: boolean;
}

/** What the package knows of a stored template. */
interface PackagedTemplate {
  /** Hash of what SES stores: the last part of the template's name. */
  readonly hash: string;
  readonly reads: TemplateReads;
}

/** The templates in the package: by notification id, locale and variant. The key of a mail without variants is "". */
export type PackagedTemplates = Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, PackagedTemplate>>>>>
>;

export type TemplateData = Readonly<Record<"subject" | "text" | "html", Data>>;

/**
 * Makes the template data for SES: what each part reads of the content, in a tree of its own. SES does not escape
 * template data for HTML (https://docs.aws.amazon.com/ses/latest/dg/send-personalized-email-advanced.html), so the texts
 * of the HTML's tree are escaped; those of the subject's tree have one line, and those of the text's tree are raw. A lone
 * surrogate (half a character, from a text that was cut) can't be written in UTF-8 and becomes U+FFFD.
 */
export function toTemplateData(content: unknown, { subject, text, html }: TemplateReads): TemplateData {
  return {
    subject: toData(content, { fields: {}, ...subject }, toSubject),
    text: toData(content, { fields: {}, ...text }, (raw) => raw.toWellFormed()),
    html: toData(content, { fields: {}, ...html }, (raw) => escapeHtml(raw.toWellFormed())),
  };
}

export const linesForm = "__lines";
export const askedForm = "__is";

/**
 * Where a row that is a text or a number has its value: `{{this}}` becomes `{{value}}`. Handlebars loses count of `../`
 * where a text is the context and is equal to the context around it.
 */
export const rowValue = "value";

/** How a part writes a text: raw, on one line, or escaped. */
type Write = (text: string) => string;

export type Data = string | boolean | readonly Data[] | { readonly [name: string]: Data };

/**
 * Makes what a part reads of a value. Nothing that is read is missing afterwards, because SES sends no mail where a value
 * is: an absent text is empty, an absent list has no rows, and an absent object is `false`. Numbers become texts, because
 * a renderer may write the number 12345678.5 as 1.23456785E7.
 * @param write writes each text and each key.
 */
function toData(value: unknown, reads: Reads, write: Write): Data {
  const { rows, fields } = reads;
  if (rows !== undefined) {
    if (Array.isArray(value)) return value.map((row) => rowData(row, rows, write));
    if (!isObject(value)) return [];
    return Object.fromEntries(Object.entries(value).map(([key, row]) => [write(key), rowData(row, rows, write)]));
  }
  if (fields !== undefined) {
    if (!isObject(value)) return false;
    return Object.fromEntries(
      Object.entries(fields).flatMap(([name, read]) =>
        forms(name, Object.hasOwn(value, name) ? value[name] : undefined, read, write),
      ),
    );
  }
  if (typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.length > 0;
  // An object of which nothing is read is an object all the same: Handlebars counts a step of ../ by its identity.
  return textOf(value, write) ?? {};
}

function rowData(row: unknown, reads: Reads, write: Write): Data {
  return reads.fields === undefined && reads.rows === undefined
    ? Object.fromEntries(forms(rowValue, row, reads, write))
    : toData(row, reads, write);
}

function forms(name: string, value: unknown, reads: Reads, write: Write): (readonly [string, Data])[] {
  const { plain, lines, asked, fields, rows } = reads;
  return [
    ...(plain === true || fields !== undefined || rows !== undefined
      ? [[name, toData(value, reads, write)] as const]
      : []),
    ...(lines === true ? [[name + linesForm, withBreaks(textOf(value, write) ?? "")] as const] : []),
    ...(asked === true ? [[name + askedForm, typeof value === "number" ? value !== 0 : hasRows(value)] as const] : []),
  ];
}

/** The text of a value that is no list and no object; `undefined` for these. */
function textOf(value: unknown, write: Write): string | undefined {
  if (value === undefined || value === null) return "";
  if (value instanceof SafeHtml) return value.toString();
  if (typeof value === "string") return write(value);
  return typeof value === "number" ? write(String(value)) : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof SafeHtml);
}

const hasRows = (value: unknown): boolean => isObject(value) && Object.keys(value).length > 0;

/** What Unicode calls a line break (UAX 14, the classes BK, CR, LF and NL). */
const lineBreak = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/;

/**
 * Writes the lines of an escaped text with `<br>`, because Outlook on Windows does not know `white-space`
 * (https://www.caniemail.com/features/css-white-space/). Blanks at the start of a line and blanks in a row stay; a tab is
 * four of them.
 */
function withBreaks(escaped: string): string {
  return escaped
    .split(lineBreak)
    .map((line) =>
      line
        .replaceAll("\t", "    ")
        .replace(
          /^ +| {2,}/g,
          (blanks, at: number) => "&nbsp;".repeat(at === 0 ? blanks.length : blanks.length - 1) + (at === 0 ? "" : " "),
        ),
    )
    .join("<br>\n");
}
