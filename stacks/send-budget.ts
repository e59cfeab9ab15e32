import { type Lane } from "./lanes";

export interface LaneBudget {
  /** Share of the account's send rate, in mails a second. */
  readonly ratePerSecond: number;
  /** Execution environments that may run at once. */
  readonly concurrency: number;
  /** Least time between two sends of one environment: all together keep within the rate. */
  readonly sendIntervalMs: number;
}

/** Part of the send rate that bulk mail can't use, however much of it there is. */
const priorityShare = 0.2;

/** What a send takes, with its claim, when all is well: assumed, and generous. A slower one only lowers the rate. */
const secondsPerSend = 0.25;

/**
 * An event source mapping runs at least two at once (API_ScalingConfig); one more keeps the events of a rule from waiting
 * behind an outage's retries (`npm run simulate`: with SES up again, an alert's p99 is 1 s and not 3 min).
 */
const leastConcurrency = 3;

/**
 * Shares the account's send rate between the lanes. SES throttles the account as a whole, so a budget of each lane's own
 * is what keeps a bulk burst from starving an alert.
 */
export function laneBudgets(sendRatePerSecond: number): Readonly<Record<Lane, LaneBudget>> {
  const budget = (ratePerSecond: number): LaneBudget => {
    const concurrency = Math.max(leastConcurrency, Math.ceil(ratePerSecond * secondsPerSend));
    return { ratePerSecond, concurrency, sendIntervalMs: Math.ceil((1000 * concurrency) / ratePerSecond) };
  };
  return {
    standard: budget(sendRatePerSecond * (1 - priorityShare)),
    priority: budget(sendRatePerSecond * priorityShare),
  };
}
