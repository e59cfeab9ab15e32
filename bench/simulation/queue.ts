import { type VirtualClock } from "./virtual-clock";

export interface QueueSettings {
  readonly visibilityTimeoutMs: number;
  readonly retentionMs: number;
  /** @default none: a message can be received any number of times */
  readonly redrive?: { readonly maxReceiveCount: number; readonly deadLetters: SimulatedQueue };
}

export interface Message {
  readonly id: string;
  readonly body: string;
  readonly sentAt: number;
  receiveCount: number;
  isDeleted: boolean;
}

/**
 * An SQS standard queue. A received message is invisible for a while, and comes back unless it is deleted. A message
 * that was received `maxReceiveCount` times goes to the dead letters at the next receive
 * (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html).
 */
export class SimulatedQueue {
  /** Number of all messages, invisible ones included. */
  depth = 0;
  /** Called when there may be something to receive. */
  onVisible: () => void = () => undefined;
  onArrival: (message: Message) => void = () => undefined;
  private visible: Message[] = [];
  private next = 0;
  private sent = 0;

  constructor(
    private readonly clock: VirtualClock,
    readonly settings: QueueSettings,
  ) {}

  get visibleCount(): number {
    return this.visible.length - this.next;
  }

  send(body: string, sentAt = this.clock.now()): void {
    const message = { id: `m${++this.sent}`, body, sentAt, receiveCount: 0, isDeleted: false };
    this.depth += 1;
    this.onArrival(message);
    this.show(message);
  }

  receive(most: number): Message[] {
    const { visibilityTimeoutMs, retentionMs, redrive } = this.settings;
    const received: Message[] = [];
    while (received.length < most) {
      const message = this.takeVisible();
      if (message === undefined) break;
      if (this.clock.now() - message.sentAt > retentionMs) {
        this.depth -= 1;
        continue;
      }
      if (redrive !== undefined && message.receiveCount >= redrive.maxReceiveCount) {
        this.depth -= 1;
        // SQS counts the retention of a dead letter from the time when it was first sent.
        redrive.deadLetters.send(message.body, message.sentAt);
        continue;
      }
      message.receiveCount += 1;
      received.push(message);
      this.clock.after(visibilityTimeoutMs, () => {
        if (!message.isDeleted) this.show(message);
      });
    }
    return received;
  }

  delete(message: Message): void {
    if (message.isDeleted) return;
    message.isDeleted = true;
    this.depth -= 1;
  }

  private show(message: Message): void {
    this.visible.push(message);
    this.onVisible();
  }

  private takeVisible(): Message | undefined {
    for (;;) {
      const message = this.visible[this.next];
      if (message === undefined) return undefined;
      this.next += 1;
      if (this.next > 1024 && this.next * 2 > this.visible.length) {
        this.visible = this.visible.slice(this.next);
        this.next = 0;
      }
      if (!message.isDeleted) return message;
    }
  }
}
