import { structuredPatch } from "diff";
import { canonical, type Difference, parsedJson, type Shown } from "./differences";
import { code, details, fenced, html } from "./markdown";

/** How values and their differences are written. */

/** The longest value that stands in a line, in characters; a longer one is folded. */
const longestInLine = 120;

const textOf = (value: unknown): string => (typeof value === "string" ? value : canonical(value));

/** A value on a line. */
export function valueText(shown: Shown, longest = longestInLine): string {
  if (shown.kind === "none") return "nothing";
  if (shown.kind === "unknown") return "(known after apply)";
  if (shown.kind === "sensitive") return "(sensitive)";
  return code(textOf(shown.value), longest);
}

const isLong = (shown: Shown): boolean => {
  if (shown.kind !== "value") return false;
  const text = textOf(shown.value);
  return text.length > longestInLine || text.includes("\n");
};

/** For example `` `threshold`: `1` → `7` ``. A long value is named only: `foldedDifference` has it. */
export function differenceText(difference: Difference): string {
  const { path, before, after } = difference;
  if (before.kind === "sensitive" && after.kind === "sensitive") return `${code(path)}: its sensitive value changes`;
  if (isFolded(difference)) return `${code(path)}: see below`;
  return `${code(path)}: ${valueText(before)} → ${valueText(after)}`;
}

export const isFolded = ({ before, after }: Difference): boolean => isLong(before) || isLong(after);

/** A difference of long values, line by line. */
export function foldedDifference(address: string, { path, before, after }: Difference): string {
  return details(`${html(path)} of ${html(address)}`, fenced(differingLines(linesOf(before), linesOf(after)), "diff"));
}

function linesOf(shown: Shown): string {
  if (shown.kind === "none") return "";
  if (shown.kind !== "value") return valueText(shown);
  const parsed = typeof shown.value === "string" ? parsedJson(shown.value) : shown.value;
  return parsed === undefined ? String(shown.value) : JSON.stringify(JSON.parse(canonical(parsed)), null, 2);
}

/**
 * The most lines that a difference looks for. The time of the search grows with their square, and a template may have
 * 500 KB, which is minutes.
 */
const mostDifferingLines = 1000;

/**
 * The lines that differ, with three around them, as `diff -u` writes them. Where more than `mostDifferingLines` differ,
 * the whole of both texts stands there.
 */
export function differingLines(before: string, after: string): string {
  const options = { context: 3, maxEditLength: mostDifferingLines };
  const patch = structuredPatch("", "", withEnd(before), withEnd(after), undefined, undefined, options);
  if (patch === undefined) {
    const [old, now] = [before, after].map((text) => text.replace(/\n$/, "").split("\n"));
    return [
      `@@ -1,${old?.length ?? 0} +1,${now?.length ?? 0} @@ more than ${mostDifferingLines.toLocaleString("en-US")} lines differ`,
      ...(old ?? []).map((line) => `-${line}`),
      ...(now ?? []).map((line) => `+${line}`),
    ].join("\n");
  }
  return patch.hunks
    .map(({ oldStart, oldLines, newStart, newLines, lines }) =>
      [`@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`, ...lines].join("\n"),
    )
    .join("\n");
}

const withEnd = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`);
