import { scheduleProblem } from "../schedule-expression";

/** The part of Terraform's JSON that rules read: resource type, then logical id, then attributes. */
export interface SynthesizedStack {
  readonly provider?: Readonly<Record<string, readonly Attributes[]>>;
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
    why: "A permission names its actions, resources and principals; only the streams of an own log group have no names at synth (docs/decisions/0004).",
    check: (stack) =>
      all(stack.data, "aws_iam_policy_document").flatMap(([id, document]) =>
        objects(document.statement)
          .filter((statement) => statement.effect !== "Deny")
          .flatMap((statement) => [...wildcards(statement), ...exclusions(statement)])
          .map((problem) => `data.aws_iam_policy_document.${id} allows ${problem}`),
      ),
  },
  {
    id: "policy-as-data",
    why: "A policy in a text can't be read by these rules: write it as an aws_iam_policy_document.",
    check: (stack) =>
      Object.entries(stack.resource ?? {}).flatMap(([type, resources]) =>
        Object.entries(resources).flatMap(([id, attributes]) =>
          ["policy", "policy_document", "assume_role_policy", "inline_policy"]
            .filter((name) => attributes[name] !== undefined && !isReference(attributes[name]))
            .map((name) => `${type}.${id} has its ${name} as text`),
        ),
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
    id: "table-encrypted-and-recoverable",
    why: "Everything at rest is encrypted; and a lost claim is a second mail.",
    check: (stack) =>
      missing(
        stack,
        "aws_dynamodb_table",
        "is not encrypted, or has no point-in-time recovery",
        (table) => isEnabled(table.server_side_encryption) && isEnabled(table.point_in_time_recovery),
      ),
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
    id: "environment-fits",
    why: "Lambda takes 4 KB of environment variables, and tells only at the deployment: name fewer or shorter addresses in EMAIL_RECIPIENT, for example a distribution list.",
    check: (stack) =>
      all(stack.resource, "aws_lambda_function")
        .map(([id, fn]) => [id, bytesOf(variablesOf(fn))] as const)
        .filter(([, bytes]) => bytes > mostEnvironmentBytes)
        .map(([id, bytes]) => `aws_lambda_function.${id} has ${bytes} bytes of variables, of ${mostEnvironmentBytes}`),
  },
  {
    id: "input-fits",
    why: "EventBridge takes 8192 characters of an input template, and tells only at the deployment: name fewer or shorter addresses in EMAIL_RECIPIENT, for example a distribution list.",
    check: (stack) =>
      all(stack.resource, "aws_cloudwatch_event_target")
        .map(([id, target]) => [id, templateOf(target).length] as const)
        .filter(([, length]) => length > 8192)
        .map(([id, length]) => `aws_cloudwatch_event_target.${id} has an input template of ${length} characters`),
  },
  {
    id: "names-carry-stage",
    why: "Two stages live in one account.",
    check: (stack, namePrefix) =>
      names(stack)
        .filter(({ name }) => !name.includes(namePrefix))
        .map(({ where, name }) => `${where} has the name "${name}" without "${namePrefix}"`),
  },
  {
    id: "account-wide-names-carry-region",
    why: "An account has them once in all of its regions, and a stage may live in several: one would take the other's.",
    check: (stack) => {
      const region = stack.provider?.aws?.[0]?.region;
      if (typeof region !== "string") return [];
      return names(stack, accountWide)
        .filter(({ name }) => !name.includes(region))
        .map(({ where, name }) => `${where} has the name "${name}" without "${region}"`);
    },
  },
  {
    id: "schedule-parses",
    why: "EventBridge tells only at the deployment.",
    check: (stack) =>
      all(stack.resource, "aws_cloudwatch_event_rule").flatMap(([id, { schedule_expression: expression }]) => {
        const problem = typeof expression === "string" ? scheduleProblem(expression) : undefined;
        return problem === undefined
          ? []
          : [`aws_cloudwatch_event_rule.${id} has a schedule that is wrong: ${problem}`];
      }),
  },
  {
    id: "names-fit",
    why: "AWS refuses a longer name, and Terraform tells only at the plan: shorten PROJECT_NAME.",
    check: (stack) =>
      names(stack)
        .filter(({ name, limit }) => name.length > limit)
        .map(({ where, name, limit }) => `${where} has ${name.length} characters, and AWS takes ${limit}: "${name}"`),
  },
];

/**
 * Of Lambda's 4 KB (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html), what is counted here: two of
 * the values are expressions, which Terraform replaces by the claims' name and the dead-letter queue's address.
 */
const mostEnvironmentBytes = 4096 - 256;

function variablesOf({ environment }: Attributes): Attributes {
  const { variables } = typeof environment === "object" && environment !== null ? (environment as Attributes) : {};
  return typeof variables === "object" && variables !== null ? (variables as Attributes) : {};
}

const bytesOf = (variables: Attributes): number =>
  Object.entries(variables).reduce((sum, [name, value]) => sum + Buffer.byteLength(name + String(value)), 0);

function templateOf({ input_transformer: transformer }: Attributes): string {
  const { input_template: template } =
    typeof transformer === "object" && transformer !== null ? (transformer as Attributes) : {};
  return typeof template === "string" ? template : "";
}

/** Attribute that holds the physical name, and its longest length by the API reference of each service. */
const nameAttributes: Readonly<Record<string, readonly [attribute: string, limit: number]>> = {
  aws_cloudwatch_dashboard: ["dashboard_name", 255],
  aws_cloudwatch_event_archive: ["name", 48],
  aws_cloudwatch_event_bus: ["name", 256],
  aws_cloudwatch_event_rule: ["name", 64],
  aws_cloudwatch_log_group: ["name", 512],
  aws_cloudwatch_log_resource_policy: ["policy_name", 512],
  aws_cloudwatch_metric_alarm: ["alarm_name", 255],
  aws_dynamodb_table: ["name", 255],
  aws_iam_group: ["name", 128],
  aws_iam_instance_profile: ["name", 128],
  aws_iam_policy: ["name", 128],
  aws_iam_role: ["name", 64],
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

/** What has no region: all of IAM, and dashboards ("global, not region-specific": API_PutDashboard). */
const accountWide = (type: string) => type.startsWith("aws_iam_") || type === "aws_cloudwatch_dashboard";

function names(
  stack: SynthesizedStack,
  hasName: (type: string) => boolean = () => true,
): { where: string; name: string; limit: number }[] {
  const known = Object.entries(nameAttributes).filter(([type]) => hasName(type));
  return known.flatMap(([type, [attribute, limit]]) =>
    all(stack.resource, type).flatMap(([id, resource]) => {
      const name = resource[attribute];
      // What refers to another resource's name is that resource's matter.
      return typeof name === "string" && !isReference(name) ? [{ where: `${type}.${id}`, name, limit }] : [];
    }),
  );
}

/** `*` and `?` are IAM's wildcards in a resource; an action and a principal know `*`. */
function wildcards(statement: Attributes): string[] {
  const principals = objects(statement.principals).flatMap((principal) => [
    String(principal.type),
    ...strings(principal.identifiers),
  ]);
  return [...strings(statement.actions), ...strings(statement.resources), ...principals]
    .filter((text) => /[*?]/.test(text.replace(/\$\{[^}]*\}/g, "")))
    .filter((text) => !/^\$\{aws_cloudwatch_log_group\.[\w-]+\.arn\}:\*$/.test(text))
    .map((text) => `"${text}"`);
}

/** Everything but what is named is a wildcard, too. */
function exclusions(statement: Attributes): string[] {
  return ["not_actions", "not_resources", "not_principals"].filter((name) => statement[name] !== undefined);
}

function isReference(value: unknown): boolean {
  return typeof value === "string" && /^\$\{(data\.)?aws_[^}]*\}$/.test(value);
}

function isEnabled(block: unknown): boolean {
  return typeof block === "object" && block !== null && "enabled" in block && block.enabled === true;
}

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

function objects(value: unknown): readonly Attributes[] {
  return Array.isArray(value) ? (value as Attributes[]) : [];
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
