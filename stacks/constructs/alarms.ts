import { asynchronousInvocation, queueRetentionSeconds, retryLaneSeconds } from "../delivery-windows";
import { laneNames } from "../lanes";
import { type Names } from "../names";
import { feedbackMetric } from "./delivery-feedback";
import { unroutedEvents } from "./event-routing";
import { type FailureQueue } from "./failure-queue";
import { errorMetricName } from "./notification-function";
import { type NotificationLane } from "./notification-lane";
import { type RoutedRule } from "./rule-target";

export interface Metric {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions?: Record<string, string>;
  readonly statistic: "Sum" | "Maximum";
}

/** One alarm: what it watches, what it means, and what the person who is paged does first. */
export interface Alarm {
  /** The alarm's name without project and stage. */
  readonly name: string;
  /** What has happened, in whole sentences. */
  readonly meaning: string;
  /** What to do first, in whole sentences. */
  readonly firstStep: string;
  /** The metric that is compared with the threshold. Where there are several, their sum is compared. */
  readonly metric: Metric | readonly [Metric, ...Metric[]];
  readonly threshold: number;
  /** @default 1 */
  readonly evaluationPeriods?: number;
  /** Length of a period, in seconds. @default `shortPeriod` */
  readonly period?: number;
  /**
   * What the alarm does while its metric has no data.
   * @default "notBreaching", because most of these metrics exist only once something went wrong
   */
  readonly missingData?: "notBreaching" | "ignore";
}

export interface AlarmSources {
  readonly names: Names;
  readonly lanes: readonly NotificationLane[];
  readonly deadLetters: FailureQueue;
  readonly rules: readonly RoutedRule[];
}

/** Lengths of an alarm's period, in seconds. */
export const shortPeriod = 300;
const hour = 3600;
const day = 24 * hour;

export const isSum = (metric: Alarm["metric"]): metric is readonly [Metric, ...Metric[]] => Array.isArray(metric);

const introduction = "First step: ";

/** The text that CloudWatch shows and mails when the alarm rings. The console reads it as Markdown. */
export function toDescription({ meaning, firstStep }: Pick<Alarm, "meaning" | "firstStep">): string {
  return `${meaning}\n\n${introduction}${firstStep}`;
}

/** The parts that `toDescription` was given. `firstStep` is `undefined` where the text has none. */
export function fromDescription(text: string): { readonly meaning: string; readonly firstStep: string | undefined } {
  const [meaning = "", firstStep] = text.split(`\n\n${introduction}`);
  return { meaning, firstStep };
}

/** Every alarm of a stage. */
export function describeAlarms({ names, lanes, deadLetters, rules }: AlarmSources): Alarm[] {
  return [
    ...lanes.flatMap(describeLaneAlarms),
    ...describeMailAlarms(names.metricsNamespace),
    ...describeReputationAlarms(),
    {
      name: "unrouted-events",
      meaning:
        "An event of a known source has a detail-type that no notification knows, and nobody was mailed. The unrouted log has its id, source and detail-type.",
      firstStep:
        "Look into the unrouted log for the detail-type. It is a typo of the producer, or a notification that is not there yet. Mend it, then replay the archive over that time.",
      metric: { namespace: names.metricsNamespace, metricName: unroutedEvents.metric, statistic: "Sum" },
      threshold: 1,
    },
    {
      name: "dead-letters",
      meaning: `An event could not be mailed and needs a person. It waits in the dead-letter queue for ${queueRetentionSeconds / day} days.`,
      firstStep: "Run `npm run dead-letters`. It says why, and how to go on (docs/runbook.md).",
      metric: {
        namespace: "AWS/SQS",
        metricName: "ApproximateNumberOfMessagesVisible",
        statistic: "Maximum",
        dimensions: { QueueName: deadLetters.queue.name },
      },
      threshold: 1,
    },
    ...rules.flatMap(describeRuleAlarms),
  ];
}

/** Alarms on mail that nobody got. Their metrics come from the function's log and from SES's events. */
function describeMailAlarms(metricsNamespace: string): Alarm[] {
  const counted = (metricName: string): Metric => ({ namespace: metricsNamespace, metricName, statistic: "Sum" });
  return [
    {
      name: "email-processing-errors",
      meaning: "A function logged an error. The log line has its reason and the event's id.",
      firstStep:
        "Look for `ERROR` in the function's log group: `failure` is the reason, and `eventId` is the event's id.",
      metric: counted(errorMetricName),
      threshold: 1,
    },
    {
      name: "rendering-failures",
      meaning: "SES took a mail and could not render it, so nobody got it. The feedback log has its event id.",
      firstStep: "Run `npm run doctor`, and look into the feedback log for the event's id.",
      metric: counted(feedbackMetric("RENDERING_FAILURE")),
      threshold: 1,
    },
    {
      name: "ses-rejects",
      meaning: "SES took a mail and then rejected its content, so nobody got it. The feedback log has its event id.",
      firstStep: "Look into the feedback log for `Email Rejected`. The content looked harmful to SES.",
      metric: counted(feedbackMetric("REJECT")),
      threshold: 1,
    },
  ];
}

/** Alarms on metrics that SES itself publishes, for the whole account. */
function describeReputationAlarms(): Alarm[] {
  // SES publishes the rates only now and then, and a period without data does not mean that the rate has improved. So
  // the period is an hour, and missing data is ignored (SES guide, "reputationdashboard-cloudwatch-alarm").
  const rate = (metricName: string) =>
    ({
      metric: { namespace: "AWS/SES", metricName, statistic: "Maximum" },
      period: hour,
      missingData: "ignore",
    }) as const;
  return [
    {
      name: "ses-bounces",
      meaning: "Mail of this account bounces. SES counts all stages of the account together.",
      firstStep:
        "Look into the feedback log for `Email Bounced`: which notification is it, and which producer? Then look at the account's reputation in SES.",
      metric: { namespace: "AWS/SES", metricName: "Bounce", statistic: "Sum" },
      threshold: 5,
      evaluationPeriods: 2,
    },
    {
      name: "ses-bounce-rate",
      meaning:
        "The account's bounce rate is at 5 %. At this rate SES puts the account under review; at 10 % it pauses it.",
      firstStep: "Stop the producer of the bad addresses before SES stops the account.",
      ...rate("Reputation.BounceRate"),
      threshold: 0.05,
    },
    {
      name: "ses-complaint-rate",
      meaning:
        "The account's complaint rate is at 0.1 %. At this rate SES puts the account under review; at 0.5 % it pauses it.",
      firstStep: "Stop the mail that people complain of before SES stops the account.",
      ...rate("Reputation.ComplaintRate"),
      threshold: 0.001,
    },
  ];
}

function describeRuleAlarms({ name, rule, busName }: RoutedRule): Alarm[] {
  const ofRule = (metricName: string): Metric => ({
    namespace: "AWS/Events",
    metricName,
    statistic: "Sum",
    // The metrics of a custom bus have both dimensions. Those of the default bus have only the rule's.
    dimensions: { ...(busName === undefined ? {} : { EventBusName: busName }), RuleName: rule.name },
  });
  return [
    {
      name: `${name}-failed-invocations`,
      meaning: "EventBridge could not deliver an event to its target, and put it into the dead-letter queue.",
      firstStep: "Run `npm run dead-letters`: `ERROR_CODE` says what the target refused. Deploy again.",
      metric: ofRule("FailedInvocations"),
      threshold: 1,
    },
    {
      name: `${name}-lost-events`,
      meaning: "EventBridge could not put an event into the dead-letter queue, and dropped it.",
      firstStep: "Deploy again, which mends the queue's policy. Then replay the archive over that time.",
      metric: ofRule("InvocationsFailedToBeSentToDlq"),
      threshold: 1,
    },
  ];
}

function describeLaneAlarms({ lane, functionName, retryQueue }: NotificationLane): Alarm[] {
  const names = laneNames(lane);
  const asynchronousHours = asynchronousInvocation.maximumAgeSeconds / hour;
  const ofFunction = (metricName: string, statistic: Metric["statistic"] = "Sum"): Metric => ({
    namespace: "AWS/Lambda",
    metricName,
    statistic,
    dimensions: { FunctionName: functionName },
  });
  const ofRetryQueue = (metricName: string): Metric => ({
    namespace: "AWS/SQS",
    metricName,
    statistic: "Maximum",
    dimensions: { QueueName: retryQueue.queue.name },
  });
  return [
    {
      name: names.alarm("lambda-errors"),
      meaning: `A run of the function failed (${lane} lane) and is tried again. The failure may pass, or the dead-letter queue refused what no retry can mend.`,
      firstStep:
        "Do nothing yet, because what failed is tried again. If it keeps ringing, look for `ERROR` in the function's log group. `The event could not be parked` there means that the dead-letter queue refuses: run `npm run doctor`, and deploy again.",
      metric: ofFunction("Errors"),
      threshold: 1,
    },
    {
      name: names.alarm("lost-failures"),
      meaning: `Lambda could not put the record of a failed event onto the failures bus (${lane} lane): the record is too large, or the permission is gone. The event is lost, unless it is replayed from the archive.`,
      firstStep: "Look for the event's id in the function's log. Deploy again, and replay the archive over that time.",
      metric: ofFunction("DestinationDeliveryFailures"),
      threshold: 1,
    },
    {
      // This metric also counts events that went to the failure destination
      // (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html).
      name: names.alarm("events-dropped"),
      meaning: `Lambda gave an event up (${lane} lane): ${1 + asynchronousInvocation.retries} runs failed, or it waited for ${asynchronousHours} hours. Its record is in the retry queue or the dead-letter queue. An event that is in neither was deleted by Lambda from an overlong queue.`,
      firstStep:
        "Run `npm run dead-letters`, and once more with `-- --retries`. Replay from the archive what is in neither queue.",
      metric: ofFunction("AsyncEventsDropped"),
      threshold: 1,
    },
    {
      name: names.alarm("events-waiting"),
      meaning: `Events wait for the function for an hour (${lane} lane): more come than the send rate lets out. After ${asynchronousHours} hours they go to the retries. Lambda may drop some of a queue that is too long.`,
      firstStep:
        "Find the producer of the burst. `npm run doctor` compares the send rate with SES's. Afterwards replay the archive over that time.",
      // Lambda reports the age in milliseconds.
      metric: ofFunction("AsyncEventAge", "Maximum"),
      threshold: 1000 * hour,
    },
    {
      name: names.alarm("retries-waiting"),
      meaning: `Mail has waited for a retry for an hour without a break (${lane} lane).`,
      firstStep: `Run \`npm run doctor\`, which looks at SES's limits and the account's status. Then look at the AWS status page. The queue \`${names.retryQueue}\` keeps trying for ${retryLaneSeconds / hour} hours.`,
      // The alarm is on the number of messages and not on their age. SQS leaves a message out of
      // ApproximateAgeOfOldestMessage once it was received three times, and in an outage every message is (SQS guide,
      // "Available CloudWatch metrics").
      metric: [
        ofRetryQueue("ApproximateNumberOfMessagesVisible"),
        ofRetryQueue("ApproximateNumberOfMessagesNotVisible"),
      ],
      threshold: 1,
      evaluationPeriods: 12,
    },
  ];
}
