import { isWait } from "../../handler/contract/failures";
import { createError, longestMessage } from "../../handler/errors";

it("cuts a message that is too long for Lambda's record, and says so by two dots", () => {
  const longest = "x".repeat(longestMessage);
  expect(createError("Throttled", longest).message).toBe(longest);
  expect(createError("Throttled", `${longest}y`).message).toBe(`${"x".repeat(longestMessage - 2)}..`);
});

it.each([
  ["ClaimHeld", true],
  ["OutOfTime", true],
  ["Throttled", false],
  ["OutcomeUnknown", false],
])("takes %s for a mail that only waits for its turn: %p", (type, waits) => {
  expect(isWait(type)).toBe(waits);
});
