import { missing, problems } from "../findings";
import { keysOf, policiesOf } from "../keys";
import { type Rule } from "../rule";
import {
  addressBehind,
  all,
  block,
  namesAction,
  objects,
  statementsBehind,
  strings,
  type SynthesizedStack,
} from "../synthesized";
import { blocks, numberOf } from "../values";

export const encryptionRules: readonly Rule[] = [
  {
    id: "queue-encrypted",
    checks: "Each queue is encrypted, by SQS or with a KMS key.",
    why: "A parked event holds addresses and content.",
    check: (stack) =>
      missing(
        stack,
        "aws_sqs_queue",
        "is not encrypted",
        (queue) => queue.sqs_managed_sse_enabled === true || keysOf(queue).some((key) => key !== ""),
      ),
  },
  {
    id: "topic-encrypted",
    checks: "Each topic is encrypted with a KMS key of ours, and not with `alias/aws/sns`.",
    why: "Everything at rest is encrypted. With AWS's own key, CloudWatch can't publish an alarm, and says so nowhere (https://repost.aws/knowledge-center/cloudwatch-receive-sns-for-alarm-trigger).",
    check: (stack) =>
      missing(stack, "aws_sns_topic", "is not encrypted with a key of ours", (topic) =>
        keysOf(topic).some((key) => key !== "" && !key.endsWith("alias/aws/sns")),
      ),
  },
  {
    id: "key-rotates",
    checks: "Each symmetric KMS key is rotated, and has a policy that is written here.",
    why: "A key that never changes protects ever more data, and the default policy lets every administrator of IAM decrypt.",
    check: (stack) =>
      problems(stack, "aws_kms_key", (key, id) => [
        ...(key.enable_key_rotation === true ||
        ![undefined, "SYMMETRIC_DEFAULT"].includes(key.customer_master_key_spec as string | undefined)
          ? []
          : ["is not rotated"]),
        ...(key.policy !== undefined ||
        all(stack.resource, "aws_kms_key_policy").some(
          ([, { key_id: keyId }]) => addressBehind(keyId) === `aws_kms_key.${id}`,
        )
          ? []
          : ["has no policy of its own"]),
      ]),
  },
  {
    id: "tls-only",
    checks:
      "The policy of each queue, topic and bucket denies everyone every request without TLS; SES hands mail over by TLS only; subscriptions and API destinations use HTTPS.",
    why: "SQS, SNS and S3 take plain HTTP, unless the policy denies it, and SES sends in plain text to a server that has no TLS.",
    check: (stack) => [
      ...missing(stack, "aws_sqs_queue", "takes plain HTTP", (queue, id) =>
        [queue.policy, ...policiesOf(stack, "aws_sqs_queue_policy", "queue_url", `aws_sqs_queue.${id}`)].some(
          (policy) => deniesPlainHttp(stack, policy, ["sqs:*"]),
        ),
      ),
      ...missing(stack, "aws_sns_topic", "takes plain HTTP", (topic, id) =>
        [topic.policy, ...policiesOf(stack, "aws_sns_topic_policy", "arn", `aws_sns_topic.${id}`)].some((policy) =>
          deniesPlainHttp(stack, policy, ["sns:Publish"]),
        ),
      ),
      ...missing(stack, "aws_s3_bucket", "takes plain HTTP", (_, id) =>
        policiesOf(stack, "aws_s3_bucket_policy", "bucket", `aws_s3_bucket.${id}`).some((policy) =>
          deniesPlainHttp(stack, policy, ["s3:*"], [`\${aws_s3_bucket.${id}.arn}`, `\${aws_s3_bucket.${id}.arn}/*`]),
        ),
      ),
      ...missing(
        stack,
        "aws_sesv2_configuration_set",
        "sends mail without TLS",
        (set) => block(set.delivery_options).tls_policy === "REQUIRE",
      ),
      ...missing(
        stack,
        "aws_sns_topic_subscription",
        "gets its messages by plain HTTP",
        ({ protocol, endpoint }) => protocol !== "http" && !String(endpoint).startsWith("http:"),
      ),
      ...missing(stack, "aws_cloudwatch_event_api_destination", "is called by plain HTTP", (destination) =>
        String(destination.invocation_endpoint).startsWith("https:"),
      ),
    ],
  },
  {
    id: "bucket-closed",
    checks:
      "Each bucket blocks public access in all four ways, is encrypted with KMS, keeps old versions, lets them and failed uploads expire, old versions after 30 days or more and current ones never, is not emptied to be destroyed, and has no grants and no public ACL.",
    why: "A state or an event in a public bucket is read by whoever guesses its name, and one that is overwritten is gone.",
    check: (stack) =>
      problems(stack, "aws_s3_bucket", (bucket, id) => {
        const parts = (type: string) =>
          all(stack.resource, type)
            .filter(([, part]) => addressBehind(part.bucket) === `aws_s3_bucket.${id}`)
            .map(([, part]) => part);
        const isBlocked = parts("aws_s3_bucket_public_access_block").some((part) =>
          ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"].every(
            (name) => part[name] === true,
          ),
        );
        const isEncrypted = parts("aws_s3_bucket_server_side_encryption_configuration").some((part) =>
          blocks(part.rule).some(
            (rule) => block(rule.apply_server_side_encryption_by_default).sse_algorithm === "aws:kms",
          ),
        );
        const isVersioned = parts("aws_s3_bucket_versioning").some(
          (part) => block(part.versioning_configuration).status === "Enabled",
        );
        const expires = parts("aws_s3_bucket_lifecycle_configuration").some((part) =>
          blocks(part.rule).some(
            (rule) => rule.status === "Enabled" && rule.noncurrent_version_expiration !== undefined,
          ),
        );
        const abortsUploads = parts("aws_s3_bucket_lifecycle_configuration").some((part) =>
          blocks(part.rule).some(
            (rule) => rule.status === "Enabled" && rule.abort_incomplete_multipart_upload !== undefined,
          ),
        );
        const rules = [
          ...blocks(bucket.lifecycle_rule),
          ...parts("aws_s3_bucket_lifecycle_configuration").flatMap((part) => blocks(part.rule)),
        ];
        const losesCurrent = rules.some((rule) =>
          blocks(rule.expiration).some(({ days, date }) => days !== undefined || date !== undefined),
        );
        const losesOldSoon = rules.some((rule) =>
          blocks(rule.noncurrent_version_expiration).some(
            ({ noncurrent_days: days, days: inBucket }) => !(numberOf(days ?? inBucket) >= 30),
          ),
        );
        const hasGrant =
          bucket.grant !== undefined ||
          parts("aws_s3_bucket_acl").some(({ access_control_policy: grants }) => grants !== undefined);
        const acls = [bucket.acl, ...parts("aws_s3_bucket_acl").map(({ acl }) => acl)];
        return [
          ...(isBlocked ? [] : ["does not block public access in all four ways"]),
          ...(isEncrypted ? [] : ["is not encrypted with KMS"]),
          ...(isVersioned ? [] : ["keeps no old versions"]),
          ...(expires ? [] : ["keeps old versions for ever"]),
          ...(abortsUploads ? [] : ["keeps the parts of failed uploads for ever"]),
          ...(losesCurrent ? ["lets current versions expire"] : []),
          ...(losesOldSoon ? ["lets old versions expire in less than 30 days"] : []),
          ...([undefined, false].includes(bucket.force_destroy as undefined) ? [] : ["is emptied to be destroyed"]),
          ...(hasGrant ? ["has grants in its ACL"] : []),
          ...(acls.some((acl) => String(acl).startsWith("public-") || acl === "authenticated-read")
            ? ["has a public ACL"]
            : []),
        ];
      }),
  },
  {
    id: "state-locked",
    checks: "A state in S3 is locked by a lock file (`use_lockfile`).",
    why: "Two deployments at one time would each write a state without what the other made.",
    check: ({ terraform }) =>
      objects(terraform?.backend?.s3)
        .filter(({ use_lockfile: locks }) => locks !== true)
        .map(() => ({ address: "terraform.backend.s3", problem: "does not lock the state" })),
  },
  {
    id: "table-encrypted-and-recoverable",
    checks: "Each table is encrypted with a KMS key, and has point-in-time recovery.",
    why: "Everything at rest is encrypted, and a lost claim means a second mail.",
    check: (stack) =>
      missing(
        stack,
        "aws_dynamodb_table",
        "is not encrypted, or has no point-in-time recovery",
        (table) => isEnabled(table.server_side_encryption) && isEnabled(table.point_in_time_recovery),
      ),
  },
  {
    id: "archive-expires",
    checks: "Each archive says for how many days it keeps its events, and that is at least one.",
    why: "An archive without retention_days, or with 0, keeps its events for ever, with the addresses in them (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateArchive.html).",
    check: (stack) =>
      missing(stack, "aws_cloudwatch_event_archive", "keeps its events for ever", ({ retention_days: days }) => {
        const kept = numberOf(days);
        return Number.isInteger(kept) && kept >= 1;
      }),
  },
];

/**
 * Whether the policy denies everyone all of these actions, on all of these resources, without TLS.
 * @param resources @default the policy is of one resource, and says nothing of others
 */
function deniesPlainHttp(
  stack: SynthesizedStack,
  policy: unknown,
  actions: readonly string[],
  resources: readonly string[] = [],
): boolean {
  return statementsBehind(stack, policy).some((statement) => {
    // All conditions of a statement have to hold, so a second condition would narrow the denial.
    const [only, ...further] = objects(statement.condition);
    return (
      statement.effect === "Deny" &&
      actions.every((action) => namesAction(statement, action)) &&
      resources.every((resource) => strings(statement.resources).includes(resource)) &&
      objects(statement.principals).some(({ identifiers }) => strings(identifiers).includes("*")) &&
      further.length === 0 &&
      only?.test === "Bool" &&
      only.variable === "aws:SecureTransport" &&
      strings(only.values).join() === "false"
    );
  });
}

function isEnabled(setting: unknown): boolean {
  return block(setting).enabled === true;
}
