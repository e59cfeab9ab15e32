import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { type DataAwsIamPolicyDocumentStatement } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { LambdaEventSourceMapping } from "@cdktf/provider-aws/lib/lambda-event-source-mapping";
import { LambdaFunctionEventInvokeConfig } from "@cdktf/provider-aws/lib/lambda-function-event-invoke-config";
import { Construct } from "constructs";
import { asynchronousInvocation, retryQueueSettings } from "../delivery-windows";
import { type Lane, laneNames } from "../lanes";
import { type Names } from "../names";
import { type LaneBudget } from "../send-budget";
import { transientFailurePattern } from "./failure-routing";
import { type FailuresBus } from "./failures-bus";
import { NotificationFunction, type NotificationFunctionProps } from "./notification-function";
import { FailureQueue } from "./failure-queue";
import { type Delivery, QueueTarget, type RoutedRule } from "./rule-target";

type FunctionSettings = Pick<
  NotificationFunctionProps,
  "bundle" | "templates" | "memoryMb" | "logRetentionDays" | "arns"
>;

export interface NotificationLaneProps extends FunctionSettings {
  readonly lane: Lane;
  readonly names: Names;
  readonly budget: LaneBudget;
  readonly reserveConcurrency: boolean;
  readonly environment: Omit<NotificationFunctionProps["environment"], "sendRates">;
  readonly permissions: readonly DataAwsIamPolicyDocumentStatement[];
  readonly failures: FailuresBus;
  readonly delivery: Delivery;
  readonly deletionProtection: boolean;
}

/**
 * One function with its share of the send rate, and its retries:
 *
 * rule -> function -> (failed) failures bus -> retry rule -> retry queue -> function -> (hours later) dead-letter queue
 *
 * An event that no retry can mend does not take this way: the function puts it into the dead-letter queue at once.
 */
export class NotificationLane extends Construct {
  readonly lane: Lane;
  readonly processor: NotificationFunction;
  readonly functionName: string;
  readonly functionArn: string;
  readonly retryQueue: FailureQueue;
  readonly retryRule: RoutedRule;

  constructor(scope: Construct, id: string, props: NotificationLaneProps) {
    super(scope, id);
    const { lane, names, arns, budget, failures, delivery } = props;
    const { deadLetters } = delivery;
    this.lane = lane;
    const inLane = laneNames(lane);
    this.functionName = names.of(inLane.function);
    this.functionArn = arns.of("lambda", `function:${this.functionName}`);
    this.retryQueue = new FailureQueue(this, "retry-queue", {
      name: names.of(inLane.retryQueue),
      arns,
      deletionProtection: props.deletionProtection,
      redrive: { ...retryQueueSettings(lane, budget.timeoutSeconds), deadLetters },
    });
    this.processor = new NotificationFunction(this, "function", {
      functionName: this.functionName,
      roleName: names.inAccount(inLane.executionRole),
      description: `Turns business events into templated mail (${lane} lane)`,
      bundle: props.bundle,
      templates: props.templates,
      memoryMb: props.memoryMb,
      timeoutSeconds: budget.timeoutSeconds,
      logRetentionDays: props.logRetentionDays,
      reservedConcurrency: props.reserveConcurrency ? budget.concurrency : undefined,
      arns,
      permissionId: names.of(inLane.rulesPermission),
      environment: { ...props.environment, sendRates: budget.sendRates },
      permissions: [
        { sid: "ReportFailures", actions: ["events:PutEvents"], resources: [failures.bus.arn] },
        { sid: "ParkFailures", actions: ["sqs:SendMessage"], resources: [deadLetters.arn] },
        {
          sid: "ConsumeRetries",
          actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
          resources: [this.retryQueue.arn],
        },
        ...props.permissions,
      ],
    });
    failures.acceptFrom({ role: this.processor.role, functionArn: this.functionArn });
    const { functionName: deployed } = this.processor.function;
    const rule = new CloudwatchEventRule(this, "retry-rule", {
      name: names.of(inLane.retryRule),
      description: `Queues what failed in the ${lane} lane and can succeed later`,
      eventBusName: failures.bus.name,
      eventPattern: JSON.stringify(transientFailurePattern(this.functionArn)),
    });
    this.retryRule = { name: inLane.retryRule, rule, busName: failures.bus.name };
    const { target: retryTarget } = new QueueTarget(this, "retry-target", {
      rule,
      queue: this.retryQueue,
      // The retry queue gets the whole record: the original event, why it failed, and how often it was tried.
      inputPath: "$.detail",
      delivery,
    });
    new LambdaFunctionEventInvokeConfig(this, "asynchronous-invocation", {
      functionName: deployed,
      maximumRetryAttempts: asynchronousInvocation.retries,
      maximumEventAgeInSeconds: asynchronousInvocation.maximumAgeSeconds,
      // The dead-letter queue of a rule's target only gets events that could not be delivered, and never a failed run.
      // So failed runs have a destination (serverless issue 4647).
      destinationConfig: { onFailure: { destination: failures.bus.arn } },
      // EventBridge drops a record that no rule brings to a target, so the targets come first.
      dependsOn: [retryTarget, failures.deadLetterTarget],
    });
    new LambdaEventSourceMapping(this, "retries", {
      eventSourceArn: this.retryQueue.queue.arn,
      functionName: deployed,
      batchSize: 10,
      functionResponseTypes: ["ReportBatchItemFailures"],
      // Two is the least that AWS takes. It has to be within the reserved concurrency, because throttled receives would
      // use up the tries of a message.
      scalingConfig: { maximumConcurrency: 2 },
    });
  }
}
