/** Host names of Amazon SES in a region, which DNS records of a sending domain point to. */
export interface SesHosts {
  /** Zone in which SES publishes the DKIM keys: the target of a DKIM record is `<token>.<dkim>`. */
  readonly dkim: string;
  /** Host that takes bounces and complaints for a MAIL FROM domain. */
  readonly feedback: string;
  /** Host that counts opens and clicks, over HTTP and under AWS's own certificate. */
  readonly tracking: string;
}

const commonDkim = "dkim.amazonses.com";

/**
 * Regions in which SES publishes the DKIM keys under the name that all of them share. The source for this list and for
 * the next one is https://docs.aws.amazon.com/general/latest/gr/ses.html#ses_dkim_domains.
 */
const regionsWithCommonDkim: ReadonlySet<string> = new Set([
  ...["us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"],
  ...["eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"],
  ...["ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2"],
  ...["me-south-1", "us-gov-west-1"],
]);

/** Regions with a name of their own for the DKIM keys: `dkim.<region>.amazonses.com`. */
const regionsWithOwnDkim: ReadonlySet<string> = new Set([
  ...["ca-west-1", "eu-central-2", "eu-south-1", "il-central-1", "me-central-1", "af-south-1"],
  ...["ap-northeast-3", "ap-south-2", "ap-southeast-3", "ap-southeast-5", "us-gov-east-1"],
]);

/**
 * The hosts of SES in a region. The patterns of the other two names come from
 * https://docs.aws.amazon.com/ses/latest/dg/mail-from.html and from
 * https://docs.aws.amazon.com/ses/latest/dg/configure-custom-open-click-domains.html.
 *
 * @returns `undefined` for a region whose names are not known here. A guessed name would make records that verify
 * nothing.
 */
export function sesHosts(region: string): SesHosts | undefined {
  const hasOwn = regionsWithOwnDkim.has(region);
  if (!hasOwn && !regionsWithCommonDkim.has(region)) return undefined;
  return {
    dkim: hasOwn ? `dkim.${region}.amazonses.com` : commonDkim,
    feedback: `feedback-smtp.${region}.amazonses.com`,
    tracking: `r.${region}.awstrack.me`,
  };
}
