import * as z from "zod";
import { tellProblems } from "../../handler/notifications/problems";
import { knownFields, textOf, toRequestSchema, type UnknownFields } from "../../handler/notifications/request-schema";

/** What a schema makes of a detail, or what it says is wrong with it. */
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
    expect(read(order, { id: ["x"], customer: { nme: "J" }, items: [] })).toBe(
      "detail.id: Invalid input: expected string, received array; detail.customer.name: Invalid input: expected string, received undefined; detail.customer.nme: is not known: did you mean detail.customer.name?",
    );
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`${index}`.repeat(1_000), 1]));
    const told = read(order, { ...given, ...many }) as string;
    expect(told).toMatch(/; and 995 more$/);
    expect(told.length).toBeLessThan(600);
  });

  it("is told without an address that it holds", () => {
    expect(read(order, { ...given, "jane@example.com": 1 })).toBe("detail.(address): is not known");
    expect(read(z.record(text, item), { "jane@example.com": { sku: ["s"] } })).toBe(
      "detail.(address).sku: Invalid input: expected string, received array",
    );
  });
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
  // Twice at each level: as it is, and with numbers as texts, and the second time with all that is within once more.
  expect(tried).toBeLessThan(2 * depth * depth);
});
