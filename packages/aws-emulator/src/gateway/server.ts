import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { NoAnswer } from "./faults";
import { isSandboxPath, protection, refusalOf } from "./guard";
import {
  type Answer,
  type Call,
  isQuery,
  jsonError,
  MalformedRequest,
  type Next,
  queryError,
  readBody,
  signatureOf,
  stackOf,
  toCall,
} from "./http";
import { type Hold } from "./hold";
import { type Moto, MotoUnreachable } from "./moto";
import { type SandboxApi } from "./sandbox-api";

/** Who answers: the sandbox's own API, moto as it is, or what stands between a client and moto. */
export interface Backends {
  readonly answer: Next;
  readonly moto: Moto;
  readonly sandboxApi: SandboxApi;
}

/**
 * Listens on 127.0.0.1; requests are answered once `serve` has been called.
 * @param port 0: any that is free
 * @throws Error that names another port as the way out where this one is in use
 */
export async function listen(port: number): Promise<Server> {
  // Clients keep their connections. One that the gateway closes at the moment of its next use breaks a call, and what is
  // not repeated (a send, an event) would fail for no reason of the system's own. Node's default is 5 s.
  const server = createServer({ keepAliveTimeout: 3_600_000 });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") {
        reject(error);
        return;
      }
      const message = `Port ${port} of 127.0.0.1 is in use: stop what listens there, or choose another port.`;
      reject(new Error(message, { cause: error }));
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  return server;
}

export const portOf = (server: Server): number => (server.address() as AddressInfo).port;

export function serve(server: Server, backends: Backends, hold: Hold): void {
  const port = portOf(server);
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    for (const [name, value] of Object.entries(protection)) response.setHeader(name, value);
    const refusal = refusalOf(request, port);
    if (refusal !== undefined) {
      respond(response, errorIn(request)(refusal.status, refusal.code, refusal.message));
      return;
    }
    handle(request, response, backends, hold).catch((error: unknown) => {
      if (error instanceof NoAnswer) {
        if (error.how === "reset") request.socket.resetAndDestroy();
        return;
      }
      respond(response, failure(error, request));
    });
  });
}

export async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  { answer, moto, sandboxApi }: Backends,
  hold: Hold,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://gateway");
  if (isSandboxPath(url.pathname)) {
    await sandboxApi.handle(request, response);
    return;
  }
  const { service } = signatureOf(request.headers);
  // An object in S3, or a link to one, which carries its signature in its query: nothing here looks into objects.
  if (service === "" || (service === "s3" && isObjectPath(url.pathname))) {
    await moto.pipe(request, response);
    return;
  }
  const call: Call = toCall(request, await readBody(request));
  const answered = await hold.pass(call, answer, () => request.socket.destroyed);
  if (answered !== undefined) respond(response, answered);
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

/** In the words of the protocol that was called in: a client of another one finds neither code nor message. */
/** An error in the protocol of the call, which its client reads. */
const errorIn = (request: IncomingMessage) => (isQuery(request) ? queryError : jsonError);

function failure(error: unknown, request: IncomingMessage): Answer {
  const answer = errorIn(request);
  // A 500 would be tried again, and show the person who made the mistake the gateway's own code.
  if (error instanceof MalformedRequest) return answer(400, error.name, error.message);
  if (error instanceof MotoUnreachable) return answer(503, "ServiceUnavailable", error.message);
  return answer(500, "InternalFailure", `The sandbox's gateway failed: ${stackOf(error)}`);
}
