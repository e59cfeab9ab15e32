import { CloudwatchLogDataProtectionPolicy } from "@cdktf/provider-aws/lib/cloudwatch-log-data-protection-policy";
import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { CloudwatchLogResourcePolicy } from "@cdktf/provider-aws/lib/cloudwatch-log-resource-policy";
import { DataAwsCloudwatchLogDataProtectionPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-cloudwatch-log-data-protection-policy-document";
import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { type ITerraformDependable } from "cdktf";
import { Construct, type IDependable } from "constructs";
import { type Arns } from "../arns";
import { type Names } from "../names";
import { suppress } from "../policy/suppressions";

/** EventBridge writes only into log groups with this prefix, which the console uses as well. */
const groupNamePrefix = "/aws/events/";

export interface EventLogAccessProps {
  readonly names: Names;
  readonly arns: Arns;
}

/**
 * The permission of the stage's rules to write into the stage's event logs. All rules share one policy, because an
 * account has at most ten in a region
 * (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html).
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
        { ...ownStreams, sid: "EventBridgeMayMakeStreams", actions: ["logs:CreateLogStream"] },
        {
          ...ownStreams,
          sid: "RulesMayLog",
          actions: ["logs:PutLogEvents"],
          condition: [{ test: "ArnLike", variable: "aws:SourceArn", values: [arns.ownRules] }],
        },
      ],
    });
    suppress(document, {
      rule: "services-name-source",
      appliesTo: ownStreams.principals.flatMap(({ identifiers }) =>
        identifiers.map((service) => `logs:CreateLogStream to ${service}`),
      ),
      reason:
        "Only PutLogEvents carries the rule's ARN (serverless-patterns pull request 618, terraform-provider-aws issue 26628): with the condition, the stream might never be created. Without it, a service can make empty streams in the logs of this stage, and nothing else.",
    });
    this.policy = new CloudwatchLogResourcePolicy(this, "policy", {
      policyName: names.of("event-logs"),
      policyDocument: document.json,
    });
  }
}

/** Settings that all event logs of a stage share. */
export interface EventLogSettings {
  readonly access: EventLogAccess;
  readonly arns: Arns;
  readonly retentionDays: number;
}

export interface EventLogProps extends EventLogSettings {
  readonly names: Names;
  /** What follows project and stage in the log group's name. */
  readonly suffix: string;
  /**
   * Kinds of data that are masked beside e-mail addresses, by AWS's names
   * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/protect-sensitive-log-data-types.html). @default none
   */
  readonly alsoMasked?: readonly string[];
}

/** A log group that a rule writes events into, with the addresses in them masked. */
export class EventLog extends Construct {
  readonly group: CloudwatchLogGroup;
  readonly masking: CloudwatchLogDataProtectionPolicy;
  /**
   * Resources that have to exist before the first event. An event that is logged before the masking exists stays
   * readable.
   */
  readonly readiness: readonly (ITerraformDependable & IDependable)[];

  constructor(scope: Construct, id: string, props: EventLogProps) {
    super(scope, id);
    const { names, suffix, access, arns, retentionDays, alsoMasked = [] } = props;
    this.group = new CloudwatchLogGroup(this, "group", {
      name: `${groupNamePrefix}${names.of(suffix)}`,
      retentionInDays: retentionDays,
    });
    // Addresses are shown as asterisks, except to a role that has `logs:Unmask` and asks for them.
    const dataIdentifiers = ["EmailAddress", ...alsoMasked].map(
      (kind) => `arn:${arns.partition}:dataprotection::aws:data-identifier/${kind}`,
    );
    const document = new DataAwsCloudwatchLogDataProtectionPolicyDocument(this, "masking", {
      name: names.of(suffix),
      statement: [
        // PutDataProtectionPolicy demands both statements, over the same identifiers. Nobody reads the findings, so
        // they go nowhere.
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
