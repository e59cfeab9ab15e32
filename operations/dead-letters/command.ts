import { type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { retryQueueSettings } from "../../stacks/delivery-windows";
import { type Lane, lanes, retryQueueName } from "../lanes";
import { type StageAccess } from "../stage";
import { createClaimDesk } from "./claims";
import { parseFilters, UsageError } from "./filters";
import { parseParkedMessage, type ParkedMessage } from "./parked-message";
import { countMessages, findQueue, HeldMessages } from "./queue";
import { redrive, type Result, textOf } from "./redrive";

export interface DeadLettersOptions {
  readonly retries: boolean;
  readonly redrive: boolean;
  readonly resendUnknown: boolean;
  readonly discard: boolean;
  readonly filter: readonly string[];
  readonly dryRun: boolean;
  readonly limit: number;
  readonly holdSeconds: number;
}

export interface DeadLettersDependencies {
  readonly stage: Pick<StageAccess, "config" | "names">;
  readonly sqs: SQSClient;
  readonly dynamoDb: DynamoDBClient;
  readonly now: () => number;
  /** Ended by a person: what is held is given back, and nothing new begins. */
  readonly signal: AbortSignal;
}

/** What waits in a lane's retry queue. */
export interface WaitingRetries {
  readonly lane: Lane;
  readonly queue: string;
  /** Due now. */
  readonly visible: number;
  /** Tried, and waiting for its next try; or being tried at this moment. */
  readonly inFlight: number;
  readonly secondsBetweenTries: number;
  readonly triesBeforeParked: number;
}

export interface DeadLettersAnswer {
  readonly queue: string;
  /** Those that the filters let through, oldest first. */
  readonly messages: readonly ParkedMessage[];
  /** How many were looked at, the filtered ones included. */
  readonly seen: number;
  readonly isComplete: boolean;
  readonly heldByOthers: number;
  /** Could not be given back: hidden until the hold is over. */
  readonly stillHidden: number;
  readonly retryQueues: readonly WaitingRetries[] | undefined;
  /** Of `--redrive` and `--discard`. */
  readonly results: readonly Result[] | undefined;
}

/** @throws UsageError */
function checkOptions(options: DeadLettersOptions): void {
  const changes = options.redrive || options.resendUnknown || options.discard;
  if (options.discard && (options.redrive || options.resendUnknown)) {
    throw new UsageError("--discard and --redrive exclude each other: an event is sent again, or given up.");
  }
  if (options.dryRun && !changes)
    throw new UsageError("--dry-run belongs to --redrive or --discard; a list changes nothing.");
  for (const [name, isSet] of [
    ["--resend-unknown", options.resendUnknown],
    ["--discard", options.discard],
  ] as const) {
    if (isSet && options.filter.length === 0) {
      throw new UsageError(`${name} needs a --filter: name what you have looked at, for example --filter event=<id>.`);
    }
  }
}

/**
 * `npm run dead-letters`, without its words.
 * @throws UsageError, or why nothing could be read. What goes wrong with one message is in its result.
 */
export async function runDeadLetters(
  options: DeadLettersOptions,
  { stage, sqs, dynamoDb, now, signal }: DeadLettersDependencies,
): Promise<DeadLettersAnswer> {
  checkOptions(options);
  const filter = parseFilters(options.filter);
  const { config, names } = stage;
  const queue = names.of("dead-letters");
  const queueUrl = await findQueue(sqs, queue, config.region);
  const retryQueues = options.retries ? await Promise.all(lanes.map(waiting)) : undefined;

  const held = new HeldMessages(sqs, queueUrl);
  const mayGoOn = () => !signal.aborted;
  let messages: ParkedMessage[] = [];
  let results: Result[] | undefined;
  let stillHidden = 0;
  try {
    await held.read({ limit: options.limit, visibilitySeconds: options.holdSeconds }, mayGoOn);
    const context = { names, functionTimeoutSeconds: config.timeoutSeconds, recipients: config.recipients };
    messages = held.messages
      .map((message) => parseParkedMessage(message, context))
      .filter((parked) => filter(parked, now()))
      .sort((a, b) => a.queuedAt - b.queuedAt);
    if (options.discard) results = await discard(messages);
    else if (options.redrive || options.resendUnknown) results = await replay(messages);
  } finally {
    stillHidden = await held.giveBack();
  }
  return {
    queue,
    messages,
    seen: held.messages.length,
    isComplete: held.isComplete,
    heldByOthers: held.heldByOthers,
    stillHidden,
    retryQueues,
    results,
  };

  async function replay(chosen: readonly ParkedMessage[]): Promise<Result[]> {
    const urls = new Map<Lane, Promise<string>>();
    const urlOf = (lane: Lane): Promise<string> => {
      const url = urls.get(lane) ?? findQueue(sqs, retryQueueName(names, lane), config.region);
      urls.set(lane, url);
      return url;
    };
    const claims = createClaimDesk({ client: dynamoDb, table: names.of("claims"), now });
    return redrive(
      chosen,
      options,
      {
        send: async (lane, body) => {
          await sqs.send(new SendMessageCommand({ QueueUrl: await urlOf(lane), MessageBody: body }));
        },
        remove: (messageId) => held.remove(messageId),
        ...claims,
      },
      mayGoOn,
    );
  }

  async function discard(chosen: readonly ParkedMessage[]): Promise<Result[]> {
    const done: Result[] = [];
    for (const parked of chosen) {
      if (!mayGoOn()) break;
      if (options.dryRun) done.push({ parked, outcome: "would-discard" });
      else {
        done.push(
          await held.remove(parked.messageId).then(
            (): Result => ({ parked, outcome: "discarded" }),
            (error: unknown): Result => ({
              parked,
              outcome: "failed",
              note: `It could not be deleted, and stays parked: ${textOf(error)}`,
            }),
          ),
        );
      }
    }
    return done;
  }

  async function waiting(lane: Lane): Promise<WaitingRetries> {
    const name = retryQueueName(names, lane);
    const { visibilityTimeoutSeconds, maxReceiveCount } = retryQueueSettings(lane, config.timeoutSeconds);
    return {
      lane,
      queue: name,
      ...(await countMessages(sqs, await findQueue(sqs, name, config.region))),
      secondsBetweenTries: visibilityTimeoutSeconds,
      triesBeforeParked: maxReceiveCount,
    };
  }
}

export const exitCodes = { done: 0, notAll: 1, notRun: 2, interrupted: 130 } as const;

const good: readonly Result["outcome"][] = ["redriven", "would-redrive", "discarded", "would-discard"];

export function exitCodeOf({ results = [] }: DeadLettersAnswer): number {
  return results.every(({ outcome }) => good.includes(outcome)) ? exitCodes.done : exitCodes.notAll;
}
