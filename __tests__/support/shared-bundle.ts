import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import type * as Esbuild from "esbuild";

/**
 * Each test file loads its modules anew, and nearly each file that synthesizes a stack would bundle the same function
 * again, in an esbuild process of its own. Here, the first file of a run builds a bundle, and the others get a copy of
 * it. The folder is made for the run (`run-folder.ts`), so that no bundle of an older source is left in it.
 */
jest.mock("esbuild", () => ({
  buildSync: ({ outfile = "", ...options }: Esbuild.BuildOptions): void => {
    const { buildSync } = jest.requireActual<typeof Esbuild>("esbuild");
    const folder = process.env.TEST_RUN_FOLDER;
    if (folder === undefined) {
      buildSync({ ...options, outfile });
      return;
    }
    const key = createHash("sha256").update(JSON.stringify(options)).digest("hex");
    const shared = join(folder, `${key}.cjs`);
    if (!existsSync(shared)) {
      // Another worker may build it at the same time, and none may read a half of it.
      const own = join(folder, `${process.pid}-${key}.cjs`);
      buildSync({ ...options, outfile: own });
      renameSync(own, shared);
    }
    mkdirSync(dirname(outfile), { recursive: true });
    copyFileSync(shared, outfile);
  },
}));
