/**
 * The rules of other programs for the kinds of resources of these stacks, each with our answer. Neither program can run
 * here: cdk-nag reads CloudFormation, and Checkov comes from PyPI alone.
 */

type Answer =
  /** Ids of our rules that hold it. */
  { readonly held: readonly string[] } | { readonly suppressed: string } | { readonly notApplicable: string };

export interface PeerRule {
  readonly id: string;
  readonly answer: Answer;
}

export interface Peer {
  readonly title: string;
  /** Where the list comes from, with version and date. */
  readonly source: string;
  readonly rules: readonly PeerRule[];
}

const held = (...rules: string[]): Answer => ({ held: rules });
const suppressed = (reason: string): Answer => ({ suppressed: reason });
const notApplicable = (reason: string): Answer => ({ notApplicable: reason });

const noUsers = held("no-iam-users");
const noVpc = suppressed(
  "The functions reach AWS's own endpoints only. A VPC would add a NAT gateway that costs money and can fail, and protect nothing.",
);
const ownKeys = suppressed(
  "The service's own encryption is on. A key of ours would need a grant for each service that writes, each of them a way to lose an event silently; what is stored holds no addresses in plain text but the parked events, which go after 14 days.",
);
const noAccessLog = suppressed(
  "Only the pipeline's roles read the state. CloudTrail's data events say who did, where a team wants them; a second bucket for logs would need the same rules again.",
);
const reserved = suppressed(
  "A stage's `reserveConcurrency` decides: a new account has too few concurrent executions to reserve any. The queue's `maximum_concurrency` bounds the retries in every stage.",
);
const onDemand = notApplicable("The table is on demand.");
const noCopy = suppressed(
  "The bucket keeps old versions for 90 days, and `terraform import` can make a lost state again.",
);
const noLock = suppressed("Terraform deletes its lock file, which an object lock would refuse. Old versions are kept.");
const noWebsite = notApplicable("No bucket is a web site.");
const noKind = (kind: string) => notApplicable(`The stacks have no ${kind}.`);
const narrow = held("no-wildcard");
const admin = held("no-wildcard", "no-managed-policies");

/** The folders `lib/rules/{cloudwatch,dynamodb,eventbridge,iam,kms,lambda,s3,secretsmanager,sns,sqs}` of the package. */
const cdkNag: Readonly<Record<string, Answer>> = {
  CloudWatchAlarmAction: held("alarm-has-action"),
  CloudWatchLogGroupEncrypted: ownKeys,
  CloudWatchLogGroupRetentionPeriod: held("log-retention"),
  "DAXEncrypted (AwsSolutions-DDB4)": noKind("DAX cluster"),
  DynamoDBAutoScalingEnabled: onDemand,
  DynamoDBInBackupPlan: suppressed("Point-in-time recovery reaches back 35 days, and a claim is of no use for longer."),
  "DynamoDBPITREnabled (AwsSolutions-DDB3)": held("table-encrypted-and-recoverable"),
  EventBusDLQ: held("target-retry-and-dead-letters", "target-lets-rule-in"),
  "EventBusOpenAccess (AwsSolutions-EVB1)": held("no-wildcard", "principals-are-ours", "services-name-source"),
  IAMGroupHasUsers: noUsers,
  IAMNoInlinePolicy: suppressed(
    "An inline policy belongs to one role and goes with it, and no other role can get it by mistake.",
  ),
  "IAMNoManagedPolicies (AwsSolutions-IAM4)": held("no-managed-policies"),
  "IAMNoWildcardPermissions (AwsSolutions-IAM5)": narrow,
  IAMPolicyNoStatementsWithAdminAccess: admin,
  IAMPolicyNoStatementsWithFullAccess: narrow,
  IAMUserGroupMembership: noUsers,
  IAMUserNoPolicies: noUsers,
  "KMSBackingKeyRotationEnabled (AwsSolutions-KMS5)": held("key-rotates"),
  LambdaAsyncFailureDestination: held("function-failure-destination"),
  LambdaConcurrency: reserved,
  LambdaDLQ: held("function-failure-destination"),
  LambdaDefaultMemorySize: held("function-says-so"),
  LambdaDefaultTimeout: held("function-says-so"),
  LambdaEventSourceMappingDestination: held("queue-consumed-safely", "queue-redrive"),
  LambdaEventSourceSQSVisibilityTimeout: held("queue-consumed-safely"),
  LambdaFunctionPublicAccessProhibited: held("no-wildcard", "permission-names-source"),
  LambdaFunctionUrlAuth: held("permission-names-source"),
  LambdaInsideVPC: noVpc,
  "LambdaLatestVersion (AwsSolutions-L1)": suppressed(
    "The rule runtime-supported holds that the runtime is not deprecated. The newest, nodejs24.x, is unknown to the AWS provider 5.100.",
  ),
  LambdaLogLevel: suppressed("The handler's logger sets its level itself, so that it is the same in the sandbox."),
  LambdaLogging: held("function-says-so", "function-log-group-first"),
  LambdaStarPermissions: narrow,
  LambdaTracing: suppressed(
    "Every log line carries the event's id, and a claim says what became of it. Traces would cost money and need a permission on everything.",
  ),
  S3BucketDefaultLockEnabled: noLock,
  "S3BucketLevelPublicAccessProhibited (AwsSolutions-S2)": held("bucket-closed"),
  "S3BucketLoggingEnabled (AwsSolutions-S1)": noAccessLog,
  S3BucketPublicReadProhibited: held("bucket-closed"),
  S3BucketPublicWriteProhibited: held("bucket-closed"),
  S3BucketReplicationEnabled: noCopy,
  "S3BucketSSLRequestsOnly (AwsSolutions-S10)": held("tls-only"),
  S3BucketVersioningEnabled: held("bucket-closed"),
  S3DefaultEncryptionKMS: held("bucket-closed"),
  "S3WebBucketOAIAccess (AwsSolutions-S5)": noWebsite,
  "SecretsManagerRotationEnabled (AwsSolutions-SMG4)": noKind("secret"),
  SecretsManagerUsingKMSKey: noKind("secret"),
  SNSEncryptedKMS: held("topic-encrypted"),
  SNSRedrivePolicy: suppressed(
    "The topic carries alarms, whose state stays in CloudWatch. Nobody would read a queue of old ones.",
  ),
  "SNSTopicSSLPublishOnly (AwsSolutions-SNS3)": held("tls-only"),
  "SQSQueueDLQ (AwsSolutions-SQS3)": held("queue-redrive"),
  "SQSQueueSSE (AwsSolutions-SQS2)": held("queue-encrypted"),
  "SQSQueueSSLRequestsOnly (AwsSolutions-SQS4)": held("tls-only"),
  SQSRedrivePolicy: held("queue-redrive"),
};

const noCloudsplaining = held("no-wildcard", "role-is-passed-narrowly");

/** The rows of `docs/5.Policy Index/terraform.md` for the types of the stacks' resources. */
const checkov: Readonly<Record<string, Answer>> = {
  CKV_AWS_1: admin,
  CKV_AWS_7: held("key-rotates"),
  CKV_AWS_18: noAccessLog,
  CKV_AWS_19: held("bucket-closed"),
  CKV_AWS_20: held("bucket-closed"),
  CKV_AWS_21: held("bucket-closed"),
  CKV_AWS_26: held("topic-encrypted"),
  CKV_AWS_27: held("queue-encrypted"),
  CKV_AWS_28: held("table-encrypted-and-recoverable"),
  CKV_AWS_33: narrow,
  CKV_AWS_45: held("no-secret-in-environment"),
  CKV_AWS_49: narrow,
  CKV_AWS_50: suppressed("As LambdaTracing above."),
  CKV_AWS_53: held("bucket-closed"),
  CKV_AWS_54: held("bucket-closed"),
  CKV_AWS_55: held("bucket-closed"),
  CKV_AWS_56: held("bucket-closed"),
  CKV_AWS_57: held("bucket-closed"),
  CKV_AWS_60: held("no-wildcard", "principals-are-ours"),
  CKV_AWS_61: held("no-wildcard", "principals-are-ours"),
  CKV_AWS_62: admin,
  CKV_AWS_63: narrow,
  CKV_AWS_66: held("log-retention"),
  CKV_AWS_70: narrow,
  CKV_AWS_93: notApplicable("The bucket's policy denies only requests without TLS."),
  CKV_AWS_107: noCloudsplaining,
  CKV_AWS_108: noCloudsplaining,
  CKV_AWS_109: noCloudsplaining,
  CKV_AWS_110: noCloudsplaining,
  CKV_AWS_111: noCloudsplaining,
  CKV_AWS_115: reserved,
  CKV_AWS_116: held("function-failure-destination"),
  CKV_AWS_117: noVpc,
  CKV_AWS_119: ownKeys,
  CKV_AWS_143: noLock,
  CKV_AWS_144: noCopy,
  CKV_AWS_145: held("bucket-closed"),
  CKV_AWS_158: ownKeys,
  CKV_AWS_168: held("no-wildcard", "principals-are-ours", "services-name-source"),
  CKV_AWS_169: held("no-wildcard", "principals-are-ours", "services-name-source"),
  CKV_AWS_173: suppressed("The variables hold no secret (rule no-secret-in-environment), and Lambda encrypts them."),
  CKV_AWS_227: held("switched-on"),
  CKV_AWS_272: suppressed(
    "The plan names the hash of the package, and only the deploy role may change a function. Signing would need AWS Signer and a bucket for packages.",
  ),
  CKV_AWS_274: held("no-managed-policies"),
  CKV_AWS_283: held("no-wildcard", "principals-are-ours"),
  CKV_AWS_286: noCloudsplaining,
  CKV_AWS_287: noCloudsplaining,
  CKV_AWS_288: noCloudsplaining,
  CKV_AWS_289: noCloudsplaining,
  CKV_AWS_290: noCloudsplaining,
  CKV_AWS_300: held("bucket-closed"),
  CKV_AWS_301: held("no-wildcard", "permission-names-source"),
  CKV_AWS_319: held("alarm-has-action"),
  CKV_AWS_338: suppressed(
    "A stage says how long (logRetentionDays). Logs that nobody reads after a month are a cost, and a risk where they hold something personal.",
  ),
  CKV_AWS_355: narrow,
  CKV_AWS_356: narrow,
  CKV_AWS_358: held("principals-are-ours", "no-wildcard"),
  CKV_AWS_363: held("runtime-supported"),
  CKV_AWS_364: held("permission-names-source"),
  CKV_AWS_365: held("tls-only"),
  CKV_AWS_385: held("principals-are-ours", "services-name-source"),
  CKV_AWS_393: held("principals-are-ours", "no-wildcard"),
  CKV2_AWS_6: held("bucket-closed"),
  CKV2_AWS_16: onDemand,
  CKV2_AWS_37: noKind("CodeCommit repository"),
  CKV2_AWS_40: admin,
  CKV2_AWS_56: held("no-managed-policies"),
  CKV2_AWS_61: held("bucket-closed"),
  CKV2_AWS_62: suppressed("Nothing waits for a change of the state."),
  CKV2_AWS_64: held("key-rotates"),
  CKV2_AWS_68: noKind("SageMaker notebook"),
  CKV2_AWS_73: ownKeys,
  CKV2_AWS_75: noKind("function URL or HTTP API"),
};

const listed = (answers: Readonly<Record<string, Answer>>): PeerRule[] =>
  Object.entries(answers).map(([id, answer]) => ({ id, answer }));

export const peers: readonly Peer[] = [
  {
    title: "cdk-nag",
    source:
      "[cdk-nag](https://github.com/cdklabs/cdk-nag) 3.0.2 of npm, read in November 2026: every rule of its packs for CloudWatch, DynamoDB, EventBridge, IAM, KMS, Lambda, S3, Secrets Manager, SNS and SQS. It has none for SES.",
    rules: listed(cdkNag),
  },
  {
    title: "Checkov",
    source:
      "[Checkov's index](https://github.com/bridgecrewio/checkov/blob/03d5fdad8d6154b1565799a7b1fb8070c158866f/docs/5.Policy%20Index/terraform.md) of August 2026: every check that it lists for a type of resource in the stacks.",
    rules: listed(checkov),
  },
];
