import { modelOf, type Shape } from "../../packages/aws-emulator/__tests__/support/aws-models";
import { bandComparisons, comparisons, statistics } from "../../stacks/policy/alarm-terms";
import { numberRanges, textLimits } from "../../stacks/policy/limits";
import { nameLimits } from "../../stacks/policy/synthesized";

/**
 * The limits of the policy against AWS's own models of its APIs, which botocore has, and moto brings. A limit that no
 * model has comes from the operation's page; it is listed below with the page.
 */

/** For each of our limits, the service and the shape in its model, or where the limit comes from. */
const shapesOfNames: Readonly<Record<string, readonly [service: string, shape: string] | string>> = {
  aws_cloudwatch_composite_alarm: ["cloudwatch", "AlarmName"],
  aws_cloudwatch_dashboard: "PutDashboard: A-Z, a-z, 0-9, - and _, 255 characters",
  aws_cloudwatch_event_api_destination: ["events", "ApiDestinationName"],
  aws_cloudwatch_event_archive: ["events", "ArchiveName"],
  aws_cloudwatch_event_bus: ["events", "EventBusName"],
  aws_cloudwatch_event_connection: ["events", "ConnectionName"],
  aws_cloudwatch_event_rule: ["events", "RuleName"],
  aws_cloudwatch_log_group: ["logs", "LogGroupName"],
  aws_cloudwatch_log_metric_filter: ["logs", "FilterName"],
  aws_cloudwatch_log_resource_policy: "no page gives a limit; 512 is that of the other names of CloudWatch Logs",
  aws_cloudwatch_metric_alarm: ["cloudwatch", "AlarmName"],
  aws_dynamodb_table: ["dynamodb", "TableName"],
  aws_iam_group: ["iam", "groupNameType"],
  aws_iam_instance_profile: ["iam", "instanceProfileNameType"],
  aws_iam_policy: ["iam", "policyNameType"],
  aws_iam_role: ["iam", "roleNameType"],
  aws_iam_role_policy: ["iam", "policyNameType"],
  aws_iam_user: ["iam", "userNameType"],
  aws_kms_alias: ["kms", "AliasNameType"],
  aws_lambda_function: "CreateFunction: 64 characters; the model's shape is also that of a whole ARN",
  aws_lambda_permission: ["lambda", "StatementId"],
  aws_scheduler_schedule: ["scheduler", "Name"],
  aws_ses_template: "CreateTemplate: letters, digits, _ and -, 64 characters",
  aws_sesv2_configuration_set: "CreateConfigurationSet: letters, digits, _ and -, 64 characters",
  aws_sesv2_configuration_set_event_destination:
    "CreateConfigurationSetEventDestination: letters, digits, _ and -, 64 characters",
  aws_sesv2_contact_list: "CreateContactList: letters, digits, _ and -, 64 characters",
  aws_sns_topic: "CreateTopic: letters, digits, _ and -, 256 characters, .fifo at the end",
  aws_sqs_queue: "CreateQueue: letters, digits, _ and -, 80 characters, .fifo at the end",
};

const shapesOfTexts: Readonly<Record<string, readonly [service: string, shape: string]>> = {
  "aws_cloudwatch_event_rule.description": ["events", "RuleDescription"],
  "aws_cloudwatch_event_rule.schedule_expression": ["events", "ScheduleExpression"],
  "aws_cloudwatch_event_bus.description": ["events", "EventBusDescription"],
  "aws_cloudwatch_event_archive.description": ["events", "ArchiveDescription"],
  "aws_cloudwatch_event_target.target_id": ["events", "TargetId"],
  "aws_cloudwatch_metric_alarm.alarm_description": ["cloudwatch", "AlarmDescription"],
  "aws_cloudwatch_metric_alarm.namespace": ["cloudwatch", "Namespace"],
  "aws_cloudwatch_log_metric_filter.pattern": ["logs", "FilterPattern"],
  "aws_cloudwatch_log_metric_filter.metric_transformation.namespace": ["logs", "MetricNamespace"],
  "aws_lambda_function.description": ["lambda", "Description"],
  "aws_iam_role.description": ["iam", "roleDescriptionType"],
  "aws_kms_key.description": ["kms", "DescriptionType"],
};

const shapesOfNumbers: Readonly<Record<string, readonly [service: string, shape: string] | string>> = {
  "aws_lambda_function.timeout": "CreateFunction: at most 900; the model has the least only",
  "aws_lambda_function.memory_size": "CreateFunction: 128 to 10240; the model's 32768 is that of managed instances",
  "aws_lambda_function.ephemeral_storage.size": ["lambda", "EphemeralStorageSize"],
  "aws_lambda_function_event_invoke_config.maximum_retry_attempts": ["lambda", "MaximumRetryAttempts"],
  "aws_lambda_function_event_invoke_config.maximum_event_age_in_seconds": ["lambda", "MaximumEventAgeInSeconds"],
  "aws_lambda_event_source_mapping.batch_size": ["lambda", "BatchSize"],
  "aws_lambda_event_source_mapping.maximum_batching_window_in_seconds": ["lambda", "MaximumBatchingWindowInSeconds"],
  "aws_lambda_event_source_mapping.scaling_config.maximum_concurrency": ["lambda", "MaximumConcurrency"],
  "aws_cloudwatch_event_target.retry_policy.maximum_retry_attempts": ["events", "MaximumRetryAttempts"],
  "aws_cloudwatch_event_target.retry_policy.maximum_event_age_in_seconds": ["events", "MaximumEventAgeInSeconds"],
  "aws_sqs_queue.visibility_timeout_seconds": "SetQueueAttributes: 0 to 43200",
  "aws_sqs_queue.message_retention_seconds": "SetQueueAttributes: 60 to 1209600",
  "aws_sqs_queue.delay_seconds": "SetQueueAttributes: 0 to 900",
  "aws_sqs_queue.receive_wait_time_seconds": "SetQueueAttributes: 0 to 20",
  "aws_sqs_queue.max_message_size": "SetQueueAttributes: 1024 to 1048576",
  "aws_kms_key.deletion_window_in_days": "ScheduleKeyDeletion: 7 to 30; the model's shape is wider",
  "aws_kms_key.rotation_period_in_days": ["kms", "RotationPeriodInDaysType"],
};

function shapeOf([service, name]: readonly [service: string, shape: string]): Shape {
  const shape = modelOf(service).shapes[name];
  if (shape === undefined) throw new Error(`The model of ${service} has no ${name}`);
  return shape;
}

const modelled = <Of>(entries: readonly (readonly [Of, readonly [string, string] | string | undefined])[]) =>
  entries.flatMap(([each, source]) =>
    source === undefined || typeof source === "string" ? [] : [[each, source] as const],
  );

/** Every printable character of ASCII, and some letters and signs beyond. */
const characters = [...Array.from({ length: 95 }, (_, at) => String.fromCharCode(0x20 + at)), "é", "ß", "–", "\t"];

it("knows where each limit comes from", () => {
  expect(Object.keys(shapesOfNames).sort()).toEqual(Object.keys(nameLimits).sort());
  expect(Object.keys(shapesOfTexts).sort()).toEqual(
    textLimits.map(({ type, path }) => [type, ...path].join(".")).sort(),
  );
  expect(Object.keys(shapesOfNumbers).sort()).toEqual(
    numberRanges.map(({ type, path }) => [type, ...path].join(".")).sort(),
  );
});

it.each(modelled(Object.entries(shapesOfNames)))("%s takes the names that AWS takes", (type, source) => {
  const { max, pattern } = shapeOf(source);
  const limit = nameLimits[type];
  expect(limit?.most).toBe(max);
  const takenBy = (regex: RegExp | undefined) =>
    characters.filter((character) => regex === undefined || regex.test(`a${character}a`));
  expect(takenBy(limit?.pattern)).toEqual(takenBy(pattern === undefined ? undefined : new RegExp(`^(?:${pattern})$`)));
});

it.each(textLimits.map((limit) => [[limit.type, ...limit.path].join("."), limit] as const))(
  "%s has as many characters as AWS takes",
  (path, { characters: most }) => {
    expect(most).toBe(shapeOf(shapesOfTexts[path] ?? ["", ""]).max);
  },
);

it.each(
  modelled(numberRanges.map((range) => [range, shapesOfNumbers[[range.type, ...range.path].join(".")]] as const)),
)("%j is the range that AWS takes", ({ least, most }, source) => {
  const { min, max } = shapeOf(source);
  expect([least, most]).toEqual([min, max]);
});

it.each([
  ["ComparisonOperator", [...comparisons, ...bandComparisons]],
  ["Statistic", statistics],
])("an alarm has each %s that CloudWatch knows", (shape, words) => {
  expect([...words].sort()).toEqual([...(shapeOf(["cloudwatch", shape]).enum ?? [])].sort());
});
