import { spawnSync } from "node:child_process";
import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { inheritedBy } from "../child-environment";
import { type Machine } from "./lookup";

/**
 * Finds every executable file that a name stands for, in the order of preference. The name is a path, relative to the
 * project's folder, or a program on PATH. The results are absolute, because the callers start them in other folders.
 */
export function executablesOf(name: string, { environment, platform, directory }: Machine): string[] {
  const endings = platform === "win32" ? ["", ...(environment.PATHEXT ?? ".EXE;.CMD;.BAT").split(";")] : [""];
  const isPath = name.includes("/") || name.includes("\\");
  const folders = isPath ? [directory] : (environment.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const files = folders.flatMap((folder) =>
    endings.map((ending) => (isPath ? resolve(folder, name + ending) : join(folder, name + ending))),
  );
  return [...new Set(files)].filter(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * What a program prints on standard output; `undefined` where it can't be started, where it fails, or where it takes
 * too long.
 */
export function outputOf(
  kind: "terraform" | "python",
  command: readonly [string, ...string[]],
  { environment }: Machine,
  timeoutSeconds = 20,
): string | undefined {
  const [file, ...words] = command;
  const run = spawnSync(file, words, {
    env: { ...inheritedBy(kind, environment), CHECKPOINT_DISABLE: "1" },
    encoding: "utf8",
    timeout: timeoutSeconds * 1000,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return run.status === 0 ? run.stdout : undefined;
}

/** The first line of a file. A script names its interpreter there. */
export function firstLine(file: string): string {
  const buffer = Buffer.alloc(512);
  const handle = openSync(file, "r");
  try {
    return buffer.toString("latin1", 0, readSync(handle, buffer)).split("\n")[0] ?? "";
  } finally {
    closeSync(handle);
  }
}
