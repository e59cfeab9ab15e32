/**
 * Longest time that one send needs, in milliseconds: SES answers within `requestTimeout` of `sesClientSettings`
 * (handler/adapters/ses.ts), and then the claim is marked. With less time left, the run could end between the two.
 */
export const longestSendMs = 8000;

/**
 * Time that a send takes with its claim, in seconds. The value is an assumption, and a generous one; if sends are
 * slower, only the rate drops.
 */
export const secondsPerSend = 0.25;

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  wait(milliseconds: number): Promise<void>;
}

/** How many mails a second one execution environment sends. */
export interface SendRates {
  /** The rate that it begins with. */
  readonly mostPerSecond: number;
  /** The rate that it keeps, however often SES throttles it. */
  readonly leastPerSecond: number;
}

/**
 * A throttled call makes the pause this much longer, and each mail that SES took makes it a little shorter. Where the
 * two keep the balance, SES throttles about one call in 110, however many environments send: `1.002 ** 111` is 1.25.
 * docs/decisions/0028-pacing.md compares such values.
 */
const slowdown = 1.25;
const speedup = 1 / 1.002;

/** How long an environment has to be idle to begin with its full rate again, in milliseconds. */
const calmMs = 10_000;

export interface Turn {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Time since the turn before it, in milliseconds; 0 if the environment was idle. */
  readonly gapMs: number;
}

/**
 * Keeps a pause between the sends of one execution environment. Environments know nothing of one another, so each one
 * begins with a rate that suits it alone, and finds its part by SES's answers: a call that SES throttles was certainly
 * not sent, so that to ask for too much costs a call and never a mail.
 */
export class Pacer {
  private readonly shortestMs: number;
  private readonly longestMs: number;
  private pauseMs: number;
  private last = 0;
  private next = 0;
  private slowedAt = 0;

  /** @param random returns a number from 0 to 1 */
  constructor(
    { mostPerSecond, leastPerSecond }: SendRates,
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {
    this.shortestMs = 1000 / mostPerSecond;
    this.longestMs = Math.max(1000 / leastPerSecond, this.shortestMs);
    this.pauseMs = this.shortestMs;
  }

  /**
   * Waits for the next turn to send.
   * @param deadline in milliseconds since 1970
   * @returns `undefined`, at once and without using the turn up, if it comes after the deadline. A run that ended while
   * it waited would leave a claim of which nobody knows whether its mail was sent.
   */
  async turn(deadline: number): Promise<Turn | undefined> {
    const now = this.clock.now();
    const isIdle = now > this.next + calmMs;
    const at = Math.max(now, this.next);
    if (at > deadline) return undefined;
    if (isIdle) this.pauseMs = this.shortestMs;
    const turn = { at, gapMs: isIdle ? 0 : at - this.last };
    this.last = at;
    // Each pause is up to half of it shorter or longer. An environment that kept step with SES's own count of mails
    // would be served each time, and all others throttled.
    this.next = at + this.pauseMs * (0.5 + this.random());
    if (at > now) await this.clock.wait(at - now);
    return turn;
  }

  /** SES took a mail. */
  sent(): void {
    this.pauseMs = Math.max(this.pauseMs * speedup, this.shortestMs);
  }

  /**
   * SES throttled the call of this turn. Calls that were under way together slow the environment down once. What is made
   * longer is the pause that there really was: a run with a mail each may be much slower than it is allowed to be.
   */
  throttled({ at, gapMs }: Turn): void {
    if (at < this.slowedAt) return;
    this.slowedAt = this.clock.now();
    this.pauseMs = Math.min(Math.max(this.pauseMs, gapMs) * slowdown, this.longestMs);
  }
}

/** Most mails that one environment works on at once. */
const mostAtOnce = 10;

/**
 * How many mails an environment works on at once, so that it can reach its rate although each takes `secondsPerSend`.
 * More would only wait for their turns, with claims of which nobody knew what became of them if the environment died.
 */
export function sendsAtOnce({ mostPerSecond }: Pick<SendRates, "mostPerSecond">): number {
  return Math.min(Math.ceil(mostPerSecond * secondsPerSend), mostAtOnce);
}
