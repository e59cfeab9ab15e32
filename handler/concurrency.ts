/** Runs the work as soon as there is a place for it, in the order of the calls. */
export type Limit = <Result>(work: () => Promise<Result>) => Promise<Result>;

/**
 * Makes a function that lets at most `most` works run at once. p-limit does the same; it is an ES module, and makes an
 * `AsyncResource` for each call, which a function with one mail to send does not need.
 */
export function limitConcurrency(most: number): Limit {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running < most) running += 1;
    else await new Promise<void>((start) => waiting.push(start));
    try {
      return await work();
    } finally {
      // The place goes to the next in line, so `running` stays as it is.
      const start = waiting.shift();
      if (start === undefined) running -= 1;
      else start();
    }
  };
}
