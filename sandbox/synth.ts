import { CatalogueError } from "../stacks/catalogue-check";
import { ConfigurationError, readConfig } from "../stacks/config";
import { PolicyError } from "../stacks/policy/policy-error";
import { withTerraform } from "./synthesize";
import { MissingToolsError, prepareTerraform } from "./tools";

/**
 * `npm run synth:sandbox`: writes the sandbox stage's Terraform JSON to `cdktf.out`, with the Terraform that `npm start`
 * uses. `main.ts` knows nothing of the sandbox, and needs a Terraform that cdktf can ask for its version.
 */
async function main(): Promise<void> {
  const terraform = await prepareTerraform({
    onFetch: (line) => {
      console.error(line);
    },
  });
  Object.assign(process.env, withTerraform(terraform.value, { PATH: process.env.PATH, STAGE: "sandbox" }));
  // cdktf reads the environment when it is loaded.
  const { createApp, synthesize } = await import("../main.js");
  synthesize(createApp(readConfig()));
}

main().catch((error: unknown) => {
  const isTold = [MissingToolsError, ConfigurationError, CatalogueError, PolicyError].some(
    (kind) => error instanceof kind,
  );
  console.error(isTold ? (error as Error).message : error);
  process.exitCode = 1;
});
