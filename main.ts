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
import { localStateFolder, stateBackendKey, stateBackendStack } from "./stacks/state-places";

/** Composes the stacks of one stage, each with its backend. */
export function createApp(config: Config, options: AppConfig = {}): App {
  const app = new App(options);
  const stack = new NotificationStack(app, `notification-${config.stage}`, config);
  attachBackend(stack, config);
  if (config.backend.kind === "s3") {
    const state = new StateBackendStack(app, stateBackendStack, {
      projectName: config.projectName,
      accountId: config.accountId,
      region: config.backend.region,
      bucket: config.backend.bucket,
    });
    // The bucket's own state is in the bucket, too. `npm run bootstrap` makes the bucket with a local state, which it
    // then moves there (docs/decisions/0020-state-of-the-state.md).
    attachS3Backend(state, config.backend, config.accountId, stateBackendKey(config.projectName));
  }
  return app;
}

function attachBackend(stack: TerraformStack, config: Config): void {
  const { backend, projectName, stage, accountId, region } = config;
  switch (backend.kind) {
    case "s3":
      attachS3Backend(stack, backend, accountId, `${projectName}/${stage}/${region}/terraform.tfstate`);
      return;
    case "cloud":
      new CloudBackend(stack, {
        organization: backend.organization,
        workspaces: new NamedCloudWorkspace(backend.workspace),
      });
      return;
    case "local":
      // Stage, account and region have a state of their own in each combination.
      new LocalBackend(stack, {
        path: join(__dirname, localStateFolder, `${projectName}-${stage}-${accountId}-${region}.tfstate`),
      });
  }
}

/** Keeps the state in the bucket, under `key`. */
function attachS3Backend(
  stack: TerraformStack,
  { bucket, region }: { readonly bucket: string; readonly region: string },
  accountId: string,
  key: string,
): void {
  // `encrypt` is not set: S3 encrypts the state either way. With `encrypt` and no key, Terraform would ask for AES256
  // instead of the bucket's own default, which is KMS (`PutObject` in hashicorp/terraform,
  // internal/backend/remote-state/s3/client.go).
  new S3Backend(stack, {
    bucket,
    key,
    region,
    allowedAccountIds: [accountId],
    // Terraform's own list of regions is as old as the Terraform release: 1.11.4 does not know eusc-de-east-1. This
    // project checks the region against stacks/regions.ts instead.
    skipRegionValidation: true,
  });
  // The state is locked with Terraform's own lock file. cdktf 0.21 has no property for it (terraform-cdk issue 3834).
  stack.addOverride("terraform.backend.s3.use_lockfile", true);
  stack.addOverride("terraform.required_version", ">= 1.10");
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
