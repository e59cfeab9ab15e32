import { type Lane } from "./lanes";

/**
 * How long each hop tries before it hands the event on. The numbers are in one place, because the stack is built from
 * them and the claims have to outlast their sum.
 */

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * Lambda's retries of an asynchronous invocation, about 1 and 2 minutes apart. Both values are the most that AWS takes.
 */
export const asynchronousInvocation = { retries: 2, maximumAgeSeconds: 6 * hour } as const;

/**
 * How long every queue of the stack keeps a message. 14 days is the most that SQS takes (SetQueueAttributes,
 * MessageRetentionPeriod).
 */
export const queueRetentionSeconds = 14 * day;

/** How long the retry lane tries: one hour longer than an SES outage of 6 hours. */
export const retryLaneSeconds = 7 * hour;

/** How often a person may redrive one event. */
export const maximumRedrives = 3;

export interface RetryQueueSettings {
  /** Time between two tries. A message that a try leaves in the queue is visible again after this time. */
  readonly visibilityTimeoutSeconds: number;
  readonly maxReceiveCount: number;
}

/**
 * Settings of a lane's retry queue. The priority lane tries again after little more than six times the function's
 * time-out, the least that AWS recommends (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html).
 * The standard lane waits for at least 15 minutes, so that an outage costs fewer runs.
 */
export function retryQueueSettings(lane: Lane, functionTimeoutSeconds: number): RetryQueueSettings {
  const shortest = 6 * functionTimeoutSeconds + 20;
  const visibilityTimeoutSeconds = lane === "priority" ? shortest : Math.max(shortest, 15 * minute);
  return { visibilityTimeoutSeconds, maxReceiveCount: Math.ceil(retryLaneSeconds / visibilityTimeoutSeconds) };
}

/**
 * How long a claim is kept, in seconds: as long as its mail can still be tried. In the worst case the event is replayed
 * from the archive on the last day, each hop then takes as long as it may, and every redrive comes at the last moment.
 */
export function claimRetentionSeconds(config: {
  readonly targetRetry: { readonly maximumAgeSeconds: number };
  readonly archiveRetentionDays: number;
}): number {
  const once =
    // EventBridge first tries to reach the function, and after a failure it tries to reach a queue.
    2 * config.targetRetry.maximumAgeSeconds +
    asynchronousInvocation.maximumAgeSeconds +
    // A message can wait in two queues: in the retry queue while its mapping is off, and then in the dead-letter queue.
    2 * queueRetentionSeconds;
  return config.archiveRetentionDays * day + (1 + maximumRedrives) * once;
}
