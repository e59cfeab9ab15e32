import { type CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { Lazy } from "cdktf";
import { Construct } from "constructs";
import { queueRetentionSeconds } from "../delivery-windows";

export interface ParkingQueueProps {
  readonly name: string;
  /** ARN of the queue, built from its name: the policy is an attribute of the queue itself, and can't refer to it. */
  readonly arn: string;
  /**
   * How the queue's consumer gets a message again.
   * @default nobody consumes it
   */
  readonly redrive?: {
    readonly visibilityTimeoutSeconds: number;
    readonly maxReceiveCount: number;
    readonly deadLetters: ParkingQueue;
  };
}

/** A queue that keeps events which rules bring to it: encrypted, for 14 days. */
export class ParkingQueue extends Construct {
  readonly queue: SqsQueue;
  private readonly rules = new Set<CloudwatchEventRule>();

  constructor(
    scope: Construct,
    id: string,
    private readonly props: ParkingQueueProps,
  ) {
    super(scope, id);
    const { redrive } = props;
    const policy = new DataAwsIamPolicyDocument(this, "policy", {
      statement: [
        {
          sid: "RulesMayPark",
          actions: ["sqs:SendMessage"],
          resources: [props.arn],
          principals: [{ type: "Service", identifiers: ["events.amazonaws.com"] }],
          condition: [
            {
              test: "ArnEquals",
              variable: "aws:SourceArn",
              values: Lazy.listValue({ produce: () => [...this.rules].map(({ arn }) => arn) }),
            },
          ],
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
    });
  }

  get arn(): string {
    return this.props.arn;
  }

  /** Without this, EventBridge drops what it should park, and says nothing (terraform-aws-eventbridge issue 150). */
  acceptFromRule(rule: CloudwatchEventRule): void {
    this.rules.add(rule);
  }
}
