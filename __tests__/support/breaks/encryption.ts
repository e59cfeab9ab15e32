import { type Break, type Draft, type DraftStack } from "../broken-stacks";

const queue = "aws_sqs_queue";
const topic = "aws_sns_topic";
const group = "aws_cloudwatch_log_group";
const table = "aws_dynamodb_table";

/** Encrypts the dead letters with this key in place of SQS's own. */
function encryptDeadLetters(stack: DraftStack, key: string): void {
  Object.assign(stack.the(queue, "dead"), { sqs_managed_sse_enabled: undefined, kms_master_key_id: key });
}

/** A key of ours that lets in the services that may do these actions. */
function addKey(stack: DraftStack, service: string, actions: readonly string[], attributes: object = {}): string {
  stack.addDocument({ actions, principals: [{ type: "Service", identifiers: [service] }] }, "added-key");
  stack.add("aws_kms_key", { enable_key_rotation: true, ...attributes });
  stack.add("aws_kms_key_policy", {
    key_id: "${aws_kms_key.added.key_id}",
    policy: "${data.aws_iam_policy_document.added-key.json}",
  });
  return "${aws_kms_key.added.arn}";
}

const encrypting = ["kms:Decrypt", "kms:GenerateDataKey"];

export const encryptionBreaks: Readonly<Record<string, readonly Break[]>> = {
  "queue-encrypted": [
    [
      "an empty key",
      (s) => {
        encryptDeadLetters(s, "");
      },
      /dead\S+ is not encrypted/,
    ],
  ],
  "topic-encrypted": [
    ["an empty key", (s) => (s.the(topic).kms_master_key_id = ""), /is not encrypted with a key of ours/],
    [
      "the ARN of AWS's key",
      (s) => (s.the(topic).kms_master_key_id = "arn:aws:kms:eu-west-1:123456789012:alias/aws/sns"),
      /is not encrypted with a key of ours/,
    ],
  ],
  "kind-known": [
    ...["aws_lightsail_disk", "aws_qldb_ledger", "terraform_data"].map((type): Break => [
      type,
      (s) => {
        s.add(type, {});
      },
      new RegExp(`${type}\\.added is of a kind that no rule knows`),
    ]),
  ],
  "store-encrypted": [
    ...(
      [
        ["aws_kinesis_stream", {}],
        ["aws_kinesis_stream", { encryption_type: "NONE", kms_key_id: "alias/aws/kinesis" }],
        ["aws_kinesis_firehose_delivery_stream", { server_side_encryption: [{ enabled: false }] }],
        ["aws_efs_file_system", { encrypted: "${var.encrypted}" }],
        ["aws_ssm_parameter", { type: "String", value: "ops@example.com" }],
        ["aws_db_instance", { storage_encrypted: false }],
      ] as const
    ).map(([type, attributes]): Break => [
      `${type} ${JSON.stringify(attributes)}`,
      (s) => {
        s.add(type, attributes);
      },
      new RegExp(`${type}\\.added is not encrypted: `),
    ]),
  ],
  "key-usable": [
    [
      "AWS's key on a queue that EventBridge writes to",
      (s) => {
        encryptDeadLetters(s, "alias/aws/sqs");
      },
      /dead-letters\S+ has the key alias\/aws\/sqs, which does not let events\.amazonaws\.com write/,
    ],
    [
      "an empty key of a table",
      (s) => (s.the(table).server_side_encryption = { enabled: true, kms_key_arn: "" }),
      /aws_dynamodb_table\.\S+ has "" as its KMS key, which is none/,
    ],
    [
      "a key of another account on a log group",
      (s) => (s.the(group).kms_key_id = "arn:aws:kms:eu-west-1:999999999999:key/x"),
      /aws_cloudwatch_log_group\.\S+ has the key arn:\S+, whose policy is not in the stack/,
    ],
    [
      "a name that is no key",
      (s) => (s.the(topic).kms_master_key_id = "alias/somebody-elses"),
      /has the key alias\/somebody-elses, whose policy is not in the stack/,
    ],
    [
      "a key of ours that lets another service in",
      (s) => {
        encryptDeadLetters(s, addKey(s, "sns.amazonaws.com", encrypting));
      },
      /has the key aws_kms_key\.added, whose policy does not let events\.amazonaws\.com write/,
    ],
    [
      "a key of ours that lets EventBridge decrypt alone",
      (s) => {
        encryptDeadLetters(s, addKey(s, "events.amazonaws.com", ["kms:Decrypt"]));
      },
      /has the key aws_kms_key\.added, whose policy does not let events\.amazonaws\.com write/,
    ],
    [
      "a key of ours by its alias",
      (s) => {
        addKey(s, "sns.amazonaws.com", encrypting);
        s.add("aws_kms_alias", { name: "alias/shop-prod-x", target_key_id: "${aws_kms_key.added.key_id}" });
        encryptDeadLetters(s, "${aws_kms_alias.added.arn}");
      },
      /has the key aws_kms_key\.added, whose policy does not let events\.amazonaws\.com write/,
    ],
    [
      "a log group whose key lets no logs in",
      (s) => (s.the(group).kms_key_id = s.ref("aws_kms_key")),
      /has the key \S+, whose policy does not let logs\.amazonaws\.com write/,
    ],
    [
      "a bus whose key lets no events in",
      (s) => (s.the("aws_cloudwatch_event_bus").kms_key_identifier = s.ref("aws_kms_key")),
      /has the key \S+, whose policy does not let events\.amazonaws\.com write/,
    ],
    [
      "the alarm topic's key without its service",
      (s) => (s.statement("key-policy", "AlarmsPublishEncrypted").principals = [] as Draft[]),
      /aws_sns_topic\.\S+ has the key \S+, whose policy does not let cloudwatch\.amazonaws\.com write/,
    ],
  ],
  "deletion-protected": [
    ...["aws_s3_bucket", "aws_kinesis_stream", "aws_secretsmanager_secret"].map((type): Break => [
      type,
      (s) => {
        s.add(type, {});
      },
      new RegExp(`${type}\\.added may be destroyed`),
    ]),
    [
      "the key of a queue",
      (s) => {
        encryptDeadLetters(s, addKey(s, "events.amazonaws.com", encrypting));
      },
      /aws_kms_key\.added may be destroyed, and encrypts what has to be kept/,
    ],
  ],
};

/** Changes by which the dead letters get a key of ours, and that keep every rule on keys. */
export function encryptWell(stack: DraftStack, service: string, actions: readonly string[]): void {
  encryptDeadLetters(stack, addKey(stack, service, actions, { lifecycle: { prevent_destroy: true } }));
}
