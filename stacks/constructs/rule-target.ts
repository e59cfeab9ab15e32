import { type CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import {
  CloudwatchEventTarget,
  type CloudwatchEventTargetInputTransformer,
} from "@cdktf/provider-aws/lib/cloudwatch-event-target";
import { type LambdaFunction } from "@cdktf/provider-aws/lib/lambda-function";
import { LambdaPermission } from "@cdktf/provider-aws/lib/lambda-permission";
import { Construct } from "constructs";
import { type DeadLetters } from "./dead-letters";

export interface RuleTargetProps {
  readonly rule: CloudwatchEventRule;
  readonly function: LambdaFunction;
  readonly retry: { readonly attempts: number; readonly maximumAgeSeconds: number };
  readonly deadLetters: DeadLetters;
  /** @default the event as it is */
  readonly inputTransformer?: CloudwatchEventTargetInputTransformer;
}

/** A function as a rule's target, with all that nobody must forget: permission, retry limits, dead letters. */
export class RuleTarget extends Construct {
  constructor(scope: Construct, id: string, props: RuleTargetProps) {
    super(scope, id);
    const { rule, retry, deadLetters, inputTransformer } = props;
    deadLetters.acceptFromRule(rule.arn);
    const permission = new LambdaPermission(this, "permission", {
      statementId: `${rule.nameInput ?? id}-invoke`,
      action: "lambda:InvokeFunction",
      functionName: props.function.functionName,
      principal: "events.amazonaws.com",
      sourceArn: rule.arn,
    });
    new CloudwatchEventTarget(this, "target", {
      rule: rule.name,
      ...(rule.eventBusNameInput === undefined ? {} : { eventBusName: rule.eventBusNameInput }),
      targetId: "email-processor",
      arn: props.function.arn,
      retryPolicy: {
        maximumRetryAttempts: retry.attempts,
        maximumEventAgeInSeconds: retry.maximumAgeSeconds,
      },
      deadLetterConfig: { arn: deadLetters.queue.arn },
      ...(inputTransformer === undefined ? {} : { inputTransformer }),
      // EventBridge parks an event that it may not deliver without a second try.
      dependsOn: [permission],
    });
  }
}
