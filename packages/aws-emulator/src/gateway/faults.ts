import { type SQSClient } from "@aws-sdk/client-sqs";
import * as z from "zod";
import { type Answer, type Call, type Interceptor, isQuery, jsonError, queryError, queryOf } from "./http";
import { type Journal } from "./journal";
import { stringify } from "./json-text";

/** Which calls a fault is for. Every field that is given has to fit. */
const matchSchema = z.strictObject({
  /** A recipient's address; `*` stands for any text. */
  recipient: z.string().min(1).optional(),
  /** The event's id, wherever it stands in the call. */
  eventId: z.string().min(1).optional(),
  /** `SendTemplatedEmail`, `UpdateItem`, .. */
  operation: z.string().min(1).optional(),
  /** A text within the call's body. */
  text: z.string().min(1).optional(),
});

const common = {
  match: matchSchema.optional(),
  /** Only each n-th of the calls that match. */
  every: z.int().min(2).optional(),
  probability: z.number().gt(0).lte(1).optional(),
  /** After so many hits the fault is over. */
  times: z.int().min(1).optional(),
};

/** Whether the service does its work before the answer is lost. */
const accepts = z.boolean().default(false);
const throttle = z.strictObject({
  kind: z.literal("throttle"),
  /** Only the calls beyond this rate, by its own count: a rate of AWS's quotas. */
  perSecond: z.number().gt(0).optional(),
  ...common,
});
const calls = [
  throttle,
  z.strictObject({
    kind: z.literal("error"),
    status: z.int().min(400).max(599).default(500),
    code: z.string().min(1).optional(),
    ...common,
  }),
  z.strictObject({ kind: z.literal("timeout"), accepts, ...common }),
  z.strictObject({ kind: z.literal("reset"), accepts, ...common }),
] as const;
const when = z.enum(["before-send", "after-send"]);

/** Each service, with what can go wrong at it. */
const services = {
  ses: z.discriminatedUnion("kind", [
    ...calls,
    z.strictObject({ kind: z.literal("reject"), message: z.string().min(1).optional(), ...common }),
    z.strictObject({ kind: z.literal("bounce"), ...common }),
  ]),
  dynamodb: z.discriminatedUnion("kind", [...calls]),
  sqs: z.discriminatedUnion("kind", [...calls]),
  events: z.discriminatedUnion("kind", [
    ...calls,
    z.strictObject({ kind: z.literal("refuse-destination"), ...common }),
  ]),
  lambda: z.discriminatedUnion("kind", [
    throttle,
    z.strictObject({ kind: z.literal("crash"), when, ...common }),
    z.strictObject({ kind: z.literal("timeout"), when, ...common }),
  ]),
};

export type Service = keyof typeof services;
type FaultOf<S extends Service> = z.output<(typeof services)[S]> & { readonly service: S };
export type Fault = { [S in Service]: FaultOf<S> }[Service];
/** As it is given: without the defaults. */
export type FaultInput = { [S in Service]: z.input<(typeof services)[S]> & { readonly service: S } }[Service];

/** What a call says of itself, to be matched. */
export interface Subject {
  readonly operation?: string;
  readonly text: string;
  /** @default the addresses in `text` */
  readonly recipients?: readonly string[];
  /** Set for a call that only a fault which names its operation may meet. */
  readonly isMetByNameOnly?: boolean;
}

interface Armed {
  readonly fault: Fault;
  /** Calls that fitted. */
  matches: number;
  /** Calls that the fault was applied to. */
  hits: number;
  /** The calls that a rate lets through by now, and the time of that count in milliseconds. */
  allowed: number;
  countedAt: number;
}

export class InvalidFaults extends Error {
  override readonly name = "InvalidFaults";
}

/** The client gets no answer: it waits for one, or its connection breaks. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";

  constructor(readonly how: "hang" | "reset") {
    super(`By an injected fault the client gets no answer (${how}).`);
  }
}

/** What shall go wrong, and how often it did. */
export class Faults {
  private armed: Armed[] = [];

  /** @param now a clock in milliseconds that never goes back, for the rates. */
  constructor(
    private readonly journal: Pick<Journal, "changed">,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get list(): readonly (Fault & { readonly hits: number })[] {
    return this.armed.map(({ fault, hits }) => ({ ...fault, hits }));
  }

  /** Takes the place of what was set before. @throws InvalidFaults that names every problem */
  set(given: unknown): void {
    this.armed = parseFaults(given).map((fault) => ({
      ...{ fault, matches: 0, hits: 0 },
      ...{ allowed: largestBurst(fault), countedAt: this.now() },
    }));
    this.journal.changed();
  }

  /** The fault that a call meets, if any: the first that fits. It counts as used. */
  take<S extends Service, Kind extends FaultOf<S>["kind"]>(
    service: S,
    kinds: readonly Kind[],
    subject: () => Subject,
  ): Extract<FaultOf<S>, { kind: Kind }> | undefined {
    for (const armed of this.armed) {
      const { fault } = armed;
      if (fault.service !== service || !(kinds as readonly string[]).includes(fault.kind)) continue;
      if (armed.hits >= (fault.times ?? Infinity) || !fits(fault.match, subject())) continue;
      armed.matches += 1;
      if (fault.every !== undefined && armed.matches % fault.every !== 0) continue;
      if (fault.probability !== undefined && Math.random() >= fault.probability) continue;
      if (this.isWithinRate(armed)) continue;
      armed.hits += 1;
      this.journal.changed();
      return fault as Extract<FaultOf<S>, { kind: Kind }>;
    }
    return undefined;
  }

  /** Whether the rate of the fault lets a call through. The call then counts. */
  private isWithinRate(armed: Armed): boolean {
    const rate = rateOf(armed.fault);
    if (rate === undefined) return false;
    const now = this.now();
    armed.allowed = Math.min(largestBurst(armed.fault), armed.allowed + ((now - armed.countedAt) / 1000) * rate);
    armed.countedAt = now;
    if (armed.allowed < 1) return false;
    armed.allowed -= 1;
    return true;
  }
}

const rateOf = (fault: Fault) => ("perSecond" in fault ? fault.perSecond : undefined);

/** A second's calls may come all at once. */
const largestBurst = (fault: Fault) => Math.max(1, rateOf(fault) ?? 0);

/** An address. It begins where a word begins, so that a long word is tried once and not at each of its characters. */
const address = /(?<![^\s"'<>,;:\\])[^\s"'<>,;:\\@]+@[^\s"'<>,;:\\]+/g;

function fits(match: Fault["match"], subject: Subject): boolean {
  if (subject.isMetByNameOnly === true && match?.operation === undefined) return false;
  if (match === undefined) return true;
  const { recipient, eventId, operation, text } = match;
  const recipients = () => subject.recipients ?? subject.text.match(address) ?? [];
  return (
    (operation === undefined || operation === subject.operation) &&
    (text === undefined || subject.text.includes(text)) &&
    (eventId === undefined || subject.text.includes(eventId)) &&
    (recipient === undefined || recipients().some((address) => isLike(recipient, address)))
  );
}

function isLike(pattern: string, text: string): boolean {
  const source = pattern.split("*").map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${source.join(".*")}$`, "i").test(text);
}

function parseFaults(given: unknown): Fault[] {
  if (!Array.isArray(given)) throw new InvalidFaults("The body has to be a JSON array of faults; [] clears them.");
  const problems: string[] = [];
  const faults = given.flatMap((entry: unknown, index): Fault[] => {
    const { service, ...fault } = typeof entry === "object" && entry !== null ? (entry as Record<string, unknown>) : {};
    if (typeof service !== "string" || !Object.hasOwn(services, service)) {
      problems.push(`[${index}].service: ${said(service)}; use one of ${Object.keys(services).join(", ")}`);
      return [];
    }
    const schema = services[service as Service];
    const parsed = schema.safeParse(fault);
    if (parsed.success) return [{ service, ...parsed.data } as Fault];
    for (const { path, message } of parsed.error.issues) {
      const kinds = schema.options.map((option) => option.shape.kind.value).join(", ");
      const isKind = path.length === 1 && path[0] === "kind";
      problems.push(
        `${[`[${index}]`, ...path].join(".")}: ${isKind ? `${said(fault.kind)}; "${service}" knows ${kinds}` : message}`,
      );
    }
    return [];
  });
  if (problems.length > 0) throw new InvalidFaults(problems.join("\n"));
  return faults;
}

const said = (value: unknown) => (value === undefined ? "is missing" : `is ${stringify(value)}`);

interface FunctionProcesses {
  /** @returns whether the access key is that of a function that runs here; it is then ended or stopped. */
  kill(accessKeyId: string): boolean;
  freeze(accessKeyId: string): boolean;
}

const servicesByName: Readonly<Record<string, "ses" | "dynamodb" | "sqs" | "events">> = {
  ses: "ses",
  dynamodb: "dynamodb",
  sqs: "sqs",
  events: "events",
};

export interface InjectionDependencies {
  readonly faults: Faults;
  readonly functions: FunctionProcesses;
  /** Whom a call of SES mails; `undefined`: it sends nothing. */
  readonly recipientsOf: (call: Call) => Promise<readonly string[] | undefined>;
}

/** Makes the calls of AWS clients fail as the faults say. It stands at the top of the gateway's interceptors. */
export function injectFaults({ faults, functions, recipientsOf }: InjectionDependencies): Interceptor {
  return async (call, next) => {
    const service = servicesByName[call.service];
    if (service === undefined || faults.list.length === 0) return next(call);
    const recipients = service === "ses" ? await recipientsOf(call) : undefined;
    // Terraform makes SES's other calls. A fault meets one only where it names the operation; calls of SES v2 have no name.
    const isMetByNameOnly = service === "ses" && recipients === undefined;
    if (isMetByNameOnly && call.operation === "") return next(call);
    const subject = () => ({ ...subjectOf(call, recipients), isMetByNameOnly });
    if (service === "ses") {
      const fault = faults.take("lambda", ["crash", "timeout"], subject);
      if (fault !== undefined) {
        if (fault.when === "after-send") await next(call);
        if (fault.kind === "crash") functions.kill(call.accessKeyId);
        else functions.freeze(call.accessKeyId);
        throw new NoAnswer(fault.kind === "crash" ? "reset" : "hang");
      }
      const rejection = faults.take("ses", ["reject"], subject);
      if (rejection !== undefined) {
        return errorAnswer(call, 400, "MessageRejected", rejection.message ?? "The message was rejected by a fault.");
      }
    }
    const fault = faults.take(service, ["throttle", "error", "timeout", "reset"], subject);
    switch (fault?.kind) {
      case undefined:
        return next(call);
      case "throttle":
        return throttled(service, call);
      case "error":
        return errorAnswer(
          call,
          fault.status,
          fault.code ?? (fault.status >= 500 ? "InternalFailure" : "ValidationError"),
          "This error was injected as a fault.",
        );
      case "timeout":
      case "reset":
        if (fault.accepts) await next(call);
        throw new NoAnswer(fault.kind === "timeout" ? "hang" : "reset");
    }
  };
}

/** Where the gateway itself is SQS's client: EventBridge's targets, Lambda's destinations and its pollers. */
export function injectIntoSqs(client: SQSClient, faults: Faults): void {
  const affected = ["SendMessage", "ReceiveMessage", "DeleteMessageBatch"];
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const operation = (context as { commandName?: string }).commandName?.replace(/Command$/, "") ?? "";
      if (affected.includes(operation)) {
        const kinds = ["throttle", "error", "timeout", "reset"] as const;
        const fault = faults.take("sqs", kinds, () => ({ operation, text: JSON.stringify(args.input) }));
        const isLost = fault !== undefined && "accepts" in fault && fault.accepts;
        if (isLost) await next(args);
        if (fault !== undefined) throw new Error(`SQS failed by an injected fault (${fault.kind}).`);
      }
      return next(args);
    },
    { step: "initialize", name: "faults" },
  );
}

/** What a call says of itself. SES v2 names its calls by their path, and SendEmail is the one that faults are for. */
export function subjectOf(call: Call, recipients?: readonly string[]): Subject & { readonly operation: string } {
  return {
    operation: call.operation === "" ? "SendEmail" : call.operation,
    text: textOfBody(call),
    ...(recipients === undefined ? {} : { recipients }),
  };
}

/** The text that a fault is matched against. The fields of a Query body are decoded first. */
function textOfBody(call: Call): string {
  return isQuery(call) ? [...queryOf(call).values()].join("\n") : call.body.toString("utf8");
}

function errorAnswer(call: Call, status: number, code: string, message: string): Answer {
  return isQuery(call) ? queryError(status, code, message) : jsonError(status, code, message);
}

function throttled(service: "ses" | "dynamodb" | "sqs" | "events", call: Call): Answer {
  switch (service) {
    case "ses": {
      const message =
        call.operation === "" || call.operation.startsWith("Send") ? "Maximum sending rate exceeded." : "Rate exceeded";
      return isQuery(call)
        ? queryError(400, "Throttling", message)
        : jsonError(429, "TooManyRequestsException", message);
    }
    case "dynamodb":
      return jsonError(
        400,
        "com.amazonaws.dynamodb.v20120810#ThrottlingException",
        "Throughput exceeds the current capacity of your table or index.",
      );
    case "sqs":
      return jsonError(400, "com.amazonaws.sqs#RequestThrottled", "The request was denied due to request throttling.");
    case "events":
      return jsonError(400, "ThrottlingException", "Rate exceeded");
  }
}
