import MailComposer from "nodemailer/lib/mail-composer";
import { encodeWord } from "nodemailer/lib/mime-funcs";
import PostalMime, { decodeWords } from "postal-mime";
import { MalformedRequest } from "../../gateway/http";
import { type Header, type Mail } from "../../gateway/journal";

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
export function compose(
  id: string,
  headers: readonly Header[],
  { text, html }: { readonly text: string; readonly html: string },
): Promise<Buffer> {
  const composer = new MailComposer({
    // How the content is encoded is decided here, whatever a raw mail said of it.
    headers: headers
      .filter(({ name }) => !/^(?:content-|mime-version$)/i.test(name))
      .map(({ name, value }) => ({ key: name, value: isUnstructured(name) ? withShortWords(value) : value })),
    ...(text === "" ? {} : { text }),
    ...(html === "" ? {} : { html }),
    // The same mail is the same file each time.
    baseBoundary: id,
    // A mail comes from anybody: it names no file and no address to be read into it.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return composer.compile().build();
}

/** Of all that a mail here has, these are read as words alone; in others an encoded word would be no address or id. */
const isUnstructured = (name: string) => /^(?:subject|comments|x-.*)$/i.test(name);

/** A line is folded at its blanks only. RFC 5322 ends a line at 998 characters, and the name stands in front. */
const longestWord = 900;

const withShortWords = (text: string) =>
  text.split(/\s+/).some((word) => word.length > longestWord) ? encodeWord(text, "Q", 52) : text;

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
