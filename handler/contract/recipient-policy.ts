import * as z from "zod";

/**
 * Who may be mailed from a stage. `restricted` allows the listed addresses, and every address of the listed domains
 * (a sub-domain is a domain of its own). `unrestricted` says why, so that it is a decision and not an accident.
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

/** Whether `address` (as `parseEmailAddress` returns it) may be mailed. Case does not matter. */
export function allowsRecipient(policy: RecipientPolicy, address: string): boolean {
  if (policy.mode === "unrestricted") return true;
  const wanted = address.toLowerCase();
  const domain = wanted.slice(wanted.lastIndexOf("@") + 1);
  return (
    policy.addresses.some((allowed) => allowed.toLowerCase() === wanted) ||
    policy.domains.some((allowed) => allowed.toLowerCase() === domain)
  );
}
