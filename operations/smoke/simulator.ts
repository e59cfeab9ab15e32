import { domainOf } from "../../handler/contract/email-address";
import { simulatorDomain } from "../../stacks/stage-check";

/**
 * What SES's mailbox simulator does with a mail, and the address that asks for it
 * (https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html).
 */
export const fates = {
  success: { mailbox: "success", tells: ["Email Sent", "Email Delivered"] },
  bounce: { mailbox: "bounce", tells: ["Email Sent", "Email Bounced"] },
  complaint: { mailbox: "complaint", tells: ["Email Sent", "Email Complaint Received"] },
  /** SES does not try to deliver this mail. It reports a bounce. */
  suppression: { mailbox: "suppressionlist", tells: ["Email Bounced"] },
} as const satisfies Readonly<
  Record<
    string,
    { readonly mailbox: string; /** Detail-types that have to come back. */ readonly tells: readonly string[] }
  >
>;

export type Fate = keyof typeof fates;

/**
 * Makes the only addresses that a smoke test mails. The simulator takes labels, so each mail has an address of its own
 * ("bounce+label1@simulator.amazonses.com",
 * https://docs.aws.amazon.com/ses/latest/DeveloperGuide/mailbox-simulator.html).
 * @param label letters, digits and hyphens, at most 48 characters: a local part has at most 64.
 */
export function simulatorAddress(fate: Fate, label: string): string {
  if (!/^[a-z0-9-]{1,48}$/.test(label))
    throw new Error(`The label "${label}" does not fit into an address; this is a bug.`);
  return `${fates[fate].mailbox}+${label}@${simulatorDomain}`;
}

/** Whether the address belongs to the mailbox simulator, so that nobody reads what is sent to it. */
export const isSimulator = (address: string): boolean => domainOf(address) === simulatorDomain;
