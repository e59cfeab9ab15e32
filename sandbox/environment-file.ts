import {
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { type Owner, ownerOf } from "./environment-script";

export interface EnvironmentFile {
  readonly path: string;
  /** One sentence that says why the file has another path than usual; `undefined` where it has the usual one. */
  readonly remark?: string;
  /** Removes the file, unless another sandbox has written it since. */
  remove(): void;
}

export interface EnvironmentFileOptions {
  /** The folder `.sandbox` of the project. */
  readonly folder: string;
  /** The folder for the file where `folder` can't be written, as in a read-only checkout. */
  readonly spareFolder: string;
  readonly owner: Owner;
  readonly script: string;
  readonly isRunning?: (owner: Owner) => Promise<boolean>;
}

/**
 * Writes the script to `environment.sh`. While another sandbox of this checkout owns that file, the script goes to
 * `environment-<port>.sh` instead. A file of a sandbox that no longer runs is replaced. No reader ever sees half a
 * file.
 */
export async function writeEnvironmentFile(options: EnvironmentFileOptions): Promise<EnvironmentFile> {
  const { folder, spareFolder, owner, script } = options;
  try {
    mkdirSync(folder, { recursive: true });
    const usual = join(folder, "environment.sh");
    const other = await claim(usual, options);
    if (other === undefined) return fileAt(usual, script);
    // Only the sandbox that has this port writes this file, so it can simply be replaced.
    const path = join(folder, `environment-${owner.port}.sh`);
    replace(path, script, owner);
    const remark = `${usual} belongs to the sandbox on port ${other.port} (process ${other.pid}).`;
    return { ...fileAt(path, script), remark };
  } catch (error) {
    const path = join(spareFolder, "environment.sh");
    writeFileSync(path, script, { mode: 0o600 });
    return { ...fileAt(path, script), remark: `${folder} can't be written (${codeOf(error) ?? String(error)}).` };
  }
}

function fileAt(path: string, script: string): EnvironmentFile {
  const remove = () => {
    if (read(path) === script) rmSync(path, { force: true });
  };
  return { path, remove };
}

/**
 * Tries to take over the file.
 * @returns the sandbox that owns it; `undefined` where it is ours now.
 */
async function claim(
  path: string,
  { owner, script, isRunning = runs }: EnvironmentFileOptions,
): Promise<Owner | undefined> {
  for (;;) {
    if (create(path, script, owner)) return undefined;
    const found = read(path);
    // The path is free by now, so the next try can succeed. (A link to nowhere does not count as free: it is moved away
    // below.)
    if (found === undefined && lstatSync(path, { throwIfNoEntry: false }) === undefined) continue;
    const other = found === undefined ? undefined : ownerOf(found);
    if (other !== undefined && (await isRunning(other))) return other;
    takeAway(path, found);
  }
}

/** @returns whether the file was created; `false` where it exists already. */
function create(path: string, script: string, { pid }: Owner): boolean {
  const whole = writeBeside(path, script, pid);
  try {
    try {
      // A link fails where the file exists, while a rename would overwrite it.
      linkSync(whole, path);
    } catch (error) {
      if (codeOf(error) === "EEXIST") throw error;
      // Some file systems have no links, for example a folder that a virtual machine shares.
      copyFileSync(whole, path, constants.COPYFILE_EXCL);
    }
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(whole, { force: true });
  }
}

function replace(path: string, script: string, { pid }: Owner): void {
  const whole = writeBeside(path, script, pid);
  renameSync(whole, path);
}

/**
 * Writes the script to a new file beside `path`. An old file of that name is removed first: writing to a link would
 * change the link's target, and an old file would keep its mode.
 */
function writeBeside(path: string, script: string, pid: number): string {
  const whole = `${path}.${pid}`;
  rmSync(whole, { force: true });
  writeFileSync(whole, script, { mode: 0o600, flag: "wx" });
  return whole;
}

/**
 * Removes a file that an ended sandbox left behind. If another sandbox has replaced it in the meantime, it is put back.
 */
function takeAway(path: string, expected: string | undefined): void {
  const folder = mkdtempSync(`${path}.`);
  const moved = join(folder, "environment.sh");
  try {
    renameSync(path, moved);
    if (read(moved) !== expected) linkSync(moved, path);
  } catch (error) {
    // Another process has already taken the file away, or has written a new one.
    if (!["ENOENT", "EEXIST"].includes(codeOf(error) ?? "")) throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/**
 * Whether the sandbox still runs. Both are checked, because its process id can belong to another program by now, and
 * its port to another sandbox.
 */
async function runs({ pid, port }: Owner): Promise<boolean> {
  return isAlive(pid) && (await answers(port));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM means that the process exists and belongs to another user.
    return codeOf(error) === "EPERM";
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const url = `http://127.0.0.1:${port}/_sandbox/health`;
    const asked = request(url, { signal: AbortSignal.timeout(5000), agent: false }, (response) => {
      response.resume();
      resolve(true);
    });
    asked.on("error", () => {
      resolve(false);
    });
    asked.end();
  });
}
