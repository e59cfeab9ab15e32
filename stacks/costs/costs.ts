import { all, type Attributes, block, objects, strings, type SynthesizedStack } from "../policy/synthesized";
import { assumptions } from "./assumptions";
import { type PriceName, prices } from "./prices";

/**
 * What a stack costs a month: at rest, and for its mails. Everything is counted from the resources themselves, as the
 * synthesized JSON or a plan has them, so that an alarm more is ten cents more.
 */

/** A resource as the synthesized JSON (`resourcesOf`) or the values of a plan have it. */
export interface PricedResource {
  /** Terraform's address, for example `aws_kms_key.alarms`. */
  readonly address: string;
  readonly type: string;
  /** Its attributes. A block is an object, or a list of one. */
  readonly values: Attributes;
}

export interface CostLine {
  /** The addresses of the resources that cost it, sorted. */
  readonly resources: readonly string[];
  /** For example `Alarms`. */
  readonly what: string;
  /** In what is counted: metrics, requests, GB. */
  readonly quantity: number;
  readonly price: PriceName;
  /** `quantity` at the price, in USD a month, unrounded. */
  readonly usd: number;
}

export interface Cost {
  readonly lines: readonly CostLine[];
  /** The sum of the lines in USD a month, unrounded. */
  readonly usd: number;
}

/** The plan of the SES account, which sets the price of a mail. */
export type SesPlan = "essentials" | "a-la-carte";

/** Reads the resources of a synthesized stack, `cdk.tf.json`. */
export function resourcesOf(stack: SynthesizedStack): PricedResource[] {
  return Object.keys(stack.resource ?? {}).flatMap((type) =>
    all(stack.resource, type).map(([id, values]) => ({ address: `${type}.${id}`, type, values })),
  );
}

/**
 * Computes what the resources cost a month while no mail is sent. Custom metrics count in full, though CloudWatch
 * charges one only for the hours in which it got data: so this is what they cost at the most.
 */
export function costAtRest(resources: readonly PricedResource[]): Cost {
  const of = (type: string) => resources.filter((resource) => resource.type === type);
  const alarms = of("aws_cloudwatch_metric_alarm");
  const highResolution = alarms.filter(({ values }) => isHighResolution(values));
  const standard = alarms.filter((alarm) => !highResolution.includes(alarm));
  const filters = of("aws_cloudwatch_log_metric_filter");
  const mappings = of("aws_lambda_event_source_mapping").filter(({ values }) => values.enabled !== false);
  const subscriptions = of("aws_sns_topic_subscription").filter(({ values }) => values.protocol === "email");
  const polls = assumptions.pollsAMinute.value * 60 * assumptions.hoursAMonth.value;
  const runs = of("aws_s3_bucket").length * assumptions.stateRuns.value;
  const encryptions = of("aws_s3_bucket_server_side_encryption_configuration");
  return costOf([
    line("Alarms", standard, countMetrics(standard), "alarm"),
    line("Alarms of high resolution", highResolution, countMetrics(highResolution), "alarmHighResolution"),
    line("Composite alarms", of("aws_cloudwatch_composite_alarm"), undefined, "alarmComposite"),
    line("Metrics that logs are counted into", filters, metricsOf(filters).size, "customMetric"),
    line("Dashboards", of("aws_cloudwatch_dashboard"), undefined, "dashboard"),
    line("KMS keys", of("aws_kms_key"), undefined, "key"),
    line("Polls of idle queues", mappings, mappings.length * polls, "queueRequest"),
    line("Mails of alarms", subscriptions, subscriptions.length * assumptions.alarmMails.value, "topicEmail"),
    line(
      "Terraform state",
      of("aws_s3_bucket"),
      of("aws_s3_bucket").length * assumptions.stateGb.value,
      "bucketStorage",
    ),
    line("Terraform writes and lists states", of("aws_s3_bucket"), runs * assumptions.stateWrites.value, "bucketWrite"),
    line("Terraform reads states", of("aws_s3_bucket"), runs * assumptions.stateReads.value, "bucketRead"),
    // AWS manages the key, which costs nothing itself (https://aws.amazon.com/kms/pricing/).
    line("Encryption of states", encryptions, runs * assumptions.stateKeyRequests.value, "keyRequest"),
    line("Hosted zones", of("aws_route53_zone"), undefined, "hostedZone"),
  ]);
}

/**
 * Computes what `mails` mails a month cost, in addition to the costs at rest. Each mail has an event of its own, arrives
 * at its first try, and is sent by the first function of the stack.
 */
export function costOfMails(resources: readonly PricedResource[], mails: number, plan: SesPlan = "essentials"): Cost {
  const of = (type: string) => resources.filter((resource) => resource.type === type);
  const [fn] = of("aws_lambda_function");
  const functions = fn === undefined ? [] : [fn];
  const gbSeconds = (mails * number(fn?.values.memory_size, 128) * assumptions.runMs.value) / 1024 / 1000;
  const isArm = strings(fn?.values.architectures).includes("arm64");

  const archives = of("aws_cloudwatch_event_archive");
  const archived = gigabytes(mails * assumptions.eventBytes.value);

  const tables = of("aws_dynamodb_table");
  const claims = gigabytes(mails * monthsOf(retentionOfClaims(fn)) * assumptions.claimBytes.value);
  const recovered = tables.filter(({ values }) => first(values.point_in_time_recovery).enabled === true);

  const ownLogs = of("aws_cloudwatch_log_group").filter(({ values }) => String(values.name).startsWith("/aws/lambda/"));
  const functionLog = gigabytes(mails * assumptions.functionLogBytes.value);
  const destinations = of("aws_sesv2_configuration_set_event_destination");
  const tells = destinations.length > 0 ? assumptions.feedbackEvents.value : 0;
  const feedbackLogs = destinations.length > 0 ? of("aws_cloudwatch_log_group").filter(isFeedback) : [];
  const feedbackLog = feedbackLogs.length > 0 ? gigabytes(mails * tells * assumptions.feedbackBytes.value) : 0;
  const masks = of("aws_cloudwatch_log_data_protection_policy").filter(isFeedback);
  const templates = of("aws_ses_template");

  return costOf([
    line("Mails", of("aws_sesv2_configuration_set"), mails, plan === "essentials" ? "mailEssentials" : "mailAlaCarte"),
    line("Events on the bus", of("aws_cloudwatch_event_bus").slice(0, 1), mails, "event"),
    line("Events of SES", destinations, mails * tells, "event"),
    line("Events put into the archive", archives, archived * archives.length, "archiveProcessing"),
    line(
      "Events kept in the archive",
      archives,
      sum(archives, ({ values }) => archived * monthsOf(number(values.retention_days, 30))),
      "archiveStorage",
    ),
    line("Runs of the function", functions, mails * functions.length, "lambdaRequest"),
    line(
      "Duration of the runs",
      functions,
      gbSeconds * functions.length,
      isArm ? "lambdaDurationArm" : "lambdaDurationX86",
    ),
    line("Writes of claims", tables, mails * assumptions.claimWrites.value * tables.length, "tableWrite"),
    line("Claims kept", tables, claims * tables.length, "tableStorage"),
    line("Claims kept for recovery", recovered, claims * recovered.length, "tableRecovery"),
    line("Log of the function", ownLogs.slice(0, 1), functionLog, "logIngestion"),
    line("Log of SES's events", feedbackLogs, feedbackLog, "logIngestion"),
    line("Masking of SES's events", masks, masks.length > 0 ? feedbackLog : 0, "logMasking"),
    line(
      "Logs kept",
      [...ownLogs.slice(0, 1), ...feedbackLogs],
      functionLog * keptMonths(ownLogs[0]) + feedbackLog * keptMonths(feedbackLogs[0]),
      "logStorage",
    ),
    // A metric is charged for the hours in which it was written, so that some mails an hour cost as much as many.
    line("Metrics of mails by notification", templates, mails > 0 ? templates.length : 0, "customMetric"),
  ]);
}

/** The kinds that cost nothing at rest. What they cost with mails is in `costOfMails`. */
const freeAtRest: ReadonlySet<string> = new Set([
  "aws_cloudwatch_event_archive",
  "aws_cloudwatch_event_bus",
  "aws_cloudwatch_event_bus_policy",
  "aws_cloudwatch_event_rule",
  "aws_cloudwatch_event_target",
  "aws_cloudwatch_log_data_protection_policy",
  "aws_cloudwatch_log_group",
  "aws_cloudwatch_log_resource_policy",
  "aws_dynamodb_table",
  "aws_iam_openid_connect_provider",
  "aws_iam_policy",
  "aws_iam_role",
  "aws_iam_role_policy",
  "aws_iam_role_policy_attachment",
  "aws_kms_alias",
  "aws_kms_key_policy",
  "aws_lambda_event_source_mapping",
  "aws_lambda_function",
  "aws_lambda_function_event_invoke_config",
  "aws_lambda_permission",
  "aws_route53_record",
  "aws_s3_bucket_lifecycle_configuration",
  "aws_s3_bucket_policy",
  "aws_s3_bucket_public_access_block",
  "aws_s3_bucket_server_side_encryption_configuration",
  "aws_s3_bucket_versioning",
  "aws_ses_template",
  "aws_sesv2_configuration_set",
  "aws_sesv2_configuration_set_event_destination",
  "aws_sesv2_email_identity",
  "aws_sesv2_email_identity_mail_from_attributes",
  "aws_sns_topic",
  "aws_sns_topic_policy",
  "aws_sns_topic_subscription",
  "aws_sqs_queue",
  "aws_sqs_queue_policy",
]);

/** The kinds of which this module knows no price, sorted: the sums leave them out, so whoever shows a sum names them. */
export function unpricedTypes(resources: readonly PricedResource[]): string[] {
  const priced = new Set(costAtRest(resources).lines.flatMap((each) => each.resources));
  const unknown = resources.filter(({ address, type }) => !freeAtRest.has(type) && !priced.has(address));
  return [...new Set(unknown.map(({ type }) => type))].sort();
}

/** An amount as a person reads it: cents, and more digits only where there would be nothing else. */
export function formatUsd(usd: number): string {
  const digits = usd !== 0 && Math.abs(usd) < 0.005 ? 4 : 2;
  const amount = Math.abs(usd).toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `${usd < 0 ? "-" : ""}$${amount}`;
}

function costOf(lines: readonly (CostLine | undefined)[]): Cost {
  const counted = lines.filter((each) => each !== undefined);
  return { lines: counted, usd: sum(counted, ({ usd }) => usd) };
}

/** @param quantity @default the number of resources */
function line(
  what: string,
  resources: readonly PricedResource[],
  quantity: number | undefined,
  price: PriceName,
): CostLine | undefined {
  if (resources.length === 0) return undefined;
  const counted = quantity ?? resources.length;
  const { usd, per } = prices[price];
  const addresses = resources.map(({ address }) => address).sort();
  return { resources: addresses, what, quantity: counted, price, usd: (counted / per) * usd };
}

/** An alarm of several metrics is charged for each of them (CloudWatch pricing, "Alarms"); its expression is free. */
const countMetrics = (alarms: readonly PricedResource[]): number =>
  sum(alarms, ({ values }) =>
    Math.max(1, objects(values.metric_query).filter((query) => "metric_name" in first(query.metric)).length),
  );

/** CloudWatch calls an alarm with a period below 60 seconds one of high resolution. */
function isHighResolution(values: Attributes): boolean {
  const periods = [values.period, ...objects(values.metric_query).map((query) => first(query.metric).period)];
  return periods.some((period) => typeof period === "number" && period > 0 && period < 60);
}

/** Two filters that count into the same metric cost one. */
const metricsOf = (filters: readonly PricedResource[]): ReadonlySet<string> =>
  new Set(
    filters.map(({ values }) => {
      const { namespace, name, dimensions } = first(values.metric_transformation);
      return JSON.stringify([namespace, name, dimensions ?? null]);
    }),
  );

/** Whether the resource belongs to the log of SES's events, and not to that of events that no rule takes. */
const isFeedback = ({ address, values }: PricedResource): boolean =>
  String(values.name).endsWith("-feedback") || address.includes("delivery-feedback");

/** How long the function keeps claims, in days. */
function retentionOfClaims(fn: PricedResource | undefined): number {
  const { CLAIM_RETENTION_SECONDS: seconds } = block(first(fn?.values.environment).variables);
  return number(Number(seconds), 0) / 86_400;
}

const keptMonths = (group: PricedResource | undefined): number => monthsOf(number(group?.values.retention_in_days, 30));

const monthsOf = (days: number): number => (days * 24) / assumptions.hoursAMonth.value;

/** AWS's GB of storage and logs are 2^30 bytes. */
const gigabytes = (bytes: number): number => bytes / 2 ** 30;

/** The only block of its name: an object in the synthesized JSON, a list of one in a plan. */
const first = (value: unknown): Attributes => block(Array.isArray(value) ? value[0] : value);

const number = (value: unknown, otherwise: number): number =>
  typeof value === "number" && Number.isFinite(value) ? value : otherwise;

const sum = <Item>(items: readonly Item[], of: (item: Item) => number): number =>
  items.reduce((total, item) => total + of(item), 0);
