import { type CloudwatchEventBus } from "@cdktf/provider-aws/lib/cloudwatch-event-bus";
import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { Construct } from "constructs";
import { type EventTrigger, type Notification, type ScheduleTrigger } from "../../handler/notifications/define";
import { type Names } from "../names";
import { escapeForTerraform } from "../templates";
import { permanentFailurePattern } from "./failure-routing";
import { type NotificationLane } from "./notification-lane";
import { type ParkingQueue } from "./parking-queue";
import { FunctionTarget, QueueTarget, type TargetRetry } from "./rule-target";

export interface EventRoutingProps {
  readonly names: Names;
  readonly notifications: readonly Notification[];
  readonly bus: CloudwatchEventBus;
  readonly lanes: Readonly<Record<Notification["lane"], NotificationLane>>;
  readonly deadLetters: ParkingQueue;
  /** Recipients of scheduled notifications. */
  readonly recipients: readonly [string, ...string[]];
  readonly retry: TargetRetry;
}

/** A rule, with what an alarm needs to name it. */
export interface RoutedRule {
  readonly rule: CloudwatchEventRule;
  /** `undefined` for the default bus: its metrics have no dimension for the bus. */
  readonly busName: string | undefined;
}

/** One rule a notification, to the function of its lane; and the rule that parks what needs a person. */
export class EventRouting extends Construct {
  /** Every rule that brings something to a function or a queue. */
  readonly rules: readonly RoutedRule[];

  constructor(scope: Construct, id: string, props: EventRoutingProps) {
    super(scope, id);
    const { names, bus, lanes, deadLetters, retry } = props;
    const notificationRules = props.notifications.map((notification): RoutedRule => {
      const { id: name, trigger } = notification;
      const role = { name: names.of(notification.ruleName), description: notification.description };
      const onCustomBus = trigger.kind === "event";
      const rule = new CloudwatchEventRule(
        this,
        `${name}-rule`,
        onCustomBus
          ? { ...role, eventBusName: bus.name, eventPattern: JSON.stringify(toPattern(trigger)) }
          : { ...role, scheduleExpression: trigger.expression },
      );
      new FunctionTarget(this, `${name}-target`, {
        rule,
        function: lanes[notification.lane].notify.function,
        retry,
        deadLetters,
        ...(onCustomBus ? {} : { inputTransformer: toScheduledEvent(trigger, props.recipients) }),
      });
      return { rule, busName: onCustomBus ? bus.name : undefined };
    });
    const allLanes = Object.values(lanes);
    const deadLetterRule = new CloudwatchEventRule(this, "dead-letter-rule", {
      name: names.of("dead-letter-rule"),
      description: "Parks what failed for a reason that a retry can't mend",
      eventBusName: bus.name,
      eventPattern: JSON.stringify(permanentFailurePattern(allLanes.map(({ functionArn }) => functionArn))),
    });
    new QueueTarget(this, "dead-letter-target", {
      rule: deadLetterRule,
      queue: deadLetters,
      inputPath: "$.detail",
      retry,
      deadLetters,
    });
    this.rules = [
      ...notificationRules,
      ...[...allLanes.map(({ retryRule }) => retryRule), deadLetterRule].map((rule) => ({ rule, busName: bus.name })),
    ];
  }
}

function toPattern({ source, detailType, detailPattern }: EventTrigger): unknown {
  return { source: [source], "detail-type": [detailType], ...(detailPattern ? { detail: detailPattern } : {}) };
}

/**
 * The business event of a schedule: its content is constant, its id and time are those of the occurrence. By the time
 * a second run of the same occurrence is told from the next day's.
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
