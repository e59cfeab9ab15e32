import { type Target } from "@aws-sdk/client-eventbridge";
import {
  CreateLogStreamCommand,
  DescribeResourcePoliciesCommand,
  PutLogEventsCommand,
  ResourceNotFoundException as NoLogGroup,
} from "@aws-sdk/client-cloudwatch-logs";
import { GetPolicyCommand, ResourceNotFoundException as NoPolicy } from "@aws-sdk/client-lambda";
import { GetQueueAttributesCommand, QueueDoesNotExist } from "@aws-sdk/client-sqs";
import { publishToTopic, sendToQueue, serviceOf } from "../../gateway/destinations";
import { type Delivery, type Envelope, newId } from "../../gateway/journal";
import { type AsyncInvocations } from "../lambda/async-invocations";
import { parseFunctionName } from "../lambda/function";
import { type FunctionRegistry } from "../lambda/registry";
import { type Moto } from "../../gateway/moto";
import { allows } from "../../gateway/resource-policy";
import { busNameOf, type RuleWithTargets } from "./rules";

/** The codes of https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html that happen here. */
export type TargetErrorCode = "NO_PERMISSIONS" | "NO_RESOURCE" | "ERROR_FROM_TARGET" | "INVALID_JSON";

export class TargetError extends Error {
  constructor(
    readonly code: TargetErrorCode,
    message: string,
    /** A missing permission or target stays missing: EventBridge does not try again. */
    readonly isRetryable: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface Sending {
  readonly rule: RuleWithTargets;
  readonly target: Target;
  readonly event: Envelope;
  readonly input: string;
  readonly delivery: Delivery;
}

export interface TargetSenderDependencies {
  readonly moto: Moto;
  readonly registry: FunctionRegistry;
  readonly asyncInvocations: AsyncInvocations;
  readonly buses: { publish(bus: string, event: Envelope): void };
}

/** Sends to one target, once. */
export class TargetSender {
  constructor(private readonly dependencies: TargetSenderDependencies) {}

  /**
   * @returns "accepted" where the target has yet to do its work: a function, whose attempts the journal follows.
   * @throws TargetError
   */
  async send(sending: Sending): Promise<"delivered" | "accepted" | "not emulated"> {
    const arn = sending.target.Arn ?? "";
    switch (serviceOf(arn)) {
      case "lambda":
        await this.toFunction(arn, sending);
        return "accepted";
      case "sqs":
        await this.toQueue(arn, sending);
        return "delivered";
      case "events":
        if (!arn.includes(":event-bus/")) return "not emulated";
        this.dependencies.buses.publish(busNameOf(arn), sending.event);
        return "delivered";
      case "logs":
        await this.checkLogGroup(arn.replace(/:\*$/, ""), sending.rule.arn);
        await this.toLogGroup(arn, sending);
        return "delivered";
      case "sns":
        await publishToTopic(this.dependencies.moto, arn, sending.input).catch((error: unknown) => {
          throw new TargetError("ERROR_FROM_TARGET", String(error), false, { cause: error });
        });
        return "delivered";
      default:
        return "not emulated";
    }
  }

  /** The policy of a queue that a rule, or its dead-letter queue, sends to has to name the rule. */
  async checkQueue(queueArn: string, ruleArn: string): Promise<void> {
    const attributes = await this.dependencies.moto.sqs
      .send(
        new GetQueueAttributesCommand({
          QueueUrl: this.dependencies.moto.queueUrl(queueArn),
          AttributeNames: ["Policy"],
        }),
      )
      .catch((error: unknown) => {
        if (!(error instanceof QueueDoesNotExist)) throw error;
        throw new TargetError("NO_RESOURCE", `The queue ${queueArn} does not exist.`, false, { cause: error });
      });
    const access = {
      service: "events.amazonaws.com",
      action: "sqs:SendMessage",
      resource: queueArn,
      sourceArn: ruleArn,
    };
    if (allows(attributes.Attributes?.Policy, access)) return;
    throw new TargetError(
      "NO_PERMISSIONS",
      `The policy of the queue ${queueArn} does not let events.amazonaws.com send for the rule ${ruleArn}. Allow sqs:SendMessage with aws:SourceArn of that rule.`,
      false,
    );
  }

  private async toFunction(arn: string, { rule, event, input, delivery }: Sending): Promise<void> {
    const fn = await this.dependencies.registry.find(arn);
    if (fn === undefined) throw new TargetError("NO_RESOURCE", `The function ${arn} does not exist.`, false);
    const { name, qualifier } = parseFunctionName(arn);
    const policy = await this.dependencies.moto.lambda
      .send(new GetPolicyCommand({ FunctionName: name, ...(qualifier === undefined ? {} : { Qualifier: qualifier }) }))
      .catch((error: unknown) => {
        if (error instanceof NoPolicy) return { Policy: undefined };
        throw error;
      });
    const access = {
      service: "events.amazonaws.com",
      action: "lambda:InvokeFunction",
      resource: arn,
      sourceArn: rule.arn,
    };
    if (!allows(policy.Policy, access)) {
      throw new TargetError(
        "NO_PERMISSIONS",
        `The policy of the function ${arn} does not let events.amazonaws.com invoke it for the rule ${rule.arn}. Add a permission with that source ARN.`,
        false,
      );
    }
    const origin = { eventId: event.id, rule: rule.name };
    this.dependencies.asyncInvocations.accept({ fn, payload: input, origin, delivery });
  }

  private async toQueue(arn: string, { rule, target, input }: Sending): Promise<void> {
    await this.checkQueue(arn, rule.arn);
    const groupId = target.SqsParameters?.MessageGroupId;
    await sendToQueue(this.dependencies.moto, arn, input, groupId === undefined ? {} : { groupId }).catch(
      (error: unknown) => {
        throw new TargetError("ERROR_FROM_TARGET", String(error), true, { cause: error });
      },
    );
  }

  /**
   * A resource policy of the account has to let EventBridge in. It tells the rule with the events only, not with the
   * stream that it makes for them: https://github.com/aws-samples/serverless-patterns/pull/618; not seen on AWS by us.
   */
  private async checkLogGroup(groupArn: string, ruleArn: string): Promise<void> {
    const { resourcePolicies = [] } = await this.dependencies.moto.logs.send(new DescribeResourcePoliciesCommand({}));
    const resource = `${groupArn}:log-stream:any`;
    const service = "events.amazonaws.com";
    const denied = [
      { service, resource, action: "logs:CreateLogStream" },
      { service, resource, action: "logs:PutLogEvents", sourceArn: ruleArn },
    ].find((access) => !resourcePolicies.some(({ policyDocument }) => allows(policyDocument, access)));
    if (denied === undefined) return;
    throw new TargetError(
      "NO_PERMISSIONS",
      `No resource policy of CloudWatch Logs lets events.amazonaws.com do ${denied.action} in ${groupArn} for the rule ${ruleArn}.`,
      false,
    );
  }

  private async toLogGroup(arn: string, { target, input }: Sending): Promise<void> {
    const group = arn.replace(/^.*:log-group:/, "").replace(/:\*$/, "");
    const stream = newId();
    try {
      await this.dependencies.moto.logs.send(
        new CreateLogStreamCommand({ logGroupName: group, logStreamName: stream }),
      );
      await this.dependencies.moto.logs.send(
        new PutLogEventsCommand({
          logGroupName: group,
          logStreamName: stream,
          logEvents: [
            target.InputTransformer === undefined ? { timestamp: Date.now(), message: input } : logEventOf(input),
          ],
        }),
      );
    } catch (error) {
      if (!(error instanceof NoLogGroup)) throw error;
      throw new TargetError("NO_RESOURCE", `The log group ${group} does not exist.`, false, { cause: error });
    }
  }
}

/**
 * A log group's transformer makes `{"timestamp": .., "message": ..}`, and these are the log event:
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html ("Amazon CloudWatch log group").
 * Both have to be texts (https://github.com/aws/aws-cdk/pull/20748); of an object AWS logs something else.
 */
function logEventOf(input: string): { readonly timestamp: number; readonly message: string } {
  const { timestamp, message } = JSON.parse(input) as Record<string, unknown>;
  const time = typeof timestamp === "number" ? timestamp : Date.parse(String(timestamp));
  if (typeof message !== "string" || Number.isNaN(time)) {
    throw new TargetError("INVALID_JSON", "A log group takes a timestamp, and a message that is a text.", false);
  }
  return { timestamp: time, message };
}
