import { domainOf } from "../handler/contract/email-address";
import { type Config } from "./config";
import { simulatorDomain } from "./stage-check";

/**
 * The identities of recipients that a function may have to name. SES checks them, too, while the account is in the SES
 * sandbox (aws-sdk-js issue 3641): the identity of the recipient's address, or else that of its domain. The stack makes
 * those of the stage's recipients, and a person those of everybody else whom the stage may mail. Where a domain is listed,
 * SES has to have verified the domain itself.
 */
export function recipientIdentities(
  config: Pick<Config, "manageIdentities" | "recipients" | "recipientPolicy" | "sesSandbox">,
): string[] {
  const { manageIdentities, recipients, recipientPolicy, sesSandbox } = config;
  if (!sesSandbox) return [];
  const [addresses, domains] =
    recipientPolicy.mode === "restricted" ? [recipientPolicy.addresses, recipientPolicy.domains] : [[], []];
  const ofPersons = addresses.filter((address) => !manageIdentities || !recipients.includes(address));
  const identities = [
    ...recipients,
    ...ofPersons.flatMap((address) => [address, domainOf(address)]),
    ...domains.filter((domain) => domain !== simulatorDomain),
  ];
  return [...new Set(identities)];
}
