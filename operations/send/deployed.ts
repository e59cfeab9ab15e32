import { DescribeRuleCommand, type DescribeRuleResponse, type EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { isDeepStrictEqual } from "node:util";
import { type EventTrigger } from "../../handler/notifications/define";
import { patternOf } from "../../handler/notifications/patterns";
import { isUnreachable, type StageAccess } from "../stage";
import { textOfError } from "../text";

/** What is looked for: the rule that brings the notification's events to its function. */
export interface EventNotification {
  readonly id: string;
  readonly ruleName: string;
  readonly trigger: EventTrigger;
}

/**
 * Looks for the notification's rule on the stage's bus. PutEvents takes an event that no rule matches, and says nothing.
 * @returns a warning where the rule differs from the checkout's, or can't be looked at; `undefined` where it fits.
 * @throws Error where the notification is not deployed.
 */
export async function checkDeployed(
  { id, ruleName, trigger }: EventNotification,
  { names, isSandbox, client: { endpoint, region } }: StageAccess,
  events: EventBridgeClient,
): Promise<string | undefined> {
  const bus = names.of("event-bus");
  const name = names.of(ruleName);
  const deploy = isSandbox
    ? "Restart npm start, which deploys this checkout, or deploy it to the running sandbox: source .sandbox/environment.sh, then npm run deploy."
    : "Deploy this checkout (npm run deploy), or check STAGE, PROJECT_NAME and AWS_REGION.";
  let rule: DescribeRuleResponse;
  try {
    rule = await events.send(new DescribeRuleCommand({ Name: name, EventBusName: bus }));
  } catch (cause) {
    if (isUnreachable(cause)) throw cause;
    if (cause instanceof Error && cause.name === "ResourceNotFoundException") {
      throw new Error(
        `"${id}" is not deployed: the bus ${bus} has no rule ${name}. No mail would come, so nothing was put. ${deploy}`,
        { cause },
      );
    }
    return `Whether "${id}" is deployed could not be seen: the rule ${name} of the bus ${bus} could not be looked at (${textOfError(cause)}). The event is put all the same.`;
  }
  if (rule.State === "DISABLED") {
    // Without these, the AWS CLI would go to the region and the account of the person's own settings.
    const where = `${endpoint === undefined ? "" : ` --endpoint-url ${endpoint}`} --region ${region}`;
    throw new Error(
      `"${id}" is switched off: the rule ${name} of the bus ${bus} is disabled. No mail would come, so nothing was put. Enable it: aws events enable-rule${where} --name ${name} --event-bus-name ${bus}`,
    );
  }
  return takesTheSame(rule, trigger)
    ? undefined
    : `The rule ${name} of the bus ${bus} takes other events than this checkout's "${id}": if no mail comes, that is why. ${deploy}`;
}

function takesTheSame({ EventPattern: text = "" }: DescribeRuleResponse, trigger: EventTrigger): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(text), patternOf(trigger));
  } catch {
    return false;
  }
}
