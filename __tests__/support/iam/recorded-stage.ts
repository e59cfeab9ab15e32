import { type Config, type Environment } from "../../../stacks/config";
import { type StageSettings } from "../../../stacks/stages";
import { withStage } from "../stack";

/** Stands for the hosted zone in the record. */
export const recordedZoneId = "Z0123456789ABCDEFGHIJ";

/** What a stage can have and need not: everything of it that Terraform makes with calls of its own. */
const settings: Partial<StageSettings> = {
  senders: {
    default: { address: "sender@example.com", identity: "domain" },
    // It shares the identity of the default sender.
    alerts: { address: "alerts@example.com", identity: "domain" },
    // Its domain has no hosted zone.
    partners: { address: "mail@example.net", identity: "domain" },
    team: { address: "team@example.org" },
  },
  alarmSubscribers: ["on-call@example.com", "ops@example.com"],
  tracking: { domain: "click.example.com", httpsPolicy: "REQUIRE", target: "d111111abcdef8.cloudfront.net" },
};

/**
 * The configuration of the stage whose calls `__tests__/end-to-end/ci-access.test.ts` records: one with everything that a
 * stage can have, and a repository that deploys it.
 */
export function recordedStage(zoneId: string = recordedZoneId, environment: Environment = {}): Config {
  return withStage(
    { ...settings, sendingDomains: { "example.com": { zoneId } } },
    { STAGE: "staging", DEPLOY_REPOSITORY: "acme/shop", ...environment },
  );
}
