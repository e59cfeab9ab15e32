import { missing } from "../findings";
import { type Finding, type Rule } from "../rule";
import { all, type Attributes, isReference, objects, strings, type SynthesizedStack } from "../synthesized";

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
    checks: "Each policy refers to an aws_iam_policy_document.",
    why: "These rules can't read a policy that is written as a text: write it as an aws_iam_policy_document.",
    check: (stack) =>
      Object.entries(stack.resource ?? {}).flatMap(([type, resources]) =>
        Object.entries(resources).flatMap(([id, attributes]) =>
          ["policy", "policy_document", "assume_role_policy", "inline_policy"]
            .filter((name) => attributes[name] !== undefined && !isReference(attributes[name]))
            .map((name) => ({ address: `${type}.${id}`, problem: `has its ${name} as text`, appliesTo: name })),
        ),
      ),
  },
  {
    id: "permission-names-source",
    checks: "Each permission of a function names the ARN of its source.",
    why: "Without the ARN of its source, a permission lets any account's rule invoke the function.",
    check: (stack) =>
      missing(stack, "aws_lambda_permission", "names no source", (permission) => permission.source_arn !== undefined),
  },
];

/** The statements that allow something, with the address of their document. */
function allowing(stack: SynthesizedStack): { readonly address: string; readonly statement: Attributes }[] {
  return all(stack.data, "aws_iam_policy_document").flatMap(([id, document]) =>
    objects(document.statement)
      .filter((statement) => statement.effect !== "Deny")
      .map((statement) => ({ address: `data.aws_iam_policy_document.${id}`, statement })),
  );
}

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
  const conditions = objects(statement.condition).flatMap(({ test, values }) =>
    strings(values).filter((text) => test !== "ArnLike" || !isOwnPrefix(text, namePrefix)),
  );
  return [
    ...actions.filter(hasWildcard).map((action) => ({ problem: `allows "${action}"`, appliesTo: action })),
    ...resources.filter(hasWildcard).flatMap((resource) =>
      actions.map((action) => ({
        problem: `allows "${action}" on "${resource}"`,
        appliesTo: `${action} on ${resource}`,
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

/** Whether the ARN ends in `<prefix>-*` and has no other wildcard. */
function isOwnPrefix(arn: unknown, namePrefix: string): boolean {
  const [, front] = /^(arn:.*[:/])([^:/]*)$/.exec(String(arn)) ?? [];
  return front !== undefined && !hasWildcard(front) && String(arn).slice(front.length) === `${namePrefix}-*`;
}

function hasWildcard(text: unknown): boolean {
  return /[*?]/.test(String(text).replace(/\$\{[^}]*\}/g, ""));
}

/** Finds exclusions. An exclusion is a wildcard, too, because it covers everything except what it names. */
function exclusions(statement: Attributes): Wildcard[] {
  return ["not_actions", "not_resources", "not_principals"]
    .filter((name) => statement[name] !== undefined)
    .map((name) => ({ problem: `allows ${name}`, appliesTo: name }));
}
