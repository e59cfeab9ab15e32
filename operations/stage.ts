import { type AwsClientConfig, awsClientConfig } from "aws-emulator/client-config";
import { type Config, ConfigurationError, type Environment, readConfig } from "../stacks/config";
import { Names } from "../stacks/names";
import { findSandbox, type FoundSandbox } from "../stacks/sandbox-endpoint";
import { type Io, UsageError } from "./command";
import { describeFailure } from "./text";

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
  /** Where the stage is, for a person. */
  readonly place: string;
  /** What a person does where nothing answers there. */
  readonly whenUnreachable: string;
  /** Settings of every AWS SDK client. */
  readonly client: typeof patience & { readonly region: string } & Partial<AwsClientConfig>;
}

/**
 * The stage that the environment names, or the sandbox on this machine. The stage `sandbox` is nowhere else, so a shell
 * that has sourced `.sandbox/environment.sh` needs no option.
 * @param command for the words of an error
 * @throws UsageError where the configuration can't be used.
 */
function openStage(options: { readonly sandbox: boolean }, environment: Environment, command: string): StageAccess {
  if (options.sandbox || environment.STAGE === "sandbox") return ofSandbox(environment);
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

/** Where AWS clients and Terraform go with this environment, for a person. */
export function placeOf({ accountId, region, stage }: Config, { AWS_ENDPOINT_URL: endpoint }: Environment): string {
  if (stage === "sandbox" && endpoint)
    return `Sandbox at ${endpoint} (AWS_ENDPOINT_URL), region ${region}, stage ${stage}`;
  const through = endpoint ? `, through ${endpoint} (AWS_ENDPOINT_URL)` : "";
  return `AWS account ${accountId}, region ${region}, stage ${stage}${through}`;
}

/**
 * @param forSandbox what a person does who means the sandbox: it needs no configuration, so it is said first
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
 * Opens the stage, and says where it is before anything is done there.
 * @throws what the work throws; of a stage that can't be reached, what to do.
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

/** Whether nothing listens there: the request has reached nobody. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // The SDK wraps an error that it does not know, and keeps the text alone.
  return ("code" in error && error.code === "ECONNREFUSED") || error.message.includes("ECONNREFUSED");
}

/**
 * Refuses credentials of another account than the stage's: AWS would act in the account of the credentials.
 * @param found the account that AWS answered for
 * @throws Error where they are two.
 */
export function refuseOtherAccount(found: string | undefined, expected: string): void {
  if (found === undefined || !/^\d{12}$/.test(found) || found === expected) return;
  throw new Error(
    `The credentials are of account ${found}, and the stage is in ${expected}: log in to that one (aws sts get-caller-identity shows whose they are). Nothing was changed.`,
  );
}
