import { Testing } from "cdktf";
import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { dailyReport } from "../../handler/notifications/daily-report";
import { emailRequest } from "../../handler/notifications/email-request";
import { priorityAlert } from "../../handler/notifications/priority-alert";
import { seedCatalogue } from "../../handler/notifications/seed";
import { inputFor } from "aws-emulator/eventbridge";
import { type Envelope } from "aws-emulator";
import { maximumRedrives } from "../../stacks/delivery-windows";
import { NotificationStack } from "../../stacks/notification-stack";
import { storedTemplateName } from "../../stacks/templates/load";
import { configOf, type Synthesized, synthesized, synthNotificationStack } from "../support/stack";
import { exampleAccountId } from "../../stacks/stages";

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
      "ops@example.com",
      "sender@example.com",
    ]);
  });

  it("verifies a domain where the configuration says so", () => {
    const domain = synthNotificationStack({ STAGE: "prod", SENDER_IDENTITY: "domain" });
    expect(domain.resources("aws_sesv2_email_identity").map((identity) => identity.email_identity)).toEqual([
      "example.com",
    ]);
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
      storedTemplateName("shop-dev", dailyReport),
      storedTemplateName("shop-dev", emailRequest),
      storedTemplateName("shop-dev", priorityAlert),
    ]);
    for (const template of templates) {
      expect(template.subject).toBe("{{subject.subject}}");
      expect(template.html).toContain("{{html.message__lines}}");
      expect(template.text).toContain("{{text.message}}");
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
      {
        test: "ForAllValues:StringLike",
        values: ["ops@example.com", "*@simulator.amazonses.com"],
        variable: "ses:Recipients",
      },
      { test: "Null", values: ["false"], variable: "ses:Recipients" },
    ]);
    expect(send?.resources?.map((arn) => arn.replace(/^.*\}:/, ""))).toEqual([
      // SES checks the identity of the address if it exists, and otherwise that of the domain.
      "identity/sender@example.com",
      "identity/example.com",
      "identity/ops@example.com",
      "configuration-set/shop-dev-notifications",
      "template/shop-dev-*",
    ]);
  });

  it("grants address and domain, whichever of the two the stage verifies", () => {
    const domain = synthNotificationStack({ STAGE: "prod", SENDER_IDENTITY: "domain" });
    expect(domain.text).toContain(":identity/sender@example.com");
    expect(domain.text).toContain(":identity/example.com");
  });

  it("lets the functions report to the failures bus, and put on no other", () => {
    const reports = statements().filter(
      ({ actions, effect }) => actions.includes("events:PutEvents") && effect !== "Deny",
    );
    expect(reports.map(({ resources = [] }) => resources.map((arn) => stack.nameBehind(arn)))).toEqual([
      ["shop-dev-failures"],
      ["shop-dev-failures"],
    ]);
  });

  it("allows no wildcard but the streams of the function's own log group and what begins with the stage's own prefix", () => {
    const wildcards = statements()
      .filter(({ effect }) => effect !== "Deny")
      .flatMap(({ actions, resources = [] }) => [...actions, ...resources])
      .filter((text) => text.includes("*"))
      .map((text) => text.replace(/\$\{[^}]*\}/g, "$"));
    expect(new Set(wildcards)).toEqual(
      new Set([
        "$:*",
        "arn:$:ses:eu-west-1:$:template/shop-dev-*",
        "arn:$:logs:eu-west-1:$:log-group:/aws/events/shop-dev-*",
      ]),
    );
    expect(stack.text).not.toContain("managed_policy");
  });
});

const functionNamed = (name: string) =>
  stack.resources("aws_lambda_function").find(({ function_name }) => function_name === name);

describe("the functions", () => {
  it.each([
    // At one mail a second, an event with 50 recipients takes longer than the stage's time-out of 30 seconds.
    ["shop-dev-email-processor", 71],
    ["shop-dev-priority-email-processor", 258],
  ])("%s is the bundle's archive", (name, timeout) => {
    expect(functionNamed(name)).toMatchObject({
      runtime: "nodejs22.x",
      architectures: ["arm64"],
      handler: "index.handler",
      memory_size: 256,
      timeout,
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

  it.each([
    ["dev", 30],
    ["prod", 365],
  ])("find their log groups made, which keep their logs on %s for %d days", (stage, days) => {
    const groups = synthNotificationStack({ STAGE: stage })
      .resources("aws_cloudwatch_log_group")
      .map(({ name, retention_in_days: retention }) => [name, retention]);
    expect(groups).toEqual([
      [`/aws/events/shop-${stage}-feedback`, days],
      [`/aws/events/shop-${stage}-unrouted`, days],
      [`/aws/lambda/shop-${stage}-priority-email-processor`, days],
      [`/aws/lambda/shop-${stage}-email-processor`, days],
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
  it("report a failed event to the failures bus, after two retries within six hours", () => {
    const configs = stack.resources("aws_lambda_function_event_invoke_config");
    expect(configs).toHaveLength(2);
    for (const config of configs) {
      expect(config).toMatchObject({
        maximum_retry_attempts: 2,
        maximum_event_age_in_seconds: 21600,
      });
      const { on_failure: destination } = config.destination_config as { on_failure: { destination: string } };
      expect(stack.nameBehind(destination.destination)).toBe("shop-dev-failures");
    }
  });

  it("report nothing before the targets are there that take it", () => {
    const configs = stack.resources("aws_lambda_function_event_invoke_config");
    expect(configs.map(({ depends_on: targets }) => targets as string[])).toEqual(
      ["priority", "standard"].map((lane): unknown => [
        expect.stringMatching(new RegExp(`^aws_cloudwatch_event_target\\.${lane}-lane_retry-target`)),
        expect.stringMatching(/^aws_cloudwatch_event_target\.failures-bus_dead-letter-target/),
      ]),
    );
    expect(stack.resource("aws_sesv2_configuration_set_event_destination").depends_on).toEqual([
      expect.stringMatching(/^aws_cloudwatch_event_target\.delivery-feedback_target/),
    ]);
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
  });

  it.each(["dev", "prod"])("keep a claim on %s for longer than its event can still come back", (stage) => {
    const deployed = synthNotificationStack({ STAGE: stage });
    const day = 24 * 3600;
    const most = (type: string, read: (attributes: Record<string, unknown>) => unknown) =>
      Math.max(...deployed.resources(type).map((attributes) => Number(read(attributes))));
    const toTarget = most(
      "aws_cloudwatch_event_target",
      ({ retry_policy }) => (retry_policy as { maximum_event_age_in_seconds: number }).maximum_event_age_in_seconds,
    );
    const inLambda = most(
      "aws_lambda_function_event_invoke_config",
      ({ maximum_event_age_in_seconds }) => maximum_event_age_in_seconds,
    );
    const inQueue = most("aws_sqs_queue", ({ message_retention_seconds }) => message_retention_seconds);
    const inArchive = most("aws_cloudwatch_event_archive", ({ retention_days }) => Number(retention_days) * day);
    // One delivery goes to the function and then to a queue. The event then waits in the retry queue and in the
    // dead-letter queue.
    const once = 2 * toTarget + inLambda + 2 * inQueue;
    for (const { environment } of deployed.resources("aws_lambda_function")) {
      const { variables } = environment as { variables: Record<string, string> };
      expect(Number(variables.CLAIM_RETENTION_SECONDS)).toBeGreaterThanOrEqual(
        inArchive + (1 + maximumRedrives) * once,
      );
    }
  });
});

describe("EventBridge", () => {
  it("routes the recipe's events and its schedule", () => {
    const rules = stack.resources("aws_cloudwatch_event_rule");
    expect(rules.map(({ name }) => name).sort()).toEqual([
      "shop-dev-daily-report",
      "shop-dev-dead-letter-rule",
      "shop-dev-email-rule",
      "shop-dev-feedback-rule",
      "shop-dev-priority-retry-rule",
      "shop-dev-priority-rule",
      "shop-dev-retry-rule",
      "shop-dev-unmatched-rule",
      "shop-dev-unrouted-rule",
    ]);
    const ruleNamed = (name: string) => rules.find((rule) => rule.name === name);
    const patterns = ["shop-dev-email-rule", "shop-dev-priority-rule"].map((name) => ruleNamed(name)?.event_pattern);
    expect(patterns.map((pattern) => JSON.parse(pattern as string) as unknown)).toEqual([
      { source: ["custom.application"], "detail-type": ["Email Notification Request"] },
      {
        source: ["custom.application"],
        "detail-type": ["Priority Alert"],
        detail: { priority: ["high", "critical"] },
      },
    ]);
    expect(ruleNamed("shop-dev-daily-report")).toMatchObject({ schedule_expression: "cron(0 9 * * ? *)" });
    expect(ruleNamed("shop-dev-daily-report")).not.toHaveProperty("event_bus_name");
  });

  it("brings each rule's events to its own target", () => {
    const targets = stack
      .resources("aws_cloudwatch_event_target")
      .map(({ rule, arn, input_path }) => [stack.nameBehind(rule), stack.nameBehind(arn), input_path]);
    expect(Object.fromEntries(targets.map(([rule, ...target]) => [rule, target]))).toEqual({
      "shop-dev-email-rule": ["shop-dev-email-processor", undefined],
      "shop-dev-daily-report": ["shop-dev-email-processor", undefined],
      "shop-dev-priority-rule": ["shop-dev-priority-email-processor", undefined],
      "shop-dev-retry-rule": ["shop-dev-retries", "$.detail"],
      "shop-dev-priority-retry-rule": ["shop-dev-priority-retries", "$.detail"],
      "shop-dev-dead-letter-rule": ["shop-dev-dead-letters", "$.detail"],
      "shop-dev-feedback-rule": ["/aws/events/shop-dev-feedback", undefined],
      "shop-dev-unmatched-rule": ["shop-dev-email-processor", undefined],
      "shop-dev-unrouted-rule": ["/aws/events/shop-dev-unrouted", undefined],
    });
    expect(targets).toHaveLength(9);
  });

  it("has a bus of the business events and one of the failures, with the rules of each on it", () => {
    const rulesOf = (bus: string) =>
      stack
        .resources("aws_cloudwatch_event_rule")
        .filter(({ event_bus_name: name }) => name !== undefined && stack.nameBehind(name) === bus)
        .map(({ name }) => String(name).replace("shop-dev-", ""))
        .sort();
    expect(stack.resources("aws_cloudwatch_event_bus")).toHaveLength(2);
    expect(rulesOf("shop-dev-event-bus")).toEqual(["email-rule", "priority-rule", "unmatched-rule", "unrouted-rule"]);
    expect(rulesOf("shop-dev-failures")).toEqual(["dead-letter-rule", "priority-retry-rule", "retry-rule"]);
  });

  it("lets nobody but the functions' roles put on the failures bus", () => {
    const { event_bus_name: bus, policy } = stack.resource("aws_cloudwatch_event_bus_policy");
    expect(stack.nameBehind(bus)).toBe("shop-dev-failures");
    const [, id = ""] = /aws_iam_policy_document\.([\w-]+)\.json/.exec(policy as string) ?? [];
    const [denial, ...others] = stack.data("aws_iam_policy_document")[id]?.statement as Statement[];
    expect(others).toEqual([]);
    expect(denial).toMatchObject({
      effect: "Deny",
      actions: ["events:PutEvents"],
      principals: [{ type: "*", identifiers: ["*"] }],
      condition: [{ test: "ArnNotEquals", variable: "aws:PrincipalArn" }],
    });
    const [condition] = denial?.condition as [{ values: string[] }];
    expect(condition.values.map((arn) => stack.nameBehind(arn))).toEqual([
      "shop-dev-role-eu-west-1",
      "shop-dev-priority-role-eu-west-1",
    ]);
  });

  it("gives every target a retry policy and dead letters", () => {
    const targets = stack.resources("aws_cloudwatch_event_target");
    expect(targets).toHaveLength(9);
    for (const target of targets) {
      expect(target).toMatchObject({
        retry_policy: { maximum_retry_attempts: 185, maximum_event_age_in_seconds: 86400 },
        dead_letter_config: { arn: expect.any(String) as string },
      });
      expect(stack.nameBehind((target.dead_letter_config as { arn: string }).arn)).toBe("shop-dev-dead-letters");
    }
  });

  it("lets the stage's rules invoke the functions and park in the queues, and nobody else's", () => {
    const ownRules = /^arn:\$\{[^}]*\}:events:eu-west-1:\$\{[^}]*\}:rule\/shop-dev-\*$/;
    const permissions = stack.resources("aws_lambda_permission");
    expect(permissions.map(({ function_name }) => stack.nameBehind(function_name)).sort()).toEqual([
      "shop-dev-email-processor",
      "shop-dev-priority-email-processor",
    ]);
    for (const permission of permissions) {
      expect(permission).toMatchObject({ action: "lambda:InvokeFunction", principal: "events.amazonaws.com" });
      expect(permission.source_arn).toMatch(ownRules);
    }
    const parked = statements().filter(({ sid }) => sid === "RulesMayPark");
    expect(parked).toHaveLength(3);
    for (const { condition } of parked) {
      const [only, ...others] = condition as { test: string; variable: string; values: string[] }[];
      expect(others).toEqual([]);
      expect(only).toMatchObject({ test: "ArnLike", variable: "aws:SourceArn" });
      expect(only?.values).toEqual([expect.stringMatching(ownRules)]);
    }
    for (const queue of stack.resources("aws_sqs_queue")) {
      expect(queue).toMatchObject({ sqs_managed_sse_enabled: true, message_retention_seconds: 1209600 });
    }
  });

  it("has the permission before the target that needs it", () => {
    const targets = stack
      .resources("aws_cloudwatch_event_target")
      .filter(({ arn }) => (arn as string).startsWith("${aws_lambda_function."));
    expect(targets).toHaveLength(4);
    for (const target of targets) {
      expect(target.depends_on).toContainEqual(expect.stringMatching(/^aws_lambda_permission\./));
    }
  });

  it("keeps events in an archive", () => {
    expect(stack.resource("aws_cloudwatch_event_archive")).toMatchObject({ retention_days: 14 });
    // The pattern matches every event. It is written out, because an update without a pattern keeps the earlier one.
    expect(stack.resource("aws_cloudwatch_event_archive")).toMatchObject({
      event_pattern: JSON.stringify({ source: [{ exists: true }] }),
    });
  });
});

describe("what SES tells afterwards", () => {
  it("reaches the default bus, and from there a log group", () => {
    expect(stack.resource("aws_sesv2_configuration_set_event_destination")).toMatchObject({
      event_destination: {
        enabled: true,
        matching_event_types: [
          "SEND",
          "BOUNCE",
          "COMPLAINT",
          "REJECT",
          "RENDERING_FAILURE",
          "DELIVERY_DELAY",
          "DELIVERY",
        ],
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

  it("comes into the event logs of this stage alone, in streams that EventBridge makes in nobody's name", () => {
    const mayMake = statements().find(({ sid }) => sid === "EventBridgeMayMakeStreams");
    expect(mayMake).toMatchObject({ actions: ["logs:CreateLogStream"] });
    expect(mayMake).not.toHaveProperty("condition");
    const mayLog = statements().find(({ sid }) => sid === "RulesMayLog");
    expect(mayLog?.actions).toEqual(["logs:PutLogEvents"]);
    const [condition] = mayLog?.condition as [{ test: string; variable: string; values: string[] }];
    expect(condition).toMatchObject({ test: "ArnLike", variable: "aws:SourceArn" });
    expect(condition.values).toEqual([expect.stringMatching(/:rule\/shop-dev-\*$/)]);
    for (const statement of [mayMake, mayLog]) {
      expect(statement?.resources).toEqual([expect.stringMatching(/:log-group:\/aws\/events\/shop-dev-\*$/)]);
    }
    // All rules share one policy, because an account has at most ten in a region.
    expect(stack.resource("aws_cloudwatch_log_resource_policy")).toMatchObject({ policy_name: "shop-dev-event-logs" });
  });

  it.each(["feedback", "unrouted"])("shows no address to whoever reads the %s log", (suffix) => {
    const policies = stack.resources("aws_cloudwatch_log_data_protection_policy");
    const masking = policies.find(
      ({ log_group_name: group }) => stack.nameBehind(group) === `/aws/events/shop-dev-${suffix}`,
    );
    const documents = Object.entries(stack.data("aws_cloudwatch_log_data_protection_policy_document"));
    const [id, policy] = documents.find(([, { name }]) => name === `shop-dev-${suffix}`) ?? [];
    expect(masking?.policy_document).toBe(
      `\${data.aws_cloudwatch_log_data_protection_policy_document.${id ?? ""}.json}`,
    );
    const identifiers = [expect.stringMatching(/^arn:\$\{.*\}:dataprotection::aws:data-identifier\/EmailAddress$/)];
    expect(policy?.statement).toEqual([
      { sid: "Audit", data_identifiers: identifiers, operation: { audit: { findings_destination: {} } } },
      { sid: "Mask", data_identifiers: identifiers, operation: { deidentify: { mask_config: {} } } },
    ]);
    // Only events that are logged after the masking exists are masked, so the target depends on it.
    const target = stack
      .resources("aws_cloudwatch_event_target")
      .find(({ rule }) => stack.nameBehind(rule) === `shop-dev-${suffix}-rule`);
    expect(target?.depends_on).toContainEqual(expect.stringMatching(/^aws_cloudwatch_log_data_protection_policy\./));
    expect(target?.depends_on).toContainEqual(expect.stringMatching(/^aws_cloudwatch_log_resource_policy\./));
  });

  it("is counted, a metric each", () => {
    const filters = stack.resources("aws_cloudwatch_log_metric_filter").map(({ pattern }) => pattern);
    expect(filters).toContain('{ $.detail-type = "Email Rendering Failed" }');
    expect(filters.filter((pattern) => (pattern as string).includes("detail-type"))).toHaveLength(7);
    expect(filters).toContain('{ $.detail.bounce.bounceSubType = "OnAccountSuppressionList" }');
  });
});

describe("CloudWatch", () => {
  const alarm = (name: string) =>
    stack.resources("aws_cloudwatch_metric_alarm").find(({ alarm_name }) => alarm_name === name);

  /**
   * What an alarm watches: metric, statistic, threshold, number of periods of 300 s, and the names of its dimensions.
   */
  function watched(each: Record<string, unknown>): Record<string, unknown> {
    const dimensions = (of: unknown) =>
      Object.fromEntries(
        Object.entries((of ?? {}) as Record<string, string>).map(([name, value]) => [
          name,
          value.startsWith("${") ? stack.nameBehind(value) : value,
        ]),
      );
    const queries = (each.metric_query ?? []) as { expression?: string; metric?: Record<string, unknown> }[];
    const metrics = queries.flatMap(({ metric }) => (metric === undefined ? [] : [metric]));
    return {
      metric: metrics.length === 0 ? `${String(each.namespace)} ${String(each.metric_name)}` : queries[0]?.expression,
      ...(metrics.length === 0
        ? { statistic: each.statistic, dimensions: dimensions(each.dimensions) }
        : {
            of: metrics.map(({ namespace, metric_name: name, stat, dimensions: of }) => [
              `${String(namespace)} ${String(name)}`,
              stat,
              dimensions(of),
            ]),
          }),
      rings: `${String(each.comparison_operator)} ${String(each.threshold)}, ${String(each.evaluation_periods)} times`,
    };
  }
  const atLeast = (threshold: number, times = 1) => `GreaterThanOrEqualToThreshold ${threshold}, ${times} times`;

  it.each([
    ["lambda-errors", "AWS/Lambda Errors", "Sum", { FunctionName: "shop-dev-email-processor" }, atLeast(1)],
    [
      "priority-lambda-errors",
      "AWS/Lambda Errors",
      "Sum",
      { FunctionName: "shop-dev-priority-email-processor" },
      atLeast(1),
    ],
    [
      "lost-failures",
      "AWS/Lambda DestinationDeliveryFailures",
      "Sum",
      { FunctionName: "shop-dev-email-processor" },
      atLeast(1),
    ],
    [
      "priority-lost-failures",
      "AWS/Lambda DestinationDeliveryFailures",
      "Sum",
      { FunctionName: "shop-dev-priority-email-processor" },
      atLeast(1),
    ],
    [
      "events-waiting",
      "AWS/Lambda AsyncEventAge",
      "Maximum",
      { FunctionName: "shop-dev-email-processor" },
      atLeast(3_600_000),
    ],
    [
      "priority-events-waiting",
      "AWS/Lambda AsyncEventAge",
      "Maximum",
      { FunctionName: "shop-dev-priority-email-processor" },
      atLeast(3_600_000),
    ],
    ["email-processing-errors", "shop-dev EmailProcessingErrors", "Sum", {}, atLeast(1)],
    ["rendering-failures", "shop-dev RenderingFailures", "Sum", {}, atLeast(1)],
    ["ses-rejects", "shop-dev Rejects", "Sum", {}, atLeast(1)],
    ["ses-bounces", "AWS/SES Bounce", "Sum", {}, atLeast(5, 2)],
    ["unrouted-events", "shop-dev UnroutedEvents", "Sum", {}, atLeast(1)],
    [
      "events-dropped",
      "AWS/Lambda AsyncEventsDropped",
      "Sum",
      { FunctionName: "shop-dev-email-processor" },
      atLeast(1),
    ],
    [
      "priority-events-dropped",
      "AWS/Lambda AsyncEventsDropped",
      "Sum",
      { FunctionName: "shop-dev-priority-email-processor" },
      atLeast(1),
    ],
    [
      "dead-letters",
      "AWS/SQS ApproximateNumberOfMessagesVisible",
      "Maximum",
      { QueueName: "shop-dev-dead-letters" },
      atLeast(1),
    ],
  ])("rings %s at what it says", (name, metric, statistic, dimensions, rings) => {
    expect(watched(alarm(`shop-dev-${name}`) ?? {})).toEqual({ metric, statistic, dimensions, rings });
    expect(alarm(`shop-dev-${name}`)?.period).toBe(300);
  });

  it.each([
    ["ses-bounce-rate", "AWS/SES Reputation.BounceRate", 0.05],
    ["ses-complaint-rate", "AWS/SES Reputation.ComplaintRate", 0.001],
  ])("rings %s by the hour, and takes no data for no news", (name, metric, threshold) => {
    const rate = alarm(`shop-dev-${name}`) ?? {};
    expect(watched(rate)).toEqual({ metric, statistic: "Maximum", dimensions: {}, rings: atLeast(threshold) });
    expect(rate).toMatchObject({ period: 3600, treat_missing_data: "ignore" });
  });

  it.each(["retries", "priority-retries"])(
    "rings for %s that wait for an hour, by their number: SQS does not tell the age of what was received three times",
    (suffix) => {
      const dimensions = { QueueName: `shop-dev-${suffix}` };
      expect(watched(alarm(`shop-dev-${suffix}-waiting`) ?? {})).toEqual({
        metric: "m1 + m2",
        of: [
          ["AWS/SQS ApproximateNumberOfMessagesVisible", "Maximum", dimensions],
          ["AWS/SQS ApproximateNumberOfMessagesNotVisible", "Maximum", dimensions],
        ],
        rings: atLeast(1, 12),
      });
    },
  );

  it.each([
    ["email-rule", { EventBusName: "shop-dev-event-bus", RuleName: "shop-dev-email-rule" }],
    ["priority-rule", { EventBusName: "shop-dev-event-bus", RuleName: "shop-dev-priority-rule" }],
    ["retry-rule", { EventBusName: "shop-dev-failures", RuleName: "shop-dev-retry-rule" }],
    ["priority-retry-rule", { EventBusName: "shop-dev-failures", RuleName: "shop-dev-priority-retry-rule" }],
    ["dead-letter-rule", { EventBusName: "shop-dev-failures", RuleName: "shop-dev-dead-letter-rule" }],
    ["unmatched-rule", { EventBusName: "shop-dev-event-bus", RuleName: "shop-dev-unmatched-rule" }],
    ["unrouted-rule", { EventBusName: "shop-dev-event-bus", RuleName: "shop-dev-unrouted-rule" }],
    // Metrics of the default bus have no dimension for the bus.
    ["daily-report", { RuleName: "shop-dev-daily-report" }],
    ["feedback-rule", { RuleName: "shop-dev-feedback-rule" }],
  ])("rings for what the rule %s could not deliver, and could not park", (rule, dimensions) => {
    expect(watched(alarm(`shop-dev-${rule}-failed-invocations`) ?? {})).toEqual({
      metric: "AWS/Events FailedInvocations",
      statistic: "Sum",
      dimensions,
      rings: atLeast(1),
    });
    expect(watched(alarm(`shop-dev-${rule}-lost-events`) ?? {})).toEqual({
      metric: "AWS/Events InvocationsFailedToBeSentToDlq",
      statistic: "Sum",
      dimensions,
      rings: atLeast(1),
    });
  });

  it("tells the topic of each alarm, and takes missing data for good but for the rates", () => {
    // The tests above name each of these alarms.
    expect(stack.resources("aws_cloudwatch_metric_alarm")).toHaveLength(14 + 2 + 2 + 2 * 9);
    for (const each of stack.resources("aws_cloudwatch_metric_alarm")) {
      expect(each.treat_missing_data).toBe((each.alarm_name as string).endsWith("-rate") ? "ignore" : "notBreaching");
      for (const actions of [each.alarm_actions, each.ok_actions] as string[][]) {
        expect(actions.map((action) => stack.nameBehind(action))).toEqual(["shop-dev-alarms"]);
      }
    }
  });

  it("says in each alarm's description what to do first, within what CloudWatch takes, and without Terraform's own signs", () => {
    for (const { alarm_description: text } of stack.resources("aws_cloudwatch_metric_alarm")) {
      expect(text).toMatch(/^[A-Z].*\.\n\nFirst step: [A-Z].*\.$/);
      expect(text).not.toMatch(/[$%]\{/);
      expect((text as string).length).toBeLessThanOrEqual(1024);
    }
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
    expect(stack.resource("aws_kms_key")).toMatchObject({ enable_key_rotation: true, deletion_window_in_days: 7 });
    expect(stack.resources("aws_sns_topic_subscription")).toEqual([]);
    const subscribed = synthNotificationStack({ ALARM_EMAIL: "oncall@example.com" });
    expect(subscribed.resource("aws_sns_topic_subscription")).toMatchObject({
      protocol: "email",
      endpoint: "oncall@example.com",
    });
    const several = synthNotificationStack({ ALARM_EMAIL: "oncall@example.com,team@example.com" });
    expect(several.resources("aws_sns_topic_subscription").map(({ endpoint }) => endpoint)).toEqual([
      "oncall@example.com",
      "team@example.com",
    ]);
  });

  it("lets this stage's alarms publish, and nobody else", () => {
    for (const sid of ["AlarmsPublish", "AlarmsPublishEncrypted"]) {
      const statement = statements().find((candidate) => candidate.sid === sid);
      expect(statement).toMatchObject({ principals: [{ type: "Service", identifiers: ["cloudwatch.amazonaws.com"] }] });
      const [condition, ...others] = statement?.condition as { test: string; variable: string; values: string[] }[];
      expect(others).toEqual([]);
      expect(condition).toMatchObject({ test: "ArnLike", variable: "aws:SourceArn" });
      expect(condition?.values).toEqual([expect.stringMatching(/:cloudwatch:eu-west-1:[^:]*:alarm:shop-dev-\*$/)]);
    }
  });
});

it("charts what its alarms watch, by the same names", () => {
  const body = stack.resource("aws_cloudwatch_dashboard").dashboard_body as string;
  const { widgets } = JSON.parse(body) as {
    widgets: { properties: { title: string; region: string; stat: string; metrics: string[][] } }[];
  };
  const charts = widgets.map(({ properties: { title, stat, metrics } }) => [
    title,
    stat,
    metrics.map((metric) => metric.map((part) => (part.startsWith("${") ? stack.nameBehind(part) : part)).join(" ")),
  ]);
  const functions = ["shop-dev-email-processor", "shop-dev-priority-email-processor"];
  expect(charts).toEqual([
    [
      "Functions: runs, errors, throttles",
      "Sum",
      functions.flatMap((name) =>
        ["Invocations", "Errors", "Throttles"].map((metric) => `AWS/Lambda ${metric} FunctionName ${name}`),
      ),
    ],
    ["Functions: duration (ms, p99)", "p99", functions.map((name) => `AWS/Lambda Duration FunctionName ${name}`)],
    [
      "Functions: age of the events that wait (ms)",
      "Maximum",
      functions.map((name) => `AWS/Lambda AsyncEventAge FunctionName ${name}`),
    ],
    [
      "Functions: events that Lambda gave up",
      "Sum",
      functions.map((name) => `AWS/Lambda AsyncEventsDropped FunctionName ${name}`),
    ],
    [
      "Mail: sends, bounces, complaints of the account",
      "Sum",
      ["Send", "Delivery", "Bounce", "Complaint", "Reject"].map((metric) => `AWS/SES ${metric}`),
    ],
    [
      "What the logs tell: errors, and mail that nobody got",
      "Sum",
      ["EmailProcessingErrors", "RenderingFailures", "Rejects", "SuppressedSends", "UnroutedEvents"].map(
        (metric) => `shop-dev ${metric}`,
      ),
    ],
    [
      "Rules: events delivered",
      "Sum",
      [
        "EventBusName shop-dev-event-bus RuleName shop-dev-email-rule",
        "EventBusName shop-dev-event-bus RuleName shop-dev-priority-rule",
        "RuleName shop-dev-daily-report",
        "EventBusName shop-dev-event-bus RuleName shop-dev-unmatched-rule",
        "EventBusName shop-dev-event-bus RuleName shop-dev-unrouted-rule",
        "EventBusName shop-dev-failures RuleName shop-dev-retry-rule",
        "EventBusName shop-dev-failures RuleName shop-dev-priority-retry-rule",
        "EventBusName shop-dev-failures RuleName shop-dev-dead-letter-rule",
        "RuleName shop-dev-feedback-rule",
      ].map((dimensions) => `AWS/Events Invocations ${dimensions}`),
    ],
    [
      "Waiting: retries and dead letters",
      "Maximum",
      ["retries", "priority-retries", "dead-letters"].flatMap((suffix) =>
        ["Visible", "NotVisible"].map(
          (metric) => `AWS/SQS ApproximateNumberOfMessages${metric} QueueName shop-dev-${suffix}`,
        ),
      ),
    ],
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

describe("the daily report's event", () => {
  const transformerOf = (of: Synthesized) =>
    of
      .resources("aws_cloudwatch_event_target")
      .map(
        ({ input_transformer }) =>
          input_transformer as { input_paths: Record<string, string>; input_template: string } | undefined,
      )
      .find((candidate) => candidate?.input_template.includes("Daily Report"));

  /** The event that the function gets for an occurrence, in a stage with these recipients. */
  function occurrence(recipients: readonly [string, ...string[]]): unknown {
    const scheduled = new NotificationStack(
      Testing.app(),
      "notification",
      // In the SES sandbox each recipient gets an identity, and these are no addresses.
      { ...configOf(), sesSandbox: false, recipients },
      seedCatalogue,
    );
    const transformer = transformerOf(synthesized(scheduled));
    // The template as Terraform hands it to EventBridge.
    const InputTemplate = transformer?.input_template.replace(/([$%])\1\{/g, "$1{");
    const event: Envelope = {
      version: "0",
      id: "the id",
      "detail-type": "Scheduled Event",
      source: "aws.events",
      account: exampleAccountId,
      time: "2026-11-24T09:00:00Z",
      region: "eu-west-1",
      resources: [],
      detail: {},
    };
    return JSON.parse(
      inputFor({ InputTransformer: { InputPathsMap: transformer?.input_paths, InputTemplate } }, event, {
        ruleArn: "arn",
        ruleName: "rule",
        ingestedAt: new Date(),
      }),
    );
  }

  it("has constant content, and the occurrence's own id and time", () => {
    expect(transformerOf(stack)?.input_paths).toMatchObject({ id: "$.id", time: "$.time" });
    expect(occurrence(["ops@example.com"])).toMatchObject({
      id: "the id",
      time: "2026-11-24T09:00:00Z",
      source: "custom.application",
      "detail-type": "Daily Report",
      detail: { emailConfig: { recipient: ["ops@example.com"] } },
    });
  });

  it.each([
    ["a name of EventBridge's", '"<id>"@example.com'],
    ["one of the reserved names", "<aws.events.event.json>@example.com"],
    ["a quotation mark", '"o\\"ps"@example.com'],
    ["a backslash before the end", "ops\\"],
    ["an expression of Terraform's", "${id}%{if}@example.com"],
    ["an odd number of quotation marks before a name", '"<time>'],
    ["half a name", "a<id@example.com>"],
    ["a line break", "a\nb"],
  ])("comes whole where a recipient has %s", (_, recipient) => {
    expect(occurrence([recipient, "ops@example.com"])).toMatchObject({
      id: "the id",
      detail: { emailConfig: { recipient: [recipient, "ops@example.com"] } },
    });
  });

  it("holds no name but those of the occurrence, in no text either", () => {
    const scheduled = new NotificationStack(
      Testing.app(),
      "notification",
      { ...configOf(), recipients: ['"<id>"@example.com'], madeIdentities: ['"<id>"@example.com'] },
      seedCatalogue,
    );
    const { input_template: template = "" } = transformerOf(synthesized(scheduled)) ?? {};
    expect(template.match(/<[^>]*>/g)).toEqual(["<id>", "<time>", "<account>", "<region>"]);
    expect(template.match(/[<>]/g)).toHaveLength(2 * 4);
    expect(template).not.toContain('\\"');
  });
});

it("tells where everything is", () => {
  const named = (output: string) => stack.nameBehind(stack.output(output));
  expect(named("event_bus_name")).toBe("shop-dev-event-bus");
  expect(stack.output("event_bus_arn")).toMatch(/\.arn\}$/);
  expect(named("event_bus_arn")).toBe("shop-dev-event-bus");
  expect(named("failures_bus_name")).toBe("shop-dev-failures");
  expect(named("function_name")).toBe("shop-dev-email-processor");
  expect(named("priority_function_name")).toBe("shop-dev-priority-email-processor");
  expect(named("dead_letter_queue_url")).toBe("shop-dev-dead-letters");
  expect(named("alarm_topic_arn")).toBe("shop-dev-alarms");
  expect(named("claim_table_name")).toBe("shop-dev-claims");
  expect(named("log_group_name")).toBe("/aws/lambda/shop-dev-email-processor");
  expect(named("feedback_log_group_name")).toBe("/aws/events/shop-dev-feedback");
  expect(named("unrouted_log_group_name")).toBe("/aws/events/shop-dev-unrouted");
  const templates = stack.output("template_names") as Record<string, string>;
  expect(Object.fromEntries(Object.entries(templates).map(([id, name]) => [id, stack.nameBehind(name)]))).toEqual({
    "daily-report": storedTemplateName("shop-dev", dailyReport),
    "email-request": storedTemplateName("shop-dev", emailRequest),
    "priority-alert": storedTemplateName("shop-dev", priorityAlert),
  });
  expect(stack.output("identity_status_command")).toBe(
    "aws sesv2 get-email-identity --region eu-west-1 --email-identity sender@example.com --query VerificationStatus",
  );
});

it("tells what an operator needs to know", () => {
  expect(stack.outputs.sort()).toEqual([
    "alarm_topic_arn",
    "claim_table_name",
    "dead_letter_queue_url",
    "event_bus_arn",
    "event_bus_name",
    "failures_bus_name",
    "feedback_log_group_name",
    "function_name",
    "identity_status_command",
    "log_group_name",
    "priority_function_name",
    "template_names",
    "unrouted_log_group_name",
  ]);
});

it("refuses to synthesize a stack that breaks a policy rule, and names the rule", () => {
  const broken = new NotificationStack(Testing.app(), "notification", configOf(), seedCatalogue);
  new SqsQueue(broken, "plain", { name: "plain" });
  expect(() => synthesized(broken)).toThrow(
    /queue-encrypted: aws_sqs_queue\.plain is not encrypted[\s\S]*names-carry-stage/,
  );
});

it("tells Terraform where its resources stood when constructs were named by a notification's id", () => {
  const { moved } = JSON.parse(stack.text) as { moved: { from: string; to: string }[] };
  const from = moved.map((each) => each.from);
  // These are the addresses in the state of a stage that was deployed with the earlier version.
  expect(from).toEqual(
    expect.arrayContaining([
      "aws_cloudwatch_event_rule.event-routing_daily-report-rule_36392522",
      // If this rule were not moved, its destruction and the retry targets would depend on each other, and the apply
      // would stop before it starts.
      "aws_cloudwatch_event_rule.event-routing_dead-letter-rule_15DCC88A",
      "aws_cloudwatch_event_rule.event-routing_email-request-rule_533892DB",
      "aws_cloudwatch_event_rule.event-routing_priority-alert-rule_16741310",
      "aws_cloudwatch_event_target.delivery-feedback_target_B081B78A",
      "aws_cloudwatch_event_target.event-routing_daily-report-target_1D51E0DE",
      "aws_cloudwatch_event_target.event-routing_dead-letter-target_8027EE24",
      "aws_cloudwatch_event_target.event-routing_email-request-target_98DB7B67",
      "aws_cloudwatch_event_target.event-routing_priority-alert-target_8B2544C5",
      "aws_cloudwatch_log_data_protection_policy.delivery-feedback_masking-policy_038B49A4",
      "aws_cloudwatch_log_group.delivery-feedback_logs_2F40A10F",
      "aws_sesv2_email_identity.email-sender_51CEDAF5",
      "aws_sesv2_email_identity.email-sender_recipient-opsexamplecom_1657A9CE",
    ]),
  );
  expect(new Set([...from, ...moved.map((each) => each.to)]).size).toBe(2 * moved.length);
});
