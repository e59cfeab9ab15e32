import { setTimeout as wait } from "node:timers/promises";
import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SESClient } from "@aws-sdk/client-ses";
import { SQSClient } from "@aws-sdk/client-sqs";
import { type Context } from "aws-lambda";
import { createDynamoDbClaims } from "./adapters/dynamodb-claims";
import { createSesSender, sesClientSettings } from "./adapters/ses";
import { createDeadLetters } from "./adapters/sqs-dead-letters";
import { fromVariables, templateName } from "./contract/environment";
import { type PackagedTemplates } from "./contract/template-data";
import { createDispatch } from "./dispatch";
import { type Edition } from "./notifications/editions";
import { createSendNotification, type SentTemplate } from "./send-notification";
import { Pacer, sendsAtOnce } from "./pacer";
import { limitConcurrency } from "./concurrency";

/** The templates of the notifications, as JSON. The bundler defines it (stacks/constructs/function-bundle.ts). */
declare const TEMPLATES: string;

const templates = JSON.parse(TEMPLATES) as PackagedTemplates;
const environment = fromVariables(process.env);
const logger = new Logger({ serviceName: environment.serviceName });
const metrics = new Metrics({ serviceName: environment.serviceName, namespace: environment.metricsNamespace });
const clock = { now: Date.now, wait: (milliseconds: number) => wait(milliseconds) };

/**
 * Settings for DynamoDB and SQS, whose calls the SDK may repeat; times are in milliseconds. Without
 * `throwOnRequestTimeout`, the SDK only warns of a time-out and goes on waiting.
 */
const storeSettings = {
  requestHandler: { connectionTimeout: 1000, requestTimeout: 1000, throwOnRequestTimeout: true },
};

/**
 * Counts one occurrence under a metric with a single dimension, and writes it to the log at once. It is not
 * `singleMetric()`, which makes a new instance for each line (docs/decisions/0026-a-small-package.md).
 */
const count = (metric: string, dimension: string, value: string) =>
  metrics.addDimension(dimension, value).addMetric(metric, MetricUnit.Count, 1).publishStoredMetrics();

const dispatch = createDispatch({
  sendNotification: createSendNotification({
    sendEmail: createSesSender({
      client: new SESClient(sesClientSettings),
      configurationSet: environment.configurationSet,
      pacer: new Pacer(environment.sendRates, clock, Math.random),
      clock,
      random: Math.random,
    }),
    claims: createDynamoDbClaims({
      client: new DynamoDBClient(storeSettings),
      table: environment.claimTable,
      retentionSeconds: environment.claimRetentionSeconds,
      clock,
    }),
    clock,
    limit: limitConcurrency(sendsAtOnce(environment.sendRates)),
    log: logger,
    metrics: {
      emailSent: (notification) => count("EmailsSent", "notification", notification),
      duplicatePrevented: (notification) => count("DuplicatesPrevented", "notification", notification),
      keyReused: (notification) => count("KeyReused", "notification", notification),
      eventFailed: (type) => count("EventsFailed", "failure", type),
    },
    templateOf,
    senders: environment.senders,
    recipientPolicy: environment.recipientPolicy,
    replyTo: environment.replyTo,
  }),
  park: createDeadLetters(new SQSClient(storeSettings), environment.deadLetterQueueUrl),
  log: logger,
});

function templateOf(id: string, { locale, variant = "" }: Edition): SentTemplate {
  const template = templates[id]?.[locale]?.[variant];
  if (template === undefined)
    throw new Error(`The package was bundled without the template of "${id}" (${locale} ${variant}): deploy it again.`);
  return { name: templateName(environment.templateNamePrefix, id, template.hash), reads: template.reads };
}

export const handler = (input: unknown, context: Context) => {
  logger.addContext(context);
  const endsAt = Date.now() + context.getRemainingTimeInMillis();
  return dispatch(input, { endsAt, functionArn: context.invokedFunctionArn });
};
