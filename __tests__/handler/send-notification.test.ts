import { limitConcurrency } from "../../handler/concurrency";
import * as z from "zod";
import { claimId, type ClaimStore } from "../../handler/claims";
import { type RecipientPolicy } from "../../handler/contract/recipient-policy";
import { PermanentError, TransientError } from "../../handler/errors";
import { seedCatalogue } from "../../handler/notifications/seed";
import { emailRequest } from "../../handler/notifications/email-request";
import { permanentFailureTypes, transientFailureTypes } from "../../handler/contract/failures";
import { hashRecipient } from "../../handler/contract/recipient-hash";
import { createError, longestMessage, type NotificationError } from "../../handler/errors";
import { defineNotification, type Notification, type PreparedEmail } from "../../handler/notifications/define";
import { type Edition } from "../../handler/notifications/editions";
import {
  mapMessage,
  messageContentSchema,
  messageDetailSchema,
  messageRecipients,
} from "../../handler/notifications/message";
import {
  createSendNotification,
  type SendNotificationDependencies,
  type TemplatedEmail,
} from "../../handler/send-notification";
import { readsOfTexts } from "../support/template-reads";
import { businessEvent, dependencies, FakeClock, MemoryClaims, createRecords } from "../support/send-notification";

const runMs = 30_000;
const unknown = () => new PermanentError("OutcomeUnknown", "SES gave no answer (TimeoutError)");
const throttled = () => new TransientError("Throttled", "SES did not take the mail (Throttling).");
const refused = () => new PermanentError("MessageRejected", "SES did not take the mail (MessageRejected).");
const unverified = () => new PermanentError("SenderNotVerified", "SES did not take the mail (MessageRejected).");

interface SetUp extends Partial<SendNotificationDependencies> {
  clock?: FakeClock;
  /** The error of each send, by its recipient. A recipient without one gets the mail. */
  failures?: Record<string, (() => Error) | undefined>;
}

function setUp({ failures = {}, clock = new FakeClock(), ...overrides }: SetUp = {}) {
  const sent: TemplatedEmail[] = [];
  const deadlines: number[] = [];
  const claims = new MemoryClaims(clock);
  const records = createRecords();
  const notify = createSendNotification(
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

const [hashA, hashB, hashC] = [a, b, c].map(hashRecipient);

/** Changes a notification of the catalogue while `work` runs. */
async function changing(changes: Partial<Notification>, work: () => Promise<unknown>): Promise<void> {
  const none = Object.fromEntries(Object.keys(changes).map((name) => [name, undefined]));
  const original = { ...none, ...emailRequest };
  Object.assign(emailRequest, changes);
  try {
    await work();
  } finally {
    Object.assign(emailRequest, original);
  }
}

/** Changes the mail that a notification prepares while `work` runs. */
const preparing = (changes: Partial<PreparedEmail>, work: () => Promise<void>) => {
  const { prepare } = emailRequest;
  return changing({ prepare: (event) => ({ ...prepare(event), ...changes }) }, work);
};

const failureOf = async (outcome: Promise<unknown>): Promise<NotificationError> => {
  const error = await outcome.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof PermanentError || error instanceof TransientError) return error;
  throw new Error(`This is no failure to notify: ${String(error)}`);
};

/** A store in which some methods are replaced. */
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
        sender: "sender@example.com",
        recipient: a,
        template: "shop-dev-email-request",
        templateData: {
          subject: { subject: "Hi Bcc: x@example.com" },
          text: { title: "A & B", message: "<b>", timestamp: "2026-11-24T09:00:00Z", source: "custom.application" },
          html: {
            title: "A &amp; B",
            message__lines: "&lt;b&gt;",
            timestamp: "2026-11-24T09:00:00Z",
            source: "custom.application",
          },
        },
        replyTo: [],
        tags: {
          notification: "email-request",
          eventId: "7bf73129-1428-4cd3-a780-95db273d1602",
          recipient: hashA,
          attempt: 1,
          template: "shop-dev-email-request",
          locale: "en",
        },
      },
    ]);
    expect(counted).toEqual(["sent email-request"]);
  });

  it("has the recipe's defaults for subject, title and message", async () => {
    const { notify, sent } = setUp();
    await notify(to(a));
    expect(sent[0]?.templateData).toMatchObject({
      subject: { subject: "Notification: Email Notification Request" },
      text: { title: "Email Notification Request", message: "No message provided" },
    });
  });

  it("goes to a list one by one, in any legal form, to each address once", async () => {
    const { notify, recipients } = setUp();
    await notify(to("a+b@mail.example.com", "x@bücher.example", "a+b@mail.example.com", "o'hara@example.co.uk"));
    expect(recipients()).toEqual(["a+b@mail.example.com", "x@xn--bcher-kva.example", "o'hara@example.co.uk"]);
  });

  it("is answered to whom its event says, or else its stage", async () => {
    const { notify, sent } = setUp({ replyTo: ["help@example.com"] });
    await notify(to(a));
    await preparing({ replyTo: ["jane@example.org", "joe@example.org"] }, async () => {
      await notify(to(b));
    });
    expect(sent.map(({ replyTo }) => replyTo)).toEqual([["help@example.com"], ["jane@example.org", "joe@example.org"]]);
  });

  it("has to be sent while there is still time for SES's answer and its record", async () => {
    const { notify, deadlines, clock } = setUp();
    await notify(to(a));
    expect(deadlines).toEqual([clock.now() + runMs - 8000]);
  });
});

describe("an event that can't be mailed", () => {
  it("is not half understood where JSON has a field that JavaScript reads as its own", async () => {
    const { notify, sent } = setUp();
    const event = JSON.parse(
      JSON.stringify(to(a)).replace('"emailConfig"', '"__proto__":{"message":"x"},"emailConfig"'),
    ) as object;
    await expect(notify(event)).rejects.toMatchObject({
      name: "InvalidEvent",
      message: expect.stringMatching(/detail\.__proto__: is not known$/) as string,
    });
    expect(sent).toEqual([]);
  });

  it.each([
    ["no recipient", { invalidField: "test" }],
    ["an address that is none", { emailConfig: { recipient: "nobody" } }],
    ["an empty list", { emailConfig: { recipient: [] } }],
    ["51 recipients", { emailConfig: { recipient: Array.from({ length: 51 }, (_, i) => `a${i}@example.com`) } }],
    ["two addresses in one string", { emailConfig: { recipient: `${a}, ${b}` } }],
    ["a message that SES can't take", { emailConfig: { recipient: a }, message: "x".repeat(140_000) }],
    ["an idempotency key that is no text", { emailConfig: { recipient: a }, idempotencyKey: ["order-7"] }],
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
    const alert = businessEvent(
      { priority: "HIGH", emailConfig: { recipient: a } },
      { "detail-type": "Priority Alert" },
    );
    await expect(setUp().notify(alert)).rejects.toMatchObject({
      name: "NoRuleMatches",
      retryable: false,
      message: expect.stringMatching(/detail\.priority has to be "high" or "critical"/) as string,
    });
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

  it("is refused where it names nobody: a success would be the end of it", async () => {
    const { notify, counted } = setUp();
    await preparing({ recipients: [] }, async () => {
      await expect(notify(to(a))).rejects.toMatchObject({ name: "InvalidEvent", retryable: false });
    });
    expect(counted).toEqual(["failed InvalidEvent"]);
  });

  it("is refused where it is nested too deeply for JSON, with a reason", async () => {
    const deep: unknown = JSON.parse(`${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`);
    await expect(setUp().notify(businessEvent({ emailConfig: { recipient: a }, deep }))).rejects.toMatchObject({
      name: "InvalidEvent",
      retryable: false,
    });
  });
});

describe("a recipient that can't be mailed", () => {
  it("keeps the mail from nobody else where the stage's allow-list does not have it", async () => {
    const recipientPolicy: RecipientPolicy = { mode: "restricted", addresses: [a], domains: ["Example.org"] };
    const { notify, recipients, claims, lines } = setUp({ recipientPolicy });
    await notify(to("A@example.com", "b@example.org"));
    const forbidden = "c@sub.example.org";
    const error = await failureOf(notify(to(forbidden, "d@example.org")));
    expect(error).toMatchObject({ name: "RecipientRefused", retryable: false });
    expect(error.message).toContain(`1 of 2 mails failed: ${hashRecipient(forbidden)} RecipientRefused. The recipient`);
    expect(error.failures).toMatchObject([{ recipient: hashRecipient(forbidden), type: "RecipientRefused" }]);
    expect(recipients()).toEqual(["a@example.com", "b@example.org", "d@example.org"]);
    expect(claims.rows.size).toBe(3);
    expect(JSON.stringify(lines)).not.toContain("@");
  });

  it("keeps the mail from nobody else where its entry is no address, and is told by its position", async () => {
    const { notify, recipients, lines } = setUp();
    await preparing({ refusedRecipients: [{ position: 2, problem: "has a display name" }] }, async () => {
      const error = await failureOf(notify(to(a, b)));
      expect(error).toMatchObject({ name: "InvalidRecipient", retryable: false });
      expect(error.message).toMatch(
        /^1 of 3 mails failed: entry 2 InvalidRecipient\. Entry 2 of the recipients has a /,
      );
      expect(error.failures).toEqual([
        { position: 2, type: "InvalidRecipient", message: expect.stringContaining("display name") as string },
      ]);
    });
    expect(recipients()).toEqual([a, b]);
    expect(lines.at(-1)).toMatchObject({ level: "ERROR", attributes: { position: 2, failure: "InvalidRecipient" } });
  });

  it("is the event's failure where it is the only one", async () => {
    const { notify, sent, counted } = setUp();
    const refusedRecipients = [
      { position: 1, problem: "is empty" },
      { position: 2, problem: "is null" },
    ];
    await preparing({ recipients: [], refusedRecipients }, async () => {
      const error = await failureOf(notify(to(a)));
      expect(error).toMatchObject({ name: "InvalidRecipient", retryable: false });
      expect(error.message).toContain("2 of 2 mails failed: entry 1 InvalidRecipient, entry 2 InvalidRecipient. ");
    });
    expect(sent).toEqual([]);
    expect(counted).toEqual(["failed InvalidRecipient"]);
  });

  it("is mailed by a later try of the same event, once it may be; the others are not mailed again", async () => {
    const clock = new FakeClock();
    const claims = new MemoryClaims(clock);
    const strict = setUp({ clock, claims, recipientPolicy: { mode: "restricted", addresses: [a], domains: [] } });
    await expect(strict.notify(to(a, b))).rejects.toMatchObject({ name: "RecipientRefused" });
    const open = setUp({ clock, claims });
    await open.notify(to(a, b));
    expect([strict.recipients(), open.recipients()]).toEqual([[a], [b]]);
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
      message: `1 of 3 mails failed: ${hashB} Throttled. SES did not take the mail (Throttling).`,
    });
    expect(recipients()).toEqual([a, c]);
    failures[b] = undefined;
    await expect(notify(to(a, b, c))).resolves.toMatchObject({ messageIds: ["message-1", "message-3", "message-2"] });
    expect(recipients()).toEqual([a, c, b]);
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

  it("is told mail by mail: recipient, type and reason", async () => {
    const { notify } = setUp({ failures: { [a]: unknown, [c]: refused } });
    const error = await failureOf(notify(to(a, b, c)));
    expect(error.message).toMatch(
      `2 of 3 mails failed: ${hashA} OutcomeUnknown, ${hashC} MessageRejected. SES gave no`,
    );
    expect(error.failures).toEqual([
      { recipient: hashA, type: "OutcomeUnknown", message: unknown().message },
      { recipient: hashC, type: "MessageRejected", message: refused().message },
    ]);
  });

  it("is told of an event of one mail, too, in the mail's own words", async () => {
    const error = await failureOf(setUp({ failures: { [a]: refused } }).notify(to(a)));
    expect(error.message).toBe(refused().message);
    expect(error.failures).toEqual([{ recipient: hashA, type: "MessageRejected", message: refused().message }]);
  });

  it.each([
    ["an unknown outcome before what is refused", { [a]: refused, [b]: unverified, [c]: unknown }, "OutcomeUnknown"],
    ["an account's fault before a mail's", { [a]: refused, [b]: unverified }, "SenderNotVerified"],
    ["what a retry can mend before all others", { [a]: unknown, [b]: throttled, [c]: refused }, "Throttled"],
  ])("gives the event its type by rank: %s", async (_, failures, type) => {
    const error = await failureOf(setUp({ failures }).notify(to(a, b, c)));
    expect(error).toMatchObject({ name: type, retryable: type === "Throttled" });
    expect(error.failures).toHaveLength(Object.keys(failures).length);
  });

  it("has a rank for every type, and the unknown outcome is the first permanent one", async () => {
    const types = [...transientFailureTypes, ...permanentFailureTypes];
    expect(permanentFailureTypes[0]).toBe("OutcomeUnknown");
    for (const [index, type] of types.entries()) {
      const lower = types[index + 1];
      if (lower === undefined) continue;
      const failures = { [a]: () => createError(lower, "x"), [b]: () => createError(type, "x") };
      // Both are tried at once: after a mail whose turn comes too late, none is.
      await expect(setUp({ failures, limit: limitConcurrency(2) }).notify(to(a, b))).rejects.toMatchObject({
        name: type,
      });
    }
  });

  it("keeps the message within bounds: of 50 recipients it lists each, of more it says how many", async () => {
    const many = Array.from({ length: 50 }, (_, index) => `r${index}@example.com`);
    const wordy = () => createError("ConfigurationSetMissing", "x".repeat(2 * longestMessage));
    const failures = Object.fromEntries([...many, ...many.map((one) => `x${one}`)].map((one) => [one, wordy]));
    const { notify } = setUp({ failures });
    const error = await failureOf(notify(to(...many)));
    for (const one of many) expect(error.message).toContain(`${hashRecipient(one)} ConfigurationSetMissing`);
    expect(error.message.length).toBeLessThanOrEqual(longestMessage);
    await preparing({ recipients: Object.keys(failures) }, async () => {
      const { message, failures: all } = await failureOf(notify(to(a)));
      expect(message).toContain("100 of 100 mails failed: ");
      expect(message).toContain(", and 50 more. ");
      expect(message.length).toBeLessThanOrEqual(longestMessage);
      expect(all).toHaveLength(100);
    });
  });

  it("has a line of its own in the log, and the event one ERROR, which is what the stack counts", async () => {
    const { notify, lines } = setUp({ failures: { [a]: refused, [b]: throttled } });
    await expect(notify(to(a, b, c))).rejects.toThrow();
    expect(lines.filter(({ level }) => level !== "INFO")).toEqual([
      {
        level: "WARN",
        message: refused().message,
        attributes: {
          eventId: businessEvent({}).id,
          notification: "email-request",
          recipient: hashA,
          failure: "MessageRejected",
          retryable: false,
        },
      },
      expect.objectContaining({ level: "WARN", message: throttled().message }),
      expect.objectContaining({ level: "ERROR" }),
    ]);
    expect(JSON.stringify(lines)).not.toContain("@");
  });

  it("of an event of one mail has the event's line alone, which names the recipient's hash", async () => {
    const { notify, lines } = setUp({ failures: { [a]: refused } });
    await expect(notify(to(a))).rejects.toThrow();
    expect(lines).toMatchObject([
      { level: "ERROR", attributes: { eventId: businessEvent({}).id, recipient: hashA, failure: "MessageRejected" } },
    ]);
  });

  it("rings the alarm where one mail waits for its turn and another was refused", async () => {
    const waits = () => new TransientError("OutOfTime", "too late");
    const { notify, lines } = setUp({ failures: { [a]: refused, [b]: waits } });
    await expect(notify(to(a, b))).rejects.toMatchObject({ name: "OutOfTime", retryable: true });
    expect(lines.map(({ level }) => level)).toEqual(["WARN", "INFO", "ERROR"]);
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
    const detail = { emailConfig: { recipient: a }, idempotencyKey: "order-1" };
    await notify(businessEvent(detail));
    await notify(businessEvent({ ...detail, priority: "high" }, { "detail-type": "Priority Alert" }));
    expect(sent.map(({ template }) => template)).toEqual(["shop-dev-email-request", "shop-dev-priority-alert"]);
  });

  it("waits while the first is at it, and mails the recipients that are free", async () => {
    const { notify, claims, recipients, clock } = setUp();
    const request = {
      notification: "email-request",
      edition: { locale: "en" },
      eventId: "e",
      contentHash: "h",
      takeOver: false,
    };
    const id = claimId(emailRequest.trigger, businessEvent({}).id, a);
    await claims.claim({ ...request, id, heldUntil: clock.now() + runMs });
    await expect(notify(to(a, b))).rejects.toMatchObject({ name: "ClaimHeld", retryable: true });
    expect(recipients()).toEqual([b]);
  });

  it("is not mailed where the run of the first is over and left no outcome", async () => {
    const clock = new FakeClock();
    const records = createRecords();
    const dying = dependencies({ sendEmail: () => new Promise(() => undefined), clock, ...records });
    void createSendNotification(dying)(to(a), { endsAt: clock.now() + runMs });
    await new Promise(setImmediate);

    const next = createSendNotification({
      ...dying,
      limit: limitConcurrency(1),
      sendEmail: () => Promise.resolve({ messageId: "second" }),
    });
    clock.time += runMs + 1000;
    await expect(next(to(a), { endsAt: clock.now() + runMs })).rejects.toMatchObject({ name: "ClaimHeld" });
    clock.time += 1;
    await expect(next(to(a), { endsAt: clock.now() + runMs })).rejects.toMatchObject({
      name: "OutcomeUnknown",
      retryable: false,
    });
  });
});

describe("an idempotency key that a producer gives twice", () => {
  const saying = (message: string, id: string) =>
    businessEvent({ emailConfig: { recipient: [a, b] }, message, idempotencyKey: "order-1" }, { id });
  const reused = "key reused email-request";

  it("for other content mails nobody, and is told: a warning and a metric for each mail, no content", async () => {
    const { notify, recipients, counted, lines } = setUp();
    await notify(saying("wrong text", "e-1"));
    await expect(notify(saying("right text", "e-2"))).resolves.toMatchObject({
      messageIds: ["message-1", "message-2"],
    });
    expect(recipients()).toEqual([a, b]);
    expect(counted).toEqual(["sent email-request", "sent email-request", reused, reused]);
    const warnings = lines.filter(({ level }) => level === "WARN");
    expect(warnings).toMatchObject([
      { attributes: { eventId: "e-2", notification: "email-request", recipient: hashA, claim: "sent" } },
      { attributes: { eventId: "e-2", recipient: hashB, claim: "sent" } },
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/text|@|order-1/);
  });

  it("is told where the first mail's outcome is unknown, or a run is at it, too", async () => {
    const { notify, counted, failures, clock, claims } = setUp({ failures: { [a]: unknown } });
    await expect(notify(saying("wrong text", "e-1"))).rejects.toMatchObject({ name: "OutcomeUnknown" });
    failures[a] = undefined;
    await expect(notify(saying("right text", "e-2"))).rejects.toMatchObject({ name: "OutcomeUnknown" });
    expect(counted.filter((line) => line === reused)).toHaveLength(2);
    await claims.claim({
      id: claimId(emailRequest.trigger, "order-2", c),
      notification: "email-request",
      edition: { locale: "en" },
      eventId: "e-3",
      contentHash: "other",
      heldUntil: clock.now() + runMs,
      takeOver: false,
    });
    const held = businessEvent({ emailConfig: { recipient: c }, idempotencyKey: "order-2" }, { id: "e-4" });
    await expect(notify(held)).rejects.toMatchObject({ name: "ClaimHeld" });
    expect(counted.filter((line) => line === reused)).toHaveLength(3);
  });

  it("is none for the same content, for the same event after a deployment, and for a claim of an earlier version", async () => {
    const { notify, counted, claims } = setUp();
    await notify(saying("text", "e-1"));
    await notify(saying("text", "e-2"));
    await preparing({ contentHash: "of the mail that the next version makes" }, async () => {
      await notify(saying("text", "e-1"));
    });
    for (const row of claims.rows.values()) delete row.claimedFor;
    await notify(saying("other text", "e-3"));
    expect(counted).not.toContain(reused);
    expect(counted.filter((line) => line === "duplicate email-request")).toHaveLength(6);
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
    const { notify, failures, recipients } = setUp({ failures: { [a]: unknown } });
    await changing({ onUnknown: "resend" }, async () => {
      await expect(notify(to(a))).rejects.toMatchObject({ name: "ServiceUnavailable", retryable: true });
      failures[a] = undefined;
      await notify(to(a));
    });
    expect(recipients()).toEqual([a]);
  });

  it("parks by default in all that the project comes with", () => {
    expect(seedCatalogue.map(({ onUnknown }) => onUnknown ?? "park")).toEqual(seedCatalogue.map(() => "park"));
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

describe("the mails of an event", () => {
  it("are worked on a few at once, and answered in the order of the recipients", async () => {
    const started: string[] = [];
    const finish = new Map<string, () => void>();
    const { notify } = setUp({
      limit: limitConcurrency(2),
      sendEmail: ({ recipient }) => {
        started.push(recipient);
        return new Promise((resolve) => {
          finish.set(recipient, () => {
            resolve({ messageId: `of ${recipient}` });
          });
        });
      },
    });
    const result = notify(to(a, b, c));
    await new Promise(setImmediate);
    expect(started).toEqual([a, b]);
    finish.get(b)?.();
    await new Promise(setImmediate);
    expect(started).toEqual([a, b, c]);
    finish.get(c)?.();
    finish.get(a)?.();
    await expect(result).resolves.toMatchObject({ messageIds: [`of ${a}`, `of ${b}`, `of ${c}`] });
  });

  it("are not claimed any more once the turn of one comes too late", async () => {
    const claims = new MemoryClaims(new FakeClock());
    const tooLate = () => new TransientError("OutOfTime", "too late");
    const { notify, recipients } = setUp({ claims, failures: { [b]: tooLate } });
    const { failures } = await failureOf(notify(to(a, b, c)));
    expect(failures.map(({ recipient, type }) => [recipient, type])).toEqual([
      [hashRecipient(b), "OutOfTime"],
      [hashRecipient(c), "OutOfTime"],
    ]);
    expect(recipients()).toEqual([a]);
    expect(claims.rows.size).toBe(2);
  });
});

describe("when the run's time is over", () => {
  it("claims nothing, and leaves the rest to the next try", async () => {
    const clock = new FakeClock();
    const claims = new MemoryClaims(clock);
    const sent: string[] = [];
    const records = createRecords();
    const slow = createSendNotification(
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
    // The line is no ERROR, because that would ring the alarm.
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
  const notify = createSendNotification(broken);
  await expect(notify(to(a), { endsAt: clock.now() + runMs })).rejects.toMatchObject({ name: "Unclassified" });
  await expect(notify(to(a), { endsAt: clock.now() + runMs })).resolves.toMatchObject({ messageIds: ["m"] });
  expect(sent).toEqual([a]);
});

describe("what is told", () => {
  const about = { eventId: "7bf73129-1428-4cd3-a780-95db273d1602", notification: "email-request", recipient: hashA };

  it("of a mail that is out is its message id, now and when it comes again", async () => {
    const { notify, lines } = setUp();
    await notify(to(a));
    await notify(to(a));
    expect(lines).toEqual([
      { level: "INFO", message: "Email sent", attributes: { ...about, messageId: "message-1", attempt: 1 } },
      { level: "INFO", message: "Email was sent before", attributes: { ...about, messageId: "message-1" } },
    ]);
  });

  it("of an event whose key another one has is what its producer has to do", async () => {
    const { notify, lines } = setUp();
    const keyed = (id: string, title: string) =>
      businessEvent({ emailConfig: { recipient: a }, idempotencyKey: "order-7", title }, { id });
    await notify(keyed("first", "one"));
    await notify(keyed("second", "another"));
    expect(lines.at(-1)).toEqual({
      level: "WARN",
      message:
        "Not sent: an event with other content has used the same idempotencyKey. A different mail needs a key of its own.",
      attributes: { ...about, eventId: "second", claim: "sent" },
    });
  });

  it("of a mail that another run sends, or may have sent, is why this one does not", async () => {
    const answering = (state: "held" | "unknown") => {
      const claims = storeWith(new MemoryClaims(new FakeClock()), { claim: () => Promise.resolve({ state }) });
      return failureOf(setUp({ claims }).notify(to(a)));
    };
    expect((await answering("held")).message).toBe("Another run is sending this mail at this moment.");
    expect((await answering("unknown")).message).toBe(
      "An earlier try ended without SES's answer, so the mail may be out. Look for it among SES's events before you send it again.",
    );
  });

  it("of a store that fails is what follows for the mail, and the error's name only", async () => {
    const broken = () => Promise.reject(new RangeError("a@example.com"));
    const memory = new MemoryClaims(new FakeClock());
    const down = await failureOf(setUp({ claims: storeWith(memory, { claim: broken }) }).notify(to(a)));
    expect(down.message).toBe("The mail could not be claimed, so it was not sent.");
    expect(down.cause).toBeInstanceOf(RangeError);

    const sending = setUp({ claims: storeWith(memory, { markSent: broken }) });
    await sending.notify(to(a));
    expect(sending.lines[0]).toEqual({
      level: "WARN",
      message: "The send could not be recorded: a second delivery of this event will be parked, not mailed",
      attributes: { ...about, messageId: "message-1", cause: "RangeError" },
    });

    const failing = setUp({ failures: { [b]: throttled }, claims: storeWith(memory, { markFailed: broken }) });
    await failureOf(failing.notify(to(b)));
    expect(failing.lines[0]).toEqual({
      level: "WARN",
      message: "The failure could not be recorded",
      attributes: { ...about, recipient: hashB, cause: "RangeError" },
    });
  });

  it("of a mail that may be sent again is that SES gave no answer, with the cause", () =>
    changing({ onUnknown: "resend" }, async () => {
      const error = await failureOf(setUp({ failures: { [a]: unknown } }).notify(to(a)));
      expect(error).toMatchObject({ message: "SES gave no answer; this notification may be sent again." });
      expect(error.cause).toMatchObject({ name: "OutcomeUnknown" });
    }));

  it("of a failure that nobody knows is its name, and of one without a cause none", async () => {
    const odd = await failureOf(setUp({ failures: { [a]: () => new RangeError("x") } }).notify(to(a)));
    expect(odd.message).toBe("The notification failed for a reason that is not classified.");
    const known = await failureOf(setUp({ failures: { [a]: throttled } }).notify(to(a)));
    expect(Object.keys(Object.getOwnPropertyDescriptors(known))).not.toContain("cause");
  });

  it("of an input that is no event is each thing that is missing", async () => {
    const of = async (input: unknown) => (await failureOf(setUp().notify(input))).message;
    expect(await of("hello")).toMatch(/^The input is not an EventBridge event\. event: Invalid input: expected object/);
    expect(await of({ ...to(a), id: 7, detail: [] })).toMatch(
      /^The input is not an EventBridge event\. id: [^;]+; detail: has to be an object$/,
    );
  });

  it("of an event that names nobody is the notification", () =>
    preparing({ recipients: [], refusedRecipients: [] }, async () => {
      const error = await failureOf(setUp().notify(to(a)));
      expect(error.message).toBe('The event names no recipient of "email-request".');
    }));

  it("of several failed mails is no single recipient in the event's line", async () => {
    const one = setUp({ failures: { [a]: refused } });
    await failureOf(one.notify(to(a, b)));
    expect(one.lines.at(-1)).toMatchObject({ level: "ERROR", attributes: { recipient: hashA } });
    const two = setUp({ failures: { [a]: refused, [b]: refused } });
    await failureOf(two.notify(to(a, b)));
    expect(two.lines.at(-1)).toMatchObject({ level: "ERROR", attributes: { recipient: undefined } });
  });

  it("of 50 failed mails is each of them, and no word of others", async () => {
    const everybody = Array.from({ length: 50 }, (_, index) => `r${index}@example.com`);
    const failures = Object.fromEntries(everybody.map((recipient) => [recipient, refused]));
    const error = await failureOf(setUp({ failures }).notify(to(...everybody)));
    expect(error.message).toMatch(/^50 of 50 mails failed: /);
    expect(error.message).not.toContain("more");
  });
});

it("still sends at the last moment at which a send can end in time, and not behind it", async () => {
  const start = async (late: number) => {
    const clock = new FakeClock();
    const ends = clock.now() + runMs;
    const outcome = setUp({ clock });
    await outcome.notify(to(c));
    const [deadline = 0] = outcome.deadlines;
    clock.time = deadline + late;
    const again = setUp({ clock });
    const notify = createSendNotification(
      dependencies({
        clock,
        sendEmail: (email) => {
          again.sent.push(email);
          return Promise.resolve({ messageId: "m" });
        },
      }),
    );
    return { done: notify(to(a), { endsAt: ends }), sent: again.sent };
  };
  const last = await start(0);
  await last.done;
  expect(last.sent).toHaveLength(1);
  const late = await start(1);
  expect(await failureOf(late.done)).toMatchObject({
    name: "OutOfTime",
    message: "The run's time was over before all mails were sent; the next try goes on.",
  });
  expect(late.sent).toEqual([]);
});

describe("the sender", () => {
  const senders = { default: "shop@example.com", alerts: "alerts@example.com" };
  const event = businessEvent({ emailConfig: { recipient: "a@example.com" } });
  let replaced: { restore(): void } | undefined;
  const nameSender = (sender: string | undefined) => {
    const known = emailRequest as { sender?: string | undefined };
    known.sender ??= undefined;
    replaced = jest.replaceProperty(known, "sender", sender);
  };
  afterEach(() => replaced?.restore());

  it.each([
    [undefined, "shop@example.com"],
    ["default", "shop@example.com"],
    ["alerts", "alerts@example.com"],
  ])("that is named %s is %s", async (sender, address) => {
    nameSender(sender);
    const { notify, sent } = setUp({ senders });
    await notify(event);
    expect(sent).toMatchObject([{ sender: address }]);
  });

  it.each(["alert", "constructor"])(
    "%s, which the function does not know, leaves the mail to a later try",
    async (sender) => {
      nameSender(sender);
      const { notify, sent, claims } = setUp({ senders });
      await expect(notify(event)).rejects.toMatchObject({
        name: "Unclassified",
        retryable: true,
        message: `The function knows no sender "${sender}", which "email-request" names: deploy the stack again.`,
      });
      expect(sent).toEqual([]);
      expect([...claims.rows.values()]).toMatchObject([{ state: "failed" }]);
    },
  );
});

describe("a mail of a notification with languages and variants", () => {
  const invoice = (variants: Readonly<Record<string, { readonly weight: number }>>, choose?: "a" | "b" | "c") =>
    defineNotification({
      ...emailRequest,
      recipients: messageRecipients,
      detail: messageDetailSchema,
      trigger: { kind: "event", source: "custom.application", detailType: "Email Notification Request" },
      content: z.object({ ...messageContentSchema.shape, price: z.string() }),
      map: (event, format) => ({ ...mapMessage(event), price: format.money(12, "EUR") }),
      sample: { emailConfig: { recipient: a } },
      locales: ["en", "fr"],
      locale: (_, { address }) => (address === b ? "fr-CA" : undefined),
      variants,
      template: () => choose,
    });
  const even = { a: { weight: 1 }, b: { weight: 1 } };
  const reads = { ...readsOfTexts("price"), hasWords: true };
  const templateOf = (id: string, { locale, variant }: Edition) => ({
    name: `${id} ${locale} ${variant ?? ""}`,
    reads,
  });

  const world = (changes: Partial<SetUp> = {}) => setUp({ templateOf, ...changes });

  it("has the template and the numbers of its reader's language, and says so in its tags", async () => {
    const { notify, sent } = world();
    await changing(invoice({ a: { weight: 1 } }), () => notify(to(a, b)));
    expect(sent).toMatchObject([
      {
        template: "email-request en a",
        templateData: { text: { price: "€12.00" } },
        tags: { template: "email-request en a", locale: "en", variant: "a" },
      },
      {
        template: "email-request fr a",
        templateData: { text: { price: "12,00\u00a0€" } },
        tags: { template: "email-request fr a", locale: "fr", variant: "a" },
      },
    ]);
  });

  it("has no tag of a variant where there are none", async () => {
    const { notify, sent } = setUp();
    await notify(to(a));
    expect(sent[0]?.tags).toEqual({
      notification: "email-request",
      eventId: expect.any(String) as string,
      recipient: hashA,
      attempt: 1,
      template: "shop-dev-email-request",
      locale: "en",
    });
  });

  it("keeps the variant of its first try, whatever the weights are by then", async () => {
    const { notify, sent, claims, failures } = world({ failures: { [a]: throttled } });
    await changing(invoice(even), () => expect(notify(to(a))).rejects.toMatchObject({ name: "Throttled" }));
    const [kept] = [...claims.rows.values()].map(({ variant }) => variant);
    failures[a] = undefined;
    const others = { a: { weight: kept === "a" ? 0 : 1 }, b: { weight: kept === "b" ? 0 : 1 } };
    await changing(invoice(others), () => notify(to(a)));
    expect(sent).toMatchObject([{ template: `email-request en ${kept ?? ""}`, tags: { variant: kept, attempt: 2 } }]);
  });

  it("gets another variant where that of its first try is gone", async () => {
    const { notify, sent, failures } = world({ failures: { [a]: throttled } });
    await changing(invoice(even), () => expect(notify(to(a))).rejects.toMatchObject({ name: "Throttled" }));
    failures[a] = undefined;
    await changing(invoice({ c: { weight: 1 } }), () => notify(to(a)));
    expect(sent).toMatchObject([{ template: "email-request en c", tags: { variant: "c" } }]);
  });

  it("has the variant that the definition chooses", async () => {
    const { notify, sent } = world();
    await changing(invoice({ a: { weight: 1 }, b: { weight: 0 } }, "b"), () => notify(to(a, b)));
    expect(sent.map(({ template }) => template)).toEqual(["email-request en b", "email-request fr b"]);
  });

  it("is not sent where the definition chooses what it does not declare", async () => {
    const { notify, sent } = world();
    await changing(invoice(even, "c"), () =>
      expect(notify(to(a))).rejects.toMatchObject({
        name: "InvalidEvent",
        message: expect.stringContaining('chooses the template "c", which is none of its variants') as string,
      }),
    );
    expect(sent).toEqual([]);
  });
});
