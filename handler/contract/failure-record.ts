import * as z from "zod";

/** One mail that failed, or one entry of an event's recipients that no mail can go to. */
export const mailFailureSchema = z.object({
  /** `hashRecipient` of the address; missing where the entry is no address. */
  recipient: z.string().optional(),
  /** Of the entry in the event's list of recipients; the first is 1. Only where the entry itself is refused. */
  position: z.number().int().positive().optional(),
  /** A `FailureType`; a later version of the function may know others. */
  type: z.string(),
  /** Why, without addresses and content. */
  message: z.string(),
});

export type MailFailure = z.infer<typeof mailFailureSchema>;

/**
 * What Lambda hands to the on-failure destination of an asynchronous invocation
 * (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html). The retry queue and the
 * dead-letter queue hold these; what the function parks itself and what a redrive sends has the same shape.
 */
export const failureRecordSchema = z.object({
  requestContext: z.object({
    functionArn: z.string().optional(),
    /** Why Lambda gave up: `RetriesExhausted`, `EventAgeExceeded`; `Parked` where the function did. */
    condition: z.string(),
    /** How often the event was tried, all lanes together. */
    approximateInvokeCount: z.number().int().nonnegative(),
  }),
  /** The event, as it came. */
  requestPayload: z.unknown(),
  /** Missing where the function never ran: throttled until the event was too old. */
  responsePayload: z.object({ errorType: z.string().optional(), errorMessage: z.string().optional() }).nullish(),
  /**
   * The mails of the event that failed, and why; the others are out. Only in records that the function makes itself:
   * Lambda's own have a type and a message.
   */
  failures: z.array(mailFailureSchema).optional(),
  /** How often a person has sent it again. */
  redrives: z.number().int().nonnegative().optional(),
});

export type FailureRecord = z.infer<typeof failureRecordSchema>;

/**
 * A record as the body of an SQS message. SQS takes the characters of XML only, refuses a message with another one, and
 * may change it (SendMessage). JSON escapes all of them but two.
 */
export function toMessageBody(record: object): string {
  return JSON.stringify(record).replace(/[\ufffe\uffff]/g, (other) => `\\u${other.charCodeAt(0).toString(16)}`);
}
