import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { catalogue } from "../../handler/notifications";
import { editionsOf } from "../../handler/notifications/editions";
import { readArchiveFile } from "../../sandbox/archive-provider/archive-file";
import { standInTerraform } from "../support/stand-in-terraform";

const root = join(__dirname, "..", "..");
const TERRAFORM_BINARY_NAME = standInTerraform();

/** Makes a second checkout of the project in another folder. */
function checkOut(): string {
  const checkout = join(mkdtempSync(join(tmpdir(), "another-checkout-")), "deeper", "project");
  for (const name of ["main.ts", "stacks", "handler", "package.json", "tsconfig.json", "cdktf.json"]) {
    cpSync(join(root, name), join(checkout, name), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(checkout, "node_modules"));
  return checkout;
}

interface Bundle {
  readonly source: string;
  readonly hash: unknown;
  /** Names of the stored templates. */
  readonly templateNames: readonly string[];
}

/** Synthesizes in the checkout, and zips the bundle as Terraform would. */
function bundleIn(checkout: string): Bundle {
  const outdir = mkdtempSync(join(tmpdir(), "synth-"));
  execFileSync(process.execPath, ["--import", "tsx", "main.ts"], {
    cwd: checkout,
    env: { PATH: process.env.PATH, TERRAFORM_BINARY_NAME, CDKTF_OUTDIR: outdir, STAGE: "sandbox" },
  });
  const assets = join(outdir, "stacks", "notification-sandbox", "assets");
  const asset = readdirSync(assets, { recursive: true, encoding: "utf8" }).find((name) => name.endsWith("index.cjs"));
  const folder = join(assets, asset ?? "", "..");
  expect(readdirSync(folder)).toEqual(["index.cjs"]);
  const { output_base64sha256 } = readArchiveFile({
    type: "zip",
    source_dir: folder,
    output_path: join(outdir, "bundle.zip"),
    output_file_mode: "0644",
  });
  const { resource } = JSON.parse(
    readFileSync(join(outdir, "stacks", "notification-sandbox", "cdk.tf.json"), "utf8"),
  ) as { resource: { aws_ses_template: Record<string, { name: string }> } };
  return {
    source: readFileSync(join(folder, "index.cjs"), "utf8"),
    hash: output_base64sha256,
    templateNames: Object.values(resource.aws_ses_template).map(({ name }) => name),
  };
}

const here = bundleIn(root);

it.each([
  ["the languages of Zod", "Ogiltig"],
  ["credentials from SSO", "sso_start_url"],
  ["credentials from a web identity", "AssumeRoleWithWebIdentity"],
  ["credentials from a metadata service", "169.254.170.2"],
  ["streams of events", ":message-type"],
])("does not carry %s, which each cold start would read", (_, text) => {
  expect(here.source).not.toContain(text);
});

it("loads Node's modules by require alone: an import of node:http loads its WebSocket client as well", () => {
  expect(here.source).toContain('require("node:http")');
  expect(here.source).not.toContain("import(");
});

it("has the same hash in two checkouts in different folders", () => {
  expect(here.hash).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  expect(bundleIn(checkOut()).hash).toBe(here.hash);
});

it("names the templates that it was synthesized with", () => {
  expect(here.templateNames).toHaveLength(catalogue.flatMap(editionsOf).length);
  for (const name of here.templateNames) expect(here.source).toContain(`"${name.slice(-8)}"`);
});

it("is another one where a template is", () => {
  const checkout = checkOut();
  const file = join(checkout, "handler", "notifications", "email-request", "body.txt");
  writeFileSync(file, `${readFileSync(file, "utf8")}Kind regards\n`);
  const changed = bundleIn(checkout);
  expect(changed.hash).not.toBe(here.hash);
  expect(changed.templateNames.filter((name) => !here.templateNames.includes(name))).toEqual([
    expect.stringMatching(/^email-automation-sandbox-email-request-[0-9a-f]{8}$/),
  ]);
});

it("has the same hash and the same templates where line ends are those of Windows", () => {
  const checkout = checkOut();
  for (const folder of ["handler", "stacks"]) {
    for (const name of readdirSync(join(checkout, folder), { recursive: true, encoding: "utf8" })) {
      const file = join(checkout, folder, name);
      if (statSync(file).isFile()) writeFileSync(file, readFileSync(file, "utf8").replaceAll("\n", "\r\n"));
    }
  }
  // The hash of each template's content is a part of its name.
  expect(bundleIn(checkout)).toEqual(here);
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
