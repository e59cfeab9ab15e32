import { catalogue } from "../handler/notifications";
import { type Notification } from "../handler/notifications/define";
import { seedCatalogue } from "../handler/notifications/seed";
import { unmatchedRules, unroutedRules } from "../stacks/constructs/complement-rules";
import { type Lane, laneNames, lanes } from "../stacks/lanes";
import { type Names } from "../stacks/names";
import { defaultQuotas } from "../stacks/stages";

export { type Lane, lanes };

export const retryQueueRole = (lane: Lane): string => laneNames(lane).retryQueue;
export const functionRole = (lane: Lane): string => laneNames(lane).function;
export const retryRuleRole = (lane: Lane): string => laneNames(lane).retryRule;
export const laneAlarm = (lane: Lane, alarm: string): string => laneNames(lane).alarm(alarm);

export const retryQueueName = (names: Names, lane: Lane): string => names.of(retryQueueRole(lane));

const { eventPatternCharacters } = defaultQuotas("us-east-1");

/** The rules of what no notification's rule takes; a large catalogue needs more than one of each. */
export const unmatchedRuleRoles = unmatchedRules(seedCatalogue, eventPatternCharacters).map(({ name }) => name);
export const unroutedRuleRoles = unroutedRules(seedCatalogue, eventPatternCharacters).rules.map(({ name }) => name);

/** The notification whose rule has this ARN. */
export function notificationOfRule(ruleArn: string, names: Names): Notification | undefined {
  const ruleName = ruleArn.slice(ruleArn.lastIndexOf("/") + 1);
  return catalogue.find((notification) => names.of(notification.ruleName) === ruleName);
}
