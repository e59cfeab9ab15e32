import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Background } from "./background";
import { answerEvents } from "../services/eventbridge/api";
import { Buses } from "../services/eventbridge/buses";
import { Rules } from "../services/eventbridge/rules";
import { TargetSender } from "../services/eventbridge/target-sender";
import { isSandboxPath, protection, refusalOf } from "./guard";
import {
  type Answer,
  type Call,
  type Interceptor,
  jsonError,
  MalformedRequest,
  type Next,
  ownAuthorization,
  ownKey,
  readBody,
  signatureOf,
  stackOf,
  toCall,
} from "./http";
import { watchQueues } from "./failure-records";
import { Faults, injectFaults, injectIntoSqs, NoAnswer } from "./faults";
import { Journal } from "./journal";
import { AsyncInvocations } from "../services/lambda/async-invocations";
import { EventSources } from "../services/lambda/event-source";
import { checkFunctionNames } from "../services/lambda/function-names";
import { FunctionLog } from "../services/lambda/function-log";
import { answerInvoke } from "../services/lambda/invoke-api";
import { Invoker } from "../services/lambda/invoker";
import { FunctionRegistry } from "../services/lambda/registry";
import { RuntimeApi } from "../services/lambda/runtime-api";
import { patchDynamoDb } from "../services/dynamodb/moto-patches";
import { patchLambda } from "../services/lambda/moto-patches";
import { patchLogs } from "../services/logs/moto-patches";
import { patchS3 } from "../services/s3/moto-patches";
import { patchSes } from "../services/ses/moto-patches";
import { patchSesV2 } from "../services/ses/moto-patches-v2";
import { patchSqs } from "../services/sqs/moto-patches";
import { Moto, MotoUnreachable } from "./moto";
import { ReadCache } from "./read-cache";
import { SandboxApi } from "./sandbox-api";
import { observeSes } from "../services/ses/api";
import { SesFeedback } from "../services/ses/feedback";
import { SuppressionList } from "../services/ses/suppression";

export type { Journal } from "./journal";

export interface GatewayOptions {
  readonly port: number;
  /** The path of the Unix socket that moto listens on. */
  readonly motoSocket: string;
  readonly region: string;
  readonly accountId: string;
  /**
   * How soon a message of a retry queue comes back after its function failed it.
   * @default as AWS does it: when the queue's visibility timeout is over
   */
  readonly retryQueueDelayMs?: number;
  /** Where the functions' packages are unpacked. */
  readonly workDirectory: string;
  /** The waits before the first, second, .. retry of an asynchronous invocation or a delivery: shorter than AWS's. */
  readonly retryDelaysMs: readonly number[];
  /** The inbox page, served under /_sandbox/. */
  readonly assetsDirectory?: string;
  /**
   * Refuse recipients that are no verified identity, as an account in the SES sandbox does.
   * @default false
   */
  readonly rejectUnverifiedRecipients?: boolean;
}

export interface Gateway {
  readonly url: string;
  readonly journal: Journal;
  /** From now on `GET /_sandbox/health` answers 200. */
  markReady(): void;
  close(): Promise<void>;
}

const notEmulated = [
  "IAM: no call is refused for its role's permissions. The policies of functions, queues and rules are checked where EventBridge sends.",
  "Alarms and metric filters are stored and never evaluated; metrics are not recorded.",
  "Data protection policies of log groups are stored, and mask nothing.",
  "Schedules do not fire by the clock: POST /_sandbox/fire/<rule> does it.",
  "SES's sending limits, and bounces of real mailboxes: mail leaves this machine at no point. The mailbox simulator's addresses bounce and complain.",
  "Functions run under this machine's Node.js, architecture and memory, whatever runtime they are configured for.",
  "Published versions and aliases run the newest code.",
];

/** Opens the gateway: AWS clients talk to it, and what moto cannot do, it does itself. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { motoSocket, region, accountId, retryDelaysMs, retryQueueDelayMs } = options;
  const startedAt = new Date().toISOString();
  const journal = new Journal();
  const moto = new Moto(motoSocket, region);
  const faults = new Faults(journal);
  injectIntoSqs(moto.sqs, faults);
  const readCache = new ReadCache(moto);
  const background = new Background((error) => {
    journal.note(`Something failed in the background: ${stackOf(error)}`);
  });

  // Clients keep their connections. One that the gateway closes at the moment of its next use breaks a call, and what is not
  // repeated (a send, an event) would fail for no reason of the system's own. Node's default is 5 s.
  const server = createServer({ keepAliveTimeout: 3_600_000 });
  await listen(server, options.port);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  const url = `http://127.0.0.1:${port}`;

  const runtimeApi = await RuntimeApi.start();
  const invoker = new Invoker(runtimeApi, new FunctionLog(moto, journal), region, url, faults);
  const lambdaPatches = patchLambda(moto);
  const registry = new FunctionRegistry(
    moto,
    options.workDirectory,
    (name) => lambdaPatches.extras(name),
    (name) => {
      invoker.drop(name);
    },
    (name, concurrency) => {
      invoker.limit(name, concurrency);
    },
  );
  // Events go to functions and functions' results to buses, so one of the two is reached late.
  const buses: Buses = new Buses(
    { region, accountId, retryDelaysMs },
    moto,
    new Rules(moto),
    () => sender,
    journal,
    background,
  );
  const asyncInvocations = new AsyncInvocations(
    moto,
    registry,
    invoker,
    journal,
    background,
    buses,
    retryDelaysMs,
    faults,
  );
  const sender = new TargetSender(moto, registry, asyncInvocations, buses);

  const eventSources = new EventSources(moto, registry, invoker, journal, background, region, retryQueueDelayMs);

  const sandboxApi = new SandboxApi({
    journal,
    buses,
    faults,
    background,
    assetsDirectory: options.assetsDirectory,
    info: () => ({
      endpoint: url,
      region,
      accountId,
      retryDelaysMs,
      ...(retryQueueDelayMs === undefined ? {} : { retryQueueDelayMs }),
      notEmulated,
      startedAt,
    }),
  });

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

  // The first sees a call first and its answer last.
  const interceptors: readonly Interceptor[] = [
    injectFaults(faults, invoker),
    checkFunctionNames,
    readCache.intercept,
    watchQueues(moto.sqs, journal, { region, causeOf: (accessKeyId) => invoker.causeOf(accessKeyId) }),
    answerEvents(buses, (accessKeyId) => invoker.roleOf(accessKeyId)),
    answerInvoke(registry, invoker, asyncInvocations),
    observeSes(moto, journal, {
      region,
      rejectUnverifiedRecipients: options.rejectUnverifiedRecipients ?? false,
      causeOf: (accessKeyId) => invoker.causeOf(accessKeyId),
      feedback,
      background,
    }),
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
  const answer: Next = chain(interceptors, moto.forward);

  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    for (const [name, value] of Object.entries(protection)) response.setHeader(name, value);
    const refusal = refusalOf(request, port);
    if (refusal !== undefined) {
      respond(response, jsonError(refusal.status, refusal.code, refusal.message));
      return;
    }
    handle(request, response, { answer, moto, sandboxApi }).catch((error: unknown) => {
      if (error instanceof NoAnswer) {
        if (error.how === "reset") request.socket.resetAndDestroy();
        return;
      }
      respond(response, failure(error));
    });
  });

  return {
    url,
    journal,
    markReady: () => {
      sandboxApi.markReady();
    },
    close: async () => {
      sandboxApi.close();
      const closed = background.close();
      await invoker.close();
      await closed;
      await runtimeApi.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      moto.close();
    },
  };
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

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  gateway: { readonly answer: Next; readonly moto: Moto; readonly sandboxApi: SandboxApi },
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://gateway");
  if (isSandboxPath(url.pathname)) {
    await gateway.sandboxApi.handle(request, response);
    return;
  }
  const { service } = signatureOf(request.headers);
  // An object in S3, or a link to one, which carries its signature in its query: nothing here looks into objects.
  if (service === "" || (service === "s3" && isObjectPath(url.pathname))) {
    await gateway.moto.pipe(request, response);
    return;
  }
  const call: Call = toCall(request, await readBody(request));
  respond(response, await gateway.answer(call));
}

const isObjectPath = (path: string) => /^\/[^/]+\/./.test(path);

function respond(response: ServerResponse, answer: Answer): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(answer.status, { ...answer.headers, "content-length": answer.body.length });
  response.end(answer.body);
}

function failure(error: unknown): Answer {
  // A 500 would be tried again, and show the person who made the mistake the gateway's own code.
  if (error instanceof MalformedRequest) return jsonError(400, error.name, error.message);
  if (error instanceof MotoUnreachable) return jsonError(503, "ServiceUnavailable", error.message);
  return jsonError(500, "InternalFailure", `The sandbox's gateway failed: ${stackOf(error)}`);
}

async function listen(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new Error(
              `Port ${port} of 127.0.0.1 is in use. Stop what listens there, or choose another: SANDBOX_PORT=<n>.`,
              {
                cause: error,
              },
            )
          : error,
      );
    });
    server.listen(port, "127.0.0.1", resolve);
  });
}
