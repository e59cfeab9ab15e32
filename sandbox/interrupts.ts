/**
 * A second signal within this time, in milliseconds, is ignored. On Ctrl-C, the terminal signals this program, and npm
 * passes the same signal on to it once more.
 */
const echoMs = 500;

/** How often `onOrphaned` looks, in milliseconds. */
const lookMs = 500;

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

/**
 * Calls the listener once the process that started this one is gone. A SIGTERM to `npm start` ends npm and its shell,
 * and the shell does not pass it on, so that the sandbox would run on without anybody who could stop it.
 * @param parent tells the id of the parent process; tests replace it.
 */
export function onOrphaned(listener: () => void, parent = () => process.ppid): void {
  const first = parent();
  const timer = setInterval(() => {
    if (parent() === first) return;
    clearInterval(timer);
    listener();
  }, lookMs);
  timer.unref();
}
