import * as z from "zod";
import { domainOf, mailboxOf } from "./email-address";

/**
 * Who may be mailed from a stage. `restricted` allows the listed addresses and every address of the listed domains. A
 * listed domain does not include its sub-domains. `unrestricted` needs a reason, so that nobody chooses it by accident.
 */
export const recipientPolicySchema = z.discriminatedUnion("mode", [
  z.object({
    mode: z.literal("restricted"),
    addresses: z.array(z.string()).readonly(),
    domains: z.array(z.string()).readonly(),
  }),
  z.object({ mode: z.literal("unrestricted"), reason: z.string().min(1) }),
]);

export type RecipientPolicy = z.infer<typeof recipientPolicySchema>;

/**
 * Whether `address` may be mailed. It does not matter how an address or a domain is spelled: either all spellings of a
 * mailbox are allowed, or none.
 */
export function allowsRecipient(policy: RecipientPolicy, address: string): boolean {
  if (policy.mode === "unrestricted") return true;
  const mailbox = mailboxOf(address);
  const domain = domainOf(address);
  return (
    policy.addresses.some((allowed) => mailboxOf(allowed) === mailbox) ||
    policy.domains.some((allowed) => domainOf(allowed) === domain)
  );
}
