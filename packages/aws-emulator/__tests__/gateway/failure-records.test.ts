import { eventIdIn, failureIn } from "../../src/gateway/failure-records";

describe("a message of a queue", () => {
  const record = {
    requestContext: { condition: "RetriesExhausted" },
    requestPayload: { id: "the-event", detail: {} },
    responsePayload: { errorType: "InvalidEvent", errorMessage: "no recipient" },
  };
  const attributes = new Map([
    ["ERROR_CODE", "NO_PERMISSIONS"],
    ["ERROR_MESSAGE", "not allowed"],
  ]);
  const none = () => undefined;

  it.each([
    ["Lambda's record", record, none, "the-event", "InvalidEvent: no recipient"],
    [
      "an event that carries it",
      { id: "x", source: "lambda", detail: record },
      none,
      "the-event",
      "InvalidEvent: no recipient",
    ],
    [
      "a record of an event that never ran",
      { ...record, responsePayload: null },
      none,
      "the-event",
      "RetriesExhausted",
    ],
    ["a record of what is no event", { ...record, requestPayload: "?" }, none, undefined, "InvalidEvent: no recipient"],
    [
      "what a rule could not deliver",
      { id: "the-event", detail: {} },
      (name: string) => attributes.get(name),
      "the-event",
      "NO_PERMISSIONS: not allowed",
    ],
  ])("tells which event failed, and why: %s", (_, body, attributeOf, eventId, reason) => {
    expect(failureIn(JSON.stringify(body), attributeOf)).toEqual({ eventId, reason });
  });

  it.each(["no JSON", "[]", "null", '{"id":"an-event","detail":{}}', '{"id":"an-event","detail":null}'])(
    "is no record: %s",
    (text) => {
      expect(failureIn(text, none)).toBeUndefined();
    },
  );

  it("tells the event behind it", () => {
    expect(eventIdIn(JSON.stringify({ source: "lambda", id: "x", detail: { requestPayload: { id: "a" } } }))).toBe("a");
    expect(eventIdIn('{"id":"b"}')).toBe("b");
    expect(eventIdIn("no JSON")).toBeUndefined();
  });
});
