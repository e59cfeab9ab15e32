import { CloudwatchEventArchive } from "@cdktf/provider-aws/lib/cloudwatch-event-archive";
import { CloudwatchEventBus } from "@cdktf/provider-aws/lib/cloudwatch-event-bus";
import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { type LambdaFunction } from "@cdktf/provider-aws/lib/lambda-function";
import { Construct } from "constructs";
import { type EventTrigger, type Notification, type ScheduleTrigger } from "../../handler/notifications/define";
import { type Names } from "../names";
import { escapeForTerraform } from "../templates";
import { type DeadLetters } from "./dead-letters";
import { RuleTarget } from "./rule-target";

export interface EventRoutingProps {
  readonly names: Names;
  readonly notifications: readonly Notification[];
  readonly function: LambdaFunction;
  readonly deadLetters: DeadLetters;
  /** Recipients of scheduled notifications. */
  readonly recipients: readonly [string, ...string[]];
  readonly archiveRetentionDays: number;
  readonly retry: { readonly attempts: number; readonly maximumAgeSeconds: number };
}

/** A rule, with what an alarm needs to name it. */
export interface RoutedRule {
  readonly rule: CloudwatchEventRule;
  /** `undefined` for the default bus: its metrics have no dimension for the bus. */
  readonly busName: string | undefined;
}

/** The custom bus, its archive, and one rule a notification. */
export class EventRouting extends Construct {
  readonly bus: CloudwatchEventBus;
  readonly rules: readonly RoutedRule[];

  constructor(scope: Construct, id: string, props: EventRoutingProps) {
    super(scope, id);
    const { names } = props;
    this.bus = new CloudwatchEventBus(this, "bus", {
      name: names.of("event-bus"),
      description: "Business events that turn into mail",
    });
    new CloudwatchEventArchive(this, "archive", {
      name: names.of("archive"),
      description: "Keeps events for a replay",
      eventSourceArn: this.bus.arn,
      retentionDays: props.archiveRetentionDays,
    });
    this.rules = props.notifications.map((notification) => {
      const { id: name, trigger } = notification;
      const role = { name: names.of(notification.ruleName), description: notification.description };
      const onCustomBus = trigger.kind === "event";
      const rule = new CloudwatchEventRule(
        this,
        `${name}-rule`,
        onCustomBus
          ? { ...role, eventBusName: this.bus.name, eventPattern: JSON.stringify(toPattern(trigger)) }
          : { ...role, scheduleExpression: trigger.expression },
      );
      new RuleTarget(this, `${name}-target`, {
        rule,
        function: props.function,
        retry: props.retry,
        deadLetters: props.deadLetters,
        ...(onCustomBus ? {} : { inputTransformer: toScheduledEvent(trigger, props.recipients) }),
      });
      return { rule, busName: onCustomBus ? this.bus.name : undefined };
    });
  }
}

function toPattern({ source, detailType, detailPattern }: EventTrigger): unknown {
  return { source: [source], "detail-type": [detailType], ...(detailPattern ? { detail: detailPattern } : {}) };
}

/**
 * The business event of a schedule: its content is constant, its id and time are those of the occurrence, so that
 * a second delivery of the same occurrence can be told from the next day's.
 */
function toScheduledEvent(trigger: ScheduleTrigger<unknown>, recipients: readonly [string, ...string[]]) {
  const constant = JSON.stringify({
    version: "0",
    source: trigger.source,
    "detail-type": trigger.detailType,
    resources: [],
    detail: trigger.detail(recipients),
  });
  return {
    inputPaths: { id: "$.id", time: "$.time", account: "$.account", region: "$.region" },
    inputTemplate: `{"id":<id>,"time":<time>,"account":<account>,"region":<region>,${escapeForTerraform(constant).slice(1)}`,
  };
}
