import { noticeOf } from "../../src/gateway/notice";

const ses = (eventType: string, part: Readonly<Record<string, unknown>> = {}) => ({ eventType, mail: {}, ...part });
const bouncedRecipients = [
  { emailAddress: "a@example.com", diagnosticCode: "smtp; 550 5.1.1 user unknown" },
  { emailAddress: "b@example.com" },
];

describe("the bad news that an event brings", () => {
  it.each([
    [
      "a bounce",
      ses("Bounce", { bounce: { bounceType: "Permanent", bouncedRecipients } }),
      { kind: "bounced", text: "a@example.com, b@example.com: smtp; 550 5.1.1 user unknown" },
    ],
    [
      "a bounce without a diagnosis",
      ses("Bounce", {
        bounce: { bounceType: "Transient", bounceSubType: "General", bouncedRecipients: bouncedRecipients.slice(1) },
      }),
      { kind: "bounced", text: "b@example.com: Transient: General" },
    ],
    [
      "a complaint",
      ses("Complaint", {
        complaint: { complainedRecipients: [{ emailAddress: "a@example.com" }], complaintFeedbackType: "abuse" },
      }),
      { kind: "complained", text: "a@example.com: abuse" },
    ],
    ["a reject", ses("Reject", { reject: { reason: "Bad content" } }), { kind: "rejected", text: "Bad content" }],
    [
      "a rendering failure",
      ses("Rendering Failure", { failure: { templateName: "welcome", errorMessage: "no 'name'" } }),
      { kind: "unrendered", text: "welcome: no 'name'" },
    ],
    [
      "a delay",
      ses("DeliveryDelay", {
        deliveryDelay: { delayType: "MailboxFull", delayedRecipients: [{ emailAddress: "a@example.com" }] },
      }),
      { kind: "delayed", text: "a@example.com: MailboxFull" },
    ],
    ["one that says nothing more", ses("Bounce"), { kind: "bounced", text: "SES gives no reason" }],
  ])("is SES's: %s", (_, detail, notice) => {
    expect(noticeOf("aws.ses", detail)).toEqual(notice);
  });

  it("is the reason of a failed invocation", () => {
    const detail = {
      requestContext: { condition: "RetriesExhausted" },
      requestPayload: { id: "an event" },
      responsePayload: { errorType: "InvalidEvent", errorMessage: "no recipient" },
    };
    expect(noticeOf("lambda", detail)).toEqual({ kind: "failure", text: "InvalidEvent: no recipient" });
  });

  it.each([
    ["a mail that was sent", "aws.ses", ses("Send")],
    ["a mail that was delivered", "aws.ses", ses("Delivery", { delivery: {} })],
    ["an event type that is an object's own", "aws.ses", ses("constructor")],
    ["a business event that has such a field", "shop", ses("Bounce", { bounce: {} })],
    [
      "an invocation that succeeded",
      "lambda",
      { requestContext: { condition: "Success" }, requestPayload: { id: "an event" }, responsePayload: {} },
    ],
  ])("is none: %s", (_, source, detail) => {
    expect(noticeOf(source, detail)).toBeUndefined();
  });
});
