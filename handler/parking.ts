import { bytesOfEvent, envelopeSchema, mostEventBytes } from "./contract/envelope";
import { type FailureRecord, type MailFailure, toMessageBody } from "./contract/failure-record";
import { type NotificationError } from "./errors";

/** Most that the dead-letter queue takes, in bytes: as `mostEventBytes`, with the record around the event. */
export const mostRecordBytes = 256 * 1024;

/** A failure that no retry can mend: the event, how often it was tried in all, and why it can't be mailed. */
interface Failed {
  readonly record: FailureRecord;
  readonly tries: number;
  readonly error: NotificationError;
}

/**
 * The record of such a failure, for the dead-letter queue. It fits: an event that is too large for a queue, or nested too
 * deeply for JSON, is parked without its detail; where there are very many failures, their reasons are left out, and
 * then the list itself, which the event's own reason sums up.
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

/** What tells which event it was; its lengths are bounded by the envelope's own. */
function withoutDetail(event: unknown): unknown {
  const parsed = envelopeSchema.omit({ detail: true }).safeParse(event);
  return parsed.success ? parsed.data : "an input that is too large or too deep";
}
