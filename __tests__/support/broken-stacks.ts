import { type SynthesizedStack } from "../../stacks/policy/synthesized";

/** A resource of a stack that a test may change. */
export type Draft = Record<string, unknown>;

/** The Terraform JSON of a stack, to be broken. */
export class DraftStack {
  constructor(private readonly json: SynthesizedStack) {}

  /** The first resource of the type whose id contains the text. */
  the(type: string, part = ""): Draft {
    return this.found(this.json.resource?.[type], type, part);
  }

  /** The statements of the first policy document whose id contains the text. */
  statements(part: string): Draft[] {
    return this.found(this.json.data?.aws_iam_policy_document, "aws_iam_policy_document", part).statement as Draft[];
  }

  statement(part: string, sid: string): Draft {
    const found = this.statements(part).find((each) => each.sid === sid);
    if (found === undefined) throw new Error(`No statement ${sid} in ${part}`);
    return found;
  }

  /** Replaces a whole part of the stack, for example its modules. */
  set(part: keyof SynthesizedStack, value: object): void {
    Object.assign(this.json, { [part]: value });
  }

  provider(): Draft {
    return this.json.provider?.aws?.[0] as Draft;
  }

  add(type: string, attributes: object, id = "added"): void {
    const resources = this.json.resource as Record<string, Record<string, unknown>>;
    resources[type] = { ...resources[type], [id]: attributes };
  }

  addDocument(statement: object, id = "added"): void {
    const data = this.json.data as Record<string, Record<string, unknown>>;
    data.aws_iam_policy_document = { ...data.aws_iam_policy_document, [id]: { statement: [statement] } };
  }

  addData(type: string, attributes: object, id = "added"): void {
    const data = this.json.data as Record<string, Record<string, unknown>>;
    data[type] = { ...data[type], [id]: attributes };
  }

  addModule(id: string, attributes: object): void {
    (this.json as Record<string, unknown>).module = { [id]: attributes };
  }

  remove(type: string, part = ""): void {
    const resources = (this.json.resource as Record<string, Record<string, unknown>>)[type] ?? {};
    const id = Object.keys(resources).find((each) => each.includes(part));
    if (id === undefined) throw new Error(`No ${type} with ${part}`);
    Reflect.deleteProperty(resources, id);
  }

  /** An expression of an attribute of the first resource of the type whose id contains the text. */
  ref(type: string, part = "", attribute = "arn"): string {
    const id = Object.keys(this.json.resource?.[type] ?? {}).find((each) => each.includes(part));
    if (id === undefined) throw new Error(`No ${type} with ${part}`);
    return `\${${type}.${id}.${attribute}}`;
  }

  private found(resources: Readonly<Record<string, unknown>> | undefined, type: string, part: string): Draft {
    const [, found] = Object.entries(resources ?? {}).find(([id]) => id.includes(part)) ?? [];
    if (found === undefined) throw new Error(`No ${type} with ${part}`);
    return found as Draft;
  }
}

export type Break = readonly [what: string, change: (stack: DraftStack) => void, says: RegExp];

const queue = "aws_sqs_queue";
const fn = "aws_lambda_function";
const rule = "aws_cloudwatch_event_rule";
const target = "aws_cloudwatch_event_target";
const alarm = "aws_cloudwatch_metric_alarm";
const mapping = "aws_lambda_event_source_mapping";
const invokeConfig = "aws_lambda_function_event_invoke_config";
const denial = { effect: "Deny", principals: [{ type: "*", identifiers: ["*"] }] };
const onlyTls = [{ test: "Bool", variable: "aws:SecureTransport", values: ["false"] }];

/** A bucket with all that it needs. `without` leaves one of these resources out. */
function addBucket(stack: DraftStack, without?: string, change: object = {}): void {
  const bucket = { bucket: "${aws_s3_bucket.added.id}" };
  stack.addDocument(
    {
      ...denial,
      actions: ["s3:*"],
      resources: ["${aws_s3_bucket.added.arn}", "${aws_s3_bucket.added.arn}/*"],
      condition: onlyTls,
    },
    "bucket",
  );
  stack.add("aws_s3_bucket", { bucket: "shop-prod-files" });
  const parts: Record<string, object> = {
    aws_s3_bucket_policy: { policy: "${data.aws_iam_policy_document.bucket.json}" },
    aws_s3_bucket_public_access_block: {
      block_public_acls: true,
      block_public_policy: true,
      ignore_public_acls: true,
      restrict_public_buckets: true,
    },
    aws_s3_bucket_server_side_encryption_configuration: {
      rule: [{ apply_server_side_encryption_by_default: { sse_algorithm: "aws:kms" } }],
    },
    aws_s3_bucket_versioning: { versioning_configuration: { status: "Enabled" } },
    aws_s3_bucket_lifecycle_configuration: {
      rule: [
        {
          status: "Enabled",
          noncurrent_version_expiration: [{ noncurrent_days: 90 }],
          abort_incomplete_multipart_upload: [{ days_after_initiation: 7 }],
        },
      ],
    },
  };
  for (const [type, attributes] of Object.entries(parts)) {
    if (type !== without) stack.add(type, { ...bucket, ...attributes, ...change });
  }
}

/** A further retry queue that keeps every rule but those on its policy and its alarm. */
function addQueue(stack: DraftStack, change: object): void {
  stack.add(queue, { ...stack.the(queue, "standard-lane_retry"), name: "shop-prod-more", ...change });
}

function variables(stack: DraftStack): Draft {
  return (stack.the(fn, "standard").environment as { variables: Draft }).variables;
}

/** The statement by which the standard function sends. */
const sending = (stack: DraftStack) =>
  stack.statements("standard-lane_function_permissions").find(({ actions }) => String(actions).startsWith("ses:")) ??
  {};

function retarget(stack: DraftStack, arn: string): void {
  stack.the(target, "standard-lane_retry").arn = arn;
}

function redrive(stack: DraftStack, part: string, policy: object): void {
  stack.the(queue, part).redrive_policy = JSON.stringify(policy);
}

function alarmOn(stack: DraftStack, change: object): void {
  Object.assign(stack.the(alarm, "daily-report-failed"), change);
}

/** For each rule, changes of production's stack that break it. */
export const breaks: Readonly<Record<string, readonly Break[]>> = {
  "no-wildcard": [
    ["an action on everything", (s) => (sending(s).resources = ["*"]), /allows "ses:SendTemplatedEmail" on "\*"/],
    [
      "everyone may send to a queue",
      (s) => (s.statement("dead-letters_policy", "RulesMayPark").principals = [{ type: "*", identifiers: ["*"] }]),
      /allows the principal "\*"/,
    ],
    [
      "a sender that may be anyone of a domain",
      (s) => (sending(s).condition = [{ test: "StringLike", variable: "ses:FromAddress", values: ["*@example.com"] }]),
      /allows "\*@example\.com" in a condition/,
    ],
    [
      "recipients that may be anyone",
      (s) =>
        (sending(s).condition as Draft[]).push({
          test: "ForAllValues:StringLike",
          variable: "ses:Recipients",
          values: ["*@example.com", "*"],
        }),
      /allows "\*" in a condition/,
    ],
  ],
  "policy-as-data": [
    ["a policy as JSON", (s) => (s.the("aws_iam_role_policy").policy = '{"Statement":[]}'), /has its policy as text/],
    ...["${var.p}", "${local.p}", "${data.aws_ssm_parameter.p.value}", "${data.aws_iam_policy.admin.policy}"].map(
      (text): Break => [text, (s) => (s.the("aws_iam_role_policy").policy = text), /has its policy as text/],
    ),
    [
      "a policy in an attribute that nobody listed",
      (s) => {
        s.add("aws_ecr_repository_policy", { repository_policy: '{"Version":"2012-10-17","Statement":[]}' });
      },
      /aws_ecr_repository_policy\.added has its repository_policy as text/,
    ],
    [
      "a policy that Terraform encodes",
      (s) => {
        s.add("aws_ecr_repository_policy", { repository_policy: "${jsonencode({Statement = []})}" });
      },
      /has its repository_policy as text/,
    ],
  ],
  "role-mails-as-function": [
    [
      "another sender",
      (s) =>
        (sending(s).condition = [{ test: "StringEquals", variable: "ses:FromAddress", values: ["ceo@example.com"] }]),
      /may send as ceo@example\.com, who is no sender of it/,
    ],
    [
      "another identity",
      (s) => (sending(s).resources as string[]).push("arn:aws:ses:eu-west-1:123456789012:identity/ceo.com"),
      /may use the identity ceo\.com, which is none of its senders or recipients/,
    ],
    [
      "a list that the role does not hold",
      (s) =>
        (variables(s).RECIPIENT_POLICY = JSON.stringify({ mode: "restricted", addresses: ["a@b.c"], domains: [] })),
      /has a role that may mail others than the function's RECIPIENT_POLICY allows/,
    ],
    [
      "a list that the role holds for requests without recipients",
      (s) => {
        variables(s).RECIPIENT_POLICY = JSON.stringify({ mode: "restricted", addresses: ["a@b.c"], domains: [] });
        (sending(s).condition as Draft[]).push({
          test: "ForAllValues:StringLike",
          variable: "ses:Recipients",
          values: ["a@b.c"],
        });
      },
      /has a role that may mail others than the function's RECIPIENT_POLICY allows/,
    ],
  ],
  "target-on-its-bus": [
    [
      "no bus, which is the default one",
      (s) => delete s.the(target, "email-rule").event_bus_name,
      /is on default, and its rule on aws_cloudwatch_event_bus\./,
    ],
    ["another bus", (s) => (s.the(target, "email-rule").event_bus_name = "other"), /is on other, and its rule on/],
  ],
  "bounced-are-suppressed": [
    ["no suppression", (s) => delete s.the("aws_sesv2_configuration_set").suppression_options, /does not suppress/],
    [
      "bounces alone",
      (s) => (s.the("aws_sesv2_configuration_set").suppression_options = { suppressed_reasons: ["BOUNCE"] }),
      /does not suppress addresses for BOUNCE and COMPLAINT/,
    ],
  ],
  "feedback-is-published": [
    [
      "no event destination",
      (s) => {
        s.remove("aws_sesv2_configuration_set_event_destination");
      },
      /publishes not all of BOUNCE/,
    ],
    [
      "no rendering failures",
      (s) => {
        const to = s.the("aws_sesv2_configuration_set_event_destination").event_destination as Draft;
        to.matching_event_types = ["BOUNCE", "COMPLAINT", "REJECT", "DELIVERY"];
      },
      /publishes not all of BOUNCE, COMPLAINT, REJECT, RENDERING_FAILURE/,
    ],
    [
      "that of another configuration set",
      (s) => (s.the("aws_sesv2_configuration_set_event_destination").configuration_set_name = "other"),
      /publishes not all of BOUNCE/,
    ],
  ],
  "others-stay-out": [
    ...(
      [
        ["aws_cloudwatch_event_permission", { principal: "*" }],
        ["aws_lambda_layer_version_permission", { principal: "999999999999" }],
        ["aws_lambda_permission", { principal: "events.amazonaws.com", principal_org_id: "o-1" }],
        ["aws_kms_grant", { grantee_principal: "arn:aws:iam::999999999999:root" }],
        ["aws_kms_grant", { grantee_principal: "${data.aws_ssm_parameter.p.value}" }],
      ] as const
    ).map(([type, attributes]): Break => [
      `${type} ${JSON.stringify(attributes)}`,
      (s) => {
        s.add(type, attributes);
      },
      new RegExp(`${type}\\.added lets in "`),
    ]),
    [
      "a subscription of another account",
      (s) => {
        s.add("aws_sns_topic_subscription", { endpoint: "arn:aws:sqs:eu-west-1:999999999999:x" });
      },
      /names "arn:aws:sqs:eu-west-1:999999999999:x", which is another account's/,
    ],
  ],
  "no-secret-as-text": [
    ...[
      `AKIA${"A".repeat(16)}`,
      "-----BEGIN RSA PRIVATE KEY-----",
      `ghp_${"a".repeat(36)}`,
      "https://hooks.slack.com/services/T0/B0/x",
      "postgres://user:word@host/name",
      "${aws_secretsmanager_secret_version.v.secret_string}",
      "${aws_iam_access_key.k.secret}",
    ].map((text): Break => [
      text,
      (s) => (s.the(queue, "dead").tags = { note: text }),
      /has a text in the form of a secret/,
    ]),
    ...(
      [
        ["aws_secretsmanager_secret_version", { secret_string: "x" }],
        ["aws_db_instance", { password: "x" }],
        ["aws_cloudwatch_event_connection", { auth_parameters: { api_key: { key: "x", value: "y" } } }],
      ] as const
    ).map(([type, attributes]): Break => [
      type,
      (s) => {
        s.add(type, attributes);
      },
      /added has a secret in /,
    ]),
    ["a provider's key", (s) => (s.provider().secret_key = "x"), /provider\.aws has a secret_key/],
  ],
  "permission-names-source": [
    ["a permission without a source", (s) => delete s.the("aws_lambda_permission").source_arn, /names no source/],
    [
      "a bucket's permission without its account",
      (s) => (s.the("aws_lambda_permission").source_arn = "arn:aws:s3:::files"),
      /names no source_account/,
    ],
    [
      "a permission for another account's rules",
      (s) => (s.the("aws_lambda_permission").source_arn = "arn:aws:events:eu-west-1:999999999999:rule/shop-dev-*"),
      /lets in the account 999999999999, which is not this one/,
    ],
    [
      "a permission for another account's bucket",
      (s) =>
        Object.assign(s.the("aws_lambda_permission"), {
          source_arn: "arn:aws:s3:::files",
          source_account: "999999999999",
        }),
      /lets in the account 999999999999, which is not this one/,
    ],
    [
      "a URL without authentication",
      (s) => {
        s.add("aws_lambda_function_url", { authorization_type: "NONE" });
      },
      /aws_lambda_function_url\.added lets anyone invoke/,
    ],
  ],
  "no-iam-users": ["aws_iam_user", "aws_iam_access_key", "aws_iam_group"].map((type) => [
    `an ${type}`,
    (s) => {
      s.add(type, { name: "shop-prod-eu-west-1-deployer" });
    },
    new RegExp(`${type}\\.added is a long-lived identity`),
  ]),
  "no-managed-policies": [
    ...["AdministratorAccess", "service-role/AWSLambdaBasicExecutionRole"].map((name): Break => [
      name,
      (s) => {
        s.add("aws_iam_role_policy_attachment", { policy_arn: `arn:aws:iam::aws:policy/${name}` });
      },
      /aws_iam_role_policy_attachment\.added has the policy arn:aws:iam::aws:policy/,
    ]),
    ...["${var.policy}", "arn:aws:iam::999999999999:policy/x", "${data.aws_iam_policy.admin.arn}"].map((arn): Break => [
      arn,
      (s) => {
        s.add("aws_iam_role_policy_attachment", { policy_arn: arn });
      },
      /which is no aws_iam_policy of this stack/,
    ]),
    [
      "a foreign boundary",
      (s) => (s.the("aws_iam_role").permissions_boundary = "${var.boundary}"),
      /has the policy \$\{var\.boundary\}/,
    ],
    [
      "in the role itself",
      (s) => (s.the("aws_iam_role").managed_policy_arns = ["arn:aws-cn:iam::aws:policy/ReadOnlyAccess"]),
      /aws_iam_role\.\S+ has the policy arn:aws-cn:iam::aws:policy\/ReadOnlyAccess/,
    ],
  ],
  "principals-are-ours": [
    [
      "another account in a trust",
      (s) =>
        ((s.statements("standard-lane_function_trust")[0] as Draft).principals = [
          { type: "AWS", identifiers: ["arn:aws:iam::999999999999:root"] },
        ]),
      /lets in "arn:aws:iam::999999999999:root"/,
    ],
    [
      "another account by its number",
      (s) =>
        (s.statement("topic-policy", "AlarmsPublish").principals = [{ type: "AWS", identifiers: ["999999999999"] }]),
      /lets in "999999999999"/,
    ],
    [
      "any repository of an identity provider",
      (s) =>
        Object.assign(s.statements("standard-lane_function_trust")[0] as Draft, {
          principals: [{ type: "Federated", identifiers: ["${aws_iam_openid_connect_provider.github.arn}"] }],
          condition: [
            {
              test: "StringEquals",
              variable: "token.actions.githubusercontent.com:aud",
              values: ["sts.amazonaws.com"],
            },
          ],
        }),
      /without a condition on its sub/,
    ],
  ],
  "services-name-source": [
    [
      "a topic that takes any account's alarms",
      (s) => delete s.statement("topic-policy", "AlarmsPublish").condition,
      /allows sns:Publish to cloudwatch\.amazonaws\.com without its source/,
    ],
    ...["999999999999", "arn:aws:events:eu-west-1:999999999999:rule/x", "${var.account}"].map((value): Break => [
      value,
      (s) =>
        (s.statement("topic-policy", "AlarmsPublish").condition = [
          { test: "StringEquals", variable: "aws:SourceAccount", values: [value] },
        ]),
      /which is not of this account/,
    ]),
    [
      "a condition that holds where the key is absent",
      (s) =>
        (s.statement("dead-letters_policy", "RulesMayPark").condition = [
          {
            test: "ArnLikeIfExists",
            variable: "aws:SourceArn",
            values: ["arn:aws:events:eu-west-1:1:rule/shop-prod-x"],
          },
        ]),
      /allows sqs:SendMessage to events\.amazonaws\.com without its source/,
    ],
  ],
  "ses-sends-as-sender": [
    [
      "another stage's template, deleted",
      (s) => {
        s.addDocument({
          actions: ["ses:DeleteTemplate"],
          resources: ["arn:aws:ses:eu-west-1:123456789012:template/other-prod-x"],
        });
      },
      /allows ses:DeleteTemplate on/,
    ],
    ["no condition", (s) => delete sending(s).condition, /allows ses:SendTemplatedEmail as anyone/],
    [
      "a negated condition",
      (s) =>
        (sending(s).condition = [{ test: "StringNotEquals", variable: "ses:FromAddress", values: ["a@example.com"] }]),
      /allows ses:SendTemplatedEmail as anyone/,
    ],
    [
      "a condition on the name that is shown",
      (s) =>
        (sending(s).condition = [{ test: "StringEquals", variable: "ses:FromDisplayName", values: ["a@example.com"] }]),
      /allows ses:SendTemplatedEmail as anyone/,
    ],
    ...[
      "arn:aws:ses:eu-west-1:999999999999:identity/sender@example.com",
      "arn:aws:ses:us-east-1:${data.aws_caller_identity.account.account_id}:identity/sender@example.com",
      "arn:aws:ses:eu-west-1:${data.aws_caller_identity.account.account_id}:template/other-prod-invoice",
      "arn:aws:ses:eu-west-1:${data.aws_caller_identity.account.account_id}:configuration-set/other",
    ].map((arn): Break => [
      arn,
      (s) => (sending(s).resources as string[]).push(arn),
      /allows ses:SendTemplatedEmail on "arn:.*", which is not this stage's/,
    ]),
  ],
  "role-is-passed-narrowly": [
    [
      "any service",
      (s) => {
        s.addDocument({ actions: ["iam:PassRole"], resources: ["${aws_iam_role.x.arn}"] });
      },
      /added allows iam:PassRole to any service/,
    ],
  ],
  "no-secret-in-environment": [
    ["a password", (s) => (variables(s).SMTP_PASSWORD = "hunter2"), /has a secret in its variable SMTP_PASSWORD/],
    ["a password in camel case", (s) => (variables(s).dbPassword = "hunter2"), /in its variable dbPassword/],
    ["an access key", (s) => (variables(s).OTHER = `AKIA${"A".repeat(16)}`), /has a secret in its variable OTHER/],
  ],
  "target-retry-and-dead-letters": [
    ["no retry policy", (s) => delete s.the(target, "email-rule").retry_policy, /has no retry_policy\.maximum_retry/],
    [
      "no limit of age",
      (s) => (s.the(target, "email-rule").retry_policy = { maximum_retry_attempts: 185 }),
      /has no retry_policy\.maximum_event_age_in_seconds/,
    ],
    ["no dead letters", (s) => delete s.the(target, "email-rule").dead_letter_config, /has no dead_letter_config/],
  ],
  "target-lets-rule-in": [
    [
      "a function without its permission",
      (s) => {
        s.remove("aws_lambda_permission", "priority");
      },
      /priority-rule_target\S+ has the target aws_lambda_function\.priority\S+, whose policy does not let/,
    ],
    [
      "a permission for other rules",
      (s) =>
        (s.the("aws_lambda_permission", "priority").source_arn = "arn:aws:events:eu-west-1:1:rule/shop-prod-retry-*"),
      /priority-rule_target\S+ has the target/,
    ],
    [
      "a permission for another service",
      (s) => (s.the("aws_lambda_permission", "priority").principal = "s3.amazonaws.com"),
      /priority-rule_target\S+ has the target/,
    ],
    [
      "a queue that lets no rule in",
      (s) => (s.statement("standard-lane_retry-queue_policy", "RulesMayPark").actions = ["sqs:ReceiveMessage"]),
      /standard-lane_retry-target\S+ has the target aws_sqs_queue\.standard/,
    ],
    [
      "a log group outside of the policy",
      (s) => (s.the("aws_cloudwatch_log_group", "delivery-feedback").name = "/aws/events/other-feedback"),
      /delivery-feedback_target\S+ has the target aws_cloudwatch_log_group/,
    ],
    [
      "dead letters outside of the stack",
      (s) => (s.the(target, "email-rule").dead_letter_config = { arn: "arn:aws:sqs:eu-west-1:1:other" }),
      /has dead letters at arn:aws:sqs:eu-west-1:1:other, which is not in the stack/,
    ],
    [
      "another kind of target without a role",
      (s) => {
        retarget(s, "arn:aws:states:eu-west-1:1:stateMachine:shop-prod-x");
      },
      /and no role_arn that lets EventBridge reach it/,
    ],
    ["a rule of elsewhere", (s) => (s.the(target, "email-rule").rule = "other"), /has a rule that is not in the stack/],
  ],
  "target-input-once": [
    ["two inputs", (s) => (s.the(target, "daily").input = "{}"), /has input and input_transformer/],
  ],
  "no-event-loop": [
    [
      "a bus that gets its own events",
      (s) => {
        retarget(s, s.ref("aws_cloudwatch_event_bus", "failures-bus"));
      },
      /brings the events of aws_cloudwatch_event_bus\.failures-bus\S+ back to it/,
    ],
    [
      "the default bus that gets its own events",
      (s) => (s.the(target, "daily").arn = "arn:aws:events:eu-west-1:1:event-bus/default"),
      /brings the events of default back to it/,
    ],
    [
      "a queue that is its own dead letters",
      (s) => {
        redrive(s, "standard-lane_retry", { deadLetterTargetArn: s.ref(queue, "standard-lane"), maxReceiveCount: 5 });
      },
      /is its own dead-letter queue/,
    ],
    [
      "a function that gets its own failures",
      (s) =>
        (s.the(invokeConfig, "priority").destination_config = { on_failure: { destination: s.ref(fn, "priority") } }),
      /sends what its function leaves back to it, by on_failure/,
    ],
  ],
  "function-failure-destination": [
    [
      "no configuration",
      (s) => {
        s.remove(invokeConfig, "priority");
      },
      /priority\S+ has no aws_lambda_function_event_invoke_config/,
    ],
    [
      "no destination",
      (s) => delete s.the(invokeConfig, "priority").destination_config,
      /has no destination of its failures/,
    ],
    ["no limit", (s) => delete s.the(invokeConfig, "priority").maximum_retry_attempts, /has no maximum_retry_attempts/],
    [
      "a destination that the role may not write to",
      (s) =>
        (s.statement("priority-lane_function_permissions", "ReportFailures").actions = ["events:DescribeEventBus"]),
      /has a role without events:PutEvents on aws_cloudwatch_event_bus/,
    ],
  ],
  "queue-redrive": [
    [
      "no dead letters",
      (s) => {
        addQueue(s, { redrive_policy: undefined });
      },
      /aws_sqs_queue\.added has no redrive_policy, and is no dead-letter queue/,
    ],
    [
      "dead letters that go first",
      (s) => (s.the(queue, "dead-letters").message_retention_seconds = 60),
      /keeps a message longer than its dead-letter queue aws_sqs_queue\.dead-letters/,
    ],
    [
      "no count",
      (s) => {
        redrive(s, "standard-lane_retry", { deadLetterTargetArn: s.ref(queue, "dead-letters") });
      },
      /has a redrive_policy without maxReceiveCount/,
    ],
  ],
  "queue-consumed-safely": [
    [
      "whole batches that fail",
      (s) => delete s.the(mapping, "standard").function_response_types,
      /does not have ReportBatchItemFailures/,
    ],
    [
      "a short visibility timeout",
      (s) => (s.the(queue, "standard-lane_retry").visibility_timeout_seconds = 179),
      /whose visibility timeout of 179 s is below 180 s/,
    ],
    [
      "the default visibility timeout",
      (s) => delete s.the(queue, "standard-lane_retry").visibility_timeout_seconds,
      /whose visibility timeout of 30 s is below 180 s/,
    ],
    [
      "no dead letters",
      (s) => delete s.the(queue, "standard-lane_retry").redrive_policy,
      /reads aws_sqs_queue\.standard\S+, which has no redrive_policy/,
    ],
    [
      "a role that may not read it",
      (s) => (s.statement("standard-lane_function_permissions", "ConsumeRetries").actions = ["sqs:ReceiveMessage"]),
      /has a function whose role may not do sqs:ReceiveMessage, sqs:DeleteMessage/,
    ],
    [
      "a stream without a destination",
      (s) => {
        s.add(mapping, {
          event_source_arn: s.ref("aws_dynamodb_table", "", "stream_arn"),
          starting_position: "LATEST",
          maximum_retry_attempts: 3,
          function_response_types: ["ReportBatchItemFailures"],
        });
      },
      /added has no destination of its failures/,
    ],
    [
      "a stream without a bound",
      (s) => {
        s.add(mapping, {
          event_source_arn: s.ref("aws_dynamodb_table", "", "stream_arn"),
          starting_position: "LATEST",
          maximum_retry_attempts: -1,
          destination_config: { on_failure: { destination_arn: s.ref(queue, "dead-letters") } },
          function_response_types: ["ReportBatchItemFailures"],
        });
      },
      /added tries a bad record until it expires/,
    ],
  ],
  "rule-triggers": [
    ["nothing to match", (s) => delete s.the(rule, "email-rule").event_pattern, /has no event_pattern and no schedule/],
    ["no JSON", (s) => (s.the(rule, "email-rule").event_pattern = "{"), /has an event_pattern that is no JSON object/],
    ["an empty pattern", (s) => (s.the(rule, "email-rule").event_pattern = "{}"), /has an event_pattern that is empty/],
    [
      "a text in place of a list",
      (s) => (s.the(rule, "email-rule").event_pattern = '{"source":["a"],"detail":{"priority":"high"}}'),
      /has no list of values at detail\.priority/,
    ],
    [
      "an empty list",
      (s) => (s.the(rule, "email-rule").event_pattern = '{"source":[]}'),
      /has no list of values at source/,
    ],
    [
      "a schedule on another bus",
      (s) => (s.the(rule, "daily").event_bus_name = s.ref("aws_cloudwatch_event_bus", "event-bus", "name")),
      /has a schedule on aws_cloudwatch_event_bus/,
    ],
    [
      "no target",
      (s) => {
        s.remove(target, "daily");
      },
      /daily-report\S+ has no target/,
    ],
  ],
  "schedule-parses": [
    [
      "a day too much",
      (s) => (s.the(rule, "daily").schedule_expression = "cron(0 9 31 2 *)"),
      /has a schedule that is wrong/,
    ],
  ],
  "queue-encrypted": [
    ["no encryption", (s) => (s.the(queue, "dead").sqs_managed_sse_enabled = false), /dead\S+ is not encrypted/],
  ],
  "topic-encrypted": [
    ["no key", (s) => delete s.the("aws_sns_topic").kms_master_key_id, /is not encrypted with a key of ours/],
    [
      "AWS's key",
      (s) => (s.the("aws_sns_topic").kms_master_key_id = "alias/aws/sns"),
      /is not encrypted with a key of ours/,
    ],
  ],
  "key-rotates": [
    ["no rotation", (s) => (s.the("aws_kms_key").enable_key_rotation = false), /is not rotated/],
    [
      "the default policy",
      (s) => {
        s.remove("aws_kms_key_policy");
      },
      /has no policy of its own/,
    ],
  ],
  "tls-only": [
    [
      "a denial of one action",
      (s) => (s.statement("dead-letters_policy", "OnlyOverTls").actions = ["sqs:PurgeQueue"]),
      /aws_sqs_queue\.dead-letters\S+ takes plain HTTP/,
    ],
    [
      "a denial for one role",
      (s) =>
        (s.statement("topic-policy", "OnlyOverTls").principals = [
          { type: "AWS", identifiers: ["${aws_iam_role.x.arn}"] },
        ]),
      /aws_sns_topic\S+ takes plain HTTP/,
    ],
    [
      "a bucket without a policy",
      (s) => {
        addBucket(s, "aws_s3_bucket_policy");
      },
      /aws_s3_bucket\.added takes plain HTTP/,
    ],
    [
      "a denial on the bucket and not on its objects",
      (s) => {
        addBucket(s);
        (s.statements("bucket")[0] as Draft).resources = ["${aws_s3_bucket.added.arn}"];
      },
      /aws_s3_bucket\.added takes plain HTTP/,
    ],
    [
      "mail to a server without TLS",
      (s) => (s.the("aws_sesv2_configuration_set").delivery_options = { tls_policy: "OPTIONAL" }),
      /sends mail without TLS/,
    ],
    [
      "a subscription by HTTP",
      (s) => {
        s.add("aws_sns_topic_subscription", { protocol: "http", endpoint: "http://example.com" });
      },
      /aws_sns_topic_subscription\.added gets its messages by plain HTTP/,
    ],
    [
      "an API destination by HTTP",
      (s) => {
        s.add("aws_cloudwatch_event_api_destination", { invocation_endpoint: "http://example.com" });
      },
      /added is called by plain HTTP/,
    ],
  ],
  "bucket-closed": [
    ...Object.entries({
      aws_s3_bucket_public_access_block: /does not block public access in all four ways/,
      aws_s3_bucket_server_side_encryption_configuration: /is not encrypted with KMS/,
      aws_s3_bucket_versioning: /keeps no old versions/,
      aws_s3_bucket_lifecycle_configuration: /keeps old versions for ever/,
    }).map(([type, says]): Break => [
      `no ${type}`,
      (s) => {
        addBucket(s, type);
      },
      says,
    ]),
    [
      "failed uploads that stay",
      (s) => {
        addBucket(s);
        const [lifecycle] = s.the("aws_s3_bucket_lifecycle_configuration").rule as Draft[];
        delete lifecycle?.abort_incomplete_multipart_upload;
      },
      /keeps the parts of failed uploads for ever/,
    ],
    [
      "one way open",
      (s) => {
        addBucket(s, undefined, { restrict_public_buckets: false });
      },
      /does not block public access in all four ways/,
    ],
    ...(
      [
        ["aws_s3_bucket", { force_destroy: true }, /is emptied to be destroyed/],
        ["aws_s3_bucket", { grant: [{ type: "CanonicalUser" }] }, /has grants in its ACL/],
        ["aws_s3_bucket_acl", { access_control_policy: [{ grant: [{}] }] }, /has grants in its ACL/],
        [
          "aws_s3_bucket_lifecycle_configuration",
          { rule: [{ status: "Enabled", expiration: [{ days: 1 }] }] },
          /lets current versions expire/,
        ],
        [
          "aws_s3_bucket_lifecycle_configuration",
          { rule: [{ status: "Enabled", noncurrent_version_expiration: [{ noncurrent_days: 29 }] }] },
          /lets old versions expire in less than 30 days/,
        ],
      ] as const
    ).map(([type, attributes, says]): Break => [
      `${type} ${JSON.stringify(attributes)}`,
      (s) => {
        addBucket(s);
        const bucket = type === "aws_s3_bucket" ? "shop-prod-files" : "${aws_s3_bucket.added.id}";
        s.add(type, { bucket, ...attributes });
      },
      says,
    ]),
    [
      "a public ACL",
      (s) => {
        addBucket(s);
        s.add("aws_s3_bucket_acl", { bucket: "${aws_s3_bucket.added.id}", acl: "public-read" });
      },
      /has a public ACL/,
    ],
  ],
  "state-locked": [
    [
      "no lock file",
      (s) => {
        s.set("terraform", { backend: { s3: { bucket: "x" } } });
      },
      /terraform\.backend\.s3 does not lock the state/,
    ],
  ],
  "table-encrypted-and-recoverable": [
    [
      "no recovery",
      (s) => delete s.the("aws_dynamodb_table").point_in_time_recovery,
      /is not encrypted, or has no point-in-time recovery/,
    ],
  ],
  "deletion-protected": [
    ["a queue that may go", (s) => delete s.the(queue, "dead").lifecycle, /dead\S+ may be destroyed/],
  ],
  "template-versions": [
    [
      "a template that is changed in place",
      (s) => delete s.the("aws_ses_template").lifecycle,
      /is not created before its old version/,
    ],
  ],
  "log-retention": [
    ["none", (s) => delete s.the("aws_cloudwatch_log_group").retention_in_days, /has no retention/],
    ["for ever", (s) => (s.the("aws_cloudwatch_log_group").retention_in_days = 0), /has no retention/],
    ["a number that is refused", (s) => (s.the("aws_cloudwatch_log_group").retention_in_days = 31), /has no retention/],
  ],
  "function-log-group-first": [
    [
      "no log group",
      (s) => {
        s.remove("aws_cloudwatch_log_group", "priority");
      },
      /priority\S+ has no log group/,
    ],
    [
      "a log group that comes when it likes",
      (s) => {
        Object.assign(s.the(fn, "priority"), { logging_config: undefined, depends_on: [] });
      },
      /does not depend on its log group/,
    ],
    [
      "a log group after the function",
      (s) => (s.the("aws_cloudwatch_log_group", "priority").tags = { for: s.ref(fn, "priority", "version") }),
      /exists before its log group, which refers to it/,
    ],
    [
      "a role that may make log groups",
      (s) =>
        (s.statement("priority-lane_function_permissions", "WriteOwnLogs").actions as string[]).push(
          "logs:CreateLogGroup",
        ),
      /priority\S+ has a role that may create log groups/,
    ],
  ],
  "alarm-has-action": [
    ["no action", (s) => (s.the(alarm).alarm_actions = []), /has no action/],
    ["switched off", (s) => (s.the(alarm).actions_enabled = false), /has no action/],
    [
      "a composite alarm without one",
      (s) => {
        s.add("aws_cloudwatch_composite_alarm", { alarm_name: "shop-prod-all" });
      },
      /aws_cloudwatch_composite_alarm\.added has no action/,
    ],
  ],
  "alarm-missing-data": [
    ["nothing said", (s) => delete s.the(alarm).treat_missing_data, /has no treat_missing_data/],
    ["a word that is refused", (s) => (s.the(alarm).treat_missing_data = "notbreaching"), /has no treat_missing_data/],
  ],
  "alarm-evaluates": [
    ["a period of 45 s", (s) => (s.the(alarm, "daily").period = 45), /has a period of 45 s/],
    [
      "more than a day",
      (s) => (s.the(alarm, "daily").evaluation_periods = 289),
      /looks back over 86700 s, and CloudWatch takes 86400/,
    ],
    [
      "more data points than periods",
      (s) => (s.the(alarm, "daily").datapoints_to_alarm = 2),
      /wants 2 data points of 1/,
    ],
  ],
  "alarm-metric-exists": [
    [
      "a metric that does not exist",
      (s) => {
        alarmOn(s, { metric_name: "InvocationsCount" });
      },
      /is on the metric AWS\/Events InvocationsCount, which does not exist/,
    ],
    [
      "no dimension",
      (s) => {
        alarmOn(s, { dimensions: {} });
      },
      /is on AWS\/Events FailedInvocations by \[\], and AWS does not publish it so/,
    ],
    [
      "a rule that is not in the stack",
      (s) => {
        alarmOn(s, { dimensions: { RuleName: "shop-prod-gone" } });
      },
      /has the dimension RuleName "shop-prod-gone", which names no aws_cloudwatch_event_rule/,
    ],
    [
      "the ARN in place of the name",
      (s) => {
        alarmOn(s, { dimensions: { RuleName: s.ref(rule, "daily") } });
      },
      /has the dimension RuleName "\$\{aws_cloudwatch_event_rule\.\S+\.arn\}", which names no/,
    ],
    [
      "a rule without its bus",
      (s) => {
        alarmOn(s, { dimensions: { RuleName: s.ref(rule, "email-rule", "name") } });
      },
      /has another bus than its rule/,
    ],
    [
      "a namespace that nobody listed",
      (s) => {
        alarmOn(s, { namespace: "AWS/States", metric_name: "ExecutionsFailed" });
      },
      /is on the namespace AWS\/States, whose metrics stacks\/policy\/metrics\.ts does not list/,
    ],
    [
      "a metric of ours that no filter makes",
      (s) => (s.the(alarm, "email-processing-errors").metric_name = "Errrors"),
      /is on shop-prod Errrors, which no metric filter and no function of the stack publishes/,
    ],
    [
      "a metric of ours with a dimension that its filter has not",
      (s) => {
        alarmOn(s, { namespace: "shop-prod", metric_name: "Bounces", dimensions: { service: "x" } });
      },
      /and its metric filter has other dimensions/,
    ],
    [
      "in an expression",
      (s) => {
        const queries = s.the(alarm, "alarm-retries-waiting").metric_query as { metric?: { dimensions: object } }[];
        for (const { metric } of queries.slice(1, 2)) if (metric) metric.dimensions = { QueueName: "gone" };
      },
      /has the dimension QueueName "gone"/,
    ],
  ],
  "dashboard-metric-exists": [
    [
      "a function that is not in the stack",
      (s) =>
        (s.the("aws_cloudwatch_dashboard").dashboard_body = JSON.stringify({
          widgets: [{ properties: { metrics: [["AWS/Lambda", "Errors", "FunctionName", "gone", { stat: "Sum" }]] } }],
        })),
      /has the dimension FunctionName "gone", which names no aws_lambda_function/,
    ],
  ],
  "failures-are-alarmed": [
    ...(
      [
        ["alarm-priority-lambda-errors", /aws_lambda_function\.priority\S+ has no alarm on Errors/],
        ["daily-report-failed", /aws_cloudwatch_event_rule\.\S*daily-report\S+ has no alarm on FailedInvocations/],
        ["daily-report-lost", /daily-report\S+ has no alarm on InvocationsFailedToBeSentToDlq/],
        ["alarm-dead-letters", /aws_sqs_queue\.dead-letters\S+ has no alarm on ApproximateNumberOfMessagesVisible/],
      ] as const
    ).map(([part, says]): Break => [
      `no alarm ${part}`,
      (s) => {
        s.remove(alarm, part);
      },
      says,
    ]),
    [
      "a queue that nobody watches",
      (s) => {
        addQueue(s, {});
      },
      /aws_sqs_queue\.added has no alarm on ApproximateNumberOfMessagesVisible or ApproximateAge/,
    ],
  ],
  "names-carry-stage": [["another stage", (s) => (s.the(queue, "dead").name = "shop-dev-x"), /without "shop-prod-"/]],
  "account-wide-names-carry-region": [
    ["no region", (s) => (s.the("aws_iam_role").name = "shop-prod-role"), /without "eu-west-1"/],
  ],
  tags: [
    [
      "no tags",
      (s) => delete s.provider().default_tags,
      /provider\.aws does not tag with (?:project|stage|managed-by)/,
    ],
    [
      "a blank stage",
      (s) => (s.provider().default_tags = [{ tags: { project: "shop", stage: " ", "managed-by": "cdktf" } }]),
      /does not tag with stage/,
    ],
    ["any account", (s) => delete s.provider().allowed_account_ids, /does not name the one account that it works in/],
    [
      "a character that is refused",
      (s) => (s.the(queue, "dead").tags = { note: "a;b" }),
      /has a tag "note" with a character that AWS refuses/,
    ],
    [
      "a long value",
      (s) => (s.the(queue, "dead").tags = { note: "a".repeat(257) }),
      /has a tag "note" that is too long/,
    ],
    ["AWS's prefix", (s) => (s.the(queue, "dead").tags = { "aws:x": "a" }), /whose prefix is AWS's own/],
    [
      "more than 50",
      (s) => (s.the(queue, "dead").tags = Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`t${at}`, "a"]))),
      /has 51 tags, and AWS takes 50/,
    ],
  ],
  "names-fit": [
    ["a blank", (s) => (s.the(queue, "dead").name = "shop-prod-dead letters"), /has a character that AWS refuses/],
    ["81 characters", (s) => (s.the(queue, "dead").name = "shop-prod-".padEnd(81, "a")), /has 81 characters/],
  ],
  "environment-fits": [
    ["a long list", (s) => (variables(s).LIST = "a".repeat(4000)), /has \d+ bytes of variables, of 3840/],
  ],
  "input-fits": [
    [
      "a long template",
      (s) => (s.the(target, "daily").input_transformer = { input_template: "a".repeat(8193) }),
      /has an input template of 8193 characters/,
    ],
  ],
  "texts-fit": [
    ["a long description", (s) => (s.the(fn).description = "a".repeat(257)), /has 257 characters of description/],
  ],
  "numbers-fit": [
    ["16 minutes", (s) => (s.the(fn).timeout = 901), /has timeout 901, and AWS takes 1 to 900/],
    [
      "one more try",
      (s) => (s.the(target).retry_policy = { maximum_retry_attempts: 186, maximum_event_age_in_seconds: 86_400 }),
      /has retry_policy\.maximum_retry_attempts 186, and AWS takes 0 to 185/,
    ],
    [
      "a batch without a window",
      (s) => (s.the(mapping).batch_size = 11),
      /has batch_size 11 and no maximum_batching_window_in_seconds/,
    ],
  ],
  "function-says-so": [
    ["no memory", (s) => delete s.the(fn).memory_size, /has no memory_size/],
    ["no time-out", (s) => delete s.the(fn).timeout, /has no timeout/],
    ["plain text", (s) => (s.the(fn).logging_config = { log_format: "Text" }), /does not log JSON/],
  ],
  "runtime-supported": [
    ["Node.js 20", (s) => (s.the(fn).runtime = "nodejs20.x"), /has the runtime nodejs20\.x, which is deprecated/],
    ["none", (s) => delete s.the(fn).runtime, /has the runtime undefined, which is deprecated or unknown/],
  ],
  "policies-fit": [
    [
      "a long list of rules",
      (s) => (s.statement("dead-letters_policy", "RulesMayPark").resources = ["a".repeat(8192)]),
      /aws_sqs_queue\.dead\S+ has up to \d+ bytes of policy, and AWS takes 8192/,
    ],
  ],
  "counts-fit": [
    [
      "a hundred metric filters more",
      (s) => {
        const filter = s.the("aws_cloudwatch_log_metric_filter", "unrouted");
        for (let at = 0; at < 100; at++) s.add("aws_cloudwatch_log_metric_filter", filter, `filter${at}`);
      },
      /aws_cloudwatch_log_group\.\S+ has 101 metric filters, and AWS takes 100/,
    ],
    [
      "ten event destinations more",
      (s) => {
        const type = "aws_sesv2_configuration_set_event_destination";
        for (let at = 0; at < 10; at++) s.add(type, s.the(type), `destination${at}`);
      },
      /has 11 event destinations, and AWS takes 10/,
    ],
  ],
};
