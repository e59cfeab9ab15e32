import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { withTerraform } from "./synthesize";
import { MissingToolsError, prepareTerraform } from "./tools";

/**
 * `npm run synth:sandbox`: writes the sandbox stage's Terraform JSON to `cdktf.out`, with the Terraform that `npm start`
 * uses. `main.ts` knows nothing of the sandbox, and needs a Terraform that cdktf can ask for its version.
 */
async function main(): Promise<number> {
  const terraform = await prepareTerraform({
    onFetch: (line) => {
      console.error(line);
    },
  });
  const { status } = spawnSync(process.execPath, ["--import", "tsx", "main.ts"], {
    cwd: join(__dirname, ".."),
    env: withTerraform(terraform.value, { ...process.env, STAGE: "sandbox" }),
    stdio: "inherit",
  });
  return status ?? 1;
}

main().then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    console.error(error instanceof MissingToolsError ? error.message : error);
    process.exitCode = 1;
  },
);
