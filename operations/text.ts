import { hashRecipient } from "../handler/contract/recipient-hash";

/** Anything that could be an address, in whatever text: its local part may be quoted, and hold nearly everything. */
const addressLike = /(?:"(?:[^"\\]|\\.)+"|[^\s@"<>(),;:[\]\\]+)@[^\s@"'`<>(),;:[\]{}\\]+/gu;

/** Longest text of others that is shown: a message may have 256 KiB. */
const longest = 500;

/** A text that others wrote, for a terminal: one line, no control characters, and no address unless it is wanted. */
export function printable(text: string, options: { readonly showAddresses: boolean }): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
  const masked = options.showAddresses
    ? line
    : // The hash is the one in the logs; a quotation mark in front is the text's, not the address's.
      line.replace(addressLike, (found) => `<recipient ${hashRecipient(found.replace(/^['`{]+/, ""))}>`);
  return masked.length > longest ? `${masked.slice(0, longest)}..` : masked;
}

/** JSON that may hold texts of others, for a terminal: JSON itself escapes a part of the control characters only. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, at) => escapeUnit(character.charCodeAt(at))).join(""),
  );
}

const escapeUnit = (unit: number): string => `\\u${unit.toString(16).padStart(4, "0")}`;

const units = [
  ["d", 86_400],
  ["h", 3600],
  ["m", 60],
  ["s", 1],
] as const;

/** `2 d 3 h`: the two largest units. */
export function formatDuration(milliseconds: number): string {
  let rest = Math.max(0, Math.round(milliseconds / 1000));
  const parts: string[] = [];
  for (const [unit, seconds] of units) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0) parts.push(`${count} ${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.length === 0 ? "0 s" : parts.join(" ");
}

/** @returns milliseconds of `90s`, `30m`, `2h` or `3d`; `undefined` where it is none of them. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = /^(\d+)\s*([smhd])$/.exec(text.trim()) ?? [];
  const seconds = units.find(([name]) => name === unit)?.[1];
  return seconds === undefined ? undefined : Number(count) * seconds * 1000;
}

export function plural(count: number, one: string): string {
  return `${count.toLocaleString("en-US")} ${one}${count === 1 ? "" : "s"}`;
}

/** Why a command did not run, for a person. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isRefused = "code" in error && error.code === "ECONNREFUSED";
  // The error of a connection that was tried on several addresses has no message.
  const message = error.message || error.name;
  return isRefused
    ? `${message}. Nothing listens there: is the sandbox up (npm start), and is SANDBOX_PORT its own?`
    : message;
}
