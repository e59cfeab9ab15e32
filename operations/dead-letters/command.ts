import { type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { retryQueueSettings } from "../../stacks/delivery-windows";
import { type Lane, laneNames, lanes } from "../../stacks/lanes";
import { exitCodes, UsageError } from "../command";
import { refuseOtherAccount, type StageAccess } from "../stage";
import { createClaimsDesk } from "./claims";
import { decideRedrive, type Refusal, type Wishes } from "./decision";
import { parseFilters } from "./filters";
import { type Mails, readMails } from "./mails";
import { parseParkedMessage, type ParkedMessage } from "./parked-message";
import { countMessages, findQueue, HeldMessages, type Sight } from "./queue";
import { discard, type Ports, redrive, type Result } from "./redrive";

export interface DeadLettersOptions {
  readonly retries: boolean;
  readonly redrive: boolean;
  readonly resendUnknown: boolean;
  readonly discard: boolean;
  /** With `discard`: mails that are neither out nor known to be undeliverable, too. */
  readonly giveUp: boolean;
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

/** One parked message in the list. */
export interface Listed {
  readonly parked: ParkedMessage;
  /** `undefined` where an interruption came before. */
  readonly mails: Mails | undefined;
  /** Why a redrive would refuse it; `undefined` where it would not. */
  readonly refusal: Refusal | undefined;
}

/** Its `Sight` counts what the filters left out, too. */
export interface DeadLettersAnswer extends Sight {
  readonly queue: string;
  /** Those that the filters let through, oldest first. */
  readonly messages: readonly ParkedMessage[];
  /** Came back to the queue before the work was done: others may have seen them, too. */
  readonly lapsed: number;
  /** Could not be given back: hidden until the hold is over. */
  readonly stillHidden: number;
  readonly retryQueues: readonly WaitingRetries[] | undefined;
  /** Of a list. */
  readonly listed: readonly Listed[] | undefined;
  /** Of `--redrive` and `--discard`. */
  readonly results: readonly Result[] | undefined;
}

/**
 * Whether the options fit together.
 * @throws UsageError
 */
export function checkOptions(options: DeadLettersOptions): void {
  const changes = options.redrive || options.resendUnknown || options.discard;
  if (options.discard && (options.redrive || options.resendUnknown)) {
    throw new UsageError("--discard and --redrive exclude each other: an event is sent again, or given up.");
  }
  if (options.dryRun && !changes)
    throw new UsageError("--dry-run belongs to --redrive or --discard; a list changes nothing.");
  if (options.giveUp && !options.discard) {
    throw new UsageError("--give-up belongs to --discard: it says that mails that could still be sent go, too.");
  }
  parseFilters(options.filter);
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
  dependencies: DeadLettersDependencies,
): Promise<DeadLettersAnswer> {
  checkOptions(options);
  const { stage, sqs, now, signal } = dependencies;
  const { config, names } = stage;
  const queue = names.of("dead-letters");
  const queueUrl = await findQueue(sqs, queue, config.region);
  refuseOtherAccount(new URL(queueUrl).pathname.split("/")[1], config.accountId);
  const retryQueues = options.retries
    ? await Promise.all(lanes.map((lane) => countWaiting(lane, dependencies)))
    : undefined;

  const held = new HeldMessages({ client: sqs, queueUrl, holdSeconds: options.holdSeconds, now });
  let answer: Pick<DeadLettersAnswer, "messages" | "listed" | "results">;
  let lapsed = 0;
  let stillHidden = 0;
  try {
    await held.read(options.limit, () => !signal.aborted);
    answer = await work(held, options, dependencies);
  } finally {
    ({ lapsed } = held);
    stillHidden = await held.giveBack();
  }
  return { queue, ...answer, ...held.sight, lapsed, stillHidden, retryQueues };
}

/** Lists the messages that the filters let through, or acts on them. */
async function work(
  held: HeldMessages,
  options: DeadLettersOptions,
  dependencies: DeadLettersDependencies,
): Promise<Pick<DeadLettersAnswer, "messages" | "listed" | "results">> {
  const { now, signal } = dependencies;
  const { config, names } = dependencies.stage;
  const filter = parseFilters(options.filter);
  const context = { names, functionTimeoutSeconds: config.timeoutSeconds, recipients: config.recipients };
  const messages = held.messages
    .map((message) => parseParkedMessage(message, context))
    .filter((parked) => filter.matches(parked, now()))
    .sort((a, b) => a.queuedAt - b.queuedAt);
  const wishes = { ...options, recipients: filter.recipients };
  const ports = portsOf(held, dependencies);
  const mayGoOn = () => !signal.aborted;
  const none = { messages, listed: undefined, results: undefined };
  if (options.discard) return { ...none, results: await discard(messages, wishes, ports, mayGoOn) };
  if (options.redrive || options.resendUnknown) {
    return { ...none, results: await redrive(messages, wishes, ports, mayGoOn) };
  }
  return { ...none, listed: await list(messages, { held, ports, wishes, mayGoOn }) };
}

function portsOf(held: HeldMessages, { stage, sqs, dynamoDb, now }: DeadLettersDependencies): Ports {
  const { config, names } = stage;
  const urls = new Map<Lane, Promise<string>>();
  const urlOf = (lane: Lane): Promise<string> => {
    const url = urls.get(lane) ?? findQueue(sqs, names.of(laneNames(lane).retryQueue), config.region);
    urls.set(lane, url);
    return url;
  };
  const claims = createClaimsDesk({ client: dynamoDb, table: names.of("claims"), now });
  const read = stopAfterFailures((ids: readonly string[]) => claims.read(ids));
  return {
    hold: async (messageId) => {
      await held.renew();
      return held.isHeld(messageId);
    },
    readMails: (parked) => readMails(parked, { read, recipientPolicy: config.recipientPolicy }),
    release: (id) => claims.release(id),
    send: async (lane, body) => {
      await sqs.send(new SendMessageCommand({ QueueUrl: await urlOf(lane), MessageBody: body }));
    },
    remove: (messageId) => held.remove(messageId),
  };
}

interface Listing {
  readonly held: HeldMessages;
  readonly ports: Ports;
  readonly wishes: Wishes;
  readonly mayGoOn: () => boolean;
}

async function list(chosen: readonly ParkedMessage[], { held, ports, wishes, mayGoOn }: Listing): Promise<Listed[]> {
  const all: Listed[] = [];
  for (let from = 0; from < chosen.length; from += readsAtOnce) {
    await held.renew();
    const some = chosen.slice(from, from + readsAtOnce);
    all.push(
      ...(await Promise.all(
        some.map(async (parked): Promise<Listed> => {
          if (!mayGoOn()) return { parked, mails: undefined, refusal: undefined };
          const mails = await ports.readMails(parked);
          const decision = decideRedrive(parked, mails, { ...wishes, resendUnknown: false });
          return { parked, mails, refusal: decision.kind === "refuse" ? decision.refusal : undefined };
        }),
      )),
    );
  }
  return all;
}

async function countWaiting(lane: Lane, { stage, sqs }: DeadLettersDependencies): Promise<WaitingRetries> {
  const { config, names } = stage;
  const name = names.of(laneNames(lane).retryQueue);
  const { visibilityTimeoutSeconds, maxReceiveCount } = retryQueueSettings(lane, config.timeoutSeconds);
  return {
    lane,
    queue: name,
    ...(await countMessages(sqs, await findQueue(sqs, name, config.region))),
    secondsBetweenTries: visibilityTimeoutSeconds,
    triesBeforeParked: maxReceiveCount,
  };
}

/** Events whose claims are read at the same time. */
const readsAtOnce = 8;

/** Without the right to read the table, or without the table, each of a thousand events would ask in vain. */
const mostFailures = 3;

/** Asks no more after some failures in a row; what was wrong then is the answer. */
function stopAfterFailures<Input, Output>(ask: (input: Input) => Promise<Output>): (input: Input) => Promise<Output> {
  let failures = 0;
  let last: unknown;
  return async (input) => {
    if (failures >= mostFailures) throw last;
    try {
      const answer = await ask(input);
      failures = 0;
      return answer;
    } catch (error) {
      failures += 1;
      last = error;
      throw error;
    }
  };
}

const good: readonly Result["disposition"][] = [
  "redriven",
  "would-redrive",
  "finished",
  "would-finish",
  "discarded",
  "would-discard",
];

export function exitCodeOf({ results = [], isComplete }: DeadLettersAnswer): number {
  const isAllDone = results.every(({ disposition }) => good.includes(disposition));
  return isAllDone && isComplete ? exitCodes.well : exitCodes.problems;
}
