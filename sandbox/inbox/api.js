/** The front door's answers, and its stream of changes. */

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
 * @property {Record<string, string>} [tags]
 * @property {Header[]} [headers]
 * @property {string} [requestId] the Lambda invocation that sent it
 * @property {string} [eventId] the event that caused it
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
 *
 * @typedef {object} Info
 * @property {string} endpoint
 * @property {string} region
 * @property {string} accountId
 * @property {number[]} retryDelaysMs
 * @property {string[]} notEmulated
 * @property {string} startedAt
 *
 * @typedef {{ info: Info, mails: Mail[], events: BusEvent[] }} Snapshot
 */

/** @param {string} path */
async function get(path) {
  const response = await fetch(path, { headers: { accept: "application/json" }, cache: "no-store" });
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return response.json();
}

/** @returns {Promise<Snapshot>} everything that the page shows; mails and rendering failures in one list, newest first */
export async function fetchSnapshot() {
  const [info, messages, failures, events] = await Promise.all(
    ["info", "messages", "rendering-failures", "activity"].map(get),
  );
  // A stable sort: mails of the same instant keep the door's order.
  const mails = [...messages, ...failures].sort((a, b) => Date.parse(b.time) - Date.parse(a.time));
  return { info, mails, events };
}

/** @param {string} id */
export const emlUrl = (id) => `messages/${encodeURIComponent(id)}.eml`;

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 5000;

/**
 * Calls `onChange` whenever the door says that something changed, and once for each (re)connection, as changes may
 * have been missed. EventSource gives up for good on an HTTP error, so reconnecting is done here.
 * @param {{ onChange: () => void, onState: (state: "live" | "disconnected") => void }} handlers
 */
export function listen({ onChange, onState }) {
  let retryMs = FIRST_RETRY_MS;
  const connect = () => {
    const stream = new EventSource("stream");
    stream.addEventListener("open", () => {
      retryMs = FIRST_RETRY_MS;
      onState("live");
      onChange();
    });
    stream.addEventListener("change", () => onChange());
    stream.addEventListener("error", () => {
      stream.close();
      onState("disconnected");
      setTimeout(connect, retryMs);
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    });
  };
  connect();
}
