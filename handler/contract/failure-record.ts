import * as z from "zod/mini";

/** One mail that failed, or one entry of an event's recipients that is no usable address. */
export const mailFailureSchema = z.object({
  /** `hashRecipient` of the address; missing where the entry is no address. */
  recipient: z.optional(z.string()),
  /**
   * Position of the entry in the event's list of recipients; the first is 1. Only set if the entry itself is refused.
   */
  position: z.optional(z.int().check(z.positive())),
  /** A `FailureType`; a later version of the function may know others. */
  type: z.string(),
  /** Reason of the failure, without addresses and content. */
  message: z.string(),
});

export type MailFailure = z.infer<typeof mailFailureSchema>;

/**
 * The record that Lambda hands to the on-failure destination of an asynchronous invocation
 * (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html). The retry queue and the
 * dead-letter queue hold such records. The records that the function parks itself, and those that a redrive sends, have
 * the same shape.
 */
export const failureRecordSchema = z.object({
  requestContext: z.object({
    functionArn: z.optional(z.string()),
    /**
     * Why the record was made. Lambda writes `RetriesExhausted` or `EventAgeExceeded`. The function writes `Parked`,
     * and `Invoked` or `Queued` while it works on an event that came without a record.
     */
    condition: z.string(),
    /** How often the event was tried, on all lanes together. */
    approximateInvokeCount: z.int().check(z.nonnegative()),
  }),
  /** The event, unchanged. */
  requestPayload: z.unknown(),
  /** The failure. It is missing if the function never ran, because it was throttled until the event was too old. */
  responsePayload: z.nullish(z.object({ errorType: z.optional(z.string()), errorMessage: z.optional(z.string()) })),
  /**
   * The mails of the event that failed, each with its reason; the others are out. Only the records that the function
   * makes itself have this list. Lambda's own records have only `responsePayload`.
   */
  failures: z.optional(z.array(mailFailureSchema)),
  /** How often a person has sent the record again. */
  redrives: z.optional(z.int().check(z.nonnegative())),
});

export type FailureRecord = z.infer<typeof failureRecordSchema>;

/**
 * Writes a record as the body of an SQS message. SQS refuses a message with a character that XML does not allow, or
 * changes that character (SendMessage). JSON escapes all such characters except U+FFFE and U+FFFF, so these are escaped
 * here.
 */
export function toMessageBody(record: object): string {
  return JSON.stringify(record).replace(/[\ufffe\uffff]/g, (other) => `\\u${other.charCodeAt(0).toString(16)}`);
}
