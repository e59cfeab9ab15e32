import { type Break, type Draft, type DraftStack } from "../broken-stacks";

const queue = "aws_sqs_queue";
const fn = "aws_lambda_function";
const target = "aws_cloudwatch_event_target";

/** Sends the retries' dead letters to this queue. */
function redrive(stack: DraftStack, deadLetterTargetArn: string, maxReceiveCount: unknown = 3): void {
  stack.the(queue, "standard-lane_retry").redrive_policy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount });
}

/** Puts a value at the end of a path of blocks. */
const set =
  (type: string, path: string, value: unknown) =>
  (stack: DraftStack): void => {
    const names = path.split(".");
    const last = names.pop() ?? "";
    names.reduce<Draft>((each, name) => (each[name] ??= {}) as Draft, stack.the(type))[last] = value;
  };

const added = "${aws_sqs_queue.added.arn}";

export const deliveryBreaks: Readonly<Record<string, readonly Break[]>> = {
  "target-retry-and-dead-letters": [
    [
      "a single try",
      set(target, "retry_policy.maximum_retry_attempts", 0),
      /has retry_policy\.maximum_retry_attempts 0/,
    ],
    [
      "no time",
      set(target, "retry_policy.maximum_event_age_in_seconds", 0),
      /has retry_policy\.maximum_event_age_\w+ 0/,
    ],
    [
      "an expression",
      set(target, "retry_policy.maximum_retry_attempts", "${local.x}"),
      /has retry_policy\.maximum_retry_attempts "\$\{local\.x\}"/,
    ],
    ["a FIFO queue", set(queue, "fifo_queue", true), /has a FIFO queue for its dead letters/],
  ],
  "function-failure-destination": [
    [
      "a queue of another stack",
      (s) => {
        const config = s.the("aws_lambda_function_event_invoke_config");
        config.destination_config = { on_failure: { destination: "arn:aws:sqs:eu-west-1:123456789012:x" } };
      },
      /has arn:\S+:x as the destination of its failures, which the stack does not have/,
    ],
    [
      "a FIFO queue",
      (s) => {
        s.add(queue, { name: "shop-prod-x.fifo", fifo_queue: true });
        s.the("aws_lambda_function_event_invoke_config").destination_config = { on_failure: { destination: added } };
      },
      /has a FIFO queue or topic as the destination of its failures/,
    ],
  ],
  "queue-redrive": [
    [
      "a queue of another stack",
      (s) => {
        redrive(s, "arn:aws:sqs:eu-west-1:123456789012:x");
      },
      /has the dead-letter queue arn:\S+:x, which is not in the stack/,
    ],
    [
      "a queue of another kind",
      (s) => {
        s.add(queue, { ...s.the(queue, "dead"), name: "shop-prod-x.fifo", fifo_queue: true });
        redrive(s, added);
      },
      /has the dead-letter queue aws_sqs_queue\.added, which is of another kind/,
    ],
    ...[
      { redrivePermission: "denyAll" },
      { redrivePermission: "byQueue", sourceQueueArns: ["${aws_sqs_queue.x.arn}"] },
    ].map((policy): Break => [
      `a queue with ${policy.redrivePermission}`,
      (s) => (s.the(queue, "dead").redrive_allow_policy = JSON.stringify(policy)),
      /retry-queue\S+ has the dead-letter queue \S+, whose redrive_allow_policy refuses it/,
    ]),
    ...[0, 1001, 1.5, "${local.x}"].map((count): Break => [
      `maxReceiveCount ${count}`,
      (s) => {
        redrive(s, s.ref(queue, "dead"), count);
      },
      /has a redrive_policy without maxReceiveCount of 1 to 1000/,
    ]),
    [
      "a policy apart from its queue",
      (s) => {
        s.add("aws_sqs_queue_redrive_policy", { queue_url: s.ref(queue, "dead", "url") });
      },
      /aws_sqs_queue_redrive_policy\.added is apart from its queue/,
    ],
  ],
  "no-event-loop": [
    [
      "two queues that are one another's dead letters",
      (s) => {
        const policy = { deadLetterTargetArn: s.ref(queue, "standard-lane_retry"), maxReceiveCount: 3 };
        s.add(queue, { ...s.the(queue, "dead"), redrive_policy: JSON.stringify(policy) });
        redrive(s, added);
      },
      /aws_sqs_queue\.added is its own dead-letter queue/,
    ],
  ],
  "switched-on": [
    ...(
      [
        ["aws_cloudwatch_event_rule", "state", "DISABLED"],
        ["aws_cloudwatch_event_rule", "state", "${local.x}"],
        ["aws_cloudwatch_event_rule", "is_enabled", false],
        ["aws_lambda_event_source_mapping", "enabled", false],
        ["aws_kms_key", "is_enabled", false],
        ["aws_sesv2_configuration_set", "sending_options.sending_enabled", false],
        ["aws_sesv2_configuration_set_event_destination", "event_destination.enabled", undefined],
      ] as const
    ).map(([type, path, value]): Break => [
      `${type} with ${path} ${String(value)}`,
      set(type, path, value),
      new RegExp(`${type}\\.\\S+ is switched off: ${path.replace(".", "\\.")} is `),
    ]),
    [
      "a schedule",
      (s) => {
        s.add("aws_scheduler_schedule", { state: "DISABLED" });
      },
      /added is switched off: state is/,
    ],
    ["no room to run", set(fn, "reserved_concurrent_executions", 0), /never runs: reserved_concurrent_executions is 0/],
    ["an expression", set(fn, "reserved_concurrent_executions", "${local.x}"), /never runs: \S+ is "\$\{local\.x\}"/],
  ],
  "archive-expires": [undefined, 0, "0", "${var.days}"].map((days) => [
    String(days),
    set("aws_cloudwatch_event_archive", "retention_days", days),
    /keeps its events for ever/,
  ]),
  "numbers-fit": [
    ["a text", set(fn, "timeout", "901"), /has timeout "901", and AWS takes 1 to 900/],
    ["an expression", set(fn, "timeout", "${local.x}"), /has timeout "\$\{local\.x\}", and AWS takes 1 to 900/],
    [
      "half a second",
      set(queue, "visibility_timeout_seconds", 0.5),
      /has visibility_timeout_seconds 0\.5, and AWS takes/,
    ],
  ],
  "names-carry-stage": [
    ["no name", (s) => delete s.the(queue, "dead").name, /dead\S+ has no name, so that Terraform makes one up/],
    [
      "the beginning of a name",
      (s) => {
        s.add("aws_iam_role", { name_prefix: "shop-prod-" });
      },
      /aws_iam_role\.added has no name, so that Terraform makes one up/,
    ],
  ],
  // Terraform takes a block that may not be repeated as a list of one, too.
  "texts-fit": [
    [
      "in a list of one block",
      set("aws_cloudwatch_log_metric_filter", "metric_transformation", [{ namespace: "a".repeat(256) }]),
      /has 256 characters of metric_transformation\.namespace/,
    ],
  ],
  "environment-fits": [
    ["in a list of one block", set(fn, "environment", [{ variables: { X: "y".repeat(5000) } }]), /bytes of variables/],
  ],
  "input-fits": [
    [
      "in a list of one block",
      set(target, "input_transformer", [{ input_template: "y".repeat(8193) }]),
      /has an input template of 8193 characters/,
    ],
  ],
};
