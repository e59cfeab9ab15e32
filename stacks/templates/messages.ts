import { basename, join } from "node:path";
import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { hasVisibleCharacter } from "../../handler/contract/text";
import { type Edition } from "../../handler/notifications/editions";
import { similarName } from "../../handler/notifications/problems";
import { type Source } from "./pieces";
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
  const problems: string[] = [];
  const texts = new Map<string, Message>();
  for (const place of [folder, notificationsFolder]) {
    /** The texts of this place that are of a locale alone. */
    const ofLocale = new Set<Message>();
    for (const each of servingLocales(locale)) {
      for (const named of variant === undefined ? [undefined] : [variant, undefined]) {
        const file = join(place, ["messages", each, ...(named === undefined ? [] : [named]), "json"].join("."));
        const source = readSource(file);
        if (source === undefined) continue;
        const { found, problems: wrong } = parsed(source);
        problems.push(...wrong);
        for (const [key, message] of found) {
          if (named === undefined) ofLocale.add(message);
          const closer = texts.get(key);
          if (closer === undefined) texts.set(key, message);
          else if (named !== undefined && ofLocale.has(closer))
            problems.push(
              `${shown(file)}:${message.line}: ${basename(closer.file)} has a closer language for "${key}", and this file the variant: write it into messages.${locale}.${named}.json.`,
            );
        }
      }
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
  readonly found: ReadonlyMap<string, Message>;
  readonly problems: readonly string[];
}

/** Reads the texts of a file. Those of an object within it have keys such as `footer.address`. */
function parsed({ file, text: json }: Source): Parsed {
  const found = new Map<string, Message>();
  const problems: string[] = [];
  const lineOf = (offset: number): number => json.slice(0, offset).split("\n").length;
  const refuse = (offset: number, problem: string) => problems.push(`${shown(file)}:${lineOf(offset)}: ${problem}`);
  const read = ({ type, offset, value, children = [] }: Node, path: string): void => {
    if (type === "object") {
      for (const { children: [key, each] = [] } of children) {
        if (key !== undefined && each !== undefined)
          read(each, path === "" ? String(key.value) : `${path}.${String(key.value)}`);
      }
    } else if (typeof value !== "string" || path === "") {
      refuse(offset, `${path === "" ? "it" : `"${path}"`} is no text: write an object of texts.`);
    } else if (found.has(path)) {
      refuse(offset, `"${path}" has two texts: keep one.`);
    } else {
      if (!hasVisibleCharacter(value))
        refuse(offset, `"${path}" is blank: write its text, or {{!}} where a reader is to see nothing.`);
      found.set(path, { text: value, file, line: lineOf(offset) });
    }
  };
  const errors: ParseError[] = [];
  const tree = parseTree(json, errors, { disallowComments: true });
  const [error] = errors;
  if (error !== undefined) refuse(error.offset, `it is no JSON: ${printParseErrorCode(error.error)}.`);
  else if (tree !== undefined) read(tree, "");
  return { found, problems };
}
