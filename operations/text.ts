import { maskAddresses } from "../handler/contract/mask";

interface PrintableOptions {
  readonly showAddresses: boolean;
  /**
   * Longest text that is shown: a message may have 256 KiB.
   * @default 500
   */
  readonly longest?: number;
}

/** A text that others wrote, for a terminal: one line, no control characters, and no address unless it is wanted. */
export function printable(text: string, { showAddresses, longest = 500 }: PrintableOptions): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
  // An address is masked before it could be cut, or the half of one would show.
  if (!showAddresses) return maskAddresses(line, longest);
  return line.length > longest ? `${line.slice(0, longest).toWellFormed()}..` : line;
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

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

/** What went wrong in a part of a command's work. */
export function textOfError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** Why a command did not run, for a person. */
export function describeFailure(error: unknown): string {
  // The error of a connection that was tried on several addresses has no message.
  return error instanceof Error ? error.message || error.name : String(error);
}
