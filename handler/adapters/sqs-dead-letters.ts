import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { type FailureRecord } from "../contract/failure-record";

/** Parks what no retry can mend. */
export function createDeadLetters(client: SQSClient, queueUrl: string): (record: FailureRecord) => Promise<void> {
  return async (record) => {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: toBody(record) }));
  };
}

/**
 * SQS takes the characters of XML only, refuses a message with another one, and may change it (SendMessage). JSON escapes
 * all of them but two.
 */
function toBody(record: FailureRecord): string {
  return JSON.stringify(record).replace(/[\ufffe\uffff]/g, (other) => `\\u${other.charCodeAt(0).toString(16)}`);
}
