import {
  CreateConfigurationSetCommand,
  CreateEmailIdentityCommand,
  GetEmailIdentityCommand,
  PutEmailIdentityMailFromAttributesCommand,
} from "@aws-sdk/client-sesv2";
import { type DoctorStage, runChecks } from "../../../operations/doctor/check";
import { openDns } from "../../../operations/doctor/dns";
import { domainChecks } from "../../../operations/doctor/domains";
import { type Config } from "../../../stacks/config";
import { type SendingDomain, type Tracking } from "../../../stacks/sending-domains";
import { type DnsServer, startDnsServer, type Zone } from "../../support/dns-server";
import { DoctorWorld } from "./doctor-world";

/** The checks of sending domains with real clients of SES, and with Node's resolver before a DNS server of the test. */

let world: DoctorWorld;
let server: DnsServer;
beforeAll(async () => {
  world = await DoctorWorld.start();
  server = await startDnsServer();
});
afterEach(() => {
  world.reset();
});
afterAll(async () => {
  await world.stop();
  await server.close();
});

const policy = { policy: "quarantine", reportsTo: undefined, isMadeHere: true } as const;

interface Deployed {
  readonly stage: DoctorStage;
  readonly domain: string;
  readonly tokens: readonly string[];
  /** The records as the stage's outputs have them. */
  readonly zone: Zone;
}

/** A stage with a sending domain of its own, which SES has as the stack makes it. */
async function deployed(
  settings: Partial<SendingDomain> = {},
  overrides: (domain: string) => Partial<Config> = () => ({}),
): Promise<Deployed> {
  const domain = `${world.gateway.name("shop")}.example`;
  const mailFrom = { domain: `mail.${domain}`, onMxFailure: "USE_DEFAULT_VALUE" } as const;
  const sending: SendingDomain = { domain, zoneId: undefined, mailFrom, dmarc: policy, ...settings };
  const stage = world.stage({
    sendingDomains: [sending],
    madeIdentities: [domain],
    region: "us-east-1",
    ...overrides(domain),
  });
  const { sesV2 } = world.clients;
  await sesV2.send(new CreateEmailIdentityCommand({ EmailIdentity: domain }));
  await sesV2.send(
    new PutEmailIdentityMailFromAttributesCommand({
      EmailIdentity: domain,
      MailFromDomain: mailFrom.domain,
      BehaviorOnMxFailure: mailFrom.onMxFailure,
    }),
  );
  const { DkimAttributes: dkim } = await sesV2.send(new GetEmailIdentityCommand({ EmailIdentity: domain }));
  const tokens = dkim?.Tokens ?? [];
  const zone: Zone = {
    ...Object.fromEntries(
      tokens.map((token) => [`CNAME ${token}._domainkey.${domain}`, [`${token}.dkim.amazonses.com`]]),
    ),
    [`MX ${mailFrom.domain}`]: [{ preference: 10, exchange: "feedback-smtp.us-east-1.amazonses.com" }],
    [`TXT ${mailFrom.domain}`]: ["v=spf1 include:amazonses.com ~all"],
    [`TXT _dmarc.${domain}`]: ["v=DMARC1; p=quarantine"],
  };
  server.zone = zone;
  return { stage, domain, tokens, zone };
}

/** What the checks whose names begin so say, each as `<status>: <finding> > <to do>`. */
async function ask(stage: DoctorStage, name = ""): Promise<string[]> {
  const dns = openDns({ servers: [server.address], port: server.port, patience: { timeout: 100, tries: 1 } });
  const checks = domainChecks(stage, { sesV2: world.clients.sesV2, dns }).filter((check) =>
    check.name.startsWith(name),
  );
  const results = await runChecks(checks, stage);
  return results.map(({ status, finding, todo }) => `${status}: ${finding}${todo === undefined ? "" : ` > ${todo}`}`);
}

it("finds a domain in order", async () => {
  const { stage, domain } = await deployed();
  expect(await ask(stage)).toEqual([
    "ok: 3 records and SES: SUCCESS.",
    `ok: mail.${domain}: MX, SPF and SES: SUCCESS.`,
    `ok: TXT _dmarc.${domain}: as expected.`,
  ]);
});

it("asks nothing for a stage whose sender is verified as an address", async () => {
  expect(await ask(world.stage())).toEqual([]);
  expect(world.countCalls(/identities/)).toBe(0);
});

it("names every record that is missing", async () => {
  const { stage, domain, tokens } = await deployed();
  server.zone = {};
  const [dkim = "", mailFrom, dmarc] = await ask(stage);
  for (const token of tokens) {
    expect(dkim).toContain(`CNAME ${token}._domainkey.${domain} is missing. Expected: ${token}.dkim.amazonses.com.`);
  }
  expect(mailFrom).toMatch(/^fail: MX mail\..* is missing\. .*TXT mail\..* is missing\..* > Make the DNS records/);
  expect(dmarc).toMatch(/^fail: TXT _dmarc\..* is missing\./);
});

it("names every record that is wrong, with what is there", async () => {
  const { stage, domain, tokens, zone } = await deployed({ dmarc: { ...policy, policy: "reject" } });
  const [token = ""] = tokens;
  server.zone = {
    ...zone,
    [`CNAME ${token}._domainkey.${domain}`]: [`${token}.dkim.other.example`],
    [`MX mail.${domain}`]: [{ preference: 10, exchange: "feedback-smtp.eu-west-1.amazonses.com" }],
    [`TXT mail.${domain}`]: ["v=spf1 include:other.example ~all"],
  };
  const wrong = (record: string, expected: string, found: string) =>
    `${record} is wrong. Expected: ${expected}. Found: "${found}".`;
  const [dkim, mailFrom, dmarc] = await ask(stage);
  expect(dkim).toContain(
    wrong(`CNAME ${token}._domainkey.${domain}`, `${token}.dkim.amazonses.com`, `${token}.dkim.other.example`),
  );
  expect(mailFrom).toContain(
    wrong(`MX mail.${domain}`, "10 feedback-smtp.us-east-1.amazonses.com", "10 feedback-smtp.eu-west-1.amazonses.com"),
  );
  expect(mailFrom).toContain(
    wrong(`TXT mail.${domain}`, "v=spf1 include:amazonses.com ~all", "v=spf1 include:other.example ~all"),
  );
  expect(dmarc).toContain(wrong(`TXT _dmarc.${domain}`, "v=DMARC1; p=reject", "v=DMARC1; p=quarantine"));
  for (const verdict of [dkim, mailFrom, dmarc]) expect(verdict).toMatch(/^fail: /);
});

it("warns where the policy only observes, on a stage that may mail everybody, also where it is a parent's", async () => {
  const recipientPolicy = { mode: "restricted", addresses: ["a@b.example"], domains: [] } as const;
  const observing = { dmarc: { ...policy, policy: "none" } } as const;
  const { stage, domain, zone } = await deployed(observing);
  server.zone = { ...zone, [`TXT _dmarc.${domain}`]: ["v=DMARC1; p=none"] };
  const [verdict] = await ask(stage, "DMARC");
  expect(verdict).toMatch(/^warn: DMARC _dmarc\.[\w.-]+ says p=none: /);
  const restricted = { ...stage, config: { ...stage.config, recipientPolicy } };
  expect(await ask(restricted, "DMARC")).toEqual([`ok: TXT _dmarc.${domain}: as expected.`]);
  const below: SendingDomain = { domain: `eu.${domain}`, zoneId: undefined, mailFrom: undefined, dmarc: undefined };
  const ofParent = { ...stage, config: { ...stage.config, sendingDomains: [below] } };
  expect(await ask(ofParent, "DMARC")).toEqual([verdict]);
});

it("asks SES once for a domain", async () => {
  const { stage } = await deployed();
  const before = world.countCalls(/identities/);
  await ask(stage);
  expect(world.countCalls(/identities/) - before).toBe(1);
});

it("says that it could not look where DNS does not answer", async () => {
  const { stage, domain, zone } = await deployed();
  server.zone = { ...zone, [`MX mail.${domain}`]: "silent" };
  expect(await ask(stage, "MAIL FROM")).toEqual([
    expect.stringMatching(/^unknown: MX mail\..*: no answer in time \(ETIMEOUT\)\. > Try again/),
  ]);
});

describe("SES", () => {
  const answer = async (body: Record<string, unknown>, name: string, settings: Partial<SendingDomain> = {}) => {
    const { stage, domain, tokens } = await deployed(settings);
    const dkim = { SigningEnabled: true, Status: "SUCCESS", Tokens: tokens };
    const mailFrom = {
      MailFromDomain: `mail.${domain}`,
      MailFromDomainStatus: "SUCCESS",
      BehaviorOnMxFailure: "REJECT_MESSAGE",
    };
    // Only the last answer counts.
    world.reset();
    world.answerJson(/^GET \/v2\/email\/identities\//, {
      DkimAttributes: { ...dkim, ...(body.dkim as object | undefined) },
      MailFromAttributes: { ...mailFrom, ...(body.mailFrom as object | undefined) },
    });
    const [verdict] = await ask(stage, name);
    return verdict;
  };

  it.each([
    ["PENDING", /^warn: SES says of DKIM of shop-\d+\.example: PENDING\. > Wait/],
    ["TEMPORARY_FAILURE", /^warn: .*: TEMPORARY_FAILURE\. > SES does not find the records/],
    ["FAILED", /^fail: .*: FAILED\. > Correct the records, and then save DKIM once more/],
    ["NOT_STARTED", /^fail: .*: NOT_STARTED\./],
  ])("may have DKIM %s, although the records are there", async (status, expected) => {
    expect(await answer({ dkim: { Status: status } }, "DKIM")).toMatch(expected);
  });

  it.each([
    ["PENDING", /^warn: SES says of the MAIL FROM domain mail\.shop-\d+\.example: PENDING\. > Wait/],
    ["FAILED", /^fail: .*: FAILED\. > .* put-email-identity-mail-from-attributes .* REJECT_MESSAGE$/],
  ])("may have MAIL FROM %s, although the records are there", async (status, expected) => {
    expect(await answer({ mailFrom: { MailFromDomainStatus: status } }, "MAIL FROM")).toMatch(expected);
  });

  it("may have another MAIL FROM domain than the configured one", async () => {
    expect(await answer({ mailFrom: { MailFromDomain: "old.example" } }, "MAIL FROM")).toMatch(
      /^fail: SES has old\.example for .*, and mail\.shop-\d+\.example is configured\. > Deploy the stack again/,
    );
    expect(await answer({}, "MAIL FROM", { mailFrom: undefined })).toMatch(/, and none is configured\./);
  });

  it("may not sign", async () => {
    expect(await answer({ dkim: { SigningEnabled: false } }, "DKIM")).toMatch(
      /^fail: SES does not sign mail of .* --signing-enabled$/,
    );
    expect(await answer({ dkim: { Tokens: [] } }, "DKIM")).toMatch(/^fail: SES has no DKIM tokens/);
  });

  it("may have the keys in another zone than this project knows", async () => {
    expect(await answer({ dkim: { SigningHostedZone: "dkim.example.net" } }, "DKIM")).toMatch(
      /^fail: CNAME .* is wrong\. Expected: \w+\.dkim\.example\.net\..*SES has the keys of .* in dkim\.example\.net, and this project makes records for dkim\.amazonses\.com\./,
    );
  });

  it("may not have the identity", async () => {
    const { stage } = await deployed();
    world.answerJson(/^GET \/v2\/email\/identities\//, { __type: "NotFoundException" }, 404);
    const [dkim, mailFrom] = await ask(stage);
    for (const verdict of [dkim, mailFrom]) expect(verdict).toMatch(/^fail: SES has no identity shop-/);
  });
});

describe("an identity that another stage has made", () => {
  it("is checked with the MAIL FROM domain that it has there", async () => {
    const { stage, domain } = await deployed({ mailFrom: undefined }, () => ({ madeIdentities: [] }));
    expect(await ask(stage, "MAIL FROM")).toEqual([`ok: mail.${domain}: MX, SPF and SES: SUCCESS.`]);
  });

  it("may have none", async () => {
    const { stage } = await deployed({}, () => ({ madeIdentities: [] }));
    world.answerJson(/^GET \/v2\/email\/identities\//, {});
    expect(await ask(stage, "MAIL FROM")).toEqual([expect.stringMatching(/^ok: SES's own, amazonses\.com/)]);
  });
});

describe("DMARC", () => {
  it.each<[string, SendingDomain["dmarc"], (domain: string) => Zone, RegExp]>([
    [
      "of a parent counts until there is one",
      policy,
      (it) => ({ [parentOf(it)]: ["v=DMARC1; p=reject"] }),
      /^fail: .* is missing\..* Until then the policy of a parent domain counts: _dmarc\.[\w.-]+, "v=DMARC1; p=reject"\. > Make the record, or set dmarc: "elsewhere"/,
    ],
    [
      "of a parent is enough where it is elsewhere",
      undefined,
      (it) => ({ [parentOf(it)]: ["v=DMARC1; p=reject"] }),
      /^ok: The policy of a parent domain counts/,
    ],
    [
      "is missed where it is elsewhere, and is not",
      undefined,
      () => ({}),
      /^warn: .* has no DMARC record, and dmarc is "elsewhere"\./,
    ],
  ])("%s", async (_, dmarc, zone, expected) => {
    const { stage, domain } = await deployed({ dmarc });
    const sub = `eu.${domain}`;
    server.zone = zone(sub);
    const config = {
      ...stage.config,
      sendingDomains: stage.config.sendingDomains.map((it) => ({ ...it, domain: sub })),
    };
    expect(await ask({ ...stage, config }, "DMARC")).toEqual([expect.stringMatching(expected)]);
  });
  const parentOf = (domain: string) => `TXT _dmarc.${domain.slice(domain.indexOf(".") + 1)}`;
});

describe("the tracking domain", () => {
  async function tracked(options: object | undefined, zone: (domain: string) => Zone): Promise<string | undefined> {
    const tracking = (domain: string): Tracking => ({
      domain: `click.${domain}`,
      httpsPolicy: "REQUIRE",
      target: "d1.cloudfront.net",
      zoneId: undefined,
    });
    const { stage, domain } = await deployed({}, (name) => ({ tracking: tracking(name) }));
    await world.clients.sesV2.send(
      new CreateConfigurationSetCommand({
        ConfigurationSetName: stage.names.configurationSet,
        ...(options === undefined
          ? {}
          : { TrackingOptions: { CustomRedirectDomain: `click.${domain}`, HttpsPolicy: "REQUIRE", ...options } }),
      }),
    );
    server.zone = zone(`click.${domain}`);
    const [verdict] = await ask(stage, "Tracking");
    return verdict;
  }

  it.each<[string, object | undefined, (domain: string) => Zone, RegExp]>([
    ["leads to its target", {}, (it) => ({ [`CNAME ${it}`]: ["d1.cloudfront.net"] }), /^ok: CNAME click\./],
    ["leads elsewhere", {}, (it) => ({ [`CNAME ${it}`]: ["r.us-east-1.awstrack.me"] }), /^fail: .* is wrong\./],
    [
      "leads elsewhere, where there is an address",
      {},
      (it) => ({ [`CNAME ${it}`]: ["r.us-east-1.awstrack.me"], [`A ${it}`]: ["192.0.2.1"] }),
      /^fail: .* is wrong\./,
    ],
    ["is not there", {}, () => ({}), /^fail: CNAME click\..* is missing\. Expected: d1\.cloudfront\.net\./],
    ["is an alias", {}, (it) => ({ [`A ${it}`]: ["192.0.2.1"] }), /^unknown: .* has addresses and no CNAME/],
    [
      "is not the set's",
      undefined,
      () => ({}),
      /^fail: .* tracks under SES's own domain \(no https policy\), and click\./,
    ],
    [
      "is another one in the set",
      { CustomRedirectDomain: "click.other.example" },
      (it) => ({ [`CNAME ${it}`]: ["d1.cloudfront.net"] }),
      /^fail: .* tracks under click\.other\.example \(REQUIRE\), and click\..* is configured\./,
    ],
    [
      "has another policy",
      { HttpsPolicy: "OPTIONAL" },
      () => ({}),
      /^fail: .* \(OPTIONAL\), and click\..* \(REQUIRE\)/,
    ],
  ])("%s", async (_, options, zone, expected) => {
    expect(await tracked(options, zone)).toMatch(expected);
  });
});
