import * as z from "zod/mini";
import { domainOf, mailboxOf } from "./email-address";

/**
 * Who may be mailed from a stage. `restricted` allows the listed addresses and every address of the listed domains. A
 * listed domain does not include its sub-domains. `unrestricted` needs a reason, so that nobody chooses it by accident.
 */
export const recipientPolicySchema = z.discriminatedUnion("mode", [
  z.object({
    mode: z.literal("restricted"),
    addresses: z.readonly(z.array(z.string())),
    domains: z.readonly(z.array(z.string())),
  }),
  z.object({ mode: z.literal("unrestricted"), reason: z.string().check(z.minLength(1)) }),
]);

export type RecipientPolicy = z.infer<typeof recipientPolicySchema>;

/**
 * Finds how a recipient that may be mailed is written. It does not matter how the event spells an address or a domain:
 * either all spellings of a mailbox are allowed, or none. A listed mailbox is mailed as the list spells it, because IAM
 * compares the recipients of a mail with the same list, and minds the case (`recipientPatterns`).
 * @param address in the form of `checkEmailAddress`.
 * @returns the address to mail; `undefined` if it may not be mailed.
 */
export function allowedRecipient(policy: RecipientPolicy, address: string): string | undefined {
  if (policy.mode === "unrestricted") return address;
  const mailbox = mailboxOf(address);
  const listed = policy.addresses.find((allowed) => mailboxOf(allowed) === mailbox);
  if (listed !== undefined) return listed;
  const domain = domainOf(address);
  return policy.domains.some((allowed) => domainOf(allowed) === domain) ? address : undefined;
}

export function allowsRecipient(policy: RecipientPolicy, address: string): boolean {
  return allowedRecipient(policy, address) !== undefined;
}

/**
 * The policy as patterns for IAM's `StringLike`. They match what `allowedRecipient` returns and no other address. That
 * holds as long as no listed address has a wildcard, and the synth sees to that.
 * @returns `undefined` where everybody may be mailed.
 */
export function recipientPatterns(policy: RecipientPolicy): readonly string[] | undefined {
  if (policy.mode === "unrestricted") return undefined;
  return [...policy.addresses, ...policy.domains.map((domain) => `*@${domainOf(domain)}`)];
}
