import { ConfigurationError, type Environment } from "../../stacks/config";
import { settingProblems } from "../../stacks/stage-check";
import { stages, type StageSettings } from "../../stacks/stages";
import { withStage } from "../support/stack";

type Entry = Record<keyof StageSettings, unknown>;

/** What is wrong with the stage `dev` with these settings, which TypeScript may refuse. */
function problemsWith(settings: Partial<Entry>, environment: Environment = {}): readonly string[] {
  try {
    withStage(settings as Partial<StageSettings>, environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems;
  }
}

it.each(Object.entries(stages))("takes %s as it is", (_, settings) => {
  expect(settingProblems(settings)).toEqual([]);
});

describe.each<[keyof StageSettings, number, number]>([
  ["archiveRetentionDays", 1, 2_147_483_647],
  ["memoryMb", 128, 10_240],
  ["timeoutSeconds", 9, 900],
])("%s", (name, least, most) => {
  it("is whole, and from the least to the most that AWS takes", () => {
    for (const good of [least, most]) expect(problemsWith({ [name]: good })).toEqual([]);
    const bad = [least - 1, most + 1, -1, 0, NaN, Infinity, least + 0.5, `${least}`, null, undefined];
    for (const value of bad) {
      const shown = typeof value === "string" ? `"${value}"` : String(value);
      expect(problemsWith({ [name]: value })).toEqual([
        expect.stringContaining(
          `stacks/stages.ts: dev.${name}=${shown} has to be a whole number from ${least} to ${most}, `,
        ),
      ]);
    }
  });
});

it("takes any rate above 0, and nothing else", () => {
  for (const good of [0.5, 1, 1000]) expect(problemsWith({ sendRatePerSecond: good })).toEqual([]);
  for (const bad of [0, -1, NaN, Infinity, "1"]) {
    expect(problemsWith({ sendRatePerSecond: bad })).toEqual([
      expect.stringMatching(/^stacks\/stages\.ts: dev\.sendRatePerSecond=.* has to be a number above 0/),
    ]);
  }
});

it.each<[Partial<Entry>, string]>([
  [{ logRetentionDays: 8 }, "dev.logRetentionDays=8 has to be one of 1, 3, 5, 7, 14, "],
  [
    { targetRetry: { attempts: 186, maximumAgeSeconds: 60 } },
    "dev.targetRetry.attempts=186 has to be a whole number from 0 to 185",
  ],
  [
    { targetRetry: { attempts: 0, maximumAgeSeconds: 59 } },
    "dev.targetRetry.maximumAgeSeconds=59 has to be a whole number from 60 to 86400",
  ],
  [{ targetRetry: 3 }, "dev.targetRetry=3 "],
  [
    { quotas: { eventPatternCharacters: 4097 } },
    "dev.quotas.eventPatternCharacters=4097 has to be a whole number from 1 to 4096",
  ],
  [{ quotas: { rulesPerBus: 0 } }, "dev.quotas.rulesPerBus=0 has to be a whole number from 1 "],
  [{ sesSandbox: "false" }, 'dev.sesSandbox="false" has to be true or false'],
  [{ reserveConcurrency: undefined }, "dev.reserveConcurrency=undefined has to be true or false"],
  [{ deletionProtection: 0 }, "dev.deletionProtection=0 has to be true or false"],
  [{ identities: "mine" }, 'dev.identities="mine" has to be one of managed, existing'],
  [{ recipients: "ops@example.com" }, 'dev.recipients="ops@example.com" has to be a list of texts'],
  [{ alarmSubscribers: [1] }, "dev.alarmSubscribers=[1] has to be a list of texts"],
  [{ senders: { default: "a@example.com" } }, 'dev.senders.default="a@example.com" '],
  [
    { senders: { default: { address: "a@example.com", identity: "mail" } } },
    'dev.senders.default.identity="mail" has to be one of address, domain',
  ],
  [
    { senders: { "Mr. X": { address: "a@example.com" } } },
    'dev.senders.Mr. X={"address":"a@example.com"} has a name that has to be lower-case',
  ],
  [{ accountId: 123456789012 }, "dev.accountId=123456789012 has to be a text"],
  [{ region: "" }, 'dev.region="" has to be a text'],
])("refuses %j", (settings, problem) => {
  expect(problemsWith(settings)).toEqual([expect.stringContaining(`stacks/stages.ts: ${problem}`)]);
});

it("refuses a setting that there is not, and guesses what is meant", () => {
  const misspelt: object = { sesSandBox: true, colour: "red" };
  expect(problemsWith(misspelt)).toEqual([
    "stacks/stages.ts: dev.sesSandBox=true is not a setting: did you mean sesSandbox?",
    'stacks/stages.ts: dev.colour="red" is not a setting: leave it out',
  ]);
});

it("lists the problems of the entry beside those of the environment, each once", () => {
  expect(problemsWith({ memoryMb: -1, region: 7 }, { AWS_REGION: "", PROJECT_NAME: "My Shop" })).toEqual([
    expect.stringContaining("dev.region=7 has to be a text"),
    expect.stringContaining("dev.memoryMb=-1 has to be"),
    expect.stringContaining('PROJECT_NAME="My Shop" has to be lower-case'),
  ]);
});

describe("who may be mailed", () => {
  const restricted = (addresses: readonly unknown[], domains: readonly unknown[]) => ({
    allowedRecipients: { mode: "restricted", addresses, domains },
  });

  it.each<[string, unknown[], unknown[], string]>([
    [
      "a wildcard for everybody",
      [],
      ["*"],
      '.domains.0="*" lets everybody in: to mail everybody, write { mode: "unrestricted", reason: "why" }',
    ],
    ["every address", [], ["*@*"], '.domains.0="*@*" lets everybody in'],
    ["every address, among the addresses", ["*@*"], [], '.addresses.0="*@*" has a wildcard'],
    ["a wildcard among the addresses", ["*"], [], '.addresses.0="*" has a wildcard'],
    ["a wildcard of one character", ["a?@example.com"], [], '.addresses.0="a?@example.com" has a wildcard'],
    ["a top-level domain by a wildcard", [], ["*.com"], '.domains.0="*.com" has a wildcard, which never matches here'],
    [
      "sub-domains by a wildcard",
      [],
      ["*.example.com"],
      '.domains.0="*.example.com" has a wildcard, which never matches here: write each domain by itself',
    ],
    [
      "a domain as an address",
      ["*@example.com"],
      [],
      '.addresses.0="*@example.com" is a whole domain: write "example.com" into domains',
    ],
    ["a top-level domain", [], ["com"], '.domains.0="com" is not a domain: use the form example.com'],
    [
      "a public suffix",
      [],
      ["co.uk"],
      '.domains.0="co.uk" is not one organisation\'s domain, but all that ends in .co.uk',
    ],
    ["a public suffix in capitals", [], ["CO.UK."], '.domains.0="CO.UK." '],
    [
      "a provider of mailboxes",
      [],
      ["Gmail.com"],
      '.domains.0="Gmail.com" has mailboxes for everybody: write the addresses that you mean',
    ],
    [
      "an at sign in front of a domain",
      [],
      ["@example.com"],
      '.domains.0="@example.com" begins with an at sign: write "example.com"',
    ],
    [
      "an address as a domain",
      [],
      ["a@example.com"],
      '.domains.0="a@example.com" is an address: write it into addresses',
    ],
    [
      "a text that is no domain",
      [],
      ["exa mple.com"],
      '.domains.0="exa mple.com" is not a domain: use the form example.com',
    ],
    ["an empty domain", [], [""], '.domains.0="" is not a domain'],
    ["a text that is no address", ["ops"], [], '.addresses.0="ops" is not an e-mail address'],
    ["an address with a name", ["Ops <ops@example.com>"], [], "is not an e-mail address"],
    ["an address that Terraform would read", ["a%{b}@example.com"], [], "hold a ${ or %{"],
    [
      "an address that a policy can't have",
      ["a$b@example.com"],
      [],
      '.addresses.0="a$b@example.com" has one of $ { } % * ?',
    ],
    ["nobody", [], [], '={"mode":"restricted","addresses":[],"domains":[]} lets nobody in'],
    ["numbers", [1], [], '={"mode":"restricted","addresses":[1],"domains":[]} has to be "recipients-only", { mode'],
  ])("can't be %s", (_, addresses, domains, problem) => {
    expect(problemsWith(restricted(addresses, domains))).toContainEqual(expect.stringContaining(problem));
  });

  it.each([
    [{ mode: "unrestricted", reason: " \t" }, '.reason=" \\t" gives no reason: write why everybody may be mailed'],
    [{ mode: "unrestricted" }, '={"mode":"unrestricted"} has to be "recipients-only", { mode'],
    ["everybody", '="everybody" has to be "recipients-only"'],
    [undefined, '=undefined has to be "recipients-only"'],
  ])("can't be %j", (allowedRecipients, problem) => {
    expect(problemsWith({ allowedRecipients })).toEqual([
      expect.stringContaining(`stacks/stages.ts: dev.allowedRecipients${problem}`),
    ]);
  });

  it("can't leave out those who get the scheduled notifications", () => {
    expect(problemsWith(restricted([], ["shop.example"]))).toEqual([
      expect.stringMatching(
        /dev\.allowedRecipients=.* leaves out ops@example\.com, who gets the scheduled notifications: add it/,
      ),
    ]);
  });

  it("is a list in the form that addresses have in a mail, with SES's mailbox simulator", () => {
    const { allowedRecipients } = restricted(["Jane@BÜCHER.example"], ["Example.COM"]);
    expect(withStage({ allowedRecipients } as Partial<StageSettings>).recipientPolicy).toEqual({
      mode: "restricted",
      addresses: ["Jane@xn--bcher-kva.example"],
      domains: ["example.com", "simulator.amazonses.com"],
    });
  });

  it.each(["example.co.uk", "mail.example.com", "bücher.example", "shop.internal"])(
    "may be the domain %s",
    (domain) => {
      expect(problemsWith(restricted(["ops@example.com"], [domain]))).toEqual([]);
    },
  );
});

it("refuses to let everybody in while the account is in the SES sandbox, where SES would refuse them", () => {
  const allowedRecipients = { mode: "unrestricted", reason: "A try." } as const;
  expect(() => withStage({ allowedRecipients, sesSandbox: true })).toThrow(
    /stacks\/stages\.ts: dev\.allowedRecipients=.* lets everybody in, but in the SES sandbox SES mails verified recipients alone/,
  );
  expect(withStage({ allowedRecipients, sesSandbox: false }).recipientPolicy).toEqual(allowedRecipients);
});
