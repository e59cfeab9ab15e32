import { setTimeout as sleep } from "node:timers/promises";
import { exitCodes } from "../command";
import { textOfError } from "../text";

/**
 * - `held`: it was seen.
 * - `failed`: it was to be seen and was not.
 * - `unseen`: it can't be seen here, or nobody asked for it. It is neither good nor bad.
 */
export type Status = "held" | "failed" | "unseen";

export interface Verdict {
  readonly status: Status;
  /** What was seen. */
  readonly finding: string;
  /** What to do about it. */
  readonly todo?: string;
}

export interface TrialResult extends Verdict {
  readonly trial: string;
}

export const held = (finding: string): Verdict => ({ status: "held", finding });
export const unseen = (finding: string): Verdict => ({ status: "unseen", finding });
export const failed = (finding: string, todo: string): Verdict => ({ status: "failed", finding, todo });

/** The command reports problems if a trial failed, or if none was made. */
export function exitCodeOf(results: readonly TrialResult[]): number {
  const isWell = results.some(({ status }) => status === "held") && results.every(({ status }) => status !== "failed");
  return isWell ? exitCodes.well : exitCodes.problems;
}

/** Runs a trial. One that rejects has failed, and the verdict has the reason. */
export async function judge(run: () => Promise<Verdict>): Promise<Verdict> {
  return run().catch((error: unknown) => {
    if (isInterrupt(error)) return unseen("Interrupted.");
    return failed(textOfError(error), "Look at the reason: a right may be missing, or the stage is not deployed.");
  });
}

export interface Waiting {
  /** Longest wait in milliseconds. */
  readonly most: number;
  /** Time between two looks in milliseconds. */
  readonly every: number;
  /** Aborted when a person interrupts. Then every wait rejects. */
  readonly signal: AbortSignal;
}

/**
 * Looks until it has seen enough, or the time is over.
 * @returns what it saw last.
 */
export async function waitUntil<Seen>(
  look: () => Promise<Seen>,
  isEnough: (seen: Seen) => boolean,
  { most, every, signal }: Waiting,
): Promise<Seen> {
  const deadline = Date.now() + most;
  for (;;) {
    signal.throwIfAborted();
    const seen = await look();
    if (isEnough(seen) || Date.now() >= deadline) return seen;
    await sleep(Math.min(every, Math.max(0, deadline - Date.now())), undefined, { signal });
  }
}

/** Whether a wait ended because of its signal. What Node rejects with then is known by its name alone. */
const isInterrupt = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "name" in error && error.name === "AbortError";
