import { scheduleProblem } from "../schedule-expression";
import { highCounts, largePolicies, largeTemplates, longTexts } from "./limits";
import { type Quotas } from "../stages";
import {
  all,
  applied,
  type Attributes,
  block,
  isReference,
  nameAttributes,
  objects,
  statementsBehind,
  strings,
  type SynthesizedStack,
} from "./synthesized";

export type { SynthesizedStack } from "./synthesized";

/** The settings of a stage that rules depend on. */
export interface PolicySettings extends Quotas {
  readonly deletionProtection: boolean;
}

export interface Rule {
  readonly id: string;
  readonly why: string;
  /** @returns a sentence for each place where the rule is broken. */
  readonly check: (stack: SynthesizedStack, namePrefix: string, settings: PolicySettings) => readonly string[];
}

export interface Violation {
  readonly rule: string;
  readonly why: string;
  readonly where: string;
}

export const rules: readonly Rule[] = [
  {
    id: "no-wildcard",
    why: "A permission names its actions, resources and principals. What would outgrow AWS's limits is named by the stage's own prefix, `<prefix>-*` at the end of a resource or of an ArnLike value (docs/decisions/0004).",
    check: (stack, namePrefix) => [
      ...all(stack.data, "aws_iam_policy_document").flatMap(([id, document]) =>
        objects(document.statement)
          .filter((statement) => statement.effect !== "Deny")
          .flatMap((statement) => [...wildcards(statement, namePrefix), ...exclusions(statement)])
          .map((problem) => `data.aws_iam_policy_document.${id} allows ${problem}`),
      ),
      ...all(stack.resource, "aws_lambda_permission").flatMap(([id, permission]) =>
        [
          permission.action,
          permission.principal,
          ...(isOwnPrefix(permission.source_arn, namePrefix) ? [] : [permission.source_arn]),
        ]
          .filter(hasWildcard)
          .map((text) => `aws_lambda_permission.${id} allows "${String(text)}"`),
      ),
    ],
  },
  {
    id: "policy-as-data",
    why: "These rules can't read a policy that is written as a text: write it as an aws_iam_policy_document.",
    check: (stack) =>
      Object.entries(stack.resource ?? {}).flatMap(([type, resources]) =>
        Object.entries(resources).flatMap(([id, attributes]) =>
          ["policy", "policy_document", "assume_role_policy", "inline_policy"]
            .filter((name) => attributes[name] !== undefined && !isReference(attributes[name]))
            .map((name) => `${type}.${id} has its ${name} as text`),
        ),
      ),
  },
  {
    id: "permission-names-source",
    why: "Without the ARN of its source, a permission lets any account's rule invoke the function.",
    check: (stack) =>
      missing(stack, "aws_lambda_permission", "names no source", (permission) => permission.source_arn !== undefined),
  },
  {
    id: "target-retry-and-dead-letters",
    why: "By default EventBridge drops an event after 24 hours, without a trace.",
    check: (stack) =>
      all(stack.resource, "aws_cloudwatch_event_target").flatMap(([id, target]) =>
        (["retry_policy", "dead_letter_config"] as const)
          .filter((attribute) => target[attribute] === undefined)
          .map((attribute) => `aws_cloudwatch_event_target.${id} has no ${attribute}`),
      ),
  },
  {
    id: "queue-encrypted",
    why: "A parked event holds addresses and content.",
    check: (stack) =>
      missing(
        stack,
        "aws_sqs_queue",
        "is not encrypted",
        (queue) => queue.sqs_managed_sse_enabled === true || queue.kms_master_key_id !== undefined,
      ),
  },
  {
    id: "topic-encrypted",
    why: "Everything at rest is encrypted.",
    check: (stack) =>
      missing(stack, "aws_sns_topic", "is not encrypted", (topic) => topic.kms_master_key_id !== undefined),
  },
  {
    id: "tls-only",
    why: "SQS and SNS take plain HTTP, unless the policy denies it.",
    check: (stack) => [
      ...missing(stack, "aws_sqs_queue", "takes plain HTTP", (queue) => deniesPlainHttp(stack, queue.policy)),
      ...all(stack.resource, "aws_sns_topic")
        .filter(
          ([topic]) =>
            !all(stack.resource, "aws_sns_topic_policy").some(
              ([, { arn, policy }]) => arn === `\${aws_sns_topic.${topic}.arn}` && deniesPlainHttp(stack, policy),
            ),
        )
        .map(([topic]) => `aws_sns_topic.${topic} takes plain HTTP`),
    ],
  },
  {
    id: "table-encrypted-and-recoverable",
    why: "Everything at rest is encrypted, and a lost claim means a second mail.",
    check: (stack) =>
      missing(
        stack,
        "aws_dynamodb_table",
        "is not encrypted, or has no point-in-time recovery",
        (table) => isEnabled(table.server_side_encryption) && isEnabled(table.point_in_time_recovery),
      ),
  },
  {
    id: "deletion-protected",
    why: "The stage has deletionProtection. A lost claim means a second mail, a lost queue or archive means mail that nobody gets, and a lost identity means no mail at all.",
    check: (stack, _, { deletionProtection }) =>
      deletionProtection
        ? [
            ...[
              "aws_dynamodb_table",
              "aws_sqs_queue",
              "aws_cloudwatch_event_archive",
              "aws_sesv2_email_identity",
            ].flatMap((type) =>
              missing(stack, type, "may be destroyed", ({ lifecycle }) => block(lifecycle).prevent_destroy === true),
            ),
            ...missing(
              stack,
              "aws_dynamodb_table",
              "may be deleted outside of Terraform",
              (table) => table.deletion_protection_enabled === true,
            ),
          ]
        : [],
  },
  {
    id: "template-versions",
    why: "A function whose template is changed or gone mails nothing, and SES reports that late. A new version of a template is therefore created before the function changes, and the old one is destroyed after it (docs/decisions/0014).",
    check: (stack) => [
      ...missing(
        stack,
        "aws_ses_template",
        "is not created before its old version is destroyed",
        ({ lifecycle }) => block(lifecycle).create_before_destroy === true,
      ),
      ...all(stack.resource, "aws_lambda_function").flatMap(([id, fn]) =>
        all(stack.resource, "aws_ses_template")
          .filter(([template]) => !strings(fn.depends_on).includes(`aws_ses_template.${template}`))
          .map(([template]) => `aws_lambda_function.${id} does not depend on aws_ses_template.${template}`),
      ),
    ],
  },
  {
    id: "log-retention",
    why: "A log group without retention keeps its logs for ever, and they cost money.",
    check: (stack) =>
      missing(
        stack,
        "aws_cloudwatch_log_group",
        "has no retention",
        (group) => typeof group.retention_in_days === "number",
      ),
  },
  {
    id: "alarm-has-action",
    why: "An alarm without an action tells nobody.",
    check: (stack) =>
      missing(
        stack,
        "aws_cloudwatch_metric_alarm",
        "has no action",
        (alarm) => strings(alarm.alarm_actions).length > 0,
      ),
  },
  {
    id: "environment-fits",
    why: "Lambda takes 4 KB of environment variables, and refuses more only at the deployment: name fewer or shorter addresses in EMAIL_RECIPIENT, for example a distribution list.",
    check: (stack) =>
      all(stack.resource, "aws_lambda_function")
        .map(([id, fn]) => [id, bytesOf(variablesOf(fn))] as const)
        .filter(([, bytes]) => bytes > mostEnvironmentBytes)
        .map(([id, bytes]) => `aws_lambda_function.${id} has ${bytes} bytes of variables, of ${mostEnvironmentBytes}`),
  },
  {
    id: "input-fits",
    why: "EventBridge takes 8192 characters of an input template, and refuses more only at the deployment: name fewer or shorter addresses in EMAIL_RECIPIENT, for example a distribution list.",
    check: (stack) =>
      all(stack.resource, "aws_cloudwatch_event_target")
        .map(([id, target]) => [id, applied(stack, templateOf(target)).length] as const)
        .filter(([, length]) => length > 8192)
        .map(([id, length]) => `aws_cloudwatch_event_target.${id} has an input template of ${length} characters`),
  },
  {
    id: "names-carry-stage",
    why: "Two stages live in one account, and policies name what is the stage's own by its prefix.",
    check: (stack, namePrefix) =>
      names(stack)
        // Some services put a path in front of the name, for example `/aws/lambda/` or `alias/`.
        .filter(({ name }) => !name.slice(name.lastIndexOf("/") + 1).startsWith(`${namePrefix}-`))
        .map(({ where, name }) => `${where} has the name "${name}" without "${namePrefix}-" in front`),
  },
  {
    id: "texts-fit",
    why: "AWS refuses a longer text at the deployment: shorten it. (A longer event pattern: ask AWS for the quota, and name it as quotas.eventPatternCharacters in stacks/stages.ts.)",
    check: (stack, _, { eventPatternCharacters }) => [
      ...longTexts(stack, eventPatternCharacters),
      ...largeTemplates(stack),
    ],
  },
  {
    id: "policies-fit",
    why: "AWS refuses a larger policy at the deployment: name resources by their prefix, or name fewer recipients.",
    check: (stack) => largePolicies(stack),
  },
  {
    id: "counts-fit",
    why: "AWS refuses more at the deployment. (Rules a bus: ask AWS for the quota, and name it as quotas.rulesPerBus in stacks/stages.ts.)",
    check: (stack, _, { rulesPerBus }) => highCounts(stack, rulesPerBus),
  },
  {
    id: "account-wide-names-carry-region",
    why: "An account has such a name once for all of its regions, and a stage may live in several: without the region, one would take over what belongs to the other.",
    check: (stack) => {
      const region = stack.provider?.aws?.[0]?.region;
      if (typeof region !== "string") return [];
      return names(stack, accountWide)
        .filter(({ name }) => !name.includes(region))
        .map(({ where, name }) => `${where} has the name "${name}" without "${region}"`);
    },
  },
  {
    id: "schedule-parses",
    why: "EventBridge refuses a wrong schedule only at the deployment.",
    check: (stack) =>
      all(stack.resource, "aws_cloudwatch_event_rule").flatMap(([id, { schedule_expression: expression }]) => {
        const problem = typeof expression === "string" ? scheduleProblem(expression) : undefined;
        return problem === undefined
          ? []
          : [`aws_cloudwatch_event_rule.${id} has a schedule that is wrong: ${problem}`];
      }),
  },
  {
    id: "names-fit",
    why: "AWS refuses a longer name, and Terraform says so only at the plan: shorten PROJECT_NAME.",
    check: (stack) =>
      names(stack)
        .filter(({ name, limit }) => name.length > limit)
        .map(({ where, name, limit }) => `${where} has ${name.length} characters, and AWS takes ${limit}: "${name}"`),
  },
];

/**
 * The most bytes that are allowed here, of the 4 KB that Lambda takes
 * (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). The difference leaves room for two values
 * that are expressions here: Terraform replaces them by the name of the claims' table and by the URL of the dead-letter
 * queue.
 */
const mostEnvironmentBytes = 4096 - 256;

function variablesOf({ environment }: Attributes): Attributes {
  return block(block(environment).variables);
}

const bytesOf = (variables: Attributes): number =>
  Object.entries(variables).reduce((sum, [name, value]) => sum + Buffer.byteLength(name + String(value)), 0);

function templateOf({ input_transformer: transformer }: Attributes): string {
  const { input_template: template } = block(transformer);
  return typeof template === "string" ? template : "";
}

/**
 * Types of resources that belong to no region: all of IAM, and dashboards ("global, not region-specific":
 * API_PutDashboard).
 */
const accountWide = (type: string) => type.startsWith("aws_iam_") || type === "aws_cloudwatch_dashboard";

function names(
  stack: SynthesizedStack,
  hasName: (type: string) => boolean = () => true,
): { where: string; name: string; limit: number }[] {
  const known = Object.entries(nameAttributes).filter(([type]) => hasName(type));
  return known.flatMap(([type, [attribute, limit]]) =>
    all(stack.resource, type).flatMap(([id, resource]) => {
      const name = resource[attribute];
      // A name that refers to another resource is checked at that resource.
      return typeof name === "string" && !isReference(name) ? [{ where: `${type}.${id}`, name, limit }] : [];
    }),
  );
}

/**
 * Finds texts with a wildcard. IAM reads `*` and `?` in resources and in some conditions, and `*` in actions and
 * principals.
 */
function wildcards(statement: Attributes, namePrefix: string): string[] {
  const principals = objects(statement.principals).flatMap((principal) => [
    String(principal.type),
    ...strings(principal.identifiers),
  ]);
  const resources = strings(statement.resources).filter(
    (text) => !isOwnPrefix(text, namePrefix) && !/^\$\{aws_cloudwatch_log_group\.[\w-]+\.arn\}:\*$/.test(text),
  );
  const conditions = objects(statement.condition).flatMap(({ test, variable, values }) =>
    strings(values)
      .filter((text) => test !== "ArnLike" || !isOwnPrefix(text, namePrefix))
      // A domain that the stage lists among those whom it may mail.
      .filter((text) => variable !== "ses:Recipients" || !/^\*@[^*?]+$/.test(text)),
  );
  return [...strings(statement.actions), ...resources, ...principals, ...conditions]
    .filter(hasWildcard)
    .map((text) => `"${text}"`);
}

/** Whether the ARN ends in `<prefix>-*` and has no other wildcard. */
function isOwnPrefix(arn: unknown, namePrefix: string): boolean {
  const [, front] = /^(arn:.*[:/])([^:/]*)$/.exec(String(arn)) ?? [];
  return front !== undefined && !hasWildcard(front) && String(arn).slice(front.length) === `${namePrefix}-*`;
}

function hasWildcard(text: unknown): boolean {
  return /[*?]/.test(String(text).replace(/\$\{[^}]*\}/g, ""));
}

function deniesPlainHttp(stack: SynthesizedStack, policy: unknown): boolean {
  return statementsBehind(stack, policy).some(({ effect, condition }) => {
    // All conditions of a statement have to hold, so a second condition would narrow the denial.
    const [only, ...further] = objects(condition);
    return (
      effect === "Deny" &&
      further.length === 0 &&
      only?.test === "Bool" &&
      only.variable === "aws:SecureTransport" &&
      strings(only.values).join() === "false"
    );
  });
}

/** Finds exclusions. An exclusion is a wildcard, too, because it covers everything except what it names. */
function exclusions(statement: Attributes): string[] {
  return ["not_actions", "not_resources", "not_principals"].filter((name) => statement[name] !== undefined);
}

function isEnabled(setting: unknown): boolean {
  return block(setting).enabled === true;
}

function missing(
  stack: SynthesizedStack,
  type: string,
  problem: string,
  holds: (resource: Attributes) => boolean,
): string[] {
  return all(stack.resource, type)
    .filter(([, resource]) => !holds(resource))
    .map(([id]) => `${type}.${id} ${problem}`);
}
