/** Small helpers to build the page. Text always becomes text nodes: nothing here parses HTML. */

/**
 * @typedef {Node | string | number | null | undefined | false} Child
 * @typedef {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} Attributes
 */

/**
 * Creates an element. A function among the attributes is a listener for the event of that name;
 * null, undefined and false leave the attribute out.
 * @param {string} tag
 * @param {Attributes} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    element.append(typeof child === "number" ? String(child) : child);
  }
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * An icon of the sprite in index.html; decorative, the text beside it says the same.
 * @param {string} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/**
 * @param {string} id
 * @returns {any} the element, which index.html always has
 */
export const byId = (id) => document.getElementById(id);

/**
 * Text for screen readers only: what the layout tells the others.
 * @param {string} text
 */
export const heard = (text) => h("span", { class: "visually-hidden" }, text);

/**
 * Tells screen readers. A log, so that two announcements in a row are both read.
 * @param {string} text
 */
export function announce(text) {
  const log = byId("announcer");
  while (log.childElementCount > 4) log.firstElementChild.remove();
  log.append(h("p", {}, text));
}

/**
 * A copy button for a text that stands beside it.
 * @param {string} text
 * @param {string} what names it for screen readers: "Copy the queue's ARN"
 */
export function copyButton(text, what) {
  const label = h("span", {}, "Copy");
  const button = h("button", { type: "button", class: "copy", "aria-label": `Copy ${what}` }, icon("copy"), label);
  button.addEventListener("click", async () => {
    const copied = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    label.textContent = copied ? "Copied" : "Not allowed";
    announce(copied ? `Copied ${what}` : "The browser did not allow the copy");
    setTimeout(() => (label.textContent = "Copy"), 2000);
  });
  return button;
}

/**
 * A command for the shell, with its copy button.
 * @param {string} text
 * @param {string} what
 */
export function commandBlock(text, what) {
  return h("div", { class: "command" }, h("pre", {}, h("code", {}, text)), copyButton(text, what));
}

/** More characters than this are shown without colours: each token of them would be an element. */
const MOST_TINTED = 50_000;
/** More than this of one text would keep the page busy; the copy has all of it. */
const MOST_SHOWN = 300_000;

/**
 * The beginning of a text.
 * @param {string} text
 * @param {number} most
 */
export const cut = (text, most) =>
  text.length <= most ? text : `${text.slice(0, most)}… (${text.length.toLocaleString("en")} characters)`;

/**
 * @param {string} text
 * @param {string} label
 * @param {Node | string} shown
 */
const block = (text, label, shown) =>
  h(
    "div",
    { class: "block" },
    h("pre", { tabindex: "0", role: "region", "aria-label": label }, h("code", {}, shown)),
    copyButton(text, label),
  );

/**
 * A text as it is.
 * @param {string} text
 * @param {string} label
 */
export const textBlock = (text, label) => block(text, label, cut(text, MOST_SHOWN));

/**
 * Indented JSON, keys and values tinted.
 * @param {unknown} value
 * @param {string} label
 * @param {string | undefined} tooDeep the JSON text, where the gateway says that it is nested too deeply to show
 */
export function jsonBlock(value, label, tooDeep) {
  if (tooDeep !== undefined) {
    return h(
      "div",
      {},
      h("p", { class: "note" }, "Nested too deeply to show. This is its text:"),
      textBlock(tooDeep, label),
    );
  }
  const text = JSON.stringify(value, null, 2) ?? "null";
  return text.length > MOST_TINTED ? textBlock(text, label) : block(text, label, tinted(text));
}

/** @param {string} json */
function tinted(json) {
  const all = document.createDocumentFragment();
  const token = /("[^"\\]*(?:\\.[^"\\]*)*"?)(\s*:)?|-?\d[\d.eE+-]*|\b(?:true|false|null)\b/g;
  let end = 0;
  for (const match of json.matchAll(token)) {
    all.append(json.slice(end, match.index));
    const kind = match[2] ? "key" : match[1] ? "string" : "literal";
    all.append(h("span", { class: `json-${kind}` }, match[1] ?? match[0]), match[2] ?? "");
    end = match.index + match[0].length;
  }
  all.append(json.slice(end));
  return all;
}

/**
 * Rows of a definition list; a row without a value is left out.
 * @param {[string, Child | Child[]][]} rows
 * @param {string} [className]
 */
export function facts(rows, className = "facts") {
  const present = rows.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false);
  return h(
    "dl",
    { class: className },
    present.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}
