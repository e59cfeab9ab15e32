import {
  type ParkedContext,
  parseParkedMessage,
  type QueueMessage,
} from "../../operations/dead-letters/parked-message";
import { readConfig } from "../../stacks/config";
import { Names } from "../../stacks/names";
import { laneBudgets } from "../../stacks/send-budget";
import { businessEvent, startOfTime } from "./send-notification";
import { exampleAccountId } from "../../stacks/stages";

const config = readConfig({ STAGE: "sandbox" });

/** The sandbox's stage. Its functions may run for 12 and 13 s. */
export const parkedStage = {
  config,
  names: new Names(config),
  isSandbox: true,
  whenUnreachable: "Start the sandbox.",
};

const context: ParkedContext = {
  names: parkedStage.names,
  budgets: laneBudgets(config),
  recipients: config.recipients,
};

export const jane = "jane@example.com";

/** An event that asks for one mail to Jane. */
export function request(detail: object = {}, overrides: object = {}) {
  return businessEvent({ emailConfig: { recipient: jane, subject: "Your order" }, ...detail }, overrides);
}

function queueMessage(body: unknown, overrides: Partial<QueueMessage> = {}): QueueMessage {
  return {
    messageId: "message-1",
    body: typeof body === "string" ? body : JSON.stringify(body),
    systemAttributes: { SentTimestamp: String(startOfTime + 60_000) },
    attributes: {},
    ...overrides,
  };
}

/** The message attributes that EventBridge adds where it could not reach a target. */
export function targetAttributes(rule: string, overrides: Readonly<Record<string, string>> = {}) {
  return {
    ERROR_CODE: "NO_PERMISSIONS",
    ERROR_MESSAGE: "Not allowed to invoke the function.",
    RETRY_ATTEMPTS: "0",
    RULE_ARN: `arn:aws:events:us-east-1:${exampleAccountId}:rule/${parkedStage.names.of("event-bus")}/${parkedStage.names.of(rule)}`,
    TARGET_ARN: `arn:aws:lambda:us-east-1:${exampleAccountId}:function:f`,
    ...overrides,
  };
}

/** The attributes of a message that SQS has moved to the dead-letter queue from the retry queue. */
export const movedBySqs = {
  SentTimestamp: String(startOfTime + 60_000),
  DeadLetterQueueSourceArn: `arn:aws:sqs:us-east-1:${exampleAccountId}:${parkedStage.names.of("retries")}`,
};

export function park(body: unknown, overrides: Partial<QueueMessage> = {}) {
  return parseParkedMessage(queueMessage(body, overrides), context);
}
