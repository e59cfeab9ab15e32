import { join } from "node:path";
import {
  Annotations,
  App,
  type AppConfig,
  Aspects,
  CloudBackend,
  LocalBackend,
  NamedCloudWorkspace,
  S3Backend,
  type TerraformStack,
} from "cdktf";
import { Arns } from "./stacks/arns";
import { CatalogueError } from "./stacks/catalogue-check";
import { CiAccessStack } from "./stacks/ci-access-stack";
import { type Config, ConfigurationError, overrideWarnings, placeholderWarnings, readConfig } from "./stacks/config";
import { boundaryArn, RolesWithin } from "./stacks/function-boundary";
import { NotificationStack } from "./stacks/notification-stack";
import { PolicyError } from "./stacks/policy/policy-error";
import { suppressionsIn, toSentence } from "./stacks/policy/suppressions";
import { sendRateWarnings } from "./stacks/send-rate-check";
import { StateBackendStack } from "./stacks/state-backend-stack";
import { localStateFolder, stateBackendKey, stateBackendStack, stateKey } from "./stacks/state-places";

/** Composes the stacks of one stage, each with its backend. */
export function createApp(config: Config, options: AppConfig = {}): App {
  const app = new App(options);
  const stack = new NotificationStack(app, `notification-${config.stage}`, config);
  attachBackend(stack, config, "terraform");
  for (const warning of [...overrideWarnings(config), ...sendRateWarnings(config), ...placeholderWarnings(config)]) {
    Annotations.of(stack).addWarning(warning);
  }
  if (config.backend.kind === "s3") {
    const { ci, backend } = config;
    if (ci !== undefined) {
      const stageState = { bucket: backend.bucket, key: stateKey(config, "terraform") };
      attachBackend(new CiAccessStack(app, "ci-access", { ...config, ci, state: stageState }), config, "ci-access");
      Aspects.of(stack).add(new RolesWithin(boundaryArn(Arns.of(config))));
    }
    const state = new StateBackendStack(app, stateBackendStack, {
      projectName: config.projectName,
      accountId: config.accountId,
      region: config.backend.region,
      bucket: config.backend.bucket,
    });
    // The bucket's own state is in the bucket, too. `npm run bootstrap` makes the bucket with a local state, which it
    // then moves there (docs/decisions/0020-state-of-the-state.md).
    attachS3Backend(state, config.backend, config.accountId, stateBackendKey(config.projectName));
    requireTerraform(state);
  }
  return app;
}

/**
 * Writes the Terraform JSON of the stacks, and prints what is suppressed of the policy to stderr. Under cdktf's command
 * line, which sets this variable, it prints nothing: that prints the suppressions itself, as annotations.
 * @throws PolicyError where a stack breaks a rule of `stacks/policy`.
 */
export function synthesize(app: App): void {
  try {
    app.synth();
  } catch (error) {
    throw PolicyError.from(error) ?? error;
  }
  if (process.env.CDKTF_CONTINUE_SYNTH_ON_ERROR_ANNOTATIONS !== undefined) return;
  for (const suppression of suppressionsIn(app)) console.error(toSentence(suppression));
}

/** Demands a Terraform that locks the state in S3 by itself, with every backend, so that a stage can go from one to another. */
function requireTerraform(stack: TerraformStack): void {
  stack.addOverride("terraform.required_version", ">= 1.10");
}

function attachBackend(stack: TerraformStack, config: Config, state: Parameters<typeof stateKey>[1]): void {
  requireTerraform(stack);
  const { backend, projectName, stage, accountId, region } = config;
  switch (backend.kind) {
    case "s3":
      attachS3Backend(stack, backend, accountId, stateKey(config, state));
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
}

if (require.main === module) {
  try {
    synthesize(createApp(readConfig()));
  } catch (error) {
    if (![ConfigurationError, CatalogueError, PolicyError].some((kind) => error instanceof kind)) throw error;
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
