import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataArchiveFile } from "@cdktf/provider-archive/lib/data-archive-file";
import { AssetType, TerraformAsset } from "cdktf";
import { Construct } from "constructs";
import { buildSync } from "esbuild";

/** Of Lambda's runtime, which the bundle is built for. */
export const nodeVersion = 22;

const projectRoot = join(__dirname, "..", "..");

export interface FunctionBundleProps {
  /** Notification id to the hash of its template's content. */
  readonly templateHashes: Readonly<Record<string, string>>;
}

/** The Lambda package: one minified module, zipped by Terraform. The same source gives the same bytes in any checkout. */
export class FunctionBundle extends Construct {
  /** Name of the handler as Lambda wants it. */
  readonly handler = "index.handler";
  readonly archive: DataArchiveFile;

  constructor(scope: Construct, id: string, { templateHashes }: FunctionBundleProps) {
    super(scope, id);
    const asset = new TerraformAsset(this, "source", { path: buildHandler(templateHashes), type: AssetType.DIRECTORY });
    this.archive = new DataArchiveFile(this, "archive", {
      type: "zip",
      sourceDir: asset.path,
      outputPath: `${asset.path}.zip`,
      // Without it, the archive's hash follows the checkout's umask.
      outputFileMode: "0644",
    });
  }
}

/** Folders of the bundles that this process has built, by their templates: the source does not change meanwhile. */
const built = new Map<string, string>();

function buildHandler(templateHashes: Readonly<Record<string, string>>): string {
  const hashes = JSON.stringify(templateHashes);
  const folder = built.get(hashes) ?? bundleInto(mkdtempSync(join(tmpdir(), "handler-bundle-")), hashes);
  built.set(hashes, folder);
  return folder;
}

function bundleInto(folder: string, templateHashes: string): string {
  // The synth copies it into the stack's folder, at its very end.
  process.once("exit", () => {
    rmSync(folder, { recursive: true, force: true });
  });
  buildSync({
    entryPoints: ["handler/index.ts"],
    outfile: join(folder, "index.mjs"),
    bundle: true,
    platform: "node",
    target: `node${nodeVersion}`,
    format: "esm",
    mainFields: ["module", "main"],
    minify: true,
    // The package names the templates that it was built with: handler/index.ts.
    define: { TEMPLATE_HASHES: templateHashes },
    // Both change the output: the working directory, and a tsconfig.json in a folder above.
    absWorkingDir: projectRoot,
    tsconfigRaw: {},
    // Libraries that are CommonJS inside ask for Node's own modules with `require`.
    banner: { js: `import{createRequire}from"node:module";const require=createRequire(import.meta.url);` },
    logLevel: "error",
  });
  return folder;
}
