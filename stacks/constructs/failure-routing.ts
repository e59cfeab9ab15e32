import { permanentFailureTypes } from "../../handler/contract/failures";

/**
 * Where an asynchronous invocation goes whose every run failed: Lambda puts its record onto the failures bus, and of the
 * two patterns exactly one matches, whatever the record says.
 */

/** Source and detail-type of the record (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html). */
const failureEvent = { source: ["lambda"], "detail-type": ["Lambda Function Invocation Result - Failure"] };

/** A failure of one function that a later try can mend. A function that never ran (throttled until too old) has no type. */
export function transientFailurePattern(functionArn: string): object {
  const type = (match: object) => ({ responsePayload: { errorType: [match] } });
  return {
    ...failureEvent,
    detail: {
      // With its qualifier, `:$LATEST`.
      requestContext: { functionArn: [{ prefix: `${functionArn}:` }] },
      $or: [type({ "anything-but": [...permanentFailureTypes] }), type({ exists: false })],
    },
  };
}

/** A failure that no retry can mend. The function parks these itself; a record comes only where it could not. */
export function permanentFailurePattern(functionArns: readonly string[]): object {
  return {
    ...failureEvent,
    detail: {
      requestContext: { functionArn: functionArns.map((arn) => ({ prefix: `${arn}:` })) },
      responsePayload: { errorType: [...permanentFailureTypes] },
    },
  };
}
