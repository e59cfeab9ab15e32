import { type Finding } from "./rule";
import { all, type Attributes, type SynthesizedStack } from "./synthesized";

/** @returns a finding for each resource of the type that does not hold. */
export function missing(
  stack: SynthesizedStack,
  type: string,
  problem: string,
  holds: (resource: Attributes, id: string) => boolean,
): Finding[] {
  return all(stack.resource, type)
    .filter(([id, resource]) => !holds(resource, id))
    .map(([id]) => ({ address: `${type}.${id}`, problem }));
}

/** @returns what `problemsOf` says of each resource of the type. */
export function problems(
  stack: SynthesizedStack,
  type: string,
  problemsOf: (resource: Attributes, id: string) => readonly string[],
): Finding[] {
  return all(stack.resource, type).flatMap(([id, resource]) =>
    problemsOf(resource, id).map((problem) => ({ address: `${type}.${id}`, problem })),
  );
}
