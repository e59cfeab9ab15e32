import { type CloudwatchEventBus } from "@cdktf/provider-aws/lib/cloudwatch-event-bus";
import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { CloudwatchLogMetricFilter } from "@cdktf/provider-aws/lib/cloudwatch-log-metric-filter";
import { Annotations } from "cdktf";
import { Construct } from "constructs";
import { type Notification, type ScheduleTrigger } from "../../handler/notifications/define";
import { patternOf } from "../../handler/notifications/patterns";
import { type Names } from "../names";
import { movedFrom } from "../previous-addresses";
import { escapeForTerraform } from "../templates";
import { type ComplementRule, unmatchedRules, unroutedRules } from "./complement-rules";
import { EventLog, type EventLogProps } from "./event-log";
import { type NotificationLane } from "./notification-lane";
import { type ParkingQueue } from "./parking-queue";
import { FunctionTarget, LogGroupTarget, type TargetRetry } from "./rule-target";

export interface EventRoutingProps {
  readonly names: Names;
  readonly notifications: readonly Notification[];
  readonly bus: CloudwatchEventBus;
  readonly lanes: Readonly<Record<Notification["lane"], NotificationLane>>;
  readonly deadLetters: ParkingQueue;
  /** Recipients of scheduled notifications. */
  readonly recipients: readonly [string, ...string[]];
  readonly retry: TargetRetry;
  /** Longest event pattern that the account may have. */
  readonly mostPatternCharacters: number;
  /** Where unrouted events are logged. */
  readonly log: Pick<EventLogProps, "access" | "partition" | "retentionDays">;
  readonly metricsNamespace: string;
}

/** A rule, with what an alarm needs to name it. */
export interface RoutedRule {
  readonly rule: CloudwatchEventRule;
  /** `undefined` for the default bus: its metrics have no dimension for the bus. */
  readonly busName: string | undefined;
}

/** Counts the events of our sources that no notification knows. */
export const unroutedEvents = { metric: "UnroutedEvents", pattern: '"Unrouted event"' };

/**
 * One rule a notification, to the function of its lane; and the rules of what these leave: nothing of our sources
 * vanishes because of a typo.
 */
export class EventRouting extends Construct {
  /** Every rule that is made here. */
  readonly rules: readonly RoutedRule[];
  /** Log of the events that no notification knows. */
  readonly unroutedLog: EventLog;
  private readonly routes = new Construct(this, "routes");

  constructor(
    scope: Construct,
    id: string,
    private readonly props: EventRoutingProps,
  ) {
    super(scope, id);
    const { names, notifications, mostPatternCharacters } = props;
    this.unroutedLog = new EventLog(this, "unrouted-log", { ...props.log, names, role: "unrouted" });
    new CloudwatchLogMetricFilter(this, "unrouted-metric", {
      name: names.of("unrouted-events"),
      logGroupName: this.unroutedLog.group.name,
      pattern: unroutedEvents.pattern,
      metricTransformation: {
        name: unroutedEvents.metric,
        namespace: props.metricsNamespace,
        value: "1",
        defaultValue: "0",
      },
    });
    const unrouted = unroutedRules(notifications, mostPatternCharacters);
    for (const { source, beginnings } of unrouted.inexact) {
      Annotations.of(this).addWarning(
        `The source "${source}" has more detail-types than an event pattern of ${mostPatternCharacters} characters can name. ` +
          `An unknown detail-type of it is not counted as unrouted where it begins with one of: ${beginnings.join(", ")}. ` +
          `Ask AWS for a longer "Event pattern size" (Service Quotas, EventBridge; at most 4,096), and name it as quotas.eventPatternCharacters in stacks/stages.ts.`,
      );
    }
    this.rules = [
      ...notifications.map((notification) => this.routeNotification(notification)),
      ...unmatchedRules(notifications, mostPatternCharacters).map((rule) => this.routeUnmatched(rule)),
      ...unrouted.rules.map((rule) => this.routeUnrouted(rule)),
    ];
  }

  /**
   * The constructs are named by the rule and not by the notification's id: Terraform would put a rule of another address
   * and the same name, and then destroy the old address, which is the same rule.
   */
  private routeNotification(notification: Notification): RoutedRule {
    const { names, bus, lanes, deadLetters, retry, recipients } = this.props;
    const { id, ruleName, trigger } = notification;
    const role = { name: names.of(ruleName), description: escapeForTerraform(notification.description) };
    const route = new Construct(this.routes, ruleName);
    const rule = new CloudwatchEventRule(
      route,
      "rule",
      trigger.kind === "event"
        ? { ...role, eventBusName: bus.name, eventPattern: toPatternText(patternOf(trigger)) }
        : { ...role, scheduleExpression: trigger.expression },
    );
    const { target } = new FunctionTarget(route, "target", {
      rule,
      function: lanes[notification.lane].notify,
      retry,
      deadLetters,
      ...(trigger.kind === "event" ? {} : { inputTransformer: toScheduledEvent(trigger, recipients) }),
    });
    movedFrom(rule, "event-routing", `${id}-rule`);
    movedFrom(target, "event-routing", `${id}-target`, "target");
    return { rule, busName: trigger.kind === "event" ? bus.name : undefined };
  }

  /** The function sees for itself that the pattern does not take the event, and parks it as `NoRuleMatches`. */
  private routeUnmatched({ name, pattern }: ComplementRule): RoutedRule {
    const { bus, lanes, deadLetters, retry } = this.props;
    const route = new Construct(this.routes, name);
    const rule = this.complementRule(
      route,
      name,
      "Parks what a notification's rule should have taken, and did not",
      pattern,
    );
    new FunctionTarget(route, "target", { rule, function: lanes.standard.notify, retry, deadLetters });
    return { rule, busName: bus.name };
  }

  private routeUnrouted({ name, pattern }: ComplementRule): RoutedRule {
    const { bus, deadLetters, retry } = this.props;
    const route = new Construct(this.routes, name);
    const rule = this.complementRule(route, name, "Logs events of known sources that no notification knows", pattern);
    new LogGroupTarget(route, "target", {
      rule,
      log: this.unroutedLog,
      retry,
      deadLetters,
      inputTransformer: {
        inputPaths: { id: "$.id", time: "$.time", source: "$.source", detailType: "$.detail-type" },
        // Without the content: nobody knows what it holds.
        inputTemplate: `{"timestamp":<time>,"message":"Unrouted event <id> of <time>: source <source>, detail-type <detailType>"}`,
      },
    });
    return { rule, busName: bus.name };
  }

  private complementRule(
    route: Construct,
    name: string,
    description: string,
    pattern: ComplementRule["pattern"],
  ): CloudwatchEventRule {
    const { names, bus } = this.props;
    return new CloudwatchEventRule(route, "rule", {
      name: names.of(name),
      description,
      eventBusName: bus.name,
      eventPattern: toPatternText(pattern),
    });
  }
}

function toPatternText(pattern: ComplementRule["pattern"]): string {
  return escapeForTerraform(JSON.stringify(pattern));
}

/**
 * The business event of a schedule: its content is constant, its id and time are those of the occurrence. By the time
 * a second run of the same occurrence is told from the next day's.
 */
function toScheduledEvent(trigger: ScheduleTrigger<unknown>, recipients: readonly [string, ...string[]]) {
  const constant = toTemplateConstant({
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

/**
 * JSON that EventBridge reads as a constant, whatever is in its texts: it replaces `<name>` in a text as well, and takes
 * a quotation mark for the end of one. Both only come from a text, so they may be written by their codes.
 */
function toTemplateConstant(value: unknown): string {
  const codes: Readonly<Record<string, string>> = { '\\"': "\\u0022", "<": "\\u003c", ">": "\\u003e" };
  return JSON.stringify(value).replace(/\\.|[<>]/g, (token) => codes[token] ?? token);
}
