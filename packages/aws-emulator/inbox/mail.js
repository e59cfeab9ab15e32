import { announce, commandBlock, cut, facts, h, heard, icon, jsonBlock, textBlock } from "./dom.js";
import { emlUrl, fetchRaw } from "./api.js";
import { deliveryTimeline } from "./events.js";
import { fullTime, plural, relativeTime, shortAddress, shortName } from "./format.js";
import { mailDocument, hasRemoteContent } from "./frame.js";
import { notificationOf, putEventsCommand } from "./model.js";

/**
 * @typedef {import("./api.js").Mail} Mail
 * @typedef {import("./api.js").BusEvent} BusEvent
 * @typedef {import("./api.js").Info} Info
 */

const SNIPPET_LENGTH = 160;

/**
 * The beginning of the text, but for a first line that only says what the subject says.
 * @param {Mail} mail
 */
function snippetOf(mail) {
  // A parsed document that is never shown loads and runs nothing.
  const text = mail.text || new window.DOMParser().parseFromString(mail.html ?? "", "text/html").body.textContent || "";
  const lines = text
    .slice(0, SNIPPET_LENGTH * 4)
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const repeats = lines.length > 1 && mail.subject.toLowerCase().includes(lines[0]?.toLowerCase() ?? "");
  return lines
    .slice(repeats ? 1 : 0)
    .join(" ")
    .slice(0, SNIPPET_LENGTH);
}

/**
 * @param {Mail} mail
 * @param {{ unread: boolean, now: number }} state
 */
export const mailRow = (mail, { unread, now }) => ({
  id: mail.id,
  from: shortAddress(mail.from),
  to: mail.to.map(shortAddress).join(", ") || "nobody",
  subject: mail.subject || "(no subject)",
  snippet: mail.renderError === undefined ? snippetOf(mail) : mail.renderError,
  time: relativeTime(mail.time, now),
  chip: notificationOf(mail),
  unread,
  unsent: mail.renderError !== undefined,
});

/** @param {ReturnType<typeof mailRow>} row */
export const renderMailRow = (row) => [
  h("span", { class: row.unread ? "dot unread" : "dot" }, row.unread && heard("Unread")),
  h("span", { class: row.unread ? "title unread" : "title" }, row.subject),
  h(
    "span",
    { class: "people" },
    h("span", { class: "to" }, heard("to "), row.to),
    " ",
    h("span", { class: "from" }, `from ${row.from}`),
  ),
  h("span", { class: "when" }, row.time),
  row.unsent ? h("span", { class: "chip failed" }, "Never sent") : h("span", { class: "chip" }, row.chip),
  h("span", { class: "snippet" }, row.snippet),
];

/** @param {string} text */
const paragraph = (text) => h("p", { class: "note" }, text);

/** How wide a mail is shown: as wide as there is room for, or as on a phone. It stays so from mail to mail. */
let isPhone = false;

/** @param {Mail} mail */
function htmlPanel(mail) {
  if (!mail.html) return [paragraph(mail.renderError ? "Nothing was rendered." : "This mail has no HTML part.")];
  const paper = h("iframe", {
    class: "paper",
    title: "The mail's HTML",
    // No scripts, no forms, no access to this page; a link opens a tab of its own, which is an ordinary page again.
    sandbox: "allow-popups allow-popups-to-escape-sandbox",
    referrerpolicy: "no-referrer",
    srcdoc: mailDocument(mail.html),
  });
  const widths = [
    { label: "Full width", phone: false },
    { label: "Phone, 375 px", phone: true },
  ].map(({ label, phone }) => ({ phone, button: h("button", { type: "button", class: "toggle" }, label) }));
  /** @param {boolean} phone */
  const resize = (phone) => {
    isPhone = phone;
    paper.classList.toggle("phone", phone);
    for (const each of widths) each.button.setAttribute("aria-pressed", String(each.phone === phone));
  };
  for (const { button, phone } of widths) button.addEventListener("click", () => resize(phone));
  resize(isPhone);
  return [
    h(
      "div",
      { class: "strip" },
      h(
        "div",
        { class: "toggles", role: "group", "aria-label": "Width of the mail" },
        widths.map(({ button }) => button),
      ),
      hasRemoteContent(mail.html) &&
        h("p", { class: "note" }, "Remote images and styles are not loaded here. Recipients may see them."),
    ),
    h("div", { class: "desk" }, paper),
  ];
}

/**
 * The message as SES sends it, fetched when it is looked at.
 * @param {HTMLElement} panel
 * @param {Mail} mail
 */
async function showRaw(panel, mail) {
  if (panel.dataset.of === mail.id) return;
  panel.dataset.of = mail.id;
  try {
    panel.replaceChildren(textBlock(await fetchRaw(mail.id), "The raw message"));
  } catch (error) {
    delete panel.dataset.of;
    panel.replaceChildren(paragraph(`The message could not be fetched (${String(error)}).`));
  }
}

/** @param {Mail} mail */
const textPanel = (mail) =>
  mail.text
    ? [h("pre", { class: "plain-text", tabindex: "0", role: "region", "aria-label": "The mail's text" }, mail.text)]
    : [paragraph(mail.renderError ? "Nothing was rendered." : "This mail has no text part.")];

/** @param {unknown} data SES takes template data as a JSON string */
function parsed(data) {
  if (typeof data !== "string") return data;
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}

/** @param {Mail} mail */
function sourcePanel(mail) {
  const headers = mail.headers ?? [];
  const tags = Object.entries(mail.tags ?? {});
  return [
    h("h3", {}, "Headers"),
    headers.length > 0
      ? facts(
          headers.map(({ name, value }) => [name, value]),
          "facts mono",
        )
      : paragraph("No headers were recorded."),
    h("h3", {}, "Sent with"),
    facts([
      ["Template", mail.template],
      ["Configuration set", mail.configurationSet],
      ["Tags", tags.map(([name, value]) => h("span", { class: "chip" }, `${name}: ${value}`))],
      ["Lambda request", mail.requestId],
    ]),
    h("h3", {}, "Template data"),
    mail.templateData === undefined || mail.templateData === null
      ? paragraph("This mail was sent without a template.")
      : jsonBlock(parsed(mail.templateData), "Template data", mail.templateDataTooDeep),
    ...(mail.html ? [h("h3", {}, "HTML source"), textBlock(mail.html, "HTML source")] : []),
  ];
}

/**
 * @param {Mail} mail
 * @param {BusEvent | undefined} event
 * @param {Info} info
 */
function eventPanel(mail, event, info) {
  if (!event) {
    const eventId = mail.eventId ?? mail.tags?.eventId;
    return [
      paragraph(
        eventId
          ? `Event ${eventId} caused this mail. It is no longer listed.`
          : "No event is known to have caused this mail: something called SES directly.",
      ),
    ];
  }
  return [
    h(
      "div",
      { class: "panel-head" },
      h("p", {}, h("strong", {}, event.detailType), ` from ${event.source}`),
      h("a", { class: "button", href: `#/events/${encodeURIComponent(event.id)}` }, icon("event"), "Show in Events"),
    ),
    facts([
      ["Rule", h("code", {}, shortName(mail.rule ?? event.deliveries[0]?.rule ?? ""))],
      ["Bus", h("code", {}, shortName(event.bus))],
      ["Attempts", plural(attemptsBehind(mail, event), "attempt")],
    ]),
    ...event.deliveries
      .filter((delivery) => mail.rule === undefined || shortName(delivery.rule) === shortName(mail.rule))
      .map((delivery) => deliveryTimeline(delivery, event, info)),
    h("h3", {}, "Event"),
    jsonBlock(event.event ?? event.detail, "The event", event.tooDeep),
  ];
}

/**
 * @param {Mail} mail
 * @param {BusEvent} event
 */
function attemptsBehind(mail, event) {
  const delivery =
    event.deliveries.find(({ attempts }) =>
      attempts.some(({ requestId }) => requestId && requestId === mail.requestId),
    ) ?? event.deliveries.find(({ rule }) => mail.rule !== undefined && shortName(rule) === shortName(mail.rule));
  return (delivery ?? event.deliveries[0])?.attempts.length ?? 0;
}

export const TABS = ["HTML", "Text", "Source", "Event", "Raw"];
const EVENT_TAB = 3;
const RAW_TAB = 4;

/**
 * The reading pane for a mail. The frame of a mail that is already shown is left alone when news arrives.
 * @param {HTMLElement} root
 * @param {{ back: () => HTMLElement, onTab: (tab: number) => void }} options
 */
export function createMailReader(root, { back, onTab }) {
  /** @type {Mail | undefined} */
  let shownMail;
  /** @type {BusEvent | undefined} */
  let shownEvent;
  /** @type {HTMLElement[]} */
  let tabs = [];
  /** @type {HTMLElement[]} */
  let panels = [];

  /** @param {number} chosen */
  const select = (chosen) => {
    tabs.forEach((tab, index) => {
      tab.setAttribute("aria-selected", String(index === chosen));
      tab.tabIndex = index === chosen ? 0 : -1;
    });
    panels.forEach((panel, index) => (panel.hidden = index !== chosen));
  };

  /** @param {KeyboardEvent} event */
  const moveTab = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const index = tabs.findIndex((tab) => tab === event.target);
    const next = (index + step + tabs.length) % tabs.length;
    onTab(next);
    tabs[next]?.focus();
  };

  /** @param {Mail} mail */
  const build = (mail) => {
    const unsent = mail.renderError !== undefined;
    tabs = TABS.map((label, index) =>
      h(
        "button",
        {
          type: "button",
          role: "tab",
          id: `tab-${index}`,
          "aria-controls": `panel-${index}`,
          "aria-keyshortcuts": String(index + 1),
          click: () => onTab(index),
          keydown: moveTab,
        },
        label,
      ),
    );
    panels = [htmlPanel(mail), textPanel(mail), sourcePanel(mail), [], []].map((content, index) =>
      h("div", { role: "tabpanel", class: "panel", id: `panel-${index}`, "aria-labelledby": `tab-${index}` }, content),
    );
    root.replaceChildren(
      h(
        "article",
        { class: "mail", "aria-labelledby": "reader-title" },
        h(
          "header",
          { class: "reader-head" },
          h(
            "div",
            { class: "reader-actions" },
            back(),
            h("span", { class: "chip" }, notificationOf(mail)),
            !unsent &&
              h(
                "a",
                {
                  class: "button",
                  href: emlUrl(mail.id),
                  download: `${mail.id}.eml`,
                  "aria-label": "Download as .eml",
                },
                icon("download"),
                ".eml",
              ),
          ),
          h("h2", { id: "reader-title", tabindex: "-1" }, cut(mail.subject, 500) || "(no subject)"),
          facts(
            [
              ["From", mail.from],
              ["To", mail.to.join(", ")],
              ["Cc", (mail.cc ?? []).join(", ")],
              ["Bcc", (mail.bcc ?? []).join(", ")],
              ["Date", h("time", { datetime: mail.time }, fullTime(mail.time))],
            ],
            "envelope",
          ),
          unsent &&
            h(
              "div",
              { class: "callout bad" },
              h("p", {}, h("strong", {}, "Never sent. "), "SES took this mail, then could not render its template."),
              h("p", { class: "mono" }, mail.renderError),
              h("p", {}, "On AWS the call succeeds all the same; only a Rendering Failure event tells."),
            ),
        ),
        h("div", { role: "tablist", class: "tabs", "aria-label": "Parts of the mail" }, tabs),
        panels,
      ),
    );
  };

  return {
    /**
     * @param {Mail} mail
     * @param {BusEvent | undefined} event
     * @param {Info} info
     * @param {number} tab
     */
    show(mail, event, info, tab) {
      const isRebuilt = mail !== shownMail || !root.contains(tabs[0] ?? null);
      if (isRebuilt) build(mail);
      if (isRebuilt || event !== shownEvent) panels[EVENT_TAB]?.replaceChildren(...eventPanel(mail, event, info));
      shownMail = mail;
      shownEvent = event;
      select(tab);
      const raw = panels[RAW_TAB];
      if (tab !== RAW_TAB || raw === undefined) return;
      if (mail.renderError === undefined) void showRaw(raw, mail);
      else raw.replaceChildren(paragraph("Nothing was rendered."));
    },
  };
}

/** @type {Record<import("./api.js").View, { title: string, text: string }>} */
const EMPTY = {
  mail: { title: "No mail yet", text: "Send an event, and the mail that it causes appears here by itself." },
  events: { title: "No events yet", text: "Send an event: it appears here with what became of it, step by step." },
};

/**
 * What the reading pane says before anything is there to read, or to open.
 * @param {import("./api.js").View} view
 * @param {boolean} isEmpty
 * @param {Info} info
 * @param {import("./api.js").Index["example"]} example
 */
export const welcome = (view, isEmpty, info, example) =>
  h(
    "div",
    { class: "welcome" },
    icon(view === "mail" ? "mail" : "event"),
    h("h2", { id: "reader-title", tabindex: "-1" }, isEmpty ? EMPTY[view].title : "Nothing open"),
    h("p", {}, isEmpty ? EMPTY[view].text : "Choose something from the list, or send another event:"),
    info.sendCommand !== undefined && commandBlock(info.sendCommand, "the send command"),
    info.sendCommand !== undefined && h("p", {}, "The same with the AWS CLI:"),
    commandBlock(putEventsCommand(info, example), "the put-events command"),
    h(
      "p",
      { class: "hint" },
      "Any credentials will do, for example AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test.",
    ),
  );

/**
 * Tells of mails that came while the page was open.
 * @param {number} count
 * @param {Mail | undefined} mail the one, where there is only one
 */
export function announceMails(count, mail) {
  announce(mail ? `New mail: ${mail.subject}, to ${mail.to.map(shortAddress).join(", ")}` : `${count} new mails`);
}
