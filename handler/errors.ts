import { type MailFailure } from "./contract/failure-record";
import {
  type FailureType,
  isPermanentFailure,
  type PermanentFailureType,
  type TransientFailureType,
} from "./contract/failures";

/**
 * Longest message, in characters. Lambda's record of a failed run has it twice (`errorMessage`, and the first line of
 * the trace), beside an event of up to `mostEventBytes`, and has to fit a queue all the same.
 */
export const longestMessage = 2500;

interface FailureOptions extends ErrorOptions {
  readonly failures?: readonly MailFailure[];
}

/**
 * `name` is the failure's type: Lambda reports it as `errorType`, and rules route by it, so it is set by hand: a
 * minifier may rename a class.
 */
abstract class Failure<Type extends string> extends Error {
  abstract readonly retryable: boolean;
  /** The mails of the event that failed; none where it is the event itself that can't be mailed. */
  readonly failures: readonly MailFailure[];

  constructor(
    readonly type: Type,
    message: string,
    { failures = [], ...options }: FailureOptions = {},
  ) {
    super(message.length > longestMessage ? `${message.slice(0, longestMessage - 2)}..` : message, options);
    this.name = type;
    this.failures = failures;
  }
}

/** A retry meets the same answer. */
export class PermanentError extends Failure<PermanentFailureType> {
  readonly retryable = false;
}

/** A later try can succeed. */
export class TransientError extends Failure<TransientFailureType> {
  readonly retryable = true;
}

/** A failure to notify. */
export type NotificationError = PermanentError | TransientError;

export function createError(type: FailureType, message: string, options?: FailureOptions): NotificationError {
  return isPermanentFailure(type)
    ? new PermanentError(type, message, options)
    : new TransientError(type, message, options);
}
