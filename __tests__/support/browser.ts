import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { inheritedBy } from "../../sandbox/child-environment";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];
const MISSING = `Chromium is missing: install it (Debian: apt-get install chromium) or name it in CHROMIUM. Looked for ${NAMES.join(", ")} on PATH.`;

/** Nothing that phones home, and no sandbox of its own: tests may run as root in a container. */
const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const isExecutable = (path: string) => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

function findChromium(): string | undefined {
  const named = process.env.CHROMIUM;
  if (named) return isExecutable(named) ? named : undefined;
  const folders = (process.env.PATH ?? "").split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

const executablePath = findChromium();

/** A `describe` that needs a browser: without one it fails in CI, and elsewhere it is skipped and says why. */
export function describeInChromium(name: string, body: () => void): void {
  if (executablePath) {
    describe(name, body);
  } else if (process.env.CI === "true") {
    describe(name, () => {
      it("finds Chromium", () => {
        throw new Error(MISSING);
      });
    });
  } else {
    process.stderr.write(`Skipped: ${name}. ${MISSING}\n`);
    describe.skip(name, body);
  }
}

export async function launchChromium(...words: readonly string[]): Promise<Browser> {
  if (!executablePath) throw new Error(MISSING);
  return chromium.launch({ executablePath, args: [...ARGS, ...words], env: inheritedBy("any") });
}

/**
 * Waits until the value is as expected; fails with jest's own difference when it never gets there.
 * A page renders when it has fetched what it shows, so everything that it is expected to show is waited for.
 */
export async function eventually(read: () => unknown, expected: unknown): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      expect(await read()).toEqual(expected);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
