import { zipSync } from "fflate";

/** The file type "regular file" in the external attributes of a zip entry, as Unix writes them. */
const regularFile = 0o100000;
const unix = 3;

/**
 * Makes a zip. The same files give the same bytes, whatever their times, modes and order are.
 * @param mode of every file in the archive.
 */
export function deterministicZip(files: ReadonlyMap<string, Uint8Array>, mode: number): Uint8Array {
  const entries = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  // This is the first day that a zip can hold. It is in local time, because fflate writes what the local clock shows.
  const mtime = new Date(1980, 0, 1);
  const attrs = ((regularFile | mode) << 16) >>> 0;
  return zipSync(Object.fromEntries(entries.map(([name, content]) => [name, [content, { mtime, attrs, os: unix }]])), {
    level: 9,
  });
}
