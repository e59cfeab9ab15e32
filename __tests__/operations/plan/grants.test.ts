import {
  compareGrants,
  type Conditions,
  type Grant,
  grantsOf,
  letsMoreThrough,
  wideningsOf,
} from "../../../operations/plan/grants";

const document = (...statements: readonly object[]) => ({ Version: "2012-10-17", Statement: statements });
const grant = (changes: Partial<Grant> = {}): Grant => ({
  effect: "Allow",
  principal: undefined,
  action: "sqs:SendMessage",
  resource: "arn:aws:sqs:us-east-1:123456789012:shop-dev-retries",
  conditions: {},
  ...changes,
});
const never = () => false;

describe("the grants of a policy", () => {
  it("are the same however its statements are ordered, put together and written", () => {
    const one = document(
      { Effect: "Allow", Action: ["a:One", "a:Two"], Resource: ["x", "y"], Condition: { Bool: { k: ["true"] } } },
      { Effect: "Deny", Principal: "*", Action: "a:Three", Resource: "z" },
    );
    const other = document(
      { Effect: "Deny", Principal: { AWS: ["*"] }, Action: ["a:Three"], Resource: ["z"] },
      { Sid: "Y", Effect: "Allow", Resource: "y", Action: ["a:Two", "A:one"], Condition: { Bool: { k: "true" } } },
      { Sid: "X", Effect: "Allow", Resource: "x", Action: ["a:Two", "a:One"], Condition: { Bool: { k: "true" } } },
    );
    expect(compareGrants(grantsOf(one), grantsOf(other))).toEqual({ added: [], removed: [], changed: [] });
  });

  it("are a single statement's, where it stands without a list", () => {
    expect(grantsOf({ Statement: { Effect: "Allow", Action: "a:One", Resource: "x" } })).toHaveLength(1);
  });

  it("keep what is named by its opposite", () => {
    const [only] = grantsOf(
      document({ Effect: "Allow", NotPrincipal: { AWS: "a" }, NotAction: ["b:C"], NotResource: "d" }),
    );
    expect(only).toMatchObject({
      principal: "everything but AWS a",
      action: "everything but b:C",
      resource: "everything but d",
    });
    expect(wideningsOf(only ?? grant(), never)).toContain("names what is left out");
  });

  it("differ in their condition alone, where nothing else does", () => {
    const before = [grant({ conditions: { StringEquals: { k: ["a"] } } }), grant({ action: "sqs:ReceiveMessage" })];
    const after = [grant(), grant({ action: "sqs:DeleteMessage" })];
    const { added, removed, changed } = compareGrants(before, after);
    expect(changed).toEqual([{ before: before[0], after: after[0] }]);
    expect(added).toEqual([after[1]]);
    expect(removed).toEqual([before[1]]);
  });
});

describe("a condition lets more through", () => {
  const equal = (...values: string[]): Conditions => ({ StringEquals: { k: values } });
  const notEqual = (...values: string[]): Conditions => ({ ArnNotEquals: { k: values } });
  it.each([
    ["where it is gone", equal("a"), {}, true],
    ["where it has a value more", equal("a"), equal("a", "b"), true],
    ["where its value is another", equal("a"), equal("b"), true],
    ["where a key is gone", { StringEquals: { k: ["a"], l: ["b"] } }, equal("a"), true],
    ["where a negation has a value less", notEqual("a", "b"), notEqual("a"), true],
    ["not where it is new", {}, equal("a"), false],
    ["not where it has a value less", equal("a", "b"), equal("a"), false],
    ["not where a negation has a value more", notEqual("a"), notEqual("a", "b"), false],
    ["not where it stays", equal("a"), equal("a"), false],
  ] as const)("%s", (_, before, after, more) => {
    expect(letsMoreThrough(before, after)).toBe(more);
  });
});

describe("a new grant deserves a second look", () => {
  it.each([
    ["for every action of a pattern", grant({ action: "sqs:*" }), "every action of a pattern"],
    ["for every resource", grant({ resource: "*" }), "every resource of a pattern"],
    ["for everyone", grant({ principal: "*" }), "everyone"],
    [
      "for a service that names no source",
      grant({ principal: "Service s3.amazonaws.com" }),
      "a service on anybody's behalf",
    ],
  ])("%s", (_, each, widening) => {
    expect(wideningsOf(each, never)).toEqual([widening]);
  });

  it.each([
    ["an ordinary one", grant()],
    ["a denial", grant({ effect: "Deny", action: "*", principal: "*" })],
    [
      "a service with its source",
      grant({ principal: "Service s3.amazonaws.com", conditions: { ArnLike: { "AWS:SourceArn": ["a"] } } }),
    ],
  ])("not: %s", (_, each) => {
    expect(wideningsOf(each, never)).toEqual([]);
  });

  it("not for a pattern of the stage's own names", () => {
    expect(
      wideningsOf(grant({ resource: "arn:aws:ses:us-east-1:123456789012:template/shop-dev-*" }), () => true),
    ).toEqual([]);
  });
});
