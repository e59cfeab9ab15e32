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
  /** Puts a record into the dead-letter queue. */
  readonly park: (record: FailureRecord) => Promise<void>;
  readonly log: Log;
}

export interface Invocation extends Run {
  /** Of the function that runs: a parked record says who parked it. */
  readonly functionArn: string;
}

export type Dispatch = (
  input: unknown,
  invocation: Invocation,
) => Promise<NotificationResult | Parked | SqsBatchResponse>;

/** The event is in the dead-letter queue: no retry can send its remaining mails, and a person has to look. */
export interface Parked {
  /** Its failure's type. */
  readonly parked: string;
}

/**
 * The function's entry. It gets an event from a rule, or a batch of failure records from the retry queue. A failure that a
 * later try can mend goes back to where the event came from. Any other failure is parked at once, so that a person hears of
 * it within minutes.
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
  // Lambda does not say which of its tries this is.
  const settlement = await settle({ record, tries: 1, about: {} }, invocation, dependencies);
  // Lambda tries the event again, and hands it to its on-failure destination after the last try. An event that could not
  // be parked takes the same way.
  if (settlement.kind === "open") throw settlement.error;
  return settlement.kind === "mailed" ? settlement.result : { parked: settlement.type };
}

async function retry(
  batch: SqsBatch,
  invocation: Invocation,
  dependencies: DispatchDependencies,
): Promise<SqsBatchResponse> {
  const batchItemFailures: { itemIdentifier: string }[] = [];
  for (const { body, messageId, attributes } of batch.Records) {
    const record = parseRecord(body, invocation.functionArn);
    const tries = record.requestContext.approximateInvokeCount + attributes.ApproximateReceiveCount;
    const settlement = await settle({ record, tries, about: { messageId } }, invocation, dependencies);
    if (settlement.kind === "open") batchItemFailures.push({ itemIdentifier: messageId });
  }
  return { batchItemFailures };
}

type Settlement =
  | { readonly kind: "mailed"; readonly result: NotificationResult }
  | { readonly kind: "parked"; readonly type: string }
  /** A later try goes on. */
  | { readonly kind: "open"; readonly error: Error };

interface Work {
  readonly record: FailureRecord;
  /** Of all lanes together, this one included. */
  readonly tries: number;
  /** For a line in the log. */
  readonly about: Readonly<Record<string, unknown>>;
}

/** Mails the record's event, or parks it where no retry can help. Never throws: in a batch, others come after it. */
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
 * Reads a failure record. A body that is not a failure record is treated as a bare event. If it is not a valid event, it is
 * dead-lettered with that reason.
 */
function parseRecord(body: unknown, functionArn: string): FailureRecord {
  const content = parseJson(body);
  const parsed = failureRecordSchema.safeParse(content);
  return parsed.success
    ? parsed.data
    : { requestContext: { functionArn, condition: "Queued", approximateInvokeCount: 0 }, requestPayload: content };
}

/** A text that is not JSON stays the text that it is, and is refused as such. */
function parseJson(body: unknown): unknown {
  if (typeof body !== "string") return body;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
