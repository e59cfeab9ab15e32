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

/** Packages of the AWS SDK that a smaller module of ours replaces. */
const standIns = { "@aws-sdk/credential-provider-node": "./handler/adapters/environment-credentials.ts" };

/**
 * Packages that the SDK loads only for an operation that the function does not call: no operation of SES, DynamoDB or
 * SQS answers with a stream of events.
 */
const neverLoaded = ["@smithy/core/event-streams"];

export interface FunctionBundleProps {
  readonly templates: PackagedTemplates;
}

/**
 * The Lambda package: one minified module, which Terraform zips. The same source gives the same bytes in any checkout.
 * docs/decisions/0026-a-small-package.md has the reasons and the figures of what is left out.
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
    outfile: join(folder, "index.cjs"),
    bundle: true,
    platform: "node",
    target: `node${nodeVersion}`,
    // In Node.js 22, an ES module that imports node:http loads its WebSocket client too
    // (https://github.com/nodejs/node/issues/57649). `require` does not. Without `dynamic-import`, the SDK's
    // `import("node:http")` becomes a `require` as well.
    format: "cjs",
    supported: { "dynamic-import": false },
    mainFields: ["module", "main"],
    alias: standIns,
    external: neverLoaded,
    minify: true,
    // handler/index.ts reads TEMPLATES, so the package names the templates that it was built with, and what they read. It
    // is a text, because esbuild makes a module of an object, and a call to it in each of the other modules.
    define: { TEMPLATES: JSON.stringify(templates) },
    // Without these two, the output would depend on the working directory, and on a tsconfig.json in a folder above.
    absWorkingDir: projectRoot,
    tsconfigRaw: {},
    logLevel: "error",
  });
  return folder;
}
