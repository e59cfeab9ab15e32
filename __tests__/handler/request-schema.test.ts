import * as z from "zod";
import { tellProblems } from "../../handler/notifications/problems";
import {
  knownFields,
  schemaProblems,
  textOf,
  toRequestSchema,
  type UnknownFields,
} from "../../handler/notifications/request-schema";

/** The detail as the schema reads it, or the text that says what is wrong with it. */
function read(schema: z.ZodType, detail: unknown, unknownFields: UnknownFields = "refuse"): unknown {
  const parsed = z.safeParse(toRequestSchema(schema, unknownFields), detail);
  if (parsed.success) return parsed.data;
  return tellProblems(parsed.error.issues, { known: knownFields(schema), hints: {} });
}

const text = z.string();
const item = z.object({ sku: text, note: text.optional() });
const order = z.object({
  id: text,
  customer: z.object({ name: text, company: text.optional() }),
  items: z.array(item),
});
const given = { id: "o-1", customer: { name: "Jane" }, items: [{ sku: "s-1" }] };

interface Tree {
  readonly name: string;
  readonly children?: readonly Tree[] | undefined;
}
const lazyTree: z.ZodType<Tree> = z.lazy(() => z.object({ name: text, children: z.array(lazyTree).optional() }));
const tree = z.object({
  name: text,
  get children() {
    return z.array(tree).optional();
  },
});
const channel = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("mail"), address: text }),
  z.object({ kind: z.literal("letter"), street: text.optional() }),
]);

describe("a field that the schema does not know", () => {
  const unknownField = "detail.q7: is not known";

  it.each<[string, z.ZodType, unknown, string]>([
    ["at the top", order, { ...given, cc: 1 }, "detail.cc: is not known"],
    [
      "in an object",
      order,
      { ...given, customer: { name: "Jane", compny: "x" } },
      "detail.customer.compny: is not known: did you mean detail.customer.company?",
    ],
    [
      "in a list's element",
      order,
      { ...given, items: [{ sku: "s-1" }, { sku: "s-2", SKU: "s-3" }] },
      "detail.items.1.SKU: is not known: did you mean detail.items.1.sku?",
    ],
    [
      "at a wrong level",
      order,
      { ...given, company: "x" },
      "detail.company: is not known: did you mean detail.customer.company?",
    ],
    [
      "in a record's value",
      z.record(text, item),
      { a: { sku: "s", nte: "x" } },
      "detail.a.nte: is not known: did you mean detail.a.note?",
    ],
    [
      "in a record of known keys",
      z.record(z.enum(["a", "bee"]), text),
      { a: "1", bee: "2", bea: "3" },
      "detail.bea: is not known: did you mean detail.bee?",
    ],
    ["in a tuple", z.tuple([item]), [{ sku: "s", x: 1 }], "detail.0.x: is not known"],
    [
      "in a union",
      z.union([z.object({ a: text }), z.object({ b: text })]),
      { a: "1", c: "2" },
      "detail.c: is not known: did you mean detail.a?",
    ],
    [
      "in a discriminated union",
      channel,
      { kind: "letter", adress: "x" },
      "detail.adress: is not known: did you mean detail.address?",
    ],
    [
      "in an intersection",
      z.intersection(z.object({ a: text }), item),
      { a: "1", sku: "s", q: 1 },
      "detail.q: is not known: did you mean detail.a?",
    ],
    [
      "in an extended schema",
      order.extend({ extra: item.optional() }),
      { ...given, extra: { sku: "s", q7: 1 } },
      "detail.extra.q7: is not known",
    ],
    [
      "in a strict object",
      z.strictObject({ sku: text }),
      { sku: "s", sko: 1 },
      "detail.sko: is not known: did you mean detail.sku?",
    ],
    [
      "behind optional, nullable, default and readonly",
      z.object({ a: item.nullable().default({ sku: "s" }).readonly().optional() }),
      { a: { sku: "s", q7: 1 } },
      "detail.a.q7: is not known",
    ],
    ["before a transformation", item.transform(({ sku }) => sku), { sku: "s", q7: 1 }, "detail.q7: is not known"],
    [
      "before a pipe",
      item.transform((each): unknown => each).pipe(z.looseObject({})),
      { sku: "s", q7: 1 },
      "detail.q7: is not known",
    ],
    [
      "in a recursive schema",
      tree,
      { name: "a", children: [{ name: "b", chldren: [] }] },
      "detail.children.0.chldren: is not known: did you mean detail.children.0.children?",
    ],
    [
      "in a lazy schema",
      lazyTree,
      { name: "a", children: [{ name: "b", Name: "c" }] },
      "detail.children.0.Name: is not known: did you mean detail.children.0.name?",
    ],
    ["of a prototype", item, JSON.parse('{"sku":"s","__proto__":{"note":"x"}}'), "detail.__proto__: is not known"],
  ])("is refused by name: %s", (_, schema, detail, problem) => {
    expect(read(schema, detail)).toBe(problem);
  });

  it.each<[string, z.ZodType, unknown]>([
    ["a loose object", z.looseObject({ sku: text }), { sku: "s", q: { z: 1 } }],
    ["a catchall", z.object({ sku: text }).catchall(z.number()), { sku: "s", q: 1 }],
    ["a record", z.record(text, z.unknown()), { q: { z: 1 } }],
    ["unknown", z.object({ any: z.unknown() }), { any: { z: 1 } }],
    ["JSON", z.object({ any: z.json() }), { any: { z: [1, null, "x", { q: true }] } }],
    [
      "the other half of an intersection",
      z.intersection(z.object({ a: text }), z.object({ b: text })),
      { a: "1", b: "2" },
    ],
    [
      "another alternative of a union",
      z.union([z.object({ a: text }), z.object({ a: text, b: text })]),
      { a: "1", b: "2" },
    ],
  ])("is taken where the schema takes any: %s", (_, schema, detail) => {
    expect(read(schema, detail)).toEqual(detail);
  });

  const either = z.union([z.object({ a: text }), z.object({ b: text })]);
  const notes = z.object({ note: text, sku: text, street: text.optional() });

  it.each<[string, z.ZodType, unknown, string]>([
    ["a wrong field beside it", item.catch({ sku: "d" }), { sku: ["s"], q7: 1 }, "detail.q7: is not known"],
    [
      "a catch within a catch",
      z.object({ a: item.catch({ sku: "d" }) }).catch({ a: { sku: "e" } }),
      { a: { q7: 1 } },
      "detail.a.q7: is not known",
    ],
    ["a union that is caught", either.catch({ a: "d" }), { q7: 1 }, "detail.q7: is not known"],
    [
      "a discriminator that is wrong",
      channel.catch({ kind: "letter" }),
      { kind: "fax", q7: 1 },
      "detail.q7: is not known",
    ],
    [
      "known keys of a record",
      z.record(z.enum(["a"]), text).catch({ a: "d" }),
      { a: "1", q7: 1 },
      "detail.q7: is not known",
    ],
    [
      "a caught alternative before the one that is meant",
      z.union([item.catch({ sku: "d" }), z.object({ b: text })]),
      { b: "1", q7: 1 },
      "detail.q7: is not known",
    ],
    [
      "an optional second half of a pipe",
      notes
        .partial()
        .transform(({ note }) => note)
        .pipe(text.optional()),
      { q7: 1 },
      "detail.q7: is not known",
    ],
    [
      "a second half of a pipe that is a union",
      item.transform(({ sku }) => sku).pipe(z.union([text, z.literal("x")])),
      { sku: "s", q7: 1 },
      "detail.q7: is not known",
    ],
    [
      "a second half of a pipe that is a catch",
      item.transform(({ sku }) => sku).pipe(text.catch("d")),
      { sku: "s", q7: 1 },
      "detail.q7: is not known",
    ],
    [
      "a union in an intersection",
      z.intersection(either, item),
      { a: "1", sku: "s", q7: 1 },
      "detail.q7: is not known",
    ],
    [
      "alternatives that are not meant",
      z.intersection(
        z.union([z.object({ a: text }), z.object({ a: text, b: text, x: text })]),
        z.union([item, item.extend({ b: text, y: text })]),
      ),
      { a: "1", sku: "s", b: "2" },
      "detail.b: is not known: did you mean detail.b?",
    ],
    [
      "halves that name one object",
      z.intersection(z.object({ p: z.object({ a: text }) }), z.object({ p: item })),
      { p: { a: "1", sku: "s", q7: 1 } },
      "detail.p.q7: is not known",
    ],
  ])("is not lost behind %s", (_, schema, detail, problem) => {
    expect(read(schema, detail)).toBe(problem);
  });

  /**
   * Schemas that can wrap another one. Each may change the value that fits, and may add a step to the path of a
   * problem.
   */
  const wrappers: Readonly<
    Record<string, { wrap: (inner: z.ZodType) => z.ZodType; give?: (value: unknown) => unknown; step?: string }>
  > = {
    optional: { wrap: (inner) => inner.optional() },
    nullable: { wrap: (inner) => inner.nullable() },
    nonoptional: { wrap: (inner) => inner.optional().nonoptional() },
    default: { wrap: (inner) => z._default(inner, null) },
    prefault: { wrap: (inner) => z.prefault(inner, null) },
    catch: { wrap: (inner) => z.catch(inner, null) },
    readonly: { wrap: (inner) => inner.readonly() },
    brand: { wrap: (inner) => inner.brand("own") },
    refine: { wrap: (inner) => inner.refine(() => true) },
    transform: { wrap: (inner) => inner.transform((value) => value) },
    "first half of a pipe": { wrap: (inner) => inner.pipe(z.unknown()) },
    "second half of a pipe": { wrap: (inner) => z.unknown().pipe(inner) },
    "pipe behind a transformation": {
      wrap: (inner) =>
        z
          .unknown()
          .transform((value) => value)
          .pipe(inner),
    },
    preprocess: { wrap: (inner) => z.preprocess((value) => value, inner) },
    codec: { wrap: (inner) => z.codec(z.json(), inner, { decode: (value) => value, encode: () => null }) },
    lazy: { wrap: (inner) => z.lazy(() => inner) },
    union: { wrap: (inner) => z.union([z.number(), inner]) },
    "exclusive union": { wrap: (inner) => z.xor([inner, z.number()]) },
    intersection: { wrap: (inner) => z.intersection(inner, inner) },
    array: { wrap: (inner) => z.array(inner), give: (value) => [value], step: "0" },
    tuple: { wrap: (inner) => z.tuple([inner]), give: (value) => [value], step: "0" },
    "rest of a tuple": { wrap: (inner) => z.tuple([text], inner), give: (value) => ["x", value], step: "1" },
    record: { wrap: (inner) => z.record(text, inner), give: (value) => ({ key: value }), step: "key" },
    "partial record": {
      wrap: (inner) => z.partialRecord(z.enum(["key"]), inner),
      give: (value) => ({ key: value }),
      step: "key",
    },
    "loose object": { wrap: (inner) => z.looseObject({ key: inner }), give: (value) => ({ key: value }), step: "key" },
    catchall: { wrap: (inner) => z.object({}).catchall(inner), give: (value) => ({ key: value }), step: "key" },
    map: {
      wrap: (inner) =>
        z.preprocess((value) => (value instanceof Object ? new Map(Object.entries(value)) : value), z.map(text, inner)),
      give: (value) => ({ key: value }),
      step: "key",
    },
  };
  const names = Object.keys(wrappers);

  it.each(names)("is refused in %s of any other", (outer) => {
    const answers = names.map((inner) => {
      const nesting = [outer, inner].map((name) => wrappers[name]).filter((wrapper) => wrapper !== undefined);
      const schema = nesting.reduceRight((within, { wrap }) => wrap(within), item as z.ZodType);
      const give = (value: unknown) =>
        nesting.reduceRight((within, { give: giveOne = (each: unknown) => each }) => giveOne(within), value);
      const field = ["detail", ...nesting.flatMap(({ step }) => step ?? []), "q7"].join(".");
      const isTaken = z.safeParse(toRequestSchema(schema, "refuse"), give({ sku: "s" })).success;
      return { inner, isTaken, answer: read(schema, give({ sku: "s", q7: 1 })), expected: `${field}: is not known` };
    });
    expect(answers.filter(({ isTaken, answer, expected }) => !isTaken || answer !== expected)).toEqual([]);
  });

  it.each<[string, z.ZodType, unknown, string]>([
    ["keys of a form", z.record(text.regex(/^a/), text).catch({}), { q7: "x" }, "detail.q7: Invalid key in record"],
    ["an alternative of another type", z.union([text, item]).catch("d"), { sku: ["s"], q7: 1 }, unknownField],
    [
      "alternatives that all have another type",
      z.union([z.union([text, z.number()]), item]).catch("d"),
      { sku: ["s"], q7: 1 },
      unknownField,
    ],
    [
      "a wrong field of the alternative that the discriminator names, and is told once",
      z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("mail"), to: z.union([z.number(), z.boolean()]) }),
        z.object({ kind: z.literal("letter") }),
      ]),
      { kind: "mail", to: "x", q7: 1 },
      `detail.to: Invalid input; ${unknownField}`,
    ],
    ...Object.entries({
      any: z.any(),
      unknown: z.unknown(),
      custom: z.custom(),
      record: z.record(text, text),
      transform: z.transform((value): unknown => value),
    }).map(([name, open]): [string, z.ZodType, unknown, string] => [
      `what takes any field in front of a pipe: ${name}`,
      z.object({ a: open }).pipe(z.object({ a: item })),
      { a: { sku: "s", q7: 1 } },
      "detail.a.q7: is not known",
    ]),
  ])("is not lost in %s", (_, schema, detail, problem) => {
    expect(read(schema, detail)).toBe(problem);
  });

  const made = { sku: "s", SKU: 5, n: 5 };
  const own = z.object({ sku: text, n: z.number() });
  const open = item.extend({ any: z.unknown().optional() });

  it.each<[string, z.ZodType]>([
    ["an object", item.transform((): unknown => made).pipe(own)],
    ["an object with an open field", open.transform((): unknown => made).pipe(own)],
    ["a codec", z.codec(open, z.looseObject({}), { decode: () => made, encode: () => ({ sku: "s" }) }).pipe(own)],
    [
      "a text with JSON",
      z
        .preprocess((value) => value, item)
        .transform((): unknown => made)
        .pipe(own),
    ],
    ["what is caught", item.transform((): unknown => made).pipe(own.strict().catch({ sku: "s", n: 5 }))],
  ])("is the notification's own where its transformation has made it of %s", (_, schema) => {
    expect(read(schema, { sku: "s" })).toEqual({ sku: "s", n: 5 });
    expect(read(item.transform((): unknown => ({ n: 5 })).pipe(z.object({ n: text })), { sku: "s" })).toMatch(
      /^detail\.n: Invalid input: expected string/,
    );
    expect(knownFields(schema)).not.toContainEqual(["n"]);
  });

  it("is dropped from a fact that others read, too", () => {
    const fact = { ...given, total: 5, customer: { name: "Jane", vat: "x" }, items: [{ sku: "s-1", price: 3 }] };
    expect(read(order, fact, "ignore")).toEqual(given);
    expect(read(z.intersection(z.object({ a: text }), item), { a: 1, sku: 2, q: 3 }, "ignore")).toEqual({
      a: "1",
      sku: "2",
    });
    expect(read(channel, { kind: "mail", address: "a", q: 1 }, "ignore")).toEqual({ kind: "mail", address: "a" });
    expect(read(tree, { name: "a", q: 1, children: [{ name: "b", q: 1 }] }, "ignore")).toEqual({
      name: "a",
      children: [{ name: "b" }],
    });
  });

  it.each<[string, z.ZodType, unknown, string]>([
    ["at the top", order, { ...given, ID: "x" }, "detail.ID: is not known: did you mean detail.id?"],
    [
      "in an object",
      order,
      { ...given, customer: { name: "Jane", Company: "x" } },
      "detail.customer.Company: is not known: did you mean detail.customer.company?",
    ],
    [
      "in a list's element",
      order,
      { ...given, items: [{ sku: "s", Note: 1 }] },
      "detail.items.0.Note: is not known: did you mean detail.items.0.note?",
    ],
    [
      "in an intersection",
      z.intersection(z.object({ a: text.optional() }), item),
      { A: "1", sku: "s" },
      "detail.A: is not known: did you mean detail.a?",
    ],
    [
      "in a loose object",
      z.looseObject({ note: text.optional() }),
      { NOTE: "x" },
      "detail.NOTE: is not known: did you mean detail.note?",
    ],
  ])("is refused in a fact, too, where it differs by case only: %s", (_, schema, detail, problem) => {
    expect(read(schema, detail, "ignore")).toBe(problem);
  });

  it("is told with all other problems, of many the first", () => {
    expect(read(order, { ...given, id: ["x"], ID: "x" }, "ignore")).toBe(
      "detail.id: Invalid input: expected string, received array; detail.ID: is not known: did you mean detail.id?",
    );
    expect(read(order, { id: ["x"], customer: { nme: "J" }, items: [] })).toBe(
      "detail.id: Invalid input: expected string, received array; detail.customer.name: Invalid input: expected string, received undefined; detail.customer.nme: is not known: did you mean detail.customer.name?",
    );
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`${index}`.repeat(1_000), 1]));
    const told = read(order, { ...given, ...many }) as string;
    expect(told).toMatch(/; and 995 more$/);
    expect(told.length).toBeLessThan(600);
  });

  it("is meant for no other where its name has neither letter nor digit", () => {
    expect(read(z.object({ a: text.optional() }), { "-": 1 })).toBe("detail.-: is not known");
  });

  it("is told without an address that it holds", () => {
    expect(read(order, { ...given, "jane@example.com": 1 })).toBe("detail.(address): is not known");
    expect(read(z.record(text, item), { "jane@example.com": { sku: ["s"] } })).toBe(
      "detail.(address).sku: Invalid input: expected string, received array",
    );
  });
});

describe("an intersection", () => {
  const loose = z.looseObject({});

  it.each<[string, z.ZodType, unknown, unknown]>([
    ["a number that was a text", z.object({ a: z.coerce.number() }), { a: "5", q: "5" }, { a: 5, q: "5" }],
    ["a text that was a number", z.object({ a: text }), { a: 5, q: 5 }, { a: "5", q: 5 }],
    ["a date", z.object({ a: z.coerce.date() }), { a: "2026-11-24" }, { a: new Date("2026-11-24") }],
    ["a trimmed text", z.object({ a: text.trim() }), { a: " x " }, { a: "x" }],
    ["a default", z.object({ a: text.default("x") }), { a: null }, { a: "x" }],
    ["an optional field that is null", z.object({ a: text.optional() }), { a: null }, {}],
    ["a catch", z.object({ a: z.number().catch(7) }), { a: "x" }, { a: 7 }],
    ["an object", z.object({ a: z.object({ b: z.coerce.number() }) }), { a: { b: "5", q: 1 } }, { a: { b: 5, q: 1 } }],
    ["a list", z.object({ a: z.array(z.object({ b: text })) }), { a: [{ b: 5 }] }, { a: [{ b: "5" }] }],
    [
      "a Map",
      z.object({ a: z.preprocess((value) => new Map(Object.entries(value as object)), z.map(text, text)) }),
      { a: { b: "c" } },
      { a: new Map([["b", "c"]]) },
    ],
    ["a transformation", z.object({ a: item.transform(({ sku }) => sku) }), { a: { sku: "s" } }, { a: "s" }],
    [
      "a third half",
      z.intersection(z.object({ a: z.coerce.number() }), z.object({ b: text })),
      { a: "5", b: 5 },
      { a: 5, b: "5" },
    ],
  ])("takes what one half makes of a field before what a loose half leaves: %s", (_, schema, detail, expected) => {
    for (const other of [loose, z.record(text, z.unknown()), z.unknown()]) {
      expect(read(z.intersection(other, schema), detail)).toEqual(expected);
      expect(read(z.intersection(schema, other), detail)).toEqual(expected);
    }
  });

  it("of halves that want one field in different forms takes what fits both", () => {
    const schema = z.intersection(z.object({ a: text }), z.object({ a: z.union([text, z.number()]) }));
    expect(read(schema, { a: 5 })).toEqual({ a: "5" });
    expect(
      read(z.intersection(z.object({ p: z.object({ a: text }) }), z.object({ p: item })), { p: { a: 1, sku: "s" } }),
    ).toEqual({ p: { a: "1", sku: "s" } });
  });

  it("of halves that each change something else of a list's elements takes both", () => {
    const list = (element: z.ZodType) => z.object({ p: z.array(element) });
    const schema = z.intersection(list(z.object({ a: text })), list(item));
    expect(read(schema, { p: [{ a: 1, sku: 2 }] })).toEqual({ p: [{ a: "1", sku: "2" }] });
  });

  it("takes no field that JavaScript reads as its own", () => {
    const detail: unknown = JSON.parse('{"sku":"s","__proto__":{"note":"x"}}');
    expect(Object.keys(read(z.intersection(z.unknown(), item), detail) as object)).toEqual(["sku"]);
  });

  it("is read behind a transformation, too, with what that has added", () => {
    const schema = item
      .transform(({ sku }): unknown => ({ sku, n: "5" }))
      .pipe(z.intersection(loose, z.object({ n: z.coerce.number() })));
    expect(read(schema, { sku: "s" })).toEqual({ sku: "s", n: 5 });
  });

  it("that makes two things of a field names the field", () => {
    const made = z.object({ a: text.transform((value) => `${value}1`) });
    const other = z.object({ a: text.transform((value) => `${value}2`) });
    expect(schemaProblems(z.object({ p: z.intersection(made, other).optional() }))).toEqual([
      "detail.p.a is changed by both halves of an intersection (by a transformation, a default, ..): let one of them change it.",
    ]);
    expect(read(z.intersection(made, other), { a: "x" })).toBe(
      "detail.a: is read in two ways by the notification's own schema: let one half of its intersection change it",
    );
  });
});

it("says what a schema can't be read with", () => {
  const halves = (left: z.ZodType, right: z.ZodType) =>
    schemaProblems(z.intersection(z.object({ a: left }), z.object({ a: right, b: text })));
  const changing = [
    text.trim(),
    z.coerce.number(),
    text.default("x"),
    text.prefault("x"),
    text.catch("x"),
    z.stringbool(),
    z.lazy(() => text.toLowerCase()).optional(),
  ];
  for (const [index, left] of changing.entries()) {
    for (const right of changing.slice(index + 1)) expect(halves(left, right)).toHaveLength(1);
    expect(halves(left, left)).toEqual([]);
    expect(halves(left, text)).toEqual([]);
  }
  const whole = z.intersection(
    item.transform((value) => value),
    z.object({ a: text }).transform((value) => value),
  );
  expect(schemaProblems(whole)).toEqual([]);
  expect(schemaProblems(z.object({ a: z.success(item), b: z.array(z.promise(item)) }))).toEqual([
    "detail.a is z.success(), which drops what the event has there: check it with a refinement.",
    "detail.b.* is z.promise(), and an event has no promises: use what it promises.",
  ]);
  for (const schema of [order, tree, lazyTree, channel]) expect(schemaProblems(schema)).toEqual([]);
});

it("reads a fact with null or a list where an object is expected", () => {
  for (const value of [null, [], "x", 7]) {
    expect(read(z.object({ a: item }), { a: value }, "ignore")).toMatch(/^detail\.a: Invalid input: expected object/);
  }
});

describe("null", () => {
  it.each<[string, z.ZodType, unknown, unknown]>([
    ["an optional field", z.object({ a: text.optional() }), { a: null }, {}],
    ["an exactly optional field", z.object({ a: z.exactOptional(text) }), { a: null }, {}],
    [
      "a field with a default",
      z.object({ a: text.default("x"), b: text.prefault("y") }),
      { a: null, b: null },
      { a: "x", b: "y" },
    ],
    ["an optional object", z.object({ a: item.optional() }), { a: null }, {}],
    [
      "a field of an optional object",
      z.object({ a: item.optional() }),
      { a: { sku: "s", note: null } },
      { a: { sku: "s" } },
    ],
    [
      "a field of a list's element",
      order,
      { ...given, items: [{ sku: "s", note: null }] },
      { ...given, items: [{ sku: "s" }] },
    ],
    ["a value of a record", z.record(text, text.optional()), { a: null, b: "x" }, { b: "x" }],
    ["the end of a tuple", z.tuple([text, text.optional()]), ["a", null], ["a", undefined]],
    ["a field of a discriminated union", channel, { kind: "letter", street: null }, { kind: "letter" }],
    [
      "a field of a union's alternative",
      z.union([z.object({ a: z.number() }), item]),
      { sku: "s", note: null },
      { sku: "s" },
    ],
    [
      "a field of an intersection",
      z.intersection(z.object({ a: text.optional() }), item),
      { a: null, sku: "s" },
      { sku: "s" },
    ],
    ["a field of a recursive schema", tree, { name: "a", children: null }, { name: "a" }],
    [
      "what would be made of it",
      z.object({ a: z.coerce.string().optional(), b: z.coerce.number().default(7), c: z.coerce.date().optional() }),
      { a: null, b: null, c: null },
      { b: 7 },
    ],
    ["an optional transformation", z.object({ a: text.transform(Number).optional() }), { a: null }, {}],
  ])("is the same as absent: %s", (_, schema, detail, expected) => {
    expect(read(schema, detail)).toEqual(expected);
  });

  it.each<[string, z.ZodType, unknown]>([
    ["nullable", z.object({ a: text.nullable() }), { a: null }],
    ["nullish", z.object({ a: text.nullish() }), { a: null }],
    ["one alternative", z.object({ a: z.union([text, z.null()]).optional() }), { a: null }],
    ["anything", z.object({ a: z.unknown() }), { a: null }],
    ["nullable, though something would be made of it", z.object({ a: z.coerce.string().nullish() }), { a: null }],
  ])("is itself where the schema takes it: %s", (_, schema, detail) => {
    expect(read(schema, detail)).toEqual(detail);
  });

  it("is given to a schema that reads it", () => {
    const schema = z.object({ a: z.preprocess((value) => value ?? "none", text) });
    expect(read(schema, { a: null })).toEqual({ a: "none" });
  });

  it("is refused where something has to be", () => {
    expect(read(item, { sku: null })).toBe("detail.sku: Invalid input: expected string, received null");
    expect(read(z.array(text), [null])).toBe("detail.0: Invalid input: expected string, received null");
  });
});

describe("a number or a boolean for a text", () => {
  it.each<[string, z.ZodType, unknown, unknown]>([
    ["a text", item, { sku: 20260101, note: true }, { sku: "20260101", note: "true" }],
    ["a list's element", z.array(text), [1, false, 0.25, -7], ["1", "false", "0.25", "-7"]],
    ["a checked text", z.object({ a: text.min(3).max(4).trim() }), { a: 1234 }, { a: "1234" }],
    ["a format", z.object({ a: z.iso.date().or(z.string().regex(/^\d+$/)) }), { a: 2026 }, { a: "2026" }],
    ["a text that is transformed", z.object({ a: text.transform((value) => value.length) }), { a: 1234 }, { a: 4 }],
    ["a text that means a boolean", z.object({ a: z.stringbool() }), { a: true }, { a: true }],
    ["a recursive schema", lazyTree, { name: 1, children: [{ name: 2 }] }, { name: "1", children: [{ name: "2" }] }],
    ["an intersection", z.intersection(z.object({ a: text }), item), { a: 1, sku: 2 }, { a: "1", sku: "2" }],
    ["a discriminated union", channel, { kind: "mail", address: 5 }, { kind: "mail", address: "5" }],
    ["a union that takes no number", z.union([z.boolean(), text]), 5, "5"],
    ["a value of a record", z.record(text, text), { a: 1 }, { a: "1" }],
    ["what makes a text of it itself", z.object({ a: z.coerce.string() }), { a: 1e21 }, { a: "1e+21" }],
  ])("is its text: %s", (_, schema, detail, expected) => {
    expect(read(schema, detail)).toEqual(expected);
  });

  it.each<[string, z.ZodType, unknown]>([
    ["a union that takes it", z.array(z.union([text, z.number(), z.boolean()])), [1, true, "x"]],
    ["an exclusive union that takes it", z.xor([text, z.number()]), 1],
    ["an object of another alternative", z.union([z.object({ a: text }), z.object({ a: z.number() })]), { a: 1 }],
    ["a number", z.object({ a: z.number(), b: z.boolean() }), { a: 1, b: true }],
    ["anything", z.object({ a: z.unknown() }), { a: 1 }],
  ])("stays itself where the schema takes it: %s", (_, schema, detail) => {
    expect(read(schema, detail)).toEqual(detail);
  });

  it.each<[string, z.ZodType, unknown]>([
    ["one of a list of texts", z.object({ a: z.enum(["1", "true"]) }), { a: 1 }],
    ["a literal", z.object({ a: z.literal("true") }), { a: true }],
    ["a discriminator", channel, { kind: 1 }],
  ])("is refused for %s: a producer that means one of them knows it", (_, schema, detail) => {
    expect(read(schema, detail)).toMatch(/^detail\.(a|kind): Invalid/);
  });

  it.each([1e21, 2 ** 53, -(2 ** 53), 1e-7, 1.5e300, JSON.parse("1e999") as number])(
    "is refused without an exact text: %d",
    (value) => {
      expect(textOf(value)).toBeUndefined();
      expect(read(item, { sku: value })).toBe(
        "detail.sku: is a number without an exact text: put it in quotation marks",
      );
    },
  );

  it.each([
    [2 ** 53 - 1, "9007199254740991"],
    [-0, "0"],
    [0.1, "0.1"],
    [123456.789, "123456.789"],
  ])("has the text that JSON wrote: %d", (value, expected) => {
    expect(textOf(value)).toBe(expected);
  });
});

it("keeps what a schema checks and makes", () => {
  const schema = z
    .object({ a: text.max(3, "is too long"), b: text.catch("caught") })
    .refine(({ a }) => a !== "no", "says no")
    .transform(({ a, b }) => `${a} ${b}`);
  expect(read(schema, { a: "x", b: ["y"] })).toBe("x caught");
  expect(read(schema, { a: "long", b: "y" })).toBe("detail.a: is too long");
  expect(read(schema, { a: "no", b: "y" })).toBe("detail: says no");
});

it.each<[string, z.ZodType, unknown]>([
  ["a catch", item.catch({ sku: "d" }), { sku: ["s"] }],
  ["a union", z.union([item, text]), { sku: "s" }],
  ["a union of a number and texts", z.union([item, text]), 5],
  ["a discriminated union", channel, { kind: "letter" }],
  ["an intersection", z.intersection(item, z.looseObject({})), { sku: "s" }],
  ["a pipe", item.transform(({ sku }) => sku).pipe(text), { sku: "s" }],
])("keeps what is checked behind %s", (_, schema, detail) => {
  expect(
    read(
      schema.refine(() => false, "says no"),
      detail,
    ),
  ).toBe("detail: says no");
});

it("checks nothing behind a pipe that did not get to its end", () => {
  const schema = text
    .refine(() => false, "says no")
    .transform(Number)
    .pipe(z.number())
    .refine((value) => value.toFixed(0) === "5");
  expect(read(schema, "5")).toBe("detail: says no");
});

it("tells of a union what is wrong with the alternative that has the value's type, or what the union says", () => {
  expect(read(z.union([text, item]), { sku: ["s"] })).toBe(
    "detail.sku: Invalid input: expected string, received array",
  );
  expect(read(z.object({ a: z.union([z.number(), z.boolean()], "is no amount") }), { a: "x" })).toBe(
    "detail.a: is no amount",
  );
});

it("takes of an exclusive union what one alternative takes, and no other", () => {
  const schema = z.xor([z.object({ a: text }), z.object({ a: text, b: text.optional() })]);
  expect(read(schema, { a: "1", b: "2" })).toEqual({ a: "1", b: "2" });
  expect(read(schema, { a: "1" })).toBe("detail: Invalid input: more than one option matched");
});

it("reads a catch, an intersection and a pipe within themselves once a level", () => {
  let tried = 0;
  const leaf = z.custom(() => {
    tried += 1;
    return false;
  });
  const nested: z.ZodType = z.lazy(() => {
    const level = z.object({ leaf, in: nested.optional() });
    return z
      .intersection(level, z.looseObject({}))
      .transform((value): unknown => value)
      .pipe(z.unknown())
      .catch(({ input }: { readonly input: unknown }) => input);
  });
  const depth = 40;
  let detail: unknown = { leaf: 1 };
  for (let level = 1; level < depth; level += 1) detail = { leaf: 1, in: detail };
  expect(read(nested, detail)).toEqual(detail);
  expect(tried).toBe(depth);
});

it("reads a union within a union within a union without trying each of them again and again", () => {
  let tried = 0;
  const leaf = z.custom(() => {
    tried += 1;
    return false;
  });
  type Nested = z.ZodType;
  const nested: Nested = z.union([leaf, z.object({ in: z.lazy((): Nested => nested) })]);
  const depth = 40;
  let detail: unknown = "deepest";
  for (let level = 0; level < depth; level += 1) detail = { in: detail };
  expect(typeof read(nested, detail)).toBe("string");
  // Each level is tried twice: with the values as they are, and with numbers read as texts. The second try repeats the
  // first for everything inside.
  expect(tried).toBeLessThan(2 * depth * depth);
});
