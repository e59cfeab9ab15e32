import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, type Socket } from "node:net";
import { isNativeError } from "node:util/types";
import { Worker } from "node:worker_threads";

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

export interface SesServer {
  readonly url: string;
  /** Requests that arrived whole. */
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

/** Reads each request to its end, and answers as told. */
export async function startSesServer(answer: Answer): Promise<SesServer> {
  const sockets = new Set<Socket>();
  const seen = { requests: 0, connections: 0 };
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      seen.requests += 1;
      answer(response, request);
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

/** A port that listens but never accepts, its queue full: connections to it are not established. */
export async function startDeafPort(): Promise<{ readonly url: string; close(): Promise<unknown> }> {
  const worker = new Worker(
    `const { createServer, connect } = require("node:net");
     const { parentPort } = require("node:worker_threads");
     const server = createServer();
     server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       // Nothing is accepted while this thread sleeps.
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     });`,
    { eval: true },
  );
  const port = await new Promise<number>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  const { connect } = await import("node:net");
  // The queue of a backlog of 1 takes two; more than enough fill it.
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
 * Jest runs a test in a realm of its own: an error of Node's network is no `instanceof Error` there, and the SDK replaces
 * what is none by one without name and code. In Lambda there is one realm.
 */
export function takeNodeErrorsForErrors(): void {
  Object.defineProperty(Error, Symbol.hasInstance, {
    value(this: unknown, value: unknown) {
      return this === Error ? isNativeError(value) : Function.prototype[Symbol.hasInstance].call(this as object, value);
    },
  });
}
