import {
  App,
  type AppConfig,
  CloudBackend,
  LocalBackend,
  NamedCloudWorkspace,
  S3Backend,
  type TerraformStack,
} from "cdktf";
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
      region: config.backend.region,
      bucket: config.backend.bucket,
    });
    new LocalBackend(state, {});
  }
  return app;
}

function attachBackend(stack: TerraformStack, { backend, projectName, stage }: Config): void {
  switch (backend.kind) {
    case "s3":
      new S3Backend(stack, {
        bucket: backend.bucket,
        key: `${projectName}/${stage}/terraform.tfstate`,
        region: backend.region,
        encrypt: true,
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
      new LocalBackend(stack, {});
  }
}

if (require.main === module) {
  try {
    createApp(readConfig()).synth();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
