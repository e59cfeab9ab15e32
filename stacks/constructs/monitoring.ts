import { CloudwatchDashboard } from "@cdktf/provider-aws/lib/cloudwatch-dashboard";
import {
  CloudwatchMetricAlarm,
  type CloudwatchMetricAlarmConfig,
} from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { Construct } from "constructs";
import { mostMetricsPerWidget } from "../policy/limits";
import { AlarmTopic, type AlarmTopicProps } from "./alarm-topic";
import { type Alarm, type AlarmSources, describeAlarms, isSum, shortPeriod, toDescription } from "./alarms";
import { feedbackMetric, suppressedSends } from "./delivery-feedback";
import { unroutedEvents } from "./event-routing";
import { errorMetricName } from "./notification-function";

export interface MonitoringProps extends AlarmTopicProps, AlarmSources {
  readonly region: string;
}

/** The alarms, the topic that they publish to, and the dashboard. */
export class Monitoring extends Construct {
  readonly alarmTopic: AlarmTopic;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    const { names } = props;
    const alarms = describeAlarms(props);
    this.alarmTopic = new AlarmTopic(this, "alarm-topic", props);
    for (const alarm of alarms) {
      const { name, metric, threshold, evaluationPeriods = 1, period = shortPeriod } = alarm;
      new CloudwatchMetricAlarm(this, `alarm-${name}`, {
        alarmName: names.of(name),
        alarmDescription: toDescription(alarm),
        ...toMetric(metric, period),
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
  if (!isSum(metric)) return { ...metric, period };
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

function chunksOf<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}

function describeDashboard(props: MonitoringProps): unknown {
  const { names, region, lanes, deadLetters, rules } = props;
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
      metrics: [
        errorMetricName,
        feedbackMetric("RENDERING_FAILURE"),
        feedbackMetric("REJECT"),
        suppressedSends.metric,
        unroutedEvents.metric,
      ].map((metric) => [names.metricsNamespace, metric]),
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
      // Both metrics are shown, because a message is not visible while it waits for its next try.
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
