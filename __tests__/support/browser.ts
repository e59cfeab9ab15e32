import { launchChromium as launch } from "aws-emulator/testing/browser";
import { type Browser } from "playwright-core";
import { findChromium } from "../../sandbox/tools/chromium";

/** @throws Error that says how to get Chromium, where it is missing. */
export async function launchChromium(): Promise<Browser> {
  const lookup = findChromium();
  if ("missing" in lookup) throw new Error(lookup.missing);
  return launch([], lookup.found.value);
}
