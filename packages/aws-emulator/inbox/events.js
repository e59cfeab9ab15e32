import { redrive } from "./api.js";
import { announce, commandBlock, copyButton, cut, facts, h, heard, icon, jsonBlock } from "./dom.js";
import { clockTime, fullTime, plural, relativeTime, shortAddress, shortName, took } from "./format.js";
import {
  differenceText,
  errorText,
  isExpired,
  isHandedOver,
  putAgainCommand,
  receiveCommand,
  recordSteps,
  retryText,
  STATUS_LABEL,
  statusLine,
  targetName,
  TONE,
  troubleOf,
  verdictOf,
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
 * @param {{ now: number, isNested: boolean }} state
 */
export const eventRow = (event, info, { now, isNested }) => ({
  isNested,
  id: event.id,
  detailType: event.detailType,
  source: event.source,
  about: event.about,
  fate: verdictOf(event).fate,
  line: statusLine(event, info),
  time: relativeTime(event.time, now),
});

/** @param {ReturnType<typeof eventRow>} row */
export const renderEventRow = (row) => [
  h("span", { class: `mark ${TONE[row.fate]}${row.isNested ? " nested" : ""}` }, icon(row.fate)),
  h("span", { class: "title" }, row.isNested && heard("Belongs to the event above: "), row.detailType),
  h("span", { class: `line ${TONE[row.fate]}` }, row.line),
  h("span", { class: "snippet" }, row.about ? `${row.source} · ${row.about}` : row.source),
  h("span", { class: "when" }, row.time),
];

/** The mark of a target that has the event, where nothing is known yet, or bad news follows. */
const HANDED_OVER = "arrow";

/**
 * @param {Attempt} attempt
 * @param {boolean} isGood whether a success is good news
 */
function stateOfAttempt(attempt, isGood) {
  const ms = attempt.endedAt === undefined ? undefined : Date.parse(attempt.endedAt) - Date.parse(attempt.startedAt);
  const after = ms === undefined || Number.isNaN(ms) ? "" : ` after ${took(ms)}`;
  if (attempt.status === undefined || attempt.endedAt === undefined) return { mark: "running", text: "is running" };
  if (attempt.parked !== undefined) return { mark: "parked", text: `parked the event${after}: ${attempt.parked}` };
  if (attempt.status === "success") return { mark: isGood ? "delivered" : HANDED_OVER, text: `succeeded${after}` };
  if (attempt.status === "throttled") {
    return { mark: "waiting", text: `was throttled ${plural(attempt.times ?? 1, "time")}` };
  }
  const verb = { error: "failed", timeout: "timed out" }[attempt.status];
  return { mark: "failed", text: `${verb}${after}` };
}

/**
 * @param {string} mark a fate, or HANDED_OVER
 * @param {string | undefined} time
 * @param {import("./dom.js").Child[]} content
 */
const step = (mark, time, ...content) =>
  h(
    "li",
    { class: "step" },
    h("span", { class: `mark ${TONE[/** @type {import("./api.js").Fate} */ (mark)] ?? "plain"}` }, icon(mark)),
    h("div", { class: "step-body" }, content),
    time === undefined ? null : h("time", { class: "when", datetime: time }, clockTime(time)),
  );

/**
 * @param {import("./api.js").Fate} fate
 * @param {string} label
 */
const pill = (fate, label = STATUS_LABEL[fate]) => h("span", { class: `pill ${TONE[fate]}` }, icon(fate), label);

/**
 * @param {Delivery} delivery
 * @param {BusEvent} event
 */
const deliveryPill = (delivery, event) =>
  isHandedOver(delivery, event)
    ? h("span", { class: "pill plain" }, icon(HANDED_OVER), "Handed over")
    : pill(delivery.status);

/** @param {string} text */
const waited = (text) => h("li", { class: "gap" }, h("span", {}, text));

/**
 * A delivery as a parcel's tracking page would tell it.
 * @param {Delivery} delivery
 * @param {BusEvent} event whose delivery it is
 * @param {Info} info
 */
export function deliveryTimeline(delivery, event, info) {
  const steps = delivery.attempts.flatMap((attempt, index) => {
    const { mark, text } = stateOfAttempt(attempt, !isHandedOver(delivery, event));
    const error = attempt.status === "success" ? "" : errorText(attempt);
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
            "parked",
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
      deliveryPill(delivery, event),
    ),
    steps.length === 0 && last === null ? null : h("ol", { class: "timeline", "aria-label": "Attempts" }, steps, last),
  );
}

/**
 * Where the event's record lies now, how it came there, and what to do about it.
 * @param {BusEvent} event
 * @param {Info} info
 */
function recordSection(event, info) {
  const { fate, records, failures = [] } = event;
  const hasFailed = fate === "failed" || fate === "parked" || fate === "waiting";
  if (!hasFailed && records.length === 0) return [];
  const steps = recordSteps(event, Date.now());
  return [
    h("h3", {}, "Its record"),
    failures.map((failure) =>
      h(
        "p",
        { class: "note" },
        "Lambda reported the failure as ",
        h("a", { href: `#/events/${encodeURIComponent(failure.id)}` }, failure.detailType),
        ` on ${shortName(failure.bus)}.`,
      ),
    ),
    steps.length > 0 &&
      h(
        "ol",
        { class: "timeline", "aria-label": "What became of its record" },
        steps.map(({ mark, time, title, text }) =>
          step(mark, time, h("p", {}, h("strong", {}, title)), text && h("p", { class: "note" }, cut(text, 1000))),
        ),
      ),
    hasFailed && whereNow(event, info),
  ].flat();
}

/**
 * @param {BusEvent} event
 * @param {Info} info
 * @returns {import("./dom.js").Child[]}
 */
function whereNow(event, info) {
  const record = event.records.at(-1);
  if (record === undefined) {
    return [
      h("p", { class: "note" }, "No queue of this sandbox is known to hold it. On AWS this event would be lost."),
    ];
  }
  const queue = h(
    "p",
    { class: "arn" },
    h("code", {}, record.queueArn),
    copyButton(record.queueArn, "the queue's ARN"),
  );
  if (record.isPolled) {
    return [
      h("h3", {}, "Where it is now"),
      queue,
      h(
        "p",
        { class: "note" },
        "It waits there for its next try. To read the queue would use up one of its tries",
        info.listCommand === undefined ? "." : ": ",
        info.listCommand !== undefined && h("code", {}, info.listCommand),
        info.listCommand !== undefined && " counts what waits.",
      ),
    ];
  }
  if (isExpired(event.keptUntil, Date.now())) return [];
  return [
    h("h3", {}, "Where it is now"),
    queue,
    event.keptUntil !== undefined &&
      h("p", { class: "note" }, "The queue keeps it until ", fullTime(event.keptUntil), "."),
    h("h3", {}, "What to do"),
    ...(event.redriveAdvice === undefined
      ? redriveActions(event, info)
      : adviceActions(event, event.redriveAdvice, info)),
    h("p", { class: "note" }, "To look at what is in the queue:"),
    commandBlock(receiveCommand(record.queueArn, info), "the receive-message command"),
  ];
}

/**
 * @param {BusEvent} event
 * @param {Info} info
 */
const redriveActions = (event, info) => [
  event.redriveCommand !== undefined && h("p", { class: "note" }, "Mend what was wrong, then send it again:"),
  event.redriveCommand !== undefined && commandBlock(event.redriveCommand, "the redrive command"),
  info.canRedrive && redriveButton(event),
];

/**
 * What to do about an event that a redrive would not help: it has no Redrive button.
 * @param {BusEvent} event
 * @param {NonNullable<BusEvent["redriveAdvice"]>} advice
 * @param {Info} info
 */
function adviceActions(event, { text, isCorrectable, redrive: later }, info) {
  const again = isCorrectable ? putAgainCommand(event, info) : undefined;
  return [
    h("p", { class: "advice" }, text),
    again !== undefined && h("p", { class: "note" }, again.when),
    again !== undefined && commandBlock(again.command, again.name),
    later !== undefined && h("p", { class: "note" }, later.when),
    later !== undefined && commandBlock(later.command, "the redrive command"),
  ];
}

/** What a redrive printed, by event: it outlives the news that build the pane again. @type {Map<string, string>} */
const redriven = new Map();

/** @param {BusEvent} event */
function redriveButton({ id }) {
  const output = h("pre", { class: "output", role: "region", tabindex: "0", "aria-label": "What the redrive said" });
  const button = h("button", { type: "button", class: "button primary" }, icon("retrying"), "Redrive");
  /** @param {string} text */
  const say = (text) => {
    redriven.set(id, text);
    output.hidden = text === "";
    output.textContent = text;
  };
  say(redriven.get(id) ?? "");
  button.addEventListener("click", () => {
    button.toggleAttribute("disabled", true);
    announce("Redriving");
    void redrive(id)
      .catch((error) => ({ ok: false, output: String(error) }))
      .then(({ ok, output: text }) => {
        say(text.trim());
        announce(ok ? "The redrive is done" : "The redrive failed");
        button.toggleAttribute("disabled", false);
        // The news of the event may have built the pane again: the output is then in the new one.
        const shown = document.querySelector(".redrive .output");
        if (shown?.textContent === text.trim()) shown.scrollIntoView({ block: "nearest" });
      });
  });
  return h("div", { class: "redrive" }, button, output);
}

/**
 * The events that belong to it, and the one that it belongs to.
 * @param {BusEvent} event
 * @param {Info} info
 */
function relatedSection({ parent, children = [] }, info) {
  /**
   * @param {string} id
   * @param {import("./dom.js").Child[]} content
   */
  const link = (id, ...content) => h("li", {}, h("a", { href: `#/events/${encodeURIComponent(id)}` }, content));
  return [
    parent !== undefined && h("h3", {}, "Belongs to"),
    parent !== undefined &&
      h(
        "ul",
        { class: "links" },
        link(parent, icon("event"), h("span", { class: "link-title" }, "The event behind it")),
      ),
    children.length > 0 && h("h3", {}, "What followed"),
    children.length > 0 &&
      h(
        "ul",
        { class: "links" },
        children.map((child) =>
          link(
            child.id,
            h("span", { class: `mark ${TONE[child.fate]}` }, icon(child.fate)),
            h("span", { class: "link-title" }, child.detailType),
            h("span", { class: "from" }, statusLine(child, info)),
          ),
        ),
      ),
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
  const verdict = verdictOf(event);
  if (verdict.news !== undefined) {
    const label = h("strong", {}, `${verdict.label}. ${verdict.isFirst ? "First: " : ""}`);
    return h("div", { class: `callout ${TONE[verdict.fate]}` }, h("p", {}, label, cut(verdict.news, 1000)));
  }
  /** @type {Partial<Record<import("./api.js").Fate, string>>} */
  const labels = {
    failed: "Failed. ",
    parked: "Parked. ",
    waiting: "Waiting for a retry. First: ",
    late: "Mailed late, by a retry or a redrive. First: ",
    discarded: "Discarded. First: ",
  };
  const label = labels[fate] ?? (event.notice && TONE[fate] !== "good" ? `${STATUS_LABEL[fate]}. ` : undefined);
  if (label !== undefined) {
    const trouble = fate in labels ? troubleOf(event) : (event.notice?.text ?? "");
    return h("div", { class: `callout ${TONE[fate]}` }, h("p", {}, h("strong", {}, label), cut(trouble, 1000)));
  }
  const delivery = event.deliveries.find(({ status }) => status === fate);
  if (fate === "retrying" && delivery) {
    return h("div", { class: "callout waits" }, h("p", {}, retryText(delivery, info)));
  }
  if (fate === "unmatched") {
    return h(
      "div",
      { class: "callout" },
      h("p", {}, h("strong", {}, "No rule matched. "), "EventBridge drops such an event without a trace."),
      nearestRule(event),
    );
  }
  return null;
}

/** @param {BusEvent} event */
function nearestRule({ nearest, bus }) {
  if (nearest === undefined) return h("p", {}, `The bus ${shortName(bus)} has no rule that an event could match.`);
  const { rule, matching, fields, difference, isDisabled } = nearest;
  const reason = isDisabled
    ? "It would match, but it is disabled."
    : difference === undefined
      ? "Each of its fields matches, but not in the same element of an array."
      : cut(differenceText(difference), 1000);
  return h(
    "p",
    {},
    "Nearest is the rule ",
    h("code", {}, rule),
    `, of which ${matching} of ${plural(fields, "field")} ${matching === 1 ? "matches" : "match"}: `,
    h("strong", {}, reason),
  );
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
  const build = (event, info) => {
    const verdict = verdictOf(event);
    return h(
      "article",
      { class: "event", "aria-labelledby": "reader-title" },
      h(
        "header",
        { class: "reader-head" },
        h("div", { class: "reader-actions" }, back(), pill(verdict.fate, verdict.label)),
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
        event.deliveries.map((delivery) => deliveryTimeline(delivery, event, info)),
        recordSection(event, info),
        mailSection(event),
        relatedSection(event, info),
        h("h3", {}, "Event"),
        jsonBlock(event.event ?? event.detail, "The event", event.tooDeep),
      ),
    );
  };

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
