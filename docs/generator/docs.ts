import { Command } from "commander";
import "aws-emulator/aws-sdk-settings";
import { findStaleDocuments, writeDocuments } from "./document-files";

/** `npm run docs`: writes what is generated from the stack and from the catalogue: documents, and the producers' package. */

async function run(
  docs: string,
  { check, producer }: { readonly check: boolean; readonly producer: string },
): Promise<void> {
  const folders = { docs, producer };
  if (!check) {
    const missing = await writeDocuments(folders);
    // The documents are written, but the check would fail.
    if (missing !== undefined) throw new Error(missing);
    return;
  }
  const stale = await findStaleDocuments(folders);
  if (stale.length === 0) return;
  throw new Error(
    `These documents are not as they are generated. Run \`npm run docs\`, and commit what it changes.\n  ${stale.join("\n  ")}`,
  );
}

new Command("docs")
  .description(
    "Writes the documents, and the package for producers, that follow from the stack and from the catalogue.",
  )
  .argument("[folder]", "the folder of the documents", "docs")
  .option("--producer <folder>", "the folder of the package for producers", "packages/producer")
  .option("--check", "write nothing, and fail where a document is stale", false)
  .action(run)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
