import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  EventBridgeClient,
  ListArchivesCommand,
  ListEventBusesCommand,
  ListRulesCommand,
} from "@aws-sdk/client-eventbridge";
import { LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import {
  ListConfigurationSetsCommand,
  ListIdentitiesCommand,
  ListTemplatesCommand,
  SESClient,
} from "@aws-sdk/client-ses";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { type AwsClientConfig } from "./aws-client";

/** What the emulator still holds of the services that we use; the default bus is AWS's own. */
export async function findLeftovers(config: AwsClientConfig): Promise<string[]> {
  const logs = new CloudWatchLogsClient(config);
  const events = new EventBridgeClient(config);
  const lambda = new LambdaClient(config);
  const ses = new SESClient(config);
  const sqs = new SQSClient(config);
  const found: Record<string, (string | undefined)[]> = {
    "log group": ((await logs.send(new DescribeLogGroupsCommand({}))).logGroups ?? []).map(
      (group) => group.logGroupName,
    ),
    queue: (await sqs.send(new ListQueuesCommand({}))).QueueUrls ?? [],
    "event bus": ((await events.send(new ListEventBusesCommand({}))).EventBuses ?? [])
      .map((bus) => bus.Name)
      .filter((name) => name !== "default"),
    rule: ((await events.send(new ListRulesCommand({}))).Rules ?? []).map((rule) => rule.Name),
    archive: ((await events.send(new ListArchivesCommand({}))).Archives ?? []).map((archive) => archive.ArchiveName),
    function: ((await lambda.send(new ListFunctionsCommand({}))).Functions ?? []).map((fn) => fn.FunctionName),
    template: ((await ses.send(new ListTemplatesCommand({}))).TemplatesMetadata ?? []).map((template) => template.Name),
    identity: (await ses.send(new ListIdentitiesCommand({}))).Identities ?? [],
    "configuration set": ((await ses.send(new ListConfigurationSetsCommand({}))).ConfigurationSets ?? []).map(
      (set) => set.Name,
    ),
  };
  return Object.entries(found).flatMap(([kind, names]) => names.map((name) => `${kind} ${name ?? "without a name"}`));
}
