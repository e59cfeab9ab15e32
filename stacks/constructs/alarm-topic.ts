import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { KmsAlias } from "@cdktf/provider-aws/lib/kms-alias";
import { KmsKey } from "@cdktf/provider-aws/lib/kms-key";
import { KmsKeyPolicy } from "@cdktf/provider-aws/lib/kms-key-policy";
import { SnsTopic } from "@cdktf/provider-aws/lib/sns-topic";
import { SnsTopicPolicy } from "@cdktf/provider-aws/lib/sns-topic-policy";
import { SnsTopicSubscription } from "@cdktf/provider-aws/lib/sns-topic-subscription";
import { Construct } from "constructs";
import { type Arns } from "../arns";
import { type Names } from "../names";
import { movedFrom } from "../previous-addresses";

export interface AlarmTopicProps {
  readonly names: Names;
  readonly arns: Arns;
  /** The e-mail addresses that are subscribed. SNS asks each of them to confirm it. */
  readonly subscribers: readonly string[];
}

/**
 * The topic that alarms publish to. It is encrypted with a key of its own, because CloudWatch can't use the key that
 * AWS manages for SNS.
 */
export class AlarmTopic extends Construct {
  readonly topic: SnsTopic;

  constructor(scope: Construct, id: string, props: AlarmTopicProps) {
    super(scope, id);
    const fromOwnAlarms = [{ test: "ArnLike", variable: "aws:SourceArn", values: [props.arns.ownAlarms] }];
    const key = new KmsKey(this, "key", {
      description: `Encrypts the alarm topic of ${props.names.prefix}`,
      enableKeyRotation: true,
      deletionWindowInDays: 7,
    });
    new KmsAlias(this, "key-alias", { name: `alias/${props.names.of("alarms")}`, targetKeyId: key.keyId });
    const keyPolicy = new DataAwsIamPolicyDocument(this, "key-policy", {
      statement: [
        {
          sid: "AccountAdministersKey",
          actions: [
            "kms:CancelKeyDeletion",
            "kms:CreateAlias",
            "kms:CreateGrant",
            "kms:DeleteAlias",
            "kms:DescribeKey",
            "kms:DisableKey",
            "kms:DisableKeyRotation",
            "kms:EnableKey",
            "kms:EnableKeyRotation",
            "kms:GetKeyPolicy",
            "kms:GetKeyRotationStatus",
            "kms:ListGrants",
            "kms:ListKeyPolicies",
            "kms:ListResourceTags",
            "kms:PutKeyPolicy",
            "kms:RevokeGrant",
            "kms:ScheduleKeyDeletion",
            "kms:TagResource",
            "kms:UntagResource",
            "kms:UpdateAlias",
            "kms:UpdateKeyDescription",
          ],
          resources: [key.arn],
          principals: [{ type: "AWS", identifiers: [props.arns.accountRoot] }],
        },
        {
          sid: "AlarmsPublishEncrypted",
          actions: ["kms:Decrypt", "kms:GenerateDataKey"],
          resources: [key.arn],
          principals: [{ type: "Service", identifiers: ["cloudwatch.amazonaws.com"] }],
          condition: fromOwnAlarms,
        },
      ],
    });
    new KmsKeyPolicy(this, "key-policy-attachment", { keyId: key.keyId, policy: keyPolicy.json });
    this.topic = new SnsTopic(this, "topic", { name: props.names.of("alarms"), kmsMasterKeyId: key.arn });
    const topicPolicy = new DataAwsIamPolicyDocument(this, "topic-policy", {
      statement: [
        {
          sid: "AlarmsPublish",
          actions: ["sns:Publish"],
          resources: [this.topic.arn],
          principals: [{ type: "Service", identifiers: ["cloudwatch.amazonaws.com"] }],
          condition: fromOwnAlarms,
        },
        {
          // Without this denial, SNS also accepts plain HTTP
          // (https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html).
          sid: "OnlyOverTls",
          effect: "Deny",
          actions: ["sns:Publish"],
          resources: [this.topic.arn],
          principals: [{ type: "*", identifiers: ["*"] }],
          condition: [{ test: "Bool", variable: "aws:SecureTransport", values: ["false"] }],
        },
      ],
    });
    new SnsTopicPolicy(this, "topic-policy-attachment", { arn: this.topic.arn, policy: topicPolicy.json });
    const subscriptions = props.subscribers.map(
      (endpoint) =>
        new SnsTopicSubscription(this, `email-${endpoint}`, { topicArn: this.topic.arn, protocol: "email", endpoint }),
    );
    for (const subscription of subscriptions.slice(0, 1)) movedFrom(subscription, "monitoring", "alarm-topic", "email");
  }
}
