import { GetQueueAttributesCommand, type SendMessageCommandInput, type SQSClient } from "@aws-sdk/client-sqs";
import {
  type Call,
  type Interceptor,
  isQuery,
  isRecord,
  jsonOf,
  parseObject,
  queryOf,
  recordsIn,
  succeeded,
  textOf,
} from "./http";
import { type InvocationOrigin, type Journal } from "./journal";
import { type Moto } from "./moto";

/**
 * What a queue takes about an event that failed: Lambda's record of an invocation (as its destination, or as an event
 * that carries it), the function's own in the same shape, or what a rule could not deliver.
 */
export interface Failure {
  readonly eventId: string | undefined;
  readonly reason: string;
}

/** A record of a failed event. `undefined`: the message is something else. */
export function failureIn(text: string, attributeOf: (name: string) => string | undefined): Failure | undefined {
  const body = parseObject(text);
  if (body === undefined) return undefined;
  const code = attributeOf("ERROR_CODE");
  // EventBridge puts the event itself into a target's dead-letter queue, and the reason into the message's attributes.
  if (code !== undefined) {
    return { eventId: textOf(body.id), reason: joined(code, attributeOf("ERROR_MESSAGE")) };
  }
  const record = recordIn(body);
  if (record === undefined) return undefined;
  return failureOf(record);
}

/** The failure that an event tells of in its detail: Lambda's record of an invocation that did not succeed. */
export function failureInDetail(detail: unknown): Failure | undefined {
  const record = isRecord(detail) ? recordIn(detail) : undefined;
  return record === undefined || conditionOf(record) === "Success" ? undefined : failureOf(record);
}

function failureOf(record: Readonly<Record<string, unknown>>): Failure {
  const response = isRecord(record.responsePayload) ? record.responsePayload : {};
  const type = textOf(response.errorType) ?? conditionOf(record) ?? "no reason given";
  return { eventId: eventIdOf(record.requestPayload), reason: joined(type, textOf(response.errorMessage)) };
}

const conditionOf = ({ requestContext }: Readonly<Record<string, unknown>>) =>
  isRecord(requestContext) ? textOf(requestContext.condition) : undefined;

/** The event behind a queue's message: the one in a failure record, or the message itself. */
export function eventIdIn(text: string): string | undefined {
  const body = parseObject(text);
  if (body === undefined) return undefined;
  return eventIdOf(recordIn(body)?.requestPayload ?? body);
}

/** Of an event that carries the record of a failed invocation: the id of the event that failed. */
export const failedEventIdOf = (detail: unknown): string | undefined =>
  isRecord(detail) ? eventIdOf(recordIn(detail)?.requestPayload) : undefined;

function recordIn(body: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  const candidates = [body, body.detail].filter(isRecord);
  // A function can be invoked with any payload, which need not be an event.
  return candidates.find(
    ({ requestPayload, requestContext }) =>
      isRecord(requestPayload) || (requestPayload !== undefined && isRecord(requestContext)),
  );
}

const eventIdOf = (event: unknown) => (isRecord(event) ? textOf(event.id) : undefined);

const joined = (type: string, message: string | undefined) => (message ? `${type}: ${message}` : type);

/**
 * Tells the journal of each record that a queue takes, whoever sends it: a function, a person's redrive, or the gateway
 * itself for a rule or a destination. So the inbox says what is known, and not what a configuration promises.
 */
export function watchQueues(
  sqs: SQSClient,
  journal: Journal,
  options: { readonly region: string; readonly originOf: (accessKeyId: string) => InvocationOrigin | undefined },
): Interceptor {
  const tell = (
    queueUrl: string,
    body: string,
    attributeOf: (name: string) => string | undefined,
    causingEventId?: string,
  ) => {
    const failure = failureIn(body, attributeOf);
    const eventId = failure?.eventId ?? causingEventId;
    if (failure === undefined || eventId === undefined) return;
    journal.addRecord(eventId, { queueArn: queueArnOf(queueUrl, options.region), reason: failure.reason });
  };
  sqs.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      if ((context as { commandName?: string }).commandName === "SendMessageCommand") {
        const { QueueUrl = "", MessageBody = "", MessageAttributes = {} } = args.input as SendMessageCommandInput;
        tell(QueueUrl, MessageBody, (name) => MessageAttributes[name]?.StringValue);
      }
      return result;
    },
    // A fault that loses the answer stands before this, so the queue took the record all the same.
    { step: "build", name: "watchQueues" },
  );
  const receipts = new Receipts();
  return async (call, next) => {
    const answer = await next(call);
    if (call.service !== "sqs" || !succeeded(answer)) return answer;
    const queueArn = queueArnOf(queueUrlOf(call), options.region);
    switch (call.operation) {
      case "ReceiveMessage":
        if (!isQuery(call)) receipts.note(recordsIn(jsonOf(answer).Messages));
        break;
      case "PurgeQueue":
        journal.emptyQueue(queueArn);
        break;
      case "DeleteMessage":
      case "DeleteMessageBatch":
        for (const receipt of receiptsIn(call)) journal.deleteRecord(receipts.take(receipt), queueArn);
    }
    for (const { body, attributes } of messagesOf(call)) {
      const { eventId } = options.originOf(call.accessKeyId) ?? {};
      tell(queueUrlOf(call), body, (name) => attributeIn(attributes, name), eventId);
    }
    return answer;
  };
}

/** How many seconds the queue keeps a message; `undefined` where there is no such queue any more. */
export async function retentionOf(moto: Moto, queueArn: string): Promise<number | undefined> {
  const command = new GetQueueAttributesCommand({
    QueueUrl: moto.queueUrl(queueArn),
    AttributeNames: ["MessageRetentionPeriod"],
  });
  const answer = await moto.sqs.send(command).catch(() => undefined);
  const text = answer?.Attributes?.MessageRetentionPeriod;
  return text === undefined ? undefined : Number(text);
}

/** How many receipts are remembered. Most of the older ones belong to messages that nobody deletes. */
const mostReceipts = 10_000;

/** Receipt handle to the event whose record was received with it. A deletion names the receipt and nothing else. */
class Receipts {
  private readonly eventIds = new Map<string, string>();

  note(messages: readonly Record<string, unknown>[]): void {
    for (const { Body: body, ReceiptHandle: receipt, MessageAttributes: attributes } of messages) {
      const failure = failureIn(textOf(body) ?? "", (name) => attributeIn(attributes, name));
      if (failure?.eventId !== undefined && typeof receipt === "string") this.eventIds.set(receipt, failure.eventId);
    }
    for (const receipt of this.eventIds.keys()) {
      if (this.eventIds.size <= mostReceipts) return;
      this.eventIds.delete(receipt);
    }
  }

  take(receipt: string): string | undefined {
    const eventId = this.eventIds.get(receipt);
    this.eventIds.delete(receipt);
    return eventId;
  }
}

/** Of a batch, those that were not deleted among them: they can't be received with this receipt again. */
function receiptsIn(call: Call): readonly string[] {
  const of = (fields: Readonly<Record<string, unknown>>) => textOf(fields.ReceiptHandle) ?? [];
  if (isQuery(call)) return [queryOf(call)].flatMap((query) => query.get("ReceiptHandle") ?? []);
  return [jsonOf(call), ...recordsIn(jsonOf(call).Entries)].flatMap(of);
}

function queueArnOf(queueUrl: string, region: string): string {
  const [account = "", name = ""] = queueUrl.split("/").slice(-2);
  return `arn:aws:sqs:${region}:${account}:${name}`;
}

interface Message {
  readonly body: string;
  readonly attributes: unknown;
}

function messagesOf(call: Call): readonly Message[] {
  const message = ({ MessageBody, MessageAttributes }: Readonly<Record<string, unknown>>): Message => ({
    body: textOf(MessageBody) ?? "",
    attributes: MessageAttributes,
  });
  if (isQuery(call)) {
    // Older clients of SQS speak the Query protocol, and send records one by one.
    return call.operation === "SendMessage" ? [message(Object.fromEntries(queryOf(call)))] : [];
  }
  if (call.operation === "SendMessage") return [message(jsonOf(call))];
  if (call.operation !== "SendMessageBatch") return [];
  return recordsIn(jsonOf(call).Entries).map(message);
}

const queueUrlOf = (call: Call) =>
  (isQuery(call) ? queryOf(call).get("QueueUrl") : textOf(jsonOf(call).QueueUrl)) ?? call.url.pathname;

function attributeIn(attributes: unknown, name: string): string | undefined {
  const value = isRecord(attributes) ? attributes[name] : undefined;
  return isRecord(value) ? textOf(value.StringValue) : undefined;
}
