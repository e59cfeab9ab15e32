import { catalogue } from "../handler/notifications";
import { type Notification } from "../handler/notifications/define";
import { seedCatalogue } from "../handler/notifications/seed";
import { unmatchedRules, unroutedRules } from "../stacks/constructs/complement-rules";
import { type Names } from "../stacks/names";
import { defaultQuotas } from "../stacks/stages";

export type Lane = Notification["lane"];

export const lanes: readonly Lane[] = ["standard", "priority"];

/** A lane's resources are named by it, the standard lane's as in the recipe: stacks/constructs/notification-lane.ts. */
const prefixOf: Readonly<Record<Lane, string>> = { standard: "", priority: "priority-" };

export const retryQueueRole = (lane: Lane): string => `${prefixOf[lane]}retries`;
export const functionRole = (lane: Lane): string => `${prefixOf[lane]}email-processor`;
export const retryRuleRole = (lane: Lane): string => `${prefixOf[lane]}retry-rule`;
/** In front of the alarms of a lane. */
export const laneAlarm = (lane: Lane, alarm: string): string => `${prefixOf[lane]}${alarm}`;

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
