import { type SESClient, SESServiceException, type SendTemplatedEmailCommandInput } from "@aws-sdk/client-ses";
import { createSesSender } from "../../handler/adapters/ses";
import { type ClaimStore } from "../../handler/claims";
import { type FailureRecord, type MailFailure } from "../../handler/contract/failure-record";
import { type RecipientPolicy } from "../../handler/contract/recipient-policy";
import { type SqsBatchResponse } from "../../handler/contract/sqs-batch";
import { PermanentError, TransientError } from "../../handler/errors";
import { createDispatch, type Parked } from "../../handler/dispatch";
import { createSendNotification, type NotificationResult } from "../../handler/send-notification";
import { limitConcurrency } from "../../handler/concurrency";
import { Pacer, sendsAtOnce } from "../../handler/pacer";
import { failureRecord, functionArn, MemoryClaims, createRecords, sqsBatch, startOfTime } from "./send-notification";
import { readsOf } from "./template-reads";

/** A generator of numbers from 0 up to 1 that look random. The same seed gives the same numbers (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** How a call to SES can end. In those with `after`, the mail was sent. */
const sesFaults = [
  "throttled",
  "unavailable",
  "rejected",
  "paused",
  "never heard of",
  "refused connection",
  "no answer",
  "no answer after",
  "broken answer after",
  "death",
  "death after",
] as const;

const storeFaults = ["down", "lost answer", "death", "death after"] as const;

const runMs = 30_000;

/** With these, an environment works on three mails at once. */
const sendRates = { mostPerSecond: 12, leastPerSecond: 1 };

/** The recipients whom the world's stage may mail. */
export const worldPolicy: RecipientPolicy = {
  mode: "restricted",
  addresses: [],
  domains: ["example.com", "xn--bcher-kva.example"],
};

export interface Accepted {
  readonly mail: string;
  readonly messageId: string;
  readonly data: SendTemplatedEmailCommandInput;
}

export type Settlement =
  | { readonly kind: "mailed"; readonly messageIds: readonly string[] }
  | {
      readonly kind: "permanent" | "transient";
      readonly type: string;
      readonly message: string;
      /** The mails that failed, as they are listed in the parked record or in the error. */
      readonly failures: readonly MailFailure[];
    }
  /** The run ended without an answer. Lambda reports it, or the queue gives the message out again. */
  | { readonly kind: "died" };

export interface Delivery {
  readonly event: unknown;
  /** Whether the event comes from a retry queue and not from a rule. */
  readonly viaQueue: boolean;
  /** The parked record that a person sends to the retry queue again. */
  readonly redriven?: FailureRecord;
}

/**
 * SES, the claims and Lambda's runs, with everything that can go wrong. The order is random: each call waits for its
 * turn, and a random call is next. Time passes with the calls. A run ends when its time is over, as in Lambda: between
 * any two steps, and without an answer.
 */
export class World {
  now = startOfTime;
  /** The probability that a call fails. */
  faultiness = 0;
  readonly accepted: Accepted[] = [];
  readonly records = createRecords();
  readonly parked: FailureRecord[] = [];
  /**
   * Mails that may end with a permanent failure, by the failure's type, because a fault has given a reason for it. Each
   * is named as by `groupOf`.
   */
  readonly reasons = new Map([
    ["OutcomeUnknown", new Set<string>()],
    ["MessageRejected", new Set<string>()],
  ]);
  private readonly store: MemoryClaims;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly random: () => number,
    /**
     * Names a mail by its notification and the idempotency key that its event has. The world has its own record of
     * these, so that it does not depend on the handler's.
     */
    private readonly groupOf: (notification: string, eventId: string) => string,
  ) {
    this.store = new MemoryClaims({ now: () => this.now });
  }

  /** Delivers all inputs at once, and runs them until each has ended. */
  async deliver(inputs: readonly Delivery[]): Promise<Settlement[]> {
    const settlements: Settlement[] = inputs.map(() => ({ kind: "died" }));
    inputs.forEach((input, index) => {
      this.start(input).then(
        (settlement) => (settlements[index] = settlement),
        (error: unknown) => (settlements[index] = settlementOf(error)),
      );
    });
    await settled();
    while (this.waiting.length > 0) {
      const [turn] = this.waiting.splice(Math.floor(this.random() * this.waiting.length), 1);
      turn?.();
      await settled();
    }
    // No run waits any more: each has returned, thrown or died.
    return settlements;
  }

  private async start({ event, viaQueue, redriven }: Delivery): Promise<Settlement> {
    const run = { endsAt: this.now + runMs, functionArn };
    const handle = this.environment(run.endsAt);
    const parkedBefore = this.parked.length;
    if (!viaQueue) {
      const answer = (await handle(event, run)) as NotificationResult | Parked;
      if ("messageIds" in answer) return { kind: "mailed", messageIds: answer.messageIds };
    } else {
      const body = redriven ?? (this.random() < 0.5 ? event : failureRecord(event));
      const { batchItemFailures } = (await handle(sqsBatch({ body }), run)) as SqsBatchResponse;
      if (batchItemFailures.length > 0) return { kind: "transient", type: "Throttled", message: "", failures: [] };
    }
    // Another run may have parked an event at the same time, so only the record of this event counts.
    const own = this.parked
      .slice(parkedBefore)
      .find(({ requestPayload }) => JSON.stringify(requestPayload) === JSON.stringify(event));
    if (own === undefined) return { kind: "mailed", messageIds: [] };
    const { errorType = "", errorMessage = "" } = own.responsePayload ?? {};
    return { kind: "permanent", type: errorType, message: errorMessage, failures: own.failures ?? [] };
  }

  /** A new execution environment, as after a deployment. */
  private environment(endsAt: number) {
    let held: string | undefined;
    let isDead = false;
    // With the process, all mails that it works on come to their end.
    const die = () => {
      isDead = true;
      if (held !== undefined) this.reasons.get("OutcomeUnknown")?.add(held);
      return death();
    };
    const step = async (longestMs: number) => {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
      if (isDead) await death();
      this.now += Math.floor(this.random() * longestMs);
      if (this.now > endsAt) await die();
    };
    const clock = {
      now: () => this.now,
      wait: async (milliseconds: number) => {
        await step(1);
        this.now += milliseconds;
        if (this.now > endsAt) await die();
      },
    };
    const sendEmail = createSesSender({
      client: {
        send: (command: { input: SendTemplatedEmailCommandInput }) => this.callSes(command.input, step, die),
      } as unknown as SESClient,
      configurationSet: "set",
      pacer: new Pacer(sendRates, clock, this.random),
      clock,
      random: this.random,
    });
    const notify = createSendNotification({
      sendEmail,
      claims: this.faultyClaims(step, die, (group) => (held = group)),
      clock,
      limit: limitConcurrency(sendsAtOnce(sendRates)),
      ...this.records,
      templateOf: (id) => ({ name: `shop-dev-${id}`, reads: readsOf(id) }),
      senders: { default: "sender@example.com" },
      recipientPolicy: worldPolicy,
      replyTo: [],
    });
    return createDispatch({
      sendNotification: notify,
      park: async (record) => {
        await step(500);
        if (this.random() < this.faultiness / 2) throw new Error("the queue is down");
        this.parked.push(record);
      },
      log: this.records.log,
    });
  }

  private pick<Fault>(faults: readonly Fault[]): Fault | undefined {
    return this.random() < this.faultiness ? faults[Math.floor(this.random() * faults.length)] : undefined;
  }

  private async callSes(
    input: SendTemplatedEmailCommandInput,
    step: (ms: number) => Promise<void>,
    die: () => Promise<never>,
  ) {
    await step(5_000);
    const tag = (name: string) => input.Tags?.find(({ Name }) => Name === name)?.Value ?? "";
    const group = this.groupOf(tag("notification"), tag("eventId"));
    const [recipient = ""] = input.Destination?.ToAddresses ?? [];
    const mail = mailOf(group, recipient);
    const fault = this.pick(sesFaults);
    if (fault === undefined || fault.endsWith("after")) {
      this.accepted.push({ mail, messageId: `message-${this.accepted.length + 1}`, data: input });
    }
    if (fault === "rejected") this.reasons.get("MessageRejected")?.add(group);
    switch (fault) {
      case undefined:
        return { MessageId: `message-${this.accepted.length}` };
      case "throttled":
        throw refusal("Throttling", 400, recipient);
      case "unavailable":
        throw refusal("Unknown", 503, recipient);
      case "rejected":
        throw refusal("MessageRejected", 400, recipient);
      case "paused":
        throw refusal("AccountSendingPausedException", 400, recipient);
      case "never heard of":
        throw refusal("SomethingNew", 400, recipient);
      case "refused connection":
        throw Object.assign(new Error(`connect ECONNREFUSED for ${recipient}`), { code: "ECONNREFUSED" });
    }
    this.reasons.get("OutcomeUnknown")?.add(group);
    switch (fault) {
      case "no answer":
      case "no answer after":
        throw Object.assign(new Error(`socket hang up, ${recipient}`), { name: "TimeoutError", code: "ECONNRESET" });
      case "broken answer after":
        throw Object.assign(new Error(`unexpected content: ${recipient}`), { $metadata: { httpStatusCode: 200 } });
      default:
        return die();
    }
  }

  private faultyClaims(
    step: (ms: number) => Promise<void>,
    die: () => Promise<never>,
    holds: (group: string) => void,
  ): ClaimStore {
    const groups = new Map<string, string>();
    const call = async <Answer>(id: string, work: () => Promise<Answer>): Promise<Answer> => {
      const group = groups.get(id) ?? "";
      holds(group);
      await step(2_000);
      const fault = this.pick(storeFaults);
      if (fault !== undefined) this.reasons.get("OutcomeUnknown")?.add(group);
      if (fault === "down") throw new Error("the table is down");
      if (fault === "death") return die();
      const answer = await work();
      if (fault === "lost answer") throw new Error("the answer got lost");
      if (fault === "death after") return die();
      return answer;
    };
    return {
      claim: (request) => {
        groups.set(request.id, this.groupOf(request.notification, request.eventId));
        return call(request.id, () => this.store.claim(request));
      },
      markSent: (claim, messageId) => call(claim.id, () => this.store.markSent(claim, messageId)),
      markFailed: (claim) => call(claim.id, () => this.store.markFailed(claim)),
      markUnknown: (claim) => call(claim.id, () => this.store.markUnknown(claim)),
    };
  }
}

export function mailOf(group: string, recipient: string): string {
  return `${group} to ${recipient}`;
}

/** Never resolves: the process has died, and nothing runs after it. */
function death(): Promise<never> {
  return new Promise(() => undefined);
}

/** Resolves when everything that can run without another turn has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** An error as SES words it, with the recipient's address in it. */
function refusal(name: string, httpStatusCode: number, recipient: string): Error {
  const message = `Refused to send to ${recipient}`;
  return new SESServiceException({ name, message, $fault: "client", $metadata: { httpStatusCode } });
}

function settlementOf(error: unknown): Settlement {
  const { name, message, stack } = error as Error;
  if (!(error instanceof PermanentError || error instanceof TransientError)) {
    return { kind: "transient", type: `not classified: ${name}`, message, failures: [] };
  }
  const { retryable, failures } = error;
  return { kind: retryable ? "transient" : "permanent", type: name, message: stack ?? message, failures };
}
