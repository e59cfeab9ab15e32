import { missing, problems } from "../findings";
import { type Finding, type Rule } from "../rule";
import { allowing, isOwnAccount, isOwnPrincipal, isOwnSource } from "../ours";
import {
  addressBehind,
  all,
  type Attributes,
  block,
  isReference,
  namesAction,
  objects,
  resourceBehind,
  strings,
  type SynthesizedStack,
} from "../synthesized";
import { jsonOf, leaves } from "../values";

export const iamRules: readonly Rule[] = [
  {
    id: "no-wildcard",
    checks:
      "What a policy document or a permission allows has no `*` and no `?` in its actions, resources, principals and conditions, and no `not_actions`, `not_resources` or `not_principals`.",
    why: "A permission names its actions, resources and principals. What would outgrow AWS's limits is named by the stage's own prefix, `<prefix>-*` at the end of a resource or of an ArnLike value (docs/decisions/0004).",
    check: (stack, namePrefix) => [
      ...allowing(stack).flatMap(({ address, statement }) =>
        [...wildcards(statement, namePrefix), ...exclusions(statement)].map((wildcard) => ({ address, ...wildcard })),
      ),
      ...all(stack.resource, "aws_lambda_permission").flatMap(([id, permission]) =>
        [
          permission.action,
          permission.principal,
          ...(isOwnPrefix(permission.source_arn, namePrefix) ? [] : [permission.source_arn]),
        ]
          .filter(hasWildcard)
          .map((text) => ({
            address: `aws_lambda_permission.${id}`,
            problem: `allows "${String(text)}"`,
            appliesTo: String(text),
          })),
      ),
    ],
  },
  {
    id: "policy-as-data",
    checks:
      "Each policy is the `json` of a policy document of this stack, and such a document takes in no other policy.",
    why: "These rules read documents of the stack, and no text, variable, file or data source from elsewhere: write the policy as an aws_iam_policy_document.",
    check: (stack) => [
      ...Object.entries(stack.resource ?? {}).flatMap(([type, resources]) =>
        Object.entries(resources).flatMap(([id, attributes]) =>
          [
            ...Object.entries(attributes),
            ...leaves(attributes).flatMap(({ path, value }) => (path.includes(".") ? [[path, value] as const] : [])),
          ]
            .filter(([name, value]) =>
              policyAttributes.includes(name)
                ? value !== undefined && value !== null && !isDocument(stack, value)
                : typeof value === "string" && isPolicyText(value),
            )
            .map(([name]) => ({
              address: `${type}.${id}`,
              problem: `has its ${name} as text`,
              appliesTo: name,
            })),
        ),
      ),
      ...all(stack.data, "aws_iam_policy_document").flatMap(([id, document]) =>
        ["source_policy_documents", "override_policy_documents", "source_json", "override_json"]
          .filter((name) => strings(document[name]).some((part) => !isDocument(stack, part)))
          .map((name) => ({
            address: `data.aws_iam_policy_document.${id}`,
            problem: `has its ${name} as text`,
            appliesTo: name,
          })),
      ),
    ],
  },
  {
    id: "permission-names-source",
    checks:
      "Each permission of a function names the ARN of its source; one without an account in it, as a bucket's, names the account, too. The account is this one. No function has a URL without authentication.",
    why: "Without its source, a permission lets any account's rule invoke the function, and a URL without authentication lets anyone. IAM can't hold this for the role that deploys, because it has no condition key for the source of a permission (docs/decisions/0018).",
    check: (stack) => [
      ...problems(stack, "aws_lambda_permission", ({ source_arn: source, source_account: account }) => {
        if (source === undefined) return ["names no source"];
        const [, inArn] = /^arn:[^:]*:[^:]*:[^:]*:([^:]*):/.exec(typeof source === "string" ? source : "") ?? [];
        const isBucket = addressBehind(source).startsWith("aws_s3_bucket.") || inArn === "";
        if (isBucket && account === undefined) return ["names no source_account, and its source_arn has none"];
        return [inArn, account]
          .filter((each): each is string => typeof each === "string" && each !== "" && !isOwnAccount(stack, each))
          .map((each) => `lets in the account ${each}, which is not this one`);
      }),
      ...missing(
        stack,
        "aws_lambda_function_url",
        "lets anyone invoke the function",
        (url) => url.authorization_type === "AWS_IAM",
      ),
    ],
  },
  {
    id: "no-iam-users",
    checks: "The stack has no IAM user, group, access key or other long-lived credential.",
    why: "A key that never ends leaks one day: people and pipelines assume a role (https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html).",
    check: (stack) =>
      Object.entries(stack.resource ?? {})
        .filter(([type]) => /^aws_iam_(?:user|group|access_key|service_specific_credential|signing_cert)/.test(type))
        .flatMap(([type, resources]) =>
          Object.keys(resources).map((id) => ({
            address: `${type}.${id}`,
            problem: "is a long-lived identity of IAM",
          })),
        ),
  },
  {
    id: "no-managed-policies",
    checks:
      "Each policy that is attached to a role is an aws_iam_policy of this stack. A permissions boundary is one, too, or has the stage's name in this account.",
    why: "AWS's policies allow far more than one function needs, on every resource, and AWS may add to them; these rules can't read another stack's. Write an aws_iam_policy_document.",
    check: (stack, namePrefix) =>
      Object.entries(stack.resource ?? {})
        .filter(([type]) => type.startsWith("aws_iam_"))
        .flatMap(([type, resources]) =>
          Object.entries(resources).flatMap(([id, attributes]) => [
            ...["policy_arn", "policy_arns", "managed_policy_arns"]
              .flatMap((name) => strings(attributes[name]))
              .filter((arn) => resourceBehind(stack, arn)?.type !== "aws_iam_policy")
              .map((arn) => attached(`${type}.${id}`, arn)),
            ...strings(attributes.permissions_boundary)
              .filter((arn) => resourceBehind(stack, arn)?.type !== "aws_iam_policy")
              .filter((arn) => !(isOwnAccount(stack, arn) && isOwnPolicy(arn, namePrefix)))
              .map((arn) => attached(`${type}.${id}`, arn)),
          ]),
        ),
  },
  {
    id: "principals-are-ours",
    checks:
      "What a policy allows to an AWS principal, it allows to this account or to a role of this stack, and nothing to a canonical user of S3. A federated principal is bound to its audience and its subject.",
    why: "Another account's people could use it, or anyone with an account at the identity provider.",
    check: (stack) =>
      allowing(stack).flatMap(({ address, statement }) =>
        objects(statement.principals).flatMap(({ type, identifiers }) =>
          strings(identifiers).flatMap((identifier) => {
            if (type === "AWS") {
              return hasWildcard(identifier) || isOwnPrincipal(stack, identifier)
                ? []
                : [{ address, problem: `lets in "${identifier}"`, appliesTo: identifier }];
            }
            // An id of S3 that names an account, and nobody can tell which.
            if (type === "CanonicalUser") {
              return [{ address, problem: `lets in "${identifier}"`, appliesTo: identifier }];
            }
            if (type !== "Federated") return [];
            const bound = objects(statement.condition).filter(({ test }) =>
              /^String(?:Equals|Like)$/.test(String(test)),
            );
            return ["aud", "sub"]
              .filter((claim) => !bound.some(({ variable }) => String(variable).toLowerCase().endsWith(`:${claim}`)))
              .map((claim) => ({
                address,
                problem: `lets in "${identifier}" without a condition on its ${claim}`,
                appliesTo: `${identifier} without ${claim}`,
              }));
          }),
        ),
      ),
  },
  {
    id: "services-name-source",
    checks:
      "What a policy allows to a service of AWS, it allows on behalf of a source: by `aws:SourceArn`, `aws:SourceAccount` or `aws:SourceOrgID`. The source is of this account. The trust of a function's role needs none.",
    why: "Without it, the service does it for any account that asks: the confused deputy (https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html).",
    check: (stack) =>
      allowing(stack).flatMap(({ address, statement }) => {
        const services = objects(statement.principals)
          .filter(({ type }) => type === "Service")
          .flatMap(({ identifiers }) => strings(identifiers));
        const isTrust = strings(statement.actions).length === 1 && namesAction(statement, "sts:AssumeRole");
        const isBound = objects(statement.condition).some(
          ({ test, variable }) =>
            sourceConditions.includes(String(variable).toLowerCase()) &&
            !/Not|IfExists|ForAllValues/.test(String(test)),
        );
        const foreign = objects(statement.condition)
          .filter(({ variable }) => ["aws:sourceaccount", "aws:sourcearn"].includes(String(variable).toLowerCase()))
          .flatMap(({ values }) => strings(values))
          .filter((value) => !isOwnSource(stack, value));
        const open = services.filter((service) => !(isTrust && ownExecution.includes(service)));
        const unbound = isBound ? [] : open;
        return [
          ...unbound.flatMap((service) =>
            strings(statement.actions).map((action) => ({
              address,
              problem: `allows ${action} to ${service} without its source`,
              appliesTo: `${action} to ${service}`,
            })),
          ),
          ...foreign.map((value) => ({
            address,
            problem: `allows what ${value} asks for, which is not of this account`,
            appliesTo: value,
          })),
        ];
      }),
  },
  {
    id: "role-is-passed-narrowly",
    checks: "Who may pass a role on may pass it to named services, by a condition on `iam:PassedToService`.",
    why: "Whoever passes a strong role to a function of their own has all that the role may do.",
    check: (stack) =>
      allowing(stack)
        .filter(
          ({ statement }) =>
            namesAction(statement, "iam:PassRole") &&
            !objects(statement.condition).some(
              ({ test, variable }) =>
                test === "StringEquals" && String(variable).toLowerCase() === "iam:passedtoservice",
            ),
        )
        .map(({ address }) => ({ address, problem: "allows iam:PassRole to any service" })),
  },
  {
    id: "roles-stay-within-boundary",
    checks:
      "Who may make a role or a user, or give one more permissions, may do so only with a boundary of this account, by `StringEquals` or `ArnEquals` on `iam:PermissionsBoundary`. Nobody may take a boundary off or change a managed policy.",
    why: "Whoever makes a role without a boundary makes one that may do everything, and takes it on (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html).",
    check: (stack) =>
      allowing(stack).flatMap(({ address, statement }) => {
        const boundaries = objects(statement.condition)
          .filter(
            ({ test, variable }) =>
              /^(?:String|Arn)Equals$/.test(String(test)) &&
              String(variable).toLowerCase() === "iam:permissionsboundary",
          )
          .flatMap(({ values }) => strings(values));
        const isWithin =
          boundaries.length > 0 &&
          boundaries.every(
            (arn) =>
              !hasWildcard(arn) && (isOwnAccount(stack, arn) || resourceBehind(stack, arn)?.type === "aws_iam_policy"),
          );
        return strings(statement.actions).flatMap((action): Finding[] => {
          if (boundaryChanges.test(action)) {
            return [{ address, problem: `allows ${action}, which changes a boundary`, appliesTo: action }];
          }
          return isWithin || !identityChanges.test(action)
            ? []
            : [{ address, problem: `allows ${action} without a boundary of this account`, appliesTo: action }];
        });
      }),
  },
  {
    id: "no-secret-in-environment",
    checks:
      "No variable of a function has a name like a secret's and its value as text, and no text has the form of an access key.",
    why: "Whoever may read the function's configuration, the plan or the state would read the secret: keep it in Secrets Manager or in SSM, and pass its name.",
    check: (stack) =>
      all(stack.resource, "aws_lambda_function").flatMap(([id, fn]) =>
        Object.entries(block(block(fn.environment).variables))
          .filter(
            ([name, value]) =>
              (secretName.test(name) &&
                !/(?:_ARN|_NAME|_ID|_TTL|_SECONDS|_MINUTES|_HOURS|_DAYS|_MS)$/.test(name) &&
                !isReference(value)) ||
              /(?:AKIA|ASIA)[A-Z2-7]{16}/.test(String(value)),
          )
          .map(([name]) => ({
            address: `aws_lambda_function.${id}`,
            problem: `has a secret in its variable ${name}`,
            appliesTo: name,
          })),
      ),
  },
];

const secretName = /SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIAL/i;

/** Actions that make an identity or widen what it may do. IAM compares actions without regard to case. */
const identityChanges =
  /^iam:(?:Create(?:Role|User)|Put(?:Role|User)(?:Policy|PermissionsBoundary)|Attach(?:Role|User)Policy)$/i;

/** Actions that take a boundary off, or change the managed policy that is one. */
const boundaryChanges = /^iam:(?:Delete(?:Role|User)PermissionsBoundary|CreatePolicyVersion|SetDefaultPolicyVersion)$/i;

/** Attributes that hold a policy of IAM, whatever the type. */
const policyAttributes = [
  "policy",
  "policy_document",
  "assume_role_policy",
  "inline_policy.policy",
  "access_policy",
  "resource_policy",
  "repository_policy",
];

/** Whether the value is the JSON of a policy document of this stack. */
function isDocument({ data }: SynthesizedStack, value: unknown): boolean {
  const [, type = "", id = ""] =
    /^\$\{data\.(aws_iam_policy_document|aws_cloudwatch_log_data_protection_policy_document)\.([\w-]+)\.json\}$/.exec(
      String(value),
    ) ?? [];
  return data?.[type]?.[id] !== undefined;
}

/** Whether the text is a policy, as JSON or as the expression that makes JSON. */
function isPolicyText(text: string): boolean {
  const start = text.trimStart();
  const parsed = jsonOf(text);
  // A state machine, for example, may have the word further inside, and is no policy.
  if (parsed !== undefined) return "Statement" in block(parsed);
  return (start.startsWith("{") || start.startsWith("${jsonencode(")) && /"Statement"|\bStatement\s?[=:]/.test(start);
}

/** Whether the policy has the stage's prefix, below any path: what `ci-access` makes is below /ci/. */
const isOwnPolicy = (arn: string, namePrefix: string): boolean =>
  arn.includes(":policy/") && (arn.split("/").at(-1) ?? "").startsWith(`${namePrefix}-`);

function attached(address: string, arn: string): Finding {
  const whose = arn.includes(":iam::aws:policy/") ? "which AWS manages" : "which is no aws_iam_policy of this stack";
  return { address, problem: `has the policy ${arn}, ${whose}`, appliesTo: arn };
}

const sourceConditions = ["aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid"];

/** Services that assume a role to run the account's own code. */
const ownExecution = ["lambda.amazonaws.com"];

type Wildcard = Pick<Finding, "problem" | "appliesTo">;

/**
 * Finds texts with a wildcard. IAM reads `*` and `?` in resources and in some conditions, and `*` in actions and
 * principals. A resource with a wildcard is a finding for each action, so that a suppression covers only the actions
 * that it names.
 */
function wildcards(statement: Attributes, namePrefix: string): Wildcard[] {
  const actions = strings(statement.actions);
  const principals = objects(statement.principals).flatMap((principal) => [
    String(principal.type),
    ...strings(principal.identifiers),
  ]);
  const resources = strings(statement.resources).filter(
    (text) => !isOwnPrefix(text, namePrefix) && !/^\$\{aws_cloudwatch_log_group\.[\w-]+\.arn\}:\*$/.test(text),
  );
  const conditions = objects(statement.condition).flatMap(({ test, variable, values }) =>
    strings(values).filter(
      (text) =>
        !(test === "ArnLike" && isOwnPrefix(text, namePrefix)) &&
        !(variable === "ses:Recipients" && isWholeDomain(text)),
    ),
  );
  return [
    ...actions.filter(hasWildcard).map((action) => ({ problem: `allows "${action}"`, appliesTo: action })),
    ...resources.filter(hasWildcard).flatMap((resource) =>
      actions.map((action) => ({
        problem: `allows "${action}" on "${resource}"`,
        appliesTo: `${action} on ${resource}${whereOf(statement.condition)}`,
      })),
    ),
    ...principals
      .filter(hasWildcard)
      .map((principal) => ({ problem: `allows the principal "${principal}"`, appliesTo: `principal ${principal}` })),
    ...conditions
      .filter(hasWildcard)
      .map((value) => ({ problem: `allows "${value}" in a condition`, appliesTo: `condition ${value}` })),
  ];
}

/** The conditions in the name of a finding: the reason of a suppression may rely on them, so it ends with them. */
export function whereOf(conditions: unknown): string {
  const keys = objects(conditions).map(({ test, variable }) => `${String(test)} ${String(variable)}`);
  return keys.length === 0 ? "" : ` where ${keys.join(" and ")}`;
}

/** Whether the text is `*@<domain>`: the recipients that a stage allows by their domain. */
function isWholeDomain(text: string): boolean {
  return /^\*@[a-zA-Z0-9.-]+$/.test(text);
}

/** Whether the ARN ends in `<prefix>-*` and has no other wildcard. */
function isOwnPrefix(arn: unknown, namePrefix: string): boolean {
  const [, front] = /^(arn:.*[:/])([^:/]*)$/.exec(String(arn)) ?? [];
  return front !== undefined && !hasWildcard(front) && String(arn).slice(front.length) === `${namePrefix}-*`;
}

export function hasWildcard(text: unknown): boolean {
  return /[*?]/.test(String(text).replace(/\$\{[^}]*\}/g, ""));
}

/** Finds exclusions. An exclusion is a wildcard, too, because it covers everything except what it names. */
function exclusions(statement: Attributes): Wildcard[] {
  return ["not_actions", "not_resources", "not_principals"]
    .filter((name) => statement[name] !== undefined)
    .map((name) => ({ problem: `allows ${name}`, appliesTo: name }));
}
