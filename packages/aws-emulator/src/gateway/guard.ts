import { type IncomingMessage } from "node:http";
import { headerOf } from "./http";

/**
 * The gateway is a server on somebody's machine, and a browser on that machine lets every page send requests to it: forms,
 * images, scripts, and whatever is reached by a name that the page's owner points at 127.0.0.1. What a browser does for a
 * page it says in headers that the page can't change (Host, Origin, Sec-Fetch-*), and a page can't sign: a header
 * `Authorization` needs a preflight, which is refused. https://developer.mozilla.org/en-US/docs/Glossary/Fetch_metadata_request_header
 */
export interface Refusal {
  readonly status: number;
  /** The error code, which is AWS's own where AWS has one. */
  readonly code: string;
  readonly message: string;
}

/** On every answer: no page of another origin frames it, or loads it as a picture, a script or a style. */
export const protection: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cross-origin-resource-policy": "same-origin",
  // An object in S3 may be a page. It runs no script, and its origin is not the inbox's.
  "content-security-policy": "sandbox",
};

const forbidden = (message: string): Refusal => ({ status: 403, code: "AccessDenied", message });

/** Why the gateway does not answer this request; `undefined`: it does. */
export function refusalOf(request: IncomingMessage, port: number): Refusal | undefined {
  const url = urlOf(request);
  if (url === undefined) return oddTarget(request);
  return (
    foreignHost(request, port) ??
    foreignPage(request, opensInbox(request, url)) ??
    (isSandboxPath(url.pathname) ? formPost(request) : (closedPath(url) ?? unsigned(request, url)))
  );
}

/** The reason to refuse a request that comes from a web page, for a server that serves none. */
export function refusalOfBrowser(request: IncomingMessage, port: number): Refusal | undefined {
  if (urlOf(request) === undefined) return oddTarget(request);
  return foreignHost(request, port) ?? foreignPage(request, false);
}

export const isSandboxPath = (path: string): boolean => path === "/_sandbox" || path.startsWith("/_sandbox/");

/**
 * `undefined` for a target that names a server of its own: `http://host/path`, or `//host/path`, which the parsers behind
 * the gateway read differently.
 */
function urlOf({ url: target = "" }: IncomingMessage): URL | undefined {
  return /^\/(?![/\\])/.test(target) ? new URL(`http://gateway${target}`) : undefined;
}

function oddTarget({ url: target = "" }: IncomingMessage): Refusal {
  const message = `The request's target has to be a path with one slash in front, not "${target.slice(0, 100)}".`;
  return { status: 400, code: "InvalidRequest", message };
}

function foreignHost(request: IncomingMessage, port: number): Refusal | undefined {
  const hosts = request.headersDistinct.host ?? [];
  const own = ["127.0.0.1", "localhost", "[::1]"].map((name) => `${name}:${port}`);
  // Clients leave out the port that HTTP has by default.
  const isOwn = (host: string) => own.includes(port === 80 && !/:\d+$/.test(host) ? `${host}:80` : host);
  if (hosts.length === 1 && hosts.every((host) => isOwn(host.toLowerCase()))) return undefined;
  return forbidden(`The sandbox answers at ${own.join(", ")}, not at "${hosts.join(", ")}".`);
}

function foreignPage(request: IncomingMessage, isWelcome: boolean): Refusal | undefined {
  const { origin } = request.headers;
  if (origin !== undefined && origin !== `http://${headerOf(request.headers, "host").toLowerCase()}`) {
    return forbidden(`The sandbox answers no page of another origin, and this request is for one of "${origin}".`);
  }
  const site = request.headers["sec-fetch-site"];
  if (site !== undefined && site !== "none" && site !== "same-origin" && !isWelcome) {
    return forbidden(`The sandbox answers no page of another site (Sec-Fetch-Site: ${site}).`);
  }
  // The inbox is of the same origin, and needs no preflight.
  if (request.method === "OPTIONS") return forbidden("The sandbox gives no page of another origin leave to call it.");
  return undefined;
}

/** A link from elsewhere may lead to the inbox. */
function opensInbox({ method, headers }: IncomingMessage, { pathname }: URL): boolean {
  return (
    method === "GET" &&
    (pathname === "/_sandbox" || pathname === "/_sandbox/") &&
    headers["sec-fetch-mode"] === "navigate" &&
    headers["sec-fetch-dest"] === "document"
  );
}

/** A form can't send JSON, and can't leave its type out: this holds in browsers that don't say which page sends it. */
function formPost({ method, headers }: IncomingMessage): Refusal | undefined {
  const type = headers["content-type"];
  if (method !== "POST" || type === undefined || /^application\/json *(;|$)/i.test(type)) return undefined;
  const message = `A form could send "${type}": send the request without a body, or as application/json.`;
  return { status: 415, code: "UnsupportedMediaType", message };
}

/** moto's own API resets the emulator; moto reads the path decoded. */
function closedPath({ pathname }: URL): Refusal | undefined {
  const decoded = pathname.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  if (!/^\/moto-api/i.test(decoded)) return undefined;
  return forbidden("moto's own API is closed: start the sandbox again to reset it.");
}

function unsigned(request: IncomingMessage, url: URL): Refusal | undefined {
  if (isSigned(headerOf(request.headers, "authorization")) || isPresigned(request.method, url)) return undefined;
  const message =
    "Calls to AWS have to be signed (Signature Version 4); any key will do: AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test.";
  return { status: 403, code: "MissingAuthenticationToken", message };
}

function isSigned(authorization: string): boolean {
  return (
    authorization.startsWith("AWS4-HMAC-SHA256 ") &&
    /[ ,]Credential=[^/,\s]+\/\d{8}\/[\w-]+\/[\w-]+\/aws4_request(,|$)/.test(authorization) &&
    /[ ,]Signature=[0-9a-f]+/.test(authorization)
  );
}

/**
 * A link to an object in S3, signed as version 4 or (`aws s3 presign` of the AWS CLI 1) version 2. Any page can make one
 * up, so it may do no more than a link is for: not a POST, which a form sends, and no other service, whose calls a GET
 * may carry. moto tells S3 by the bucket's name: it has no underscore.
 */
function isPresigned(method: string | undefined, { pathname, searchParams }: URL): boolean {
  const has = (...names: string[]) => names.every((name) => searchParams.has(name));
  const version4 = has("X-Amz-Signature") && /\/s3\/aws4_request$/.test(searchParams.get("X-Amz-Credential") ?? "");
  const version2 = has("AWSAccessKeyId", "Signature", "Expires");
  return method !== "POST" && /^\/[a-z0-9][a-z0-9.-]+\//.test(pathname) && (version4 || version2);
}
