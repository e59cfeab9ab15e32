/** The part of Terraform's JSON that the rules read: resource type, then logical id, then attributes. */
export interface SynthesizedStack {
  readonly provider?: Readonly<Record<string, readonly Attributes[]>>;
  readonly resource?: Readonly<Record<string, Readonly<Record<string, Attributes>>>>;
  readonly data?: Readonly<Record<string, Readonly<Record<string, Attributes>>>>;
}

export type Attributes = Readonly<Record<string, unknown>>;

export function all(kind: SynthesizedStack["resource"], type: string): [string, Attributes][] {
  return Object.entries(kind?.[type] ?? {});
}

export function objects(value: unknown): readonly Attributes[] {
  return Array.isArray(value) ? (value as Attributes[]) : [];
}

export function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

export function block(value: unknown): Attributes {
  return typeof value === "object" && value !== null ? (value as Attributes) : {};
}

export function isReference(value: unknown): boolean {
  return typeof value === "string" && /^\$\{(data\.)?aws_[^}]*\}$/.test(value);
}

/**
 * Terraform's address of what an expression refers to, for example `aws_sqs_queue.<id>` for `${aws_sqs_queue.<id>.arn}`.
 * @returns the text itself where it is no expression of this form.
 */
export function addressBehind(expression: unknown): string {
  const text = String(expression);
  return /^\$\{((?:data\.)?[a-z0-9_]+\.[\w-]+)\.\w+\}$/.exec(text)?.[1] ?? text;
}

/** The statements of the policy document that `${data.aws_iam_policy_document.<id>.json}` refers to. */
export function statementsBehind(stack: SynthesizedStack, reference: unknown): readonly Attributes[] {
  const id = /^\$\{data\.aws_iam_policy_document\.([\w-]+)\.json\}$/.exec(String(reference))?.[1] ?? "";
  return objects(stack.data?.aws_iam_policy_document?.[id]?.statement);
}

/**
 * For each type, the attribute that holds the physical name, and the most characters that its service's API reference
 * allows.
 */
export const nameAttributes: Readonly<Record<string, readonly [attribute: string, limit: number]>> = {
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

/**
 * The text as Terraform would write it, with a placeholder for each expression. The placeholder is at least as long as
 * the value, because the longest account id, ARN and name are known before the deployment.
 */
export function applied(stack: SynthesizedStack, text: string): string {
  return text.replace(/([$%])\1\{|\$\{([^}]*)\}/g, (_, escaped: string | undefined, expression: string | undefined) =>
    expression === undefined ? `${escaped ?? ""}{` : "x".repeat(longestValue(stack, expression)),
  );
}

function longestValue({ resource }: SynthesizedStack, expression: string): number {
  if (expression.endsWith(".account_id")) return 12;
  if (expression.endsWith(".partition")) return "aws-us-gov".length;
  const [, type = "", id = "", attribute = ""] = /^([a-z0-9_]+)\.([\w-]+)\.(\w+)/.exec(expression) ?? [];
  const name = resource?.[type]?.[id]?.[nameAttributes[type]?.[0] ?? ""];
  // A resource without a name has an id that AWS makes: a UUID, or a shorter text.
  const length = typeof name === "string" ? name.length : 64;
  // An ARN adds `arn:<partition>:<service>:<region>:<account>:<type>/`, and a queue's URL adds about as much.
  return attribute === "name" ? length : length + 80;
}
