import { type ClaimItem, parseClaimRow } from "../../handler/contract/claim-row";

const now = 1_700_000_000_000;
const text = (value: string) => ({ S: value });
const number = (value: number) => ({ N: String(value) });
const rowOf = (item: ClaimItem) => parseClaimRow(item, now);

describe("the state of a claim's row", () => {
  it.each<[string, ClaimItem]>([
    ["sent", { state: text("sent") }],
    ["failed", { state: text("failed") }],
    ["unknown", { state: text("unknown") }],
    ["held", { state: text("claimed"), heldUntil: number(now + 1) }],
    ["held", { state: text("claimed"), heldUntil: number(now) }],
    // Its run is over, and has not said what became of the mail.
    ["unknown", { state: text("claimed"), heldUntil: number(now - 1) }],
    ["unknown", { state: text("claimed") }],
    ["unknown", { state: text("a state of a later version") }],
    ["unknown", {}],
  ])("is %s: %j", (state, item) => {
    expect(rowOf(item).state).toBe(state);
  });
});

it.each<[boolean, ClaimItem]>([
  [false, { expiresAt: number(now / 1000) }],
  [true, { expiresAt: number(now / 1000 - 1) }],
  [false, {}],
])("is expired (%p) in the second after its time to live, and never without one: %j", (isExpired, item) => {
  expect(rowOf(item).isExpired).toBe(isExpired);
});

it("counts the time to live in whole seconds, as DynamoDB does", () => {
  expect(parseClaimRow({ expiresAt: number(now / 1000) }, now + 999).isExpired).toBe(false);
  expect(parseClaimRow({ expiresAt: number(now / 1000) }, now + 1000).isExpired).toBe(true);
});

it("has the fields that the row has, and no others", () => {
  const [messageId, eventId, contentHash] = ["m-1", "e-1", "0123"];
  expect(
    rowOf({ state: text("sent"), messageId: text(messageId), eventId: text(eventId), contentHash: text(contentHash) }),
  ).toEqual({ state: "sent", isExpired: false, messageId, eventId, contentHash });
  const early = rowOf({ state: text("sent"), messageId: text(messageId) });
  expect(Object.keys(early).sort()).toEqual(["isExpired", "messageId", "state"]);
});
