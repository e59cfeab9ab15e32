import { allows } from "../../../sandbox/door/resource-policy";

const ruleArn = "arn:aws:events:us-east-1:123456789012:rule/bus/rule";
const access = {
  service: "events.amazonaws.com",
  action: "sqs:SendMessage",
  resource: "arn:aws:sqs:us-east-1:123456789012:queue",
  sourceArn: ruleArn,
};
const statement = {
  Effect: "Allow",
  Principal: { Service: "events.amazonaws.com" },
  Action: "sqs:SendMessage",
  Resource: access.resource,
  Condition: { ArnEquals: { "aws:SourceArn": ruleArn } },
};
const policy = (...changes: Record<string, unknown>[]) =>
  JSON.stringify({ Version: "2012-10-17", Statement: changes.map((change) => ({ ...statement, ...change })) });

describe("a resource's policy lets a rule in", () => {
  it.each<[string, string]>([
    ["that it names", policy({})],
    ["among others", policy({ Condition: { ArnEquals: { "aws:SourceArn": ["arn:other", ruleArn] } } })],
    ["by a pattern", policy({ Condition: { ArnLike: { "AWS:SourceArn": "arn:aws:events:*:rule/bus/*" } } })],
    ["by its account", policy({ Condition: { StringEquals: { "aws:SourceAccount": "123456789012" } } })],
    ["with a list of actions in any case", policy({ Action: ["sqs:Get*", "SQS:sendMessage"] })],
    ["with everybody", policy({ Principal: "*", Condition: undefined })],
    [
      "beside a denial of what is not TLS",
      policy(
        {},
        { Effect: "Deny", Principal: "*", Action: "sqs:*", Condition: { Bool: { "aws:SecureTransport": "false" } } },
      ),
    ],
  ])("%s", (_, text) => {
    expect(allows(text, access)).toBe(true);
  });

  it.each<[string, string | undefined]>([
    ["without a policy", undefined],
    ["for another rule", policy({ Condition: { ArnEquals: { "aws:SourceArn": `${ruleArn}-2` } } })],
    ["for another service", policy({ Principal: { Service: "sns.amazonaws.com" } })],
    ["for another action", policy({ Action: "sqs:ReceiveMessage" })],
    ["for another resource", policy({ Resource: `${access.resource}-2` })],
    [
      "under a condition that is not known here",
      policy({ Condition: { StringEquals: { "aws:PrincipalOrgID": "o-1" } } }),
    ],
    ["for another account", policy({ Condition: { StringEquals: { "aws:SourceAccount": "000000000000" } } })],
    ["against a denial", policy({}, { Effect: "Deny" })],
  ])("not: %s", (_, text) => {
    expect(allows(text, access)).toBe(false);
  });
});
