import fc from "fast-check";
import { type ParkedMessage } from "../../../operations/dead-letters/parked-message";
import { failureRecord, startOfTime } from "../../support/send-notification";
import { jane, movedBySqs, park, parkedStage, request, targetAttributes } from "../../support/parked";
import { exampleAccountId } from "../../../stacks/stages";

const { config } = parkedStage;
const eventId = request().id;
const failed = (errorType: string, errorMessage = "the reason") => ({ responsePayload: { errorType, errorMessage } });
const onBus = (record: object) => ({
  id: "of-lambda",
  source: "lambda",
  "detail-type": "Lambda Function Invocation Result - Failure",
  time: "2026-11-24T09:04:00Z",
  detail: record,
});
const alert = request({ priority: "high" }, { "detail-type": "Priority Alert" });
const neverRan = failureRecord(request(), {
  requestContext: { condition: "EventAgeExceeded", approximateInvokeCount: 0 },
  responsePayload: undefined,
});

interface Expected {
  readonly format: ParkedMessage["format"];
  readonly type: string;
  /** A part of the reason. */
  readonly says: string;
  readonly attempts: number | undefined;
  readonly redrives?: number;
  readonly notification?: string;
}

describe("a parked message", () => {
  it.each<[string, ParkedMessage, Expected]>([
    [
      "that EventBridge could not deliver",
      park(request(), { attributes: targetAttributes("email-rule", { RETRY_ATTEMPTS: "185" }) }),
      { format: "event-target", type: "NO_PERMISSIONS", says: "target of email-rule: Not allowed", attempts: 186 },
    ],
    [
      "whose record EventBridge could not deliver to the retry queue",
      park(onBus({ ...failureRecord(request()), redrives: 2 }), { attributes: targetAttributes("retry-rule") }),
      { format: "event-target", type: "NO_PERMISSIONS", says: "(Before that: Throttled.", attempts: 3, redrives: 2 },
    ],
    [
      "whose record EventBridge could not deliver, as its target would have got it",
      park(failureRecord(request()), { attributes: targetAttributes("retry-rule") }),
      { format: "event-target", type: "NO_PERMISSIONS", says: "target of retry-rule", attempts: 3 },
    ],
    [
      "that the dead-letter rule brought: Lambda's record",
      park(failureRecord(request(), { ...failed("MessageRejected"), redrives: 1 })),
      { format: "failure-record", type: "MessageRejected", says: "the reason", attempts: 3, redrives: 1 },
    ],
    [
      "that the function parked when it met it in the retry queue",
      park(
        failureRecord(request(), {
          requestContext: { condition: "Parked", approximateInvokeCount: 7 },
          ...failed("Unclassified"),
        }),
      ),
      { format: "failure-record", type: "Unclassified", says: "the reason", attempts: 7 },
    ],
    [
      "that the function parked in its first run",
      park(
        failureRecord(request(), {
          requestContext: { condition: "Parked", approximateInvokeCount: 1 },
          ...failed("RecipientRefused"),
        }),
      ),
      { format: "failure-record", type: "RecipientRefused", says: "the reason", attempts: 1 },
    ],
    [
      "whose event no rule takes",
      park(
        failureRecord(request({ priority: "HIGH" }, { "detail-type": "Priority Alert" }), {
          requestContext: { condition: "Parked", approximateInvokeCount: 1 },
          ...failed("NoRuleMatches"),
        }),
      ),
      { format: "failure-record", type: "NoRuleMatches", says: "", attempts: 1, notification: "priority-alert" },
    ],
    [
      "whose record EventBridge could not deliver from the bus of failures to the dead-letter queue's own rule",
      park(onBus(failureRecord(request(), failed("SenderNotVerified"))), {
        attributes: targetAttributes("dead-letter-rule", {
          RULE_ARN: `arn:aws:events:us-east-1:${exampleAccountId}:rule/${parkedStage.names.of("failures")}/${parkedStage.names.of("dead-letter-rule")}`,
        }),
      }),
      { format: "event-target", type: "NO_PERMISSIONS", says: "target of dead-letter-rule", attempts: 3 },
    ],
    [
      "that waited in the retry lane for a deployment",
      park(failureRecord(request(), failed("TemplateMissing")), { systemAttributes: movedBySqs }),
      { format: "retries-exhausted", type: "TemplateMissing", says: "Every retry failed, for hours.", attempts: 31 },
    ],
    [
      "that was redriven, and whose retries all failed",
      park(failureRecord(request(), { ...failed("SenderNotVerified"), redrives: 1 }), { systemAttributes: movedBySqs }),
      {
        format: "retries-exhausted",
        type: "SenderNotVerified",
        says: "It was sent again, and every retry failed, for hours; the function's log says why. Before that: the reason",
        attempts: 31,
        redrives: 1,
      },
    ],
    [
      "that SQS moved after the last try of the standard lane",
      park(failureRecord(request()), { systemAttributes: movedBySqs }),
      { format: "retries-exhausted", type: "Throttled", says: "Every retry failed, for hours.", attempts: 3 + 28 },
    ],
    [
      "that SQS moved after the last try of the priority lane",
      park(failureRecord(alert), { systemAttributes: movedBySqs }),
      { format: "retries-exhausted", type: "Throttled", says: "", attempts: 3 + 258, notification: "priority-alert" },
    ],
    [
      "that SQS moved, where an emulator does not say so",
      park(failureRecord(request())),
      { format: "retries-exhausted", type: "Throttled", says: "Every retry failed", attempts: 3 + 28 },
    ],
    [
      "whose function never ran",
      park(neverRan, { systemAttributes: movedBySqs }),
      { format: "retries-exhausted", type: "EventAgeExceeded", says: "The function never ran", attempts: 28 },
    ],
    [
      "whose attributes are not EventBridge's own",
      park(request(), { attributes: targetAttributes("email-rule", { RETRY_ATTEMPTS: "many" }) }),
      { format: "event-target", type: "NO_PERMISSIONS", says: "", attempts: undefined },
    ],
    [
      "that somebody put here by hand",
      park(request()),
      { format: "event-target", type: "Unknown", says: "by hand", attempts: undefined },
    ],
  ])("%s is understood", (_, parked, expected) => {
    const { type, says, attempts, redrives = 0, notification = "email-request", format } = expected;
    expect(parked).toMatchObject({
      format,
      reason: { type, message: expect.stringContaining(says) as string },
      eventId,
      eventTime: startOfTime,
      queuedAt: startOfTime + 60_000,
      redrives,
      recipients: [jane],
    });
    expect(parked.attempts).toBe(attempts);
    expect(parked.notification?.id).toBe(notification);
  });

  it("of a schedule that never reached the function is the event that its target would have made", () => {
    const occurrence = {
      id: "occurrence",
      time: "2026-11-24T09:00:00Z",
      account: exampleAccountId,
      region: "us-east-1",
    };
    const parked = park(
      { ...occurrence, source: "aws.events", "detail-type": "Scheduled Event", resources: [], detail: {} },
      { attributes: targetAttributes("daily-report") },
    );
    expect(parked.notification?.id).toBe("daily-report");
    expect(parked.recipients).toEqual(config.recipients);
    expect(parked.record?.requestPayload).toMatchObject({
      ...occurrence,
      source: "custom.application",
      "detail-type": "Daily Report",
      detail: { emailConfig: { recipient: config.recipients } },
    });
  });

  it("tells the mails that failed, as its record does", () => {
    const failures = [
      { recipient: "0123456789ab", type: "OutcomeUnknown", message: "no answer" },
      { position: 2, type: "InvalidEvent", message: "is empty" },
    ];
    const body = failureRecord(request(), { failures });
    expect(park(body).failures).toEqual(failures);
    expect(park(body).record).toMatchObject({ failures });
    expect(park(failureRecord(request())).failures).toEqual([]);
    expect(park(onBus(body), { attributes: targetAttributes("retry-rule") }).failures).toEqual(failures);
  });

  it.each([
    ["no list", "many"],
    [
      "a list of other things",
      [null, 7, "x", { recipient: 7 }, { type: "Other" }, { position: 0, type: "a", message: "" }],
    ],
  ])("is understood where another version tells of its mails with %s", (_, failures) => {
    const parked = park(failureRecord(request(), { failures }));
    expect(parked).toMatchObject({ format: "retries-exhausted", eventId, failures: [] });
    expect(parked.record).not.toHaveProperty("failures");
  });

  it.each([
    ["takes it", request(), true, undefined],
    ["makes no mail of it", request({ emailConfig: { recipient: "nobody" } }), false, "does not fit"],
    ["has no notification for it", request({}, { "detail-type": "Other" }), false, "No notification takes this event."],
    ["misses a part of it", { ...request(), detail: undefined }, false, "A part of the event is missing."],
    [
      "refuses its depth",
      request({ emailConfig: { recipient: [jane, JSON.parse(`${"[".repeat(80)}${"]".repeat(80)}`)], subject: "S" } }),
      false,
      "nested more than",
    ],
    [
      "sees that its rule does not take it",
      request({ priority: "low" }, { "detail-type": "Priority Alert" }),
      false,
      "detail.priority",
    ],
  ])("says that the function of this checkout %s", (_, event, isPrepared, says) => {
    const { prepared, refusal } = park(failureRecord(event));
    expect(prepared !== undefined).toBe(isPrepared);
    if (says === undefined) expect(refusal).toBeUndefined();
    else expect(refusal).toContain(says);
  });

  it.each([
    ["no JSON", "hello", "no JSON"],
    ["nothing", "", "no JSON"],
    ["a text in JSON", '"hello"', "JSON, but no object"],
    ["a list", "[1]", "JSON, but no object"],
    ["null", "null", "JSON, but no object"],
    ["an object of another kind", '{"a":1,"b":2}', "a JSON object with a, b"],
    ["an event without a time", JSON.stringify({ ...request(), time: undefined }), "a JSON object with version, id"],
  ])("that holds %s is shown as of unknown format", (_, body, says) => {
    expect(park(body)).toMatchObject({
      format: "unknown",
      reason: { type: "UnknownFormat", message: expect.stringContaining(says) as string },
      redrives: 0,
      record: undefined,
    });
  });

  it("never fails to be parsed", () => {
    const record = fc.record({ requestContext: fc.anything(), requestPayload: fc.anything(), detail: fc.anything() });
    const attributes = fc.dictionary(fc.constantFrom("ERROR_CODE", "RULE_ARN", "RETRY_ATTEMPTS"), fc.string());
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          record.map((value) => JSON.stringify(value)),
        ),
        attributes,
        (body, of) => {
          expect(park(body, { attributes: of }).body).toBe(body);
        },
      ),
    );
  });
});
