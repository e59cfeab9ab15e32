/** Numbers from 0 (included) to 1 (excluded), the same for the same seed: Mulberry32. */
export type Random = () => number;

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

/** Log-normal: most answers near the median, and a long tail. */
export function sampleLatency({ medianMs, p99Ms }: Latency, random: Random): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return medianMs * Math.exp((normal * Math.log(p99Ms / medianMs)) / 2.3263);
}
