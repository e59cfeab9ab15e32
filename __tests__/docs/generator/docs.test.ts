import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { CloudwatchEventTarget } from "@cdktf/provider-aws/lib/cloudwatch-event-target";
import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { LambdaEventSourceMapping } from "@cdktf/provider-aws/lib/lambda-event-source-mapping";
import { LambdaFunctionEventInvokeConfig } from "@cdktf/provider-aws/lib/lambda-function-event-invoke-config";
import { Sesv2ConfigurationSetEventDestination } from "@cdktf/provider-aws/lib/sesv2-configuration-set-event-destination";
import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { type TerraformStack } from "cdktf";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findStaleDocuments, writeDocuments } from "../../../docs/generator/document-files";
import { alarmsDocument } from "../../../docs/generator/alarms-document";
import { documents } from "../../../docs/generator/documents";
import { alarmsOf, hopsOf } from "../../../docs/generator/hops";
import { lossMap } from "../../../docs/generator/loss-map";
import { findLossMapProblems, lossMapDocument } from "../../../docs/generator/loss-map-document";
import { synthesizeForDocs } from "../../../docs/generator/stack";
import { type Names } from "../../../stacks/names";
import { stackWith } from "../../support/docs-stack";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";

const root = join(__dirname, "..", "..", "..");
const stack = synthesizeForDocs();

const addRule = (scope: TerraformStack, names: Names) =>
  new CloudwatchEventRule(scope, "audit-rule", { name: names.of("audit-rule") });
const addQueue = (scope: TerraformStack, names: Names) => new SqsQueue(scope, "audit", { name: names.of("audit") });

describe("the loss map", () => {
  it("has a row of every hop and every alarm, and names nothing else", () => {
    expect(findLossMapProblems(stack, lossMap)).toEqual([]);
    // Not for want of hops.
    expect(hopsOf(stack)).toHaveLength(31);
    expect(alarmsOf(stack)).toHaveLength(36);
  });

  it.each<[string, (scope: TerraformStack, names: Names) => void, string]>([
    [
      "a target",
      (scope, names) =>
        new CloudwatchEventTarget(scope, "audit", { rule: addRule(scope, names).name, arn: "arn:aws:sqs:::audit" }),
      "The hop target:audit-rule has no row.",
    ],
    [
      "a second target of a rule that has a row",
      (scope, names) => {
        const rule = scope.node.findAll().find((each) => each instanceof CloudwatchEventRule);
        if (rule === undefined) throw new Error("There is no rule");
        new CloudwatchEventTarget(scope, "audit", { rule: rule.name, arn: `arn:aws:sqs:::${names.of("audit")}` });
      },
      "The hop target:dead-letter-rule is there more than once.",
    ],
    ["a queue", addQueue, "The hop queue:audit has no row."],
    [
      "a poller",
      (scope, names) =>
        new LambdaEventSourceMapping(scope, "mapping", {
          eventSourceArn: addQueue(scope, names).arn,
          functionName: "other",
        }),
      "The hop mapping:audit has no row.",
    ],
    [
      "a destination",
      (scope) => {
        const target = scope.node.findAll().find((each) => each instanceof LambdaFunctionEventInvokeConfig);
        new LambdaFunctionEventInvokeConfig(scope, "destination", {
          functionName: target?.functionNameInput ?? "",
          destinationConfig: { onFailure: { destination: "arn:aws:sqs:::audit" } },
        });
      },
      "The hop destination:email-processor is there more than once.",
    ],
    [
      "a destination of SES's events",
      (scope, names) =>
        new Sesv2ConfigurationSetEventDestination(scope, "opens", {
          configurationSetName: names.of("notifications"),
          eventDestinationName: names.of("opens"),
          eventDestination: { matchingEventTypes: ["OPEN"] },
        }),
      "The hop ses-events:opens has no row.",
    ],
    [
      "a call that a function may make",
      (scope) => {
        const permissions = scope.node
          .findAll()
          .find(
            (each): each is DataAwsIamPolicyDocument =>
              each instanceof DataAwsIamPolicyDocument && each.node.path.endsWith("standard-lane/function/permissions"),
          );
        permissions?.putStatement([{ sid: "Audit", actions: ["sns:Publish"], resources: ["arn:aws:sns:::audit"] }]);
      },
      "The hop call:email-processor Audit has no row.",
    ],
    [
      "an alarm",
      (scope, names) =>
        new CloudwatchMetricAlarm(scope, "audit", {
          alarmName: names.of("audit"),
          comparisonOperator: "GreaterThanThreshold",
          evaluationPeriods: 1,
        }),
      "The alarm audit is in no row.",
    ],
  ])("misses the row where the stack gets %s", (_, add, problem) => {
    const changed = stackWith(add);
    expect(findLossMapProblems(changed, lossMap)).toContain(problem);
    expect(() => lossMapDocument(changed)).toThrow(problem);
  });

  it.each([
    ["hop", { hops: ["queue:gone"] }, "The row for queue:gone names a hop that is not in the stack."],
    ["alarm", { alarms: ["gone"] }, "A row names the alarm gone, which is not in the stack."],
  ])("refuses a row that names a %s that is not there", (_, names, problem) => {
    const row = { hops: [], where: "w", what: "w", remains: "r", alarms: [], command: "c", ...names };
    expect(findLossMapProblems(stack, [...lossMap, row])).toEqual([problem]);
    expect(() => lossMapDocument(stack, [...lossMap, row])).toThrow(`Correct docs/generator/loss-map.ts`);
  });

  it("quotes the function's log as the function writes it", () => {
    const handler = ["dispatch.ts", "send-notification.ts"].map((name) =>
      readFileSync(join(root, "handler", name), "utf8"),
    );
    const quoted = [...lossMapDocument(stack).matchAll(/`([A-Z][a-z]+:? [a-z][^`]*)`/g)].map(([, text = ""]) => text);
    expect(quoted).toContain("Email was sent before");
    expect(quoted.filter((text) => !handler.join("").includes(text))).toEqual([]);
  });

  it("keeps a cell in its column", () => {
    const [first, ...others] = lossMap;
    if (first === undefined) throw new Error("There is no row");
    expect(lossMapDocument(stack, [{ ...first, what: "a | b" }, ...others])).toContain("| a \\| b |");
  });
});

describe("the alarms", () => {
  it("have a meaning and a first step each, as their description says it to the person who is paged", () => {
    const alarms = alarmsOf(stack);
    const document = alarmsDocument(stack).replaceAll("\\|", "|");
    for (const { meaning, firstStep } of alarms) {
      expect(meaning).toMatch(/^[A-Z].*\.$/);
      expect(firstStep).toMatch(/^[A-Z].*\.$/s);
      expect(document).toContain(`| ${meaning} | ${firstStep ?? ""} |`);
    }
  });

  it("can't be written down while one has no first step", () => {
    const changed = stackWith((scope, names) => {
      new CloudwatchMetricAlarm(scope, "audit", {
        alarmName: names.of("audit"),
        comparisonOperator: "GreaterThanThreshold",
        evaluationPeriods: 1,
      });
    });
    expect(() => alarmsDocument(changed)).toThrow(
      /Correct stacks\/constructs\/alarms\.ts\.\n {2}The alarm audit has no first step\./,
    );
  });

  it("are described by what the stack says", () => {
    expect(alarmsOf(stack).find(({ name }) => name === "email-rule-lost-events")).toEqual({
      name: "email-rule-lost-events",
      metric: "AWS/Events InvocationsFailedToBeSentToDlq, EventBusName event-bus, RuleName email-rule",
      condition: "Sum >= 1 in 5 min",
      meaning: expect.stringContaining("could not put an event into the dead-letter queue") as string,
      firstStep: expect.stringMatching(/^Deploy again/) as string,
    });
    expect(alarmsOf(stack).find(({ name }) => name === "ses-bounces")?.condition).toBe("Sum >= 5 in 2 times 5 min");
    expect(alarmsOf(stack).find(({ name }) => name === "retries-waiting")).toMatchObject({
      metric:
        "AWS/SQS ApproximateNumberOfMessagesVisible, QueueName retries + AWS/SQS ApproximateNumberOfMessagesNotVisible, QueueName retries",
      condition: "Maximum >= 1 in 12 times 5 min",
    });
  });
});

describe("the generated documents", () => {
  const ofProject = documents.filter(({ about }) => about === "project").map(({ path }) => path);

  it("are committed as they are generated", async () => {
    // Those about a team's own notifications are compared by `npm run docs -- --check`, so that no test of the project
    // changes with a notification.
    const stale = await findStaleDocuments({ docs: join(root, "docs"), producer: "" }, ["project"]);
    expect(stale.map((path) => `${path}: run npm run docs`)).toEqual([]);
  });

  it("are told where they are stale or missing, and are written", async () => {
    const folder = temporaryFolder();
    const committed = (name: string) => readFileSync(join(root, "docs", name), "utf8");
    const stale = committed("loss-map.md").replace("dead-letters", "dead-letter");
    writeFiles(folder, { "loss-map.md": stale });
    expect(await findStaleDocuments({ docs: folder, producer: "" }, ["project"])).toEqual(
      ofProject.map((name) => join(folder, name)),
    );
    expect(readFileSync(join(folder, "loss-map.md"), "utf8")).toBe(stale);
    await writeDocuments({ docs: folder, producer: "" }, ["project"]);
    expect(ofProject.map((name) => readFileSync(join(folder, name), "utf8"))).toEqual(ofProject.map(committed));
  });

  it("say that they are generated", () => {
    for (const { path } of documents) {
      expect(readFileSync(join(root, "docs", path), "utf8").slice(0, 400)).toContain(
        "Generated by `npm run docs`. Do not edit.",
      );
    }
  });
});
