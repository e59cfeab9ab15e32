import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { catalogue } from "../handler/notifications";
import { mailboxOf } from "../handler/contract/email-address";
import { mailsOf, type PreparedMail } from "../handler/mails";
import { type Notification } from "../handler/notifications/define";
import { sampleEvent } from "../handler/notifications/sample";
import { mailData } from "../handler/notifications/mail-data";
import { loadTemplate } from "../stacks/templates/load";
import { renderTemplate, type Template } from "../stacks/templates/render";
import { type EventDetails, type Fired, type MailDetails, type Pending } from "aws-emulator";
import { type AwsClientConfig } from "aws-emulator/client-config";

export type SampleResult = SampleDelivered | SampleFailed;

/** Every mail of the sample is in the inbox, with the text that the notification's template makes of the sample. */
export interface SampleDelivered {
  readonly kind: "delivered";
  /** The notification's id. */
  readonly notification: string;
  readonly subject: string;
  /** The recipients' addresses, separated by commas. */
  readonly to: string;
}

interface SampleFailed {
  readonly kind: "failed";
  /** The notification's id. */
  readonly notification: string;
  /** One sentence that says why. */
  readonly reason: string;
}

interface Stage {
  readonly endpoint: string;
  readonly client: AwsClientConfig;
  readonly busName: string;
  /** Project and stage, with which every physical name begins. */
  readonly namePrefix: string;
  /** The recipients of the stage's scheduled notifications. */
  readonly recipients: readonly [string, ...string[]];
}

interface Options {
  /** @default the catalogue */
  readonly notifications?: readonly Notification[];
  /**
   * How long a sample may take from the bus to the inbox, in milliseconds. The first run also loads the function.
   * @default 30000
   */
  readonly patienceMs?: number;
}

/**
 * Sends one sample of each notification the way a producer would, and waits for its mails. If a sample fails, the
 * others are still sent.
 */
export async function sendSamples(
  stage: Stage,
  { notifications = catalogue, patienceMs = 30_000 }: Options = {},
): Promise<SampleResult[]> {
  return Promise.all(
    notifications.map(async (notification): Promise<SampleResult> => {
      try {
        return await follow(notification, await trigger(notification, stage), stage, patienceMs);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return { kind: "failed", notification: notification.id, reason: oneSentence(reason) };
      }
    }),
  );
}

async function trigger({ trigger, ruleName, sample }: Notification, stage: Stage): Promise<string> {
  if (trigger.kind === "schedule") {
    const response = await fetch(`${stage.endpoint}/_sandbox/fire/${stage.namePrefix}-${ruleName}`, { method: "POST" });
    const answer = await response.text();
    if (!response.ok) throw new Error(`Its schedule ${ruleName} could not be fired (${response.status}): ${answer}`);
    return (JSON.parse(answer) as Fired).eventId;
  }
  const client = new EventBridgeClient(stage.client);
  try {
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
    if (entry?.EventId !== undefined) return entry.EventId;
    throw new Error(`The bus refused it: ${entry?.ErrorCode ?? ""} ${entry?.ErrorMessage ?? ""}`);
  } finally {
    client.destroy();
  }
}

/** The part of an event's report from the gateway that is read here. */
type Activity = Pick<EventDetails, "time" | "fate" | "deliveries" | "records" | "mails">;

async function follow(
  notification: Notification,
  eventId: string,
  { endpoint, recipients }: Stage,
  patienceMs: number,
): Promise<SampleResult> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    // This comes first: if nothing is pending, the mails that are read below are all that will come.
    const { tasks } = await get<Pending>(`${endpoint}/_sandbox/pending`);
    const activity: Activity = await get<EventDetails>(`${endpoint}/_sandbox/activity/${eventId}`);
    const expected = prepare(notification, eventId, activity.time, recipients);
    const unrendered = activity.mails.find(({ renderError }) => renderError !== undefined);
    if (unrendered !== undefined) throw new Error(`SES could not render its mail: ${unrendered.renderError ?? ""}`);
    const isWhole = activity.mails.length >= expected.length;
    const reason = failureOf(activity, { isWhole, isQuiet: tasks === 0 });
    if (reason !== undefined) throw new Error(reason);
    if (isWhole) {
      const mails = await Promise.all(
        activity.mails.map(({ id }) => get<MailDetails>(`${endpoint}/_sandbox/messages/${id}`)),
      );
      const rendered = expected.map((mail) => ({ recipient: mail.recipient, ...rendering(notification, mail) }));
      for (const mail of mails) {
        const wanted = rendered.find(({ recipient }) => mail.to.some((to) => mailboxOf(to) === mailboxOf(recipient)));
        if (wanted === undefined)
          throw new Error(`A mail came to ${mail.to.join(", ")}, whom its event does not name.`);
        requireSame(mail, wanted);
      }
      return {
        kind: "delivered",
        notification: notification.id,
        subject: rendered[0]?.subject ?? "",
        to: mails.flatMap(({ to }) => to).join(", "),
      };
    }
    if (Date.now() > deadline) throw new Error(tellUnfinished(activity, patienceMs));
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Reads an answer of the sandbox's own API. Its types are those of the emulator. */
async function get<Answer>(url: string): Promise<Answer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Answer;
}

/** Makes the mails of the event with the function's own code. */
function prepare(
  notification: Notification,
  id: string,
  time: string,
  recipients: Stage["recipients"],
): readonly PreparedMail[] {
  const { trigger, sample } = notification;
  const detail = trigger.kind === "schedule" ? trigger.detail(recipients) : sample;
  return mailsOf(notification, notification.prepare(sampleEvent(notification, { id, time, detail })));
}

function rendering(notification: Notification, { edition, content }: PreparedMail): Template {
  const template = loadTemplate(notification, edition);
  return renderTemplate(template, { ...mailData(notification, content, template.reads) });
}

/** The reason why no more mail will come; `undefined` where all mails have come, or where some may still come. */
function failureOf(
  { fate, deliveries, records }: Activity,
  { isWhole, isQuiet }: { readonly isWhole: boolean; readonly isQuiet: boolean },
): string | undefined {
  if (fate === "parked" || fate === "failed") {
    return (
      records.at(-1)?.reason ??
      deliveries.map(({ deadLetter }) => deadLetter?.reason).find((reason) => reason !== undefined) ??
      lastError(deliveries) ??
      `Its event is ${fate}, and no reason was recorded.`
    );
  }
  if (isWhole || !isQuiet) return undefined;
  if (fate === "unmatched") {
    return "No rule matched its event: the deployed rule has another source, detail-type or pattern.";
  }
  if (fate === "delivered" || fate === "late") {
    return `Its event was delivered by ${deliveries.map(({ rule }) => rule).join(", ")}, and no mail came of it.`;
  }
  return undefined;
}

function lastError(deliveries: Activity["deliveries"]): string | undefined {
  const { errorType, errorMessage } = deliveries.flatMap(({ attempts }) => attempts.slice(-1))[0] ?? {};
  if (errorType === undefined && errorMessage === undefined) return undefined;
  return [errorType, errorMessage].filter((part) => part !== undefined).join(": ");
}

function tellUnfinished({ fate, deliveries }: Activity, patienceMs: number): string {
  const error = lastError(deliveries);
  return `It was not finished within ${patienceMs / 1000} s: its event is ${fate}${error === undefined ? "" : `, and the last try ended with ${error}`}.`;
}

/** @throws Error that names the part and the first line that differs. */
function requireSame(mail: Template, rendered: Template): void {
  for (const part of ["subject", "html", "text"] as const) {
    const lines = linesOf(mail[part]);
    const wanted = linesOf(rendered[part]);
    const at = wanted.findIndex((line, index) => line !== lines[index]);
    if (at < 0 && lines.length === wanted.length) continue;
    const line = at < 0 ? wanted.length : at;
    throw new Error(
      `The ${part} of its mail is not what its template makes of the sample: line ${line + 1} is ${JSON.stringify(lines[line] ?? "")}, and has to be ${JSON.stringify(wanted[line] ?? "")}.`,
    );
  }
}

/** The lines of a text. A mail has other line ends than a template, and may lack the last one. */
const linesOf = (text: string) => text.trimEnd().split(/\r\n?|\n/);

/** The text on one line, cut after `most` characters. */
function oneSentence(text: string, most = 600): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= most ? line : `${line.slice(0, most).toWellFormed()}..`;
}
