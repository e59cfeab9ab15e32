/** Tools that are needed and that are missing on this machine. The message says how to get each. */
export class MissingToolsError extends Error {
  override readonly name = "MissingToolsError";

  constructor(
    readonly missing: readonly string[],
    { what = "The sandbox", ...options }: ErrorOptions & { readonly what?: string } = {},
  ) {
    super(`${what} can't start:\n${missing.map((line) => `  - ${line}`).join("\n")}`, options);
  }
}
