import * as z from "zod";

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
  /** How often a person has sent it again. */
  redrives: z.number().int().nonnegative().optional(),
});

export type FailureRecord = z.infer<typeof failureRecordSchema>;
