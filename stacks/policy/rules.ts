/** The part of Terraform's JSON that rules read: resource type, then logical id, then attributes. */
export interface SynthesizedStack {
  readonly resource?: Readonly<Record<string, Readonly<Record<string, Attributes>>>>;
  readonly data?: Readonly<Record<string, Readonly<Record<string, Attributes>>>>;
}

type Attributes = Readonly<Record<string, unknown>>;

export interface Rule {
  readonly id: string;
  readonly why: string;
  /** @returns where the rule is broken, in words. */
  readonly check: (stack: SynthesizedStack, namePrefix: string) => readonly string[];
}

export interface Violation {
  readonly rule: string;
  readonly why: string;
  readonly where: string;
}

export const rules: readonly Rule[] = [
  {
    id: "no-wildcard",
    why: "A permission names its actions and its resources; only the streams of an own log group have no names at synth.",
    check: (stack) =>
      all(stack.data, "aws_iam_policy_document").flatMap(([id, document]) =>
        statements(document)
          .filter((statement) => statement.effect !== "Deny")
          .flatMap((statement) => [...strings(statement.actions), ...strings(statement.resources)])
          .filter((text) => text.includes("*") && !/^\$\{aws_cloudwatch_log_group\.[\w-]+\.arn\}:\*$/.test(text))
          .map((text) => `data.aws_iam_policy_document.${id} allows "${text}"`),
      ),
  },
  {
    id: "target-retry-and-dead-letters",
    why: "By default EventBridge drops an event after 24 hours, without a trace.",
    check: (stack) =>
      all(stack.resource, "aws_cloudwatch_event_target").flatMap(([id, target]) =>
        (["retry_policy", "dead_letter_config"] as const)
          .filter((attribute) => target[attribute] === undefined)
          .map((attribute) => `aws_cloudwatch_event_target.${id} has no ${attribute}`),
      ),
  },
  {
    id: "queue-encrypted",
    why: "A parked event holds addresses and content.",
    check: (stack) =>
      missing(
        stack,
        "aws_sqs_queue",
        "is not encrypted",
        (queue) => queue.sqs_managed_sse_enabled === true || queue.kms_master_key_id !== undefined,
      ),
  },
  {
    id: "topic-encrypted",
    why: "Everything at rest is encrypted.",
    check: (stack) =>
      missing(stack, "aws_sns_topic", "is not encrypted", (topic) => topic.kms_master_key_id !== undefined),
  },
  {
    id: "log-retention",
    why: "A log group without retention keeps its logs, and costs, for ever.",
    check: (stack) =>
      missing(
        stack,
        "aws_cloudwatch_log_group",
        "has no retention",
        (group) => typeof group.retention_in_days === "number",
      ),
  },
  {
    id: "alarm-has-action",
    why: "An alarm that tells nobody is decoration.",
    check: (stack) =>
      missing(
        stack,
        "aws_cloudwatch_metric_alarm",
        "has no action",
        (alarm) => strings(alarm.alarm_actions).length > 0,
      ),
  },
  {
    id: "names-carry-stage",
    why: "Two stages live in one account.",
    check: (stack, namePrefix) =>
      Object.entries(nameAttributes).flatMap(([type, attribute]) =>
        missing(stack, type, `has a name without "${namePrefix}"`, (resource) =>
          String(resource[attribute]).includes(namePrefix),
        ),
      ),
  },
];

/** Attribute that holds the physical name. */
const nameAttributes: Readonly<Record<string, string>> = {
  aws_cloudwatch_dashboard: "dashboard_name",
  aws_cloudwatch_event_archive: "name",
  aws_cloudwatch_event_bus: "name",
  aws_cloudwatch_event_rule: "name",
  aws_cloudwatch_log_group: "name",
  aws_cloudwatch_metric_alarm: "alarm_name",
  aws_iam_role: "name",
  aws_kms_alias: "name",
  aws_lambda_function: "function_name",
  aws_ses_template: "name",
  aws_sesv2_configuration_set: "configuration_set_name",
  aws_sns_topic: "name",
  aws_sqs_queue: "name",
};

function all(kind: SynthesizedStack["resource"], type: string): [string, Attributes][] {
  return Object.entries(kind?.[type] ?? {});
}

function missing(
  stack: SynthesizedStack,
  type: string,
  problem: string,
  holds: (resource: Attributes) => boolean,
): string[] {
  return all(stack.resource, type)
    .filter(([, resource]) => !holds(resource))
    .map(([id]) => `${type}.${id} ${problem}`);
}

function statements(document: Attributes): readonly Attributes[] {
  return Array.isArray(document.statement) ? (document.statement as Attributes[]) : [];
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
