import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { SESClient } from "@aws-sdk/client-ses";
import { type Context } from "aws-lambda";
import { createSesSender } from "./adapters/ses";
import { fromVariables } from "./contract/environment";
import { createNotify } from "./notify";

const environment = fromVariables(process.env);
const logger = new Logger({ serviceName: environment.serviceName });
const metrics = new Metrics({ serviceName: environment.serviceName, namespace: environment.metricsNamespace });

const notify = createNotify({
  sendEmail: createSesSender({
    client: new SESClient({}),
    sender: environment.sender,
    configurationSet: environment.configurationSet,
  }),
  log: logger,
  metrics: {
    emailSent: (notification) =>
      metrics.singleMetric().addDimension("notification", notification).addMetric("EmailsSent", MetricUnit.Count, 1),
    eventFailed: (type) =>
      metrics.singleMetric().addDimension("failure", type).addMetric("EventsFailed", MetricUnit.Count, 1),
  },
  templateNamePrefix: environment.templateNamePrefix,
  recipientPolicy: environment.recipientPolicy,
});

export const handler = async (event: unknown, context: Context) => {
  logger.addContext(context);
  return notify(event);
};
