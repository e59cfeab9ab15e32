import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { SESClient } from "@aws-sdk/client-ses";
import { SQSClient } from "@aws-sdk/client-sqs";
import {
  Agent,
  type AgentOptions,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type ServerResponse,
} from "node:http";
import { pipeline } from "node:stream/promises";
import { sdkSettings } from "../client-config";
import { protection } from "./guard";
import { type Answer, type Call, ownAuthorization, ownKey, readBody } from "./http";

/** Headers that belong to one connection, and those that node writes itself. */
const connectionHeaders = new Set(["connection", "keep-alive", "transfer-encoding", "expect", "upgrade"]);

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !connectionHeaders.has(name)));
}

/** What moto answers, less what it says to browsers: S3's CORS rules and moto's own open it to every page. */
function answerHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const isForBrowsers = (name: string) => name.startsWith("access-control-") || name in protection;
  return Object.fromEntries(Object.entries(endToEnd(headers)).filter(([name]) => !isForBrowsers(name)));
}

/** Connections at a time: a Unix socket refuses, at once, more than the 128 that wait for moto to take them. */
const mostConnections = 100;

/** The emulator behind the gateway. */
export class Moto {
  readonly events: EventBridgeClient;
  readonly lambda: LambdaClient;
  readonly logs: CloudWatchLogsClient;
  readonly ses: SESClient;
  readonly sqs: SQSClient;

  /** A URL for clients that demand one. The connection leads to the socket, whatever the URL says. */
  readonly url = "http://moto";
  /** Makes a connection for each call, because a request on a connection that moto has closed meanwhile fails. */
  private readonly agent: Agent;

  /** @param socket the path of the Unix socket that moto listens on */
  constructor(
    private readonly socket: string,
    private readonly region: string,
  ) {
    // An agent takes `socketPath` as a request does, though its type does not say so.
    this.agent = new Agent({ socketPath: socket, maxSockets: mostConnections } as AgentOptions);
    const settings = {
      ...sdkSettings,
      endpoint: this.url,
      region,
      credentials: { accessKeyId: ownKey, secretAccessKey: ownKey },
      maxAttempts: 2,
      requestHandler: { httpAgent: this.agent },
    };
    this.events = new EventBridgeClient(settings);
    this.lambda = new LambdaClient(settings);
    this.logs = new CloudWatchLogsClient(settings);
    this.ses = new SESClient(settings);
    // The queue's URL carries whatever host the client that made it used; moto reads its path only.
    this.sqs = new SQSClient({ ...settings, useQueueUrlAsEndpoint: false, md5: false });
  }

  queueUrl(arn: string): string {
    const [, , , , account = "", name = ""] = arn.split(":");
    return `${this.url}/${account}/${name}`;
  }

  /** The call as the client made it, host included: moto builds queue URLs from it. */
  readonly forward = async (call: Call): Promise<Answer> => {
    const path = `${call.url.pathname}${call.url.search}`;
    const sent = { ...endToEnd(call.headers), "content-length": String(call.body.length) };
    const upstream = await this.send(call.method, path, sent, call.body);
    const headers = answerHeaders(upstream.headers);
    delete headers["content-length"];
    return { status: upstream.statusCode ?? 502, headers, body: await readBody(upstream) };
  };

  /** A call that nothing in the gateway looks at (S3: state files and packages); its answer is passed on byte by byte. */
  async pipe(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await readBody(incoming);
    const headers = { ...endToEnd(incoming.headers), "content-length": String(body.length) };
    const answer = await this.send(incoming.method ?? "GET", incoming.url ?? "/", headers, body);
    outgoing.writeHead(answer.statusCode ?? 502, answerHeaders(answer.headers));
    await pipeline(answer, outgoing);
  }

  /** A call of the gateway's own, to a service (or in a form) that it has no SDK client for. */
  async ask(service: string, method: string, path: string, body: URLSearchParams | string = ""): Promise<Answer> {
    const content = Buffer.from(body.toString());
    const isForm = body instanceof URLSearchParams;
    const headers = {
      host: `${service}.${this.region}.amazonaws.com`,
      "content-type": isForm ? "application/x-www-form-urlencoded" : "application/json",
      "content-length": String(content.length),
      authorization: ownAuthorization(service, this.region),
    };
    const upstream = await this.send(method, path, headers, content);
    return { status: upstream.statusCode ?? 502, headers: upstream.headers, body: await readBody(upstream) };
  }

  close(): void {
    for (const client of [this.events, this.lambda, this.logs, this.ses, this.sqs]) client.destroy();
    this.agent.destroy();
  }

  /** @param headers name the length of the body */
  private send(method: string, path: string, headers: OutgoingHttpHeaders, body: Buffer): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const outgoing = request({ agent: this.agent, method, path, headers });
      outgoing.on("response", (answer) => {
        outgoing.end();
        resolve(answer);
      });
      outgoing.on("error", (cause) => {
        reject(new MotoUnreachable(`moto does not answer at ${this.socket}: ${cause.message}. Is it still running?`));
      });
      // `end` writes once more after a body. moto may have answered and gone by then, and the answer would be lost.
      if (body.length > 0) outgoing.write(body);
      else outgoing.end();
    });
  }
}

export class MotoUnreachable extends Error {
  override readonly name = "MotoUnreachable";
}
