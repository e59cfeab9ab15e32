import { defaultPort, sandboxEndpoint, type SandboxEndpoint } from "../stacks/sandbox-endpoint";
import { type AwsClientConfig, awsClientConfig } from "aws-emulator/client-config";

export interface SandboxSettings extends SandboxEndpoint {
  readonly client: AwsClientConfig;
}

/** The sandbox's address and the settings of AWS clients that talk to it. */
export function sandboxSettings(environment: NodeJS.ProcessEnv = process.env): SandboxSettings {
  const where = sandboxEndpoint(environment);
  return { ...where, client: awsClientConfig(where.endpoint, where.region) };
}

/**
 * Writes a command of this project for a shell. On the default port the command needs no variable to find the sandbox.
 */
export const forSandbox = (port: number, command: string): string =>
  port === defaultPort ? command : `SANDBOX_PORT=${port} ${command}`;
