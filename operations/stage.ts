import { type AwsClientConfig, awsClientConfig } from "aws-emulator/client-config";
import { type Config, ConfigurationError, type Environment, readConfig } from "../stacks/config";
import { Names } from "../stacks/names";
import { findSandbox, type FoundSandbox } from "../stacks/sandbox-endpoint";
import { type Io, UsageError } from "./command";
import { describeFailure } from "./text";

/**
 * Settings of every client of the commands: a person gets an answer or a reason within seconds. Times are in
 * milliseconds.
 */
const patience = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 3000, requestTimeout: 15_000, throwOnRequestTimeout: true },
} as const;

/** The stage that a command works on. */
export interface StageAccess {
  readonly config: Config;
  readonly names: Names;
  readonly isSandbox: boolean;
  /** Describes to a person where the stage is. */
  readonly place: string;
  /** Tells a person what to do if nothing answers there. */
  readonly whenUnreachable: string;
  /** Settings of every AWS SDK client. */
  readonly client: typeof patience & { readonly region: string } & Partial<AwsClientConfig>;
}

/**
 * Whether a command works on the sandbox of this machine. The stage `sandbox` always means that one, so a shell that has
 * sourced `.sandbox/environment.sh` needs no option.
 */
export const isForSandbox = (options: { readonly sandbox: boolean }, environment: Environment): boolean =>
  options.sandbox || environment.STAGE === "sandbox";

/**
 * Opens the stage that the environment names, or the sandbox on this machine.
 * @param command the command's name, for the text of an error.
 * @throws UsageError if the configuration can't be used.
 */
export function openStage(
  options: { readonly sandbox: boolean },
  environment: Environment,
  command: string,
): StageAccess {
  if (isForSandbox(options, environment)) return ofSandbox(environment);
  const config = configOf(
    environment,
    `For the sandbox on this machine, add --sandbox: npm run ${command} -- --sandbox`,
  );
  return {
    config,
    names: new Names(config),
    isSandbox: false,
    place: placeOf(config, environment),
    whenUnreachable: "Check the network and AWS_REGION. For the sandbox on this machine, add --sandbox.",
    client: { ...patience, region: config.region },
  };
}

function ofSandbox(environment: Environment): StageAccess {
  let found: FoundSandbox;
  try {
    found = findSandbox(environment);
  } catch (cause) {
    throw new UsageError(describeFailure(cause), { cause });
  }
  const { endpoint, region, config, names, namedBy } = found;
  return {
    config,
    names,
    isSandbox: true,
    place: `Sandbox at ${endpoint} (${namedBy}), region ${region}, stage ${config.stage}`,
    whenUnreachable:
      "Start the sandbox: npm start. Where it listens on another port, name that: export SANDBOX_PORT=<port>.",
    client: { ...awsClientConfig(endpoint, region), ...patience },
  };
}

/** What to do where the deployed stack is not that of this checkout. */
export function deployHint({ isSandbox }: Pick<StageAccess, "isSandbox">): string {
  return isSandbox
    ? 'Deploy the stack again (docs/deploy.md, "Try a deployment in the sandbox").'
    : "Deploy the stack again: npm run deploy.";
}

/** What to do for the sandbox, where a command has no option of its own for it. */
export const sourceTheSandbox =
  "For the sandbox on this machine: npm start, and in another terminal source .sandbox/environment.sh";

/** @throws UsageError where the stage `sandbox` would get to AWS. */
export function refuseSandboxAtAws({ stage }: Config, environment: Environment): void {
  if (stage !== "sandbox" || environment.AWS_ENDPOINT_URL) return;
  throw new UsageError(
    `The stage is "sandbox", and AWS_ENDPOINT_URL does not say where the sandbox is, so that it would be AWS. ${sourceTheSandbox}.`,
  );
}

/** Settings of an AWS SDK client for the place that the environment names, as Terraform reads it. */
export function clientOf(region: string, { AWS_ENDPOINT_URL: endpoint }: Environment) {
  return { ...patience, region, ...(endpoint ? { endpoint } : {}) };
}

/** The place that AWS clients and Terraform act on in this environment, in words. */
export function placeOf(
  { accountId, region, overrides, stage }: Config,
  { AWS_ENDPOINT_URL: endpoint }: Environment,
): string {
  if (stage === "sandbox" && endpoint)
    return `Sandbox at ${endpoint} (AWS_ENDPOINT_URL), region ${region}, stage ${stage}`;
  const through = endpoint ? `, through ${endpoint} (AWS_ENDPOINT_URL)` : "";
  const won = overrides.find(({ setting }) => setting === "region");
  const other = won === undefined ? "" : ` (AWS_REGION; ${won.ofEntry} in stacks/stages.ts)`;
  return `AWS account ${accountId}, region ${region}${other}, stage ${stage}${through}`;
}

/**
 * @param forSandbox what to do for the sandbox, which needs no configuration. The error suggests it first.
 * @throws UsageError
 */
export function configOf(environment: Environment, forSandbox: string): Config {
  try {
    return readConfig(environment);
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause;
    const problems = cause.problems.map((problem) => `  - ${problem}`).join("\n");
    const what = environment.STAGE ? `The configuration of the stage can't be used` : "No stage is configured";
    throw new UsageError(`${what}. ${forSandbox}\nFor a stage on AWS:\n${problems}`, { cause });
  }
}

/**
 * Opens the stage, writes its place to `stderr`, and then does the work there.
 * @throws Error of the work. If the stage can't be reached, the error says what to do.
 */
export async function onStage<Answer>(
  io: Pick<Io, "stderr" | "environment">,
  options: { readonly sandbox: boolean },
  command: string,
  work: (stage: StageAccess) => Promise<Answer>,
): Promise<Answer> {
  const stage = openStage(options, io.environment, command);
  io.stderr.write(`${stage.place}\n`);
  try {
    return await work(stage);
  } catch (cause) {
    if (!isUnreachable(cause)) throw cause;
    const what = stage.isSandbox ? "Nothing answers." : `No connection: ${describeFailure(cause)}.`;
    throw new Error(`${what} ${stage.whenUnreachable}`, { cause });
  }
}

/** Whether the error means that nothing listens at the address, so that the request reached nobody. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // The SDK wraps errors that it does not know, and keeps only their text.
  return ("code" in error && error.code === "ECONNREFUSED") || error.message.includes("ECONNREFUSED");
}

/**
 * Refuses credentials of an account that is not the stage's, because AWS acts in the account of the credentials.
 * @param found the account of the credentials, as AWS told it.
 * @param expected the stage's account.
 * @throws Error if the two accounts differ.
 */
export function refuseOtherAccount(found: string | undefined, expected: string): void {
  if (found === undefined || !/^\d{12}$/.test(found) || found === expected) return;
  throw new Error(
    `The credentials are of account ${found}, and the stage is in ${expected}: log in to that one (aws sts get-caller-identity shows whose they are). Nothing was changed.`,
  );
}
