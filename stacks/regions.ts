/**
 * Regions from which Amazon SES sends mail. Of the services that this project needs, SES has the fewest regions: each
 * of these regions has EventBridge, Lambda, SQS, SNS, DynamoDB, KMS and CloudWatch, too.
 *
 * The source is `email` in the endpoints.json of botocore 1.43.11 (May 2026). AWS's own page is
 * https://docs.aws.amazon.com/general/latest/gr/ses.html. Add a region here when SES becomes available in it.
 */
export const regionsWithSes: ReadonlySet<string> = new Set([
  ...["us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "ca-west-1", "sa-east-1"],
  ...["eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-west-1", "eu-west-2", "eu-west-3"],
  ...["ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2"],
  ...["ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-5"],
  ...["af-south-1", "il-central-1", "me-central-1", "me-south-1"],
  ...["us-gov-east-1", "us-gov-west-1", "eusc-de-east-1"],
]);

/**
 * For each region without SES, a region near by that has it and that the same account can use (from the same source).
 */
const nearest: Readonly<Record<string, string>> = {
  "ap-east-1": "ap-southeast-1",
  "ap-east-2": "ap-northeast-1",
  "ap-southeast-4": "ap-southeast-2",
  "ap-southeast-6": "ap-southeast-2",
  "ap-southeast-7": "ap-southeast-1",
  "eu-south-2": "eu-west-3",
  "mx-central-1": "us-east-2",
};

/** Partitions in which no region has SES (botocore 1.43.11, endpoints.json). */
const partitionsWithoutSes = /^(cn|us-iso[bf]?|eu-isoe)-/;

/** A region's name in any partition: `us-east-1`, `us-gov-west-1`, `eusc-de-east-1`, `us-isob-east-1`. */
export const regionPattern = /^[a-z]{2,4}(-[a-z]+)+-\d+$/;

/** @returns why this project can't run in a region, and the fix; `undefined` where it can. */
export function whyNoMailFrom(region: string): string | undefined {
  if (regionsWithSes.has(region)) return undefined;
  const near = nearest[region];
  if (near !== undefined) return `has no Amazon SES: use a region that has it, the nearest is ${near}`;
  if (partitionsWithoutSes.test(region)) return "has no Amazon SES, nor has any region of its partition";
  return "is not among the regions that have Amazon SES: correct it, or add it to stacks/regions.ts if SES is available there now";
}

/** The partitions by how their regions' names begin (botocore 1.43.11, partitions.json). All others are in `aws`. */
const partitions: Readonly<Record<string, string>> = {
  "cn-": "aws-cn",
  "eu-isoe-": "aws-iso-e",
  "eusc-": "aws-eusc",
  "us-gov-": "aws-us-gov",
  "us-iso-": "aws-iso",
  "us-isob-": "aws-iso-b",
  "us-isof-": "aws-iso-f",
};

/** The partition of a region, with or without SES, which is the first part of the ARNs in it. */
export function partitionOf(region: string): string {
  return Object.entries(partitions).find(([start]) => region.startsWith(start))?.[1] ?? "aws";
}
