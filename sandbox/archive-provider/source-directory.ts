import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join, posix } from "node:path";

interface ReadOptions {
  readonly excludes: readonly string[];
  readonly excludeSymlinkDirectories: boolean;
  /** A file that is left out: the archive itself, which may be in the folder. */
  readonly except: string;
}

/** Reads the files of a folder. The keys are their paths in the folder, with `/` on every platform. */
export function readSourceDirectory(root: string, options: ReadOptions): Map<string, Uint8Array> {
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`source_dir "${root}" is no folder`);
  const patterns = options.excludes.map(globToRegExp);
  const files = new Map<string, Uint8Array>();
  const visit = (folder: string, within: string, ancestors: readonly string[]) => {
    const real = realpathSync(join(root, within));
    if (ancestors.includes(real)) throw new Error(`"${folder}" leads back to "${real}", which holds it`);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const name = posix.join(within, entry.name);
      const path = join(folder, entry.name);
      if (path === options.except || patterns.some((pattern) => pattern.test(name))) continue;
      // A link counts as what it leads to, as in the real provider.
      if (statSync(path).isDirectory()) {
        if (!(entry.isSymbolicLink() && options.excludeSymlinkDirectories)) visit(path, name, [...ancestors, real]);
      } else {
        files.set(name, new Uint8Array(readFileSync(path)));
      }
    }
  };
  visit(root, "", []);
  if (files.size === 0) throw new Error(`source_dir "${root}" holds no file to archive`);
  return files;
}

/**
 * Translates a glob as the real provider's library reads it: `*`, `?` and `{a,b}` match within one name, `**` across
 * folders.
 */
export function globToRegExp(glob: string): RegExp {
  const tokens = glob.match(/\*\*\/|\/\*\*$|\*\*|[*?{},]|[^*?{},/]+|\//g) ?? [];
  const meaning: Record<string, string> = {
    "**/": "(?:.*/)?",
    "/**": "(?:/.*)?",
    "**": ".*",
    "*": "[^/]*",
    "?": "[^/]",
    "{": "(?:",
    "}": ")",
    ",": glob.includes("{") ? "|" : ",",
  };
  const source = tokens.map((token) => meaning[token] ?? token.replace(/[.+^$()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${source.join("")}$`);
}
