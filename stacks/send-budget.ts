import { longestSendMs, secondsPerSend, type SendRates } from "../handler/pacer";
import { maximumRecipients } from "../handler/notifications/recipients";
import { type Lane, lanes } from "./lanes";
import { type StageSettings } from "./stages";

export interface LaneBudget {
  /** What the lane sends when mail waits in it, in mails a second. */
  readonly ratePerSecond: number;
  /** Execution environments that may run at once. */
  readonly concurrency: number;
  /** Of each environment. */
  readonly sendRates: SendRates;
  /** Time-out of the function, in seconds. */
  readonly timeoutSeconds: number;
}

export type LaneBudgets = Readonly<Record<Lane, LaneBudget>>;

/** Part of the send rate that bulk mail leaves to alerts. */
const priorityShare = 0.2;

/** Longest time-out of a function, in seconds (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). */
const longestTimeoutSeconds = 900;

/**
 * Fewest execution environments of a lane. An event source mapping runs at least two at once (API_ScalingConfig). A
 * third one keeps the events of a rule from waiting behind an outage's retries: in `npm run simulate`, the p99 of an
 * alert is 1 s instead of 3 min once SES is up again.
 */
export const leastConcurrency = 3;

/**
 * Divides the stage's send rate between the lanes. SES throttles an account as a whole and knows no lanes, so bulk mail
 * leaves a part of the rate free, and an alert may use all of it.
 *
 * An environment begins with the rate of its lane, and slows down where SES throttles it. At their least, all
 * environments of both lanes together keep the stage's rate, so that neither lane can push the other one out.
 * @param settings.concurrency the execution environments of a lane, where they don't follow from the rate. With fewer
 * than follow from the rate, the lane is slower, because none can send faster than a send takes (`sendRateWarnings`).
 */
export function laneBudgets({
  sendRatePerSecond,
  concurrency: chosen = {},
  timeoutSeconds,
}: Pick<StageSettings, "sendRatePerSecond" | "concurrency" | "timeoutSeconds">): LaneBudgets {
  const budget = (lane: Lane, share: number): LaneBudget => {
    const ratePerSecond = sendRatePerSecond * share;
    const concurrency = chosen[lane] ?? Math.max(leastConcurrency, Math.ceil(ratePerSecond * secondsPerSend));
    const mostPerSecond = lane === "priority" ? sendRatePerSecond : ratePerSecond;
    return {
      ratePerSecond,
      concurrency,
      sendRates: { mostPerSecond, leastPerSecond: sendRatePerSecond / lanes.length / concurrency },
      timeoutSeconds: Math.max(timeoutSeconds, secondsForLargestEvent(ratePerSecond)),
    };
  };
  return { standard: budget("standard", 1 - priorityShare), priority: budget("priority", priorityShare) };
}

/**
 * How long a run takes for an event with the most recipients, at the rate of its lane. A shorter run would leave some of
 * them to a retry, minutes later.
 */
function secondsForLargestEvent(ratePerSecond: number): number {
  return Math.min(Math.ceil(maximumRecipients / ratePerSecond + longestSendMs / 1000), longestTimeoutSeconds);
}
