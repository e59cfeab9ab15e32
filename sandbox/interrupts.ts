/**
 * A second signal within this time, in milliseconds, is ignored. On Ctrl-C, the terminal signals this program, and npm
 * passes the same signal on to it once more.
 */
const echoMs = 500;

/**
 * Calls the listener each time that the user wants the program to end: by Ctrl-C, by `kill`, or by closing the
 * terminal.
 * @param now the clock in milliseconds; tests replace it.
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
