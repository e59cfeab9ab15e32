import * as z from "zod/mini";
import { bytesOfEvent, envelopeSchema, mostEventBytes } from "./contract/envelope";
import { type FailureRecord, type MailFailure, toMessageBody } from "./contract/failure-record";
import { type NotificationError } from "./errors";

/**
 * Largest record that is parked, in bytes: the limit of the queue. It holds an event of `mostEventBytes` and its
 * failure.
 */
export const mostRecordBytes = 256 * 1024;

/** A failure that no retry can mend. */
interface Failed {
  /** The record of the event, as this run received or made it. */
  readonly record: FailureRecord;
  /** How often the event was tried, on all lanes together. */
  readonly tries: number;
  readonly error: NotificationError;
}

/**
 * Makes a record of at most `mostRecordBytes` for the dead-letter queue. It usually holds the whole event and the
 * reason of each failed mail. If that is too large, the reasons of the single mails are left out first, and then their
 * whole list; the event's own reason sums them up. An event that is too large, or nested too deeply for JSON, is parked
 * without its detail.
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

/** Keeps the fields that identify the event. `envelopeSchema` limits the length of each. */
function withoutDetail(event: unknown): unknown {
  const parsed = z.omit(envelopeSchema, { detail: true }).safeParse(event);
  return parsed.success ? parsed.data : "an input that is too large or too deep";
}
