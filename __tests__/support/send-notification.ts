import {
  type Claim,
  type ClaimAnswer,
  type ClaimedMail,
  type ClaimRequest,
  type ClaimStore,
} from "../../handler/claims";
import { limitConcurrency } from "../../handler/concurrency";
import { type Log, type Metrics, type SendNotificationDependencies } from "../../handler/send-notification";
import { type Clock } from "../../handler/pacer";
import { exampleAccountId } from "../../stacks/stages";
import { readsOf } from "./template-reads";

/** The time of the tests' events: 2026-11-24T09:00:00Z, in milliseconds since 1970. */
export const startOfTime = Date.UTC(2026, 10, 24, 9);

/** A clock whose time moves only when something waits. */
export class FakeClock implements Clock {
  readonly waits: number[] = [];

  constructor(public time = startOfTime) {}

  now(): number {
    return this.time;
  }

  wait(milliseconds: number): Promise<void> {
    this.waits.push(milliseconds);
    this.time += milliseconds;
    return Promise.resolve();
  }
}

interface Row {
  state: "claimed" | "sent" | "failed" | "unknown";
  owner: string;
  heldUntil: number;
  /** DynamoDB's time to live, in seconds since 1970. */
  expiresAt: number;
  attempts: number;
  messageId: string;
  /** The variant of the mail's first try. */
  variant: string | undefined;
  /** Missing where an earlier version of the handler has made the claim. */
  claimedFor?: ClaimedMail;
}

/** Claims in memory that follow the diagram in handler/claims.ts. */
export class MemoryClaims implements ClaimStore {
  readonly rows = new Map<string, Row>();
  private owners = 0;

  constructor(
    private readonly clock: Pick<Clock, "now">,
    private readonly retentionSeconds = 90 * 24 * 3600,
  ) {}

  claim({ id, edition, eventId, contentHash, heldUntil, takeOver }: ClaimRequest): Promise<ClaimAnswer> {
    const now = this.clock.now();
    const stored = this.rows.get(id);
    const row = stored !== undefined && stored.expiresAt < Math.floor(now / 1000) ? undefined : stored;
    const isOver = row?.state === "unknown" || (row?.state === "claimed" && row.heldUntil < now);
    if (row === undefined || row.state === "failed" || (takeOver && isOver)) {
      this.owners += 1;
      const owner = `owner-${this.owners}`;
      const attempts = (stored?.attempts ?? 0) + 1;
      const variant = stored?.variant ?? edition.variant;
      this.rows.set(id, {
        state: "claimed",
        owner,
        heldUntil,
        expiresAt: Math.ceil(now / 1000) + this.retentionSeconds,
        attempts,
        messageId: "",
        variant,
        claimedFor: { eventId, contentHash },
      });
      return Promise.resolve({
        state: "claimed",
        claim: { id, owner },
        attempt: attempts,
        ...(variant === undefined || edition.variant === undefined ? {} : { variant }),
      });
    }
    const by = row.claimedFor === undefined ? {} : { claimedFor: row.claimedFor };
    if (row.state === "sent") return Promise.resolve({ state: "sent", messageId: row.messageId, ...by });
    return Promise.resolve({ state: isOver ? "unknown" : "held", ...by });
  }

  markSent(claim: Claim, messageId: string): Promise<void> {
    return this.mark(claim, "sent", messageId);
  }

  markFailed(claim: Claim): Promise<void> {
    return this.mark(claim, "failed");
  }

  markUnknown(claim: Claim): Promise<void> {
    return this.mark(claim, "unknown");
  }

  private mark(claim: Claim, state: Row["state"], messageId = ""): Promise<void> {
    const row = this.rows.get(claim.id);
    if (row?.owner !== claim.owner) return Promise.reject(new Error("This claim is another run's"));
    row.state = state;
    row.messageId = messageId;
    return Promise.resolve();
  }
}

interface Line {
  readonly level: "INFO" | "WARN" | "ERROR";
  readonly message: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface Records {
  readonly lines: Line[];
  readonly counted: string[];
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Keeps what the handler logs and counts. */
export function createRecords(): Records {
  const lines: Line[] = [];
  const counted: string[] = [];
  return {
    lines,
    counted,
    log: {
      info: (message, attributes) => lines.push({ level: "INFO", message, attributes }),
      warn: (message, attributes) => lines.push({ level: "WARN", message, attributes }),
      error: (message, attributes) => lines.push({ level: "ERROR", message, attributes }),
    },
    metrics: {
      emailSent: (notification) => counted.push(`sent ${notification}`),
      duplicatePrevented: (notification) => counted.push(`duplicate ${notification}`),
      keyReused: (notification) => counted.push(`key reused ${notification}`),
      eventFailed: (type) => counted.push(`failed ${type}`),
    },
  };
}

/** Everything that sendNotification needs except its sender. The claims are in memory, and everybody may be mailed. */
export function dependencies(
  overrides: Partial<SendNotificationDependencies> & Pick<SendNotificationDependencies, "sendEmail">,
): SendNotificationDependencies {
  const clock = overrides.clock ?? new FakeClock();
  return {
    claims: new MemoryClaims(clock),
    clock,
    limit: limitConcurrency(1),
    ...createRecords(),
    templateOf: (id) => ({ name: `shop-dev-${id}`, reads: readsOf(id) }),
    senders: { default: "sender@example.com" },
    recipientPolicy: { mode: "unrestricted", reason: "test" },
    replyTo: [],
    ...overrides,
  };
}

/** The function that runs. */
export const functionArn = `arn:aws:lambda:eu-west-1:${exampleAccountId}:function:shop-dev-email-processor`;

/** An event as EventBridge hands it to a target. */
export function businessEvent(detail: unknown, overrides: object = {}) {
  return {
    version: "0",
    id: "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "Email Notification Request",
    source: "custom.application",
    account: exampleAccountId,
    time: "2026-11-24T09:00:00Z",
    region: "eu-west-1",
    resources: [],
    detail,
    ...overrides,
  };
}

/** A batch as the event source mapping of the retry queue hands it to the function. */
export function sqsBatch(...messages: { body: unknown; receives?: number; id?: string }[]) {
  return {
    Records: messages.map(({ body, receives = 1, id }, index) => ({
      messageId: id ?? `m-${index + 1}`,
      receiptHandle: "handle",
      body: typeof body === "string" ? body : JSON.stringify(body),
      attributes: { ApproximateReceiveCount: String(receives), SentTimestamp: "0" },
      messageAttributes: {},
      md5OfBody: "",
      eventSource: "aws:sqs",
      eventSourceARN: `arn:aws:sqs:eu-west-1:${exampleAccountId}:shop-dev-retries`,
      awsRegion: "eu-west-1",
    })),
  };
}

/** Lambda's record of a failed asynchronous invocation. */
export function failureRecord(requestPayload: unknown, overrides: object = {}) {
  return {
    version: "1.0",
    timestamp: "2026-11-24T09:04:00.000Z",
    requestContext: {
      requestId: "c1d5bcd2-8ad5-4a5b-9ad3-5c6ff8a7ac0c",
      functionArn: `${functionArn}:$LATEST`,
      condition: "RetriesExhausted",
      approximateInvokeCount: 3,
    },
    requestPayload,
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    responsePayload: { errorType: "Throttled", errorMessage: "SES did not take the mail (Throttling).", trace: [] },
    ...overrides,
  };
}
