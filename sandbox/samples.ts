import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { z } from "zod";
import { escapeHtml } from "../handler/contract/template-data";
import { catalogue } from "../handler/notifications";
import { type Notification } from "../handler/notifications/define";
import { type AwsClientConfig } from "aws-emulator/client-config";

/** A mail as `GET /_sandbox/messages` gives it; the part that is read here. */
interface Message {
  readonly id: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly html: string;
  readonly text: string;
  readonly template: string;
  readonly eventId?: string;
}

export interface DeliveredSample {
  readonly notification: string;
  readonly subject: string;
  readonly to: string;
}

const contentSchema = z.object({ title: z.string(), message: z.string() });

/** Time that a sample may take from the bus to the inbox, in milliseconds: a first run loads the function. */
const patience = 30_000;

interface Stage {
  readonly endpoint: string;
  readonly client: AwsClientConfig;
  readonly busName: string;
  /** In front of every physical name. */
  readonly namePrefix: string;
}

/**
 * Sends one sample of each notification the way a producer would, and waits for its mail.
 * @throws Error that names the notification whose mail did not arrive, or arrived without its title or message.
 */
export async function sendSamples(stage: Stage): Promise<DeliveredSample[]> {
  const delivered: DeliveredSample[] = [];
  for (const notification of catalogue) {
    const eventId = await trigger(notification, stage);
    const mail = await waitForMail(stage.endpoint, eventId, notification.id);
    const content = contentSchema.parse(notification.sample);
    for (const part of ["html", "text"] as const) {
      for (const field of ["title", "message"] as const) {
        const wanted = part === "html" ? escapeHtml(content[field]) : content[field];
        if (!mail[part].includes(wanted)) {
          throw new Error(`The mail of "${notification.id}" lacks its ${field} in its ${part} part: ${mail[part]}`);
        }
      }
    }
    delivered.push({ notification: notification.id, subject: mail.subject, to: mail.to.join(", ") });
  }
  return delivered;
}

async function trigger({ trigger, ruleName, sample }: Notification, stage: Stage): Promise<string> {
  if (trigger.kind === "schedule") {
    const response = await fetch(`${stage.endpoint}/_sandbox/fire/${stage.namePrefix}-${ruleName}`, { method: "POST" });
    const answer = await response.text();
    if (!response.ok) throw new Error(`The schedule ${ruleName} could not be fired (${response.status}): ${answer}`);
    return z.object({ eventId: z.string() }).parse(JSON.parse(answer)).eventId;
  }
  const client = new EventBridgeClient(stage.client);
  const { Entries } = await client.send(
    new PutEventsCommand({
      Entries: [
        {
          EventBusName: stage.busName,
          Source: trigger.source,
          DetailType: trigger.detailType,
          Detail: JSON.stringify(sample),
        },
      ],
    }),
  );
  const entry = Entries?.[0];
  if (entry?.EventId === undefined) {
    throw new Error(
      `The bus refused the sample of ${ruleName}: ${entry?.ErrorCode ?? ""} ${entry?.ErrorMessage ?? ""}`,
    );
  }
  return entry.EventId;
}

async function waitForMail(endpoint: string, eventId: string, notification: string): Promise<Message> {
  const deadline = Date.now() + patience;
  for (;;) {
    const messages = (await (await fetch(`${endpoint}/_sandbox/messages`)).json()) as Message[];
    const mail = messages.find((message) => message.eventId === eventId);
    if (mail !== undefined) return mail;
    if (Date.now() > deadline) {
      const activity = await (await fetch(`${endpoint}/_sandbox/activity`)).text();
      throw new Error(
        `No mail of "${notification}" within ${patience / 1000} s (event ${eventId}). What happened: ${activity}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
