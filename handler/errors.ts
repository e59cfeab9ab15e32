import { type PermanentFailureType, type TransientFailureType } from "./contract/failures";

/**
 * `name` is the failure's type: Lambda reports it as `errorType`, and rules route by it, so it is set by hand: a
 * minifier may rename a class.
 */
abstract class Failure<Type extends string> extends Error {
  abstract readonly retryable: boolean;

  constructor(
    readonly type: Type,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = type;
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
