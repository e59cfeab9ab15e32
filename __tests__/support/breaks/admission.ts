import { type Break, type Draft, type DraftStack } from "../broken-stacks";

/** Who delivers to whom: schedules, subscriptions, alarms and mappings, as a team might add them. */

const queue = "aws_sqs_queue";
const mapping = "aws_lambda_event_source_mapping";
const account = "123456789012";
const ofAccount = (variable: string, test: string, ...values: string[]) => ({ test, variable, values });

/** A role that a service takes on, with one statement. */
function addRole(stack: DraftStack, service: string, statement: object): void {
  stack.addDocument(
    { actions: ["sts:AssumeRole"], principals: [{ type: "Service", identifiers: [service] }] },
    "trust",
  );
  stack.addDocument(statement, "may");
  stack.add("aws_iam_role", {
    name: "shop-prod-added",
    assume_role_policy: "${data.aws_iam_policy_document.trust.json}",
  });
  stack.add("aws_iam_role_policy", {
    role: "${aws_iam_role.added.id}",
    policy: "${data.aws_iam_policy_document.may.json}",
  });
}

const addedRole = "${aws_iam_role.added.arn}";

/** A schedule that keeps every rule: on a queue, with the dead letters of the stack. */
function addSchedule(stack: DraftStack, change: object = {}, statement: object = {}, service = "scheduler"): void {
  const [arn, dead] = [stack.ref(queue, "standard-lane_retry"), stack.ref(queue, "dead-letters")];
  addRole(stack, `${service}.amazonaws.com`, { actions: ["sqs:sendmessage"], resources: [arn, dead], ...statement });
  stack.add("aws_scheduler_schedule", {
    name: "shop-prod-added",
    target: {
      arn,
      role_arn: addedRole,
      retry_policy: { maximum_retry_attempts: 5, maximum_event_age_in_seconds: 3600 },
      dead_letter_config: { arn: dead },
      ...change,
    },
  });
}

/** A subscription that keeps every rule: a queue that lets the topic in, and so does its dead-letter queue. */
function addSubscription(stack: DraftStack, change: object = {}, letsIn: readonly string[] = ["target", "dead"]): void {
  const topic = stack.ref("aws_sns_topic");
  for (const id of ["target", "dead"]) {
    stack.add(queue, { name: `shop-prod-${id}` }, id);
    stack.add(
      "aws_sqs_queue_policy",
      { queue_url: `\${aws_sqs_queue.${id}.url}`, policy: `\${data.aws_iam_policy_document.${id}.json}` },
      id,
    );
    stack.addDocument(
      {
        actions: ["sqs:SendMessage"],
        resources: [`\${aws_sqs_queue.${id}.arn}`],
        principals: [{ type: "Service", identifiers: ["sns.amazonaws.com"] }],
        condition: [
          ofAccount(
            "aws:SourceArn",
            "ArnEquals",
            letsIn.includes(id) ? topic : `arn:aws:sns:eu-west-1:${account}:other`,
          ),
        ],
      },
      id,
    );
  }
  stack.add("aws_sns_topic_subscription", {
    protocol: "sqs",
    topic_arn: topic,
    endpoint: "${aws_sqs_queue.target.arn}",
    redrive_policy: JSON.stringify({ deadLetterTargetArn: "${aws_sqs_queue.dead.arn}" }),
    ...change,
  });
}

/** Makes the retries' target pass on to a bus, with a role. */
function addBusTarget(stack: DraftStack, arn: string, resources: readonly string[], service = "events"): void {
  Object.assign(stack.the("aws_cloudwatch_event_target", "standard-lane_retry"), { arn, role_arn: addedRole });
  addRole(stack, `${service}.amazonaws.com`, { actions: ["events:PutEvents"], resources });
}

const defaultBus = `arn:aws:events:eu-west-1:${account}:event-bus/default`;

/** Lets the rule of the priority alert invoke an alias of its function. Its permission has this qualifier. */
function addAliasTarget(stack: DraftStack, qualifier: unknown, permitted?: string): void {
  const permission = stack.the("aws_lambda_permission", "priority");
  const name = { name: "live", function_name: permission.function_name, function_version: "$LATEST" };
  stack.add("aws_lambda_alias", name);
  Object.assign(stack.the("aws_cloudwatch_event_target", "priority"), { arn: "${aws_lambda_alias.added.arn}" });
  Object.assign(permission, { qualifier, ...(permitted === undefined ? {} : { function_name: permitted }) });
}

/** Lets the rule of the priority alert invoke the newest version of its function. */
function addVersionTarget(stack: DraftStack, qualifier?: string): void {
  const address = String(stack.the("aws_lambda_permission", "priority").function_name).replace(/\.\w+\}$/, "");
  stack.the("aws_cloudwatch_event_target", "priority").arn = `${address}.qualified_arn}`;
  stack.the("aws_lambda_permission", "priority").qualifier = qualifier && `${address}.${qualifier}}`;
}

/** Lets each alarm invoke the function, too, by a permission for this service. */
function addFunctionAction(stack: DraftStack, principal: string): void {
  const alarm = stack.the("aws_cloudwatch_metric_alarm");
  alarm.alarm_actions = [...(alarm.alarm_actions as unknown[]), stack.ref("aws_lambda_function", "standard")];
  stack.add("aws_lambda_permission", {
    action: "lambda:InvokeFunction",
    function_name: stack.ref("aws_lambda_function", "standard", "function_name"),
    principal,
    source_arn: stack.ref("aws_cloudwatch_metric_alarm"),
  });
}

/** The condition on whom CloudWatch may publish for on the topic of the alarms. */
const alarmsBy =
  (variable: string, test: string, ...values: string[]) =>
  (s: DraftStack): void => {
    s.statement("topic-policy", "AlarmsPublish").condition = [{ test, variable, values }];
  };

/** Puts a stream's failures on the dead-letter queue, and lets the function's role do this there. */
function addStream(stack: DraftStack, actions: readonly string[], listed = false): void {
  const failures = { destination_arn: "${aws_sqs_queue.failures.arn}" };
  stack.add(queue, { name: "shop-prod-failures" }, "failures");
  stack.statements("standard-lane_function_permissions").push({
    actions,
    resources: ["${aws_sqs_queue.failures.arn}"],
  });
  stack.add(mapping, {
    event_source_arn: stack.ref("aws_dynamodb_table", "", "stream_arn"),
    function_name: stack.ref("aws_lambda_function", "standard"),
    starting_position: "LATEST",
    maximum_retry_attempts: 3,
    function_response_types: ["ReportBatchItemFailures"],
    destination_config: listed ? [{ on_failure: [failures] }] : { on_failure: failures },
  });
}

const stranger = { actions: ["ses:SendEmail"], condition: [ofAccount("ses:FromAddress", "StringEquals", "ceo@x.com")] };
const mailsAsStranger = /has a role that may send as ceo@x\.com/;
const strangers = "${data.aws_iam_policy_document.stranger.json}";
const functionRole = (s: DraftStack) => s.the("aws_iam_role", "standard-lane");

/** Lets the role of the standard function send as somebody else, by what the change attaches. */
const letsStranger = (what: string, change: (stack: DraftStack) => void): Break => [
  what,
  (s) => {
    s.addDocument(stranger, "stranger");
    s.add("aws_iam_policy", { name: "shop-prod-x", policy: strangers });
    change(s);
  },
  mailsAsStranger,
];
const addedPolicy = "${aws_iam_policy.added.arn}";

export const admissionBreaks: Readonly<Record<string, readonly Break[]>> = {
  "target-retry-and-dead-letters": [
    [
      "a schedule without a retry policy",
      (s) => {
        addSchedule(s, { retry_policy: undefined });
      },
      /aws_scheduler_schedule\.added has no retry_policy\.maximum_retry/,
    ],
    [
      "a schedule without dead letters",
      (s) => {
        addSchedule(s, { dead_letter_config: undefined });
      },
      /aws_scheduler_schedule\.added has no dead_letter_config/,
    ],
    [
      "a schedule with a single try",
      (s) => {
        addSchedule(s, { retry_policy: [{ maximum_retry_attempts: 0 }] });
      },
      /added has retry_policy\.maximum_retry_attempts 0/,
    ],
  ],
  "target-lets-rule-in": [
    ...[undefined, "other", "${aws_lambda_function.gone.version}"].map((qualifier): Break => [
      `an alias, and the permission of ${String(qualifier)}`,
      (s) => {
        addAliasTarget(s, qualifier);
      },
      /has the target aws_lambda_alias\.added, whose policy does not let/,
    ]),
    [
      "a version, and the permission of the function",
      (s) => {
        addVersionTarget(s);
      },
      /whose policy does not let/,
    ],
    [
      "dead letters elsewhere",
      (s) => (s.the("aws_cloudwatch_event_target", "priority").dead_letter_config = { arn: defaultBus }),
      /has dead letters at arn:\S+, which is not in the stack/,
    ],
    [
      "a schedule without a role",
      (s) => {
        addSchedule(s, { role_arn: undefined });
      },
      /added has no role_arn/,
    ],
    [
      "a function, and the permission of an alias",
      (s) => (s.the("aws_lambda_permission", "priority").qualifier = "live"),
      /whose policy does not let/,
    ],
    [
      "a schedule's role without its target",
      (s) => {
        addSchedule(s, {}, { resources: [s.ref(queue, "dead-letters")] });
      },
      /schedule\.added has the role aws_iam_role\.added, which may not do sqs:SendMessage on aws_sqs_queue\.standard/,
    ],
    [
      "a schedule's role without its dead letters",
      (s) => {
        addSchedule(s, {}, { resources: [s.ref(queue, "standard-lane_retry")] });
      },
      /schedule\.added has the role \S+ which may not do sqs:SendMessage on aws_sqs_queue\.dead-letters/,
    ],
    [
      "a schedule's role for another service",
      (s) => {
        addSchedule(s, {}, {}, "events");
      },
      /schedule\.added has the role \S+ which does not trust scheduler\.amazonaws\.com/,
    ],
    [
      "a schedule's role of elsewhere",
      (s) => {
        addSchedule(s, { role_arn: `arn:aws:iam::${account}:role/other` });
      },
      /schedule\.added has the role arn:\S+other, which is not in the stack/,
    ],
    [
      "a bus by a role that may not put events on it",
      (s) => {
        addBusTarget(s, s.ref("aws_cloudwatch_event_bus", "failures-bus"), [defaultBus]);
      },
      /which may not do events:PutEvents on aws_cloudwatch_event_bus\./,
    ],
    [
      "the default bus by a role for another bus",
      (s) => {
        addBusTarget(s, defaultBus, [s.ref("aws_cloudwatch_event_bus", "failures-bus")]);
      },
      /which may not do events:PutEvents on arn:\S+event-bus\/default/,
    ],
    [
      "a bus by a role for another service",
      (s) => {
        addBusTarget(s, defaultBus, [defaultBus], "lambda");
      },
      /which does not trust events\.amazonaws\.com/,
    ],
    [
      "a permission for rules of another region",
      (s) =>
        (s.the("aws_lambda_permission", "priority").source_arn =
          `arn:aws:events:us-east-1:${account}:rule/shop-prod-event-bus/shop-prod-*`),
      /priority-rule_target\S+ has the target/,
    ],
  ],
  "subscription-lets-topic-in": [
    [
      "no dead letters",
      (s) => {
        addSubscription(s, { redrive_policy: undefined });
      },
      /added has no redrive_policy/,
    ],
    [
      "a queue for another topic",
      (s) => {
        addSubscription(s, {}, ["dead"]);
      },
      /has the target aws_sqs_queue\.target, whose policy does not let aws_sns_topic\./,
    ],
    [
      "dead letters for another topic",
      (s) => {
        addSubscription(s, {}, ["target"]);
      },
      /has dead letters at aws_sqs_queue\.dead, whose policy does not let aws_sns_topic\./,
    ],
    [
      "dead letters of another kind",
      (s) => {
        addSubscription(s);
        s.the("aws_sns_topic").name = "shop-prod-x.fifo";
      },
      /has dead letters at aws_sqs_queue\.dead, which is of another kind than aws_sns_topic/,
    ],
    [
      "a function without a permission",
      (s) => {
        addSubscription(s, { protocol: "lambda", endpoint: s.ref("aws_lambda_function") });
      },
      /has the target aws_lambda_function\.\S+, whose policy does not let aws_sns_topic\./,
    ],
    [
      "a topic of elsewhere",
      (s) => {
        addSubscription(s, { topic_arn: "other" });
      },
      /added has a topic that is not in the stack/,
    ],
  ],
  "alarm-has-action": (
    [
      ["aws:SourceArn", "ArnLike", `arn:aws:cloudwatch:eu-west-1:${account}:alarm:shop-dev-*`],
      ["aws:SourceArn", "ArnLike", `arn:aws:cloudwatch:us-east-1:${account}:alarm:shop-prod-*`],
      ["aws:SourceArn", "ArnLike", `arn:aws:cloudwatch:eu-west-1:999999999999:alarm:shop-prod-*`],
      ["aws:SourceArn", "ArnLike", `arn:aws:events:eu-west-1:${account}:alarm:shop-prod-*`],
      ["aws:SourceArn", "StringEquals", `arn:aws:cloudwatch:eu-west-1:${account}:alarm:shop-prod-*`],
      ["aws:SourceAccount", "StringEquals", "999999999999"],
      ["aws:SourceAccount", "StringNotEquals", account],
    ] as const
  )
    .map(([variable, test, value]): Break => [
      `${test} ${value}`,
      alarmsBy(variable, test, value),
      /which is no topic of the stack that CloudWatch may publish on/,
    ])
    .concat([
      [
        "a function that only an event's rule may invoke",
        (s) => {
          addFunctionAction(s, "events.amazonaws.com");
        },
        /and no function that it may invoke/,
      ],
    ]),
  "queue-consumed-safely": [
    [
      "a role that may not write to the failures",
      (s) => {
        addStream(s, ["sqs:ReceiveMessage"]);
      },
      /added has a function whose role may not do sqs:SendMessage on aws_sqs_queue\.failures/,
    ],
    [
      "the same, in lists of one block",
      (s) => {
        addStream(s, [], true);
      },
      /added has a function whose role may not do sqs:SendMessage/,
    ],
  ],
  "role-mails-as-function": [
    letsStranger("a policy by the role's name", (s) => {
      s.add("aws_iam_role_policy", { role: functionRole(s).name, policy: strangers });
    }),
    letsStranger("an attachment by the role's name", (s) => {
      s.add("aws_iam_role_policy_attachment", { role: functionRole(s).name, policy_arn: addedPolicy });
    }),
    letsStranger("an attachment to several roles", (s) => {
      s.add("aws_iam_policy_attachment", {
        roles: ["x", s.ref("aws_iam_role", "standard-lane", "name")],
        policy_arn: addedPolicy,
      });
    }),
    letsStranger("exclusive attachments", (s) => {
      s.add("aws_iam_role_policy_attachments_exclusive", {
        role_name: functionRole(s).name,
        policy_arns: [addedPolicy],
      });
    }),
    letsStranger("managed_policy_arns", (s) => (functionRole(s).managed_policy_arns = [addedPolicy])),
    letsStranger("inline_policy", (s) => (functionRole(s).inline_policy = [{ name: "x", policy: strangers }])),
    letsStranger("the ARN of a role that has it", (s) => {
      s.add("aws_iam_role", { name: "shop-prod-x" });
      s.add("aws_iam_role_policy", { role: "${aws_iam_role.added.id}", policy: strangers });
      s.the("aws_lambda_function", "standard").role = `arn:aws:iam::${account}:role/any/path/shop-prod-x`;
    }),
    ...["source_policy_documents", "override_policy_documents"].map((name) =>
      letsStranger(name, (s) => {
        s.addData("aws_iam_policy_document", { [name]: [strangers] }, "taking-in");
        s.add("aws_iam_role_policy", {
          role: functionRole(s).name,
          policy: "${data.aws_iam_policy_document.taking-in.json}",
        });
      }),
    ),
    [
      "a role of elsewhere",
      (s) => (s.the("aws_lambda_function", "standard").role = `arn:aws:iam::${account}:role/other`),
      /has the role arn:\S+other, which is not in the stack/,
    ],
  ],
  "policy-as-data": [
    [
      "an inline policy as text",
      (s) => (functionRole(s).inline_policy = [{ name: "x", policy: "${local.p}" }]),
      /has its inline_policy\.policy as text/,
    ],
    [
      "a policy as text in a block that nobody listed",
      (s) => {
        s.add("aws_x", { access: { rules: '{"Statement":[]}' } });
      },
      /aws_x\.added has its access\.rules as text/,
    ],
  ],
  "role-is-passed-narrowly": [
    [
      "in other letters",
      (s) => {
        s.addDocument({ actions: ["IAM:passrole"] });
      },
      /added allows iam:PassRole to any service/,
    ],
  ],
};

/** What an honest team may have: the rules, and a change that keeps them. */
export const admissionsKept: readonly (readonly [what: string, rule: string, change: (stack: DraftStack) => void])[] = [
  [
    "a permission for the rules of the stage",
    "target-lets-rule-in",
    (s) =>
      (s.the("aws_lambda_permission", "priority").source_arn =
        `arn:aws:events:eu-west-1:${account}:rule/shop-prod-event-bus/shop-prod-*`),
  ],
  [
    "a schedule",
    "target-lets-rule-in",
    (s) => {
      addSchedule(s);
    },
  ],
  [
    "a schedule",
    "target-retry-and-dead-letters",
    (s) => {
      addSchedule(s);
    },
  ],
  [
    "a schedule whose role is named by its ARN",
    "target-lets-rule-in",
    (s) => {
      addSchedule(s, { role_arn: `arn:aws:iam::${account}:role/shop-prod-added` });
    },
  ],
  [
    "a schedule of any call of AWS",
    "target-lets-rule-in",
    (s) => {
      addSchedule(s, { arn: "arn:aws:scheduler:::aws-sdk:sesv2:getAccount" });
    },
  ],
  [
    "a subscription",
    "subscription-lets-topic-in",
    (s) => {
      addSubscription(s);
    },
  ],
  [
    "a subscription by e-mail",
    "subscription-lets-topic-in",
    (s) => {
      s.add("aws_sns_topic_subscription", { protocol: "email", endpoint: "a@b.c" });
    },
  ],
  [
    "an alias as the target, with a permission of its own",
    "target-lets-rule-in",
    (s) => {
      addAliasTarget(s, "${aws_lambda_alias.added.name}");
    },
  ],
  ...(["function_name", "arn"] as const).map(
    (attribute) =>
      [
        `an alias as the target, with its ${attribute} in the permission`,
        "target-lets-rule-in",
        (s: DraftStack) => {
          const qualifier = attribute === "arn" ? undefined : "${aws_lambda_alias.added.name}";
          addAliasTarget(s, qualifier, `\${aws_lambda_alias.added.${attribute}}`);
        },
      ] as const,
  ),
  [
    "a version as the target",
    "target-lets-rule-in",
    (s) => {
      addVersionTarget(s, "version");
    },
  ],
  ...(
    [
      ["Bool", "aws:SecureTransport", "true"],
      ["StringEqualsIfExists", "aws:SourceAccount", account],
    ] as const
  ).map(
    ([test, variable, value]) =>
      [`alarms by ${test} ${variable}`, "alarm-has-action", alarmsBy(variable, test, value)] as const,
  ),
  [
    "a function as an alarm's action",
    "alarm-has-action",
    (s) => {
      addFunctionAction(s, "lambda.alarms.cloudwatch.amazonaws.com");
    },
  ],
  [
    "a bus as the target",
    "target-lets-rule-in",
    (s) => {
      addBusTarget(s, s.ref("aws_cloudwatch_event_bus", "failures-bus"), [
        s.ref("aws_cloudwatch_event_bus", "failures-bus"),
      ]);
    },
  ],
  [
    "the default bus as the target",
    "target-lets-rule-in",
    (s) => {
      addBusTarget(s, defaultBus, [defaultBus]);
    },
  ],
  [
    "a stream whose failures are kept",
    "queue-consumed-safely",
    (s) => {
      addStream(s, ["SQS:sendmessage"], true);
    },
  ],
  ...(
    [
      ["aws:SourceAccount", "StringEquals", account],
      ["aws:SourceAccount", "StringEquals", "${data.aws_caller_identity.x.account_id}"],
      ["AWS:sourcearn", "ArnEquals", `arn:aws:cloudwatch:eu-west-1:${account}:alarm:shop-?rod-*`],
      ["aws:SourceArn", "ArnLike", `arn:aws:cloudwatch:*:${account}:alarm:*`],
      ["aws:SourceOrgID", "StringEquals", "o-1"],
    ] as const
  ).map(
    ([variable, test, value]) =>
      [`alarms by ${test} ${value}`, "alarm-has-action", alarmsBy(variable, test, value)] as const,
  ),
  [
    "a role by its name",
    "role-mails-as-function",
    (s) => (s.the("aws_lambda_function", "standard").role = functionRole(s).name),
  ],
  [
    "an inline policy of the stack",
    "policy-as-data",
    (s) => {
      s.addDocument({ actions: ["a"] }, "x");
      functionRole(s).inline_policy = { name: "x", policy: "${data.aws_iam_policy_document.x.json}" };
    },
  ],
  [
    "single blocks as lists of one",
    "target-retry-and-dead-letters",
    (s) => {
      for (const name of ["retry_policy", "dead_letter_config"])
        s.the("aws_cloudwatch_event_target")[name] = [s.the("aws_cloudwatch_event_target")[name] as Draft];
    },
  ],
  ...(
    [
      ["function-failure-destination", "aws_lambda_function_event_invoke_config", "destination_config"],
      ["tls-only", "aws_sesv2_configuration_set", "delivery_options"],
      ["function-says-so", "aws_lambda_function", "logging_config"],
      ["table-encrypted-and-recoverable", "aws_dynamodb_table", "server_side_encryption"],
      ["table-encrypted-and-recoverable", "aws_dynamodb_table", "point_in_time_recovery"],
      ["deletion-protected", "aws_dynamodb_table", "lifecycle"],
    ] as const
  ).map(
    ([rule, type, name]) =>
      [`a list of one ${name}`, rule, (s: DraftStack) => (s.the(type)[name] = [s.the(type)[name]])] as const,
  ),
];
