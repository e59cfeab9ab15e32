import { reportOf } from "../../../scripts/migration/report";
import { findDifferences } from "../../../scripts/migration/trial";

const here = {
  "dev/notification-dev": { terraform: { version: "5" }, fn: { runtime: "nodejs22.x" } },
  "prod/notification-prod": { terraform: { version: "5" }, fn: { runtime: "nodejs22.x" } },
  "prod/state-backend": { terraform: { version: "5" } },
};

const changed = (stack: keyof typeof here, change: object) => ({ ...here, [stack]: { ...here[stack], ...change } });

it("finds no difference between equal stacks", () => {
  expect(findDifferences(here, structuredClone(here))).toEqual([]);
});

it("tells a difference of all stacks once", () => {
  const there = Object.fromEntries(
    Object.entries(here).map(([name, stack]) => [name, { ...stack, terraform: { version: "6" } }]),
  );

  expect(findDifferences(here, there)).toEqual([
    { path: "terraform.version", here: '"5"', there: '"6"', stacks: "all" },
  ]);
});

it("names a stack once that differs in every stage, and each stage's where only some differ", () => {
  const one = changed("dev/notification-dev", { fn: { runtime: "nodejs24.x" } });
  const both = {
    ...one,
    "prod/notification-prod": { ...here["prod/notification-prod"], fn: { runtime: "nodejs24.x" } },
  };

  expect(findDifferences(here, both).map(({ stacks }) => stacks)).toEqual([["notification-<stage>"]]);
  expect(findDifferences(here, one).map(({ stacks }) => stacks)).toEqual([["dev/notification-dev"]]);
});

it.each([
  ["an attribute that only the way has", { added: true }, { path: "added", here: undefined, there: "true" }],
  [
    "an attribute that only this project has",
    { fn: {} },
    { path: "fn.runtime", here: '"nodejs22.x"', there: undefined },
  ],
])("finds %s", (_, change, expected) => {
  expect(findDifferences(here, changed("dev/notification-dev", change))).toMatchObject([expected]);
});

it("finds a stack that is not there", () => {
  const { "prod/state-backend": _, ...rest } = here;

  expect(findDifferences(here, rest)).toMatchObject([
    { path: "(the whole stack)", there: undefined, stacks: ["state-backend"] },
  ]);
});

it("shows another bundle, but not its hash, which changes with every line of the handler", () => {
  const bundle = (hash: string) => ({ source_dir: `assets/source/${hash}` });
  const was = { "dev/one": bundle("DD30A2A878E8FB1A0748C5C0FE416850") };
  const is = { "dev/one": bundle("FE8C5328BA24CCCC36277C299D4E85B1") };

  expect(findDifferences(was, is)).toMatchObject([{ here: '"assets/source/<hash>"', there: '"assets/source/<hash>"' }]);
});

it("reports what the compiler refuses, and every difference", () => {
  const report = reportOf([
    [
      { id: "way", title: "A way", packages: { library: "2.0.0" } },
      {
        typeErrors: ["main.ts(1,1): error TS1: no"],
        differences: [{ path: "a.b", here: undefined, there: '"x|y"', stacks: ["one"] }],
      },
    ],
  ]);

  expect(report).toContain("### A way");
  expect(report).toContain("`library` 2.0.0");
  expect(report).toContain("- `main.ts(1,1): error TS1: no`");
  expect(report).toContain('| `a.b` | nothing | `"x\\|y"` | `one` |');
});
