import { claimId, type ClaimStore } from "../../handler/claims";
import { type RecipientPolicy } from "../../handler/contract/recipient-policy";
import { PermanentError, TransientError } from "../../handler/errors";
import { catalogue } from "../../handler/notifications";
import { emailRequest } from "../../handler/notifications/email-request";
import { hashRecipient } from "../../handler/contract/recipient-hash";
import { createNotify, type NotifyDependencies, type TemplatedEmail } from "../../handler/notify";
import { businessEvent, dependencies, FakeClock, MemoryClaims, createRecords } from "../support/notify";

const runMs = 30_000;
const unknown = () => new PermanentError("OutcomeUnknown", "SES gave no answer (TimeoutError)");
const throttled = () => new TransientError("Throttled", "SES did not take the mail (Throttling).");
const refused = () => new PermanentError("MessageRejected", "SES did not take the mail (MessageRejected).");

interface SetUp extends Partial<NotifyDependencies> {
  clock?: FakeClock;
  /** How each send ends, by the recipient. */
  failures?: Record<string, (() => Error) | undefined>;
}

function setUp({ failures = {}, clock = new FakeClock(), ...overrides }: SetUp = {}) {
  const sent: TemplatedEmail[] = [];
  const deadlines: number[] = [];
  const claims = new MemoryClaims(clock);
  const records = createRecords();
  const notify = createNotify(
    dependencies({
      sendEmail: (email, deadline) => {
        const failure = failures[email.recipient];
        if (failure !== undefined) return Promise.reject(failure());
        sent.push(email);
        deadlines.push(deadline);
        return Promise.resolve({ messageId: `message-${sent.length}` });
      },
      claims,
      clock,
      ...records,
      ...overrides,
    }),
  );
  return {
    notify: (input: unknown) => notify(input, { endsAt: clock.now() + runMs }),
    recipients: () => sent.map(({ recipient }) => recipient),
    failures,
    sent,
    deadlines,
    clock,
    claims,
    ...records,
  };
}

const to = (...recipient: string[]) => businessEvent({ emailConfig: { recipient } });
const a = "a@example.com";
const b = "b@example.com";
const c = "c@example.com";

/** A store with some of its answers replaced. */
const storeWith = (store: ClaimStore, changes: Partial<ClaimStore>): ClaimStore => ({
  claim: (request) => store.claim(request),
  markSent: (claim, messageId) => store.markSent(claim, messageId),
  markFailed: (claim) => store.markFailed(claim),
  markUnknown: (claim) => store.markUnknown(claim),
  ...changes,
});

describe("the mail", () => {
  it("is the recipe's request, raw for the text and escaped for the HTML, with tags that lead back to the event", async () => {
    const { notify, sent, counted } = setUp();
    const result = await notify(
      businessEvent({
        emailConfig: { recipient: a, subject: "Hi\r\nBcc: x@example.com" },
        title: "A & B",
        message: "<b>",
      }),
    );
    expect(result).toEqual({
      notification: "email-request",
      eventId: "7bf73129-1428-4cd3-a780-95db273d1602",
      messageIds: ["message-1"],
    });
    expect(sent).toEqual([
      {
        recipient: a,
        template: "shop-dev-email-request",
        templateData: expect.objectContaining({
          subject: "Hi Bcc: x@example.com",
          title: "A & B",
          titleHtml: "A &amp; B",
          message: "<b>",
          messageHtml: "&lt;b&gt;",
          timestamp: "2026-11-24T09:00:00Z",
          source: "custom.application",
        }) as object,
        tags: { notification: "email-request", eventId: "7bf73129-1428-4cd3-a780-95db273d1602", attempt: 1 },
      },
    ]);
    expect(counted).toEqual(["sent email-request"]);
  });

  it("has the recipe's defaults for subject, title and message", async () => {
    const { notify, sent } = setUp();
    await notify(to(a));
    expect(sent[0]?.templateData).toMatchObject({
      subject: "Notification: Email Notification Request",
      title: "Email Notification Request",
      message: "No message provided",
    });
  });

  it("goes to a list one by one, in any legal form, to each address once", async () => {
    const { notify, recipients } = setUp();
    await notify(to("a+b@mail.example.com", "x@bücher.example", "a+b@mail.example.com", "o'hara@example.co.uk"));
    expect(recipients()).toEqual(["a+b@mail.example.com", "x@xn--bcher-kva.example", "o'hara@example.co.uk"]);
  });

  it("has to be sent while there is still time for SES's answer and its record", async () => {
    const { notify, deadlines, clock } = setUp();
    await notify(to(a));
    expect(deadlines).toEqual([clock.now() + runMs - 8000]);
  });
});

describe("an event that can't be mailed", () => {
  it.each([
    ["no recipient", { invalidField: "test" }],
    ["an address that is none", { emailConfig: { recipient: "nobody" } }],
    ["an empty list", { emailConfig: { recipient: [] } }],
    ["51 recipients", { emailConfig: { recipient: Array.from({ length: 51 }, (_, i) => `a${i}@example.com`) } }],
    ["two addresses in one string", { emailConfig: { recipient: `${a}, ${b}` } }],
    ["a message that SES can't take", { emailConfig: { recipient: a }, message: "x".repeat(140_000) }],
    ["an idempotency key that is no text", { emailConfig: { recipient: a }, idempotencyKey: 7 }],
    ["an empty idempotency key", { emailConfig: { recipient: a }, idempotencyKey: "" }],
  ])("is refused for %s, and logged once, without an address", async (_, detail) => {
    const { notify, sent, claims, lines, counted } = setUp();
    await expect(notify(businessEvent(detail))).rejects.toMatchObject({ name: "InvalidEvent", retryable: false });
    expect(sent).toEqual([]);
    expect(claims.rows.size).toBe(0);
    expect(counted).toEqual(["failed InvalidEvent"]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: "ERROR", attributes: { failure: "InvalidEvent", retryable: false } });
    expect(JSON.stringify(lines)).not.toContain("@");
  });

  it("is refused for a priority that its rule does not route", async () => {
    const low = businessEvent({ priority: "low", emailConfig: { recipient: a } }, { "detail-type": "Priority Alert" });
    await expect(setUp().notify(low)).rejects.toThrow(/detail\.priority/);
  });

  it.each([
    ["nothing", undefined],
    ["a text", "hello"],
    ["an event without a detail", businessEvent({}, { detail: undefined })],
  ])("is refused where it is %s", async (_, input) => {
    await expect(setUp().notify(input)).rejects.toMatchObject({ name: "InvalidEvent" });
  });

  it("is refused where no notification takes it, by a name that holds no address", async () => {
    await expect(setUp().notify(businessEvent({}, { "detail-type": "Unheard Of" }))).rejects.toMatchObject({
      name: "UnknownNotification",
      message: expect.stringContaining('"Unheard Of"') as string,
    });
    await expect(setUp().notify(businessEvent({}, { source: `crm for <${a}>` }))).rejects.toMatchObject({
      message: expect.stringContaining('"crm for (address)"') as string,
    });
  });

  it("mails nobody where one recipient is not allowed", async () => {
    const recipientPolicy: RecipientPolicy = { mode: "restricted", addresses: [a], domains: ["Example.org"] };
    const { notify, sent, lines } = setUp({ recipientPolicy });
    await notify(to("A@example.com", "b@example.org"));
    expect(sent).toHaveLength(2);
    await expect(notify(to(a, "c@sub.example.org"))).rejects.toMatchObject({
      name: "RecipientRefused",
      message: expect.stringContaining(hashRecipient("c@sub.example.org")) as string,
    });
    expect(sent).toHaveLength(2);
    expect(JSON.stringify(lines)).not.toContain("@");
  });
});

describe("a failed send", () => {
  it("is passed on, so that Lambda sees it, and releases its claim", async () => {
    const { notify, failures, counted, recipients, sent } = setUp({ failures: { [a]: throttled } });
    await expect(notify(to(a))).rejects.toMatchObject({ name: "Throttled", retryable: true });
    expect(counted).toEqual(["failed Throttled"]);
    failures[a] = undefined;
    await notify(to(a));
    expect(recipients()).toEqual([a]);
    expect(sent[0]?.tags.attempt).toBe(2);
  });

  it("keeps the message of a foreign error to itself: it may quote an address", async () => {
    const foreign = () => new RangeError(`no such user: ${a}`);
    const { notify, lines } = setUp({ failures: { [a]: foreign } });
    await expect(notify(to(a))).rejects.toMatchObject({ name: "Unclassified", retryable: true });
    expect(lines).toMatchObject([{ level: "ERROR", attributes: { failure: "Unclassified", cause: "RangeError" } }]);
    expect(JSON.stringify(lines)).not.toContain("@");
  });

  it("of one recipient does not mail the others again", async () => {
    const { notify, failures, recipients, counted } = setUp({ failures: { [b]: throttled } });
    await expect(notify(to(a, b, c))).rejects.toMatchObject({
      name: "Throttled",
      message: "1 of 3 mails failed. SES did not take the mail (Throttling).",
    });
    // A throttled account throttles the next one too.
    expect(recipients()).toEqual([a]);
    failures[b] = undefined;
    await expect(notify(to(a, b, c))).resolves.toMatchObject({ messageIds: ["message-1", "message-2", "message-3"] });
    expect(recipients()).toEqual([a, b, c]);
    expect(counted).toContain("duplicate email-request");
  });

  it("that is permanent does not keep the mail from the other recipients", async () => {
    const { notify, recipients } = setUp({ failures: { [a]: refused } });
    await expect(notify(to(a, b))).rejects.toMatchObject({ name: "MessageRejected", retryable: false });
    expect(recipients()).toEqual([b]);
  });

  it("is transient for the event while a retry can still reach somebody", async () => {
    const { notify, failures, recipients } = setUp({ failures: { [a]: refused, [c]: throttled } });
    await expect(notify(to(a, b, c))).rejects.toMatchObject({
      name: "Throttled",
      retryable: true,
      message: expect.stringContaining("2 of 3 mails failed") as string,
    });
    failures[c] = undefined;
    await expect(notify(to(a, b, c))).rejects.toMatchObject({ name: "MessageRejected", retryable: false });
    expect(recipients()).toEqual([b, c]);
  });

  it("names no recipient where it counts them", async () => {
    const { notify, lines } = setUp({ failures: { [a]: refused, [b]: throttled } });
    const error: unknown = await notify(to(a, b)).catch((reason: unknown) => reason);
    expect(`${String(error)} ${JSON.stringify(lines)}`).not.toContain("@");
  });
});

describe("a second delivery", () => {
  it("mails nobody, and answers with the message of the first", async () => {
    const { notify, recipients, counted } = setUp();
    await notify(to(a, b));
    await expect(notify(to(a, b))).resolves.toMatchObject({ messageIds: ["message-1", "message-2"] });
    expect(recipients()).toEqual([a, b]);
    expect(counted.filter((line) => line === "duplicate email-request")).toHaveLength(2);
  });

  it("is one with the same idempotency key, whatever its id", async () => {
    const { notify, recipients } = setUp();
    const detail = { emailConfig: { recipient: a }, idempotencyKey: "order-1" };
    await notify(businessEvent(detail));
    await notify(businessEvent(detail, { id: "another" }));
    await notify(businessEvent({ ...detail, idempotencyKey: "order-2" }));
    expect(recipients()).toEqual([a, a]);
  });

  it("is none for another notification with the same key", async () => {
    const { notify, sent } = setUp();
    const detail = { emailConfig: { recipient: a }, idempotencyKey: "order-1", priority: "high" };
    await notify(businessEvent(detail));
    await notify(businessEvent(detail, { "detail-type": "Priority Alert" }));
    expect(sent.map(({ template }) => template)).toEqual(["shop-dev-email-request", "shop-dev-priority-alert"]);
  });

  it("waits while the first is at it, and mails the recipients that are free", async () => {
    const { notify, claims, recipients, clock } = setUp();
    const request = { notification: "email-request", eventId: "e", takeOver: false };
    const id = claimId(emailRequest.trigger, businessEvent({}).id, a);
    await claims.claim({ ...request, id, heldUntil: clock.now() + runMs });
    await expect(notify(to(a, b))).rejects.toMatchObject({ name: "ClaimHeld", retryable: true });
    expect(recipients()).toEqual([b]);
  });

  it("is not mailed where the run of the first is over and left no outcome", async () => {
    const clock = new FakeClock();
    const records = createRecords();
    const dying = dependencies({ sendEmail: () => new Promise(() => undefined), clock, ...records });
    void createNotify(dying)(to(a), { endsAt: clock.now() + runMs });
    await new Promise(setImmediate);

    const next = createNotify({ ...dying, sendEmail: () => Promise.resolve({ messageId: "second" }) });
    clock.time += runMs + 1000;
    await expect(next(to(a), { endsAt: clock.now() + runMs })).rejects.toMatchObject({ name: "ClaimHeld" });
    clock.time += 1;
    await expect(next(to(a), { endsAt: clock.now() + runMs })).rejects.toMatchObject({
      name: "OutcomeUnknown",
      retryable: false,
    });
  });
});

describe("a send without an answer", () => {
  it("is never made again", async () => {
    const { notify, failures, sent } = setUp({ failures: { [a]: unknown } });
    await expect(notify(to(a))).rejects.toMatchObject({ name: "OutcomeUnknown", retryable: false });
    failures[a] = undefined;
    await expect(notify(to(a))).rejects.toMatchObject({ name: "OutcomeUnknown", retryable: false });
    expect(sent).toEqual([]);
  });

  it("does not keep the mail from the other recipients", async () => {
    const { notify, recipients } = setUp({ failures: { [a]: unknown } });
    await expect(notify(to(a, b))).rejects.toMatchObject({ name: "OutcomeUnknown" });
    expect(recipients()).toEqual([b]);
  });

  it("is made again where the notification says that two mails are better than none", async () => {
    const [emailRequest] = catalogue;
    const changed = emailRequest as unknown as { onUnknown?: "park" | "resend" };
    const { notify, failures, recipients } = setUp({ failures: { [a]: unknown } });
    changed.onUnknown = "resend";
    try {
      await expect(notify(to(a))).rejects.toMatchObject({ name: "ServiceUnavailable", retryable: true });
      failures[a] = undefined;
      await notify(to(a));
    } finally {
      delete changed.onUnknown;
    }
    expect(recipients()).toEqual([a]);
  });

  it("parks by default in the whole catalogue", () => {
    expect(catalogue.map(({ onUnknown }) => onUnknown ?? "park")).toEqual(catalogue.map(() => "park"));
  });
});

describe("without the claim store", () => {
  const down = () => Promise.reject(new Error(`the table is down for ${a}`));

  it("nothing is sent, and a retry may", async () => {
    const clock = new FakeClock();
    const { notify, sent, lines } = setUp({ claims: storeWith(new MemoryClaims(clock), { claim: down }) });
    await expect(notify(to(a))).rejects.toMatchObject({ name: "ClaimStoreUnavailable", retryable: true });
    expect(sent).toEqual([]);
    expect(JSON.stringify(lines)).not.toContain("@");
  });

  it("a mail that is out counts as sent; a second delivery is parked, not mailed", async () => {
    const clock = new FakeClock();
    const claims = storeWith(new MemoryClaims(clock), { markSent: down });
    const { notify, recipients, lines } = setUp({ claims, clock });
    await expect(notify(to(a))).resolves.toMatchObject({ messageIds: ["message-1"] });
    expect(lines.filter(({ level }) => level === "WARN")).toMatchObject([{ attributes: { messageId: "message-1" } }]);
    clock.time += runMs + 1001;
    await expect(notify(to(a))).rejects.toMatchObject({ name: "OutcomeUnknown" });
    expect(recipients()).toEqual([a]);
    expect(JSON.stringify(lines)).not.toContain("@");
  });

  it("a failure that can't be recorded stays the failure that it is, and is parked later", async () => {
    const clock = new FakeClock();
    const claims = storeWith(new MemoryClaims(clock), { markFailed: down, markUnknown: down });
    const { notify, failures, recipients } = setUp({ failures: { [a]: throttled }, claims, clock });
    await expect(notify(to(a))).rejects.toMatchObject({ name: "Throttled" });
    failures[a] = undefined;
    clock.time += runMs + 1001;
    await expect(notify(to(a))).rejects.toMatchObject({ name: "OutcomeUnknown" });
    expect(recipients()).toEqual([]);
  });
});

describe("when the run's time is over", () => {
  it("claims nothing, and leaves the rest to the next try", async () => {
    const clock = new FakeClock();
    const claims = new MemoryClaims(clock);
    const sent: string[] = [];
    const records = createRecords();
    const slow = createNotify(
      dependencies({
        ...records,
        sendEmail: ({ recipient }) => {
          clock.time += 12_000;
          sent.push(recipient);
          return Promise.resolve({ messageId: recipient });
        },
        claims,
        clock,
      }),
    );
    const run = () => slow(to(a, b, c), { endsAt: clock.now() + runMs });
    await expect(run()).rejects.toMatchObject({ name: "OutOfTime", retryable: true });
    expect(sent).toEqual([a, b]);
    expect(claims.rows.size).toBe(2);
    // Not an ERROR, which rings the alarm.
    expect(records.lines.at(-1)).toMatchObject({ level: "WARN", attributes: { failure: "OutOfTime" } });
    await expect(run()).resolves.toMatchObject({ messageIds: [a, b, c] });
    expect(sent).toEqual([a, b, c]);
  });
});

it("sends no mail twice where counting or logging it fails", async () => {
  const sent: string[] = [];
  const clock = new FakeClock();
  const records = createRecords();
  const broken = dependencies({
    sendEmail: ({ recipient }) => {
      sent.push(recipient);
      return Promise.resolve({ messageId: "m" });
    },
    clock,
    ...records,
    metrics: {
      ...records.metrics,
      emailSent: () => {
        throw new Error("no metrics");
      },
    },
  });
  const notify = createNotify(broken);
  await expect(notify(to(a), { endsAt: clock.now() + runMs })).rejects.toMatchObject({ name: "Unclassified" });
  await expect(notify(to(a), { endsAt: clock.now() + runMs })).resolves.toMatchObject({ messageIds: ["m"] });
  expect(sent).toEqual([a]);
});
