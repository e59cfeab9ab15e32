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

  it("makes no identity that another stage has made, and sends from it all the same", () => {
    const sharing = synthNotificationStack({ IDENTITIES: "existing" });
    expect(sharing.resources("aws_sesv2_email_identity")).toEqual([]);
    expect(sharing.text).toContain("identity/sender@example.com");
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
    expect(wildcards).toHaveLength(3);
    for (const wildcard of wildcards) expect(wildcard).toMatch(/^\$\{aws_cloudwatch_log_group\.[\w-]+\.arn\}:\*$/);
    expect(stack.text).not.toContain("managed_policy");
  });
});

const functionNamed = (name: string) =>
  stack.resources("aws_lambda_function").find(({ function_name }) => function_name === name);

describe("the functions", () => {
  it.each(["shop-dev-email-processor", "shop-dev-priority-email-processor"])("%s is the bundle's archive", (name) => {
    expect(functionNamed(name)).toMatchObject({
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
  });

  it("come from one archive of fixed file modes", () => {
    expect(Object.values(stack.data("archive_file"))).toEqual([
      expect.objectContaining({ type: "zip", output_file_mode: "0644" }),
    ]);
  });

  it("find their log groups made, with retention", () => {
    const groups = stack.resources("aws_cloudwatch_log_group").map(({ name }) => name);
    expect(groups).toEqual([
      "/aws/events/shop-dev-feedback",
      "/aws/lambda/shop-dev-priority-email-processor",
      "/aws/lambda/shop-dev-email-processor",
    ]);
    for (const fn of stack.resources("aws_lambda_function")) {
      expect(fn.depends_on).toContainEqual(expect.stringMatching(/^aws_cloudwatch_log_group\./));
    }
  });

  it("have a budget each where the stage reserves it, and none where it does not", () => {
    const reserved = synthNotificationStack({ STAGE: "prod" }).resources("aws_lambda_function");
    expect(reserved.map(({ reserved_concurrent_executions }) => reserved_concurrent_executions)).toEqual([3, 3]);
    expect(functionNamed("shop-dev-email-processor")).not.toHaveProperty("reserved_concurrent_executions");
  });
});

describe("the lanes", () => {
  it("report a failed event to the bus, after two retries within six hours", () => {
    const configs = stack.resources("aws_lambda_function_event_invoke_config");
    expect(configs).toHaveLength(2);
    for (const config of configs) {
      expect(config).toMatchObject({
        maximum_retry_attempts: 2,
        maximum_event_age_in_seconds: 21600,
        destination_config: {
          on_failure: { destination: expect.stringMatching(/^\$\{aws_cloudwatch_event_bus\./) as string },
        },
      });
    }
  });

  it("retry for longer than an outage of six hours, then park", () => {
    const queues = stack.resources("aws_sqs_queue").filter(({ redrive_policy }) => redrive_policy !== undefined);
    expect(queues.map(({ name }) => name)).toEqual(["shop-dev-priority-retries", "shop-dev-retries"]);
    for (const queue of queues) {
      const visibility = queue.visibility_timeout_seconds as number;
      const { maxReceiveCount } = JSON.parse(queue.redrive_policy as string) as { maxReceiveCount: number };
      expect(visibility).toBeGreaterThan(6 * 30);
      expect(visibility * maxReceiveCount).toBeGreaterThan(6 * 3600);
    }
  });

  it("consume their retries in part-batches, and leave a part of the reserved concurrency to events", () => {
    const prod = synthNotificationStack({ STAGE: "prod" });
    for (const { reserved_concurrent_executions: reserved } of prod.resources("aws_lambda_function")) {
      expect(reserved).toBeGreaterThan(2);
    }
    const mappings = prod.resources("aws_lambda_event_source_mapping");
    expect(mappings).toHaveLength(2);
    for (const mapping of mappings) {
      expect(mapping).toMatchObject({
        function_response_types: ["ReportBatchItemFailures"],
        scaling_config: { maximum_concurrency: 2 },
      });
    }
  });

  it("claim each mail in a table that forgets after every retry, and can be recovered", () => {
    expect(stack.resource("aws_dynamodb_table")).toMatchObject({
      name: "shop-dev-claims",
      billing_mode: "PAY_PER_REQUEST",
      ttl: { attribute_name: "expiresAt", enabled: true },
      point_in_time_recovery: { enabled: true },
      server_side_encryption: { enabled: true },
    });
    const variables = functionNamed("shop-dev-email-processor")?.environment as { variables: Record<string, string> };
    const parkedFor = 14 * 24 * 3600;
    expect(Number(variables.variables.CLAIM_RETENTION_SECONDS)).toBeGreaterThan(parkedFor * 4);
  });
});

describe("EventBridge", () => {
  it("routes the recipe's events and its schedule", () => {
    const rules = stack.resources("aws_cloudwatch_event_rule");
    expect(rules.map(({ name }) => name)).toEqual([
      "shop-dev-feedback-rule",
      "shop-dev-daily-report",
      "shop-dev-dead-letter-rule",
      "shop-dev-email-rule",
      "shop-dev-priority-rule",
      "shop-dev-priority-retry-rule",
      "shop-dev-retry-rule",
    ]);
    expect(rules.slice(3, 5).map(({ event_pattern }) => JSON.parse(event_pattern as string) as unknown)).toEqual([
      { source: ["custom.application"], "detail-type": ["Email Notification Request"] },
      {
        source: ["custom.application"],
        "detail-type": ["Priority Alert"],
        detail: { priority: ["high", "critical"] },
      },
    ]);
    expect(rules[1]).toMatchObject({ schedule_expression: "cron(0 9 * * ? *)" });
    expect(rules[1]).not.toHaveProperty("event_bus_name");
  });

  it("gives every target a retry policy and dead letters", () => {
    const targets = stack.resources("aws_cloudwatch_event_target");
    expect(targets).toHaveLength(7);
    for (const target of targets) {
      expect(target).toMatchObject({
        retry_policy: { maximum_retry_attempts: 185, maximum_event_age_in_seconds: 86400 },
        dead_letter_config: { arn: expect.stringMatching(/^\$\{aws_sqs_queue\./) as string },
      });
    }
  });

  it("lets each notification's rule invoke the function of its lane, and no other rule any", () => {
    const permissions = stack.resources("aws_lambda_permission");
    expect(permissions.map(({ statement_id }) => statement_id)).toEqual([
      "shop-dev-daily-report-invoke",
      "shop-dev-email-rule-invoke",
      "shop-dev-priority-rule-invoke",
    ]);
    for (const { source_arn } of permissions) expect(source_arn).toMatch(/^\$\{aws_cloudwatch_event_rule\./);
    expect(permissions[2]?.function_name).toMatch(/priority-lane/);
  });

  it("lets every rule park in the dead letters, and each retry rule bring to its own queue", () => {
    const parked = statements()
      .filter(({ sid }) => sid === "RulesMayPark")
      .map(({ condition }) => (condition as [{ values: string[] }])[0].values.length);
    expect(parked).toEqual([7 + 1, 1, 1]);
    for (const queue of stack.resources("aws_sqs_queue")) {
      expect(queue).toMatchObject({ sqs_managed_sse_enabled: true, message_retention_seconds: 1209600 });
    }
  });

  it("keeps events in an archive", () => {
    expect(stack.resource("aws_cloudwatch_event_archive")).toMatchObject({
      retention_days: 14,
      event_pattern: '{"source":[{"anything-but":["lambda"]}]}',
    });
  });
});

describe("what SES tells afterwards", () => {
  it("reaches the default bus, and from there a log group", () => {
    expect(stack.resource("aws_sesv2_configuration_set_event_destination")).toMatchObject({
      event_destination: {
        enabled: true,
        matching_event_types: ["BOUNCE", "COMPLAINT", "REJECT", "RENDERING_FAILURE", "DELIVERY_DELAY", "DELIVERY"],
        event_bridge_destination: { event_bus_arn: expect.stringMatching(/:event-bus\/default$/) as string },
      },
    });
    const rule = stack.resources("aws_cloudwatch_event_rule").find(({ name }) => name === "shop-dev-feedback-rule");
    expect(rule).not.toHaveProperty("event_bus_name");
    expect(JSON.parse(rule?.event_pattern as string)).toMatchObject({
      source: ["aws.ses"],
      detail: { mail: { tags: { "ses:configuration-set": ["shop-dev-notifications"] } } },
    });
  });

  it("is counted, a metric each", () => {
    const filters = stack.resources("aws_cloudwatch_log_metric_filter").map(({ pattern }) => pattern);
    expect(filters).toContain('{ $.detail-type = "Email Rendering Failed" }');
    expect(filters.filter((pattern) => (pattern as string).includes("detail-type"))).toHaveLength(6);
  });

  it("alarms at the first rendering failure, and before SES reviews the account", () => {
    const alarmOf = (name: string) =>
      stack.resources("aws_cloudwatch_metric_alarm").find(({ alarm_name }) => alarm_name === name);
    expect(alarmOf("shop-dev-rendering-failures")).toMatchObject({ metric_name: "RenderingFailures", threshold: 1 });
    expect(alarmOf("shop-dev-ses-bounce-rate")).toMatchObject({
      metric_name: "Reputation.BounceRate",
      threshold: 0.05,
    });
    expect(alarmOf("shop-dev-ses-complaint-rate")).toMatchObject({
      metric_name: "Reputation.ComplaintRate",
      threshold: 0.001,
    });
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

  it("counts each function's own error lines once, in a namespace of the stage", () => {
    const filters = stack
      .resources("aws_cloudwatch_log_metric_filter")
      .filter(({ pattern }) => (pattern as string).includes("ERROR"));
    expect(filters.map(({ pattern }) => pattern)).toEqual([
      '{ ($.level = "ERROR") && ($.service = "shop-dev-priority-email-processor") }',
      '{ ($.level = "ERROR") && ($.service = "shop-dev-email-processor") }',
    ]);
    for (const filter of filters) {
      expect(filter).toMatchObject({ metric_transformation: { name: "EmailProcessingErrors", namespace: "shop-dev" } });
    }
  });

  it("encrypts the topic with a key that alarms may use, and subscribes the operator", () => {
    expect(stack.resource("aws_sns_topic").kms_master_key_id).toMatch(/^\$\{aws_kms_key\./);
    expect(stack.resources("aws_sns_topic_subscription")).toEqual([]);
    const subscribed = synthNotificationStack({ ALARM_EMAIL: "oncall@example.com" });
    expect(subscribed.resource("aws_sns_topic_subscription")).toMatchObject({
      protocol: "email",
      endpoint: "oncall@example.com",
    });
  });

  it("lets this stage's alarms publish, and nobody else", () => {
    const alarms = stack.resources("aws_cloudwatch_metric_alarm").length;
    for (const sid of ["AlarmsPublish", "AlarmsPublishEncrypted"]) {
      const statement = statements().find((candidate) => candidate.sid === sid);
      expect(statement).toMatchObject({ principals: [{ type: "Service", identifiers: ["cloudwatch.amazonaws.com"] }] });
      const [condition] = statement?.condition as [{ variable: string; values: string[] }];
      expect(condition.variable).toBe("aws:SourceArn");
      expect(condition.values).toHaveLength(alarms);
    }
  });
});

it("charts the same things that its alarms watch", () => {
  const body = stack.resource("aws_cloudwatch_dashboard").dashboard_body as string;
  const { widgets } = JSON.parse(body) as { widgets: { properties: { title: string; region: string } }[] };
  expect(widgets.map(({ properties }) => properties.title)).toEqual([
    "Functions: runs, errors, throttles",
    "Functions: duration (ms, p99)",
    "Mail: sends, bounces, complaints of the account",
    "Logged errors and rendering failures",
    "Rules: events delivered",
    "Waiting: retries and dead letters",
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
    "claim_table_name",
    "dead_letter_queue_url",
    "event_bus_arn",
    "event_bus_name",
    "feedback_log_group_name",
    "function_name",
    "identity_status_command",
    "log_group_name",
    "priority_function_name",
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
