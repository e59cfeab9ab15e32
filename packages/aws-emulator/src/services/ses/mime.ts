import { type Header, type Mail } from "../../gateway/journal";

/** RFC 2047, where a header is not plain text; a line break in one would start another header. */
export function encodeHeader(value: string): string {
  const line = value.replace(/[\r\n]+/g, " ");
  return /^[\x20-\x7e]*$/.test(line) ? line : `=?UTF-8?B?${Buffer.from(line).toString("base64")}?=`;
}

function decodeHeader(value: string): string {
  return value
    .replace(/\?=\s+=\?/g, "?==?")
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, encoding: string, text: string) =>
      encoding.toLowerCase() === "b"
        ? Buffer.from(text, "base64").toString("utf8")
        : decodeQuotedPrintable(text.replaceAll("_", " ")).toString("utf8"),
    );
}

function decodeQuotedPrintable(text: string): Buffer {
  const bytes = text
    .replace(/=\r?\n/g, "")
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1");
}

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
    { name: "MIME-Version", value: "1.0" },
    { name: "Content-Type", value: `multipart/alternative; boundary="${boundaryOf(mail)}"` },
  ];
}

const boundaryOf = ({ id }: Pick<Mail, "id">) => `=_${id.slice(0, 60)}`;

/** The mail as a file that mail programs open. */
export function toMime(mail: Mail): string {
  const headers = mail.headers.map(({ name, value }) => `${name}: ${encodeHeader(value)}`);
  const parts = [
    ["text/plain", mail.text],
    ["text/html", mail.html],
  ].flatMap(([type, content]) => (content ? [part(type ?? "", content)] : []));
  const boundary = boundaryOf(mail);
  return [...headers, "", ...parts.map((each) => `--${boundary}\r\n${each}`), `--${boundary}--`, ""].join("\r\n");
}

function part(type: string, content: string): string {
  const lines =
    Buffer.from(content)
      .toString("base64")
      .match(/.{1,76}/g) ?? [];
  return [`Content-Type: ${type}; charset=UTF-8`, "Content-Transfer-Encoding: base64", "", ...lines].join("\r\n");
}

export interface ParsedMime {
  readonly headers: readonly Header[];
  readonly html: string;
  readonly text: string;
}

/** Parts within parts, each of which is read again: mail programs write three or four. */
const mostNesting = 20;

/** Reads what SendRawEmail is given: headers, and the first text and HTML parts. */
export function parseMime(raw: string, nesting = 0): ParsedMime {
  const { index = raw.length, 0: blank = "" } = /\r?\n\r?\n/.exec(raw) ?? {};
  const headers = raw
    .slice(0, index)
    .replace(/\r?\n[ \t]+/g, " ")
    .split(/\r?\n/)
    .flatMap((line) => {
      const [, name] = /^([^:\s]+):/.exec(line) ?? [];
      return name === undefined ? [] : [{ name, value: decodeHeader(line.slice(name.length + 1).trim()) }];
    });
  const content = raw.slice(index + blank.length);
  const type = headerValue(headers, "content-type") || "text/plain";
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1];
  if (boundary !== undefined) {
    if (nesting === mostNesting) return { headers, html: "", text: "" };
    const parts = content
      .split(`--${boundary}`)
      .slice(1)
      .filter((text) => !text.startsWith("--"))
      .map((text) => parseMime(text.replace(/^\r?\n/, "").replace(/\r?\n$/, ""), nesting + 1));
    return {
      headers,
      html: parts.find(({ html }) => html !== "")?.html ?? "",
      text: parts.find(({ text }) => text !== "")?.text ?? "",
    };
  }
  const decoded = decodeBody(content, headerValue(headers, "content-transfer-encoding"));
  return {
    headers,
    html: type.startsWith("text/html") ? decoded : "",
    text: type.startsWith("text/plain") ? decoded : "",
  };
}

export function headerValue(headers: readonly Header[], name: string): string {
  return headers.find((header) => header.name.toLowerCase() === name)?.value ?? "";
}

function decodeBody(content: string, encoding: string): string {
  if (encoding.toLowerCase() === "base64") return Buffer.from(content, "base64").toString("utf8");
  return encoding.toLowerCase() === "quoted-printable" ? decodeQuotedPrintable(content).toString("utf8") : content;
}
