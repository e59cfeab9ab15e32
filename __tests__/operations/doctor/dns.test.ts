import { checkRecord, type Dns, findParentPolicy, hasAddress, openDns } from "../../../operations/doctor/dns";
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

it("finds the policy of the nearest parent domain", async () => {
  resolver.zone = {
    "TXT _dmarc.example.com": ["v=DMARC1; p=none"],
    "TXT _dmarc.shop.example.com": ["v=DMARC1; p=reject"],
    "TXT _dmarc.com": ["v=DMARC1; p=none"],
  };
  expect(await findParentPolicy(dns, "eu.shop.example.com")).toBe('_dmarc.shop.example.com, "v=DMARC1; p=reject"');
  expect(await findParentPolicy(dns, "shop.example.com")).toBe('_dmarc.example.com, "v=DMARC1; p=none"');
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
