import { GetFunctionEventInvokeConfigCommand, ResourceNotFoundException } from "@aws-sdk/client-lambda";
import { type Background } from "../background";
import { publishToTopic, sendToQueue, serviceOf } from "../destinations";
import { type Faults } from "../faults";
import { type Attempt, type Cause, type Delivery, type Journal, newId } from "../journal";
import { mostEventBytes } from "../events/limits";
import { type Moto } from "../moto";
import { type DeployedFunction, type Invocation } from "./function";
import { type Invoker, Throttled } from "./invoker";
import { type FunctionRegistry } from "./registry";

export interface AsyncInvocation {
  readonly fn: DeployedFunction;
  readonly payload: string;
  readonly requestId?: string;
  readonly cause?: Omit<Cause, "requestId">;
  /** The journal's record of the event that is delivered by it. */
  readonly delivery?: Delivery;
}

export interface BusDestination {
  putOnBus(busArn: string, event: { source: string; detailType: string; detail: unknown; resources: string[] }): void;
}

interface RetryConfiguration {
  readonly attempts: number;
  readonly maximumAgeMs: number;
  readonly onFailure: string | undefined;
  readonly onSuccess: string | undefined;
}

type Condition = "RetriesExhausted" | "EventAgeExceeded" | "Success";

/**
 * Lambda's queue of asynchronous invocations: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html.
 * A failing event is retried, and its record then goes to the on-failure destination.
 */
export class AsyncInvocations {
  constructor(
    private readonly moto: Moto,
    private readonly registry: FunctionRegistry,
    private readonly invoker: Invoker,
    private readonly journal: Journal,
    private readonly background: Background,
    private readonly buses: BusDestination,
    private readonly retryDelaysMs: readonly number[],
    private readonly faults: Faults,
  ) {}

  /** Takes the event; what becomes of it is in the journal. */
  accept(invocation: AsyncInvocation): void {
    this.background.run(() => this.process(invocation));
  }

  private async process({ fn, payload, requestId = newId(), cause = {}, delivery }: AsyncInvocation): Promise<void> {
    const acceptedAt = Date.now();
    const configuration = await this.configurationOf(fn.name);
    let failures = 0;
    for (let attempts = 1; ; attempts += 1) {
      // A retry meets the function as it is by then.
      const current = (attempts === 1 ? fn : await this.registry.find(fn.name)) ?? fn;
      const attempt = delivery && this.journal.startAttempt(delivery, requestId);
      const invocation = await this.attempt(current, payload, requestId, cause, attempt);
      if (invocation !== undefined && invocation.error === undefined) {
        if (delivery) delivery.status = "delivered";
        this.journal.changed();
        const record = recordOf(current, requestId, payload, invocation, "Success", attempts);
        if (configuration.onSuccess !== undefined) {
          await this.report(current.name, configuration.onSuccess, record, "Success");
        }
        return;
      }
      // Throttling is no fault of the event: Lambda keeps it until it is too old.
      if (invocation !== undefined) failures += 1;
      const isExhausted = failures > configuration.attempts;
      const isTooOld = Date.now() - acceptedAt > configuration.maximumAgeMs;
      if (isExhausted || isTooOld) {
        const condition = isExhausted ? "RetriesExhausted" : "EventAgeExceeded";
        const record = recordOf(current, requestId, payload, invocation, condition, attempts);
        await this.giveUp(current, configuration, delivery, record);
        return;
      }
      await this.waitForRetry(attempts, delivery, attempt);
    }
  }

  /** @returns `undefined` where the function was throttled. */
  private async attempt(
    fn: DeployedFunction,
    payload: string,
    requestId: string,
    cause: Omit<Cause, "requestId">,
    attempt: Attempt | undefined,
  ): Promise<Invocation | undefined> {
    const invocation = await this.invoker.invoke({ fn, payload, requestId, cause }).catch((error: unknown) => {
      if (!(error instanceof Throttled)) throw error;
      if (attempt) {
        this.journal.endAttempt(attempt, { outcome: "throttled", errorType: error.name, errorMessage: error.message });
      }
      return undefined;
    });
    if (invocation && attempt) this.journal.endAttempt(attempt, { outcome: invocation.outcome, ...invocation.error });
    return invocation;
  }

  private async waitForRetry(retry: number, delivery?: Delivery, attempt?: Attempt): Promise<void> {
    const ms = this.retryDelaysMs[retry - 1] ?? this.retryDelaysMs.at(-1) ?? 0;
    if (delivery && attempt) {
      delivery.status = "retrying";
      attempt.nextRetryInMs = ms;
      this.journal.changed();
    }
    await this.background.sleep(ms);
  }

  private async giveUp(
    fn: DeployedFunction,
    configuration: RetryConfiguration,
    delivery: Delivery | undefined,
    record: InvocationRecord,
  ): Promise<void> {
    const { condition } = record.requestContext;
    const destination = configuration.onFailure ?? fn.deadLetterArn;
    if (delivery) {
      delivery.status = "failed";
      if (destination !== undefined) delivery.deadLetter = { destinationArn: destination, reason: condition };
      this.journal.changed();
    }
    if (configuration.onFailure !== undefined) await this.report(fn.name, configuration.onFailure, record, "Failure");
    else if (fn.deadLetterArn !== undefined) await this.sendToDeadLetters(fn.deadLetterArn, record);
    else
      this.journal.note(
        `${fn.name} has no on-failure destination: the event of request ${record.requestContext.requestId} is lost.`,
      );
  }

  /** AWS tells of a record that a destination did not take in this metric alone. */
  private async report(
    functionName: string,
    destination: string,
    record: InvocationRecord,
    result: "Success" | "Failure",
  ): Promise<void> {
    try {
      await this.sendRecord(destination, record, result);
    } catch (cause) {
      this.journal.countDestinationFailure(functionName);
      this.journal.note(
        `The record of request ${record.requestContext.requestId} of ${functionName} is lost: ${cause instanceof Error ? cause.message : String(cause)}`,
      );
    }
  }

  private async sendRecord(
    destination: string,
    record: InvocationRecord,
    result: "Success" | "Failure",
  ): Promise<void> {
    const service = serviceOf(destination);
    const text = JSON.stringify(record);
    if (service === "sqs") await sendToQueue(this.moto, destination, text);
    else if (service === "sns") await publishToTopic(this.moto, destination, text);
    else if (service === "events") {
      if (this.faults.take("events", ["refuse-destination"], () => ({ text })) !== undefined) {
        throw new Error(`${destination} refused it by an injected fault.`);
      }
      const bytes = Buffer.byteLength(text);
      if (bytes > mostEventBytes) {
        throw new Error(`it has ${bytes} bytes, and EventBridge takes ${mostEventBytes} of an event.`);
      }
      this.buses.putOnBus(destination, {
        source: "lambda",
        detailType: `Lambda Function Invocation Result - ${result}`,
        detail: record,
        resources: [record.requestContext.functionArn],
      });
    } else if (service === "lambda") {
      const fn = await this.registry.find(destination);
      if (fn === undefined) throw new Error(`The destination ${destination} does not exist.`);
      this.accept({ fn, payload: text });
    } else this.journal.note(`A destination of the kind ${service} is not emulated: ${destination} got no record.`);
  }

  /** The older way: the event itself, with the reason in the message's attributes. */
  private async sendToDeadLetters(arn: string, record: InvocationRecord): Promise<void> {
    const body = JSON.stringify(record.requestPayload);
    const { errorMessage } = record.responsePayload as { errorMessage?: string };
    const attributes = {
      RequestID: record.requestContext.requestId,
      ErrorCode: "200",
      ErrorMessage: (errorMessage ?? "").slice(0, 1024) || "no message",
    };
    if (serviceOf(arn) === "sns") await publishToTopic(this.moto, arn, body);
    else await sendToQueue(this.moto, arn, body, { attributes });
  }

  private async configurationOf(functionName: string): Promise<RetryConfiguration> {
    const config = await this.moto.lambda
      .send(new GetFunctionEventInvokeConfigCommand({ FunctionName: functionName }))
      .catch((error: unknown) => {
        if (error instanceof ResourceNotFoundException) return undefined;
        throw error;
      });
    return {
      attempts: config?.MaximumRetryAttempts ?? 2,
      maximumAgeMs: (config?.MaximumEventAgeInSeconds ?? 21_600) * 1000,
      onFailure: config?.DestinationConfig?.OnFailure?.Destination,
      onSuccess: config?.DestinationConfig?.OnSuccess?.Destination,
    };
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html */
interface InvocationRecord {
  readonly version: "1.0";
  readonly timestamp: string;
  readonly requestContext: {
    readonly requestId: string;
    readonly functionArn: string;
    readonly condition: Condition;
    readonly approximateInvokeCount: number;
  };
  readonly requestPayload: unknown;
  readonly responseContext: Readonly<Record<string, unknown>>;
  readonly responsePayload: unknown;
}

function recordOf(
  fn: DeployedFunction,
  requestId: string,
  payload: string,
  invocation: Invocation | undefined,
  condition: Condition,
  attempts: number,
): InvocationRecord {
  return {
    version: "1.0",
    timestamp: new Date().toISOString(),
    requestContext: {
      requestId,
      functionArn: `${fn.arn}:$LATEST`,
      condition,
      approximateInvokeCount: attempts,
    },
    requestPayload: parsed(payload),
    responseContext: {
      statusCode: 200,
      executedVersion: "$LATEST",
      ...(condition === "Success" ? {} : { functionError: "Unhandled" }),
    },
    responsePayload: invocation === undefined ? null : parsed(invocation.payload),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
