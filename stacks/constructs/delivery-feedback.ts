import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { Sesv2ConfigurationSetEventDestination } from "@cdktf/provider-aws/lib/sesv2-configuration-set-event-destination";
import { type Sesv2ConfigurationSet } from "@cdktf/provider-aws/lib/sesv2-configuration-set";
import { Construct } from "constructs";
import { type Arns } from "../arns";
import { type Names } from "../names";
import { movedFrom } from "../previous-addresses";
import { EventLog, type EventLogSettings } from "./event-log";
import { LogMetric } from "./log-metric";
import { type Delivery, LogGroupTarget, type RoutedRule } from "./rule-target";

export interface DeliveryFeedbackProps {
  readonly names: Names;
  readonly configurationSet: Sesv2ConfigurationSet;
  readonly arns: Arns;
  readonly log: EventLogSettings;
  readonly delivery: Delivery;
  /** Whether SES also tells who opened a mail and who clicked a link in it. @default false */
  readonly tracksMail?: boolean;
}

/**
 * The events that SES publishes after it took a mail. Each has the event type in the configuration set, the detail-type
 * on the bus (https://docs.aws.amazon.com/ses/latest/dg/monitoring-eventbridge.html), and the metric that counts it.
 */
export const feedbackEvents = [
  { type: "SEND", detailType: "Email Sent", metric: "Sends" },
  { type: "BOUNCE", detailType: "Email Bounced", metric: "Bounces" },
  { type: "COMPLAINT", detailType: "Email Complaint Received", metric: "Complaints" },
  { type: "REJECT", detailType: "Email Rejected", metric: "Rejects" },
  { type: "RENDERING_FAILURE", detailType: "Email Rendering Failed", metric: "RenderingFailures" },
  { type: "DELIVERY_DELAY", detailType: "Email Delivery Delayed", metric: "DeliveryDelays" },
  { type: "DELIVERY", detailType: "Email Delivered", metric: "Deliveries" },
] as const;

/** The events that SES publishes about mail that it tracks. */
const trackingEvents = [
  { type: "OPEN", detailType: "Email Opened", metric: "Opens" },
  { type: "CLICK", detailType: "Email Clicked", metric: "Clicks" },
] as const;

/** Name of the metric that counts SES's events of a type. */
export function feedbackMetric(type: (typeof feedbackEvents)[number]["type"]): string {
  const [event] = feedbackEvents.filter((each) => each.type === type);
  if (event === undefined)
    throw new Error(`SES's events of the type ${type} are not counted; this is a bug in feedbackEvents.`);
  return event.metric;
}

/**
 * Counts mail that SES did not send, because an earlier mail to the address bounced or led to a complaint. SES reports
 * this as a kind of bounce.
 */
export const suppressedSends = {
  metric: "SuppressedSends",
  pattern: '{ $.detail.bounce.bounceSubType = "OnAccountSuppressionList" }',
};

/** Brings SES's events about our mail into a log group, and counts them. */
export class DeliveryFeedback extends Construct {
  readonly log: EventLog;
  readonly rule: RoutedRule;

  constructor(scope: Construct, id: string, props: DeliveryFeedbackProps) {
    super(scope, id);
    const { names, arns, configurationSet, delivery, tracksMail = false } = props;
    const events = tracksMail ? [...feedbackEvents, ...trackingEvents] : feedbackEvents;
    this.log = new EventLog(this, "log", {
      ...props.log,
      names,
      suffix: "feedback",
      // SES tells from where a mail was opened.
      ...(tracksMail ? { alsoMasked: ["IpAddress"] } : {}),
    });
    movedFrom(this.log.group, "delivery-feedback", "logs");
    movedFrom(this.log.masking, "delivery-feedback", "masking-policy");
    const name = "feedback-rule";
    const rule = new CloudwatchEventRule(this, "rule", {
      name: names.of(name),
      description: "Logs what SES tells about the mail of this stage",
      eventPattern: JSON.stringify({
        source: ["aws.ses"],
        "detail-type": events.map(({ detailType }) => detailType),
        detail: { mail: { tags: { "ses:configuration-set": [names.configurationSet] } } },
      }),
    });
    this.rule = { name, rule, busName: undefined };
    const target = new LogGroupTarget(this, "target", { rule, log: this.log, delivery });
    movedFrom(target.target, "delivery-feedback", "target");
    new Sesv2ConfigurationSetEventDestination(this, "destination", {
      configurationSetName: configurationSet.configurationSetName,
      eventDestinationName: names.of("feedback"),
      eventDestination: {
        enabled: true,
        matchingEventTypes: events.map(({ type }) => type),
        // SES publishes only to the default bus (API v2, EventBridgeDestination).
        eventBridgeDestination: { eventBusArn: arns.defaultBus },
      },
      // An event that SES publishes before a rule takes it to the log is lost.
      dependsOn: [target.target],
    });
    const metrics = events.map(({ detailType, metric }) => ({
      metric,
      pattern: `{ $.detail-type = "${detailType}" }`,
    }));
    for (const { metric, pattern } of [...metrics, suppressedSends]) {
      new LogMetric(this, `metric-${metric}`, {
        name: names.of(`feedback-${metric}`),
        logGroup: this.log.group,
        pattern,
        metric,
        namespace: names.metricsNamespace,
      });
    }
  }
}
