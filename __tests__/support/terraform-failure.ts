import { TerraformError } from "../../sandbox/terraform";

/** The error of a Terraform command. The test fails where the command succeeds. */
export async function failure(run: Promise<unknown>): Promise<TerraformError> {
  const error: unknown = await run.catch((reason: unknown) => reason);
  if (!(error instanceof TerraformError))
    throw new Error("The command did not fail as Terraform does.", { cause: error });
  return error;
}
