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

/** SQS hands out, and takes back, at most 10 at a time. */
const mostPerCall = 10;

/** The queue that the message names is not there. */
export class MissingQueue extends Error {
  override readonly name = "MissingQueue";
}

/** @throws MissingQueue */
export async function findQueue(client: SQSClient, name: string, region: string): Promise<string> {
  try {
    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: name }));
    if (QueueUrl !== undefined) return QueueUrl;
  } catch (error) {
    if (!(error instanceof QueueDoesNotExist)) throw error;
  }
  throw new MissingQueue(
    `There is no queue ${name} in ${region}: is the stage deployed, and are STAGE and PROJECT_NAME its own?`,
  );
}

export interface QueueCounts {
  readonly visible: number;
  /** Received by somebody and not deleted: they come back. */
  readonly inFlight: number;
}

export async function countMessages(client: SQSClient, queueUrl: string): Promise<QueueCounts> {
  const { Attributes = {} } = await client.send(
    new GetQueueAttributesCommand({
      QueueUrl: queueUrl,
      AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    }),
  );
  return {
    visible: Number(Attributes.ApproximateNumberOfMessages ?? "0"),
    inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? "0"),
  };
}

export interface HoldOptions {
  /** Most messages that are looked at. */
  readonly limit: number;
  /** How long nobody else sees them, should this process die before it gives them back. */
  readonly visibilitySeconds: number;
}

/**
 * Messages that this process has received: nobody else sees them until they are given back. SQS has no other way to
 * look at a message.
 */
export class HeldMessages {
  readonly messages: QueueMessage[] = [];
  /** Whether the queue was read to its end. */
  isComplete = false;
  /** Messages that somebody else held at the beginning: they are not among these. */
  heldByOthers = 0;
  private readonly receipts = new Map<string, string>();

  constructor(
    private readonly client: SQSClient,
    private readonly queueUrl: string,
  ) {}

  /** Receives until the queue is empty, or gives only what was seen already. */
  async read({ limit, visibilitySeconds }: HoldOptions, mayGoOn: () => boolean = () => true): Promise<void> {
    this.heldByOthers = (await countMessages(this.client, this.queueUrl)).inFlight;
    while (mayGoOn() && this.messages.length < limit) {
      const { Messages: received = [] } = await this.client.send(
        new ReceiveMessageCommand({
          QueueUrl: this.queueUrl,
          MaxNumberOfMessages: Math.min(mostPerCall, limit - this.messages.length),
          VisibilityTimeout: visibilitySeconds,
          // A short poll asks some of SQS's servers only, and can be empty where the queue is not.
          WaitTimeSeconds: 1,
          MessageAttributeNames: ["All"],
          MessageSystemAttributeNames: ["All"],
        }),
      );
      const fresh = received.filter((message) => this.keep(message));
      if (fresh.length === 0) {
        this.isComplete = true;
        return;
      }
    }
    this.isComplete = (await countMessages(this.client, this.queueUrl)).visible === 0;
  }

  /** Deletes it from the queue. */
  async remove(messageId: string): Promise<void> {
    const receipt = this.receipts.get(messageId);
    if (receipt === undefined) throw new Error(`Message ${messageId} is not held.`);
    await this.client.send(new DeleteMessageCommand({ QueueUrl: this.queueUrl, ReceiptHandle: receipt }));
    this.receipts.delete(messageId);
  }

  /**
   * Makes what was not removed visible again.
   * @returns how many stay hidden until their visibility timeout is over.
   */
  async giveBack(): Promise<number> {
    const receipts = [...this.receipts.values()];
    this.receipts.clear();
    let hidden = 0;
    for (let from = 0; from < receipts.length; from += mostPerCall) {
      const entries = receipts
        .slice(from, from + mostPerCall)
        .map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout: 0 }));
      const { Failed = [] } = await this.client
        .send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: this.queueUrl, Entries: entries }))
        .catch(() => ({ Failed: entries }));
      hidden += Failed.length;
    }
    return hidden;
  }

  /** @returns whether it is seen for the first time. */
  private keep(message: Message): boolean {
    const { MessageId: messageId = "", ReceiptHandle: receipt = "", Body: body = "" } = message;
    const isNew = !this.receipts.has(messageId);
    // The newest receipt is the one that works.
    this.receipts.set(messageId, receipt);
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
