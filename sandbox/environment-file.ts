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
  /** Why it has another path than usual, in one sentence; `undefined` where it has the usual one. */
  readonly remark?: string;
  /** Removes it, unless another sandbox has written it since. */
  remove(): void;
}

export interface EnvironmentFileOptions {
  /** `.sandbox` in the project's folder. */
  readonly folder: string;
  /** Where the file goes if `folder` can't be written, as in a checkout that is read-only. */
  readonly spareFolder: string;
  readonly owner: Owner;
  readonly script: string;
  readonly isRunning?: (owner: Owner) => Promise<boolean>;
}

/**
 * Writes the script to `environment.sh`, or, while another sandbox of this checkout has that file, to
 * `environment-<port>.sh`. A file of a sandbox that no longer runs is replaced. Each file appears whole.
 */
export async function writeEnvironmentFile(options: EnvironmentFileOptions): Promise<EnvironmentFile> {
  const { folder, spareFolder, owner, script } = options;
  try {
    mkdirSync(folder, { recursive: true });
    const usual = join(folder, "environment.sh");
    const other = await claim(usual, options);
    if (other === undefined) return fileAt(usual, script);
    // No other sandbox can have this port, so none writes that file at this moment.
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

/** @returns who has the file; `undefined` where it is ours now. */
async function claim(
  path: string,
  { owner, script, isRunning = runs }: EnvironmentFileOptions,
): Promise<Owner | undefined> {
  for (;;) {
    if (create(path, script, owner)) return undefined;
    const found = read(path);
    // The file is gone by now, or it is a link to nowhere, which is left alone.
    if (found === undefined && lstatSync(path, { throwIfNoEntry: false }) === undefined) continue;
    const other = found === undefined ? undefined : ownerOf(found);
    if (other !== undefined && (await isRunning(other))) return other;
    takeAway(path, found);
  }
}

/** @returns whether it was made; `false` where the file exists already. */
function create(path: string, script: string, { pid }: Owner): boolean {
  const whole = writeBeside(path, script, pid);
  try {
    try {
      // Unlike a rename, it fails where the file exists.
      linkSync(whole, path);
    } catch (error) {
      if (codeOf(error) === "EEXIST") throw error;
      // A file system without links, such as a folder that a virtual machine shares.
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

/** Removes what stands under the name first: a link would be written through, and an old file would keep its mode. */
function writeBeside(path: string, script: string, pid: number): string {
  const whole = `${path}.${pid}`;
  rmSync(whole, { force: true });
  writeFileSync(whole, script, { mode: 0o600, flag: "wx" });
  return whole;
}

/** Removes a file that was left behind, and puts it back if another sandbox had replaced it in the meantime. */
function takeAway(path: string, expected: string | undefined): void {
  const folder = mkdtempSync(`${path}.`);
  const moved = join(folder, "environment.sh");
  try {
    renameSync(path, moved);
    if (read(moved) !== expected) linkSync(moved, path);
  } catch (error) {
    // Somebody else took it away, or has written the file anew.
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

/** Both are asked for: the process's id can belong to another program by now, and its port to another sandbox. */
async function runs({ pid, port }: Owner): Promise<boolean> {
  return isAlive(pid) && (await answers(port));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and another user's.
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
