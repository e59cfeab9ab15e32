import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { type QueueMessage } from "./parked-message";

/** Most messages that one call to SQS may receive, or change the visibility of. */
const mostPerCall = 10;

/** Number of calls that run at the same time while many messages are renewed or given back. */
const callsAtOnce = 10;

/**
 * Most receives in a row that bring no new message. Then the reading ends, even if the queue counts more messages,
 * because its count is approximate and may be a minute late (GetQueueAttributes).
 */
const mostIdleReceives = 5;

/** The stage has no queue of the name in the error's message. */
export class MissingQueue extends Error {
  override readonly name = "MissingQueue";
}

/** @returns the queue's URL. @throws MissingQueue */
export async function findQueue(client: SQSClient, name: string, region: string): Promise<string> {
  const missing = (cause?: QueueDoesNotExist) =>
    new MissingQueue(
      `There is no queue ${name} in ${region}: is the stage deployed, and are STAGE and PROJECT_NAME its own?`,
      { cause },
    );
  const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: name })).catch((error: unknown) => {
    throw error instanceof QueueDoesNotExist ? missing(error) : error;
  });
  if (QueueUrl === undefined) throw missing();
  return QueueUrl;
}

/** Approximate counts of a queue's messages. Their sum is all that the queue holds. */
export interface QueueCounts {
  readonly visible: number;
  /** Messages that somebody has received and not deleted. They become visible again. */
  readonly inFlight: number;
  /** Messages that were sent with a delay which is not over. Nobody can receive them yet. */
  readonly delayed: number;
}

export async function countMessages(client: SQSClient, queueUrl: string): Promise<QueueCounts> {
  const { Attributes = {} } = await client.send(
    new GetQueueAttributesCommand({
      QueueUrl: queueUrl,
      AttributeNames: [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
      ],
    }),
  );
  return {
    visible: Number(Attributes.ApproximateNumberOfMessages ?? "0"),
    inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? "0"),
    delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed ?? "0"),
  };
}

export const totalOf = ({ visible, inFlight, delayed }: QueueCounts): number => visible + inFlight + delayed;

/** How much of the queue was seen. It is computed from the queue's approximate counts before and after the reading. */
export interface Sight {
  readonly seen: number;
  /** Approximate number of messages in the queue. */
  readonly total: number;
  /** Number of the unseen messages that somebody else has received. */
  readonly heldByOthers: number;
  /** Number of the unseen messages whose delay is not over. */
  readonly delayed: number;
  /** Whether the whole queue was seen, according to its counts. */
  readonly isComplete: boolean;
}

interface Hold {
  readonly receipt: string;
  /** Time until which SQS gives the message to nobody else, in milliseconds since 1970. */
  readonly until: number;
}

/** The hold of a message was over, so somebody else may have received it. */
export class HoldIsOver extends Error {
  override readonly name = "HoldIsOver";
}

interface HeldMessagesOptions {
  readonly client: SQSClient;
  readonly queueUrl: string;
  /**
   * How long a message stays hidden from others if this process dies before it gives the message back. While the
   * process works, it renews the hold.
   */
  readonly holdSeconds: number;
  readonly now: () => number;
}

/**
 * Messages that this process has received. They are hidden from others until they are given back, because SQS has no
 * way to read a message without receiving it.
 *
 * Once the hold of a message is over, this class neither deletes nor changes the message. A deletion with an old
 * receipt succeeds, "but the message might not be deleted"
 * (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html), so the answer would
 * prove nothing.
 */
export class HeldMessages {
  readonly messages: QueueMessage[] = [];
  sight: Sight = { seen: 0, total: 0, heldByOthers: 0, delayed: 0, isComplete: false };
  private readonly holds = new Map<string, Hold>();

  constructor(private readonly options: HeldMessagesOptions) {}

  /**
   * Receives messages until the queue is empty, the limit is reached, or nothing new comes.
   * @param limit most messages to receive.
   * @param mayGoOn is asked before each receive; false ends the reading.
   */
  async read(limit: number, mayGoOn: () => boolean = () => true): Promise<void> {
    const { client, queueUrl, holdSeconds, now } = this.options;
    const before = await countMessages(client, queueUrl);
    for (let idle = 0; mayGoOn() && this.messages.length < limit && idle < mostIdleReceives;) {
      await this.renew();
      const askedAt = now();
      const { Messages: received = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: Math.min(mostPerCall, limit - this.messages.length),
          VisibilityTimeout: holdSeconds,
          // A wait makes this a long poll. A short poll asks only some of SQS's servers, and may miss messages.
          WaitTimeSeconds: 1,
          MessageAttributeNames: ["All"],
          MessageSystemAttributeNames: ["All"],
        }),
      );
      const fresh = received.filter((message) => this.keep(message, askedAt));
      if (fresh.length > 0) idle = 0;
      else if (received.length === 0 && (await countMessages(client, queueUrl)).visible === 0) break;
      else idle += 1;
    }
    this.sight = this.compare(before, await countMessages(client, queueUrl));
  }

  /** Renews the holds that would soon be over. It has to be called between two steps of the work. */
  async renew(): Promise<void> {
    const { holdSeconds, now } = this.options;
    const due = [...this.holds].filter(([, { until }]) => until > now() && until - now() < (holdSeconds * 1000) / 2);
    const batches = chunk(due, mostPerCall);
    for (const some of chunk(batches, callsAtOnce)) {
      await Promise.all(
        some.map(async (batch) => {
          const askedAt = now();
          const failed = await this.setVisibility(
            batch.map(([, hold]) => hold),
            holdSeconds,
          );
          batch.forEach(([messageId, hold], index) => {
            if (!failed.has(index)) this.holds.set(messageId, { ...hold, until: askedAt + holdSeconds * 1000 });
          });
        }),
      );
    }
  }

  /** Whether the message has been hidden from everybody else since it was received. */
  isHeld(messageId: string): boolean {
    const { until = 0 } = this.holds.get(messageId) ?? {};
    return until > this.options.now();
  }

  /** Number of messages that came back to the queue before the work was done. */
  get lapsed(): number {
    return [...this.holds.keys()].filter((messageId) => !this.isHeld(messageId)).length;
  }

  /**
   * Deletes the message from the queue.
   * @throws HoldIsOver if it is not certain that SQS deleted it.
   */
  async remove(messageId: string): Promise<void> {
    const { client, queueUrl } = this.options;
    const hold = this.holds.get(messageId);
    if (hold === undefined || !this.isHeld(messageId))
      throw new HoldIsOver(`Message ${messageId} is not held any more.`);
    await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: hold.receipt }));
    if (!this.isHeld(messageId)) {
      throw new HoldIsOver(`The hold of message ${messageId} was over before SQS answered that it is deleted.`);
    }
    this.holds.delete(messageId);
  }

  /**
   * Makes all messages that were not removed visible again.
   * @returns the number of messages for which that failed. They stay hidden until their visibility timeout is over.
   */
  async giveBack(): Promise<number> {
    // Messages whose hold is over are left alone, because somebody else may have received them.
    const held = [...this.holds].filter(([messageId]) => this.isHeld(messageId)).map(([, hold]) => hold);
    this.holds.clear();
    let hidden = 0;
    for (const some of chunk(chunk(held, mostPerCall), callsAtOnce)) {
      const failed = await Promise.all(some.map((batch) => this.setVisibility(batch, 0)));
      hidden += failed.reduce((sum, { size }) => sum + size, 0);
    }
    return hidden;
  }

  /** Sets how long the messages stay hidden. @returns the indexes in `holds` for which it failed. */
  private async setVisibility(holds: readonly Hold[], seconds: number): Promise<ReadonlySet<number>> {
    const { client, queueUrl } = this.options;
    const Entries = holds.map(({ receipt }, index) => ({
      Id: String(index),
      ReceiptHandle: receipt,
      VisibilityTimeout: seconds,
    }));
    const { Failed = [] } = await client
      .send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }))
      .catch(() => ({ Failed: Entries }));
    return new Set(Failed.map(({ Id }) => Number(Id)));
  }

  private compare(before: QueueCounts, after: QueueCounts): Sight {
    const seen = this.messages.length;
    const total = Math.max(seen, totalOf(before), totalOf(after));
    const delayed = Math.min(total - seen, after.delayed);
    const mine = this.holds.size - this.lapsed;
    return {
      seen,
      total,
      delayed,
      heldByOthers: Math.min(total - seen - delayed, Math.max(0, after.inFlight - mine)),
      isComplete: total === seen,
    };
  }

  /** Keeps a received message. @returns whether it was received for the first time. */
  private keep(message: Message, receivedAt: number): boolean {
    const { MessageId: messageId = "", ReceiptHandle: receipt = "", Body: body = "" } = message;
    const isNew = !this.holds.has(messageId);
    // SQS accepts only the newest receipt of a message.
    this.holds.set(messageId, { receipt, until: receivedAt + this.options.holdSeconds * 1000 });
    if (!isNew) return false;
    this.messages.push({
      messageId,
      body,
      systemAttributes: { ...message.Attributes },
      attributes: Object.fromEntries(
        Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [name, value.StringValue ?? ""]),
      ),
    });
    return true;
  }
}

function chunk<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
