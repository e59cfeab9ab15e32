import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { protection, refusalOfBrowser } from "../../gateway/guard";
import { readBody } from "../../gateway/http";

export interface Work {
  readonly requestId: string;
  readonly payload: string;
  readonly functionArn: string;
  readonly deadline: number;
  readonly traceId: string;
}

/** What a runtime tells the environment that it runs in. */
export interface RuntimeListener {
  /** The runtime is free. Resolves when there is work. */
  next(): Promise<Work>;
  succeeded(requestId: string, payload: string): void;
  failed(requestId: string, error: string): void;
  initFailed(error: string): void;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, for every execution environment at one address. */
export class RuntimeApi {
  private readonly listeners = new Map<string, RuntimeListener>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<RuntimeApi> {
    const server = createServer();
    const api = new RuntimeApi(server);
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      api.handle(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
    // A runtime waits for its next event as long as it takes.
    server.requestTimeout = 0;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return api;
  }

  /** @returns the value of AWS_LAMBDA_RUNTIME_API for this environment. */
  register(environmentId: string, listener: RuntimeListener): string {
    this.listeners.set(environmentId, listener);
    return `127.0.0.1:${this.port}/${environmentId}`;
  }

  unregister(environmentId: string): void {
    this.listeners.delete(environmentId);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.server.close(() => {
        resolve();
      });
    });
  }

  private get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = refusalOfBrowser(request, this.port);
    if (refusal !== undefined) {
      response.writeHead(refusal.status, { "content-type": "text/plain", ...protection }).end(refusal.message);
      return;
    }
    // The id is a secret of the environment that it was given to.
    const [, environmentId = "", , , ...path] = (request.url ?? "").split("/");
    const listener = this.listeners.get(environmentId);
    if (listener === undefined) {
      response.writeHead(410, protection).end();
      return;
    }
    const body = await readBody(request);
    const [kind, idOrAction, action] = path;
    if (kind === "invocation" && idOrAction === "next") {
      const work = await listener.next();
      response.writeHead(200, {
        "content-type": "application/json",
        "lambda-runtime-aws-request-id": work.requestId,
        "lambda-runtime-deadline-ms": String(work.deadline),
        "lambda-runtime-invoked-function-arn": work.functionArn,
        "lambda-runtime-trace-id": work.traceId,
      });
      response.end(work.payload);
      return;
    }
    response.writeHead(202, { "content-type": "application/json" }).end('{"status":"OK"}');
    if (kind === "init") listener.initFailed(body.toString("utf8"));
    else if (action === "response") listener.succeeded(idOrAction ?? "", body.toString("utf8"));
    else listener.failed(idOrAction ?? "", body.toString("utf8"));
  }
}
