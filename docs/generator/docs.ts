import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { format, resolveConfig } from "prettier";
import { alarmsDocument, lossMapDocument } from "./documents";
import { synthesizeForDocs } from "./stack";

/**
 * `npm run docs`: writes the documents that are generated from the stack. With `--check`, it only says which are stale.
 */

async function docs(folder: string, { check }: { readonly check: boolean }): Promise<void> {
  const stack = synthesizeForDocs();
  const documents = { "loss-map.md": lossMapDocument(stack), "alarms.md": alarmsDocument(stack) };
  for (const [name, text] of Object.entries(documents)) {
    const path = join(folder, name);
    // The configuration comes from this file's place, so the project's style holds for any folder.
    const formatted = await format(text, { ...(await resolveConfig(__filename)), parser: "markdown" });
    if (!check) writeFileSync(path, formatted);
    else if (read(path) !== formatted) {
      console.error(`${path} is stale: run npm run docs`);
      process.exitCode = 1;
    }
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

new Command("docs")
  .description("Writes loss-map.md and alarms.md from the synthesized stack.")
  .argument("[folder]", "where they are", "docs")
  .option("--check", "write nothing; fail where one is stale", false)
  .action(docs)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
