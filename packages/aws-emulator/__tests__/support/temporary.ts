import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const made: string[] = [];

afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder of this test file, gone after it. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "event-driven-email-test-")));
  made.push(folder);
  return folder;
}

export function writeFiles(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  return folder;
}

/** Programs that are shell scripts, in a folder for PATH. */
export function programs(scripts: Readonly<Record<string, string>>, folder = temporaryFolder()): string {
  for (const [name, script] of Object.entries(scripts)) {
    writeFiles(folder, { [name]: script.startsWith("#!") ? script : `#!/bin/sh\n${script}\n` });
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}
