import { isTakenForOther } from "../../handler/claims";

const claimedFor = { eventId: "e-1", contentHash: "hash-1" };

describe("a claim", () => {
  const answer = { state: "sent", messageId: "m", claimedFor } as const;

  it.each([
    ["another event with other content", { eventId: "e-2", contentHash: "hash-2" }, true],
    ["another event with the same content", { eventId: "e-2", contentHash: "hash-1" }, false],
    ["the same event, which a deployment makes say something else", { eventId: "e-1", contentHash: "hash-2" }, false],
    ["the same event", claimedFor, false],
  ])("is taken for another mail where it meets %s: %s", (_, request, isOther) => {
    expect(isTakenForOther(answer, request)).toBe(isOther);
    expect(isTakenForOther({ state: "held", claimedFor }, request)).toBe(isOther);
    expect(isTakenForOther({ state: "unknown", claimedFor }, request)).toBe(isOther);
  });

  it("that does not say what for, or is one's own, is not", () => {
    const request = { eventId: "e-2", contentHash: "hash-2" };
    expect(isTakenForOther({ state: "sent", messageId: "m" }, request)).toBe(false);
    expect(isTakenForOther({ state: "claimed", claim: { id: "i", owner: "o" }, attempt: 1 }, request)).toBe(false);
  });
});
