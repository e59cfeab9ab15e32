import { type RunResult, type SimulatedFunction } from "./function";
import * as limits from "./limits";
import { type Random, sampleLatency } from "./random";
import { type VirtualClock } from "./virtual-clock";

export interface AsynchronousSettings {
  readonly retries: number;
  readonly maximumAgeMs: number;
  readonly errorRetryDelaysMs: readonly number[];
  readonly throttleJitter: number;
  readonly duplicateRate: number;
}

/** An event that left the queue without success. */
export interface FailedInvocation {
  readonly payload: unknown;
  readonly condition: "RetriesExhausted" | "EventAgeExceeded";
  readonly runs: number;
  /** Error of the last run; `undefined` if the function never ran. */
  readonly error: Extract<RunResult, { kind: "error" }> | undefined;
}

interface Item {
  readonly payload: unknown;
  /** The callback is made once and kept, because an event is tried often. */
  readonly attempt: () => void;
  readonly done: (runResult: RunResult) => void;
  readonly acceptedAt: number;
  runs: number;
  throttles: number;
  error: FailedInvocation["error"];
}

/** Lambda's queue of asynchronous invocations. limits.ts has its rules and their sources. */
export class AsynchronousInvocations {
  /** Number of events in the queue. An event that is being run counts until its run is over. */
  depth = 0;
  expired = 0;
  exhausted = 0;

  constructor(
    private readonly clock: VirtualClock,
    private readonly fn: Pick<SimulatedFunction, "invoke">,
    private readonly settings: AsynchronousSettings,
    private readonly random: Random,
    private readonly giveUp: (failure: FailedInvocation) => void,
  ) {}

  accept(payload: unknown): void {
    const copies = this.random() < this.settings.duplicateRate ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      this.depth += 1;
      const item: Item = {
        payload,
        attempt: () => {
          this.attempt(item);
        },
        done: (runResult) => {
          this.after(item, runResult);
        },
        acceptedAt: this.clock.now(),
        runs: 0,
        throttles: 0,
        error: undefined,
      };
      this.clock.after(sampleLatency(limits.asynchronousQueue.dispatch, this.random), item.attempt);
    }
  }

  private attempt(item: Item): void {
    if (this.clock.now() - item.acceptedAt > this.settings.maximumAgeMs) {
      this.expired += 1;
      this.end(item, "EventAgeExceeded");
      return;
    }
    if (this.fn.invoke(item.payload, item.done)) return;
    const { firstMs, longestMs } = limits.asynchronousQueue.throttleBackoff;
    const longest = Math.min(firstMs * 2 ** item.throttles, longestMs);
    item.throttles += 1;
    this.clock.after(longest * (1 - this.settings.throttleJitter * this.random()), item.attempt);
  }

  private after(item: Item, runResult: RunResult): void {
    item.runs += 1;
    if (runResult.kind === "success") {
      this.depth -= 1;
      return;
    }
    item.error = runResult;
    item.throttles = 0;
    if (item.runs > this.settings.retries) {
      this.exhausted += 1;
      this.end(item, "RetriesExhausted");
      return;
    }
    const delays = this.settings.errorRetryDelaysMs;
    this.clock.after(delays[item.runs - 1] ?? delays.at(-1) ?? 0, item.attempt);
  }

  private end({ payload, runs, error }: Item, condition: FailedInvocation["condition"]): void {
    this.depth -= 1;
    this.giveUp({ payload, condition, runs, error });
  }
}
