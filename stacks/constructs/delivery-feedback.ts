import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { CloudwatchEventTarget } from "@cdktf/provider-aws/lib/cloudwatch-event-target";
import { CloudwatchLogDataProtectionPolicy } from "@cdktf/provider-aws/lib/cloudwatch-log-data-protection-policy";
import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { CloudwatchLogMetricFilter } from "@cdktf/provider-aws/lib/cloudwatch-log-metric-filter";
import { CloudwatchLogResourcePolicy } from "@cdktf/provider-aws/lib/cloudwatch-log-resource-policy";
import { DataAwsCloudwatchLogDataProtectionPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-cloudwatch-log-data-protection-policy-document";
import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { Sesv2ConfigurationSetEventDestination } from "@cdktf/provider-aws/lib/sesv2-configuration-set-event-destination";
import { type Sesv2ConfigurationSet } from "@cdktf/provider-aws/lib/sesv2-configuration-set";
import { Construct } from "constructs";
import { type Names } from "../names";
import { type RoutedRule } from "./event-routing";
import { type ParkingQueue } from "./parking-queue";
import { type TargetRetry } from "./rule-target";

export interface DeliveryFeedbackProps {
  readonly names: Names;
  readonly configurationSet: Sesv2ConfigurationSet;
  readonly defaultBusArn: string;
  /** `aws`, `aws-cn`, .. */
  readonly partition: string;
  readonly logRetentionDays: number;
  readonly metricsNamespace: string;
  readonly deadLetters: ParkingQueue;
  readonly retry: TargetRetry;
}

/**
 * What SES tells after it took a mail: its event type in the configuration set, the detail-type that arrives on the bus
 * (https://docs.aws.amazon.com/ses/latest/dg/monitoring-eventbridge.html), and the metric that counts it.
 */
export const feedbackEvents = [
  { type: "BOUNCE", detailType: "Email Bounced", metric: "Bounces" },
  { type: "COMPLAINT", detailType: "Email Complaint Received", metric: "Complaints" },
  { type: "REJECT", detailType: "Email Rejected", metric: "Rejects" },
  { type: "RENDERING_FAILURE", detailType: "Email Rendering Failed", metric: "RenderingFailures" },
  { type: "DELIVERY_DELAY", detailType: "Email Delivery Delayed", metric: "DeliveryDelays" },
  { type: "DELIVERY", detailType: "Email Delivered", metric: "Deliveries" },
] as const;

/** What was not sent, because an earlier mail to the address bounced or was complained of: one kind of the bounces. */
export const suppressedSends = {
  metric: "SuppressedSends",
  pattern: '{ $.detail.bounce.bounceSubType = "OnAccountSuppressionList" }',
};

/** Brings SES's events about our mail into a log group, and counts them. */
export class DeliveryFeedback extends Construct {
  readonly logGroup: CloudwatchLogGroup;
  readonly rule: RoutedRule;

  constructor(scope: Construct, id: string, props: DeliveryFeedbackProps) {
    super(scope, id);
    const { names, configurationSet, deadLetters, retry } = props;
    new Sesv2ConfigurationSetEventDestination(this, "destination", {
      configurationSetName: configurationSet.configurationSetName,
      eventDestinationName: names.of("feedback"),
      eventDestination: {
        enabled: true,
        matchingEventTypes: feedbackEvents.map(({ type }) => type),
        // SES publishes to the default bus only (API v2, EventBridgeDestination).
        eventBridgeDestination: { eventBusArn: props.defaultBusArn },
      },
    });
    // EventBridge writes into log groups of this name only, as the console makes them.
    this.logGroup = new CloudwatchLogGroup(this, "logs", {
      name: `/aws/events/${names.of("feedback")}`,
      retentionInDays: props.logRetentionDays,
    });
    const masking = this.maskAddresses(props);
    const rule = new CloudwatchEventRule(this, "rule", {
      name: names.of("feedback-rule"),
      description: "Logs what SES tells about the mail of this stage",
      eventPattern: JSON.stringify({
        source: ["aws.ses"],
        "detail-type": feedbackEvents.map(({ detailType }) => detailType),
        detail: { mail: { tags: { "ses:configuration-set": [names.of("notifications")] } } },
      }),
    });
    this.rule = { rule, busName: undefined };
    const logStreams = {
      resources: [`${this.logGroup.arn}:*`],
      principals: [{ type: "Service", identifiers: ["events.amazonaws.com", "delivery.logs.amazonaws.com"] }],
    };
    const policy = new DataAwsIamPolicyDocument(this, "log-policy", {
      statement: [
        // The rule's ARN comes with PutLogEvents only (serverless-patterns pull request 618, terraform-provider-aws issue
        // 26628): a stream that is allowed to the rule alone may never be made. Without the condition it is still one group.
        { ...logStreams, sid: "EventBridgeMayMakeStreams", actions: ["logs:CreateLogStream"] },
        {
          ...logStreams,
          sid: "RuleMayLog",
          actions: ["logs:PutLogEvents"],
          condition: [{ test: "ArnEquals", variable: "aws:SourceArn", values: [rule.arn] }],
        },
      ],
    });
    const logPolicy = new CloudwatchLogResourcePolicy(this, "log-policy-attachment", {
      policyName: names.of("feedback"),
      policyDocument: policy.json,
    });
    deadLetters.acceptFromRule(rule);
    new CloudwatchEventTarget(this, "target", {
      rule: rule.name,
      targetId: "logs",
      arn: this.logGroup.arn,
      retryPolicy: { maximumRetryAttempts: retry.attempts, maximumEventAgeInSeconds: retry.maximumAgeSeconds },
      deadLetterConfig: { arn: deadLetters.queue.arn },
      // What comes before the masking stays readable.
      dependsOn: [logPolicy, masking],
    });
    const metrics = feedbackEvents.map(({ detailType, metric }) => ({
      metric,
      pattern: `{ $.detail-type = "${detailType}" }`,
    }));
    for (const { metric, pattern } of [...metrics, suppressedSends]) {
      new CloudwatchLogMetricFilter(this, `metric-${metric}`, {
        name: names.of(`feedback-${metric}`),
        logGroupName: this.logGroup.name,
        pattern,
        metricTransformation: { name: metric, namespace: props.metricsNamespace, value: "1", defaultValue: "0" },
      });
    }
  }

  /** SES's events hold addresses. Who reads them sees asterisks, unless the role has `logs:Unmask` and asks for it. */
  private maskAddresses({ names, partition }: DeliveryFeedbackProps): CloudwatchLogDataProtectionPolicy {
    const dataIdentifiers = [`arn:${partition}:dataprotection::aws:data-identifier/EmailAddress`];
    const document = new DataAwsCloudwatchLogDataProtectionPolicyDocument(this, "masking", {
      name: names.of("feedback"),
      statement: [
        // Both are demanded, over the same identifiers (PutDataProtectionPolicy); nobody wants the findings.
        { sid: "Audit", dataIdentifiers, operation: { audit: { findingsDestination: {} } } },
        { sid: "Mask", dataIdentifiers, operation: { deidentify: { maskConfig: {} } } },
      ],
    });
    return new CloudwatchLogDataProtectionPolicy(this, "masking-policy", {
      logGroupName: this.logGroup.name,
      policyDocument: document.json,
    });
  }
}
