import { type ClaimState } from "../../../operations/dead-letters/claims";
import { type ParkedMessage } from "../../../operations/dead-letters/parked-message";
import { redrive, type RedriveOptions } from "../../../operations/dead-letters/redrive";
import { maximumRedrives } from "../../../stacks/delivery-windows";
import { businessEvent, failureRecord } from "../../support/notify";
import { park, request, targetAttributes } from "../../support/parked";

const failed = (errorType: string, overrides: object = {}, event: unknown = request({ idempotencyKey: "order-7" })) =>
  park(failureRecord(event, { responsePayload: { errorType, errorMessage: "x" }, ...overrides }));
const unknownOutcome = failed("OutcomeUnknown");

/** Redrives one message, and tells what was done in which order. */
async function run(
  parked: ParkedMessage,
  {
    options = {},
    claims = [],
    breaks,
  }: { options?: Partial<RedriveOptions>; claims?: ClaimState[]; breaks?: "send" | "remove" | "releaseClaims" } = {},
) {
  const done: string[] = [];
  const sent: { lane: string; body: unknown }[] = [];
  const act = (name: string) => {
    if (name === breaks) return Promise.reject(new Error(`${name} is down`));
    done.push(name);
    return Promise.resolve();
  };
  const [result] = await redrive(
    [parked],
    { dryRun: false, resendUnknown: false, ...options },
    {
      send: async (lane, body) => {
        await act("send");
        sent.push({ lane, body: JSON.parse(body) });
      },
      remove: () => act("remove"),
      readClaims: () => act("readClaims").then(() => claims),
      releaseClaims: () => act("releaseClaims").then(() => claims),
    },
  );
  return { result, done, sent };
}

describe("a redrive", () => {
  it("sends the whole record with one redrive more to its lane, before it deletes the message", async () => {
    const record = failureRecord(request({ idempotencyKey: "order-7" }), {
      responsePayload: { errorType: "MessageRejected" },
    });
    const { result, done, sent } = await run(park({ ...record, redrives: 1 }));
    expect(sent).toEqual([{ lane: "standard", body: { ...record, redrives: 2 } }]);
    expect(done).toEqual(["send", "remove"]);
    expect(result).toMatchObject({ outcome: "redriven", lane: "standard", redrives: 2 });
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
    expect(result).toMatchObject({ outcome: "would-redrive", redrives: 1 });
  });

  it("keeps the message where the send fails", async () => {
    const { result, done } = await run(failed("MessageRejected"), { breaks: "send" });
    expect(done).toEqual([]);
    expect(result).toMatchObject({
      outcome: "failed",
      note: "Nothing was sent, it stays parked: Error: send is down",
    });
  });

  it("says so where the message was sent, and could not be removed", async () => {
    const { result, done } = await run(failed("MessageRejected"), { breaks: "remove" });
    expect(done).toEqual(["send"]);
    expect(result).toMatchObject({ outcome: "not-removed", note: expect.stringContaining("in both queues") as string });
  });

  it("warns of an event that would be refused again", async () => {
    const { result } = await run(failed("InvalidEvent", {}, businessEvent({ title: "to nobody" })));
    expect(result).toMatchObject({
      outcome: "redriven",
      note: expect.stringContaining("It will be parked again: The event does not fit") as string,
    });
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
    ["a mail that may be out", unknownOutcome, "Its mail may be out"],
  ])("refuses %s", async (_, parked, says) => {
    for (const dryRun of [true, false]) {
      const { result, done } = await run(parked, { options: { dryRun } });
      expect(done).toEqual([]);
      expect(result).toMatchObject({ outcome: "refused", note: expect.stringContaining(says) as string });
    }
  });

  it("stops at the cap, and not before it", async () => {
    const { result } = await run(failed("MessageRejected", { redrives: maximumRedrives - 1 }));
    expect(result).toMatchObject({ outcome: "redriven", redrives: maximumRedrives });
  });
});

describe("a redrive of a mail that may be out, on a person's word", () => {
  const resendUnknown = true;

  it.each<[ClaimState[], string]>([
    [[{ state: "released" }], "1 claim released: a mail whose outcome was unknown is sent"],
    [
      [{ state: "released" }, { state: "sent", messageId: "m-1" }],
      "1 claim sent: stays, this mail is out (message m-1)",
    ],
    [[{ state: "free" }, { state: "free" }], "2 claim free: its mail is sent as any other"],
  ])("releases claims first, and tells of them: %j", async (claims, note) => {
    const { result, done } = await run(unknownOutcome, { options: { resendUnknown }, claims });
    expect(done).toEqual(["releaseClaims", "send", "remove"]);
    expect(result).toMatchObject({ outcome: "redriven", claims, note: expect.stringContaining(note) as string });
  });

  it("only looks at them in a dry run", async () => {
    const { result, done } = await run(unknownOutcome, {
      options: { resendUnknown, dryRun: true },
      claims: [{ state: "unknown" }],
    });
    expect(done).toEqual(["readClaims"]);
    expect(result).toMatchObject({
      outcome: "would-redrive",
      note: expect.stringContaining("would be released") as string,
    });
  });

  it("refuses while a run holds one", async () => {
    const { result, done } = await run(unknownOutcome, {
      options: { resendUnknown },
      claims: [{ state: "unknown" }, { state: "held" }],
    });
    expect(done).toEqual(["releaseClaims"]);
    expect(result).toMatchObject({
      outcome: "refused",
      note: expect.stringContaining("A run of the function is sending it") as string,
    });
  });

  it("sends nothing where the claims can't be reached", async () => {
    const { result, done } = await run(unknownOutcome, { options: { resendUnknown }, breaks: "releaseClaims" });
    expect(done).toEqual([]);
    expect(result).toMatchObject({ outcome: "failed" });
  });

  it("leaves the claims of a known failure alone", async () => {
    const { done } = await run(failed("MessageRejected"), { options: { resendUnknown } });
    expect(done).toEqual(["send", "remove"]);
  });
});

it("begins nothing more once it is told to stop", async () => {
  const sent: string[] = [];
  const messages = ["a", "b", "c"].map((messageId) => park(failureRecord(request()), { messageId }));
  const nothing = () => Promise.resolve([]);
  const results = await redrive(
    messages,
    { dryRun: false, resendUnknown: false },
    {
      send: () => Promise.resolve(),
      remove: (id) => Promise.resolve(void sent.push(id)),
      readClaims: nothing,
      releaseClaims: nothing,
    },
    () => sent.length < 2,
  );
  expect(sent).toEqual(["a", "b"]);
  expect(results.map(({ parked }) => parked.messageId)).toEqual(["a", "b"]);
});
