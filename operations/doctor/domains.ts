import {
  GetConfigurationSetCommand,
  GetEmailIdentityCommand,
  type GetEmailIdentityCommandOutput,
  type SESv2Client,
} from "@aws-sdk/client-sesv2";
import { dkimRecords, dmarcRecord, mailFromRecords, trackingRecord } from "../../stacks/dns-records";
import { type SendingDomain, type Tracking } from "../../stacks/sending-domains";
import { sesHosts, type SesHosts } from "../../stacks/ses-hosts";
import { type Check, type DoctorStage, fail, ok, unknown, type Verdict, warn, worst } from "./check";
import { checkRecord, type Dns, findParentPolicy, hasAddress } from "./dns";
import { deployHint } from "../stage";
import { absent } from "./email";
import { dmarcRemarks } from "./spf-dmarc";

interface DomainClients {
  readonly sesV2: SESv2Client;
  readonly dns: Dns;
}

/** Checks the domains that the stage sends from: their DNS records, and what SES says of them. */
export function domainChecks(stage: DoctorStage, { sesV2, dns }: DomainClients): Check[] {
  const { config, names } = stage;
  const hosts = sesHosts(config.region);
  if (hosts === undefined) return [];
  const deploy = deployHint(stage);
  const mailsEverybody = config.recipientPolicy.mode === "unrestricted" && !stage.isSandbox;
  const checks = config.sendingDomains.flatMap((domain) => {
    const name = domain.domain;
    let identity: Promise<GetEmailIdentityCommandOutput | undefined> | undefined;
    const withIdentity = (check: (identity: GetEmailIdentityCommandOutput) => Promise<Verdict>) => async () => {
      identity ??= sesV2.send(new GetEmailIdentityCommand({ EmailIdentity: name })).catch(absent);
      const found = await identity;
      return found === undefined ? fail(`SES has no identity ${name}.`, deploy) : check(found);
    };
    return [
      { name: `DKIM of ${name}`, run: withIdentity((found) => checkDkim(dns, domain, found, hosts)) },
      {
        name: `MAIL FROM of ${name}`,
        run: withIdentity((found) =>
          checkMailFrom(dns, domain, found, hosts, config.madeIdentities.includes(domain.domain), deploy),
        ),
      },
      { name: `DMARC of ${name}`, run: () => checkDmarc(dns, domain, mailsEverybody) },
    ];
  });
  const { tracking } = config;
  if (tracking !== undefined) {
    checks.push({
      name: `Tracking under ${tracking.domain}`,
      run: () => checkTracking(sesV2, dns, tracking, names.configurationSet, deploy),
    });
  }
  return checks;
}

async function checkDkim(
  dns: Dns,
  domain: SendingDomain,
  { DkimAttributes: dkim = {} }: GetEmailIdentityCommandOutput,
  hosts: SesHosts,
): Promise<Verdict> {
  const { Tokens: tokens = [], Status: status, SigningEnabled: isOn, SigningHostedZone: zone = hosts.dkim } = dkim;
  const name = domain.domain;
  if (tokens.length === 0)
    return fail(`SES has no DKIM tokens for ${name}.`, "Switch on Easy DKIM in the SES console.");
  const verdicts = await Promise.all(
    dkimRecords(domain, tokens, { ...hosts, dkim: zone }).map((record) => checkRecord(dns, record)),
  );
  if (zone !== hosts.dkim) {
    verdicts.push(
      fail(
        `SES has the keys of ${name} in ${zone}, and this project makes records for ${hosts.dkim}.`,
        "Correct the region's entry in stacks/ses-hosts.ts, and deploy the stack again.",
      ),
    );
  }
  if (isOn === false) {
    verdicts.push(
      fail(
        `SES does not sign mail of ${name}.`,
        `aws sesv2 put-email-identity-dkim-attributes --email-identity ${name} --signing-enabled`,
      ),
    );
  }
  if (status !== "SUCCESS") verdicts.push(ofStatus(`DKIM of ${name}`, status, dkimRestart));
  return worst(verdicts, `${tokens.length} records and SES: SUCCESS.`);
}

const dkimRestart = "Correct the records, and then save DKIM once more in the SES console, so that SES looks again.";

/** What a state of SES other than SUCCESS means (https://docs.aws.amazon.com/ses/latest/dg/mail-from.html#mail-from-states). */
function ofStatus(what: string, status: string | undefined, restart: string): Verdict {
  const finding = `SES says of ${what}: ${status ?? "nothing"}.`;
  switch (status) {
    case "PENDING":
      return warn(finding, "Wait, once the records are there: SES looks for them for 72 hours.");
    case "TEMPORARY_FAILURE":
      return warn(finding, "SES does not find the records at the moment. Correct them within 72 hours.");
    default:
      return fail(finding, restart);
  }
}

async function checkMailFrom(
  dns: Dns,
  domain: SendingDomain,
  { MailFromAttributes: attributes }: GetEmailIdentityCommandOutput,
  hosts: SesHosts,
  isManaged: boolean,
  deploy: string,
): Promise<Verdict> {
  const { MailFromDomain: actual, MailFromDomainStatus: status, BehaviorOnMxFailure: behavior } = attributes ?? {};
  const { domain: name, mailFrom } = domain;
  // Where another stage or a person made the identity, the MAIL FROM domain is as they have set it.
  if (isManaged && (actual ?? undefined) !== mailFrom?.domain) {
    return fail(
      `SES has ${actual ?? "no MAIL FROM domain"} for ${name}, and ${mailFrom?.domain ?? "none"} is configured.`,
      deploy,
    );
  }
  if (actual === undefined) return ok("SES's own, amazonses.com: DKIM alone vouches for the domain.");
  const expected: SendingDomain = {
    ...domain,
    mailFrom: { domain: actual, onMxFailure: behavior ?? "USE_DEFAULT_VALUE" },
  };
  const verdicts = await Promise.all(mailFromRecords(expected, hosts).map((record) => checkRecord(dns, record)));
  if (status !== "SUCCESS") {
    verdicts.push(
      ofStatus(
        `the MAIL FROM domain ${actual}`,
        status,
        `Correct the records, and then let SES look again: aws sesv2 put-email-identity-mail-from-attributes --email-identity ${name} --mail-from-domain ${actual} --behavior-on-mx-failure ${behavior ?? "USE_DEFAULT_VALUE"}`,
      ),
    );
  }
  return worst(verdicts, `${actual}: MX, SPF and SES: SUCCESS.`);
}

async function checkDmarc(dns: Dns, { domain, dmarc }: SendingDomain, mailsEverybody: boolean): Promise<Verdict> {
  const isElsewhere = dmarc === undefined;
  const expected = isElsewhere ? ({ policy: "none", reportsTo: undefined, isMadeHere: false } as const) : dmarc;
  const { isMissing = false, ...verdict } = await checkRecord(dns, dmarcRecord(domain, expected), mailsEverybody);
  if (!isMissing) return verdict;
  const parent = await findParentPolicy(dns, domain);
  const ofParent = parent && `${parent.name}, "${parent.text}"`;
  if (!isElsewhere) {
    return ofParent === undefined
      ? verdict
      : fail(
          `${verdict.finding} Until then the policy of a parent domain counts: ${ofParent}.`,
          'Make the record, or set dmarc: "elsewhere" in stacks/stages.ts.',
        );
  }
  return parent === undefined
    ? warn(`${domain} has no DMARC record, and dmarc is "elsewhere".`, "Ask whoever has the domain's DNS for one.")
    : worst(
        dmarcRemarks(parent.name, parent.text, { isOfParent: true, mailsEverybody }),
        `The policy of a parent domain counts: ${ofParent ?? ""}.`,
      );
}

async function checkTracking(
  client: SESv2Client,
  dns: Dns,
  tracking: Tracking,
  set: string,
  deploy: string,
): Promise<Verdict> {
  const found = await client.send(new GetConfigurationSetCommand({ ConfigurationSetName: set })).catch(absent);
  const { CustomRedirectDomain: domain, HttpsPolicy: policy } = found?.TrackingOptions ?? {};
  if (domain !== tracking.domain || policy !== tracking.httpsPolicy) {
    return fail(
      `${set} tracks under ${domain ?? "SES's own domain"} (${policy ?? "no https policy"}), and ${tracking.domain} (${tracking.httpsPolicy}) is configured.`,
      deploy,
    );
  }
  const { isMissing = false, ...verdict } = await checkRecord(dns, trackingRecord(tracking));
  if (isMissing && (await hasAddress(dns, domain))) {
    return unknown(
      `${domain} has addresses and no CNAME, as an alias or a proxy has: where it leads can't be seen.`,
      `Check that it leads to ${tracking.target}.`,
    );
  }
  return verdict;
}
