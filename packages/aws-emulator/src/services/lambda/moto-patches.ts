import {
  type Answer,
  type Call,
  type Interceptor,
  isRecord,
  jsonError,
  jsonOf,
  mapJson,
  type Next,
  ofService,
  recordsIn,
  succeeded,
  textOf,
  withBody,
} from "../../gateway/http";
import { parseFunctionName } from "./function";
import { type Moto } from "../../gateway/moto";
import { statementsOf } from "../../gateway/resource-policy";

const functionsPath = /^\/2015-03-31\/functions\/?$/;
const functionPath = /^\/2015-03-31\/functions\/([^/]+)(?:\/(configuration|code))?\/?$/;
const invokeConfigPath = /^\/2019-09-25\/functions\/([^/]+)\/event-invoke-config\/?$/;
const policyPath = /^\/2015-03-31\/functions\/[^/]+\/policy\/?$/;
const aliasesPath = /^\/2015-03-31\/functions\/[^/]+\/aliases\/?$/;
const mappingsPath = /^\/2015-03-31\/event-source-mappings(?:\/([^/]*))?$/;

export interface LambdaPatches {
  readonly interceptors: Interceptor[];
  /** What a client said of the function and moto does not keep. */
  extras(functionName: string): Readonly<Record<string, unknown>>;
}

/** The answers of moto's Lambda that Terraform would see a change in, and one call that would make moto run functions. */
export function patchLambda(moto: Moto): LambdaPatches {
  const configuration = keepConfiguration();
  return {
    extras: configuration.extras,
    interceptors: [
      refuseSecondMapping(moto),
      refuseSecondStatement(moto),
      refuseSecondAlias,
      configuration.patch,
      replaceInvokeConfig(moto),
      keepMappingsFromMoto(),
    ].map((patch) => ofService("lambda", patch)),
  };
}

function nameIn(expression: RegExp, call: Call): string | undefined {
  const name = expression.exec(call.url.pathname)?.[1];
  return name === undefined ? undefined : parseFunctionName(decodeURIComponent(name)).name;
}

const conflict = (message: string) => jsonError(409, "ResourceConflictException", message);

/** moto: maps a queue to a function as often as it is asked. AWS: once. */
function refuseSecondMapping(moto: Moto) {
  return async (call: Call, next: Next): Promise<Answer> => {
    if (call.method !== "POST" || !mappingsPath.test(call.url.pathname)) return next(call);
    const { EventSourceArn: source, FunctionName: fn } = jsonOf(call);
    const { name } = parseFunctionName(textOf(fn) ?? "");
    const all = await moto.ask("lambda", "GET", "/2015-03-31/event-source-mappings/");
    const { EventSourceMappings: mappings } = succeeded(all) ? jsonOf(all) : {};
    const existing = recordsIn(mappings).find(
      (each) => each.EventSourceArn === source && parseFunctionName(textOf(each.FunctionArn) ?? "").name === name,
    );
    if (existing === undefined) return next(call);
    return conflict(
      `An event source mapping with SQS arn (" ${textOf(source) ?? ""} ") and function (" ${name} ") already exists. Please update or delete the existing mapping with UUID ${textOf(existing.UUID) ?? ""}`,
    );
  };
}

/** moto: adds a statement of the same id to a function's policy, with 200. AWS: refuses it; a new one is 201. */
function refuseSecondStatement(moto: Moto) {
  return async (call: Call, next: Next): Promise<Answer> => {
    if (call.method !== "POST" || !policyPath.test(call.url.pathname)) return next(call);
    const id = textOf(jsonOf(call).StatementId);
    const policy = await moto.ask("lambda", "GET", `${call.url.pathname}${call.url.search}`);
    const { Policy: text } = succeeded(policy) ? jsonOf(policy) : {};
    if (statementsOf(textOf(text))?.some(({ Sid }) => Sid === id)) {
      return conflict(
        `The statement id (${id ?? ""}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
      );
    }
    const answer = await next(call);
    return succeeded(answer) ? { ...answer, status: 201 } : answer;
  };
}

/** moto: a code that Lambda does not have. */
async function refuseSecondAlias(call: Call, next: Next): Promise<Answer> {
  const answer = await next(call);
  if (answer.status !== 409 || !aliasesPath.test(call.url.pathname)) return answer;
  return conflict(textOf(jsonOf(answer).message) ?? "Alias already exists");
}

/**
 * moto: answers without LoggingConfig, DeadLetterConfig and KMSKeyArn, and UpdateFunctionConfiguration leaves
 * TracingConfig and EphemeralStorage (UpdateFunctionCode: Architectures) as they were. AWS: all of them as they were
 * set last.
 */
function keepConfiguration() {
  const always = ["LoggingConfig", "DeadLetterConfig", "KMSKeyArn"];
  const updated = [...always, "TracingConfig", "EphemeralStorage", "Architectures"];
  const kept = new Map<string, Record<string, unknown>>();

  function keep(name: string, body: Readonly<Record<string, unknown>>, fields: readonly string[]): void {
    const said = fields.filter((field) => field in body).map((field): [string, unknown] => [field, body[field]]);
    kept.set(name, { ...kept.get(name), ...Object.fromEntries(said) });
  }

  function complete(configuration: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const name = textOf(configuration.FunctionName) ?? "";
    const { DeadLetterConfig: deadLetters, KMSKeyArn: key, LoggingConfig: logging, ...others } = kept.get(name) ?? {};
    const hasDeadLetters = isRecord(deadLetters) && Boolean(deadLetters.TargetArn);
    return {
      ...configuration,
      ...others,
      LoggingConfig: { LogFormat: "Text", LogGroup: `/aws/lambda/${name}`, ...(isRecord(logging) ? logging : {}) },
      ...(hasDeadLetters ? { DeadLetterConfig: deadLetters } : {}),
      ...(key === undefined || key === "" ? {} : { KMSKeyArn: key }),
    };
  }

  const patch = async (call: Call, next: Next): Promise<Answer> => {
    const isCreate = call.method === "POST" && functionsPath.test(call.url.pathname);
    const name = isCreate ? textOf(jsonOf(call).FunctionName) : nameIn(functionPath, call);
    const answer = await next(call);
    if (name === undefined || !succeeded(answer)) return answer;
    if (isCreate) kept.delete(name);
    if (isCreate) keep(name, jsonOf(call), always);
    else if (call.method === "PUT") keep(name, jsonOf(call), updated);
    else if (call.method === "DELETE") {
      if (!call.url.searchParams.has("Qualifier")) kept.delete(name);
      return answer;
    }
    return mapJson(answer, (body) =>
      isRecord(body.Configuration) ? { ...body, Configuration: complete(body.Configuration) } : complete(body),
    );
  };
  return { patch, extras: (name: string) => kept.get(name) ?? {} };
}

/** moto: PutFunctionEventInvokeConfig adds to a list, and the first is read for ever. AWS: there is one, and it is replaced. */
function replaceInvokeConfig(moto: Moto) {
  return async (call: Call, next: Next): Promise<Answer> => {
    const name = nameIn(invokeConfigPath, call);
    if (name === undefined || (call.method !== "PUT" && call.method !== "POST")) return next(call);
    const path = `/2019-09-25/functions/${encodeURIComponent(name)}/event-invoke-config`;
    const current = await moto.ask("lambda", "GET", path);
    if (succeeded(current)) await moto.ask("lambda", "DELETE", path);
    if (call.method === "PUT") return next(call);
    // UpdateFunctionEventInvokeConfig changes what it names; moto would answer it with a date that no client can read.
    const { FunctionArn: _arn, LastModified: _modified, ...before } = succeeded(current) ? jsonOf(current) : {};
    return next({ ...withBody(call, { ...before, ...jsonOf(call) }), method: "PUT" });
  };
}

/**
 * moto: an enabled event source mapping of a queue makes each SendMessage receive the message and run the function in
 * Docker, so that one of its receives is used up. AWS: Lambda polls the queue; the gateway does that. So moto holds every mapping as disabled, and clients are told its state.
 */
function keepMappingsFromMoto() {
  const disabled = new Set<string>();

  /** Without the tags: moto answers them where AWS does not. */
  function complete({ Tags: _tags, ...mapping }: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const isEnabled = !disabled.has(textOf(mapping.UUID) ?? "");
    return { ...mapping, State: mapping.State === "Deleting" ? "Deleting" : isEnabled ? "Enabled" : "Disabled" };
  }

  return async (call: Call, next: Next): Promise<Answer> => {
    if (!mappingsPath.test(call.url.pathname)) return next(call);
    const isChange = call.method === "POST" || call.method === "PUT";
    const body = isChange ? jsonOf(call) : {};
    const answer = await next(isChange ? withBody(call, { ...body, Enabled: false }) : call);
    if (!succeeded(answer)) return answer;
    // moto: 201 for a new one. AWS: 202, as it takes a while.
    const accepted = answer.status === 201 ? { ...answer, status: 202 } : answer;
    return mapJson(accepted, (given) => {
      const id = textOf(given.UUID) ?? "";
      if (isChange && body.Enabled === false) disabled.add(id);
      if (isChange && (body.Enabled === true || (call.method === "POST" && body.Enabled !== false)))
        disabled.delete(id);
      return Array.isArray(given.EventSourceMappings)
        ? { ...given, EventSourceMappings: given.EventSourceMappings.filter(isRecord).map(complete) }
        : complete(given);
    });
  };
}
