import { accessSync, constants, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Machine } from "./lookup";

/**
 * Folders where the sandbox keeps what it has fetched, the best one first: the checkout, or for a read-only checkout
 * the user's cache.
 */
export function storagePlaces({ directory, home, environment, platform }: Machine): readonly [string, string] {
  const ofPlatform = platform === "darwin" ? join(home, "Library", "Caches") : join(home, ".cache");
  const cache = environment.XDG_CACHE_HOME ? environment.XDG_CACHE_HOME : ofPlatform;
  return [join(directory, ".sandbox"), join(cache, "event-driven-email")];
}

/**
 * Creates a folder in the first place that can be written to.
 * @throws Error whose message is the reason, without a full stop, where no place can be written to.
 */
export function storageFor(name: string, machine: Machine): string {
  const reasons: string[] = [];
  for (const place of storagePlaces(machine)) {
    const folder = join(place, name);
    try {
      mkdirSync(folder, { recursive: true });
      accessSync(folder, constants.W_OK);
      return folder;
    } catch (error) {
      reasons.push(`${folder} (${(error as Error).message})`);
    }
  }
  throw new Error(
    `nothing can be kept in ${reasons.join(" or ")}; name a folder that can be written to in XDG_CACHE_HOME`,
  );
}

export interface Placing {
  readonly place: string;
  /** Whether the folder that is already in the place can be used. */
  readonly isWhole: () => boolean;
  /** Fills the temporary folder that it is given. */
  readonly make: (temporary: string) => Promise<void>;
}

const unfinished = ".unfinished-";

/**
 * Temporary folders that are older than this, in milliseconds, belong to an interrupted start. Nothing that the sandbox
 * fetches takes as long.
 */
const abandonedAfterMs = 3_600_000;

/**
 * Fills a temporary folder and renames it when it is complete. An interrupted start therefore leaves nothing behind
 * that a later one would use. If two starts make the same folder, that of the first one stays.
 */
export async function placeWhole({ place, isWhole, make }: Placing): Promise<void> {
  const parent = dirname(place);
  removeAbandoned(parent);
  const workshop = mkdtempSync(join(parent, unfinished));
  const made = join(workshop, "made");
  try {
    mkdirSync(made);
    await make(made);
    if (moveTo(place, made) || isWhole()) return;
    // The folder that is in the place is damaged, so it is replaced.
    moveTo(join(workshop, "damaged"), place);
    moveTo(place, made);
  } finally {
    rmSync(workshop, { recursive: true, force: true });
  }
}

/** @returns whether the folder was moved; `false` where another folder is already in the place. */
function moveTo(place: string, folder: string): boolean {
  try {
    renameSync(folder, place);
    return true;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    // Windows reports EPERM where another folder is in the place.
    if (["ENOTEMPTY", "EEXIST", "EPERM"].includes(code)) return false;
    throw error;
  }
}

function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    const folder = join(parent, name);
    if (!name.startsWith(unfinished)) continue;
    const age = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Infinity);
    if (age > abandonedAfterMs) rmSync(folder, { recursive: true, force: true });
  }
}
