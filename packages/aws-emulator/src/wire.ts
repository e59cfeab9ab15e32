import { type Fate, type QueuedRecord } from "./gateway/fate";
import { type BusEvent, type Delivery, type Mail } from "./gateway/journal";
import { type MailNews } from "./gateway/mail-news";
import { type Notice } from "./gateway/notice";

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
  /** `POST redrive/<event id>` sends an event again that is parked. */
  readonly canRedrive: boolean;
  /** The command, for a shell, that says what waits in the queues. */
  readonly listCommand?: string;
  /** The command, for a shell, that sends an event: the first that an empty inbox offers. */
  readonly sendCommand?: string;
  /** The event of the `aws events put-events` command that the inbox offers. */
  readonly exampleEvent: ExampleEvent;
  /** What else is served below `pages/<name>/`; missing where nothing is. */
  readonly pages?: readonly { readonly name: string; readonly title: string }[];
}

export interface ExampleEvent {
  /** @default the first bus, other than the default one, that an event was put on */
  readonly bus?: string;
  readonly source: string;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
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

/** `POST redrive/<event id>`. */
export interface RedriveResult {
  readonly ok: boolean;
  /** What the command printed. */
  readonly output: string;
}

/** What helps a parked event that would fail again if it were sent again as it is. */
export interface RedriveAdvice {
  readonly text: string;
  /** Whether a corrected event helps. The inbox then shows the command that puts the event once more. */
  readonly isCorrectable: boolean;
  /** The command, for a shell, that sends the parked event once the advice is followed. */
  readonly redrive?: {
    /** A sentence before the command that says when to run it. */
    readonly when: string;
    readonly command: string;
  };
}

/** `DELETE inbox`: how many were forgotten. */
export interface Cleared {
  readonly mails: number;
  readonly events: number;
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

export interface ShownDelivery extends Delivery {
  /** The bad news of the mails that this delivery caused, if any; only in `EventDetails`. */
  readonly mailNews?: MailNews;
}

/** `GET activity/<id>`. */
export interface EventDetails extends Omit<ListedEvent, "records" | "deliveries"> {
  readonly fate: Fate;
  readonly deliveries: readonly ShownDelivery[];
  /** The bad news of its mails, if any. */
  readonly mailNews?: MailNews;
  readonly records: readonly FailureRecord[];
  readonly mails: readonly MailRow[];
  /** The events that carry the record of its failure. */
  readonly failures: readonly { readonly id: string; readonly detailType: string; readonly bus: string }[];
  /** The event that it belongs to, if any: the one that failed, or that caused the mail that SES tells of. */
  readonly parent: string | undefined;
  /** What belongs to it, in order: SES's events about its mails, and the records of its failure. */
  readonly children: readonly EventRow[];
  /** Until when the queue that has its record keeps it. */
  readonly keptUntil?: string;
  /** Sends it again; where it is parked, and the sandbox knows how. */
  readonly redriveCommand?: string;
  /** What to do instead of a redrive; missing if a redrive can help. */
  readonly redriveAdvice?: RedriveAdvice;
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
  readonly notice?: Notice;
  /** Where no rule matched it: the name of the rule that comes nearest. */
  readonly nearestRule?: string;
  /** The bad news of its mails, if any. */
  readonly mailNews?: MailNews;
  /** With their last attempt only. */
  readonly deliveries: readonly ShownDelivery[];
  readonly records: readonly FailureRecord[];
}

/** `GET inbox`: the ids of everything, the newest first. */
export interface JournalIndex extends Changes {
  /** For a command that puts an event. */
  readonly example: { readonly bus: string | undefined };
}

/** Which mails and events changed, and how many there are. */
export interface Changes {
  readonly mails: readonly string[];
  readonly events: readonly string[];
  /** How many events ended badly. */
  readonly failed: number;
  /** How many of the oldest are not kept any more. */
  readonly dropped: { readonly mails: number; readonly events: number };
  /** The event that each of the events belongs to; of those that belong to one. */
  readonly parents: Readonly<Record<string, string>>;
}

/** `GET stream`: the data of the events `change` and `restart`. */
export interface StreamMessage extends Changes {
  /** How many mails went out. */
  readonly messages: number;
  /** How many events there are. */
  readonly activity: number;
}

/** `GET inbox/search?view=<mails|events>&q=<words>&filter=<filter of events>`: all that match, the newest first. */
export interface SearchResult {
  readonly ids: readonly string[];
}
