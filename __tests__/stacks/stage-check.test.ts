import { ConfigurationError, type Environment } from "../../stacks/config";
import { settingProblems } from "../../stacks/stage-check";
import { stages, type StageSettings } from "../../stacks/stages";
import { configOf, synthesizedOf, withStage } from "../support/stack";

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
          `stacks/stages.ts: dev.${name}${value === undefined ? " is missing: it" : `=${shown}`} has to be a whole number from ${least} to ${most}, `,
        ),
      ]);
    }
  });
});

describe("the send rate", () => {
  const outOfTheSandbox = { sesSandbox: false, reserveConcurrency: true };
  const about = /^stacks\/stages\.ts: dev\.sendRatePerSecond(?:=| is missing: it has)/;

  it("is a number from 0.1 on, and nothing else", () => {
    for (const good of [0.1, 0.5, 1, 3600]) {
      expect(problemsWith({ ...outOfTheSandbox, sendRatePerSecond: good })).toEqual([]);
    }
    for (const bad of [0, -1, 0.09, NaN, Infinity, -Infinity, "1", "", null, undefined, [1], true, 1n]) {
      const problems = problemsWith({ ...outOfTheSandbox, sendRatePerSecond: bad });
      expect(problems).toEqual([expect.stringMatching(about)]);
      expect(problems[0]).toContain(`${shown(bad)} has to be a number from 0.1 on: `);
    }
  });
  const shown = (value: unknown) => {
    if (value === undefined) return " is missing: it";
    if (typeof value === "bigint") return "=1n";
    return `=${typeof value === "number" ? String(value) : JSON.stringify(value)}`;
  };

  it("is 1 at most in the SES sandbox", () => {
    expect(problemsWith({ sesSandbox: true, sendRatePerSecond: 1 })).toEqual([]);
    expect(problemsWith({ sesSandbox: true, sendRatePerSecond: 1.5 })).toEqual([
      expect.stringMatching(/dev\.sendRatePerSecond=1\.5 is more than SES lets .*: use 1, or sesSandbox: false once/),
    ]);
  });

  it.each<[string, Partial<Entry>, RegExp]>([
    [
      "the 900 that can be reserved of 1,000",
      { sendRatePerSecond: 3601 },
      /=3601 needs 902 .* have 900 of the account's 1000: use/,
    ],
    [
      "the 1,000 that are there, where nothing is reserved",
      { sendRatePerSecond: 4001, reserveConcurrency: false },
      /=4001 needs 1002 .* have 1000 of the account's 1000/,
    ],
    [
      "a smaller quota",
      { sendRatePerSecond: 1, quotas: { concurrentExecutions: 105 } },
      /=1 needs 6 .* reserve 5 of the account's 105: write reserveConcurrency: false, or ask AWS for more/,
    ],
    [
      "a new account's quota, of which nothing can be reserved",
      { sendRatePerSecond: 1, quotas: { concurrentExecutions: 10 } },
      /=1 needs 6 .* reserve 0 of the account's 10: write reserveConcurrency: false, or ask AWS for more/,
    ],
    ["any quota", { sendRatePerSecond: 1e300 }, /=1e\+300 needs /],
  ])("needs no more runs at once than %s", (_, settings, problem) => {
    expect(problemsWith({ ...outOfTheSandbox, ...settings })).toEqual([expect.stringMatching(problem)]);
  });

  it("may be higher where AWS has raised the quota", () => {
    const quotas = { concurrentExecutions: 1100 };
    expect(problemsWith({ ...outOfTheSandbox, sendRatePerSecond: 3601, quotas })).toEqual([]);
    expect(problemsWith({ reserveConcurrency: false, quotas: { concurrentExecutions: 10 } })).toEqual([]);
  });
});

it.each<[Partial<Entry>, string]>([
  [{ logRetentionDays: 8 }, "dev.logRetentionDays=8 has to be one of 1, 3, 5, 7, 14, "],
  [
    { targetRetry: { attempts: 186, maximumAgeSeconds: 60 } },
    "dev.targetRetry.attempts=186 has to be a whole number from 1 to 185",
  ],
  [
    { targetRetry: { attempts: 0, maximumAgeSeconds: 60 } },
    "dev.targetRetry.attempts=0 has to be a whole number from 1",
  ],
  [
    { targetRetry: { attempts: 1, maximumAgeSeconds: 59 } },
    "dev.targetRetry.maximumAgeSeconds=59 has to be a whole number from 60 to 86400",
  ],
  [{ targetRetry: 3 }, "dev.targetRetry=3 has to be an object such as { attempts: 185, maximumAgeSeconds: 86_400 }"],
  [{ targetRetry: null }, "dev.targetRetry=null has to be an object such as { attempts"],
  [{ quotas: { concurrentExecutions: 9 } }, "dev.quotas.concurrentExecutions=9 has to be a whole number from 10 "],
  [{ quotas: [] }, "dev.quotas=[] has to be an object such as { rulesPerBus: 300 }"],
  [{ tracking: "click.example.com" }, 'dev.tracking="click.example.com" has to be an object such as { domain: '],
  [{ sendingDomains: [] }, 'dev.sendingDomains=[] has to be an object such as { "example.com": '],
  [
    { sendingDomains: { "example.com": null } },
    "dev.sendingDomains.example.com=null has to be an object such as { zoneId",
  ],
  [
    { senders: null },
    'dev.senders=null has to be an object such as { default: { address: "notifications@example.com" } }',
  ],
  [{ senders: [] }, "dev.senders=[] has to be an object such as { default: { "],
  [{ senders: new Map() }, "dev.senders={} has to be an object such as { default: { "],
  [{ senders: { default: null } }, "dev.senders.default=null has to be an object such as { address: "],
  [{ senders: { default: undefined } }, "dev.senders.default is missing: it has to be an object such as { address: "],
  [{ senders: { default: {} } }, "dev.senders.default.address is missing: it has to be a text"],
  [
    { targetRetry: { attempts: 1 } },
    "dev.targetRetry.maximumAgeSeconds is missing: it has to be a whole number from 60",
  ],
  [{ tracking: { domain: "click.example.com" } }, "dev.tracking.httpsPolicy is missing: it has to be one of REQUIRE, "],
  [{ logRetentionDays: undefined }, "dev.logRetentionDays is missing: it has to be one of 1, 3, "],
  [{ identities: {} }, 'dev.identities={} has to be "managed", "existing" or { existing: ["example.com"] }'],
  [{ accountId: 1n }, "dev.accountId=1n has to be a text"],
  [{ accountId: Symbol("id") }, "dev.accountId=Symbol(id) has to be a text"],
  [{ region: () => "eu-west-1" }, "dev.region=[Function: region] has to be a text"],
  [
    { quotas: { eventPatternCharacters: 4097 } },
    "dev.quotas.eventPatternCharacters=4097 has to be a whole number from 1 to 4096",
  ],
  [{ quotas: { rulesPerBus: 0 } }, "dev.quotas.rulesPerBus=0 has to be a whole number from 1 "],
  [{ sesSandbox: "false" }, 'dev.sesSandbox="false" has to be true or false'],
  [{ reserveConcurrency: undefined }, "dev.reserveConcurrency is missing: it has to be true or false"],
  [{ deletionProtection: 0 }, "dev.deletionProtection=0 has to be true or false"],
  [{ identities: "mine" }, 'dev.identities="mine" has to be "managed", "existing" or { existing: ["example.com"] }'],
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

describe("the concurrency of a lane", () => {
  const stage = { sesSandbox: false, reserveConcurrency: true, sendRatePerSecond: 50, timeoutSeconds: 30 };

  it("may be chosen for one lane, and is what the stack reserves", () => {
    const concurrencyOf = (settings: Partial<Entry>) =>
      synthesizedOf(withStage({ ...stage, ...settings } as Partial<StageSettings>))
        .resources("aws_lambda_function")
        .map(({ function_name: name, reserved_concurrent_executions: reserved }) => [name, reserved]);
    const [standard, priority] = ["shop-dev-email-processor", "shop-dev-priority-email-processor"];
    const expected = (ofStandard: number, ofPriority: number) =>
      expect.arrayContaining([
        [standard, ofStandard],
        [priority, ofPriority],
      ]) as unknown;
    expect(concurrencyOf({})).toEqual(expected(10, 3));
    expect(concurrencyOf({ concurrency: { standard: 40 } })).toEqual(expected(40, 3));
    expect(concurrencyOf({ concurrency: { standard: 5, priority: 8 } })).toEqual(expected(5, 8));
    expect(problemsWith({ ...stage, sendRatePerSecond: 0.1, concurrency: { priority: 3 } })).toEqual([]);
  });

  it.each<[Partial<Entry>, string]>([
    [{ concurrency: 10 }, "dev.concurrency=10 has to be an object such as { standard: 10, priority: 3 }"],
    [{ concurrency: { bulk: 10 } }, "dev.concurrency.bulk=10 is not a setting: leave it out"],
    ...[2, 0, -1, 3.5, NaN, Infinity, "10", null].map((priority): [Partial<Entry>, string] => [
      { concurrency: { priority } },
      `dev.concurrency.priority=${typeof priority === "string" ? `"${priority}"` : String(priority)} has to be a whole number from 3 to `,
    ]),
    [
      { concurrency: { standard: 881 } },
      "dev.concurrency.standard=881 is too much for 50 mails a second: each run may have to wait 35.2 s between two mails, and has 22 s for it before its time-out: use 550 at most",
    ],
    [{ concurrency: { priority: 3 }, reserveConcurrency: false }, "dev.concurrency.priority=3 is not kept without a"],
    [
      { concurrency: { standard: 898 }, timeoutSeconds: 60 },
      "dev.sendRatePerSecond=50 needs 901 runs of the functions at once, and Lambda lets the stage have 900 of the account's 1000: use a smaller rate or concurrency",
    ],
  ])("is refused: %j", (settings, problem) => {
    expect(problemsWith({ ...stage, ...settings })).toEqual([expect.stringContaining(`stacks/stages.ts: ${problem}`)]);
  });

  it("is not held against settings that are wrong themselves", () => {
    expect(problemsWith({ ...stage, timeoutSeconds: NaN, concurrency: { standard: 881 } })).toHaveLength(1);
  });
});

describe("what JavaScript gives to every object", () => {
  const sender = { address: "a@example.com" };

  it.each([
    [
      "constructor",
      { constructor: sender },
      '.constructor={"address":"a@example.com"} has a name that JavaScript gives',
    ],
    ["toString", { toString: sender }, '.toString={"address":"a@example.com"} has a name that has to be lower-case'],
    [
      "__proto__ of JSON",
      JSON.parse('{"__proto__":{"address":"a@example.com"}}') as object,
      " has a prototype of its own",
    ],
    ["__proto__ of a literal", { __proto__: sender }, "={} has a prototype of its own: take __proto__ out"],
    ["__proto__ within a sender", { default: { ...sender, __proto__: { identity: "domain" } } }, ".default={"],
  ])("names no sender: %s", (_, senders, problem) => {
    expect(problemsWith({ senders })).toEqual([expect.stringContaining(`stacks/stages.ts: dev.senders`)]);
    expect(problemsWith({ senders })).toEqual([expect.stringContaining(problem)]);
  });

  it("is no setting, either", () => {
    const own: object = JSON.parse('{"__proto__":{"sesSandbox":true}}') as object;
    expect(settingProblems(Object.assign(own, stages.dev))).toHaveLength(1);
    expect(settingProblems({ ...stages.dev, __proto__: { region: "eu-west-1" } })).toHaveLength(1);
  });
});

it.each([[null], [undefined], [[]], ["dev"], [7], [() => 1]])("refuses %p in place of a stage's entry", (entry) => {
  const known: Record<string, unknown> = stages;
  const replaced = jest.replaceProperty(known, "dev", entry);
  try {
    expect(() => configOf()).toThrow(
      /- stacks\/stages\.ts: dev(?:=.*| is missing: it) has to be an object with the stage's settings, such as/,
    );
  } finally {
    replaced.restore();
  }
});

it("tells of an entry that JSON can't hold", () => {
  const itself: Record<string, unknown> = {};
  itself.itself = itself;
  expect(problemsWith({ quotas: itself })).toEqual([
    "stacks/stages.ts: dev.quotas.itself=<ref *1> { itself: [Circular *1] } is not a setting: leave it out",
  ]);
});

it("refuses a setting that there is not, and guesses what is meant", () => {
  const misspelt: object = { sesSandBox: true, colour: "red" };
  expect(problemsWith(misspelt)).toEqual([
    "stacks/stages.ts: dev.sesSandBox=true is not a setting: did you mean sesSandbox?",
    'stacks/stages.ts: dev.colour="red" is not a setting: leave it out',
  ]);
});

it.each([
  ["stage", "STAGE"],
  ["backend", "BACKEND"],
  ["stateBucket", "STATE_BUCKET"],
  ["stateRegion", "STATE_REGION"],
  ["organization", "TF_CLOUD_ORGANIZATION"],
  ["workspace", "TF_WORKSPACE"],
])("tells where %s is set, which no entry has", (setting, variable) => {
  expect(problemsWith({ [setting]: "x" })).toEqual([
    `stacks/stages.ts: dev.${setting}="x" is not a setting: take it out, and export ${variable}, which only the environment has`,
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
      '.domains.0="*" lets everybody in: to mail everybody, write { mode: "unrestricted", reason: "why this stage may mail everybody" }',
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
      '.domains.0="Gmail.com" has mailboxes for everybody: write your own, or the addresses that you mean',
    ],
    ...["yahoo.co.uk", "hotmail.co.uk", "outlook.de", "live.de", "ymail.com", "gmx.at", "t-online.de", "posteo.de"].map(
      (domain): [string, unknown[], unknown[], string] => [
        `the provider ${domain}`,
        [],
        [domain],
        `.domains.0="${domain}" has mailboxes for everybody`,
      ],
    ),
    ...["github.io", "s3.amazonaws.com", "herokuapp.com"].map((domain): [string, unknown[], unknown[], string] => [
      `${domain}, under which anybody gets a name`,
      [],
      [domain],
      `.domains.0="${domain}" is not one organisation's domain, but all that ends in .${domain}`,
    ]),
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
    [
      { mode: "unrestricted", reason: " \t" },
      '.reason=" \\t" has fewer than 30 characters. Write why everybody may be mailed.',
    ],
    [{ mode: "unrestricted", reason: `x${" ".repeat(30)}` }, " has fewer than 30 characters. Write why"],
    [{ mode: "unrestricted" }, '={"mode":"unrestricted"} has to be "recipients-only", { mode'],
    ["everybody", '="everybody" has to be "recipients-only"'],
    [undefined, ' is missing: it has to be "recipients-only"'],
  ])("can't be %j", (allowedRecipients, problem) => {
    expect(problemsWith({ allowedRecipients })).toEqual([
      expect.stringMatching(/^stacks\/stages\.ts: dev\.allowedRecipients[.= ]/),
    ]);
    expect(problemsWith({ allowedRecipients })).toEqual([expect.stringContaining(problem)]);
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

  it.each([
    "example.co.uk",
    "example.com",
    "example.org",
    "mail.example.com",
    "shop.github.io",
    "bücher.example",
    "shop.internal",
  ])("may be the domain %s", (domain) => {
    expect(problemsWith(restricted(["ops@example.com"], [domain]))).toEqual([]);
  });
});

it("refuses to let everybody in while the account is in the SES sandbox, where SES would refuse them", () => {
  const allowedRecipients = { mode: "unrestricted", reason: "A try that mails nobody whom we do not know." } as const;
  expect(() => withStage({ allowedRecipients, sesSandbox: true })).toThrow(
    /stacks\/stages\.ts: dev\.allowedRecipients=.* lets everybody in, but in the SES sandbox SES mails verified recipients alone/,
  );
  expect(withStage({ allowedRecipients, sesSandbox: false }).recipientPolicy).toEqual(allowedRecipients);
});
