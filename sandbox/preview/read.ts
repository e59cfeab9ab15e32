import { join } from "node:path";
import { type Notification } from "../../handler/notifications/define";
import { type Previews, previewsOf } from "./previews";

/**
 * A program that reads the catalogue and tells its parent what it makes. Each reading is a process of its own, because
 * Node.js loads a module once, and a changed `index.ts` would stay as it was.
 */

const projectRoot = join(__dirname, "..", "..");

/** The files as the synth's own problems name them. */
const withoutRoot = (text: string): string => text.replaceAll(`${projectRoot}/`, "").replaceAll(`${projectRoot}\\`, "");

/** A file that is no TypeScript has its place in the message; what throws while it is loaded has it in the stack. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = /^\s+at .*$/m.exec(
    (error.stack ?? "")
      .split("\n")
      .filter((line) => line.includes(projectRoot) && !line.includes("node_modules"))
      .join("\n"),
  )?.[0];
  return withoutRoot([error.message, ...(place === undefined ? [] : [place])].join("\n"));
}

async function read(): Promise<Previews> {
  try {
    const { catalogue } = (await import("../../handler/notifications/index.js")) as {
      catalogue: readonly Notification[];
    };
    return previewsOf(catalogue);
  } catch (error) {
    return { editions: [], problems: [describe(error)] };
  }
}

void read().then((previews) => process.send?.(previews));
