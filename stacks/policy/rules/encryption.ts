import { missing } from "../findings";
import { type Rule } from "../rule";
import { all, block, objects, statementsBehind, strings, type SynthesizedStack } from "../synthesized";

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
        (queue) => queue.sqs_managed_sse_enabled === true || queue.kms_master_key_id !== undefined,
      ),
  },
  {
    id: "topic-encrypted",
    checks: "Each topic is encrypted with a KMS key.",
    why: "Everything at rest is encrypted.",
    check: (stack) =>
      missing(stack, "aws_sns_topic", "is not encrypted", (topic) => topic.kms_master_key_id !== undefined),
  },
  {
    id: "tls-only",
    checks: "The policy of each queue and of each topic denies requests without TLS.",
    why: "SQS and SNS take plain HTTP, unless the policy denies it.",
    check: (stack) => [
      ...missing(stack, "aws_sqs_queue", "takes plain HTTP", (queue) => deniesPlainHttp(stack, queue.policy)),
      ...missing(stack, "aws_sns_topic", "takes plain HTTP", (_, topic) =>
        all(stack.resource, "aws_sns_topic_policy").some(
          ([, { arn, policy }]) => arn === `\${aws_sns_topic.${topic}.arn}` && deniesPlainHttp(stack, policy),
        ),
      ),
    ],
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
];

function deniesPlainHttp(stack: SynthesizedStack, policy: unknown): boolean {
  return statementsBehind(stack, policy).some(({ effect, condition }) => {
    // All conditions of a statement have to hold, so a second condition would narrow the denial.
    const [only, ...further] = objects(condition);
    return (
      effect === "Deny" &&
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
