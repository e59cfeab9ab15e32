import { createSesSender } from "../../handler/adapters/ses";
import { type FailureRecord } from "../../handler/contract/failure-record";
import { createDispatch } from "../../handler/dispatch";
import { createSendNotification, type Log } from "../../handler/send-notification";
import { limitConcurrency } from "../../handler/concurrency";
import { Pacer, sendsAtOnce } from "../../handler/pacer";
import { AsynchronousInvocations, type FailedInvocation } from "./asynchronous-invocations";
import { Bus, type BusEvent } from "./bus";
import { createClaimTable } from "./claim-table";
import { type Deployment, type FunctionDeployment, type TargetDeployment } from "./deployment";
import { EventSource } from "./event-source";
import { type Handle, SimulatedFunction } from "./function";
import { Ledger } from "./ledger";
import * as limits from "./limits";
import { SimulatedQueue } from "./queue";
import { createRandom, sampleLatency } from "./random";
import { type SesAccount, SimulatedSes } from "./ses";
import { VirtualClock } from "./virtual-clock";

export interface Scenario {
  readonly account: SesAccount;
  /** Schedules the events of the scenario on the clock, and calls `raise` for each when its time has come. */
  readonly traffic: (raise: (kind: EventKind) => void, clock: VirtualClock) => void;
}

export type EventKind = "bulk" | "alert";

/** Assumptions of the model. A comparison with the sandbox sets them to the sandbox's behaviour. */
export interface ModelSettings {
  readonly errorRetryDelaysMs: readonly number[];
  readonly throttleJitter: number;
  readonly duplicateRate: { readonly bus: number; readonly asynchronousQueue: number };
  readonly targetFailureRate: number;
  readonly createClaimTable: typeof createClaimTable;
}

export const defaultSettings: ModelSettings = {
  errorRetryDelaysMs: limits.asynchronousQueue.errorRetryDelaysMs,
  throttleJitter: limits.asynchronousQueue.throttleJitter,
  duplicateRate: limits.duplicateRate,
  targetFailureRate: limits.targetFailureRate,
  createClaimTable,
};

/** A deployed function with the queues that bring events to it. */
interface SimulatedLane {
  readonly address: string;
  readonly fn: SimulatedFunction;
  readonly asynchronous: AsynchronousInvocations;
  readonly queue: SimulatedQueue;
  readonly source: EventSource;
}

/** The numbers of events in the queues at one time. */
export interface Sample {
  readonly at: number;
  readonly asynchronous: number;
  readonly retrying: number;
  readonly parked: number;
  /** Alerts that are neither mailed nor parked. */
  readonly alerts: number;
}

export interface SimulationResult {
  readonly ledger: Ledger;
  readonly lanes: readonly SimulatedLane[];
  readonly ses: SimulatedSes;
  readonly bus: Bus;
  readonly samples: readonly Sample[];
  /** Second deliveries that a claim stopped from becoming a second mail. */
  readonly duplicatesPrevented: number;
}

const sampleEveryMs = 60_000;
/** Time at which every scenario begins, in milliseconds since 1970. */
export const midnight = Date.UTC(2026, 0, 1);
const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The objects that all parts of one simulation share. */
interface Surroundings {
  readonly deployment: Deployment;
  readonly settings: ModelSettings;
  readonly random: () => number;
  readonly clock: VirtualClock;
  readonly ledger: Ledger;
  readonly queues: ReadonlyMap<string, SimulatedQueue>;
  /** Gives every event an id of its own. */
  readonly newId: (prefix: string) => string;
}

/**
 * Plays a scenario against a deployment until no event is under way. The function's code is the deployed one
 * (handler/); SES, the claim table, the clock, the queues and the buses around it are simulated.
 */
export async function simulate(
  deployment: Deployment,
  scenario: Scenario,
  seed: number,
  settings: ModelSettings = defaultSettings,
): Promise<SimulationResult> {
  const random = createRandom(seed);
  const clock = new VirtualClock(midnight);
  const ledger = new Ledger();
  let events = 0;
  const newId = (prefix: string) => `${prefix}-${++events}`;
  const queues = createQueues(deployment, clock);
  const surroundings = { deployment, settings, random, clock, ledger, queues, newId };
  recordArrivals(surroundings);

  const ses = createSes(scenario.account, surroundings);
  const { createHandle, countDuplicatesPrevented } = createHandles(ses, surroundings);
  const lanes = deployment.functions.map((fn): SimulatedLane =>
    createLane(
      fn,
      () => createHandle(fn),
      (event) => {
        bus.put(fn.failuresBus, event);
      },
      surroundings,
    ),
  );
  const bus = createBus(lanes, surroundings);

  scenario.traffic((kind) => {
    const id = newId(kind);
    ledger.raised(id, kind, clock.now());
    bus.put(deployment.businessBus, businessEvent(kind, id, new Date(clock.now()).toISOString()));
  }, clock);
  const samples = takeSamples(lanes, surroundings);
  await clock.run();
  return { ledger, lanes, ses, bus, samples, duplicatesPrevented: countDuplicatesPrevented() };
}

function queueAt({ queues }: Surroundings, address: string): SimulatedQueue {
  return known(queues.get(address), address);
}

function isDeadLetterQueue({ deployment }: Surroundings, address: string): boolean {
  return deployment.functions.some(({ deadLetterQueue }) => deadLetterQueue === address);
}

/** Makes each queue report to the ledger the events that it gets. */
function recordArrivals(surroundings: Surroundings): void {
  const { queues, ledger, clock } = surroundings;
  for (const [address, queue] of queues) {
    const parks = isDeadLetterQueue(surroundings, address);
    queue.onArrival = ({ body }) => {
      const eventId = eventIdIn(body);
      if (parks) ledger.parked(eventId, clock.now());
      else ledger.of(eventId).queued += 1;
    };
  }
}

function createSes(account: SesAccount, { clock, random, ledger }: Surroundings): SimulatedSes {
  return new SimulatedSes(
    account,
    clock,
    random,
    (eventId) => {
      ledger.mailed(eventId, clock.now());
    },
    (eventId) => ++ledger.of(eventId).attempts,
  );
}

/** Returns a factory that makes the deployed code of a function once for each of its execution environments. */
function createHandles(ses: SimulatedSes, surroundings: Surroundings) {
  const { deployment, settings, clock, random } = surroundings;
  let duplicatesPrevented = 0;
  // All functions share one table, as in the deployed stack. If their retention ever differed, the shortest would
  // count.
  const claims = settings.createClaimTable(
    clock,
    Math.min(...deployment.functions.map(({ claimRetentionSeconds }) => claimRetentionSeconds)),
    () => sampleLatency(limits.claimStore, random),
  );
  const createHandle = (fn: FunctionDeployment): Handle => {
    const dispatch = createDispatch({
      sendNotification: createSendNotification({
        sendEmail: createSesSender({
          client: ses.client,
          configurationSet: "simulation",
          pacer: new Pacer(fn.sendRates, clock, random),
          clock,
          random,
        }),
        claims,
        clock,
        limit: limitConcurrency(sendsAtOnce(fn.sendRates)),
        log: silent,
        metrics: {
          emailSent: () => undefined,
          duplicatePrevented: () => (duplicatesPrevented += 1),
          keyReused: () => undefined,
          eventFailed: () => undefined,
        },
        templateOf: (id) => ({ name: id, reads: { subject: {}, text: {}, html: {}, hasWords: true } }),
        senders: { default: "notifications@example.com" },
        recipientPolicy: { mode: "unrestricted", reason: "Nobody is mailed." },
        replyTo: [],
      }),
      park: (record) => {
        queueAt(surroundings, fn.deadLetterQueue).send(JSON.stringify(record));
        return Promise.resolve();
      },
      log: silent,
    });
    return (input, run) => dispatch(input, { ...run, functionArn: fn.arn });
  };
  return { createHandle, countDuplicatesPrevented: () => duplicatesPrevented };
}

function createLane(
  fn: FunctionDeployment,
  createHandle: () => Handle,
  report: (event: BusEvent) => void,
  surroundings: Surroundings,
): SimulatedLane {
  const { settings, clock, random, newId } = surroundings;
  const simulated = new SimulatedFunction(clock, fn, createHandle);
  const asynchronous = new AsynchronousInvocations(
    clock,
    simulated,
    { ...fn.asynchronous, ...settings, duplicateRate: settings.duplicateRate.asynchronousQueue },
    random,
    (failure) => {
      report({
        id: newId("failure"),
        source: "lambda",
        "detail-type": "Lambda Function Invocation Result - Failure",
        time: new Date(clock.now()).toISOString(),
        detail: { ...toRecord(fn.arn, failure) },
      });
    },
  );
  const queue = queueAt(surroundings, fn.source.queue);
  const source = new EventSource(clock, queue, simulated, fn.source, random);
  return { address: fn.address, fn: simulated, asynchronous, queue, source };
}

function createBus(lanes: readonly SimulatedLane[], surroundings: Surroundings): Bus {
  const { deployment, settings, clock, random } = surroundings;
  const laneAt = (address: string) =>
    known(
      lanes.find((lane) => lane.address === address),
      address,
    );
  const deliver = (target: TargetDeployment, event: BusEvent) => {
    // Events that go to a log group are not mailed, so they are not followed.
    if (target.kind === "log") return;
    if (target.kind === "function") laneAt(target.address).asynchronous.accept(event);
    else {
      const message = target.inputPath === "$.detail" ? event.detail : event;
      queueAt(surroundings, target.address).send(JSON.stringify(message));
    }
  };
  return new Bus(
    clock,
    deployment.rules,
    { duplicateRate: settings.duplicateRate.bus, targetFailureRate: settings.targetFailureRate },
    random,
    deliver,
    (queue, event) => {
      queueAt(surroundings, queue).send(JSON.stringify(event));
    },
  );
}

/** Takes a sample every minute. @returns the list of samples, which grows while the clock runs. */
function takeSamples(lanes: readonly SimulatedLane[], surroundings: Surroundings): readonly Sample[] {
  const { queues, clock, ledger } = surroundings;
  const samples: Sample[] = [];
  const deadLetterQueues = [...queues]
    .filter(([address]) => isDeadLetterQueue(surroundings, address))
    .map(([, queue]) => queue);
  const sample = () => {
    samples.push({
      at: clock.now(),
      asynchronous: sum(lanes.map((lane) => lane.asynchronous.depth)),
      retrying: sum(lanes.map((lane) => lane.queue.depth)),
      parked: sum(deadLetterQueues.map((queue) => queue.depth)),
      alerts: ledger.waiting("alert" satisfies EventKind),
    });
    if (clock.hasMore) clock.after(sampleEveryMs, sample);
  };
  sample();
  return samples;
}

function createQueues({ queues }: Deployment, clock: VirtualClock): ReadonlyMap<string, SimulatedQueue> {
  const made = new Map<string, SimulatedQueue>();
  // Dead-letter queues have no redrive policy. They are made first, because the others refer to them.
  for (const { address, redrive, ...settings } of [...queues].sort(
    (a, b) => Number(!!a.redrive) - Number(!!b.redrive),
  )) {
    const full = redrive && {
      maxReceiveCount: redrive.maxReceiveCount,
      deadLetters: known(made.get(redrive.deadLetterQueue), redrive.deadLetterQueue),
    };
    made.set(address, new SimulatedQueue(clock, { ...settings, ...(full && { redrive: full }) }));
  }
  return made;
}

function businessEvent(kind: EventKind, id: string, time: string): BusEvent {
  const message = {
    emailConfig: { recipient: `${id}@example.com`, subject: "Simulated" },
    title: "Simulated",
    message: "Nobody reads this.",
  };
  return {
    id,
    source: "custom.application",
    time,
    ...(kind === "bulk"
      ? { "detail-type": "Email Notification Request", detail: message }
      : { "detail-type": "Priority Alert", detail: { ...message, priority: "critical" } }),
  };
}

/** Makes the record that Lambda sends to the on-failure destination; see handler/contract/failure-record.ts. */
function toRecord(functionArn: string, { payload, condition, runs, error }: FailedInvocation): FailureRecord {
  return {
    requestContext: { functionArn: `${functionArn}:$LATEST`, condition, approximateInvokeCount: runs },
    requestPayload: payload,
    ...(error && { responsePayload: { errorType: error.errorType, errorMessage: error.errorMessage } }),
  };
}

/**
 * Id of the business event in a message: the message is the event, a failure record, or an event with such a record.
 */
function eventIdIn(body: string): string {
  const content = JSON.parse(body) as {
    id?: string;
    requestPayload?: { id: string };
    detail?: { requestPayload?: { id: string } };
  };
  return content.requestPayload?.id ?? content.detail?.requestPayload?.id ?? content.id ?? "";
}

function known<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new Error(`The stack refers to ${name}, and the simulation has no such thing.`);
  return value;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
