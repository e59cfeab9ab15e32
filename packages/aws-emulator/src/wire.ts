import { type Fate, type QueuedRecord } from "./gateway/fate";
import { type BusEvent, type Delivery, type Mail } from "./gateway/journal";

/** What `/_sandbox` answers, in one place for the gateway, the inbox page, and whoever asks. All of it is JSON. */

/** `GET info`. */
export interface SandboxInfo {
  readonly endpoint: string;
  readonly region: string;
  readonly accountId: string;
  readonly retryDelaysMs: readonly number[];
  /** How soon a retry queue's message comes back; missing: after the queue's own visibility timeout. */
  readonly retryQueueDelayMs?: number;
  readonly notEmulated: readonly string[];
  /** ISO 8601. */
  readonly startedAt: string;
}

/** Every answer that is no success. */
export interface Problem {
  /** What was wrong, and the way out. */
  readonly message: string;
  /** Of an unknown route: those that exist. */
  readonly routes?: readonly string[];
  /** Of faults: one sentence each. */
  readonly problems?: readonly string[];
  /** Of a rule that can't be fired: those that can. */
  readonly scheduledRules?: readonly string[];
}

/** `GET health`; 503 while it is starting. */
export interface Health {
  readonly status: "starting" | "ready";
}

/** `GET pending`. */
export interface Pending {
  /** Deliveries, retries and batches that end by themselves. */
  readonly tasks: number;
}

/** `GET metrics`: what CloudWatch would count. */
export interface Metrics {
  /** By rule. */
  readonly InvocationsFailedToBeSentToDlq: Readonly<Record<string, number>>;
  /** By function. */
  readonly DestinationDeliveryFailures: Readonly<Record<string, number>>;
}

/** `POST fire/<rule>`. */
export interface Fired {
  readonly eventId: string;
}

/** `GET messages/<id>`; the lists have the same without `eventKey`. */
export interface MailDetails extends Mail {
  /** By which the event that caused it is listed; missing where that is gone. */
  readonly eventKey: string | undefined;
}

/** An event as the list `GET activity` has it. */
type ListedEvent = ReturnType<BusEvent["toJSON"]>;

/** A record of a failed event that a queue took. */
export interface FailureRecord extends QueuedRecord {
  /** The queue feeds a function: reading a message of it uses up one of its tries. */
  readonly isPolled: boolean;
}

/** `GET activity/<id>`. */
export interface EventDetails extends Omit<ListedEvent, "records"> {
  readonly fate: Fate;
  readonly records: readonly FailureRecord[];
  readonly mails: readonly MailRow[];
  /** The events that carry the record of its failure. */
  readonly failures: readonly { readonly id: string; readonly detailType: string; readonly bus: string }[];
}

/** `GET inbox/mails?id=..`: what a row of the list shows of a mail. Long texts are cut. */
export interface MailRow extends Pick<Mail, "id" | "time" | "from" | "to" | "subject" | "text" | "template" | "tags"> {
  /** Only where there is no text. */
  readonly html?: string;
  readonly renderError?: string;
}

/** `GET inbox/events?id=..`: what a row of the list shows of an event. */
export interface EventRow extends Pick<BusEvent, "id" | "time" | "bus" | "source" | "detailType"> {
  /** What tells it from the others of its type; may be empty. */
  readonly about: string;
  readonly fate: Fate;
  /** With their last attempt only. */
  readonly deliveries: readonly Delivery[];
  readonly records: readonly FailureRecord[];
}

/** `GET inbox`: the ids of everything, the newest first. */
export interface JournalIndex extends Changes {
  /** For a command that puts an event. */
  readonly example: { readonly bus: string | undefined; readonly recipient: string | undefined };
}

/** Which mails and events changed, and how many there are. */
export interface Changes {
  readonly mails: readonly string[];
  readonly events: readonly string[];
  /** How many events ended badly. */
  readonly failed: number;
  /** How many of the oldest are not kept any more. */
  readonly dropped: { readonly mails: number; readonly events: number };
}

/** `GET stream`: the data of the events `change` and `restart`. */
export interface StreamMessage extends Changes {
  /** How many mails went out. */
  readonly messages: number;
  /** How many events there are. */
  readonly activity: number;
}

/** `GET inbox/search?view=<mails|events>&q=<words>`: all that match, the newest first. */
export interface SearchResult {
  readonly ids: readonly string[];
}
