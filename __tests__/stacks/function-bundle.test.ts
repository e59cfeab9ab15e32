import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readArchiveFile } from "../../sandbox/archive-provider/archive-file";

const root = join(__dirname, "..", "..");

/** Synthesizes in a checkout of its own, and zips the bundle as Terraform would. */
function hashOfBundleIn(checkout: string): unknown {
  return synthesizeIn(checkout).hash;
}

function synthesizeIn(checkout: string) {
  const outdir = mkdtempSync(join(tmpdir(), "synth-"));
  execFileSync(process.execPath, ["--import", "tsx", "main.ts"], {
    cwd: checkout,
    env: { PATH: process.env.PATH, CDKTF_OUTDIR: outdir, STAGE: "sandbox" },
  });
  const assets = join(outdir, "stacks", "notification-sandbox", "assets");
  const asset = readdirSync(assets, { recursive: true, encoding: "utf8" }).find((name) => name.endsWith("index.mjs"));
  const folder = join(assets, asset ?? "", "..");
  expect(readdirSync(folder)).toEqual(["index.mjs"]);
  const { output_base64sha256 } = readArchiveFile({
    type: "zip",
    source_dir: folder,
    output_path: join(outdir, "bundle.zip"),
    output_file_mode: "0644",
  });
  const stack = readFileSync(join(outdir, "stacks", "notification-sandbox", "cdk.tf.json"), "utf8");
  const { resource } = JSON.parse(stack) as { resource: Record<string, unknown> };
  return { hash: output_base64sha256, templates: resource.aws_ses_template };
}

function copyOfCheckout(): string {
  const checkout = join(mkdtempSync(join(tmpdir(), "another-checkout-")), "deeper", "project");
  for (const name of ["main.ts", "stacks", "handler", "package.json", "tsconfig.json", "cdktf.json"]) {
    cpSync(join(root, name), join(checkout, name), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(checkout, "node_modules"));
  return checkout;
}

it("has the same hash in two checkouts in different folders", () => {
  const checkout = copyOfCheckout();
  const hash = hashOfBundleIn(root);
  expect(hash).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  expect(hashOfBundleIn(checkout)).toBe(hash);
});

it("has the same hash and the same templates where line ends are those of Windows", () => {
  const checkout = copyOfCheckout();
  for (const folder of ["handler", "stacks"]) {
    for (const name of readdirSync(join(checkout, folder), { recursive: true, encoding: "utf8" })) {
      const file = join(checkout, folder, name);
      if (statSync(file).isFile()) writeFileSync(file, readFileSync(file, "utf8").replaceAll("\n", "\r\n"));
    }
  }
  const ofWindows = synthesizeIn(checkout);
  expect(JSON.stringify(ofWindows.templates)).not.toContain("\\r");
  expect(ofWindows).toEqual(synthesizeIn(root));
});

it("zips the same files to the same bytes, whatever their times and modes", () => {
  const zip = (folder: string) => {
    const output = join(mkdtempSync(join(tmpdir(), "zip-")), "out.zip");
    readArchiveFile({ type: "zip", source_dir: folder, output_path: output, output_file_mode: "0644" });
    return createHash("sha256").update(readFileSync(output)).digest("hex");
  };
  const copy = mkdtempSync(join(tmpdir(), "copy-"));
  cpSync(join(root, "handler"), copy, { recursive: true });
  execFileSync("chmod", ["-R", "700", copy]);
  expect(zip(copy)).toBe(zip(join(root, "handler")));
});

it("names a folder that is not there", () => {
  expect(() => readArchiveFile({ type: "zip", source_dir: "no-such-folder", output_path: "x.zip" })).toThrow(
    /no-such-folder/,
  );
});
