import { type EventTrigger } from "../../handler/notifications/define";
import { patternOf, refuseUnrouted, triggerProblems } from "../../handler/notifications/patterns";

const trigger: EventTrigger = {
  kind: "event",
  source: "shop",
  detailType: "Alert",
  detailPattern: { priority: ["high", "critical"], region: ["eu", "us"] },
  ignored: { priority: ["low", "none"] },
};
const known = [["priority"], ["priorities"], ["region"], ["title"], ["priorty", "inner"]];

function refusalOf(detail: Readonly<Record<string, unknown>>): string | undefined {
  try {
    refuseUnrouted(trigger, detail, { known, hints: {} });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const priority = 'detail.priority has to be "high" or "critical" ("low" or "none" is left out on purpose)';
const region = 'detail.region has to be "eu" or "us"';

it.each<[string, Record<string, unknown>, string | undefined]>([
  ["is mailed", { priority: "high", region: "eu" }, undefined],
  ["is mailed where one of several values is wanted", { priority: ["odd", "high"], region: "eu" }, undefined],
  ["names the field that keeps it, and no other", { priority: "high", region: "mars" }, region],
  ["names each field that keeps it", { priority: "x", region: "mars" }, `${priority}; ${region}`],
  [
    "says that it is left out on purpose",
    { priority: "low", region: "eu" },
    'detail.priority has to be "high" or "critical"; what it says is left out on purpose',
  ],
  ["is not left out on purpose by one of several values", { priority: ["low", "odd"], region: "eu" }, priority],
  ["names a slip of the pen", { priority: "hgh", region: "eu" }, `${priority}: did you mean "high"?`],
  [
    "names the field that may be meant for one that is missing",
    { Priority: "high", region: "eu" },
    `${priority}, and is missing: detail.Priority is not known: did you mean detail.priority?`,
  ],
  ["asks for no other field where the field is there", { priority: "x", Priority: "high", region: "eu" }, priority],
  ["takes no known field for it", { priorities: "high", region: "eu" }, `${priority}, and is missing`],
  [
    "takes a field for it that is known further down only",
    { priorty: "high", region: "eu" },
    `${priority}, and is missing: detail.priorty is not known: did you mean detail.priority?`,
  ],
  ["takes no field for it that means another", { titl: "high", region: "eu" }, `${priority}, and is missing`],
])("an event %s", (_, detail, problem) => {
  expect(refusalOf(detail)).toBe(problem === undefined ? undefined : `The event is mailed to nobody. ${problem}`);
});

it("has no detail in the pattern of a trigger that takes every event", () => {
  const { detailPattern: _1, ignored: _2, ...every } = trigger;
  expect(Object.keys(patternOf(every))).toEqual(["source", "detail-type"]);
});

it("takes a dollar sign within a field's name, and none at its start", () => {
  const named = (field: string) => triggerProblems({ ...trigger, detailPattern: { [field]: ["x"] }, ignored: {} });
  const problem = expect.stringContaining("which EventBridge reads as its own") as string;
  expect(named("a$b")).toEqual([]);
  expect(named("$or")).toEqual([problem]);
  expect(named("a.b")).toEqual([problem]);
});
