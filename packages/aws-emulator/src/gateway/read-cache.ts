import { type Answer, type Call, type Interceptor, ownKey, succeeded } from "./http";
import { type Moto } from "./moto";

/** What the gateway reads of the deployed system for each event, by the client that asks. */
const cached = {
  events: ["ListRules", "ListTargetsByRule"],
  lambda: ["GetFunctionConfiguration", "GetFunctionEventInvokeConfig", "GetPolicy"],
  logs: ["DescribeResourcePolicies"],
  ses: ["DescribeConfigurationSet", "GetTemplate", "ListIdentities"],
  // The gateway asks for policies and settings only, never for a queue's counts.
  sqs: ["GetQueueAttributes"],
} as const;
type Service = keyof typeof cached;

/** Operations that happen all the time and change nothing that is kept here. */
const traffic = new Set([
  ...["PutEvents", "TestEventPattern", "Invoke", "SendEmail", "SendTemplatedEmail", "SendRawEmail"],
  ...["SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch"],
  ...["ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "CreateLogStream", "PutLogEvents"],
]);
/** Services that change resources of other services inside moto, where the gateway sees no call. */
const acrossServices = new Set(["cloudformation"]);
const isRead = (operation: string) => /^(?:Get|List|Describe|Filter)/.test(operation);

/**
 * Keeps what the gateway reads of the deployed system (rules, functions, policies, templates) until a call changes it. All
 * clients come through the gateway, so it sees each change. moto answers a few hundred requests a second: with a dozen of
 * them for each event, it would be what every event waits for.
 */
export class ReadCache {
  private readonly answers = new Map<string, Map<string, Promise<unknown>>>();

  constructor(moto: Moto) {
    for (const service of Object.keys(cached) as Service[]) this.attach(moto, service);
  }

  /** To stand before all interceptors that change something. */
  readonly intercept: Interceptor = async (call, next) => {
    // The gateway's own reads of a REST API: see ownCall in index.ts.
    if (call.accessKeyId === ownKey && call.method === "GET") {
      const path = `${call.url.pathname}${call.url.search}`;
      return (await this.once(call.service, path, () => next(call), isWorthKeeping)) as Answer;
    }
    try {
      return await next(call);
    } finally {
      // This is done after the change, because a value that was read meanwhile may be old.
      if (changes(call)) this.forget(call.service);
    }
  };

  private attach(moto: Moto, service: Service): void {
    // The types of the clients differ in their commands only, and a middleware does not depend on those.
    const { middlewareStack } = moto[service] as Pick<Moto["lambda"], "middlewareStack">;
    middlewareStack.add(
      (next, context) => async (args) => {
        const operation = (context as { commandName?: string }).commandName?.replace(/Command$/, "") ?? "";
        if (!(cached[service] as readonly string[]).includes(operation)) {
          const result = await next(args);
          if (!isRead(operation) && !traffic.has(operation)) this.forget(service);
          return result;
        }
        const key = `${operation} ${JSON.stringify(args.input)}`;
        return (await this.once(
          service,
          key,
          () => next(args),
          () => true,
        )) as Awaited<ReturnType<typeof next>>;
      },
      { step: "initialize", name: "readCache" },
    );
  }

  private forget(service: string): void {
    if (acrossServices.has(service)) for (const answers of this.answers.values()) answers.clear();
    else this.answers.get(service)?.clear();
  }

  /** Asks once for all who ask at the same time. A failed answer is not kept. */
  private once(
    service: string,
    key: string,
    ask: () => Promise<unknown>,
    isKept: (answer: never) => boolean,
  ): Promise<unknown> {
    const answers = this.answers.get(service) ?? new Map<string, Promise<unknown>>();
    this.answers.set(service, answers);
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = ask();
    answers.set(key, answer);
    const forget = () => {
      if (answers.get(key) === answer) answers.delete(key);
    };
    answer.then(
      (value) => {
        if (!isKept(value as never)) forget();
      },
      (error: unknown) => {
        if (!isNotFound(error)) forget();
      },
    );
    return answer;
  }
}

const isWorthKeeping = (answer: Answer) => succeeded(answer);

/** Whether the error says that there is none, which is kept like an answer: a function need not have a policy. */
function isNotFound(error: unknown): boolean {
  const { $metadata: metadata } = (error ?? {}) as { $metadata?: { httpStatusCode?: number } };
  const status = metadata?.httpStatusCode ?? 500;
  return status >= 400 && status < 500;
}

const trafficPath = /^\/2015-03-31\/functions\/[^/]+\/invocations\/?$|^\/v2\/email\/outbound-emails$/;

function changes(call: Call): boolean {
  if (call.operation !== "") return !isRead(call.operation) && !traffic.has(call.operation);
  // In a REST protocol the method tells. Invoking a function and sending a mail are POSTs that change nothing here.
  // A statement, a set or a function may be called "invocations" or "outbound-emails": its end does not tell a path.
  const isTraffic = call.method === "POST" && trafficPath.test(call.url.pathname);
  return !["GET", "HEAD"].includes(call.method) && !isTraffic;
}
