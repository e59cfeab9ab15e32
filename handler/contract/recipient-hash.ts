import { createHash } from "node:crypto";
import { mailboxOf } from "./email-address";

/**
 * Makes a short hash that stands for a recipient in logs, SES's tags and failure records, so that they hold no
 * addresses. All addresses of one mailbox have the same hash.
 * @returns 12 hexadecimal digits.
 */
export function hashRecipient(recipient: string): string {
  return createHash("sha256").update(mailboxOf(recipient)).digest("hex").slice(0, 12);
}
