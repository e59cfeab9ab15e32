/**
 * What the page knows of the gateway's journal: the ids of everything, and the contents of what is looked at. News are
 * patched in; only what they name, and is looked at, is fetched again.
 */
import { fetchEvent, fetchIndex, fetchInfo, fetchMail, fetchRows, MOST_ROWS, search } from "./api.js";

/**
 * @typedef {import("./api.js").View} View
 * @typedef {import("./api.js").Change} Change
 * @typedef {import("./api.js").Mail} Mail
 * @typedef {import("./api.js").BusEvent} BusEvent
 *
 * @typedef {object} Open what the reading pane shows
 * @property {View} view
 * @property {string} id
 * @property {"loading" | "here" | "missing"} state
 * @property {Mail} [mail]
 * @property {BusEvent} [event] the event itself, or the one that caused the mail
 */

/**
 * @typedef {object} Order ids as the list shows them
 * @property {string[]} from what it was made of
 * @property {string[]} ids
 * @property {Set<string>} nested those that stand below the event that they belong to
 */

/**
 * Each event with those that belong to it below, the first to happen first.
 * @param {string[]} ids the newest first
 * @param {Map<string, string>} parents
 * @returns {Order}
 */
export function grouped(ids, parents) {
  const present = new Set(ids);
  /** @type {Map<string, string[]>} */
  const children = new Map();
  /** @type {string[]} */
  const top = [];
  for (const id of ids) {
    const parent = parents.get(id);
    if (parent === undefined || !present.has(parent)) top.push(id);
    else if (children.has(parent)) children.get(parent)?.push(id);
    else children.set(parent, [id]);
  }
  return {
    from: ids,
    ids: top.flatMap((id) => [id, ...(children.get(id) ?? []).toReversed()]),
    nested: new Set([...children.values()].flat()),
  };
}

/** More rows than this are kept only while they are looked at. */
const MOST_KEPT_ROWS = 1000;

/**
 * One call at a time. Asked for meanwhile, it is made once more at the end: a burst of news costs two.
 * @param {() => Promise<void>} call
 */
function onceAtATime(call) {
  let running = false;
  let again = false;
  return async () => {
    again = true;
    if (running) return;
    running = true;
    try {
      while (again) {
        again = false;
        await call();
      }
    } finally {
      running = false;
    }
  };
}

/**
 * @param {object} handlers
 * @param {() => void} handlers.onUpdate something is to be shown
 * @param {(mailIds: string[]) => void} handlers.onArrival new mails came while the page was open
 * @param {(text: string) => void} handlers.onTrouble the gateway gave no answer; an empty text: it does again
 */
export function createStore({ onUpdate, onArrival, onTrouble }) {
  /** @returns {{ all: string[], known: Set<string>, found: string[] | undefined, foundFor: string, order: Order | undefined, wanted: string[], rows: Map<string, Mail | BusEvent>, stale: Set<string> }} */
  const emptyView = () => ({
    all: [],
    known: new Set(),
    found: undefined,
    foundFor: "",
    order: undefined,
    wanted: [],
    rows: new Map(),
    stale: new Set(),
  });
  const views = { mail: emptyView(), events: emptyView() };
  const state = {
    /** @type {import("./api.js").Info | undefined} */
    info: undefined,
    failed: 0,
    dropped: { mails: 0, events: 0 },
    /** @type {import("./api.js").Index["example"]} */
    example: { bus: undefined },
    /** @type {Map<string, string>} */
    parents: new Map(),
    query: "",
    /** @type {import("./api.js").Filter} */
    filter: "all",
    /** @type {View} */
    view: "mail",
    /** @type {Open | undefined} */
    open: undefined,
  };
  /** Changes that came while everything was fetched. @type {Change[] | undefined} */
  let held = [];

  /** @param {() => Promise<void>} work */
  const guarded = (work) => async () => {
    try {
      await work();
      onTrouble("");
    } catch (error) {
      onTrouble(`The sandbox gave no answer (${error instanceof Error ? error.message : String(error)}).`);
    }
  };

  const restart = onceAtATime(
    guarded(async () => {
      held ??= [];
      const [info, index] = await Promise.all([fetchInfo(), fetchIndex()]);
      const isSameRun = state.info?.startedAt === info.startedAt;
      const arrived = isSameRun ? index.mails.filter((id) => !views.mail.known.has(id)) : [];
      Object.assign(state, { info, failed: index.failed, dropped: index.dropped, example: index.example });
      state.parents = new Map(Object.entries(index.parents));
      for (const [view, ids] of /** @type {[View, string[]][]} */ ([
        ["mail", index.mails],
        ["events", index.events],
      ])) {
        views[view].all = ids;
        views[view].known = new Set(ids);
        // Any of them may have changed.
        for (const id of views[view].rows.keys()) views[view].stale.add(id);
      }
      const late = held;
      held = undefined;
      for (const change of late) apply(change);
      if (arrived.length > 0) onArrival(arrived);
      void find();
      void fill("mail");
      void fill("events");
      void read();
      onUpdate();
    }),
  );

  /** @param {Change} change */
  function apply(change) {
    if (held !== undefined) {
      held.push(change);
      return;
    }
    for (const [id, parent] of Object.entries(change.parents)) state.parents.set(id, parent);
    const isFirst = views.mail.all.length === 0 && change.mails.length > 0;
    const arrived = patch("mail", change.mails, change.dropped.mails - state.dropped.mails);
    patch("events", change.events, change.dropped.events - state.dropped.events);
    state.failed = change.failed;
    state.dropped = change.dropped;
    if (arrived.length > 0) onArrival(arrived);
    if (change[state.view === "mail" ? "mails" : "events"].length > 0) void find();
    void fill(state.view);
    const { open } = state;
    const eventId = open?.event?.id ?? open?.mail?.eventKey;
    const ofOpen = [open?.id, eventId].filter(Boolean);
    if ([...change.mails, ...change.events].some((id) => ofOpen.includes(id))) void read();
    // What the first mail tells of this sandbox is part of the page.
    if (isFirst) void restart();
    onUpdate();
  }

  /**
   * @param {View} view
   * @param {readonly string[]} ids
   * @param {number} dropped how many of the oldest are gone
   * @returns {string[]} those that are new
   */
  function patch(view, ids, dropped) {
    const list = views[view];
    const added = ids.filter((id) => !list.known.has(id));
    for (const id of ids) list.stale.add(id);
    if (added.length === 0 && dropped <= 0) return [];
    list.all = [...added.toReversed(), ...list.all];
    for (const id of added) list.known.add(id);
    if (dropped > 0) {
      for (const id of list.all.splice(-dropped)) {
        list.known.delete(id);
        list.rows.delete(id);
        if (view === "events") state.parents.delete(id);
      }
      list.found = list.found?.filter((id) => list.known.has(id));
    }
    return added.filter((id) => list.known.has(id));
  }

  /**
   * What is searched for, words and filter; empty: all.
   * @param {View} view
   */
  function searchOf(view) {
    const filter = view === "events" ? state.filter : "all";
    return state.query === "" && filter === "all" ? "" : `${filter} ${state.query}`;
  }

  /** @param {View} view */
  function orderOf(view) {
    const list = views[view];
    const { all, found } = list;
    const ids = searchOf(view) === "" || found === undefined ? all : found;
    if (list.order?.from !== ids) {
      list.order = view === "events" ? grouped(ids, state.parents) : { from: ids, ids, nested: new Set() };
    }
    return list.order;
  }

  function searchAnew() {
    for (const view of /** @type {View[]} */ (["mail", "events"])) {
      if (searchOf(view) === "") Object.assign(views[view], { found: undefined, foundFor: "" });
    }
    void find();
  }

  const find = onceAtATime(
    guarded(async () => {
      const { query, view } = state;
      const list = views[view];
      const wanted = searchOf(view);
      if (wanted === "") return;
      const ids = await search(view, query, view === "events" ? state.filter : "all");
      // The next search is under way.
      if (wanted !== searchOf(view)) return;
      list.found = ids;
      list.foundFor = wanted;
      onUpdate();
    }),
  );

  /** The rows that are looked at, and are not here or have changed. @type {Record<View, () => Promise<void>>} */
  const fills = {
    mail: onceAtATime(guarded(() => fillOnce("mail"))),
    events: onceAtATime(guarded(() => fillOnce("events"))),
  };
  /** @param {View} view */
  const fill = (view) => fills[view]();

  /** @param {View} view */
  async function fillOnce(view) {
    const list = views[view];
    const missing = list.wanted
      .filter((id) => list.known.has(id) && (!list.rows.has(id) || list.stale.has(id)))
      .slice(0, MOST_ROWS);
    if (missing.length === 0) return;
    for (const id of missing) list.stale.delete(id);
    const rows = await fetchRows(view, missing);
    for (const row of rows) list.rows.set(row.id, row);
    // What is gone is not asked for again.
    const here = new Set(rows.map(({ id }) => id));
    for (const id of missing) if (!here.has(id)) list.known.delete(id);
    if (list.rows.size > MOST_KEPT_ROWS) {
      const wanted = new Set(list.wanted);
      for (const id of list.rows.keys()) if (!wanted.has(id)) list.rows.delete(id);
    }
    onUpdate();
  }

  /** What the reading pane shows. */
  const read = onceAtATime(
    guarded(async () => {
      const { open } = state;
      if (open === undefined || state.info === undefined) return;
      // What is not among the ids is not asked for.
      const { mail: mails, events } = views;
      const mail =
        open.view === "mail" && mails.known.has(open.id) ? (open.mail ?? (await fetchMail(open.id))) : undefined;
      const eventId = open.view === "events" ? open.id : mail?.eventKey;
      const event = eventId !== undefined && events.known.has(eventId) ? await fetchEvent(eventId) : undefined;
      // Something else was opened meanwhile: its turn is next.
      if (open !== state.open) return;
      const isHere = (open.view === "mail" ? mail : event) !== undefined;
      state.open = { view: open.view, id: open.id, state: isHere ? "here" : "missing" };
      if (mail !== undefined) state.open.mail = mail;
      if (event !== undefined) state.open.event = event;
      onUpdate();
    }),
  );

  return {
    restart,
    apply,

    get isReady() {
      return state.info !== undefined;
    },
    get info() {
      return state.info;
    },
    get failed() {
      return state.failed;
    },
    get dropped() {
      return state.dropped;
    },
    get example() {
      return state.example;
    },
    get open() {
      return state.open;
    },

    /**
     * The ids of all, whatever is searched for.
     * @param {View} view
     */
    all: (view) => views[view].all,

    /**
     * The ids that the list shows; while a search is under way, what the one before found.
     * @param {View} view
     */
    shown: (view) => orderOf(view).ids,

    /**
     * Whether the event stands below the one that it belongs to.
     * @param {string} id
     */
    isNested: (id) => orderOf("events").nested.has(id),

    /** Whether what is shown is what was searched for last. */
    get isSearched() {
      return views[state.view].foundFor === searchOf(state.view);
    },

    /**
     * @param {View} view
     * @param {string} id
     */
    row: (view, id) => views[view].rows.get(id),

    /**
     * Says which rows are looked at.
     * @param {View} view
     * @param {string[]} ids
     */
    want(view, ids) {
      views[view].wanted = ids;
      void fill(view);
    },

    /** @param {string} query */
    search(query) {
      state.query = query;
      searchAnew();
    },

    get filter() {
      return state.filter;
    },

    /** @param {import("./api.js").Filter} filter of the events */
    filterBy(filter) {
      state.filter = filter;
      searchAnew();
    },

    /**
     * What the page shows now.
     * @param {View} view
     * @param {string | undefined} id
     */
    show(view, id) {
      if (view !== state.view) {
        state.view = view;
        void find();
      }
      if (id === undefined) state.open = undefined;
      else if (state.open?.id !== id || state.open.view !== view) {
        state.open = { view, id, state: "loading" };
        void read();
      }
    },
  };
}
