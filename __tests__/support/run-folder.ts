import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** jest's globalSetup: makes a folder for what the test files of one run share. The workers inherit the variable. */
export default function setup(): void {
  process.env.TEST_RUN_FOLDER = mkdtempSync(join(tmpdir(), "test-run-"));
}
