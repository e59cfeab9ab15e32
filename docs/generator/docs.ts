import { Command } from "commander";
import { writeDocuments } from "./document-files";

/** `npm run docs`: writes the documents that are generated from the stack. */

new Command("docs")
  .description("Writes loss-map.md, alarms.md and policy.md from the synthesized stack.")
  .argument("[folder]", "the folder of the documents", "docs")
  .action(writeDocuments)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
