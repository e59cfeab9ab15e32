import { commandBlock, copyButton, facts, h, icon, jsonBlock } from "./dom.js";
import { clockTime, fullTime, plural, relativeTime, shortAddress, shortName, took } from "./format.js";
import {
  errorText,
  failureEventsOf,
  failureReason,
  fateOf,
  isRetryQueue,
  mailsOf,
  receiveCommand,
  recordQueues,
  retryText,
  STATUS_LABEL,
  statusLine,
  statusOf,
  targetName,
  waitedText,
} from "./model.js";

/**
 * @typedef {import("./api.js").BusEvent} BusEvent
 * @typedef {import("./api.js").Delivery} Delivery
 * @typedef {import("./api.js").Attempt} Attempt
 * @typedef {import("./api.js").Info} Info
 * @typedef {import("./api.js").Snapshot} Snapshot
 */

/**
 * @param {BusEvent} event
 * @param {Snapshot} snapshot
 * @param {number} now
 */
export const eventRow = (event, snapshot, now) => ({
  id: event.id,
  detailType: event.detailType,
  source: event.source,
  about: aboutOf(event),
  status: fateOf(event, snapshot),
  line: statusLine(event, snapshot),
  time: relativeTime(event.time, now),
});

/**
 * What tells an event from the others of its type.
 * @param {BusEvent} event
 */
function aboutOf({ detail }) {
  const title = detail?.emailConfig?.subject ?? detail?.title;
  return typeof title === "string" ? title : "";
}

/** @param {ReturnType<typeof eventRow>} row */
export const renderEventRow = (row) => [
  h("span", { class: `mark ${row.status}` }, icon(row.status)),
  h("span", { class: "title" }, row.detailType),
  h("span", { class: `line ${row.status}` }, row.line),
  h("span", { class: "snippet" }, row.about ? `${row.source} · ${row.about}` : row.source),
  h("span", { class: "when" }, row.time),
];

/** @param {Attempt} attempt */
function outcomeOf(attempt) {
  const ms = attempt.endedAt === undefined ? undefined : Date.parse(attempt.endedAt) - Date.parse(attempt.startedAt);
  const after = ms === undefined || Number.isNaN(ms) ? "" : ` after ${took(ms)}`;
  if (attempt.outcome === undefined || attempt.endedAt === undefined) return { mark: "running", text: "is running" };
  if (attempt.outcome === "success") return { mark: "delivered", text: `succeeded${after}` };
  const verb = { error: "failed", timeout: "timed out", throttled: "was throttled" }[attempt.outcome];
  return { mark: "failed", text: `${verb}${after}` };
}

/**
 * @param {string} mark
 * @param {string | undefined} time
 * @param {import("./dom.js").Child[]} content
 */
const step = (mark, time, ...content) =>
  h(
    "li",
    { class: `step ${mark}` },
    h("span", { class: `mark ${mark}` }, icon(mark)),
    h("div", { class: "step-body" }, content),
    time === undefined ? null : h("time", { class: "when", datetime: time }, clockTime(time)),
  );

/** @param {string} text */
const waited = (text) => h("li", { class: "gap" }, h("span", {}, text));

/**
 * A delivery as a parcel's tracking page would tell it.
 * @param {Delivery} delivery
 * @param {Info} info
 */
export function deliveryTimeline(delivery, info) {
  const steps = delivery.attempts.flatMap((attempt, index) => {
    const { mark, text } = outcomeOf(attempt);
    const error = attempt.outcome === "success" ? "" : errorText(attempt);
    const isLast = index === delivery.attempts.length - 1;
    const gap = isLast ? undefined : waitedText(delivery, attempt);
    return [
      step(
        mark,
        attempt.startedAt,
        h("p", {}, h("strong", {}, `Attempt ${attempt.number}`), ` ${text}`),
        error &&
          h(
            "p",
            { class: "error" },
            attempt.errorType && h("code", {}, attempt.errorType),
            attempt.errorMessage && h("span", {}, attempt.errorMessage),
          ),
        attempt.requestId && h("p", { class: "hint mono" }, `request ${attempt.requestId}`),
      ),
      gap ? waited(gap) : null,
    ];
  });
  const { deadLetter } = delivery;
  const last =
    delivery.status === "retrying"
      ? step("retrying", undefined, h("p", {}, retryText(delivery, info)))
      : delivery.status === "failed"
        ? step(
            "record",
            undefined,
            h("p", {}, h("strong", {}, "Given up"), ` after ${plural(delivery.attempts.length, "attempt")}.`),
            deadLetter && h("p", {}, `Record sent to ${shortName(deadLetter.destinationArn)}: ${deadLetter.reason}`),
          )
        : null;
  return h(
    "section",
    { class: "delivery", "aria-label": `Rule ${shortName(delivery.rule)}` },
    h(
      "p",
      { class: "route" },
      h("code", { title: delivery.rule }, shortName(delivery.rule)),
      icon("arrow"),
      h("code", { title: delivery.targetArn }, targetName(delivery)),
      h("span", { class: `pill ${delivery.status}` }, icon(delivery.status), STATUS_LABEL[delivery.status]),
    ),
    steps.length === 0 && last === null ? null : h("ol", { class: "timeline", "aria-label": "Attempts" }, steps, last),
  );
}

/**
 * @param {BusEvent} event
 * @param {Snapshot} snapshot
 */
function recordSection(event, snapshot) {
  const { info, events } = snapshot;
  const fate = fateOf(event, snapshot);
  if (fate !== "failed" && fate !== "waiting") return [];
  const queues = recordQueues(event, events);
  const forwards = failureEventsOf(event, events);
  return [
    h("h3", {}, "Its record"),
    ...forwards.map((forward) =>
      h(
        "p",
        { class: "note" },
        "Lambda reported the failure as ",
        h("a", { href: `#/events/${encodeURIComponent(forward.id)}` }, forward.detailType),
        ` on ${shortName(forward.bus)}.`,
      ),
    ),
    ...queues.map((arn) =>
      h(
        "div",
        { class: "record-queue" },
        h("p", { class: "arn" }, h("code", {}, arn), copyButton(arn, "the queue's ARN")),
        isRetryQueue(arn)
          ? h(
              "p",
              { class: "note" },
              "It waits there for its next try, at most a quarter of an hour. To read the queue would use up one of its tries: ",
              h("code", {}, "npm run dead-letters -- --sandbox --retries"),
              " counts what waits.",
            )
          : commandBlock(receiveCommand(arn, info), "the receive-message command"),
      ),
    ),
    queues.length === 0 &&
      h("p", { class: "note" }, "No queue of this sandbox is known to hold it. On AWS this event would be lost."),
  ];
}

/**
 * @param {BusEvent} event
 * @param {Snapshot} snapshot
 */
function mailSection(event, { mails }) {
  const caused = mailsOf(event, mails);
  if (caused.length === 0) return [];
  return [
    h("h3", {}, caused.length === 1 ? "Its mail" : "Its mails"),
    h(
      "ul",
      { class: "links" },
      caused.map((mail) =>
        h(
          "li",
          {},
          h(
            "a",
            { href: `#/mail/${encodeURIComponent(mail.id)}` },
            icon("mail"),
            h("span", { class: "link-title" }, mail.subject || "(no subject)"),
            h("span", { class: "from" }, `to ${mail.to.map(shortAddress).join(", ")}`),
            mail.renderError !== undefined && h("span", { class: "chip failed" }, "Never sent"),
          ),
        ),
      ),
    ),
  ];
}

/**
 * The sentence under an event's title.
 * @param {BusEvent} event
 * @param {Snapshot} snapshot
 */
function callout(event, snapshot) {
  const status = statusOf(event);
  const fate = fateOf(event, snapshot);
  const delivery = event.deliveries.find((candidate) => candidate.status === status);
  if (status === "failed" && delivery) {
    const label = { waiting: "Waiting for a retry. First: ", late: "Mailed late, by a retry or a redrive. First: " };
    return h(
      "div",
      { class: `callout ${fate}` },
      h("p", {}, h("strong", {}, label[fate] ?? "Failed. "), failureReason(delivery)),
    );
  }
  if (status === "retrying" && delivery) {
    return h("div", { class: "callout retrying" }, h("p", {}, retryText(delivery, snapshot.info)));
  }
  if (status === "unmatched") {
    return h(
      "div",
      { class: "callout" },
      h("p", {}, h("strong", {}, "No rule matched. "), "EventBridge drops such an event without a trace."),
      h("p", {}, "Check its source, its detail-type and the bus against the rules' patterns."),
    );
  }
  return null;
}

/**
 * The reading pane for an event.
 * @param {HTMLElement} root
 * @param {{ back: () => HTMLElement }} options
 */
export function createEventReader(root, { back }) {
  let key = "";
  /** @type {HTMLElement | undefined} */
  let article;

  /**
   * @param {BusEvent} event
   * @param {Snapshot} snapshot
   */
  const build = (event, snapshot) => {
    const fate = fateOf(event, snapshot);
    return h(
      "article",
      { class: "event", "aria-labelledby": "reader-title" },
      h(
        "header",
        { class: "reader-head" },
        h(
          "div",
          { class: "reader-actions" },
          back(),
          h("span", { class: `pill ${fate}` }, icon(fate), STATUS_LABEL[fate]),
        ),
        h("h2", { id: "reader-title", tabindex: "-1" }, event.detailType),
        facts(
          [
            ["Source", event.source],
            ["Bus", shortName(event.bus)],
            ["Id", h("code", {}, event.id)],
            ["Date", h("time", { datetime: event.time }, fullTime(event.time))],
          ],
          "envelope",
        ),
        callout(event, snapshot),
      ),
      h(
        "div",
        { class: "panel" },
        event.deliveries.length > 0 && h("h3", {}, event.deliveries.length === 1 ? "Delivery" : "Deliveries"),
        event.deliveries.map((delivery) => deliveryTimeline(delivery, snapshot.info)),
        recordSection(event, snapshot),
        mailSection(event, snapshot),
        h("h3", {}, "Event"),
        jsonBlock(event.event ?? event.detail, "The event"),
      ),
    );
  };

  return {
    /**
     * @param {BusEvent} event
     * @param {Snapshot} snapshot
     */
    show(event, snapshot) {
      const related = [failureEventsOf(event, snapshot.events), mailsOf(event, snapshot.mails)];
      const nextKey = JSON.stringify([event, related, snapshot.info]);
      if (nextKey === key && article && root.contains(article)) return;
      const hadFocus = article?.contains(document.activeElement);
      key = nextKey;
      article = build(event, snapshot);
      const { scrollTop } = root;
      root.replaceChildren(article);
      root.scrollTop = scrollTop;
      // What had the focus is gone; the title is where reading goes on.
      if (hadFocus) /** @type {HTMLElement} */ (article.querySelector("#reader-title")).focus({ preventScroll: true });
    },
  };
}
