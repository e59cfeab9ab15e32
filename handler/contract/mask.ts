/** Longest excerpt of a text that others wrote; it may have 256 KiB. */
const longestExcerpt = 300;

/** An address that SES takes is shorter (320 characters: RFC 3696, errata 1690). */
const longestAddress = 320;

/** An `@`, as itself, and as a URL, HTML, JSON or JavaScript, and the source of a mail write it. */
const atSign = /[@\uff20\ufe6b]|%(?:25)*40|&(?:#0*64|#x0*40|commat);?|\\(?:u00|x)40|=40(?=[a-z\d])/giu;

/** What a quoted local part begins and ends with. */
const quotes = ['"', "&quot;", "&#34;"];

/**
 * An excerpt of a text that others wrote, for a log or an error, with `(address)` for each address in it. Rather a word
 * too much is masked than a part of an address left. The text is cut first: its length costs nothing.
 */
export function maskAddresses(text: string, longest = longestExcerpt): string {
  const isCut = text.length > longest;
  // An address that begins within the excerpt may end behind it.
  const excerpt = isCut ? text.slice(0, longest + longestAddress) : text;
  // Half an address at the cut is none for the search, so the last word goes.
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
  // A quoted pair may be a quote, too: the first one within an address's length counts.
  const opening = text.indexOf(quote, Math.max(least, local - longestAddress));
  return startOfWord(text, opening < local ? opening : local, least);
}

const isBlank = (character: string) => character.trim() === "";

/** Each moves from `index` as far as its name says, `limit` at most. */
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
