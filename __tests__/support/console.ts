import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./documents";

/** A command that a document shows, and what it shows below it. */
export interface ShownCommand {
  readonly command: string;
  readonly output: string;
}

/** The text of a section, with its subsections. @throws Error where the document has no such section. */
function sectionOf(path: string, heading: string): string {
  const text = readFileSync(join(projectRoot, path), "utf8");
  const start = text.indexOf(`\n${heading}\n`);
  if (start === -1) throw new Error(`${path} has no "${heading}"`);
  const [hashes = ""] = /^#+/.exec(heading) ?? [];
  // The next heading of the same level or a higher one.
  const next = new RegExp(`^#{1,${hashes.length}} `, "m").exec(text.slice(start + heading.length + 1));
  return text.slice(start, next === null ? undefined : start + heading.length + 1 + next.index);
}

/** The scripts of the blocks ```bash``` in a section of a document, as one. */
export function scriptIn(path: string, heading: string): string {
  const scripts = [...sectionOf(path, heading).matchAll(/```bash\n([\s\S]*?)```/g)].map(([, script = ""]) => script);
  if (scripts.length === 0) throw new Error(`${path} shows no script below "${heading}"`);
  return scripts.join("\n");
}

/**
 * The commands of the blocks ```console``` in a section of a document.
 * @param heading of the section, for example `## Restore an older state`.
 * @throws Error where the document has no such section, or where it shows no command.
 */
export function commandsIn(path: string, heading: string): ShownCommand[] {
  const commands = [...sectionOf(path, heading).matchAll(/```console\n([\s\S]*?)```/g)].flatMap(([, block = ""]) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((shown) => {
        // A line that ends in a backslash goes on in the next one.
        const [command = ""] = /^(?:.*\\\n)*.*/.exec(shown) ?? [];
        return { command, output: shown.slice(command.length).trim() };
      }),
  );
  if (commands.length === 0) throw new Error(`${path} shows no command below "${heading}"`);
  return commands;
}
