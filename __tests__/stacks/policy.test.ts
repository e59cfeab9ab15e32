import { findViolations } from "../../stacks/policy";
import { type SynthesizedStack } from "../../stacks/policy/synthesized";
import { defaultQuotas, exampleAccountId, stages } from "../../stacks/stages";
import { synthNotificationStack } from "../support/stack";

const resource = (type: string, attributes: object): SynthesizedStack => ({
  resource: { [type]: { broken: attributes as never } },
});
const statement = (attributes: object): SynthesizedStack => ({
  data: { aws_iam_policy_document: { broken: { statement: [attributes] } } },
});
const named = { name: "shop-dev-x" };
const brokenPolicy = "${data.aws_iam_policy_document.broken.json}";
/** A statement that denies plain HTTP, with changes. */
const denying = ({ effect = "Deny", ...condition }: { effect?: string } = {}): SynthesizedStack =>
  statement({
    effect,
    condition: [{ test: "Bool", variable: "aws:SecureTransport", values: ["false"], ...condition }],
  });
const queueDenying = (change?: object): SynthesizedStack => ({
  ...resource("aws_sqs_queue", { ...named, policy: brokenPolicy }),
  ...denying(change),
});
/** A resource whose policy has about this many bytes. */
const policyOf = (type: string, attribute: string, bytes: number): SynthesizedStack => ({
  ...resource(type, { ...named, [attribute]: brokenPolicy }),
  ...statement({ actions: ["a"], resources: ["a".repeat(bytes)] }),
});
const dashboardOf = (metricsOfWidgets: readonly number[]): SynthesizedStack =>
  resource("aws_cloudwatch_dashboard", {
    dashboard_name: "shop-dev-x",
    dashboard_body: JSON.stringify({
      widgets: metricsOfWidgets.map((count) => ({
        properties: { metrics: Array.from({ length: count }, () => ["m"]) },
      })),
    }),
  });
/** The settings of a stage with deletion protection. */
const settings = { ...defaultQuotas("eu-west-1"), deletionProtection: true };
const inIreland: SynthesizedStack = { provider: { aws: [{ region: "eu-west-1" }] } };

/** For each rule: stacks that break it, and the message. */
const broken: Readonly<Record<string, readonly (readonly [SynthesizedStack, RegExp])[]>> = {
  "no-wildcard": [
    [statement({ actions: ["ses:*"], resources: ["arn"] }), /broken allows "ses:\*"/],
    [statement({ actions: ["ses:SendEmail"], resources: ["*"] }), /broken allows "ses:SendEmail" on "\*"/],
    [
      statement({ effect: "Allow", actions: ["logs:PutLogEvents"], resources: ["arn:aws:logs:*:*:*"] }),
      /allows "logs:PutLogEvents" on "arn:aws/,
    ],
    // A wildcard is allowed only at the end of the own prefix, in an ARN that has no other.
    ...[
      "arn:aws:ses:eu-west-1:1:template/shop-*",
      "arn:aws:ses:eu-west-1:1:template/shop-dev*",
      "arn:aws:ses:eu-west-1:1:template/my-shop-dev-*",
      "arn:aws:ses:eu-west-1:1:template/shop-dev-*-x",
      "arn:aws:ses:eu-west-1:1:template/shop-dev-?",
      "arn:aws:ses:eu-west-1:*:template/shop-dev-*",
      "arn:aws:ses:eu-west-1:1:*/shop-dev-*",
      "arn:aws:ses:eu-west-1:1:template/shop-dev-*:*",
      "shop-dev-*",
    ].map(
      (arn) =>
        [statement({ actions: ["ses:SendEmail"], resources: [arn] }), /broken allows "ses:SendEmail" on "/] as const,
    ),
    [statement({ actions: ["shop-dev-*"], resources: ["arn"] }), /broken allows "shop-dev-\*"/],
    ...["StringLike", "ArnEquals", "StringEquals"].map(
      (test) =>
        [
          statement({
            actions: ["sqs:SendMessage"],
            resources: ["arn"],
            condition: [{ test, variable: "aws:SourceArn", values: ["arn:aws:events:eu-west-1:1:rule/shop-dev-*"] }],
          }),
          /broken allows "arn:aws:events/,
        ] as const,
    ),
    [
      statement({
        actions: ["sqs:SendMessage"],
        resources: ["arn"],
        condition: [{ test: "ArnLike", variable: "aws:SourceArn", values: ["arn:aws:events:eu-west-1:1:rule/*"] }],
      }),
      /broken allows "arn:aws:events/,
    ],
    [
      resource("aws_lambda_permission", {
        statement_id: "shop-dev-x",
        source_arn: "arn:aws:events:eu-west-1:1:rule/*",
      }),
      /broken allows "arn:aws:events/,
    ],
    [
      resource("aws_lambda_permission", { statement_id: "shop-dev-x", source_arn: "arn", action: "lambda:*" }),
      /broken allows "lambda:\*"/,
    ],
    [
      resource("aws_lambda_permission", { statement_id: "shop-dev-x", source_arn: "arn", principal: "*" }),
      /broken allows "\*"/,
    ],
    [
      statement({ actions: ["sqs:SendMessage"], principals: [{ type: "AWS", identifiers: ["*"] }] }),
      /broken allows the principal "\*"/,
    ],
    ...["not_actions", "not_resources", "not_principals"].map(
      (name) => [statement({ [name]: ["a"] }), new RegExp(`broken allows ${name}`)] as const,
    ),
  ],
  "policy-as-data": ["policy", "policy_document", "assume_role_policy", "inline_policy"].map((name) => [
    resource("aws_iam_role", { ...named, [name]: '{"Statement":[]}' }),
    new RegExp(`broken has its ${name} as text`),
  ]),
  "permission-names-source": [
    [resource("aws_lambda_permission", { statement_id: "shop-dev-x" }), /broken names no source/],
  ],
  "target-retry-and-dead-letters": [
    [
      resource("aws_cloudwatch_event_target", {
        retry_policy: { maximum_retry_attempts: 185, maximum_event_age_in_seconds: 60 },
      }),
      /broken has no dead_letter_config/,
    ],
    [
      resource("aws_cloudwatch_event_target", {
        retry_policy: { maximum_retry_attempts: 185 },
        dead_letter_config: { arn: "arn" },
      }),
      /broken has no retry_policy\.maximum_event_age_in_seconds/,
    ],
  ],
  "queue-encrypted": [[resource("aws_sqs_queue", named), /broken is not encrypted/]],
  "topic-encrypted": [[resource("aws_sns_topic", named), /broken is not encrypted/]],
  "tls-only": [
    [resource("aws_sqs_queue", named), /aws_sqs_queue\.broken takes plain HTTP/],
    [resource("aws_sns_topic", named), /aws_sns_topic\.broken takes plain HTTP/],
    // Each of these statements denies something else than plain HTTP, or nothing.
    ...[
      { effect: "Allow" },
      { test: "BoolIfExists" },
      { variable: "aws:MultiFactorAuthPresent" },
      { values: ["true"] },
    ].map((change) => [queueDenying(change), /aws_sqs_queue\.broken takes plain HTTP/] as const),
    [
      {
        ...denying(),
        resource: {
          aws_sns_topic: { broken: named },
          aws_sns_topic_policy: { other: { arn: "${aws_sns_topic.other.arn}", policy: brokenPolicy } },
        },
      },
      /aws_sns_topic\.broken takes plain HTTP/,
    ],
  ],
  "table-encrypted-and-recoverable": [
    [
      resource("aws_dynamodb_table", { ...named, server_side_encryption: { enabled: true } }),
      /broken is not encrypted/,
    ],
    [
      resource("aws_dynamodb_table", { ...named, point_in_time_recovery: { enabled: true } }),
      /broken is not encrypted/,
    ],
  ],
  "deletion-protected": [
    [resource("aws_sqs_queue", named), /aws_sqs_queue\.broken may be destroyed/],
    [resource("aws_cloudwatch_event_archive", named), /aws_cloudwatch_event_archive\.broken may be destroyed/],
    [resource("aws_sesv2_email_identity", {}), /aws_sesv2_email_identity\.broken may be destroyed/],
    [
      resource("aws_dynamodb_table", { ...named, deletion_protection_enabled: true }),
      /aws_dynamodb_table\.broken may be destroyed/,
    ],
    [
      resource("aws_dynamodb_table", { ...named, lifecycle: { prevent_destroy: true } }),
      /aws_dynamodb_table\.broken may be deleted outside of Terraform/,
    ],
  ],
  "template-versions": [
    [resource("aws_ses_template", named), /aws_ses_template\.broken is not created before/],
    [
      {
        resource: {
          aws_ses_template: { one: { ...named, lifecycle: { create_before_destroy: true } } },
          aws_lambda_function: {
            broken: {
              function_name: "shop-dev-x",
              environment: { variables: { TEMPLATE_NAME_PREFIX: "shop-dev" } },
              depends_on: ["aws_ses_template.other"],
            },
          },
        },
      },
      /aws_lambda_function\.broken does not depend on aws_ses_template\.one/,
    ],
  ],
  "log-retention": [[resource("aws_cloudwatch_log_group", named), /broken has no retention/]],
  "alarm-has-action": [[resource("aws_cloudwatch_metric_alarm", { alarm_name: "shop-dev-x" }), /broken has no action/]],
  "environment-fits": [
    [
      resource("aws_lambda_function", {
        function_name: "shop-dev-x",
        environment: { variables: { POLICY: "a".repeat(3835) } },
      }),
      /broken has 3841 bytes of variables, of 3840/,
    ],
  ],
  "input-fits": [
    [
      resource("aws_cloudwatch_event_target", {
        retry_policy: {},
        dead_letter_config: {},
        input_transformer: { input_template: "a".repeat(8193) },
      }),
      /broken has an input template of 8193 characters/,
    ],
  ],
  "names-carry-stage": [
    [resource("aws_iam_role", { name: "x" }), /broken has the name "x" without "shop-dev-" in front/],
    // The prefix has to be whole and at the beginning, because policies name resources by it.
    [resource("aws_cloudwatch_event_rule", { name: "x-shop-dev-rule" }), /broken has the name "x-shop-dev-rule"/],
    [resource("aws_cloudwatch_log_group", { name: "/aws/lambda/shop-devil" }), /broken has the name/],
  ],
  "texts-fit": [
    [
      resource("aws_cloudwatch_event_rule", { ...named, description: "a".repeat(513) }),
      /broken has 513 characters of description, and AWS takes 512/,
    ],
    [
      resource("aws_cloudwatch_event_rule", { ...named, event_pattern: "a".repeat(2049) }),
      /broken has 2049 characters of event_pattern, and AWS takes 2048/,
    ],
    [
      resource("aws_cloudwatch_event_rule", { ...named, schedule_expression: "a".repeat(257) }),
      /broken has 257 characters of schedule_expression, and AWS takes 256/,
    ],
    [
      resource("aws_cloudwatch_log_metric_filter", {
        ...named,
        metric_transformation: { namespace: "a".repeat(256) },
      }),
      /broken has 256 characters of metric_transformation\.namespace, and AWS takes 255/,
    ],
    [
      resource("aws_ses_template", {
        ...named,
        subject: "a",
        html: "a".repeat(256 * 1024),
        text: "a".repeat(244 * 1024),
      }),
      /broken has 512001 bytes, and SES takes 512000/,
    ],
  ],
  "policies-fit": [
    [
      policyOf("aws_sqs_queue", "policy", 8192),
      /aws_sqs_queue\.broken has up to \d+ bytes of policy, and AWS takes 8192/,
    ],
    [policyOf("aws_sns_topic_policy", "policy", 30_720), /and AWS takes 30720/],
    [policyOf("aws_kms_key_policy", "policy", 32_768), /and AWS takes 32768/],
    [policyOf("aws_cloudwatch_event_bus_policy", "policy", 10_240), /and AWS takes 10240/],
    [policyOf("aws_cloudwatch_log_resource_policy", "policy_document", 5120), /and AWS takes 5120/],
    [policyOf("aws_iam_role", "assume_role_policy", 2048), /and AWS takes 2048/],
    [policyOf("aws_iam_policy", "policy", 6144), /and AWS takes 6144/],
    // Each part of a statement counts.
    ...[
      { actions: ["a".repeat(8192)] },
      { principals: [{ type: "AWS", identifiers: ["a".repeat(8192)] }] },
      { condition: [{ test: "ArnLike", variable: "aws:SourceArn", values: ["a".repeat(8192)] }] },
    ].map(
      (part) =>
        [
          { ...resource("aws_sqs_queue", { ...named, policy: brokenPolicy }), ...statement(part) },
          /aws_sqs_queue\.broken has up to \d+ bytes of policy, and AWS takes 8192/,
        ] as const,
    ),
    // All policies of a role count together.
    [
      {
        ...statement({ actions: ["a"], resources: ["a".repeat(5100)] }),
        resource: {
          aws_iam_role_policy: Object.fromEntries(
            ["one", "two"].map((id) => [id, { name: `shop-dev-${id}`, role: "the role", policy: brokenPolicy }]),
          ),
        },
      },
      /the role has up to \d+ bytes of policy, and AWS takes 10240/,
    ],
    // All permissions of a function count together.
    [
      {
        resource: {
          aws_lambda_permission: Object.fromEntries(
            Array.from({ length: 80 }, (_, at) => [
              `p${at}`,
              {
                statement_id: `shop-dev-${at}`,
                function_name: "the function",
                principal: "events.amazonaws.com",
                source_arn: `arn:aws:events:eu-west-1:${exampleAccountId}:rule/shop-dev-event-bus/shop-dev-${at}`,
              },
            ]),
          ),
        },
      },
      /the function has up to \d+ bytes of policy, and AWS takes 20480/,
    ],
  ],
  "counts-fit": [
    [
      {
        resource: {
          aws_cloudwatch_event_rule: Object.fromEntries(
            Array.from({ length: 300 }, (_, at) => [
              `r${at}`,
              { name: `shop-dev-${at}`, event_bus_name: "${aws_cloudwatch_event_bus.bus.name}" },
            ]),
          ),
          aws_cloudwatch_event_archive: {
            archive: { name: "shop-dev-a", event_source_arn: "${aws_cloudwatch_event_bus.bus.arn}" },
          },
        },
      },
      /aws_cloudwatch_event_bus\.bus has 301 rules, and AWS takes 300/,
    ],
    [
      {
        resource: {
          aws_cloudwatch_event_rule: Object.fromEntries(
            Array.from({ length: 301 }, (_, at) => [`r${at}`, { name: `shop-dev-${at}` }]),
          ),
        },
      },
      /The bus default has 301 rules, and AWS takes 300/,
    ],
    [
      {
        resource: {
          aws_cloudwatch_event_target: Object.fromEntries(
            Array.from({ length: 6 }, (_, at) => [`t${at}`, { rule: "the rule" }]),
          ),
        },
      },
      /the rule has 6 targets, and AWS takes 5/,
    ],
    [dashboardOf([501]), /aws_cloudwatch_dashboard\.broken has 501 metrics in a widget, and AWS takes 500/],
    [
      dashboardOf([500, 500, 500, 500, 500, 1]),
      /aws_cloudwatch_dashboard\.broken has 2501 metrics, and AWS takes 2500/,
    ],
    [
      resource("aws_cloudwatch_metric_alarm", {
        alarm_name: "shop-dev-x",
        metric_query: [{ expression: "m1" }, ...Array.from({ length: 11 }, () => ({ metric: {} }))],
      }),
      /aws_cloudwatch_metric_alarm\.broken has 11 metrics, and AWS takes 10/,
    ],
  ],
  "account-wide-names-carry-region": [
    ...(["aws_iam_role", "aws_iam_policy"] as const).map(
      (type) =>
        [{ ...inIreland, ...resource(type, named) }, /broken has the name "shop-dev-x" without "eu-west-1"/] as const,
    ),
    [
      { ...inIreland, ...resource("aws_cloudwatch_dashboard", { dashboard_name: "shop-dev-x" }) },
      /aws_cloudwatch_dashboard\.broken has the name "shop-dev-x" without "eu-west-1"/,
    ],
  ],
  "schedule-parses": [
    [
      resource("aws_cloudwatch_event_rule", { ...named, schedule_expression: "cron(0 9 * * *)" }),
      /aws_cloudwatch_event_rule\.broken has a schedule that is wrong: "cron\(0 9 \* \* \*\)" has 5 fields/,
    ],
  ],
  "names-fit": [
    [
      resource("aws_cloudwatch_event_archive", { name: `shop-dev-${"a".repeat(40)}` }),
      /has 49 characters, and AWS takes 48/,
    ],
  ],
};

describe.each(Object.entries(broken))("%s", (id, examples) => {
  it.each(examples.map(([stack, says]) => [says, stack] as const))("says %s", (says, stack) => {
    const violations = findViolations(stack, "shop-dev", settings).filter(({ rule }) => rule === id);
    expect(violations.map(({ where }) => where)).toEqual([expect.stringMatching(says)]);
  });
});

it("leaves a denial alone: it may be as wide as it likes", () => {
  expect(findViolations(statement({ effect: "Deny", actions: ["s3:*"], resources: ["*"] }), "shop-dev")).toEqual([]);
});

it("has production alone keep what can't be made again", () => {
  const keeping = Object.entries(stages).filter(([, { deletionProtection }]) => deletionProtection);
  expect(keeping.map(([stage]) => stage)).toEqual(["prod"]);
  const { resource: dev = {} } = JSON.parse(synthNotificationStack().text) as SynthesizedStack;
  expect(JSON.stringify(dev)).not.toContain("prevent_destroy");
  const { resource: prod = {} } = JSON.parse(synthNotificationStack({ STAGE: "prod" }).text) as SynthesizedStack;
  expect(Object.values(prod.aws_dynamodb_table ?? {})).toEqual([
    expect.objectContaining({ deletion_protection_enabled: true, lifecycle: { prevent_destroy: true } }),
  ]);
});

it("allows the own prefix at the end of a resource and of an ArnLike value", () => {
  const arn =
    "arn:${data.aws_partition.p.partition}:events:eu-west-1:${data.aws_caller_identity.a.account_id}:rule/shop-dev-*";
  const own = statement({
    actions: ["ses:SendTemplatedEmail"],
    resources: [arn],
    condition: [{ test: "ArnLike", variable: "aws:SourceArn", values: [arn] }],
  });
  const wild = (prefix: string) => findViolations(own, prefix).filter(({ rule }) => rule === "no-wildcard");
  expect(wild("shop-dev")).toEqual([]);
  expect(wild("shop-prod")).toHaveLength(2);
});

it("leaves a name that refers to another one to that", () => {
  const name = "${aws_iam_role.other.name}";
  expect(findViolations(resource("aws_iam_role", { name }), "shop-dev")).toEqual([]);
});

it("measures what Terraform makes of a text: an escaped brace is one character less", () => {
  const description = `${"a".repeat(510)}$\${`;
  const long = (text: string) =>
    findViolations(resource("aws_cloudwatch_event_rule", { ...named, description: text }), "shop-dev").filter(
      ({ rule }) => rule === "texts-fit",
    );
  expect(long(description)).toEqual([]);
  expect(long(`${description}a`)).toHaveLength(1);
});

it.each([
  // An account's id has 12 digits, and the longest partition has 10 letters.
  ["${data.aws_caller_identity.a.account_id}", 12],
  ["${data.aws_partition.p.partition}", 10],
  ["${aws_sqs_queue.q.name}", "shop-dev-queue".length],
  // An ARN has `arn:<partition>:sqs:<region>:<account>:` in front of the name.
  ["${aws_sqs_queue.q.arn}", "shop-dev-queue".length + 80],
  // An id of AWS's is a UUID or shorter.
  ["${aws_kms_key.k.key_id}", 64 + 80],
])("measures %s as it can get at most", (expression, longest) => {
  const violationsOf = (characters: number) => {
    const description = "a".repeat(characters) + expression;
    return findViolations(
      {
        resource: {
          aws_cloudwatch_event_rule: { broken: { ...named, description } },
          aws_sqs_queue: { q: { name: "shop-dev-queue" } },
          aws_kms_key: { k: {} },
        },
      },
      "shop-dev",
    ).filter(({ rule }) => rule === "texts-fit");
  };
  expect(violationsOf(512 - longest)).toEqual([]);
  expect(violationsOf(513 - longest)).toHaveLength(1);
});

it("refuses a stage whose recipients are more than the function's environment takes, and says what to do", () => {
  const recipients = Array.from({ length: 50 }, (_, at) => `${"a".repeat(60)}${at}@example.com`).join();
  expect(() => synthNotificationStack({ EMAIL_RECIPIENT: recipients })).toThrow(
    /environment-fits: aws_lambda_function\.\S+ has \d+ bytes of variables, of 3840\. .*allowedRecipients and recipients \(EMAIL_RECIPIENT\)/,
  );
});
