import { type PermanentFailureType, type TransientFailureType } from "./contract/failures";

/**
 * A failure to notify. `name` is the failure's type: Lambda reports it as `errorType`, and rules route by it, so it is
 * set by hand: a minifier may rename a class.
 */
export abstract class NotificationError extends Error {
  abstract readonly retryable: boolean;

  constructor(type: PermanentFailureType | TransientFailureType, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = type;
  }
}

/** A retry meets the same answer. */
export class PermanentError extends NotificationError {
  readonly retryable = false;

  constructor(type: PermanentFailureType, message: string, options?: ErrorOptions) {
    super(type, message, options);
  }
}

/** A later try can succeed. */
export class TransientError extends NotificationError {
  readonly retryable = true;

  constructor(type: TransientFailureType, message: string, options?: ErrorOptions) {
    super(type, message, options);
  }
}
