import { Command } from "commander";
import { findStaleDocuments, writeDocuments } from "./document-files";

/**
 * `npm run docs`: writes the documents that are generated from the stack. With `--check`, it only says which are stale.
 */

async function docs(folder: string, { check }: { readonly check: boolean }): Promise<void> {
  if (!check) {
    await writeDocuments(folder);
    return;
  }
  for (const path of await findStaleDocuments(folder)) {
    console.error(`${path} is stale: run npm run docs`);
    process.exitCode = 1;
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
