import { type FailureRecord, failureRecordSchema } from "./contract/failure-record";
import { type SqsBatch, sqsBatchSchema, type SqsBatchResponse } from "./contract/sqs-batch";
import {
  type Log,
  type SendNotification,
  type NotificationResult,
  type Run,
  toNotificationError,
} from "./send-notification";
import { toParkedRecord } from "./parking";

export interface DispatchDependencies {
  readonly sendNotification: SendNotification;
  /** Puts a record into the dead-letter queue. It rejects if the queue does not take the record. */
  readonly park: (record: FailureRecord) => Promise<void>;
  readonly log: Log;
}

export interface Invocation extends Run {
  /** ARN of the function that runs. A parked record names the function that parked it. */
  readonly functionArn: string;
}

export type Dispatch = (
  input: unknown,
  invocation: Invocation,
) => Promise<NotificationResult | Parked | SqsBatchResponse>;

/**
 * The event is in the dead-letter queue, because no retry can send its remaining mails and a person has to look at it.
 */
export interface Parked {
  /** Type of the failure, a `FailureType`. */
  readonly parked: string;
}

/**
 * The function's entry. Its input is an event from a rule, or a batch of failure records from the retry queue. After a
 * failure that a later try can mend, the event stays where it came from and is tried again. After any other failure,
 * the event is parked at once, so that a person hears of it within minutes.
 */
export function createDispatch(dependencies: DispatchDependencies): Dispatch {
  return (input, invocation) => {
    const batch = sqsBatchSchema.safeParse(input);
    return batch.success ? retry(batch.data, invocation, dependencies) : deliver(input, invocation, dependencies);
  };
}

async function deliver(
  input: unknown,
  invocation: Invocation,
  dependencies: DispatchDependencies,
): Promise<NotificationResult | Parked> {
  const record: FailureRecord = {
    requestContext: { functionArn: invocation.functionArn, condition: "Invoked", approximateInvokeCount: 0 },
    requestPayload: input,
  };
  // Lambda does not tell a function which of its tries this is, so the count starts at 1.
  const settlement = await settle({ record, tries: 1, about: {} }, invocation, dependencies);
  // When the run throws, Lambda tries the event again, and after the last try hands it to the on-failure destination.
  // That holds for transient failures and for an event that could not be parked.
  if (settlement.kind === "open") throw settlement.error;
  return settlement.kind === "mailed" ? settlement.result : { parked: settlement.type };
}

async function retry(
  batch: SqsBatch,
  invocation: Invocation,
  dependencies: DispatchDependencies,
): Promise<SqsBatchResponse> {
  const settled = await Promise.all(
    batch.Records.map(async ({ body, messageId, attributes }) => {
      const record = parseRecord(body, invocation.functionArn);
      const tries = record.requestContext.approximateInvokeCount + attributes.ApproximateReceiveCount;
      const { kind } = await settle({ record, tries, about: { messageId } }, invocation, dependencies);
      return { kind, messageId };
    }),
  );
  const open = settled.filter(({ kind }) => kind === "open");
  return { batchItemFailures: open.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}

type Settlement =
  | { readonly kind: "mailed"; readonly result: NotificationResult }
  | { readonly kind: "parked"; readonly type: string }
  /** The event is not finished, and a later try goes on with it. */
  | { readonly kind: "open"; readonly error: Error };

interface Work {
  readonly record: FailureRecord;
  /** How often the event was tried, on all lanes together, this try included. */
  readonly tries: number;
  /** Attributes for the log lines about this event. */
  readonly about: Readonly<Record<string, unknown>>;
}

/**
 * Mails the record's event, or parks it if no retry can help. It never throws, because the other messages of a batch
 * are worked on at the same time.
 */
async function settle(
  { record, tries, about }: Work,
  { endsAt }: Invocation,
  { sendNotification, park, log }: DispatchDependencies,
): Promise<Settlement> {
  try {
    return { kind: "mailed", result: await sendNotification(record.requestPayload, { endsAt }) };
  } catch (cause) {
    const error = toNotificationError(cause);
    if (error.retryable) return { kind: "open", error };
    try {
      await park(toParkedRecord({ record, tries, error }));
      return { kind: "parked", type: error.type };
    } catch (failure) {
      log.warn("The event could not be parked: it stays where it is, and a later try parks it", {
        ...about,
        failure: error.type,
        cause: failure instanceof Error ? failure.name : typeof failure,
      });
      return { kind: "open", error };
    }
  }
}

/**
 * Reads a failure record. A body that is not a failure record is treated as a bare event. If it is not a valid event,
 * it is dead-lettered with that reason.
 */
function parseRecord(body: unknown, functionArn: string): FailureRecord {
  const content = parseJson(body);
  const parsed = failureRecordSchema.safeParse(content);
  return parsed.success
    ? parsed.data
    : { requestContext: { functionArn, condition: "Queued", approximateInvokeCount: 0 }, requestPayload: content };
}

/** Parses a body. A text that is not JSON is returned unchanged; `parseEnvelope` refuses it later with a reason. */
function parseJson(body: unknown): unknown {
  if (typeof body !== "string") return body;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
