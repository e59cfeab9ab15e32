import * as lambda from "@aws-sdk/client-lambda";
import * as sesv2 from "@aws-sdk/client-sesv2";
import { type PassingCall } from "../passage";

/** One call of AWS's API, as the service's API reference names it. */
export interface AwsCall {
  /** The prefix of the service's actions in IAM, for example `cloudwatch`. */
  readonly service: string;
  /** For example `PutMetricAlarm`. */
  readonly operation: string;
  /** The request's parameters. Those of the Query protocol are flat: `AlarmNames.member.1`. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Signing names that differ from the prefix of the service's actions. */
const iamPrefixes: Readonly<Record<string, string>> = { monitoring: "cloudwatch" };

/**
 * Reads which operation a signed request calls.
 * @throws Error where that can't be told, so that no call is left out of a record unnoticed.
 */
export function awsCallOf({ method, path, headers, target, body }: PassingCall): AwsCall {
  const signingName = /Credential=[^/]+\/\d+\/[\w-]+\/(\w+)\/aws4_request/.exec(String(headers.authorization))?.[1];
  if (signingName === undefined) throw new Error(`${method} ${path} has no signature, so its service is unknown.`);
  const service = iamPrefixes[signingName] ?? signingName;
  // The JSON protocols name the operation in a header, and the Query protocol in the body.
  const inHeader = /\.(\w+)$/.exec(target)?.[1];
  if (inHeader !== undefined) return { service, operation: inHeader, parameters: jsonIn(body) };
  if (/^application\/x-www-form-urlencoded/.test(headers["content-type"] ?? "")) {
    const { Action: operation = "", ...parameters } = Object.fromEntries(new URLSearchParams(body));
    return { service, operation, parameters };
  }
  const found = service === "s3" ? s3Call(method, path) : restCall(service, method, path);
  if (found === undefined) throw new Error(`${service}: which operation is ${method} ${path}?`);
  return { service, operation: found.operation, parameters: { ...parametersIn(body, service), ...found.parameters } };
}

/** Reads the parameters in the body of a REST call. */
function parametersIn(body: string, service: string): Record<string, unknown> {
  switch (service) {
    case "s3":
      // The body is an object, and no parameter.
      return {};
    case "route53":
      return recordChangesIn(body);
    default:
      return jsonIn(body);
  }
}

function jsonIn(body: string): Record<string, unknown> {
  return body === "" ? {} : (JSON.parse(body) as Record<string, unknown>);
}

type Found = Pick<AwsCall, "operation" | "parameters">;

/** The calls of Terraform's S3 backend, with the bucket in the path. */
function s3Call(method: string, path: string): Found | undefined {
  const { pathname, searchParams } = new URL(`http://s3${path}`);
  const [, Bucket = "", Key = ""] = /^\/([^/]+)\/?(.*)$/.exec(decodeURIComponent(pathname)) ?? [];
  if (Key === "") {
    const isList = method === "GET" && searchParams.get("list-type") === "2";
    return isList ? { operation: "ListObjectsV2", parameters: { Bucket } } : undefined;
  }
  const operation = { GET: "GetObject", HEAD: "HeadObject", PUT: "PutObject", DELETE: "DeleteObject" }[method];
  return operation === undefined ? undefined : { operation, parameters: { Bucket, Key } };
}

interface RestOperation {
  readonly name: string;
  readonly method: string;
  readonly path: RegExp;
}

/** The calls for Route 53's records (https://docs.aws.amazon.com/Route53/latest/APIReference/). */
const route53Operations: readonly RestOperation[] = [
  { name: "GetHostedZone", method: "GET", path: /^\/2013-04-01\/hostedzone\/(?<Id>\w+)$/ },
  { name: "ListResourceRecordSets", method: "GET", path: /^\/2013-04-01\/hostedzone\/(?<Id>\w+)\/rrset\/?$/ },
  { name: "ChangeResourceRecordSets", method: "POST", path: /^\/2013-04-01\/hostedzone\/(?<Id>\w+)\/rrset\/?$/ },
  { name: "GetChange", method: "GET", path: /^\/2013-04-01\/change\/(?<Id>\w+)$/ },
];

/** Reads the XML of ChangeResourceRecordSets: action, name and type of each change. */
function recordChangesIn(body: string): Record<string, unknown> {
  const textOf = (xml: string, tag: string) => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)?.[1];
  const changes = [...body.matchAll(/<Change>.*?<\/Change>/gs)].map(([xml]) =>
    Object.fromEntries(["Action", "Name", "Type"].map((tag) => [tag, textOf(xml, tag)])),
  );
  return changes.length === 0 ? {} : { Changes: changes };
}

/** Reads the operations of a client of the AWS SDK: it exports a schema of each, with its place in HTTP. */
function restOperations(client: object): RestOperation[] {
  return Object.values(client as Record<string, unknown>).flatMap((schema) => {
    if (!Array.isArray(schema)) return [];
    const [, , name, traits] = schema as readonly unknown[];
    const http = typeof traits === "object" ? (traits as { http?: readonly [string, string] } | null)?.http : undefined;
    if (http === undefined) return [];
    const [method, uri] = http;
    const pattern = uri
      .replace(/[?].*/, "")
      .replace(/\/$/, "")
      .replace(/\{(\w+)\}/g, "(?<$1>[^/]+)");
    return [{ name: String(name), method, path: new RegExp(`^${pattern}/?$`) }];
  });
}

const restServices: Readonly<Record<string, readonly RestOperation[]>> = {
  lambda: restOperations(lambda),
  route53: route53Operations,
  ses: restOperations(sesv2),
};

function restCall(service: string, method: string, path: string): Found | undefined {
  const { pathname, searchParams } = new URL(`http://aws${path}`);
  for (const operation of restServices[service] ?? []) {
    const match = operation.method === method ? operation.path.exec(pathname) : null;
    if (match === null) continue;
    const inPath = Object.entries<string>(match.groups ?? {}).map(([name, text]) => [name, decodeURIComponent(text)]);
    return {
      operation: operation.name,
      parameters: { ...(Object.fromEntries(inPath) as Record<string, string>), ...Object.fromEntries(searchParams) },
    };
  }
  return undefined;
}
