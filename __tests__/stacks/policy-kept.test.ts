import { TerraformStack, Testing } from "cdktf";
import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { enforcePolicy, findViolations } from "../../stacks/policy";
import { rules } from "../../stacks/policy/rules";
import { type SynthesizedStack } from "../../stacks/policy/synthesized";
import { defaultQuotas, exampleAccountId } from "../../stacks/stages";

/**
 * Where the limit of each rule is: the widest that keeps the rule, and the narrowest that breaks it. (`policy.test.ts`
 * breaks each rule clearly.)
 */

const settings = { ...defaultQuotas("eu-west-1"), deletionProtection: true };
const violationsOf = (stack: SynthesizedStack, id: string) =>
  findViolations(stack, "shop-dev", settings)
    .filter(({ rule }) => rule === id)
    .map(({ where }) => where);

const resource = (type: string, attributes: object): SynthesizedStack => ({
  resource: { [type]: { it: attributes as never } },
});
const policyDocument = (...statement: readonly object[]): NonNullable<SynthesizedStack["data"]> => ({
  aws_iam_policy_document: { it: { statement } },
});
const statement = (attributes: object): SynthesizedStack => ({ data: policyDocument(attributes) });
const itsPolicy = "${data.aws_iam_policy_document.it.json}";
const named = { name: "shop-dev-x" };

it("gives a reason for each rule, in whole sentences", () => {
  for (const { why } of rules) expect(why).toMatch(/^[A-Z].{20,}[.)]$/);
});

describe("what is encrypted", () => {
  it.each([
    ["aws_sqs_queue", "queue-encrypted", { sqs_managed_sse_enabled: true }, []],
    ["aws_sqs_queue", "queue-encrypted", { kms_master_key_id: "key" }, []],
    ["aws_sqs_queue", "queue-encrypted", { sqs_managed_sse_enabled: false }, ["aws_sqs_queue.it is not encrypted"]],
    ["aws_sqs_queue", "queue-encrypted", { sqs_managed_sse_enabled: "true" }, ["aws_sqs_queue.it is not encrypted"]],
    ["aws_sns_topic", "topic-encrypted", { kms_master_key_id: "key" }, []],
  ])("%s keeps %s by %j: %j", (type, rule, attributes, violations) => {
    expect(violationsOf(resource(type, { ...named, ...attributes }), rule)).toEqual(violations);
  });

  it.each([
    [{ enabled: true }, { enabled: true }, true],
    [{ enabled: false }, { enabled: true }, false],
    [{ enabled: true }, { enabled: false }, false],
    [{ enabled: "true" }, { enabled: true }, false],
    [null, { enabled: true }, false],
    [true, true, false],
  ])("a table is, with encryption %j and recovery %j: %p", (encryption, recovery, kept) => {
    const table = { ...named, server_side_encryption: encryption, point_in_time_recovery: recovery };
    expect(violationsOf(resource("aws_dynamodb_table", table), "table-encrypted-and-recoverable")).toEqual(
      kept ? [] : ["aws_dynamodb_table.it is not encrypted, or has no point-in-time recovery"],
    );
  });
});

describe("plain HTTP", () => {
  const onlyTls = { test: "Bool", variable: "aws:SecureTransport", values: ["false"] };
  const denial = {
    effect: "Deny",
    actions: ["sqs:*", "sns:Publish"],
    principals: [{ type: "*", identifiers: ["*"] }],
    condition: [onlyTls],
  };
  const queue = (policy: string, ...statements: readonly object[]): SynthesizedStack => ({
    ...resource("aws_sqs_queue", { ...named, policy }),
    data: policyDocument(...statements),
  });
  const topic = (arn: string): SynthesizedStack => ({
    resource: {
      aws_sns_topic: { it: named },
      aws_sns_topic_policy: { other: { arn: "${aws_sns_topic.other.arn}" }, its: { arn, policy: itsPolicy } },
    },
    data: policyDocument(denial),
  });

  it("is refused by a queue that denies it, beside whatever else it allows", () => {
    expect(violationsOf(queue(itsPolicy, { actions: ["sqs:SendMessage"] }, denial), "tls-only")).toEqual([]);
  });

  it("is refused by a topic whose own policy denies it", () => {
    expect(violationsOf(topic("${aws_sns_topic.it.arn}"), "tls-only")).toEqual([]);
    expect(violationsOf(topic("${aws_sns_topic.others.arn}"), "tls-only")).toHaveLength(1);
  });

  it("is taken where a denial has no condition: it is another denial, of whatever it names", () => {
    expect(violationsOf(queue(itsPolicy, { effect: "Deny", actions: ["sqs:PurgeQueue"] }), "tls-only")).toHaveLength(1);
  });

  it("is taken where a second condition narrows the denial: IAM wants all of a statement's conditions", () => {
    const narrow = {
      ...denial,
      condition: [onlyTls, { test: "StringEquals", variable: "aws:SourceAccount", values: ["1"] }],
    };
    expect(violationsOf(queue(itsPolicy, narrow), "tls-only")).toEqual(["aws_sqs_queue.it takes plain HTTP"]);
  });

  it.each([
    "${data.aws_iam_policy_document.gone.json}",
    `${itsPolicy} `,
    ` ${itsPolicy}`,
    "${data.aws_iam_policy_document.it.minified_json}",
  ])("is taken where %j is no policy that denies it", (policy) => {
    expect(violationsOf(queue(policy, denial), "tls-only")).toEqual(["aws_sqs_queue.it takes plain HTTP"]);
  });

  it("is taken where the stack has no policy document at all", () => {
    const { resource: queues = {} } = queue(itsPolicy);
    expect(violationsOf({ resource: queues }, "tls-only")).toHaveLength(1);
    expect(violationsOf({ resource: queues, data: {} }, "tls-only")).toHaveLength(1);
  });
});

describe("a wildcard", () => {
  const group = "${aws_cloudwatch_log_group.my-group_1.arn}";
  it.each([
    [`${group}:*`, true],
    [`x${group}:*`, false],
    [`${group}:*x`, false],
    ["${aws_cloudwatch_log_group..arn}:*", false],
    ["${aws_cloudwatch_log_group.a.b.arn}:*", false],
    // A `*` inside of a Terraform expression is no wildcard.
    ["${aws_sqs_queue.all[*].arn}", true],
    ["${aws_sqs_queue.all.arn}*", false],
    ["${a}?${b}", false],
  ])("in the resource %j: %p is allowed", (arn, allowed) => {
    const wild = statement({ actions: ["logs:PutLogEvents"], resources: [arn] });
    expect(violationsOf(wild, "no-wildcard")).toEqual(
      allowed ? [] : [`data.aws_iam_policy_document.it allows "logs:PutLogEvents" on "${arn}"`],
    );
  });

  it("in a permission's source is allowed behind the own prefix", () => {
    const permission = {
      statement_id: "shop-dev-x",
      action: "lambda:InvokeFunction",
      principal: "events.amazonaws.com",
      source_arn: "arn:aws:events:eu-west-1:1:rule/shop-dev-*",
    };
    expect(violationsOf(resource("aws_lambda_permission", permission), "no-wildcard")).toEqual([]);
  });

  it.each(["AWS", "*"])("is a principal's, too: of type %j", (type) => {
    const identifiers = type === "*" ? ["a"] : ["*"];
    expect(violationsOf(statement({ actions: ["a"], principals: [{ type, identifiers }] }), "no-wildcard")).toEqual([
      'data.aws_iam_policy_document.it allows the principal "*"',
    ]);
  });
});

describe("a policy as text", () => {
  it.each([
    [itsPolicy, true],
    ["${data.aws_iam_policy_document.gone.json}", false],
    ["${aws_iam_policy.x.policy}", false],
    [`${itsPolicy} `, false],
    [` ${itsPolicy}`, false],
    ["${var.policy}", false],
    [{ Statement: [] }, false],
  ])("is not %j: %p", (policy, kept) => {
    const stack = { ...resource("aws_iam_role_policy", { ...named, policy }), ...statement({ actions: ["a"] }) };
    expect(violationsOf(stack, "policy-as-data")).toEqual(
      kept ? [] : ["aws_iam_role_policy.it has its policy as text"],
    );
  });
});

it.each([
  ["log-retention", "aws_cloudwatch_log_group", { retention_in_days: 14 }, { retention_in_days: "never" }],
  [
    "target-retry-and-dead-letters",
    "aws_cloudwatch_event_target",
    {
      retry_policy: { maximum_retry_attempts: 1, maximum_event_age_in_seconds: 60 },
      dead_letter_config: { arn: "arn" },
    },
    { retry_policy: { maximum_retry_attempts: 1, maximum_event_age_in_seconds: 60 } },
  ],
  [
    "environment-fits",
    "aws_lambda_function",
    { environment: { variables: { KEY: "a".repeat(3837) } } },
    { environment: { variables: { KEY: "a".repeat(3838) } } },
  ],
  [
    "input-fits",
    "aws_cloudwatch_event_target",
    { input_transformer: { input_template: "a".repeat(8192) } },
    { input_transformer: { input_template: "a".repeat(8193) } },
  ],
  ["deletion-protected", "aws_sqs_queue", { lifecycle: { prevent_destroy: true } }, { lifecycle: null }],
  [
    "template-versions",
    "aws_ses_template",
    { lifecycle: { create_before_destroy: true } },
    { lifecycle: { create_before_destroy: "true" } },
  ],
  [
    "schedule-parses",
    "aws_cloudwatch_event_rule",
    { schedule_expression: "rate(1 day)" },
    { schedule_expression: "rate(1 days)" },
  ],
  ["permission-names-source", "aws_lambda_permission", { source_arn: "arn" }, {}],
])("%s: %s keeps it by one thing, and not by the like", (rule, type, keeps, breaks) => {
  expect(violationsOf(resource(type, keeps), rule)).toEqual([]);
  expect(violationsOf(resource(type, breaks), rule)).toHaveLength(1);
});

it("has a function depend on each of its templates", () => {
  const templates = { one: named, two: named };
  const mailing = { variables: { TEMPLATE_NAME_PREFIX: "shop-dev" } };
  const of = (depends: readonly string[], environment: object = mailing) =>
    violationsOf(
      { resource: { aws_ses_template: templates, aws_lambda_function: { fn: { depends_on: depends, environment } } } },
      "template-versions",
    ).filter((where) => where.includes("depend"));
  expect(of(["aws_ses_template.one", "aws_ses_template.two"])).toEqual([]);
  expect(of(["aws_ses_template.one"])).toEqual(["aws_lambda_function.fn does not depend on aws_ses_template.two"]);
  // A function that does not mail needs none.
  expect(of([], {})).toEqual([]);
});

/**
 * For each type, the attribute with the physical name and its most characters, by the API reference of each service.
 */
const nameLimits: Readonly<Record<string, readonly [string, number]>> = {
  aws_cloudwatch_dashboard: ["dashboard_name", 255],
  aws_cloudwatch_event_archive: ["name", 48],
  aws_cloudwatch_event_bus: ["name", 256],
  aws_cloudwatch_event_rule: ["name", 64],
  aws_cloudwatch_log_group: ["name", 512],
  aws_cloudwatch_log_metric_filter: ["name", 512],
  aws_cloudwatch_log_resource_policy: ["policy_name", 512],
  aws_cloudwatch_metric_alarm: ["alarm_name", 255],
  aws_dynamodb_table: ["name", 255],
  aws_iam_group: ["name", 128],
  aws_iam_instance_profile: ["name", 128],
  aws_iam_policy: ["name", 128],
  aws_iam_role: ["name", 64],
  aws_iam_role_policy: ["name", 128],
  aws_iam_user: ["name", 64],
  aws_kms_alias: ["name", 256],
  aws_lambda_function: ["function_name", 64],
  aws_lambda_permission: ["statement_id", 100],
  aws_ses_template: ["name", 64],
  aws_sesv2_configuration_set: ["configuration_set_name", 64],
  aws_sesv2_configuration_set_event_destination: ["event_destination_name", 64],
  aws_sns_topic: ["name", 256],
  aws_sqs_queue: ["name", 80],
};

describe.each(Object.entries(nameLimits))("the name of %s", (type, [attribute, limit]) => {
  const withName = (name: string) => resource(type, { [attribute]: name });
  const longest = "shop-dev-".padEnd(limit, "a");

  it(`has ${limit} characters at most`, () => {
    expect(violationsOf(withName(longest), "names-fit")).toEqual([]);
    expect(violationsOf(withName(`${longest}a`), "names-fit")).toEqual([
      `${type}.it has ${limit + 1} characters, and AWS takes ${limit}: "${longest}a"`,
    ]);
  });

  it("begins with the stage's prefix", () => {
    expect(violationsOf(withName("shop-dev-x"), "names-carry-stage")).toEqual([]);
    expect(violationsOf(withName("shop-prod-x"), "names-carry-stage")).toHaveLength(1);
  });

  it("names the region where the account has it once", () => {
    const inRegion = (name: string) => ({ ...withName(name), provider: { aws: [{ region: "eu-west-1" }] } });
    const isAccountWide = type.startsWith("aws_iam_") || type === "aws_cloudwatch_dashboard";
    expect(violationsOf(inRegion("shop-dev-eu-west-1-x"), "account-wide-names-carry-region")).toEqual([]);
    expect(violationsOf(inRegion("shop-dev-x"), "account-wide-names-carry-region")).toHaveLength(isAccountWide ? 1 : 0);
  });
});

it("finds the stage's prefix behind a path that a service wants", () => {
  expect(
    violationsOf(resource("aws_cloudwatch_log_group", { name: "/aws/lambda/shop-dev-x" }), "names-carry-stage"),
  ).toEqual([]);
  expect(violationsOf(resource("aws_kms_alias", { name: "alias/shop-dev-x" }), "names-carry-stage")).toEqual([]);
});

it.each([{}, { provider: {} }, { provider: { aws: [] } }, { provider: { aws: [{}] } }])(
  "asks for no region in a name where the provider names none: %j",
  (provider) => {
    const stack = { ...provider, ...resource("aws_iam_role", named) };
    expect(violationsOf(stack, "account-wide-names-carry-region")).toEqual([]);
  },
);

/** The longest texts, by the API reference of each service. */
it.each([
  ["aws_cloudwatch_event_rule", "description", 512],
  ["aws_cloudwatch_event_rule", "schedule_expression", 256],
  ["aws_cloudwatch_event_rule", "event_pattern", 2048],
  ["aws_cloudwatch_event_bus", "description", 512],
  ["aws_cloudwatch_event_archive", "description", 512],
  ["aws_cloudwatch_event_target", "target_id", 64],
  ["aws_cloudwatch_metric_alarm", "alarm_description", 1024],
  ["aws_cloudwatch_metric_alarm", "namespace", 255],
  ["aws_cloudwatch_log_metric_filter", "pattern", 1024],
  ["aws_lambda_function", "description", 256],
  ["aws_iam_role", "description", 1000],
  ["aws_kms_key", "description", 8192],
])("%s has a %s of %d characters at most", (type, attribute, limit) => {
  const withText = (characters: number) => resource(type, { [attribute]: "a".repeat(characters) });
  expect(violationsOf(withText(limit), "texts-fit")).toEqual([]);
  expect(violationsOf(withText(limit + 1), "texts-fit")).toEqual([
    `${type}.it has ${limit + 1} characters of ${attribute}, and AWS takes ${limit}`,
  ]);
});

it("lets a template have 500 KB in all its parts", () => {
  const template = { ...named, subject: "a", html: "a".repeat(300 * 1024), text: "a".repeat(200 * 1024 - 1) };
  expect(violationsOf(resource("aws_ses_template", template), "texts-fit")).toEqual([]);
});

it.each([
  // Only a reference to a single attribute is measured by what it refers to. Any other expression gets the longest
  // length.
  ["${lower(aws_sqs_queue.queue.name)}", 144],
  ["${timestamp()}", 144],
  // The length of a resource that is not in the stack is that of AWS's longest id.
  ["${aws_sqs_queue.other.name}", 64],
  ["${aws_sns_topic.other.name}", 64],
  ["${aws_sqs_queue.queue.name}", 14],
])("measures %s as %d characters", (expression, characters) => {
  const of = (ballast: number) =>
    violationsOf(
      {
        resource: {
          aws_sqs_queue: { queue: { name: "shop-dev-queue" } },
          aws_kms_key: { key: { description: "a".repeat(ballast) + expression } },
        },
      },
      "texts-fit",
    );
  expect(of(8192 - characters)).toEqual([]);
  expect(of(8193 - characters)).toHaveLength(1);
});

describe("a policy's size", () => {
  const sizeOf = (stack: SynthesizedStack) =>
    Number(/has up to (\d+) bytes/.exec(violationsOf(stack, "policies-fit").join())?.[1]);

  it.each([
    [
      { actions: ["sqs:SendMessage"], resources: ["a".repeat(8192)] },
      {
        Sid: "",
        Effect: "Allow",
        Action: ["sqs:SendMessage"],
        Resource: ["a".repeat(8192)],
        Principal: [],
        Condition: [],
      },
    ],
    [
      {
        sid: "OnlyTls",
        effect: "Deny",
        actions: ["sqs:*"],
        resources: ["a".repeat(8192)],
        principals: [{ type: "AWS", identifiers: ["*"] }],
        condition: [{ test: "Bool", variable: "aws:SecureTransport", values: ["false"] }],
      },
      {
        Sid: "OnlyTls",
        Effect: "Deny",
        Action: ["sqs:*"],
        Resource: ["a".repeat(8192)],
        Principal: [{ AWS: ["*"] }],
        Condition: [{ Bool: { "aws:SecureTransport": ["false"] } }],
      },
    ],
  ])("is that of the JSON that Terraform makes of it", (written, made) => {
    const queue = { ...resource("aws_sqs_queue", { ...named, policy: itsPolicy }), ...statement(written) };
    expect(sizeOf(queue)).toBe(JSON.stringify({ Version: "2012-10-17", Statement: [made] }).length);
  });

  it("may be as large as AWS takes, and not a byte larger", () => {
    const queue = (bytes: number) => ({
      ...resource("aws_sqs_queue", { ...named, policy: itsPolicy }),
      ...statement({ actions: ["a"], resources: ["a".repeat(bytes)] }),
    });
    const around = sizeOf(queue(8192)) - 8192;
    expect(violationsOf(queue(8192 - around), "policies-fit")).toEqual([]);
    expect(sizeOf(queue(8193 - around))).toBe(8193);
  });

  it("counts a permission as the statement that Lambda makes of it", () => {
    const permission = {
      statement_id: "shop-dev-x",
      function_name: "shop-dev-fn",
      principal: "events.amazonaws.com",
      action: "lambda:InvokeFunction",
      source_arn: "a".repeat(20_480),
    };
    const made = {
      Sid: "shop-dev-x",
      Effect: "Allow",
      Principal: { Service: "events.amazonaws.com" },
      Action: "lambda:InvokeFunction",
      // The partition and the region are the longest that exist.
      Resource: `arn:aws-us-gov:lambda:us-gov-west-1:${exampleAccountId}:function:shop-dev-fn`,
      Condition: { ArnLike: { "AWS:SourceArn": "a".repeat(20_480) } },
    };
    expect(sizeOf(resource("aws_lambda_permission", permission))).toBe(JSON.stringify(made).length);
  });
});

describe("counts", () => {
  it("are of each bus and of each rule, not of all together", () => {
    const many = (count: number, of: (index: number) => object) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`r${index}`, of(index)])) as never;
    expect(
      violationsOf(
        {
          resource: {
            aws_cloudwatch_event_rule: many(600, (index) => ({ event_bus_name: `bus-${index % 2}` })),
            aws_cloudwatch_event_target: many(10, (index) => ({ rule: `rule-${index % 2}` })),
          },
        },
        "counts-fit",
      ),
    ).toEqual([]);
  });
});

describe("without settings of a stage", () => {
  const rulesOnTheBus = (count: number): SynthesizedStack => ({
    resource: {
      aws_cloudwatch_event_rule: Object.fromEntries(
        Array.from({ length: count }, (_, index) => [`r${index}`, { name: `shop-dev-${index}` }]),
      ),
    },
  });

  it("AWS's own quotas hold, and nothing has to be kept from deletion", () => {
    const counted = (stack: SynthesizedStack) =>
      findViolations(stack, "shop-dev").filter(({ rule }) => rule === "counts-fit");
    expect(counted(rulesOnTheBus(300))).toEqual([]);
    expect(counted(rulesOnTheBus(301))).toHaveLength(1);
    const identity = resource("aws_sesv2_email_identity", {});
    expect(findViolations(identity, "shop-dev")).toEqual([]);
    expect(findViolations(identity, "shop-dev", settings)).toHaveLength(1);
  });
});

it("makes the synth fail, and says which rule is broken, where and why", () => {
  const stack = new TerraformStack(Testing.app(), "it");
  new CloudwatchEventRule(stack, "rule", { name: "other-x", scheduleExpression: "rate(1 day)" });
  enforcePolicy(stack, "shop-dev");
  // cdktf itself also reports that the stack has no provider.
  expect(stack.node.validate().filter((problem) => !problem.includes("provider"))).toEqual([
    expect.stringMatching(/^rule-triggers: aws_cloudwatch_event_rule\.rule has no target\. /),
    'names-carry-stage: aws_cloudwatch_event_rule.rule has the name "other-x" without "shop-dev-" in front. Two stages live in one account, and policies name what is the stage\'s own by its prefix.',
  ]);
});

it("a role's policies have a limit of their own, whatever its trust has", () => {
  const stack: SynthesizedStack = {
    data: policyDocument({ actions: ["a"], resources: ["a".repeat(2500)] }),
    resource: {
      aws_iam_role: { it: { ...named, assume_role_policy: "${data.aws_iam_policy_document.none.json}" } },
      aws_iam_role_policy: { its: { ...named, role: "${aws_iam_role.it.name}", policy: itsPolicy } },
    },
  };
  expect(violationsOf(stack, "policies-fit")).toEqual([]);
});

describe("takes for what it is", () => {
  it.each([
    [
      "a topic's policy in the topic itself",
      "tls-only",
      {
        ...resource("aws_sns_topic", { ...named, policy: itsPolicy }),
        ...statement({
          effect: "Deny",
          actions: ["sns:Publish"],
          principals: [{ type: "*", identifiers: ["*"] }],
          condition: [{ test: "Bool", variable: "aws:SecureTransport", values: ["false"] }],
        }),
      },
    ],
    [
      "the time that a token lives",
      "no-secret-in-environment",
      resource("aws_lambda_function", { environment: { variables: { TOKEN_TTL: "60", TOKEN_TTL_DAYS: "1" } } }),
    ],
    [
      "a state machine with a statement inside",
      "policy-as-data",
      resource("aws_sfn_state_machine", { definition: '{"States":{"Ask":{"Statement":"SELECT 1"}}}' }),
    ],
    [
      "an event pattern with another account's ARN",
      "others-stay-out",
      resource("aws_cloudwatch_event_rule", {
        event_pattern: '{"resources":["arn:aws:s3:eu-west-1:999999999999:x"]}',
      }),
    ],
    ...(
      [
        ["AWS/Lambda", "UnreservedConcurrentExecutions"],
        ["AWS/Lambda", "ClaimedAccountConcurrency"],
        ["AWS/DynamoDB", "UserErrors"],
        ["AWS/Events", "PutEventsFailedEntriesCount"],
      ] as const
    ).map(
      ([namespace, metric_name]) =>
        [
          `the account's ${metric_name}`,
          "alarm-metric-exists",
          resource("aws_cloudwatch_metric_alarm", { namespace, metric_name }),
        ] as const,
    ),
  ] as const)("%s", (_, rule, stack) => {
    expect(violationsOf(stack, rule)).toEqual([]);
  });

  it("finds an account's metric with dimensions, and one of a function without", () => {
    const alarm = (metric_name: string, dimensions: object) =>
      violationsOf(
        resource("aws_cloudwatch_metric_alarm", { namespace: "AWS/DynamoDB", metric_name, dimensions }),
        "alarm-metric-exists",
      );
    expect(alarm("UserErrors", { TableName: "x" }).join()).toContain("AWS does not publish it so");
    expect(alarm("SystemErrors", {}).join()).toContain("AWS does not publish it so");
  });

  it("finds a policy whose statement is at the top", () => {
    const text = '{"Statement":[]}';
    expect(violationsOf(resource("aws_x", { anything: text }), "policy-as-data")).toHaveLength(1);
  });
});
