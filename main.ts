import { join } from "node:path";
import {
  App,
  type AppConfig,
  CloudBackend,
  LocalBackend,
  NamedCloudWorkspace,
  S3Backend,
  type TerraformStack,
} from "cdktf";
import { CatalogueError } from "./stacks/catalogue-check";
import { type Config, ConfigurationError, readConfig } from "./stacks/config";
import { NotificationStack } from "./stacks/notification-stack";
import { StateBackendStack } from "./stacks/state-backend-stack";

/** Composes the stacks of one stage, each with its backend. */
export function createApp(config: Config, options: AppConfig = {}): App {
  const app = new App(options);
  const stack = new NotificationStack(app, `notification-${config.stage}`, config);
  attachBackend(stack, config);
  if (config.backend.kind === "s3") {
    const state = new StateBackendStack(app, "state-backend", {
      projectName: config.projectName,
      accountId: config.accountId,
      region: config.backend.region,
      bucket: config.backend.bucket,
    });
    attachLocalBackend(state, config.backend.bucket);
  }
  return app;
}

function attachBackend(stack: TerraformStack, config: Config): void {
  const { backend, projectName, stage, accountId, region } = config;
  switch (backend.kind) {
    case "s3":
      // No `encrypt`: without a key, Terraform would ask for AES256 then, in place of the bucket's own default, which is
      // KMS (`PutObject` in hashicorp/terraform, internal/backend/remote-state/s3/client.go). S3 encrypts either way.
      new S3Backend(stack, {
        bucket: backend.bucket,
        key: `${projectName}/${stage}/${region}/terraform.tfstate`,
        region: backend.region,
        allowedAccountIds: [accountId],
        // Terraform's own list is as old as Terraform: 1.11.4 does not know eusc-de-east-1. Ours is in stacks/regions.ts.
        skipRegionValidation: true,
      });
      // Terraform's own lock file; cdktf 0.21 has no property for it (terraform-cdk issue 3834).
      stack.addOverride("terraform.backend.s3.use_lockfile", true);
      stack.addOverride("terraform.required_version", ">= 1.10");
      return;
    case "cloud":
      new CloudBackend(stack, {
        organization: backend.organization,
        workspaces: new NamedCloudWorkspace(backend.workspace),
      });
      return;
    case "local":
      attachLocalBackend(stack, `${projectName}-${stage}-${accountId}-${region}`);
  }
}

/**
 * Beside the project and not below `cdktf.out`, which people delete.
 * @param name of all that the state is about: another account or region has a state of its own.
 */
function attachLocalBackend(stack: TerraformStack, name: string): void {
  new LocalBackend(stack, { path: join(__dirname, "local-state", `${name}.tfstate`) });
}

if (require.main === module) {
  try {
    createApp(readConfig()).synth();
  } catch (error) {
    if (!(error instanceof ConfigurationError || error instanceof CatalogueError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
