import { queueRetentionSeconds, maximumRedrives } from "../../stacks/delivery-windows";
import { createTable } from "../table";
import { formatDuration, plural, printable } from "../text";
import { type DeadLettersAnswer, type DeadLettersOptions, type WaitingRetries } from "./command";
import { ageFrom } from "./filters";
import { type ParkedMessage } from "./parked-message";
import { type Outcome, type Result } from "./redrive";

export interface ReportOptions extends Pick<DeadLettersOptions, "dryRun" | "resendUnknown"> {
  /** Addresses, and with `--json` the events' bodies. */
  readonly showRecipients: boolean;
  readonly now: number;
  /** Physical names' prefix, for commands to copy. */
  readonly prefix: string;
  readonly region: string;
  readonly isSandbox: boolean;
}

const day = 86_400_000;

const command = ({ isSandbox }: ReportOptions): string => `npm run dead-letters --${isSandbox ? " --sandbox" : ""}`;

/** For a person. */
export function describeAnswer(answer: DeadLettersAnswer, options: ReportOptions): string {
  const parts = [
    ...(answer.results === undefined
      ? describeList(answer, options)
      : describeResults(answer, answer.results, options)),
    ...describeBounds(answer),
    ...(answer.retryQueues === undefined ? [] : [describeRetries(answer.retryQueues)]),
  ];
  return `${parts.join("\n")}\n`;
}

function describeList({ queue, messages, seen }: DeadLettersAnswer, options: ReportOptions): string[] {
  if (messages.length === 0) {
    return [
      seen === 0
        ? `Nothing is parked in ${queue}.`
        : `None of the ${plural(seen, "message")} in ${queue} fits the filter.`,
    ];
  }
  const table = createTable(["Reason", "Notification", "Age", "Attempts", "Redrives", "Event id"]);
  for (const message of messages) {
    table.add(
      [
        text(message.reason.type, options),
        message.notification?.id ?? "-",
        formatDuration(options.now - ageFrom(message)),
        message.attempts === undefined ? "?" : String(message.attempts),
        `${message.redrives} of ${maximumRedrives}`,
        text(message.eventId ?? `message ${message.messageId}`, options),
      ],
      noteOf(message, options),
    );
  }
  const reasons = new Set(messages.map(({ reason }) => reason.type));
  return [
    `${plural(messages.length, "message")} parked in ${queue}`,
    table.toString(),
    ...[...reasons].flatMap((type) => adviceFor(type, options)),
    `Send them again: ${command(options)} --redrive [--filter ..] --dry-run, and then without --dry-run.`,
  ];
}

function noteOf(message: ParkedMessage, options: ReportOptions): string {
  const left = message.queuedAt + queueRetentionSeconds * 1000 - options.now;
  return [
    text(message.reason.message, options),
    ...(options.showRecipients
      ? [`To: ${text(message.recipients.join(", ") || "nobody that could be read", options)}`]
      : []),
    ...(message.queuedAt > 0 && left < 2 * day ? [`SQS deletes it in ${formatDuration(left)}.`] : []),
  ].join("\n");
}

function adviceFor(type: string, options: ReportOptions): string[] {
  const { prefix, region } = options;
  if (type !== "OutcomeUnknown") return [];
  return [
    "OutcomeUnknown: the mail may be out or not. SES's own events tell; look for the event's id:",
    `  aws logs filter-log-events --region ${region} --log-group-name /aws/events/${prefix}-feedback \\`,
    // Quoted: a term with hyphens is several without.
    `    --filter-pattern '"<event id>"'`,
    `Found "Email Delivered": it is out: ${command(options)} --discard --filter event=<event id>`,
    `Found nothing, hours after: ${command(options)} --resend-unknown --filter event=<event id>`,
  ];
}

const words: Readonly<Record<Outcome, string>> = {
  redriven: "redriven",
  "would-redrive": "would be redriven",
  refused: "refused",
  failed: "failed",
  "not-removed": "sent, not removed",
  discarded: "discarded",
  "would-discard": "would be discarded",
};

function describeResults(
  { messages }: DeadLettersAnswer,
  results: readonly Result[],
  options: ReportOptions,
): string[] {
  if (messages.length === 0) return ["There is nothing to do: no parked message fits."];
  if (results.length === 0) return [];
  const table = createTable(["Outcome", "Reason", "Notification", "Redrives", "Event id"]);
  for (const { parked, outcome, redrives, lane, note } of results) {
    table.add(
      [
        words[outcome] + (lane === undefined ? "" : ` (${lane} lane)`),
        text(parked.reason.type, options),
        parked.notification?.id ?? "-",
        `${redrives ?? parked.redrives} of ${maximumRedrives}`,
        text(parked.eventId ?? `message ${parked.messageId}`, options),
      ],
      note === undefined ? undefined : text(note, options),
    );
  }
  return [
    ...(options.resendUnknown
      ? [
          "--resend-unknown releases the claim of a mail whose outcome is unknown, so that it is sent: if the first one is out after all, its recipient gets it twice.",
        ]
      : []),
    table.toString(),
    `${summaryText(results)}${options.dryRun ? " Nothing was changed (--dry-run)." : ""}`,
    ...(results.some(({ outcome }) => outcome === "redriven")
      ? ["A redriven event is mailed within a minute; one that fails again for good is parked again, with its count."]
      : []),
  ];
}

function summaryText(results: readonly Result[]): string {
  const counts = Object.entries(summaryOf(results)).map(([outcome, count]) => `${count} ${words[outcome as Outcome]}`);
  return `${counts.join(", ")}.`;
}

function summaryOf(results: readonly Result[]): Partial<Record<Outcome, number>> {
  const counts: Partial<Record<Outcome, number>> = {};
  for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

function describeBounds(answer: DeadLettersAnswer): string[] {
  const { isComplete, seen, heldByOthers, stillHidden } = answer;
  const notBegun = notBegunOf(answer);
  return [
    ...(notBegun > 0 ? [`Interrupted: ${plural(notBegun, "message")} not begun; what was not done stays parked.`] : []),
    ...(isComplete ? [] : [`There are more: ${plural(seen, "message")} looked at. Raise --limit, or run it again.`]),
    ...(heldByOthers > 0
      ? [
          `${plural(heldByOthers, "message")} more: somebody else is looking at them at this moment. Run it again in some minutes.`,
        ]
      : []),
    ...(stillHidden > 0
      ? [`${plural(stillHidden, "message")} could not be given back; SQS does it by itself when the hold is over.`]
      : []),
  ];
}

/** Messages that were chosen, and that an interruption came before. */
function notBegunOf({ messages, results }: DeadLettersAnswer): number {
  return results === undefined ? 0 : messages.length - results.length;
}

function describeRetries(queues: readonly WaitingRetries[]): string {
  const table = createTable(["Retry queue", "Due now", "Between tries", "Tried every", "Parked after"]);
  for (const queue of queues) {
    table.add([
      queue.queue,
      String(queue.visible),
      String(queue.inFlight),
      formatDuration(queue.secondsBetweenTries * 1000),
      `${queue.triesBeforeParked} tries`,
    ]);
  }
  return [
    "Waiting for a retry, by themselves:",
    table.toString(),
    "They are counted, not read: a look into a retry queue would cost each message one of its tries, and between two tries nobody can see it.",
  ].join("\n");
}

const text = (content: string, { showRecipients }: ReportOptions): string =>
  content
    .split("\n")
    .map((line) => printable(line, { showAddresses: showRecipients }))
    .join("\n");

/** For a machine. Bodies only where addresses are wanted: they hold them. */
export function toJson(answer: DeadLettersAnswer, options: ReportOptions): object {
  const messageOf = (message: ParkedMessage): object => ({
    messageId: message.messageId,
    format: message.format,
    reason: { type: text(message.reason.type, options), message: text(message.reason.message, options) },
    notification: message.notification?.id ?? null,
    lane: message.notification?.lane ?? null,
    eventId: message.eventId === undefined ? null : text(message.eventId, options),
    attempts: message.attempts ?? null,
    redrives: message.redrives,
    eventTime: message.eventTime === undefined ? null : new Date(message.eventTime).toISOString(),
    queuedAt: new Date(message.queuedAt).toISOString(),
    deletedAt: new Date(message.queuedAt + queueRetentionSeconds * 1000).toISOString(),
    ageSeconds: Math.max(0, Math.round((options.now - ageFrom(message)) / 1000)),
    ...(options.showRecipients ? { recipients: message.recipients, body: message.body } : {}),
  });
  return {
    queue: answer.queue,
    seen: answer.seen,
    isComplete: answer.isComplete,
    heldByOthers: answer.heldByOthers,
    stillHidden: answer.stillHidden,
    ...(answer.retryQueues === undefined ? {} : { retryQueues: answer.retryQueues }),
    ...(answer.results === undefined
      ? { messages: answer.messages.map(messageOf) }
      : {
          dryRun: options.dryRun,
          notBegun: notBegunOf(answer),
          summary: summaryOf(answer.results),
          results: answer.results.map(({ parked, outcome, lane, redrives, note, claims }) => ({
            ...messageOf(parked),
            outcome,
            ...(lane === undefined ? {} : { lane }),
            redrives: redrives ?? parked.redrives,
            ...(note === undefined ? {} : { note: text(note, options) }),
            ...(claims === undefined ? {} : { claims: claims.map(({ state }) => state) }),
          })),
        }),
  };
}
