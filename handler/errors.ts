import { type MailFailure } from "./contract/failure-record";
import {
  type FailureType,
  isPermanentFailure,
  type PermanentFailureType,
  type TransientFailureType,
} from "./contract/failures";

/**
 * Longest message of a failure, in characters. Lambda's record of a failed run contains the message twice (as
 * `errorMessage` and as the first line of the stack trace) next to an event of up to `mostEventBytes`, and the whole
 * record has to fit into a queue.
 */
export const longestMessage = 2500;

interface FailureOptions extends ErrorOptions {
  readonly failures?: readonly MailFailure[];
}

/**
 * Base of the two kinds of failure. `name` is the failure's type: Lambda reports it as `errorType`, and EventBridge
 * rules route by it. It is set explicitly, because the minifier may rename classes.
 */
abstract class Failure<Type extends string> extends Error {
  abstract readonly retryable: boolean;
  /** The mails of the event that failed. The list is empty if the event as a whole can't be mailed. */
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

/** A failure that every retry would meet again. */
export class PermanentError extends Failure<PermanentFailureType> {
  readonly retryable = false;
}

/** A failure after which a later try can succeed. */
export class TransientError extends Failure<TransientFailureType> {
  readonly retryable = true;
}

export type NotificationError = PermanentError | TransientError;

/** Makes the error class that fits the type. */
export function createError(type: FailureType, message: string, options?: FailureOptions): NotificationError {
  return isPermanentFailure(type)
    ? new PermanentError(type, message, options)
    : new TransientError(type, message, options);
}
