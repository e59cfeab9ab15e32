import { type SqsBatchResponse } from "../../handler/contract/sqs-batch";
import { type SimulatedFunction } from "./function";
import * as limits from "./limits";
import { type Message, type SimulatedQueue } from "./queue";
import { type Random, sampleLatency } from "./random";
import { type VirtualClock } from "./virtual-clock";

export interface EventSourceSettings {
  readonly batchSize: number;
  readonly maximumConcurrency: number;
  readonly reportsItemFailures: boolean;
}

/** Lambda's pollers of a queue. limits.ts has their rules and the sources. */
export class EventSource {
  /**
   * Number of batches that were throttled until their messages became visible again, so that their receive was wasted.
   */
  dropped = 0;
  received = 0;
  private running = 0;

  constructor(
    private readonly clock: VirtualClock,
    private readonly queue: SimulatedQueue,
    private readonly fn: Pick<SimulatedFunction, "invoke">,
    private readonly settings: EventSourceSettings,
    private readonly random: Random,
  ) {
    queue.onVisible = () => {
      this.poll();
    };
  }

  private poll(): void {
    while (this.running < this.settings.maximumConcurrency && this.running < this.queue.visibleCount) {
      this.running += 1;
      this.clock.after(sampleLatency(limits.eventSource.poll, this.random), () => {
        const messages = this.queue.receive(this.settings.batchSize);
        if (messages.length === 0) this.end();
        else {
          this.received += messages.length;
          this.invoke(messages, this.clock.now() + this.queue.settings.visibilityTimeoutMs, 0);
        }
      });
    }
  }

  private invoke(messages: readonly Message[], visibleAt: number, throttles: number): void {
    const batch = {
      Records: messages.map(({ id, body, receiveCount }) => ({
        eventSource: "aws:sqs",
        messageId: id,
        body,
        attributes: { ApproximateReceiveCount: String(receiveCount) },
      })),
    };
    const isTaken = this.fn.invoke(batch, (runResult) => {
      if (runResult.kind === "success") {
        const { batchItemFailures } = runResult.result as SqsBatchResponse;
        const failed = new Set(
          this.settings.reportsItemFailures ? batchItemFailures.map(({ itemIdentifier }) => itemIdentifier) : [],
        );
        for (const message of messages) if (!failed.has(message.id)) this.queue.delete(message);
      }
      this.end();
    });
    if (isTaken) return;
    const { firstMs, longestMs } = limits.eventSource.throttleBackoff;
    const wait = Math.min(firstMs * 2 ** throttles, longestMs);
    if (this.clock.now() + wait >= visibleAt) {
      this.dropped += 1;
      this.clock.at(visibleAt, () => {
        this.end();
      });
      return;
    }
    this.clock.after(wait, () => {
      this.invoke(messages, visibleAt, throttles + 1);
    });
  }

  private end(): void {
    this.running -= 1;
    this.poll();
  }
}
