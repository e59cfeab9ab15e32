import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataArchiveFile } from "@cdktf/provider-archive/lib/data-archive-file";
import { AssetType, TerraformAsset } from "cdktf";
import { Construct } from "constructs";
import { buildSync } from "esbuild";

const projectRoot = join(__dirname, "..", "..");

/** The Lambda package: one minified module, zipped by Terraform. The same source gives the same bytes in any checkout. */
export class FunctionBundle extends Construct {
  /** Name of the handler as Lambda wants it. */
  readonly handler = "index.handler";
  readonly archive: DataArchiveFile;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const asset = new TerraformAsset(this, "source", { path: buildHandler(), type: AssetType.DIRECTORY });
    this.archive = new DataArchiveFile(this, "archive", {
      type: "zip",
      sourceDir: asset.path,
      outputPath: `${asset.path}.zip`,
      // Without it, the archive's hash follows the checkout's umask.
      outputFileMode: "0644",
    });
  }
}

function buildHandler(): string {
  const folder = mkdtempSync(join(tmpdir(), "handler-bundle-"));
  // The synth copies it into the stack's folder, at its very end.
  process.once("exit", () => {
    rmSync(folder, { recursive: true, force: true });
  });
  buildSync({
    entryPoints: ["handler/index.ts"],
    outfile: join(folder, "index.mjs"),
    bundle: true,
    platform: "node",
    target: "node22",
    format: "esm",
    mainFields: ["module", "main"],
    minify: true,
    // Both change the output: the working directory, and a tsconfig.json in a folder above.
    absWorkingDir: projectRoot,
    tsconfigRaw: {},
    // Libraries that are CommonJS inside ask for Node's own modules with `require`.
    banner: { js: `import{createRequire}from"node:module";const require=createRequire(import.meta.url);` },
    logLevel: "error",
  });
  return folder;
}
