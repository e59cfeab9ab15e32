import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";

interface Stored {
  readonly id: string;
  readonly body: string;
  /** When a receive can get the message again, in milliseconds since 1970. */
  visibleAt: number;
  isDelayed: boolean;
  /** The receipt handle of the last receive. Older ones are no longer valid. */
  receipt: string;
}

/**
 * A queue that behaves as SQS documents it. Only calls move its clock. A message comes back when its visibility timeout
 * is over. A delete with an old receipt succeeds and deletes nothing.
 */
export class FakeQueue {
  time = 0;
  /** How long each call takes, in milliseconds. */
  callMs = 0;
  readonly calls: string[] = [];
  private messages: Stored[] = [];
  private receipts = 0;

  constructor(count: number) {
    this.messages = Array.from({ length: count }, (_, index) => ({
      id: `m-${index}`,
      body: "{}",
      visibleAt: 0,
      isDelayed: false,
      receipt: "",
    }));
  }

  readonly now = (): number => this.time;

  get size(): number {
    return this.messages.length;
  }

  /** The queue's own counts. A test may replace this with wrong ones. */
  counts = (): { visible: number; inFlight: number; delayed: number } => {
    const hidden = this.messages.filter(({ visibleAt }) => visibleAt > this.time);
    const delayed = hidden.filter(({ isDelayed }) => isDelayed).length;
    return { visible: this.size - hidden.length, inFlight: hidden.length - delayed, delayed };
  };

  delay(count: number, untilMs: number): void {
    for (const message of this.messages.slice(0, count))
      Object.assign(message, { isDelayed: true, visibleAt: untilMs });
  }

  /** Receives messages as another consumer. */
  receive(count: number, seconds: number): Stored[] {
    const found = this.messages.filter(({ visibleAt }) => visibleAt <= this.time).slice(0, count);
    for (const message of found) {
      this.receipts += 1;
      message.receipt = `r-${this.receipts}`;
      message.visibleAt = this.time + seconds * 1000;
      message.isDelayed = false;
    }
    return found;
  }

  /** The client for the code under test. It knows the calls that this code makes. */
  readonly client = { send: (command: unknown) => this.send(command) } as unknown as SQSClient;

  /** Calls that begin at the same time end at the same time. */
  private async send(command: unknown): Promise<object> {
    const endsAt = this.time + this.callMs;
    await Promise.resolve();
    this.time = Math.max(this.time, endsAt);
    return this.answer(command);
  }

  private answer(command: unknown): object {
    this.calls.push((command as object).constructor.name);
    if (command instanceof GetQueueAttributesCommand) {
      const { visible, inFlight, delayed } = this.counts();
      return {
        Attributes: {
          ApproximateNumberOfMessages: String(visible),
          ApproximateNumberOfMessagesNotVisible: String(inFlight),
          ApproximateNumberOfMessagesDelayed: String(delayed),
        },
      };
    }
    if (command instanceof ReceiveMessageCommand) {
      const { MaxNumberOfMessages: most = 1, VisibilityTimeout: seconds = 30 } = command.input;
      const found = this.receive(most, seconds);
      return {
        Messages: found.map(({ id, body, receipt }) => ({ MessageId: id, Body: body, ReceiptHandle: receipt })),
      };
    }
    if (command instanceof DeleteMessageCommand) {
      this.messages = this.messages.filter(({ receipt }) => receipt !== command.input.ReceiptHandle);
      return {};
    }
    if (command instanceof ChangeMessageVisibilityBatchCommand) {
      const { Entries: entries = [] } = command.input;
      const failed = entries.filter(({ ReceiptHandle, VisibilityTimeout = 0 }) => {
        const message = this.messages.find(({ receipt }) => receipt === ReceiptHandle);
        if (message === undefined || message.visibleAt <= this.time) return true;
        message.visibleAt = this.time + VisibilityTimeout * 1000;
        return false;
      });
      return { Failed: failed.map(({ Id }) => ({ Id })) };
    }
    if (command instanceof SendMessageCommand) return {};
    throw new Error(`The fake queue does not know ${(command as object).constructor.name}`);
  }
}
