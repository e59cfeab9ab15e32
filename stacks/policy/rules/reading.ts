import { type Rule } from "../rule";
import { everything, objects, strings } from "../synthesized";
import { blocks, leaves } from "../values";

/** Rules that let the others read the whole stack: what they can't read, they can't judge. */
export const readingRules: readonly Rule[] = [
  {
    id: "values-are-readable",
    checks:
      "Each Terraform expression is an attribute of a resource of the stack, or of a data source that the rules know.",
    why: "A rule that meets ${var.x}, ${local.x} or a function can't tell what AWS will get, and would let it pass: write the value out, or refer to a resource.",
    check: (stack) =>
      everything(stack).flatMap(({ address, attributes }) =>
        [
          ...new Set(
            leaves(attributes).flatMap(({ path, value }) => unreadable(value).map((text) => `${text} in ${path}`)),
          ),
        ].map((appliesTo) => ({ address, problem: "has an expression that no rule can read", appliesTo })),
      ),
  },
  {
    id: "resources-written-out",
    checks:
      "No resource and no data source has `count`, `for_each`, `dynamic` blocks, a provisioner or changes that Terraform ignores, and the stack has no module.",
    why: "The rules read what is written in the stack, and none of what Terraform makes of it: repeat a construct in TypeScript. What `ignore_changes` names may differ in AWS from what the rules read.",
    check: (stack) => [
      ...everything(stack).flatMap(({ address, attributes }) =>
        [
          ...["count", "for_each", "provisioner"].filter((name) => attributes[name] !== undefined),
          // A block of a block may be dynamic, too. In a text, the quotation marks are escaped.
          ...(JSON.stringify(attributes).includes('"dynamic":') ? ["dynamic"] : []),
          ...leaves(blocks(attributes.lifecycle).map((each) => each.ignore_changes ?? [])).map(
            ({ value }) => `ignore_changes ${String(value)}`,
          ),
        ].map((appliesTo) => ({ address, problem: "has what the rules can't follow", appliesTo })),
      ),
      ...Object.keys(stack.module ?? {}).map((id) => ({
        address: `module.${id}`,
        problem: "is a module, whose resources no rule reads",
      })),
    ],
  },
  {
    id: "data-known",
    checks: "Each data source is of a kind that the rules know, also where nothing refers to it.",
    why: "A plan reads every data source: `external` runs a program, `http` calls an address, and `terraform_remote_state` reads another stack's secrets. Add a harmless kind to `knownData` in stacks/policy/rules/reading.ts.",
    check: ({ data = {} }) =>
      Object.entries(data)
        .filter(([type]) => !knownData.includes(type))
        .flatMap(([type, all]) =>
          Object.keys(all).map((id) => ({
            address: `data.${type}.${id}`,
            problem: "is a data source that no rule knows",
          })),
        ),
  },
  {
    id: "providers-alike",
    checks:
      "The providers of AWS share one region and the accounts that they allow, ignore no tags, assume no role and have no endpoints of their own.",
    why: "The rules take one account, one region and the tags of the provider for granted, and who plans hands over the credentials: put what is in another region into a stack of its own.",
    check: ({ provider }) => {
      const [first, ...others] = objects(provider?.aws);
      const address = "provider.aws";
      return [
        ...others
          .filter(({ region }) => region !== first?.region)
          .map(({ region }) => ({ address, problem: `has ${String(region)} beside ${String(first?.region)}` })),
        ...[first ?? {}, ...others]
          .filter(({ ignore_tags: ignored }) => ignored !== undefined)
          .map(() => ({ address, problem: "ignores tags" })),
        ...others
          .filter(({ allowed_account_ids: ids }) => accounts(ids) !== accounts(first?.allowed_account_ids))
          .map(({ allowed_account_ids: ids }) => ({
            address,
            problem: `allows the accounts ${accounts(ids)} beside ${accounts(first?.allowed_account_ids)}`,
          })),
        ...[first ?? {}, ...others].flatMap((provider) =>
          elsewhere
            .filter((name) => provider[name] !== undefined)
            .map((name) => ({ address, problem: `has ${name}`, appliesTo: name })),
        ),
      ];
    },
  },
];

/** Settings that send a provider to another account or host. */
const elsewhere = ["assume_role", "assume_role_with_web_identity", "endpoints"];

const accounts = (ids: unknown): string => strings(ids).sort().join();

/** The data sources that say nothing that a rule judges, or are policies, which the rules read. */
const knownData = [
  "archive_file",
  "aws_caller_identity",
  "aws_cloudwatch_log_data_protection_policy_document",
  "aws_iam_policy_document",
  "aws_partition",
  "aws_region",
];

/** An attribute of a resource or of a data source. */
const reference = /^(?:data\.(\w+)|aws_\w+)\.[\w-]+(?:\.\w+|\[\d+\])+$/;
/** cdktf's way to name an item of a list. */
const item = /^element\((.+), \d+\)$/;

/** The expressions and directives of a text that are more than a reference. (`$${` and `%%{` are no expressions.) */
function unreadable(value: unknown): string[] {
  if (typeof value !== "string") return [];
  return [...value.matchAll(/([$%])\1\{|([$%])\{([^}]*)\}?/g)].flatMap(([text, , sign, expression]) => {
    if (sign === undefined || expression === undefined) return [];
    const [found, data] = reference.exec(item.exec(expression)?.[1] ?? expression) ?? [];
    const isKnown = sign === "$" && found !== undefined && (data === undefined || knownData.includes(data));
    return isKnown ? [] : [text];
  });
}
