import { type Dmarc, type SendingDomain, type Tracking } from "./sending-domains";
import { type SesHosts } from "./ses-hosts";

/**
 * A DNS record that a sending domain needs. The outputs, the Route 53 resources and the checks of `npm run doctor` are
 * all made from these.
 */
export interface DnsRecord {
  /** The record's role. It is unique among the records of a domain, and is the id of its construct. */
  readonly id: string;
  /** The full name, without a dot at its end. */
  readonly name: string;
  readonly type: "CNAME" | "MX" | "TXT";
  /** Text of the record: for an MX with its preference, for a TXT without quotation marks. */
  readonly value: string;
  /** How long a resolver may keep it, in seconds. */
  readonly ttl: number;
  /** What the record is for, in a sentence. */
  readonly why: string;
}

/** Ten minutes, so that a mistake does not stay in resolvers for long. */
const ttl = 600;

/** How many DKIM tokens SES makes for a domain (https://docs.aws.amazon.com/ses/latest/dg/send-email-authentication-dkim-easy.html). */
export const dkimTokenCount = 3;

/** The begin of an SPF record (RFC 7208, 4.5), and of a DMARC record (RFC 7489, 6.3). */
export const spfVersion = "v=spf1";
export const dmarcVersion = "v=DMARC1";

/** The part of an SPF record that names the hosts of SES. */
export const spfOfSes = "include:amazonses.com";

/** The records with which SES verifies the domain and signs its mail. */
export function dkimRecords({ domain }: SendingDomain, tokens: readonly string[], hosts: SesHosts): DnsRecord[] {
  return tokens.map((token, index) => ({
    id: `dkim-${index}`,
    name: `${token}._domainkey.${domain}`,
    type: "CNAME",
    value: `${token}.${hosts.dkim}`,
    ttl,
    why: "DKIM: SES verifies the domain by it, and receivers find the key of the signature.",
  }));
}

/** The records of the MAIL FROM domain; none where the domain has no MAIL FROM domain of its own. */
export function mailFromRecords({ mailFrom }: SendingDomain, hosts: SesHosts): DnsRecord[] {
  if (mailFrom === undefined) return [];
  return [
    {
      id: "mail-from-mx",
      name: mailFrom.domain,
      type: "MX",
      value: `10 ${hosts.feedback}`,
      ttl,
      why: "MAIL FROM: bounces come to SES. SES wants this to be the only MX record of the name.",
    },
    {
      id: "mail-from-spf",
      name: mailFrom.domain,
      type: "TXT",
      value: `${spfVersion} ${spfOfSes} ~all`,
      ttl,
      why: "SPF: SES's hosts may send for the MAIL FROM domain. A name has one SPF record.",
    },
  ];
}

export function dmarcRecord(domain: string, dmarc: Dmarc): DnsRecord {
  return {
    id: "dmarc",
    name: `_dmarc.${domain}`,
    type: "TXT",
    value: dmarcText(dmarc),
    ttl,
    why: "DMARC: what receivers do with mail of the domain that neither DKIM nor SPF vouches for.",
  };
}

function dmarcText({ policy, reportsTo }: Dmarc): string {
  const tags = [dmarcVersion, `p=${policy}`];
  if (reportsTo !== undefined) tags.push(`rua=mailto:${uriOf(reportsTo)}`);
  return tags.join("; ");
}

/** The address as a part of a URI. A comma or an exclamation mark in it would end the URI (RFC 7489, 6.2). */
function uriOf(address: string): string {
  const at = address.lastIndexOf("@");
  return `${encodeURIComponent(address.slice(0, at)).replace(/!/g, "%21")}${address.slice(at)}`;
}

export function trackingRecord({ domain, target }: Tracking): DnsRecord {
  return {
    id: "tracking",
    name: domain,
    type: "CNAME",
    value: target,
    ttl,
    why: "Tracking: the links and the picture by which SES counts clicks and opens lead there.",
  };
}

/** All records of a sending domain, in the order in which a person makes them. */
export function recordsOf(domain: SendingDomain, tokens: readonly string[], hosts: SesHosts): DnsRecord[] {
  return [
    ...dkimRecords(domain, tokens, hosts),
    ...mailFromRecords(domain, hosts),
    ...(domain.dmarc === undefined ? [] : [dmarcRecord(domain.domain, domain.dmarc)]),
  ];
}

/** Whether the stage makes the record where the domain has a zone. Another region's stack may make the DMARC record. */
export const isMadeHere = ({ id }: DnsRecord, { dmarc }: SendingDomain): boolean =>
  id !== "dmarc" || dmarc?.isMadeHere === true;

/** The longest string in a TXT record, in bytes (RFC 1035, 3.3). A longer text is several strings, which readers join. */
const longestString = 255;

/** The text of a TXT record in the strings that it consists of. The text has to be ASCII. */
function stringsOf(value: string): string[] {
  const count = Math.max(1, Math.ceil(value.length / longestString));
  return Array.from({ length: count }, (_, index) => value.slice(index * longestString, (index + 1) * longestString));
}

/**
 * The record's value as the AWS provider wants it. The provider itself puts the text of a TXT record into quotation
 * marks, and takes `""` between two strings of it
 * (https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/route53_record).
 */
export function route53Value({ type, value }: DnsRecord): string {
  return type === "TXT" ? stringsOf(value).join('""') : value;
}

/** The records in the form of a zone file (RFC 1035, 5.1), which DNS services import. */
export function zoneFile(records: readonly DnsRecord[]): string {
  return records
    .map((record) => {
      const { name, type, why, ttl: seconds } = record;
      return `; ${why}\n${name}. ${seconds} IN ${type} ${zoneFileValue(record)}\n`;
    })
    .join("");
}

function zoneFileValue({ type, value }: DnsRecord): string {
  return type === "TXT"
    ? stringsOf(value)
        .map((text) => `"${text}"`)
        .join(" ")
    : `${value}.`;
}
