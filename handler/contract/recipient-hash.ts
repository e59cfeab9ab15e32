import { createHash } from "node:crypto";
import { mailboxOf } from "./email-address";

/**
 * Tells recipients apart in logs, SES's tags, failure records and claims without naming them: 12 hexadecimal digits.
 * Addresses of one mailbox have one hash.
 */
export function hashRecipient(recipient: string): string {
  return createHash("sha256").update(mailboxOf(recipient)).digest("hex").slice(0, 12);
}
