import { randomUUID } from "node:crypto";

export interface Header {
  readonly name: string;
  readonly value: string;
}

/** What caused a call of a function that runs here. */
export interface Cause {
  /** Of the Lambda invocation that made the call. */
  readonly requestId?: string;
  readonly eventId?: string;
  /** Name of the rule that matched the event. */
  readonly rule?: string;
}

export interface Mail extends Cause {
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

export type Outcome = "success" | "error" | "timeout" | "throttled";

export interface Attempt {
  readonly number: number;
  readonly startedAt: string;
  endedAt?: string;
  outcome?: Outcome;
  errorType?: string;
  errorMessage?: string;
  requestId?: string;
  nextRetryInMs?: number;
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

export interface BusEvent {
  readonly id: string;
  readonly time: string;
  readonly bus: string;
  readonly source: string;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly event: Envelope;
  readonly deliveries: Delivery[];
  /** What AWS would have kept silent about. */
  readonly notes: string[];
}

export interface Note {
  readonly time: string;
  readonly text: string;
}

/** Everything that happened, in memory, newest first; and who wants to know when it changes. */
export class Journal {
  readonly messages: Mail[] = [];
  readonly renderingFailures: Mail[] = [];
  readonly activity: BusEvent[] = [];
  /** What a user of the sandbox should know and no client is told: a missing log group, a background failure. */
  readonly notes: Note[] = [];
  /** Rule name to the number of events that neither the target nor its dead-letter queue took. */
  readonly invocationsFailedToBeSentToDlq: Record<string, number> = {};
  /** Function name to the number of invocation records that its destination did not take. */
  readonly destinationDeliveryFailures: Record<string, number> = {};
  private readonly listeners = new Set<() => void>();

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** To be called after each change of a record. */
  changed(): void {
    for (const listener of this.listeners) listener();
  }

  addMail(mail: Mail): void {
    this.messages.unshift(mail);
    this.changed();
  }

  addRenderingFailure(mail: Mail & { readonly renderError: string }): void {
    this.renderingFailures.unshift(mail);
    this.noteOnEvent(
      mail.eventId,
      `Mail ${mail.id} was accepted by SES and never sent: template ${mail.template}: ${mail.renderError}`,
    );
    this.changed();
  }

  addEvent(bus: string, event: Envelope): BusEvent {
    const record: BusEvent = {
      id: event.id,
      time: event.time,
      bus,
      source: event.source,
      detailType: event["detail-type"],
      detail: event.detail,
      event,
      deliveries: [],
      notes: [],
    };
    this.activity.unshift(record);
    this.changed();
    return record;
  }

  addDelivery(event: BusEvent, delivery: Omit<Delivery, "status" | "attempts">): Delivery {
    const record: Delivery = { ...delivery, status: "running", attempts: [] };
    event.deliveries.push(record);
    this.changed();
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
    this.changed();
    return attempt;
  }

  endAttempt(attempt: Attempt, end: Pick<Attempt, "errorType" | "errorMessage"> & { readonly outcome: Outcome }): void {
    Object.assign(attempt, end, { endedAt: new Date().toISOString() });
    this.changed();
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
    this.changed();
  }

  noteOnEvent(eventId: string | undefined, text: string): void {
    const notes = this.activity.find((event) => event.id === eventId)?.notes;
    if (notes === undefined) this.note(text);
    else if (!notes.includes(text)) notes.push(text);
  }
}

export const newId = (): string => randomUUID();

/** The time format of EventBridge: seconds, no fraction. */
export const eventTime = (date = new Date()): string => `${date.toISOString().slice(0, 19)}Z`;
