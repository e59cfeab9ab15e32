import { parseEmailAddress } from "../handler/contract/email-address";
import { madeIdentities, neededIdentities, senderOf } from "./ses-identities";
import { settingProblems } from "./stage-check";
import { type StageSettings } from "./stages";

/** What a stage makes that an account has once. */
export interface MadeOnce {
  readonly stage: string;
  readonly accountId: string;
  readonly region: string;
  /** SES identities, of which an account has each once in a region. */
  readonly identities: readonly string[];
  /** Whether it makes the account's identity provider for GitHub. */
  readonly makesProvider: boolean;
}

/**
 * Finds the other stages that make the same thing in the same account, of which the second deployment would fail. It
 * reads the others' entries alone, so it does not see a stage whose account or region comes from a variable, nor one of
 * another project. The stage `sandbox` is left out, because it is never in an account.
 * @returns a sentence for each such thing.
 */
export function madeTwice(own: MadeOnce, stages: Readonly<Record<string, StageSettings>>): string[] {
  if (own.stage === "sandbox") return [];
  return Object.entries(stages).flatMap(([stage, settings]) => {
    if (stage === own.stage || stage === "sandbox" || settingProblems(settings).length > 0) return [];
    if (settings.accountId !== own.accountId) return [];
    const both = `stacks/stages.ts: the stages ${own.stage} and ${stage} are both in account ${own.accountId}`;
    const shared =
      settings.region === own.region
        ? identitiesOf(settings).filter((identity) => own.identities.includes(identity))
        : [];
    return [
      ...shared.map(
        (identity) =>
          `${both} and region ${own.region}, and both make the SES identity ${identity}, which there can be only once: write identities: { existing: ["${identity}"] } into one of them, and deploy the other one first`,
      ),
      ...(own.makesProvider && settings.deployRepository !== undefined && settings.oidcProvider !== "existing"
        ? [
            `${both}, and both make its identity provider for GitHub, which an account has once: write oidcProvider: "existing" into one of them, and apply ci-access of the other one first`,
          ]
        : []),
    ];
  });
}

function identitiesOf({ identities = "managed", senders = {}, sesSandbox, recipients = [] }: StageSettings): string[] {
  const parsed = (text: string) => parseEmailAddress(text) ?? text;
  const needed = neededIdentities({
    senders: Object.entries(senders).map(([name, { address, identity }]) => senderOf(name, parsed(address), identity)),
    recipients: recipients.map(parsed),
    sesSandbox,
  });
  return madeIdentities(identities, needed);
}
