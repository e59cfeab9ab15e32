import { UsageError } from "../../../operations/command";
import { parseFilters } from "../../../operations/dead-letters/filters";
import { hashRecipient } from "../../../handler/contract/recipient-hash";
import { failureRecord, startOfTime } from "../../support/send-notification";
import { jane, park, request } from "../../support/parked";

const now = startOfTime + 3 * 3_600_000;
const stranger = hashRecipient("gone@example.com");
const message = park(
  failureRecord(request(), {
    responsePayload: { errorType: "TemplateMissing" },
    failures: [{ recipient: stranger, type: "MessageRejected", message: "x" }],
  }),
);
const { eventId } = message;

describe("filters", () => {
  it.each<[readonly string[], boolean]>([
    [[], true],
    [["reason=TemplateMissing"], true],
    [["reason=templatemissing"], true],
    [["reason=InvalidEvent"], false],
    [["reason=InvalidEvent", "reason=TemplateMissing"], true],
    [["notification=email-request"], true],
    [["notification=priority-alert"], false],
    [[`event=${eventId ?? ""}`], true],
    [["event=other"], false],
    [["message=message-1"], true],
    [["message=message-2"], false],
    [["older-than=2h"], true],
    [["older-than=179m"], true],
    [["older-than=3h"], false],
    [["older-than=1d"], false],
    [["reason=TemplateMissing", "notification=priority-alert"], false],
    [[`recipient=${jane}`], true],
    [["recipient=Jane@Example.COM"], true],
    [[`recipient=${hashRecipient(jane)}`], true],
    [[`recipient=${hashRecipient(jane).toUpperCase()}`], true],
    [[`recipient=${stranger}`], true],
    [["recipient=john@example.com"], false],
    [["recipient=john@example.com", `recipient=${jane}`], true],
    [["reason=TemplateMissing", "older-than=2h"], true],
  ])("%j: %s", (texts, isChosen) => {
    expect(parseFilters(texts).matches(message, now)).toBe(isChosen);
  });

  it("take an event's id as it is, with blanks at its ends", () => {
    const { matches } = parseFilters(["event= odd "]);
    expect(matches({ ...message, eventId: " odd " }, now)).toBe(true);
    expect(matches({ ...message, eventId: "odd" }, now)).toBe(false);
  });

  it("name the recipients that single mails are acted on for", () => {
    const { recipients } = parseFilters([`recipient=${jane}`, `recipient=${stranger}`, "notification=email-request"]);
    expect([...recipients]).toEqual([hashRecipient(jane), stranger]);
    expect(parseFilters(["notification=email-request"]).recipients.size).toBe(0);
  });

  it("take a domain as people write it for the one that is mailed", () => {
    const { recipients } = parseFilters(["recipient=jane@bücher.example"]);
    expect([...recipients]).toEqual([hashRecipient("jane@xn--bcher-kva.example")]);
  });

  it("find a recipient of an event that no mail can be made of", () => {
    const parked = park(failureRecord(request({ unknown: 1, title: 7, emailConfig: { recipient: [jane, null] } })));
    expect(parseFilters([`recipient=${jane}`]).matches(parked, now)).toBe(true);
  });

  it.each([
    ["recipient=jane", "--filter recipient=jane is neither an address nor a recipient's hash"],
    ["colour=red", "--filter colour=red is not understood: use reason=.., notification=.."],
    ["reason", "--filter reason is not understood"],
    ["reason=", "--filter reason= is not understood"],
    ["toString=x", "--filter toString=x is not understood"],
    ["older-than=soon", "--filter older-than=soon is no duration: use 90s, 30m, 2h or 3d"],
  ])("refuses %s with the fix", (text, problem) => {
    expect(() => parseFilters([text])).toThrow(UsageError);
    expect(() => parseFilters([text])).toThrow(problem);
  });
});
