import { isRecord } from "../../src/gateway/http";
import { type Member, type Model, modelOf, type Operation, type Shape } from "./aws-models";
import { type Exchange } from "./exchanges";

/** Errors that any operation can answer, which no model lists. */
const commonErrors = [
  "AccessDenied AccessDeniedException ExpiredToken IncompleteSignature InternalFailure InvalidParameterValue",
  "InvalidSignatureException MissingParameter SerializationException ServiceUnavailable Throttling",
  "ThrottlingException UnrecognizedClientException ValidationError ValidationException",
].flatMap((names) => names.split(" "));

/** The codes that SQS's errors have in its Query protocol; its model names them as JSON does. */
const queryCodes: Readonly<Record<string, string>> = {
  "AWS.SimpleQueueService.NonExistentQueue": "QueueDoesNotExist",
  QueueAlreadyExists: "QueueNameExists",
};

/**
 * moto's answer for a log group without tags, which no patch is about. The model's map wants one at least, as it is that of
 * the tags to put as well.
 */
const notOurs = ["logs ListTagsForResource, answer: tags has 0, and at least 1 are needed"];

/** What AWS's model of the service says against the exchange. */
export function violationsOf(exchange: Exchange): string[] {
  const model = modelOf(serviceOf(exchange));
  const operation = operationOf(model, exchange);
  if (operation === undefined) {
    const isRefused = exchange.status >= 400;
    return isRefused ? [] : [`${exchange.service}: no operation for ${exchange.method} ${pathOf(exchange)}`];
  }
  const say = (what: string, problems: readonly string[]) =>
    problems.map((problem) => `${exchange.service} ${operation.name}, ${what}: ${problem}`);
  if (exchange.status >= 400) return say("error", errorProblems(model, operation, exchange));
  const body = parsed(exchange.answer);
  const isRefusedInPart = isRecord(body) && typeof body.FailedEntryCount === "number" && body.FailedEntryCount > 0;
  return [
    // A request that the model does not fit is refused by AWS.
    ...(isRefusedInPart ? [] : say("request that was not refused", requestProblems(model, operation, exchange))),
    ...say("answer", answerProblems(model, operation, exchange)).filter((problem) => !notOurs.includes(problem)),
  ];
}

const pathOf = ({ path }: Exchange) => new URL(path, "http://gateway").pathname;

function serviceOf({ service, path }: Exchange): string {
  return service === "ses" && path.startsWith("/v2/") ? "sesv2" : service;
}

/** SQS's model is that of its JSON protocol. Its Query protocol has the same operations, and names no target. */
const isQuery = ({ metadata: { protocol } }: Model, { service, target }: Exchange) =>
  protocol === "query" || (service === "sqs" && target === "");

function operationOf(model: Model, exchange: Exchange): Operation | undefined {
  if (isQuery(model, exchange)) return model.operations[formOf(exchange).get("Action") ?? ""];
  if (model.metadata.protocol === "json") return model.operations[exchange.target.split(".")[1] ?? ""];
  return Object.values(model.operations)
    .filter(({ http }) => http.method === exchange.method && uriOf(http.requestUri).test(pathOf(exchange)))
    .sort((one, other) => literalsIn(other) - literalsIn(one))[0];
}

const literalsIn = ({ http }: Operation) => http.requestUri.replace(/\{[^}]+\}/g, "").length;

function uriOf(template: string): RegExp {
  const path = template.replace(/\?.*$/, "").replace(/\/$/, "");
  return new RegExp(`^${path.replace(/\{([^}+]+)\+?\}/g, (_, name: string) => `(?<${name}>[^/]+)`)}/?$`);
}

const formOf = ({ body }: Exchange) => new URLSearchParams(body.toString("utf8"));

function requestProblems(model: Model, operation: Operation, exchange: Exchange): string[] {
  if (operation.input === undefined) return [];
  return shapeProblems(model, operation.input, requestOf(model, operation, exchange), "");
}

function requestOf(model: Model, operation: Operation, exchange: Exchange): unknown {
  const { input } = operation;
  const shape = input === undefined ? undefined : model.shapes[input.shape];
  if (isQuery(model, exchange)) {
    const form = formOf(exchange);
    // A queue's URL can be where the call goes, in place of a parameter.
    if (exchange.service === "sqs" && pathOf(exchange) !== "/") form.set("QueueUrl", pathOf(exchange));
    return fromForm(model, input, form, "");
  }
  if (model.metadata.protocol === "json") return parsed(exchange.body);
  const url = new URL(exchange.path, "http://gateway");
  const groups = uriOf(operation.http.requestUri).exec(url.pathname)?.groups ?? {};
  const value: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(shape?.members ?? {})) {
    const key = member.locationName ?? name;
    if (member.location === "uri") value[name] = decodeURIComponent(groups[key] ?? "");
    if (member.location === "querystring" && url.searchParams.has(key)) {
      value[name] = ofText(model, member, url.searchParams.get(key) ?? "");
    }
  }
  if (shape?.payload !== undefined) return value;
  const body = parsed(exchange.body);
  return isRecord(body) ? { ...value, ...body } : value;
}

/** A text in the place of a number or boolean. */
function ofText(model: Model, member: Member, text: string): unknown {
  const { type } = model.shapes[member.shape] ?? { type: "string" };
  if (type === "boolean") return text === "true";
  return ["integer", "long", "double", "float"].includes(type) ? Number(text) : text;
}

/** In SQS's Query protocol a list or map has no element of its own: `Attributes` is `Attribute`, again and again. */
const flatName = (model: Model, name: string, { shape }: Member) =>
  model.shapes[shape]?.flattened === true
    ? `${name.charAt(0).toUpperCase()}${name.slice(1).replace(/s$/, "")}`
    : undefined;

/** What a list or map is with one more: of a map, each has a `Name` (a tag: a `Key`) and a `Value`. */
const withOne = (shape: Shape | undefined, before: unknown, { Name: name, Key: key = name, Value: value }: Entry) =>
  shape?.type === "map"
    ? { ...(isRecord(before) ? before : {}), [String(key)]: value }
    : [...(Array.isArray(before) ? (before as unknown[]) : []), value];
type Entry = Readonly<Record<string, unknown>>;

/** `Attribute.1.Name=a&Attribute.1.Value=b`, or `AttributeName.1=a`; the number can be left out where there is one. */
function fromFlatForm(shape: Shape | undefined, form: URLSearchParams, name: string): unknown {
  const entries = new Map<string, Entry>();
  for (const [key, value] of form) {
    const [, number = "1", field = "Value"] =
      new RegExp(`^${name}(?:\\.(\\d+))?(?:\\.(Name|Key|Value))?$`).exec(key) ?? [];
    if (key === name || key.startsWith(`${name}.`)) entries.set(number, { ...entries.get(number), [field]: value });
  }
  return [...entries.values()].reduce<unknown>((all, entry) => withOne(shape, all, entry), undefined);
}

/** The Query protocol: `Destination.ToAddresses.member.1`. */
function fromForm(model: Model, member: Member | undefined, form: URLSearchParams, prefix: string): unknown {
  const shape = member === undefined ? undefined : model.shapes[member.shape];
  const keys = [...form.keys()];
  if (shape?.type === "structure") {
    const entries = Object.entries(shape.members ?? {}).flatMap(([name, each]) => {
      const flat = flatName(model, name, each);
      const path = flat ?? (prefix === "" ? name : `${prefix}.${name}`);
      const isThere = keys.some((key) => key === path || key.startsWith(`${path}.`));
      if (!isThere) return [];
      const value =
        flat === undefined ? fromForm(model, each, form, path) : fromFlatForm(model.shapes[each.shape], form, flat);
      return [[name, value] as const];
    });
    return Object.fromEntries(entries);
  }
  if (shape?.type === "list") {
    const values: unknown[] = [];
    for (
      let index = 1;
      keys.some((key) => key === `${prefix}.member.${index}` || key.startsWith(`${prefix}.member.${index}.`));
      index += 1
    ) {
      values.push(fromForm(model, shape.member, form, `${prefix}.member.${index}`));
    }
    return values;
  }
  const text = form.get(prefix) ?? "";
  return member === undefined ? text : ofText(model, member, text);
}

function answerProblems(model: Model, operation: Operation, exchange: Exchange): string[] {
  const { responseCode: code = 200 } = operation.http;
  const { output } = operation;
  const shape = output === undefined ? undefined : model.shapes[output.shape];
  // Invoke's status depends on how it is called; the model says so by a member for it.
  const isOwnStatus = Object.values(shape?.members ?? {}).some(({ location }) => location === "statusCode");
  const status = isOwnStatus || exchange.status === code ? [] : [`status ${exchange.status}, where AWS has ${code}`];
  if (output === undefined || shape?.payload !== undefined) return status;
  if (isQuery(model, exchange)) {
    return [...status, ...queryAnswerProblems(model, operation, output, exchange)];
  }
  const headers = Object.entries(shape?.members ?? {})
    .filter(([, member]) => member.location === "header" && member.locationName !== undefined)
    .map(([name, member]) => [name, exchange.headers[(member.locationName ?? "").toLowerCase()]] as const)
    .filter(([, value]) => value !== undefined);
  const body = exchange.answer.length === 0 ? {} : parsed(exchange.answer);
  if (!isRecord(body)) return [...status, "is no JSON object"];
  return [...status, ...shapeProblems(model, output, { ...body, ...Object.fromEntries(headers) }, "")];
}

function queryAnswerProblems(
  model: Model,
  { name, output: { resultWrapper = `${name}Result` } = { shape: "" } }: Operation,
  output: Member,
  { answer }: Exchange,
): string[] {
  const response = elementsOf(answer.toString("utf8")).find(([tag]) => tag === `${name}Response`);
  if (response === undefined) return [`has no ${name}Response`];
  const result = elementsOf(response[1]).find(([tag]) => tag === resultWrapper);
  return result === undefined
    ? [`has no ${resultWrapper}`]
    : shapeProblems(model, output, fromXml(model, output, result[1]), "");
}

/** The elements at the top of a piece of XML, which has no attributes that matter and no element inside one of its name. */
function elementsOf(xml: string): [name: string, content: string][] {
  return [...xml.matchAll(/<(\w+)(?:\s[^>]*)?(?:\/>|>([^]*?)<\/\1>)/g)].map(([, name = "", content = ""]) => [
    name,
    content,
  ]);
}

function fromXml(model: Model, member: Member, xml: string): unknown {
  const shape = model.shapes[member.shape];
  if (shape?.type === "structure") {
    const members = Object.entries(shape.members ?? {});
    const value: Record<string, unknown> = {};
    for (const [tag, content] of elementsOf(xml)) {
      const flat = members.find(([name, each]) => flatName(model, name, each) === tag);
      const [, own] = members.find(([name]) => name === tag) ?? [];
      if (flat === undefined) value[tag] = own === undefined ? content : fromXml(model, own, content);
      else value[flat[0]] = withOne(model.shapes[flat[1].shape], value[flat[0]], flatEntry(model, flat[1], content));
    }
    return value;
  }
  if (shape?.type === "list" && shape.member !== undefined) {
    const each = shape.member;
    return elementsOf(xml.replaceAll("<member/>", "<member></member>")).map(([, content]) =>
      fromXml(model, each, content),
    );
  }
  const text = xml.replace(/&(?:#(\d+)|lt|gt|amp|quot|apos);/g, (entity, code: string | undefined) =>
    code === undefined
      ? ({ "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"' }[entity] ?? "'")
      : String.fromCharCode(Number(code)),
  );
  return ofText(model, member, text);
}

function flatEntry(model: Model, { shape: name }: Member, xml: string): Entry {
  const { type, member, value } = model.shapes[name] ?? { type: "" };
  if (type === "list") return { Value: member && fromXml(model, member, xml) };
  return Object.fromEntries(
    elementsOf(xml).map(
      ([tag, content]) =>
        [tag, fromXml(model, tag === "Value" && value ? value : { shape: "String" }, content)] as const,
    ),
  );
}

function errorProblems(model: Model, operation: Operation, exchange: Exchange): string[] {
  const code = errorCodeOf(model, exchange);
  // An operation that moto does not know is a page that is not found: no answer of the gateway's.
  if (code === "" && exchange.status === 404 && isPage(exchange)) return [];
  if (code === "") return [`status ${exchange.status} without a code`];
  const shapes = (operation.errors ?? []).map(({ shape }) => [shape, model.shapes[shape]] as const);
  const found = shapes.find(([name, shape]) => name === code || shape?.error?.code === code);
  if (found === undefined) return commonErrors.includes(code) ? [] : [`${code} is none of this operation's errors`];
  // Where the model says nothing, an error of the JSON protocol has status 400.
  const expected = found[1]?.error?.httpStatusCode ?? (model.metadata.protocol === "json" ? 400 : exchange.status);
  return exchange.status === expected ? [] : [`${code} has status ${exchange.status}, where AWS has ${expected}`];
}

const isPage = ({ headers }: Exchange) => String(headers["content-type"]).startsWith("text/html");

function errorCodeOf(model: Model, exchange: Exchange): string {
  const text = exchange.answer.toString("utf8");
  if (isQuery(model, exchange)) {
    const code = /<Code>([^<]+)<\/Code>/.exec(text)?.[1] ?? "";
    return queryCodes[code] ?? code;
  }
  const header = exchange.headers["x-amzn-errortype"];
  const body = parsed(exchange.answer);
  const type =
    typeof header === "string" ? header : isRecord(body) && typeof body.__type === "string" ? body.__type : "";
  return type.replace(/^.*#/, "").replace(/:.*$/, "");
}

function parsed(body: Buffer): unknown {
  try {
    return body.length === 0 ? {} : (JSON.parse(body.toString("utf8")) as unknown);
  } catch {
    return undefined;
  }
}

/** How a value differs from its shape. */
function shapeProblems(model: Model, member: Member, value: unknown, path: string): string[] {
  const shape = model.shapes[member.shape];
  if (shape === undefined) return [`${path}: no shape ${member.shape}`];
  const wrong = (what: string) => [`${path === "" ? "it" : path} ${what}`];
  switch (shape.type) {
    case "structure":
      return isRecord(value)
        ? structureProblems(model, shape, value, path)
        : wrong(`is no structure but ${kindOf(value)}`);
    case "list": {
      if (!Array.isArray(value)) return wrong(`is no list but ${kindOf(value)}`);
      const each = shape.member;
      const inside =
        each === undefined ? [] : (value as unknown[]).flatMap((one) => shapeProblems(model, each, one, `${path}[]`));
      return [...sizeProblems(shape, value.length, wrong), ...inside];
    }
    case "map": {
      if (!isRecord(value)) return wrong(`is no map but ${kindOf(value)}`);
      const { key, value: each } = shape;
      return [
        ...sizeProblems(shape, Object.keys(value).length, wrong),
        ...Object.entries(value).flatMap(([name, one]) => [
          ...(key === undefined ? [] : shapeProblems(model, key, name, `${path}{}`)),
          ...(each === undefined ? [] : shapeProblems(model, each, one, `${path}.${name}`)),
        ]),
      ];
    }
    case "boolean":
      return typeof value === "boolean" ? [] : wrong(`is no boolean but ${kindOf(value)}`);
    case "integer":
    case "long":
      return Number.isInteger(value)
        ? sizeProblems(shape, value as number, wrong)
        : wrong(`is no integer but ${kindOf(value)}`);
    case "double":
    case "float":
      return typeof value === "number" ? sizeProblems(shape, value, wrong) : wrong(`is no number but ${kindOf(value)}`);
    case "timestamp":
      return typeof value === "number" || (typeof value === "string" && !Number.isNaN(Date.parse(value)))
        ? []
        : wrong(`is no timestamp but ${kindOf(value)}`);
    case "blob":
      return typeof value === "string" ? [] : wrong(`is no blob but ${kindOf(value)}`);
    default:
      return typeof value === "string" ? textProblems(shape, value, wrong) : wrong(`is no text but ${kindOf(value)}`);
  }
}

function structureProblems(
  model: Model,
  shape: Shape,
  value: Readonly<Record<string, unknown>>,
  path: string,
): string[] {
  const members = shape.members ?? {};
  const below = (name: string) => (path === "" ? name : `${path}.${name}`);
  const missing = (shape.required ?? []).filter((name) => value[name] === undefined || value[name] === null);
  return [
    ...missing.map((name) => `${below(name)} is missing`),
    ...Object.entries(value).flatMap(([name, given]) => {
      const own = Object.entries(members).find(([key, { locationName }]) => key === name || locationName === name);
      if (own === undefined) return [`${below(name)} is unknown`];
      // JSON's null says that there is nothing.
      return given === null || given === undefined ? [] : shapeProblems(model, own[1], given, below(own[0]));
    }),
  ];
}

type Wrong = (what: string) => string[];

function sizeProblems({ min, max }: Shape, size: number, wrong: Wrong): string[] {
  return [
    ...(min !== undefined && size < min ? wrong(`has ${size}, and at least ${min} are needed`) : []),
    ...(max !== undefined && size > max ? wrong(`has ${size}, and at most ${max} are allowed`) : []),
  ];
}

function textProblems(shape: Shape, text: string, wrong: Wrong): string[] {
  const { enum: values, pattern } = shape;
  const isLike = pattern === undefined || new RegExp(`^(?:${pattern})$`, "s").test(text);
  return [
    ...sizeProblems(shape, text.length, wrong),
    ...(isLike ? [] : wrong(`does not match ${pattern}: ${JSON.stringify(text.slice(0, 80))}`)),
    ...(values === undefined || values.includes(text)
      ? []
      : wrong(`is none of its values: ${JSON.stringify(text.slice(0, 80))}`)),
  ];
}

const kindOf = (value: unknown) => (value === null ? "null" : Array.isArray(value) ? "a list" : typeof value);
