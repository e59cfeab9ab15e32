import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { Construct } from "constructs";
import { queueRetentionSeconds } from "../delivery-windows";

export interface FailureQueueProps {
  readonly name: string;
  /** ARN of the queue, built from its name: the policy is an attribute of the queue itself, and can't refer to it. */
  readonly arn: string;
  /** `rule/<prefix>-*`: a list of all rules would outgrow the 8,192 bytes that SQS takes of a policy. */
  readonly ownRulesArn: string;
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

  constructor(
    scope: Construct,
    id: string,
    private readonly props: FailureQueueProps,
  ) {
    super(scope, id);
    const { redrive } = props;
    const policy = new DataAwsIamPolicyDocument(this, "policy", {
      statement: [
        {
          // Without this, EventBridge drops what it should park, and says nothing (terraform-aws-eventbridge issue 150).
          sid: "RulesMayPark",
          actions: ["sqs:SendMessage"],
          resources: [props.arn],
          principals: [{ type: "Service", identifiers: ["events.amazonaws.com"] }],
          condition: [{ test: "ArnLike", variable: "aws:SourceArn", values: [props.ownRulesArn] }],
        },
        {
          // SQS takes plain HTTP as well (https://docs.aws.amazon.com/general/latest/gr/sqs-service.html).
          sid: "OnlyOverTls",
          effect: "Deny",
          actions: ["sqs:*"],
          resources: [props.arn],
          principals: [{ type: "*", identifiers: ["*"] }],
          condition: [{ test: "Bool", variable: "aws:SecureTransport", values: ["false"] }],
        },
      ],
    });
    this.queue = new SqsQueue(this, "queue", {
      name: props.name,
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

  get arn(): string {
    return this.props.arn;
  }
}
