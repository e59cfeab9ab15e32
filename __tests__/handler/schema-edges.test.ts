import * as z from "zod";
import {
  knownFields,
  schemaProblems,
  toRequestSchema,
  toStrictSchema,
} from "../../handler/notifications/request-schema";

/** Unusual cases of each kind of schema. The common cases are in `request-schema.test.ts`. */

const inner = z.object({ name: z.string() });
const fieldsOf = (x: z.ZodType) => knownFields(z.object({ x })).map((path) => path.join("."));
const problemsOf = (schema: z.core.$ZodType, value: unknown) =>
  (z.safeParse(schema, value).error?.issues ?? []).map(({ code, path }) => [code, path.join(".")]);

describe("the fields that are known", () => {
  it.each<[string, z.ZodType, string[]]>([
    ["an object", inner, ["x.name"]],
    ["an optional one", inner.optional(), ["x.name"]],
    ["a nullable one", inner.nullable(), ["x.name"]],
    ["one with a default", inner.default({ name: "a" }), ["x.name"]],
    ["one with a default that is read", inner.prefault({ name: "a" }), ["x.name"]],
    ["one that forgives", inner.catch({ name: "a" }), ["x.name"]],
    ["a frozen one", inner.readonly(), ["x.name"]],
    ["one that has to be there", inner.optional().nonoptional(), ["x.name"]],
    ["one that is defined later", z.lazy(() => inner), ["x.name"]],
    ["a list", z.array(inner), ["x.*.name"]],
    ["a tuple", z.tuple([z.string(), inner]), ["x.1.name"]],
    ["a tuple with a rest", z.tuple([z.string()], inner), ["x.*.name"]],
    ["a record", z.record(z.string(), inner), ["x.*.name"]],
    ["a record of named keys", z.record(z.enum(["a", "b"]), z.string()), ["x.a", "x.b"]],
    ["a map", z.map(z.string(), inner), ["x.*.name"]],
    ["a set", z.set(inner), ["x.*.name"]],
    ["alternatives", z.union([z.string(), inner]), ["x.name"]],
    ["both of two", z.intersection(inner, z.object({ age: z.number() })), ["x.name", "x.age"]],
    ["an object that takes others", z.object({ a: z.string() }).catchall(inner), ["x.a", "x.*.name"]],
    ["a text", z.string(), []],
  ])("are those of %s", (_, schema, fields) => {
    expect(fieldsOf(schema)).toEqual(["x", ...fields]);
  });

  const second = z.object({ b: z.string() });
  const open = z.object({ n: inner, r: z.unknown() });
  it.each<[string, z.ZodType, string[]]>([
    ["not those of a second half, where the first names its own", inner.pipe(second as never), ["x.name"]],
    ["nor where the first refuses all others", z.strictObject({ a: z.string() }).pipe(second as never), ["x.a"]],
    ["those of a second half behind any value", z.unknown().pipe(second), ["x.b"]],
    [
      "those of a second half behind a text",
      z
        .string()
        .transform((text): unknown => text)
        .pipe(second as never),
      ["x.b"],
    ],
    [
      "those of both halves, where the first takes others",
      z.looseObject({ a: z.string() }).pipe(second as never),
      ["x.a", "x.b"],
    ],
    [
      "those of both halves, where a part of the first takes any",
      open.pipe(second as never),
      ["x.n", "x.r", "x.n.name", "x.b"],
    ],
    [
      "not those of what such a first half was made to",
      open.transform((value) => value).pipe(second as never),
      ["x.n", "x.r", "x.n.name"],
    ],
  ])("are %s", (_, schema, fields) => {
    expect(fieldsOf(schema)).toEqual(["x", ...fields]);
  });
});

describe("a field that both halves of an intersection change", () => {
  const both = (left: z.ZodType, right: z.ZodType) => schemaProblems(z.intersection(left, right));
  it.each<[string, z.ZodType]>([
    ["a transformation", z.transform((value) => value)],
    ["a pipe", z.string().transform((text) => text)],
    ["a default", z.string().default("a")],
    ["a default that is read", z.string().prefault("a")],
    ["a catch", z.string().catch("a")],
    ["a coercion", z.coerce.string()],
    ["a trimmed text", z.string().trim()],
  ])("is told: %s", (_, schema) => {
    const another = z.string().default("b");
    expect(both(z.object({ a: schema }), z.object({ a: another }))).toEqual([
      "detail.a is changed by both halves of an intersection (by a transformation, a default, ..): let one of them change it.",
    ]);
  });

  it("is none where a half only checks it, or each half changes another field", () => {
    const one = z.string().default("a");
    const other = z.string().default("b");
    expect(both(z.object({ a: z.string().min(1) }), z.object({ a: one }))).toEqual([]);
    expect(both(z.object({ a: one }), z.object({ b: other }))).toEqual([]);
    expect(both(z.object({ a: z.object({ b: one }) }), z.object({ ab: other }))).toEqual([]);
  });

  it("is no problem of a schema without one", () => {
    expect(schemaProblems(z.object({ a: z.string() }))).toEqual([]);
  });
});

describe("what producers are told is not lenient", () => {
  it.each<[string, z.ZodType, unknown]>([
    ["a null for what may be missing", z.string().optional(), null],
    ["an undefined for what is exactly optional", z.exactOptional(z.string()), undefined],
    ["a number for a text", z.string(), 7],
  ])("%s is refused there, and taken from an event", (_, x, value) => {
    const schema = z.object({ x });
    expect(z.safeParse(toStrictSchema(schema, "refuse"), { x: value }).success).toBe(false);
    if (value !== undefined) expect(z.safeParse(toRequestSchema(schema, "refuse"), { x: value }).success).toBe(true);
  });
});

describe("an unknown field is told", () => {
  it.each<[string, z.ZodType, unknown, string]>([
    ["in a set", z.set(inner), new Set([{ name: "a", other: 1 }]), "x.0"],
    ["in a map", z.map(z.string(), inner), new Map([["a", { name: "a", other: 1 }]]), "x.a"],
  ])("%s", (_, x, value) => {
    expect(z.safeParse(toRequestSchema(z.object({ x }), "refuse"), { x: value }).success).toBe(false);
  });

  it("by an object that refuses others itself, also where a notification ignores them", () => {
    const schema = toRequestSchema(z.strictObject({ a: z.string() }), "ignore");
    expect(problemsOf(schema, { a: "a", b: 1 })).toEqual([["unrecognized_keys", ""]]);
    expect(problemsOf(toRequestSchema(z.object({ a: z.string() }), "ignore"), { a: "a", b: 1 })).toEqual([]);
  });

  it("within a field that only one half of an intersection knows", () => {
    const left = z.object({ x: z.string() });
    const right = z.object({ x: z.string(), a: z.object({}) });
    for (const schema of [z.intersection(left, right), z.intersection(right, left)]) {
      expect(problemsOf(toRequestSchema(schema, "refuse"), { x: "x", a: {} })).toEqual([]);
      expect(problemsOf(toRequestSchema(schema, "refuse"), { x: "x", a: { b: 1 } })).toEqual([
        ["unrecognized_keys", "a"],
      ]);
    }
  });

  it("where neither half's keys are like it", () => {
    const of = (start: RegExp) => z.record(z.string().regex(start), z.string());
    const schema = toRequestSchema(z.intersection(of(/^a/), of(/^b/)), "refuse");
    expect(problemsOf(schema, { a1: "x", b1: "x" })).toEqual([]);
    expect(problemsOf(schema, { c1: "x" }).map(([code]) => code)).toContain("invalid_key");
  });
});

describe("a pipe", () => {
  const schema = toRequestSchema(z.object({ n: z.number() }).pipe(z.object({ n: z.string() }) as never), "refuse");

  it("has its second half read nothing where the first refuses the value", () => {
    expect(problemsOf(schema, { n: true })).toEqual([["invalid_type", "n"]]);
  });

  it("tells what both halves find where the first finds only unknown fields", () => {
    const pipe = z.object({ n: z.number() }).pipe(z.object({ n: z.literal(8) }));
    expect(problemsOf(toRequestSchema(pipe, "refuse"), { n: 7, other: 1 })).toEqual([
      ["unrecognized_keys", ""],
      ["invalid_value", "n"],
    ]);
  });
});

describe("an intersection makes of lists", () => {
  const list = z.array(z.string());
  const read = (right: z.ZodType, value: unknown) =>
    z.parse(toRequestSchema(z.intersection(list, right), "refuse"), value);

  it("the one that a half has changed", () => {
    expect(
      read(
        list.transform((items) => items.slice(0, 1)),
        ["a", "b"],
      ),
    ).toEqual(["a"]);
    expect(
      read(
        list.transform((items) => items.join("")),
        ["a", "b"],
      ),
    ).toBe("ab");
    expect(read(list, ["a", "b"])).toEqual(["a", "b"]);
  });

  it("none where both change an item, and says which", () => {
    const of = (change: (text: string) => string) => z.object({ l: z.array(z.string().transform(change)) });
    const schema = z.intersection(
      of((text) => text.toUpperCase()),
      of((text) => text.toLowerCase()),
    );
    expect(problemsOf(toRequestSchema(schema, "refuse"), { l: ["aB"] })).toEqual([["custom", "l.0"]]);
  });
});

describe("a catch", () => {
  const read = (x: z.ZodType, value: unknown) => problemsOf(toRequestSchema(z.object({ x }), "refuse"), { x: value });

  it("forgives what is wrong, and no field that is written like a known one", () => {
    const forgiving = z.looseObject({ name: z.string() }).catch({ name: "a" });
    expect(read(forgiving, { name: 7 })).toEqual([]);
    expect(read(forgiving, { Name: "a" })).toEqual([["custom", "x.Name"]]);
  });

  it("forgives what the notification's own check finds", () => {
    const never = z.string().refine(() => false);
    expect(read(z.object({ name: never }).catch({ name: "a" }), { name: "b" })).toEqual([]);
  });

  const one = z.object({ one: z.string() });
  const two = z.object({ two: z.string(), and: z.string().optional() });
  const unknown = { one: 1, other: 3 };
  it.each<[string, z.ZodType, unknown, string]>([
    ["alternatives", z.union([one, two]).catch({ one: "a" }), unknown, "x"],
    ["alternatives in a field", z.object({ u: z.union([one, two]) }).catch({ u: { one: "a" } }), { u: unknown }, "x.u"],
    ["alternatives of alternatives", z.union([z.union([one, two]), z.number()]).catch(1), unknown, "x"],
    ["alternatives, one of them no object", z.union([z.number(), one]).catch(1), unknown, "x"],
  ])("forgives none of the fields that no alternative knows: %s", (_, schema, value, path) => {
    expect(read(schema, value)).toEqual([["unrecognized_keys", path]]);
  });

  it("forgives a value of which no alternative is an object", () => {
    expect(read(z.union([z.number(), z.array(z.number())]).catch(1), unknown)).toEqual([]);
    expect(read(z.union([z.union([z.number(), z.string()]), one]).catch(1), "a")).toEqual([]);
  });

  it("forgives a key of a map, and none of a record: that is a field", () => {
    const key = z.string().min(3);
    expect(read(z.map(key, z.string()).catch(new Map()), new Map([["a", "b"]]))).toEqual([]);
    expect(read(z.record(key, z.string()).catch({}), { a: "b" })).toEqual([["invalid_key", "x.a"]]);
  });
});

it("tells an unknown field once, where the discriminator has decided", () => {
  const schema = z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("a"), v: z.union([z.number(), z.boolean()]) }),
    z.object({ kind: z.literal("b") }),
  ]);
  const problems = problemsOf(toRequestSchema(schema, "refuse"), { kind: "a", v: {}, other: 1 });
  expect(problems).toHaveLength(2);
  expect(problems).toEqual(
    expect.arrayContaining([
      ["unrecognized_keys", ""],
      ["invalid_union", "v"],
    ]),
  );
});

it("does not compare what the halves of an intersection make of a value that one of them refuses", () => {
  const half = (change: (text: string) => string) => z.object({ a: z.number(), b: z.string().transform(change) });
  const schema = z.intersection(
    half((text) => text.toUpperCase()),
    half((text) => text.toLowerCase()),
  );
  const codes = problemsOf(toRequestSchema(schema, "refuse"), { a: "x", b: "aB" }).map(([code]) => code);
  expect(new Set(codes)).toEqual(new Set(["invalid_type"]));
});
