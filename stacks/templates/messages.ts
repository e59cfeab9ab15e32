import { join } from "node:path";
import { type Edition } from "../../handler/notifications/editions";
import { similarName } from "../../handler/notifications/problems";
import { notificationsFolder, readSource, servingLocales, shown } from "./files";

/** A text of a messages file. It is a template of its own: `Thank you, {{name}}`. */
export interface Message {
  readonly text: string;
  readonly file: string;
  /** Line of the text in its file; the first is 1. */
  readonly line: number;
}

/** The texts of an edition, which `{{t "key"}}` shows. */
export interface Messages {
  find(key: string): Message | undefined;
  /** Says in a sentence that the key has no text, and where to write it. */
  missing(key: string): string;
  /** What is wrong with the files. */
  readonly problems: readonly string[];
}

/**
 * Reads the texts of an edition: those of the notification, and those that all notifications share. In each of both
 * places, the file of the variant comes first, and the file of `fr-CA` before that of `fr`.
 */
export function messagesOf(folder: string, { locale, variant }: Edition): Messages {
  const names = servingLocales(locale).flatMap((each) => [
    ...(variant === undefined ? [] : [`messages.${each}.${variant}.json`]),
    `messages.${each}.json`,
  ]);
  const problems: string[] = [];
  const texts = new Map<string, Message>();
  for (const file of [folder, notificationsFolder].flatMap((place) => names.map((name) => join(place, name)))) {
    const source = readSource(file);
    if (source === undefined) continue;
    const { found, problem } = parsed(source.text);
    if (problem !== undefined) problems.push(`${shown(file)}: ${problem}`);
    for (const [key, text] of found) {
      if (!texts.has(key)) texts.set(key, { text, file, line: lineOf(source.text, key) });
    }
  }
  return {
    find: (key) => texts.get(key),
    missing(key) {
      const meant = similarName(key, [...texts.keys()]);
      return (
        `{{t "${key}"}} has no text in "${locale}": write one into ${shown(join(folder, `messages.${locale}.json`))}` +
        (meant === undefined ? "" : `; did you mean "${meant}"?`)
      );
    },
    problems,
  };
}

interface Parsed {
  readonly found: readonly (readonly [string, string])[];
  readonly problem?: string;
}

/** Reads the texts of a file. Those of an object within it have keys such as `footer.address`. */
function parsed(json: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return { found: [], problem: `it is no JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  const wrong: string[] = [];
  const textsOf = (part: unknown, path: string): (readonly [string, string])[] => {
    if (typeof part === "string") return [[path, part]];
    if (typeof part === "object" && part !== null && !Array.isArray(part))
      return Object.entries(part).flatMap(([key, each]) => textsOf(each, path === "" ? key : `${path}.${key}`));
    wrong.push(path);
    return [];
  };
  const found = textsOf(value, "");
  const [first] = wrong;
  return first === undefined
    ? { found }
    : { found, problem: `${first === "" ? "it" : `"${first}"`} is no text: write an object of texts.` };
}

/** The line that has the key. The last name of a key such as `footer.address` stands in the file. */
function lineOf(json: string, key: string): number {
  const name = JSON.stringify(key.split(".").at(-1));
  const at = [JSON.stringify(key), name].map((word) => json.indexOf(`${word}:`)).find((place) => place >= 0) ?? 0;
  return json.slice(0, at).split("\n").length;
}
