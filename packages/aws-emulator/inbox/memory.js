/** What the page remembers in this browser: which mails were read, and the keyboard setting. */

const READ = "sandbox-inbox.read";
const SINGLE_KEYS = "sandbox-inbox.single-keys";

/**
 * @param {string} name
 * @returns {string | null}
 */
function load(name) {
  try {
    return window.localStorage.getItem(name);
  } catch {
    return null; // Storage is switched off: nothing is remembered.
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
function save(name, value) {
  try {
    window.localStorage.setItem(name, value);
  } catch {
    // The same.
  }
}

export function createMemory() {
  let run = "";
  /** @type {Set<string>} */
  let read = new Set();

  return {
    /**
     * Each run of the sandbox starts with an unread inbox.
     * @param {string} startedAt
     */
    use(startedAt) {
      if (startedAt === run) return;
      run = startedAt;
      read = new Set();
      try {
        const stored = JSON.parse(load(READ) ?? "null");
        if (stored?.run === run && Array.isArray(stored.ids)) read = new Set(stored.ids);
      } catch {
        // Not ours, or from another version: start afresh.
      }
    },

    /** @param {string} id */
    isRead: (id) => read.has(id),

    /** @param {string} id */
    markRead(id) {
      if (read.has(id)) return;
      read.add(id);
      save(READ, JSON.stringify({ run, ids: [...read] }));
    },

    get singleKeys() {
      return load(SINGLE_KEYS) !== "off";
    },

    set singleKeys(on) {
      save(SINGLE_KEYS, on ? "on" : "off");
    },
  };
}
