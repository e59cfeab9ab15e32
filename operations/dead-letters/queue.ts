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

/** SQS hands out, takes back and holds on at most 10 at a time. */
const mostPerCall = 10;

/** Calls that run at the same time while many messages are held on. */
const callsAtOnce = 10;

/**
 * After this many receives in a row without a new message the reading ends, whatever the queue counts: its count is
 * approximate, and may be a minute late (GetQueueAttributes).
 */
const mostIdleReceives = 5;

/** The queue that the message names is not there. */
export class MissingQueue extends Error {
  override readonly name = "MissingQueue";
}

/** @throws MissingQueue */
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

/** All three together are what the queue holds, about. */
export interface QueueCounts {
  readonly visible: number;
  /** Received by somebody and not deleted: they come back. */
  readonly inFlight: number;
  /** Sent with a delay that is not over: nobody can receive them yet. */
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

/** How much of the queue was looked at, by the queue's own, approximate counts before and after. */
export interface Sight {
  readonly seen: number;
  /** What the queue holds, about. */
  readonly total: number;
  /** Of those that were not seen: somebody else is looking at them. */
  readonly heldByOthers: number;
  /** Of those that were not seen: their delay is not over. */
  readonly delayed: number;
  /** Whether all of the queue was seen, as far as it tells. */
  readonly isComplete: boolean;
}

interface Hold {
  readonly receipt: string;
  /** Until then nobody else is given the message, in milliseconds since 1970. */
  readonly until: number;
}

/** A message is no longer this process's own: its hold was over, and somebody else may have it by now. */
export class HoldIsOver extends Error {
  override readonly name = "HoldIsOver";
}

interface HeldMessagesOptions {
  readonly client: SQSClient;
  readonly queueUrl: string;
  /**
   * How long nobody else sees a message, should this process die before it gives it back. It is renewed while the
   * process goes on.
   */
  readonly holdSeconds: number;
  readonly now: () => number;
}

/**
 * Messages that this process has received: nobody else sees them until they are given back. SQS has no other way to
 * look at a message.
 *
 * A message whose hold is over is not touched any more: SQS says that a deletion with an old receipt succeeds, "but the
 * message might not be deleted" (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html),
 * so its answer could not be believed.
 */
export class HeldMessages {
  readonly messages: QueueMessage[] = [];
  sight: Sight = { seen: 0, total: 0, heldByOthers: 0, delayed: 0, isComplete: false };
  private readonly holds = new Map<string, Hold>();

  constructor(private readonly options: HeldMessagesOptions) {}

  /** Receives until it has seen what the queue counts, or nothing new comes any more. */
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
          // A short poll asks some of SQS's servers only, and can be empty where the queue is not.
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

  /** Holds on to what would come back to the queue soon. Call it between two steps of the work. */
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

  /** Whether nobody else can have got the message since it was received. */
  isHeld(messageId: string): boolean {
    const { until = 0 } = this.holds.get(messageId) ?? {};
    return until > this.options.now();
  }

  /** How many of the messages came back to the queue before the work was done. */
  get lapsed(): number {
    return [...this.holds.keys()].filter((messageId) => !this.isHeld(messageId)).length;
  }

  /**
   * Deletes it from the queue.
   * @throws HoldIsOver where that is not certain
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
   * Makes what was not removed visible again.
   * @returns how many stay hidden until their visibility timeout is over.
   */
  async giveBack(): Promise<number> {
    // A message whose hold is over may be somebody else's by now: nothing is done to that one's.
    const held = [...this.holds].filter(([messageId]) => this.isHeld(messageId)).map(([, hold]) => hold);
    this.holds.clear();
    let hidden = 0;
    for (const some of chunk(chunk(held, mostPerCall), callsAtOnce)) {
      const failed = await Promise.all(some.map((batch) => this.setVisibility(batch, 0)));
      hidden += failed.reduce((sum, { size }) => sum + size, 0);
    }
    return hidden;
  }

  /** @returns the places in `holds` of those for which it failed. */
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

  /** @returns whether it is seen for the first time. */
  private keep(message: Message, receivedAt: number): boolean {
    const { MessageId: messageId = "", ReceiptHandle: receipt = "", Body: body = "" } = message;
    const isNew = !this.holds.has(messageId);
    // The newest receipt is the one that works.
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
