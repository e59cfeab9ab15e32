import { Route53Record } from "@cdktf/provider-aws/lib/route53-record";
import { type Sesv2EmailIdentity } from "@cdktf/provider-aws/lib/sesv2-email-identity";
import { Sesv2EmailIdentityMailFromAttributes } from "@cdktf/provider-aws/lib/sesv2-email-identity-mail-from-attributes";
import { Fn } from "cdktf";
import { Construct } from "constructs";
import { type Config } from "../config";
import { type DnsRecord, dkimTokenCount, isMadeHere, recordsOf, route53Value, trackingRecord } from "../dns-records";
import { type SendingDomain } from "../sending-domains";
import { type SesHosts, sesHosts } from "../ses-hosts";
import { type EmailSender } from "./email-sender";

interface DnsRecordsProps {
  readonly records: readonly DnsRecord[];
  /** @default no record is made */
  readonly zoneId: string | undefined;
  /** Whether this stack makes the record, where there is a zone. @default all of them */
  readonly isMade?: (record: DnsRecord) => boolean;
}

/** DNS records in a Route 53 zone, or else for a person to make. */
class DnsRecords extends Construct {
  /** The records that a person has to make, because there is no zone to make them in. */
  readonly toDo: readonly DnsRecord[];
  readonly resources: readonly Route53Record[];

  constructor(scope: Construct, id: string, { records, zoneId, isMade = () => true }: DnsRecordsProps) {
    super(scope, id);
    this.toDo = zoneId === undefined ? records : [];
    this.resources =
      zoneId === undefined
        ? []
        : records.filter(isMade).map(
            (record) =>
              // `allow_overwrite` stays off: a record of that name that somebody else has made is not ours to change,
              // and Terraform then fails and names it.
              new Route53Record(this, record.id, {
                zoneId,
                name: record.name,
                type: record.type,
                ttl: record.ttl,
                records: [route53Value(record)],
              }),
          );
  }
}

interface DomainProps {
  readonly domain: SendingDomain;
  readonly identity: Sesv2EmailIdentity;
  readonly hosts: SesHosts;
}

/**
 * What a sending domain has beside its identity: the MAIL FROM domain, and the records for DKIM, MAIL FROM, SPF and
 * DMARC. The stage that makes the identity makes these, too.
 */
class Domain extends Construct {
  readonly records: DnsRecords;

  constructor(scope: Construct, id: string, { domain, identity, hosts }: DomainProps) {
    super(scope, id);
    // SES makes the tokens at the apply, and always as many. So each has a record by its index.
    const tokens = Array.from(
      { length: dkimTokenCount },
      (_, index) => Fn.element(identity.dkimSigningAttributes.tokens, index) as string,
    );
    this.records = new DnsRecords(this, "records", {
      records: recordsOf(domain, tokens, hosts),
      zoneId: domain.zoneId,
      isMade: (record) => isMadeHere(record, domain),
    });
    if (domain.mailFrom !== undefined) {
      new Sesv2EmailIdentityMailFromAttributes(this, "mail-from", {
        emailIdentity: identity.emailIdentity,
        mailFromDomain: domain.mailFrom.domain,
        behaviorOnMxFailure: domain.mailFrom.onMxFailure,
        // SES begins to look for the MX record at once.
        ...(this.records.resources.length > 0 ? { dependsOn: [...this.records.resources] } : {}),
      });
    }
  }
}

export interface SendingDomainsProps {
  readonly config: Pick<Config, "region" | "sendingDomains" | "tracking">;
  readonly sender: EmailSender;
}

/**
 * The domains that a stage sends from and tracks under. A stage whose sender is verified as an address has none, and
 * this makes nothing then.
 */
export class SendingDomains extends Construct {
  /** The records that a person has to make. */
  readonly toDo: readonly DnsRecord[];

  constructor(scope: Construct, id: string, { config, sender }: SendingDomainsProps) {
    super(scope, id);
    const { region, sendingDomains, tracking } = config;
    const hosts = sesHosts(region);
    const records = sendingDomains.flatMap((domain) => {
      const identity = sender.identities.get(domain.domain);
      // Where another stage or a person made the identity, they made the rest, too.
      if (hosts === undefined || identity === undefined) return [];
      return [new Domain(this, domain.domain, { domain, identity, hosts }).records];
    });
    if (tracking !== undefined) {
      records.push(new DnsRecords(this, "tracking", { records: [trackingRecord(tracking)], zoneId: tracking.zoneId }));
    }
    this.toDo = records.flatMap(({ toDo }) => toDo);
  }
}
