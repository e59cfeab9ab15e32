import { type Rule } from "../rule";
import { changeRules } from "./changes";
import { deliveryRules } from "./delivery";
import { encryptionRules } from "./encryption";
import { iamRules } from "./iam";
import { limitRules } from "./limits";
import { monitoringRules } from "./monitoring";
import { nameRules } from "./names";
import { readableRules } from "./readable";

/** The rules by concern. Their titles head the tables of docs/policy.md. */
export const ruleGroups = {
  "Who may do what": iamRules,
  "What the rules can read": readableRules,
  "No event is lost": deliveryRules,
  "Encryption and recovery": encryptionRules,
  "What a deployment replaces": changeRules,
  "Logs and alarms": monitoringRules,
  Names: nameRules,
  "What AWS takes": limitRules,
} satisfies Readonly<Record<string, readonly Rule[]>>;

export const rules: readonly Rule[] = Object.values(ruleGroups).flat();
