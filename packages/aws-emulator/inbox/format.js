/** Times, durations, addresses and names as people read them. Pure. */

const LOCALE = "en-GB";
const DATE_TIME = new Intl.DateTimeFormat(LOCALE, { dateStyle: "full", timeStyle: "medium" });
const CLOCK = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit" });
const CLOCK_MS = new Intl.DateTimeFormat(LOCALE, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
});
const DAY = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short" });

/**
 * @template T
 * @param {(date: Date) => T} format
 * @returns {(time: string | number | undefined) => T | string}
 */
const dated = (format) => (time) => {
  const date = new Date(time ?? NaN);
  return Number.isNaN(date.getTime()) ? String(time ?? "") : format(date);
};

/** "Monday 24 November 2025 at 18:36:05" */
export const fullTime = dated((date) => DATE_TIME.format(date));

/** "18:36:05.120" */
export const clockTime = dated((date) => CLOCK_MS.format(date));

/**
 * "now", "5 min", "14:03" of today, "23 Nov" before.
 * @param {string} time
 * @param {number} now
 */
export function relativeTime(time, now) {
  return dated((date) => {
    const minutes = Math.floor((now - date.getTime()) / 60_000);
    if (minutes < 1) return "now";
    if (minutes < 60) return `${minutes} min`;
    return date.toDateString() === new Date(now).toDateString() ? CLOCK.format(date) : DAY.format(date);
  })(time);
}

/**
 * How long something took: "34 ms", "1.2 s".
 * @param {number} ms
 */
export const took = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/**
 * How long something waits: "0.5 s", "2 min".
 * @param {number} ms
 */
export const wait = (ms) => (ms < 60_000 ? `${Number((ms / 1000).toFixed(2))} s` : `${Math.round(ms / 60_000)} min`);

/**
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/**
 * `Ada <ada@example.com>` is "Ada", a bare address is itself.
 * @param {string} address
 */
export function shortAddress(address) {
  const open = address.lastIndexOf("<");
  const name = open > 0 ? address.slice(0, open).trim().replace(/^"|"$/g, "") : "";
  return name || address.replace(/^<|>$/g, "");
}

/**
 * The last part of an ARN; a name is itself.
 * @param {string} arnOrName
 */
export const shortName = (arnOrName) =>
  arnOrName.startsWith("arn:") ? (arnOrName.split(/[:/]/).pop() ?? arnOrName) : arnOrName;

/**
 * A word for sh: quoted where it needs to be, so that a copied command does what it says.
 * @param {string} word
 */
export const shellWord = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
