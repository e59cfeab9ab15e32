import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  EventBridgeClient,
  PutEventsCommand,
  type PutEventsRequestEntry,
  type PutEventsResultEntry,
} from "@aws-sdk/client-eventbridge";
import { isThrottlingError, isTransientError } from "@smithy/core/retry";

/** What a notification's events look like, and which rule takes them. */
export interface EventNotification {
  readonly id: string;
  readonly source: string;
  readonly detailType: string;
  /** Name of the EventBridge rule that takes its events, behind project and stage: `<project>-<stage>-<rule>`. */
  readonly rule: string;
  /** The pattern of that rule. An event that it does not match is mailed to nobody. */
  readonly pattern: {
    readonly source: readonly string[];
    readonly "detail-type": readonly string[];
    readonly detail?: ValuesByField;
  };
  /** Values of the pattern's fields whose events are deliberately mailed to nobody. */
  readonly ignored: ValuesByField;
}

type ValuesByField = Readonly<Record<string, readonly string[]>>;

/** The parts of a PutEvents entry that are the caller's choice. `Time` is that of the call where it is left out. */
export type EntryOptions = Pick<PutEventsRequestEntry, "Time" | "Resources" | "TraceHeader">;

/** An event to put. The generated functions make it: `emailRequestEvent(detail)`. */
export interface ProducerEvent {
  readonly notification: EventNotification;
  readonly detail: object;
  readonly options?: EntryOptions;
}

export interface PutEvent {
  /** The id that EventBridge gave. */
  readonly eventId: string;
  /** The detail's own key, or the one that the client made. Events with the same key are mailed once. */
  readonly idempotencyKey: string;
}

/** An event that was not put. */
export interface FailedEvent {
  /** Its place in the list that was given, from 0. */
  readonly index: number;
  /** The event with its `idempotencyKey`, so that it can be given to `put` again. */
  readonly event: ProducerEvent;
  /**
   * `TooLarge`, `NotJson` or `NoRuleMatches` where the client refused it. Otherwise EventBridge's code, or the name of
   * the error: `AccessDeniedException`, `ThrottlingException`, `ECONNRESET`, ..
   */
  readonly code: string;
  readonly message: string;
  /** Whether an answer was lost, so that the event may be on the bus all the same. */
  readonly mayHaveGone: boolean;
}

/** Names each event that was not put, with the reason and with the rule that would take it. */
export class PutError extends Error {
  override readonly name = "PutError";

  constructor(
    readonly failed: readonly FailedEvent[],
    /** The other events, which were put. */
    readonly put: readonly PutEvent[],
    eventBusName: string,
    options?: ErrorOptions,
  ) {
    const total = failed.length + put.length;
    super(`${failed.length} of ${total} events were not put on ${eventBusName}.${failed.map(tell).join("")}`, options);
  }
}

function tell({ index, event: { notification }, code, message, mayHaveGone }: FailedEvent): string {
  const { id, source, detailType, rule } = notification;
  const note = mayHaveGone ? " (an answer was lost: it may be there; put it again with the same idempotencyKey)" : "";
  return `\n  - number ${index + 1}, ${id} (source "${source}", detail-type "${detailType}", rule ${rule}): ${code}: ${message}${note}`;
}

export interface ProducerOptions {
  /**
   * Name or ARN of the bus: the stage's output `event_bus_name`. EventBridge takes events for a bus that does not exist,
   * and drops them (https://github.com/aws/aws-cli/issues/9186).
   */
  readonly eventBusName: string;
  /** @default a client with the environment's region and credentials, which waits 10 s at most for an answer */
  readonly client?: Pick<EventBridgeClient, "send">;
  /**
   * How often an event is tried, the first time included.
   * @default 5
   */
  readonly maxAttempts?: number;
  /**
   * Waits so many milliseconds before the next try.
   * @default setTimeout
   */
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

/** Most entries of a PutEvents request (EventBridge's service model, `PutEventsRequestEntryList`). */
export const mostEntries = 10;

/**
 * Most bytes of a PutEvents request, by `sizeOf`. AWS says "less than 1MB" since January 2026
 * (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html, and
 * https://aws.amazon.com/blogs/compute/more-room-to-build-serverless-services-now-support-payloads-up-to-1-mb), and not
 * whether that is 2^20 bytes. This is less than either.
 */
export const mostRequestBytes = 999_999;

/**
 * Most bytes of an entry, by `sizeOf`. EventBridge would take more, but an event above 240 KiB of JSON is not mailed,
 * because the record of its failure has to fit into a queue of 256 KiB. Of these, 1 KiB is for what EventBridge adds:
 * id, account, region, time and the names of the fields.
 */
export const mostEntryBytes = 239 * 1024;

/**
 * The size of an entry in bytes, as EventBridge counts it: 14 for a time, and the UTF-8 of source, detail-type, detail
 * and resources (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size).
 */
export function sizeOf({ Time, Source, DetailType, Detail, Resources = [] }: PutEventsRequestEntry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ""), Time === undefined ? 0 : 14);
}

/** An event on its way. */
interface Waiting extends PreparedEvent {
  /** Whether the answer of a try was lost. */
  mayHaveGone: boolean;
}

interface PreparedEvent {
  readonly index: number;
  readonly event: ProducerEvent;
  readonly entry: PutEventsRequestEntry;
  readonly idempotencyKey: string;
}

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly isTransient: boolean;
  /** Whether AWS may have taken the events all the same. */
  readonly isLost: boolean;
  /** The error that was thrown, where there is one. */
  readonly cause?: unknown;
}

type Result = { readonly item: Waiting } & ({ readonly eventId: string } | { readonly failure: Failure });

/**
 * Puts events on the bus. Every event gets an `idempotencyKey` before the first try, where its detail has none: so an
 * event that is put again, because the answer was lost, is mailed once.
 */
export class Producer {
  private readonly eventBusName: string;
  private readonly client: Pick<EventBridgeClient, "send">;
  private readonly maxAttempts: number;
  private readonly wait: (milliseconds: number) => Promise<unknown>;

  constructor({ eventBusName, client, maxAttempts = 5, wait = sleep }: ProducerOptions) {
    this.eventBusName = eventBusName;
    this.client = client ?? createClient();
    this.maxAttempts = maxAttempts;
    this.wait = wait;
  }

  /**
   * Puts the events, in requests that are as large as AWS takes them, and repeats what failed and may pass.
   * @returns what EventBridge answered, in the order of `events`.
   * @throws PutError if one was not put. Where the client refused one (`TooLarge`, `NotJson`, `NoRuleMatches`), none was.
   */
  async put(events: readonly ProducerEvent[]): Promise<readonly PutEvent[]> {
    const put: PutEvent[] = [];
    const failed: FailedEvent[] = [];
    const causes: unknown[] = [];
    let waiting = this.prepare(events);
    for (let attempt = 1; waiting.length > 0; attempt += 1) {
      if (attempt > 1) await this.wait(delayBefore(attempt));
      const again: Waiting[] = [];
      for (const batch of toBatches(waiting)) {
        for (const { item, ...result } of await this.send(batch)) {
          const { index, event, idempotencyKey } = item;
          if ("eventId" in result) {
            put[index] = { eventId: result.eventId, idempotencyKey };
            continue;
          }
          const { code, message, isTransient, isLost, cause } = result.failure;
          item.mayHaveGone ||= isLost;
          if (isTransient && attempt < this.maxAttempts) again.push(item);
          else {
            failed.push({ index, event, code, message, mayHaveGone: item.mayHaveGone });
            causes.push(cause);
          }
        }
      }
      waiting = again;
    }
    if (failed.length === 0) return put;
    const cause = causes.find((each) => each !== undefined);
    failed.sort((one, other) => one.index - other.index);
    // `filter` leaves out the places of those that failed.
    throw new PutError(failed, put.filter(Boolean), this.eventBusName, cause === undefined ? {} : { cause });
  }

  /** Puts one event, as `put` does. */
  async putOne(event: ProducerEvent): Promise<PutEvent> {
    const [put] = await this.put([event]);
    if (put === undefined) throw new Error("EventBridge answered for no event.");
    return put;
  }

  /** @throws PutError that names each event that the client refuses. */
  private prepare(events: readonly ProducerEvent[]): Waiting[] {
    const refused: FailedEvent[] = [];
    const prepared = events.flatMap((event, index): Waiting[] => {
      const answer = prepareEvent(event, this.eventBusName);
      if ("entry" in answer) return [{ ...answer, index, mayHaveGone: false }];
      refused.push({ ...answer, index, event, mayHaveGone: false });
      return [];
    });
    if (refused.length === 0) return prepared;
    throw new PutError(refused, [], this.eventBusName);
  }

  private async send(batch: readonly Waiting[]): Promise<readonly Result[]> {
    let answers: readonly PutEventsResultEntry[];
    try {
      const { Entries = [] } = await this.client.send(
        new PutEventsCommand({ Entries: batch.map(({ entry }) => entry) }),
      );
      answers = Entries;
    } catch (error) {
      const failure = failureOf(error);
      // AWS can refuse a request as a whole for the sake of one of its entries. That one must not keep back the others.
      if (failure.code === "ValidationException" && batch.length > 1) {
        const middle = Math.ceil(batch.length / 2);
        return [...(await this.send(batch.slice(0, middle))), ...(await this.send(batch.slice(middle)))];
      }
      return batch.map((item) => ({ item, failure }));
    }
    return batch.map((item, index) => {
      const { EventId: eventId, ErrorCode: code, ErrorMessage: message = "" } = answers[index] ?? {};
      if (eventId !== undefined) return { item, eventId };
      const isLost = code === undefined;
      const isTransient = isLost || !permanentCodes.has(code);
      return { item, failure: { code: code ?? "NoAnswer", message, isTransient, isLost } };
    });
  }
}

/** Repeating is left to `Producer`, which waits longer than the SDK does. */
function createClient(): EventBridgeClient {
  return new EventBridgeClient({
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
  });
}

/** Codes of entries that AWS calls "non-retryable" (EventBridge's service model, `PutEventsResultEntry`). */
const permanentCodes: ReadonlySet<string> = new Set([
  "AccessDeniedException",
  "InvalidAccountIdException",
  "InvalidArgument",
  "MalformedDetail",
  "RedactionFailure",
  "NotAuthorizedForSourceException",
  "NotAuthorizedForDetailTypeException",
]);

function failureOf(error: unknown): Failure {
  const { name = "Error", message = String(error), ...rest } = error as Partial<Error>;
  const { code = name } = rest as { readonly code?: string };
  const sdkError = error as Parameters<typeof isTransientError>[0];
  const status = sdkError.$metadata?.httpStatusCode;
  const isLost = status === undefined ? !unreached.test(`${name} ${code}`) : status < 400 || status >= 500;
  const isTransient = isLost || isThrottlingError(sdkError) || isTransientError(sdkError);
  return { code, message, isTransient, isLost, cause: error };
}

/** Errors that come before a request is sent. */
const unreached = /Credentials|TokenProvider|ECONNREFUSED|ENOTFOUND|EAI_AGAIN/;

const firstDelayMs = 200;
const longestDelayMs = 10_000;

/**
 * Milliseconds before a further try: a random part of a time that doubles
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter, "full jitter").
 */
function delayBefore(attempt: number): number {
  return Math.random() * Math.min(longestDelayMs, firstDelayMs * 2 ** (attempt - 2));
}

function* toBatches(items: readonly Waiting[]): Generator<readonly Waiting[]> {
  let batch: Waiting[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = sizeOf(item.entry);
    if (batch.length === mostEntries || (batch.length > 0 && bytes + size > mostRequestBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

type Refusal = Pick<FailedEvent, "code" | "message">;

/** The entry of an event, or why there is none. */
function prepareEvent(event: ProducerEvent, eventBusName: string): Omit<PreparedEvent, "index"> | Refusal {
  const { notification, options } = event;
  const detail = jsonOf(event.detail);
  if (!isRecord(detail)) return { code: "NotJson", message: detail };
  const mismatch = mismatchOf(notification, detail);
  if (mismatch !== undefined) return { code: "NoRuleMatches", message: mismatch };
  const key = detail.idempotencyKey ?? randomUUID();
  const withKey = { ...detail, idempotencyKey: key };
  const entry: PutEventsRequestEntry = {
    ...options,
    EventBusName: eventBusName,
    Source: notification.source,
    DetailType: notification.detailType,
    Detail: JSON.stringify(withKey),
  };
  const bytes = sizeOf(entry);
  if (bytes > mostEntryBytes) {
    const message = `it has ${bytes} bytes, and at most ${mostEntryBytes} are mailed: put the content elsewhere, and mail a link to it`;
    return { code: "TooLarge", message };
  }
  // The types want a text. Where somebody gives a number all the same, it is taken as its text by the function, too.
  const idempotencyKey = typeof key === "string" ? key : JSON.stringify(key);
  return { event: { ...event, detail: withKey }, entry, idempotencyKey };
}

/** The detail as the bus gets it, or what is wrong with it. */
function jsonOf(detail: object): Readonly<Record<string, unknown>> | string {
  try {
    const value = JSON.parse(JSON.stringify(detail)) as unknown;
    return isRecord(value) ? value : "the detail has to be a JSON object";
  } catch (error) {
    return `the detail can't be written as JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Says why the notification's rule does not take an event; `undefined` where it does. EventBridge matches an array if
 * one of its elements matches.
 */
function mismatchOf({ rule, pattern, ignored }: EventNotification, detail: Readonly<Record<string, unknown>>) {
  const problems = Object.entries(pattern.detail ?? {}).flatMap(([field, wanted]) => {
    const values = [detail[field]].flat(Infinity);
    if (values.some((value) => wanted.includes(value as string))) return [];
    const has = detail[field] === undefined ? "is missing" : `is ${JSON.stringify(detail[field]).slice(0, 100)}`;
    const leftOut = ignored[field] ?? [];
    const note = leftOut.length === 0 ? "" : ` (${quoted(leftOut)} is left out on purpose)`;
    return [`detail.${field} ${has}, and the rule ${rule} takes ${quoted(wanted)}${note}`];
  });
  return problems.length === 0 ? undefined : problems.join("; ");
}

function quoted(values: readonly string[]): string {
  return values.map((value) => `"${value}"`).join(" or ");
}
