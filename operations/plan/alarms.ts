import { formatDuration } from "../text";
import { differencesOf } from "./differences";
import { type Block, code } from "./markdown";
import { first, kindOf, type Naming } from "./naming";
import { type ResourceChange } from "./terraform-json";
import { differenceText } from "./values";

/** The changes of alarms: what rings when, and what no longer does. */

export function describeAlarms(changes: readonly ResourceChange[], naming: Naming): Block[] {
  return changes.flatMap(({ address, type, change }) => {
    const title = `${kindOf(type)} ${code(naming.nameOf(address, type, change.after ?? change.before))}`;
    const after = first(change.after);
    if (change.before === null)
      return [{ text: `- New ${title}: ${condition(after)}.` }, ...silent(change.after, title)];
    if (change.after === null) {
      return [
        {
          text: `- ⚠️ The ${title} is removed. It rang where ${condition(first(change.before)).replace(/^rings where /, "")}.`,
        },
      ];
    }
    const differences = differencesOf(change).filter(({ after: now }) => now.kind !== "unknown");
    return [
      { text: `- The ${title} changes: ${condition(after)}.` },
      ...differences.map((difference) => ({ text: `  - ${differenceText(difference)}` })),
      ...silent(change.after, title),
    ];
  });
}

/** An alarm without an action changes its colour in the console, and tells nobody. */
function silent(values: unknown, title: string): Block[] {
  const { alarm_actions: actions, actions_enabled: enabled } = first(values);
  const isSilent = enabled === false || (Array.isArray(actions) && actions.length === 0);
  return isSilent ? [{ text: `  - ⚠️ Nobody is told when the ${title} rings.` }] : [];
}

const comparisons: Readonly<Record<string, string>> = {
  GreaterThanOrEqualToThreshold: "≥",
  GreaterThanThreshold: ">",
  LessThanOrEqualToThreshold: "≤",
  LessThanThreshold: "<",
};

function condition(values: Readonly<Record<string, unknown>>): string {
  const { comparison_operator: operator, threshold, evaluation_periods: periods } = values;
  if (typeof values.alarm_rule === "string") return `rings where ${code(values.alarm_rule)}`;
  const queries = Array.isArray(values.metric_query) ? (values.metric_query as unknown[]).map(first) : [];
  const metrics = queries
    .map(({ metric }) => first(metric))
    .filter(({ metric_name: name }) => typeof name === "string");
  const expression = queries.find(({ return_data: isShown }) => isShown === true)?.expression;
  const seconds = [values.period, ...metrics.map(({ period }) => period)].find(
    (each) => typeof each === "number" && each > 0,
  );
  const what =
    metrics.length > 0
      ? `${code(textOf(expression))} of ${metrics.map((metric) => metricText(metric, metric.stat)).join(", ")}`
      : metricText(values, values.statistic ?? values.extended_statistic);
  const times = typeof periods === "number" && periods > 1 ? `${periods} times ` : "";
  const span = typeof seconds === "number" ? ` within ${times}${formatDuration(seconds * 1000)}` : "";
  return `rings where ${what} is ${comparisons[String(operator)] ?? code(textOf(operator))} ${code(textOf(threshold))}${span}`;
}

const metricText = (metric: Readonly<Record<string, unknown>>, statistic: unknown): string =>
  `the ${code(textOf(statistic))} of ${code(`${textOf(metric.namespace)} ${textOf(metric.metric_name)}`)}`;

const textOf = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "(known after apply)";
