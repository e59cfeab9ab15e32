import { Testing } from "cdktf";
import { seedCatalogue } from "../../handler/notifications/seed";
import { ConfigurationError, type Environment } from "../../stacks/config";
import { type DnsRecord, dmarcRecord, route53Value, zoneFile } from "../../stacks/dns-records";
import { NotificationStack } from "../../stacks/notification-stack";
import { type SendingDomainSettings, type TrackingSettings } from "../../stacks/sending-domains";
import { regionsWithSes } from "../../stacks/regions";
import { sesHosts } from "../../stacks/ses-hosts";
import { stages, type StageSettings } from "../../stacks/stages";
import { withStage, synthesized, type Synthesized } from "../support/stack";
import { plainStage } from "../support/stages";

const ofDomain: Environment = { SENDER_IDENTITY: "domain" };

function synth(settings: Partial<StageSettings> = {}, environment: Environment = {}): Synthesized {
  const config = withStage(settings, { ...ofDomain, ...environment });
  return synthesized(new NotificationStack(Testing.app(), "notification", config, seedCatalogue));
}

const withSettings = (settings: SendingDomainSettings, environment: Environment = {}) =>
  synth({ sendingDomains: { "example.com": settings } }, environment);

/** `<name> <type> <value>` of each record, in the order of the stack, each token by its index. */
const shown = (records: readonly { name: unknown; type: unknown; value: unknown }[]): string[] =>
  records.map(({ name, type, value }) =>
    [name, type, value]
      .join(" ")
      .replace(/\$\{element\(aws_sesv2_email_identity\.[^,]*tokens, (\d)\)\}/g, "<token $1>"),
  );
const toDo = (stack: Synthesized) => shown((stack.output("dns_records") ?? []) as DnsRecord[]);
const made = (stack: Synthesized) =>
  shown(
    stack
      .resources("aws_route53_record")
      .map(({ name, type, records }) => ({ name, type, value: (records as string[]).join() })),
  ).sort();

const dkim = (target: string) =>
  [0, 1, 2].map((i) => `<token ${i}>._domainkey.example.com CNAME <token ${i}>.${target}`);

it("asks a person for the records of a sending domain where there is no zone", () => {
  const stack = synth();
  expect(toDo(stack)).toEqual([
    ...dkim("dkim.amazonses.com"),
    "mail-eu-west-1.example.com MX 10 feedback-smtp.eu-west-1.amazonses.com",
    "mail-eu-west-1.example.com TXT v=spf1 include:amazonses.com ~all",
    "_dmarc.example.com TXT v=DMARC1; p=none",
  ]);
  expect(stack.output("dns_zone_file")).toContain('_dmarc.example.com. 600 IN TXT "v=DMARC1; p=none"\n');
  expect(made(stack)).toEqual([]);
  expect(stack.resource("aws_sesv2_email_identity_mail_from_attributes")).toMatchObject({
    mail_from_domain: "mail-eu-west-1.example.com",
    behavior_on_mx_failure: "USE_DEFAULT_VALUE",
  });
});

it("makes them where there is a zone, and has MAIL FROM wait for them", () => {
  const stack = withSettings({
    zoneId: "Z1",
    mailFrom: { subdomain: "bounces", onMxFailure: "REJECT_MESSAGE" },
    dmarc: { policy: "reject", reportsTo: "dmarc@example.com" },
  });
  expect(made(stack)).toEqual(
    [
      ...dkim("dkim.amazonses.com"),
      "bounces.example.com MX 10 feedback-smtp.eu-west-1.amazonses.com",
      "bounces.example.com TXT v=spf1 include:amazonses.com ~all",
      "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:dmarc@example.com",
    ].sort(),
  );
  const records = stack.resources("aws_route53_record");
  for (const record of records) expect(record).toMatchObject({ zone_id: "Z1", ttl: 600 });
  expect(records.filter(({ allow_overwrite: overwrites }) => overwrites !== undefined)).toEqual([]);
  expect(stack.outputs.filter((name) => name.startsWith("dns_"))).toEqual([]);
  const mailFrom = stack.resource("aws_sesv2_email_identity_mail_from_attributes");
  expect(mailFrom).toMatchObject({ behavior_on_mx_failure: "REJECT_MESSAGE" });
  expect(mailFrom.depends_on).toHaveLength(records.length);
});

it("leaves out what others have", () => {
  const stack = withSettings({ mailFrom: "none", dmarc: "elsewhere" });
  expect(toDo(stack)).toEqual(dkim("dkim.amazonses.com"));
  expect(stack.resources("aws_sesv2_email_identity_mail_from_attributes")).toEqual([]);
});

it.each<[string, Environment]>([
  ["an address is verified", { SENDER_IDENTITY: "address" }],
  ["another stage has made the identity", { IDENTITIES: "existing" }],
])("makes nothing of it where %s", (_, environment) => {
  const stack = synth({}, environment);
  expect(stack.outputs.filter((name) => name.startsWith("dns_"))).toEqual([]);
  expect(stack.resources("aws_sesv2_email_identity_mail_from_attributes")).toEqual([]);
  expect(made(stack)).toEqual([]);
});

it("gives two regions of a stage no record of the same name", () => {
  const settings: SendingDomainSettings = { zoneId: "Z1", dmarc: { policy: "none", onlyIn: "eu-west-1" } };
  const tracking: TrackingSettings = { domain: "click-{region}.example.com", httpsPolicy: "OPTIONAL" };
  const namesIn = (region: string) =>
    synth({ sendingDomains: { "example.com": settings }, tracking }, { AWS_REGION: region })
      .resources("aws_route53_record")
      .map(({ name }) => String(name))
      // SES makes other tokens in each region.
      .filter((name) => !name.includes("._domainkey."));
  const [here, there] = [namesIn("eu-west-1"), namesIn("eu-south-1")];
  expect(new Set(here)).toEqual(
    new Set(["mail-eu-west-1.example.com", "_dmarc.example.com", "click-eu-west-1.example.com"]),
  );
  expect(here.filter((name) => there.includes(name))).toEqual([]);
});

it("points to the hosts of the region", () => {
  expect(toDo(synth({}, { AWS_REGION: "eu-south-1" }))).toEqual(
    expect.arrayContaining([
      ...dkim("dkim.eu-south-1.amazonses.com"),
      "mail-eu-south-1.example.com MX 10 feedback-smtp.eu-south-1.amazonses.com",
    ]),
  );
});

describe("tracking", () => {
  it("is under the stage's domain, logs opens and clicks, and masks where they came from", () => {
    const stack = synth({ tracking: { domain: "click.example.com", httpsPolicy: "OPTIONAL" } });
    expect(stack.resource("aws_sesv2_configuration_set").tracking_options).toEqual({
      custom_redirect_domain: "click.example.com",
      https_policy: "OPTIONAL",
    });
    expect(toDo(stack)).toContain("click.example.com CNAME r.eu-west-1.awstrack.me");
    expect(stack.resource("aws_sesv2_configuration_set_event_destination")).toMatchObject({
      event_destination: { matching_event_types: expect.arrayContaining(["OPEN", "CLICK", "SEND"]) as unknown },
    });
    const feedback = stack.resources("aws_cloudwatch_event_rule").find(({ name }) => name === "shop-dev-feedback-rule");
    expect(JSON.parse(String(feedback?.event_pattern))).toMatchObject({
      "detail-type": expect.arrayContaining(["Email Opened", "Email Clicked"]) as unknown,
    });
    expect(stack.text).toContain("data-identifier/IpAddress");
  });

  it("is off where nothing is said", () => {
    const stack = synth();
    expect(stack.resource("aws_sesv2_configuration_set")).not.toHaveProperty("tracking_options");
    expect(stack.text).not.toMatch(/"OPEN"|Email Opened|IpAddress/);
  });

  it("is made in the zone of its domain", () => {
    const stack = synth({
      sendingDomains: { "example.com": { zoneId: "Z1" } },
      tracking: { domain: "click.example.com", httpsPolicy: "REQUIRE", target: "d1.cloudfront.net" },
    });
    expect(made(stack)).toContain("click.example.com CNAME d1.cloudfront.net");
  });
});

describe("refuses, with the fix,", () => {
  function problemsOf(settings: Partial<StageSettings>, environment: Environment = ofDomain): readonly string[] {
    try {
      withStage(settings, environment);
      return [];
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      return error.problems;
    }
  }
  const ofExample = (settings: SendingDomainSettings) => ({ sendingDomains: { "example.com": settings } });
  const click: TrackingSettings = { domain: "click.example.com", httpsPolicy: "OPTIONAL" };

  const cases: readonly [string, Partial<StageSettings>, RegExp, Environment?][] = [
    [
      "a zone id with its path",
      ofExample({ zoneId: "/hostedzone/Z1" }),
      /sendingDomains\["example\.com"\]\.zoneId="\/hostedzone\/Z1" is not the id of a hosted zone, such as Z0123/,
    ],
    [
      "a region of its DMARC record that SES does not know",
      ofExample({ dmarc: { policy: "none", onlyIn: "eu-wset-1" } }),
      /sendingDomains\["example\.com"\]\.dmarc\.onlyIn="eu-wset-1" is not among the regions that have Amazon SES: correct it/,
    ],
    [
      "settings of a domain that nobody sends from",
      { sendingDomains: { "example.org": {} } },
      /sendingDomains has "example\.org", and SES verifies no sender of the stage by that domain: correct it to example\.com$/,
    ],
    [
      "settings of a domain where SES verifies the address",
      ofExample({}),
      /sendingDomains has "example\.com", .*: give a sender identity: "domain" .*, or take the entry out$/,
      {},
    ],
    [
      "a MAIL FROM that is no host name",
      ofExample({ mailFrom: { subdomain: "Mail_1" } }),
      /is not a host name: use lower-case/,
    ],
    [
      "a policy that DMARC does not know",
      ofExample({ dmarc: { policy: "strict" as "none" } }),
      /dev\.sendingDomains\.example\.com\.dmarc=.* has to be "elsewhere" or \{ policy: "none"/,
    ],
    [
      "an unknown setting",
      ofExample({ zone: "Z1" } as object),
      /dev\.sendingDomains\.example\.com\.zone="Z1" is not a setting/,
    ],
    [
      "a MAIL FROM domain that another sender has",
      {
        ...ofExample({ mailFrom: { subdomain: "mail" } }),
        senders: { alerts: { address: "alerts@mail.example.com" } },
      },
      /dev\.sendingDomains\["example\.com"\]\.mailFrom\.subdomain="mail" makes mail\.example\.com, which the stage also sends from/,
    ],
    [
      "reports to what is no address",
      ofExample({ dmarc: { policy: "none", reportsTo: "dmarc" } }),
      /dmarc\.reportsTo="dmarc" is not an e-mail address/,
    ],
    [
      "tracking under another domain",
      { tracking: { ...click, domain: "click.example.org" } },
      /SES takes no other: use click\.example\.com$/,
    ],
    [
      "tracking under the domain itself",
      { tracking: { ...click, domain: "example.com" } },
      /is no sub-domain of a domain/,
    ],
    [
      "tracking under what is no host name",
      { tracking: { ...click, domain: "click_1.example.com" } },
      /is not a host name/,
    ],
    [
      "tracking under the MAIL FROM domain",
      { tracking: { ...click, domain: "mail-{region}.example.com" } },
      /is the MAIL FROM domain, which can't have a CNAME/,
    ],
    [
      "tracking under a domain of another sender",
      {
        tracking: click,
        senders: { alerts: { address: `alerts@${click.domain}` }, default: { address: "sender@example.com" } },
      },
      /tracking\.domain="click\.example\.com" is a domain that the stage sends mail from, which can't have a CNAME/,
    ],
    ["tracking without a domain", { tracking: click }, /needs a sender that SES verifies by its domain/, {}],
    [
      "https without a network that has a certificate",
      { tracking: { ...click, httpsPolicy: "REQUIRE" } as TrackingSettings },
      /httpsPolicy="REQUIRE" needs tracking\.target, .* or use OPTIONAL$/,
    ],
    [
      "https by SES itself",
      { tracking: { ...click, httpsPolicy: "REQUIRE_OPEN_ONLY", target: "r.eu-west-1.awstrack.me" } },
      /is SES itself, which has no certificate/,
    ],
    [
      "a target with a path",
      { tracking: { ...click, target: "https://d1.cloudfront.net" } },
      /tracking\.target="https:\/\/d1\.cloudfront\.net" is not a host name/,
    ],
    [
      "a region whose names are not known",
      {},
      /"domain" can't be used in eusc-de-east-1, .*: use the identity "address", or add the region/,
      { ...ofDomain, AWS_REGION: "eusc-de-east-1" },
    ],
  ];
  it.each(cases.map(([what, ...rest]) => [what, rest] as const))("%s", (_, [settings, problem, environment]) => {
    expect(problemsOf(settings, environment)).toEqual([expect.stringMatching(problem) as string]);
  });
});

it("knows the hosts of SES in each region, or says that it does not", () => {
  // https://docs.aws.amazon.com/general/latest/gr/ses.html#ses_dkim_domains
  expect(sesHosts("us-east-1")?.dkim).toBe("dkim.amazonses.com");
  expect(sesHosts("us-gov-west-1")?.dkim).toBe("dkim.amazonses.com");
  expect(sesHosts("us-gov-east-1")?.dkim).toBe("dkim.us-gov-east-1.amazonses.com");
  expect(sesHosts("af-south-1")?.dkim).toBe("dkim.af-south-1.amazonses.com");
  expect(sesHosts("mars-1")).toBeUndefined();
  expect([...regionsWithSes].filter((region) => sesHosts(region) === undefined)).toEqual(["eusc-de-east-1"]);
});

describe("a long text", () => {
  const record = dmarcRecord("example.com", {
    policy: "none",
    reportsTo: `a!b@${"x.".repeat(130)}example.com`,
    isMadeHere: true,
  });

  it("is several strings of at most 255 characters", () => {
    const strings = route53Value(record).split('""');
    expect(strings.map(({ length }) => length)).toEqual([255, record.value.length - 255]);
    expect(strings.join("")).toBe(record.value);
    expect(zoneFile([record])).toContain(`"${record.value.slice(0, 255)}" "${record.value.slice(255)}"`);
  });

  it("has no exclamation mark in an address, where it would begin a size (RFC 7489, 6.2)", () => {
    expect(record.value).toContain("rua=mailto:a%21b@");
  });
});

describe("a domain that another stage sends from", () => {
  const known: Record<string, StageSettings> = stages;
  const beside = (name: string, senders: StageSettings["senders"], settings: Partial<StageSettings>) => {
    const replaced = jest.replaceProperty(known, name, { ...plainStage, senders } as StageSettings);
    try {
      return withStage(settings, ofDomain);
    } finally {
      replaced.restore();
    }
  };
  const senders = { default: { address: "shop@Click.Example.com" } };
  const click = { domain: "click.example.com", httpsPolicy: "OPTIONAL" } as const;
  const mailFrom = { sendingDomains: { "example.com": { mailFrom: { subdomain: "click" } } } };

  it("is neither tracked under, nor a MAIL FROM domain", () => {
    expect(() => beside("staging", senders, { tracking: click })).toThrow(
      `dev.tracking.domain="click.example.com" is a domain that the stage staging sends mail from, which can't have a CNAME: use another sub-domain`,
    );
    expect(() => beside("staging", senders, mailFrom)).toThrow(
      "makes click.example.com, which the stage staging also sends from",
    );
  });

  it("is free where the other stage is the sandbox, and where its entry is wrong", () => {
    expect(beside("sandbox", senders, { tracking: click }).tracking?.domain).toBe(click.domain);
    expect(beside("staging", null as unknown as undefined, { tracking: click }).tracking?.domain).toBe(click.domain);
  });
});
