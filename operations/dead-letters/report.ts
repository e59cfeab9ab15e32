import { queueRetentionSeconds, maximumRedrives } from "../../stacks/delivery-windows";
import { createTable } from "../table";
import { formatDuration, plural, printable } from "../text";
import { type MailFailure } from "../../handler/contract/failure-record";
import { type DeadLettersAnswer, type DeadLettersOptions, type Listed, type WaitingRetries } from "./command";
import { describeRefusal, type Refusal } from "./decision";
import { ageFrom } from "./filters";
import { describeMails, isOut, isUnknown, type Mails, type ParkedMail } from "./mails";
import { type ParkedMessage } from "./parked-message";
import { type Disposition, type Result } from "./redrive";

export interface ReportOptions extends Pick<DeadLettersOptions, "dryRun"> {
  /** Whether addresses are shown and, with `--json`, the messages' bodies. */
  readonly showRecipients: boolean;
  readonly now: number;
  /** Prefix of the stage's physical names. The commands that a person can copy contain it. */
  readonly prefix: string;
  readonly region: string;
  readonly isSandbox: boolean;
}

const day = 86_400_000;

const command = ({ isSandbox }: ReportOptions): string => `npm run dead-letters --${isSandbox ? " --sandbox" : ""}`;

/** Writes the answer for a person. */
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

function describeList(
  { queue, messages, listed = [], seen, total }: DeadLettersAnswer,
  options: ReportOptions,
): string[] {
  if (messages.length === 0) {
    const [none, nothing] = [
      `None of the ${plural(seen, "message")} in ${queue} fits the filter.`,
      `Nothing is parked in ${queue}.`,
    ];
    return [seen > 0 ? none : total > 0 ? `Nothing in ${queue} could be looked at.` : nothing];
  }
  const table = createTable(["Reason", "Notification", "Age", "Attempts", "Redrives", "Event id"]);
  for (const { parked, mails, refusal } of listed) {
    table.add(
      [
        text(parked.reason.type, options),
        parked.notification?.id ?? "-",
        formatDuration(options.now - ageFrom(parked)),
        parked.attempts === undefined ? "?" : String(parked.attempts),
        `${parked.redrives} of ${maximumRedrives}`,
        text(parked.eventId ?? `message ${parked.messageId}`, options),
      ],
      noteOf(parked, mails, refusal, options),
    );
  }
  const canAny = listed.some(({ refusal }) => refusal === undefined);
  return [
    `${plural(messages.length, "message")} parked in ${queue}`,
    table.toString(),
    ...adviceOnUnknown(listed, options),
    ...(canAny
      ? [`Send them again: ${command(options)} --redrive [--filter ..] --dry-run, and then without --dry-run.`]
      : []),
  ];
}

function noteOf(
  parked: ParkedMessage,
  mails: Mails | undefined,
  refusal: Refusal | undefined,
  options: ReportOptions,
): string {
  const left = parked.queuedAt + queueRetentionSeconds * 1000 - options.now;
  const became = mails === undefined ? "Its claims were not read: interrupted." : describeMails(mails);
  return [
    text(parked.reason.message, options),
    ...failuresIn(parked, mails).map((line) => note(line, options)),
    ...(became === "" ? [] : [note(became, options)]),
    ...(refusal === undefined
      ? []
      : [`Not to be redriven: ${note(describeRefusal(refusal, [parked.reason.message, became]), options)}`]),
    ...(options.showRecipients
      ? [`To: ${text(parked.recipients.join(", ") || "nobody that could be read", options)}`]
      : []),
    ...(parked.queuedAt > 0 && left < 2 * day ? [`SQS deletes it in ${formatDuration(left)}.`] : []),
  ].join("\n");
}

/**
 * Makes a line for each reason in the record, with the mails that failed for it. Mails that are out by now are left
 * out, and so is everything that the event's own reason or the description of its mails says already.
 */
function failuresIn({ failures, reason }: ParkedMessage, mails: Mails | undefined): string[] {
  const [first, ...others] = failures;
  if (others.length === 0 && first?.type === reason.type && first.message === reason.message) return [];
  const out = new Set((mails?.list ?? []).filter(isOut).map(({ recipient }) => recipient));
  const isRefused = ({ position: failed, message }: MailFailure) =>
    (mails?.refused ?? []).some(({ position, problem }) => position === failed && problem === message);
  const told = failures.filter(
    (failure) => !isRefused(failure) && (failure.recipient === undefined || !out.has(failure.recipient)),
  );
  const wordsOf = ({ type, message }: MailFailure) => `${type}. ${message}`;
  return [...new Set(told.map(wordsOf))].map((words) => {
    const who = told
      .filter((failure) => wordsOf(failure) === words)
      .map(({ recipient, position }) => recipient ?? (position === undefined ? "a mail" : `entry ${position}`));
    return `${who.join(", ")}: ${words}`;
  });
}

/** Most mails for which a search command is printed. */
const mostSearches = 3;

function adviceOnUnknown(listed: readonly Listed[], options: ReportOptions): string[] {
  const { prefix, region } = options;
  const unknown = listed.flatMap(({ parked, mails }) =>
    (mails?.list ?? []).filter(isUnknown).map((mail) => ({ mail, eventId: mail.eventId ?? parked.eventId })),
  );
  if (unknown.length === 0) return [];
  return [
    `${plural(unknown.length, "mail")}: unknown, out or not. SES's events may tell; each names its mail by the tags eventId and recipient (the hash):`,
    ...unknown.slice(0, mostSearches).flatMap(({ mail: { recipient }, eventId }) => [
      `  aws logs filter-log-events --region ${region} --log-group-name /aws/events/${prefix}-feedback \\`,
      // The id is quoted, because its hyphens would otherwise split it into several terms. The hash is looked for by
      // the query and not by a second term, because the emulator reads two terms as one.
      `    --filter-pattern '"${inCommand(eventId, "<event id>")}"' --query "events[?contains(message, '${recipient}')].message" --output text`,
    ]),
    ...(unknown.length > mostSearches ? ["  and so on, with the event's id and the hash of each."] : []),
    `Found "Email Sent" or "Email Delivered": that mail is out. Nothing found proves nothing: SES's events are best effort, and SES tries a mail for up to 14 hours.`,
    `Out, or not wanted any more: ${command(options)} --discard --give-up --filter event=<event id> --filter recipient=<hash>`,
    `Not out, as far as you can tell: ${command(options)} --resend-unknown --filter event=<event id> --filter recipient=<hash>`,
  ];
}

/**
 * Returns an event's id for a command that a person copies, or `otherwise` if the id has unusual characters. The
 * producer chose the id, so it could contain a shell command.
 */
function inCommand(eventId: string | undefined, otherwise: string): string {
  return eventId !== undefined && /^[\w-]+$/.test(eventId) ? eventId : otherwise;
}

const words: Readonly<Record<Disposition, string>> = {
  redriven: "redriven",
  "would-redrive": "would be redriven",
  refused: "refused",
  failed: "failed",
  "not-removed": "sent, not removed",
  finished: "all out, removed",
  "would-finish": "all out, would be removed",
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
  const table = createTable(["Result", "Reason", "Notification", "Redrives", "Event id"]);
  for (const { parked, disposition, redrives, lane, note: said } of results) {
    table.add(
      [
        words[disposition] + (lane === undefined ? "" : ` (${lane} lane)`),
        text(parked.reason.type, options),
        parked.notification?.id ?? "-",
        `${redrives ?? parked.redrives} of ${maximumRedrives}`,
        text(parked.eventId ?? `message ${parked.messageId}`, options),
      ],
      said === undefined ? undefined : note(said, options),
    );
  }
  return [
    table.toString(),
    `${summaryText(results)}${options.dryRun ? " Nothing was changed (--dry-run)." : ""}`,
    ...(results.some(({ disposition }) => disposition === "redriven")
      ? ["A redriven event is mailed within a minute; one that fails again for good is parked again, with its count."]
      : []),
  ];
}

function summaryText(results: readonly Result[]): string {
  const counts = Object.entries(summaryOf(results)).map(
    ([disposition, count]) => `${count} ${words[disposition as Disposition]}`,
  );
  return `${counts.join(", ")}.`;
}

function summaryOf(results: readonly Result[]): Partial<Record<Disposition, number>> {
  const counts: Partial<Record<Disposition, number>> = {};
  for (const { disposition } of results) counts[disposition] = (counts[disposition] ?? 0) + 1;
  return counts;
}

function describeBounds(answer: DeadLettersAnswer): string[] {
  const { seen, total, stillHidden, lapsed } = answer;
  const notBegun = notBegunOf(answer);
  return [
    ...(notBegun > 0 ? [`Interrupted: ${plural(notBegun, "message")} not begun; what was not done stays parked.`] : []),
    ...(seen < total
      ? [`Not all was seen: ${seen} of about ${plural(total, "message")}. ${describeUnseen(answer)}`]
      : []),
    ...(lapsed > 0
      ? [
          `The hold of ${plural(lapsed, "message")} was over before the work was done, so others could have seen them, too. Raise --hold.`,
        ]
      : []),
    ...(stillHidden > 0
      ? [`${plural(stillHidden, "message")} could not be given back; SQS does it by itself when the hold is over.`]
      : []),
  ];
}

/** Says why some messages were not seen. */
function describeUnseen({ seen, total, heldByOthers, delayed }: DeadLettersAnswer): string {
  const waiting = total - seen - heldByOthers - delayed;
  return [
    ...(waiting > 0
      ? [
          `${waiting} more by the queue's own count, which may be a minute late: raise --limit, or run it again in a minute, with a longer --hold.`,
        ]
      : []),
    ...(heldByOthers > 0
      ? [`Somebody else is looking at ${heldByOthers} at this moment: run it again in some minutes.`]
      : []),
    ...(delayed > 0 ? [`${delayed} delayed: not to be seen yet.`] : []),
  ].join(" ");
}

/** Number of chosen messages that were not begun, because a person interrupted. */
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

const text = (content: string, options: ReportOptions): string => lines(content, options, 500);

/** Prepares a longer text about an event's mails. It may name 50 recipients, some of them twice. */
const note = (content: string, options: ReportOptions): string => lines(content, options, 5000);

function lines(content: string, { showRecipients }: ReportOptions, longest: number): string {
  return content
    .split("\n")
    .map((line) => printable(line, { showAddresses: showRecipients, longest }))
    .join("\n");
}

/**
 * Makes the JSON document of `--json`. It contains bodies only with `--show-recipients`, because they hold addresses.
 */
export function toJson(answer: DeadLettersAnswer, options: ReportOptions): object {
  const failureOf = ({ recipient, position, type, message }: MailFailure): object => ({
    ...(recipient === undefined ? {} : { recipient: text(recipient, options) }),
    ...(position === undefined ? {} : { position }),
    type: text(type, options),
    message: text(message, options),
  });
  const mailOf = ({ failure, eventId, messageId, ...mail }: ParkedMail): object => ({
    ...mail,
    messageId: messageId === undefined ? null : text(messageId, options),
    eventId: eventId === undefined ? null : text(eventId, options),
    failure: failure === undefined ? null : failureOf(failure),
  });
  const messageOf = (message: ParkedMessage, mails: Mails | undefined): object => ({
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
    failures: message.failures.map(failureOf),
    mails: mails?.list.map(mailOf) ?? null,
    refusedEntries: mails?.refused ?? [],
    ...(mails?.unread === undefined ? {} : { claimsNotRead: text(mails.unread, options) }),
    ...(options.showRecipients ? { recipients: message.recipients, body: message.body } : {}),
  });
  return {
    queue: answer.queue,
    seen: answer.seen,
    total: answer.total,
    isComplete: answer.isComplete,
    heldByOthers: answer.heldByOthers,
    delayed: answer.delayed,
    lapsed: answer.lapsed,
    stillHidden: answer.stillHidden,
    ...(answer.retryQueues === undefined ? {} : { retryQueues: answer.retryQueues }),
    ...(answer.results === undefined
      ? {
          messages: (answer.listed ?? []).map(({ parked, mails, refusal }) => ({
            ...messageOf(parked, mails),
            redrive: { refused: refusal === undefined ? null : note(describeRefusal(refusal), options) },
          })),
        }
      : {
          dryRun: options.dryRun,
          notBegun: notBegunOf(answer),
          summary: summaryOf(answer.results),
          results: answer.results.map(({ parked, disposition, lane, redrives, note: said, mails }) => ({
            ...messageOf(parked, mails),
            disposition,
            ...(lane === undefined ? {} : { lane }),
            redrives: redrives ?? parked.redrives,
            ...(said === undefined ? {} : { note: note(said, options) }),
          })),
        }),
  };
}
