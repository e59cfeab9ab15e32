/**
 * What the rules know of each kind of resource: whether it holds data, and what encrypts that. A kind in none of these
 * lists is a finding (rule kind-known). `__tests__/stacks/policy-data-kinds.test.ts` holds the lists against the
 * provider's own classes.
 */

/** Kinds with rules of their own in `rules/encryption.ts`. */
const encryptedByRule = ["aws_dynamodb_table", "aws_s3_bucket", "aws_sns_topic", "aws_sqs_queue"];

/** A setting without which the data of a kind is stored in plain text. */
interface EncryptionSetting {
  /** Names of the blocks that lead to the attribute, and its own name. */
  readonly path: readonly string[];
  readonly value: string | boolean;
}

/** Kinds that are encrypted only where a setting says so, by the Terraform provider's page of each. */
export const encryptedBySetting: Readonly<Record<string, EncryptionSetting>> = {
  aws_db_instance: { path: ["storage_encrypted"], value: true },
  aws_docdb_cluster: { path: ["storage_encrypted"], value: true },
  aws_ebs_volume: { path: ["encrypted"], value: true },
  aws_efs_file_system: { path: ["encrypted"], value: true },
  aws_elasticache_replication_group: { path: ["at_rest_encryption_enabled"], value: true },
  aws_kinesis_firehose_delivery_stream: { path: ["server_side_encryption", "enabled"], value: true },
  aws_kinesis_stream: { path: ["encryption_type"], value: "KMS" },
  aws_neptune_cluster: { path: ["storage_encrypted"], value: true },
  aws_opensearch_domain: { path: ["encrypt_at_rest", "enabled"], value: true },
  aws_rds_cluster: { path: ["storage_encrypted"], value: true },
  aws_redshift_cluster: { path: ["encrypted"], value: true },
  // https://docs.aws.amazon.com/systems-manager/latest/userguide/secure-string-parameter-kms-encryption.html
  aws_ssm_parameter: { path: ["type"], value: "SecureString" },
};

/** Kinds whose data AWS encrypts with a key of its own, unless a resource names another one. */
const encryptedAlways = [
  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-at-rest.html
  "aws_cloudwatch_event_archive",
  "aws_cloudwatch_event_bus",
  "aws_cloudwatch_event_connection",
  "aws_scheduler_schedule",
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
  "aws_cloudwatch_log_group",
  // https://docs.aws.amazon.com/lambda/latest/dg/security-encryption-at-rest.html
  "aws_lambda_event_source_mapping",
  "aws_lambda_function",
  "aws_lambda_layer_version",
  // https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
  "aws_secretsmanager_secret",
  "aws_secretsmanager_secret_version",
  // https://docs.aws.amazon.com/ses/latest/dg/encryption-rest.html
  "aws_sesv2_contact_list",
  // https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
  "aws_sfn_state_machine",
];

/** Settings, permissions, names and measures: kinds that hold no events, no mails and no addresses. */
export const withoutData = [
  "aws_cloudwatch_composite_alarm",
  "aws_cloudwatch_dashboard",
  "aws_cloudwatch_event_api_destination",
  "aws_cloudwatch_event_bus_policy",
  "aws_cloudwatch_event_permission",
  "aws_cloudwatch_event_rule",
  "aws_cloudwatch_event_target",
  "aws_cloudwatch_log_data_protection_policy",
  "aws_cloudwatch_log_metric_filter",
  "aws_cloudwatch_log_resource_policy",
  "aws_cloudwatch_log_stream",
  "aws_cloudwatch_log_subscription_filter",
  "aws_cloudwatch_metric_alarm",
  "aws_cloudwatch_query_definition",
  "aws_dynamodb_resource_policy",
  "aws_iam_access_key",
  "aws_iam_group",
  "aws_iam_group_policy",
  "aws_iam_instance_profile",
  "aws_iam_openid_connect_provider",
  "aws_iam_policy",
  "aws_iam_policy_attachment",
  "aws_iam_role",
  "aws_iam_role_policy",
  "aws_iam_role_policy_attachment",
  "aws_iam_service_linked_role",
  "aws_iam_user",
  "aws_iam_user_policy",
  "aws_iam_user_policy_attachment",
  "aws_kms_alias",
  "aws_kms_grant",
  "aws_kms_key",
  "aws_kms_key_policy",
  "aws_lambda_alias",
  "aws_lambda_function_event_invoke_config",
  "aws_lambda_function_url",
  "aws_lambda_layer_version_permission",
  "aws_lambda_permission",
  "aws_lambda_provisioned_concurrency_config",
  "aws_route53_record",
  "aws_route53_zone",
  "aws_s3_bucket_acl",
  "aws_s3_bucket_lifecycle_configuration",
  "aws_s3_bucket_notification",
  "aws_s3_bucket_ownership_controls",
  "aws_s3_bucket_policy",
  "aws_s3_bucket_public_access_block",
  "aws_s3_bucket_server_side_encryption_configuration",
  "aws_s3_bucket_versioning",
  "aws_scheduler_schedule_group",
  "aws_secretsmanager_secret_policy",
  "aws_ses_identity_policy",
  "aws_ses_template",
  "aws_sesv2_account_suppression_attributes",
  "aws_sesv2_configuration_set",
  "aws_sesv2_configuration_set_event_destination",
  "aws_sesv2_dedicated_ip_pool",
  "aws_sesv2_email_identity",
  "aws_sesv2_email_identity_feedback_attributes",
  "aws_sesv2_email_identity_mail_from_attributes",
  "aws_sesv2_email_identity_policy",
  "aws_sns_topic_policy",
  "aws_sns_topic_subscription",
  "aws_sqs_queue_policy",
  "aws_sqs_queue_redrive_allow_policy",
  "aws_sqs_queue_redrive_policy",
  "aws_vpc_endpoint",
];

export const knownKinds: ReadonlySet<string> = new Set([
  ...encryptedByRule,
  ...Object.keys(encryptedBySetting),
  ...encryptedAlways,
  ...withoutData,
]);

/** Kinds whose loss loses data or mail: a stage with deletionProtection keeps them. */
export const keptKinds: readonly string[] = [
  "aws_cloudwatch_event_archive",
  "aws_dynamodb_table",
  "aws_s3_bucket",
  "aws_secretsmanager_secret",
  "aws_sesv2_contact_list",
  "aws_sesv2_email_identity",
  "aws_sqs_queue",
  ...Object.keys(encryptedBySetting),
];
