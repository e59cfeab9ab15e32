export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  wait(milliseconds: number): Promise<void>;
}

/**
 * Keeps sends apart. Each execution environment works on one event at a time, and their number is reserved; so an
 * interval in each keeps the whole lane within its share of the account's send rate.
 * @returns waits for the next turn. One that comes after the deadline is not waited for, and stays free: the answer is
 * false at once, because a run that ends while it waits leaves a claim of which nobody knows whether it was sent.
 */
export function createPacer(intervalMs: number, clock: Clock): (deadline: number) => Promise<boolean> {
  let next = 0;
  return async (deadline) => {
    const now = clock.now();
    const turn = Math.max(now, next);
    if (turn > deadline) return false;
    next = turn + intervalMs;
    if (turn > now) await clock.wait(turn - now);
    return true;
  };
}
