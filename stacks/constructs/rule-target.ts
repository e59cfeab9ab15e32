import { type CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import {
  CloudwatchEventTarget,
  type CloudwatchEventTargetConfig,
} from "@cdktf/provider-aws/lib/cloudwatch-event-target";
import { Construct, type IDependable } from "constructs";
import { type ITerraformDependable } from "cdktf";
import { type EventLog } from "./event-log";
import { type NotificationFunction } from "./notification-function";
import { type FailureQueue } from "./failure-queue";

/** How long EventBridge tries a target. The most that EventBridge takes is 185 attempts and 24 hours. */
interface TargetRetry {
  readonly attempts: number;
  readonly maximumAgeSeconds: number;
}

/** How events get from every rule to its target. */
export interface Delivery {
  readonly retry: TargetRetry;
  /** Gets an event that EventBridge could not bring to its target. Without it, EventBridge would drop the event. */
  readonly deadLetters: FailureQueue;
}

/** A rule, with the names that its alarms need. */
export interface RoutedRule {
  /** The rule's name without project and stage. */
  readonly name: string;
  readonly rule: CloudwatchEventRule;
  /** The bus's name; `undefined` for the default bus, whose metrics have no dimension for the bus. */
  readonly busName: string | undefined;
}

interface RuleTargetProps {
  readonly rule: CloudwatchEventRule;
  readonly delivery: Delivery;
}

type InputTransformer = CloudwatchEventTargetConfig["inputTransformer"];

export interface FunctionTargetProps extends RuleTargetProps {
  readonly function: NotificationFunction;
  /** @default the event is passed on unchanged */
  readonly inputTransformer?: InputTransformer;
}

export interface QueueTargetProps extends RuleTargetProps {
  readonly queue: FailureQueue;
  /** JSON path of the part of the event that the queue gets. */
  readonly inputPath: string;
}

export interface LogGroupTargetProps extends RuleTargetProps {
  readonly log: EventLog;
  /**
   * Has to make `{"timestamp": .., "message": <a text>}`, because a log group takes no other form
   * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html, "Amazon CloudWatch log
   * group"; aws-cdk issue 19451).
   * @default the event is passed on unchanged
   */
  readonly inputTransformer?: InputTransformer;
}

/**
 * A function as a rule's target, with what is easily forgotten: the permission, the limits of the retries, the
 * dead-letter queue.
 */
export class FunctionTarget extends Construct {
  readonly target: CloudwatchEventTarget;

  constructor(scope: Construct, id: string, props: FunctionTargetProps) {
    super(scope, id);
    const { function: lambda, rulesPermission } = props.function;
    // The permission has to exist first. An event that EventBridge may not deliver goes to the dead-letter queue
    // without a second try.
    this.target = addTarget(this, props, [rulesPermission], {
      targetId: lambda.functionNameInput ?? "function",
      arn: lambda.arn,
      ...transformed(props.inputTransformer),
    });
  }
}

/** A queue as a rule's target. The queue's policy lets every rule of the stage in. */
export class QueueTarget extends Construct {
  readonly target: CloudwatchEventTarget;

  constructor(scope: Construct, id: string, props: QueueTargetProps) {
    super(scope, id);
    this.target = addTarget(this, props, [], {
      targetId: "queue",
      arn: props.queue.queue.arn,
      inputPath: props.inputPath,
    });
  }
}

/** A log group as a rule's target. */
export class LogGroupTarget extends Construct {
  readonly target: CloudwatchEventTarget;

  constructor(scope: Construct, id: string, props: LogGroupTargetProps) {
    super(scope, id);
    const { log, inputTransformer } = props;
    this.target = addTarget(this, props, log.readiness, {
      targetId: "logs",
      arn: log.group.arn,
      ...transformed(inputTransformer),
    });
  }
}

const transformed = (inputTransformer: InputTransformer) =>
  inputTransformer === undefined ? {} : { inputTransformer };

function addTarget(
  scope: Construct,
  { rule, delivery: { retry, deadLetters } }: RuleTargetProps,
  dependsOn: readonly (ITerraformDependable & IDependable)[],
  target: Omit<CloudwatchEventTargetConfig, "rule">,
): CloudwatchEventTarget {
  return new CloudwatchEventTarget(scope, "target", {
    rule: rule.name,
    ...(rule.eventBusNameInput === undefined ? {} : { eventBusName: rule.eventBusNameInput }),
    ...target,
    retryPolicy: { maximumRetryAttempts: retry.attempts, maximumEventAgeInSeconds: retry.maximumAgeSeconds },
    deadLetterConfig: { arn: deadLetters.queue.arn },
    // A notification that changes its lane gets another target. The new one is created first, because EventBridge drops
    // the events of a rule without a target.
    lifecycle: { createBeforeDestroy: true },
    dependsOn: [...dependsOn],
  });
}
