import { checkRecord, type Dns, findParentPolicy, hasAddress, openDns } from "../../../operations/doctor/dns";
import { dmarcRemarks } from "../../../operations/doctor/spf-dmarc";
import { type DnsRecord, dkimRecords, dmarcRecord, mailFromRecords, trackingRecord } from "../../../stacks/dns-records";
import { type Dmarc, type SendingDomain } from "../../../stacks/sending-domains";
import { sesHosts } from "../../../stacks/ses-hosts";
import { type DnsServer, startDnsServer, type Zone } from "../../support/dns-server";

/** The checks with Node's own resolver, which asks a DNS server on this machine. */

const patience = { timeout: 100, tries: 1 };
let resolver: DnsServer;
/** The domain's own name server. It has another address and the same port as every name server of a domain. */
let own: DnsServer;
let dns: Dns;
beforeEach(async () => {
  [resolver, own] = [await startDnsServer(), await startDnsServer()];
  dns = openDns({ servers: [resolver.address], port: own.port, patience });
});
afterEach(async () => {
  await resolver.close();
  await own.close();
});

const hosts = sesHosts("eu-west-1");
if (hosts === undefined) throw new Error("SES has no hosts in eu-west-1");
const domain: SendingDomain = {
  domain: "example.com",
  zoneId: undefined,
  mailFrom: { domain: "mail.example.com", onMxFailure: "USE_DEFAULT_VALUE" },
  dmarc: undefined,
};
const only = (records: readonly DnsRecord[], id: string): DnsRecord => {
  const found = records.find((record) => record.id === id);
  if (found === undefined) throw new Error(`no record ${id}`);
  return found;
};
const dkim = only(dkimRecords(domain, ["abc"], hosts), "dkim-0");
const mx = only(mailFromRecords(domain, hosts), "mail-from-mx");
const spf = only(mailFromRecords(domain, hosts), "mail-from-spf");
const dmarc = (settings: Partial<Dmarc> = {}) =>
  dmarcRecord("example.com", { policy: "quarantine", reportsTo: undefined, isMadeHere: true, ...settings });
const exchange = (name: string, preference = 10) => ({ preference, exchange: name });

async function check(record: DnsRecord, zone: Zone): Promise<string> {
  resolver.zone = zone;
  const { status, finding } = await checkRecord(dns, record);
  return `${status}: ${finding}`;
}

it.each<[string, DnsRecord, Zone]>([
  ["a DKIM record", dkim, { "CNAME abc._domainkey.example.com": ["abc.dkim.amazonses.com"] }],
  ["a DKIM record in capitals", dkim, { "CNAME abc._domainkey.example.com": ["ABC.dkim.AmazonSES.com"] }],
  ["an MX record", mx, { "MX mail.example.com": [exchange("feedback-smtp.eu-west-1.amazonses.com")] }],
  ["SPF", spf, { "TXT mail.example.com": ["v=spf1 include:amazonses.com ~all"] }],
  [
    "SPF beside other texts",
    spf,
    { "TXT mail.example.com": ["google=1", "v=spf1 include:amazonses.com ~all", "v=spf10 -all"] },
  ],
  ["SPF of several senders", spf, { "TXT mail.example.com": ["V=SPF1 ip4:192.0.2.1 +include:amazonses.com -all"] }],
  ["SPF in two strings", spf, { "TXT mail.example.com": [["v=spf1 include:amazon", "ses.com ~all"]] }],
  ["DMARC", dmarc(), { "TXT _dmarc.example.com": ["v=DMARC1; p=quarantine"] }],
  ["DMARC that is stricter", dmarc(), { "TXT _dmarc.example.com": ["v=DMARC1;p=Reject;pct=50"] }],
  [
    "DMARC with the reports among others",
    dmarc({ reportsTo: "d!x@example.com" }),
    { "TXT _dmarc.example.com": ["v=DMARC1; p=quarantine; rua=mailto:a@b.example, mailto:d%21x@example.com!10m"] },
  ],
])("is content with %s", async (_, record, zone) => {
  expect(await check(record, zone)).toBe(`ok: ${record.type} ${record.name}: as expected.`);
});

it.each<[string, DnsRecord, Zone, string]>([
  ["a missing name", dkim, {}, "CNAME abc._domainkey.example.com is missing. Expected: abc.dkim.amazonses.com."],
  [
    "a name with records of other types only",
    mx,
    { "TXT mail.example.com": ["v=spf1 -all"] },
    "MX mail.example.com is missing. Expected: 10 feedback-smtp.eu-west-1.amazonses.com.",
  ],
  [
    "the target of another region",
    dkim,
    { "CNAME abc._domainkey.example.com": ["abc.dkim.eu-south-1.amazonses.com"] },
    'CNAME abc._domainkey.example.com is wrong. Expected: abc.dkim.amazonses.com. Found: "abc.dkim.eu-south-1.amazonses.com".',
  ],
  [
    "another preference",
    mx,
    { "MX mail.example.com": [exchange("feedback-smtp.eu-west-1.amazonses.com", 20)] },
    'MX mail.example.com is wrong. Expected: 10 feedback-smtp.eu-west-1.amazonses.com. Found: "20 feedback-smtp.eu-west-1.amazonses.com".',
  ],
  [
    "two MX records",
    mx,
    { "MX mail.example.com": [exchange("feedback-smtp.eu-west-1.amazonses.com"), exchange("mx.example.com", 5)] },
    "MX mail.example.com has 2 records, and SES wants exactly one:",
  ],
  [
    "texts of which none is SPF",
    spf,
    { "TXT mail.example.com": ["google=1"] },
    "TXT mail.example.com is missing. Expected: v=spf1 include:amazonses.com ~all.",
  ],
  [
    "SPF without SES",
    spf,
    { "TXT mail.example.com": ["v=spf1 include:spf.example.com ~all"] },
    'TXT mail.example.com is wrong. Expected: v=spf1 include:amazonses.com ~all. Found: "v=spf1 include:spf.example.com ~all".',
  ],
  [
    "SPF with SES behind the end",
    spf,
    { "TXT mail.example.com": ["v=spf1 ~all include:amazonses.com"] },
    "TXT mail.example.com is wrong.",
  ],
  [
    "SPF that refuses SES",
    spf,
    { "TXT mail.example.com": ["v=spf1 -include:amazonses.com ~all"] },
    "TXT mail.example.com is wrong.",
  ],
  [
    "two SPF records",
    spf,
    { "TXT mail.example.com": ["v=spf1 include:amazonses.com ~all", "v=spf1 mx -all"] },
    "TXT mail.example.com has 2 records that begin with v=spf1, and receivers then take none (RFC 7208, 4.5):",
  ],
  [
    "two DMARC records",
    dmarc(),
    { "TXT _dmarc.example.com": ["v=DMARC1; p=reject", "v=DMARC1; p=none"] },
    "TXT _dmarc.example.com has 2 records that begin with v=DMARC1, and receivers then take none (RFC 7489, 6.6.3):",
  ],
  [
    "DMARC that is laxer",
    dmarc(),
    { "TXT _dmarc.example.com": ["v=DMARC1; p=none"] },
    'TXT _dmarc.example.com is wrong. Expected: v=DMARC1; p=quarantine. Found: "v=DMARC1; p=none".',
  ],
  [
    "DMARC without a policy",
    dmarc({ policy: "none" }),
    { "TXT _dmarc.example.com": ["v=DMARC1"] },
    "TXT _dmarc.example.com is wrong.",
  ],
  [
    "DMARC without the reports",
    dmarc({ reportsTo: "d@example.com" }),
    { "TXT _dmarc.example.com": ["v=DMARC1; p=reject; rua=mailto:other@example.com"] },
    "TXT _dmarc.example.com is wrong.",
  ],
])("fails for %s", async (_, record, zone, finding) => {
  expect(await check(record, zone)).toMatch(`fail: ${finding}`);
});

it.each([
  ["silent", /no answer in time \(ETIMEOUT\)/],
  ["SERVFAIL", /the DNS server failed \(ESERVFAIL\)/],
  ["REFUSED", /the DNS server refused \(EREFUSED\)/],
] as const)("tells a server that is %s from one that has no such record", async (answer, reason) => {
  expect(await check(dkim, { [`CNAME ${dkim.name}`]: answer })).toMatch(/^unknown: CNAME abc\._domainkey/);
  expect((await checkRecord(dns, dkim)).finding).toMatch(reason);
});

describe("a record that the domain's own name server has", () => {
  const delegation = { "NS example.com": ["ns.example.net"], "A ns.example.net": ["127.0.0.1"] };

  it("is not yet visible", async () => {
    own.zone = { [`CNAME ${dkim.name}`]: ["abc.dkim.amazonses.com"] };
    const stale = { ...delegation, [`CNAME ${dkim.name}`]: ["old.example.com"] };
    for (const zone of [delegation, stale]) {
      expect(await check(dkim, zone)).toMatch(/^warn: CNAME abc\._domainkey\.example\.com is not yet visible: /);
    }
  });

  it("is wrong or missing where it is that there, too", async () => {
    own.zone = { [`CNAME ${dkim.name}`]: ["old.example.com"] };
    expect(await check(dkim, delegation)).toMatch(/^fail: CNAME abc\._domainkey\.example\.com is missing\./);
  });

  it("counts as missing where that server does not answer", async () => {
    own.zone = { [`CNAME ${dkim.name}`]: "silent" };
    expect(await check(dkim, delegation)).toMatch(/^fail: .* is missing\./);
  });
});

describe("an SPF record that names SES", () => {
  const ses = "include:amazonses.com";
  const spfCheck = (text: string, others: Zone = {}) => check(spf, { "TXT mail.example.com": [text], ...others });
  const asExpected = "ok: TXT mail.example.com: as expected.";

  it.each([
    ["lets everybody send", `v=spf1 ${ses} +all`, "ends with +all: everybody may send"],
    ["lets everybody send, in short", `v=spf1 ${ses} ALL`, "ends with all: everybody may send"],
    ["is neutral", `v=spf1 ${ses} ?all`, "ends with ?all: it says nothing of those whom it does not name"],
    ["has no end", `v=spf1 ${ses}`, "has no all at its end: it says nothing"],
    ["has an unknown mechanism", `v=spf1 ipv4:192.0.2.1 ${ses} ~all`, 'has "ipv4:192.0.2.1", which SPF does not know'],
    ["has one behind its end", `v=spf1 ${ses} ~all inc`, 'has "inc", which SPF does not know'],
    ["has a broken address", `v=spf1 ip4:192.0.2.999 ${ses} ~all`, 'has "ip4:192.0.2.999", which'],
    ["has an IPv6 address as ip4", `v=spf1 ip4:2001:db8::1 ${ses} ~all`, 'has "ip4:2001:db8::1", which'],
    ["has a prefix too long", `v=spf1 ip4:192.0.2.0/33 ${ses} ~all`, 'has "ip4:192.0.2.0/33", which'],
    ["includes nothing", `v=spf1 include: ${ses} ~all`, 'has "include:", which'],
    [
      "asks DNS too often",
      `v=spf1 a mx ptr exists:%{i}.example.com ${"a:b.example ".repeat(6)}${ses} -all`,
      "needs more than 10 look-ups in DNS",
    ],
  ])("%s, which is a warning", async (_, text, finding) => {
    expect(await spfCheck(text)).toMatch(`warn: SPF mail.example.com ${finding}`);
  });

  it.each([
    ["has all kinds of terms", `v=spf1 a a/24 mx:example.com/24//64 ip4:192.0.2.0/24 ip6:2001:db8::/32 ${ses} ~all`],
    ["has a modifier that nobody knows, which receivers leave out", `v=spf1 ${ses} x-note=1 exp=why.example.com -all`],
    ["leads elsewhere at its end", `v=spf1 ${ses} redirect=_spf.example.com`],
    ["asks DNS ten times", `v=spf1 ${"a:b.example ".repeat(9)}${ses} -all`],
    ["has a redirect that is not followed", `v=spf1 redirect=c.example ${"a:b.example ".repeat(9)}${ses} -all`],
  ])("is as expected where it %s", async (_, text) => {
    expect(await spfCheck(text)).toBe(asExpected);
  });

  it("is held to ten look-ups with those of the records that it includes, also where one includes itself", async () => {
    const many = { "TXT many.example": [`v=spf1 ${"mx:b.example ".repeat(8)}-all`] };
    expect(await spfCheck(`v=spf1 ${ses} include:many.example -all`, many)).toBe(asExpected);
    expect(await spfCheck(`v=spf1 mx ${ses} include:many.example -all`, many)).toMatch(/^warn: .*more than 10/);
    const loop = { "TXT loop.example": ["v=spf1 include:loop.example -all"] };
    expect(await spfCheck(`v=spf1 ${ses} include:loop.example -all`, loop)).toMatch(/^warn: .*more than 10/);
  });

  it("says what to do", async () => {
    resolver.zone = { "TXT mail.example.com": [`v=spf1 ${ses} +all`] };
    expect((await checkRecord(dns, spf)).todo).toBe("Write ~all in place of +all in the TXT record mail.example.com.");
  });
});

describe("a DMARC record that is strict enough by its policy", () => {
  it.each([
    ["pct=0", "v=DMARC1; p=quarantine; pct=0", "says p=quarantine for pct=0, which is no mail at all"],
    ["pct=0 in capitals", "v=DMARC1; P=Reject; PCT=0", "says p=Reject for pct=0"],
    ["test mode", "v=DMARC1; p=reject; t=y", "says p=reject in test mode (t=y)"],
  ])("is a warning with %s", async (_, text, finding) => {
    expect(await check(dmarc(), { "TXT _dmarc.example.com": [text] })).toMatch(
      `warn: DMARC _dmarc.example.com ${finding}`,
    );
  });

  it.each(["v=DMARC1; p=reject; t=n", "v=DMARC1; p=quarantine; pct=100"])("is as expected: %s", async (text) => {
    expect(await check(dmarc(), { "TXT _dmarc.example.com": [text] })).toMatch(/^ok:/);
  });

  it("is a warning with p=none where the stage may mail everybody, and there alone", async () => {
    resolver.zone = { "TXT _dmarc.example.com": ["v=DMARC1; p=none"] };
    const observes = dmarc({ policy: "none" });
    expect(await checkRecord(dns, observes, false)).toMatchObject({ status: "ok" });
    expect(await checkRecord(dns, observes, true)).toMatchObject({
      status: "warn",
      finding: expect.stringContaining("DMARC _dmarc.example.com says p=none") as string,
      todo: expect.stringContaining("quarantine and reject") as string,
    });
  });

  it("is that of a parent domain by its sp, where it has one", () => {
    const use = { isOfParent: true, mailsEverybody: true };
    const findings = (text: string) => dmarcRemarks("_dmarc.b.example", text, use).map(({ finding }) => finding);
    expect(findings("v=DMARC1; p=reject; sp=none")).toEqual([expect.stringContaining("says sp=none")]);
    expect(findings("v=DMARC1; p=none; sp=reject")).toEqual([]);
    expect(findings("v=DMARC1; p=none")).toEqual([expect.stringContaining("says p=none")]);
  });
});

it("finds the policy of the nearest parent domain", async () => {
  resolver.zone = {
    "TXT _dmarc.example.com": ["v=DMARC1; p=none"],
    "TXT _dmarc.shop.example.com": ["v=DMARC1; p=reject"],
    "TXT _dmarc.com": ["v=DMARC1; p=none"],
  };
  expect(await findParentPolicy(dns, "eu.shop.example.com")).toEqual({
    name: "_dmarc.shop.example.com",
    text: "v=DMARC1; p=reject",
  });
  expect(await findParentPolicy(dns, "shop.example.com")).toEqual({
    name: "_dmarc.example.com",
    text: "v=DMARC1; p=none",
  });
  expect(await findParentPolicy(dns, "example.com")).toBeUndefined();
});

it("sees the addresses behind an alias", async () => {
  const record = trackingRecord({
    domain: "click.example.com",
    httpsPolicy: "REQUIRE",
    target: "d1.cloudfront.net",
    zoneId: undefined,
  });
  expect(await check(record, { "A click.example.com": ["192.0.2.1"] })).toMatch(/^fail: CNAME .* is missing\./);
  expect(await hasAddress(dns, "click.example.com")).toBe(true);
  expect(await hasAddress(dns, "other.example.com")).toBe(false);
});
