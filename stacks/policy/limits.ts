import { exampleAccountId } from "../stages";
import { problems } from "./findings";
import { type Finding } from "./rule";
import {
  addressBehind,
  all,
  applied,
  type Attributes,
  block,
  objects,
  statementsBehind,
  type SynthesizedStack,
} from "./synthesized";
import { blocks, jsonOf, numberOf } from "./values";

/**
 * Limits of AWS that a growing catalogue or a long configured text can exceed. Terraform learns of most of them only at
 * the deployment, so the synth checks them.
 */

interface TextLimit {
  readonly type: string;
  /** Names of the blocks that lead to the attribute, and its own name. */
  readonly path: readonly string[];
  readonly characters: number;
}

/** The longest texts, by the API reference of each service. The comments name the operation that sets the limit. */
export const textLimits: readonly TextLimit[] = [
  // EventBridge: PutRule, CreateEventBus, CreateArchive, PutTargets. (The length of an event pattern is a quota:
  // PolicySettings.)
  { type: "aws_cloudwatch_event_rule", path: ["description"], characters: 512 },
  { type: "aws_cloudwatch_event_rule", path: ["schedule_expression"], characters: 256 },
  { type: "aws_cloudwatch_event_bus", path: ["description"], characters: 512 },
  { type: "aws_cloudwatch_event_archive", path: ["description"], characters: 512 },
  { type: "aws_cloudwatch_event_target", path: ["target_id"], characters: 64 },
  // CloudWatch: PutMetricAlarm. CloudWatch Logs: PutMetricFilter.
  { type: "aws_cloudwatch_metric_alarm", path: ["alarm_description"], characters: 1024 },
  { type: "aws_cloudwatch_metric_alarm", path: ["namespace"], characters: 255 },
  { type: "aws_cloudwatch_log_metric_filter", path: ["pattern"], characters: 1024 },
  { type: "aws_cloudwatch_log_metric_filter", path: ["metric_transformation", "namespace"], characters: 255 },
  // Lambda: CreateFunction. IAM: CreateRole. KMS: CreateKey.
  { type: "aws_lambda_function", path: ["description"], characters: 256 },
  { type: "aws_iam_role", path: ["description"], characters: 1000 },
  { type: "aws_kms_key", path: ["description"], characters: 8192 },
];

export function longTexts(stack: SynthesizedStack, eventPatternCharacters: number): Finding[] {
  const pattern = { type: "aws_cloudwatch_event_rule", path: ["event_pattern"], characters: eventPatternCharacters };
  return [...textLimits, pattern].flatMap(({ type, path, characters }) =>
    problems(stack, type, (resource) => {
      const text = path.reduce<unknown>((value, name) => block(value)[name], resource);
      const { length } = applied(stack, textOf(text));
      return length <= characters ? [] : [`has ${length} characters of ${path.join(".")}, and AWS takes ${characters}`];
    }),
  );
}

interface Range {
  readonly type: string;
  readonly path: readonly string[];
  readonly least: number;
  readonly most: number;
}

const range = (type: string, path: string, least: number, most: number): Range => ({
  type,
  path: path.split("."),
  least,
  most,
});

/**
 * The numbers that AWS takes, by the API reference of each service. `__tests__/stacks/policy-limits.integration.test.ts` holds them
 * against AWS's own models.
 */
export const numberRanges: readonly Range[] = [
  range("aws_lambda_function", "timeout", 1, 900),
  range("aws_lambda_function", "memory_size", 128, 10_240),
  range("aws_lambda_function", "ephemeral_storage.size", 512, 10_240),
  range("aws_lambda_function_event_invoke_config", "maximum_retry_attempts", 0, 2),
  range("aws_lambda_function_event_invoke_config", "maximum_event_age_in_seconds", 60, 21_600),
  range("aws_lambda_event_source_mapping", "batch_size", 1, 10_000),
  range("aws_lambda_event_source_mapping", "maximum_batching_window_in_seconds", 0, 300),
  range("aws_lambda_event_source_mapping", "scaling_config.maximum_concurrency", 2, 1000),
  range("aws_cloudwatch_event_target", "retry_policy.maximum_retry_attempts", 0, 185),
  range("aws_cloudwatch_event_target", "retry_policy.maximum_event_age_in_seconds", 60, 86_400),
  // SetQueueAttributes: the model has no ranges of attributes.
  range("aws_sqs_queue", "visibility_timeout_seconds", 0, 43_200),
  range("aws_sqs_queue", "message_retention_seconds", 60, 1_209_600),
  range("aws_sqs_queue", "delay_seconds", 0, 900),
  range("aws_sqs_queue", "receive_wait_time_seconds", 0, 20),
  range("aws_sqs_queue", "max_message_size", 1024, 1_048_576),
  range("aws_kms_key", "deletion_window_in_days", 7, 30),
  range("aws_kms_key", "rotation_period_in_days", 90, 2560),
];

/** A batch of more than 10 messages needs a window in which Lambda gathers them (CreateEventSourceMapping). */
const mostWithoutWindow = 10;

export function numbersOutside(stack: SynthesizedStack): Finding[] {
  const outside = numberRanges.flatMap(({ type, path, least, most }) =>
    problems(stack, type, (resource) => {
      const given = path.reduce<unknown>((each, name) => block(each)[name], resource);
      if (given === undefined || given === null) return [];
      const value = numberOf(given);
      return Number.isInteger(value) && value >= least && value <= most
        ? []
        : [`has ${path.join(".")} ${JSON.stringify(given)}, and AWS takes ${least} to ${most}`];
    }),
  );
  const unwindowed = problems(stack, "aws_lambda_event_source_mapping", (mapping) =>
    addressBehind(mapping.event_source_arn).startsWith("aws_sqs_queue.") &&
    Number(mapping.batch_size ?? mostWithoutWindow) > mostWithoutWindow &&
    Number(mapping.maximum_batching_window_in_seconds ?? 0) < 1
      ? [`has batch_size ${String(mapping.batch_size)} and no maximum_batching_window_in_seconds`]
      : [],
  );
  return [...outside, ...unwindowed];
}

/**
 * The most bytes that all parts of a template have together (https://docs.aws.amazon.com/ses/latest/dg/quotas.html).
 */
const mostTemplateBytes = 500 * 1024;

export function largeTemplates(stack: SynthesizedStack): Finding[] {
  return problems(stack, "aws_ses_template", (template) => {
    const text = ["subject", "html", "text"].map((part) => applied(stack, textOf(template[part]))).join("");
    const bytes = Buffer.byteLength(text);
    return bytes <= mostTemplateBytes ? [] : [`has ${bytes} bytes, and SES takes ${mostTemplateBytes}`];
  });
}

interface PolicyLimit {
  readonly type: string;
  readonly attribute: string;
  /**
   * Attribute that names what the policy is attached to, where the limit is on all policies of it together. @default
   * the limit is on each policy
   */
  readonly holder?: string;
  readonly bytes: number;
}

/**
 * The most bytes of a policy of its own, which is attached to roles or is their boundary
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
 */
export const mostManagedPolicyBytes = 6144;

/**
 * The largest policies, in bytes. The limits come from these pages and operations. IAM (white space does not count):
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html. SQS:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html. SNS:
 * https://docs.aws.amazon.com/general/latest/gr/sns.html. KMS: PutKeyPolicy. EventBridge: "Event bus policy size".
 * CloudWatch Logs: PutResourcePolicy.
 */
const policyLimits: readonly PolicyLimit[] = [
  { type: "aws_iam_role_policy", attribute: "policy", holder: "role", bytes: 10_240 },
  { type: "aws_iam_policy", attribute: "policy", bytes: mostManagedPolicyBytes },
  { type: "aws_iam_role", attribute: "assume_role_policy", bytes: 2048 },
  { type: "aws_sqs_queue", attribute: "policy", bytes: 8192 },
  { type: "aws_sns_topic_policy", attribute: "policy", bytes: 30_720 },
  { type: "aws_kms_key_policy", attribute: "policy", bytes: 32_768 },
  { type: "aws_cloudwatch_event_bus_policy", attribute: "policy", bytes: 10_240 },
  { type: "aws_cloudwatch_log_resource_policy", attribute: "policy_document", bytes: 5120 },
];

/**
 * The largest resource policy of a function (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
 */
const mostResourcePolicyBytes = 20_480;

export function largePolicies(stack: SynthesizedStack): Finding[] {
  const policies = policyLimits.flatMap(({ type, attribute, holder, bytes }) =>
    all(stack.resource, type).map(([id, resource]) => ({
      of: holder === undefined ? `${type}.${id}` : addressBehind(resource[holder]),
      kind: `${type}.${attribute}`,
      size: sizeOfDocument(stack, statementsBehind(stack, resource[attribute])),
      bytes,
    })),
  );
  const permissions = all(stack.resource, "aws_lambda_permission").map(([, permission]) => ({
    of: addressBehind(permission.function_name),
    kind: "aws_lambda_permission",
    size: sizeOfPermission(stack, permission),
    bytes: mostResourcePolicyBytes,
  }));
  // The sizes are added up by address and kind: a role has a trust of its own and the policies that are attached to it,
  // each with its own limit.
  const totals = new Map<string, { readonly address: string; readonly size: number; readonly bytes: number }>();
  for (const { of: address, kind, size, bytes } of [...policies, ...permissions]) {
    const key = `${kind} of ${address}`;
    totals.set(key, { address, size: (totals.get(key)?.size ?? 0) + size, bytes });
  }
  return [...totals.values()]
    .filter(({ size, bytes }) => size > bytes)
    .map(({ address, size, bytes }) => ({
      address,
      problem: `has up to ${size} bytes of policy, and AWS takes ${bytes}`,
    }));
}

function sizeOfDocument(stack: SynthesizedStack, statements: readonly Attributes[]): number {
  return Buffer.byteLength(applied(stack, documentOf(statements)));
}

/** The JSON that Terraform makes of the statements, without white space; it may be a little longer than that. */
export function documentOf(statements: readonly Attributes[]): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: statements.map((statement) => ({
      Sid: statement.sid ?? "",
      Effect: statement.effect ?? "Allow",
      Action: statement.actions,
      Resource: statement.resources,
      Principal: objects(statement.principals).map(({ type, identifiers }) => ({ [String(type)]: identifiers })),
      Condition: objects(statement.condition).map(({ test, variable, values }) => ({
        [String(test)]: { [String(variable)]: values },
      })),
    })),
  });
}

/** Bytes of the statement that Lambda makes of a permission. */
function sizeOfPermission(stack: SynthesizedStack, permission: Attributes): number {
  const statement = {
    Sid: permission.statement_id,
    Effect: "Allow",
    Principal: { Service: permission.principal },
    Action: permission.action,
    Resource: `arn:aws-us-gov:lambda:us-gov-west-1:${exampleAccountId}:function:${String(permission.function_name)}`,
    Condition: { ArnLike: { "AWS:SourceArn": permission.source_arn } },
  };
  return Buffer.byteLength(applied(stack, JSON.stringify(statement)));
}

/**
 * Most metrics in a widget and in a dashboard:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
 */
export const mostMetricsPerWidget = 500;
const mostMetricsPerDashboard = 2500;
/**
 * Most metrics that an alarm can combine:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html
 */
const mostMetricsPerAlarm = 10;
/** Most metric filters of a log group: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html */
const mostFiltersPerGroup = 100;
/** Most event destinations of a configuration set: https://docs.aws.amazon.com/ses/latest/dg/quotas.html */
const mostDestinationsPerSet = 10;
/** Most targets of a rule: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
const mostTargetsPerRule = 5;

export function highCounts(stack: SynthesizedStack, rulesPerBus: number): Finding[] {
  const rulesOf = [
    ...all(stack.resource, "aws_cloudwatch_event_rule").map(
      ([, rule]) => textOf(rule.event_bus_name) || "The bus default",
    ),
    // EventBridge makes a rule on the bus for each archive.
    ...all(stack.resource, "aws_cloudwatch_event_archive").map(([, archive]) => archive.event_source_arn),
  ].map(addressBehind);
  const targetsOf = all(stack.resource, "aws_cloudwatch_event_target").map(([, target]) => addressBehind(target.rule));
  const dashboards = problems(stack, "aws_cloudwatch_dashboard", (dashboard) => {
    const { widgets } = block(jsonOf(dashboard.dashboard_body));
    const counts = objects(widgets).map((widget) => objects(block(widget.properties).metrics).length);
    return [
      ...over("metrics", sum(counts), mostMetricsPerDashboard),
      ...over("metrics in a widget", Math.max(0, ...counts), mostMetricsPerWidget),
    ];
  });
  const filtersOf = all(stack.resource, "aws_cloudwatch_log_metric_filter").map(([, filter]) =>
    addressBehind(filter.log_group_name),
  );
  const destinationsOf = all(stack.resource, "aws_sesv2_configuration_set_event_destination").map(
    ([, { configuration_set_name: set }]) => addressBehind(set),
  );
  const alarms = problems(stack, "aws_cloudwatch_metric_alarm", (alarm) => {
    const metrics = blocks(alarm.metric_query).filter(({ metric }) => metric !== undefined);
    return over("metrics", metrics.length, mostMetricsPerAlarm);
  });
  const counts = [
    ...counted(filtersOf).map(([address, count]) => ({
      address,
      found: over("metric filters", count, mostFiltersPerGroup),
    })),
    ...counted(destinationsOf).map(([address, count]) => ({
      address,
      found: over("event destinations", count, mostDestinationsPerSet),
    })),
    ...counted(rulesOf).map(([address, count]) => ({ address, found: over("rules", count, rulesPerBus) })),
    ...counted(targetsOf).map(([address, count]) => ({ address, found: over("targets", count, mostTargetsPerRule) })),
  ];
  return [
    ...counts.flatMap(({ address, found }) => found.map((problem) => ({ address, problem }))),
    ...dashboards,
    ...alarms,
  ];
}

function over(what: string, count: number, limit: number): string[] {
  return count <= limit ? [] : [`has ${count} ${what}, and AWS takes ${limit}`];
}

function counted(names: readonly string[]): [string, number][] {
  return [...new Set(names)].map((name) => [name, names.filter((each) => each === name).length]);
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
