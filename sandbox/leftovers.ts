import { CloudWatchClient, DescribeAlarmsCommand, ListDashboardsCommand } from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  DescribeResourcePoliciesCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import {
  EventBridgeClient,
  ListArchivesCommand,
  ListEventBusesCommand,
  ListRulesCommand,
} from "@aws-sdk/client-eventbridge";
import {
  IAMClient,
  ListOpenIDConnectProvidersCommand,
  ListPoliciesCommand,
  ListRolesCommand,
} from "@aws-sdk/client-iam";
import {
  type AliasListEntry,
  DescribeKeyCommand,
  KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
} from "@aws-sdk/client-kms";
import { LambdaClient, ListEventSourceMappingsCommand, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import {
  ListConfigurationSetsCommand,
  ListIdentitiesCommand,
  ListTemplatesCommand,
  SESClient,
} from "@aws-sdk/client-ses";
import { ListSubscriptionsCommand, ListTopicsCommand, SNSClient } from "@aws-sdk/client-sns";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { type AwsClientConfig } from "aws-emulator/client-config";

type Names = readonly (string | undefined)[] | undefined;

/**
 * Lists the resources that still exist after a stack was destroyed, for each kind of resource that has a name of its
 * own. It leaves out the bucket of the state, which does not belong to the stack, and what every AWS account has: the
 * default bus, and AWS's own roles and keys.
 */
export async function findLeftovers(config: AwsClientConfig): Promise<string[]> {
  const logs = new CloudWatchLogsClient(config);
  const watch = new CloudWatchClient(config);
  const dynamo = new DynamoDBClient(config);
  const events = new EventBridgeClient(config);
  const iam = new IAMClient(config);
  const kms = new KMSClient(config);
  const lambda = new LambdaClient(config);
  const ses = new SESClient(config);
  const sns = new SNSClient(config);
  const sqs = new SQSClient(config);

  const found: Readonly<Record<string, Names>> = {
    alarm: (await watch.send(new DescribeAlarmsCommand({}))).MetricAlarms?.map((alarm) => alarm.AlarmName),
    archive: (await events.send(new ListArchivesCommand({}))).Archives?.map((archive) => archive.ArchiveName),
    "configuration set": (await ses.send(new ListConfigurationSetsCommand({}))).ConfigurationSets?.map(
      (set) => set.Name,
    ),
    dashboard: (await watch.send(new ListDashboardsCommand({}))).DashboardEntries?.map((entry) => entry.DashboardName),
    "event bus": (await events.send(new ListEventBusesCommand({}))).EventBuses?.map((bus) => bus.Name).filter(
      (name) => name !== "default",
    ),
    "event source mapping": (await lambda.send(new ListEventSourceMappingsCommand({}))).EventSourceMappings?.map(
      (mapping) => mapping.UUID,
    ),
    function: (await lambda.send(new ListFunctionsCommand({}))).Functions?.map((fn) => fn.FunctionName),
    identity: (await ses.send(new ListIdentitiesCommand({}))).Identities,
    key: await keysInUse(kms),
    "key alias": (await kms.send(new ListAliasesCommand({}))).Aliases?.filter((alias) => !isOfAws(alias)).map(
      (alias) => alias.AliasName,
    ),
    "log group": (await logs.send(new DescribeLogGroupsCommand({}))).logGroups?.map((group) => group.logGroupName),
    queue: (await sqs.send(new ListQueuesCommand({}))).QueueUrls,
    "log resource policy": (await logs.send(new DescribeResourcePoliciesCommand({}))).resourcePolicies?.map(
      (policy) => policy.policyName,
    ),
    "identity provider": (await iam.send(new ListOpenIDConnectProvidersCommand({}))).OpenIDConnectProviderList?.map(
      (provider) => provider.Arn,
    ),
    // AWS's own policies are in no account.
    policy: (await iam.send(new ListPoliciesCommand({ Scope: "Local" }))).Policies?.map((policy) => policy.PolicyName),
    role: (await iam.send(new ListRolesCommand({}))).Roles?.map((role) => role.RoleName).filter(
      (name) => name?.startsWith("AWSServiceRole") !== true,
    ),
    rule: (await events.send(new ListRulesCommand({}))).Rules?.map((rule) => rule.Name),
    table: (await dynamo.send(new ListTablesCommand({}))).TableNames,
    template: (await ses.send(new ListTemplatesCommand({}))).TemplatesMetadata?.map((template) => template.Name),
    subscription: (await sns.send(new ListSubscriptionsCommand({}))).Subscriptions?.map(
      (subscription) => subscription.SubscriptionArn,
    ),
    topic: (await sns.send(new ListTopicsCommand({}))).Topics?.map((topic) => topic.TopicArn),
  };
  return Object.entries(found).flatMap(([kind, names]) =>
    (names ?? []).map((name) => `${kind} ${name ?? "without a name"}`),
  );
}

/**
 * Keys of the account that are not about to be deleted. KMS deletes a key only days after the call, so a key that waits
 * for its deletion is no leftover.
 */
async function keysInUse(kms: KMSClient): Promise<(string | undefined)[]> {
  const { Aliases: aliases = [] } = await kms.send(new ListAliasesCommand({}));
  const ofAws = aliases.filter(isOfAws).map(({ TargetKeyId }) => TargetKeyId);
  const { Keys: keys = [] } = await kms.send(new ListKeysCommand({}));
  const found = await Promise.all(keys.map(({ KeyId }) => kms.send(new DescribeKeyCommand({ KeyId }))));
  return found
    .flatMap(({ KeyMetadata: key }) => (key === undefined || key.KeyState === "PendingDeletion" ? [] : [key.KeyId]))
    .filter((id) => !ofAws.includes(id));
}

const isOfAws = ({ AliasName: name }: AliasListEntry): boolean => name?.startsWith("alias/aws/") === true;
