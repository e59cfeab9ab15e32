import { type Rule } from "../rule";
import { all, isReference, nameAttributes, type SynthesizedStack } from "../synthesized";

export const nameRules: readonly Rule[] = [
  {
    id: "names-carry-stage",
    checks: "Each physical name begins with project and stage, behind the path that some services want.",
    why: "Two stages live in one account, and policies name what is the stage's own by its prefix.",
    check: (stack, namePrefix) =>
      names(stack)
        // Some services put a path in front of the name, for example `/aws/lambda/` or `alias/`.
        .filter(({ name }) => !name.slice(name.lastIndexOf("/") + 1).startsWith(`${namePrefix}-`))
        .map(({ address, name }) => ({ address, problem: `has the name "${name}" without "${namePrefix}-" in front` })),
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
    id: "names-fit",
    checks: "No physical name is longer than its service takes.",
    why: "AWS refuses a longer name, and Terraform says so only at the plan: shorten PROJECT_NAME.",
    check: (stack) =>
      names(stack)
        .filter(({ name, limit }) => name.length > limit)
        .map(({ address, name, limit }) => ({
          address,
          problem: `has ${name.length} characters, and AWS takes ${limit}: "${name}"`,
        })),
  },
];

/**
 * Types of resources that belong to no region: all of IAM, and dashboards ("global, not region-specific":
 * API_PutDashboard).
 */
const accountWide = (type: string) => type.startsWith("aws_iam_") || type === "aws_cloudwatch_dashboard";

function names(
  stack: SynthesizedStack,
  hasName: (type: string) => boolean = () => true,
): { address: string; name: string; limit: number }[] {
  const known = Object.entries(nameAttributes).filter(([type]) => hasName(type));
  return known.flatMap(([type, [attribute, limit]]) =>
    all(stack.resource, type).flatMap(([id, resource]) => {
      const name = resource[attribute];
      // A name that refers to another resource is checked at that resource.
      return typeof name === "string" && !isReference(name) ? [{ address: `${type}.${id}`, name, limit }] : [];
    }),
  );
}
