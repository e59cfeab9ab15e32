export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  wait(milliseconds: number): Promise<void>;
}

/**
 * Keeps sends apart. Each execution environment works on one event at a time, and their number is reserved; so an
 * interval in each keeps the whole lane within its share of the account's send rate.
 * @returns a function that waits for the next turn and then answers true. Where the turn comes after the deadline, it
 * answers false at once and leaves the turn free: a run that ends while it waits leaves a claim of which nobody knows
 * whether its mail was sent.
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
