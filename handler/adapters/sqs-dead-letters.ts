import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { type FailureRecord } from "../contract/failure-record";

/** Parks what the retry lane gives up. */
export function createDeadLetters(client: SQSClient, queueUrl: string): (record: FailureRecord) => Promise<void> {
  return async (record) => {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(record) }));
  };
}
