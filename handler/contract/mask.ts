/** Longest excerpt of a foreign text, in characters. The text itself may have 256 KiB. */
const longestExcerpt = 300;

/** Longest address that the search allows for, in characters. SES takes only shorter ones (RFC 3696, errata 1690). */
const longestAddress = 320;

/** An at sign in its Unicode forms, and as a URL, HTML, JSON or JavaScript, and quoted-printable text escape it. */
const atSign = /[@\uff20\ufe6b]|%(?:25)*40|&(?:#0*64|#x0*40|commat);?|\\(?:u00|x)40|=40(?=[a-z\d])/giu;

/** The forms of the quotation mark around a quoted local part. */
const quotes = ['"', "&quot;", "&#34;"];

/**
 * Makes an excerpt of a foreign text for a log or an error, with `(address)` in place of each address. In doubt, a word
 * too many is masked, so that no part of an address remains. The text is cut first, so that a long one costs no more
 * time.
 * @param longest in characters; a text that was cut ends with `..`.
 */
export function maskAddresses(text: string, longest = longestExcerpt): string {
  const isCut = text.length > longest;
  // An address may begin within the excerpt and end behind it, so the search reads a little further.
  const excerpt = isCut ? text.slice(0, longest + longestAddress) : text;
  // If the cut halves an address, the search would not recognize it. So the last word is dropped.
  const end = excerpt.length < text.length ? startOfWord(excerpt, excerpt.length, 0) : excerpt.length;
  let masked = "";
  let told = 0;
  for (const { index, 0: sign } of excerpt.slice(0, end).matchAll(atSign)) {
    if (index < told) continue;
    masked += `${excerpt.slice(told, startOfAddress(excerpt, index, told))}(address)`;
    told = endOfWord(excerpt, endOfBlanks(excerpt, index + sign.length, end), end);
  }
  masked += excerpt.slice(told, end);
  return isCut ? `${masked.slice(0, longest).toWellFormed()}..` : masked;
}

function startOfAddress(text: string, at: number, least: number): number {
  const local = startOfBlanks(text, at, least);
  const quote = quotes.find((candidate) => text.endsWith(candidate, local));
  if (quote === undefined) return startOfWord(text, local, least);
  // A quotation mark may be escaped within the quoted part. So the part begins at the first one within an address's
  // length.
  const opening = text.indexOf(quote, Math.max(least, local - longestAddress));
  return startOfWord(text, opening < local ? opening : local, least);
}

const isBlank = (character: string) => character.trim() === "";

/** Each of these four moves from `index` to the place in its name, but not beyond `limit`. */
function startOfWord(text: string, index: number, limit: number): number {
  let at = index;
  while (at > limit && !isBlank(text.charAt(at - 1))) at -= 1;
  return at;
}

function startOfBlanks(text: string, index: number, limit: number): number {
  let at = index;
  while (at > limit && isBlank(text.charAt(at - 1))) at -= 1;
  return at;
}

function endOfWord(text: string, index: number, limit: number): number {
  let at = index;
  while (at < limit && !isBlank(text.charAt(at))) at += 1;
  return at;
}

function endOfBlanks(text: string, index: number, limit: number): number {
  let at = index;
  while (at < limit && isBlank(text.charAt(at))) at += 1;
  return at;
}
