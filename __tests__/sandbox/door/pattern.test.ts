import { compilePattern, InvalidEventPattern } from "../../../sandbox/door/events/pattern";

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
  ];
  it.each(failing)("not: %s", (_, pattern) => {
    expect(compilePattern(JSON.stringify(pattern))(event)).toBe(false);
  });
});

describe("a pattern that EventBridge refuses is refused", () => {
  const invalid: [string, string, RegExp][] = [
    ["no JSON", "{", /no JSON/],
    ["no object", "[]", /Filter is not an object/],
    ["nothing to match", "{}", /Empty objects/],
    ["a value that is no array", '{"source": "x"}', /"source" must be an object or an array/],
    ["an empty array", '{"source": []}', /Empty arrays are not allowed: "source"/],
    [
      "an unknown operator, by its name",
      '{"detail": {"a": [{"startswith": "x"}]}}',
      /Unrecognized match type startswith, in "detail.a"/,
    ],
    ["two operators in one", '{"a": [{"prefix": "x", "suffix": "y"}]}', /Only one key/],
    ["a prefix that is no text", '{"a": [{"prefix": 1}]}', /prefix match pattern must be a string/],
    ["exists with a text", '{"a": [{"exists": "true"}]}', /exists match pattern/],
    ["an unknown comparison", '{"a": [{"numeric": ["!=", 1]}]}', /numeric range operator: !=/],
    ["a comparison with a text", '{"a": [{"numeric": [">", "1"]}]}', /must be numeric/],
    ["an incomplete comparison", '{"a": [{"numeric": [">"]}]}', /Invalid numeric match/],
    ["a malformed range of addresses", '{"a": [{"cidr": "10.0.0.0/33"}]}', /Malformed CIDR/],
    ["two wildcards in a row", '{"a": [{"wildcard": "x**y"}]}', /Consecutive wildcard/],
    [
      "an operator that anything-but does not know",
      '{"a": [{"anything-but": {"numeric": ["=", 1]}}]}',
      /anything-but pattern: numeric/,
    ],
    ["an alternative alone", '{"$or": [{"a": ["x"]}]}', /two or more/],
  ];
  it.each(invalid)("%s", (_, pattern, reason) => {
    expect(() => compilePattern(pattern)).toThrow(InvalidEventPattern);
    expect(() => compilePattern(pattern)).toThrow(reason);
  });
});
