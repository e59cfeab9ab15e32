import { commandBlock, copyButton, cut, facts, h, icon, jsonBlock } from "./dom.js";
import { clockTime, fullTime, plural, relativeTime, shortAddress, shortName, took } from "./format.js";
import {
  errorText,
  receiveCommand,
  retryText,
  STATUS_LABEL,
  statusLine,
  targetName,
  troubleOf,
  waitedText,
} from "./model.js";

/**
 * @typedef {import("./api.js").BusEvent} BusEvent
 * @typedef {import("./api.js").Delivery} Delivery
 * @typedef {import("./api.js").Attempt} Attempt
 * @typedef {import("./api.js").Info} Info
 */

/**
 * @param {BusEvent} event as the list's rows hold it
 * @param {Info} info
 * @param {number} now
 */
export const eventRow = (event, info, now) => ({
  id: event.id,
  detailType: event.detailType,
  source: event.source,
  about: event.about,
  fate: event.fate,
  line: statusLine(event, info),
  time: relativeTime(event.time, now),
});

/** @param {ReturnType<typeof eventRow>} row */
export const renderEventRow = (row) => [
  h("span", { class: `mark ${row.fate}` }, icon(row.fate)),
  h("span", { class: "title" }, row.detailType),
  h("span", { class: `line ${row.fate}` }, row.line),
  h("span", { class: "snippet" }, row.about ? `${row.source} · ${row.about}` : row.source),
  h("span", { class: "when" }, row.time),
];

/** @param {Attempt} attempt */
function outcomeOf(attempt) {
  const ms = attempt.endedAt === undefined ? undefined : Date.parse(attempt.endedAt) - Date.parse(attempt.startedAt);
  const after = ms === undefined || Number.isNaN(ms) ? "" : ` after ${took(ms)}`;
  if (attempt.outcome === undefined || attempt.endedAt === undefined) return { mark: "running", text: "is running" };
  if (attempt.parked !== undefined) return { mark: "record", text: `parked the event${after}: ${attempt.parked}` };
  if (attempt.outcome === "success") return { mark: "delivered", text: `succeeded${after}` };
  if (attempt.outcome === "throttled") {
    return { mark: "waiting", text: `was throttled ${plural(attempt.times ?? 1, "time")}` };
  }
  const verb = { error: "failed", timeout: "timed out" }[attempt.outcome];
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
 * The queue that holds its record, if one does.
 * @param {BusEvent} event
 * @param {Info} info
 */
function recordSection(event, info) {
  const { fate, records, failures = [] } = event;
  if (fate !== "failed" && fate !== "parked" && fate !== "waiting") return [];
  const record = records.at(-1);
  return [
    h("h3", {}, "Its record"),
    ...failures.map((failure) =>
      h(
        "p",
        { class: "note" },
        "Lambda reported the failure as ",
        h("a", { href: `#/events/${encodeURIComponent(failure.id)}` }, failure.detailType),
        ` on ${shortName(failure.bus)}.`,
      ),
    ),
    record &&
      h(
        "div",
        { class: "record-queue" },
        h(
          "p",
          { class: "arn" },
          h("code", {}, record.queueArn),
          copyButton(record.queueArn, "the queue's ARN"),
          h("time", { class: "when", datetime: record.time }, clockTime(record.time)),
        ),
        h("p", { class: "note" }, cut(record.reason, 1000)),
        record.isPolled
          ? h(
              "p",
              { class: "note" },
              "It waits there for its next try, at most a quarter of an hour. To read the queue would use up one of its tries: ",
              h("code", {}, "npm run dead-letters -- --sandbox --retries"),
              " counts what waits.",
            )
          : commandBlock(receiveCommand(record.queueArn, info), "the receive-message command"),
      ),
    !record &&
      h("p", { class: "note" }, "No queue of this sandbox is known to hold it. On AWS this event would be lost."),
  ];
}

/** @param {BusEvent} event */
function mailSection({ mails = [] }) {
  if (mails.length === 0) return [];
  return [
    h("h3", {}, mails.length === 1 ? "Its mail" : "Its mails"),
    h(
      "ul",
      { class: "links" },
      mails.map((mail) =>
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
 * @param {Info} info
 */
function callout(event, info) {
  const { fate } = event;
  const labels = {
    failed: "Failed. ",
    parked: "Parked. ",
    waiting: "Waiting for a retry. First: ",
    late: "Mailed late, by a retry or a redrive. First: ",
  };
  const label = labels[fate];
  if (label !== undefined) {
    return h("div", { class: `callout ${fate}` }, h("p", {}, h("strong", {}, label), cut(troubleOf(event), 1000)));
  }
  const delivery = event.deliveries.find(({ status }) => status === fate);
  if (fate === "retrying" && delivery) {
    return h("div", { class: "callout retrying" }, h("p", {}, retryText(delivery, info)));
  }
  if (fate === "unmatched") {
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
  /** @type {BusEvent | undefined} */
  let shown;
  /** @type {HTMLElement | undefined} */
  let article;

  /**
   * @param {BusEvent} event
   * @param {Info} info
   */
  const build = (event, info) =>
    h(
      "article",
      { class: "event", "aria-labelledby": "reader-title" },
      h(
        "header",
        { class: "reader-head" },
        h(
          "div",
          { class: "reader-actions" },
          back(),
          h("span", { class: `pill ${event.fate}` }, icon(event.fate), STATUS_LABEL[event.fate]),
        ),
        h("h2", { id: "reader-title", tabindex: "-1" }, cut(event.detailType, 500)),
        facts(
          [
            ["Source", event.source],
            ["Bus", shortName(event.bus)],
            ["Id", h("code", {}, event.id)],
            ["Date", h("time", { datetime: event.time }, fullTime(event.time))],
          ],
          "envelope",
        ),
        callout(event, info),
      ),
      h(
        "div",
        { class: "panel" },
        event.deliveries.length > 0 && h("h3", {}, event.deliveries.length === 1 ? "Delivery" : "Deliveries"),
        event.deliveries.map((delivery) => deliveryTimeline(delivery, info)),
        recordSection(event, info),
        mailSection(event),
        h("h3", {}, "Event"),
        jsonBlock(event.event ?? event.detail, "The event", event.tooDeep),
      ),
    );

  return {
    /**
     * @param {BusEvent} event
     * @param {Info} info
     */
    show(event, info) {
      if (event === shown && article && root.contains(article)) return;
      const hadFocus = article?.contains(document.activeElement);
      const isSame = event.id === shown?.id && article !== undefined && root.contains(article);
      const { scrollTop } = root;
      shown = event;
      article = build(event, info);
      root.replaceChildren(article);
      root.scrollTop = isSame ? scrollTop : 0;
      // What had the focus is gone; the title is where reading goes on.
      if (hadFocus) /** @type {HTMLElement} */ (article.querySelector("#reader-title")).focus({ preventScroll: true });
    },
  };
}
