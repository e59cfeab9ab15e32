import { sandboxEndpoint, type SandboxEndpoint } from "../stacks/sandbox-endpoint";
import { type AwsClientConfig, awsClientConfig } from "aws-emulator/client-config";

export interface SandboxSettings extends SandboxEndpoint {
  readonly client: AwsClientConfig;
}

/** Where the sandbox is, for all who start it. */
export function sandboxSettings(environment: NodeJS.ProcessEnv = process.env): SandboxSettings {
  const where = sandboxEndpoint(environment);
  return { ...where, client: awsClientConfig(where.endpoint, where.region) };
}
