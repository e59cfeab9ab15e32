import { type Latency } from "./random";

/**
 * The behaviour of AWS that a stack can't configure. A figure with a source is from AWS. Every other figure is an
 * assumption, and its comment says so.
 */

const second = 1000;
const minute = 60 * second;

/**
 * "If the function returns an error, by default Lambda attempts to run it two more times, with a one-minute wait
 * between the first two attempts, and two minutes between the second and third attempts. [..] For throttling errors
 * (429) and system errors (500-series) [..] the retry interval increases exponentially from 1 second after the first
 * attempt to a maximum of 5 minutes."
 * (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html)
 *
 * The same page: "If the function can't keep up with incoming events, events might also be deleted from the queue
 * without being sent to the function." AWS does not say how often, so the simulation leaves it out.
 */
export const asynchronousQueue = {
  errorRetryDelaysMs: [minute, 2 * minute],
  throttleBackoff: { firstMs: second, longestMs: 5 * minute },
  /**
   * Assumption that matters: each wait is shortened by a random share up to this one, so that the events of a burst do
   * not all come back at once. AWS documents no such jitter. `npm run simulate -- --jitter 0` shows a burst without it.
   */
  throttleJitter: 0.5,
  /** Assumption: time from the acceptance of an event to its first run. */
  dispatch: { medianMs: 30, p99Ms: 200 } satisfies Latency,
};

/**
 * SQS hands out at most 10 messages a receive, and Lambda runs at most `maximum_concurrency` batches at once
 * (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html). If a batch is throttled, "Lambda continues
 * to retry [..] until the message's timestamp exceeds your queue's visibility timeout, at which point Lambda drops the
 * message" (.../services-sqs-errorhandling.html). The message comes back to the queue, but one of its receives is used
 * up.
 */
export const eventSource = {
  /** Assumption: wait before a throttled batch is tried again. */
  throttleBackoff: { firstMs: second, longestMs: 30 * second },
  /** Assumption: time from a message's arrival until a poller receives it, with long polling. */
  poll: { medianMs: 50, p99Ms: 300 } satisfies Latency,
};

/**
 * EventBridge delivers an event at least once, and retries with "exponential back off and jitter" if a target does not
 * take it (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html). Lambda accepts an
 * asynchronous invocation even if the function has reached its concurrency, so EventBridge never sees that throttling.
 *
 * Its quotas (us-east-1: 10,000 events put and 18,750 targets invoked a second,
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html) are above the largest burst here, 300,000
 * events a minute.
 */
export const eventBridge = {
  /** Assumption: AWS says "near real time". */
  delivery: { medianMs: 300, p99Ms: 900 } satisfies Latency,
  /** Assumption: wait before a retry; it doubles each time. */
  retryBackoff: { firstMs: second, longestMs: 10 * minute },
};

/**
 * SES limits the mails of a second, and lets short bursts pass
 * (https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas.html). Here, a burst may have the mails of one
 * second.
 */
export const ses = {
  burstSeconds: 1,
  /** Assumption: time until SES answers. */
  answer: { medianMs: 80, p99Ms: 400 } satisfies Latency,
};

/** Assumption: duration of a conditional write to DynamoDB in the same region. */
export const claimStore = { medianMs: 6, p99Ms: 30 } satisfies Latency;

/** Assumption: the bundle itself loads in about 0.1 s, as measured. */
export const coldStartMs = 500;

/** Share of deliveries that are made twice. It is far higher than on AWS, so that the claims are exercised. */
export const duplicateRate = { bus: 0.002, asynchronousQueue: 0.002 };

/** Assumption: share of deliveries that a target refuses, so that the retry policy is exercised. */
export const targetFailureRate = 0.001;
