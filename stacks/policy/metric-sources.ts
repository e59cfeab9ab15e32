import { awsMetrics, dimensionTypes } from "./metrics";
import { all, type Attributes, block, nameLimits, nameOf, resourceBehind, type SynthesizedStack } from "./synthesized";
import { blocks } from "./values";

/** A metric, as an alarm or a widget names it. */
export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Attributes;
  readonly period: unknown;
  /** A name of CloudWatch's, for example `Sum` or `p99`. */
  readonly statistic: unknown;
}

/** The metrics of an alarm: its own, or those of its expression. */
export function metricsOf(alarm: Attributes): Metric[] {
  const queried = blocks(alarm.metric_query).flatMap(({ metric }) => blocks(metric));
  return [...(alarm.metric_name === undefined ? [] : [alarm]), ...queried].map((metric) => ({
    namespace: String(metric.namespace),
    name: String(metric.metric_name),
    dimensions: block(metric.dimensions),
    period: metric.period,
    statistic: metric.stat ?? metric.extended_statistic ?? metric.statistic,
  }));
}

/** What is wrong with a metric: that nobody publishes it, or not with these dimensions. */
export function metricProblems(stack: SynthesizedStack, metric: Metric): string[] {
  const { namespace, name, dimensions } = metric;
  const given = Object.keys(dimensions).sort();
  const known = awsMetrics[namespace];
  if (known === undefined)
    return namespace.startsWith("AWS/") ? [unknownNamespace(namespace)] : ownProblems(stack, metric);
  const isOfAccount = known.ofAccount?.includes(name) === true;
  const published = isOfAccount
    ? given.length === 0
    : known.dimensions.some((names) => [...names].sort().join() === given.join()) ||
      (given.length === 0 && known.alsoOfAccount?.includes(name) === true);
  return [
    ...(isOfAccount || known.metrics.includes(name)
      ? []
      : [`is on the metric ${namespace} ${name}, which does not exist`]),
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
export function named(stack: SynthesizedStack, type: string, name: unknown): [string, Attributes] | undefined {
  return all(stack.resource, type).find(([id]) => isNamed(stack, name, `${type}.${id}`));
}

/** Whether the text, or what the expression refers to, is the physical name of the resource. */
export function isNamed(stack: SynthesizedStack, name: unknown, address: string): boolean {
  if (name === undefined) return false;
  const [type = "", id = ""] = address.split(".");
  const { attribute = "name" } = nameLimits[type] ?? {};
  if (name === `\${${address}.${attribute}}`) return true;
  const found = resourceBehind(stack, `\${${type}.${id}.${attribute}}`);
  return found !== undefined && nameOf(found) === name;
}
