import { type CloudwatchEventBus } from "@cdktf/provider-aws/lib/cloudwatch-event-bus";
import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { Annotations } from "cdktf";
import { Construct } from "constructs";
import { type Notification, type ScheduleTrigger } from "../../handler/notifications/define";
import { patternOf } from "../../handler/notifications/patterns";
import { type Lane } from "../lanes";
import { type Names } from "../names";
import { movedFrom } from "../previous-addresses";
import { constantContent, occurrenceFields } from "../scheduled-event";
import { escapeForTerraform } from "../templates/load";
import { type ComplementRule, unmatchedRules, unroutedRules } from "./complement-rules";
import { EventLog, type EventLogSettings } from "./event-log";
import { LogMetric } from "./log-metric";
import { type NotificationLane } from "./notification-lane";
import { type Delivery, FunctionTarget, LogGroupTarget, type RoutedRule } from "./rule-target";

export interface EventRoutingProps {
  readonly names: Names;
  readonly notifications: readonly Notification[];
  readonly bus: CloudwatchEventBus;
  readonly lanes: Readonly<Record<Lane, NotificationLane>>;
  /** Recipients of scheduled notifications. */
  readonly recipients: readonly [string, ...string[]];
  readonly delivery: Delivery;
  /** The longest event pattern that the account's quota allows, in characters. */
  readonly mostPatternCharacters: number;
  /** Where unrouted events are logged. */
  readonly log: EventLogSettings;
}

/** The metric that counts the events of known sources that no notification knows. */
export const unroutedEvents = { metric: "UnroutedEvents", pattern: '"Unrouted event"' };

/**
 * Brings events to the functions. Each notification has a rule that brings its events to the function of its lane.
 * Further rules take the events that remain, so that no event of a known source is lost because of a typo.
 */
export class EventRouting extends Construct {
  /** Every rule that this construct makes. */
  readonly rules: readonly RoutedRule[];
  /** The log of the events that no notification knows. */
  readonly unroutedLog: EventLog;
  private readonly routes = new Construct(this, "routes");

  constructor(
    scope: Construct,
    id: string,
    private readonly props: EventRoutingProps,
  ) {
    super(scope, id);
    const { names, notifications, mostPatternCharacters } = props;
    this.unroutedLog = new EventLog(this, "unrouted-log", { ...props.log, names, suffix: "unrouted" });
    new LogMetric(this, "unrouted-metric", {
      ...unroutedEvents,
      name: names.of("unrouted-events"),
      logGroup: this.unroutedLog.group,
      namespace: names.metricsNamespace,
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
   * The construct's id is the rule's name and not the notification's id. Otherwise a notification that gets a new id
   * and keeps its rule name would get a new address: Terraform would put the rule under the new address, and then
   * destroy it under the old one.
   */
  private routeNotification(notification: Notification): RoutedRule {
    const { names, bus, lanes, delivery, recipients } = this.props;
    const { id, ruleName, trigger } = notification;
    const named = { name: names.of(ruleName), description: escapeForTerraform(notification.description) };
    const route = new Construct(this.routes, ruleName);
    const rule = new CloudwatchEventRule(
      route,
      "rule",
      trigger.kind === "event"
        ? { ...named, eventBusName: bus.name, eventPattern: toPatternText(patternOf(trigger)) }
        : { ...named, scheduleExpression: trigger.expression },
    );
    const { target } = new FunctionTarget(route, "target", {
      rule,
      function: lanes[notification.lane].processor,
      delivery,
      ...(trigger.kind === "event" ? {} : { inputTransformer: toScheduledEvent(trigger, recipients) }),
    });
    movedFrom(rule, "event-routing", `${id}-rule`);
    movedFrom(target, "event-routing", `${id}-target`, "target");
    return { name: ruleName, rule, busName: trigger.kind === "event" ? bus.name : undefined };
  }

  /**
   * Brings these events to the function. The function checks the pattern itself, and parks such an event as
   * `NoRuleMatches`.
   */
  private routeUnmatched({ name, pattern }: ComplementRule): RoutedRule {
    const { bus, lanes, delivery } = this.props;
    const route = new Construct(this.routes, name);
    const rule = this.complementRule(
      route,
      name,
      "Parks what a notification's rule should have taken, and did not",
      pattern,
    );
    new FunctionTarget(route, "target", { rule, function: lanes.standard.processor, delivery });
    return { name, rule, busName: bus.name };
  }

  private routeUnrouted({ name, pattern }: ComplementRule): RoutedRule {
    const { bus, delivery } = this.props;
    const route = new Construct(this.routes, name);
    const rule = this.complementRule(route, name, "Logs events of known sources that no notification knows", pattern);
    new LogGroupTarget(route, "target", {
      rule,
      log: this.unroutedLog,
      delivery,
      inputTransformer: {
        inputPaths: { id: "$.id", time: "$.time", source: "$.source", detailType: "$.detail-type" },
        // The event's content is left out of the log, because nobody knows what it holds.
        inputTemplate: `{"timestamp":<time>,"message":"Unrouted event <id> of <time>: source <source>, detail-type <detailType>"}`,
      },
    });
    return { name, rule, busName: bus.name };
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
 * Builds the business event of a schedule. Its content is constant. Its id and time come from the occurrence, so that a
 * second delivery of one occurrence can be told from the next day's occurrence.
 */
function toScheduledEvent(trigger: ScheduleTrigger<unknown>, recipients: readonly [string, ...string[]]) {
  const constant = toTemplateConstant(constantContent(trigger, recipients));
  const occurrence = occurrenceFields.map((name) => `"${name}":<${name}>`).join(",");
  return {
    inputPaths: Object.fromEntries(occurrenceFields.map((name) => [name, `$.${name}`])),
    inputTemplate: `{${occurrence},${escapeForTerraform(constant).slice(1)}`,
  };
}

/**
 * Writes a value as JSON that EventBridge takes as a constant. EventBridge would replace `<name>` inside of a text,
 * too, and would end the text at an escaped quotation mark. These characters occur only inside of texts, so they can be
 * written by their codes.
 */
function toTemplateConstant(value: unknown): string {
  const codes: Readonly<Record<string, string>> = { '\\"': "\\u0022", "<": "\\u003c", ">": "\\u003e" };
  return JSON.stringify(value).replace(/\\.|[<>]/g, (token) => codes[token] ?? token);
}
