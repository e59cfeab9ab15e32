/** What the page says about mails and events, worked out from the door's answers. Pure. */
import { shellWord, shortName, wait } from "./format.js";

/**
 * @typedef {import("./api.js").Mail} Mail
 * @typedef {import("./api.js").BusEvent} BusEvent
 * @typedef {import("./api.js").Delivery} Delivery
 * @typedef {import("./api.js").Attempt} Attempt
 * @typedef {import("./api.js").Info} Info
 * @typedef {import("./api.js").Snapshot} Snapshot
 * @typedef {"failed" | "retrying" | "running" | "delivered" | "unmatched"} Status
 * @typedef {Status | "waiting" | "late"} Fate what became of an event in the end, behind its deliveries
 */

/** Lambda's own waits between the attempts of an asynchronous invocation. */
const AWS_WAITS = ["about 1 minute", "about 2 minutes"];

/** @type {Record<Fate, string>} */
export const STATUS_LABEL = {
  failed: "Failed",
  waiting: "Waiting for a retry",
  late: "Mailed late",
  retrying: "Retrying",
  running: "Running",
  delivered: "Delivered",
  unmatched: "No rule matched",
};

/**
 * The worst of its deliveries.
 * @param {BusEvent} event
 * @returns {Status}
 */
export function statusOf(event) {
  /** @type {Status[]} */
  const worstFirst = ["failed", "retrying", "running", "delivered"];
  return worstFirst.find((status) => event.deliveries.some((delivery) => delivery.status === status)) ?? "unmatched";
}

/**
 * A failed delivery is not the end: a retry queue may hold the event, and a retry or a redrive may have mailed it.
 * @param {BusEvent} event
 * @param {Snapshot} snapshot
 * @returns {Fate}
 */
export function fateOf(event, { events, mails }) {
  const status = statusOf(event);
  if (status !== "failed") return status;
  const asked = new Set([event.detail?.emailConfig?.recipient ?? []].flat());
  const sent = mailsOf(event, mails).filter((mail) => mail.renderError === undefined);
  if (sent.length > 0 && sent.length >= asked.size) return "late";
  return recordQueues(event, events).some(isRetryQueue) ? "waiting" : "failed";
}

/** @param {Snapshot} snapshot */
export const failedCount = (snapshot) => snapshot.events.filter((event) => fateOf(event, snapshot) === "failed").length;

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
  const retry = Math.max(1, delivery.attempts.length);
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
  const last = delivery.attempts.findLast((attempt) => attempt.outcome !== "success" && errorText(attempt));
  return (last && errorText(last)) ?? delivery.deadLetter?.reason ?? "no reason given";
}

/**
 * One line about an event's fate.
 * @param {BusEvent} event
 * @param {Snapshot} snapshot
 */
export function statusLine(event, snapshot) {
  const { info } = snapshot;
  const status = statusOf(event);
  const deliveries = event.deliveries.filter((delivery) => delivery.status === status);
  const [first] = deliveries;
  if (!first) return "No rule matched: delivered to nobody";
  if (status === "failed") {
    const fate = fateOf(event, snapshot);
    return `${fate === "failed" ? "Failed" : STATUS_LABEL[fate]}: ${failureReason(first)}`;
  }
  if (status === "retrying") return retryText(first, info);
  if (status === "running") {
    return first.attempts.length > 1 ? `Attempt ${first.attempts.length} is running` : "Being delivered";
  }
  const rules = [...new Set(deliveries.map((delivery) => shortName(delivery.rule)))];
  return `Delivered by ${rules.join(", ")}`;
}

/** @param {Delivery} delivery */
export const targetName = (delivery) => delivery.functionName ?? shortName(delivery.targetArn);

/**
 * @param {Mail} mail
 * @param {BusEvent[]} events
 */
export const eventOf = (mail, events) =>
  // The tag, where one run mailed several events of a retry queue.
  events.find((event) => event.id === (mail.eventId ?? mail.tags?.eventId)) ??
  (mail.requestId === undefined ? undefined : events.find((event) => requestIds(event).includes(mail.requestId)));

/**
 * @param {BusEvent} event
 * @param {Mail[]} mails
 */
export const mailsOf = (event, mails) => mails.filter((mail) => eventOf(mail, [event]) !== undefined);

/** @param {BusEvent} event */
const requestIds = (event) =>
  event.deliveries.flatMap((delivery) => delivery.attempts.map((attempt) => attempt.requestId));

/**
 * The events that Lambda's on-failure destination put on a bus because this one failed.
 * @param {BusEvent} event
 * @param {BusEvent[]} events
 */
export const failureEventsOf = (event, events) =>
  events.filter((other) => other.id !== event.id && other.detail?.requestPayload?.id === event.id);

/** @param {string} arn */
export const isQueue = (arn) => arn.startsWith("arn:") && arn.split(":")[2] === "sqs";

/**
 * Whose messages a function takes by itself: reading one uses up one of its tries.
 * @param {string} arn
 */
export const isRetryQueue = (arn) => isQueue(arn) && /(^|-)retries$/.test(shortName(arn));

/**
 * The queues that hold the record of a failed event: its own dead-letter queue, and where the rules on
 * its failure events put them.
 * @param {BusEvent} event
 * @param {BusEvent[]} events
 * @returns {string[]} ARNs
 */
export function recordQueues(event, events) {
  const own = event.deliveries.map((delivery) => delivery.deadLetter?.destinationArn ?? "");
  const forwarded = failureEventsOf(event, events).flatMap((failure) =>
    failure.deliveries.flatMap((delivery) => [delivery.targetArn, delivery.deadLetter?.destinationArn ?? ""]),
  );
  return [...new Set([...own, ...forwarded])].filter(isQueue);
}

/**
 * @param {string} query
 * @param {(string | undefined)[]} fields
 */
export function matches(query, fields) {
  const text = fields.join("\n").toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/**
 * The notification that a mail belongs to, for its chip.
 * @param {Mail} mail
 */
export const notificationOf = (mail) => mail.tags?.notification ?? mail.template ?? "no template";

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
 * @param {Snapshot} snapshot
 */
export function putEventsCommand({ info, mails, events }) {
  const bus = events.map((event) => shortName(event.bus)).find((name) => name !== "default") ?? "<bus name>";
  const detail = {
    emailConfig: { recipient: mails[0]?.to[0] ?? "recipient@example.com", subject: "Hello from the sandbox" },
    title: "Hello",
    message: "This mail took the whole way: bus, rule, function, template.",
  };
  const entries = [
    {
      EventBusName: bus,
      Source: "custom.application",
      DetailType: "Email Notification Request",
      Detail: JSON.stringify(detail),
    },
  ];
  return [
    `aws events put-events --endpoint-url ${shellWord(info.endpoint)} \\`,
    `  --region ${shellWord(info.region)} --entries ${shellWord(JSON.stringify(entries, null, 2))}`,
  ].join("\n");
}
