/** The inbox page: state, routes and what happens on a key. The gateway's API is in api.js. */
import { clearAll, fetchRows, listen } from "./api.js";
import { announce, byId, facts, h, icon } from "./dom.js";
import { createEventReader, eventRow, renderEventRow } from "./events.js";
import { plural, wait } from "./format.js";
import { listenToKeys, shortcutHelp } from "./keyboard.js";
import { createList } from "./list.js";
import { announceMails, createMailReader, mailRow, renderMailRow, TABS, welcome } from "./mail.js";
import { createMemory } from "./memory.js";
import { createStore } from "./store.js";

/** @typedef {import("./api.js").View} View */

const RELATIVE_TIMES_MS = 30_000;
/** Mails that come together are announced together. */
const ANNOUNCE_MS = 500;
const NARROW = window.matchMedia("(max-width: 760px)");

const state = {
  /** @type {View} */
  view: "mail",
  /** @type {string | undefined} */
  openId: undefined,
  tab: 0,
  query: "",
  /** Something was opened to be read: its title gets the focus as soon as it is there. */
  focusReader: false,
  /** The results of a search that is under way get the focus. */
  focusResults: false,
};

const store = createStore({ onUpdate: render, onArrival: tellOfMails, onTrouble: showTrouble });
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
    onWindow: (ids) => store.want("mail", ids),
    rowOf: (id) => {
      const mail = /** @type {import("./api.js").Mail | undefined} */ (store.row("mail", id));
      return mail && mailRow(mail, { unread: !memory.isRead(id), now: Date.now() });
    },
  }),
  events: createList({
    root: byId("event-list"),
    render: renderEventRow,
    onOpen: (id) => open(id),
    onWindow: (ids) => store.want("events", ids),
    rowOf: (id) => {
      const event = /** @type {import("./api.js").BusEvent | undefined} */ (store.row("events", id));
      return event && store.info && eventRow(event, store.info, { now: Date.now(), isNested: store.isNested(id) });
    },
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
  store.show(state.view, state.openId);
  render();
  if (state.openId !== undefined) lists[state.view].activate(state.openId);
  reader.scrollTop = 0;
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

function focusReader() {
  state.focusReader = store.open?.state === "loading";
  if (!state.focusReader) byId("reader-title")?.focus({ preventScroll: true });
}

/* Rendering */

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

/** The links to what else the gateway serves. */
function renderPages() {
  const nav = byId("views");
  const shown = nav.querySelectorAll("a.page");
  const pages = store.info?.pages ?? [];
  if (shown.length === pages.length) return;
  for (const link of shown) link.remove();
  nav.append(
    ...pages.map(({ name, title }) => h("a", { class: "page", href: `pages/${encodeURIComponent(name)}/` }, title)),
  );
}

function renderReader() {
  const { view, tab } = state;
  const { open, info } = store;
  if (!info) return;
  const isEmpty = store.all(view).length === 0;
  document.body.dataset.pane = open !== undefined ? "reader" : isEmpty ? "empty" : "list";
  reader.setAttribute("aria-busy", String(open?.state === "loading"));
  if (open === undefined) {
    renderOnce("welcome", () => welcome(view, isEmpty, info, store.example), [view, isEmpty, info, store.example]);
  } else if (open.state === "loading") {
    // A few milliseconds. What was open before is not what the address says.
    reader.replaceChildren();
  } else if (open.state === "missing") renderOnce("missing", missing, [view, open.id]);
  else if (open.mail) mailReader.show(open.mail, open.event, info, tab);
  else if (open.event) eventReader.show(open.event, info);
  if (state.focusReader && open?.state !== "loading") focusReader();
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
    h("p", {}, "The inbox was cleared since, or it comes from an earlier run: the sandbox forgets all when it stops."),
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

/** @type {Record<import("./api.js").Filter, string>} */
const NOTHING_FOUND = {
  all: "",
  failed: "No event has failed.",
  business: "No business event yet.",
  ses: "SES has told of nothing yet.",
};

function renderListNote() {
  const note = byId("list-note");
  const isMail = state.view === "mail";
  const isFiltered = !isMail && store.filter !== "all";
  const dropped = store.dropped[isMail ? "mails" : "events"];
  const text =
    lists[state.view].length > 0
      ? dropped > 0
        ? `The sandbox keeps the newest: ${plural(dropped, isMail ? "older mail was" : "older event was", isMail ? "older mails were" : "older events were")} dropped.`
        : ""
      : !store.isSearched
        ? "Searching…"
        : state.query !== ""
          ? `Nothing matches “${state.query}”.`
          : isFiltered
            ? NOTHING_FOUND[store.filter]
            : isMail
              ? "No mail yet."
              : "No events yet.";
  note.hidden = text === "";
  note.textContent = text;
}

let shownInfo = "";

/** @param {import("./api.js").Info} info */
function renderInfo(info) {
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
  const { view, openId } = state;
  const { info } = store;
  if (!info) return;
  memory.use(info.startedAt);
  if (view === "mail" && store.open?.state === "here") memory.markRead(store.open.id);
  for (const each of /** @type {View[]} */ (["mail", "events"])) {
    const ids = store.shown(each);
    // Before it is filled: what is hidden has no size.
    byId(each === "mail" ? "mail-list" : "event-list").hidden = view !== each || ids.length === 0;
    lists[each].update(ids, view === each ? openId : undefined);
  }
  renderListNote();
  const filters = byId("filters");
  filters.hidden = view !== "events";
  for (const button of filters.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.filter === store.filter));
  }
  byId("clear").disabled = store.all("mail").length === 0 && store.all("events").length === 0;
  if (state.focusResults && store.isSearched) {
    state.focusResults = false;
    lists[view].focus();
  }

  const unread = store.all("mail").reduce((count, id) => count + (memory.isRead(id) ? 0 : 1), 0);
  const { failed } = store;
  renderPages();
  renderNav("mail", "Mail", unread > 0 ? h("span", { class: "count" }, unread, " unread") : null);
  renderNav("events", "Events", failed > 0 ? h("span", { class: "count failed" }, failed, " failed") : null);
  document.title = `${unread > 0 ? `(${unread}) ` : ""}Sandbox inbox`;
  renderInfo(info);
  renderReader();
  if (announcedFailed !== undefined && failed > announcedFailed) {
    announce(`${plural(failed - announcedFailed, "event")} failed`);
  }
  announcedFailed = failed;
}

/* The gateway */

/** @type {number | undefined} */
let announcedFailed;
/** @type {string[]} */
let arrived = [];

/** @param {string[]} ids */
function tellOfMails(ids) {
  if (arrived.length === 0) setTimeout(() => void announceArrived(), ANNOUNCE_MS);
  arrived.push(...ids);
}

async function announceArrived() {
  const ids = arrived;
  arrived = [];
  const [mail] = ids.length === 1 ? await fetchRows("mail", ids).catch(() => []) : [];
  announceMails(ids.length, /** @type {import("./api.js").Mail | undefined} */ (mail));
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
    results: () => {
      // Typed faster than it is found: the first result gets the focus when it is there.
      state.focusResults = !store.isSearched;
      if (!state.focusResults) lists[state.view].focus();
    },
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
  state.query = search.value.trim();
  state.focusResults = false;
  store.search(state.query);
  render();
}

for (const button of byId("filters").querySelectorAll("button")) {
  button.addEventListener("click", () => {
    store.filterBy(button.dataset.filter);
    render();
  });
}

const clearDialog = byId("clear-dialog");
byId("clear").addEventListener("click", () => clearDialog.showModal());
byId("clear-cancel").addEventListener("click", () => clearDialog.close());
byId("clear-confirm").addEventListener("click", () => {
  clearDialog.close();
  clearAll().then(
    () => {
      announce("The inbox is cleared");
      go(hashOf(state.view), true);
    },
    (error) => showTrouble(`The inbox was not cleared (${error.message}).`),
  );
});

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
store.show(state.view, state.openId);
setInterval(render, RELATIVE_TIMES_MS);
listen({
  onRestart: () => void store.restart(),
  onChange: (change) => store.apply(change),
  onState: showConnection,
});
