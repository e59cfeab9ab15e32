import { Testing } from "cdktf";
import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { NotificationStack } from "../../stacks/notification-stack";
import { configOf, type Synthesized, synthNotificationStack } from "../support/stack";

let stack: Synthesized;
beforeAll(() => {
  stack = synthNotificationStack();
});

interface Statement {
  sid?: string;
  effect?: string;
  actions: string[];
  resources?: string[];
  condition?: unknown[];
}
const statements = (): Statement[] =>
  Object.values(stack.data("aws_iam_policy_document")).flatMap(({ statement }) => statement as Statement[]);

describe("SES", () => {
  it("verifies the sender, and the recipients of a stage in the SES sandbox", () => {
    expect(stack.resources("aws_sesv2_email_identity").map((identity) => identity.email_identity)).toEqual([
      "sender@example.com",
      "ops@example.com",
    ]);
  });

  it("verifies a domain where the configuration says so, and shows its DKIM tokens", () => {
    const domain = synthNotificationStack({ STAGE: "prod", SENDER_IDENTITY: "domain" });
    expect(domain.resources("aws_sesv2_email_identity").map((identity) => identity.email_identity)).toEqual([
      "example.com",
    ]);
    expect(domain.outputs).toContain("dkim_tokens");
  });

  it("sends under a configuration set that demands TLS, measures reputation and suppresses bounces and complaints", () => {
    expect(stack.resource("aws_sesv2_configuration_set")).toMatchObject({
      configuration_set_name: "shop-dev-notifications",
      delivery_options: { tls_policy: "REQUIRE" },
      reputation_options: { reputation_metrics_enabled: true },
      suppression_options: { suppressed_reasons: ["BOUNCE", "COMPLAINT"] },
    });
  });

  it("stores a template for each notification, its parts escaped for Terraform", () => {
    const templates = stack.resources("aws_ses_template");
    expect(templates.map(({ name }) => name)).toEqual([
      "shop-dev-daily-report",
      "shop-dev-email-request",
      "shop-dev-priority-alert",
    ]);
    for (const template of templates) {
      expect(template.subject).toBe("{{subject}}");
      expect(template.html).toContain("{{messageHtml}}");
      expect(template.text).toContain("{{message}}");
    }
  });
});

describe("IAM", () => {
  it("lets only Lambda take the role", () => {
    expect(statements()).toContainEqual(
      expect.objectContaining({
        actions: ["sts:AssumeRole"],
        principals: [{ identifiers: ["lambda.amazonaws.com"], type: "Service" }],
      }),
    );
  });

  it("limits sending to identity, template and configuration set, from the sender", () => {
    const send = statements().find(({ sid }) => sid === "SendNotifications");
    expect(send?.actions).toEqual(["ses:SendTemplatedEmail"]);
    expect(send?.condition).toEqual([
      { test: "StringEquals", values: ["sender@example.com"], variable: "ses:FromAddress" },
    ]);
    expect(send?.resources?.map((arn) => arn.replace(/^.*\}:/, ""))).toEqual([
      "identity/sender@example.com",
      "identity/ops@example.com",
      "configuration-set/shop-dev-notifications",
      "template/shop-dev-email-request",
      "template/shop-dev-priority-alert",
      "template/shop-dev-daily-report",
    ]);
  });

  it("allows no wildcard but the streams of the function's own log group", () => {
    const wildcards = statements()
      .filter(({ effect }) => effect !== "Deny")
      .flatMap(({ actions, resources = [] }) => [...actions, ...resources])
      .filter((text) => text.includes("*"));
    expect(wildcards).toEqual([expect.stringMatching(/^\$\{aws_cloudwatch_log_group\.[\w-]+\.arn\}:\*$/)]);
    expect(stack.text).not.toContain("managed_policy");
  });
});

describe("the function", () => {
  it("is the archive of the bundle, with the recipe's size and its environment", () => {
    expect(stack.resource("aws_lambda_function")).toMatchObject({
      function_name: "shop-dev-email-processor",
      runtime: "nodejs22.x",
      architectures: ["arm64"],
      handler: "index.handler",
      memory_size: 256,
      timeout: 30,
      filename: expect.stringMatching(/^\$\{data\.archive_file\..*\.output_path\}$/) as string,
      source_code_hash: expect.stringMatching(/^\$\{data\.archive_file\..*\.output_base64sha256\}$/) as string,
      logging_config: { log_format: "JSON" },
      environment: { variables: { EMAIL_SENDER: "sender@example.com", CONFIGURATION_SET: "shop-dev-notifications" } },
    });
    expect(Object.values(stack.data("archive_file"))).toEqual([
      expect.objectContaining({ type: "zip", output_file_mode: "0644" }),
    ]);
  });

  it("finds its log group made, with retention", () => {
    expect(stack.resource("aws_cloudwatch_log_group")).toMatchObject({
      name: "/aws/lambda/shop-dev-email-processor",
      retention_in_days: 30,
    });
    expect(stack.resource("aws_lambda_function").depends_on).toContainEqual(
      expect.stringMatching(/^aws_cloudwatch_log_group\./),
    );
  });

  it("hands a failed event to the dead letters", () => {
    expect(stack.resource("aws_lambda_function_event_invoke_config")).toMatchObject({
      maximum_retry_attempts: 2,
      maximum_event_age_in_seconds: 21600,
      destination_config: { on_failure: { destination: expect.stringMatching(/^\$\{aws_sqs_queue\./) as string } },
    });
  });
});

describe("EventBridge", () => {
  it("routes the recipe's events and its schedule", () => {
    const rules = stack.resources("aws_cloudwatch_event_rule");
    expect(rules.map(({ name }) => name)).toEqual([
      "shop-dev-daily-report",
      "shop-dev-email-rule",
      "shop-dev-priority-rule",
    ]);
    expect(rules.slice(1).map(({ event_pattern }) => JSON.parse(event_pattern as string) as unknown)).toEqual([
      { source: ["custom.application"], "detail-type": ["Email Notification Request"] },
      {
        source: ["custom.application"],
        "detail-type": ["Priority Alert"],
        detail: { priority: ["high", "critical"] },
      },
    ]);
    expect(rules[0]).toMatchObject({ schedule_expression: "cron(0 9 * * ? *)" });
    expect(rules[0]).not.toHaveProperty("event_bus_name");
  });

  it("gives every target a retry policy, dead letters and a permission for its rule alone", () => {
    const targets = stack.resources("aws_cloudwatch_event_target");
    expect(targets).toHaveLength(3);
    for (const target of targets) {
      expect(target).toMatchObject({
        retry_policy: { maximum_retry_attempts: 185, maximum_event_age_in_seconds: 86400 },
        dead_letter_config: { arn: expect.stringMatching(/^\$\{aws_sqs_queue\./) as string },
      });
    }
    const sources = stack.resources("aws_lambda_permission").map(({ source_arn }) => source_arn);
    expect(new Set(sources).size).toBe(3);
  });

  it("lets each rule, and nobody else, park events in the queue", () => {
    const park = statements().find(({ sid }) => sid === "RulesMayPark");
    const sources = stack.resources("aws_lambda_permission").map(({ source_arn }) => source_arn as string);
    expect(park?.condition).toHaveLength(1);
    const [condition] = park?.condition as [{ test: string; variable: string; values: string[] }];
    expect(condition).toMatchObject({ test: "ArnEquals", variable: "aws:SourceArn" });
    expect([...condition.values].sort()).toEqual(sources.sort());
    expect(stack.resource("aws_sqs_queue")).toMatchObject({
      sqs_managed_sse_enabled: true,
      message_retention_seconds: 1209600,
    });
  });

  it("keeps events in an archive", () => {
    expect(stack.resource("aws_cloudwatch_event_archive")).toMatchObject({ retention_days: 14 });
  });
});

describe("CloudWatch", () => {
  const alarm = (name: string) =>
    stack.resources("aws_cloudwatch_metric_alarm").find(({ alarm_name }) => alarm_name === name);

  it("has the recipe's alarms, each with the topic as its action", () => {
    expect(alarm("shop-dev-lambda-errors")).toMatchObject({
      metric_name: "Errors",
      period: 300,
      threshold: 1,
      statistic: "Sum",
    });
    expect(alarm("shop-dev-ses-bounces")).toMatchObject({ metric_name: "Bounce", threshold: 5, evaluation_periods: 2 });
    expect(alarm("shop-dev-dead-letters")).toMatchObject({ metric_name: "ApproximateNumberOfMessagesVisible" });
    for (const each of stack.resources("aws_cloudwatch_metric_alarm")) {
      expect(each).toMatchObject({
        treat_missing_data: "notBreaching",
        alarm_actions: [expect.stringMatching(/^\$\{aws_sns_topic\./)],
      });
    }
  });

  it("names bus and rule in the alarms of a custom bus, and the rule alone on the default bus", () => {
    expect(Object.keys(alarm("shop-dev-email-rule-failed-invocations")?.dimensions as object).sort()).toEqual([
      "EventBusName",
      "RuleName",
    ]);
    expect(Object.keys(alarm("shop-dev-daily-report-failed-invocations")?.dimensions as object)).toEqual(["RuleName"]);
  });

  it("counts the function's own error lines once, in a namespace of the stage", () => {
    expect(stack.resource("aws_cloudwatch_log_metric_filter")).toMatchObject({
      pattern: '{ ($.level = "ERROR") && ($.service = "shop-dev-email-processor") }',
      metric_transformation: { name: "EmailProcessingErrors", namespace: "shop-dev" },
    });
  });

  it("encrypts the topic with a key that alarms may use, and subscribes the operator", () => {
    expect(stack.resource("aws_sns_topic").kms_master_key_id).toMatch(/^\$\{aws_kms_key\./);
    expect(stack.resources("aws_sns_topic_subscription")).toEqual([]);
    const subscribed = synthNotificationStack({ ALARM_EMAIL: "oncall@example.com" });
    expect(subscribed.resource("aws_sns_topic_subscription")).toMatchObject({ endpoint: "oncall@example.com" });
  });
});

it("charts the same things that its alarms watch", () => {
  const body = stack.resource("aws_cloudwatch_dashboard").dashboard_body as string;
  const { widgets } = JSON.parse(body) as { widgets: { properties: { title: string; region: string } }[] };
  expect(widgets.map(({ properties }) => properties.title)).toEqual([
    "Function: runs and errors",
    "Function: duration (ms, p99)",
    "Mail: sends, bounces, complaints",
    "Logged errors",
    "Rules: events delivered",
    "Dead letters waiting",
  ]);
  expect(new Set(widgets.map(({ properties }) => properties.region))).toEqual(new Set(["eu-west-1"]));
});

it("tags everything with project, stage and manager", () => {
  expect(JSON.parse(stack.text)).toMatchObject({
    provider: {
      aws: [
        {
          region: "eu-west-1",
          default_tags: [{ tags: { project: "shop", stage: "dev", "managed-by": "cdktf" } }],
        },
      ],
    },
  });
});

it("gives the daily report its constant content, and the occurrence's own id and time", () => {
  const transformer = stack
    .resources("aws_cloudwatch_event_target")
    .map(({ input_transformer }) => input_transformer as { input_paths: object; input_template: string } | undefined)
    .find((candidate) => candidate !== undefined);
  expect(transformer?.input_paths).toMatchObject({ id: "$.id", time: "$.time" });
  const template = transformer?.input_template.replace(/<(\w+)>/g, '"the $1"') ?? "";
  expect(JSON.parse(template)).toMatchObject({
    id: "the id",
    time: "the time",
    source: "custom.application",
    "detail-type": "Daily Report",
    detail: { emailConfig: { recipient: ["ops@example.com"] } },
  });
});

it("tells what an operator needs to know", () => {
  expect(stack.outputs.sort()).toEqual([
    "alarm_topic_arn",
    "dead_letter_queue_url",
    "event_bus_arn",
    "event_bus_name",
    "function_name",
    "identity_status_command",
    "log_group_name",
    "template_names",
  ]);
});

it("refuses to synthesize a stack that breaks a policy rule, and names the rule", () => {
  const broken = new NotificationStack(Testing.app(), "notification", configOf());
  new SqsQueue(broken, "plain", { name: "plain" });
  expect(() => Testing.synth(broken, true)).toThrow(
    /queue-encrypted: aws_sqs_queue\.plain is not encrypted[\s\S]*names-carry-stage/,
  );
});
