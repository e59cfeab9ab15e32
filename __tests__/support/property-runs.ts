/** The share of the runs that a developer waits for. CI runs all. */
const shareOutsideCi = 0.1;

/**
 * How often a property is tried: `full` times where `CI` is set, as GitHub and most others set it, and a tenth of that
 * elsewhere. Both begin with the same seed, so what a short run finds, a full run finds as well.
 */
export function propertyRuns(full: number): number {
  return process.env.CI ? full : Math.ceil(full * shareOutsideCi);
}
