import { inputFor, InvalidInput, valueAt } from "../../../src/services/eventbridge/target-input";
import { type Envelope } from "../../../src/gateway/journal";

const event: Envelope = {
  version: "0",
  id: "7bf73129",
  "detail-type": "EC2 Instance State-change Notification",
  source: "aws.ec2",
  account: "123456789012",
  time: "2015-11-11T21:29:54Z",
  region: "us-east-1",
  resources: ["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],
  detail: {
    "instance-id": "i-0123456789",
    state: "RUNNING",
    quoted: 'a "b"\nc',
    count: 3,
    nothing: null,
    nested: { a: [1, { b: "x" }] },
    items: [{ id: "one" }, { id: "two" }],
  },
};
const context = { ruleArn: "arn:aws:events:rule", ruleName: "rule", ingestedAt: new Date("2024-01-02T03:04:05Z") };

const transformed = (template: string, paths: Record<string, string> = {}) =>
  inputFor({ InputTransformer: { InputPathsMap: paths, InputTemplate: template } }, event, context);

const paths = {
  instance: "$.detail.instance-id",
  state: "$.detail.state",
  quoted: "$.detail.quoted",
  count: "$.detail.count",
  nested: "$.detail.nested",
  nothing: "$.detail.nothing",
  missing: "$.detail.missing",
};

describe("what a target gets", () => {
  it("is the whole event, if nothing else is said", () => {
    expect(JSON.parse(inputFor({}, event, context))).toEqual(event);
  });

  it("is the constant input as it was written", () => {
    expect(inputFor({ Input: '{"a" : 1}' }, event, context)).toBe('{"a" : 1}');
  });

  it("is the part at the input path", () => {
    expect(inputFor({ InputPath: "$.detail.nested" }, event, context)).toBe('{"a":[1,{"b":"x"}]}');
  });

  const templates: [string, string, string][] = [
    ["a text keeps its quotation marks", '"Instance <instance> is <state>"', '"Instance i-0123456789 is RUNNING"'],
    ["lines of text", '"<instance>"\n"<state>"', '"i-0123456789"\n"RUNNING"'],
    ["a text value in JSON gets quotation marks", '{"state": <state>}', '{"state": "RUNNING"}'],
    [
      "a value inside quotation marks gets none",
      '{"state": "<state>", "at": "<instance>!"}',
      '{"state": "RUNNING", "at": "i-0123456789!"}',
    ],
    ["a number stays one", '{"count": <count>}', '{"count": 3}'],
    ["null stays null", '{"nothing": <nothing>}', '{"nothing": null}'],
    ["an object is inlined", '{"nested": <nested>}', '{"nested": {"a":[1,{"b":"x"}]}}'],
    ["an object inside a text loses its quotation marks", '"got <nested>"', '"got {a:[1,{b:x}]}"'],
    [
      "quotation marks and line breaks are escaped",
      '{"a": <quoted>, "b": "<quoted>"}',
      '{"a": "a \\"b\\"\\nc", "b": "a \\"b\\"\\nc"}',
    ],
    [
      "an escaped quotation mark does not end a text",
      '"said \\"<state>\\" and <state>"',
      '"said \\"RUNNING\\" and RUNNING"',
    ],
    ["what is not found is empty", '{"a": <missing>, "b": "<missing>"}', '{"a": "", "b": ""}'],
    ["the rule's ARN and name", '"<aws.events.rule-arn> <aws.events.rule-name>"', '"arn:aws:events:rule rule"'],
    ["the time of ingestion", "<aws.events.event.ingestion-time>", '"2024-01-02T03:04:05.000Z"'],
  ];
  it.each(templates)("of a transformer: %s", (_, template, expected) => {
    expect(transformed(template, paths)).toBe(expected);
  });

  it("of a transformer: the event itself, with and without its detail", () => {
    const { detail: _, "detail-type": detailType, ...others } = event;
    const result: unknown = JSON.parse(transformed('{"all": <aws.events.event.json>, "head": <aws.events.event>}'));
    expect(result).toEqual({ all: event, head: { ...others, detailType } });
  });

  it.each(['{"text": "got <nested>"}', '{"text": "<aws.events.event>"}', '{"text": <state>'])(
    "is nothing where a transformer makes no JSON: %s",
    (template) => {
      expect(() => transformed(template, paths)).toThrow(InvalidInput);
    },
  );

  it("is not changed by a variable that takes a predefined name", () => {
    expect(transformed('"<aws.events.rule-name>"', { "aws.events.rule-name": "$.source" })).toBe('"rule"');
  });
});

describe("a JSON path", () => {
  it.each([
    ["$", event],
    ["$.source", "aws.ec2"],
    ["$.detail-type", "EC2 Instance State-change Notification"],
    ["$.resources[0]", "arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],
    ["$.detail['instance-id']", "i-0123456789"],
    ["$.detail.nested.a[1].b", "x"],
    ["$.detail.items[*].id", ["one", "two"]],
    ["$.detail.nothing", null],
    ["$.detail.state.more", undefined],
    ["$.resources[7]", undefined],
    ["$.detail.missing[*]", undefined],
  ])("%s", (path, expected) => {
    expect(valueAt(event, path)).toEqual(expected);
  });
});

it("finds nothing in an event but its own fields", () => {
  for (const name of ["constructor", "toString", "__proto__"]) {
    expect(valueAt(event, `$.detail.${name}`)).toBeUndefined();
    expect(inputFor({ InputPath: `$.detail.${name}` }, event, context)).toBe("{}");
  }
});
