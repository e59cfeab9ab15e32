import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./sandbox";

/** What a fresh clone with its dependencies has, as far as the commands and the synth need it. */
const parts = ["cdktf.json", "handler", "main.ts", "operations", "package.json", "sandbox", "stacks", "tsconfig.json"];

/** Makes a fresh clone of the project in a new folder: no state, no output, no plug-ins of Terraform. */
export function cloneTo(folder: string): string {
  mkdirSync(folder);
  for (const part of parts) cpSync(join(projectRoot, part), join(folder, part), { recursive: true });
  symlinkSync(join(projectRoot, "node_modules"), join(folder, "node_modules"));
  return folder;
}
