import * as z from "zod";
import { type SendRates } from "../../handler/pacer";
import { exampleAccountId } from "../../stacks/stages";

/** The settings of the synthesized stack that decide how events are delivered. The simulation repeats none of them. */
export interface Deployment {
  readonly functions: readonly FunctionDeployment[];
  readonly queues: readonly QueueDeployment[];
  readonly rules: readonly RuleDeployment[];
  /** Address of the bus that the business events are put on. */
  readonly businessBus: string;
}

export interface FunctionDeployment {
  readonly address: string;
  readonly arn: string;
  readonly timeoutMs: number;
  readonly reservedConcurrency: number;
  readonly sendRates: SendRates;
  readonly claimRetentionSeconds: number;
  readonly asynchronous: { readonly retries: number; readonly maximumAgeMs: number };
  /** Address of the bus that gets the function's failures. */
  readonly failuresBus: string;
  /** Address of the queue that the function parks events in. */
  readonly deadLetterQueue: string;
  /** The event source mapping that reads the retry queue for this function. */
  readonly source: {
    readonly queue: string;
    readonly batchSize: number;
    readonly maximumConcurrency: number;
    readonly reportsItemFailures: boolean;
  };
}

interface QueueDeployment {
  readonly address: string;
  readonly visibilityTimeoutMs: number;
  readonly retentionMs: number;
  readonly redrive?: { readonly maxReceiveCount: number; readonly deadLetterQueue: string };
}

export interface RuleDeployment {
  readonly address: string;
  /** Address of the rule's bus. */
  readonly bus: string;
  /** Event pattern, as JSON. */
  readonly pattern: string;
  readonly targets: readonly TargetDeployment[];
}

export interface TargetDeployment {
  readonly kind: "function" | "queue" | "log";
  readonly address: string;
  readonly inputPath: string | undefined;
  readonly retries: number;
  readonly maximumAgeMs: number;
  readonly deadLetterQueue: string;
}

/** Values that Terraform would look up in the account. */
const data: Readonly<Record<string, string>> = {
  "data.aws_partition.partition.partition": "aws",
  "data.aws_caller_identity.account.account_id": exampleAccountId,
};

const resources = <Shape extends z.ZodType>(shape: Shape) => z.record(z.string(), shape);
const whole = z.coerce.number().int().nonnegative();

const stackSchema = z.object({
  provider: z.object({ aws: z.array(z.object({ region: z.string() })).min(1) }),
  resource: z.object({
    aws_lambda_function: resources(
      z.object({
        function_name: z.string(),
        timeout: whole,
        reserved_concurrent_executions: whole.optional(),
        environment: z.object({
          variables: z.object({
            MOST_SENDS_PER_SECOND: z.coerce.number().positive(),
            LEAST_SENDS_PER_SECOND: z.coerce.number().positive(),
            CLAIM_RETENTION_SECONDS: whole,
            DEAD_LETTER_QUEUE_URL: z.string(),
          }),
        }),
      }),
    ),
    aws_lambda_function_event_invoke_config: resources(
      z.object({
        function_name: z.string(),
        maximum_retry_attempts: whole,
        maximum_event_age_in_seconds: whole,
        destination_config: z.object({ on_failure: z.object({ destination: z.string() }) }),
      }),
    ),
    aws_lambda_event_source_mapping: resources(
      z.object({
        function_name: z.string(),
        event_source_arn: z.string(),
        batch_size: whole,
        function_response_types: z.array(z.string()).default([]),
        scaling_config: z.object({ maximum_concurrency: whole }),
      }),
    ),
    aws_sqs_queue: resources(
      z.object({
        visibility_timeout_seconds: whole.default(30),
        message_retention_seconds: whole,
        redrive_policy: z.string().optional(),
      }),
    ),
    aws_cloudwatch_event_rule: resources(
      z.object({ event_pattern: z.string().optional(), event_bus_name: z.string().optional() }),
    ),
    aws_cloudwatch_event_target: resources(
      z.object({
        rule: z.string(),
        arn: z.string(),
        input_path: z.string().optional(),
        retry_policy: z.object({ maximum_retry_attempts: whole, maximum_event_age_in_seconds: whole }),
        dead_letter_config: z.object({ arn: z.string() }),
      }),
    ),
  }),
});

type Resources = z.output<typeof stackSchema>["resource"];

/** Reads a synthesized stack. @throws Error if the simulation can't play it. */
export function readDeployment(stack: unknown): Deployment {
  const { provider, resource } = stackSchema.parse(stack);
  const functions = readFunctions(resource, provider.aws[0]?.region ?? "");
  const rules = readRules(resource);
  const failuresBuses = functions.map(({ failuresBus }) => failuresBus);
  const [businessBus, ...otherBuses] = [...new Set(rules.map(({ bus }) => bus))].filter(
    (bus) => !failuresBuses.includes(bus),
  );
  if (businessBus === undefined || otherBuses.length > 0) {
    throw new Error(
      `The simulation supports exactly one bus of business events, and the stack has ${businessBus === undefined ? "none" : [businessBus, ...otherBuses].join(", ")}: extend bench/simulation/.`,
    );
  }
  return { functions, queues: readQueues(resource), rules, businessBus };
}

function readFunctions(resource: Resources, region: string): FunctionDeployment[] {
  return Object.entries(resource.aws_lambda_function).map(([name, settings]): FunctionDeployment => {
    const address = `aws_lambda_function.${name}`;
    const configuration = ofFunction(resource.aws_lambda_function_event_invoke_config, address);
    const mapping = ofFunction(resource.aws_lambda_event_source_mapping, address);
    const { variables } = settings.environment;
    if (settings.reserved_concurrent_executions === undefined) {
      throw new Error(
        `${address} reserves no concurrency, so nothing keeps its send rate: simulate a stage that does.`,
      );
    }
    const failuresBus = referenceIn(configuration.destination_config.on_failure.destination);
    if (!failuresBus.startsWith("aws_cloudwatch_event_bus.")) {
      throw new Error(
        `${address} reports its failures to ${failuresBus}, and the simulation supports only a bus: extend bench/simulation/.`,
      );
    }
    return {
      address,
      arn: `arn:aws:lambda:${region}:${exampleAccountId}:function:${settings.function_name}`,
      timeoutMs: settings.timeout * 1000,
      reservedConcurrency: settings.reserved_concurrent_executions,
      sendRates: {
        mostPerSecond: variables.MOST_SENDS_PER_SECOND,
        leastPerSecond: variables.LEAST_SENDS_PER_SECOND,
      },
      claimRetentionSeconds: variables.CLAIM_RETENTION_SECONDS,
      deadLetterQueue: referenceIn(variables.DEAD_LETTER_QUEUE_URL),
      asynchronous: {
        retries: configuration.maximum_retry_attempts,
        maximumAgeMs: configuration.maximum_event_age_in_seconds * 1000,
      },
      failuresBus,
      source: {
        queue: referenceIn(mapping.event_source_arn),
        batchSize: mapping.batch_size,
        maximumConcurrency: mapping.scaling_config.maximum_concurrency,
        reportsItemFailures: mapping.function_response_types.includes("ReportBatchItemFailures"),
      },
    };
  });
}

function readQueues(resource: Resources): QueueDeployment[] {
  return Object.entries(resource.aws_sqs_queue).map(([name, settings]): QueueDeployment => {
    const redrive =
      settings.redrive_policy === undefined
        ? undefined
        : z
            .object({ maxReceiveCount: whole, deadLetterTargetArn: z.string() })
            .parse(JSON.parse(settings.redrive_policy));
    return {
      address: `aws_sqs_queue.${name}`,
      visibilityTimeoutMs: settings.visibility_timeout_seconds * 1000,
      retentionMs: settings.message_retention_seconds * 1000,
      ...(redrive && {
        redrive: {
          maxReceiveCount: redrive.maxReceiveCount,
          deadLetterQueue: referenceIn(redrive.deadLetterTargetArn),
        },
      }),
    };
  });
}

function readRules(resource: Resources): RuleDeployment[] {
  return Object.entries(resource.aws_cloudwatch_event_rule).flatMap(([name, settings]): RuleDeployment[] => {
    // Schedules and the rules of the default bus (for SES's own events) are not simulated.
    if (settings.event_pattern === undefined || settings.event_bus_name === undefined) return [];
    const address = `aws_cloudwatch_event_rule.${name}`;
    const targets = Object.values(resource.aws_cloudwatch_event_target)
      .filter(({ rule }) => referenceIn(rule) === address)
      .map((target): TargetDeployment => {
        const aim = referenceIn(target.arn);
        const kind = aim.startsWith("aws_sqs_queue.")
          ? "queue"
          : aim.startsWith("aws_cloudwatch_log_group.")
            ? "log"
            : "function";
        return {
          kind,
          address: aim,
          inputPath: target.input_path,
          retries: target.retry_policy.maximum_retry_attempts,
          maximumAgeMs: target.retry_policy.maximum_event_age_in_seconds * 1000,
          deadLetterQueue: referenceIn(target.dead_letter_config.arn),
        };
      });
    return [{ address, bus: referenceIn(settings.event_bus_name), pattern: withData(settings.event_pattern), targets }];
  });
}

/** Returns the address of a resource, `<type>.<name>`, from a reference `${<type>.<name>.<attribute>}`. */
function referenceIn(expression: string): string {
  const address = /^\$\{([\w-]+\.[\w-]+)\.[\w-]+\}$/.exec(expression)?.[1];
  if (address === undefined) throw new Error(`"${expression}" is no reference to a resource.`);
  return address;
}

function withData(text: string): string {
  return text.replace(/\$\{([^}]+)\}/g, (expression, path: string) => {
    const value = data[path];
    if (value === undefined) throw new Error(`A pattern holds ${expression}, which the simulation does not know.`);
    return value;
  });
}

function ofFunction<Settings extends { function_name: string }>(
  all: Readonly<Record<string, Settings>>,
  address: string,
): Settings {
  const [first, ...others] = Object.values(all).filter(({ function_name: name }) => referenceIn(name) === address);
  if (first === undefined || others.length > 0) throw new Error(`${address} needs exactly one of each configuration.`);
  return first;
}
