import { bytesOfEvent, mostEventBytes } from "../../handler/contract/envelope";
import { type FailureRecord, failureRecordSchema } from "../../handler/contract/failure-record";
import { permanentFailureTypes } from "../../handler/contract/failures";
import { PermanentError, TransientError } from "../../handler/errors";
import { createDispatch, type Invocation } from "../../handler/dispatch";
import { hashRecipient } from "../../handler/contract/recipient-hash";
import { createSendNotification, type SendNotification, type Run } from "../../handler/send-notification";
import {
  businessEvent,
  dependencies,
  failureRecord,
  FakeClock,
  functionArn,
  createRecords,
  sqsBatch,
  startOfTime,
} from "../support/send-notification";

const run: Run = { endsAt: 30_000 };
const invocation: Invocation = { ...run, functionArn };
const result = { notification: "email-request", eventId: "e", messageIds: ["m"] };
const throttled = new TransientError("Throttled", "SES did not take the mail (Throttling).");
const refused = new PermanentError("MessageRejected", "SES did not take the mail (MessageRejected).");

function setUp(answer: (input: unknown) => unknown = () => result, park?: (record: FailureRecord) => Promise<void>) {
  const inputs: unknown[] = [];
  const runs: Run[] = [];
  const parked: FailureRecord[] = [];
  const { log, lines } = createRecords();
  const notify: SendNotification = (input, ofRun) => {
    inputs.push(input);
    runs.push(ofRun);
    const settlement = answer(input);
    return settlement instanceof Error ? Promise.reject(settlement) : Promise.resolve(result);
  };
  const handle = createDispatch({
    sendNotification: notify,
    park:
      park ??
      ((record) => {
        parked.push(record);
        return Promise.resolve();
      }),
    log,
  });
  return { handle: (input: unknown) => handle(input, invocation), inputs, runs, parked, lines };
}

describe("an event of a rule", () => {
  it("is mailed", async () => {
    const { handle, inputs, runs } = setUp();
    await expect(handle(businessEvent({}))).resolves.toEqual(result);
    expect(inputs).toEqual([businessEvent({})]);
    expect(runs).toEqual([run]);
  });

  it("that a later try can mail is Lambda's to retry, and is not parked here", async () => {
    const { handle, parked } = setUp(() => throttled);
    await expect(handle(businessEvent({}))).rejects.toBe(throttled);
    expect(parked).toEqual([]);
  });

  it.each(permanentFailureTypes)(
    "that no retry can mail is parked in its first run, with all that is known: %s",
    async (type) => {
      const failures = [{ recipient: hashRecipient("a@example.com"), type, message: "no." }];
      const { handle, parked, lines } = setUp(() => new PermanentError(type, "1 of 2 mails failed", { failures }));
      const event = businessEvent({ emailConfig: { recipient: ["a@example.com", "b@example.com"] } });
      const answer = await handle(event);
      expect(answer).toEqual({ parked: type });
      expect(parked).toEqual([
        {
          requestContext: { functionArn, condition: "Parked", approximateInvokeCount: 1 },
          requestPayload: event,
          responsePayload: { errorType: type, errorMessage: "1 of 2 mails failed" },
          failures,
        },
      ]);
      expect(failureRecordSchema.parse(parked[0])).toEqual(parked[0]);
      expect(JSON.stringify([answer, lines])).not.toContain("@");
    },
  );

  it("fails with its own failure where it can't be parked: Lambda tries again, and its destination is the net", async () => {
    const { handle, lines } = setUp(
      () => refused,
      () => Promise.reject(new RangeError("the queue is gone, a@example.com")),
    );
    await expect(handle(businessEvent({}))).rejects.toBe(refused);
    expect(lines).toMatchObject([{ level: "WARN", attributes: { failure: "MessageRejected", cause: "RangeError" } }]);
    expect(JSON.stringify(lines)).not.toContain("@");
  });

  it.each([
    ["has a field of the name Records", { ...businessEvent({}), Records: [] }],
    ["holds records of another source", { Records: [{ eventSource: "aws:sns", messageId: "m", body: "{}" }] }],
    ["is a failure record", failureRecord({})],
    ["is nothing", undefined],
    ["is null", null],
  ])("is taken for an event where it %s", async (_, input) => {
    const { handle, inputs } = setUp();
    await handle(input);
    expect(inputs).toEqual([input]);
  });
});

describe("a batch of the retry queue", () => {
  it("is mailed from Lambda's records and from bare events, all within the one run", async () => {
    const { handle, inputs, runs } = setUp();
    const event = businessEvent({ a: 1 });
    const other = businessEvent({ a: 2 });
    await expect(handle(sqsBatch({ body: failureRecord(event) }, { body: other }))).resolves.toEqual({
      batchItemFailures: [],
    });
    expect(inputs).toEqual([event, other]);
    expect(runs).toEqual([run, run]);
  });

  it("is worked on at once: an event that takes long does not keep the next one waiting", async () => {
    const forEver = () => new Promise<void>(() => undefined);
    const { handle, inputs } = setUp(() => refused, forEver);
    void handle(sqsBatch({ body: businessEvent(1) }, { body: businessEvent(2) }));
    await new Promise(setImmediate);
    expect(inputs).toEqual([businessEvent(1), businessEvent(2)]);
  });

  it("gives back what a later try can mail, and nothing else", async () => {
    const { handle, parked } = setUp((input) =>
      input === "busy" ? throttled : input === "bad" ? refused : input === "odd" ? new Error("x") : undefined,
    );
    const bodies = ["fine", "busy", "bad", "odd", "fine"].map((payload) => ({ body: failureRecord(payload) }));
    await expect(handle(sqsBatch(...bodies))).resolves.toEqual({
      batchItemFailures: [{ itemIdentifier: "m-2" }, { itemIdentifier: "m-4" }],
    });
    expect(parked.map(({ requestPayload }) => requestPayload)).toEqual(["bad"]);
  });

  it("parks what no retry can mail, with its reason and all of its tries", async () => {
    const { handle, parked } = setUp(() => refused);
    const event = businessEvent({ emailConfig: { recipient: "a@example.com" } });
    await expect(handle(sqsBatch({ body: failureRecord(event), receives: 4 }))).resolves.toEqual({
      batchItemFailures: [],
    });
    expect(parked).toEqual([
      {
        requestContext: {
          functionArn: `${functionArn}:$LATEST`,
          condition: "Parked",
          approximateInvokeCount: 7,
        },
        requestPayload: event,
        responsePayload: {
          errorType: "MessageRejected",
          errorMessage: "SES did not take the mail (MessageRejected).",
        },
      },
    ]);
    expect(failureRecordSchema.safeParse(parked[0]).success).toBe(true);
  });

  it("parks a record with the failures of this try, not those of an earlier one", async () => {
    const failures = [{ position: 2, type: "InvalidRecipient", message: "is empty" }];
    const settlements = [new PermanentError("InvalidRecipient", "x", { failures }), refused];
    const { handle, parked } = setUp(() => settlements.shift());
    const earlier = [{ recipient: "0123456789ab", type: "OutcomeUnknown", message: "earlier" }];
    const record = failureRecord(businessEvent({}), { failures: earlier });
    await handle(sqsBatch({ body: record }, { body: record }));
    expect(parked.map((each) => each.failures)).toEqual([failures, undefined]);
  });

  it("keeps count of how often a person has sent an event again", async () => {
    const { handle, parked } = setUp(() => refused);
    const once = failureRecord("x", {
      redrives: 2,
      requestContext: { condition: "Redriven", approximateInvokeCount: 9 },
    });
    await handle(sqsBatch({ body: once }));
    expect(parked).toMatchObject([{ redrives: 2, requestContext: { approximateInvokeCount: 10 } }]);
    // The event that was parked again is a record like any other.
    await handle(sqsBatch({ body: parked[0] }));
    expect(parked[1]).toMatchObject({ redrives: 2, requestContext: { approximateInvokeCount: 11 } });
  });

  it("reads the record of an event that never ran: it has no response", async () => {
    const { handle, inputs } = setUp();
    const { responsePayload: _1, responseContext: _2, ...never } = failureRecord("x");
    await handle(sqsBatch({ body: never }, { body: { ...never, responsePayload: null } }));
    expect(inputs).toEqual(["x", "x"]);
  });

  it("keeps an event that can't be parked, says so, and goes on", async () => {
    const { handle, inputs, lines } = setUp(
      () => refused,
      () => Promise.reject(new RangeError("the queue is gone, a@example.com")),
    );
    await expect(handle(sqsBatch({ body: failureRecord(1) }, { body: failureRecord(2) }))).resolves.toEqual({
      batchItemFailures: [{ itemIdentifier: "m-1" }, { itemIdentifier: "m-2" }],
    });
    expect(inputs).toEqual([1, 2]);
    expect(lines).toMatchObject([
      { level: "WARN", attributes: { messageId: "m-1", cause: "RangeError" } },
      { level: "WARN", attributes: { messageId: "m-2" } },
    ]);
    expect(JSON.stringify(lines)).not.toContain("@");
  });
});

describe("with the real sendNotification", () => {
  function real(sendMs = 0) {
    const clock = new FakeClock();
    const sent: string[] = [];
    const refusing = new Set<string>();
    const parked: FailureRecord[] = [];
    const records = createRecords();
    const handle = createDispatch({
      sendNotification: createSendNotification(
        dependencies({
          sendEmail: ({ recipient }) => {
            clock.time += sendMs;
            if (refusing.has(recipient)) return Promise.reject(refused);
            sent.push(recipient);
            return Promise.resolve({ messageId: recipient });
          },
          clock,
          ...records,
        }),
      ),
      park: (record) => {
        parked.push(record);
        return Promise.resolve();
      },
      log: records.log,
    });
    const run = (input: unknown) => handle(input, { endsAt: clock.now() + 30_000, functionArn });
    return { handle: run, sent, refusing, parked, ...records };
  }
  const eventTo = (recipient: string) => businessEvent({ emailConfig: { recipient } }, { id: `event-${recipient}` });

  it.each([
    ["is no JSON", "{"],
    ["is empty", ""],
    ["is a text", '"hello"'],
    ["is null", "null"],
    ["is a list", "[]"],
    ["is a record without an event", JSON.stringify(failureRecord(undefined))],
    ["is a record of something else", JSON.stringify({ requestContext: { condition: 7 }, requestPayload: {} })],
    ["is an event without a recipient", JSON.stringify(businessEvent({}))],
    ["is an event with a broken time", JSON.stringify({ ...eventTo("a@example.com"), time: "soon" })],
    ["is nested beyond any use", "[".repeat(100)],
  ])("parks a message whose body %s, as it came, and mails the others", async (_, body) => {
    const { handle, sent, parked } = real();
    await expect(handle(sqsBatch({ body, receives: 2 }, { body: eventTo("b@example.com") }))).resolves.toEqual({
      batchItemFailures: [],
    });
    expect(sent).toEqual(["b@example.com"]);
    expect(parked).toHaveLength(1);
    expect(parked[0]).toMatchObject({
      requestContext: { condition: "Parked" },
      responsePayload: { errorType: "InvalidEvent" },
    });
    const { requestPayload } = parked[0] as FailureRecord;
    let content: unknown = body;
    try {
      content = JSON.parse(body);
    } catch {
      // The content is no JSON, so it is parked as it came.
    }
    const isRecord = failureRecordSchema.safeParse(content).success;
    expect(requestPayload).toEqual(isRecord ? (content as FailureRecord).requestPayload : content);
  });

  it.each([
    ["a list", `${"[".repeat(20_000)}${"]".repeat(20_000)}`, "an input that is too large or too deep"],
    [
      "an event's detail",
      JSON.stringify(eventTo("a@example.com")).replace(
        '"detail":{',
        `"detail":{"deep":${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)},`,
      ),
      {
        id: "event-a@example.com",
        source: "custom.application",
        "detail-type": "Email Notification Request",
        time: "2026-11-24T09:00:00Z",
      },
    ],
  ])(
    "parks a message of thousands of levels without its depth, with a reason, and mails the others: %s",
    async (_, body, rest) => {
      for (const message of [
        body,
        `{"requestContext":{"condition":"RetriesExhausted","approximateInvokeCount":3},"requestPayload":${body}}`,
      ]) {
        const { handle, sent, parked } = real();
        const batch = sqsBatch({ body: message }, { body: eventTo("b@example.com") });
        await expect(handle(batch)).resolves.toEqual({ batchItemFailures: [] });
        expect(sent).toEqual(["b@example.com"]);
        expect(parked).toMatchObject([{ requestPayload: rest, responsePayload: { errorType: "InvalidEvent" } }]);
      }
      const direct = real();
      await expect(direct.handle(JSON.parse(body))).resolves.toEqual({ parked: "InvalidEvent" });
      expect(direct.parked).toMatchObject([{ requestPayload: rest }]);
    },
  );

  it.each([
    ["no attributes", { attributes: undefined }],
    ["a receive count that is none", { attributes: { ApproximateReceiveCount: "many" } }],
    ["no body", { body: undefined }],
    ["a body that is no text", { body: { a: 1 } }],
  ])("mails the others of a batch where one message has %s", async (_, changes) => {
    const { handle, sent, parked } = real();
    const { Records } = sqsBatch({ body: eventTo("a@example.com") }, { body: eventTo("b@example.com") });
    const [odd, fine] = Records;
    await expect(handle({ Records: [{ ...odd, ...changes }, fine] })).resolves.toEqual({ batchItemFailures: [] });
    // Unexpected attributes do not keep the mail back.
    expect(sent).toEqual("body" in changes ? ["b@example.com"] : ["a@example.com", "b@example.com"]);
    expect(parked).toHaveLength("body" in changes ? 1 : 0);
  });

  it("mails by a redrive of the parked record whom the event did not reach, and nobody else", async () => {
    const { handle, sent, parked, refusing } = real();
    const event = businessEvent({ emailConfig: { recipient: ["a", "b", "c"].map((name) => `${name}@example.com`) } });
    refusing.add("b@example.com");
    await expect(handle(event)).resolves.toEqual({ parked: "MessageRejected" });
    expect(sent).toEqual(["a@example.com", "c@example.com"]);
    refusing.clear();
    await handle(sqsBatch({ body: { ...parked[0], redrives: 1 } }));
    expect(sent).toEqual(["a@example.com", "c@example.com", "b@example.com"]);
    expect(parked).toHaveLength(1);
  });

  it("mails as many as the run has time for, and gives the rest back unclaimed", async () => {
    const { handle, sent, parked } = real(10_000);
    const batch = sqsBatch(...["a", "b", "c", "d", "e"].map((name) => ({ body: eventTo(`${name}@example.com`) })));
    await expect(handle(batch)).resolves.toEqual({
      batchItemFailures: [{ itemIdentifier: "m-4" }, { itemIdentifier: "m-5" }],
    });
    expect(sent).toHaveLength(3);
    expect(parked).toEqual([]);
    await expect(handle({ Records: batch.Records.slice(3) })).resolves.toEqual({ batchItemFailures: [] });
    expect(sent).toHaveLength(5);
  });

  it("mails once what a batch holds twice", async () => {
    const { handle, sent, counted } = real();
    const event = eventTo("a@example.com");
    await handle(sqsBatch({ body: event }, { body: failureRecord(event) }));
    expect(sent).toEqual(["a@example.com"]);
    expect(counted).toEqual(["sent email-request", "duplicate email-request"]);
  });
});

describe("an event that is too large for a record of its failure", () => {
  const detail = { emailConfig: { recipient: "a@example.com" } };
  const huge = businessEvent({ ...detail, message: "ü".repeat(mostEventBytes / 2) });
  const mustNotSend = () => Promise.reject(new Error("nothing is to be sent"));

  it.each([
    ["an event", huge, { id: huge.id, source: huge.source, "detail-type": huge["detail-type"], time: huge.time }],
    ["no event at all", "x".repeat(mostEventBytes), "an input that is too large or too deep"],
    [
      "an event whose id alone is too large",
      { ...huge, id: "x".repeat(mostEventBytes) },
      "an input that is too large or too deep",
    ],
  ])("is refused and parked in part: %s", async (_, input, rest) => {
    const parked: FailureRecord[] = [];
    const records = createRecords();
    const handle = createDispatch({
      sendNotification: createSendNotification(dependencies({ sendEmail: mustNotSend, ...records })),
      park: (record) => {
        parked.push(record);
        return Promise.resolve();
      },
      log: records.log,
    });
    await expect(handle(input, invocation)).resolves.toEqual({ parked: "InvalidEvent" });
    expect(parked).toEqual([
      {
        requestContext: { functionArn, condition: "Parked", approximateInvokeCount: 1 },
        requestPayload: rest,
        responsePayload: { errorType: "InvalidEvent", errorMessage: expect.any(String) as string },
      },
    ]);
    expect(records.lines).toMatchObject([{ level: "ERROR", attributes: { failure: "InvalidEvent" } }]);
  });

  it("fails where it can't be parked: Lambda tries it again", async () => {
    const { handle } = setUp(
      () => refused,
      () => Promise.reject(new Error("no queue")),
    );
    await expect(handle(huge)).rejects.toBe(refused);
  });

  it("is one byte larger than the largest that is mailed", async () => {
    const free = mostEventBytes - bytesOfEvent(businessEvent(detail, { resources: [""] }));
    const ofBallast = (bytes: number) => businessEvent(detail, { resources: ["x".repeat(bytes)] });
    const endsAt = startOfTime + 30_000;
    const notify = createSendNotification(dependencies({ sendEmail: () => Promise.resolve({ messageId: "m" }) }));
    await expect(notify(ofBallast(free), { endsAt })).resolves.toMatchObject({ messageIds: ["m"] });
    await expect(notify(ofBallast(free + 1), { endsAt })).rejects.toThrow(
      "The event has 245761 bytes, and at most 245760 are mailed: put the content elsewhere, and mail a link to it.",
    );
  });
});

describe("a body that is no record", () => {
  it.each([
    ["a text", "hello", "hello"],
    ["a bare event", businessEvent({}), businessEvent({})],
    ["an older version's record", { requestContext: { condition: 7 } }, { requestContext: { condition: 7 } }],
  ])("is parked as an event of this function, with its tries in the queue: %s", async (_, body, requestPayload) => {
    const { handle, parked } = setUp(() => refused);
    await handle(sqsBatch({ body, receives: 2 }));
    expect(parked).toEqual([
      {
        requestContext: { functionArn, condition: "Parked", approximateInvokeCount: 2 },
        requestPayload,
        responsePayload: { errorType: refused.name, errorMessage: refused.message },
      },
    ]);
  });

  it("is taken as it is where it is no text", async () => {
    const { handle, inputs } = setUp();
    const [message] = sqsBatch({ body: "" }).Records;
    await handle({ Records: [{ ...message, body: ["7"] }] });
    expect(inputs).toEqual([["7"]]);
  });
});

it("counts a message whose number of tries is not told as its first", async () => {
  const { handle, parked } = setUp(() => refused);
  const [message] = sqsBatch({ body: failureRecord("x") }).Records;
  await handle({ Records: [{ ...message, attributes: undefined }] });
  expect(parked).toMatchObject([{ requestContext: { approximateInvokeCount: 4 } }]);
});

it("says what becomes of an event that could not be parked", async () => {
  const { handle, lines } = setUp(
    () => refused,
    () => Promise.reject(new Error("x")),
  );
  await handle(sqsBatch({ body: "hello" }));
  expect(lines.map(({ message }) => message)).toEqual([
    "The event could not be parked: it stays where it is, and a later try parks it",
  ]);
});
