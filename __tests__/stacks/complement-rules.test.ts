import { type EventTrigger, type Notification } from "../../handler/notifications/define";
import { patternOf } from "../../handler/notifications/patterns";
import { compilePattern } from "aws-emulator/eventbridge";
import { type ComplementRule, unmatchedRules, unroutedRules } from "../../stacks/constructs/complement-rules";

const triggered = (...triggers: Partial<EventTrigger>[]): Pick<Notification, "trigger">[] =>
  triggers.map((trigger) => ({ trigger: { kind: "event", source: "shop", detailType: "Order", ...trigger } }));
const schedule = (source: string, detailType: string): Pick<Notification, "trigger"> => ({
  trigger: { kind: "schedule", source, detailType, expression: "rate(1 day)", detail: () => ({}) },
});

const most = 2048;
const takenBy = (rules: readonly ComplementRule[]) => {
  const matchers = rules.map(({ name, pattern }) => ({ name, matches: compilePattern(JSON.stringify(pattern)) }));
  return (source: string, detailType: string, detail: object = {}) =>
    matchers.filter(({ matches }) => matches({ source, "detail-type": detailType, detail })).map(({ name }) => name);
};
const numbered = (count: number, text: (at: number) => string) => Array.from({ length: count }, (_, at) => text(at));

describe("the rules of unmatched events", () => {
  it("are none where every rule takes all events of its source and detail-type", () => {
    expect(unmatchedRules(triggered({}, { detailType: "Invoice" }), most)).toEqual([]);
  });

  it("are one for many notifications, and as many as the length of a pattern asks for", () => {
    const notifications = triggered(
      ...numbered(300, (at) => `Event ${at}`).map((detailType) => ({
        detailType,
        detailPattern: { priority: ["high", "critical"] },
        ignored: { priority: ["low"] },
      })),
    );
    expect(unmatchedRules(notifications.slice(0, 3), most).map(({ name }) => name)).toEqual(["unmatched-rule"]);
    const rules = unmatchedRules(notifications, most);
    expect(rules.length).toBeGreaterThan(1);
    expect(rules.slice(0, 2).map(({ name }) => name)).toEqual(["unmatched-rule", "unmatched-rule-2"]);
    for (const { pattern } of rules) expect(JSON.stringify(pattern).length).toBeLessThanOrEqual(most);
    const taken = takenBy(rules);
    for (const { trigger } of notifications) {
      const takes = (detail: object) => taken("shop", trigger.detailType, detail).length;
      expect([{ priority: "HIGH" }, { priority: 1 }, { severity: "high" }, {}].map(takes)).toEqual([1, 1, 1, 1]);
      expect([{ priority: "high" }, { priority: "low" }].map(takes)).toEqual([0, 0]);
    }
    expect(taken("shop", "Event 300")).toEqual([]);
  });
});

describe("the rules of unrouted events", () => {
  const unrouted = (notifications: readonly Pick<Notification, "trigger">[]) => unroutedRules(notifications, most);

  it("take the detail-types that their source does not know, and no other source's", () => {
    const { rules, inexact } = unrouted(triggered({}, { source: "billing", detailType: "Invoice" }));
    const taken = takenBy(rules);
    expect(rules.map(({ name }) => name)).toEqual(["unrouted-rule"]);
    expect(inexact).toEqual([]);
    expect(taken("shop", "order")).toEqual(["unrouted-rule"]);
    expect(taken("shop", "Order")).toEqual([]);
    // Another source knows this detail-type.
    expect(taken("shop", "Invoice")).toEqual(["unrouted-rule"]);
    expect(taken("stock", "order")).toEqual([]);
  });

  it("take a schedule's detail-type: its rule is on another bus", () => {
    const { rules } = unrouted([...triggered({}), schedule("shop", "Report"), schedule("reports", "Report")]);
    expect(takenBy(rules)("shop", "Report")).toEqual(["unrouted-rule"]);
    expect(takenBy(rules)("reports", "Anything")).toEqual(["unrouted-rule"]);
  });

  it("are exact for many sources, as many as it needs", () => {
    const triggers = numbered(30, (source) => `source-${source}`).flatMap((source) =>
      numbered(10, (at) => `Event ${at} of ${source}`).map((detailType) => ({ source, detailType })),
    );
    const { rules, inexact } = unrouted(triggered(...triggers));
    expect(inexact).toEqual([]);
    expect(rules.length).toBeGreaterThan(1);
    for (const { pattern } of rules) expect(JSON.stringify(pattern).length).toBeLessThanOrEqual(most);
    const taken = takenBy(rules);
    for (const { source, detailType } of triggers) {
      expect(taken(source, detailType)).toEqual([]);
      expect(taken(source, `${detailType}!`)).toHaveLength(1);
    }
  });

  it("exclude beginnings where a source has more detail-types than a pattern holds, and say so", () => {
    const detailTypes = numbered(300, (at) => `${["Order", "Invoice", "Parcel"][at % 3] ?? ""} number ${at}`);
    const { rules, inexact } = unrouted(triggered(...detailTypes.map((detailType) => ({ detailType }))));
    expect(inexact).toEqual([{ source: "shop", beginnings: expect.any(Array) as string[] }]);
    for (const { pattern } of rules) expect(JSON.stringify(pattern).length).toBeLessThanOrEqual(most);
    const taken = takenBy(rules);
    for (const detailType of detailTypes) expect(taken("shop", detailType)).toEqual([]);
    expect(taken("shop", "Refund")).toEqual(["unrouted-rule"]);
    expect(taken("shop", "order number 1")).toEqual(["unrouted-rule"]);
    const beginnings = inexact[0]?.beginnings ?? [];
    for (const beginning of beginnings) expect(taken("shop", `${beginning}, unknown`)).toEqual([]);
  });
});

it("leave the notifications' own rules what is theirs", () => {
  const notifications = triggered(
    { detailPattern: { priority: ["high"] }, ignored: { priority: ["low"] } },
    { detailType: "Invoice" },
  );
  const rules = [
    ...notifications.map(({ trigger }, at) => ({ name: `rule-${at}`, pattern: patternOf(trigger as EventTrigger) })),
    ...unmatchedRules(notifications, most),
    ...unroutedRules(notifications, most).rules,
  ];
  const taken = takenBy(rules);
  const details = [
    { priority: "high" },
    { priority: "High" },
    { priority: null },
    { priority: {} },
    {},
    { priority: "low" },
  ];
  expect(details.map((detail) => taken("shop", "Order", detail))).toEqual([
    ["rule-0"],
    ...Array.from({ length: 4 }, () => ["unmatched-rule"]),
    // This is the detail that the trigger ignores on purpose.
    [],
  ]);
  expect(taken("shop", "Invoice", { priority: "High" })).toEqual(["rule-1"]);
  expect(taken("shop", "invoice", { priority: "high" })).toEqual(["unrouted-rule"]);
});
