import { domainOf, parseEmailAddress } from "../handler/contract/email-address";
import { type Config, type Sender } from "./config";
import { simulatorDomain } from "./stage-check";

/** The sender `name` with the identity that SES verifies for it: its address, or the domain of that. */
export function senderOf(name: string, address: string, kind: Sender["identity"]["kind"] = "address"): Sender {
  return { name, address, identity: { kind, value: kind === "domain" ? domainOf(address) : address } };
}

/**
 * The identities that SES may check for a mail of the senders: those of each address and of its domain. Where both exist,
 * it checks that of the address, whoever created it (https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html).
 */
export function checkedIdentities(senders: readonly Sender[]): string[] {
  return [...new Set(senders.flatMap(({ address }) => [address, domainOf(address)]))];
}

/** The identities that SES needs for a stage: those of its senders, and in the SES sandbox those of its recipients. */
export function neededIdentities({
  senders,
  recipients,
  sesSandbox,
}: {
  readonly senders: readonly Sender[];
  readonly recipients: readonly string[];
  readonly sesSandbox: boolean;
}): string[] {
  return [...new Set([...senders.map(({ identity }) => identity.value), ...(sesSandbox ? recipients : [])])];
}

/**
 * The identities that a stage makes. Everything else that has to know it asks the configuration for this list
 * (`madeIdentities`).
 * @param setting `identities` of the stage.
 * @param needed by `neededIdentities`.
 */
export function madeIdentities(
  setting: "managed" | "existing" | { readonly existing: readonly string[] },
  needed: readonly string[],
): string[] {
  if (setting === "existing") return [];
  const existing = setting === "managed" ? [] : setting.existing.map(identityNamed);
  return needed.filter((identity) => !existing.includes(identity));
}

/** An identity in the form that the configuration has it in: an address or a domain, which has no capitals. */
export function identityNamed(text: string): string {
  if (text.includes("@")) return parseEmailAddress(text) ?? text;
  const parsed = parseEmailAddress(`a@${text}`);
  return parsed === undefined ? text : domainOf(parsed);
}

/**
 * The identities of recipients that a function may have to name. SES checks them, too, while the account is in the SES
 * sandbox (aws-sdk-js issue 3641): the identity of the recipient's address, or else that of its domain. The stack makes
 * those of the stage's recipients, and a person those of everybody else whom the stage may mail. Where a domain is listed,
 * SES has to have verified the domain itself.
 */
export function recipientIdentities(
  config: Pick<Config, "madeIdentities" | "recipients" | "recipientPolicy" | "sesSandbox">,
): string[] {
  const { madeIdentities, recipients, recipientPolicy, sesSandbox } = config;
  if (!sesSandbox) return [];
  const [addresses, domains] =
    recipientPolicy.mode === "restricted" ? [recipientPolicy.addresses, recipientPolicy.domains] : [[], []];
  const ofPersons = addresses.filter((address) => !madeIdentities.includes(address));
  const identities = [
    ...recipients,
    ...ofPersons.flatMap((address) => [address, domainOf(address)]),
    ...domains.filter((domain) => domain !== simulatorDomain),
  ];
  return [...new Set(identities)];
}
