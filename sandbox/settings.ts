import { defaultPort, sandboxEndpoint, type SandboxEndpoint } from "../stacks/sandbox-endpoint";
import { type AwsClientConfig, awsClientConfig } from "aws-emulator/client-config";

export interface SandboxSettings extends SandboxEndpoint {
  readonly client: AwsClientConfig;
}

/** Where the sandbox is, for all who start it. */
export function sandboxSettings(environment: NodeJS.ProcessEnv = process.env): SandboxSettings {
  const where = sandboxEndpoint(environment);
  return { ...where, client: awsClientConfig(where.endpoint, where.region) };
}

/** A command of this project, for a shell. It finds the sandbox at the default port by itself. */
export const forSandbox = (port: number, command: string): string =>
  port === defaultPort ? command : `SANDBOX_PORT=${port} ${command}`;
