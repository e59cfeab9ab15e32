import {
  type EventSourceMappingConfiguration,
  GetEventSourceMappingCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-lambda";
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  QueueDoesNotExist,
  ReceiveMessageCommand,
} from "@aws-sdk/client-sqs";
import { type Background } from "../../gateway/background";
import { serviceOf } from "../../gateway/destinations";
import { eventIdIn, failureIn } from "../../gateway/failure-records";
import { type Answer, type Call, isRecord, jsonOf, type Next, succeeded, textOf } from "../../gateway/http";
import { type InvocationOrigin, type Journal } from "../../gateway/journal";
import { type Moto } from "../../gateway/moto";
import { type Invocation } from "./function";
import { type Invoker, Throttled } from "./invoker";
import { type FunctionRegistry } from "./registry";

const mappingsPath = /^\/2015-03-31\/event-source-mappings(?:\/([^/]*))?$/;
/** SQS hands out at most 10 at a time. */
const mostPerReceive = 10;
/** How many batches Lambda's pollers start with. */
const defaultConcurrency = 5;
const waitSeconds = 5;
/** Between two polls of a queue that fails. */
const pauseMs = 250;

interface Mapping {
  readonly id: string;
  readonly queueArn: string;
  readonly functionArn: string;
  readonly batchSize: number;
  readonly reportsItemFailures: boolean;
  readonly concurrency: number;
}

export interface EventSourcesDependencies {
  readonly moto: Moto;
  readonly registry: FunctionRegistry;
  readonly invoker: Invoker;
  readonly journal: Journal;
  readonly background: Background;
  readonly region: string;
  readonly retryQueueDelayMs: number | undefined;
}

/**
 * Lambda's pollers of SQS queues: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html. A mapping is noticed when
 * a client makes, changes or deletes it; each that is enabled polls its queue.
 */
export class EventSources {
  /** Mapping id to the poller that is allowed to go on. */
  private readonly pollers = new Map<string, { readonly queueArn: string }>();
  /** Ids of mappings whose pollers have ended because their queue is gone. */
  private readonly withoutQueue = new Set<string>();

  constructor(private readonly dependencies: EventSourcesDependencies) {}

  readonly intercept = async (call: Call, next: Next): Promise<Answer> => {
    const isMapping = call.service === "lambda" && mappingsPath.test(call.url.pathname);
    const answer = await next(call);
    if (call.service === "sqs" && call.operation === "CreateQueue" && succeeded(answer)) await this.startAgain();
    if (!isMapping || call.method === "GET" || !succeeded(answer)) return answer;
    const mapping = jsonOf(answer);
    const id = textOf(mapping.UUID) ?? "";
    this.stop(id);
    if (call.method !== "DELETE" && mapping.State === "Enabled") await this.start(id);
    return answer;
  };

  private async start(id: string): Promise<void> {
    const mapping = await this.find(id);
    if (mapping === undefined) return;
    if (serviceOf(mapping.queueArn) !== "sqs") {
      this.dependencies.journal.note(
        `Event sources of the kind ${serviceOf(mapping.queueArn)} are not emulated: ${mapping.queueArn}.`,
      );
      return;
    }
    const turn = { queueArn: mapping.queueArn };
    this.pollers.set(id, turn);
    this.dependencies.journal.setPolled(mapping.queueArn, true);
    this.dependencies.background.runForever(() =>
      this.poll(mapping, () => this.pollers.get(id) === turn && !this.dependencies.background.closing),
    );
  }

  /** Polls again for mappings whose queue was deleted and may exist again under its name. Without it, a poller ends. */
  private async startAgain(): Promise<void> {
    const ids = [...this.withoutQueue];
    this.withoutQueue.clear();
    for (const id of ids) if (this.pollers.has(id)) await this.start(id);
  }

  private stop(id: string): void {
    this.withoutQueue.delete(id);
    const poller = this.pollers.get(id);
    if (poller === undefined) return;
    this.pollers.delete(id);
    const isPolled = [...this.pollers.values()].some(({ queueArn }) => queueArn === poller.queueArn);
    this.dependencies.journal.setPolled(poller.queueArn, isPolled);
  }

  private async find(id: string): Promise<Mapping | undefined> {
    try {
      return toMapping(id, await this.dependencies.moto.lambda.send(new GetEventSourceMappingCommand({ UUID: id })));
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }

  /** Keeps as many batches going as the mapping allows, until it is changed, deleted, or its queue is. */
  private async poll(mapping: Mapping, mayGoOn: () => boolean): Promise<void> {
    const running = new Set<Promise<void>>();
    while (mayGoOn()) {
      if (running.size >= mapping.concurrency) {
        await Promise.race(running);
        continue;
      }
      const messages = await this.receive(mapping);
      if (messages === undefined) {
        if (mayGoOn()) this.withoutQueue.add(mapping.id);
        break;
      }
      if (messages.length === 0) continue;
      if (!mayGoOn()) {
        await this.makeVisible(mapping, messages);
        break;
      }
      const batch = this.dependencies.background
        .count(this.process(mapping, messages))
        .catch((error: unknown) => {
          this.dependencies.journal.note(`A batch of ${mapping.queueArn} failed: ${String(error)}`);
        })
        .finally(() => running.delete(batch));
      running.add(batch);
    }
    await Promise.all(running);
  }

  /** @returns `undefined` where the queue is gone or the gateway closes. */
  private async receive({ queueArn, batchSize }: Mapping): Promise<Message[] | undefined> {
    try {
      const command = new ReceiveMessageCommand({
        QueueUrl: this.dependencies.moto.queueUrl(queueArn),
        MaxNumberOfMessages: Math.min(batchSize, mostPerReceive),
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ["All"],
        MessageAttributeNames: ["All"],
      });
      const received = await this.dependencies.moto.sqs.send(command, {
        abortSignal: this.dependencies.background.signal,
      });
      return received.Messages ?? [];
    } catch (error) {
      if (error instanceof QueueDoesNotExist || this.dependencies.background.closing) return undefined;
      this.dependencies.journal.note(`${queueArn} could not be polled, and is polled again: ${String(error)}`);
      await this.dependencies.background.sleep(pauseMs).catch(() => undefined);
      return [];
    }
  }

  /** Whatever is not deleted comes back after the queue's visibility timeout, or sooner. */
  private async process(mapping: Mapping, messages: readonly Message[]): Promise<void> {
    const receivedAt = Date.now();
    const left = new Set(messages);
    try {
      const done = await this.handOver(mapping, messages, receivedAt);
      if (done.length > 0) await this.remove(mapping, done);
      for (const message of done) left.delete(message);
    } finally {
      const delayMs = this.dependencies.retryQueueDelayMs;
      if (delayMs !== undefined && left.size > 0) {
        this.dependencies.background.run(async () => {
          await this.dependencies.background.sleep(delayMs);
          await this.makeVisible(mapping, [...left]);
        });
      }
      if (left.size > 0) await this.noteDeadLetters(mapping, [...left]);
    }
  }

  /**
   * A batch whose function has no place is kept and tried until its messages are visible again
   * (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html); here it waits in order.
   * @returns the messages that the function is done with.
   */
  private async handOver(
    mapping: Mapping,
    messages: readonly Message[],
    receivedAt: number,
  ): Promise<readonly Message[]> {
    const fn = await this.dependencies.registry.find(mapping.functionArn);
    if (fn === undefined) return [];
    const { visibilityTimeoutMs } = await this.settingsOf(mapping.queueArn);
    const records = messages.map((message) => toRecord(message, mapping.queueArn, this.dependencies.region));
    const origin = originOf(messages);
    const invocation = await this.dependencies.invoker
      .invoke({
        fn,
        payload: JSON.stringify({ Records: records }),
        origin,
        patience: { until: receivedAt + visibilityTimeoutMs, signal: this.dependencies.background.signal },
        onTurn: async () => (await this.dependencies.registry.find(mapping.functionArn)) ?? fn,
      })
      .catch((error: unknown) => {
        if (error instanceof Throttled) return undefined;
        throw error;
      });
    if (invocation === undefined || invocation.error !== undefined) return [];
    const failed = mapping.reportsItemFailures ? failedItems(invocation, messages) : new Set<string>();
    return messages.filter(({ MessageId: id = "" }) => !failed.has(id));
  }

  /** After its last receive SQS moves a message to the queue's dead-letter queue, at the next poll and without a word. */
  private async noteDeadLetters({ queueArn }: Mapping, messages: readonly Message[]): Promise<void> {
    const { deadLetterArn, mostReceives } = await this.settingsOf(queueArn);
    if (deadLetterArn === undefined) return;
    for (const { Body: body = "", Attributes: attributes = {} } of messages) {
      const eventId = eventIdIn(body);
      if (eventId === undefined || Number(attributes.ApproximateReceiveCount) < mostReceives) continue;
      this.dependencies.journal.endRecord(eventId, queueArn);
      const reason = failureIn(body, () => undefined)?.reason ?? "the function failed it";
      this.dependencies.journal.addRecord(eventId, {
        queueArn: deadLetterArn,
        reason: `${reason} (received ${mostReceives} times)`,
      });
    }
  }

  private async settingsOf(queueArn: string) {
    const { Attributes: attributes = {} } = await this.dependencies.moto.sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: this.dependencies.moto.queueUrl(queueArn),
        AttributeNames: ["VisibilityTimeout", "RedrivePolicy"],
      }),
    );
    const policy = jsonOf({ body: Buffer.from(attributes.RedrivePolicy ?? "") });
    return {
      visibilityTimeoutMs: Number(attributes.VisibilityTimeout ?? 30) * 1000,
      deadLetterArn: textOf(policy.deadLetterTargetArn),
      mostReceives: Number(policy.maxReceiveCount ?? Infinity),
    };
  }

  private async remove({ queueArn }: Mapping, done: readonly Message[]): Promise<void> {
    await this.dependencies.moto.sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl: this.dependencies.moto.queueUrl(queueArn),
        Entries: done.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
      }),
    );
    for (const { Body: body = "" } of done) this.dependencies.journal.endRecord(eventIdIn(body), queueArn);
  }

  private async makeVisible({ queueArn }: Mapping, messages: readonly Message[]): Promise<void> {
    await this.dependencies.moto.sqs.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl: this.dependencies.moto.queueUrl(queueArn),
        Entries: messages.map(({ ReceiptHandle }, index) => ({
          Id: String(index),
          ReceiptHandle,
          VisibilityTimeout: 0,
        })),
      }),
    );
  }
}

function toMapping(id: string, configuration: EventSourceMappingConfiguration): Mapping {
  return {
    id,
    queueArn: configuration.EventSourceArn ?? "",
    functionArn: configuration.FunctionArn ?? "",
    batchSize: configuration.BatchSize ?? mostPerReceive,
    reportsItemFailures: configuration.FunctionResponseTypes?.includes("ReportBatchItemFailures") ?? false,
    concurrency: configuration.ScalingConfig?.MaximumConcurrency ?? defaultConcurrency,
  };
}

function toRecord(message: Message, queueArn: string, region: string): Record<string, unknown> {
  const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [
    name,
    {
      ...(value.StringValue === undefined ? {} : { stringValue: value.StringValue }),
      ...(value.BinaryValue === undefined ? {} : { binaryValue: Buffer.from(value.BinaryValue).toString("base64") }),
      stringListValues: [],
      binaryListValues: [],
      dataType: value.DataType,
    },
  ]);
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes ?? {},
    messageAttributes: Object.fromEntries(attributes) as unknown,
    md5OfBody: message.MD5OfBody,
    eventSource: "aws:sqs",
    eventSourceARN: queueArn,
    awsRegion: region,
  };
}

/** The messages that a function names as failed. An answer that names none that was sent fails the whole batch. */
function failedItems(invocation: Invocation, messages: readonly Message[]): ReadonlySet<string> {
  const sent = messages.map(({ MessageId = "" }) => MessageId);
  const answer: unknown = JSON.parse(invocation.payload);
  const items = isRecord(answer) ? answer.batchItemFailures : undefined;
  if (!Array.isArray(items)) return new Set();
  const named = items.map((item: unknown) => (isRecord(item) ? textOf(item.itemIdentifier) : undefined) ?? "");
  return new Set(named.every((id) => sent.includes(id)) ? named : sent);
}

/** The event behind a batch of one message: the message itself, or the event in its record of a failed invocation. */
function originOf(messages: readonly Message[]): Omit<InvocationOrigin, "requestId"> {
  const [message, ...others] = messages;
  if (message === undefined || others.length > 0) return {};
  const eventId = eventIdIn(message.Body ?? "");
  return eventId === undefined ? {} : { eventId };
}
