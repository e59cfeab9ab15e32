import { shareMotos } from "aws-emulator/testing/moto";
import { findChromium } from "../../sandbox/tools/chromium";
import { findMoto } from "../../sandbox/tools/moto";
import { missingRequirements } from "./requires";

/** What globalTeardown, which jest calls in the same process, has to stop. */
declare global {
  var stopSharedMotos: (() => Promise<void>) | undefined;
}

/** jest's globalSetup of the integration tests: what is missing is said once, and no test is started. */
export default async function setup(): Promise<void> {
  const missing = missingRequirements();
  if (missing.length > 0) {
    const error = new Error(
      `The integration tests can't start:\n${missing.map((line) => `  - ${line}`).join("\n")}\n"npm start -- --once" fetches what is missing; "npm test" needs none of it.`,
    );
    // jest prints the stack, which says nothing here.
    error.stack = error.message;
    throw error;
  }
  // The emulator's own tests know nothing of `sandbox/`, and so not what was found.
  const chromium = findChromium();
  if ("found" in chromium) process.env.CHROMIUM = chromium.found.value;
  const moto = findMoto();
  if ("found" in moto) process.env.MOTO_COMMAND = JSON.stringify(moto.found.value);
  globalThis.stopSharedMotos = await shareMotos();
}
