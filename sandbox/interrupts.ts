/** npm passes a signal on to the program that it runs, which a terminal's Ctrl-C has reached already. */
const echoMs = 500;

/**
 * Calls the listener for each time that the user wants the program to end: Ctrl-C, `kill`, a terminal that is closed.
 * @param now for tests: milliseconds.
 */
export function onInterrupt(
  of: { on(name: string, listener: () => void): unknown },
  listener: (count: number) => void,
  now = Date.now,
): void {
  let count = 0;
  let lastAt = Number.NEGATIVE_INFINITY;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    of.on(name, () => {
      const isEcho = now() - lastAt < echoMs;
      lastAt = now();
      if (!isEcho) listener(++count);
    });
  }
}
