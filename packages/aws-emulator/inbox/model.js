/** What the page says about mails and events, worked out from the gateway's answers. Pure. */
import { shellWord, shortName, wait } from "./format.js";

/**
 * @typedef {import("./api.js").Mail} Mail
 * @typedef {import("./api.js").BusEvent} BusEvent
 * @typedef {import("./api.js").Delivery} Delivery
 * @typedef {import("./api.js").Attempt} Attempt
 * @typedef {import("./api.js").Fate} Fate
 * @typedef {import("./api.js").Info} Info
 */

/** Lambda's own waits between the attempts of an asynchronous invocation. */
const AWS_WAITS = ["about 1 minute", "about 2 minutes"];

/** @type {Record<Fate, string>} */
export const STATUS_LABEL = {
  failed: "Failed",
  parked: "Parked",
  waiting: "Waiting for a retry",
  late: "Mailed late",
  retrying: "Retrying",
  running: "Running",
  delivered: "Delivered",
  discarded: "Discarded",
  unmatched: "No rule matched",
  bounced: "Bounced",
  complained: "Complaint",
  rejected: "Rejected",
  unrendered: "Not rendered",
  delayed: "Delayed",
  failure: "Failure record",
};

/**
 * How bad it is, which is its colour: a name of the style sheet.
 * @type {Record<Fate, "bad" | "waits" | "good" | "plain">}
 */
export const TONE = {
  failed: "bad",
  parked: "bad",
  bounced: "bad",
  complained: "bad",
  rejected: "bad",
  unrendered: "bad",
  failure: "bad",
  waiting: "waits",
  retrying: "waits",
  delayed: "waits",
  late: "good",
  delivered: "good",
  running: "plain",
  discarded: "plain",
  unmatched: "plain",
};

/**
 * What happened to some mails: "1 of 50 bounced".
 * @type {Partial<Record<Fate, string>>}
 */
const HAPPENED = {
  bounced: "bounced",
  complained: "complained about",
  rejected: "rejected",
  unrendered: "not rendered",
};

/**
 * What the list and the reading pane say of an event. An event that went its way and whose mails did not has the bad
 * news of its mails: "Bounced", or "1 of 50 bounced".
 * @param {BusEvent} event
 * @returns {{ fate: Fate, label: string, news?: string, isFirst?: boolean }} `news` is what was said of the bad mail, or of the
 *   first of several; missing where the event's own fate is all there is to say
 */
export function verdictOf({ fate, mailNews }) {
  const [first] = mailNews?.bad ?? [];
  if (TONE[fate] !== "good" || mailNews === undefined || first === undefined) {
    return { fate, label: STATUS_LABEL[fate] };
  }
  const { mails, bad } = mailNews;
  const label =
    first.count === mails
      ? STATUS_LABEL[first.kind]
      : bad
          .map(({ kind, count }, index) => `${index === 0 ? `${count} of ${mails}` : count} ${HAPPENED[kind] ?? kind}`)
          .join(", ");
  return { fate: first.kind, label, news: first.text, isFirst: countOfBad(mailNews) > 1 };
}

/** @param {NonNullable<BusEvent["mailNews"]>} news */
const countOfBad = ({ bad }) => bad.reduce((sum, { count }) => sum + count, 0);

/**
 * Whether the target got the event and nothing good came of it: its function parked it, the event tells of something
 * bad, or every mail of this delivery came to nothing. "Delivered" would be true of the target, but a person would take
 * it to be true of the mails.
 * @param {Delivery} delivery
 * @param {BusEvent} event
 */
export const isHandedOver = ({ status, attempts, mailNews }, { notice }) =>
  status === "delivered" &&
  (attempts.at(-1)?.parked !== undefined ||
    notice !== undefined ||
    (mailNews !== undefined && countOfBad(mailNews) === mailNews.mails));

/**
 * "; on AWS about 1 minute" exists for Lambda only: other targets follow EventBridge's own retry policy.
 * @param {Delivery} delivery
 * @param {number} retry 1 for the first
 */
function onAws(delivery, retry) {
  if (delivery.kind !== "lambda") return "";
  return `, on AWS ${AWS_WAITS[Math.min(retry, AWS_WAITS.length) - 1]}`;
}

/**
 * "Retry 1 of 2 in 0.5 s, on AWS about 1 minute"
 * @param {Delivery} delivery
 * @param {Info} info
 */
export function retryText(delivery, info) {
  const retry = delivery.attempts.at(-1)?.number ?? 1;
  const ms = delivery.attempts.at(-1)?.nextRetryInMs ?? info.retryDelaysMs[retry - 1];
  const total = Math.max(retry, info.retryDelaysMs.length);
  return `Retry ${retry} of ${total}${ms === undefined ? "" : ` in ${wait(ms)}`}${onAws(delivery, retry)}`;
}

/**
 * "Waited 0.5 s, on AWS about 1 minute": what stood between an attempt and the next.
 * @param {Delivery} delivery
 * @param {Attempt} attempt
 */
export const waitedText = (delivery, attempt) =>
  attempt.nextRetryInMs === undefined
    ? undefined
    : `Waited ${wait(attempt.nextRetryInMs)}${onAws(delivery, attempt.number)}`;

/** @param {Attempt} attempt */
export const errorText = (attempt) => [attempt.errorType, attempt.errorMessage].filter(Boolean).join(": ");

/**
 * Why a delivery failed: the last attempt's error, else what went to the dead-letter queue with it.
 * @param {Delivery} delivery
 */
export function failureReason(delivery) {
  const last = delivery.attempts.findLast((attempt) => attempt.status !== "success" && errorText(attempt));
  return (last && errorText(last)) ?? delivery.deadLetter?.reason ?? "no reason given";
}

/**
 * Why the event did not simply go its way: the failed delivery's reason, else that of the record that a queue took.
 * @param {BusEvent} event
 */
export function troubleOf(event) {
  const failed = event.deliveries.find(({ status }) => status === "failed");
  if (failed) return failureReason(failed);
  const parked = event.deliveries.flatMap(({ attempts }) => attempts).find((attempt) => attempt.parked !== undefined);
  return event.records.at(-1)?.reason ?? parked?.parked ?? "no reason given";
}

/**
 * One line about an event's fate.
 * @param {BusEvent} event
 * @param {Info} info
 */
export function statusLine(event, info) {
  const { fate } = event;
  const { label, news, isFirst } = verdictOf(event);
  if (news !== undefined) return `${label}${isFirst ? "; first" : ""}: ${news}`;
  const deliveries = event.deliveries.filter((delivery) => delivery.status === fate);
  const [first] = deliveries;
  switch (fate) {
    case "unmatched":
      return event.nearestRule === undefined
        ? "No rule matched: delivered to nobody"
        : `No rule matched; nearest: ${event.nearestRule}`;
    case "bounced":
    case "complained":
    case "rejected":
    case "unrendered":
    case "delayed":
    case "failure":
      return `${STATUS_LABEL[fate]}: ${event.notice?.text ?? ""}`;
    case "retrying":
      return first ? retryText(first, info) : STATUS_LABEL.retrying;
    case "running": {
      const last = first?.attempts.at(-1);
      if (last?.status === "throttled") return "Waits for a free place of its function";
      return last && last.number > 1 ? `Attempt ${last.number} is running` : "Being delivered";
    }
    case "delivered": {
      const rules = [...new Set(event.deliveries.map((delivery) => shortName(delivery.rule)))];
      return `Delivered by ${rules.join(", ")}`;
    }
    default:
      return `${STATUS_LABEL[fate]}: ${troubleOf(event)}`;
  }
}

/** @param {Delivery} delivery */
export const targetName = (delivery) => delivery.functionName ?? shortName(delivery.targetArn);

/**
 * The notification that a mail belongs to, for its chip.
 * @param {Mail} mail
 */
export const notificationOf = (mail) => (mail.tags?.notification ?? mail.template) || "no template";

/** @typedef {{ mark: string, time: string | undefined, title: string, text?: string }} RecordStep */

/**
 * What became of the event's record after its deliveries: parked, sent again, discarded, mailed.
 * @param {BusEvent} event
 * @param {number} now
 * @returns {RecordStep[]}
 */
export function recordSteps({ records, fate, mails = [], keptUntil }, now) {
  /** @type {RecordStep[]} */
  const steps = records.map((record, index) => {
    const queue = shortName(record.queueArn);
    const wasParked = records[index - 1]?.isPolled === false;
    if (!record.isPolled)
      return { mark: "parked", time: record.time, title: `Parked in ${queue}`, text: record.reason };
    const title = wasParked ? `Redriven to ${queue}` : `Waits in ${queue} for a retry`;
    // A redrive takes the record along: the step before it has told the reason.
    const isTold = wasParked && record.reason === records[index - 1]?.reason;
    return { mark: "retrying", time: record.time, title, text: isTold ? "" : record.reason };
  });
  const last = records.at(-1);
  if (last === undefined) return steps;
  const mail = mails.find(({ renderError }) => renderError === undefined);
  if (fate === "late") {
    steps.push({ mark: "late", time: last.leftAt ?? mail?.time, title: "Mailed", text: mail?.subject ?? "" });
  } else if (fate === "discarded") {
    steps.push({
      mark: "discarded",
      time: last.leftAt,
      title: `Discarded from ${shortName(last.queueArn)}`,
      text: "Somebody deleted the record, and nothing was sent again.",
    });
  } else if (fate === "delivered" && last.leftAt !== undefined) {
    steps.push({ mark: "delivered", time: last.leftAt, title: "Done", text: "Its function found nothing left to do." });
  } else if (isExpired(keptUntil, now)) {
    steps.push({
      mark: "discarded",
      time: keptUntil,
      title: `Expired in ${shortName(last.queueArn)}`,
      text: "The queue keeps its messages no longer than that.",
    });
  }
  return steps;
}

/**
 * @param {string | undefined} keptUntil
 * @param {number} now
 */
export const isExpired = (keptUntil, now) => keptUntil !== undefined && Date.parse(keptUntil) < now;

/**
 * "detail-type has to be "Order Placed" and is "Order Place""
 * @param {NonNullable<import("./api.js").NearestRule["difference"]>} difference
 */
export function differenceText({ path, expected, actual }) {
  const list = (/** @type {readonly unknown[]} */ values) => values.map((value) => JSON.stringify(value)).join(" or ");
  const is = actual.length === 0 ? "is missing" : `is ${actual.map((value) => JSON.stringify(value)).join(", ")}`;
  return `${path} has to be ${list(expected)}, and ${is}.`;
}

/**
 * Reads a queue without hiding its messages from the next reader.
 * @param {string} arn
 * @param {Info} info
 */
export function receiveCommand(arn, info) {
  const [, , , region = info.region, account = info.accountId, name = ""] = arn.split(":");
  return [
    `aws sqs receive-message --endpoint-url ${shellWord(info.endpoint)} --region ${shellWord(region)} \\`,
    `  --queue-url ${shellWord(`${info.endpoint}/${account}/${name}`)} \\`,
    "  --max-number-of-messages 10 --visibility-timeout 0 \\",
    "  --attribute-names All --message-attribute-names All",
  ].join("\n");
}

/**
 * @param {Info} info
 * @param {import("./api.js").Index["example"]} example
 */
export function putEventsCommand(info, example) {
  const { bus = example.bus ?? "<bus name>", source, detailType, detail } = info.exampleEvent;
  return putCommand({ bus, source, detailType, detail: JSON.stringify(detail) }, info);
}

/** @param {string} arn */
function isOfRule(arn) {
  const [, , service, , , resource = ""] = arn.split(":");
  return service === "events" && resource.startsWith("rule/");
}

/** The most characters of a detail that a person can still correct in a command in a terminal. */
const MOST_CORRECTED = 4000;

/**
 * The command that puts the event once more. AWS lets nobody else put an event whose source begins with "aws.", so for
 * an occurrence of a schedule it is the command that fires the schedule, and for other such events there is none.
 * @param {BusEvent} event
 * @param {Info} info
 * @returns {{ when: string, name: string, command: string } | undefined} `undefined`, too, if the content of the event
 *   was not fetched or is too long
 */
export function putAgainCommand({ bus, source, detailType, event }, info) {
  if (source.startsWith("aws.")) {
    const rule = source === "aws.events" ? event?.resources.find(isOfRule) : undefined;
    return rule === undefined
      ? undefined
      : {
          when: "Only EventBridge puts this event, so it can't be corrected. Its schedule can be fired once more:",
          name: "the fire command",
          command: `curl -X POST ${shellWord(`${info.endpoint}/_sandbox/fire/${encodeURIComponent(shortName(rule))}`)}`,
        };
  }
  const detail = event === undefined ? undefined : JSON.stringify(event.detail);
  if (detail === undefined || detail.length > MOST_CORRECTED) return undefined;
  return {
    when: "Correct the event in this command, and put it:",
    name: "the put-events command",
    command: putCommand({ bus, source, detailType, detail }, info),
  };
}

/**
 * @param {{ bus: string, source: string, detailType: string, detail: string }} entry
 * @param {Info} info
 */
function putCommand({ bus, source, detailType, detail }, info) {
  const entries = [{ EventBusName: shortName(bus), Source: source, DetailType: detailType, Detail: detail }];
  return [
    `aws events put-events --endpoint-url ${shellWord(info.endpoint)} \\`,
    `  --region ${shellWord(info.region)} --entries ${shellWord(JSON.stringify(entries, null, 2))}`,
  ].join("\n");
}
