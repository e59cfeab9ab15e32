import {
  ConfigurationError,
  type Environment,
  overrideWarnings,
  placeholderWarnings,
  readConfig,
} from "../../stacks/config";
import { configVariables } from "../../stacks/config-variables";
import { Names } from "../../stacks/names";
import { isStageName } from "../../stacks/stage-check";
import { stages, type StageSettings } from "../../stacks/stages";
import { configOf, devEnvironment, withStage } from "../support/stack";

function problemsOf(environment: Environment): readonly string[] {
  try {
    configOf(environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems;
  }
}

it("lists every problem at once, with the value and the fix", () => {
  const read = () =>
    readConfig({ STAGE: "dev", PROJECT_NAME: "My Shop", EMAIL_SENDER: "nobody", AWS_REGION: "mars", BACKEND: "ftp" });
  expect(read).toThrow(ConfigurationError);
  for (const part of [
    /6 problems; nothing was synthesized/,
    /PROJECT_NAME="My Shop" has to be lower-case/,
    /EMAIL_SENDER="nobody" is not an e-mail address/,
    /EMAIL_RECIPIENT is not set: export/,
    /AWS_ACCOUNT_ID is not set: export AWS_ACCOUNT_ID=\$\(aws sts get-caller-identity --query Account --output text\), or write accountId: "123456789012" into dev in stacks\/stages\.ts/,
    /AWS_REGION="mars" is not a region/,
    /BACKEND="ftp" is unknown: use s3, cloud or local/,
  ]) {
    expect(read).toThrow(part);
  }
});

it.each([
  ["eu", 'STAGE="eu" is unknown: use one of sandbox, dev, '],
  ["production", 'STAGE="production" is unknown: did you mean prod? Otherwise, use one of sandbox, dev, '],
  ["Develop", 'STAGE="Develop" is unknown: did you mean dev? '],
  ["stg", 'STAGE="stg" is unknown: did you mean staging? '],
  ["stagging", 'STAGE="stagging" is unknown: did you mean staging? Otherwise, use one of sandbox, dev, '],
  [undefined, "STAGE is not set: export STAGE to one of sandbox, dev, "],
  [" ", "STAGE is not set: export STAGE to one of sandbox, dev, "],
])("tells of the stage %j alone, because all else depends on it", (STAGE, problem) => {
  const environment = { STAGE, PROJECT_NAME: "My Shop", BACKEND: "ftp" };
  expect(problemsOf(environment)).toEqual([expect.stringContaining(problem)]);
});

it("takes a stage with a blank behind it, as a copied line has it", () => {
  expect(readConfig({ STAGE: "sandbox " }).stage).toBe("sandbox");
});

it.each([
  ["BACKEND", "clod", 'BACKEND="clod" is unknown: did you mean cloud? Otherwise, use s3, cloud or local'],
  ["IDENTITIES", "manged", 'IDENTITIES="manged" is unknown: did you mean managed? Otherwise, use managed (this stage'],
  ["SENDER_IDENTITY", "adress", 'SENDER_IDENTITY="adress" is unknown: did you mean address? Otherwise, use address or'],
])("asks what %s=%s was to be", (name, value, problem) => {
  expect(problemsOf({ [name]: value })).toEqual([expect.stringContaining(problem)]);
});

it.each([
  ["EMAIL_SENDER", "nobody", "(it has no at sign)"],
  ["EMAIL_RECIPIENT", "Ann <ann@example.com>", "(it has a display name: give the bare address)"],
  ["ALARM_EMAIL", "a@example.com,b@@example.com", 'ALARM_EMAIL="b@@example.com" is not an e-mail address'],
])("says why %s=%s is no address", (name, text, why) => {
  expect(problemsOf({ [name]: text })).toEqual([expect.stringContaining(why)]);
});

it.each([
  [{ projectName: "a".repeat(60) }, "dev.projectName=", "has 60 characters: use 3 to 34"],
  [{ recipients: ["a@example.com", "b@"] }, 'dev.recipients.1="b@"', "is not an e-mail address"],
  [{ alarmSubscribers: ["a@example.com", "x"] }, 'dev.alarmSubscribers.1="x"', "is not an e-mail address"],
])("blames the stage's entry for what stands there: %j", (settings, place, problem) => {
  const nothing = { PROJECT_NAME: undefined, EMAIL_RECIPIENT: undefined };
  const read = () => withStage({ projectName: "shop", recipients: ["ops@example.com"], ...settings }, nothing);
  expect(read).toThrow(`stacks/stages.ts: ${place}`);
  expect(read).toThrow(problem);
});

describe("values of the documents' examples", () => {
  it("are told at synth, because no stage on AWS can have them", () => {
    expect(placeholderWarnings(configOf({ EMAIL_SENDER: "notifications@your-domain.example" }))).toEqual([
      "The account 123456789012 is that of AWS's documents: set AWS_ACCOUNT_ID to your own, which aws sts get-caller-identity --query Account --output text prints.",
      "The sender notifications@your-domain.example (default) has a domain for documents, which SES can't verify (RFC 2606): name an address of a domain of your own.",
    ]);
  });

  it("are none of a stage with values of its own, and belong to the sandbox", () => {
    const own = { AWS_ACCOUNT_ID: "987654321098", EMAIL_SENDER: "notifications@shop.com" };
    expect(placeholderWarnings(configOf(own))).toEqual([]);
    expect(placeholderWarnings(readConfig({ STAGE: "sandbox" }))).toEqual([]);
  });
});

it("needs nothing but the stage for the sandbox, and lets the environment win", () => {
  expect(readConfig({ STAGE: "sandbox" })).toMatchObject({ projectName: "email-automation", region: "us-east-1" });
  expect(readConfig({ STAGE: "sandbox", PROJECT_NAME: "mine" }).projectName).toBe("mine");
});

it("limits a stage to its recipients and SES's mailbox simulator", () => {
  expect(configOf({ EMAIL_RECIPIENT: "a@example.com, b@example.com" }).recipientPolicy).toEqual({
    mode: "restricted",
    addresses: ["a@example.com", "b@example.com"],
    domains: ["simulator.amazonses.com"],
  });
});

it.each([
  [{}, { kind: "s3", bucket: "shop-terraform-state-123456789012", region: "eu-west-1" }],
  [
    { STATE_BUCKET: "our-states", STATE_REGION: "us-east-1" },
    { kind: "s3", bucket: "our-states", region: "us-east-1" },
  ],
  [{ BACKEND: "local" }, { kind: "local" }],
  [
    { BACKEND: "cloud", TF_CLOUD_ORGANIZATION: "acme", TF_WORKSPACE: "mail" },
    { kind: "cloud", organization: "acme", workspace: "mail" },
  ],
])("reads the backend from %j", (environment, backend) => {
  expect(configOf(environment).backend).toEqual(backend);
});

it.each([
  ["PROJECT_NAME", "a".repeat(35), /has 35 characters: use 3 to 34/],
  ["EMAIL_RECIPIENT", "a${b}@example.com", /EMAIL_RECIPIENT="a\$\{b\}@example\.com" has one of/],
  ["EMAIL_SENDER", "*@example.com", /EMAIL_SENDER="\*@example\.com" has one of/],
  ["EMAIL_RECIPIENT", Array.from({ length: 51 }, (_, i) => `a${i}@example.com`).join(), /names 51 recipients/],
  ["EMAIL_RECIPIENT", " , ", /names nobody/],
  ["IDENTITIES", "mine", /IDENTITIES="mine" is unknown/],
  ["SENDER_IDENTITY", "mine", /SENDER_IDENTITY="mine" is unknown/],
  ["STATE_BUCKET", "Our.States", /STATE_BUCKET="Our\.States" is not a bucket's name/],
  ["STATE_BUCKET", "states.mrap", /STATE_BUCKET="states\.mrap" is not a bucket's name/],
  ...["xn--states", "sthree-states", "amzn-s3-demo-states"].map((name): [string, string, RegExp] => [
    "STATE_BUCKET",
    name,
    /STATE_BUCKET="[a-z0-9-]+" can't be a bucket's name, because S3 keeps those with "[a-z0-9-]+-" for itself: choose/,
  ]),
  ...["states-s3alias", "states--ol-s3", "states--x-s3", "states--table-s3"].map((name): [string, string, RegExp] => [
    "STATE_BUCKET",
    name,
    /STATE_BUCKET="[a-z0-9-]+" can't be a bucket's name, because S3 keeps those with "-[a-z0-9-]+" for itself: choose/,
  ]),
  [
    "PROJECT_NAME",
    "sthree-shop",
    /PROJECT_NAME="sthree-shop" makes the state's bucket sthree-shop-terraform-state-123456789012, and S3 keeps names with "sthree-" for itself: choose another name, or export STATE_BUCKET/,
  ],
  ["STATE_REGION", "mars ${x}", /STATE_REGION="mars \$\{x\}" is not a region's name/],
  ["ALARM_EMAIL", "nobody", /ALARM_EMAIL="nobody" is not an e-mail address/],
])("refuses %s=%s", (name, value, problem) => {
  expect(() => configOf({ [name]: value })).toThrow(problem);
});

it.each(["a@example.com,a@example.com", 'a@example.com,A@EXAMPLE.com,"a"@example.com'])(
  "takes a mailbox that is named twice once: %s",
  (EMAIL_RECIPIENT) => {
    expect(configOf({ EMAIL_RECIPIENT }).recipients).toEqual(["a@example.com"]);
  },
);

it("names what Terraform Cloud needs", () => {
  expect(() => configOf({ BACKEND: "cloud" })).toThrow(/TF_CLOUD_ORGANIZATION[\s\S]*TF_WORKSPACE/);
});

describe("the account", () => {
  it("is the stage's own where the stage names one", () => {
    expect(withStage({ accountId: "999999999999" }, { AWS_ACCOUNT_ID: undefined }).accountId).toBe("999999999999");
  });

  it("can't be another than the stage's", () => {
    expect(() => withStage({ accountId: "999999999999" })).toThrow(
      /AWS_ACCOUNT_ID="123456789012" is not the account of this stage, which is 999999999999 by stacks\/stages\.ts/,
    );
  });

  it.each(["12345678901", "1234567890123", "arn:aws:iam::123456789012:root", "12345678901x"])("is not %s", (id) => {
    expect(() => configOf({ AWS_ACCOUNT_ID: id })).toThrow(`AWS_ACCOUNT_ID="${id}" is not an account's id`);
  });

  it("is told to be corrected in the stage's entry where that is wrong, with and without the variable", () => {
    for (const AWS_ACCOUNT_ID of [undefined, "123456789012"]) {
      expect(() => withStage({ accountId: "1234" }, { AWS_ACCOUNT_ID })).toThrow(
        /1 problem; [^]*\n {2}- stacks\/stages\.ts: \w+\.accountId="1234" is not an account's id, which has 12 digits: aws sts/,
      );
    }
  });

  it("is needed by every backend, for the providers refuse each other one", () => {
    expect(() => configOf({ AWS_ACCOUNT_ID: "", BACKEND: "local" })).toThrow("AWS_ACCOUNT_ID is not set");
  });

  it("gives two accounts two state buckets, whose longest name S3 takes", () => {
    const bucketOf = (AWS_ACCOUNT_ID: string) => {
      const { backend } = configOf({ PROJECT_NAME: "a".repeat(34), AWS_ACCOUNT_ID });
      return backend.kind === "s3" ? backend.bucket : "";
    };
    expect(bucketOf("111111111111")).not.toBe(bucketOf("222222222222"));
    expect(bucketOf("111111111111")).toHaveLength(63);
  });
});

describe("a region", () => {
  it.each([["us-east-1"], ["ap-southeast-5"], ["me-central-1"], ["us-gov-west-1"], ["eusc-de-east-1"]])(
    "%s has SES",
    (region) => {
      expect(configOf({ AWS_REGION: region }).region).toBe(region);
    },
  );

  it.each([
    ["ap-east-1", "has no Amazon SES: use a region that has it, the nearest is ap-southeast-1"],
    ["ap-southeast-4", "has no Amazon SES: use a region that has it, the nearest is ap-southeast-2"],
    ["eu-south-2", "has no Amazon SES: use a region that has it, the nearest is eu-west-3"],
    ["mx-central-1", "has no Amazon SES: use a region that has it, the nearest is us-east-2"],
    ["cn-north-1", "has no Amazon SES, nor has any region of its partition"],
    ["us-isob-east-1", "has no Amazon SES, nor has any region of its partition"],
    ["us-iso-west-1", "has no Amazon SES, nor has any region of its partition"],
    ["us-east-9", "is not among the regions that have Amazon SES: correct it, or add it to stacks/regions.ts"],
  ])("%s %s", (region, problem) => {
    expect(() => configOf({ AWS_REGION: region })).toThrow(
      `1 problem; nothing was synthesized.\n  - AWS_REGION="${region}" ${problem}`,
    );
  });

  it.each(["us-east", "us_east_1", "US-EAST-1", "us-east-1a", "aws-global", "europe-west-1"])(
    "is not named %s",
    (name) => {
      expect(() => configOf({ AWS_REGION: name })).toThrow(`AWS_REGION="${name}" is not a region's name`);
    },
  );

  it.each([
    ["us-gov-west-1", "aws-us-gov"],
    ["cn-north-1", "aws-cn"],
    ["eusc-de-east-1", "aws-eusc"],
    ["us-isob-east-1", "aws-iso-b"],
  ])("of the state can't be %s, in another partition than the stage's", (STATE_REGION, partition) => {
    expect(problemsOf({ STATE_REGION })).toEqual([
      `STATE_REGION="${STATE_REGION}" is in AWS's partition ${partition}, and the stage's region eu-west-1 in aws, whose credentials can't reach it: use a region of aws, or unset STATE_REGION`,
    ]);
    expect(problemsOf({ AWS_REGION: "us-gov-east-1", STATE_REGION: "us-gov-west-1" })).toEqual([]);
  });

  it("may keep the state without SES", () => {
    expect(configOf({ STATE_REGION: "ap-east-1" }).backend).toMatchObject({ region: "ap-east-1" });
  });
});

describe("a variable that wins over the stage's entry", () => {
  const entry = {
    projectName: "shop",
    region: "eu-west-1",
    senders: { default: { address: "sender@example.com", identity: "address" } },
    identities: "managed",
    recipients: ["ops@example.com", "team@example.com"],
    replyTo: ["help@example.com"],
    alarmSubscribers: ["on-call@example.com"],
    deployRepository: "acme/shop",
    oidcProvider: "managed",
  } as const;

  it.each([
    ["PROJECT_NAME", "shop2", "projectName", "shop", "the stage is to be made a second time"],
    ["AWS_REGION", "eu-central-1", "region", "eu-west-1", "the stage is to be made a second time"],
    ["EMAIL_SENDER", "me@example.com", "senders.default.address", "sender@example.com", "that is meant"],
    ["SENDER_IDENTITY", "domain", "senders.default.identity", "address", "that is meant"],
    ["IDENTITIES", "existing", "identities", "managed", "that is meant"],
    ["EMAIL_RECIPIENT", "ops@example.com", "recipients", "ops@example.com, team@example.com", "that is meant"],
    ["EMAIL_REPLY_TO", "me@example.com", "replyTo", "help@example.com", "that is meant"],
    ["ALARM_EMAIL", "me@example.com", "alarmSubscribers", "on-call@example.com", "that is meant"],
    ["DEPLOY_REPOSITORY", "acme/other", "deployRepository", "acme/shop", "that is meant"],
    ["OIDC_PROVIDER", "existing", "oidcProvider", "managed", "that is meant"],
  ])("is told: %s", (name, value, setting, ofEntry, unless) => {
    expect(overrideWarnings(withStage(entry, { EMAIL_RECIPIENT: undefined, [name]: value }))).toEqual([
      `${name}="${value}" wins over dev.${setting} in stacks/stages.ts, which is "${ofEntry}": unset ${name}, unless ${unless}.`,
    ]);
  });

  it("is told with the entry's list of identities", () => {
    const identities = { existing: ["sender@example.com"] };
    expect(overrideWarnings(withStage({ identities }, { IDENTITIES: "existing" }))).toEqual([
      expect.stringContaining('which is "{ existing: ["sender@example.com"] }": unset IDENTITIES'),
    ]);
  });

  it("is not told where both say the same, and where one of them says nothing", () => {
    const same = { ...entry, senders: { default: { address: "sender@EXAMPLE.com" } } };
    const EMAIL_RECIPIENT = "team@example.com,ops@example.com";
    expect(overrideWarnings(withStage(same, { EMAIL_RECIPIENT, ALARM_EMAIL: "" }))).toEqual([]);
    expect(overrideWarnings(configOf())).toEqual([]);
  });

  it("is no other than those that have a setting, each of which is read so", () => {
    const told = configVariables.filter((name) => !["STAGE", "AWS_ACCOUNT_ID"].includes(name));
    const alone = ["BACKEND", "STATE_BUCKET", "STATE_REGION", "TF_CLOUD_ORGANIZATION", "TF_WORKSPACE"];
    const others = Object.fromEntries(told.filter((name) => !alone.includes(name)).map((name) => [name, other[name]]));
    const { overrides } = withStage(entry, others);
    expect(overrides.map(({ variable }) => variable).sort()).toEqual(Object.keys(others).sort());
  });
  const other: Record<string, string> = {
    PROJECT_NAME: "shop2",
    AWS_REGION: "eu-central-1",
    EMAIL_SENDER: "me@example.com",
    SENDER_IDENTITY: "domain",
    IDENTITIES: "existing",
    EMAIL_RECIPIENT: "me@example.com",
    EMAIL_REPLY_TO: "me@example.com",
    ALARM_EMAIL: "me@example.com",
    DEPLOY_REPOSITORY: "acme/other",
    OIDC_PROVIDER: "existing",
  };
});

describe("what Terraform reads of the environment by itself", () => {
  it.each([
    [
      { TF_WORKSPACE: "mail" },
      'TF_WORKSPACE="mail" is for BACKEND=cloud; with BACKEND=s3 it would move the state: unset TF_WORKSPACE',
    ],
    [{ TF_WORKSPACE: "mail", BACKEND: "local" }, "with BACKEND=local it would move the state"],
    [
      { TF_CLI_ARGS_init: "-upgrade -backend-config=key=other.tfstate" },
      "TF_CLI_ARGS_init has -backend-config, which would move the state: take it out",
    ],
    [{ TF_CLI_ARGS_init: "-reconfigure" }, "has -reconfigure, which would move the state"],
    [{ TF_CLI_ARGS_init: "--backend=false" }, "has -backend, which would move the state"],
    [{ TF_CLI_ARGS_init: `'-backend-config=key=x'` }, "has -backend-config"],
    [{ TF_WORKSPACE: "mail", STATE_BUCKET: "Our.States" }, "TF_WORKSPACE"],
    [{ TF_CLI_ARGS: "-state other.tfstate" }, "has -state, which would move the state"],
    [{ TF_CLI_ARGS_apply: "-state-out=x" }, "has -state-out, which would move the state"],
    [
      { TF_CLI_ARGS_init: "-backend-config=x", BACKEND: "cloud", TF_CLOUD_ORGANIZATION: "acme", TF_WORKSPACE: "mail" },
      "has -backend-config",
    ],
  ])("can't move the state: %j", (environment, problem) => {
    expect(() => configOf(environment)).toThrow(problem);
  });

  it.each([
    { TF_WORKSPACE: "" },
    { TF_CLI_ARGS: "-no-color" },
    { TF_CLI_ARGS_plan: "-lock-timeout=5m -parallelism=3" },
  ])("can be %j", (environment) => {
    expect(configOf(environment).backend.kind).toBe("s3");
  });
});

describe("reply addresses", () => {
  it("are none by default", () => {
    expect(configOf().replyTo).toEqual([]);
  });

  it("come from the environment, before the stage's", () => {
    expect(withStage({ replyTo: ["help@example.com"] }).replyTo).toEqual(["help@example.com"]);
    expect(
      withStage({ replyTo: ["help@example.com"] }, { EMAIL_REPLY_TO: "a@example.com, b@EXAMPLE.com,a@example.com" })
        .replyTo,
    ).toEqual(["a@example.com", "b@example.com"]);
  });

  it.each([
    [
      {},
      { EMAIL_REPLY_TO: "Help <help@example.com>" },
      'EMAIL_REPLY_TO="Help <help@example.com>" is not an e-mail address',
    ],
    [
      { replyTo: ["nobody"] },
      {},
      'stacks/stages.ts: dev.replyTo.0="nobody" is not an e-mail address (it has no at sign): use the form',
    ],
    [{}, { EMAIL_REPLY_TO: "a%{x}@example.com" }, "has one of $ { } % * ?"],
  ])("are checked: %j %j", (settings, environment, problem) => {
    expect(() => withStage(settings, environment)).toThrow(problem);
  });
});

it("protects production's claims from being deleted, and nothing else", () => {
  const protectedStages = Object.entries(stages).filter(([, { deletionProtection }]) => deletionProtection);
  expect(protectedStages.map(([name]) => name)).toEqual(["prod"]);
  expect(configOf({ STAGE: "prod" }).deletionProtection).toBe(true);
});

it("takes no text from a stage's settings that Terraform would read as its own", () => {
  const allowedRecipients = { mode: "unrestricted", reason: "costs ${x}" } as const;
  expect(() => withStage({ allowedRecipients })).toThrow(
    /The settings of "dev" in stacks\/stages\.ts hold a \$\{ or %\{/,
  );
});

it.each(["TF_CLOUD_ORGANIZATION", "TF_WORKSPACE"])("takes no %s that is not a name", (name) => {
  const cloud = { BACKEND: "cloud", TF_CLOUD_ORGANIZATION: "acme", TF_WORKSPACE: "mail" };
  expect(() => configOf({ ...cloud, [name]: "a${b}" })).toThrow(`${name}="a\${b}" is not a name`);
});

it("names the stages as stages can be named", () => {
  for (const stage of Object.keys(stages)) expect(isStageName(stage)).toBe(true);
});

it.each(["prod-eu", "priority", "daily", "production", "Prod", "dev_2"])("takes no stage called %s", (stage) => {
  const known = stages as Record<string, StageSettings>;
  known[stage] = stages.dev;
  try {
    const fix = "call it by one of sandbox, dev, ";
    expect(() => configOf({ STAGE: stage })).toThrow(`STAGE="${stage}" can't be a stage's name: ${fix}`);
    // What stands in its entry is not missing.
    known[stage] = { ...stages.sandbox, sesSandbox: false };
    expect(() => readConfig({ STAGE: stage })).toThrow("The configuration has 1 problem;");
  } finally {
    Reflect.deleteProperty(known, stage);
  }
  expect(() => configOf({ STAGE: stage })).toThrow(
    /STAGE="[\w-]+" is unknown: .*use one of .*, or add a stage to stacks\/stages\.ts, called by one of sandbox, dev, /,
  );
});

it.each(["shop-dev", "shop-prod-eu", "shop-dev2", "a-b-staging"])("takes no project called %s", (PROJECT_NAME) => {
  expect(() => configOf({ PROJECT_NAME })).toThrow(
    /^The configuration has 1 problem; .*\n {2}- PROJECT_NAME="[a-z0-9-]+" has "-\w+" in it, which is a stage's name/,
  );
  const projectNameException = "deployed before the rule";
  expect(withStage({ projectNameException }, { PROJECT_NAME }).projectName).toBe(PROJECT_NAME);
});

it.each(["dev", "prod-shop", "shop-devices", "email-automation-a1b2c3"])(
  "takes a project called %s",
  (PROJECT_NAME) => {
    expect(configOf({ PROJECT_NAME }).projectName).toBe(PROJECT_NAME);
  },
);

it("gives no stage a name that begins like another stage's", () => {
  // Every project of up to three of these parts, in every stage: what the configuration takes is what may share an account.
  const parts = ["shop", "dev", "prod", "b", "priority", "dev2"];
  const projects = [
    ...parts,
    ...parts.flatMap((a) => parts.map((b) => `${a}-${b}`)),
    ...parts.flatMap((a) => parts.flatMap((b) => parts.map((c) => `${a}-${b}-${c}`))),
  ];
  const names = projects.flatMap((PROJECT_NAME) =>
    ["dev", "prod", "staging"].flatMap((STAGE) => {
      const environment = { PROJECT_NAME, STAGE };
      return problemsOf(environment).length > 0 ? [] : [`${new Names(configOf(environment)).prefix}-`];
    }),
  );
  expect(names.length).toBeGreaterThan(50);
  expect(new Set(names).size).toBe(names.length);
  const overlaps = names.flatMap((name) => names.filter((other) => other !== name && other.startsWith(name)));
  expect(overlaps).toEqual([]);
});

it.each(Object.keys(stages))("lets the longest names of %s fit, in the region of the longest name", (stage) => {
  const longestFor = (AWS_REGION: string) => {
    const problem = problemsOf({ STAGE: stage, PROJECT_NAME: "a".repeat(60), AWS_REGION }).find((text) =>
      text.startsWith("PROJECT_NAME"),
    );
    return Number(/use 3 to (\d+)/.exec(problem ?? "")?.[1]);
  };
  for (const region of ["us-east-1", "ap-southeast-1", "eusc-de-east-1"]) {
    const names = new Names({ projectName: "a".repeat(longestFor(region)), stage, region });
    expect(names.of("priority-email-processor").length).toBeLessThanOrEqual(64);
    expect(names.inAccount("priority-role").length).toBeLessThanOrEqual(64);
  }
});

describe("the senders", () => {
  it("are one by default, whose address is its identity", () => {
    expect(configOf().senders).toEqual([
      {
        name: "default",
        address: "sender@example.com",
        identity: { kind: "address", value: "sender@example.com" },
      },
    ]);
  });

  it("come from the stage's entry, where the environment names none", () => {
    const senders = {
      alerts: { address: "alerts@mail.example", identity: "domain" },
      default: { address: "shop@mail.example", identity: "domain" },
    } as const;
    const mail = { kind: "domain", value: "mail.example" };
    expect(withStage({ senders }, { EMAIL_SENDER: undefined }).senders).toEqual([
      { name: "default", address: "shop@mail.example", identity: mail },
      { name: "alerts", address: "alerts@mail.example", identity: mail },
    ]);
    const own = { kind: "address", value: "me@example.com" };
    expect(withStage({ senders }, { EMAIL_SENDER: "me@example.com", SENDER_IDENTITY: "address" }).senders).toEqual([
      { name: "default", address: "me@example.com", identity: own },
      { name: "alerts", address: "alerts@mail.example", identity: mail },
    ]);
  });

  it("lack one where only others are named", () => {
    const senders = { alerts: { address: "alerts@example.com" } };
    expect(() => withStage({ senders }, { EMAIL_SENDER: "" })).toThrow(
      '1 problem; nothing was synthesized.\n  - stacks/stages.ts: dev.senders has alerts, and no default, which is the sender of every notification that names none: add default: { address: "notifications@your-domain.example" }, or export EMAIL_SENDER=notifications@your-domain.example',
    );
    expect(() => withStage({ senders: {} }, { EMAIL_SENDER: "" })).toThrow(
      'EMAIL_SENDER is not set: export EMAIL_SENDER=notifications@your-domain.example, or write senders: { default: { address: "notifications@your-domain.example" } } into dev in stacks/stages.ts',
    );
  });

  it("have addresses", () => {
    expect(() => withStage({ senders: { alerts: { address: "nobody" } } })).toThrow(
      'stacks/stages.ts: dev.senders.alerts.address="nobody" is not an e-mail address',
    );
  });
});

it("needs no variable but STAGE, where the stage's entry has everything", () => {
  const entry = {
    projectName: "shop",
    accountId: "999999999999",
    region: "eu-west-1",
    senders: { default: { address: "shop@example.com" } },
    identities: "existing",
    recipients: ["ops@example.com"],
    replyTo: ["help@example.com"],
    alarmSubscribers: ["on-call@example.com", "team@example.com"],
  } as const;
  const nothing = Object.fromEntries(Object.keys(devEnvironment).map((name) => [name, undefined]));
  expect(withStage(entry, { ...nothing, STAGE: "dev" })).toMatchObject({
    projectName: "shop",
    accountId: "999999999999",
    region: "eu-west-1",
    senders: [{ address: "shop@example.com" }],
    madeIdentities: [],
    recipients: ["ops@example.com"],
    replyTo: ["help@example.com"],
    alarmSubscribers: ["on-call@example.com", "team@example.com"],
  });
  expect(
    withStage(entry, {
      ...devEnvironment,
      AWS_ACCOUNT_ID: undefined,
      PROJECT_NAME: "other",
      AWS_REGION: "eu-central-1",
      EMAIL_SENDER: "other@example.com",
      IDENTITIES: "managed",
      EMAIL_RECIPIENT: "others@example.com",
      EMAIL_REPLY_TO: "reply@example.com",
      ALARM_EMAIL: "a@example.com, b@example.com",
    }),
  ).toMatchObject({
    projectName: "other",
    region: "eu-central-1",
    senders: [{ address: "other@example.com" }],
    madeIdentities: ["other@example.com", "others@example.com"],
    recipients: ["others@example.com"],
    replyTo: ["reply@example.com"],
    alarmSubscribers: ["a@example.com", "b@example.com"],
  });
});
