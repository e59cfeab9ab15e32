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
   * When the queue's consumer gets a message again, and where the message goes after its last try.
   * @default the queue has no consumer
   */
  readonly redrive?: {
    readonly visibilityTimeoutSeconds: number;
    readonly maxReceiveCount: number;
    readonly deadLetters: FailureQueue;
  };
}

/** An encrypted queue that keeps the events that the stage's rules put into it, for 14 days. */
export class FailureQueue extends Construct {
  readonly queue: SqsQueue;
  /**
   * The ARN, built from the name. The queue's policy needs it, and can't refer to the queue, because it is an attribute
   * of it.
   */
  readonly arn: string;

  constructor(scope: Construct, id: string, props: FailureQueueProps) {
    super(scope, id);
    const { name, arns, redrive } = props;
    this.arn = arns.of("sqs", name);
    const policy = new DataAwsIamPolicyDocument(this, "policy", {
      statement: [
        {
          // Without this statement, EventBridge silently drops the events that it should put into the queue
          // (terraform-aws-eventbridge issue 150).
          sid: "RulesMayPark",
          actions: ["sqs:SendMessage"],
          resources: [this.arn],
          principals: [{ type: "Service", identifiers: ["events.amazonaws.com"] }],
          condition: [{ test: "ArnLike", variable: "aws:SourceArn", values: [arns.ownRules] }],
        },
        {
          // Without this denial, SQS also accepts plain HTTP
          // (https://docs.aws.amazon.com/general/latest/gr/sqs-service.html).
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
      // The policies are attributes and not resources, because the provider waits for 25 s after each such resource.
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
