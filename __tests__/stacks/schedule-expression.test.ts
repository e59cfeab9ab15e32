import { catalogue } from "../../handler/notifications";
import { scheduleProblem } from "../../stacks/schedule-expression";

it.each([
  // These are the examples of EventBridge's guide, "eb-scheduled-rule-pattern".
  "cron(0 10 * * ? *)",
  "cron(15 12 * * ? *)",
  "cron(0 18 ? * MON-FRI *)",
  "cron(0 8 1 * ? *)",
  "cron(0/15 * * * ? *)",
  "cron(0/10 * ? * MON-FRI *)",
  "cron(0/5 8-17 ? * MON-FRI *)",

  "cron(15 10 ? * 6L 2019-2022)",
  "cron(0 9 ? * 3#2 *)",
  "cron(0 9 3W * ? *)",
  "cron(0 9 L * ? *)",
  "cron(0 9 ? * L *)",
  "rate(1 minute)",
  "rate(5 minutes)",
  "rate(1 hour)",
  "rate(5 hours)",
  "rate(1 day)",
  "rate(7 days)",
  // These have every wildcard and word of the guide's table.
  "cron(*/5 * * * ? *)",
  "cron(0,30 8-17 1-15 JAN,FEB,MAR ? *)",
  "cron(0-30/10 0/2 1/7 1/3 ? 2026/2)",
  "cron(59 23 31 12 ? 2199)",
  "cron(0 0 1 JAN-DEC ? 1970)",
  "cron(0 9 ? * SUN-SAT *)",
  "cron(0 9 ? * SUN,TUE,7 *)",
  "cron(0 9 ? * MON#1 *)",
  "cron(00 09 * * ? *)",
])("takes %s", (expression) => {
  expect(scheduleProblem(expression)).toBeUndefined();
});

it.each<readonly [string, string]>([
  ["cron(0 9 * * *)", "has 5 fields, and EventBridge takes 6: minutes, hours, day-of-month, month, day-of-week, year"],
  ["cron(0 0 9 * * ? *)", "has 7 fields"],
  ["cron()", "has 1 field,"],
  ["cron( 0 9 * * ? *)", "has 7 fields"],
  ["cron(0 9 * * * *)", "has both day-of-month and day-of-week: write ? for one of them"],
  ["cron(0 9 1 * 2 *)", "has both day-of-month and day-of-week"],
  ["cron(0 9 * * MON *)", "has both day-of-month and day-of-week"],
  ["cron(0 9 ? * ? *)", "has ? for both day-of-month and day-of-week: write * for one of them"],
  ["cron(60 9 * * ? *)", 'has "60" for minutes: "60" is not a value from 0 to 59'],
  ["cron(-1 9 * * ? *)", 'has "-1" for minutes: "" is not a value from 0 to 59'],
  ["cron(a 9 * * ? *)", '"a" is not a value from 0 to 59'],
  ["cron(? 9 * * ? *)", '"?" is not a value from 0 to 59'],
  ["cron(0 24 * * ? *)", 'has "24" for hours'],
  ["cron(0 9 0 * ? *)", 'has "0" for day-of-month: "0" is not a value from 1 to 31'],
  ["cron(0 9 32 * ? *)", 'has "32" for day-of-month'],
  ["cron(0 9 32W * ? *)", '"32" is not a value from 1 to 31'],
  ["cron(0 9 W * ? *)", '"" is not a value from 1 to 31'],
  ["cron(0 9 1W,15W * ? *)", '"1W" is not a value from 1 to 31'],
  ["cron(0 9 1,L * ? *)", '"L" is not a value from 1 to 31'],
  ["cron(0 9 * 13 ? *)", '"13" is not a value from 1 to 12, or JAN to DEC in capitals'],
  ["cron(0 9 * FOO ? *)", '"FOO" is not a value from 1 to 12'],
  ["cron(0 9 * jan ? *)", '"jan" is not a value from 1 to 12, or JAN to DEC in capitals'],
  ["cron(0 9 * L ? *)", '"L" is not a value from 1 to 12'],
  ["cron(0 9 ? * 0 *)", '"0" is not a value from 1 to 7, or SUN to SAT in capitals'],
  ["cron(0 9 ? * 8 *)", '"8" is not a value from 1 to 7'],
  ["cron(0 9 ? * mon-fri *)", '"mon" is not a value from 1 to 7, or SUN to SAT in capitals'],
  ["cron(0 9 ? * MONDAY *)", '"MONDAY" is not a value from 1 to 7'],
  ["cron(0 9 ? * 3W *)", '"3W" is not a value from 1 to 7'],
  ["cron(0 9 ? * 3#6 *)", 'the number after # is 1 to 5, not "6"'],
  ["cron(0 9 ? * 8#1 *)", '"8" is not a value from 1 to 7'],
  ["cron(0 9 ? * 8L *)", '"8" is not a value from 1 to 7'],
  ["cron(0 9 ? * 3#1,6#3 *)", '"3#1" is not a value from 1 to 7'],
  ["cron(0 9 ? * 2/2 *)", "day-of-week has no increments: name the days, for example MON,WED,FRI"],
  ["cron(0 9 * * ? 1969)", '"1969" is not a value from 1970 to 2199'],
  ["cron(0 9 * * ? 2200)", '"2200" is not a value from 1970 to 2199'],
  ["cron(0/0 9 * * ? *)", 'an increment is a number from 1 to 59, not "0"'],
  ["cron(0/60 9 * * ? *)", 'an increment is a number from 1 to 59, not "60"'],
  ["cron(*/ 9 * * ? *)", 'an increment is a number from 1 to 59, not ""'],
  ["cron(0/5/5 9 * * ? *)", 'not "5/5"'],
  ["cron(/5 9 * * ? *)", '"" is not a value from 0 to 59'],
  ["cron(0 17-8 * * ? *)", 'the range "17-8" ends before it begins: split it in two, with a comma'],
  ["cron(0 1-2-3 * * ? *)", '"1-2-3" is not a range'],
  ["cron(0, 9 * * ? *)", '"" is not a value from 0 to 59'],
  ["cron(** 9 * * ? *)", '"**" is not a value from 0 to 59'],
  // The first two are in EventBridge's guide, "eb-rate-expressions".
  ["rate(1 hours)", "has hours for hour: write rate(1 hour)"],
  ["rate(5 hour)", "has hour for hours: write rate(5 hours)"],
  ["rate(1 minutes)", "has minutes for minute: write rate(1 minute)"],
  ["rate(0 days)", "never runs: the number of a rate is 1 or more"],
  ...[
    "rate(-1 minutes)",
    "rate(1.5 hours)",
    "rate(10 seconds)",
    "rate(2 weeks)",
    "rate(5)",
    "rate()",
    "rate(5 MINUTES)",
    "rate( 5 minutes)",
    "rate(5  minutes)",
  ].map(
    (expression) =>
      [expression, "is not rate(<number> <minutes, hours or days>): for example rate(5 minutes)"] as const,
  ),
  ...[
    "",
    "0 9 * * ? *",
    "at(2026-11-25T09:00:00)",
    "CRON(0 9 * * ? *)",
    "cron(0 9 * * ? *",
    " rate(5 minutes)",
    "rate(5 minutes)\n",
    "cron(0 9 * * ? *)) ",
  ].map((expression) => [expression, "is neither cron(..) nor rate(..)"] as const),
  [`cron(${"0,".repeat(130)}0 9 * * ? *)`, "and EventBridge takes 256"],
])("refuses %s", (expression, problem) => {
  expect(scheduleProblem(expression)).toContain(`"${expression}" `);
  expect(scheduleProblem(expression)).toContain(problem);
});

it("takes every schedule of the catalogue", () => {
  const expressions = catalogue.flatMap(({ trigger }) => (trigger.kind === "schedule" ? [trigger.expression] : []));
  expect(expressions).toContain("cron(0 9 * * ? *)");
  expect(expressions.map(scheduleProblem)).toEqual(expressions.map(() => undefined));
});
