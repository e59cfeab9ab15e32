import * as fc from "fast-check";
import { catalogue } from "../../handler/notifications";
import { type EventTrigger } from "../../handler/notifications/define";
import {
  anyOf,
  complementOf,
  type EventPattern,
  ignoredOf,
  patternOf,
  routeOf,
} from "../../handler/notifications/patterns";
import { compilePattern } from "aws-emulator/eventbridge";
import { propertyRuns } from "../support/property-runs";
import { businessEvent } from "../support/send-notification";

const one: EventTrigger = {
  kind: "event",
  source: "shop",
  detailType: "Alert",
  detailPattern: { priority: ["high", "critical"] },
  ignored: { priority: ["low"] },
};
const two: EventTrigger = {
  ...one,
  detailPattern: { priority: ["high", "critical"], region: ["eu", "us"] },
  ignored: { priority: ["low"], region: ["test"] },
};
const everything: EventTrigger = { kind: "event", source: "shop", detailType: "Alert" };

/** Whether the emulator delivers the event by the pattern, as AWS would. */
const takes = (pattern: EventPattern | undefined, event: unknown) =>
  pattern !== undefined && compilePattern(JSON.stringify(pattern))(event);

const eventOf = (detail: object) => businessEvent(detail, { source: "shop", "detail-type": "Alert" });
const routesOf = (trigger: EventTrigger, detail: object) => ({
  mailed: takes(patternOf(trigger), eventOf(detail)),
  unmatched: takes(anyOf(complementOf(trigger)), eventOf(detail)),
  ignored: takes(anyOf(ignoredOf(trigger)), eventOf(detail)),
});

it("makes the patterns that a rule has", () => {
  expect(patternOf(one)).toEqual({
    source: ["shop"],
    "detail-type": ["Alert"],
    detail: { priority: ["high", "critical"] },
  });
  expect(complementOf(one)).toEqual([
    {
      source: ["shop"],
      "detail-type": ["Alert"],
      detail: { priority: [{ "anything-but": ["high", "critical", "low"] }, { exists: false }] },
    },
  ]);
  expect(ignoredOf(two)).toEqual([
    {
      source: ["shop"],
      "detail-type": ["Alert"],
      detail: { priority: ["low"], region: ["eu", "us", "test"] },
    },
    {
      source: ["shop"],
      "detail-type": ["Alert"],
      detail: { priority: ["high", "critical", "low"], region: ["test"] },
    },
  ]);
  expect(patternOf(everything)).toEqual({ source: ["shop"], "detail-type": ["Alert"] });
  expect([anyOf(complementOf(everything)), anyOf(ignoredOf(everything))]).toEqual([undefined, undefined]);
});

it("has no empty detail, which EventBridge refuses", () => {
  expect(patternOf({ ...everything, detailPattern: {} })).toEqual(patternOf(everything));
});

const single = fc.oneof(
  fc.constantFrom("high", "critical", "low", "eu", "us", "test", "HIGH", " high", "", "urgent"),
  fc.constantFrom<unknown>(null, 0, 1, true, false, {}, { priority: "high" }, [], [[]], undefined),
  fc.string(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const fields = (value: fc.Arbitrary<unknown>) =>
  fc.record({ priority: value, region: value, severity: value }, { requiredKeys: [] });

const { ignored: _ignored, ...ignoresNothing } = two;

it.each<[string, EventTrigger, string[]]>([
  ["no field", everything, ["mailed"]],
  ["one field", one, ["mailed", "unmatched", "ignored"]],
  ["two fields", two, ["mailed", "unmatched", "ignored"]],
  [
    "two fields, of which one ignores nothing",
    { ...two, ignored: { region: ["test"] } },
    ["mailed", "unmatched", "ignored"],
  ],
  ["nothing to ignore", ignoresNothing, ["mailed", "unmatched"]],
])("takes each event whose fields have one value exactly once: %s", (_, trigger, routes) => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fields(single), (detail) => {
      const taken = Object.entries(routesOf(trigger, detail)).filter(([, isTaken]) => isTaken);
      expect(taken.map(([route]) => route)).toEqual([routeOf(trigger, detail)]);
      seen.add(routeOf(trigger, detail));
    }),
    { numRuns: 2_000, seed: 20261126 },
  );
  // The generated events reach every kind of end.
  expect([...seen].sort()).toEqual([...routes].sort());
});

it("leaves out no event whose fields are arrays, and knows what comes first", () => {
  const list = fc.array(single, { maxLength: 3 });
  fc.assert(
    fc.property(fields(fc.oneof(single, list, fc.array(list, { maxLength: 2 }))), (detail) => {
      const taken = routesOf(two, detail);
      const first = (["mailed", "unmatched", "ignored"] as const).find((route) => taken[route]);
      expect(first).toBe(routeOf(two, detail));
    }),
    { numRuns: propertyRuns(3_000), seed: 20261126 },
  );
});

it.each([
  [{ priority: "high" }, "mailed"],
  [{ priority: ["high"] }, "mailed"],
  [{ priority: ["low", "high"] }, "mailed"],
  [{ priority: "low" }, "ignored"],
  [{ priority: "HIGH" }, "unmatched"],
  [{ priority: "Critical" }, "unmatched"],
  [{ priority: "urgent" }, "unmatched"],
  [{ priority: 1 }, "unmatched"],
  [{ priority: null }, "unmatched"],
  [{ priority: { level: "high" } }, "unmatched"],
  [{ priority: [] }, "unmatched"],
  [{ priority: ["low", "HIGH"] }, "unmatched"],
  [{ severity: "high" }, "unmatched"],
  [{}, "unmatched"],
])("%j of a priority alert is %s", (detail, route) => {
  const alert = catalogue.find(({ id }) => id === "priority-alert")?.trigger;
  if (alert?.kind !== "event") throw new Error("The priority alert has to be an event");
  expect(routeOf(alert, detail)).toBe(route);
});
