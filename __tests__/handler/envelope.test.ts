import {
  bytesOfEvent,
  envelopeSchema,
  isNestedDeeperThan,
  mostEventBytes,
  mostEventLevels,
} from "../../handler/contract/envelope";
import { createSendNotification } from "../../handler/send-notification";
import { businessEvent, dependencies, startOfTime } from "../support/send-notification";

const event = businessEvent({ emailConfig: { recipient: "a@example.com" } });

describe("an envelope", () => {
  it.each([
    ["EventBridge's own", event],
    [
      "the least that a hand-made test event needs",
      { id: "1", source: "s", "detail-type": "d", time: event.time, detail: {} },
    ],
    ["one with a time zone", { ...event, time: "2026-11-24T10:00:00+01:00" }],
    ["the longest", { ...event, id: "i".repeat(64), source: "s".repeat(256), "detail-type": "d".repeat(128) }],
  ])("is taken: %s", (_, input) => {
    expect(envelopeSchema.safeParse(input).success).toBe(true);
  });

  it.each([
    ["id", "i".repeat(65)],
    ["source", "s".repeat(257)],
    ["detail-type", "d".repeat(129)],
    ["time", `2026-11-24T09:00:00.${"0".repeat(80_000)}Z`],
    ["time", "yesterday"],
    ["id", ""],
    ["detail", "text"],
    ["detail", ["a list"]],
    ["detail", null],
  ])("is refused where EventBridge has none with such a field: %s", (field, value) => {
    const parsed = envelopeSchema.safeParse({ ...event, [field]: value });
    expect(parsed.error?.issues.map(({ path }) => path)).toEqual([[field]]);
  });
});

it("keeps every key of the detail, so that a strict request can refuse it", async () => {
  const text = JSON.stringify(event).replace('"detail":{', '"detail":{"__proto__":{"title":"polluted"},');
  const notify = createSendNotification(dependencies({ sendEmail: () => Promise.resolve({ messageId: "m" }) }));
  await expect(notify(JSON.parse(text), { endsAt: startOfTime + 30_000 })).rejects.toMatchObject({
    name: "InvalidEvent",
    message: expect.stringContaining("detail.__proto__: is not known") as string,
  });
});

/** An event with this many levels of nesting. The detail is the second level. */
function nested(levels: number): unknown {
  let inner: unknown = {};
  for (let level = 3; level < levels; level += 1) inner = level % 2 === 0 ? [inner] : { inner };
  return { ...event, detail: { inner } };
}

describe("a nested event", () => {
  const notify = createSendNotification(dependencies({ sendEmail: () => Promise.resolve({ messageId: "m" }) }));
  const run = { endsAt: startOfTime + 30_000 };

  it.each([mostEventLevels + 1, 1_000, 5_000, 100_000])("of %d levels is refused, and says why", async (levels) => {
    await expect(notify(nested(levels), run)).rejects.toMatchObject({
      name: "InvalidEvent",
      retryable: false,
      message: expect.stringMatching(/^The event is nested more than 64 levels deep: make it flatter/) as string,
    });
  });

  it("is refused where 240 KiB are brackets", async () => {
    const brackets = "[".repeat(mostEventBytes / 2 - 1_000);
    const detail = JSON.parse(`{"a":${brackets}${brackets.replace(/\[/g, "]")}}`) as object;
    await expect(notify({ ...event, detail }, run)).rejects.toThrow(/more than 64 levels/);
  });

  it("is read where it is flat enough, whatever its schema says to it", async () => {
    await expect(notify(nested(mostEventLevels), run)).rejects.toThrow(/detail\.inner: is not known/);
  });

  it("has no size where Node could not write it", () => {
    expect(bytesOfEvent(nested(100_000))).toBe(Infinity);
    expect(bytesOfEvent(nested(1_000))).toBe(Buffer.byteLength(JSON.stringify(nested(1_000))));
    expect(bytesOfEvent(undefined)).toBe(4);
  });

  it("is measured by its deepest part", () => {
    expect(isNestedDeeperThan(0, "text")).toBe(false);
    expect(isNestedDeeperThan(0, {})).toBe(true);
    expect(isNestedDeeperThan(1, [1, null, "x"])).toBe(false);
    expect(isNestedDeeperThan(2, [1, { a: 1, b: [] }])).toBe(true);
    expect(isNestedDeeperThan(3, [1, { a: 1, b: [] }])).toBe(false);
  });
});

it("refuses an event of very many fields with a short reason", async () => {
  const notify = createSendNotification(dependencies({ sendEmail: () => Promise.resolve({ messageId: "m" }) }));
  const fields = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`f${index}`, 1]));
  const refused = await notify(
    { ...event, detail: { ...(event.detail as object), ...fields } },
    { endsAt: startOfTime + 30_000 },
  ).catch((error: unknown) => error as Error);
  expect((refused as Error).message).toMatch(/; and 19995 more$/);
  expect((refused as Error).message.length).toBeLessThan(500);
});
