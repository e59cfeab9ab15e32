import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { strToU8 } from "fflate";
import { type Config } from "./config";
import { readSourceDirectory } from "./source-directory";
import { deterministicZip } from "./zip";

/**
 * The mode of every archived file if the configuration names none. The real provider would take the mode of each source
 * file, but a checkout's umask must not change the hash.
 */
const defaultMode = "0644";

/**
 * Writes the zip that a valid configuration describes, and returns the data source's state. All values have to be
 * known.
 */
export function readArchiveFile(config: Config): Config {
  const outputPath = text(config, "output_path");
  const mode = Number.parseInt((optionalText(config, "output_file_mode") ?? defaultMode).replace("o", ""), 8);
  const zip = deterministicZip(readSources(config, outputPath), mode);
  mkdirSync(dirname(outputPath), { recursive: true });
  writeFileSync(outputPath, zip);
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

function readSources(config: Config, outputPath: string): ReadonlyMap<string, Uint8Array> {
  const directory = optionalText(config, "source_dir");
  if (directory !== undefined) {
    return readSourceDirectory(directory, {
      excludes: list(config, "excludes").map(String),
      excludeSymlinkDirectories: config.exclude_symlink_directories === true,
      except: resolve(outputPath),
    });
  }
  const file = optionalText(config, "source_file");
  if (file !== undefined) {
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new Error(`source_file "${file}" is no file`);
    return new Map([[basename(file), new Uint8Array(readFileSync(file))]]);
  }
  const filename = optionalText(config, "source_content_filename");
  if (filename !== undefined) return new Map([[filename, strToU8(optionalText(config, "source_content") ?? "")]]);
  const blocks = list(config, "source") as Config[];
  return new Map(blocks.map((block) => [text(block, "filename"), strToU8(text(block, "content"))]));
}

function optionalText(config: Config, name: string): string | undefined {
  const value = config[name];
  return typeof value === "string" ? value : undefined;
}

function text(config: Config, name: string): string {
  const value = optionalText(config, name);
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

function list(config: Config, name: string): readonly unknown[] {
  const value = config[name];
  return Array.isArray(value) ? value : [];
}
