import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { type FailureRecord, toMessageBody } from "../contract/failure-record";

/** Makes the function that puts a failure record into the dead-letter queue. */
export function createDeadLetters(client: SQSClient, queueUrl: string): (record: FailureRecord) => Promise<void> {
  return async (record) => {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: toMessageBody(record) }));
  };
}
