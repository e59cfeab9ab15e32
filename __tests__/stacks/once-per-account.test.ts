import { readConfig, ConfigurationError, type Environment } from "../../stacks/config";
import { stages, type StageSettings } from "../../stacks/stages";
import { synthesizedOf, withStage } from "../support/stack";
import { plainStage } from "../support/stages";

/** Two stages of one account and one region, which have all their settings in their entries. */
const entry: StageSettings = {
  ...plainStage,
  projectName: "shop",
  accountId: "111111111111",
  region: "eu-west-1",
  senders: { default: { address: "sender@example.com" } },
  recipients: ["ops@example.com"],
};

/** What is wrong with the stage `dev` beside the stage `staging`. */
function problemsBeside(
  dev: Partial<StageSettings>,
  staging: Partial<StageSettings>,
  environment: Environment = {},
): readonly string[] {
  const known: Record<string, StageSettings> = stages;
  const replaced = [
    jest.replaceProperty(known, "dev", { ...entry, ...dev }),
    jest.replaceProperty(known, "staging", { ...entry, ...staging }),
  ];
  try {
    readConfig({ STAGE: "dev", ...environment });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems;
  } finally {
    for (const each of replaced) each.restore();
  }
}

const byDomain = (address: string) => ({ default: { address, identity: "domain" } }) as const;
const twice = (identity: string) =>
  `stacks/stages.ts: the stages dev and staging are both in account 111111111111 and region eu-west-1, and both make the SES identity ${identity}, which there can be only once: write identities: { existing: ["${identity}"] } into one of them, and deploy the other one first`;

describe("an SES identity", () => {
  it.each<[string, Partial<StageSettings>, Partial<StageSettings>, string]>([
    ["of one address", {}, {}, "sender@example.com"],
    [
      "of one address, with a domain in capitals",
      {},
      { senders: { default: { address: "sender@EXAMPLE.com" } } },
      "sender@example.com",
    ],
    ["of one domain", { senders: byDomain("a@example.com") }, { senders: byDomain("b@Example.com") }, "example.com"],
    [
      "of a further sender",
      { senders: { default: { address: "a@example.com" }, alerts: { address: "alerts@example.com" } } },
      { senders: { default: { address: "alerts@example.com" } } },
      "alerts@example.com",
    ],
    [
      "of one recipient in the SES sandbox",
      { sesSandbox: true, senders: { default: { address: "a@example.com" } } },
      { sesSandbox: true },
      "ops@example.com",
    ],
    [
      "of a sender that is a recipient of the other one in the SES sandbox",
      { senders: { default: { address: "ops@example.com" } } },
      { sesSandbox: true },
      "ops@example.com",
    ],
    ["of another project", {}, { projectName: "mail" }, "sender@example.com"],
  ])("%s is not made by two stages", (_, dev, staging, identity) => {
    expect(problemsBeside(dev, staging)).toEqual([twice(identity)]);
  });

  it.each<[string, Partial<StageSettings>, Partial<StageSettings>]>([
    ["the other stage makes none", {}, { identities: "existing" }],
    ["this stage makes none", { identities: "existing" }, {}],
    ["the other one has it from elsewhere", {}, { identities: { existing: ["sender@EXAMPLE.com"] } }],
    ["this one has it from elsewhere", { identities: { existing: ["sender@example.com"] } }, {}],
    [
      "the domain is there",
      { senders: byDomain("a@example.com"), identities: { existing: ["Example.COM"] } },
      { senders: byDomain("b@example.com") },
    ],
    ["they are in two accounts", {}, { accountId: "222222222222" }],
    ["they are in two regions", {}, { region: "us-east-1" }],
    ["they have two senders", {}, { senders: { default: { address: "other@example.com" } } }],
    ["one is an address of the other's domain", {}, { senders: byDomain("sender@example.com") }],
    ["the other's account is open", {}, { accountId: undefined } as object],
    ["the other's region is open", {}, { region: undefined } as object],
    ["the other's sender is open", {}, { senders: undefined } as object],
    ["the other's entry is wrong", {}, { memoryMb: -1 }],
  ])("is no problem where %s", (_, dev, staging) => {
    expect(problemsBeside(dev, staging)).toEqual([]);
  });

  it("is looked for where the stage goes by its variables", () => {
    expect(problemsBeside({ region: "us-east-1" }, {}, { AWS_REGION: "eu-west-1" })).toEqual([
      twice("sender@example.com"),
    ]);
    expect(problemsBeside({}, {}, { AWS_REGION: "us-east-1" })).toEqual([]);
    expect(problemsBeside({}, {}, { IDENTITIES: "existing" })).toEqual([]);
    expect(problemsBeside({}, {}, { EMAIL_SENDER: "other@example.com" })).toEqual([]);
  });

  it("is made by a stage that shares another one, so that a shared sender leaves a stage its recipients", () => {
    const dev = withStage(
      {
        ...entry,
        sesSandbox: true,
        recipients: ["dev@example.com"],
        identities: { existing: ["sender@example.com"] },
      },
      { AWS_ACCOUNT_ID: undefined, EMAIL_RECIPIENT: undefined },
    );
    expect(dev.madeIdentities).toEqual(["dev@example.com"]);
    const made = synthesizedOf(dev).resources("aws_sesv2_email_identity");
    expect(made.map(({ email_identity: name }) => name)).toEqual(["dev@example.com"]);
  });

  it.each([
    ["a variable names another recipient", { EMAIL_RECIPIENT: "me@example.com" }, true],
    ["a variable names another sender", { EMAIL_SENDER: "me@example.com" }, true],
    ["the SES sandbox has ended", {}, false],
  ])("that is said to exist may be one that the stage does not need now: %s", (_, variables, sesSandbox) => {
    const recipients = ["dev@example.com"];
    const identities = { existing: [...recipients, "sender@example.com"] };
    const environment = { AWS_ACCOUNT_ID: undefined, EMAIL_RECIPIENT: undefined, ...variables };
    expect(() => withStage({ ...entry, sesSandbox, recipients, identities }, environment)).not.toThrow();
  });

  it("that is said to exist is one of the stage", () => {
    expect(problemsBeside({ identities: { existing: ["sendr@example.com"] } }, { accountId: "222222222222" })).toEqual([
      'stacks/stages.ts: dev.identities.existing.0="sendr@example.com" is no identity of the stage: correct it to one of sender@example.com, or take it out',
    ]);
  });

  it("of the machine's own sandbox is in no account", () => {
    const { accountId, region, senders } = stages.sandbox;
    expect(problemsBeside({ accountId, region, senders }, {})).toEqual([]);
  });
});

describe("an account's identity provider for GitHub", () => {
  const own = { deployRepository: "acme/shop", senders: { default: { address: "dev@example.com" } } };
  const other = { deployRepository: "acme/shop" };

  it.each([["eu-west-1"], ["us-east-1"]])("is not made by two stages, of which the other is in %s", (region) => {
    expect(problemsBeside(own, { ...other, region })).toEqual([
      'stacks/stages.ts: the stages dev and staging are both in account 111111111111, and both make its identity provider for GitHub, which an account has once: write oidcProvider: "existing" into one of them, and apply ci-access of the other one first',
    ]);
  });

  it.each<[string, Partial<StageSettings>, Partial<StageSettings>]>([
    ["the other one takes what is there", own, { ...other, oidcProvider: "existing" }],
    ["this one takes what is there", { ...own, oidcProvider: "existing" }, other],
    ["no workflow deploys the other one", own, {}],
    ["they are in two accounts", own, { ...other, accountId: "222222222222" }],
  ])("is no problem where %s", (_, dev, staging) => {
    expect(problemsBeside(dev, staging)).toEqual([]);
  });
});
