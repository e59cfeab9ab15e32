import { CloudwatchDashboard } from "@cdktf/provider-aws/lib/cloudwatch-dashboard";
import {
  CloudwatchMetricAlarm,
  type CloudwatchMetricAlarmConfig,
} from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { Construct } from "constructs";
import { type Names } from "../names";
import { AlarmTopic, type AlarmTopicProps } from "./alarm-topic";
import { type DeadLetters } from "./dead-letters";
import { type RoutedRule } from "./event-routing";
import { type NotificationFunction } from "./notification-function";

export interface MonitoringProps extends AlarmTopicProps {
  readonly names: Names;
  readonly region: string;
  readonly function: NotificationFunction;
  readonly deadLetters: DeadLetters;
  readonly rules: readonly RoutedRule[];
}

interface Alarm {
  /** Behind project and stage. */
  readonly name: string;
  readonly description: string;
  readonly metric: Pick<CloudwatchMetricAlarmConfig, "namespace" | "metricName" | "dimensions" | "statistic">;
  readonly threshold: number;
  readonly evaluationPeriods?: number;
}

/** Length of an alarm's period, in seconds. */
const period = 300;

/** Alarms, their topic and the dashboard. */
export class Monitoring extends Construct {
  readonly alarmTopic: AlarmTopic;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    const { names } = props;
    const alarms = describeAlarms(props);
    this.alarmTopic = new AlarmTopic(
      this,
      "alarm-topic",
      props,
      alarms.map(({ name }) => names.of(name)),
    );
    for (const { name, description, metric, threshold, evaluationPeriods = 1 } of alarms) {
      new CloudwatchMetricAlarm(this, `alarm-${name}`, {
        alarmName: names.of(name),
        alarmDescription: description,
        ...metric,
        period,
        threshold,
        evaluationPeriods,
        comparisonOperator: "GreaterThanOrEqualToThreshold",
        // Most of these metrics exist only once something went wrong.
        treatMissingData: "notBreaching",
        alarmActions: [this.alarmTopic.topic.arn],
        okActions: [this.alarmTopic.topic.arn],
      });
    }
    new CloudwatchDashboard(this, "dashboard", {
      dashboardName: names.of("notifications"),
      dashboardBody: JSON.stringify(describeDashboard(props)),
    });
  }
}

function describeAlarms({ names, function: fn, deadLetters, rules }: MonitoringProps): Alarm[] {
  return [
    {
      name: "lambda-errors",
      description: "A run of the function failed. Look for ERROR in its log group.",
      metric: {
        namespace: "AWS/Lambda",
        metricName: "Errors",
        statistic: "Sum",
        dimensions: { FunctionName: names.of("email-processor") },
      },
      threshold: 1,
    },
    {
      name: "email-processing-errors",
      description: "The function logged an error. The log line has its reason and the event's id.",
      metric: { namespace: fn.errorMetric.namespace, metricName: fn.errorMetric.name, statistic: "Sum" },
      threshold: 1,
    },
    {
      name: "ses-bounces",
      description: "Mail bounces. Look at the account's reputation in SES before it is put under review.",
      metric: { namespace: "AWS/SES", metricName: "Bounce", statistic: "Sum" },
      threshold: 5,
      evaluationPeriods: 2,
    },
    {
      name: "dead-letters",
      description: "An event could not be handled, and waits in the dead-letter queue for 14 days.",
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
            ? "EventBridge could not deliver an event to the function. Look into the dead-letter queue."
            : "EventBridge could not park an event: it is lost. Check the dead-letter queue's policy.",
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

function roleOf(ruleName: string | undefined, names: Names): string {
  return (ruleName ?? "").slice(names.prefix.length + 1);
}

function describeDashboard({ names, region, function: fn, deadLetters, rules }: MonitoringProps): unknown {
  const functionName = names.of("email-processor");
  const charts: { title: string; metrics: unknown[]; stat?: string }[] = [
    {
      title: "Function: runs and errors",
      metrics: ["Invocations", "Errors", "Throttles"].map((metric) => [
        "AWS/Lambda",
        metric,
        "FunctionName",
        functionName,
      ]),
    },
    {
      title: "Function: duration (ms, p99)",
      metrics: [["AWS/Lambda", "Duration", "FunctionName", functionName]],
      stat: "p99",
    },
    {
      title: "Mail: sends, bounces, complaints",
      metrics: ["Send", "Delivery", "Bounce", "Complaint", "Reject"].map((metric) => ["AWS/SES", metric]),
    },
    { title: "Logged errors", metrics: [[fn.errorMetric.namespace, fn.errorMetric.name]] },
    {
      title: "Rules: events delivered",
      metrics: rules.map(({ rule, busName }) => [
        "AWS/Events",
        "Invocations",
        ...(busName === undefined ? [] : ["EventBusName", busName]),
        "RuleName",
        rule.name,
      ]),
    },
    {
      title: "Dead letters waiting",
      metrics: [["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", deadLetters.queue.name]],
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
      properties: { title, metrics, stat, period, region, view: "timeSeries" },
    })),
  };
}
