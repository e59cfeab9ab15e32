import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { strToU8, zipSync, type Zippable } from "fflate";

/** The attributes of `data "archive_file"` that the stand-in knows, and their types. */
export const attributes = {
  type: { type: "string", required: true },
  source_dir: { type: "string", optional: true },
  source_file: { type: "string", optional: true },
  source_content: { type: "string", optional: true },
  source_content_filename: { type: "string", optional: true },
  output_path: { type: "string", required: true },
  output_file_mode: { type: "string", optional: true },
  output_size: { type: "number", computed: true },
  output_sha: { type: "string", computed: true },
  output_sha256: { type: "string", computed: true },
  output_base64sha256: { type: "string", computed: true },
  output_sha512: { type: "string", computed: true },
  output_base64sha512: { type: "string", computed: true },
  output_md5: { type: "string", computed: true },
  id: { type: "string", computed: true },
} as const;

export type ArchiveFile = Partial<Record<keyof typeof attributes, unknown>>;

/** Writes the zip and returns the data source's state. */
export function readArchiveFile(config: ArchiveFile): ArchiveFile {
  if (config.type !== "zip") throw new Error(`type "${String(config.type)}" is not known here: use "zip"`);
  const output = String(config.output_path);
  const mode = Number.parseInt(typeof config.output_file_mode === "string" ? config.output_file_mode : "0644", 8);
  const entries = Object.entries(readSources(config)).sort(([a], [b]) => (a < b ? -1 : 1));
  const zippable: Zippable = Object.fromEntries(
    entries.map(([name, content]) => [
      name,
      // The same files give the same bytes: one time, one mode, and names in order.
      [content, { mtime: new Date(1980, 0, 1), os: 3, attrs: ((0o100000 | mode) << 16) >>> 0 }],
    ]),
  );
  const zip = zipSync(zippable, { level: 9 });
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, zip);
  const digest = (algorithm: string, encoding: "hex" | "base64") => createHash(algorithm).update(zip).digest(encoding);
  return {
    ...config,
    output_size: zip.length,
    output_sha: digest("sha1", "hex"),
    output_sha256: digest("sha256", "hex"),
    output_base64sha256: digest("sha256", "base64"),
    output_sha512: digest("sha512", "hex"),
    output_base64sha512: digest("sha512", "base64"),
    output_md5: digest("md5", "hex"),
    id: digest("sha1", "hex"),
  };
}

function readSources({ source_dir, source_file, source_content, source_content_filename }: ArchiveFile) {
  if (typeof source_dir === "string") {
    const files = readdirSync(source_dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    if (files.length === 0) throw new Error(`source_dir "${source_dir}" holds no file`);
    return Object.fromEntries(
      files.map(({ parentPath, name }) => {
        const path = join(parentPath, name);
        return [path.slice(join(source_dir).length + 1).replaceAll("\\", "/"), new Uint8Array(readFileSync(path))];
      }),
    );
  }
  if (typeof source_file === "string") {
    return { [source_file.split(/[\\/]/).at(-1) ?? source_file]: new Uint8Array(readFileSync(source_file)) };
  }
  if (typeof source_content === "string" && typeof source_content_filename === "string") {
    return { [source_content_filename]: strToU8(source_content) };
  }
  throw new Error("one of source_dir, source_file, or source_content with source_content_filename is needed");
}
