import {
  compareNearness,
  compilePattern,
  parsePattern,
  InvalidEventPattern,
} from "../../../src/services/eventbridge/pattern";
import { commonFields, matching as answeredYes, notMatching, refused } from "../../support/event-pattern-answers";

/** AWS's own line of the reason; `undefined` where the pattern is taken. */
function refusalOf(pattern: string): string | undefined {
  try {
    compilePattern(pattern);
    return undefined;
  } catch (error) {
    if (!(error instanceof InvalidEventPattern)) throw error;
    return error.message.split("\n")[0]?.replace("Event pattern is not valid. Reason: ", "");
  }
}

describe("a pattern as AWS has answered it", () => {
  it.each(answeredYes)("matches: %s", (_, event, pattern) => {
    expect(compilePattern(JSON.stringify(pattern))({ ...commonFields, ...event })).toBe(true);
  });

  it.each(notMatching)("does not match: %s", (_, event, pattern) => {
    expect(compilePattern(JSON.stringify(pattern))({ ...commonFields, ...event })).toBe(false);
  });

  it.each(refused)("is refused: %s", (_, pattern, reason) => {
    expect(refusalOf(JSON.stringify(pattern))).toBe(reason);
  });
});

const event = {
  source: "custom.application",
  "detail-type": "Priority Alert",
  resources: ["arn:aws:ec2:us-east-1:123456789012:instance/i-1", "arn:b"],
  detail: {
    priority: "high",
    count: 5,
    price: 10.5,
    isUrgent: true,
    nothing: null,
    ip: "10.0.0.17",
    ipv6: "2001:db8::1",
    file: "dir/photo.PNG",
    star: "a*b",
    backslash: "a\\b",
    lines: "one\ntwo",
    empty: [],
    odd: "a-b.c/d[x]^$",
    grid: [["a"], ["b", ["c"]]],
    tags: ["one", "two"],
    nested: { deep: { value: "x" } },
    items: [
      { kind: "book", size: 1 },
      { kind: "pen", size: 9 },
    ],
  },
};

const detail = (pattern: unknown) => ({ detail: pattern });

describe("event patterns match as in https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html", () => {
  const matching: [string, unknown][] = [
    ["a value", { source: ["custom.application"] }],
    ["one of several values", { source: ["other", "custom.application"] }],
    ["a value in an array", { resources: ["arn:b"] }],
    ["a number", detail({ count: [5] })],
    ["true", detail({ isUrgent: [true] })],
    ["null", detail({ nothing: [null] })],
    ["fields at any depth", detail({ nested: { deep: { value: ["x"] } } })],
    ["a prefix", { source: [{ prefix: "custom." }] }],
    ["a prefix in any case", { source: [{ prefix: { "equals-ignore-case": "CUSTOM." } }] }],
    ["a suffix", detail({ file: [{ suffix: ".PNG" }] })],
    ["a suffix in any case", detail({ file: [{ suffix: { "equals-ignore-case": ".png" } }] })],
    ["a value in any case", detail({ priority: [{ "equals-ignore-case": "HIGH" }] })],
    ["anything but a value", detail({ priority: [{ "anything-but": "low" }] })],
    ["anything but several", detail({ priority: [{ "anything-but": ["low", "medium"] }] })],
    ["anything but a number", detail({ count: [{ "anything-but": 4 }] })],
    ["anything but a prefix", detail({ priority: [{ "anything-but": { prefix: "lo" } }] })],
    ["anything but prefixes", detail({ priority: [{ "anything-but": { prefix: ["lo", "me"] } }] })],
    ["anything but a suffix", detail({ file: [{ "anything-but": { suffix: ".jpg" } }] })],
    ["anything but a value in any case", detail({ priority: [{ "anything-but": { "equals-ignore-case": "LOW" } }] })],
    ["anything but a wildcard", detail({ file: [{ "anything-but": { wildcard: "*.jpg" } }] })],
    ["a numeric equality", detail({ price: [{ numeric: ["=", 10.5] }] })],
    ["a numeric range", detail({ count: [{ numeric: [">", 0, "<=", 5] }] })],
    ["existence", detail({ priority: [{ exists: true }] })],
    ["absence", detail({ missing: [{ exists: false }] })],
    ["absence under a missing parent", detail({ missing: { deeper: [{ exists: false }] } })],
    ["absence where an object is: it is no leaf", detail({ nested: [{ exists: false }] })],
    ["absence where an array is empty", detail({ empty: [{ exists: false }] })],
    ["an IPv4 range", detail({ ip: [{ cidr: "10.0.0.0/24" }] })],
    ["an IPv6 range", detail({ ipv6: [{ cidr: "2001:db8::/32" }] })],
    ["a wildcard", detail({ file: [{ wildcard: "dir/*.PNG" }] })],
    ["a wildcard over several lines", detail({ lines: [{ wildcard: "one*two" }] })],
    ["an escaped asterisk", detail({ star: [{ wildcard: "a\\*b" }] })],
    ["an escaped backslash", detail({ backslash: [{ wildcard: "a\\\\b" }] })],
    ["$or", { $or: [{ source: ["other"] }, { detail: { count: [{ numeric: [">", 4] }] } }] }],
    ["$or inside", detail({ priority: ["high"], $or: [{ count: [1] }, { isUrgent: [true] }] })],
    ["one element of an array of objects", detail({ items: { kind: ["pen"], size: [9] } })],
    ["any operator beside a value", detail({ priority: ["critical", { prefix: "hi" }] })],
    ["a wildcard with characters of regular expressions", detail({ odd: [{ wildcard: "a-b.c/*[x]^$" }] })],
    ["a wildcard for nothing", detail({ priority: [{ wildcard: "*high*" }] })],
    ["an address in another spelling", detail({ ipv6: ["2001:0DB8:0::1"] })],
    ["existence of a field that is null", detail({ nothing: [{ exists: true }] })],
    ["a path with dots, in the pattern", { "detail.nested": { "deep.value": ["x"] } }],
    [
      "the last of a path that is written twice",
      { detail: { nested: { deep: { value: ["no"] } } }, "detail.nested.deep.value": ["x"] },
    ],
    ["absence in the same element", detail({ items: { kind: ["book"], missing: [{ exists: false }] } })],
    ["a value, or no value", detail({ missing: [{ exists: false }, "x"], priority: ["high", { exists: false }] })],
    ["an array in an array", detail({ grid: ["c"] })],
  ];
  it.each(matching)("%s", (_, pattern) => {
    expect(compilePattern(JSON.stringify(pattern))(event)).toBe(true);
  });

  const failing: [string, unknown][] = [
    ["another value", { source: ["custom"] }],
    ["another case", { source: ["Custom.Application"] }],
    ["a number as text", detail({ count: ["5"] })],
    ["one of several fields", { source: ["custom.application"], detail: { priority: ["low"] } }],
    ["a missing field", detail({ missing: ["x"] })],
    ["a field below a value", detail({ priority: { level: ["high"] } })],
    ["a prefix of a number", detail({ count: [{ prefix: "5" }] })],
    ["anything but, of a missing field", detail({ missing: [{ "anything-but": "x" }] })],
    ["anything but the value itself", detail({ priority: [{ "anything-but": ["low", "high"] }] })],
    ["anything but its prefix", detail({ priority: [{ "anything-but": { prefix: "hi" } }] })],
    ["anything but, where each element is named", detail({ tags: [{ "anything-but": ["one", "two"] }] })],
    ["a numeric comparison of a text", detail({ priority: [{ numeric: ["=", 0] }] })],
    ["outside a numeric range", detail({ count: [{ numeric: [">", 5, "<", 9] }] })],
    ["existence of a missing field", detail({ missing: [{ exists: true }] })],
    ["absence of a field that is null", detail({ nothing: [{ exists: false }] })],
    ["outside a range of addresses", detail({ ip: [{ cidr: "10.0.1.0/24" }] })],
    ["an address of the other version", detail({ ipv6: [{ cidr: "10.0.0.0/8" }] })],
    ["a wildcard that is no regular expression", detail({ file: [{ wildcard: "dir.photo*" }] })],
    ["an escaped asterisk as a wildcard", detail({ file: [{ wildcard: "dir\\*" }] })],
    ["$or without a match", { $or: [{ source: ["other"] }, { source: ["another"] }] }],
    ["fields of two elements of an array of objects", detail({ items: { kind: ["book"], size: [9] } })],
    ["absence, in the element that has it", detail({ items: { kind: ["book"], size: [{ exists: false }] } })],
    ["a wildcard whose parts overlap", detail({ priority: [{ wildcard: "hig*igh" }] })],
    ["a name that is an operator's of JavaScript", { constructor: ["x"] }],
  ];
  it.each(failing)("not: %s", (_, pattern) => {
    expect(compilePattern(JSON.stringify(pattern))(event)).toBe(false);
  });
});

describe("a pattern that EventBridge refuses is refused, in its words", () => {
  const filter = (filter: unknown) => JSON.stringify({ a: [filter] });
  it.each<[string, string]>([
    ["[]", "Filter is not an object"],
    ["null", "Filter is not an object"],
    ["{}", "Empty objects are not allowed"],
    ['{"a": {"b": {}}}', "Empty objects are not allowed"],
    ['{"a": "x"}', '"a" must be an object or an array'],
    ['{"a": {"b": null}}', '"b" must be an object or an array'],
    ['{"a": []}', "Empty arrays are not allowed"],
    ['{"a": [["x"]]}', "Match value must be String, number, true, false, or null"],
    [filter({}), "Match expression name not found"],
    [filter({ startswith: "x" }), "Unrecognized match type startswith"],
    [filter({ constructor: "x" }), "Unrecognized match type constructor"],
    [filter({ prefix: "x", suffix: "y" }), "Only one key allowed in match expression"],
    [filter({ prefix: 1 }), "prefix match pattern must be a string"],
    [filter({ prefix: {} }), "Prefix expression name not found"],
    [filter({ suffix: { wildcard: "x" } }), "Unsupported suffix pattern: wildcard"],
    [filter({ exists: "true" }), "exists match pattern must be either true or false."],
    [filter({ numeric: [] }), "Invalid member in numeric match: ]"],
    [filter({ numeric: ["!=", 1] }), "Unrecognized numeric range operator: !="],
    [filter({ numeric: ["=", "1"] }), "Value of equals must be numeric"],
    [filter({ numeric: [">"] }), "Value of > must be numeric"],
    [filter({ numeric: ["<", 1, ">", 0] }), "Too many elements in numeric expression"],
    [filter({ numeric: [">", 0, "<", 9, "<", 8] }), "Too many terms in numeric range expression"],
    [filter({ numeric: [">", 9, "<", 1] }), "Bottom must be less than top"],
    [filter({ cidr: "10.0.0.0/32" }), "IPv4 mask bits must be < 32"],
    [filter({ cidr: "10.0.0.0/-1" }), "Malformed CIDR, mask bits must not be negative"],
    [filter({ wildcard: "**" }), "Consecutive wildcard characters at pos 1"],
    [filter({ wildcard: "é\\d" }), "Invalid escape character at pos 3"],
    [
      filter({ "anything-but": [] }),
      "Inside anything but list, either all values are number or string, mixed type is not supported",
    ],
    [
      filter({ "anything-but": ["a", 1] }),
      "Inside anything but list, either all values are number or string, mixed type is not supported",
    ],
    [filter({ "anything-but": true }), "Value of anything-but must be an array or single string/number value."],
    [filter({ "anything-but": {} }), "Anything-But expression name not found"],
    [filter({ "anything-but": { numeric: ["=", 1] } }), "Unsupported anything-but pattern: numeric"],
    [filter({ "anything-but": { prefix: ["a", ""] } }), "Null prefix/suffix not allowed"],
    ['{"$or": {"a": ["x"]}}', "It must be an Array followed with $or."],
    ['{"$or": [{"a": ["x"]}]}', "There must have at least 2 Objects in $or relationship."],
    ['{"$or": [{"a": ["x"]}, 1]}', "Only JSON object is allowed in array of $or relationship."],
    [
      '{"$or": [{"a": ["x"]}, {"prefix": ["x"]}]}',
      "prefix is Ruler reserved fieldName which cannot be used inside $or.",
    ],
  ])("%s", (pattern, reason) => {
    expect(refusalOf(pattern)).toBe(reason);
  });

  it("no JSON, and says where the field is", () => {
    expect(refusalOf("{")).toMatch(/^it is no JSON: /);
    expect(() => compilePattern('{"detail": {"a": [{"startswith": "x"}]}}')).toThrow(/\n at "detail.a"$/);
  });

  it("more than 1,000 combinations of $or", () => {
    const either = (name: string, count: number) => ({
      $or: Array.from({ length: count }, (_, i) => ({ [name]: [i] })),
    });
    const pattern = (last: number) => JSON.stringify({ a: either("x", 10), b: either("y", 10), c: either("z", last) });
    expect(refusalOf(pattern(10))).toBeUndefined();
    expect(refusalOf(pattern(11))).toMatch(/1000 combinations/);
  });
});

describe("an event is looked into", () => {
  const nested = (levels: number, open: string, close: string) =>
    JSON.parse(`{"detail": ${open.repeat(levels)}1${close.repeat(levels)}}`) as unknown;

  it("however deep it is", () => {
    for (const deep of [nested(20_000, '{"a":', "}"), nested(20_000, "[", "]")]) {
      expect(compilePattern('{"detail": {"b": ["x"]}}')(deep)).toBe(false);
      expect(compilePattern('{"detail": {"b": [{"exists": false}]}}')(deep)).toBe(true);
    }
  });

  it("in time that many elements of many arrays do not multiply", () => {
    const list = Array.from({ length: 200 }, (_, index) => ({ x: index, y: index + 1 }));
    const event = Object.fromEntries(["a", "b", "c", "d", "e", "f"].map((name) => [name, list]));
    const pattern = Object.fromEntries(["a", "b", "c", "d", "e"].map((name) => [name, { x: [{ exists: true }] }]));
    const impossible = { ...pattern, f: { x: [1], y: [9] } };
    expect(compilePattern(JSON.stringify(impossible))(event)).toBe(false);
    expect(compilePattern(JSON.stringify({ ...pattern, f: { x: [1], y: [2] } }))(event)).toBe(true);
  });

  it("a wildcard does not go back and forth in a long value", () => {
    const matches = compilePattern('{"a": [{"wildcard": "*:*:*:*:x"}]}');
    expect(matches({ a: ":".repeat(200_000) })).toBe(false);
    expect(matches({ a: `${":".repeat(200_000)}x` })).toBe(true);
  });
});

describe("how near an event comes to a pattern that it does not match", () => {
  const nearness = (pattern: unknown) => parsePattern(JSON.stringify(pattern)).nearness(event);

  it.each([
    [
      "the one field that differs, with what the pattern says and what the event has",
      { source: ["custom.application"], "detail-type": ["Order Placed", { prefix: "Order" }] },
      {
        matching: 1,
        fields: 2,
        difference: {
          path: "detail-type",
          expected: ["Order Placed", { prefix: "Order" }],
          actual: ["Priority Alert"],
        },
      },
    ],
    [
      "the first of several, in the pattern's order",
      { detail: { priority: ["low"], count: [{ numeric: [">", 9] }] }, source: ["another"] },
      {
        matching: 0,
        fields: 3,
        difference: { path: "detail.priority", expected: ["low"], actual: ["high"] },
      },
    ],
    [
      "a field that is missing",
      { detail: { region: ["eu"] } },
      { matching: 0, fields: 1, difference: { path: "detail.region", expected: ["eu"], actual: [] } },
    ],
    [
      "a field that is there and must not be",
      { detail: { nothing: [{ exists: false }] } },
      {
        matching: 0,
        fields: 1,
        difference: { path: "detail.nothing", expected: [{ exists: false }], actual: [null] },
      },
    ],
    [
      "a field of an array, with all of its values",
      { detail: { tags: ["three"] } },
      { matching: 0, fields: 1, difference: { path: "detail.tags", expected: ["three"], actual: ["one", "two"] } },
    ],
    [
      "of the alternatives of $or, the nearest",
      {
        source: ["custom.application"],
        $or: [{ detail: { priority: ["low"], count: [1] } }, { detail: { count: [5], isUrgent: [false] } }],
      },
      { matching: 2, fields: 3, difference: { path: "detail.isUrgent", expected: [false], actual: [true] } },
    ],
    [
      "no field where each matches, in different elements of an array",
      { detail: { items: { kind: ["book"], size: [9] } } },
      { matching: 2, fields: 2 },
    ],
  ])("is told by %s", (_, pattern, expected) => {
    expect(compilePattern(JSON.stringify(pattern))(event)).toBe(false);
    expect(nearness(pattern)).toEqual(expected);
  });

  it("has no difference of a field that may be absent, and is", () => {
    expect(nearness({ source: ["another"], detail: { region: [{ exists: false }] } })).toMatchObject({ matching: 1 });
  });

  it.each([
    ["more fields match", { matching: 2, fields: 9 }, { matching: 1, fields: 2 }],
    ["fewer differ, where as many match", { matching: 1, fields: 2 }, { matching: 1, fields: 3 }],
  ])("is nearer where %s", (_, near, far) => {
    expect([far, near].sort(compareNearness)).toEqual([near, far]);
    expect([near, far].sort(compareNearness)).toEqual([near, far]);
  });
});
