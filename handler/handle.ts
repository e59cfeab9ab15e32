import { bytesOfEvent, envelopeSchema, mostEventBytes } from "./contract/envelope";
import { type FailureRecord, failureRecordSchema } from "./contract/failure-record";
import { type SqsBatch, sqsBatchSchema, type SqsBatchResponse } from "./contract/sqs-batch";
import { type Log, type Notify, type NotifyResult, type Run, toNotificationError } from "./notify";

export interface HandleDependencies {
  readonly notify: Notify;
  /** Puts a record into the dead-letter queue. */
  readonly park: (record: FailureRecord) => Promise<void>;
  readonly log: Log;
}

/**
 * The function's entry for both of its sources: an event from a rule, and a batch from the retry queue. A rule's event
 * that fails is Lambda's to retry; a queue's message says by itself whether it goes back or is parked.
 */
export function createHandle(
  dependencies: HandleDependencies,
): (input: unknown, run: Run) => Promise<NotifyResult | Parked | SqsBatchResponse> {
  return (input, run) => {
    const batch = sqsBatchSchema.safeParse(input);
    return batch.success ? retry(batch.data, run, dependencies) : deliver(input, run, dependencies);
  };
}

interface Parked {
  readonly parked: string;
}

async function deliver(input: unknown, run: Run, { notify, park }: HandleDependencies): Promise<NotifyResult | Parked> {
  try {
    return await notify(input, run);
  } catch (cause) {
    if (bytesOfEvent(input) <= mostEventBytes) throw cause;
    // Lambda's record of this failure would fit neither the bus nor a queue, and be lost: a part of it is parked here.
    const { name, message } = toNotificationError(cause);
    await park({
      requestContext: { condition: "Parked", approximateInvokeCount: 1 },
      requestPayload: withoutDetail(input),
      responsePayload: { errorType: name, errorMessage: message },
    });
    return { parked: name };
  }
}

/** What tells which event it was. */
function withoutDetail(input: unknown): unknown {
  const parsed = envelopeSchema.omit({ detail: true }).safeParse(input);
  return parsed.success && bytesOfEvent(parsed.data) <= mostEventBytes ? parsed.data : "an oversized input";
}

async function retry(batch: SqsBatch, run: Run, dependencies: HandleDependencies): Promise<SqsBatchResponse> {
  const batchItemFailures: { itemIdentifier: string }[] = [];
  for (const message of batch.Records) {
    if (!(await isDone(message, run, dependencies))) batchItemFailures.push({ itemIdentifier: message.messageId });
  }
  return { batchItemFailures };
}

/** @returns whether the message may leave the queue: its mail is out, or it is parked. */
async function isDone(
  message: SqsBatch["Records"][number],
  run: Run,
  { notify, park, log }: HandleDependencies,
): Promise<boolean> {
  const record = parseRecord(message.body);
  try {
    await notify(record.requestPayload, run);
    return true;
  } catch (cause) {
    const error = toNotificationError(cause);
    if (error.retryable) return false;
    try {
      // At once, and not after the last receive: hours would pass until a person hears of it.
      await park({
        ...record,
        requestContext: {
          ...record.requestContext,
          condition: "Parked",
          approximateInvokeCount:
            record.requestContext.approximateInvokeCount + message.attributes.ApproximateReceiveCount,
        },
        responsePayload: { errorType: error.name, errorMessage: error.message },
      });
      return true;
    } catch (failure) {
      log.warn("The event could not be parked; it stays in the retry queue", {
        messageId: message.messageId,
        cause: failure instanceof Error ? failure.name : typeof failure,
      });
      return false;
    }
  }
}

/** What is no record is taken for an event: the function refuses what is none, and it is parked with that reason. */
function parseRecord(body: string): FailureRecord {
  let content: unknown = body;
  try {
    content = JSON.parse(body);
  } catch {
    // Then it is a text, and refused as such.
  }
  const parsed = failureRecordSchema.safeParse(content);
  return parsed.success
    ? parsed.data
    : { requestContext: { condition: "Queued", approximateInvokeCount: 0 }, requestPayload: content };
}
