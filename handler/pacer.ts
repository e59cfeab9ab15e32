/**
 * Longest time that one send needs, in milliseconds: SES answers within `requestTimeout` of `sesClientSettings`
 * (handler/adapters/ses.ts), and then the claim is marked. With less time left, the run could end between the two.
 */
export const longestSendMs = 8000;

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  wait(milliseconds: number): Promise<void>;
}

/**
 * Keeps at least `intervalMs` milliseconds between two sends of one execution environment. Each environment works on
 * one event at a time, and the function's reserved concurrency limits the number of environments. Together they keep
 * the whole lane within its share of the account's send rate.
 * @returns a function that waits for the next turn and then resolves to true. If the turn comes after the deadline (in
 * milliseconds since 1970), it resolves to false at once and does not use the turn up. A run that ended while it waited
 * would leave a claim of which nobody knows whether its mail was sent.
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
