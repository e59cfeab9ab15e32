import { TerraformError } from "../../sandbox/terraform";

/** How a command of Terraform failed; the test fails where it did not. */
export async function failure(run: Promise<unknown>): Promise<TerraformError> {
  const error: unknown = await run.catch((reason: unknown) => reason);
  if (!(error instanceof TerraformError))
    throw new Error("The command did not fail as Terraform does.", { cause: error });
  return error;
}
