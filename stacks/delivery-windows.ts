import { type Lane } from "./lanes";

/**
 * How long each hop tries before it hands the event on, in one place: the stack is built from these numbers, and the
 * claims outlast their sum.
 */

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Lambda's retries of an asynchronous invocation, about 1 and 2 minutes apart; both are AWS's maximum. */
export const asynchronousInvocation = { retries: 2, maximumAgeSeconds: 6 * hour } as const;

/** Longest that SQS keeps a message (SetQueueAttributes, MessageRetentionPeriod): of every queue here. */
export const queueRetentionSeconds = 14 * day;

/** How long the retry lane tries: longer than an SES outage of 6 hours. */
export const retryLaneSeconds = 7 * hour;

/** How often a person may send one event again. */
export const maximumRedrives = 3;

export interface RetryQueueSettings {
  /** Time between two tries: what a try leaves in the queue comes back after it. */
  readonly visibilityTimeoutSeconds: number;
  readonly maxReceiveCount: number;
}

/**
 * An alert is tried again as soon as SQS allows it, above six times the function's time-out
 * (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html); bulk mail waits longer, so that an outage
 * costs fewer runs.
 */
export function retryQueueSettings(lane: Lane, functionTimeoutSeconds: number): RetryQueueSettings {
  const shortest = 6 * functionTimeoutSeconds + 20;
  const visibilityTimeoutSeconds = lane === "priority" ? shortest : Math.max(shortest, 15 * minute);
  return { visibilityTimeoutSeconds, maxReceiveCount: Math.ceil(retryLaneSeconds / visibilityTimeoutSeconds) };
}

/**
 * Longest that one mail can still be tried: its event is replayed from the archive on the last day, each hop then takes
 * as long as it may, and every redrive comes at the last moment.
 */
export function claimRetentionSeconds(config: {
  readonly targetRetry: { readonly maximumAgeSeconds: number };
  readonly archiveRetentionDays: number;
}): number {
  const once =
    // To the function, and its failure to a queue.
    2 * config.targetRetry.maximumAgeSeconds +
    asynchronousInvocation.maximumAgeSeconds +
    // Nobody reads the retry queue (its mapping is off), and then nobody comes to the dead letters.
    2 * queueRetentionSeconds;
  return config.archiveRetentionDays * day + (1 + maximumRedrives) * once;
}
