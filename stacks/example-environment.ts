import { type Environment } from "./config";
import { exampleAccountId, type StageSettings } from "./stages";

/**
 * The variables that a stage needs beside its entry, with the values of an example: the generated documents, the check of
 * migrations and tests synthesize stages with them, whatever a team has filled in.
 */
export function exampleEnvironment(stage: string, entry: Partial<StageSettings>): Environment {
  const { allowedRecipients: allowed, sendingDomains = {} } = entry;
  const [recipient = "ops@example.com"] =
    typeof allowed === "object" && allowed.mode === "restricted"
      ? [...allowed.addresses, ...allowed.domains.map((domain) => `ops@${domain}`)]
      : [];
  const [domain] = Object.keys(sendingDomains);
  return {
    STAGE: stage,
    PROJECT_NAME: entry.projectName ?? "project",
    AWS_ACCOUNT_ID: entry.accountId ?? exampleAccountId,
    AWS_REGION: entry.region ?? "us-east-1",
    ...(entry.senders?.default === undefined
      ? {
          EMAIL_SENDER: `sender@${domain ?? "example.com"}`,
          SENDER_IDENTITY: domain === undefined ? "address" : "domain",
        }
      : {}),
    ...(entry.recipients === undefined ? { EMAIL_RECIPIENT: recipient } : {}),
    ...(entry.alarmSubscribers === undefined ? { ALARM_EMAIL: "on-call@example.com" } : {}),
  };
}
