import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, chromium, type Page } from "playwright-core";
import { inherit, ofEveryProgram } from "../../src/processes/child-environment";

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

/** @param program the path of a Chromium; @default the one that the variable CHROMIUM names */
export async function launchChromium(words: readonly string[] = [], program = process.env.CHROMIUM): Promise<Browser> {
  if (program === undefined) throw new Error("There is no Chromium: name its path in CHROMIUM.");
  return chromium.launch({ executablePath: program, args: [...ARGS, ...words], env: inherit(ofEveryProgram) });
}

/** A `describe` that needs a Chromium: without one it fails in CI, and elsewhere it is skipped and says why. */
export function describeWithChromium(title: string, body: () => void): void {
  if (process.env.CHROMIUM !== undefined) {
    describe(title, body);
    return;
  }
  const isSkipped = process.env.CI !== "true";
  const reason = "There is no Chromium: install one, or name its path in CHROMIUM.";
  if (isSkipped) process.stderr.write(`Skipped: ${title}. ${reason}\n`);
  describe(title, () => {
    (isSkipped ? it.skip : it)("finds a Chromium", () => {
      throw new Error(reason);
    });
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

/** What axe finds against WCAG 2.2 AA and its own best practices. A mail's frame is its sender's. */
export async function violations(page: Page): Promise<unknown[]> {
  // In legacy mode it looks at this page alone, and runs nothing in the frame, which allows no script.
  // Without the option, it describes each element of the page for each rule that the element keeps, which takes far
  // longer than to check them (https://github.com/dequelabs/axe-core/blob/develop/doc/API.md#options-parameter).
  const axe = new AxeBuilder({ page }).setLegacyMode(true).options({ resultTypes: ["violations"] });
  const found = await axe.exclude("iframe").analyze();
  return found.violations.map(({ id, nodes }) => ({
    id,
    nodes: nodes.map(({ target, failureSummary }) => [target.join(" "), failureSummary]),
  }));
}
