import { Logger } from "@aws-lambda-powertools/logger";
import { Testing } from "cdktf";
import { PermanentError } from "../../handler/errors";
import { emailRequest } from "../../handler/notifications/email-request";
import { seedCatalogue } from "../../handler/notifications/seed";
import { NotificationStack } from "../../stacks/notification-stack";
import { inputFor } from "aws-emulator/eventbridge";
import { type Envelope } from "aws-emulator";
import { type HandledEvent, runDeployedBundle } from "../support/deployed-bundle";
import { compileFilter } from "../support/metric-filter";
import { businessEvent } from "../support/send-notification";
import { configOf, synthNotificationStack } from "../support/stack";
import { exampleAccountId } from "../../stacks/stages";

/** A line of metrics in the embedded metric format of CloudWatch. Each name of a dimension or a metric is a field of it. */
interface MetricLine {
  readonly _aws?: {
    readonly CloudWatchMetrics: readonly {
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly [field: string]: unknown;
}

const filters = synthNotificationStack()
  .resources("aws_cloudwatch_log_metric_filter")
  .map(({ pattern, metric_transformation: transformation }) => ({
    metric: (transformation as { name: string }).name,
    matches: compileFilter(pattern as string),
  }));

/** The metrics that count a line. A metric is listed once for each filter that matches. */
const countedBy = (line: string): string[] =>
  filters.filter(({ matches }) => matches(line)).map(({ metric }) => metric);

describe("a line of the function's log", () => {
  /** The line that the real logger writes. */
  function logged(write: (logger: Logger) => void): string {
    const lines: string[] = [];
    for (const method of ["error", "warn", "info"] as const) {
      jest.spyOn(console, method).mockImplementation((...words: unknown[]) => {
        lines.push(String(words[0]));
      });
    }
    // Without this variable, the logger writes to a console of its own.
    process.env.POWERTOOLS_DEV = "true";
    try {
      write(new Logger({ serviceName: "shop-dev-email-processor" }));
    } finally {
      delete process.env.POWERTOOLS_DEV;
      jest.restoreAllMocks();
    }
    expect(lines).toHaveLength(1);
    return lines[0] ?? "";
  }

  it("of the level ERROR is counted once", () => {
    expect(
      countedBy(
        logged((logger) => {
          logger.error("It failed", { failure: "InvalidEvent" });
        }),
      ),
    ).toEqual(["EmailProcessingErrors"]);
  });

  it.each([
    [
      "a warning",
      (logger: Logger) => {
        logger.warn("ERROR in a text");
      },
    ],
    [
      "a piece of information",
      (logger: Logger) => {
        logger.info("sent", { level2: "ERROR" });
      },
    ],
  ])("that is %s is not", (_, write) => {
    expect(countedBy(logged(write))).toEqual([]);
  });

  it("that Lambda writes about the same failed run is not counted a second time", () => {
    const { name, message } = new PermanentError("InvalidEvent", "x");
    const line = {
      timestamp: "2026-11-25T09:00:00.000Z",
      level: "ERROR",
      requestId: "79b4f56e-95b1-4643-9700-2807f4e68189",
      message: { errorType: name, errorMessage: message, stackTrace: [] },
    };
    expect(countedBy(JSON.stringify(line))).toEqual([]);
  });

  it("of another function of the account is not", () => {
    expect(countedBy(JSON.stringify({ level: "ERROR", service: "billing" }))).toEqual([]);
    expect(countedBy("ERROR in a line that is no JSON")).toEqual([]);
  });
});

describe("the metrics of the deployed function", () => {
  /** The metrics that a run's log holds, each line as its dimensions with their values, and its counts. */
  const metricsOf = ({ lines }: HandledEvent) =>
    lines
      .map((line) => JSON.parse(line) as MetricLine)
      .filter(({ _aws }) => _aws !== undefined)
      .flatMap((line) =>
        line._aws?.CloudWatchMetrics.map(({ Dimensions, Metrics }) => ({
          dimensions: Dimensions.map((names) => names.map((name) => [name, line[name]])),
          counts: Metrics.map(({ Name, Unit }) => [Name, Unit, line[Name]]),
        })),
      );

  it("have one line each, with the dimension of that line alone, and no filter counts them again", async () => {
    const stack = new NotificationStack(Testing.app(), "notification", configOf(), seedCatalogue);
    const { sample } = emailRequest;
    const runs = await runDeployedBundle(stack, configOf(), [
      businessEvent(sample),
      businessEvent({}),
      businessEvent(sample),
    ]);
    const service = ["service", "shop-dev-email-processor"];
    const sent = {
      dimensions: [[service, ["notification", "email-request"]]],
      counts: [["EmailsSent", "Count", 1]],
    };
    const failed = {
      dimensions: [[service, ["failure", "InvalidEvent"]]],
      counts: [["EventsFailed", "Count", 1]],
    };
    expect(runs.map(metricsOf)).toEqual([[sent], [failed], [sent]]);
    expect(runs.flatMap(({ lines }) => lines.flatMap(countedBy))).toEqual([]);
  });
});

describe("an event of SES", () => {
  it.each([
    ["Email Bounced", { bounce: { bounceSubType: "General" } }, ["Bounces"]],
    ["Email Bounced", { bounce: { bounceSubType: "OnAccountSuppressionList" } }, ["Bounces", "SuppressedSends"]],
    ["Email Complaint Received", {}, ["Complaints"]],
    ["Email Rejected", {}, ["Rejects"]],
    ["Email Rendering Failed", {}, ["RenderingFailures"]],
    ["Email Delivery Delayed", {}, ["DeliveryDelays"]],
    ["Email Delivered", {}, ["Deliveries"]],
    ["Email Sent", {}, ["Sends"]],
    ["Email Opened", {}, []],
  ])("%s with %j counts as %j", (detailType, detail, metrics) => {
    const event = { source: "aws.ses", "detail-type": detailType, detail: { mail: {}, ...detail } };
    expect(countedBy(JSON.stringify(event)).sort()).toEqual(metrics);
  });
});

describe("an event that no notification knows", () => {
  const [transformer] = synthNotificationStack()
    .resources("aws_cloudwatch_event_target")
    .map(
      ({ input_transformer: each }) =>
        each as { input_paths: Record<string, string>; input_template: string } | undefined,
    )
    .filter((each) => each?.input_template.includes("Unrouted"));
  const event: Envelope = {
    version: "0",
    id: "4f5a1f2e-6d0f-4a3c-9a34-4c1f6b6f0c55",
    source: "custom.application",
    "detail-type": 'Priority "alert"',
    account: exampleAccountId,
    region: "eu-west-1",
    time: "2026-11-24T09:04:00Z",
    resources: [],
    detail: { message: "nobody's business" },
  };
  const logged = JSON.parse(
    inputFor(
      { InputTransformer: { InputPathsMap: transformer?.input_paths, InputTemplate: transformer?.input_template } },
      event,
      { ruleArn: "arn", ruleName: "rule", ingestedAt: new Date() },
    ),
  ) as Record<string, string>;

  it("is logged in the form that CloudWatch Logs takes of EventBridge, without its content", () => {
    expect(logged).toEqual({
      timestamp: event.time,
      message:
        'Unrouted event 4f5a1f2e-6d0f-4a3c-9a34-4c1f6b6f0c55 of 2026-11-24T09:04:00Z: source custom.application, detail-type Priority "alert"',
    });
  });

  it("is counted", () => {
    expect(countedBy(logged.message ?? "")).toEqual(["UnroutedEvents"]);
  });
});
