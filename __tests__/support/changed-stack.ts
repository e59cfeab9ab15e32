type Attributes = Record<string, unknown>;

interface StackJson {
  readonly provider: {
    readonly aws: readonly { readonly default_tags: readonly { tags: Attributes }[]; max_retries?: number }[];
  };
  readonly resource: Readonly<Record<string, Readonly<Record<string, Attributes>>>>;
  readonly data: { readonly aws_iam_policy_document: Readonly<Record<string, { statement: Attributes[] }>> };
}

/** A change of each attribute of the stage's resources that AWS changes with a call of its own. */
const changes: Readonly<Record<string, Attributes>> = {
  aws_cloudwatch_event_archive: { retention_days: 3 },
  aws_cloudwatch_event_bus: { description: "Changed" },
  aws_cloudwatch_log_group: { retention_in_days: 3 },
  aws_dynamodb_table: { billing_mode: "PROVISIONED", read_capacity: 1, write_capacity: 1 },
  aws_iam_role: { description: "Changed" },
  aws_kms_key: { description: "Changed" },
  aws_lambda_event_source_mapping: { batch_size: 9 },
  aws_lambda_function: { memory_size: 512, reserved_concurrent_executions: -1 },
  aws_route53_record: { ttl: 60 },
  aws_sesv2_configuration_set: {
    delivery_options: { tls_policy: "OPTIONAL" },
    reputation_options: { reputation_metrics_enabled: false },
    sending_options: { sending_enabled: false },
    suppression_options: { suppressed_reasons: ["BOUNCE"] },
    tracking_options: { custom_redirect_domain: "click.example.com", https_policy: "OPTIONAL" },
  },
  aws_sesv2_email_identity_mail_from_attributes: { behavior_on_mx_failure: "REJECT_MESSAGE" },
  aws_sqs_queue: { message_retention_seconds: 86_400 },
};

/**
 * Changes what a later version of the stack may change without making a resource anew, so that Terraform makes each call
 * that a change needs.
 * @param text Terraform's JSON of the stage.
 */
export function changedStack(text: string): string {
  const stack = JSON.parse(text) as StackJson;
  for (const provider of stack.provider.aws) {
    // A call that the emulator does not know fails at once, and not after minutes.
    provider.max_retries = 2;
    for (const each of provider.default_tags) {
      const { "managed-by": _, ...kept } = each.tags;
      each.tags = { ...kept, changed: "yes" };
    }
  }
  for (const [type, attributes] of Object.entries(changes)) {
    const resources = Object.values(stack.resource[type] ?? {});
    if (resources.length === 0) throw new Error(`The stack has no ${type}: take it out of the changes.`);
    for (const resource of resources) Object.assign(resource, attributes);
  }
  for (const destination of Object.values(stack.resource.aws_sesv2_configuration_set_event_destination ?? {})) {
    Object.assign(destination.event_destination as Attributes, { matching_event_types: ["BOUNCE"] });
  }
  for (const { statement } of Object.values(stack.data.aws_iam_policy_document)) {
    for (const each of statement) {
      if (JSON.stringify(each.actions) === '["sts:AssumeRole"]') each.sid = "Changed";
    }
  }
  return JSON.stringify(stack);
}
