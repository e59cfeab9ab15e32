import { type Clock } from "../../handler/pacer";
import { Heap } from "./heap";

/**
 * Simulated time, in whole milliseconds. It drives both callbacks (queues, timers) and the promises of the handler, which
 * is the real one: after each step that may have settled a promise, everything that waited for it runs before time goes on.
 */
export class VirtualClock implements Clock {
  private time: number;
  private readonly due = new Heap<() => void>();
  private mayHaveSettled = false;

  constructor(startsAt = 0) {
    this.time = startsAt;
  }

  /** Whether anything is still due. */
  get hasMore(): boolean {
    return this.due.size > 0;
  }

  readonly now = (): number => this.time;

  readonly wait = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      this.after(milliseconds, () => {
        this.mayHaveSettled = true;
        resolve();
      });
    });

  after(milliseconds: number, action: () => void): void {
    this.at(this.time + milliseconds, action);
  }

  at(time: number, action: () => void): void {
    this.due.push(Math.max(this.time, Math.round(time)), action);
  }

  /** To be called by a step that starts asynchronous work. */
  settle(): void {
    this.mayHaveSettled = true;
  }

  /** Runs until nothing is due any more. */
  async run(): Promise<void> {
    while (this.due.size > 0) {
      this.time = this.due.firstKey;
      this.due.pop()?.();
      if (!this.mayHaveSettled) continue;
      this.mayHaveSettled = false;
      // Node runs all promise reactions, those of reactions included, before the next immediate.
      await new Promise(setImmediate);
    }
  }
}
