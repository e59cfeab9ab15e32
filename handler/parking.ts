import { bytesOfEvent, envelopeSchema, mostEventBytes } from "./contract/envelope";
import { type FailureRecord, type MailFailure, toMessageBody } from "./contract/failure-record";
import { type NotificationError } from "./errors";

/** Most bytes that the dead-letter queue takes of a record: an event of `mostEventBytes`, with the record around it. */
export const mostRecordBytes = 256 * 1024;

/** A failure that no retry can mend: the event, how often it was tried in all, and why it can't be mailed. */
interface Failed {
  readonly record: FailureRecord;
  readonly tries: number;
  readonly error: NotificationError;
}

/**
 * Makes the failure's record for the dead-letter queue, small enough for the queue. An event that is too large, or nested
 * too deeply for JSON, is parked without its detail. Where there are very many failures, their reasons are left out first,
 * and then the list itself, which the event's own reason sums up.
 */
export function toParkedRecord({ record, tries, error }: Failed): FailureRecord {
  const { requestContext, requestPayload: event, redrives } = record;
  const { failures, name, message } = error;
  const recordOf = (requestPayload: unknown, listed: readonly MailFailure[]): FailureRecord => ({
    requestContext: { ...requestContext, condition: "Parked", approximateInvokeCount: tries },
    requestPayload,
    responsePayload: { errorType: name, errorMessage: message },
    ...(listed.length === 0 ? {} : { failures: [...listed] }),
    ...(redrives === undefined ? {} : { redrives }),
  });
  const lists = [failures, failures.map((failure) => ({ ...failure, message: "" })), []];
  const rest = withoutDetail(event);
  const events = isMailable(event) ? [event, rest] : [rest];
  const candidates = events.flatMap((each) => lists.map((listed) => recordOf(each, listed)));
  const fits = (candidate: FailureRecord) => Buffer.byteLength(toMessageBody(candidate)) <= mostRecordBytes;
  return candidates.find(fits) ?? recordOf(rest, []);
}

function isMailable(event: unknown): boolean {
  return bytesOfEvent(event) <= mostEventBytes;
}

/** Keeps what tells which event it was. The envelope bounds the length of each field. */
function withoutDetail(event: unknown): unknown {
  const parsed = envelopeSchema.omit({ detail: true }).safeParse(event);
  return parsed.success ? parsed.data : "an input that is too large or too deep";
}
