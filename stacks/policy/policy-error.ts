/** Stacks that break rules of the policy. Its message lists every violation, with the fix. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";

  constructor(violations: readonly string[], options?: ErrorOptions) {
    super(
      `The stacks break the rules of stacks/policy, which docs/policy.md lists; nothing was synthesized.\n` +
        violations.map((violation) => `  - ${violation}`).join("\n"),
      options,
    );
  }

  /** Reads the error that cdktf throws for what `enforcePolicy` has found. @returns `undefined` for any other error. */
  static from(cause: unknown): PolicyError | undefined {
    if (!(cause instanceof Error)) return undefined;
    // `stackValidationFailure` in cdktf/lib/errors.js. It ends with the advice to skip the validations.
    const [, found] = /^Validation failed with the following errors:\n([^]*?)\n\n/.exec(cause.message) ?? [];
    return found === undefined
      ? undefined
      : new PolicyError(
          found.split("\n").map((line) => line.trim()),
          { cause },
        );
  }
}
