import { Resolver } from "node:dns/promises";
import { type DnsRecord, dmarcVersion, spfVersion } from "../../stacks/dns-records";
import { fail, unknown, type Verdict, warn, worst } from "./check";
import { allowsSes, dmarcRemarks, isOf, keepsPolicy, spfRemarks } from "./spf-dmarc";

type DnsResolver = Pick<Resolver, "resolve4" | "resolveCname" | "resolveMx" | "resolveNs" | "resolveTxt">;

export interface Dns {
  /** Asks as everybody does. Its answers may come from a cache. */
  readonly resolver: DnsResolver;
  /**
   * Finds the domain's own name servers, which know a new record at once.
   * @returns `undefined` where none is found.
   */
  readonly ownServers: (domain: string) => Promise<DnsResolver | undefined>;
}

export interface DnsOptions {
  /** IP addresses, with a port where it is not 53. @default those of the machine */
  readonly servers?: readonly string[];
  /** Port of the domains' own name servers. @default 53 */
  readonly port?: number;
  /**
   * How long a server has for its answer, in milliseconds, and how often it is asked. @default 2000 and 2, because a
   * person waits
   */
  readonly patience?: { readonly timeout: number; readonly tries: number };
}

export function openDns({ servers, port = 53, patience = { timeout: 2000, tries: 2 } }: DnsOptions = {}): Dns {
  const resolver = new Resolver(patience);
  if (servers !== undefined) resolver.setServers(servers);

  async function ownServers(domain: string): Promise<DnsResolver | undefined> {
    for (const zone of withParents(domain)) {
      const hosts = await resolver.resolveNs(zone).catch(() => []);
      const addresses = await Promise.all(hosts.map((host) => resolver.resolve4(host).catch(() => [])));
      const found = addresses.flat().map((address) => `${address}:${port}`);
      if (found.length === 0) continue;
      const own = new Resolver(patience);
      own.setServers(found);
      return own;
    }
    return undefined;
  }

  return { resolver, ownServers };
}

/** The domain, and each domain that it is a part of, but no top-level domain. */
function withParents(domain: string): string[] {
  const labels = domain.split(".");
  return labels.slice(0, -1).map((_, index) => labels.slice(index).join("."));
}

/** The texts that DNS has under a record's name and type, or why there was no answer. */
type Answer = { readonly values: readonly string[]; readonly why?: never } | { readonly why: string };

async function ask(resolver: DnsResolver, { name, type }: Pick<DnsRecord, "name" | "type">): Promise<Answer> {
  try {
    switch (type) {
      case "CNAME":
        return { values: await resolver.resolveCname(name) };
      case "MX":
        return { values: (await resolver.resolveMx(name)).map(({ priority, exchange }) => `${priority} ${exchange}`) };
      case "TXT":
        return { values: (await resolver.resolveTxt(name)).map((strings) => strings.join("")) };
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    // Both mean that DNS has answered: the name does not exist, or has no record of the type.
    if (code === "ENOTFOUND" || code === "ENODATA") return { values: [] };
    return { why: reasons[code] ?? code };
  }
}

/** In words, the codes of https://nodejs.org/api/dns.html#error-codes that a person meets. */
const reasons: Readonly<Record<string, string>> = {
  ETIMEOUT: "no answer in time (ETIMEOUT)",
  ECONNREFUSED: "no DNS server could be reached (ECONNREFUSED)",
  ESERVFAIL: "the DNS server failed (ESERVFAIL)",
  EREFUSED: "the DNS server refused (EREFUSED)",
};

/** What is wrong with the records of a name, if anything is. */
interface Judgement {
  readonly problem?: string;
  /** Whether DNS has answered that there is no record at all. */
  readonly isMissing?: boolean;
}

export type RecordVerdict = Verdict & Pick<Judgement, "isMissing">;

/**
 * Checks one record. Where the answer is not the expected one, the domain's own name servers are asked, too: where they
 * have the record, it is only not visible yet.
 * @param mailsEverybody whether the stage mails whom it likes, as production does.
 */
export async function checkRecord(dns: Dns, record: DnsRecord, mailsEverybody = false): Promise<RecordVerdict> {
  const what = `${record.type} ${record.name}`;
  const answer = await ask(dns.resolver, record);
  if (answer.why !== undefined) {
    return unknown(
      `${what}: ${answer.why}.`,
      "Try again, or from another network: DNS did not say whether it is there.",
    );
  }
  const { problem, isMissing = false } = judge(record, answer.values);
  if (problem === undefined) {
    return worst(await remarksOn(dns, record, answer.values, mailsEverybody), `${what}: as expected.`);
  }
  const own = await dns.ownServers(record.name.slice(record.name.indexOf(".") + 1));
  const ofOwn = own === undefined ? undefined : await ask(own, record);
  if (ofOwn?.why === undefined && ofOwn !== undefined && judge(record, ofOwn.values).problem === undefined) {
    return warn(
      `${what} is not yet visible: the domain's own name servers have it, and the resolver here still has an older answer.`,
      "Wait until the older answer ends: for a new name, the last number of the zone's SOA record, in seconds.",
    );
  }
  return {
    ...fail(`${what} ${problem}`, "Make the DNS records as the outputs dns_records and dns_zone_file have them."),
    isMissing,
  };
}

async function remarksOn(
  dns: Dns,
  { type, name, value }: DnsRecord,
  values: readonly string[],
  mailsEverybody: boolean,
): Promise<Verdict[]> {
  if (type !== "TXT") return [];
  const version = versionOf(value);
  const text = values.find(isOf(version)) ?? "";
  if (version === dmarcVersion) return dmarcRemarks(name, text, { isOfParent: false, mailsEverybody });
  // The record that this project makes needs no look at those that it includes.
  if (text === value) return [];
  return spfRemarks(name, text, async (other) => {
    const answer = await ask(dns.resolver, { name: other, type: "TXT" });
    return answer.why === undefined ? answer.values : [];
  });
}

const versionOf = (value: string): string => (isOf(spfVersion)(value) ? spfVersion : dmarcVersion);

/** @returns the first policy of a domain that contains this one, with its name, or `undefined` where there is none. */
export async function findParentPolicy(
  dns: Dns,
  domain: string,
): Promise<{ readonly name: string; readonly text: string } | undefined> {
  for (const parent of withParents(domain).slice(1)) {
    const answer = await ask(dns.resolver, { name: `_dmarc.${parent}`, type: "TXT" });
    const found = answer.why === undefined ? answer.values.find(isOf(dmarcVersion)) : undefined;
    if (found !== undefined) return { name: `_dmarc.${parent}`, text: found };
  }
  return undefined;
}

/** Whether DNS has addresses for a name. */
export async function hasAddress(dns: Dns, name: string): Promise<boolean> {
  return (await dns.resolver.resolve4(name).catch(() => [])).length > 0;
}

function judge(record: DnsRecord, values: readonly string[]): Judgement {
  const { type, value } = record;
  if (type !== "TXT") {
    if (values.length === 0) return missing(value);
    if (values.length > 1) {
      // Only an MX comes here, because a name has one CNAME at most.
      return {
        problem: `has ${values.length} records, and SES wants exactly one: ${quoted(values)}. Expected: ${value}.`,
      };
    }
    return values.some((each) => sameHost(each, value)) ? {} : wrong(value, values);
  }
  const version = versionOf(value);
  const found = values.filter(isOf(version));
  const [text, ...others] = found;
  if (text === undefined) return missing(value);
  if (others.length > 0) {
    return {
      problem: `has ${found.length} records that begin with ${version}, and receivers then take none (${version === spfVersion ? "RFC 7208, 4.5" : "RFC 7489, 6.6.3"}): ${quoted(found)}. Keep one.`,
    };
  }
  return (version === spfVersion ? allowsSes(text) : keepsPolicy(text, value)) ? {} : wrong(value, found);
}

const missing = (value: string): Judgement => ({ problem: `is missing. Expected: ${value}.`, isMissing: true });

const wrong = (value: string, found: readonly string[]): Judgement => ({
  problem: `is wrong. Expected: ${value}. Found: ${quoted(found)}.`,
});

const quoted = (values: readonly string[]): string => values.map((value) => `"${value}"`).join(", ");

function sameHost(one: string, other: string): boolean {
  const plain = (host: string) => host.toLowerCase().replace(/\.$/, "");
  return plain(one) === plain(other);
}
