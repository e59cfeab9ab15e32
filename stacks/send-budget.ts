import { type Lane } from "./lanes";

export interface LaneBudget {
  /** Share of the account's send rate, in mails a second. */
  readonly ratePerSecond: number;
  /** Execution environments that may run at once. */
  readonly concurrency: number;
  /**
   * Least time between two sends of one environment, in milliseconds. All environments together then keep within the
   * rate.
   */
  readonly sendIntervalMs: number;
}

/** Part of the send rate that is reserved for the priority lane, so that bulk mail can't use it. */
const priorityShare = 0.2;

/**
 * Time that a send takes with its claim, in seconds. The value is an assumption, and a generous one; if sends are
 * slower, only the rate drops.
 */
export const secondsPerSend = 0.25;

/**
 * Fewest execution environments of a lane. An event source mapping runs at least two at once (API_ScalingConfig). A
 * third one keeps the events of a rule from waiting behind an outage's retries: in `npm run simulate`, the p99 of an
 * alert is 1 s instead of 3 min once SES is up again.
 */
export const leastConcurrency = 3;

/**
 * Divides the account's send rate between the lanes. SES throttles the account as a whole, so only a budget for each
 * lane keeps a burst of bulk mail from delaying an alert.
 * @param sendRatePerSecond of the stage, in mails a second.
 * @param chosen the execution environments of a lane, where they don't follow from the rate. The rate is the same with
 * more of them: each one then waits longer between two sends. With fewer than follow from the rate, the lane is slower,
 * because none can send faster than a send takes (`sendRateWarnings`).
 */
export function laneBudgets(
  sendRatePerSecond: number,
  chosen: Partial<Readonly<Record<Lane, number>>> = {},
): Readonly<Record<Lane, LaneBudget>> {
  const budget = (lane: Lane, ratePerSecond: number): LaneBudget => {
    const concurrency = chosen[lane] ?? Math.max(leastConcurrency, Math.ceil(ratePerSecond * secondsPerSend));
    return { ratePerSecond, concurrency, sendIntervalMs: Math.ceil((1000 * concurrency) / ratePerSecond) };
  };
  return {
    standard: budget("standard", sendRatePerSecond * (1 - priorityShare)),
    priority: budget("priority", sendRatePerSecond * priorityShare),
  };
}
