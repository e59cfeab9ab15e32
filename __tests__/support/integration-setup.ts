import { shareMotos } from "aws-emulator/testing/moto";
import { findChromium } from "../../sandbox/tools/chromium";
import { findMoto } from "../../sandbox/tools/moto";
import { missingRequirements } from "./requires";

/** Stops the shared moto servers. jest calls globalTeardown in the same process, so it finds the function here. */
declare global {
  var stopSharedMotos: (() => Promise<void>) | undefined;
}

/** jest's globalSetup of the integration tests. If tools are missing, it says so once, and no test is started. */
export default async function setup(): Promise<void> {
  const missing = missingRequirements();
  if (missing.length > 0) {
    const error = new Error(
      `The integration tests can't start:\n${missing.map((line) => `  - ${line}`).join("\n")}\n"npm start -- --once" fetches what is missing; "npm test" needs none of it.`,
    );
    // jest prints the stack, whose frames say nothing of use here.
    error.stack = error.message;
    throw error;
  }
  // The tests of the emulator can't import `sandbox/`, so they get the tools that were found through variables.
  const chromium = findChromium();
  if ("found" in chromium) process.env.CHROMIUM = chromium.found.value;
  const moto = findMoto();
  if ("found" in moto) process.env.MOTO_COMMAND = JSON.stringify(moto.found.value);
  globalThis.stopSharedMotos = await shareMotos();
}
