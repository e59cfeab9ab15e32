import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { CloudwatchEventTarget } from "@cdktf/provider-aws/lib/cloudwatch-event-target";
import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { CloudwatchLogMetricFilter } from "@cdktf/provider-aws/lib/cloudwatch-log-metric-filter";
import { CloudwatchLogResourcePolicy } from "@cdktf/provider-aws/lib/cloudwatch-log-resource-policy";
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
    const policy = new DataAwsIamPolicyDocument(this, "log-policy", {
      statement: [
        {
          sid: "RuleMayLog",
          actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
          resources: [`${this.logGroup.arn}:*`],
          principals: [{ type: "Service", identifiers: ["events.amazonaws.com", "delivery.logs.amazonaws.com"] }],
          condition: [{ test: "ArnEquals", variable: "aws:SourceArn", values: [rule.arn] }],
        },
      ],
    });
    const logPolicy = new CloudwatchLogResourcePolicy(this, "log-policy-attachment", {
      policyName: names.of("feedback"),
      policyDocument: policy.json,
    });
    deadLetters.acceptFromRule(rule.arn);
    new CloudwatchEventTarget(this, "target", {
      rule: rule.name,
      targetId: "logs",
      arn: this.logGroup.arn,
      retryPolicy: { maximumRetryAttempts: retry.attempts, maximumEventAgeInSeconds: retry.maximumAgeSeconds },
      deadLetterConfig: { arn: deadLetters.queue.arn },
      dependsOn: [logPolicy],
    });
    for (const { detailType, metric } of feedbackEvents) {
      new CloudwatchLogMetricFilter(this, `metric-${metric}`, {
        name: names.of(`feedback-${metric}`),
        logGroupName: this.logGroup.name,
        pattern: `{ $.detail-type = "${detailType}" }`,
        metricTransformation: { name: metric, namespace: props.metricsNamespace, value: "1", defaultValue: "0" },
      });
    }
  }
}
