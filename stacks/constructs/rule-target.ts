import { type CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import {
  CloudwatchEventTarget,
  type CloudwatchEventTargetConfig,
} from "@cdktf/provider-aws/lib/cloudwatch-event-target";
import { type LambdaFunction } from "@cdktf/provider-aws/lib/lambda-function";
import { LambdaPermission } from "@cdktf/provider-aws/lib/lambda-permission";
import { Construct, type IDependable } from "constructs";
import { type ITerraformDependable } from "cdktf";
import { type ParkingQueue } from "./parking-queue";

/** EventBridge's own limits are 185 attempts and 24 hours; behind them an event is dropped. */
export interface TargetRetry {
  readonly attempts: number;
  readonly maximumAgeSeconds: number;
}

interface RuleTargetProps {
  readonly rule: CloudwatchEventRule;
  readonly retry: TargetRetry;
  readonly deadLetters: ParkingQueue;
}

export interface FunctionTargetProps extends RuleTargetProps {
  readonly function: LambdaFunction;
  /** @default the event as it is */
  readonly inputTransformer?: CloudwatchEventTargetConfig["inputTransformer"];
}

export interface QueueTargetProps extends RuleTargetProps {
  readonly queue: ParkingQueue;
  /** JSON path of what the queue gets. */
  readonly inputPath: string;
}

/** A function as a rule's target, with all that nobody must forget: permission, retry limits, dead letters. */
export class FunctionTarget extends Construct {
  constructor(scope: Construct, id: string, props: FunctionTargetProps) {
    super(scope, id);
    const { rule, inputTransformer } = props;
    const permission = new LambdaPermission(this, "permission", {
      statementId: `${rule.nameInput ?? id}-invoke`,
      action: "lambda:InvokeFunction",
      functionName: props.function.functionName,
      principal: "events.amazonaws.com",
      sourceArn: rule.arn,
    });
    // EventBridge parks an event that it may not deliver without a second try: the permission comes first.
    addTarget(this, props, [permission], {
      targetId: props.function.functionNameInput ?? "function",
      arn: props.function.arn,
      ...(inputTransformer === undefined ? {} : { inputTransformer }),
    });
  }
}

/** A queue as a rule's target, its policy included. */
export class QueueTarget extends Construct {
  constructor(scope: Construct, id: string, props: QueueTargetProps) {
    super(scope, id);
    props.queue.acceptFromRule(props.rule);
    addTarget(this, props, [], { targetId: "queue", arn: props.queue.queue.arn, inputPath: props.inputPath });
  }
}

function addTarget(
  scope: Construct,
  { rule, retry, deadLetters }: RuleTargetProps,
  dependsOn: (ITerraformDependable & IDependable)[],
  target: Omit<CloudwatchEventTargetConfig, "rule">,
): void {
  deadLetters.acceptFromRule(rule);
  new CloudwatchEventTarget(scope, "target", {
    rule: rule.name,
    ...(rule.eventBusNameInput === undefined ? {} : { eventBusName: rule.eventBusNameInput }),
    ...target,
    retryPolicy: { maximumRetryAttempts: retry.attempts, maximumEventAgeInSeconds: retry.maximumAgeSeconds },
    deadLetterConfig: { arn: deadLetters.queue.arn },
    dependsOn,
  });
}
