import { missing, problems } from "../findings";
import { awsMetrics, dimensionTypes } from "../metrics";
import { type Rule } from "../rule";
import {
  addressBehind,
  all,
  type Attributes,
  block,
  isReference,
  nameLimits,
  nameOf,
  objects,
  resourceBehind,
  statementsOfRole,
  strings,
  type SynthesizedStack,
} from "../synthesized";
import { deadLetterQueues } from "./delivery";

const alarmTypes = ["aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"];

/** The retentions that CloudWatch Logs takes, in days: API_PutRetentionPolicy. */
const retentions = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

export const monitoringRules: readonly Rule[] = [
  {
    id: "log-retention",
    checks: "Each log group has a retention that CloudWatch Logs takes, and not 0, which keeps the logs for ever.",
    why: "A log group without retention keeps its logs for ever, and they cost money.",
    check: (stack) =>
      missing(stack, "aws_cloudwatch_log_group", "has no retention", ({ retention_in_days: days }) =>
        retentions.includes(days as number),
      ),
  },
  {
    id: "function-log-group-first",
    checks:
      "The log group of each function is a resource of the stack that exists before the function, and the function's role may not create log groups.",
    why: "A group that Lambda creates first has no retention, and Terraform can't create it any more (terraform-aws-modules/terraform-aws-lambda issues 133 and 342).",
    check: (stack) =>
      problems(stack, "aws_lambda_function", (fn, id) => {
        const address = `aws_lambda_function.${id}`;
        const { log_group: configured } = block(fn.logging_config);
        const wanted = configured ?? `/aws/lambda/${String(fn.function_name)}`;
        const [groupId, group] =
          all(stack.resource, "aws_cloudwatch_log_group").find(
            ([each, { name }]) => name === wanted || addressBehind(wanted) === `aws_cloudwatch_log_group.${each}`,
          ) ?? [];
        if (groupId === undefined) return [`has no log group ${addressBehind(wanted)} in the stack`];
        const isFirst = strings(fn.depends_on).includes(`aws_cloudwatch_log_group.${groupId}`) || isReference(wanted);
        return [
          ...(isFirst ? [] : [`does not depend on its log group aws_cloudwatch_log_group.${groupId}`]),
          ...(JSON.stringify(group).includes(`\${${address}.`)
            ? ["exists before its log group, which refers to it"]
            : []),
          ...(statementsOfRole(stack, fn.role).some(
            ({ effect, actions }) => effect !== "Deny" && strings(actions).includes("logs:CreateLogGroup"),
          )
            ? ["has a role that may create log groups"]
            : []),
        ];
      }),
  },
  {
    id: "alarm-has-action",
    checks: "Each alarm has an action, and its actions are not switched off.",
    why: "An alarm without an action tells nobody.",
    check: (stack) =>
      alarmTypes.flatMap((type) =>
        missing(
          stack,
          type,
          "has no action",
          (alarm) => strings(alarm.alarm_actions).length > 0 && alarm.actions_enabled !== false,
        ),
      ),
  },
  {
    id: "alarm-missing-data",
    checks: "Each alarm says what missing data means.",
    why: "By default an alarm without data has no state to act on, and many metrics exist only once something went wrong: choose notBreaching, breaching, ignore or missing.",
    check: (stack) =>
      missing(stack, "aws_cloudwatch_metric_alarm", "has no treat_missing_data", (alarm) =>
        ["notBreaching", "breaching", "ignore", "missing"].includes(String(alarm.treat_missing_data)),
      ),
  },
  {
    id: "alarm-evaluates",
    checks:
      "The periods of an alarm are 10, 20, 30 or a multiple of 60 seconds, cover at most a day (a week from an hour on), and are no fewer than the data points that it wants.",
    why: "CloudWatch refuses anything else at the deployment (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html).",
    check: (stack) =>
      problems(stack, "aws_cloudwatch_metric_alarm", (alarm) => {
        const evaluations = Number(alarm.evaluation_periods);
        const periods = metricsOf(alarm).map(({ period }) => Number(period));
        const longest = Math.max(0, ...periods);
        const most = longest >= 3600 ? 604_800 : 86_400;
        return [
          ...periods
            .filter((period) => ![10, 20, 30].includes(period) && !(period > 0 && period % 60 === 0))
            .map((period) => `has a period of ${period} s`),
          ...(longest * evaluations > most
            ? [`looks back over ${longest * evaluations} s, and CloudWatch takes ${most}`]
            : []),
          ...(Number(alarm.datapoints_to_alarm ?? 0) > evaluations
            ? [`wants ${String(alarm.datapoints_to_alarm)} data points of ${evaluations}`]
            : []),
        ];
      }),
  },
  {
    id: "alarm-metric-exists",
    checks:
      "AWS, a metric filter or a function of the stack publishes the metric of each alarm with its dimensions, and each dimension names a resource of the stack: a rule's by its bus, too.",
    why: "An alarm on a metric that nobody publishes never rings.",
    check: (stack) =>
      problems(stack, "aws_cloudwatch_metric_alarm", (alarm) =>
        metricsOf(alarm).flatMap((metric) => metricProblems(stack, metric)),
      ),
  },
  {
    id: "dashboard-metric-exists",
    checks: "The metrics of a dashboard exist, by the same measure as those of an alarm.",
    why: "A graph of a metric that nobody publishes is empty, and looks like peace.",
    check: (stack) =>
      problems(stack, "aws_cloudwatch_dashboard", ({ dashboard_body: body }) => [
        ...new Set(dashboardMetrics(body).flatMap((metric) => metricProblems(stack, metric))),
      ]),
  },
  {
    id: "failures-are-alarmed",
    checks:
      "Alarms stand on the errors of each function, on the failed invocations and the lost dead letters of each rule with a target, and on the messages in each queue.",
    why: "What fails without an alarm is found by a customer.",
    check: (stack) => {
      const alarmed = all(stack.resource, "aws_cloudwatch_metric_alarm").flatMap(([, alarm]) => metricsOf(alarm));
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

interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Attributes;
  readonly period: unknown;
}

/** The metrics of an alarm: its own, or those of its expression. */
function metricsOf(alarm: Attributes): Metric[] {
  const queried = objects(alarm.metric_query).flatMap(({ metric }) => (metric === undefined ? [] : [block(metric)]));
  return [...(alarm.metric_name === undefined ? [] : [alarm]), ...queried].map((metric) => ({
    namespace: String(metric.namespace),
    name: String(metric.metric_name),
    dimensions: block(metric.dimensions),
    period: metric.period,
  }));
}

/** The metrics of all widgets: each is `[namespace, name, dimension, value, .., options]`. */
function dashboardMetrics(body: unknown): Metric[] {
  const { widgets } = JSON.parse(typeof body === "string" ? body : "{}") as { widgets?: unknown };
  return objects(widgets).flatMap((widget) =>
    objects(block(widget.properties).metrics).flatMap((entry): Metric[] => {
      const texts = (Array.isArray(entry) ? (entry as unknown[]) : []).filter((part) => typeof part === "string");
      const [namespace, name, ...pairs] = texts;
      if (namespace === undefined || name === undefined) return [];
      const dimensions = Object.fromEntries(
        pairs.flatMap((text, at) => (at % 2 === 0 ? [[text, pairs[at + 1]] as const] : [])),
      );
      return [{ namespace, name, dimensions, period: undefined }];
    }),
  );
}

function metricProblems(stack: SynthesizedStack, metric: Metric): string[] {
  const { namespace, name, dimensions } = metric;
  const given = Object.keys(dimensions).sort();
  const known = awsMetrics[namespace];
  if (known === undefined)
    return namespace.startsWith("AWS/") ? [unknownNamespace(namespace)] : ownProblems(stack, metric);
  const published = known.dimensions.some((names) => [...names].sort().join() === given.join());
  return [
    ...(known.metrics.includes(name) ? [] : [`is on the metric ${namespace} ${name}, which does not exist`]),
    ...(published ? [] : [`is on ${namespace} ${name} by [${given.join(", ")}], and AWS does not publish it so`]),
    ...given.flatMap((dimension) => dimensionProblems(stack, dimension, dimensions[dimension])),
    ...(namespace === "AWS/Events" ? busProblems(stack, dimensions) : []),
  ];
}

const unknownNamespace = (namespace: string) =>
  `is on the namespace ${namespace}, whose metrics stacks/policy/metrics.ts does not list`;

function dimensionProblems(stack: SynthesizedStack, dimension: string, value: unknown): string[] {
  const type = dimensionTypes[dimension];
  return type === undefined || named(stack, type, value) !== undefined
    ? []
    : [`has the dimension ${dimension} "${String(value)}", which names no ${type} of the stack`];
}

/** The metrics of a rule have its bus as a second dimension, unless that is the default bus. */
function busProblems(stack: SynthesizedStack, { RuleName: rule, EventBusName: bus }: Attributes): string[] {
  if (rule === undefined) return [];
  const [, attributes] = named(stack, "aws_cloudwatch_event_rule", rule) ?? [];
  if (attributes === undefined) return [];
  const [own] = named(stack, "aws_cloudwatch_event_bus", attributes.event_bus_name) ?? [];
  const [given] = named(stack, "aws_cloudwatch_event_bus", bus) ?? [];
  return own === given ? [] : ["has another bus than its rule as the dimension EventBusName"];
}

/** Metrics of a namespace that is no service's come from a metric filter or from a function's own code. */
function ownProblems(stack: SynthesizedStack, { namespace, name, dimensions }: Metric): string[] {
  const given = Object.keys(dimensions).sort().join();
  const filters = all(stack.resource, "aws_cloudwatch_log_metric_filter")
    .map(([, filter]) => block(filter.metric_transformation))
    .filter((transformation) => transformation.name === name && transformation.namespace === namespace);
  if (filters.length > 0) {
    return filters.some((filter) => Object.keys(block(filter.dimensions)).sort().join() === given)
      ? []
      : [`is on ${namespace} ${name} by [${given}], and its metric filter has other dimensions`];
  }
  // Powertools gives each metric of the code the dimension `service`.
  const services = all(stack.resource, "aws_lambda_function")
    .map(([, fn]) => block(block(fn.environment).variables))
    .filter((variables) => variables.POWERTOOLS_METRICS_NAMESPACE === namespace)
    .map((variables) => variables.POWERTOOLS_SERVICE_NAME);
  return services.includes(dimensions.service)
    ? []
    : [`is on ${namespace} ${name}, which no metric filter and no function of the stack publishes by [${given}]`];
}

/** The resource with this physical name, which is given as a text or by reference. */
function named(stack: SynthesizedStack, type: string, name: unknown): [string, Attributes] | undefined {
  return all(stack.resource, type).find(([id]) => isNamed(stack, name, `${type}.${id}`));
}

/** Whether the text, or what the expression refers to, is the physical name of the resource. */
function isNamed(stack: SynthesizedStack, name: unknown, address: string): boolean {
  if (name === undefined) return false;
  const [type = "", id = ""] = address.split(".");
  const { attribute = "name" } = nameLimits[type] ?? {};
  if (name === `\${${address}.${attribute}}`) return true;
  const found = resourceBehind(stack, `\${${type}.${id}.${attribute}}`);
  return found !== undefined && nameOf(found) === name;
}
