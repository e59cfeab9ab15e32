import { maskAddresses } from "../handler/contract/mask";

interface PrintableOptions {
  readonly showAddresses: boolean;
  /**
   * Longest text that is shown, in characters. A message may have 256 KiB.
   * @default 500
   */
  readonly longest?: number;
}

/** Prepares a foreign text for a terminal: one line without control characters, and without addresses unless wanted. */
export function printable(text: string, { showAddresses, longest = 500 }: PrintableOptions): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
  // Addresses are masked before the text is cut, because a half of one would not be recognized.
  if (!showAddresses) return maskAddresses(line, longest);
  return line.length > longest ? `${line.slice(0, longest).toWellFormed()}..` : line;
}

/**
 * Writes JSON that may hold foreign texts for a terminal. `JSON.stringify` escapes only some of the control characters.
 */
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

/** Writes a duration in its two largest units, for example `2 d 3 h`. */
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

/** Reads a duration such as `90s`, `30m`, `2h` or `3d`. @returns milliseconds; `undefined` for any other text. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = /^(\d+)\s*([smhd])$/.exec(text.trim()) ?? [];
  const seconds = units.find(([name]) => name === unit)?.[1];
  return seconds === undefined ? undefined : Number(count) * seconds * 1000;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

/** Describes an error that a part of a command's work met, with the error's name. */
export function textOfError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** Describes to a person why a command did not run. */
export function describeFailure(error: unknown): string {
  // If a connection was tried on several addresses, Node's error has no message.
  return error instanceof Error ? error.message || error.name : String(error);
}
