/** Lets `ratePerSecond` through, and as much as `burst` at once after a pause. */
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
    // Sums of fractions miss a whole token by a rounding error.
    if (this.tokens < 1 - 1e-9) return false;
    this.tokens -= 1;
    return true;
  }
}
