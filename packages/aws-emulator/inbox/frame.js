/** The document that a mail's HTML is shown in. */

/**
 * Comes before anything of the mail, so that nothing in the mail is read without it. The head stays open: the mail's own
 * `<html>`, `<head>` and `<body>` tags then merge into this document, and its `<style>` lands where it belongs.
 */
const PREAMBLE = [
  "<!doctype html><html><head><meta charset='utf-8'>",
  `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'; base-uri 'none'">`,
  '<meta name="referrer" content="no-referrer"><base target="_blank">',
  "<style>body{margin:0;padding:16px;font:15px/1.55 system-ui,sans-serif;overflow-wrap:anywhere}",
  "img{max-width:100%}</style>",
].join("");

/**
 * Mails are written for white paper. In a frame whose element has a `color-scheme`, a browser shows a document of both
 * schemes in that one, and lets the mail's own `@media (prefers-color-scheme)` count (CSS Color Adjustment, "Preferred
 * Color Schemes"; https://github.com/w3c/csswg-drafts/issues/7493).
 */
const PAPER = {
  white: '<meta name="color-scheme" content="light"><style>body{color:#1d2421;background:#fff}</style>',
  scheme: '<meta name="color-scheme" content="light dark">',
};

/**
 * @param {string} html
 * @param {keyof typeof PAPER} [paper]
 */
export const mailDocument = (html, paper = "white") => PREAMBLE + PAPER[paper] + html;

/**
 * Whether the mail asks for something that is not in it. For a notice only; what blocks it is the policy above. The HTML
 * is read once, whatever is in it: an address is found first, then what stands before it.
 * @param {string} html
 */
export function hasRemoteContent(html) {
  let isInTag = false;
  for (const { 0: token, index } of html.matchAll(/<(?:img|link|video|audio|iframe|source)\b|>|\/\//gi)) {
    if (token !== "//") isInTag = token !== ">";
    else if (isLoaded(html, index, isInTag)) return true;
  }
  return false;
}

/**
 * @param {string} html
 * @param {number} slashes where the address has them
 * @param {boolean} isInTag whether it is in a tag that loads what its attributes name
 */
function isLoaded(html, slashes, isInTag) {
  const scheme = /https?:$/i.exec(html.slice(Math.max(0, slashes - 6), slashes))?.[0] ?? "";
  let end = beforeBlanks(html, slashes - scheme.length);
  if (html[end - 1] === '"' || html[end - 1] === "'") end = beforeBlanks(html, end - 1);
  if (/(?:url\(|@import)$/i.test(html.slice(Math.max(0, end - 7), end))) return true;
  if (html[end - 1] !== "=") return false;
  end = beforeBlanks(html, end - 1);
  const name = html.slice(Math.max(0, end - 11), end);
  return /\bbackground$/i.test(name) || (isInTag && /(?:src|srcset|href)$/i.test(name));
}

/**
 * @param {string} text
 * @param {number} end
 */
function beforeBlanks(text, end) {
  let start = end;
  while (start > 0 && /\s/.test(text.charAt(start - 1))) start -= 1;
  return start;
}
