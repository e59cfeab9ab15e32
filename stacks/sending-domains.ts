import { whyNoMailFrom } from "./regions";
import { type SesHosts, sesHosts } from "./ses-hosts";

/**
 * The settings of one domain that a stage sends from, in `stacks/stages.ts`. A stage whose sender is verified as an
 * address has none.
 */
export interface SendingDomainSettings {
  /**
   * The id of the public hosted zone in Route 53 that holds the domain, in the stage's account. The stage then makes the
   * DNS records itself. @default the records are outputs, for a person to make
   */
  readonly zoneId?: string;
  /**
   * The domain of the envelope sender, a sub-domain that nobody sends from and nobody gets mail at. SPF vouches for the
   * mail then, too, and not DKIM alone. `none` leaves SES's own, amazonses.com.
   */
  readonly mailFrom?: MailFromSettings | "none";
  /** The domain's DMARC record. `elsewhere` means that somebody else makes it. @default policy none, without reports */
  readonly dmarc?: DmarcSettings | "elsewhere";
}

interface MailFromSettings {
  /**
   * What stands in front of the domain; `{region}` in it stands for the stage's region. SES wants a MAIL FROM domain to
   * have exactly one MX record, which names the region, so two regions can't share one. @default mail-{region}
   */
  readonly subdomain?: string;
  /**
   * What SES does while it does not find the MX record: it sends under amazonses.com (USE_DEFAULT_VALUE), or it refuses
   * the mail, which then waits for its retries (REJECT_MESSAGE). @default USE_DEFAULT_VALUE
   */
  readonly onMxFailure?: MailFrom["onMxFailure"];
}

interface DmarcSettings {
  /**
   * What receivers are asked to do with mail that fails. Begin with `none`, read the reports until all of the domain's
   * mail passes, whoever sends it, and then go on to `quarantine` and `reject`.
   */
  readonly policy: Dmarc["policy"];
  /**
   * Address that gets the receivers' daily reports. An address in a domain of another organization has to allow it in
   * its own DNS (RFC 7489, 7.1); services that read reports do. @default nobody gets reports
   */
  readonly reportsTo?: string;
  /**
   * For a stage in several regions with a Route 53 zone: the region whose stack makes the record. A domain has one DMARC
   * record for all regions, and Route 53 refuses the second. @default every region
   */
  readonly onlyIn?: string;
}

/**
 * Tracking of opens and clicks under a domain of the stage's own. SES then changes the links of each mail and adds a
 * picture to it, and the stage logs and counts both.
 */
export type TrackingSettings = {
  /**
   * Sub-domain of a domain that the stage sends from; `{region}` in it stands for the stage's region. It is for nothing
   * else than tracking.
   */
  readonly domain: string;
} & (
  | {
      /** SES serves the domain over HTTP only, so a mail's links with https lead to a warning of the browser. */
      readonly httpsPolicy: "OPTIONAL";
      /** Host that the domain leads to. @default SES's own for the region */
      readonly target?: string;
    }
  | {
      /** REQUIRE: links and picture have https. REQUIRE_OPEN_ONLY: the picture has, and each link is as it was. */
      readonly httpsPolicy: "REQUIRE" | "REQUIRE_OPEN_ONLY";
      /**
       * Host of a content delivery network that has a certificate for the domain, and passes requests on to SES. SES has
       * no certificate for it, and this project makes no such network: docs/deploy.md.
       */
      readonly target: string;
    }
);

/** A domain that SES verifies for a stage, after its settings were checked. */
export interface SendingDomain {
  readonly domain: string;
  /** Hosted zone that the stage makes the records in. */
  readonly zoneId: string | undefined;
  readonly mailFrom: MailFrom | undefined;
  /** `undefined` where somebody else has the record. */
  readonly dmarc: Dmarc | undefined;
}

interface MailFrom {
  readonly domain: string;
  readonly onMxFailure: "USE_DEFAULT_VALUE" | "REJECT_MESSAGE";
}

export interface Dmarc {
  readonly policy: "none" | "quarantine" | "reject";
  readonly reportsTo: string | undefined;
  /** Whether this region's stack makes the record where there is a zone. */
  readonly isMadeHere: boolean;
}

export interface Tracking {
  readonly domain: string;
  readonly httpsPolicy: TrackingSettings["httpsPolicy"];
  readonly target: string;
  /** Hosted zone that the stage makes the record in: that of the domain that it is a sub-domain of. */
  readonly zoneId: string | undefined;
}

export interface SendingDomainsInput {
  readonly domains: Readonly<Record<string, SendingDomainSettings>> | undefined;
  readonly tracking: TrackingSettings | undefined;
  readonly region: string;
  /** The domains of the senders that SES verifies by their domain. */
  readonly verifiedDomains: readonly string[];
  /** The domains of all senders, with the words for the stage that sends from it: this one's and the others'. */
  readonly senderDomains: ReadonlyMap<string, string>;
  /** How messages call a setting of the stage. */
  readonly nameOf: (setting: string) => string;
  /** Checks an address, and adds the problem with it to the list. */
  readonly address: (name: string, text: string) => string | undefined;
  readonly problems: string[];
}

export interface SendingDomains {
  readonly domains: readonly SendingDomain[];
  readonly tracking: Tracking | undefined;
}

/** Checks the settings of the domains, and adds every problem to `problems`. */
export function readSendingDomains(input: SendingDomainsInput): SendingDomains {
  const { domains: settings = {}, tracking, region, problems, nameOf } = input;
  const verifiedDomains = [...new Set(input.verifiedDomains)];
  for (const name of Object.keys(settings).filter((each) => !verifiedDomains.includes(each))) {
    problems.push(
      `${nameOf("sendingDomains")} has "${name}", and SES verifies no sender of the stage by that domain: ${verifiedDomains.length === 0 ? 'give a sender identity: "domain" (SENDER_IDENTITY=domain for the default one), or take the entry out' : `correct it to ${verifiedDomains.join(" or ")}`}`,
    );
  }
  if (verifiedDomains.length === 0) {
    if (tracking !== undefined) {
      problems.push(
        `${nameOf("tracking.domain")}="${tracking.domain}" needs a sender that SES verifies by its domain: give one identity: "domain" (SENDER_IDENTITY=domain for the default one), or take tracking out`,
      );
    }
    return { domains: [], tracking: undefined };
  }
  const hosts = sesHosts(region);
  if (hosts === undefined) {
    problems.push(
      `A sender with the identity "domain" can't be used in ${region}, because this project does not know SES's names for DNS there: use the identity "address", or add the region to stacks/ses-hosts.ts with the names that the SES console shows`,
    );
    return { domains: [], tracking: undefined };
  }
  const domains = verifiedDomains.map((domain) => readDomain(domain, settings[domain] ?? {}, input));
  return { domains, tracking: tracking && readTracking(tracking, domains, hosts, input) };
}

function readDomain(
  domain: string,
  { zoneId, mailFrom = {}, dmarc = { policy: "none" } }: SendingDomainSettings,
  input: SendingDomainsInput,
): SendingDomain {
  const { region, problems } = input;
  const name = input.nameOf(`sendingDomains["${domain}"]`);
  const onlyIn = dmarc === "elsewhere" ? undefined : dmarc.onlyIn;
  const whyNot = onlyIn === undefined ? undefined : whyNoMailFrom(onlyIn);
  if (whyNot !== undefined) problems.push(`${name}.dmarc.onlyIn="${onlyIn ?? ""}" ${whyNot}`);
  if (zoneId !== undefined && !/^[A-Z0-9]{1,32}$/.test(zoneId)) {
    problems.push(
      `${name}.zoneId="${zoneId}" is not the id of a hosted zone, such as Z0123456789ABCDEFGHIJ: aws route53 list-hosted-zones shows it behind /hostedzone/`,
    );
  }
  return {
    domain,
    zoneId,
    mailFrom: mailFrom === "none" ? undefined : readMailFrom(domain, mailFrom, `${name}.mailFrom.subdomain`, input),
    dmarc:
      dmarc === "elsewhere"
        ? undefined
        : {
            policy: dmarc.policy,
            reportsTo:
              dmarc.reportsTo === undefined ? undefined : input.address(`${name}.dmarc.reportsTo`, dmarc.reportsTo),
            isMadeHere: onlyIn === undefined || onlyIn === region,
          },
  };
}

function readMailFrom(
  domain: string,
  { subdomain = "mail-{region}", onMxFailure = "USE_DEFAULT_VALUE" }: MailFromSettings,
  name: string,
  { region, senderDomains, problems }: SendingDomainsInput,
): MailFrom {
  const mailFrom = inRegion(`${subdomain}.${domain}`, region);
  if (!isHostName(mailFrom)) {
    problems.push(
      `${name}="${subdomain}" makes ${mailFrom}, which is not a host name: use lower-case letters, digits and hyphens, for example mail`,
    );
  } else if (senderDomains.has(mailFrom)) {
    // https://docs.aws.amazon.com/ses/latest/dg/mail-from.html#mail-from-requirements
    problems.push(
      `${name}="${subdomain}" makes ${mailFrom}, which ${senderDomains.get(mailFrom)} also sends from, and SES wants a domain of its own for bounces: use another sub-domain, for example bounces`,
    );
  }
  return { domain: mailFrom, onMxFailure };
}

function readTracking(
  { domain: text, httpsPolicy, target = "" }: TrackingSettings,
  domains: readonly SendingDomain[],
  hosts: SesHosts,
  { region, problems, nameOf, senderDomains }: SendingDomainsInput,
): Tracking | undefined {
  const domain = inRegion(text, region);
  const name = `${nameOf("tracking.domain")}="${text}"`;
  const before = problems.length;
  const parent = domains.find((each) => domain.endsWith(`.${each.domain}`));
  if (!isHostName(domain)) {
    problems.push(`${name} is not a host name: use a sub-domain such as click.${domains[0]?.domain ?? "example.com"}`);
  } else if (parent === undefined) {
    // SES demands a verified domain; the name of the domain itself can't have a CNAME beside its other records.
    problems.push(
      `${name} is no sub-domain of a domain that the stage sends from, and SES takes no other: use click.${domains[0]?.domain ?? "example.com"}`,
    );
  } else if (senderDomains.has(domain)) {
    // RFC 1034, 3.6.2: nothing can stand beside a CNAME, so the domain would have no MX and no SPF record.
    problems.push(
      `${name} is a domain that ${senderDomains.get(domain)} sends mail from, which can't have a CNAME: use another sub-domain, such as click`,
    );
  } else if (domains.some(({ mailFrom }) => mailFrom?.domain === domain)) {
    problems.push(`${name} is the MAIL FROM domain, which can't have a CNAME: use another sub-domain, such as click`);
  }
  if (target !== "" && !isHostName(target)) {
    problems.push(
      `${nameOf("tracking.target")}="${target}" is not a host name: for example d111111abcdef8.cloudfront.net`,
    );
  }
  if (httpsPolicy !== "OPTIONAL" && target === "") {
    problems.push(
      `${nameOf("tracking.httpsPolicy")}="${httpsPolicy}" needs tracking.target, the host of a content delivery network with a certificate for ${domain}, because SES has none: name it, or use OPTIONAL`,
    );
  }
  if (httpsPolicy !== "OPTIONAL" && target === hosts.tracking) {
    problems.push(
      `${nameOf("tracking.target")}="${target}" is SES itself, which has no certificate for ${domain}: name the host of a content delivery network, or use OPTIONAL`,
    );
  }
  if (problems.length > before) return undefined;
  return { domain, httpsPolicy, target: target || hosts.tracking, zoneId: parent?.zoneId };
}

const inRegion = (text: string, region: string): string => text.replaceAll("{region}", region);

/** Whether DNS and SES take the name (RFC 1123, 2.1), and it has at least two labels. */
function isHostName(name: string): boolean {
  const labels = name.split(".");
  return (
    name.length <= 253 &&
    labels.length >= 2 &&
    labels.every((label) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(label))
  );
}
