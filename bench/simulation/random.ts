/** Returns the next random number, from 0 (included) to 1 (excluded). */
export type Random = () => number;

/** Makes a random generator (Mulberry32). The same seed always gives the same numbers. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Latency {
  readonly medianMs: number;
  readonly p99Ms: number;
}

/**
 * Draws a latency in milliseconds from a log-normal distribution: most are near the median, and some are much longer.
 */
export function sampleLatency({ medianMs, p99Ms }: Latency, random: Random): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return medianMs * Math.exp((normal * Math.log(p99Ms / medianMs)) / 2.3263);
}
