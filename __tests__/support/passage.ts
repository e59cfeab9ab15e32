import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { type AddressInfo } from "node:net";

/** A call to AWS, with the parts that tell which call it is. */
export interface PassingCall {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /**
   * The operation of a JSON protocol, for example `AmazonSQS.SendMessage`. In the Query protocol, the body names the
   * operation.
   */
  readonly target: string;
  readonly body: string;
}

export interface PassingAnswer {
  readonly status: number;
  readonly type?: string;
  readonly body: string;
}

export interface Passage {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Starts a server in front of another one. It sees each call, and can answer it itself. Tests use it for answers that
 * the emulator never gives.
 * @param answer returns the answer, or `undefined` to pass the call on to `to`.
 */
export async function startPassage(
  to: string,
  answer: (call: PassingCall) => Promise<PassingAnswer | undefined> | PassingAnswer | undefined,
): Promise<Passage> {
  const server = createServer((incoming, response) => {
    void (async () => {
      const body = await read(incoming);
      const { method = "GET", url: path = "/", headers } = incoming;
      const own = await answer({
        method,
        path,
        headers,
        target: String(headers["x-amz-target"]),
        body: body.toString(),
      });
      if (own !== undefined) {
        response.writeHead(own.status, { "content-type": own.type ?? "application/json" }).end(own.body);
        return;
      }
      // The host is replaced, because the other server names itself in the URLs of queues by the host that it was
      // called with.
      request(new URL(path, to), { method, headers: { ...headers, host: new URL(to).host } }, (other) => {
        void read(other).then((content) => {
          const { "content-length": _length, "transfer-encoding": _encoding, ...rest } = other.headers;
          response
            .writeHead(other.statusCode ?? 500, rest)
            .end(content.toString("latin1").replaceAll(to, url), "latin1");
        });
      }).end(body);
    })();
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function read(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
