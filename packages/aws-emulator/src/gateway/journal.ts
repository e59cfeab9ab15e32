import { randomUUID } from "node:crypto";
import { failedEventIdOf } from "./failure-records";
import { type NearestRule } from "../services/eventbridge/rules";
import { failedFates, type Fate, fateOf, type QueuedRecord } from "./fate";
import { isNestedTooDeeply, stringify } from "./json-text";
import { type Limits, Newest } from "./newest";
import { type Notice, noticeOf, type Origin, sesMailIn } from "./notice";

export interface Header {
  readonly name: string;
  readonly value: string;
}

/** What caused a call of a function that runs here. */
export interface InvocationOrigin {
  /** Of the Lambda invocation that made the call. */
  readonly requestId?: string;
  readonly eventId?: string;
  /** Name of the rule that matched the event. */
  readonly rule?: string;
}

export interface Mail extends InvocationOrigin {
  /** SES's message id. */
  readonly id: string;
  readonly time: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  readonly subject: string;
  readonly html: string;
  readonly text: string;
  readonly template: string;
  readonly configurationSet: string;
  readonly templateData: Readonly<Record<string, unknown>>;
  /** The template data as JSON, where it is nested too deeply to be shown; `templateData` is empty then. */
  readonly templateDataTooDeep?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly headers: readonly Header[];
  readonly renderError?: string;
  /** What SES's events told of it: `Delivery`, `Bounce`, .. */
  readonly feedback?: readonly string[];
}

/** https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html */
export interface Envelope {
  readonly version: string;
  readonly id: string;
  readonly "detail-type": string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
  readonly "replay-name"?: string;
}

export type AttemptStatus = "success" | "error" | "timeout" | "throttled";

export interface Attempt {
  readonly number: number;
  readonly startedAt: string;
  endedAt?: string;
  status?: AttemptStatus;
  errorType?: string;
  errorMessage?: string;
  requestId?: string;
  nextRetryInMs?: number;
  /** Of what was throttled: how often in a row. */
  times?: number;
  /** The type of the failure that the function says it has parked the event for. */
  parked?: string;
}

export interface Delivery {
  readonly rule: string;
  readonly bus: string;
  readonly targetId: string;
  readonly targetArn: string;
  /** The service in the target's ARN. */
  readonly kind: string;
  readonly functionName?: string;
  status: "running" | "delivered" | "retrying" | "failed";
  readonly attempts: Attempt[];
  deadLetter?: { readonly destinationArn: string; readonly reason: string };
}

/** An event that a bus took, and what became of it. Held as text: it takes less memory, at any depth. */
export class BusEvent {
  readonly id: string;
  readonly time: string;
  readonly source: string;
  readonly detailType: string;
  /** The envelope as JSON. */
  readonly text: string;
  /** Where it carries the record of a failed invocation: the id of the event that failed. */
  readonly failureOf: string | undefined;
  readonly deliveries: Delivery[] = [];
  /** The failure records of it that a queue took, in order. */
  readonly records: QueuedRecord[] = [];
  /** What AWS would have kept silent about. */
  readonly notes: string[] = [];
  readonly origin: Origin;
  /** The bad news that it brings, if any. */
  readonly notice: Notice | undefined;
  /** The mail that it is about, where SES sent it. */
  readonly sesMail: ReturnType<typeof sesMailIn>;
  /** Where no rule matched it: the one that comes nearest. */
  nearest?: NearestRule;

  constructor(
    readonly bus: string,
    event: Envelope,
  ) {
    this.id = event.id;
    this.time = event.time;
    this.source = event.source;
    this.detailType = event["detail-type"];
    this.text = stringify(event);
    this.failureOf = failedEventIdOf(event.detail);
    this.notice = noticeOf(event.source, event.detail);
    this.sesMail = sesMailIn(event.source, event.detail);
    this.origin = this.source === "aws.ses" ? "ses" : this.failureOf === undefined ? "business" : "failure";
  }

  /** Without its detail where that is nested too deeply to be shown. */
  get event(): Envelope {
    const event = JSON.parse(this.text) as Envelope;
    return this.tooDeep === undefined ? event : { ...event, detail: {} };
  }

  get detail(): Envelope["detail"] {
    return this.event.detail;
  }

  /** The envelope as JSON, where it is nested too deeply to be shown in any other way. */
  get tooDeep(): string | undefined {
    return isNestedTooDeeply(this.text) ? this.text : undefined;
  }

  toJSON() {
    const { id, time, bus, source, detailType, event, deliveries, records, notes, tooDeep, origin, notice, nearest } =
      this;
    const { detail } = event;
    return {
      id,
      time,
      bus,
      source,
      detailType,
      detail,
      event,
      deliveries,
      records,
      notes,
      tooDeep,
      origin,
      notice,
      nearest,
    };
  }
}

export interface Note {
  readonly time: string;
  readonly text: string;
}

/** What changed: keys of mails and events, the first to change first. */
export interface Change {
  readonly mails: readonly string[];
  readonly events: readonly string[];
  /** All that was known before is forgotten. */
  readonly isCleared?: true;
}

const mebibyte = 1_048_576;
/** What the journal keeps. More would fill the memory of a sandbox that is under load, or runs for days. */
export const journalLimits = {
  mails: { items: 10_000, bytes: 64 * mebibyte },
  events: { items: 25_000, bytes: 64 * mebibyte },
  notes: 1000,
};

/** An error may hold the event that it is about, once for each attempt: the limits above count the event only. */
const mostErrorCharacters = 10_000;

/** A copy, too: a part of a text keeps alive all of it. */
const shortened = (text: string) =>
  text.length <= mostErrorCharacters
    ? text
    : Buffer.from(`${text.slice(0, mostErrorCharacters)}… (${text.length} characters)`).toString();

/** What happened, in memory, as far as the limits let it; and who wants to know when it changes. */
export class Journal {
  /** Function name to the number of invocation records that its destination did not take. */
  readonly destinationDeliveryFailures: Record<string, number> = {};
  /** Rule name to the number of events that neither the target nor its dead-letter queue took. */
  readonly invocationsFailedToBeSentToDlq: Record<string, number> = {};
  /** What a user of the sandbox should know and no client is told: a missing log group, a background failure. */
  readonly notes: Note[] = [];
  /** The mails that SES took, those that it could not render among them. */
  readonly mails: Newest<Mail>;
  readonly events: Newest<BusEvent>;
  /** ARNs of the queues that feed a function. */
  private readonly polledQueues = new Set<string>();
  private unrendered = 0;
  private readonly mailsOfEvent = new Index<string>();
  /** Event id to its records' keys: an event that a rule sends on to another bus is there once for each bus. */
  private readonly keysOfEvent = new Index<string>();
  /** Event id to the keys of the events that carry the record of its failure. */
  private readonly failuresOfEvent = new Index<string>();
  /** Key of an event to the key of the one that it belongs to. */
  private readonly parents = new Map<string, string>();
  private readonly childrenOf = new Index<string>();
  private readonly keys = new WeakMap<BusEvent, string>();
  private readonly owners = new WeakMap<Delivery, BusEvent>();
  private readonly fates = new Map<string, Fate>();
  private readonly listeners = new Set<(change: Change) => void>();

  constructor(limits: { readonly mails: Limits; readonly events: Limits } = journalLimits) {
    this.mails = new Newest(limits.mails, (mail, key) => {
      this.mailsOfEvent.remove(eventIdOf(mail), key);
      if (mail.renderError !== undefined) this.unrendered -= 1;
      this.noteDrop("mails", limits.mails);
    });
    this.events = new Newest(limits.events, (event, key) => {
      this.keysOfEvent.remove(event.id, key);
      this.failuresOfEvent.remove(event.failureOf, key);
      this.childrenOf.remove(this.parents.get(key), key);
      this.parents.delete(key);
      this.fates.delete(key);
      this.noteDrop("events", limits.events);
    });
  }

  /** How many mails went out. */
  get messageCount(): number {
    return this.mails.size - this.unrendered;
  }

  onChange(listener: (change: Change) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** To be called after each change of a record, with the event or the delivery that it belongs to, if any. */
  changed(what?: BusEvent | Delivery): void {
    const event = what instanceof BusEvent || what === undefined ? what : this.owners.get(what);
    const key = event && this.keys.get(event);
    // It may have been dropped since.
    if (event !== undefined && key !== undefined && this.events.get(key) === event) {
      this.fates.set(key, this.fateNow(event));
      this.tell({ mails: [], events: [key] });
    } else this.tell({ mails: [], events: [] });
  }

  /** How many events ended badly. */
  get failed(): number {
    let count = 0;
    for (const fate of this.fates.values()) if (failedFates.has(fate)) count += 1;
    return count;
  }

  fateOf(key: string): Fate {
    return this.fates.get(key) ?? "unmatched";
  }

  isPolled(queueArn: string): boolean {
    return this.polledQueues.has(queueArn);
  }

  /** Whether a function is fed from the queue. */
  setPolled(queueArn: string, isPolled: boolean): void {
    if (isPolled) this.polledQueues.add(queueArn);
    else this.polledQueues.delete(queueArn);
    for (const event of this.events.items()) {
      if (event.records.at(-1)?.queueArn === queueArn) this.changed(event);
    }
  }

  addMail(mail: Mail): void {
    this.keepMail(mail);
    this.changedOf(eventIdOf(mail));
  }

  addRenderingFailure(mail: Mail & { readonly renderError: string }): void {
    this.keepMail(mail);
    this.noteOnEvent(
      eventIdOf(mail),
      `Mail ${mail.id} was accepted by SES and never sent: template ${mail.template}: ${mail.renderError}`,
    );
  }

  addEvent(bus: string, event: Envelope): BusEvent {
    const record = new BusEvent(bus, event);
    // Before it is there itself: an event is not its own.
    const parent = this.findParent(record);
    const key = this.events.add(record.id, record, Buffer.byteLength(record.text));
    if (parent !== undefined) this.parents.set(key, parent);
    this.childrenOf.add(parent, key);
    this.keys.set(record, key);
    this.keysOfEvent.add(record.id, key);
    this.failuresOfEvent.add(record.failureOf, key);
    this.changed(record);
    // What a page shows of the parent tells of it, too.
    if (parent !== undefined) this.tell({ mails: [], events: [parent] });
    return record;
  }

  addDelivery(event: BusEvent, delivery: Omit<Delivery, "status" | "attempts">): Delivery {
    const record: Delivery = { ...delivery, status: "running", attempts: [] };
    event.deliveries.push(record);
    this.owners.set(record, event);
    this.changed(event);
    return record;
  }

  startAttempt(delivery: Delivery, requestId?: string): Attempt {
    const attempt: Attempt = {
      number: delivery.attempts.length + 1,
      startedAt: new Date().toISOString(),
      ...(requestId === undefined ? {} : { requestId }),
    };
    delivery.attempts.push(attempt);
    delivery.status = "running";
    this.changed(delivery);
    return attempt;
  }

  endAttempt(
    delivery: Delivery,
    attempt: Attempt,
    end: Pick<Attempt, "errorType" | "errorMessage" | "parked"> & { readonly status: AttemptStatus },
  ): void {
    const { errorMessage } = end;
    Object.assign(attempt, end, errorMessage === undefined ? {} : { errorMessage: shortened(errorMessage) });
    attempt.endedAt = new Date().toISOString();
    this.changed(delivery);
  }

  /** The function had no place for it. One entry, however often in a row: an event can wait for hours. */
  throttled(delivery: Delivery, error: { readonly errorType: string; readonly errorMessage: string }): Attempt {
    const last = delivery.attempts.at(-1);
    const attempt = last?.status === "throttled" ? last : this.startAttempt(delivery);
    this.endAttempt(delivery, attempt, { ...error, status: "throttled" });
    attempt.times = (attempt.times ?? 0) + 1;
    return attempt;
  }

  /** A queue took a failure record of the event. */
  addRecord(eventId: string, record: Pick<QueuedRecord, "queueArn" | "reason">): void {
    for (const event of this.eventsOf(eventId)) {
      event.records.push({ ...record, reason: shortened(record.reason), time: new Date().toISOString() });
      this.changed(event);
    }
  }

  /** The function that the queue feeds is done with the event's record. */
  endRecord(eventId: string | undefined, queueArn: string): void {
    for (const event of this.eventsOf(eventId)) {
      this.endRecordOf(event, queueArn, "function");
    }
  }

  /** Somebody who read the event's record deleted it from the queue. */
  deleteRecord(eventId: string | undefined, queueArn: string): void {
    for (const event of this.eventsOf(eventId)) this.endRecordOf(event, queueArn, "reader");
  }

  /** The queue was purged. */
  emptyQueue(queueArn: string): void {
    for (const event of this.events.items()) this.endRecordOf(event, queueArn, "reader");
  }

  private endRecordOf(event: BusEvent, queueArn: string, leftBy: "function" | "reader"): void {
    const record = event.records.findLast((each) => each.queueArn === queueArn && each.leftAt === undefined);
    if (record === undefined) return;
    Object.assign(record, { leftAt: new Date().toISOString(), leftBy });
    this.changed(event);
  }

  /** Keys of the mails that the event caused, the newest first. */
  mailKeysOf(eventId: string): readonly string[] {
    return this.mailsOfEvent.of(eventId).toReversed();
  }

  /** Key of the event that caused the mail: of those on several buses, the one on the bus whose rule had it mailed. */
  eventKeyOf(mail: Mail): string | undefined {
    const keys = this.keysOfEvent.of(eventIdOf(mail) ?? "");
    const where = (isCause: (delivery: Delivery) => boolean) =>
      keys.find((key) => this.events.get(key)?.deliveries.some(isCause));
    const { requestId, rule } = mail;
    const byRun = requestId && where(({ attempts }) => attempts.some((attempt) => attempt.requestId === requestId));
    return byRun || where((delivery) => delivery.rule === rule) || keys[0];
  }

  /**
   * Key of the event that it belongs to: an event of SES to the one that caused the mail, and the record of a failure to
   * the one that failed.
   */
  parentKeyOf(key: string): string | undefined {
    const parent = this.parents.get(key);
    // It may have been dropped since.
    return parent === undefined || this.events.get(parent) === undefined ? undefined : parent;
  }

  /** Keys of the events that belong to it, in order. */
  childKeysOf(key: string): readonly string[] {
    return this.childrenOf.of(key);
  }

  private findParent({ failureOf, sesMail }: BusEvent): string | undefined {
    const mail = this.mails.get(sesMail?.messageId ?? "");
    const parent = (mail && this.eventKeyOf(mail)) ?? this.keysOfEvent.of(failureOf ?? sesMail?.eventId ?? "")[0];
    // What failed may itself be the record of a failure.
    return parent === undefined ? undefined : (this.parentKeyOf(parent) ?? parent);
  }

  /** Forgets every mail and event. Queues keep their messages. */
  clear(): { readonly mails: number; readonly events: number } {
    const cleared = { mails: this.mails.clear(), events: this.events.clear() };
    this.unrendered = 0;
    for (const index of [this.mailsOfEvent, this.keysOfEvent, this.failuresOfEvent, this.childrenOf]) index.clear();
    for (const map of [this.parents, this.fates]) map.clear();
    this.tell({ mails: [], events: [], isCleared: true });
    return cleared;
  }

  /** Keys of the events that carry the record of its failure. */
  failureKeysOf(eventId: string): readonly string[] {
    return this.failuresOfEvent.of(eventId);
  }

  countUndeliverable(rule: string): void {
    this.invocationsFailedToBeSentToDlq[rule] = (this.invocationsFailedToBeSentToDlq[rule] ?? 0) + 1;
    this.changed();
  }

  countDestinationFailure(functionName: string): void {
    this.destinationDeliveryFailures[functionName] = (this.destinationDeliveryFailures[functionName] ?? 0) + 1;
    this.changed();
  }

  /** Says a thing once. */
  note(text: string): void {
    if (this.notes.some((note) => note.text === text)) return;
    this.notes.unshift({ time: new Date().toISOString(), text });
    this.notes.splice(journalLimits.notes);
    this.changed();
  }

  noteOnEvent(eventId: string | undefined, text: string): void {
    const events = this.eventsOf(eventId);
    if (events.length === 0) this.note(text);
    for (const event of events) {
      if (!event.notes.includes(text)) event.notes.push(text);
      this.changed(event);
    }
  }

  private keepMail(mail: Mail): void {
    const data = stringify(mail.templateData);
    const shown = isNestedTooDeeply(data) ? { ...mail, templateData: {}, templateDataTooDeep: data } : mail;
    // A copy: what a template made is a text of many pieces, which keep alive all that they were cut from.
    const text = JSON.stringify(shown);
    const key = this.mails.add(mail.id, JSON.parse(text) as Mail, Buffer.byteLength(text));
    this.mailsOfEvent.add(eventIdOf(mail), key);
    if (mail.renderError !== undefined) this.unrendered += 1;
    this.tell({ mails: [key], events: [] });
  }

  private eventsOf(eventId: string | undefined): readonly BusEvent[] {
    const keys = eventId === undefined ? [] : this.keysOfEvent.of(eventId);
    return keys.flatMap((key) => this.events.get(key) ?? []);
  }

  private changedOf(eventId: string | undefined): void {
    for (const event of this.eventsOf(eventId)) this.changed(event);
  }

  private fateNow(event: BusEvent): Fate {
    const mails = this.mailsOfEvent.of(event.id).map((key) => this.mails.get(key));
    return fateOf(event, {
      isPolled: (queueArn) => this.isPolled(queueArn),
      isMailed: mails.some((mail) => mail !== undefined && mail.renderError === undefined),
    });
  }

  private noteDrop(what: string, most: Limits): void {
    this.note(
      `The journal keeps the newest ${most.items} ${what}, and at most ${Math.floor(most.bytes / mebibyte)} MiB of them: older ones are dropped, and not shown any more.`,
    );
  }

  private tell(change: Change): void {
    for (const listener of this.listeners) listener(change);
  }
}

/** The event that caused a mail: the tag tells it where one run mailed several events of a queue. */
const eventIdOf = (mail: Mail): string | undefined => mail.eventId ?? mail.tags.eventId;

/** Ids to what belongs to each. */
class Index<Value> {
  private readonly values = new Map<string, Value[]>();

  add(id: string | undefined, value: Value): void {
    if (id === undefined) return;
    const known = this.values.get(id);
    if (known === undefined) this.values.set(id, [value]);
    else known.push(value);
  }

  remove(id: string | undefined, value: Value): void {
    const left = this.of(id ?? "").filter((each) => each !== value);
    if (left.length > 0) this.values.set(id ?? "", left);
    else this.values.delete(id ?? "");
  }

  clear(): void {
    this.values.clear();
  }

  of(id: string): readonly Value[] {
    return this.values.get(id) ?? [];
  }
}

export const newId = (): string => randomUUID();

/** The time format of EventBridge: seconds, no fraction. */
export const eventTime = (date = new Date()): string => `${date.toISOString().slice(0, 19)}Z`;
