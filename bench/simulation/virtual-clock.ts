import { type Clock } from "../../handler/pacer";
import { Heap } from "./heap";

/**
 * A clock with simulated time, in whole milliseconds. It drives the callbacks of queues and timers, and the promises of
 * the real handler: after a step that may have settled a promise, all code that waited for it runs before the time goes
 * on.
 */
export class VirtualClock implements Clock {
  private time: number;
  private readonly due = new Heap<() => void>();
  private mayHaveSettled = false;

  constructor(startsAt = 0) {
    this.time = startsAt;
  }

  /** Whether any action is still due. */
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

  /** A step that starts asynchronous work has to call this. */
  settle(): void {
    this.mayHaveSettled = true;
  }

  /** Runs the actions in the order of their times until none is due. */
  async run(): Promise<void> {
    while (this.due.size > 0) {
      this.time = this.due.firstKey;
      this.due.pop()?.();
      if (!this.mayHaveSettled) continue;
      this.mayHaveSettled = false;
      // Node runs all promise reactions, and those that they cause, before the next immediate.
      await new Promise(setImmediate);
    }
  }
}
