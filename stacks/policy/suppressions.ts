import { Annotations, TerraformDataSource, type TerraformElement, TerraformProvider, TerraformResource } from "cdktf";
import { type IConstruct } from "constructs";
import { reasonProblem } from "../reason";
import { type Finding, type Rule, type Violation } from "./rule";

/** An exception from a rule that holds for one resource, with its reason. */
export interface Suppression {
  /** Id of the rule. */
  readonly rule: string;
  /** Why the rule need not hold here: at least 30 characters, for the reader of a review. */
  readonly reason: string;
  /**
   * The findings that are meant, where the rule distinguishes several at one resource, each spelled as the violation
   * spells it in square brackets, for example `ses:GetAccount on *`. @default the rule's only kind of finding
   */
  readonly appliesTo?: readonly string[] | undefined;
}

/** A suppression, with Terraform's address of its resource. */
export interface PlacedSuppression extends Suppression {
  readonly address: string;
}

const metadataType = "policy-suppression";

/**
 * Exempts a resource from a rule of `stacks/policy`. The synth prints each suppression, and fails at one that exempts
 * from nothing.
 * @throws Error where the reason is missing or too short, or where the construct is no resource.
 */
export function suppress(construct: TerraformElement, suppression: Suppression): void {
  const { rule, reason, appliesTo } = suppression;
  const address = addressOf(construct);
  const tooShort = reasonProblem(reason);
  const problems = [
    ...(tooShort === undefined
      ? []
      : [`its reason "${reason}" ${tooShort} Write why the rule need not hold for this resource.`]),
    ...(appliesTo?.length === 0 ? ["its appliesTo is empty. Name what is exempt, or leave it out."] : []),
  ];
  if (problems.length > 0) {
    throw new Error(`The suppression of ${rule} at ${address} is refused: ${problems.join(" ")}`);
  }
  construct.node.addMetadata(metadataType, suppression);
  // cdktf's command line prints annotations at synth, and keeps them in the manifest.
  Annotations.of(construct).addInfo(toSentence({ ...suppression, address }));
}

/** @returns the suppressions at the construct and below it, in the order of the tree. */
export function suppressionsIn(scope: IConstruct): PlacedSuppression[] {
  return scope.node
    .findAll()
    .flatMap((construct) =>
      construct.node.metadata
        .filter(({ type }) => type === metadataType)
        .map(({ data }) => ({ ...(data as Suppression), address: addressOf(construct) })),
    );
}

export function toSentence({ rule, address, appliesTo, reason }: PlacedSuppression): string {
  const what = appliesTo === undefined ? "" : ` [${appliesTo.join("], [")}]`;
  return `The rule ${rule} is suppressed at ${address}${what}: ${reason}`;
}

/** The rule on suppressions themselves. It can't be suppressed. */
export const suppressionRule: Omit<Rule, "check"> = {
  id: "suppression-needed",
  checks: "Each suppression names a rule that exists, and exempts from something that the rule finds.",
  why: "A suppression that nothing needs would silently hide the next violation: remove it, or correct its rule or its appliesTo.",
};

/**
 * Takes the suppressed violations out, and adds one for each suppression that nothing needs.
 */
export function withoutSuppressed(
  violations: readonly Violation[],
  suppressions: readonly PlacedSuppression[],
): Violation[] {
  const remaining = violations.filter((violation) => !suppressions.some((each) => covers(each, violation)));
  const unneeded = suppressions.flatMap((suppression): Finding[] => {
    const parts = suppression.appliesTo ?? [undefined];
    return parts
      .filter((part) => {
        const single = { ...suppression, appliesTo: part === undefined ? undefined : [part] };
        return !violations.some((violation) => covers(single, violation));
      })
      .map((part) => ({
        address: suppression.address,
        problem: `suppresses ${suppression.rule}${part === undefined ? "" : ` for [${part}]`}, and there is no such violation`,
      }));
  });
  return [...remaining, ...unneeded.map((finding) => toViolation(suppressionRule, finding))];
}

export function toViolation({ id, why }: Omit<Rule, "check">, finding: Finding): Violation {
  return { ...finding, rule: id, why, where: `${finding.address} ${finding.problem}` };
}

function covers({ rule, address, appliesTo }: PlacedSuppression, violation: Violation): boolean {
  return (
    rule === violation.rule &&
    address === violation.address &&
    (violation.appliesTo === undefined ? appliesTo === undefined : (appliesTo?.includes(violation.appliesTo) ?? false))
  );
}

/** Terraform's address of a resource, a data source, or a provider (`provider.<type>`). */
function addressOf(construct: IConstruct): string {
  if (TerraformProvider.isTerraformProvider(construct)) return `provider.${construct.terraformResourceType}`;
  if (TerraformResource.isTerraformResource(construct)) return pathOf(construct);
  if (TerraformDataSource.isTerraformDataSource(construct)) return `data.${pathOf(construct)}`;
  throw new Error(`${construct.node.path} is no resource, data source or provider: a suppression belongs to one.`);
}

function pathOf({
  terraformResourceType,
  friendlyUniqueId,
}: {
  readonly terraformResourceType: string;
  readonly friendlyUniqueId: string;
}): string {
  return `${terraformResourceType}.${friendlyUniqueId}`;
}
