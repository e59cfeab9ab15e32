import { setMaxListeners } from "node:events";
import { setTimeout as wait } from "node:timers/promises";

/** Work that goes on after its request was answered. The gateway waits for it before it closes. */
export class Background {
  private readonly controller = new AbortController();
  private readonly tasks = new Set<Promise<void>>();
  private counted = 0;

  constructor(private readonly onError: (error: unknown) => void) {
    // Every wait adds a listener and removes it when it is over, so that their number is no sign of a leak.
    setMaxListeners(0, this.controller.signal);
  }

  get closing(): boolean {
    return this.controller.signal.aborted;
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Tasks that come to an end by themselves and have not yet. */
  get pending(): number {
    return this.counted;
  }

  run(task: () => Promise<void>): void {
    this.runForever(() => this.count(task()));
  }

  /** Aborted when the gateway closes. Work that would go on until then stops at it. */
  runForever(task: () => Promise<void>): void {
    const running = task()
      .catch((error: unknown) => {
        if (!this.closing) this.onError(error);
      })
      .finally(() => this.tasks.delete(running));
    this.tasks.add(running);
  }

  /** Counts work that is waited for elsewhere. */
  async count<Value>(work: Promise<Value>): Promise<Value> {
    this.counted += 1;
    try {
      return await work;
    } finally {
      this.counted -= 1;
    }
  }

  /** Waits. It rejects when the gateway closes, so that a wait does not delay the end. */
  async sleep(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.controller.signal });
  }

  async close(): Promise<void> {
    this.controller.abort();
    await Promise.all(this.tasks);
  }
}
