import { type ChildProcess, type ChildProcessByStdio, spawn, type StdioOptions } from "node:child_process";
import { Socket } from "node:net";
import { type Writable } from "node:stream";
import { inherit, ofEveryProgram } from "./child-environment";

export interface ChildOptions {
  readonly directory: string;
  /** All of it: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  readonly stdio: StdioOptions;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Set where it could not be started at all. */
  readonly error?: Error;
}

/** A program that the sandbox runs, and that does not outlive it. */
export interface Child {
  readonly process: ChildProcess;
  /** Its output is read to the end by then. Never rejects. */
  readonly ended: Promise<Ending>;
  /** How it ended; `undefined` while it runs. */
  ending(): Ending | undefined;
  /** To it and to what it started. */
  signal(name: NodeJS.Signals): void;
}

/**
 * Starts a program in a process group of its own: Ctrl-C in a terminal reaches the sandbox alone, which then stops
 * its children in order.
 */
export function startChild(command: readonly [string, ...string[]], options: ChildOptions): Child {
  const [file, ...words] = command;
  // First: a program that is there before its watchdog can be left behind.
  const watchdog = startWatchdog();
  let child: ChildProcess;
  try {
    child = spawn(file, words, {
      cwd: options.directory,
      env: { ...options.environment },
      stdio: options.stdio,
      detached: true,
      windowsHide: true,
    });
  } catch (error) {
    // A word that is too long, or has a NUL: Node.js throws where it emits an error otherwise.
    watchdog?.kill("SIGKILL");
    throw error;
  }
  if (child.pid === undefined) watchdog?.kill("SIGKILL");
  else watchdog?.stdin.write(`${child.pid}\n`);
  let ending: Ending | undefined;
  const ended = new Promise<Ending>((resolve) => {
    child.once("error", (error) => {
      resolve((ending = { code: null, signal: null, error }));
    });
    child.once("close", (code, signal) => {
      resolve((ending ??= { code, signal }));
    });
  });
  // The id can belong to another program from here on.
  child.once("exit", () => watchdog?.kill("SIGKILL"));
  return {
    process: child,
    ended,
    ending: () => ending,
    signal: (name) => {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) signalGroup(child.pid, name);
    },
  };
}

/** Asks it to end, and ends it if it does not. */
export async function stopChild(child: Child, patienceMs = 5000): Promise<void> {
  child.signal("SIGTERM");
  const force = setTimeout(() => {
    child.signal("SIGKILL");
  }, patienceMs);
  await child.ended;
  clearTimeout(force);
}

function signalGroup(leader: number, name: NodeJS.Signals): void {
  try {
    // Windows has no process groups.
    process.kill(process.platform === "win32" ? leader : -leader, name);
  } catch (error) {
    // It ended by itself a moment ago.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/**
 * Ends the group whose leader it is told, once this process is gone, however it went (SIGKILL and a crash included): the
 * shell's standard input is a pipe whose other end only this process holds.
 */
function startWatchdog(): ChildProcessByStdio<Writable, null, null> | undefined {
  if (process.platform === "win32") return undefined;
  const script = 'read -r leader || exit; cat >/dev/null; kill -TERM -"$leader"; sleep 5; kill -KILL -"$leader"';
  const watchdog = spawn("/bin/sh", ["-c", script], {
    env: inherit(ofEveryProgram),
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  // Without it the children are still stopped in order; only a crash would leave them behind.
  watchdog.on("error", () => undefined);
  watchdog.stdin.on("error", () => undefined);
  watchdog.unref();
  if (watchdog.stdin instanceof Socket) watchdog.stdin.unref();
  return watchdog;
}
