import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as markdown from "prettier/plugins/markdown";
import { format } from "prettier/standalone";
import { prettier as style } from "../../package.json";
import { alarmsDocument, lossMapDocument } from "./documents";
import { policyDocument } from "./policy";
import { synthesizeForDocs } from "./stack";

/** @returns path in the folder and text, in the project's style, of each document that follows from the stack. */
async function generateDocuments(folder: string): Promise<(readonly [path: string, text: string])[]> {
  const stack = synthesizeForDocs();
  const documents = {
    "loss-map.md": lossMapDocument(stack),
    "alarms.md": alarmsDocument(stack),
    "policy.md": policyDocument(stack.suppressions),
  };
  return Promise.all(
    Object.entries(documents).map(
      async ([name, text]) =>
        [join(folder, name), await format(text, { ...style, parser: "markdown", plugins: [markdown] })] as const,
    ),
  );
}

export async function writeDocuments(folder: string): Promise<void> {
  for (const [path, text] of await generateDocuments(folder)) writeFileSync(path, text);
}

/** @returns paths of the documents that are missing, or not as they are generated. */
export async function findStaleDocuments(folder: string): Promise<string[]> {
  const documents = await generateDocuments(folder);
  return documents
    .filter(([path, text]) => !existsSync(path) || readFileSync(path, "utf8") !== text)
    .map(([path]) => path);
}
