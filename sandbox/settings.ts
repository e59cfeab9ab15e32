import { type Config, readConfig } from "../stacks/config";
import { Names } from "../stacks/names";
import { type AwsClientConfig, awsClientConfig } from "./aws-client";

export interface SandboxSettings {
  readonly port: number;
  readonly endpoint: string;
  readonly region: string;
  /** The stage's own values: what the user has exported for AWS does not reach the sandbox. */
  readonly config: Config;
  readonly names: Names;
  readonly client: AwsClientConfig;
}

/** Fixed, for scripts. */
const region = "us-east-1";

/** Where nothing is said in SANDBOX_PORT. */
export const defaultPort = 4566;

/** Where the sandbox is, for all who start it or talk to it. */
export function sandboxSettings(environment: NodeJS.ProcessEnv = process.env): SandboxSettings {
  const text = environment.SANDBOX_PORT ?? String(defaultPort);
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`SANDBOX_PORT="${text}" is not a port: use a number from 1 to 65535`);
  }
  const endpoint = `http://127.0.0.1:${port}`;
  const config = readConfig({ STAGE: "sandbox", AWS_REGION: region });
  return { port, endpoint, region, config, names: new Names(config), client: awsClientConfig(endpoint, region) };
}
