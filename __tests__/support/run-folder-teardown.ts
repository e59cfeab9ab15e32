import { rmSync } from "node:fs";

/** jest's globalTeardown: removes the folder that `run-folder.ts` has made. */
export default function teardown(): void {
  const { TEST_RUN_FOLDER: folder } = process.env;
  delete process.env.TEST_RUN_FOLDER;
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}
