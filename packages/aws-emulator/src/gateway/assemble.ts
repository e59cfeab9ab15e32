import { patchDynamoDb } from "../services/dynamodb/moto-patches";
import { answerEvents } from "../services/eventbridge/api";
import { Buses } from "../services/eventbridge/buses";
import { Rules } from "../services/eventbridge/rules";
import { TargetSender } from "../services/eventbridge/target-sender";
import { AsyncInvocations } from "../services/lambda/async-invocations";
import { EventSources } from "../services/lambda/event-source";
import { FunctionLog } from "../services/lambda/function-log";
import { checkFunctionNames } from "../services/lambda/function-names";
import { answerInvoke } from "../services/lambda/invoke-api";
import { Invoker } from "../services/lambda/invoker";
import { patchLambda } from "../services/lambda/moto-patches";
import { FunctionRegistry } from "../services/lambda/registry";
import { RuntimeApi } from "../services/lambda/runtime-api";
import { patchLogs } from "../services/logs/moto-patches";
import { patchS3 } from "../services/s3/moto-patches";
import { observeSes } from "../services/ses/api";
import { SesFeedback } from "../services/ses/feedback";
import { patchSes } from "../services/ses/moto-patches";
import { patchSesV2 } from "../services/ses/moto-patches-v2";
import { recipientsOf } from "../services/ses/sent-mail";
import { SuppressionList } from "../services/ses/suppression";
import { patchSqs } from "../services/sqs/moto-patches";
import { type ExampleEvent } from "../wire";
import { Background } from "./background";
import { retentionOf, watchQueues } from "./failure-records";
import { Faults, injectFaults, injectIntoSqs } from "./faults";
import { type Call, type Interceptor, type Next, ownAuthorization, ownKey, stackOf } from "./http";
import { type GatewayOptions } from "./index";
import { Journal } from "./journal";
import { Moto } from "./moto";
import { ReadCache } from "./read-cache";
import { SandboxApi } from "./sandbox-api";
import { type Backends } from "./server";

const anyEvent: ExampleEvent = { source: "my.application", detailType: "Something Happened", detail: {} };

const notEmulated = [
  "IAM: no call is refused for its role's permissions. The policies of functions, queues and rules are checked where EventBridge sends.",
  "Alarms and metric filters are stored and never evaluated; metrics are not recorded.",
  "Data protection policies of log groups are stored, and mask nothing.",
  "Schedules do not fire by the clock: POST /_sandbox/fire/<rule> does it.",
  "SES's sending limits, and bounces of real mailboxes: mail leaves this machine at no point. The mailbox simulator's addresses bounce and complain.",
  "Functions run under this machine's Node.js, architecture and memory, whatever runtime they are configured for.",
  "Published versions and aliases run the newest code.",
];

type AssemblyOptions = GatewayOptions & {
  /** Where the gateway listens. */
  readonly url: string;
};

/** What every part of the emulator stands on. */
interface Foundation {
  readonly options: AssemblyOptions;
  readonly journal: Journal;
  readonly moto: Moto;
  readonly faults: Faults;
  readonly background: Background;
}

export interface Assembly extends Backends {
  readonly journal: Journal;
  /** Ends what goes on by itself. moto can still be asked. */
  stop(): Promise<void>;
}

/** Puts the emulator together. */
export async function assemble(options: AssemblyOptions): Promise<Assembly> {
  const foundation = lay(options);
  const { journal, moto, background } = foundation;
  const runtimeApi = await RuntimeApi.start();
  const services = servicesOn(foundation, runtimeApi);
  const answer: Next = chain(
    interceptorsOf(foundation, services, (call) => answer(call)),
    moto.forward,
  );
  const sandboxApi = sandboxApiOf(foundation, services);
  return {
    answer,
    moto,
    journal,
    sandboxApi,
    stop: async () => {
      sandboxApi.close();
      const closed = background.close();
      await services.invoker.close();
      await closed;
      await runtimeApi.close();
    },
  };
}

function lay(options: AssemblyOptions): Foundation {
  const journal = new Journal();
  const moto = new Moto(options.motoSocket, options.region);
  const faults = new Faults(journal);
  injectIntoSqs(moto.sqs, faults);
  const background = new Background((error) => {
    journal.note(`Something failed in the background: ${stackOf(error)}`);
  });
  return { options, journal, moto, faults, background };
}

type Services = ReturnType<typeof servicesOn>;

/** What moto lacks: functions that run, buses that deliver, pollers of queues. */
function servicesOn(foundation: Foundation, runtimeApi: RuntimeApi) {
  const { journal, moto, faults, background } = foundation;
  const { region, accountId, retryDelaysMs, retryQueueDelayMs, url, workDirectory } = foundation.options;
  const invoker = new Invoker({ api: runtimeApi, log: new FunctionLog(moto, journal), region, endpoint: url, faults });
  const lambdaPatches = patchLambda(moto);
  const registry = new FunctionRegistry({
    moto,
    workDirectory,
    extras: (name) => lambdaPatches.extras(name),
    onChange: (name) => {
      invoker.drop(name);
    },
    onConcurrency: (name, concurrency) => {
      invoker.limit(name, concurrency);
    },
  });
  // Events go to functions and functions' results to buses, so one of the two is reached late.
  const buses: Buses = new Buses({
    region,
    accountId,
    retryDelaysMs,
    moto,
    rules: new Rules(moto),
    sender: () => sender,
    journal,
    background,
  });
  const asyncInvocations = new AsyncInvocations({
    moto,
    registry,
    invoker,
    journal,
    background,
    buses,
    retryDelaysMs,
    faults,
  });
  const sender = new TargetSender({ moto, registry, asyncInvocations, buses });
  const eventSources = new EventSources({ moto, registry, invoker, journal, background, region, retryQueueDelayMs });
  return { invoker, lambdaPatches, registry, buses, asyncInvocations, eventSources };
}

/** @param answer asks as a client does, through all of the interceptors */
function interceptorsOf(
  { options, journal, moto, faults, background }: Foundation,
  { invoker, lambdaPatches, registry, buses, asyncInvocations, eventSources }: Services,
  answer: Next,
): readonly Interceptor[] {
  const { region, accountId, rejectUnverifiedRecipients = false } = options;
  const suppression = new SuppressionList();
  const feedback = new SesFeedback({
    region,
    accountId,
    ask: (path) => answer(ownCall("ses", region, path)),
    publish: (event) => {
      buses.publish("default", buses.envelope(event));
    },
    suppression,
    faults,
  });
  const originOf = (accessKeyId: string) => invoker.originOf(accessKeyId);
  // The first sees a call first and its answer last.
  return [
    injectFaults({ faults, functions: invoker, recipientsOf }),
    checkFunctionNames,
    new ReadCache(moto).intercept,
    watchQueues(moto.sqs, journal, { region, originOf }),
    answerEvents(buses, (accessKeyId) => invoker.roleOf(accessKeyId)),
    answerInvoke(registry, invoker, asyncInvocations),
    observeSes(moto, journal, { region, rejectUnverifiedRecipients, originOf, feedback, background }),
    suppression.intercept,
    registry.intercept,
    eventSources.intercept,
    ...lambdaPatches.interceptors,
    patchDynamoDb(),
    patchLogs(),
    patchS3(),
    patchSes,
    ...patchSesV2(moto, { region, accountId }),
    ...patchSqs(moto),
  ];
}

function sandboxApiOf({ options, journal, moto, faults, background }: Foundation, { buses }: Services): SandboxApi {
  const { url, region, accountId, retryDelaysMs, retryQueueDelayMs, assetsDirectory } = options;
  const { failureActions, sendCommand, exampleEvent = anyEvent, pages = [] } = options;
  const startedAt = new Date().toISOString();
  return new SandboxApi({
    journal,
    buses,
    faults,
    background,
    assetsDirectory,
    pages,
    info: () => ({
      endpoint: url,
      region,
      accountId,
      retryDelaysMs,
      ...(retryQueueDelayMs === undefined ? {} : { retryQueueDelayMs }),
      notEmulated,
      startedAt,
      canRedrive: failureActions !== undefined,
      ...(failureActions?.listCommand === undefined ? {} : { listCommand: failureActions.listCommand }),
      ...(sendCommand === undefined ? {} : { sendCommand }),
      exampleEvent,
      ...(pages.length === 0 ? {} : { pages: pages.map(({ name, title }) => ({ name, title })) }),
    }),
    failureActions,
    retentionOf: (queueArn) => retentionOf(moto, queueArn),
  });
}

/** A GET that the gateway makes itself and that passes the interceptors, as a client's does. */
function ownCall(service: string, region: string, path: string): Call {
  const headers = {
    host: `${service}.${region}.amazonaws.com`,
    authorization: ownAuthorization(service, region),
  };
  const url = new URL(path, "http://gateway");
  return { method: "GET", url, headers, service, operation: "", accessKeyId: ownKey, body: Buffer.alloc(0) };
}

function chain(interceptors: readonly Interceptor[], last: Next): Next {
  return interceptors.reduceRight<Next>((next, interceptor) => (call) => interceptor(call, next), last);
}
