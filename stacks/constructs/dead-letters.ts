import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { Lazy } from "cdktf";
import { Construct } from "constructs";

export interface DeadLettersProps {
  readonly name: string;
  /** ARN of the queue, built from its name: the policy is an attribute of the queue itself, and can't refer to it. */
  readonly arn: string;
}

/** Longest that SQS keeps a message (SetQueueAttributes, MessageRetentionPeriod), in seconds. */
const fourteenDays = 1_209_600;

/** Where an event ends that could not be handled: encrypted, kept for 14 days. */
export class DeadLetters extends Construct {
  readonly queue: SqsQueue;
  private readonly ruleArns: string[] = [];

  constructor(
    scope: Construct,
    id: string,
    private readonly props: DeadLettersProps,
  ) {
    super(scope, id);
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
              values: Lazy.listValue({ produce: () => this.ruleArns }),
            },
          ],
        },
      ],
    });
    this.queue = new SqsQueue(this, "queue", {
      name: props.name,
      messageRetentionSeconds: fourteenDays,
      sqsManagedSseEnabled: true,
      // An attribute, not a resource of its own: the provider waits 25 s after each.
      policy: policy.json,
    });
  }

  get arn(): string {
    return this.props.arn;
  }

  /** Without this, EventBridge drops what it should park, and says nothing (terraform-aws-eventbridge issue 150). */
  acceptFromRule(ruleArn: string): void {
    this.ruleArns.push(ruleArn);
  }
}
