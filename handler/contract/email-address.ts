import { domainToASCII } from "node:url";
import isEmail from "validator/lib/isEmail";

/** RFC 5321, 4.5.3.1: a path, which is `<address>`, has at most 256 characters, and a local part 64. */
const longestAddress = 254;
const longestLocalPart = 64;

/** An address in the form that SES accepts, or what is wrong with it, without its value. */
export type CheckedAddress =
  { readonly address: string; readonly problem?: never } | { readonly address?: never; readonly problem: string };

/**
 * Checks an e-mail address (RFC 5321, bare: no display name) and brings it to the form that SES accepts: the domain in
 * lower case and in punycode where it is internationalised. The local part stays as it is: its case may matter, and SES
 * takes only ASCII there (https://docs.aws.amazon.com/ses/latest/APIReference/API_Destination.html).
 *
 * Nothing is mended: a blank or a display name is a sign that the producer's data is not what it takes it for.
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

/** @returns the address as `checkEmailAddress` does, or `undefined` where it is not legal. */
export function parseEmailAddress(text: string): string | undefined {
  return checkEmailAddress(text).address;
}

const tooLong = `has more than ${longestAddress} characters`;

function problemOfWhole(text: string): string | undefined {
  // First of all: what comes later reads the whole text.
  if (text.length > longestAddress) return tooLong;
  if (text === "") return "is empty";
  if (text.trim() === "") return "is blank";
  if (text.trimStart() !== text) return "has a blank at its start";
  if (text.trimEnd() !== text) return "has a blank at its end";
  // Cc and Zl, Zp: a line break would start another header. The others are not seen, so two addresses look the same.
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
    // `"jane..roe"@` reaches mailboxes that were given such names; a blank or an @ in quotation marks reaches none.
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
 * Names the mailbox of an address: addresses of one mailbox get one mail. They may differ in the case of either part
 * (providers that tell the case of a local part apart are not known, and SES's suppression list does not either), in
 * needless quotation marks (`"jane"@`, `"ja\ne"@`: RFC 5321, 4.1.2), and in the spelling of an internationalised domain.
 */
export function mailboxOf(address: string): string {
  const at = address.lastIndexOf("@");
  if (at < 0) return address.toLowerCase();
  const local = address.slice(0, at);
  return `${isQuoted(local) ? unquoted(local) : local}@${domainOf(address)}`.toLowerCase();
}

/** The domain of an address, one spelling a domain: lower case, punycode, no dot at its end. */
export function domainOf(address: string): string {
  const domain = address.slice(address.lastIndexOf("@") + 1).replace(/\.$/, "");
  return asciiDomain(domain) ?? domain.toLowerCase();
}

function isQuoted(local: string): boolean {
  return local.length >= 2 && local.startsWith('"') && local.endsWith('"');
}

/** What a quoted local part says: a backslash takes the next character as it is. */
function unquoted(local: string): string {
  return local.slice(1, -1).replace(/\\(.)/gsu, "$1");
}

function asciiDomain(domain: string): string | undefined {
  // Node reads a domain as browsers do: it would drop a path, and decode `%61`.
  if (!/^[\p{L}\p{N}\p{M}.-]+$/u.test(domain)) return undefined;
  return domainToASCII(domain) || undefined;
}
