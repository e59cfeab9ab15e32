import { type TerraformStack } from "cdktf";
import { defaultQuotas } from "../stages";
import { type PolicySettings, type Violation } from "./rule";
import { rules } from "./rules";
import { type PlacedSuppression, suppressionsIn, toViolation, withoutSuppressed } from "./suppressions";
import { type SynthesizedStack } from "./synthesized";

export { suppress } from "./suppressions";

/** AWS's own quotas, and no protection from deletion. */
const defaults: PolicySettings = { ...defaultQuotas("us-east-1"), deletionProtection: false };

/** Finds every violation of every rule in a synthesized stack. */
export function findViolations(
  stack: SynthesizedStack,
  namePrefix: string,
  settings: Partial<PolicySettings> = {},
  suppressions: readonly PlacedSuppression[] = [],
): Violation[] {
  const violations = rules.flatMap((rule) =>
    rule.check(stack, namePrefix, { ...defaults, ...settings }).map((finding) => toViolation(rule, finding)),
  );
  return withoutSuppressed(violations, suppressions);
}

/**
 * Makes the synth fail on a violation. It is a validation and not an Aspect, because `Testing.synth` ignores the errors
 * of an Aspect.
 */
export function enforcePolicy(stack: TerraformStack, namePrefix: string, settings: Partial<PolicySettings> = {}): void {
  stack.node.addValidation({
    validate: () =>
      findViolations(stack.toTerraform() as SynthesizedStack, namePrefix, settings, suppressionsIn(stack)).map(
        ({ rule, why, where, appliesTo }) =>
          `${rule}: ${where}${appliesTo === undefined ? "" : ` [${appliesTo}]`}. ${why}`,
      ),
  });
}
