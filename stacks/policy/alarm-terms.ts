import { isNamed, metricsOf } from "./metric-sources";
import { all, type Attributes, type SynthesizedStack } from "./synthesized";
import { blocks, numberOf } from "./values";

/**
 * The words of CloudWatch's alarms. `__tests__/stacks/policy-limits.integration.test.ts` holds these lists against
 * AWS's model.
 */
export const comparisons = [
  "GreaterThanOrEqualToThreshold",
  "GreaterThanThreshold",
  "LessThanOrEqualToThreshold",
  "LessThanThreshold",
];

/** Operators that compare with a band of anomaly detection. */
export const bandComparisons = [
  "GreaterThanUpperThreshold",
  "LessThanLowerOrGreaterThanUpperThreshold",
  "LessThanLowerThreshold",
];

export const statistics = ["Average", "Maximum", "Minimum", "SampleCount", "Sum"];

/**
 * Percentiles, trimmed means and the like:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
 */
const extendedStatistic =
  /^(?:p(?:\d{1,2}(?:\.\d+)?|100)|(?:tm|tc|ts|wm)\d{1,2}(?:\.\d+)?|IQM|(?:PR|TC|TM|TS|WM)\([\d.%]*:[\d.%]*\))$/;

export const isStatistic = (name: unknown): boolean =>
  statistics.includes(String(name)) || extendedStatistic.test(String(name));

export function comparisonProblems(alarm: Attributes): string[] {
  const operator = String(alarm.comparison_operator);
  const { threshold_metric_id: bandId } = alarm;
  const isBand = bandComparisons.includes(operator);
  const band = blocks(alarm.metric_query).find(({ id }) => id === bandId);
  const isDetected = String(band?.expression).startsWith("ANOMALY_DETECTION_BAND(");
  return [
    ...(isBand || comparisons.includes(operator) ? [] : [`has the comparison_operator ${operator}`]),
    // CloudWatch then reads the values alone that were published with this unit: "we recommend omitting Unit".
    ...(alarm.unit === undefined
      ? []
      : [`has the unit ${JSON.stringify(alarm.unit)}, without which it would read every value`]),
    ...(isBand && !isDetected ? [`compares with a band, and its threshold_metric_id ${String(bandId)} is none`] : []),
    ...(!isBand && !Number.isFinite(numberOf(alarm.threshold))
      ? [`has no threshold that is a number: ${String(alarm.threshold)}`]
      : []),
  ];
}

export function statisticProblems(alarm: Attributes): string[] {
  const isMetric = alarm.metric_name !== undefined;
  const isQuery = blocks(alarm.metric_query).length > 0;
  const named = [alarm.statistic, alarm.extended_statistic].filter((each) => each !== undefined);
  return [
    ...(isMetric === isQuery ? [isMetric ? "has a metric_name and a metric_query" : "has no metric"] : []),
    ...(named.length > 1 ? ["has a statistic and an extended_statistic"] : []),
    ...metricsOf(alarm)
      .filter(({ statistic }) => !isStatistic(statistic))
      .map(({ name, statistic }) => `has the statistic ${String(statistic)} of ${name}`),
  ];
}

const words = /[A-Za-z_]\w*/g;

/** What is wrong with the queries of an alarm, which together are its metric. */
export function mathProblems(alarm: Attributes): string[] {
  const queries = blocks(alarm.metric_query);
  if (queries.length === 0) return [];
  const ids = queries.map(({ id }) => String(id));
  const returned = queries.filter(({ return_data: data }) => String(data) === "true").length;
  // A band is drawn around a metric, and the alarm compares the two.
  const most = bandComparisons.includes(String(alarm.comparison_operator)) ? 2 : 1;
  return [
    ...(returned >= 1 && returned <= most ? [] : [`has ${returned} queries that return data`]),
    ...(new Set(ids).size === ids.length ? [] : [`has an id twice: ${ids.join(", ")}`]),
    ...ids.filter((id) => !/^[a-z]\w*$/.test(id)).map((id) => `has the id ${id}, which begins with no small letter`),
    ...queries.flatMap(({ id, expression, metric }) => [
      ...((expression === undefined) === (metric === undefined)
        ? [`has the query ${String(id)}, which has to be a metric or an expression`]
        : []),
      ...(typeof expression === "string" ? expressionProblems(expression, ids) : []),
    ]),
  ];
}

/** Functions and keywords of an expression are in capital letters, and the ids of queries begin with a small one. */
function expressionProblems(expression: string, ids: readonly string[]): string[] {
  if (/\b(?:SEARCH|SELECT|METRICS)\b/i.test(expression)) return [`has ${expression}, whose metrics no rule can read`];
  const bare = expression.replaceAll(/"[^"]*"|'[^']*'/g, "");
  const named = (bare.match(words) ?? []).filter((word) => /^[a-z]/.test(word));
  const unknown = named.filter((word) => !ids.includes(word));
  return [
    ...(named.length > 0 ? [] : [`has ${expression}, which reads no query`]),
    ...unknown.map((word) => `has ${expression}, and no query ${word}`),
  ];
}

const state = /\b(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*("[^"]*"|[^()"]*)\)/g;

/** What is wrong with the rule of a composite alarm, and with the alarm that suppresses its actions. */
export function compositeProblems(stack: SynthesizedStack, alarm: Attributes, own: string): string[] {
  const rule = typeof alarm.alarm_rule === "string" ? alarm.alarm_rule : "";
  const named = [...rule.matchAll(state)].map(([, name = ""]) => name.trim().replaceAll('"', ""));
  const rest = rule.replaceAll(state, "").replaceAll(/\b(?:AND|OR|NOT|TRUE|FALSE)\b|[()\s]/g, "");
  const suppressors = blocks(alarm.actions_suppressor).map((suppressor) => String(suppressor.alarm));
  return [
    ...(named.length > 0 ? [] : ["has a rule that reads no alarm"]),
    ...(rest === "" ? [] : [`has ${JSON.stringify(rest)} in its rule`]),
    ...[...named, ...suppressors]
      .filter((name) => !isAlarm(stack, name, own))
      .map((name) => `reads ${JSON.stringify(name)}, which is no other alarm of the stack`),
  ];
}

/** Whether the text is the name, an ARN or a reference of an alarm of the stack other than `own`. */
export function isAlarm(stack: SynthesizedStack, text: string, own = ""): boolean {
  const [, name = text] = /^arn:.*:alarm:(.*)$/.exec(text) ?? [];
  return ["aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"].some((type) =>
    all(stack.resource, type).some(([id]) => {
      const address = `${type}.${id}`;
      return address !== own && (isNamed(stack, name, address) || text === `\${${address}.arn}`);
    }),
  );
}
