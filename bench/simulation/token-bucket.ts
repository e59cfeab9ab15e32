/** A token bucket: it lets `ratePerSecond` calls through in a second, and after a pause up to `burst` at once. */
export class TokenBucket {
  private tokens: number;
  private filledAt: number;

  constructor(
    private readonly ratePerSecond: number,
    private readonly burst: number,
    now: number,
  ) {
    this.tokens = burst;
    this.filledAt = now;
  }

  /** @returns whether there was a token at the time `now` (milliseconds). */
  take(now: number): boolean {
    this.tokens = Math.min(this.burst, this.tokens + ((now - this.filledAt) * this.ratePerSecond) / 1000);
    this.filledAt = now;
    // The tolerance is for rounding errors: a sum of fractions may be slightly below a whole token.
    if (this.tokens < 1 - 1e-9) return false;
    this.tokens -= 1;
    return true;
  }
}
