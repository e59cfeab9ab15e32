import { fateOf, type QueuedRecord } from "../../src/gateway/fate";
import { type Attempt, type Delivery, type Envelope, Journal, type Mail } from "../../src/gateway/journal";
import { deepestShown, isNestedTooDeeply, stringify } from "../../src/gateway/json-text";
import { envelope, mailOf } from "../support/journal";

const target = { rule: "rule", bus: "bus", targetId: "fn", targetArn: "arn:aws:lambda:::function:fn", kind: "lambda" };
const few = (items: number, bytes = Infinity) => ({ mails: { items, bytes }, events: { items, bytes } });
const nested = (levels: number) => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`) as unknown;

describe("what the journal keeps", () => {
  it("are the newest mails and events; the oldest are dropped, counted, and the notes say so once", () => {
    const journal = new Journal(few(3));
    for (const id of ["1", "2", "3", "4", "5"]) {
      journal.addEvent("bus", envelope(id));
      journal.addMail(mailOf(id, { eventId: id }));
    }
    expect(journal.mails.keys()).toEqual(["5", "4", "3"]);
    expect(journal.events.keys()).toEqual(["5", "4", "3"]);
    expect([journal.mails.dropped, journal.events.dropped]).toEqual([2, 2]);
    expect(journal.mailKeysOf("1")).toEqual([]);
    expect(journal.mailKeysOf("5")).toEqual(["5"]);
    expect(journal.notes.map(({ text }) => text)).toEqual([
      expect.stringContaining("newest 3 mails"),
      expect.stringContaining("newest 3 events"),
    ]);
  });

  it("is bounded by its size too, and holds the newest whatever its size", () => {
    const journal = new Journal(few(1000, 2000));
    for (const id of ["1", "2", "3"]) journal.addEvent("bus", envelope(id, { text: "x".repeat(700) }));
    expect(journal.events.keys()).toEqual(["3", "2"]);
    journal.addEvent("bus", envelope("4", { text: "x".repeat(5000) }));
    expect(journal.events.keys()).toEqual(["4"]);
  });

  it("is the beginning of an error that holds all of its event, once for each attempt", () => {
    const journal = new Journal();
    const event = journal.addEvent("bus", envelope("1"));
    const delivery = journal.addDelivery(event, target);
    const text = "x".repeat(200_000);
    journal.endAttempt(delivery, journal.startAttempt(delivery), { status: "error", errorMessage: text });
    journal.addRecord("1", { queueArn: "arn", reason: text });
    const beginning = `${"x".repeat(10_000)}… (200000 characters)`;
    expect(delivery.attempts[0]?.errorMessage).toBe(beginning);
    expect(event.records[0]?.reason).toBe(beginning);
  });

  it("counts those that ended badly among what it keeps", () => {
    const journal = new Journal(few(2));
    for (const id of ["1", "2", "3"]) {
      const delivery = journal.addDelivery(journal.addEvent("bus", envelope(id)), target);
      delivery.status = "failed";
      journal.changed(delivery);
    }
    expect(journal.failed).toBe(2);
  });

  it("takes changes of what it has dropped, and shows none", () => {
    const journal = new Journal(few(1));
    const delivery = journal.addDelivery(journal.addEvent("bus", envelope("1")), target);
    journal.addEvent("bus", envelope("2"));
    const changes: unknown[] = [];
    journal.onChange((change) => changes.push(change));
    journal.endAttempt(delivery, journal.startAttempt(delivery), { status: "error" });
    expect(changes).toEqual([
      { mails: [], events: [] },
      { mails: [], events: [] },
    ]);
    expect(journal.failed).toBe(0);
  });

  it("knows the event that caused a mail by the delivery, where it is on two buses", () => {
    const journal = new Journal();
    const [forwarded, mailed] = ["first", "second"].map((bus) => journal.addEvent(bus, envelope("1")));
    if (forwarded === undefined || mailed === undefined) throw new Error("no events");
    journal.addDelivery(forwarded, { ...target, rule: "forward", bus: "first" });
    const delivery = journal.addDelivery(mailed, { ...target, rule: "mail", bus: "second" });
    journal.startAttempt(delivery, "run");
    const keyOf = (cause: Partial<Mail>) => journal.eventKeyOf(mailOf("m", { eventId: "1", ...cause }));
    expect(keyOf({ requestId: "run", rule: "forward" })).toBe("1.2");
    expect(keyOf({ requestId: "another run", rule: "mail" })).toBe("1.2");
    expect(keyOf({ requestId: "another run" })).toBe("1");
    expect(keyOf({ eventId: "gone" })).toBeUndefined();
  });

  it("tells an event that is on two buses by two keys, and what is known of it on both", () => {
    const journal = new Journal();
    journal.addEvent("first", envelope("1"));
    journal.addEvent("second", envelope("1"));
    journal.addRecord("1", { queueArn: "arn:aws:sqs:::dead-letters", reason: "InvalidEvent" });
    expect(journal.events.keys()).toEqual(["1.2", "1"]);
    expect(journal.events.keys().map((key) => journal.fateOf(key))).toEqual(["parked", "parked"]);
  });

  it("has one attempt for a thousand throttled ones in a row", () => {
    const journal = new Journal();
    const event = journal.addEvent("bus", envelope("1"));
    const delivery = journal.addDelivery(event, target);
    const error = { errorType: "TooManyRequestsException", errorMessage: "Rate Exceeded." };
    for (let count = 0; count < 1000; count += 1) journal.throttled(delivery, error);
    journal.endAttempt(delivery, journal.startAttempt(delivery), { status: "success" });
    journal.throttled(delivery, error);
    expect(delivery.attempts).toMatchObject([
      { number: 1, status: "throttled", times: 1000, ...error },
      { number: 2, status: "success" },
      { number: 3, status: "throttled", times: 1 },
    ]);
  });

  it("names what changed, and only that", () => {
    const journal = new Journal();
    const event = journal.addEvent("bus", envelope("1"));
    const other = journal.addEvent("bus", envelope("2"));
    const changed: string[] = [];
    journal.onChange(({ mails, events }) => changed.push(...mails.map((key) => `mail ${key}`), ...events));
    const delivery = journal.addDelivery(event, target);
    journal.changed(other);
    journal.addMail(mailOf("m", { tags: { eventId: "1" } }));
    delivery.status = "delivered";
    journal.changed(delivery);
    expect(changed).toEqual(["1", "2", "mail m", "1", "1"]);
  });
});

describe("what is nested deeply", () => {
  it.each([1, deepestShown - 2, 5000, 20_000])("is kept as text, whole: %d levels", (levels) => {
    const journal = new Journal();
    const event = journal.addEvent("bus", envelope("deep", { list: nested(levels) }));
    const text = `{"list":${"[".repeat(levels)}${"]".repeat(levels)}}`;
    const shown = JSON.parse(JSON.stringify(event)) as { detail: unknown; tooDeep?: string; event: Envelope };
    expect(event.text).toContain(text);
    if (levels < deepestShown) {
      expect(JSON.stringify(shown.detail)).toBe(text);
      expect(shown.tooDeep).toBeUndefined();
    } else {
      expect([shown.detail, shown.event.detail]).toEqual([{}, {}]);
      expect(shown.tooDeep).toContain(text);
    }
  });

  it("is kept of a mail's template data too", () => {
    const journal = new Journal();
    journal.addMail(mailOf("deep", { templateData: { list: nested(20_000) } }));
    const [kept] = journal.mails.items();
    expect(kept?.templateData).toEqual({});
    expect(kept?.templateDataTooDeep).toHaveLength(40_009);
  });

  it("is written as JSON.stringify would, at any depth", () => {
    const value = { a: [1, 'x"\\\n', null, true, { b: {}, c: [], d: undefined }], "": -1.5 };
    const deep = { value, deep: nested(20_000) };
    expect(stringify(value)).toBe(JSON.stringify(value));
    expect(stringify(deep)).toBe(`{"value":${JSON.stringify(value)},"deep":${stringify(deep.deep)}}`);
    expect(() => stringify(1n)).toThrow(TypeError);
  });

  it("is told from what is long, or has brackets in its texts", () => {
    expect(isNestedTooDeeply(JSON.stringify({ text: "[{".repeat(1000), quote: '\\"[' }))).toBe(false);
    expect(isNestedTooDeeply(JSON.stringify(Array.from({ length: 1000 }, () => [[]])))).toBe(false);
    expect(isNestedTooDeeply(JSON.stringify(nested(deepestShown)))).toBe(false);
    expect(isNestedTooDeeply(JSON.stringify(nested(deepestShown + 1)))).toBe(true);
  });
});

describe("the fate of an event", () => {
  const retries = "arn:aws:sqs:::retries";
  const deadLetters = "arn:aws:sqs:::dead-letters";
  const known = (isMailed: boolean) => ({ isPolled: (arn: string) => arn === retries, isMailed });
  const delivery = (status: Delivery["status"], attempts: Attempt[] = []): Delivery => ({
    ...target,
    status,
    attempts,
  });
  const record = (queueArn: string, leftAt?: string, leftBy: QueuedRecord["leftBy"] = "function"): QueuedRecord => ({
    queueArn,
    time: "",
    reason: "InvalidEvent",
    ...(leftAt === undefined ? {} : { leftAt, leftBy }),
  });
  const run: Attempt = { number: 1, startedAt: "", status: "success" };

  it.each([
    ["unmatched", "no rule matched it", [], [], false],
    ["delivered", "its function is done", [delivery("delivered", [run])], [], true],
    ["running", "one of its functions still runs", [delivery("delivered"), delivery("running")], [], true],
    ["failed", "it was given up, and no queue took a record", [delivery("failed")], [], false],
    ["failed", "it was given up; a mail may be out all the same", [delivery("failed")], [], true],
    ["parked", "its function parked it in its first run", [delivery("delivered", [run])], [record(deadLetters)], false],
    ["parked", "a part of it was mailed, a part parked", [delivery("delivered", [run])], [record(deadLetters)], true],
    ["parked", "its function says so", [delivery("delivered", [{ ...run, parked: "InvalidEvent" }])], [], false],
    ["waiting", "the retry queue has it", [delivery("failed")], [record(retries)], false],
    ["waiting", "a person has sent it again", [delivery("delivered")], [record(deadLetters), record(retries)], false],
    ["late", "a retry has mailed it", [delivery("failed")], [record(retries, "then")], true],
    ["late", "a redrive has mailed it", [delivery("delivered")], [record(deadLetters), record(retries, "then")], true],
    ["delivered", "a redrive found nothing to mail", [delivery("failed")], [record(retries, "then")], false],
    ["parked", "a retry has parked it", [delivery("failed")], [record(retries, "then"), record(deadLetters)], false],
    ["discarded", "a reader deleted its record", [delivery("failed")], [record(deadLetters, "then", "reader")], false],
    [
      "late",
      "a redrive has mailed it and deleted the record that it read",
      [delivery("delivered")],
      [record(deadLetters, "then", "reader"), record(retries, "then")],
      true,
    ],
  ] as const)("is %s where %s", (fate, _, deliveries, records, isMailed) => {
    expect(fateOf({ deliveries: [...deliveries], records: [...records] }, known(isMailed))).toBe(fate);
  });

  it.each([
    ["bounced", "its delivery to a log group succeeded", [delivery("delivered", [run])]],
    ["bounced", "no rule matched it", []],
    ["failed", "its own delivery failed", [delivery("failed")]],
    ["retrying", "its own delivery is tried again", [delivery("retrying")]],
  ] as const)("is %s where it tells of a bounce and %s", (fate, _, deliveries) => {
    const notice = { kind: "bounced", text: "" } as const;
    expect(fateOf({ deliveries: [...deliveries], records: [], notice }, known(false))).toBe(fate);
  });
});

describe("what belongs to an event", () => {
  const ses = (messageId: string, tags = {}) => ({ eventType: "Send", mail: { messageId, tags } });
  const failureOf = (id: string) => ({ requestPayload: { id }, requestContext: { condition: "RetriesExhausted" } });
  const add = (journal: Journal, id: string, source: string, detail: Envelope["detail"]) =>
    journal.addEvent("bus", { ...envelope(id, detail), source });

  it("are SES's events about its mails and the records of its failure, in order", () => {
    const journal = new Journal();
    journal.addEvent("bus", envelope("order"));
    journal.addMail(mailOf("mail", { eventId: "order" }));
    add(journal, "sent", "aws.ses", ses("mail"));
    add(journal, "failed", "lambda", failureOf("order"));
    add(journal, "by tag", "aws.ses", ses("a mail that was dropped", { eventId: ["order"] }));
    add(journal, "failed again", "lambda", failureOf("failed"));
    add(journal, "of nobody", "aws.ses", ses("unknown"));
    expect(journal.childKeysOf("order")).toEqual(["sent", "failed", "by tag", "failed again"]);
    expect(["order", "sent", "failed again", "of nobody"].map((key) => journal.parentKeyOf(key))).toEqual([
      undefined,
      "order",
      "order",
      undefined,
    ]);
    expect(journal.events.items().map(({ origin }) => origin)).toEqual([
      "ses",
      "failure",
      "ses",
      "failure",
      "ses",
      "business",
    ]);
  });

  it("stay when the event is dropped, and belong to nobody then", () => {
    const journal = new Journal(few(2));
    journal.addEvent("bus", envelope("order"));
    add(journal, "failed", "lambda", failureOf("order"));
    expect(journal.parentKeyOf("failed")).toBe("order");
    journal.addEvent("bus", envelope("another"));
    expect(journal.parentKeyOf("failed")).toBeUndefined();
    journal.addEvent("bus", envelope("order"));
    journal.addEvent("bus", envelope("more"));
    expect(journal.childKeysOf("order")).toEqual([]);
  });
});

describe("a cleared journal", () => {
  it("has forgotten all mails and events, has dropped none, tells it, and goes on", () => {
    const journal = new Journal();
    const delivery = journal.addDelivery(journal.addEvent("bus", envelope("1")), target);
    delivery.status = "failed";
    journal.changed(delivery);
    journal.addRenderingFailure({ ...mailOf("unrendered", { eventId: "1" }), renderError: "no name" });
    journal.addMail(mailOf("mail", { eventId: "1" }));
    const changes: unknown[] = [];
    journal.onChange((change) => changes.push(change));
    expect(journal.clear()).toEqual({ mails: 2, events: 1 });
    expect(changes).toEqual([{ mails: [], events: [], isCleared: true }]);
    expect([journal.messageCount, journal.failed, journal.mails.dropped, journal.events.dropped]).toEqual([0, 0, 0, 0]);
    expect([journal.mails.keys(), journal.events.keys(), journal.mailKeysOf("1")]).toEqual([[], [], []]);
    // What is still delivered changes nothing any more.
    journal.endAttempt(delivery, journal.startAttempt(delivery), { status: "error" });
    expect(journal.failed).toBe(0);
    expect(journal.addEvent("bus", envelope("1")).deliveries).toEqual([]);
    expect(journal.events.keys()).toEqual(["1"]);
  });
});
