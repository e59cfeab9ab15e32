import { h } from "./dom.js";

/**
 * @template Row
 * @typedef {object} ListOptions
 * @property {HTMLElement} root a listbox
 * @property {(row: Row) => Node[]} render
 * @property {(id: string) => void} onOpen
 */

/**
 * A listbox with one tab stop. Rows keep their element from one update to the next, so that focus, scroll position and
 * screen readers are left alone when news arrive; only a row whose content changed is filled again.
 * @template {{ id: string }} Row
 * @param {ListOptions<Row>} options
 */
export function createList({ root, render, onOpen }) {
  /** @type {Map<string, { element: HTMLElement, content: string }>} */
  const rows = new Map();
  /** @type {string[]} */
  let order = [];
  /** @type {string | undefined} */
  let activeId;
  let filled = false;

  /** @param {string | undefined} id */
  const activate = (id) => {
    activeId = id;
    for (const [rowId, { element }] of rows) element.tabIndex = rowId === id ? 0 : -1;
  };

  /** @param {string} id */
  const create = (id) => {
    const element = h("div", { role: "option", class: "row", tabindex: "-1", "aria-selected": "false" });
    element.addEventListener("click", () => onOpen(id));
    element.addEventListener("focus", () => activate(id));
    // Rows that are there from the start don't arrive.
    if (filled) element.classList.add("arrives");
    const row = { element, content: "" };
    rows.set(id, row);
    return row;
  };

  return {
    /**
     * @param {Row[]} items
     * @param {string | undefined} openId
     */
    update(items, openId) {
      const present = new Set(items.map((item) => item.id));
      const hadFocus = root.contains(document.activeElement);
      const activeIndex = activeId === undefined ? -1 : order.indexOf(activeId);
      for (const [id, { element }] of rows) {
        if (present.has(id)) continue;
        element.remove();
        rows.delete(id);
      }
      items.forEach((item, index) => {
        const row = rows.get(item.id) ?? create(item.id);
        const content = JSON.stringify(item);
        if (row.content !== content) {
          row.content = content;
          row.element.replaceChildren(...render(item));
        }
        row.element.setAttribute("aria-selected", String(item.id === openId));
        if (root.children[index] !== row.element) root.insertBefore(row.element, root.children[index] ?? null);
      });
      order = items.map((item) => item.id);
      filled = true;
      if (activeId === undefined || !present.has(activeId)) {
        activate(
          openId !== undefined && present.has(openId)
            ? openId
            : order[Math.max(0, Math.min(activeIndex, order.length - 1))],
        );
        if (hadFocus) this.focus();
      } else activate(activeId);
    },

    get active() {
      return activeId;
    },

    get length() {
      return order.length;
    },

    get hasFocus() {
      return root.contains(document.activeElement);
    },

    /** @param {string} id */
    activate(id) {
      if (!rows.has(id)) return;
      activate(id);
      rows.get(id)?.element.scrollIntoView({ block: "nearest" });
    },

    focus() {
      if (activeId !== undefined) rows.get(activeId)?.element.focus();
    },

    /**
     * The id so many rows further, kept within the list.
     * @param {number} step
     */
    neighbour(step) {
      const index = activeId === undefined ? -1 : order.indexOf(activeId);
      return order[Math.max(0, Math.min(order.length - 1, index + step))];
    },
  };
}
