import { type Config, type Environment, readConfig } from "../stacks/config";
import { Names } from "../stacks/names";
import { type AwsClientConfig } from "aws-emulator/client-config";
import { sandboxSettings } from "../sandbox/settings";

/** How every client of the commands is made: an answer, or a reason, within seconds. */
const patience = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 3000, requestTimeout: 15_000, throwOnRequestTimeout: true },
} as const;

/** The stage that a command works on. */
export interface StageAccess {
  readonly config: Config;
  readonly names: Names;
  readonly isSandbox: boolean;
  /** Settings of every AWS SDK client. */
  readonly client: typeof patience & { readonly region: string } & Partial<AwsClientConfig>;
}

/**
 * The stage that the environment names, or the sandbox on this machine.
 * @throws ConfigurationError
 */
export function openStage(
  options: { readonly sandbox?: boolean },
  environment: Environment = process.env,
): StageAccess {
  if (options.sandbox === true) {
    const { config, names, client } = sandboxSettings(environment);
    return { config, names, isSandbox: true, client: { ...client, ...patience } };
  }
  const config = readConfig(environment);
  return { config, names: new Names(config), isSandbox: false, client: { ...patience, region: config.region } };
}
