import { GetFunctionEventInvokeConfigCommand, ResourceNotFoundException } from "@aws-sdk/client-lambda";
import { type Background } from "../../gateway/background";
import { publishToTopic, sendToQueue, serviceOf } from "../../gateway/destinations";
import { type Faults } from "../../gateway/faults";
import { parseObject, textOf } from "../../gateway/http";
import { type Attempt, type InvocationOrigin, type Delivery, type Journal, newId } from "../../gateway/journal";
import { mostEventBytes, mostNesting } from "../../limits";
import { nestingOf, stringify } from "../../gateway/json-text";
import { type Moto } from "../../gateway/moto";
import { type DeployedFunction, type Invocation } from "./function";
import { type Invoker, type InvokeRequest, Throttled } from "./invoker";
import { type FunctionRegistry } from "./registry";

export interface AsyncInvocation {
  readonly fn: DeployedFunction;
  readonly payload: string;
  readonly requestId?: string;
  readonly origin?: Omit<InvocationOrigin, "requestId">;
  /** The journal's record of the event that is delivered by it. */
  readonly delivery?: Delivery;
}

export interface BusDestination {
  putOnBus(
    busArn: string,
    event: { source: string; detailType: string; detail: unknown; resources: string[] },
    roleArn: string,
  ): void;
}

interface RetryConfiguration {
  readonly attempts: number;
  readonly maximumAgeMs: number;
  readonly onFailure: string | undefined;
  readonly onSuccess: string | undefined;
}

class FunctionGone extends Error {
  constructor(fn: DeployedFunction) {
    super(`The function ${fn.name} is deleted.`);
  }
}

type Condition = "RetriesExhausted" | "EventAgeExceeded" | "Success";

export interface AsyncInvocationsDependencies {
  readonly moto: Moto;
  readonly registry: FunctionRegistry;
  readonly invoker: Invoker;
  readonly journal: Journal;
  readonly background: Background;
  readonly buses: BusDestination;
  readonly retryDelaysMs: readonly number[];
  readonly faults: Faults;
}

/**
 * Lambda's queue of asynchronous invocations: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html.
 * A failing event is retried, and its record then goes to the on-failure destination.
 */
export class AsyncInvocations {
  constructor(private readonly dependencies: AsyncInvocationsDependencies) {}

  /** Takes the event; what becomes of it is in the journal. */
  accept(invocation: AsyncInvocation): void {
    this.dependencies.background.run(() => this.process(invocation));
  }

  private async process({ fn, payload, requestId = newId(), origin = {}, delivery }: AsyncInvocation): Promise<void> {
    const acceptedAt = Date.now();
    const configuration = await this.configurationOf(fn.name);
    const expiresAt = acceptedAt + configuration.maximumAgeMs;
    let failures = 0;
    for (let attempts = 1; ; attempts += 1) {
      const run = await this.attempt({ fn, payload, requestId, origin }, expiresAt, delivery);
      if (run instanceof FunctionGone) {
        this.end(delivery, "failed");
        this.dependencies.journal.note(
          `${run.message} The event of request ${requestId}, which waited for it, is lost.`,
        );
        return;
      }
      const invocation = run instanceof Throttled ? undefined : run;
      if (invocation !== undefined && invocation.error === undefined) {
        this.end(delivery, "delivered");
        const record = recordOf(fn, requestId, payload, invocation, "Success", attempts);
        if (configuration.onSuccess !== undefined) {
          await this.report(fn, configuration.onSuccess, record, "Success");
        }
        return;
      }
      // Throttling is no fault of the event: Lambda keeps it until it is too old.
      if (invocation !== undefined) failures += 1;
      const isExhausted = failures > configuration.attempts;
      const isTooOld = Date.now() > expiresAt || (run instanceof Throttled && run.hasWaited);
      if (isExhausted || isTooOld) {
        const condition = isExhausted ? "RetriesExhausted" : "EventAgeExceeded";
        const record = recordOf(fn, requestId, payload, invocation, condition, attempts);
        await this.giveUp(fn, configuration, delivery, record);
        return;
      }
      await this.waitForRetry(attempts, delivery);
    }
  }

  /**
   * Waits for a place of the function's reserved concurrency, in order and without asking again: Lambda tries with
   * growing pauses, which here would be as many requests and attempts that say nothing.
   */
  private async attempt(
    request: Required<Pick<InvokeRequest, "fn" | "payload" | "requestId" | "origin">>,
    expiresAt: number,
    delivery: Delivery | undefined,
  ): Promise<Invocation | Throttled | FunctionGone> {
    const { fn, requestId } = request;
    let attempt: Attempt | undefined;
    const note = ({ name: errorType, message: errorMessage }: Throttled) =>
      delivery && this.dependencies.journal.throttled(delivery, { errorType, errorMessage });
    try {
      const invocation = await this.dependencies.invoker.invoke({
        ...request,
        patience: {
          until: expiresAt,
          signal: this.dependencies.background.signal,
          onWait: () => note(Throttled.byConcurrency(fn)),
        },
        onTurn: async () => {
          const current = await this.dependencies.registry.find(fn.name);
          if (current === undefined) throw new FunctionGone(fn);
          attempt = delivery && this.dependencies.journal.startAttempt(delivery, requestId);
          return current;
        },
      });
      if (delivery && attempt) {
        const parked = invocation.error === undefined ? parkedType(invocation.payload) : undefined;
        this.dependencies.journal.endAttempt(delivery, attempt, {
          status: invocation.status,
          ...invocation.error,
          ...(parked === undefined ? {} : { parked }),
        });
      }
      return invocation;
    } catch (error) {
      if (error instanceof FunctionGone) return error;
      if (!(error instanceof Throttled)) throw error;
      // Its wait was noted when it began.
      if (!error.hasWaited) note(error);
      return error;
    }
  }

  private end(delivery: Delivery | undefined, status: "delivered" | "failed"): void {
    if (delivery === undefined) return;
    delivery.status = status;
    this.dependencies.journal.changed(delivery);
  }

  private async waitForRetry(retry: number, delivery?: Delivery): Promise<void> {
    const ms = this.dependencies.retryDelaysMs[retry - 1] ?? this.dependencies.retryDelaysMs.at(-1) ?? 0;
    const attempt = delivery?.attempts.at(-1);
    if (delivery && attempt) {
      delivery.status = "retrying";
      attempt.nextRetryInMs = ms;
      this.dependencies.journal.changed(delivery);
    }
    await this.dependencies.background.sleep(ms);
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
      this.dependencies.journal.changed(delivery);
    }
    if (configuration.onFailure !== undefined) await this.report(fn, configuration.onFailure, record, "Failure");
    else if (fn.deadLetterArn !== undefined) await this.sendToDeadLetters(fn.deadLetterArn, record);
    else
      this.dependencies.journal.note(
        `${fn.name} has no on-failure destination: the event of request ${record.requestContext.requestId} is lost.`,
      );
  }

  /** AWS tells of a record that a destination did not take in this metric alone. */
  private async report(
    { name: functionName, roleArn }: DeployedFunction,
    destination: string,
    record: InvocationRecord,
    result: "Success" | "Failure",
  ): Promise<void> {
    try {
      await this.sendRecord(destination, record, result, roleArn);
    } catch (origin) {
      this.dependencies.journal.countDestinationFailure(functionName);
      this.dependencies.journal.note(
        `The record of request ${record.requestContext.requestId} of ${functionName} is lost: ${origin instanceof Error ? origin.message : String(origin)}`,
      );
    }
  }

  private async sendRecord(
    destination: string,
    record: InvocationRecord,
    result: "Success" | "Failure",
    roleArn: string,
  ): Promise<void> {
    const service = serviceOf(destination);
    const text = stringify(record);
    if (service === "sqs") await sendToQueue(this.dependencies.moto, destination, text);
    else if (service === "sns") await publishToTopic(this.dependencies.moto, destination, text);
    else if (service === "events") {
      if (this.dependencies.faults.take("events", ["refuse-destination"], () => ({ text })) !== undefined) {
        throw new Error(`${destination} refused it by an injected fault.`);
      }
      const bytes = Buffer.byteLength(text);
      if (bytes > mostEventBytes) {
        throw new Error(`it has ${bytes} bytes, and EventBridge takes ${mostEventBytes} of an event.`);
      }
      const nesting = nestingOf(text);
      if (nesting > mostNesting) {
        throw new Error(`it is nested ${nesting} levels deep, and EventBridge takes ${mostNesting} of an event.`);
      }
      const event = {
        source: "lambda",
        detailType: `Lambda Function Invocation Result - ${result}`,
        detail: record,
        resources: [record.requestContext.functionArn],
      };
      this.dependencies.buses.putOnBus(destination, event, roleArn);
    } else if (service === "lambda") {
      const fn = await this.dependencies.registry.find(destination);
      if (fn === undefined) throw new Error(`The destination ${destination} does not exist.`);
      this.accept({ fn, payload: text });
    } else
      this.dependencies.journal.note(
        `A destination of the kind ${service} is not emulated: ${destination} got no record.`,
      );
  }

  /** The older way: the event itself, with the reason in the message's attributes. */
  private async sendToDeadLetters(arn: string, record: InvocationRecord): Promise<void> {
    const body = stringify(record.requestPayload);
    const { errorMessage } = record.responsePayload as { errorMessage?: string };
    const attributes = {
      RequestID: record.requestContext.requestId,
      ErrorCode: "200",
      ErrorMessage: (errorMessage ?? "").slice(0, 1024) || "no message",
    };
    if (serviceOf(arn) === "sns") await publishToTopic(this.dependencies.moto, arn, body);
    else await sendToQueue(this.dependencies.moto, arn, body, { attributes });
  }

  private async configurationOf(functionName: string): Promise<RetryConfiguration> {
    const config = await this.dependencies.moto.lambda
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

/** A function that parks an event by itself returns normally, and says so in its answer. */
function parkedType(payload: string): string | undefined {
  return textOf(parseObject(payload)?.parked);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
