import { type MessageAttributeValue, SendMessageCommand } from "@aws-sdk/client-sqs";
import { succeeded } from "./http";
import { type Moto } from "./moto";

/** The text in `<Message>` of a Query error, for a reason that a person reads. */
const messageOf = (xml: string) => /<Message>([^<]*)<\/Message>/.exec(xml)?.[1] ?? xml;

export async function sendToQueue(
  moto: Moto,
  arn: string,
  body: string,
  options: { readonly attributes?: Readonly<Record<string, string>>; readonly groupId?: string } = {},
): Promise<void> {
  const attributes = Object.entries(options.attributes ?? {}).map(([name, value]): [string, MessageAttributeValue] => [
    name,
    { DataType: "String", StringValue: value },
  ]);
  await moto.sqs.send(
    new SendMessageCommand({
      QueueUrl: moto.queueUrl(arn),
      MessageBody: body,
      ...(attributes.length === 0 ? {} : { MessageAttributes: Object.fromEntries(attributes) }),
      ...(options.groupId === undefined ? {} : { MessageGroupId: options.groupId }),
    }),
  );
}

export async function publishToTopic(moto: Moto, arn: string, message: string): Promise<void> {
  const parameters = { Action: "Publish", Version: "2010-03-31", TopicArn: arn, Message: message };
  const answer = await moto.ask("sns", "POST", "/", new URLSearchParams(parameters));
  if (!succeeded(answer)) throw new Error(`${arn} refused the message: ${messageOf(answer.body.toString("utf8"))}`);
}

/** The service in `arn:aws:<service>:..`. */
export const serviceOf = (arn: string): string => arn.split(":")[2] ?? "";
