/** The inbox page: state, routes and what happens on a key. The door's API is in api.js. */
import { fetchSnapshot, listen } from "./api.js";
import { announce, byId, facts, h, heard, icon } from "./dom.js";
import { createEventReader, eventRow, renderEventRow } from "./events.js";
import { plural, wait } from "./format.js";
import { listenToKeys, shortcutHelp } from "./keyboard.js";
import { createList } from "./list.js";
import { announceMails, createMailReader, mailRow, renderMailRow, TABS, welcome } from "./mail.js";
import { eventOf, failedCount, fateOf, matches } from "./model.js";
import { createMemory } from "./memory.js";

/**
 * @typedef {"mail" | "events"} View
 * @typedef {import("./api.js").Snapshot} Snapshot
 */

const RELATIVE_TIMES_MS = 30_000;
const NARROW = window.matchMedia("(max-width: 760px)");

const state = {
  /** @type {Snapshot | undefined} */
  snapshot: undefined,
  /** @type {View} */
  view: "mail",
  /** @type {string | undefined} */
  openId: undefined,
  tab: 0,
  query: "",
};

const memory = createMemory();
const reader = byId("reader");

const back = () =>
  h(
    "button",
    { type: "button", class: "button back", "aria-label": "Back to the list", click: close },
    icon("back"),
    "List",
  );

const lists = {
  mail: createList({
    root: byId("mail-list"),
    render: renderMailRow,
    onOpen: (id) => open(id),
  }),
  events: createList({
    root: byId("event-list"),
    render: renderEventRow,
    onOpen: (id) => open(id),
  }),
};
const mailReader = createMailReader(reader, { back, onTab: chooseTab });
const eventReader = createEventReader(reader, { back });

/* Routes: #/mail, #/mail/<id>, #/events, #/events/<id> */

/**
 * @param {View} view
 * @param {string} [id]
 */
const hashOf = (view, id) => (id === undefined ? `#/${view}` : `#/${view}/${encodeURIComponent(id)}`);

function readRoute() {
  const [, view, id] = location.hash.split("/");
  state.view = view === "events" ? "events" : "mail";
  try {
    state.openId = id ? decodeURIComponent(id) : undefined;
  } catch {
    state.openId = id;
  }
}

/**
 * @param {string} hash
 * @param {boolean} [replace] instead of a new entry in the history
 */
function go(hash, replace = false) {
  if (hash === location.hash) return;
  history[replace ? "replaceState" : "pushState"](null, "", hash);
  route();
}

function route() {
  readRoute();
  if (state.openId !== undefined) lists[state.view].activate(state.openId);
  reader.scrollTop = 0;
  render();
}

/** @param {string} id */
function open(id) {
  // Walking from mail to mail is one step in the history.
  go(hashOf(state.view, id), state.openId !== undefined);
  if (NARROW.matches) focusReader();
}

function close() {
  if (state.openId === undefined) return;
  go(hashOf(state.view), true);
  lists[state.view].focus();
}

/** @param {View} view */
function switchTo(view) {
  go(hashOf(view));
  lists[view].focus();
}

/** @param {number} tab */
function chooseTab(tab) {
  state.tab = tab;
  render();
}

const focusReader = () => byId("reader-title")?.focus({ preventScroll: true });

/* Rendering */

/** @param {Snapshot} snapshot */
function rows(snapshot) {
  const { mails, events } = snapshot;
  const now = Date.now();
  const wanted = state.query.trim();
  const shownMails = mails.filter((mail) =>
    matches(wanted, [
      mail.subject,
      mail.from,
      ...mail.to,
      ...(mail.cc ?? []),
      ...(mail.bcc ?? []),
      mail.template,
      wanted ? eventOf(mail, events)?.detailType : undefined,
    ]),
  );
  const shownEvents = events.filter((event) =>
    matches(wanted, [
      event.detailType,
      event.source,
      event.id,
      fateOf(event, snapshot),
      wanted ? JSON.stringify(event.detail ?? null) : undefined,
    ]),
  );
  return {
    mail: shownMails.map((mail) => mailRow(mail, { unread: !memory.isRead(mail.id), now })),
    events: shownEvents.map((event) => eventRow(event, snapshot, now)),
  };
}

/**
 * @param {string} view
 * @param {string} label
 * @param {HTMLElement | null} badge
 */
function renderNav(view, label, badge) {
  const link = byId(`nav-${view}`);
  link.replaceChildren(label, ...(badge ? [" ", badge] : []));
  if (state.view === view) link.setAttribute("aria-current", "page");
  else link.removeAttribute("aria-current");
}

/** @param {Snapshot} snapshot */
function renderReader(snapshot) {
  const { openId, view, tab } = state;
  const nothing = (view === "mail" ? snapshot.mails : snapshot.events).length === 0;
  document.body.dataset.pane = openId !== undefined ? "reader" : nothing ? "empty" : "list";
  if (openId === undefined)
    return renderOnce("welcome", () => welcome(snapshot), [snapshot.mails.length > 0, snapshot.info]);
  if (view === "mail") {
    const mail = snapshot.mails.find(({ id }) => id === openId);
    if (mail) return mailReader.show(mail, snapshot, tab);
  } else {
    const event = snapshot.events.find(({ id }) => id === openId);
    if (event) return eventReader.show(event, snapshot);
  }
  renderOnce("missing", missing, [view, openId]);
}

/** @returns {HTMLElement} */
const missing = () =>
  h(
    "div",
    { class: "welcome" },
    icon("unmatched"),
    h(
      "h2",
      { id: "reader-title", tabindex: "-1" },
      state.view === "mail" ? "This mail isn’t here" : "This event isn’t here",
    ),
    h("p", {}, "It may come from an earlier run: the sandbox forgets everything when it stops."),
    h("p", {}, h("a", { class: "button", href: hashOf(state.view) }, "Back to the list")),
  );

/** @type {{ key: string, content: HTMLElement } | undefined} */
let placeholder;

/**
 * @param {string} name
 * @param {() => HTMLElement} build
 * @param {unknown} inputs it is built again when these change
 */
function renderOnce(name, build, inputs) {
  const key = JSON.stringify([name, inputs]);
  if (placeholder?.key === key && reader.contains(placeholder.content)) return;
  placeholder = { key, content: build() };
  reader.replaceChildren(placeholder.content);
}

function renderListNote() {
  const note = byId("list-note");
  note.hidden = lists[state.view].length > 0;
  note.textContent = state.query.trim()
    ? `Nothing matches “${state.query.trim()}”.`
    : state.view === "mail"
      ? "No mail yet."
      : "No events yet.";
}

let shownInfo = "";

/** @param {Snapshot} snapshot */
function renderInfo({ info }) {
  const next = JSON.stringify(info);
  if (next === shownInfo) return;
  shownInfo = next;
  byId("place").replaceChildren(h("strong", {}, info.region), " ", h("span", {}, info.endpoint));
  byId("limits").replaceChildren(
    h("h2", {}, "This is not all of AWS"),
    h(
      "ul",
      {},
      info.notEmulated.map((limit) => h("li", {}, limit)),
    ),
    facts([
      ["Retries", `${info.retryDelaysMs.map(wait).join(", then ")} apart; Lambda waits about 1 minute, then about 2`],
      ["Endpoint", info.endpoint],
      ["Region", info.region],
      ["Account", info.accountId],
    ]),
  );
}

function render() {
  const { snapshot, view, openId } = state;
  if (!snapshot) return;
  if (view === "mail" && openId !== undefined && snapshot.mails.some(({ id }) => id === openId))
    memory.markRead(openId);
  const shown = rows(snapshot);
  lists.mail.update(shown.mail, view === "mail" ? openId : undefined);
  lists.events.update(shown.events, view === "events" ? openId : undefined);
  byId("mail-list").hidden = view !== "mail" || shown.mail.length === 0;
  byId("event-list").hidden = view !== "events" || shown.events.length === 0;
  renderListNote();

  const unread = snapshot.mails.filter(({ id }) => !memory.isRead(id)).length;
  const failed = failedCount(snapshot);
  renderNav("mail", "Mail", unread > 0 ? h("span", { class: "count" }, unread, heard(" unread")) : null);
  renderNav("events", "Events", failed > 0 ? h("span", { class: "count failed" }, failed, " failed") : null);
  document.title = `${unread > 0 ? `(${unread}) ` : ""}Sandbox inbox`;
  renderInfo(snapshot);
  renderReader(snapshot);
}

/* The door */

/** @param {Snapshot} next */
function receive(next) {
  const previous = state.snapshot;
  memory.use(next.info.startedAt);
  state.snapshot = next;
  if (previous) {
    const known = new Set(previous.mails.map(({ id }) => id));
    announceMails(next.mails.filter(({ id }) => !known.has(id)));
    const failures = failedCount(next) - failedCount(previous);
    if (failures > 0) announce(`${plural(failures, "event")} failed`);
  }
  render();
}

let fetching = false;
let stale = false;

/** Fetches again if something changed meanwhile, so that a burst of changes costs two rounds. */
async function refresh() {
  stale = true;
  if (fetching) return;
  fetching = true;
  try {
    while (stale) {
      stale = false;
      receive(await fetchSnapshot());
    }
    showTrouble("");
  } catch (error) {
    showTrouble(`The sandbox gave no answer (${error instanceof Error ? error.message : String(error)}).`);
  } finally {
    fetching = false;
  }
}

/** @param {string} text */
function showTrouble(text) {
  const banner = byId("banner");
  banner.hidden = text === "";
  if (banner.textContent !== text) banner.textContent = text;
}

/** @param {"live" | "disconnected"} connection */
function showConnection(connection) {
  const element = byId("connection");
  const text = connection === "live" ? "Live" : "Disconnected, trying again";
  element.dataset.state = connection;
  if (element.textContent !== text) element.textContent = text;
}

/* Keyboard, search, dialogs */

/** @param {string | undefined} id */
function moveTo(id) {
  if (id === undefined) return;
  const list = lists[state.view];
  const inReader = reader.contains(document.activeElement);
  list.activate(id);
  // With a mail open, moving opens the next one; else it only moves.
  if (state.openId !== undefined) open(id);
  if (inReader) focusReader();
  else list.focus();
}

/** @param {number} tab */
const tabAction = (tab) => () => {
  if (state.view === "mail" && state.openId !== undefined) chooseTab(tab);
};

const search = byId("search");
const help = byId("help");

listenToKeys({
  singleKeys: () => memory.singleKeys,
  inList: () =>
    lists[state.view].hasFocus || document.activeElement === document.body || document.activeElement === search,
  actions: {
    next: () =>
      moveTo(lists[state.view].hasFocus || state.openId ? lists[state.view].neighbour(1) : lists[state.view].active),
    previous: () => moveTo(lists[state.view].neighbour(-1)),
    first: () => moveTo(lists[state.view].neighbour(-Infinity)),
    last: () => moveTo(lists[state.view].neighbour(Infinity)),
    results: () => lists[state.view].focus(),
    open: () => {
      const id = lists[state.view].active;
      if (id === undefined) return;
      open(id);
      focusReader();
    },
    back: () => {
      if (document.activeElement === search) {
        search.value = "";
        filter();
        lists[state.view].focus();
      } else if (byId("not-emulated").open) byId("not-emulated").open = false;
      else close();
    },
    mail: () => switchTo("mail"),
    events: () => switchTo("events"),
    search: () => {
      // On a narrow page the search field is with the list.
      if (NARROW.matches) close();
      search.focus();
      search.select();
    },
    help: () => help.showModal(),
    ...Object.fromEntries(TABS.map((_, index) => [`tab-${index + 1}`, tabAction(index)])),
  },
});

function filter() {
  state.query = search.value;
  render();
}

search.addEventListener("input", filter);
byId("help-button").addEventListener("click", () => help.showModal());
byId("help-close").addEventListener("click", () => help.close());
byId("keys").append(...shortcutHelp());
byId("single-keys").checked = memory.singleKeys;
byId("single-keys").addEventListener("change", () => (memory.singleKeys = byId("single-keys").checked));
window.addEventListener("hashchange", () => {
  route();
  // A link from mail to event, or back: go on reading there.
  if (state.openId !== undefined && !lists[state.view].hasFocus) focusReader();
});

readRoute();
setInterval(render, RELATIVE_TIMES_MS);
listen({ onChange: () => void refresh(), onState: showConnection });
