import { randomUUID } from "node:crypto";
import { PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { InvokeCommand } from "@aws-sdk/client-lambda";
import { type Mail } from "aws-emulator";
import { accountId, region, type System } from "./system";

/** One mail that is due: an event (or several that are the same by their idempotency key) and one recipient. */
export interface Due {
  readonly eventIds: readonly string[];
  /** `undefined` where the event names nobody who could be mailed: the event itself is accounted for. */
  readonly recipient: string | undefined;
  /** Whether the event names others, too: a record that is parked may be for their mail. */
  readonly isOneOfMany: boolean;
}

export interface Outcome extends Due {
  readonly mails: readonly Mail[];
  /** Accepted by SES, and not rendered. */
  readonly unrendered: readonly Mail[];
  /** Why it is parked, once for each record. */
  readonly reasons: readonly string[];
}

export interface EventOptions {
  readonly recipients?: readonly string[];
  readonly detail?: Readonly<Record<string, unknown>>;
  /** Of the event, beside its detail: no template reads them, and they travel with it all the same. */
  readonly resources?: readonly string[];
  readonly alert?: boolean;
  /** @default that of the request, or of the alert */
  readonly detailType?: string;
}

/** What a case put in, and what became of it. */
export class Ledger {
  private readonly dues: Due[] = [];
  private addresses = 0;
  events = 0;

  constructor(
    private readonly system: System,
    /** In front of every address of the case: faults find it by that. */
    readonly slug: string,
  ) {}

  address(): string {
    this.addresses += 1;
    return `${this.slug}-${this.addresses}@example.com`;
  }

  /** Puts one event onto the bus. @returns its id. */
  async put(options: EventOptions = {}): Promise<string> {
    const { recipients = [this.address()], detail = {}, resources = [], alert = false } = options;
    const { detailType = alert ? "Priority Alert" : "Email Notification Request" } = options;
    const id = await this.putEvent(detailFor(recipients, detail, alert), detailType, resources);
    this.expect([id], recipients);
    return id;
  }

  async putMany(count: number, options: EventOptions = {}): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.put(options)));
  }

  /** Several events that are one by their key. */
  async putSame(count: number, idempotencyKey: string): Promise<void> {
    const recipients = [this.address()];
    const detail = detailFor(recipients, { idempotencyKey }, false);
    const ids = await Promise.all(Array.from({ length: count }, () => this.putEvent(detail)));
    this.expect(ids, recipients);
  }

  /** An event with a detail that is no notification's. */
  async putDetail(
    detail: Readonly<Record<string, unknown>>,
    recipients: readonly string[] = [],
    detailType?: string,
  ): Promise<void> {
    this.expect([await this.putEvent(detail, detailType)], recipients);
  }

  /** The same delivery several times at once, as EventBridge's "at least once" allows. @returns the event. */
  async deliver(count: number, event = this.envelope()): Promise<Record<string, unknown>> {
    await this.invoke(count, event);
    this.events += count - 1;
    this.expect([event.id], [recipientIn(event)]);
    return event;
  }

  /** Something that is no event. It holds `marker`, and is told by it. */
  async deliverRaw(payload: (marker: string) => unknown): Promise<void> {
    const marker = randomUUID();
    await this.invoke(1, payload(marker));
    this.expect([marker], []);
  }

  async invoke(count: number, payload: unknown): Promise<void> {
    const command = new InvokeCommand({
      FunctionName: this.system.names.of("email-processor"),
      InvocationType: "Event",
      Payload: Buffer.from(JSON.stringify(payload)),
    });
    await Promise.all(Array.from({ length: count }, () => this.system.lambda.send(command)));
  }

  envelope(): { readonly id: string } & Record<string, unknown> {
    return {
      version: "0",
      id: randomUUID(),
      "detail-type": "Email Notification Request",
      source: "custom.application",
      account: accountId,
      time: `${new Date().toISOString().slice(0, 19)}Z`,
      region,
      resources: [],
      detail: detailFor([this.address()], {}, false),
    };
  }

  /** What became of each mail that is due. */
  async settle(): Promise<readonly Outcome[]> {
    const { sent, unrendered } = await this.system.accepted();
    return this.dues.map((due) => {
      const isOfDue = ({ tags, to }: Mail) =>
        due.eventIds.includes(tags.eventId ?? "") && (due.recipient === undefined || to.includes(due.recipient));
      return {
        ...due,
        mails: sent.filter(isOfDue),
        unrendered: unrendered.filter(isOfDue),
        reasons: this.system.parked
          .filter(({ body }) => due.eventIds.some((id) => body.includes(id)))
          .map(({ reason }) => reason),
      };
    });
  }

  private expect(eventIds: readonly string[], recipients: readonly string[]): void {
    this.events += eventIds.length;
    const all = recipients.length === 0 ? [undefined] : recipients;
    this.dues.push(...all.map((recipient) => ({ eventIds, recipient, isOneOfMany: all.length > 1 })));
  }

  /** Puts an event that nothing is due for. @returns its id. */
  async putEvent(
    detail: Readonly<Record<string, unknown>>,
    detailType = "Email Notification Request",
    resources: readonly string[] = [],
  ): Promise<string> {
    const { Entries: [entry] = [] } = await this.system.events.send(
      new PutEventsCommand({
        Entries: [
          {
            EventBusName: this.system.busName,
            Source: "custom.application",
            DetailType: detailType,
            Detail: JSON.stringify(detail),
            Resources: [...resources],
          },
        ],
      }),
    );
    if (entry?.EventId === undefined)
      throw new Error(`The bus refused an event of ${this.slug}: ${JSON.stringify(entry)}`);
    return entry.EventId;
  }
}

function detailFor(recipients: readonly string[], detail: Readonly<Record<string, unknown>>, alert: boolean) {
  return {
    emailConfig: { recipient: recipients.length === 1 ? recipients[0] : recipients, subject: "Fault" },
    title: "Fault",
    message: "Of the fault suite.",
    ...(alert ? { priority: "high" } : {}),
    ...detail,
  };
}

function recipientIn(event: Readonly<Record<string, unknown>>): string {
  return (event.detail as { emailConfig: { recipient: string } }).emailConfig.recipient;
}

export type State = "mailed" | "parked" | "told" | "lost" | "twice" | "both";

/**
 * Where a mail has ended. `told`: AWS has no record of it but a metric (or an event of SES), and that was seen; see
 * `Case.told`. A mail whose outcome nobody can know is parked, and may be out. `both`: it is out, and a person is asked to
 * send it all the same.
 */
export function stateOf({ mails, reasons, isOneOfMany }: Outcome, isTold: boolean): State {
  if (mails.length > 1) return "twice";
  if (mails.length === 1) {
    if (reasons.length === 0) return "mailed";
    if (reasons.every(isUnknown)) return "parked";
    return isOneOfMany ? "mailed" : "both";
  }
  if (reasons.length > 0) return "parked";
  return isTold ? "told" : "lost";
}

const isUnknown = (reason: string) => reason === "OutcomeUnknown";
