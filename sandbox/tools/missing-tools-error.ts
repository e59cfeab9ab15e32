/** Tools that the sandbox needs and that are missing on this machine. The message says how to get each. */
export class MissingToolsError extends Error {
  override readonly name = "MissingToolsError";

  constructor(
    readonly missing: readonly string[],
    options?: ErrorOptions,
  ) {
    super(`The sandbox can't start:\n${missing.map((line) => `  - ${line}`).join("\n")}`, options);
  }
}
