import { type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { retryQueueSettings } from "../../stacks/delivery-windows";
import { type Lane, laneNames, lanes } from "../../stacks/lanes";
import { laneBudgets } from "../../stacks/send-budget";
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
  /** With `discard`: whether mails that could still be sent, or whose outcome is unknown, are given up as well. */
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
  /** Aborted when a person interrupts. Then no further message is begun, and those that are held are given back. */
  readonly signal: AbortSignal;
}

/** Counts of the messages in a lane's retry queue. */
export interface WaitingRetries {
  readonly lane: Lane;
  readonly queue: string;
  /** Messages that are due now. */
  readonly visible: number;
  /** Messages that wait for their next try, or are being tried at this moment. */
  readonly inFlight: number;
  readonly secondsBetweenTries: number;
  readonly triesBeforeParked: number;
}

/** One parked message in the list. */
export interface Listed {
  readonly parked: ParkedMessage;
  /** `undefined` if a person interrupted before the claims were read. */
  readonly mails: Mails | undefined;
  /** Why a redrive would refuse the message; `undefined` if it would not. */
  readonly refusal: Refusal | undefined;
}

/** What the command did and saw. The counts of `Sight` include messages that the filters left out. */
export interface DeadLettersAnswer extends Sight {
  readonly queue: string;
  /** The messages that the filters let through, oldest first. */
  readonly messages: readonly ParkedMessage[];
  /** Number of messages that came back to the queue before the work was done. Others may have received them as well. */
  readonly lapsed: number;
  /** Number of messages that could not be given back. They stay hidden until their hold is over. */
  readonly stillHidden: number;
  readonly retryQueues: readonly WaitingRetries[] | undefined;
  /** The rows of the list; `undefined` if something was redriven or discarded instead. */
  readonly listed: readonly Listed[] | undefined;
  /** The results of `--redrive`, `--resend-unknown` or `--discard`; `undefined` for a list. */
  readonly results: readonly Result[] | undefined;
}

/**
 * Checks that the options fit together.
 * @throws UsageError that says which options do not.
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
 * Does the work of `npm run dead-letters` and returns the answer as data. `report.ts` makes a text of it.
 * @throws UsageError if the options are wrong, or Error if nothing could be read. A failure with one message is in that
 * message's result.
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

/** Lists the messages that the filters let through, or redrives or discards them. */
async function work(
  held: HeldMessages,
  options: DeadLettersOptions,
  dependencies: DeadLettersDependencies,
): Promise<Pick<DeadLettersAnswer, "messages" | "listed" | "results">> {
  const { now, signal } = dependencies;
  const { config, names } = dependencies.stage;
  const filter = parseFilters(options.filter);
  const context = { names, budgets: laneBudgets(config), recipients: config.recipients };
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
  const { visibilityTimeoutSeconds, maxReceiveCount } = retryQueueSettings(
    lane,
    laneBudgets(config)[lane].timeoutSeconds,
  );
  return {
    lane,
    queue: name,
    ...(await countMessages(sqs, await findQueue(sqs, name, config.region))),
    secondsBetweenTries: visibilityTimeoutSeconds,
    triesBeforeParked: maxReceiveCount,
  };
}

/** Number of events whose claims are read at the same time. */
const readsAtOnce = 8;

/**
 * Most failures in a row before no more claims are read. If the table or the right to read it is missing, all reads
 * fail.
 */
const mostFailures = 3;

/**
 * Calls `ask` until it has failed `mostFailures` times in a row. From then on it rejects with the last error at once.
 */
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
