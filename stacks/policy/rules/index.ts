import { type Rule } from "../rule";
import { alarmRules } from "./alarms";
import { changeRules } from "./changes";
import { deliveryRules } from "./delivery";
import { encryptionRules } from "./encryption";
import { federationRules } from "./federation";
import { holderRules } from "./holders";
import { iamRules } from "./iam";
import { keyRules } from "./keys";
import { limitRules } from "./limits";
import { monitoringRules } from "./monitoring";
import { nameRules } from "./names";
import { outsiderRules } from "./outsiders";
import { queueRules } from "./queues";
import { readingRules } from "./reading";
import { sendingRules } from "./sending";
import { switchRules } from "./switches";

/** The rules by concern. Their titles head the tables of docs/policy.md. */
export const ruleGroups = {
  "What the rules can read": readingRules,
  "Who may do what": [...iamRules, ...holderRules, ...federationRules, ...sendingRules, ...outsiderRules],
  "No event is lost": [...deliveryRules, ...queueRules, ...switchRules],
  "Encryption and recovery": [...encryptionRules, ...keyRules],
  "What a deployment replaces": changeRules,
  "Logs and alarms": [...monitoringRules, ...alarmRules],
  Names: nameRules,
  "What AWS takes": limitRules,
} satisfies Readonly<Record<string, readonly Rule[]>>;

export const rules: readonly Rule[] = Object.values(ruleGroups).flat();
