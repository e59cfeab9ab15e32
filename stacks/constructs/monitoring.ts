import { CloudwatchDashboard } from "@cdktf/provider-aws/lib/cloudwatch-dashboard";
import {
  CloudwatchMetricAlarm,
  type CloudwatchMetricAlarmConfig,
} from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { Construct } from "constructs";
import { laneNames } from "../lanes";
import { type Names } from "../names";
import { mostMetricsPerWidget } from "../policy/limits";
import { AlarmTopic, type AlarmTopicProps } from "./alarm-topic";
import { suppressedSends } from "./delivery-feedback";
import { type RoutedRule, unroutedEvents } from "./event-routing";
import { errorMetricName } from "./notification-function";
import { type NotificationLane } from "./notification-lane";
import { type FailureQueue } from "./failure-queue";

export interface MonitoringProps extends AlarmTopicProps {
  readonly names: Names;
  readonly region: string;
  readonly metricsNamespace: string;
  readonly lanes: readonly NotificationLane[];
  readonly deadLetters: FailureQueue;
  readonly rules: readonly RoutedRule[];
}

interface Metric {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions?: Record<string, string>;
  readonly statistic: "Sum" | "Maximum";
}

interface Alarm {
  /** Behind project and stage. */
  readonly name: string;
  readonly description: string;
  /** Of several, the alarm is on their sum. */
  readonly metric: Metric | readonly [Metric, ...Metric[]];
  readonly threshold: number;
  readonly evaluationPeriods?: number;
  /** Length of a period, in seconds. @default `shortPeriod` */
  readonly period?: number;
  /**
   * What an alarm does where its metric has no data.
   * @default "notBreaching": most of these metrics exist only once something went wrong
   */
  readonly missingData?: "notBreaching" | "ignore";
}

/** Lengths of an alarm's period, in seconds. */
const shortPeriod = 300;
const hour = 3600;

/** Alarms, their topic and the dashboard. */
export class Monitoring extends Construct {
  readonly alarmTopic: AlarmTopic;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    const { names } = props;
    const alarms = describeAlarms(props);
    this.alarmTopic = new AlarmTopic(this, "alarm-topic", props);
    for (const alarm of alarms) {
      const { name, description, metric, threshold, evaluationPeriods = 1 } = alarm;
      new CloudwatchMetricAlarm(this, `alarm-${name}`, {
        alarmName: names.of(name),
        alarmDescription: description,
        ...toMetric(metric, alarm.period ?? shortPeriod),
        threshold,
        evaluationPeriods,
        comparisonOperator: "GreaterThanOrEqualToThreshold",
        treatMissingData: alarm.missingData ?? "notBreaching",
        alarmActions: [this.alarmTopic.topic.arn],
        okActions: [this.alarmTopic.topic.arn],
      });
    }
    new CloudwatchDashboard(this, "dashboard", {
      dashboardName: names.inAccount("notifications"),
      dashboardBody: JSON.stringify(describeDashboard(props)),
    });
  }
}

function toMetric(
  metric: Alarm["metric"],
  period: number,
): Pick<
  CloudwatchMetricAlarmConfig,
  "namespace" | "metricName" | "dimensions" | "statistic" | "period" | "metricQuery"
> {
  if (!isSeveral(metric)) return { ...metric, period };
  const queries = metric.map(({ statistic, ...each }, index) => ({
    id: `m${index + 1}`,
    metric: { ...each, stat: statistic, period },
  }));
  return {
    metricQuery: [
      { id: "sum", expression: queries.map(({ id }) => id).join(" + "), label: "Sum", returnData: true },
      ...queries,
    ],
  };
}

const isSeveral = (metric: Alarm["metric"]): metric is readonly [Metric, ...Metric[]] => Array.isArray(metric);

function describeAlarms({ names, metricsNamespace, lanes, deadLetters, rules }: MonitoringProps): Alarm[] {
  return [
    ...lanes.flatMap((lane) => describeLaneAlarms(lane)),
    {
      name: "email-processing-errors",
      description: "A function logged an error. The log line has its reason and the event's id.",
      metric: { namespace: metricsNamespace, metricName: errorMetricName, statistic: "Sum" },
      threshold: 1,
    },
    {
      name: "rendering-failures",
      description: "SES took a mail and could not render it: nobody got it. The feedback log has its event id.",
      metric: { namespace: metricsNamespace, metricName: "RenderingFailures", statistic: "Sum" },
      threshold: 1,
    },
    {
      name: "ses-rejects",
      description: "SES took a mail and then rejected its content: nobody got it. The feedback log has its event id.",
      metric: { namespace: metricsNamespace, metricName: "Rejects", statistic: "Sum" },
      threshold: 1,
    },
    {
      name: "ses-bounces",
      description:
        "Mail of this account bounces (all stages: SES counts them together). Look at the account's reputation in SES.",
      metric: { namespace: "AWS/SES", metricName: "Bounce", statistic: "Sum" },
      threshold: 5,
      evaluationPeriods: 2,
    },
    {
      // SES reviews an account at 5 % and pauses it at 10 %. It publishes a rate now and then, and no data is no better rate
      // (SES guide, "reputationdashboard-cloudwatch-alarm": a period of an hour, missing data ignored).
      name: "ses-bounce-rate",
      description: "The account's bounce rate is at 5 %: SES puts it under review, and pauses it at 10 %.",
      metric: { namespace: "AWS/SES", metricName: "Reputation.BounceRate", statistic: "Maximum" },
      threshold: 0.05,
      period: hour,
      missingData: "ignore",
    },
    {
      name: "ses-complaint-rate",
      description: "The account's complaint rate is at 0.1 %: SES puts it under review, and pauses it at 0.5 %.",
      metric: { namespace: "AWS/SES", metricName: "Reputation.ComplaintRate", statistic: "Maximum" },
      threshold: 0.001,
      period: hour,
      missingData: "ignore",
    },
    {
      name: "unrouted-events",
      description:
        "An event of a known source has a detail-type that no notification knows: nobody was mailed. The unrouted log has its id, source and detail-type.",
      metric: { namespace: metricsNamespace, metricName: unroutedEvents.metric, statistic: "Sum" },
      threshold: 1,
    },
    {
      name: "dead-letters",
      description: "An event needs a person: npm run dead-letters tells why. It waits in the queue for 14 days.",
      metric: {
        namespace: "AWS/SQS",
        metricName: "ApproximateNumberOfMessagesVisible",
        statistic: "Maximum",
        dimensions: { QueueName: deadLetters.queue.name },
      },
      threshold: 1,
    },
    ...rules.flatMap(({ rule, busName }): Alarm[] =>
      (["FailedInvocations", "InvocationsFailedToBeSentToDlq"] as const).map((metricName) => ({
        name: `${roleOf(rule.nameInput, names)}-${metricName === "FailedInvocations" ? "failed-invocations" : "lost-events"}`,
        description:
          metricName === "FailedInvocations"
            ? "EventBridge could not deliver an event to its target. Look into the dead-letter queue."
            : "EventBridge could not park an event: it is lost. Check the dead-letter queue's policy, replay the archive.",
        metric: {
          namespace: "AWS/Events",
          metricName,
          statistic: "Sum",
          // A custom bus's metrics have both dimensions, the default bus's only the rule.
          dimensions: { ...(busName === undefined ? {} : { EventBusName: busName }), RuleName: rule.name },
        },
        threshold: 1,
      })),
    ),
  ];
}

function describeLaneAlarms({ lane, functionName, retryQueue }: NotificationLane): Alarm[] {
  const { alarm } = laneNames(lane);
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
      name: alarm("lambda-errors"),
      description: `A run of the function failed (${lane} lane), and is tried again: the failure may pass, or the dead-letter queue refused what no retry can mend. Look for ERROR in its log group.`,
      metric: ofFunction("Errors"),
      threshold: 1,
    },
    {
      name: alarm("lost-failures"),
      description:
        "Lambda could not hand a failed event to the failures bus (its record is too large, or the permission is gone): it is lost, unless it is replayed from the archive.",
      metric: ofFunction("DestinationDeliveryFailures"),
      threshold: 1,
    },
    {
      // Counts what went to the failure destination as well (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html).
      name: alarm("events-dropped"),
      description: `Lambda gave an event up (${lane} lane): three runs failed, or it waited for 6 hours. Its record is in the retry queue or the dead-letter queue. What is in neither, Lambda deleted from an overlong queue: replay the archive.`,
      metric: ofFunction("AsyncEventsDropped"),
      threshold: 1,
    },
    {
      name: alarm("events-waiting"),
      description: `Events wait for the function for an hour (${lane} lane): more come than the send rate lets out. After 6 hours they go to the retries; Lambda may drop some of a queue that is too long.`,
      // Milliseconds.
      metric: ofFunction("AsyncEventAge", "Maximum"),
      threshold: 3_600_000,
    },
    {
      name: alarm("retries-waiting"),
      description: `Mail waits for a retry, without a break for an hour (${lane} lane). Look at SES's health, and at the account's sending limits.`,
      // Their number and not their age: SQS leaves a message out of ApproximateAgeOfOldestMessage once it was received
      // three times, as every message of an outage is (SQS guide, "Available CloudWatch metrics").
      metric: [
        ofRetryQueue("ApproximateNumberOfMessagesVisible"),
        ofRetryQueue("ApproximateNumberOfMessagesNotVisible"),
      ],
      threshold: 1,
      evaluationPeriods: 12,
    },
  ];
}

function roleOf(ruleName: string | undefined, names: Names): string {
  return (ruleName ?? "").slice(names.prefix.length + 1);
}

function chunksOf<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}

function describeDashboard(props: MonitoringProps): unknown {
  const { region, metricsNamespace, lanes, deadLetters, rules } = props;
  const functionNames = lanes.map(({ functionName }) => functionName);
  const charts: { title: string; metrics: unknown[]; stat?: string }[] = [
    {
      title: "Functions: runs, errors, throttles",
      metrics: functionNames.flatMap((name) =>
        ["Invocations", "Errors", "Throttles"].map((metric) => ["AWS/Lambda", metric, "FunctionName", name]),
      ),
    },
    {
      title: "Functions: duration (ms, p99)",
      metrics: functionNames.map((name) => ["AWS/Lambda", "Duration", "FunctionName", name]),
      stat: "p99",
    },
    {
      title: "Functions: age of the events that wait (ms)",
      metrics: functionNames.map((name) => ["AWS/Lambda", "AsyncEventAge", "FunctionName", name]),
      stat: "Maximum",
    },
    {
      title: "Functions: events that Lambda gave up",
      metrics: functionNames.map((name) => ["AWS/Lambda", "AsyncEventsDropped", "FunctionName", name]),
    },
    {
      title: "Mail: sends, bounces, complaints of the account",
      metrics: ["Send", "Delivery", "Bounce", "Complaint", "Reject"].map((metric) => ["AWS/SES", metric]),
    },
    {
      title: "What the logs tell: errors, and mail that nobody got",
      metrics: [errorMetricName, "RenderingFailures", "Rejects", suppressedSends.metric, unroutedEvents.metric].map(
        (metric) => [metricsNamespace, metric],
      ),
    },
    ...chunksOf(rules, mostMetricsPerWidget).map((some, index) => ({
      title: `Rules: events delivered${index === 0 ? "" : ` (${index + 1})`}`,
      metrics: some.map(({ rule, busName }) => [
        "AWS/Events",
        "Invocations",
        ...(busName === undefined ? [] : ["EventBusName", busName]),
        "RuleName",
        rule.name,
      ]),
    })),
    {
      title: "Waiting: retries and dead letters",
      // Between two tries a message is not visible.
      metrics: [...lanes.map(({ retryQueue }) => retryQueue), deadLetters].flatMap(({ queue }) =>
        ["ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"].map((metric) => [
          "AWS/SQS",
          metric,
          "QueueName",
          queue.name,
        ]),
      ),
      stat: "Maximum",
    },
  ];
  return {
    widgets: charts.map(({ title, metrics, stat = "Sum" }, index) => ({
      type: "metric",
      width: 12,
      height: 6,
      x: (index % 2) * 12,
      y: Math.floor(index / 2) * 6,
      properties: { title, metrics, stat, period: shortPeriod, region, view: "timeSeries" },
    })),
  };
}
