import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { Construct } from "constructs";
import { type Arns } from "../arns";
import { queueRetentionSeconds } from "../delivery-windows";

export interface FailureQueueProps {
  readonly name: string;
  readonly arns: Arns;
  readonly deletionProtection: boolean;
  /**
   * How the queue's consumer gets a message again.
   * @default nobody consumes it
   */
  readonly redrive?: {
    readonly visibilityTimeoutSeconds: number;
    readonly maxReceiveCount: number;
    readonly deadLetters: FailureQueue;
  };
}

/** A queue that keeps events which the stage's rules bring to it: encrypted, for 14 days. */
export class FailureQueue extends Construct {
  readonly queue: SqsQueue;
  /** Built from the name: the policy is an attribute of the queue itself, and can't refer to it. */
  readonly arn: string;

  constructor(scope: Construct, id: string, props: FailureQueueProps) {
    super(scope, id);
    const { name, arns, redrive } = props;
    this.arn = arns.of("sqs", name);
    const policy = new DataAwsIamPolicyDocument(this, "policy", {
      statement: [
        {
          // Without this statement EventBridge drops the events that it should park, and says nothing (terraform-aws-eventbridge
          // issue 150).
          sid: "RulesMayPark",
          actions: ["sqs:SendMessage"],
          resources: [this.arn],
          principals: [{ type: "Service", identifiers: ["events.amazonaws.com"] }],
          condition: [{ test: "ArnLike", variable: "aws:SourceArn", values: [arns.ownRules] }],
        },
        {
          // SQS takes plain HTTP as well (https://docs.aws.amazon.com/general/latest/gr/sqs-service.html).
          sid: "OnlyOverTls",
          effect: "Deny",
          actions: ["sqs:*"],
          resources: [this.arn],
          principals: [{ type: "*", identifiers: ["*"] }],
          condition: [{ test: "Bool", variable: "aws:SecureTransport", values: ["false"] }],
        },
      ],
    });
    this.queue = new SqsQueue(this, "queue", {
      name,
      messageRetentionSeconds: queueRetentionSeconds,
      sqsManagedSseEnabled: true,
      // Attributes, not resources of their own: the provider waits 25 s after each.
      policy: policy.json,
      ...(redrive === undefined
        ? {}
        : {
            visibilityTimeoutSeconds: redrive.visibilityTimeoutSeconds,
            redrivePolicy: JSON.stringify({
              deadLetterTargetArn: redrive.deadLetters.queue.arn,
              maxReceiveCount: redrive.maxReceiveCount,
            }),
          }),
      ...(props.deletionProtection ? { lifecycle: { preventDestroy: true } } : {}),
    });
  }
}
