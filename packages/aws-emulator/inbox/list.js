import { h } from "./dom.js";

/**
 * @template Row
 * @typedef {object} ListOptions
 * @property {HTMLElement} root a listbox
 * @property {(row: Row) => Node[]} render
 * @property {(id: string) => void} onOpen
 * @property {(id: string) => Row | undefined} rowOf `undefined` where the row is not here yet
 * @property {(ids: string[]) => void} onWindow says which rows are looked at
 */

/** Rows above and below what is visible that are there already: a page down finds them. */
const MARGIN = 15;
/** Until the first row says it. */
const ASSUMED_ROW_PX = 80;
/** Of a list that is not visible, or has no size yet. */
const LEAST_VISIBLE = 20;

/**
 * A listbox of any length with one tab stop. Only the rows around what is visible are elements; all have the same height.
 * A row keeps its element while it is there, so that focus, scroll position and screen readers are left alone when news
 * arrive; only a row whose content changed is filled again.
 * @template {{ id: string }} Row
 * @param {ListOptions<Row>} options
 */
export function createList({ root, render, onOpen, rowOf, onWindow }) {
  /** @type {Map<string, { element: HTMLElement, content: string }>} */
  const rows = new Map();
  /** @type {string[]} */
  let order = [];
  /** @type {Map<string, number>} */
  let positions = new Map();
  /** @type {string | undefined} */
  let activeId;
  /** @type {string | undefined} */
  let openId;
  let rowPx = ASSUMED_ROW_PX;
  let isMeasured = false;
  /** Ids that were there before: others arrive. @type {Set<string>} */
  const seen = new Set();

  const content = h("div", { class: "rows", role: "presentation" });
  root.append(content);

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
    // Rows that are there from the start, or that were scrolled to, don't arrive.
    if (seen.size > 0 && !seen.has(id)) element.classList.add("arrives");
    const row = { element, content: "" };
    rows.set(id, row);
    return row;
  };

  /** The ids around what is visible, and the active one, which is the tab stop. */
  const windowIds = () => {
    const first = Math.floor(root.scrollTop / rowPx);
    const visible = Math.max(LEAST_VISIBLE, Math.ceil(root.clientHeight / rowPx) + 1);
    const ids = order.slice(Math.max(0, first - MARGIN), first + visible + MARGIN);
    if (activeId !== undefined && positions.has(activeId) && !ids.includes(activeId)) {
      if ((positions.get(activeId) ?? 0) < first) ids.unshift(activeId);
      else ids.push(activeId);
    }
    return ids;
  };

  const draw = () => {
    const ids = windowIds();
    const present = new Set(ids);
    for (const [id, { element }] of rows) {
      if (present.has(id)) continue;
      element.remove();
      rows.delete(id);
    }
    content.style.height = `${order.length * rowPx}px`;
    ids.forEach((id, index) => {
      const row = rows.get(id) ?? create(id);
      const { element } = row;
      const item = rowOf(id);
      const key = JSON.stringify(item ?? null);
      if (row.content !== key) {
        row.content = key;
        element.replaceChildren(...(item === undefined ? [] : render(item)));
        element.toggleAttribute("aria-busy", item === undefined);
      }
      const position = positions.get(id) ?? 0;
      element.style.top = `${position * rowPx}px`;
      element.style.height = isMeasured ? `${rowPx}px` : "";
      element.setAttribute("aria-posinset", String(position + 1));
      element.setAttribute("aria-setsize", String(order.length));
      element.setAttribute("aria-selected", String(id === openId));
      element.tabIndex = id === activeId ? 0 : -1;
      if (content.children[index] !== element) content.insertBefore(element, content.children[index] ?? null);
    });
    onWindow(ids);
    measure();
  };

  /** All rows are as high as the first that is here: each has the same lines. */
  const measure = () => {
    if (isMeasured) return;
    const filled = [...rows.values()].find(({ element }) => element.childElementCount > 0);
    const height = filled?.element.getBoundingClientRect().height ?? 0;
    if (height === 0) return;
    rowPx = height;
    isMeasured = true;
    draw();
  };

  root.addEventListener("scroll", draw, { passive: true });
  let width = 0;
  new window.ResizeObserver(() => {
    // Another width can be another layout, and so another height.
    if (root.clientWidth !== width) isMeasured = false;
    width = root.clientWidth;
    for (const { element } of rows.values()) if (!isMeasured) element.style.height = "";
    draw();
  }).observe(root);

  /** What stands at the top of the view stays there, unless the list is at its beginning. */
  const anchor = () => {
    const index = Math.floor(root.scrollTop / rowPx);
    const offset = root.scrollTop - index * rowPx;
    return { id: root.scrollTop > 0 ? order[index] : undefined, offset };
  };

  return {
    /**
     * @param {string[]} ids of all rows, in order
     * @param {string | undefined} open
     */
    update(ids, open) {
      const hadFocus = root.contains(document.activeElement);
      const activeIndex = activeId === undefined ? -1 : (positions.get(activeId) ?? -1);
      openId = open;
      const isNew = ids !== order;
      if (isNew) {
        const { id, offset } = anchor();
        order = ids;
        positions = new Map(ids.map((each, index) => [each, index]));
        const position = id === undefined ? undefined : positions.get(id);
        content.style.height = `${order.length * rowPx}px`;
        if (position !== undefined) root.scrollTop = position * rowPx + offset;
      }
      if (activeId === undefined || !positions.has(activeId)) {
        activeId = order[Math.max(0, Math.min(activeIndex, order.length - 1))];
        if (open !== undefined && positions.has(open)) this.activate(open);
        else draw();
        if (hadFocus) this.focus();
      } else draw();
      if (isNew) for (const id of order) seen.add(id);
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
      const position = positions.get(id);
      if (position === undefined) return;
      activate(id);
      const top = position * rowPx;
      if (top < root.scrollTop) root.scrollTop = top;
      else if (top + rowPx > root.scrollTop + root.clientHeight) root.scrollTop = top + rowPx - root.clientHeight;
      draw();
    },

    focus() {
      if (activeId !== undefined) rows.get(activeId)?.element.focus({ preventScroll: true });
    },

    /**
     * The id so many rows further, kept within the list.
     * @param {number} step
     */
    neighbour(step) {
      const index = activeId === undefined ? -1 : (positions.get(activeId) ?? -1);
      return order[Math.max(0, Math.min(order.length - 1, index + step))];
    },
  };
}
