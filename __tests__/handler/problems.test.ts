import * as z from "zod";
import { messageHints } from "../../handler/notifications/message";
import {
  isOnlyUnknown,
  similarName,
  tellMeant,
  tellProblems,
  type Vocabulary,
} from "../../handler/notifications/problems";

const vocabulary: Vocabulary = {
  known: [["title"], ["subject"], ["emailConfig", "recipient"], ["items", "*", "name"], ["a", "x", "colour"]],
  hints: { subject: "a hint", recipient: "another hint" },
};
const issuesOf = (schema: z.ZodType, value: unknown) => schema.safeParse(value).error?.issues ?? [];

it.each([
  ["headline", "did you mean detail.title?"],
  ["html", "did you mean detail.message?"],
])("says of %s what the recipe's messages call it", (name, hint) => {
  expect(messageHints[name]).toBe(hint);
});

describe("which field is meant", () => {
  it.each([
    // The same name in another spelling, in the same object, is preferred to a hint.
    [["Subject"], ": did you mean detail.subject?"],
    // A hint is preferred to the same name elsewhere.
    [["recipient"], ": another hint"],
    [["titl"], ": did you mean detail.title?"],
    [["items", "0", "Name"], ": did you mean detail.items.0.name?"],
    // A field is a sibling only if all of its parents are the same. This one has another parent, so it is shown with
    // its own.
    [["a", "y", "color"], ": did you mean detail.a.x.colour?"],
    [["nothing like it"], ""],
    [["***"], ""],
  ])("is told of %j: %s", (path, told) => {
    expect(tellMeant(path, vocabulary)).toBe(told);
  });

  it("is the same name elsewhere, before a sibling's that is only like it", () => {
    const known = [["recipiend"], ["emailConfig", "recipient"]];
    expect(tellMeant(["recipient"], { known, hints: {} })).toBe(": did you mean detail.emailConfig.recipient?");
  });

  it("is at most a third of its letters away", () => {
    expect(similarName("abcdef", ["abcdxy"])).toBe("abcdxy");
    expect(similarName("abcdef", ["abcxyz"])).toBeUndefined();
    expect(similarName("ab", ["ax"])).toBe("ax");
    expect(similarName("", ["a"])).toBeUndefined();
    expect(similarName("a", [])).toBeUndefined();
  });
});

it("tells whether a field of the detail itself is all that is not known", () => {
  const schema = z.strictObject({ a: z.string().optional(), inner: z.strictObject({}).optional() });
  expect(isOnlyUnknown("key", issuesOf(schema, { key: 1 }))).toBe(true);
  expect(isOnlyUnknown("key", issuesOf(schema, { key: 1, other: 1 }))).toBe(false);
  expect(isOnlyUnknown("key", issuesOf(schema, { other: 1 }))).toBe(false);
  expect(isOnlyUnknown("key", issuesOf(schema, { key: 1, a: 5 }))).toBe(false);
  expect(isOnlyUnknown("inner", issuesOf(schema, { inner: { key: 1 } }))).toBe(false);
});

it("tells the first five problems, and how many there are besides", () => {
  const issues = issuesOf(z.strictObject({}), { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 });
  const five = ["a", "b", "c", "d", "e"].map((name) => `detail.${name}: is not known`).join("; ");
  expect(tellProblems(issues, { known: [], hints: {} })).toBe(`${five}; and 1 more`);
  expect(tellProblems(issuesOf(z.strictObject({}), { a: 1, b: 1 }), { known: [], hints: {} })).toBe(
    "detail.a: is not known; detail.b: is not known",
  );
});
