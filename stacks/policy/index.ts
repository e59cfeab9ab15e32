import { type TerraformStack } from "cdktf";
import { defaultQuotas } from "../stages";
import { type PolicySettings, rules, type SynthesizedStack, type Violation } from "./rules";

/** AWS's own quotas, and no protection from deletion. */
const defaults: PolicySettings = { ...defaultQuotas("us-east-1"), deletionProtection: false };

/** Finds every violation of every rule in a synthesized stack. */
export function findViolations(
  stack: SynthesizedStack,
  namePrefix: string,
  settings: PolicySettings = defaults,
): Violation[] {
  return rules.flatMap((rule) =>
    rule.check(stack, namePrefix, settings).map((where) => ({ rule: rule.id, why: rule.why, where })),
  );
}

/**
 * Makes the synth fail on a violation. It is a validation and not an Aspect, because `Testing.synth` ignores the errors
 * of an Aspect.
 */
export function enforcePolicy(stack: TerraformStack, namePrefix: string, settings: PolicySettings = defaults): void {
  stack.node.addValidation({
    validate: () =>
      findViolations(stack.toTerraform() as SynthesizedStack, namePrefix, settings).map(
        ({ rule, why, where }) => `${rule}: ${where}. ${why}`,
      ),
  });
}
