import { readFileSync, statSync } from "node:fs";
import { DescribeEventBusCommand, EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { Command } from "commander";
import { catalogue } from "../handler/notifications";
import { envelopeSchema } from "../handler/contract/envelope";
import { refuseOversized } from "../handler/send-notification";
import { openStage } from "./stage";
import { describeFailure } from "./text";

/** `npm run send`: puts one event, after it has been checked against the notification's schema. */

interface Options {
  readonly to: string;
  readonly subject?: string;
  readonly detail?: string;
  readonly sandbox?: boolean;
}

/** What an event makes; a schedule's are fired by the clock, in the sandbox by `POST /_sandbox/fire/<rule name>`. */
const known = catalogue.filter(({ trigger }) => trigger.kind === "event").map(({ id }) => id);

async function send(id: string, options: Options): Promise<void> {
  const notification = catalogue.find((candidate) => candidate.id === id);
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
  const event = envelopeSchema.parse({
    id: "not-sent-yet",
    source,
    "detail-type": detailType,
    time: new Date().toISOString(),
    detail,
  });
  refuseOversized(event);
  const [refused] = notification.prepare(event).refusedRecipients;
  // The function would mail the others; here is somebody who can correct it.
  if (refused !== undefined) throw new Error(`--to: number ${refused.position} ${refused.problem}.`);

  const { names, client, isSandbox } = openStage(options);
  const bus = names.of("event-bus");
  // One attempt: PutEvents that is repeated after a time-out puts a second event, which would be a second mail.
  const events = new EventBridgeClient({ ...client, maxAttempts: 1 });
  // PutEvents takes an event for a bus that does not exist, and drops it (aws-cli issue 9186).
  await events.send(new DescribeEventBusCommand({ Name: bus })).catch((cause: unknown) => {
    const name = cause instanceof Error ? cause.name : "unknown";
    throw new Error(
      isSandbox
        ? `The sandbox has no bus ${bus} (${name}): start it with npm start, and give its SANDBOX_PORT here too.`
        : `There is no bus ${bus} (${name}): check STAGE, PROJECT_NAME, AWS_REGION and your credentials.`,
      { cause },
    );
  });
  const { Entries } = await events.send(
    new PutEventsCommand({
      Entries: [
        {
          EventBusName: bus,
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
  // A long JSON text is no file's name: the system refuses to look for it.
  const isJson = /^\s*[[{]/.test(text);
  const json = !isJson && statSync(text, { throwIfNoEntry: false })?.isFile() ? readFileSync(text, "utf8") : text;
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
  .argument("<notification>", known.join(", "))
  .requiredOption("--to <address>", "one address, or several with commas")
  .option("--subject <text>")
  .option("--detail <json or file>", "the event's detail; default: the notification's sample")
  .option("--sandbox", "put it on the sandbox's bus, not on AWS")
  .action(send)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(describeFailure(error));
    process.exitCode = 1;
  });
