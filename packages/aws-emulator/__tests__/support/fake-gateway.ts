import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { join } from "node:path";
import { Background } from "../../src/gateway/background";
import { type Buses } from "../../src/services/eventbridge/buses";
import { Faults } from "../../src/gateway/faults";
import { type StaticPage } from "../../src/gateway";
import { Journal } from "../../src/gateway/journal";
import { SandboxApi } from "../../src/gateway/sandbox-api";
import { type RedriveAdvice, type RedriveResult, type SandboxInfo } from "../../src/wire";

const page = join(__dirname, "../../inbox");

export interface FakeGateway {
  /** Of the page. */
  readonly url: string;
  /** What the page shows. */
  readonly journal: Journal;
  info: SandboxInfo;
  /** What a redrive of an event comes to; it is asked for each. */
  redrive: (eventId: string) => Promise<RedriveResult>;
  /** What helps where a redrive does not, by the reason of a record. */
  adviceFor: (reason: string, eventId: string) => RedriveAdvice | undefined;
  /** The Content-Security-Policy of the page, instead of the gateway's. */
  policy: string | undefined;
  /** The paths and queries that were asked for, below /_sandbox/. */
  readonly requests: string[];
  /** Ends every stream and, until it is told otherwise, answers new ones with 503. */
  setStreaming(on: boolean): void;
  close(): Promise<void>;
}

/** The page fires no rule. */
const noBuses: Partial<Buses> = {};

/** The gateway's own API and page before a journal that the test fills: no moto, no functions. */
export async function startFakeGateway(
  info: SandboxInfo,
  pages: readonly StaticPage[] = [],
  journal = new Journal(),
): Promise<FakeGateway> {
  const streams = new Set<ServerResponse>();
  let isStreaming = true;
  const background = new Background((error) => {
    throw error;
  });
  const api = new SandboxApi({
    journal,
    buses: noBuses as Buses,
    info: () => gateway.info,
    assetsDirectory: page,
    pages,
    faults: new Faults(journal),
    background,
    failureActions: {
      commandFor: (eventId) => `npm run redrive -- ${eventId}`,
      redrive: (eventId) => gateway.redrive(eventId),
      adviceFor: (reason, eventId) => gateway.adviceFor(reason, eventId),
    },
    retentionOf: () => Promise.resolve(1_209_600),
  });
  const server = createServer((request, response) => {
    const path = (request.url ?? "").replace(/^\/_sandbox\//, "");
    gateway.requests.push(path);
    if (path === "stream" && !isStreaming) {
      response.writeHead(503).end();
      return;
    }
    if (path === "stream") {
      streams.add(response);
      response.on("close", () => streams.delete(response));
    }
    const { policy } = gateway;
    if (policy !== undefined) {
      const writeHead = response.writeHead.bind(response);
      response.writeHead = ((status: number, headers: Record<string, string>) =>
        writeHead(status, { ...headers, "content-security-policy": policy })) as typeof response.writeHead;
    }
    api.handle(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  const gateway: FakeGateway = {
    url: `http://127.0.0.1:${port}/_sandbox/`,
    journal,
    info,
    redrive: () => Promise.resolve({ ok: true, output: "" }),
    adviceFor: () => undefined,
    policy: undefined,
    requests: [],
    setStreaming: (on) => {
      isStreaming = on;
      if (!on) for (const stream of streams) stream.end();
    },
    close: async () => {
      api.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return gateway;
}
