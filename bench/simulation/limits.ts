import { type Latency } from "./random";

/**
 * What AWS does that no stack sets. A figure with a source is AWS's own; the others are assumptions, and named so.
 */

const second = 1000;
const minute = 60 * second;

/**
 * "If the function returns an error, by default Lambda attempts to run it two more times, with a one-minute wait between
 * the first two attempts, and two minutes between the second and third attempts. [..] For throttling errors (429) and
 * system errors (500-series) [..] the retry interval increases exponentially from 1 second after the first attempt to a
 * maximum of 5 minutes." (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html)
 *
 * The same page: "If the function can't keep up with incoming events, events might also be deleted from the queue
 * without being sent to the function." How often is not said, so the simulation can't count it.
 */
export const asynchronousQueue = {
  errorRetryDelaysMs: [minute, 2 * minute],
  throttleBackoff: { firstMs: second, longestMs: 5 * minute },
  /**
   * Assumption, and one that matters: each wait is shortened by up to this share, so that a burst does not come back as
   * a burst. AWS says nothing of it; see what `npm run simulate -- --jitter 0` makes of a burst.
   */
  throttleJitter: 0.5,
  /** Assumption. */
  dispatch: { medianMs: 30, p99Ms: 200 } satisfies Latency,
};

/**
 * SQS hands out at most 10 messages a receive, and Lambda runs at most `maximum_concurrency` batches at once
 * (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html). What is throttled, "Lambda continues to
 * retry [..] until the message's timestamp exceeds your queue's visibility timeout, at which point Lambda drops the
 * message" (.../services-sqs-errorhandling.html): it comes back, one receive poorer.
 */
export const eventSource = {
  /** Assumption: how fast a batch is tried again that was throttled. */
  throttleBackoff: { firstMs: second, longestMs: 30 * second },
  /** Assumption: from a message's arrival to its batch, with long polling. */
  poll: { medianMs: 50, p99Ms: 300 } satisfies Latency,
};

/**
 * EventBridge delivers at
 * least once, and "exponential back off and jitter" for a target that does not take it
 * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html). An asynchronous invocation is
 * taken whether or not the function is at its concurrency: EventBridge never sees that throttling.
 *
 * Its quotas (us-east-1: 10,000 events put and 18,750 targets invoked a second,
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html) lie above 100,000 events a minute.
 */
export const eventBridge = {
  /** Assumption: AWS says "near real time". */
  delivery: { medianMs: 300, p99Ms: 900 } satisfies Latency,
  /** Assumption. */
  retryBackoff: { firstMs: second, longestMs: 10 * minute },
};

/**
 * SES counts its rate a second, and lets short bursts pass
 * (https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas.html); the bucket here holds one second's worth.
 */
export const ses = {
  burstSeconds: 1,
  /** Assumption. */
  answer: { medianMs: 80, p99Ms: 400 } satisfies Latency,
};

/** Assumption: a conditional write in the same region. */
export const claimStore = { medianMs: 6, p99Ms: 30 } satisfies Latency;

/** Assumption: the bundle itself loads in about 0.1 s, as measured. */
export const coldStartMs = 500;

/** How often a delivery is made twice: far more often than AWS does it, so that the claims have work. */
export const duplicateRate = { bus: 0.002, asynchronousQueue: 0.002 };

/** How often a target does not take an event at once; assumption, to give the retry policy work. */
export const targetFailureRate = 0.001;
