import { allows, denies } from "../../src/gateway/resource-policy";
import { motoAccountId } from "../../src/processes";

const ruleArn = `arn:aws:events:us-east-1:${motoAccountId}:rule/bus/rule`;
const access = {
  service: "events.amazonaws.com",
  action: "sqs:SendMessage",
  resource: `arn:aws:sqs:us-east-1:${motoAccountId}:queue`,
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
    ["by its account", policy({ Condition: { StringEquals: { "aws:SourceAccount": motoAccountId } } })],
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

describe("a resource's policy denies", () => {
  const role = `arn:aws:iam::${motoAccountId}:role/one`;
  const asRole = { principalArn: role, action: "events:PutEvents", resource: "arn:bus" };
  const deny = (change: Record<string, unknown>) =>
    JSON.stringify({ Statement: { Effect: "Deny", Principal: "*", Action: "events:*", Resource: "*", ...change } });
  const unless = (operator: string, ...roles: string[]) => ({
    Condition: { [operator]: { "aws:PrincipalArn": roles } },
  });

  it.each<[string, string]>([
    ["everybody", deny({})],
    ["another than its roles", deny(unless("ArnNotEquals", `${role}-2`))],
    ["another than those like a name", deny(unless("ArnNotLike", `arn:aws:iam::${motoAccountId}:role/two-*`))],
    ["another text", deny(unless("StringNotEquals", `${role}-2`))],
    ["one that is no principal of a list", deny({ Principal: undefined, NotPrincipal: { AWS: `${role}-2` } })],
    ["the account", deny({ Principal: { AWS: motoAccountId } })],
    ["the role itself", deny({ Principal: { AWS: [role] } })],
    ["all that it does not except", deny({ Action: undefined, NotAction: "events:Describe*" })],
  ])("%s", (_, text) => {
    expect(denies(text, asRole)).toBe(true);
  });

  it.each<[string, string | undefined]>([
    ["without a policy", undefined],
    ["an allowance", deny({ Effect: "Allow" })],
    ["one of its roles", deny(unless("ArnNotEquals", `${role}-2`, role))],
    ["a role like a name", deny(unless("StringNotLike", "arn:aws:iam::*:role/o?e"))],
    ["one that is a principal of a list", deny({ Principal: undefined, NotPrincipal: { AWS: [role] } })],
    ["another action", deny({ Action: "events:PutRule" })],
    ["what is not TLS", deny({ Condition: { Bool: { "aws:SecureTransport": "false" } } })],
    ["a service", deny({ Principal: { Service: "events.amazonaws.com" } })],
    [
      "both of two conditions",
      deny({ Condition: { ...unless("ArnNotEquals", "x").Condition, Bool: { "aws:SecureTransport": "false" } } }),
    ],
  ])("not: %s", (_, text) => {
    expect(denies(text, asRole)).toBe(false);
  });

  it("a service that tells no principal, where only roles are let in", () => {
    const asService = { service: "events.amazonaws.com", action: "events:PutEvents", resource: "arn:bus" };
    expect(denies(deny(unless("ArnNotEquals", role)), asService)).toBe(true);
    expect(denies(deny(unless("ArnEqualsIfExists", role)), asService)).toBe(true);
    expect(denies(deny(unless("ArnEquals", role)), asService)).toBe(false);
  });
});
