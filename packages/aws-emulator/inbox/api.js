/** The gateway's answers, and its stream of changes. */

/**
 * @typedef {{ name: string, value: string }} Header
 *
 * @typedef {object} Mail
 * @property {string} id
 * @property {string} time
 * @property {string} from
 * @property {string[]} to
 * @property {string[]} [cc]
 * @property {string[]} [bcc]
 * @property {string} subject
 * @property {string} [html]
 * @property {string} [text]
 * @property {string} [template]
 * @property {string} [configurationSet]
 * @property {unknown} [templateData]
 * @property {string} [templateDataTooDeep] as JSON, where it is nested too deeply to show
 * @property {Record<string, string>} [tags]
 * @property {Header[]} [headers]
 * @property {string} [requestId] the Lambda invocation that sent it
 * @property {string} [eventId] the event that caused it
 * @property {string} [eventKey] by which that event is listed; of one mail only, and not where the event is gone
 * @property {string} [rule] the rule that matched the event
 * @property {string} [renderError] SES took it and could not render it: on AWS it is never sent
 *
 * @typedef {object} Attempt
 * @property {number} number
 * @property {string} startedAt
 * @property {string} [endedAt]
 * @property {"success" | "error" | "timeout" | "throttled"} [outcome]
 * @property {string} [errorType]
 * @property {string} [errorMessage]
 * @property {string} [requestId]
 * @property {number} [nextRetryInMs]
 * @property {number} [times] of what was throttled: how often in a row
 * @property {string} [parked] the function says that it has parked the event, for this reason
 *
 * @typedef {object} Delivery
 * @property {string} rule
 * @property {string} bus
 * @property {string} targetId
 * @property {string} targetArn
 * @property {string} kind
 * @property {string} [functionName]
 * @property {"running" | "delivered" | "retrying" | "failed"} status
 * @property {Attempt[]} attempts
 * @property {{ destinationArn: string, reason: string }} [deadLetter]
 *
 * @typedef {object} BusEvent
 * @property {string} id
 * @property {string} time
 * @property {string} bus
 * @property {string} source
 * @property {string} detailType
 * @property {any} detail
 * @property {unknown} event the whole envelope, as the targets got it
 * @property {Delivery[]} deliveries
 * @property {FailureRecord[]} records
 * @property {Fate} fate
 * @property {string} [about] of a row: what tells it from the others of its type
 * @property {string} [tooDeep] the whole envelope as JSON, where it is nested too deeply to show
 * @property {Mail[]} [mails] what the list shows of the mails that it caused
 * @property {{ id: string, detailType: string, bus: string }[]} [failures] the events that carry the record of its failure
 *
 * @typedef {"failed" | "parked" | "waiting" | "retrying" | "running" | "late" | "delivered" | "unmatched"} Fate
 *
 * @typedef {object} FailureRecord a record of the failed event that a queue took
 * @property {string} queueArn
 * @property {string} time
 * @property {string} reason
 * @property {string} [leftAt] the function that the queue feeds is done with it
 * @property {boolean} isPolled the queue feeds a function: reading a message of it uses up one of its tries
 *
 * @typedef {object} Info
 * @property {string} endpoint
 * @property {string} region
 * @property {string} accountId
 * @property {number[]} retryDelaysMs
 * @property {string[]} notEmulated
 * @property {string} startedAt
 *
 * @typedef {"mail" | "events"} View
 *
 * @typedef {object} Index the ids of everything, the newest first
 * @property {string[]} mails
 * @property {string[]} events
 * @property {number} failed how many events ended badly
 * @property {{ mails: number, events: number }} dropped how many of the oldest are not kept any more
 * @property {{ bus?: string, recipient?: string }} example for a command that puts an event
 *
 * @typedef {Pick<Index, "mails" | "events" | "failed" | "dropped">} Change the ids of what is new or has changed, in order
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
 * @returns {Promise<string[]>}
 */
export const search = async (view, query) =>
  (await get(`inbox/search?view=${LISTS[view]}&q=${encodeURIComponent(query)}`)).ids;

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
