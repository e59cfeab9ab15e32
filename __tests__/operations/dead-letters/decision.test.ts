import { hashRecipient } from "../../../handler/contract/recipient-hash";
import { decideDiscard, decideRedrive, describeRefusal, type Wishes } from "../../../operations/dead-letters/decision";
import { type Mails, type ParkedMail } from "../../../operations/dead-letters/mails";
import { type ParkedMessage } from "../../../operations/dead-letters/parked-message";
import { businessEvent, failureRecord } from "../../support/send-notification";
import { jane, park, request, targetAttributes } from "../../support/parked";

const wishes: Wishes = { resendUnknown: false, giveUp: false, recipients: new Set() };
const failed = (errorType = "Throttled", event: unknown = request()) =>
  park(failureRecord(event, { responsePayload: { errorType, errorMessage: "x" } }));
const janeHash = hashRecipient(jane);
const mail = (state: ParkedMail["state"], overrides: Partial<ParkedMail> = {}): ParkedMail => ({
  recipient: janeHash,
  claim: "claim-1",
  state,
  isOther: false,
  failure: undefined,
  isForbidden: false,
  ...overrides,
});
const mailsOf = (list: readonly ParkedMail[], overrides: Partial<Mails> = {}): Mails => ({
  eventId: "e-1",
  list,
  refused: [],
  ...overrides,
});
const [ann, bob] = [{ recipient: "ann's hash" }, { recipient: "bob's hash" }] as const;
const badEntries = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ position: index + 1, problem: "is empty" }));

/** Where a redrive is refused: all that is said. */
function refusalOf(parked: ParkedMessage, mails: Mails, asked: Partial<Wishes> = {}) {
  const decision = decideRedrive(parked, mails, { ...wishes, ...asked });
  return decision.kind === "refuse" ? decision.refusal : decision.kind;
}

function warningOf(mails: Mails, asked: Partial<Wishes> = {}) {
  const decision = decideRedrive(failed(), mails, { ...wishes, ...asked });
  return decision.kind === "redrive" ? decision.warning : decision;
}

describe("what is said of a refusal", () => {
  it("is the cause as a sentence, and the advice", () => {
    expect(describeRefusal({ cause: "nobody listens", advice: "Try again." })).toBe("Nobody listens. Try again.");
    expect(describeRefusal({ cause: "does it?", advice: "Try again." })).toBe("Does it? Try again.");
    expect(describeRefusal({ cause: "detail.idempotencyKey: Too long", advice: "Try again." })).toBe(
      "detail.idempotencyKey: Too long. Try again.",
    );
  });

  it("is the advice alone where there is no cause, or a reader has it before him", () => {
    expect(describeRefusal({ advice: "Try again." })).toBe("Try again.");
    expect(describeRefusal({ cause: "no", advice: "Try again." }, ["Parked: no"])).toBe("Try again.");
    expect(describeRefusal({ cause: "no", advice: "Try again." }, ["something else"])).toBe("No. Try again.");
  });
});

describe("a redrive", () => {
  it("sends a mail that is not out to its lane, counts, and warns of nothing", () => {
    const parked = failed();
    expect(decideRedrive(parked, mailsOf([mail("free")]), wishes)).toEqual({
      kind: "redrive",
      lane: "standard",
      body: JSON.stringify({ ...parked.record, redrives: 1 }),
      redrives: 1,
      release: [],
    });
  });

  it("is refused where no notification takes the event, or there is no record to send", () => {
    const says = { advice: "No notification takes this event: add one to handler/notifications and deploy it first." };
    expect(refusalOf({ ...failed(), notification: undefined }, mailsOf([mail("free")]))).toEqual(says);
    expect(refusalOf({ ...failed(), record: undefined }, mailsOf([mail("free")]))).toEqual(says);
  });

  it("is refused where this checkout makes no mail of the event, with its reason where it has one", () => {
    const advice =
      "It would be parked again. Its producer has to put a corrected event; or change the notification so that it takes this one, deploy it, and redrive then.";
    const mails = mailsOf([mail("free")]);
    expect(refusalOf({ ...failed(), prepared: undefined }, mails)).toEqual({ advice });
    expect(refusalOf({ ...failed(), refusal: "too large" }, mails)).toEqual({ advice, cause: "too large" });
  });

  it("is refused where its event is nested too deeply for JSON", () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    const parked = failed();
    expect(refusalOf({ ...parked, record: { ...parked.record, deep } }, mailsOf([mail("free")]))).toEqual({
      advice: "Its event is nested too deeply to be sent again. Its producer has to put a flatter one.",
    });
  });

  it("finishes what is out, and only where the claims say so for every mail", () => {
    expect(refusalOf(failed(), mailsOf([mail("sent")]))).toBe("finish");
    expect(refusalOf(failed(), mailsOf([mail("sent"), mail("free")]))).toBe("redrive");
    expect(refusalOf(failed(), mailsOf([mail("sent")], { unread: "down" }))).toBe("redrive");
  });

  it("warns where the claims can't be read, and releases none then", () => {
    const unread = mailsOf([mail("unread")], { unread: "the table is down" });
    expect(warningOf(unread)).toBe(
      "Its claims could not be read (the table is down): whether anything is left to send is not known. What is out is not sent again.",
    );
    expect(refusalOf(failed(), unread, { resendUnknown: true })).toEqual({
      cause: "the claims could not be read (the table is down)",
      advice: "No mail was released.",
    });
    expect(refusalOf(failed("OutcomeUnknown"), unread)).toEqual({
      cause: "the claims could not be read (the table is down)",
      advice: "A mail of it may be out, as its record says; which one is not known.",
    });
  });

  it("says that there is nothing to release, and for whom that was asked", () => {
    const mails = mailsOf([mail("free")]);
    expect(refusalOf(failed(), mails, { resendUnknown: true })).toEqual({
      advice: "No mail of it is unknown, so there is nothing to release: --redrive sends what is not out.",
    });
    expect(refusalOf(failed(), mails, { resendUnknown: true, recipients: new Set(["x"]) })).toEqual({
      advice:
        "No mail of it to these recipients is unknown, so there is nothing to release: --redrive sends what is not out.",
    });
  });

  it("releases the unknown mails that it is asked for, and none to a recipient who is not on the allow-list", () => {
    const toAnn = mail("unknown", ann);
    const toBob = mail("unknown", { ...bob, isForbidden: true });
    const decision = decideRedrive(failed(), mailsOf([toAnn, toBob]), { ...wishes, resendUnknown: true });
    expect(decision).toMatchObject({ kind: "redrive", release: [toAnn] });
  });

  it("warns of each reason for which the event will be parked again, and says what is sent before", () => {
    const sent = `It is sent to ${janeHash}, and then parked again for the rest:`;
    expect(warningOf(mailsOf([mail("free")]))).toBeUndefined();
    expect(warningOf(mailsOf([mail("free"), mail("unknown", ann), mail("unknown", bob)]))).toBe(
      `${sent} ann's hash, bob's hash may be out or not, and stays unknown.`,
    );
    expect(warningOf(mailsOf([mail("free"), mail("free", { ...bob, isForbidden: true })]))).toBe(
      `${sent} bob's hash is not on the allow-list of this stage.`,
    );
    expect(warningOf(mailsOf([mail("free")], { refused: badEntries(1) }))).toBe(
      `${sent} 1 entry of its list of recipients can't be mailed.`,
    );
    expect(warningOf(mailsOf([mail("free"), mail("unknown", ann)], { refused: badEntries(2) }))).toBe(
      `${sent} ann's hash may be out or not, and stays unknown; 2 entries of its list of recipients can't be mailed.`,
    );
  });

  it("of mails that are all out is refused, with what is left for the producer to do", () => {
    const discard = "Every mail of it is out, so nothing is left to send: --discard removes the record.";
    const out = [mail("sent", ann), mail("sent", bob)];
    const resend = mailsOf(out, { refused: badEntries(1) });
    expect(refusalOf(failed(), resend)).toEqual({
      advice: `${discard} For 1 entry of its list of recipients its producer has to put a corrected event.`,
    });
    expect(refusalOf(failed(), mailsOf(out, { refused: badEntries(2) }))).toEqual({
      advice: `${discard} For 2 entries of its list of recipients its producer has to put a corrected event.`,
    });
    expect(refusalOf(failed(), mailsOf([mail("sent", ann), mail("sent", { ...bob, isOther: true })]))).toEqual({
      advice: `${discard} bob's hash: what is out says something else under the same idempotency key; its producer has to put a new event with a new key.`,
    });
  });
});

describe("a discard", () => {
  const discardOf = (parked: ParkedMessage, mails: Mails, asked: Partial<Wishes> = {}) =>
    decideDiscard(parked, mails, { ...wishes, ...asked });

  it("of what no mail follows from is free", () => {
    const free = { kind: "discard", note: "No mail follows from it." };
    expect(discardOf(park("hello"), mailsOf([]))).toEqual(free);
    const feedback = park(businessEvent({}, { source: "aws.ses" }), { attributes: targetAttributes("feedback-rule") });
    expect(discardOf(feedback, mailsOf([]))).toEqual(free);
  });

  it("of an event of which no mail can be made needs a person's word, for the whole event", () => {
    const parked = { ...failed("TemplateMissing"), refusal: "no template" };
    expect(discardOf(parked, mailsOf([]))).toMatchObject({ kind: "refuse" });
    expect(discardOf(parked, mailsOf([]), { giveUp: true })).toEqual({
      kind: "discard",
      note: "Given up: the event, of which this checkout can make no mail. No template.",
    });
    expect(discardOf(parked, mailsOf([]), { giveUp: true, recipients: new Set([janeHash]) })).toMatchObject({
      kind: "refuse",
    });
  });

  it("of an event that no retry can mend needs none", () => {
    expect(discardOf({ ...failed("InvalidEvent"), refusal: "no title" }, mailsOf([]))).toEqual({
      kind: "discard",
      note: "Given up: the event, of which this checkout can make no mail. No title.",
    });
  });

  it("of a mail that is out says so, and names nobody as given up", () => {
    expect(discardOf(failed(), mailsOf([mail("sent")]))).toEqual({ kind: "discard", note: "1 of 1 mail is out." });
  });

  it("of a mail that somebody may wait for needs a person's word, and says how to give it", () => {
    const mails = mailsOf([mail("sent", ann), mail("free", bob)]);
    expect(discardOf(failed(), mails)).toEqual({
      kind: "refuse",
      refusal: {
        advice:
          "1 of 2 mails is out; bob's hash: not out. That is neither out nor known to be undeliverable: bob's hash. To give it up: --give-up (a --filter recipient=<hash> narrows it to that mail).",
      },
    });
    expect(discardOf(failed(), mails, { giveUp: true })).toEqual({
      kind: "discard",
      note: "1 of 2 mails is out; bob's hash: not out. Given up: bob's hash.",
    });
  });

  it("where the claims can't be read says that nobody knows what is out", () => {
    const unread = mailsOf([mail("unread")], { unread: "the table is down" });
    expect(discardOf(failed(), unread)).toEqual({
      kind: "refuse",
      refusal: {
        advice:
          "How many of 1 mail went out is not known: the claims could not be read (the table is down). To give it up all the same: --give-up.",
      },
    });
  });
});
