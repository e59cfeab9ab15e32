/** The document that a mail's HTML is shown in. */

/**
 * Comes before anything of the mail, so that nothing in the mail is read without it. The head stays open: the mail's own
 * `<html>`, `<head>` and `<body>` tags then merge into this document, and its `<style>` lands where it belongs.
 */
const PREAMBLE = [
  "<!doctype html><html><head><meta charset='utf-8'>",
  `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'; base-uri 'none'">`,
  '<meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light"><base target="_blank">',
  "<style>body{margin:0;padding:16px;font:15px/1.55 system-ui,sans-serif;color:#1d2421;background:#fff;overflow-wrap:anywhere}",
  "img{max-width:100%}</style>",
].join("");

/** @param {string} html */
export const mailDocument = (html) => PREAMBLE + html;

/**
 * Whether the mail asks for something that is not in it. For a notice only; what blocks it is the policy above.
 * @param {string} html
 */
export const hasRemoteContent = (html) =>
  /<(?:img|link|video|audio|iframe|source)\b[^>]{0,2000}?(?:src|srcset|href)\s*=\s*["']?\s*(?:https?:)?\/\//i.test(
    html,
  ) ||
  /(?:url\(|@import)\s*["']?\s*(?:https?:)?\/\//i.test(html) ||
  /\bbackground\s*=\s*["']?\s*(?:https?:)?\/\//i.test(html);
