import { permanentFailureTypes } from "../../handler/contract/failures";

/**
 * When every run of an asynchronous invocation has failed, Lambda puts its record onto the failures bus. The two
 * patterns here sort the records: exactly one of them matches each record.
 */

/** Source and detail-type of the record (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html). */
const failureEvent = { source: ["lambda"], "detail-type": ["Lambda Function Invocation Result - Failure"] };

/**
 * Matches the failures of one function that a later try can mend. A record without an error type belongs to them: the
 * function never ran, because it was throttled until the event was too old.
 */
export function transientFailurePattern(functionArn: string): object {
  const type = (match: object) => ({ responsePayload: { errorType: [match] } });
  return {
    ...failureEvent,
    detail: {
      // The ARN in the record ends in the qualifier `:$LATEST`.
      requestContext: { functionArn: [{ prefix: `${functionArn}:` }] },
      $or: [type({ "anything-but": [...permanentFailureTypes] }), type({ exists: false })],
    },
  };
}

/**
 * Matches the failures that no retry can mend. The function parks these events itself, so such a record comes only if
 * the function could not park the event.
 */
export function permanentFailurePattern(functionArns: readonly string[]): object {
  return {
    ...failureEvent,
    detail: {
      requestContext: { functionArn: functionArns.map((arn) => ({ prefix: `${arn}:` })) },
      responsePayload: { errorType: [...permanentFailureTypes] },
    },
  };
}
