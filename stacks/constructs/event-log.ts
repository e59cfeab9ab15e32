import { CloudwatchLogDataProtectionPolicy } from "@cdktf/provider-aws/lib/cloudwatch-log-data-protection-policy";
import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { CloudwatchLogResourcePolicy } from "@cdktf/provider-aws/lib/cloudwatch-log-resource-policy";
import { DataAwsCloudwatchLogDataProtectionPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-cloudwatch-log-data-protection-policy-document";
import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { type ITerraformDependable } from "cdktf";
import { Construct, type IDependable } from "constructs";
import { type Arns } from "../arns";
import { type Names } from "../names";

/** EventBridge writes into log groups of this name only, as the console makes them. */
const groupNamePrefix = "/aws/events/";

export interface EventLogAccessProps {
  readonly names: Names;
  readonly arns: Arns;
}

/**
 * The right of the stage's rules to write into the stage's event logs: one policy for all of them, for an account has ten a
 * region (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html).
 */
export class EventLogAccess extends Construct {
  readonly policy: CloudwatchLogResourcePolicy;

  constructor(scope: Construct, id: string, { names, arns }: EventLogAccessProps) {
    super(scope, id);
    const ownStreams = {
      resources: [arns.of("logs", `log-group:${groupNamePrefix}${names.prefix}-*`)],
      principals: [{ type: "Service", identifiers: ["events.amazonaws.com", "delivery.logs.amazonaws.com"] }],
    };
    const document = new DataAwsIamPolicyDocument(this, "document", {
      statement: [
        // The rule's ARN comes with PutLogEvents only (serverless-patterns pull request 618, terraform-provider-aws issue
        // 26628): a stream that is allowed to the rule alone may never be made. Without the condition it is still our logs.
        { ...ownStreams, sid: "EventBridgeMayMakeStreams", actions: ["logs:CreateLogStream"] },
        {
          ...ownStreams,
          sid: "RulesMayLog",
          actions: ["logs:PutLogEvents"],
          condition: [{ test: "ArnLike", variable: "aws:SourceArn", values: [arns.ownRules] }],
        },
      ],
    });
    this.policy = new CloudwatchLogResourcePolicy(this, "policy", {
      policyName: names.of("event-logs"),
      policyDocument: document.json,
    });
  }
}

/** What all event logs of a stage have in common. */
export interface EventLogSettings {
  readonly access: EventLogAccess;
  readonly arns: Arns;
  readonly retentionDays: number;
}

export interface EventLogProps extends EventLogSettings {
  readonly names: Names;
  /** What the log group's name says behind project and stage. */
  readonly suffix: string;
}

/** A log group that a rule writes events into, with the addresses in them masked. */
export class EventLog extends Construct {
  readonly group: CloudwatchLogGroup;
  readonly masking: CloudwatchLogDataProtectionPolicy;
  /** What has to be there before the first event: what comes before the masking stays readable. */
  readonly readiness: readonly (ITerraformDependable & IDependable)[];

  constructor(scope: Construct, id: string, { names, suffix, access, arns, retentionDays }: EventLogProps) {
    super(scope, id);
    this.group = new CloudwatchLogGroup(this, "group", {
      name: `${groupNamePrefix}${names.of(suffix)}`,
      retentionInDays: retentionDays,
    });
    // Who reads an event sees asterisks, unless the role has `logs:Unmask` and asks for it.
    const dataIdentifiers = [`arn:${arns.partition}:dataprotection::aws:data-identifier/EmailAddress`];
    const document = new DataAwsCloudwatchLogDataProtectionPolicyDocument(this, "masking", {
      name: names.of(suffix),
      statement: [
        // Both are demanded, over the same identifiers (PutDataProtectionPolicy); nobody wants the findings.
        { sid: "Audit", dataIdentifiers, operation: { audit: { findingsDestination: {} } } },
        { sid: "Mask", dataIdentifiers, operation: { deidentify: { maskConfig: {} } } },
      ],
    });
    this.masking = new CloudwatchLogDataProtectionPolicy(this, "masking-policy", {
      logGroupName: this.group.name,
      policyDocument: document.json,
    });
    this.readiness = [access.policy, this.masking];
  }
}
