import { existsSync, readFileSync } from "node:fs";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { Command } from "commander";
import { catalogue } from "../handler/notifications";
import { envelopeSchema } from "../handler/contract/envelope";
import { readConfig } from "../stacks/config";
import { Names } from "../stacks/names";
import { awsClientConfig } from "./aws-client";

/** `npm run send`: puts one event, after it has been checked against the notification's schema. */

interface Options {
  readonly to: string;
  readonly subject?: string;
  readonly detail?: string;
  readonly sandbox?: boolean;
}

async function send(id: string, options: Options): Promise<void> {
  const notification = catalogue.find((candidate) => candidate.id === id);
  const known = catalogue.filter(({ trigger }) => trigger.kind === "event").map((candidate) => candidate.id);
  if (notification?.trigger.kind !== "event") {
    throw new Error(`No event makes "${id}": use one of ${known.join(", ")}`);
  }
  const { source, detailType } = notification.trigger;
  const given = options.detail === undefined ? (notification.sample as object) : readDetail(options.detail);
  const recipients = options.to.split(",").map((text) => text.trim());
  const detail = {
    ...given,
    emailConfig: {
      ...("emailConfig" in given && typeof given.emailConfig === "object" ? given.emailConfig : {}),
      recipient: recipients.length === 1 ? recipients[0] : recipients,
      ...(options.subject === undefined ? {} : { subject: options.subject }),
    },
  };
  // The function's own parser says no here, before anything is sent.
  notification.prepare(
    envelopeSchema.parse({
      id: "not-sent-yet",
      source,
      "detail-type": detailType,
      time: new Date().toISOString(),
      detail,
    }),
  );

  const config = readConfig(
    options.sandbox ? { STAGE: "sandbox", PROJECT_NAME: process.env.PROJECT_NAME } : process.env,
  );
  const endpoint = `http://127.0.0.1:${process.env.SANDBOX_PORT ?? "4566"}`;
  const client = new EventBridgeClient(
    options.sandbox ? awsClientConfig(endpoint, config.region) : { region: config.region },
  );
  const { Entries } = await client.send(
    new PutEventsCommand({
      Entries: [
        {
          EventBusName: new Names(config).of("event-bus"),
          Source: source,
          DetailType: detailType,
          Detail: JSON.stringify(detail),
        },
      ],
    }),
  );
  const entry = Entries?.[0];
  if (entry?.EventId === undefined) {
    throw new Error(`EventBridge refused the event: ${entry?.ErrorCode ?? ""} ${entry?.ErrorMessage ?? ""}`);
  }
  console.log(entry.EventId);
}

function readDetail(text: string): object {
  const json = existsSync(text) ? readFileSync(text, "utf8") : text;
  let detail: unknown;
  try {
    detail = JSON.parse(json);
  } catch (cause) {
    throw new Error(`--detail is neither a file nor JSON: ${text}`, { cause });
  }
  if (typeof detail === "object" && detail !== null && !Array.isArray(detail)) return detail;
  throw new Error(`--detail has to be a JSON object: ${json}`);
}

new Command("send")
  .argument("<notification>", catalogue.map(({ id }) => id).join(", "))
  .requiredOption("--to <address>", "one address, or several with commas")
  .option("--subject <text>")
  .option("--detail <json or file>", "the event's detail; default: the notification's sample")
  .option("--sandbox", "put it on the sandbox's bus, not on AWS")
  .action(send)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
