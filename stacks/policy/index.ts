import { type TerraformStack } from "cdktf";
import { rules, type SynthesizedStack, type Violation } from "./rules";

/** Every violation of every rule in a synthesized stack. */
export function findViolations(stack: SynthesizedStack, namePrefix: string): Violation[] {
  return rules.flatMap((rule) =>
    rule.check(stack, namePrefix).map((where) => ({ rule: rule.id, why: rule.why, where })),
  );
}

/** Makes the synth fail on a violation. A validation and not an Aspect: `Testing.synth` ignores an Aspect's errors. */
export function enforcePolicy(stack: TerraformStack, namePrefix: string): void {
  stack.node.addValidation({
    validate: () =>
      findViolations(stack.toTerraform() as SynthesizedStack, namePrefix).map(
        ({ rule, why, where }) => `${rule}: ${where}. ${why}`,
      ),
  });
}
