/** What the words behind a command mean to cdktf, which reads them with yargs. */
export interface Words {
  /** The stacks that they name. Options may stand before them and between them. */
  readonly stacks: readonly string[];
  /** Whether the question is answered beforehand. */
  readonly isApproved: boolean;
}

/** The options of `cdktf diff`, `deploy` and `destroy` that take no value, as cdktf 0.21 lists them (`--help`). */
const flags: ReadonlySet<string> = new Set([
  "auto-approve",
  "disable-plugin-cache-env",
  "help",
  "ignore-missing-stack-dependencies",
  "migrate-state",
  "no-color",
  "outputs-file-include-sensitive-outputs",
  "refresh-only",
  "skip-provider-lock",
  "skip-synth",
  "version",
]);

/** The options that take every word up to the next option. */
const lists: ReadonlySet<string> = new Set(["var", "var-file"]);

/** Reads them as yargs does: a word behind an option that it does not know is the option's value. */
export function readWords(words: readonly string[]): Words {
  const stacks: string[] = [];
  let isApproved = false;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    if (!isOption(word)) {
      stacks.push(word);
      continue;
    }
    const { name, value } = optionOf(word);
    if (flags.has(name)) {
      const given = value ?? (isTruth(words[at + 1]) ? words[(at += 1)] : "true");
      // The last one counts.
      if (name === "auto-approve") isApproved = given === "true";
    } else if (lists.has(name)) {
      while (at + 1 < words.length && !isOption(words[at + 1] ?? "")) at += 1;
    } else if (value === undefined && at + 1 < words.length && !isOption(words[at + 1] ?? "")) {
      at += 1;
    }
  }
  return { stacks, isApproved };
}

/** A negative number is a value: `--parallelism -1`. */
const isOption = (word: string): boolean => word.startsWith("-") && !/^-\d/.test(word);

const isTruth = (word: string | undefined): boolean => word === "true" || word === "false";

/** The option's name as `--help` writes it, and the value that is joined to it. */
function optionOf(word: string): { readonly name: string; readonly value: string | undefined } {
  const [, written = "", value] = /^-+([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  return { name: written.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), value };
}
