import { type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { mostNesting } from "../limits";
import { nestingOf } from "./json-text";

/** One request of an AWS client, read whole. */
export interface Call {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  /** The signing name in the credential scope: `events`, `ses` (SES v1 and v2), `lambda`, `sqs`, .. */
  readonly service: string;
  /** What a JSON or Query protocol calls: `PutEvents`. Empty for a REST protocol, where method and path say it. */
  readonly operation: string;
  /** Who signed: the functions that run here have a key each. */
  readonly accessKeyId: string;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

export type Next = (call: Call) => Promise<Answer>;

/**
 * Stands between the client and moto. It answers by itself, or passes the call on (changed or not) with `next` and
 * returns the answer (changed or not). The gateway runs an ordered list of them; moto is at the end.
 */
export type Interceptor = (call: Call, next: Next) => Promise<Answer>;

export interface Signature {
  readonly service: string;
  readonly accessKeyId: string;
}

/** Reads the credential scope of a SigV4 `Authorization` header: `Credential=<key>/<date>/<region>/<service>/aws4_request`. */
export function signatureOf(headers: IncomingHttpHeaders): Signature {
  const scope = /Credential=([^/,\s]+)\/[^/]*\/[^/]*\/([^/]+)\/aws4_request/.exec(headers.authorization ?? "");
  return { accessKeyId: scope?.[1] ?? "", service: (scope?.[2] ?? "").toLowerCase() };
}

/** Who signs the gateway's own calls. */
export const ownKey = "gateway";

/** Of a call of the gateway's own. moto tells the service by the credential scope, and nobody here checks a signature. */
export const ownAuthorization = (service: string, region: string): string =>
  `AWS4-HMAC-SHA256 Credential=${ownKey}/20200101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`;

export function headerOf(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? "";
}

/** A request that its protocol can't be read from. */
export class MalformedRequest extends Error {
  override readonly name = "SerializationException";
}

/** Of one service's calls; the others pass. */
export const ofService =
  (service: string, intercept: Interceptor): Interceptor =>
  (call, next) =>
    call.service === service ? intercept(call, next) : next(call);

/** The Query protocol: SES v1's, and that of clients of SQS before 2023. */
export const isQuery = ({ headers }: Pick<Call, "headers">): boolean =>
  headerOf(headers, "content-type").startsWith("application/x-www-form-urlencoded");

/** The parameters of a call in the Query protocol. */
export const queryOf = ({ body }: Pick<Call, "body">): URLSearchParams => new URLSearchParams(body.toString("utf8"));

/** @throws MalformedRequest where the path is not encoded as a URL has to be: `%zz`. */
export function toCall(request: IncomingMessage, body: Buffer): Call {
  const url = new URL(request.url ?? "/", "http://gateway");
  if (!isDecodable(url.pathname))
    throw new MalformedRequest(`The path ${url.pathname.slice(0, 100)} can't be decoded.`);
  const target = headerOf(request.headers, "x-amz-target");
  return {
    method: request.method ?? "GET",
    url,
    headers: request.headers,
    ...signatureOf(request.headers),
    operation: isQuery(request) ? (queryOf({ body }).get("Action") ?? "") : target.slice(target.lastIndexOf(".") + 1),
    body,
  };
}

export async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Not where it is not encoded as a URL has to be: `%zz`, `%ff`. */
export function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * The JSON body of a call, or of an answer; `{}` where there is none.
 * @throws MalformedRequest where a call's is no JSON, or deeper than any of AWS's: whoever walks through it has a stack
 */
export function jsonOf(message: { readonly body: Buffer } | Call): Record<string, unknown> {
  if (message.body.length === 0) return {};
  const text = message.body.toString("utf8");
  if ("method" in message && nestingOf(text) > mostNesting) {
    throw new MalformedRequest(`The body is nested more than ${mostNesting} levels deep.`);
  }
  try {
    const parsed: unknown = JSON.parse(text);
    return isRecord(parsed) ? parsed : {};
  } catch (cause) {
    if (!(cause instanceof SyntaxError) || !("method" in message)) throw cause;
    throw new MalformedRequest(`The body is no JSON: ${cause.message}`, { cause });
  }
}

/** For a person who looks for a fault of the gateway's own. */
export const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The objects in a list that may be missing, or hold anything. */
export function recordsIn(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? (value as unknown[]).filter(isRecord) : [];
}

/** The object in a JSON text; `undefined` where it is something else. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isRecord(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** The text in a field that may be missing or of another type. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function withBody(call: Call, body: unknown): Call {
  return { ...call, body: Buffer.from(JSON.stringify(body)) };
}

export function succeeded(answer: Answer): boolean {
  return answer.status >= 200 && answer.status < 300;
}

/** The answer with its JSON changed, other headers kept. */
export function mapJson(answer: Answer, change: (body: Record<string, unknown>) => unknown): Answer {
  return { ...answer, body: Buffer.from(JSON.stringify(change(jsonOf(answer)))) };
}

export function json(body: unknown, status = 200, headers: OutgoingHttpHeaders = {}): Answer {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: Buffer.from(JSON.stringify(body)),
  };
}

/** An error of the JSON and REST-JSON protocols. */
export function jsonError(status: number, type: string, message: string): Answer {
  return json({ __type: type, message, Message: message }, status, { "x-amzn-errortype": type });
}

const sesNamespace = "http://ses.amazonaws.com/doc/2010-12-01/";

const asXml = (status: number, xml: string): Answer => ({
  status,
  headers: { "content-type": "text/xml" },
  body: Buffer.from(xml),
});

/** Line breaks as references: a reader of XML would make one character of two. */
export const escapeXml = (text: string) => text.replace(/[&<>\r]/g, (character) => `&#${character.charCodeAt(0)};`);

/** An answer of the Query protocol. @param result `undefined`: the operation has none, not even an empty one. */
export function queryAnswer(action: string, result: string | undefined, namespace = sesNamespace): Answer {
  const element = result === undefined ? "" : `<${action}Result>${result}</${action}Result>`;
  return asXml(
    200,
    `<${action}Response xmlns="${namespace}">${element}<ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata></${action}Response>`,
  );
}

/** An error of the Query protocol. */
export function queryError(status: number, code: string, message: string, namespace = sesNamespace): Answer {
  return asXml(
    status,
    `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>`,
  );
}
