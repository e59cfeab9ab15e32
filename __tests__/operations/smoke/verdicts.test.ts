import { exitCodes } from "../../../operations/command";
import { isOfRun } from "../../../operations/smoke/clean-up";
import {
  describeFeedback,
  mailsSentFor,
  missingFeedback,
  parseJson,
  readFeedback,
} from "../../../operations/smoke/feedback";
import { costsOf } from "../../../operations/smoke/report";
import { identityAnswer, policySize, sesSandboxAnswer, settleFacts } from "../../../operations/smoke/settled";
import { replayedMail } from "../../../operations/smoke/plan";
import { type MailSeen, sentBefore, type TrialContext } from "../../../operations/smoke/trials";
import { exitCodeOf, failed, held, judge, type TrialResult, unseen, waitUntil } from "../../../operations/smoke/trial";

const line = (detailType: string, messageId: string, eventId: string, bounceSubType?: string) =>
  JSON.stringify({
    "detail-type": detailType,
    detail: {
      mail: { messageId, tags: { eventId: [eventId] } },
      ...(bounceSubType === undefined ? {} : { bounce: { bounceSubType } }),
    },
  });

describe("SES's events", () => {
  const events = readFeedback([
    line("Email Sent", "m1", "e1"),
    "no JSON",
    "{}",
    line("Email Bounced", "m1", "e1", "Suppressed"),
    line("Email Sent", "m2", "e2"),
    line("Email Sent", "m1", "e1"),
  ]);

  it("are read from the feedback log, without other lines", () => {
    expect(events).toHaveLength(4);
    expect(describeFeedback(events)).toBe("Email Sent, Email Bounced (Suppressed)");
    expect(describeFeedback([])).toBe("nothing");
  });

  it("have to be those of the fate that the address asks for", () => {
    expect(missingFeedback("bounce", events)).toEqual([]);
    expect(missingFeedback("suppression", events)).toEqual([]);
    expect(missingFeedback("success", events)).toEqual(["Email Delivered"]);
    expect(missingFeedback("complaint", [])).toEqual(["Email Sent", "Email Complaint Received"]);
  });

  it("count the mails of some events, each once", () => {
    expect(mailsSentFor(["e1"], events)).toEqual(["m1"]);
    expect(mailsSentFor(["e1", "e2"], events)).toEqual(["m1", "m2"]);
    expect(mailsSentFor(["e3"], events)).toEqual([]);
  });
});

describe("the exit code", () => {
  const results = (...verdicts: Omit<TrialResult, "trial">[]) => verdicts.map((each) => ({ trial: "t", ...each }));

  it.each([
    ["all held", results(held("")), exitCodes.well],
    ["some can't be seen here", results(held(""), unseen("")), exitCodes.well],
    ["one failed", results(held(""), failed("", ""), unseen("")), exitCodes.problems],
    ["nothing was seen", results(unseen("")), exitCodes.problems],
    ["nothing was tried", [], exitCodes.problems],
  ])("%s", (_, all, code) => {
    expect(exitCodeOf(all)).toBe(code);
  });

  it("counts a trial that rejects as failed, and one that was interrupted as not seen", async () => {
    expect(await judge(() => Promise.reject(new Error("no right")))).toMatchObject({
      status: "failed",
      finding: "Error: no right",
    });
    const signal = AbortSignal.abort();
    const looking = () =>
      waitUntil(
        () => Promise.resolve(held("")),
        () => false,
        { most: 1000, every: 1, signal },
      );
    expect(await judge(looking)).toEqual(unseen("Interrupted."));
  });
});

it("waits until it has seen enough, and gives what it saw last where the time is over", async () => {
  const waiting = { most: 5000, every: 1, signal: new AbortController().signal };
  let looks = 0;
  const look = () => Promise.resolve((looks += 1));
  expect(await waitUntil(look, (seen) => seen === 3, waiting)).toBe(3);
  expect(await waitUntil(look, () => false, { ...waiting, most: 0 })).toBe(4);
});

describe("what nobody could settle without an account", () => {
  it("counts a policy's characters as IAM does, without white space", () => {
    const Condition = { StringEquals: { "ses:FromAddress": ["a@example.com"] } };
    const policy = { Statement: [{ Effect: "Allow" }, { Effect: "Allow", Condition }] };
    expect(policySize(JSON.stringify(policy, null, 4))).toEqual({
      all: JSON.stringify(policy).length,
      conditions: JSON.stringify(Condition).length,
    });
    expect(policySize(JSON.stringify({ Statement: [{}] })).conditions).toBe(0);
  });

  it("says which identity IAM checks only where just one can be meant", () => {
    const known = { address: "a@shop.example", hasAddress: true, hasDomain: false, isSent: true };
    expect(identityAnswer(known)).toMatchObject({
      status: "void",
      answer: expect.stringContaining("the address") as string,
    });
    expect(identityAnswer({ ...known, hasAddress: false, hasDomain: true })).toMatchObject({
      status: "void",
      answer: expect.stringContaining("shop.example") as string,
    });
    for (const other of [{ hasDomain: true }, { hasAddress: false }, { isSent: false }]) {
      expect(identityAnswer({ ...known, ...other }).status).toBe("open");
    }
  });

  it("says that the SES sandbox lets the simulator through only where both were seen", () => {
    expect(sesSandboxAnswer(true, true).status).toBe("settled");
    expect(sesSandboxAnswer(true, false).status).toBe("open");
    expect(sesSandboxAnswer(undefined, true).status).toBe("open");
    expect(sesSandboxAnswer(false, true).status).toBe("void");
  });
});

describe("the claim of an event that is replayed", () => {
  const claimId = "claim-of-the-bounce";

  /** @returns the claims that stay once the facts are settled. */
  async function claimsKept(functionLinesAbout: () => Promise<readonly object[]>): Promise<readonly string[]> {
    const replayed = new Set<string>();
    const world = {
      stage: { isSandbox: true },
      startReplay: () => Promise.resolve(),
      replayState: () => Promise.resolve("RUNNING"),
      functionLinesAbout,
    };
    const waiting = { most: 0, every: 1, signal: new AbortController().signal };
    const mail = { name: replayedMail, claimId, event: { time: "2026-11-27T06:47:26Z" }, notification: {} };
    const seen = [{ mail, eventId: "e1", claim: { state: "sent", messageId: "m1" } }] as unknown as MailSeen[];
    await settleFacts({ world, waiting, replayed } as unknown as TrialContext, seen, true);
    return [...replayed];
  }

  it("stays where the function has not seen the event, and where a person interrupts", async () => {
    expect(await claimsKept(() => Promise.resolve([]))).toEqual([claimId]);
    expect(await claimsKept(() => Promise.reject(new DOMException("", "AbortError")))).toEqual([claimId]);
  });

  it("is removed with the others where the function has seen it", async () => {
    expect(await claimsKept(() => Promise.resolve([{ message: sentBefore, eventId: "e1" }]))).toEqual([]);
  });
});

it("knows the events of a run in each form in which one is parked, and no other", () => {
  const event = { detail: { idempotencyKey: "smoke-run1-4" } };
  const forms = [event, { requestPayload: event }, { source: "lambda", detail: { requestPayload: event } }];
  for (const form of forms) {
    expect(isOfRun(JSON.stringify(form), "run1")).toBe(true);
    expect(isOfRun(JSON.stringify(form), "run")).toBe(false);
  }
  for (const text of ["", "smoke-run1-4", '"smoke-run1-4"', JSON.stringify({ detail: { title: "smoke-run1-4" } })]) {
    expect(isOfRun(text, "run1")).toBe(false);
  }
  expect(parseJson("{")).toBeUndefined();
});

it("costs less than a cent", () => {
  const { usd } = costsOf(8, 10);
  expect(usd).toBeGreaterThan(0);
  expect(usd).toBeLessThan(0.01);
});
