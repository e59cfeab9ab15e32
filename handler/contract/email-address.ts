import { domainToASCII } from "node:url";
import isEmail from "validator/lib/isEmail";

/**
 * Parses an e-mail address (RFC 5321, bare: no display name) to the form that SES accepts: the domain in lower case and
 * in punycode where it is internationalised. The local part stays as it is: its case may matter, and SES takes only
 * ASCII there (https://docs.aws.amazon.com/ses/latest/APIReference/API_Destination.html).
 *
 * @returns the address, or `undefined` where it is not legal.
 */
export function parseEmailAddress(text: string): string | undefined {
  const at = text.lastIndexOf("@");
  // A quoted local part may hold nearly everything, but a line break would start another header.
  if (at < 1 || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)) return undefined;
  // Node reads a domain as browsers do: it would drop a path, and decode `%61`.
  if (!/^[\p{L}\p{N}\p{M}.-]+$/u.test(text.slice(at + 1))) return undefined;
  const domain = domainToASCII(text.slice(at + 1));
  if (domain === "") return undefined;
  const address = `${text.slice(0, at)}@${domain}`;
  return isEmail(address, { allow_utf8_local_part: false, domain_specific_validation: false }) ? address : undefined;
}

/**
 * Names the mailbox of an address: two addresses that differ only in case name one mailbox, and get one mail. Providers
 * that tell the case of a local part apart are not known, and SES's suppression list does not either.
 * @param address as `parseEmailAddress` returns it.
 */
export function mailboxOf(address: string): string {
  return address.toLowerCase();
}
