import { accessSync, constants, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Machine } from "./lookup";

/** Where the sandbox keeps what it fetched, best first: the checkout, and for a read-only checkout the user's cache. */
export function storagePlaces({ directory, home, environment, platform }: Machine): readonly [string, string] {
  const ofPlatform = platform === "darwin" ? join(home, "Library", "Caches") : join(home, ".cache");
  const cache = environment.XDG_CACHE_HOME ? environment.XDG_CACHE_HOME : ofPlatform;
  return [join(directory, ".sandbox"), join(cache, "event-driven-email")];
}

/**
 * Makes a folder in the first place that can be written to.
 * @throws Error with the reason, without a full stop, where there is none.
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
  /** Whether what stands in its place can be used. */
  readonly isWhole: () => boolean;
  /** Fills the folder that it is given. */
  readonly make: (temporary: string) => Promise<void>;
}

const unfinished = ".unfinished-";

/** What is older than this was interrupted; nothing that the sandbox fetches takes as long. */
const abandonedAfterMs = 3_600_000;

/**
 * Makes a folder under a name of its own and renames it when it is whole, so that an interrupted start leaves nothing
 * behind that a later one would take. Where two starts make the same, the first one's folder stays.
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
    // What stands there is damaged.
    moveTo(join(workshop, "damaged"), place);
    moveTo(place, made);
  } finally {
    rmSync(workshop, { recursive: true, force: true });
  }
}

/** @returns whether it was moved; it is not where another folder stands. */
function moveTo(place: string, folder: string): boolean {
  try {
    renameSync(folder, place);
    return true;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    // EPERM: so says Windows.
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
