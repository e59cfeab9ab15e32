import { fromDescription } from "../../stacks/constructs/alarms";
import { type Attributes, block, listOf, referred, suffixOf, type SynthesizedStack } from "./stack";

/**
 * Lists every hop of the synthesized stack: each place that hands an event on, and where it could end.
 *
 * | hop | of |
 * |---|---|
 * | `target:<rule>` | each target of a rule |
 * | `queue:<queue>` | each queue |
 * | `mapping:<queue>` | each event source mapping, by the queue that it reads |
 * | `destination:<function>` | each on-failure destination of asynchronous runs |
 * | `ses-events:<name>` | each event destination of a configuration set |
 * | `asynchronous:<function>` | Lambda's own queue of each function that a rule invokes |
 * | `call:<function> <statement>` | each statement of a function's policy: what it calls |
 *
 * The names are without project and stage.
 */
export function hopsOf(stack: SynthesizedStack): string[] {
  const suffix = (name: unknown) => suffixOf(name, stack.prefix);
  return [
    ...listOf(stack, "aws_cloudwatch_event_target").map(
      (target) => `target:${suffix(referred(stack, target.rule).name)}`,
    ),
    ...listOf(stack, "aws_sqs_queue").map((queue) => `queue:${suffix(queue.name)}`),
    ...listOf(stack, "aws_lambda_event_source_mapping").map(
      (mapping) => `mapping:${suffix(referred(stack, mapping.event_source_arn).name)}`,
    ),
    ...listOf(stack, "aws_lambda_function_event_invoke_config")
      .filter((config) => block(block(config, "destination_config"), "on_failure").destination !== undefined)
      .map((config) => `destination:${suffix(referred(stack, config.function_name).function_name)}`),
    ...listOf(stack, "aws_lambda_function")
      .filter((fn) =>
        listOf(stack, "aws_lambda_permission").some((permission) => referred(stack, permission.function_name) === fn),
      )
      .map((fn) => `asynchronous:${suffix(fn.function_name)}`),
    ...listOf(stack, "aws_lambda_function").flatMap((fn) => {
      const policy = listOf(stack, "aws_iam_role_policy").find(
        (candidate) => referred(stack, candidate.role) === referred(stack, fn.role),
      );
      const statements = referred(stack, policy?.policy).statement as Attributes[];
      return statements.map(({ sid }) => `call:${suffix(fn.function_name)} ${String(sid)}`);
    }),
    ...listOf(stack, "aws_sesv2_configuration_set_event_destination").map(
      (destination) => `ses-events:${suffix(destination.event_destination_name)}`,
    ),
  ].sort();
}

export interface Alarm {
  /** The alarm's name without project and stage. */
  readonly name: string;
  readonly metric: string;
  readonly condition: string;
  readonly meaning: string;
  readonly firstStep: string | undefined;
}

/** The stack's alarms, sorted by name. */
export function alarmsOf(stack: SynthesizedStack): Alarm[] {
  const suffix = (name: unknown) => suffixOf(name, stack.prefix);
  return listOf(stack, "aws_cloudwatch_metric_alarm")
    .map((alarm) => ({
      name: suffix(alarm.alarm_name),
      metric: metricsIn(alarm)
        .map(
          (metric) =>
            `${withoutPrefix(String(metric.namespace), stack)} ${String(metric.metric_name)}${dimensionsOf(metric.dimensions, stack)}`,
        )
        .join(" + "),
      condition: conditionOf(alarm),
      ...fromDescription(String(alarm.alarm_description)),
    }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/**
 * The alarm's own metric, or the metrics whose sum it watches. `statistic` and `period` have the names that they have
 * in an alarm of one metric.
 */
function metricsIn(alarm: Attributes): Attributes[] {
  const queries = Array.isArray(alarm.metric_query) ? (alarm.metric_query as Attributes[]) : [];
  const metrics = queries.map((query) => block(query, "metric")).filter((metric) => metric.metric_name !== undefined);
  return metrics.length === 0 ? [alarm] : metrics.map(({ stat, ...metric }) => ({ ...metric, statistic: stat }));
}

/** The namespace as the documents show it. Only the stage's own namespace has a name that differs between stages. */
function withoutPrefix(namespace: string, { prefix }: SynthesizedStack): string {
  return namespace === prefix ? "(the stage's own)" : namespace;
}

function dimensionsOf(dimensions: unknown, stack: SynthesizedStack): string {
  if (typeof dimensions !== "object" || dimensions === null) return "";
  const parts = Object.entries(dimensions).map(([name, value]) => `${name} ${nameBehind(value, stack)}`);
  return parts.length === 0 ? "" : `, ${parts.join(", ")}`;
}

function nameBehind(value: unknown, stack: SynthesizedStack): string {
  const text = String(value);
  return suffixOf(text.startsWith("${") ? (referred(stack, text).name ?? text) : text, stack.prefix);
}

function conditionOf(alarm: Attributes): string {
  const { comparison_operator: operator, threshold, evaluation_periods: periods } = alarm;
  const [{ statistic, period } = alarm] = metricsIn(alarm);
  const signs: Readonly<Record<string, string>> = {
    GreaterThanOrEqualToThreshold: ">=",
    GreaterThanThreshold: ">",
    LessThanThreshold: "<",
    LessThanOrEqualToThreshold: "<=",
  };
  const span = `${Number(period) / 60} min`;
  const length = Number(periods) === 1 ? span : `${Number(periods)} times ${span}`;
  return `${String(statistic)} ${signs[String(operator)] ?? String(operator)} ${String(threshold)} in ${length}`;
}
