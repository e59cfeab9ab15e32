import { domainToASCII } from "node:url";
import isEmail from "validator/lib/isEmail";

/**
 * The limits of RFC 5321, 4.5.3.1, in characters. A path has at most 256, and it is the address between `<` and `>`, so
 * the address has at most 254.
 */
const longestAddress = 254;
const longestLocalPart = 64;

/**
 * Either an address in the form that SES accepts, or the problem with it, as a phrase such as `is empty`. The phrase
 * never quotes the address.
 */
export type CheckedAddress =
  { readonly address: string; readonly problem?: never } | { readonly address?: never; readonly problem: string };

/**
 * Checks a bare e-mail address (RFC 5321, without a display name) and brings it to the form that SES accepts: its
 * domain is in lower case, and in punycode if it is internationalised. The local part is not changed, because its case
 * may matter. It has to be ASCII, because SES takes nothing else there
 * (https://docs.aws.amazon.com/ses/latest/APIReference/API_Destination.html).
 *
 * An address with a blank or a display name is refused and not repaired: it is a sign that something else is wrong with
 * the producer's data.
 */
export function checkEmailAddress(text: string): CheckedAddress {
  const problem = problemOfWhole(text);
  if (problem !== undefined) return { problem };
  const at = text.lastIndexOf("@");
  const local = text.slice(0, at);
  const wrong = problemOfLocalPart(local) ?? problemOfDomain(text.slice(at + 1));
  if (wrong !== undefined) return { problem: wrong };
  const address = `${local}@${asciiDomain(text.slice(at + 1))}`;
  if (address.length > longestAddress) return { problem: tooLong };
  return isEmail(address, { allow_utf8_local_part: false, domain_specific_validation: false })
    ? { address }
    : { problem: "is not an e-mail address" };
}

/** @returns the address in the form of `checkEmailAddress`, or `undefined` if it is not legal. */
export function parseEmailAddress(text: string): string | undefined {
  return checkEmailAddress(text).address;
}

const tooLong = `has more than ${longestAddress} characters`;

function problemOfWhole(text: string): string | undefined {
  // The length is checked first, because the checks below read the whole text.
  if (text.length > longestAddress) return tooLong;
  if (text === "") return "is empty";
  if (text.trim() === "") return "is blank";
  if (text.trimStart() !== text) return "has a blank at its start";
  if (text.trimEnd() !== text) return "has a blank at its end";
  // Cc, Zl and Zp are line breaks and controls: a line break would start another header. The other classes are
  // invisible, so that two different addresses would look the same.
  if (/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u.test(text)) return "has a character that can't be seen";
  if (text.includes("<") || text.endsWith(">")) return "has a display name: give the bare address";
  if (!text.startsWith('"') && /[,;]/.test(text)) return "names more than one address: give a list";
  const at = text.lastIndexOf("@");
  if (at < 0) return "has no at sign";
  if (at === 0) return "has nothing in front of its at sign";
  return undefined;
}

/** The characters of an atom (RFC 5321, 4.1.2), and the dot. */
const atoms = /^[\w!#$%&'*+/=?^`{|}~.-]+$/;

function problemOfLocalPart(local: string): string | undefined {
  if (local.length > longestLocalPart) return `has more than ${longestLocalPart} characters in front of its at sign`;
  if (/[^\x20-\x7e]/.test(local))
    return "has a character in front of its at sign that is not ASCII, and SES takes none";
  if (isQuoted(local)) {
    // An address like `"jane..roe"@` is accepted, because some providers have given out such names. No provider accepts
    // a blank or an at sign in quotation marks.
    return atoms.test(unquoted(local)) ? undefined : "has a quoted part that no mail service takes";
  }
  if (local.includes("@")) return "has more than one at sign";
  if (local.includes('"')) return "has a quotation mark in it";
  if (/[()]/.test(local)) return "has a comment: give the bare address";
  if (/\s/.test(local)) return "has a blank in it";
  if (`.${local}.`.includes("..")) return "has a dot too much in front of its at sign";
  return undefined;
}

function problemOfDomain(domain: string): string | undefined {
  if (domain === "") return "has nothing behind its at sign";
  if (domain.startsWith("[")) return "has an IP address behind its at sign, and SES takes domains only";
  if (domain.endsWith(".")) return "has a dot at its end";
  if (domain.endsWith(")")) return "has a comment: give the bare address";
  if (/\s/.test(domain)) return "has a blank in it";
  return asciiDomain(domain) === undefined ? "has no domain behind its at sign" : undefined;
}

/**
 * Returns one spelling for all addresses of a mailbox, so that the mailbox gets one mail. Two addresses of one mailbox
 * may differ in
 *
 * - the case of either part: no provider is known that distinguishes the case of a local part, and SES's suppression
 *   list does not either,
 * - needless quotation marks and backslashes (`"jane"@`, `"ja\ne"@`: RFC 5321, 4.1.2),
 * - the spelling of an internationalised domain.
 */
export function mailboxOf(address: string): string {
  const at = address.lastIndexOf("@");
  if (at < 0) return address.toLowerCase();
  const local = address.slice(0, at);
  return `${isQuoted(local) ? unquoted(local) : local}@${domainOf(address)}`.toLowerCase();
}

/** Returns the domain of an address in its only spelling: lower case, punycode, no dot at its end. */
export function domainOf(address: string): string {
  const domain = address.slice(address.lastIndexOf("@") + 1).replace(/\.$/, "");
  return asciiDomain(domain) ?? domain.toLowerCase();
}

function isQuoted(local: string): boolean {
  return local.length >= 2 && local.startsWith('"') && local.endsWith('"');
}

/** Returns the text of a quoted local part. In it, a backslash stands before a character that is meant literally. */
function unquoted(local: string): string {
  return local.slice(1, -1).replace(/\\(.)/gsu, "$1");
}

function asciiDomain(domain: string): string | undefined {
  // `domainToASCII` reads a domain as browsers do: it would drop a path and decode `%61`. So only letters, digits,
  // marks, dots and hyphens reach it.
  if (!/^[\p{L}\p{N}\p{M}.-]+$/u.test(domain)) return undefined;
  return domainToASCII(domain) || undefined;
}
