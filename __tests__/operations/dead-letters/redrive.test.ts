import { type Claim } from "../../../operations/dead-letters/claims";
import { readMails } from "../../../operations/dead-letters/mails";
import { type ParkedMessage } from "../../../operations/dead-letters/parked-message";
import { HoldIsOver } from "../../../operations/dead-letters/queue";
import { type ActOptions, discard, type Ports, redrive } from "../../../operations/dead-letters/redrive";
import { hashRecipient } from "../../../handler/contract/recipient-hash";
import { maximumRedrives } from "../../../stacks/delivery-windows";
import { businessEvent, failureRecord } from "../../support/send-notification";
import { jane, park, request, targetAttributes } from "../../support/parked";

const failed = (errorType: string, overrides: object = {}, event: unknown = request({ idempotencyKey: "order-7" })) =>
  park(failureRecord(event, { responsePayload: { errorType, errorMessage: "x" }, ...overrides }));
const unknownOutcome = failed("OutcomeUnknown");

const [ann, bob, cat] = ["ann@example.com", "bob@example.com", "cat@example.com"] as const;
const [annHash, bobHash, catHash] = [hashRecipient(ann), hashRecipient(bob), hashRecipient(cat)] as const;
const toThree = request({ emailConfig: { recipient: [ann, bob, cat], subject: "Your order" } });

/** An event with three mails that was parked for `errorType`, and why single ones failed. */
const three = (errorType: string, failures: readonly object[] = []) =>
  failed(errorType, failures.length === 0 ? {} : { failures }, toThree);

interface World {
  readonly options?: Partial<ActOptions>;
  /** What the claims say, in the order of the event's recipients; the rest is free. */
  readonly claims?: readonly Claim["state"][];
  readonly claim?: Partial<Claim>;
  /** What a claim is once it was released, where another run came first. */
  readonly afterRelease?: Claim;
  readonly breaks?: "send" | "remove" | "release" | "readClaims";
  readonly isHeld?: boolean;
  readonly forbids?: boolean;
}

const wishes: ActOptions = { dryRun: false, resendUnknown: false, giveUp: false, recipients: new Set() };

/** Acts on one message, and tells what was done in which order. */
async function act(
  what: typeof redrive,
  parked: ParkedMessage,
  {
    options = {},
    claims = [],
    claim = {},
    afterRelease = { state: "free" },
    breaks,
    isHeld = true,
    forbids,
  }: World = {},
) {
  const done: string[] = [];
  const sent: { lane: string; body: unknown }[] = [];
  const step = (name: string) => {
    if (name === breaks) return Promise.reject(new Error(`${name} is down`));
    done.push(name);
    return Promise.resolve();
  };
  const ports: Ports = {
    hold: () => Promise.resolve(isHeld),
    readMails: (message) =>
      readMails(message, {
        read: async (ids) => {
          if (breaks === "readClaims") throw new Error("the table is down");
          return Promise.resolve(new Map(ids.map((id, index) => [id, { ...claim, state: claims[index] ?? "free" }])));
        },
        recipientPolicy:
          forbids === true
            ? { mode: "restricted", addresses: [], domains: [] }
            : { mode: "unrestricted", reason: "test" },
      }),
    release: () => step("release").then(() => afterRelease),
    send: async (lane, body) => {
      await step("send");
      sent.push({ lane, body: JSON.parse(body) });
    },
    remove: () => step("remove"),
  };
  const [result] = await what([parked], { ...wishes, ...options }, ports);
  return { result, done, sent };
}

const run = (parked: ParkedMessage, world?: World) => act(redrive, parked, world);
const drop = (parked: ParkedMessage, world?: World) => act(discard, parked, world);
const says = (text: string) => ({ note: expect.stringContaining(text) as string });

describe("a redrive", () => {
  it("sends the whole record with one redrive more to its lane, before it deletes the message", async () => {
    const record = failureRecord(request({ idempotencyKey: "order-7" }), {
      responsePayload: { errorType: "MessageRejected" },
    });
    const { result, done, sent } = await run(park({ ...record, redrives: 1 }));
    expect(sent).toEqual([{ lane: "standard", body: { ...record, redrives: 2 } }]);
    expect(done).toEqual(["send", "remove"]);
    expect(result).toMatchObject({ disposition: "redriven", lane: "standard", redrives: 2 });
  });

  it("makes a record of an event that never reached its target", async () => {
    const event = request({ priority: "high" }, { "detail-type": "Priority Alert" });
    const { sent } = await run(park(event, { attributes: targetAttributes("priority-rule", { RETRY_ATTEMPTS: "2" }) }));
    expect(sent).toEqual([
      {
        lane: "priority",
        body: {
          requestContext: { condition: "NotDelivered", approximateInvokeCount: 3 },
          requestPayload: event,
          responsePayload: { errorType: "NO_PERMISSIONS", errorMessage: "Not allowed to invoke the function." },
          redrives: 1,
        },
      },
    ]);
  });

  it("does nothing in a dry run, and says what it would do", async () => {
    const { result, done } = await run(failed("MessageRejected"), { options: { dryRun: true } });
    expect(done).toEqual([]);
    expect(result).toMatchObject({ disposition: "would-redrive", redrives: 1 });
  });

  it("keeps the message where the send fails", async () => {
    const { result, done } = await run(failed("MessageRejected"), { breaks: "send" });
    expect(done).toEqual([]);
    expect(result).toMatchObject({
      disposition: "failed",
      ...says("Nothing was sent, it stays parked: Error: send is down"),
    });
  });

  it("says so where the message was sent, and could not be removed", async () => {
    const { result, done } = await run(failed("MessageRejected"), { breaks: "remove" });
    expect(done).toEqual(["send"]);
    expect(result).toMatchObject({ disposition: "not-removed", ...says("in both queues") });
  });

  it.each([
    ["what is no event", park("hello"), "Its format is not known"],
    [
      "what SES told about a mail",
      park(businessEvent({}, { source: "aws.ses" }), { attributes: targetAttributes("feedback-rule") }),
      "It is what SES told about a mail",
    ],
    [
      "an event that no notification takes",
      failed("UnknownNotification", {}, businessEvent({}, { "detail-type": "Other" })),
      "No notification takes this event",
    ],
    [
      "an event of which only a part was parked",
      failed("InvalidEvent", {}, { ...request(), detail: undefined }),
      "A part of the event is missing here",
    ],
    [
      "an event that was redriven as often as its claims allow",
      failed("MessageRejected", { redrives: maximumRedrives }),
      "It was redriven 3 times, which is the most",
    ],
    [
      "an event that this checkout would refuse again",
      failed("InvalidEvent", {}, businessEvent({ title: "to nobody" })),
      'The event does not fit "email-request". detail.emailConfig: Invalid input: expected object, received undefined. It would be parked again.',
    ],
    [
      "an event that its rule does not take",
      failed("NoRuleMatches", {}, request({ priority: "low" }, { "detail-type": "Priority Alert" })),
      "Its producer has to put a corrected event; or change the notification",
    ],
  ])("refuses %s", async (_, parked, word) => {
    for (const dryRun of [true, false]) {
      const { result, done } = await run(parked, { options: { dryRun } });
      expect(done).toEqual([]);
      expect(result).toMatchObject({ disposition: "refused", ...says(word) });
    }
  });

  it.each([
    ["[", "]"],
    ['{"a":', "}"],
  ])("refuses an event that is nested without end (%s), and never throws", async (open, close) => {
    const nested = `${open.repeat(20_000)}1${close.repeat(20_000)}`;
    for (const field of ["x", "title", "emailConfig", "priority", "idempotencyKey"]) {
      for (const type of ["Email Notification Request", "Priority Alert"]) {
        const event = request({ priority: "high", [field]: "nested" }, { "detail-type": type });
        const parked = park(JSON.stringify(failureRecord(event)).replace('"nested"', nested));
        expect(await run(parked)).toMatchObject({ done: [], result: { disposition: "refused" } });
      }
    }
  });

  it("stops at the cap, and not before it", async () => {
    const { result } = await run(failed("MessageRejected", { redrives: maximumRedrives - 1 }));
    expect(result).toMatchObject({ disposition: "redriven", redrives: maximumRedrives });
  });
});

describe("a redrive, by mail", () => {
  const failures = [
    { recipient: annHash, type: "MessageRejected", message: "no" },
    { recipient: bobHash, type: "OutcomeUnknown", message: "no answer" },
  ];

  it.each<[string, ParkedMessage, World, string]>([
    ["a mail that may be out", unknownOutcome, { claims: ["unknown"] }, "the mail may be out"],
    [
      "one mail that may be out, and two that are out",
      three("OutcomeUnknown"),
      { claims: ["sent", "unknown", "sent"] },
      `${bobHash}: the mail may be out`,
    ],
    [
      "what is out, with other content under the same key",
      failed("Throttled"),
      { claims: ["sent"], claim: { eventId: "first", contentHash: "other" } },
      "with a new key",
    ],
    ["what a run is at", three("Throttled"), { claims: ["sent", "held"] }, "Wait a minute."],
    ["a recipient who is not on the allow-list", failed("RecipientRefused"), { forbids: true }, "allowedRecipients"],
    [
      "an unknown mail of an event whose claims can't be read, by its record's word",
      three("MessageRejected", failures),
      { breaks: "readClaims" },
      "the table is down",
    ],
  ])("refuses %s, and costs none of its redrives", async (_, parked, world, word) => {
    for (const dryRun of [true, false]) {
      const { result, done } = await run(parked, { ...world, options: { dryRun } });
      expect(done).toEqual([]);
      expect(result).toMatchObject({ disposition: "refused", ...says(word) });
    }
  });

  it("sends what is not out, and says that the unknown stays", async () => {
    const { result, done, sent } = await run(three("MessageRejected", failures), {
      claims: ["free", "unknown", "sent"],
    });
    expect(done).toEqual(["send", "remove"]);
    expect(sent).toMatchObject([{ body: { requestPayload: toThree } }]);
    expect(result).toMatchObject({
      disposition: "redriven",
      ...says(`1 of 3 mails is out; ${annHash}: not out (MessageRejected); ${bobHash}: unknown.`),
      mails: { list: [{ state: "free" }, { state: "unknown" }, { state: "sent" }] },
    });
    expect(result).toMatchObject(
      says(`It is sent to ${annHash}, and then parked again for the rest: ${bobHash} may be out or not`),
    );
  });

  const withBadEntries = (recipients: readonly string[]): ParkedMessage => {
    const parked = failed("InvalidEvent");
    if (parked.prepared === undefined) throw new Error("It can be mailed");
    const refusedRecipients = [{ position: 2, problem: "is empty" }];
    return { ...parked, prepared: { ...parked.prepared, recipients, refusedRecipients } };
  };

  it.each<[string, readonly string[], World, string]>([
    [
      "the only failure is a bad entry",
      [jane],
      { claims: ["sent"] },
      "For 1 entry of its list of recipients its producer",
    ],
    ["there are only bad entries", [], {}, "Entry 2 of its list of recipients is empty. Nobody can be mailed."],
  ])("is refused where %s: its producer has to correct it", async (_, recipients, world, word) => {
    const parked = withBadEntries(recipients);
    expect(await run(parked, world)).toMatchObject({ done: [], result: { disposition: "refused", ...says(word) } });
    expect(await drop(parked, world)).toMatchObject({
      result: { disposition: "discarded", ...says("ntry 2 of its list of recipients is empty") },
    });
  });

  it("mails the others of a list with a bad entry, and says that it is parked again", async () => {
    const { result } = await run(withBadEntries([jane]));
    expect(result).toMatchObject({
      disposition: "redriven",
      ...says("parked again for the rest: 1 entry of its list"),
    });
  });

  it("goes on where the claims can't be read: the function reads them itself", async () => {
    const { result, done } = await run(failed("SenderNotVerified"), { breaks: "readClaims" });
    expect(done).toEqual(["send", "remove"]);
    expect(result).toMatchObject({ disposition: "redriven", ...says("could not be read (Error: the table is down)") });
  });

  it("says which recipients stay forbidden while others are mailed", async () => {
    const { result } = await run(three("RecipientRefused"), { claims: ["sent", "unknown"], forbids: true });
    expect(result).toMatchObject({
      disposition: "refused",
      ...says(`Not on the allow-list of this stage. Add the address of ${catHash} or its domain`),
    });
  });

  it.each(["redrive", "discard"])("%s does nothing to a message whose hold is over", async (what) => {
    const { result, done } = await (what === "redrive" ? run : drop)(failed("MessageRejected"), { isHeld: false });
    expect(done).toEqual([]);
    expect(result).toMatchObject({ disposition: "failed", ...says("Run it again, with a longer --hold.") });
  });
});

describe("a redrive of a mail that may be out, on a person's word", () => {
  const options = { resendUnknown: true };

  it.each(["OutcomeUnknown", "MessageRejected", "Throttled"])(
    "releases it, whatever the event was parked for: %s",
    async (type) => {
      const { result, done } = await run(three(type), { options, claims: ["sent", "unknown", "free"] });
      expect(done).toEqual(["release", "send", "remove"]);
      expect(result).toMatchObject({
        disposition: "redriven",
        redrives: 1,
        mails: { list: [{ state: "sent" }, { state: "released" }, { state: "free" }] },
        ...says("What is released is sent, a second time if the first mail is out after all."),
      });
    },
  );

  it("releases those to the recipients alone that the filter names", async () => {
    const recipients = new Set([catHash]);
    const { result, done } = await run(three("OutcomeUnknown"), {
      options: { ...options, recipients },
      claims: ["unknown", "unknown", "unknown"],
    });
    expect(done).toEqual(["release", "send", "remove"]);
    expect(result?.mails?.list.map(({ state }) => state)).toEqual(["unknown", "unknown", "released"]);
    expect(result).toMatchObject(
      says(`It is sent to ${catHash}, and then parked again for the rest: ${annHash}, ${bobHash} may be out`),
    );
  });

  it("is refused where no recipient may be mailed any more, and releases nothing", async () => {
    const { result, done } = await run(three("OutcomeUnknown"), {
      options,
      claims: ["unknown", "sent", "sent"],
      forbids: true,
    });
    expect(done).toEqual([]);
    expect(result).toMatchObject({
      disposition: "refused",
      ...says(`Not on the allow-list of this stage. Add the address of ${annHash} or its domain`),
    });
  });

  it("only says so in a dry run", async () => {
    const { result, done } = await run(unknownOutcome, { options: { ...options, dryRun: true }, claims: ["unknown"] });
    expect(done).toEqual([]);
    expect(result).toMatchObject({
      disposition: "would-redrive",
      ...says(`${hashRecipient(jane)}: would be sent, a second time`),
    });
  });

  it.each<[string, World]>([
    ["is none", { claims: ["free", "sent", "free"] }],
    [
      "is none to the recipient that the filter names",
      { claims: ["unknown", "sent"], options: { recipients: new Set([bobHash]) } },
    ],
    ["is one that a run holds", { claims: ["unknown", "held"] }],
    ["can't be read", { breaks: "readClaims" }],
  ])("does nothing where an unknown mail %s, and costs no redrive", async (_, world) => {
    const { result, done } = await run(three("OutcomeUnknown"), {
      ...world,
      options: { ...options, ...world.options },
    });
    expect(done).toEqual([]);
    expect(result?.disposition).toBe("refused");
  });

  it("sends nothing where the mail turns out to be out meanwhile", async () => {
    const { result, done } = await run(unknownOutcome, {
      options,
      claims: ["unknown"],
      afterRelease: { state: "sent", messageId: "m-1" },
    });
    expect(done).toEqual(["release", "remove"]);
    expect(result).toMatchObject({
      disposition: "finished",
      ...says("Nothing is left to send"),
      mails: { list: [{ state: "sent" }] },
    });
  });

  it("of which every mail is out by now removes the record, and sends nothing", async () => {
    const world = { claims: ["sent", "sent", "sent"] } satisfies World;
    const parked = three("Throttled");
    expect(await run(parked, { ...world, options: { dryRun: true } })).toMatchObject({
      done: [],
      result: { disposition: "would-finish" },
    });
    expect(await run(parked, world)).toMatchObject({ done: ["remove"], result: { disposition: "finished" } });
    expect(await run(failed("Throttled", { redrives: maximumRedrives }, toThree), world)).toMatchObject({
      result: { disposition: "finished" },
    });
    expect(await run(parked, { ...world, breaks: "remove" })).toMatchObject({ result: { disposition: "failed" } });
  });

  it("takes a mail of the event itself for out, though an earlier deployment said it in other words", async () => {
    const parked = failed("Throttled");
    const { eventId = "" } = parked;
    const claim = { eventId, contentHash: "of-an-earlier-deployment" };
    expect(await run(parked, { claims: ["sent"], claim })).toMatchObject({
      done: ["remove"],
      result: { disposition: "finished" },
    });
  });

  it("says what it released where the send fails after it", async () => {
    const { result, done } = await run(unknownOutcome, { options, claims: ["unknown"], breaks: "send" });
    expect(done).toEqual(["release"]);
    expect(result).toMatchObject({
      disposition: "failed",
      ...says("What is released stays so: the next redrive sends it."),
    });
  });

  it("sends nothing where the claim can't be released", async () => {
    const { result, done } = await run(unknownOutcome, { options, claims: ["unknown"], breaks: "release" });
    expect(done).toEqual([]);
    expect(result).toMatchObject({ disposition: "failed", ...says("Nothing was sent, it stays parked") });
  });
});

describe("a discard", () => {
  const giveUp = { giveUp: true };

  it.each<[string, ParkedMessage, World, string]>([
    ["whose mails are all out", three("Throttled"), { claims: ["sent", "sent", "sent"] }, "3 of 3 mails are out."],
    [
      "of which SES took no mail",
      failed("MessageRejected"),
      {},
      `not out (MessageRejected). Given up: ${hashRecipient(jane)}.`,
    ],
    [
      "whose other mails are known to be undeliverable",
      three("MessageRejected", [{ recipient: bobHash, type: "MessageRejected", message: "no" }]),
      { claims: ["sent", "free", "sent"] },
      `Given up: ${bobHash}.`,
    ],
    [
      "that no mail can be made of",
      failed("InvalidEvent", {}, businessEvent({})),
      {},
      "Given up: the event, of which this checkout can make no mail.",
    ],
    [
      "that its rule does not take",
      failed("NoRuleMatches", {}, request({ priority: "low" }, { "detail-type": "Priority Alert" })),
      {},
      "Given up",
    ],
    ["that is none", park("hello"), {}, "No mail follows from it."],
    [
      "with an unknown mail, on a person's word",
      three("OutcomeUnknown"),
      { claims: ["sent", "unknown", "sent"], options: giveUp },
      `${bobHash}: unknown. Given up: ${bobHash}.`,
    ],
    [
      "with an unknown mail that the person names",
      three("OutcomeUnknown"),
      { claims: ["sent", "unknown", "sent"], options: { ...giveUp, recipients: new Set([bobHash]) } },
      `Given up: ${bobHash}.`,
    ],
    [
      "whose claims can't be read, on a person's word",
      three("OutcomeUnknown"),
      { breaks: "readClaims", options: giveUp },
      "is not known",
    ],
  ])("deletes an event %s, and says what is given up", async (_, parked, world, word) => {
    const dry = await drop(parked, { ...world, options: { ...world.options, dryRun: true } });
    expect(dry).toMatchObject({ done: [], result: { disposition: "would-discard", ...says(word) } });
    expect(await drop(parked, world)).toMatchObject({
      done: ["remove"],
      result: { disposition: "discarded", ...says(word) },
    });
  });

  it.each<[string, ParkedMessage, World, string]>([
    [
      "with a mail that nobody knows to be out",
      three("OutcomeUnknown"),
      { claims: ["sent", "unknown", "sent"] },
      `2 of 3 mails are out; ${bobHash}: unknown. That is neither out nor known to be undeliverable: ${bobHash}.`,
    ],
    ["with a mail that could be sent once the stage is mended", failed("SenderNotVerified"), {}, "--give-up"],
    [
      "with another unknown mail than the person names",
      three("OutcomeUnknown"),
      { claims: ["unknown", "unknown", "sent"], options: { ...giveUp, recipients: new Set([bobHash]) } },
      `undeliverable: ${annHash}.`,
    ],
    [
      "with mails of which its record says nothing",
      three("MessageRejected"),
      { claims: ["sent"] },
      `undeliverable: ${bobHash}, ${catHash}.`,
    ],
    [
      "with a rejected and an unknown mail",
      three("MessageRejected", [{ recipient: annHash, type: "MessageRejected", message: "no" }]),
      { claims: ["free", "unknown", "sent"] },
      `undeliverable: ${bobHash}.`,
    ],
    [
      "that a run is at, whatever the person says",
      three("Throttled"),
      { claims: ["held"], options: giveUp },
      "Wait a minute.",
    ],
    [
      "whose claims can't be read",
      three("MessageRejected"),
      { breaks: "readClaims" },
      "is not known: the claims could not be read (Error: the table is down)",
    ],
    [
      "of which no mail can be made, and one was unknown",
      failed("OutcomeUnknown", {}, businessEvent({})),
      {},
      "nobody can tell which are out",
    ],
    [
      "of which this checkout makes no mail, and an older one did",
      failed("Throttled", {}, businessEvent({})),
      {},
      "--give-up",
    ],
  ])("keeps an event %s", async (_, parked, world, word) => {
    expect(await drop(parked, world)).toMatchObject({ done: [], result: { disposition: "refused", ...says(word) } });
  });

  it("is no success where the deletion is none", async () => {
    const { result } = await drop(failed("MessageRejected"), { breaks: "remove" });
    expect(result).toMatchObject({
      disposition: "failed",
      ...says("It stays parked, as far as is known: it could not be deleted"),
    });
    const [lapsed] = await discard([failed("MessageRejected")], wishes, {
      ...portsOfNothing,
      remove: () => Promise.reject(new HoldIsOver("over")),
    });
    expect(lapsed).toMatchObject({ disposition: "failed", ...says("its hold was over before it was deleted") });
  });
});

const portsOfNothing: Ports = {
  hold: () => Promise.resolve(true),
  readMails: () => Promise.resolve({ eventId: undefined, list: [], refused: [] }),
  release: () => Promise.resolve({ state: "free" }),
  send: () => Promise.resolve(),
  remove: () => Promise.resolve(),
};

it.each(["redrive", "discard"])("%s begins nothing more once it is told to stop", async (what) => {
  const removed: string[] = [];
  const messages = ["a", "b", "c"].map((messageId) => park("hello", { messageId }));
  const ports = { ...portsOfNothing, remove: (id: string) => Promise.resolve(void removed.push(id)) };
  let turns = 0;
  const results = await (what === "redrive" ? redrive : discard)(messages, wishes, ports, () => ++turns <= 2);
  expect(results.map(({ parked }) => parked.messageId)).toEqual(["a", "b"]);
  expect(removed).toEqual(what === "redrive" ? [] : ["a", "b"]);
});
