import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./documents";

/** A command that a document shows, and what it shows below it. */
export interface ShownCommand {
  readonly command: string;
  readonly output: string;
}

/**
 * The commands of the blocks ```console``` in a section of a document.
 * @param heading of the section, for example `## Restore an older state`.
 * @throws Error where the document has no such section, or where it shows no command.
 */
export function commandsIn(path: string, heading: string): ShownCommand[] {
  const text = readFileSync(join(projectRoot, path), "utf8");
  const start = text.indexOf(`\n${heading}\n`);
  const level = heading.slice(0, heading.indexOf(" ") + 1);
  const end = text.indexOf(`\n${level}`, start + heading.length);
  const section = start === -1 ? "" : text.slice(start, end === -1 ? undefined : end);
  const commands = [...section.matchAll(/```console\n([\s\S]*?)```/g)].flatMap(([, block = ""]) =>
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
