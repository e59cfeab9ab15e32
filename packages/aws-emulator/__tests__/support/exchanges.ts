import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { type IncomingMessage, type ServerResponse } from "node:http";
import { headerOf, signatureOf } from "../../src/gateway/http";
import { violationsOf } from "./exchange-validator";

/** One call of a client to the gateway, and the gateway's answer, as bytes. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly service: string;
  readonly target: string;
  readonly body: Buffer;
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly answer: Buffer;
}

const validated = ["events", "lambda", "ses", "sqs", "logs"];

/** Listens to what passes the gateway's port, and holds each exchange against AWS's models. */
export class ExchangeRecorder {
  /** What was wrong, and how often. */
  private readonly found = new Map<string, number>();
  private count = 0;

  constructor(private readonly port: number) {
    subscribe("http.server.request.start", this.onRequest);
  }

  stop(): void {
    unsubscribe("http.server.request.start", this.onRequest);
  }

  /** @throws where an exchange did not fit AWS's models */
  check(): void {
    if (this.found.size === 0) return;
    const lines = [...this.found].map(([violation, times]) => `${violation}${times === 1 ? "" : ` (${times} times)`}`);
    throw new Error(`${this.found.size} violations of AWS's models in ${this.count} exchanges:\n${lines.join("\n")}`);
  }

  private readonly onRequest = (message: unknown): void => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    const { service } = signatureOf(request.headers);
    if (request.socket.localPort !== this.port || !validated.includes(service)) return;
    // What the parser pushes into the request, and what is written: nobody's reading is disturbed.
    const body = tap(request, "push");
    const answer = tap(response, "write");
    const end = tap(response, "end");
    response.on("finish", () => {
      this.count += 1;
      const exchange: Exchange = {
        method: request.method ?? "",
        path: request.url ?? "",
        service,
        target: headerOf(request.headers, "x-amz-target"),
        body: Buffer.concat(body),
        status: response.statusCode,
        headers: response.getHeaders(),
        answer: Buffer.concat([...answer, ...end]),
      };
      for (const violation of violationsOf(exchange)) {
        this.found.set(violation, (this.found.get(violation) ?? 0) + 1);
      }
    });
  };
}

/** Keeps a copy of the chunks that a method is given. */
function tap<Name extends string>(stream: Record<Name, unknown> | object, name: Name): Buffer[] {
  const chunks: Buffer[] = [];
  const target = stream as Record<Name, (...given: unknown[]) => unknown>;
  const original = target[name].bind(stream);
  target[name] = (...given: unknown[]) => {
    const [chunk] = given;
    if (typeof chunk === "string" || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk as string));
    return original(...given);
  };
  return chunks;
}
