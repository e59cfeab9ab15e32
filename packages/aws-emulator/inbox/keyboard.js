import { h } from "./dom.js";

/**
 * Every shortcut once: what the page does, and what the help dialog says.
 * `where: "list"` keys belong to the list (or to nothing in particular): elsewhere they scroll or press what has focus.
 * `typing: true` keys also work in the search field.
 * @typedef {{ keys: string[], action: string, help: string, show?: string[], where?: "list", typing?: boolean }} Shortcut
 * @type {Shortcut[]}
 */
export const SHORTCUTS = [
  { keys: ["j"], action: "next", help: "Next", show: ["j", "↓"] },
  { keys: ["ArrowDown"], action: "next", help: "", where: "list" },
  { keys: ["k"], action: "previous", help: "Previous", show: ["k", "↑"] },
  { keys: ["ArrowUp"], action: "previous", help: "", where: "list" },
  { keys: ["Home"], action: "first", help: "First, last", show: ["Home", "End"], where: "list" },
  { keys: ["End"], action: "last", help: "", where: "list" },
  { keys: ["o"], action: "open", help: "Open", show: ["Enter", "o"] },
  { keys: ["Enter", " "], action: "open", help: "", where: "list" },
  { keys: ["Enter", "ArrowDown"], action: "results", help: "", typing: true, where: "list" },
  { keys: ["u"], action: "back", help: "Back to the list", show: ["u", "Esc"] },
  { keys: ["Escape"], action: "back", help: "", typing: true },
  { keys: ["1"], action: "tab-1", help: "HTML, Text, Source, Event, Raw", show: ["1", "…", "5"] },
  { keys: ["2"], action: "tab-2", help: "" },
  { keys: ["3"], action: "tab-3", help: "" },
  { keys: ["4"], action: "tab-4", help: "" },
  { keys: ["5"], action: "tab-5", help: "" },
  { keys: ["g m"], action: "mail", help: "Go to Mail", show: ["g", "m"] },
  { keys: ["g e"], action: "events", help: "Go to Events", show: ["g", "e"] },
  { keys: ["/"], action: "search", help: "Search" },
  { keys: ["?"], action: "help", help: "This help" },
];

const PREFIX_MS = 1500;

/**
 * @param {object} options
 * @param {Record<string, () => void>} options.actions
 * @param {() => boolean} options.inList is the focus in the list, or nowhere
 * @param {() => boolean} options.singleKeys are shortcuts of one character wanted (WCAG 2.1.4)
 */
export function listenToKeys({ actions, inList, singleKeys }) {
  let prefix = "";
  /** @type {any} */
  let prefixTimer;

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    const target = /** @type {Element | null} */ (event.target);
    const typing = target?.matches("input, textarea, select, [contenteditable]") ?? false;
    if (!singleKeys() && event.key.length === 1 && event.key !== " ") return;

    const key = prefix + event.key;
    prefix = "";
    clearTimeout(prefixTimer);
    const shortcut = SHORTCUTS.find(
      (candidate) =>
        candidate.keys.includes(key) && (typing ? candidate.typing : candidate.where !== "list" || inList()),
    );
    if (shortcut) {
      event.preventDefault();
      actions[shortcut.action]?.();
    } else if (event.key === "g" && !typing) {
      prefix = "g ";
      prefixTimer = setTimeout(() => (prefix = ""), PREFIX_MS);
    }
  });
}

/** The rows of the help dialog. */
export const shortcutHelp = () =>
  SHORTCUTS.filter(({ help }) => help).map(({ keys, show, help }) =>
    h(
      "div",
      {},
      h(
        "dt",
        {},
        (show ?? keys).map((key) => h("kbd", {}, key)),
      ),
      h("dd", {}, help),
    ),
  );
