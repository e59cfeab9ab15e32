import { parseFilters, UsageError } from "../../../operations/dead-letters/filters";
import { failureRecord, startOfTime } from "../../support/notify";
import { park, request } from "../../support/parked";

const now = startOfTime + 3 * 3_600_000;
const message = park(failureRecord(request(), { responsePayload: { errorType: "TemplateMissing" } }));
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
    [["reason=TemplateMissing", "older-than=2h"], true],
  ])("%j: %s", (texts, isChosen) => {
    expect(parseFilters(texts)(message, now)).toBe(isChosen);
  });

  it.each([
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
