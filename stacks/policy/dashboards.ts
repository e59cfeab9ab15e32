import { isAlarm, isStatistic } from "./alarm-terms";
import { type Metric, metricProblems, named } from "./metric-sources";
import { type Attributes, block, objects, strings, type SynthesizedStack } from "./synthesized";
import { jsonOf } from "./values";

/**
 * What is wrong with the body of a dashboard. Its form:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 */
export function bodyProblems(stack: SynthesizedStack, body: unknown): string[] {
  const { widgets } = block(jsonOf(body));
  if (!Array.isArray(widgets)) return ["has a body that is no JSON with widgets"];
  return [...new Set(objects(widgets).flatMap((widget) => widgetProblems(stack, widget)))];
}

function widgetProblems(stack: SynthesizedStack, { type = "metric", properties }: Attributes): string[] {
  const content = block(properties);
  const options = [content, ...objects(content.metrics).map(optionsOf)];
  const regions = options.map(({ region }) => region);
  return [
    ...(["alarm", "log", "metric", "text"].includes(String(type))
      ? []
      : [`has a widget of the type ${String(type)}, which no rule reads`]),
    ...regions.filter((region) => !isOwnRegion(stack, region)).map((region) => `has a widget of ${String(region)}`),
    ...options
      .filter(({ stat }) => stat !== undefined && !isStatistic(stat))
      .map(({ stat }) => `shows the statistic ${String(stat)}`),
    ...metricsOfRows(objects(content.metrics)).flatMap((metric) => metricProblems(stack, metric)),
    ...[content.alarms, block(content.annotations).alarms]
      .flatMap(strings)
      .filter((alarm) => !isAlarm(stack, alarm))
      .map((alarm) => `shows the alarm ${alarm}, which is not in the stack`),
    ...logGroupsOf(content.query)
      .filter((group) => named(stack, "aws_cloudwatch_log_group", group) === undefined)
      .map((group) => `shows the log group ${group}, which is not in the stack`),
  ];
}

/** Another region has none of the stack's metrics. One that is not written out is a matter of values-are-readable. */
function isOwnRegion({ provider }: SynthesizedStack, region: unknown): boolean {
  const own = provider?.aws?.[0]?.region;
  return region === undefined || own === undefined || region === own;
}

const optionsOf = (row: unknown): Attributes => block(Array.isArray(row) ? (row as unknown[]).at(-1) : undefined);

/**
 * The metrics of a widget's rows: each is `[namespace, name, dimension, value, .., options]`. `.` stands for what the row
 * above has in that place, and `...` for all that it has there.
 */
function metricsOfRows(rows: readonly unknown[]): Metric[] {
  let above: string[] = [];
  return rows.flatMap((row): Metric[] => {
    const given = (Array.isArray(row) ? (row as unknown[]) : []).filter((part) => typeof part === "string");
    if (given.length === 0) return [];
    const rest = given.filter((part) => part !== "...");
    const texts = given.includes("...") ? [...above.slice(0, above.length - rest.length), ...rest] : given;
    above = texts.map((text, at) => (text === "." ? (above[at] ?? text) : text));
    const [namespace = "", name = "", ...pairs] = above;
    const dimensions = Object.fromEntries(
      pairs.flatMap((text, at) => (at % 2 === 0 ? [[text, pairs[at + 1]] as const] : [])),
    );
    return [{ namespace, name, dimensions, period: undefined, statistic: undefined }];
  });
}

/** The log groups of a query: `SOURCE '<name>' | SOURCE '<name>' | fields ..`. */
function logGroupsOf(query: unknown): string[] {
  if (typeof query !== "string") return [];
  return [...query.matchAll(/\bSOURCE\s+'([^']*)'/gi)].map(([, group = ""]) => group);
}
