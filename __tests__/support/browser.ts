import { type Browser, chromium } from "playwright-core";
import { inheritedBy } from "../../sandbox/child-environment";
import { findChromium } from "../../sandbox/tools/chromium";

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

/** @throws Error where there is none: a suite that can do without is one of `describeWith(["chromium"], ..)`. */
export async function launchChromium(...words: readonly string[]): Promise<Browser> {
  const lookup = findChromium();
  if ("missing" in lookup) throw new Error(lookup.missing);
  return chromium.launch({
    executablePath: lookup.found.value,
    args: [...ARGS, ...words],
    env: inheritedBy("any"),
  });
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
