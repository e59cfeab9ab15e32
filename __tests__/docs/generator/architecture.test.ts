import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { CloudwatchEventTarget } from "@cdktf/provider-aws/lib/cloudwatch-event-target";
import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { KinesisStream } from "@cdktf/provider-aws/lib/kinesis-stream";
import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { architectureDocument } from "../../../docs/generator/architecture-document";
import { drawDiagram, flows, themes } from "../../../docs/generator/architecture/diagram";
import { edgesInWords, graphOf } from "../../../docs/generator/architecture/graph";
import { synthesizeForDocs } from "../../../docs/generator/stack";
import { emailRequest } from "../../../handler/notifications/email-request";
import { loadTemplate } from "../../../stacks/templates/load";
import { largeCatalogue } from "../../support/catalogue";
import { stackWith } from "../../support/docs-stack";

const stack = synthesizeForDocs();
const graph = graphOf(stack);
const words = edgesInWords(graph);

describe("the graph of the stack", () => {
  it("has every bus, function, queue, table, topic and log, and every rule once", () => {
    const { nodes } = graph;
    const names = (type: string, attribute = "name") =>
      Object.values(stack.resources[type] ?? {}).map((each) => String(each[attribute]).replace(/^.*project-prod-/, ""));
    for (const type of ["event_bus", "log_group"].map((kind) => `aws_cloudwatch_${kind}`)) {
      expect(nodes.map(({ name }) => name)).toEqual(expect.arrayContaining(names(type)));
    }
    for (const type of ["aws_sqs_queue", "aws_dynamodb_table", "aws_sns_topic"]) {
      expect(nodes.map(({ name }) => name)).toEqual(expect.arrayContaining(names(type)));
    }
    expect(nodes.map(({ name }) => name)).toEqual(
      expect.arrayContaining(names("aws_lambda_function", "function_name")),
    );
    const rules = nodes.flatMap((node) => node.rules.flatMap((rule) => rule.names));
    expect(rules.sort()).toEqual(names("aws_cloudwatch_event_rule").sort());
  });

  it("counts every alarm at what it watches", () => {
    const counts = graph.nodes.filter(({ id }) => id !== "alarms").map(({ alarms }) => alarms);
    const all = Object.keys(stack.resources.aws_cloudwatch_metric_alarm ?? {}).length;
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(all);
    expect(graph.nodes.find(({ id }) => id === "alarms")?.alarms).toBe(all);
    expect(graph.nodes.find(({ name }) => name === "dead-letters")?.alarms).toBe(1);
  });

  it.each([
    ["Applications", "event bus event-bus", "event", []],
    ["event bus event-bus", "function email-processor", "event", ["email-rule", "unmatched-rule"]],
    ["event bus event-bus", "function priority-email-processor", "event", ["priority-rule"]],
    ["default event bus Schedules", "function email-processor", "event", ["daily-report"]],
    ["function email-processor", "table claims", "event", []],
    ["function email-processor", "Amazon SES", "event", []],
    ["function email-processor", "queue dead-letters", "failure", []],
    ["function email-processor", "event bus failures", "failure", []],
    ["event bus failures", "queue retries", "failure", ["retry-rule"]],
    ["queue retries", "function email-processor", "failure", []],
    ["queue retries", "queue dead-letters", "failure", []],
    ["Amazon SES", "event bus default", "tell", []],
    ["event bus default", "log feedback", "tell", ["feedback-rule"]],
    ["CloudWatch Alarms", "topic alarms", "tell", []],
  ])("leads from %s to %s", (from, to, flow, rules) => {
    expect(words).toContainEqual({ from, to, flow, rules });
  });

  it("follows the stack", () => {
    const changed = stackWith((scope, names) => {
      const rule = new CloudwatchEventRule(scope, "audit-rule", { name: names.of("audit-rule"), eventPattern: "{}" });
      const queue = new SqsQueue(scope, "audit", { name: names.of("audit") });
      new CloudwatchEventTarget(scope, "audit-target", { rule: rule.name, arn: queue.arn });
    });
    expect(edgesInWords(graphOf(changed))).toContainEqual({
      from: "event bus default",
      to: "queue audit",
      flow: "event",
      rules: ["audit-rule"],
    });
  });

  it("refuses a kind of resource that it does not know", () => {
    const changed = stackWith((scope, names) => {
      new KinesisStream(scope, "audit", { name: names.of("audit") });
    });
    const problem =
      "docs/architecture.md can't be generated: nobody has said how to draw aws_kinesis_stream. Add each to the drawings in docs/generator/architecture/graph.ts.";
    expect(() => graphOf(changed)).toThrow(problem);
    expect(() => architectureDocument(changed)).toThrow(problem);
  });

  it("refuses a target and an alarm that lead to nothing that it shows", () => {
    const withTarget = stackWith((scope, names) => {
      const rule = new CloudwatchEventRule(scope, "audit-rule", { name: names.of("audit-rule"), eventPattern: "{}" });
      new CloudwatchEventTarget(scope, "audit", { rule: rule.name, arn: "arn:aws:sqs:eu-west-1:999999999999:audit" });
    });
    expect(() => graphOf(withTarget)).toThrow("aws_cloudwatch_event_target.audit refers to arn:aws:sqs");
    const withAlarm = stackWith((scope, names) => {
      new CloudwatchMetricAlarm(scope, "audit", {
        alarmName: names.of("audit"),
        comparisonOperator: "GreaterThanThreshold",
        evaluationPeriods: 1,
        namespace: "AWS/Kinesis",
        metricName: "Errors",
      });
    });
    expect(() => graphOf(withAlarm)).toThrow("aws_cloudwatch_metric_alarm.audit watches nothing");
  });
});

describe("the diagram", () => {
  it("is the same in each run, and differs between the themes in its colors only", async () => {
    const [light, again, dark] = await Promise.all(
      (["light", "light", "dark"] as const).map((theme) => drawDiagram(graph, theme)),
    );
    expect(again).toBe(light);
    const withoutColors = (svg = "") => svg.replace(/#[0-9a-f]{6}/g, "");
    expect(withoutColors(dark)).toBe(withoutColors(light));
    expect(dark).not.toBe(light);
  });

  it("shows the first names of many rules, and how many more there are", async () => {
    const notifications = largeCatalogue(30);
    const large = graphOf(synthesizeForDocs(notifications, () => loadTemplate(emailRequest)));
    const svg = await drawDiagram(large, "light");
    expect(svg).toContain(">n001&#45;rule<");
    expect(svg).not.toContain(">n026&#45;rule<");
    expect(svg).toMatch(/>and \d+ more</);
    const named = large.nodes.flatMap(({ rules }) => rules.flatMap(({ names }) => names));
    expect(named).toEqual(expect.arrayContaining(notifications.map(({ ruleName }) => ruleName)));
  });

  it.each(Object.entries(themes))(
    "can be read in its %s colors",
    (_, { background, text, muted, flows: lines, looks }) => {
      // WCAG 2.2: 4.5 for texts (1.4.3), 3 for lines (1.4.11).
      for (const { fill } of Object.values(looks)) {
        expect(contrast(text, fill)).toBeGreaterThanOrEqual(4.5);
        expect(contrast(muted, fill)).toBeGreaterThanOrEqual(4.5);
      }
      for (const flow of Object.keys(flows) as (keyof typeof flows)[]) {
        expect(contrast(lines[flow], background)).toBeGreaterThanOrEqual(3);
      }
    },
  );
});

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(a: string, b: string): number {
  const luminance = (color: string) => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5]
      .map((at) => parseInt(color.slice(at, at + 2), 16) / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [darker = 0, lighter = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (lighter + 0.05) / (darker + 0.05);
}
