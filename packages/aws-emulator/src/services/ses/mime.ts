import MailComposer from "nodemailer/lib/mail-composer";
import { encodeWord, foldLines } from "nodemailer/lib/mime-funcs";
import PostalMime, { decodeWords } from "postal-mime";
import { MalformedRequest } from "../../gateway/http";
import { type Header, type Mail } from "../../gateway/journal";
import { addressesIn } from "./addresses";

/** The headers of the message itself; those of its encoding come with the file. */
export function headersOf(mail: Omit<Mail, "headers">): Header[] {
  const addresses = (name: string, values: readonly string[]) =>
    values.length === 0 ? [] : [{ name, value: values.join(", ") }];
  return [
    { name: "From", value: mail.from },
    ...addresses("To", mail.to),
    ...addresses("Cc", mail.cc),
    { name: "Subject", value: mail.subject },
    { name: "Date", value: new Date(mail.time).toUTCString() },
    { name: "Message-ID", value: `<${mail.id}@email.amazonses.com>` },
    ...(mail.configurationSet === "" ? [] : [{ name: "X-SES-CONFIGURATION-SET", value: mail.configurationSet }]),
  ];
}

/** The mail as a file that mail programs open. */
export const toMime = (mail: Mail): Promise<Buffer> => compose(mail.id, mail.headers, mail);

/** A message of any headers, with words in other scripts encoded and long lines folded (RFC 2047, RFC 5322). */
export async function compose(
  id: string,
  headers: readonly Header[],
  { text, html }: { readonly text: string; readonly html: string },
): Promise<Buffer> {
  const kept = headers
    .filter(({ name }) => !/^(?:content-|mime-version$)/i.test(name) && name.length <= longestName)
    // The composer would fold a line at some of the control characters, where no mail program joins it again.
    .map(({ name, value }) => ({ name, value: value.replace(/\p{Cc}+/gu, " ") }));
  const isLong = ({ name, value }: Header) => hasLongWord(value) || (isOfIds(name) && /[^ -~]/.test(value));
  const composer = new MailComposer({
    // How the content is encoded is decided here, whatever a raw mail said of it.
    headers: kept.filter((header) => !isLong(header)).map(({ name, value }) => ({ key: name, value })),
    ...(text === "" ? {} : { text }),
    ...(html === "" ? {} : { html }),
    // The same mail is the same file each time.
    baseBoundary: id,
    // A mail comes from anybody: it names no file and no address to be read into it.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const long = kept.filter(isLong).flatMap(folded);
  return Buffer.concat([...long.map((line) => Buffer.from(`${line}\r\n`)), await composer.compile().build()]);
}

/** A name can't be folded; SES v2 takes as many characters of one (API_MessageHeader). */
const longestName = 126;

/**
 * A line ends at 998 characters (RFC 5322, 2.1.1) and is folded at its blanks only. SES says so of a raw message
 * (API_RawMessage), and not how it refuses a longer one: here, a longer word becomes words of RFC 2047.
 */
const longestWord = 998 - longestName - ": ".length;

/** Writes a header with a long word as lines of at most 998 characters. The composer does not split such a word. */
function folded({ name, value }: Header): string[] {
  // The composer writes a date and an id of its own, and leaves out a Bcc.
  if (/^(?:date|message-id|bcc)$/i.test(name)) return [];
  // A program that looks for an id or a URL does not read an encoded word, but a person sees the value as it was.
  const short = isOfAddresses(name) ? addressesIn(value).map(shortAddress).join(", ") : encoded(value);
  return [foldLines(`${name}: ${short}`)];
}

/** A name is written in encoded words, and an address that is too long by itself is written as text. */
function shortAddress(address: string): string {
  const short = withShortName(address);
  return hasLongWord(short) ? encoded(address) : short;
}

const isOfAddresses = (name: string) => /^(?:from|sender|to|cc|reply-to)$/i.test(name);

/** The composer never encodes the words of these headers. */
const isOfIds = (name: string) => /^(?:message-id|in-reply-to|references)$/i.test(name);

/** A line is folded at blanks alone. An address may be written as UTF-8, and with a backslash before some characters. */
const hasLongWord = (text: string) =>
  text.split(" ").some((word) => Buffer.byteLength(word.replace(/["\\]/g, "\\$&")) > longestWord);

const encoded = (text: string) => encodeWord(text, "Q", 52);

function withShortName(address: string): string {
  const [, name = "", bare = ""] = /^(.*)(<[^<>]*>)\s*$/s.exec(address) ?? [];
  if (!hasLongWord(name) && /^[ -~]*$/.test(name)) return address;
  return `${encoded(
    name
      .trim()
      .replace(/^"(.*)"$/s, "$1")
      .replace(/\\(.)/gs, "$1"),
  )} ${bare}`;
}

export interface ParsedMime {
  readonly headers: readonly Header[];
  readonly html: string;
  readonly text: string;
}

/**
 * Reads what SendRawEmail is given: headers with their words decoded, and the texts.
 * @throws MalformedRequest for headers above 2 MiB, or parts nested more than 256 deep
 */
export async function parseMime(raw: string | Buffer): Promise<ParsedMime> {
  // A Buffer is often a view of a larger memory, which would be read whole.
  const mail = await PostalMime.parse(typeof raw === "string" ? raw : new Uint8Array(raw)).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MalformedRequest(`The raw mail can't be read: ${reason}`, { cause });
  });
  return {
    headers: mail.headers.map(({ originalKey: name, value }) => ({ name, value: decodeWords(value) })),
    html: withoutEnd(mail.html),
    text: withoutEnd(mail.text),
  };
}

/** The line break before a boundary is the boundary's. */
const withoutEnd = (content = "") => content.replace(/\n$/, "");

export function headerValue(headers: readonly Header[], name: string): string {
  return headers.find((header) => header.name.toLowerCase() === name)?.value ?? "";
}
