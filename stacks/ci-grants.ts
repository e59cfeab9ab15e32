import {
  DataAwsIamPolicyDocument,
  type DataAwsIamPolicyDocumentStatementCondition,
} from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { type Construct } from "constructs";
import { type Arns } from "./arns";
import { type Config } from "./config";
import { isMadeHere, recordsOf, trackingRecord } from "./dns-records";
import { boundaryArn } from "./function-boundary";
import { laneNames, lanes } from "./lanes";
import { suppress } from "./policy";
import { whereOf } from "./policy/rules/iam";
import { sesHosts } from "./ses-hosts";

type Condition = readonly DataAwsIamPolicyDocumentStatementCondition[];

/** What Terraform does to one kind of resource of the stage. */
export interface Grant {
  readonly sid: string;
  readonly resources: readonly string[];
  /** Actions that a plan needs; an apply needs them as well. */
  readonly read?: readonly string[];
  /** Actions that only an apply needs. */
  readonly write?: readonly string[];
  readonly condition?: Condition;
  /** Why the resources, or the values of the condition, have a wildcard that is not the stage's own prefix. */
  readonly wildcard?: string;
}

export interface GrantScope {
  readonly arns: Arns;
  readonly config: Config;
  /** ARN and key of the stage's state. */
  readonly state: { readonly bucketArn: string; readonly key: string };
}

/**
 * Everything that Terraform asks of AWS for a stage: what a plan reads, and what an apply changes. The end-to-end test of
 * Terraform records each call, and holds these grants against the record in both directions.
 *
 * Which resources an action can be limited to is from AWS's Service Authorization Reference
 * (https://docs.aws.amazon.com/service-authorization/latest/reference/).
 */
export function stageGrants(scope: GrantScope): Grant[] {
  return [
    ...stateGrants(scope),
    ...functionGrants(scope),
    ...roleGrants(scope),
    ...eventGrants(scope),
    ...storageGrants(scope),
    ...alarmGrants(scope),
    ...keyGrants(scope),
    ...mailGrants(scope),
    ...domainGrants(scope),
    ...zoneGrants(scope),
  ];
}

/** The state, and the object beside it that locks it. */
function stateGrants({ state: { bucketArn, key } }: GrantScope): Grant[] {
  const stateArn = `${bucketArn}/${key}`;
  return [
    // Without this permission on the bucket, S3 answers 403 for a state that does not exist yet, and not 404
    // (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html). A condition on `s3:prefix` would have the
    // same effect, because that request has no prefix.
    { sid: "FindState", resources: [bucketArn], read: ["s3:ListBucket"] },
    { sid: "State", resources: [stateArn], read: ["s3:GetObject"], write: ["s3:PutObject"] },
    { sid: "Lock", resources: [`${stateArn}.tflock`], read: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"] },
  ];
}

function functionGrants({ arns }: GrantScope): Grant[] {
  const functions = [arns.of("lambda", `function:${arns.names.prefix}-*`)];
  const mappings = [arns.of("lambda", "event-source-mapping:*")];
  const ownFunctions: Condition = [{ test: "ArnLike", variable: "lambda:FunctionArn", values: functions }];
  const unnamed = "AWS names an event source mapping by a UUID that it makes itself.";
  return [
    {
      sid: "Functions",
      resources: functions,
      read: [
        "lambda:GetFunction",
        "lambda:GetFunctionCodeSigningConfig",
        "lambda:GetFunctionEventInvokeConfig",
        "lambda:GetPolicy",
        "lambda:ListVersionsByFunction",
      ],
      write: [
        "lambda:CreateFunction",
        "lambda:DeleteFunction",
        "lambda:DeleteFunctionConcurrency",
        "lambda:DeleteFunctionEventInvokeConfig",
        "lambda:PutFunctionConcurrency",
        "lambda:PutFunctionEventInvokeConfig",
        "lambda:RemovePermission",
        "lambda:TagResource",
        "lambda:UntagResource",
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration",
      ],
    },
    {
      // A condition can ask who is let in, and not on behalf of which rule or account: AddPermission has the keys
      // `lambda:Principal` and `lambda:FunctionUrlAuthType` alone
      // (https://docs.aws.amazon.com/service-authorization/latest/reference/list_lambda.html). The policy rule
      // `permission-names-source` holds the account in what the stack itself asks for.
      sid: "RulesInvoke",
      resources: functions,
      write: ["lambda:AddPermission"],
      condition: [{ test: "StringEquals", variable: "lambda:Principal", values: ["events.amazonaws.com"] }],
    },
    {
      sid: "Mappings",
      resources: mappings,
      read: ["lambda:GetEventSourceMapping"],
      write: ["lambda:DeleteEventSourceMapping", "lambda:UpdateEventSourceMapping"],
      condition: ownFunctions,
      wildcard: `${unnamed} The condition leaves those of the stage's functions.`,
    },
    {
      sid: "NewMappings",
      resources: ["*"],
      write: ["lambda:CreateEventSourceMapping"],
      condition: ownFunctions,
      wildcard: "Lambda limits this action by its condition on the function, and to no resource.",
    },
    {
      sid: "MappingTags",
      resources: mappings,
      read: ["lambda:ListTags"],
      write: ["lambda:TagResource", "lambda:UntagResource"],
      wildcard: `${unnamed} Tags decide about no permission here, except those of KMS keys.`,
    },
  ];
}

/**
 * The roles of the functions, by their whole names. A role's permissions can be changed only while it has the boundary,
 * and only a function can take it on.
 */
function roleGrants({ arns }: GrantScope): Grant[] {
  const roles = lanes.map((lane) =>
    arns.inAccount("iam", `role/${arns.names.inAccount(laneNames(lane).executionRole)}`),
  );
  const boundary = boundaryArn(arns);
  return [
    {
      sid: "Roles",
      resources: roles,
      read: ["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"],
      write: [
        "iam:DeleteRole",
        "iam:ListInstanceProfilesForRole",
        "iam:TagRole",
        "iam:UntagRole",
        "iam:UpdateRoleDescription",
      ],
    },
    {
      sid: "RolesWithinBoundary",
      resources: roles,
      write: [
        "iam:CreateRole",
        "iam:DeleteRolePolicy",
        "iam:PutRolePermissionsBoundary",
        "iam:PutRolePolicy",
        "iam:UpdateAssumeRolePolicy",
      ],
      condition: [{ test: "StringEquals", variable: "iam:PermissionsBoundary", values: [boundary] }],
    },
    {
      sid: "RolesToFunctions",
      resources: roles,
      write: ["iam:PassRole"],
      condition: [{ test: "StringEquals", variable: "iam:PassedToService", values: ["lambda.amazonaws.com"] }],
    },
  ];
}

function eventGrants({ arns }: GrantScope): Grant[] {
  return [
    {
      sid: "Buses",
      resources: [arns.of("events", `event-bus/${arns.names.prefix}-*`)],
      read: ["events:DescribeEventBus", "events:ListTagsForResource"],
      write: [
        "events:CreateArchive",
        "events:CreateEventBus",
        "events:DeleteEventBus",
        "events:TagResource",
        "events:UntagResource",
        "events:UpdateEventBus",
      ],
    },
    {
      sid: "BusPolicies",
      resources: ["*"],
      write: ["events:PutPermission", "events:RemovePermission"],
      wildcard: "EventBridge limits these actions to no bus.",
    },
    {
      // The names of the stage's own buses begin with its prefix, and so does the part behind `rule/` of their rules.
      sid: "Rules",
      resources: [arns.ownRules],
      read: ["events:DescribeRule", "events:ListTagsForResource", "events:ListTargetsByRule"],
      write: [
        "events:DeleteRule",
        "events:PutRule",
        "events:PutTargets",
        "events:RemoveTargets",
        "events:TagResource",
        "events:UntagResource",
      ],
    },
    {
      sid: "Archive",
      resources: [arns.of("events", `archive/${arns.names.prefix}-*`)],
      read: ["events:DescribeArchive"],
      write: ["events:CreateArchive", "events:DeleteArchive", "events:UpdateArchive"],
    },
  ];
}

function storageGrants({ arns }: GrantScope): Grant[] {
  return [
    {
      sid: "Claims",
      resources: [arns.of("dynamodb", `table/${arns.names.prefix}-*`)],
      read: [
        "dynamodb:DescribeContinuousBackups",
        "dynamodb:DescribeTable",
        "dynamodb:DescribeTimeToLive",
        "dynamodb:ListTagsOfResource",
      ],
      write: [
        "dynamodb:CreateTable",
        "dynamodb:DeleteTable",
        "dynamodb:TagResource",
        "dynamodb:UntagResource",
        "dynamodb:UpdateContinuousBackups",
        "dynamodb:UpdateTable",
        "dynamodb:UpdateTimeToLive",
      ],
    },
    {
      sid: "Queues",
      resources: [arns.of("sqs", `${arns.names.prefix}-*`)],
      read: ["sqs:GetQueueAttributes", "sqs:ListQueueTags"],
      write: ["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes", "sqs:TagQueue", "sqs:UntagQueue"],
    },
    {
      sid: "LogGroups",
      resources: ["/aws/lambda/", "/aws/events/"].map((path) =>
        arns.of("logs", `log-group:${path}${arns.names.prefix}-*`),
      ),
      read: ["logs:DescribeMetricFilters", "logs:GetDataProtectionPolicy", "logs:ListTagsForResource"],
      write: [
        "logs:CreateLogGroup",
        "logs:DeleteDataProtectionPolicy",
        "logs:DeleteLogGroup",
        "logs:DeleteMetricFilter",
        "logs:PutDataProtectionPolicy",
        "logs:PutMetricFilter",
        "logs:PutRetentionPolicy",
        "logs:TagResource",
        "logs:UntagResource",
      ],
    },
    {
      sid: "LogPolicies",
      resources: ["*"],
      read: ["logs:DescribeLogGroups", "logs:DescribeResourcePolicies"],
      write: ["logs:DeleteResourcePolicy", "logs:PutResourcePolicy"],
      wildcard: "CloudWatch Logs limits these actions to no log group.",
    },
  ];
}

function alarmGrants({ arns }: GrantScope): Grant[] {
  return [
    {
      sid: "Alarms",
      resources: [arns.ownAlarms],
      read: ["cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"],
      write: [
        "cloudwatch:DeleteAlarms",
        "cloudwatch:PutMetricAlarm",
        "cloudwatch:TagResource",
        "cloudwatch:UntagResource",
      ],
    },
    {
      sid: "Dashboard",
      resources: [arns.inAccount("cloudwatch", `dashboard/${arns.names.inAccount("notifications")}`)],
      read: ["cloudwatch:GetDashboard"],
      write: ["cloudwatch:DeleteDashboards", "cloudwatch:PutDashboard"],
    },
    {
      sid: "AlarmTopic",
      resources: [arns.of("sns", `${arns.names.prefix}-*`)],
      read: ["sns:GetSubscriptionAttributes", "sns:GetTopicAttributes", "sns:ListTagsForResource"],
      write: [
        "sns:CreateTopic",
        "sns:DeleteTopic",
        "sns:SetTopicAttributes",
        "sns:Subscribe",
        "sns:TagResource",
        "sns:Unsubscribe",
        "sns:UntagResource",
      ],
    },
  ];
}

/**
 * The key of the alarm topic. AWS names a key by a UUID that it makes itself, so the stage's key is told by its tags, and
 * only a key without an alias and without the tag `project` can get them: a new one.
 */
function keyGrants({ arns, config }: GrantScope): Grant[] {
  const { projectName, stage } = config;
  const tagged = (kind: "RequestTag" | "ResourceTag"): Condition => [
    { test: "StringEquals", variable: `aws:${kind}/project`, values: [projectName] },
    { test: "StringEquals", variable: `aws:${kind}/stage`, values: [stage] },
  ];
  const keys = [arns.of("kms", "key/*")];
  const unnamed = "AWS names a key by a UUID that it makes itself.";
  return [
    {
      sid: "Key",
      resources: keys,
      read: ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"],
      write: [
        "kms:CreateAlias",
        "kms:DeleteAlias",
        "kms:EnableKeyRotation",
        "kms:PutKeyPolicy",
        "kms:ScheduleKeyDeletion",
        "kms:TagResource",
        "kms:UntagResource",
        "kms:UpdateKeyDescription",
      ],
      condition: tagged("ResourceTag"),
      wildcard: `${unnamed} The condition leaves those with the stage's tags.`,
    },
    {
      sid: "NewKey",
      resources: ["*"],
      write: ["kms:CreateKey"],
      condition: tagged("RequestTag"),
      wildcard: "A key that is made has no ARN yet. The condition demands the stage's tags.",
    },
    {
      sid: "NewKeyTags",
      resources: keys,
      write: ["kms:TagResource"],
      condition: [
        ...tagged("RequestTag"),
        { test: "Null", variable: "aws:ResourceTag/project", values: ["true"] },
        { test: "Null", variable: "kms:ResourceAliases", values: ["true"] },
      ],
      wildcard: `${unnamed} The condition leaves those with neither an alias nor a project.`,
    },
    {
      sid: "KeyAlias",
      resources: [arns.of("kms", `alias/${arns.names.prefix}-*`)],
      write: ["kms:CreateAlias", "kms:DeleteAlias"],
    },
    {
      sid: "TableKey",
      resources: keys,
      read: ["kms:DescribeKey"],
      condition: [{ test: "StringEquals", variable: "kms:RequestAlias", values: ["alias/aws/dynamodb"] }],
      wildcard: `${unnamed} The condition leaves the key that AWS manages for DynamoDB, which the provider looks up.`,
    },
    {
      sid: "KeyAliases",
      resources: ["*"],
      read: ["kms:ListAliases"],
      wildcard: "KMS limits this action to no alias.",
    },
  ];
}

function mailGrants({ arns, config }: GrantScope): Grant[] {
  const { madeIdentities } = config;
  const identityGrant: Grant = {
    sid: "Identities",
    resources: madeIdentities.map((identity) => arns.of("ses", `identity/${identity}`)),
    read: ["ses:GetEmailIdentity", "ses:ListTagsForResource"],
    write: ["ses:CreateEmailIdentity", "ses:DeleteEmailIdentity", "ses:TagResource", "ses:UntagResource"],
  };
  return [
    ...(madeIdentities.length > 0 ? [identityGrant] : []),
    {
      sid: "ConfigurationSet",
      resources: [arns.of("ses", `configuration-set/${arns.names.prefix}-*`)],
      read: ["ses:GetConfigurationSet", "ses:GetConfigurationSetEventDestinations", "ses:ListTagsForResource"],
      write: [
        "ses:CreateConfigurationSet",
        "ses:CreateConfigurationSetEventDestination",
        "ses:DeleteConfigurationSet",
        "ses:DeleteConfigurationSetEventDestination",
        "ses:PutConfigurationSetDeliveryOptions",
        "ses:PutConfigurationSetReputationOptions",
        "ses:PutConfigurationSetSendingOptions",
        "ses:PutConfigurationSetSuppressionOptions",
        "ses:TagResource",
        "ses:UntagResource",
        "ses:UpdateConfigurationSetEventDestination",
      ],
    },
    {
      sid: "Templates",
      resources: ["*"],
      read: ["ses:GetTemplate"],
      write: ["ses:CreateTemplate", "ses:DeleteTemplate"],
      wildcard: "SES limits the template actions of its first API to no template.",
    },
  ];
}

/** What the stage sets at SES for the domains that it sends from and tracks under. A stage without one gets nothing. */
function domainGrants({ arns, config: { madeIdentities, sendingDomains, tracking } }: GrantScope): Grant[] {
  const withMailFrom = sendingDomains.filter(
    ({ domain, mailFrom }) => mailFrom !== undefined && madeIdentities.includes(domain),
  );
  const mailFromGrant: Grant = {
    sid: "MailFrom",
    resources: withMailFrom.map(({ domain }) => arns.of("ses", `identity/${domain}`)),
    write: ["ses:PutEmailIdentityMailFromAttributes"],
  };
  const trackingGrant: Grant = {
    sid: "Tracking",
    resources: [arns.of("ses", `configuration-set/${arns.names.configurationSet}`)],
    write: ["ses:PutConfigurationSetTrackingOptions"],
  };
  return [...(withMailFrom.length > 0 ? [mailFromGrant] : []), ...(tracking === undefined ? [] : [trackingGrant])];
}

/**
 * The DNS records of the stage in its hosted zones, and no other record of these. Route 53 compares names in lower case
 * and without a dot at the end
 * (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html). A stage without a zone
 * gets nothing.
 */
function zoneGrants({ arns, config }: GrantScope): Grant[] {
  const { region, madeIdentities, sendingDomains, tracking } = config;
  const hosts = sesHosts(region);
  const records = [
    ...sendingDomains
      .filter(({ domain }) => madeIdentities.includes(domain))
      .flatMap((domain) =>
        // SES makes the tokens of DKIM at the apply.
        (hosts === undefined ? [] : recordsOf(domain, ["*"], hosts))
          .filter((record) => isMadeHere(record, domain))
          .map((record) => ({ ...record, zoneId: domain.zoneId })),
      ),
    ...(tracking === undefined ? [] : [{ ...trackingRecord(tracking), zoneId: tracking.zoneId }]),
  ].filter(({ zoneId }) => zoneId !== undefined);
  if (records.length === 0) return [];
  const zones = unique(records.map(({ zoneId }) => arns.global("route53", `hostedzone/${zoneId}`)));
  const names = "route53:ChangeResourceRecordSetsNormalizedRecordNames";
  return [
    { sid: "Zones", resources: zones, read: ["route53:GetHostedZone", "route53:ListResourceRecordSets"] },
    {
      sid: "Records",
      resources: zones,
      write: ["route53:ChangeResourceRecordSets"],
      condition: [
        {
          test: "ForAllValues:StringLike",
          variable: names,
          values: unique(records.map(({ name }) => name.toLowerCase())),
        },
        {
          test: "ForAllValues:StringEquals",
          variable: "route53:ChangeResourceRecordSetsRecordTypes",
          values: unique(records.map(({ type }) => type)),
        },
        // `ForAllValues` holds for a request without the key, too.
        { test: "Null", variable: names, values: ["false"] },
      ],
      ...(records.some(({ name }) => hasWildcard(name))
        ? { wildcard: "SES makes the tokens in the names of DKIM's records, so they are not known before the apply." }
        : {}),
    },
    {
      sid: "RecordChanges",
      resources: [arns.global("route53", "change/*")],
      write: ["route53:GetChange"],
      wildcard: "Route 53 names a change by an id that it makes itself. The action tells whether a change is done.",
    },
  ];
}

const unique = <Item>(items: readonly Item[]): Item[] => [...new Set(items)];

/**
 * The policy that allows what grants list.
 * @param access which actions of the grants it allows.
 */
export function grantsDocument(
  scope: Construct,
  id: string,
  grants: readonly Grant[],
  access: "read" | "write",
): DataAwsIamPolicyDocument {
  const statements = grants.flatMap(({ [access]: actions, ...grant }) =>
    actions === undefined ? [] : [{ ...grant, actions }],
  );
  const document = new DataAwsIamPolicyDocument(scope, id, {
    statement: statements.map(({ sid, actions, resources, condition }) => ({
      sid,
      actions: [...actions],
      resources: [...resources],
      ...(condition === undefined ? {} : { condition: [...condition] }),
    })),
  });
  for (const { actions, resources, condition = [], wildcard: reason } of statements) {
    if (reason === undefined) continue;
    const appliesTo = [
      ...resources
        .filter(hasWildcard)
        .flatMap((resource) => actions.map((action) => `${action} on ${resource}${whereOf(condition)}`)),
      // The ARNs in conditions end in the stage's own prefix.
      ...condition.flatMap(({ test, values }) =>
        test === "ArnLike" ? [] : values.filter(hasWildcard).map((value) => `condition ${value}`),
      ),
    ];
    suppress(document, { rule: "no-wildcard", reason, appliesTo });
  }
  return document;
}

const hasWildcard = (text: string): boolean => text.includes("*");
