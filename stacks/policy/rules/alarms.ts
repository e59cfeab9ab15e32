import { functionAdmits, topicAdmits } from "../admission";
import { missing, problems } from "../findings";
import { metricProblems, metricsOf, isNamed } from "../metric-sources";
import { type Rule } from "../rule";
import { addressBehind, all, type Found, resourceBehind, strings, type SynthesizedStack } from "../synthesized";
import { numberOf } from "../values";
import { comparisonProblems, compositeProblems, mathProblems, statisticProblems } from "../alarm-terms";
import { deadLetterQueues } from "./queues";

const metricAlarm = "aws_cloudwatch_metric_alarm";
const compositeAlarm = "aws_cloudwatch_composite_alarm";

export const alarmRules: readonly Rule[] = [
  {
    id: "alarm-has-action",
    checks:
      "Each alarm has an action, and its actions are not switched off. Each action, of the states OK and INSUFFICIENT_DATA too, is a topic of the stack that CloudWatch may publish on for this alarm, by the conditions of its policy, too, or a function that it may invoke.",
    why: "An alarm without an action, or with one that nobody of ours reads, tells nobody. CloudWatch reports a topic that refuses it in the alarm's history alone.",
    check: (stack) =>
      [metricAlarm, compositeAlarm].flatMap((type) =>
        problems(stack, type, (alarm, id) => [
          ...(strings(alarm.alarm_actions).length > 0 ? [] : ["has no action"]),
          ...([undefined, null, true].includes(alarm.actions_enabled as boolean | undefined)
            ? []
            : ["has no action, because its actions are switched off"]),
          ...["alarm_actions", "ok_actions", "insufficient_data_actions"].flatMap((name) =>
            actionsOf(alarm[name])
              .filter((action) => !isReached(stack, action, { address: `${type}.${id}`, type, attributes: alarm }))
              .map(
                (action) =>
                  `has ${JSON.stringify(action)} in ${name}, which is no topic of the stack that CloudWatch may publish on, and no function that it may invoke`,
              ),
          ),
        ]),
      ),
  },
  {
    id: "alarm-missing-data",
    checks: "Each alarm says what missing data means.",
    why: "By default an alarm without data has no state to act on, and many metrics exist only once something went wrong: choose notBreaching, breaching, ignore or missing.",
    check: (stack) =>
      missing(stack, metricAlarm, "has no treat_missing_data", (alarm) =>
        ["notBreaching", "breaching", "ignore", "missing"].includes(String(alarm.treat_missing_data)),
      ),
  },
  {
    id: "alarm-evaluates",
    checks:
      "The periods of an alarm are 10, 20, 30 or a multiple of 60 seconds, at least 60 for a metric of AWS's own, cover at most a day (a week from an hour on), and are no fewer than the data points that it wants: at least one of each.",
    why: "CloudWatch refuses anything else at the deployment (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html), and AWS's own metrics have a value a minute, so that a shorter period finds none.",
    check: (stack) =>
      problems(stack, metricAlarm, (alarm) => {
        const evaluations = numberOf(alarm.evaluation_periods);
        const wanted = numberOf(alarm.datapoints_to_alarm ?? alarm.evaluation_periods);
        const metrics = metricsOf(alarm);
        const longest = Math.max(0, ...metrics.map(({ period }) => numberOf(period)).filter(Number.isFinite));
        const most = longest >= 3600 ? 604_800 : 86_400;
        return [
          ...metrics
            .filter(({ period, namespace }) => !isPeriod(numberOf(period), namespace))
            .map(({ period, namespace }) => `has a period of ${String(period)} s for a metric of ${namespace}`),
          ...(isCount(evaluations) ? [] : [`has ${String(alarm.evaluation_periods)} as its evaluation_periods`]),
          ...(longest * evaluations > most
            ? [`looks back over ${longest * evaluations} s, and CloudWatch takes ${most}`]
            : []),
          ...(isCount(wanted) && !(wanted > evaluations)
            ? []
            : [`wants ${String(alarm.datapoints_to_alarm)} data points of ${String(alarm.evaluation_periods)}`]),
        ];
      }),
  },
  {
    id: "alarm-compares",
    checks:
      "An alarm has one metric or expression, a comparison operator and a statistic of CloudWatch's, and a threshold: a number, or for a band of anomaly detection the id of the band.",
    why: "CloudWatch refuses anything else at the deployment (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html).",
    check: (stack) =>
      problems(stack, metricAlarm, (alarm) => [...comparisonProblems(alarm), ...statisticProblems(alarm)]),
  },
  {
    id: "alarm-math",
    checks:
      "The queries of an alarm have ids of their own, each is a metric or an expression, one of them returns its data, and an expression reads queries of the alarm and nothing else.",
    why: "CloudWatch refuses an alarm whose result is not one of its queries, and a rule can't tell which metrics SEARCH and SELECT find (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html).",
    check: (stack) => problems(stack, metricAlarm, mathProblems),
  },
  {
    id: "composite-alarm-reads",
    checks:
      "The rule of a composite alarm is made of ALARM, OK and INSUFFICIENT_DATA of other alarms of the stack, with AND, OR and NOT, and so is what suppresses its actions.",
    why: "CloudWatch refuses a rule that it can't parse, and an alarm that does not exist never rings (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html).",
    check: (stack) =>
      problems(stack, compositeAlarm, (alarm, id) => compositeProblems(stack, alarm, `${compositeAlarm}.${id}`)),
  },
  {
    id: "alarm-metric-exists",
    checks:
      "AWS, a metric filter or a function of the stack publishes the metric of each alarm with its dimensions, and each dimension names a resource of the stack: a rule's by its bus, too.",
    why: "An alarm on a metric that nobody publishes never rings.",
    check: (stack) =>
      problems(stack, metricAlarm, (alarm) => metricsOf(alarm).flatMap((metric) => metricProblems(stack, metric))),
  },
  {
    id: "failures-are-alarmed",
    checks:
      "Alarms stand on the errors of each function, on the failed invocations and the lost dead letters of each rule with a target, and on the messages in each queue.",
    why: "What fails without an alarm is found by a customer.",
    check: (stack) => {
      const alarmed = all(stack.resource, metricAlarm).flatMap(([, alarm]) => metricsOf(alarm));
      const isAlarmed = (namespace: string, names: readonly string[], dimension: string, address: string) =>
        alarmed.some(
          (metric) =>
            metric.namespace === namespace &&
            names.includes(metric.name) &&
            isNamed(stack, metric.dimensions[dimension], address),
        );
      const without = (
        type: string,
        namespace: string,
        dimension: string,
        names: readonly string[],
        counts: (id: string) => boolean = () => true,
      ) =>
        missing(
          stack,
          type,
          `has no alarm on ${names.join(" or ")}`,
          (_, id) => !counts(id) || isAlarmed(namespace, names, dimension, `${type}.${id}`),
        );
      const targeted = all(stack.resource, "aws_cloudwatch_event_target").map(([, { rule }]) => addressBehind(rule));
      const hasTarget = (id: string) => targeted.includes(`aws_cloudwatch_event_rule.${id}`);
      const isDeadLetters = (id: string) => deadLetterQueues(stack).includes(`aws_sqs_queue.${id}`);
      const waiting = ["ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"];
      return [
        ...without("aws_lambda_function", "AWS/Lambda", "FunctionName", ["Errors"]),
        ...without("aws_cloudwatch_event_rule", "AWS/Events", "RuleName", ["FailedInvocations"], hasTarget),
        ...without(
          "aws_cloudwatch_event_rule",
          "AWS/Events",
          "RuleName",
          ["InvocationsFailedToBeSentToDlq"],
          hasTarget,
        ),
        ...without("aws_sqs_queue", "AWS/SQS", "QueueName", [waiting[0] ?? ""], isDeadLetters),
        ...without("aws_sqs_queue", "AWS/SQS", "QueueName", waiting, (id) => !isDeadLetters(id)),
      ];
    },
  },
];

/** The actions, where an action is missing from the list, too: Terraform takes `""` and `null`. */
const actionsOf = (value: unknown): unknown[] => (value === undefined || value === null ? [] : [value].flat());

/**
 * Whether the action is a topic or a function of the stack that lets CloudWatch in for the alarm
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html).
 */
function isReached(stack: SynthesizedStack, action: unknown, source: Found): boolean {
  const target = resourceBehind(stack, action);
  if (target === undefined || action !== `\${${target.address}.arn}`) return false;
  switch (target.type) {
    case "aws_sns_topic":
      return topicAdmits(stack, target, { service: "cloudwatch.amazonaws.com", source, takesRole: false });
    case "aws_lambda_function":
    case "aws_lambda_alias":
      return functionAdmits(stack, target, {
        service: "lambda.alarms.cloudwatch.amazonaws.com",
        source,
        takesRole: false,
      });
    default:
      return false;
  }
}

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1;

/** High-resolution periods are for metrics that are stored so, and none of AWS's own is. */
function isPeriod(seconds: number, namespace: string): boolean {
  return (seconds > 0 && seconds % 60 === 0) || ([10, 20, 30].includes(seconds) && !namespace.startsWith("AWS/"));
}
