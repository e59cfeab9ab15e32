import { createHash } from "node:crypto";
import { chmodSync, readFileSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { ExtData } from "@msgpack/msgpack";
import { strFromU8, unzipSync } from "fflate";
import { readArchiveFile } from "../../../sandbox/archive-provider/archive-file";
import { type Config, problemsOf } from "../../../sandbox/archive-provider/config";
import { globToRegExp } from "../../../sandbox/archive-provider/source-directory";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";

function archive(config: Config): { state: Config; files: Record<string, string> } {
  const output_path = join(temporaryFolder(), "made", "out.zip");
  const state = readArchiveFile({ type: "zip", output_path, ...config });
  const files = unzipSync(new Uint8Array(readFileSync(String(state.output_path))));
  return { state, files: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strFromU8(text)])) };
}

describe("the zip of a folder", () => {
  it("is the same for the same files, whatever their times, modes and order are", () => {
    const one = writeFiles(temporaryFolder(), { "index.mjs": "code", "lib/a.txt": "a", "10": "ten", "9": "nine" });
    const two = writeFiles(temporaryFolder(), { "9": "nine", "10": "ten", "lib/a.txt": "a", "index.mjs": "code" });
    utimesSync(join(two, "index.mjs"), new Date(0), new Date("2031-05-06T07:08:09Z"));
    chmodSync(join(two, "index.mjs"), 0o755);
    chmodSync(join(two, "lib"), 0o700);
    const hashes = [one, two].map((source_dir) => archive({ source_dir }).state.output_base64sha256);
    expect(hashes[0]).toBe(hashes[1]);
    writeFiles(two, { "lib/a.txt": "b" });
    expect(archive({ source_dir: two }).state.output_base64sha256).not.toBe(hashes[0]);
  });

  it("does not follow the time zone", () => {
    const source_dir = writeFiles(temporaryFolder(), { a: "a" });
    const before = process.env.TZ;
    const hashes = ["UTC", "Asia/Tokyo", "America/Los_Angeles"].map((TZ) => {
      process.env.TZ = TZ;
      return archive({ source_dir }).state.output_sha256;
    });
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
    expect(new Set(hashes).size).toBe(1);
  });

  it("gives every file one time, and the mode that is asked for", () => {
    const source_dir = writeFiles(temporaryFolder(), { a: "a" });
    const entryOf = (output_file_mode: string | null) => {
      const zip = readFileSync(String(archive({ source_dir, output_file_mode }).state.output_path));
      const entry = zip.subarray(zip.indexOf("PK\u0001\u0002", 0, "latin1"));
      const date = entry.readUInt16LE(14);
      return {
        time: entry.readUInt16LE(12),
        date: [(date >>> 9) + 1980, (date >>> 5) & 15, date & 31],
        mode: (entry.readUInt32LE(38) >>> 16).toString(8),
      };
    };
    expect(entryOf("0755")).toEqual({ time: 0, date: [1980, 1, 1], mode: "100755" });
    expect(entryOf(null)).toMatchObject({ mode: "100644" });
  });

  it("has the sizes and hashes of the file that was written", () => {
    const { state } = archive({ source_dir: writeFiles(temporaryFolder(), { a: "a" }) });
    const zip = readFileSync(String(state.output_path));
    const digest = (name: string, form: "hex" | "base64") => createHash(name).update(zip).digest(form);
    expect(state).toMatchObject({
      output_size: zip.length,
      output_sha: digest("sha1", "hex"),
      output_sha256: digest("sha256", "hex"),
      output_base64sha256: digest("sha256", "base64"),
      output_sha512: digest("sha512", "hex"),
      output_base64sha512: digest("sha512", "base64"),
      output_md5: digest("md5", "hex"),
      id: digest("sha1", "hex"),
    });
  });

  it("leaves out what is excluded, by name, by folder and by pattern", () => {
    const source_dir = writeFiles(temporaryFolder(), {
      "index.mjs": "",
      "index.mjs.map": "",
      "lib/deep/b.map": "",
      "lib/deep/b.mjs": "",
      "docs/readme.md": "",
    });
    const { files } = archive({ source_dir, excludes: ["docs", "**/*.map"] });
    expect(Object.keys(files)).toEqual(["index.mjs", "lib/deep/b.mjs"]);
  });

  it("follows links, but for folders where that is switched off", () => {
    const elsewhere = writeFiles(temporaryFolder(), { "inside.txt": "inside" });
    const source_dir = writeFiles(temporaryFolder(), { "file.txt": "file" });
    symlinkSync(elsewhere, join(source_dir, "folder"));
    symlinkSync(join(elsewhere, "inside.txt"), join(source_dir, "link.txt"));
    expect(archive({ source_dir }).files).toEqual({
      "file.txt": "file",
      "folder/inside.txt": "inside",
      "link.txt": "inside",
    });
    expect(archive({ source_dir, exclude_symlink_directories: true }).files).toEqual({
      "file.txt": "file",
      "link.txt": "inside",
    });
  });

  it("names the folder whose link leads back to it", () => {
    const source_dir = writeFiles(temporaryFolder(), { "a/file": "" });
    symlinkSync(source_dir, join(source_dir, "a", "loop"));
    expect(() => archive({ source_dir })).toThrow(`"${join(source_dir, "a", "loop")}" leads back to "${source_dir}"`);
  });

  it("does not hold itself", () => {
    const source_dir = writeFiles(temporaryFolder(), { a: "a" });
    const config = { source_dir, output_path: join(source_dir, "out.zip") };
    expect(archive(config).state.output_sha).toBe(archive(config).state.output_sha);
    expect(Object.keys(archive(config).files)).toEqual(["a"]);
  });

  it.each([
    ["is missing", () => "/nowhere/bundle", 'source_dir "/nowhere/bundle" is no folder'],
    ["is empty", temporaryFolder, "holds no file to archive"],
  ])("can't be made where the folder %s", (_, folder, message) => {
    expect(() => archive({ source_dir: folder() })).toThrow(message);
  });
});

describe("the zip of other sources", () => {
  it("holds one file under its name", () => {
    const folder = writeFiles(temporaryFolder(), { "deep/handler.mjs": "code" });
    expect(archive({ source_file: join(folder, "deep/handler.mjs") }).files).toEqual({ "handler.mjs": "code" });
    expect(() => archive({ source_file: "/nowhere/a.mjs" })).toThrow('source_file "/nowhere/a.mjs" is no file');
  });

  it("holds given content", () => {
    expect(archive({ source_content: "é", source_content_filename: "a/b.txt" }).files).toEqual({ "a/b.txt": "é" });
  });

  it("is the same for the same blocks in any order", () => {
    const blocks = [
      { filename: "b", content: "2" },
      { filename: "a", content: "1" },
    ];
    const one = archive({ source: blocks });
    expect(one.files).toEqual({ a: "1", b: "2" });
    expect(archive({ source: [...blocks].reverse() }).state.output_sha).toBe(one.state.output_sha);
  });
});

it.each([
  ["*.map", ["a.map"], ["deep/a.map", "a.mapx"]],
  ["**/*.map", ["a.map", "deep/er/a.map"], ["a.maps"]],
  ["deep/**", ["deep", "deep/a", "deep/er/a"], ["deeper"]],
  ["a?.{md,txt}", ["ab.md", "ab.txt"], ["abc.md", "a.md"]],
  ["a+(b).txt", ["a+(b).txt"], ["aab.txt"]],
  ["one, two", ["one, two"], ["one", " two"]],
])("reads the pattern %s as the real provider does", (glob, matching, others) => {
  const pattern = globToRegExp(glob);
  expect(matching.filter((name) => !pattern.test(name))).toEqual([]);
  expect(others.filter((name) => pattern.test(name))).toEqual([]);
});

describe("a configuration", () => {
  const messages = (config: Config) => problemsOf(config).map(({ attribute, message }) => `${attribute}: ${message}`);

  it("needs a source, and no more than one", () => {
    expect(messages({ type: "zip", source: [] })).toEqual([
      "source_dir: One of source, source_content_filename, source_file, source_dir is needed.",
    ]);
    expect(messages({ type: "zip", source_file: "a", source_dir: "b" })).toEqual([
      "source_dir: It can't be set together with source_file.",
    ]);
    expect(messages({ type: "zip", source: [{ filename: "a", content: "a" }] })).toEqual([]);
  });

  it("is not judged by what is not known yet", () => {
    const unknown = new ExtData(0, new Uint8Array(1));
    expect(messages({ type: unknown, source_dir: unknown, output_file_mode: unknown })).toEqual([]);
    expect(messages({ type: "zip", source_dir: unknown, source_file: "a" })).toHaveLength(1);
  });

  it.each([
    [{ type: "tar.gz" }, 'type: "tar.gz" is not known to the stand-in: use "zip".'],
    [{ output_file_mode: "644" }, 'output_file_mode: "644" is no octal file mode'],
    [{ output_file_mode: "0999" }, 'output_file_mode: "0999" is no octal file mode'],
  ])("%j is refused", (config, message) => {
    expect(messages({ source_dir: "a", ...config })).toEqual([expect.stringContaining(message)]);
  });
});
