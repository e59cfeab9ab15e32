import { type RunningMoto, startMoto as startMotoOf } from "../../sandbox/moto";
import { findMoto } from "../../sandbox/tools/moto";

/** A moto of the test's own. Where none is installed the test fails: what the door mends is moto's own answers. */
export async function startMoto(): Promise<RunningMoto> {
  const lookup = findMoto();
  if ("missing" in lookup) throw new Error(lookup.missing);
  return startMotoOf({ moto: lookup.found });
}
