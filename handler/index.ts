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
import { createDispatch } from "./dispatch";
import { createSendNotification } from "./send-notification";
import { createPacer } from "./pacer";

/** Hash of the template's content by notification id. The bundler defines it (stacks/constructs/function-bundle.ts). */
declare const TEMPLATE_HASHES: Readonly<Record<string, string>>;

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

/** Counts one occurrence under a metric with a single dimension, and writes it to the log at once. */
const count = (metric: string, dimension: string, value: string) =>
  metrics.singleMetric().addDimension(dimension, value).addMetric(metric, MetricUnit.Count, 1);

const dispatch = createDispatch({
  sendNotification: createSendNotification({
    sendEmail: createSesSender({
      client: new SESClient(sesClientSettings),
      configurationSet: environment.configurationSet,
      pace: createPacer(environment.sendIntervalMs, clock),
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
    log: logger,
    metrics: {
      emailSent: (notification) => count("EmailsSent", "notification", notification),
      duplicatePrevented: (notification) => count("DuplicatesPrevented", "notification", notification),
      keyReused: (notification) => count("KeyReused", "notification", notification),
      eventFailed: (type) => count("EventsFailed", "failure", type),
    },
    templateNameOf,
    senders: environment.senders,
    recipientPolicy: environment.recipientPolicy,
    replyTo: environment.replyTo,
  }),
  park: createDeadLetters(new SQSClient(storeSettings), environment.deadLetterQueueUrl),
  log: logger,
});

function templateNameOf(id: string): string {
  const hash = TEMPLATE_HASHES[id];
  if (hash === undefined) throw new Error(`The package was bundled without the template of "${id}": deploy it again.`);
  return templateName(environment.templateNamePrefix, id, hash);
}

export const handler = (input: unknown, context: Context) => {
  logger.addContext(context);
  const endsAt = Date.now() + context.getRemainingTimeInMillis();
  return dispatch(input, { endsAt, functionArn: context.invokedFunctionArn });
};
