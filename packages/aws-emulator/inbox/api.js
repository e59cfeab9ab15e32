/** The gateway's answers, and its stream of changes. */

/**
 * @typedef {import("../src/wire.ts").MailRow} MailRow
 * @typedef {import("../src/wire.ts").EventRow} EventRow
 * @typedef {import("../src/wire.ts").MailDetails} MailDetails
 * @typedef {import("../src/wire.ts").EventDetails} EventDetails
 *
 * What the page holds is a row, or all that there is of it.
 * @typedef {MailRow & Partial<Omit<MailDetails, keyof MailRow>>} Mail
 * @typedef {EventRow & Partial<Omit<EventDetails, keyof EventRow>>} BusEvent
 *
 * @typedef {BusEvent["deliveries"][number]} Delivery
 * @typedef {Delivery["attempts"][number]} Attempt
 * @typedef {BusEvent["fate"]} Fate
 * @typedef {NonNullable<BusEvent["nearest"]>} NearestRule
 * @typedef {import("../src/wire.ts").SandboxInfo} Info
 * @typedef {import("../src/wire.ts").JournalIndex} Index
 * @typedef {import("../src/wire.ts").Changes} Change
 * @typedef {"all" | "failed" | "business" | "ses"} Filter of the events
 * @typedef {"mail" | "events"} View
 */

/** @param {string} path */
const ask = (path) => fetch(path, { headers: { accept: "application/json" }, cache: "no-store" });

/** @param {string} path */
async function getIfAny(path) {
  const response = await ask(path);
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return response.json();
}

/** @param {string} path */
async function get(path) {
  const response = await ask(path);
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return response.json();
}

/** @returns {Promise<Info>} */
export const fetchInfo = () => get("info");

/** @returns {Promise<Index>} */
export const fetchIndex = () => get("inbox");

/** How many rows the gateway gives at once. */
export const MOST_ROWS = 200;

/** @type {Record<View, string>} */
const LISTS = { mail: "mails", events: "events" };

/**
 * What the list shows of these; those that are gone are left out.
 * @param {View} view
 * @param {string[]} ids
 * @returns {Promise<(Mail | BusEvent)[]>}
 */
export const fetchRows = (view, ids) =>
  get(`inbox/${LISTS[view]}?${ids.map((id) => `id=${encodeURIComponent(id)}`).join("&")}`);

/**
 * The ids of all that match, the newest first.
 * @param {View} view
 * @param {string} query
 * @param {Filter} filter
 * @returns {Promise<string[]>}
 */
export const search = async (view, query, filter) =>
  (await get(`inbox/search?view=${LISTS[view]}&q=${encodeURIComponent(query)}&filter=${filter}`)).ids;

/**
 * @param {string} id
 * @returns {Promise<Mail | undefined>} `undefined` where it is not there
 */
export const fetchMail = (id) => getIfAny(`messages/${encodeURIComponent(id)}`);

/**
 * @param {string} id
 * @returns {Promise<BusEvent | undefined>} `undefined` where it is not there
 */
export const fetchEvent = (id) => getIfAny(`activity/${encodeURIComponent(id)}`);

/** Forgets all mails and events. */
export async function clearAll() {
  const response = await fetch("inbox", { method: "DELETE" });
  if (!response.ok) throw new Error(`DELETE inbox: HTTP ${response.status}`);
}

/**
 * Sends an event again that is parked.
 * @param {string} id
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
export async function redrive(id) {
  const response = await fetch(`redrive/${encodeURIComponent(id)}`, { method: "POST" });
  const answer = await response.json();
  return response.ok ? answer : { ok: false, output: answer.message };
}

/** @param {string} id */
export async function fetchRaw(id) {
  const response = await fetch(emlUrl(id), { cache: "no-store" });
  if (!response.ok) throw new Error(`${emlUrl(id)}: HTTP ${response.status}`);
  return response.text();
}

/** @param {string} id */
export const emlUrl = (id) => `messages/${encodeURIComponent(id)}.eml`;

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 5000;

/**
 * Calls `onChange` with what the gateway says has changed, and `onRestart` when that may not be all: at each (re)connection,
 * and when this page did not read for a while. EventSource gives up for good on an HTTP error, so reconnecting is done
 * here.
 * @param {object} handlers
 * @param {() => void} handlers.onRestart
 * @param {(change: Change) => void} handlers.onChange
 * @param {(state: "live" | "disconnected") => void} handlers.onState
 */
export function listen({ onRestart, onChange, onState }) {
  let retryMs = FIRST_RETRY_MS;
  const connect = () => {
    const stream = new EventSource("stream");
    stream.addEventListener("open", () => {
      retryMs = FIRST_RETRY_MS;
      onState("live");
      onRestart();
    });
    stream.addEventListener("change", ({ data }) => onChange(JSON.parse(data)));
    stream.addEventListener("restart", () => onRestart());
    stream.addEventListener("error", () => {
      stream.close();
      onState("disconnected");
      setTimeout(connect, retryMs);
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    });
  };
  connect();
}
