import { findMoto } from "../../sandbox/tools/moto";

/** Once before all tests: tells the emulator's own tests, which know nothing of `sandbox/`, which moto was found. */
export default function setup(): void {
  const lookup = findMoto();
  if ("found" in lookup) process.env.MOTO_COMMAND = JSON.stringify(lookup.found.value);
}
