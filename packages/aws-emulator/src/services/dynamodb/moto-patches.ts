import { type Interceptor, ofService } from "../../gateway/http";

/**
 * moto works at its calls in threads, and reads an item, checks its condition and writes it one after the other: of two
 * conditional writes at once both succeed, and a reader sees an item half written. AWS makes each write as one. So calls
 * come to moto one by one.
 */
export function patchDynamoDb(): Interceptor {
  let last: Promise<unknown> = Promise.resolve();
  return ofService("dynamodb", (call, next) => {
    const answer = last.then(() => next(call));
    // A call that fails must not keep the others from their turn.
    last = answer.catch(() => undefined);
    return answer;
  });
}
