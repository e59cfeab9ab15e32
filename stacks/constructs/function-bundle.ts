import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataArchiveFile } from "@cdktf/provider-archive/lib/data-archive-file";
import { AssetType, TerraformAsset } from "cdktf";
import { Construct } from "constructs";
import { buildSync } from "esbuild";
import { type PackagedTemplates } from "../../handler/contract/template-data";

/** The Node.js version of Lambda's runtime, for which the bundle is built. */
export const nodeVersion = 22;

const projectRoot = join(__dirname, "..", "..");

export interface FunctionBundleProps {
  readonly templates: PackagedTemplates;
}

/**
 * The Lambda package: one minified module, which Terraform zips. The same source gives the same bytes in any checkout.
 */
export class FunctionBundle extends Construct {
  /** The handler's name in the form that Lambda expects. */
  readonly handler = "index.handler";
  readonly archive: DataArchiveFile;

  constructor(scope: Construct, id: string, { templates }: FunctionBundleProps) {
    super(scope, id);
    const asset = new TerraformAsset(this, "source", { path: buildHandler(templates), type: AssetType.DIRECTORY });
    this.archive = new DataArchiveFile(this, "archive", {
      type: "zip",
      sourceDir: asset.path,
      outputPath: `${asset.path}.zip`,
      // Without this mode, the archive's hash would depend on the checkout's umask.
      outputFileMode: "0644",
    });
  }
}

/**
 * Folders of the bundles that this process has built, by their templates. The source does not change while the
 * process runs.
 */
const built = new Map<string, string>();

function buildHandler(packaged: PackagedTemplates): string {
  const templates = JSON.stringify(packaged);
  const folder = built.get(templates) ?? bundleInto(mkdtempSync(join(tmpdir(), "handler-bundle-")), templates);
  built.set(templates, folder);
  return folder;
}

function bundleInto(folder: string, templates: string): string {
  // The folder is needed until the end of the process: the last thing that the synth does is to copy it into the
  // stack's folder.
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
    // handler/index.ts reads TEMPLATES, so the package names the templates that it was built with, and what they read.
    define: { TEMPLATES: templates },
    // Without these two, the output would depend on the working directory, and on a tsconfig.json in a folder above.
    absWorkingDir: projectRoot,
    tsconfigRaw: {},
    // Bundled CommonJS libraries call `require` for Node's own modules, and an ES module does not have it.
    banner: { js: `import{createRequire}from"node:module";const require=createRequire(import.meta.url);` },
    logLevel: "error",
  });
  return folder;
}
