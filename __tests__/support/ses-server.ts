import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, type Socket } from "node:net";
import { isNativeError } from "node:util/types";
import { Worker } from "node:worker_threads";

type Answer = (response: ServerResponse, request: IncomingMessage, body: string) => void;

export interface SesServer {
  readonly url: string;
  /** Number of requests that arrived completely. */
  readonly requests: number;
  readonly connections: number;
  close(): Promise<void>;
}

export const sentAnswer = `<SendTemplatedEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><SendTemplatedEmailResult><MessageId>m-1</MessageId></SendTemplatedEmailResult></SendTemplatedEmailResponse>`;

export function errorAnswer(status: number, code: string, message: string): Answer {
  return (response) => {
    response.writeHead(status, { "content-type": "text/xml" });
    response.end(
      `<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`,
    );
  };
}

/** Starts a server that reads each request to its end and then answers as told. */
export async function startSesServer(answer: Answer): Promise<SesServer> {
  const sockets = new Set<Socket>();
  const seen = { requests: 0, connections: 0 };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      seen.requests += 1;
      answer(response, request, Buffer.concat(chunks).toString());
    });
  });
  server.on("connection", (socket) => {
    seen.connections += 1;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return seen.requests;
    },
    get connections() {
      return seen.connections;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Opens a port that listens but never accepts. Its queue is full, so further connections are not established. */
export async function startDeafPort(): Promise<{ readonly url: string; close(): Promise<unknown> }> {
  const worker = new Worker(
    `const { createServer, connect } = require("node:net");
     const { parentPort } = require("node:worker_threads");
     const server = createServer();
     server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       // This thread accepts nothing while it sleeps.
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     });`,
    { eval: true },
  );
  const port = await new Promise<number>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  const { connect } = await import("node:net");
  // A backlog of 1 takes two connections. These are more, so that the queue is certainly full.
  const fillers = Array.from({ length: 6 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
  await new Promise((resolve) => setTimeout(resolve, 100));
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      for (const socket of fillers) socket.destroy();
      return worker.terminate();
    },
  };
}

/**
 * Makes `instanceof Error` true for errors of Node's network. Jest runs a test in a realm of its own, where such an
 * error is not an instance of that realm's Error, and the SDK would replace it by one without name and code. In Lambda
 * there is only one realm.
 */
export function takeNodeErrorsForErrors(): void {
  Object.defineProperty(Error, Symbol.hasInstance, {
    value(this: unknown, value: unknown) {
      return this === Error ? isNativeError(value) : Function.prototype[Symbol.hasInstance].call(this as object, value);
    },
  });
}
