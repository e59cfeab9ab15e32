/** The page's modules are JavaScript; what they need of the browser they need when they are called. */
interface Order {
  readonly ids: string[];
  readonly nested: Set<string>;
}
interface Step {
  readonly title: string;
  readonly text: string;
  readonly time: string | undefined;
}
interface Verdict {
  readonly fate: string;
  readonly label: string;
  readonly news?: string;
  readonly isFirst?: boolean;
}
const { differenceText, isHandedOver, putAgainCommand, recordSteps, statusLine, verdictOf } = jest.requireActual<{
  isHandedOver: (delivery: unknown, event: unknown) => boolean;
  putAgainCommand: (event: unknown, info: unknown) => { name: string; command: string } | undefined;
  statusLine: (event: unknown, info: unknown) => string;
  verdictOf: (event: unknown) => Verdict;
  differenceText: (difference: unknown) => string;
  recordSteps: (event: unknown, now: number) => Step[];
}>("../../inbox/model.js");
const { grouped } = jest.requireActual<{ grouped: (ids: string[], parents: Map<string, string>) => Order }>(
  "../../inbox/store.js",
);

describe("events, each with those that belong to it", () => {
  it("stand below it, the first to happen first, where the event itself is listed", () => {
    const parents = new Map([
      ["sent", "order"],
      ["bounced", "order"],
      ["of another", "not listed"],
    ]);
    const { ids, nested } = grouped(["bounced", "newer", "of another", "sent", "order", "oldest"], parents);
    expect(ids).toEqual(["newer", "of another", "order", "sent", "bounced", "oldest"]);
    expect([...nested]).toEqual(["bounced", "sent"]);
  });

  it("are found in one pass, however many belong to one", () => {
    const ids = Array.from({ length: 20_000 }, (_, index) => `child-${20_000 - index}`);
    const order = grouped([...ids, "order"], new Map(ids.map((id) => [id, "order"])));
    expect(order.ids.slice(0, 3)).toEqual(["order", "child-1", "child-2"]);
    expect(order.ids).toHaveLength(20_001);
  });
});

describe("what became of a record", () => {
  const parked = { queueArn: "arn:aws:sqs:us-east-1:1:dead-letters", time: "1", reason: "bad", isPolled: false };
  const retries = { queueArn: "arn:aws:sqs:us-east-1:1:retries", time: "2", reason: "bad", isPolled: true };
  const mail = { subject: "Hello", time: "3" };

  it.each([
    ["nothing", { fate: "failed", records: [] }, []],
    ["parked", { fate: "parked", records: [parked] }, ["Parked in dead-letters"]],
    ["waiting", { fate: "waiting", records: [retries] }, ["Waits in retries for a retry"]],
    [
      "mailed by a redrive",
      { fate: "late", records: [parked, { ...retries, leftAt: "3" }], mails: [mail] },
      ["Parked in dead-letters", "Redriven to retries", "Mailed"],
    ],
    [
      "mailed by a retry",
      { fate: "late", records: [{ ...retries, leftAt: "3" }], mails: [mail] },
      ["Waits in retries for a retry", "Mailed"],
    ],
    [
      "parked again by a redrive",
      { fate: "parked", records: [parked, retries, parked] },
      ["Parked in dead-letters", "Redriven to retries", "Parked in dead-letters"],
    ],
    [
      "redriven with nothing left to mail",
      { fate: "delivered", records: [parked, { ...retries, leftAt: "3" }] },
      ["Parked in dead-letters", "Redriven to retries", "Done"],
    ],
    [
      "discarded",
      { fate: "discarded", records: [{ ...parked, leftAt: "2" }] },
      ["Parked in dead-letters", "Discarded from dead-letters"],
    ],
    [
      "expired",
      { fate: "parked", records: [parked], keptUntil: "2026-01-01T00:00:00.000Z" },
      ["Parked in dead-letters", "Expired in dead-letters"],
    ],
    [
      "kept still",
      { fate: "parked", records: [parked], keptUntil: "2026-01-03T00:00:00.000Z" },
      ["Parked in dead-letters"],
    ],
  ])("is told step by step: %s", (_, event, titles) => {
    expect(recordSteps(event, Date.parse("2026-01-02T00:00:00.000Z")).map(({ title }) => title)).toEqual(titles);
  });
});

it("tells the reason of a redriven record once", () => {
  const records = [
    { queueArn: "arn:aws:sqs:us-east-1:1:dead-letters", time: "1", reason: "bad", isPolled: false },
    { queueArn: "arn:aws:sqs:us-east-1:1:retries", time: "2", reason: "bad", isPolled: true },
  ];
  expect(recordSteps({ fate: "waiting", records }, 0).map(({ text }) => text)).toEqual(["bad", ""]);
});

it.each([
  [["Order"], ["Ordr"], 'detail-type has to be "Order", and is "Ordr".'],
  [["a", { prefix: "b" }], [1, null], 'detail-type has to be "a" or {"prefix":"b"}, and is 1, null.'],
  [["a"], [], 'detail-type has to be "a", and is missing.'],
  [[{ exists: false }], ["x"], 'detail-type has to be {"exists":false}, and is "x".'],
])("says which values a rule expects, and which the event has: %j, %j", (expected, actual, text) => {
  expect(differenceText({ path: "detail-type", expected, actual })).toBe(text);
});

describe("the bad news of an event's mails", () => {
  const bad = (kind: string, count: number) => ({ kind, count, text: `why ${kind}` });
  const withNews = (mails: number, ...all: readonly ReturnType<typeof bad>[]) => ({
    fate: "delivered",
    deliveries: [],
    mailNews: { mails, bad: all },
  });

  it.each([
    [withNews(1, bad("bounced", 1)), "Bounced: why bounced"],
    [withNews(50, bad("bounced", 1)), "1 of 50 bounced: why bounced"],
    [withNews(50, bad("bounced", 3)), "3 of 50 bounced; first: why bounced"],
    [withNews(2, bad("rejected", 2)), "Rejected; first: why rejected"],
    [withNews(3, bad("bounced", 1), bad("unrendered", 2)), "1 of 3 bounced, 2 not rendered; first: why bounced"],
    [withNews(9, bad("complained", 1)), "1 of 9 complained about: why complained"],
  ])("is what the row and the reading pane say: %#", (event, line) => {
    expect(statusLine(event, {})).toBe(line);
    const { fate, label, news, isFirst } = verdictOf(event);
    expect(`${label}${isFirst === true ? "; first" : ""}: ${news}`).toBe(line);
    expect(fate).toBe(event.mailNews.bad[0]?.kind);
  });

  it("is not said of an event that is parked: its own fate is worse", () => {
    const event = { ...withNews(2, bad("bounced", 1)), fate: "parked", records: [{ reason: "bad" }] };
    expect(statusLine(event, {})).toBe("Parked: bad");
    expect(verdictOf(event)).toEqual({ fate: "parked", label: "Parked" });
  });

  it.each([
    ["all of its mails bounced", true, { mails: 2, bad: [bad("bounced", 1), bad("rejected", 1)] }],
    ["one of its mails is good", false, { mails: 2, bad: [bad("bounced", 1)] }],
    ["its mails are good, and another delivery's bounced", false, undefined],
  ])("leaves a delivery delivered unless nothing good came of it: %s", (_, isSo, mailNews) => {
    const delivery = { status: "delivered", attempts: [], mailNews };
    expect(isHandedOver(delivery, withNews(50, bad("bounced", 1)))).toBe(isSo);
  });
});

describe("the command that puts an event once more", () => {
  const info = { endpoint: "http://127.0.0.1:4566", region: "us-east-1" };
  const rule = "arn:aws:events:us-east-1:123456789012:rule/shop-daily-report";
  const putAgain = (source: string, resources: readonly string[] = [], detail: unknown = {}) =>
    putAgainCommand({ bus: "default", source, detailType: "Type", event: { detail, resources } }, info);

  it("puts an event of a producer, whatever it says of its resources", () => {
    expect(putAgain("shop", [rule])?.command).toContain("aws events put-events");
    expect(putAgain("awsome.shop")?.command).toContain("aws events put-events");
  });

  it("fires the schedule of an event of EventBridge, whose source nobody else may put", () => {
    expect(putAgain("aws.events", [rule])).toMatchObject({
      name: "the fire command",
      command: "curl -X POST http://127.0.0.1:4566/_sandbox/fire/shop-daily-report",
    });
  });

  it.each([
    ["an event of another AWS service", "aws.ses", [rule], {}],
    ["an event of EventBridge that names no rule", "aws.events", ["arn:aws:events:us-east-1:1:event-bus/b"], {}],
    ["an event that is too long to be corrected", "shop", [], { text: "x".repeat(4000) }],
  ])("is not there for %s", (_, source, resources, detail) => {
    expect(putAgain(source, resources, detail)).toBeUndefined();
  });
});
