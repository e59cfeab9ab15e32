import { missing } from "../findings";
import { type Rule } from "../rule";
import {
  addressBehind,
  all,
  block,
  isReference,
  type NameLimit,
  nameLimits,
  objects,
  strings,
  type SynthesizedStack,
} from "../synthesized";

export const nameRules: readonly Rule[] = [
  {
    id: "names-carry-stage",
    checks:
      "Each physical name is written out, and begins with project and stage, behind the path that some services want.",
    why: "Two stages live in one account, and policies name what is the stage's own by its prefix.",
    check: (stack, namePrefix) => [
      ...names(stack)
        // Some services put a path in front of the name, for example `/aws/lambda/` or `alias/`.
        .filter(({ name }) => !name.slice(name.lastIndexOf("/") + 1).startsWith(`${namePrefix}-`))
        .map(({ address, name }) => ({ address, problem: `has the name "${name}" without "${namePrefix}-" in front` })),
      ...Object.entries(nameLimits).flatMap(([type, { attribute }]) =>
        missing(
          stack,
          type,
          `has no ${attribute}, so that Terraform makes one up`,
          (resource) => typeof resource[attribute] === "string",
        ),
      ),
    ],
  },
  {
    id: "account-wide-names-carry-region",
    checks: "Each name of IAM and each dashboard's name contains the region.",
    why: "An account has such a name once for all of its regions, and a stage may live in several: without the region, one would take over what belongs to the other.",
    check: (stack) => {
      const region = stack.provider?.aws?.[0]?.region;
      if (typeof region !== "string") return [];
      return names(stack, accountWide)
        .filter(({ name }) => !name.includes(region))
        .map(({ address, name }) => ({ address, problem: `has the name "${name}" without "${region}"` }));
    },
  },
  {
    id: "tags",
    checks:
      "Each AWS provider tags everything with project, stage and managed-by, and works in one account only. No tag is longer than AWS takes, or has a character that it refuses.",
    why: "The bill and the console are read by tags, and a provider without allowed_account_ids would deploy to whatever account the shell is in.",
    check: (stack) => [
      ...objects(stack.provider?.aws).flatMap((provider) => {
        const address = "provider.aws";
        const tags = block(provider.default_tags).tags;
        return [
          ...["project", "stage", "managed-by"]
            .filter((name) => {
              const value = block(tags)[name];
              return typeof value !== "string" || value.trim() === "";
            })
            .map((name) => ({ address, problem: `does not tag with ${name}`, appliesTo: name })),
          ...(strings(provider.allowed_account_ids).length === 1
            ? []
            : [{ address, problem: "does not name the one account that it works in", appliesTo: "account" }]),
          ...tagProblems(tags).map((problem) => ({ address, problem })),
        ];
      }),
      ...Object.entries(stack.resource ?? {}).flatMap(([type, resources]) =>
        Object.entries(resources).flatMap(([id, { tags }]) =>
          tagProblems(tags).map((problem) => ({ address: `${type}.${id}`, problem })),
        ),
      ),
    ],
  },
  {
    id: "names-differ",
    checks:
      "No two resources of a kind have the same name: in the account, or on the bus, rule, role, group, function or set that they belong to.",
    why: "CloudWatch, EventBridge and IAM take the second as a change of the first, which is then gone without an error; other services refuse it at the deployment.",
    check: (stack) => {
      const ofAccount = names(stack, (type) => !(type in holders)).map(({ address, name }) => ({
        address,
        name,
        // Both kinds of alarms share their names.
        kind: address.replace("composite", "metric").split(".")[0],
      }));
      const ofHolders = Object.entries(holders).flatMap(([type, { name, holder }]) =>
        all(stack.resource, type).map(([id, resource]) => ({
          address: `${type}.${id}`,
          name: String(resource[name]),
          kind: `${type} of ${addressBehind(resource[holder] ?? "")}`,
        })),
      );
      const given = [...ofAccount, ...ofHolders];
      return given
        .filter((one, at) => given.findIndex(({ name, kind }) => name === one.name && kind === one.kind) !== at)
        .map(({ address, name }) => ({ address, problem: `has the name "${name}" of another one` }));
    },
  },
  {
    id: "names-fit",
    checks: "No physical name is longer than its service takes, or has a character that it refuses.",
    why: "AWS refuses another name, and Terraform says so only at the plan: shorten PROJECT_NAME, and use letters, digits and hyphens.",
    check: (stack) =>
      names(stack).flatMap(({ address, name, limit: { most, pattern } }) => [
        ...(name.length > most
          ? [{ address, problem: `has ${name.length} characters, and AWS takes ${most}: "${name}"` }]
          : []),
        // Terraform fills expressions in later, with names that are checked where they are given.
        ...(pattern !== undefined && !pattern.test(name.replace(/\$\{[^}]*\}/g, "x"))
          ? [{ address, problem: `has a character that AWS refuses in the name "${name}"` }]
          : []),
      ]),
  },
];

/**
 * What AWS refuses of tags: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html, and
 * 50 of them on a resource.
 */
function tagProblems(tags: unknown): string[] {
  const entries = Object.entries(block(tags));
  const isTaken = (text: string) => /^[\p{L}\p{N}\s_.:/=+@-]*$/u.test(text);
  return [
    ...(entries.length > 50 ? [`has ${entries.length} tags, and AWS takes 50`] : []),
    ...entries.flatMap(([name, value]) => {
      const text = String(value);
      return [
        ...(name.length > 128 || text.length > 256 ? [`has a tag "${name}" that is too long`] : []),
        ...(isTaken(name) && (isReference(text) || isTaken(text))
          ? []
          : [`has a tag "${name}" with a character that AWS refuses`]),
        ...(name.toLowerCase().startsWith("aws:") ? [`has a tag "${name}", whose prefix is AWS's own`] : []),
      ];
    }),
  ];
}

/**
 * Types of resources that belong to no region: all of IAM, and dashboards ("global, not region-specific":
 * API_PutDashboard).
 */
const accountWide = (type: string) => type.startsWith("aws_iam_") || type === "aws_cloudwatch_dashboard";

/** Types whose names need differ only within what they belong to, with the attributes of the name and of the holder. */
const holders: Readonly<Record<string, { readonly name: string; readonly holder: string }>> = {
  aws_cloudwatch_event_rule: { name: "name", holder: "event_bus_name" },
  aws_cloudwatch_event_target: { name: "target_id", holder: "rule" },
  aws_cloudwatch_log_metric_filter: { name: "name", holder: "log_group_name" },
  aws_iam_role_policy: { name: "name", holder: "role" },
  aws_lambda_permission: { name: "statement_id", holder: "function_name" },
  aws_sesv2_configuration_set_event_destination: { name: "event_destination_name", holder: "configuration_set_name" },
};

function names(
  stack: SynthesizedStack,
  hasName: (type: string) => boolean = () => true,
): { address: string; name: string; limit: NameLimit }[] {
  const known = Object.entries(nameLimits).filter(([type]) => hasName(type));
  return known.flatMap(([type, limit]) =>
    all(stack.resource, type).flatMap(([id, resource]) => {
      const name = resource[limit.attribute];
      // A name that refers to another resource is checked at that resource.
      return typeof name === "string" && !isReference(name) ? [{ address: `${type}.${id}`, name, limit }] : [];
    }),
  );
}
