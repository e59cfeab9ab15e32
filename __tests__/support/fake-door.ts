import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { extname, join } from "node:path";

const PAGE = join(__dirname, "../../sandbox/inbox");
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
};
/** As strict as the front door's. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'";

export interface DoorAnswers {
  info: Record<string, unknown>;
  messages: unknown[];
  failures: unknown[];
  activity: unknown[];
}

export interface FakeDoor {
  /** Of the page. */
  readonly url: string;
  /** Change them, then tell the page with `change()`. */
  readonly answers: DoorAnswers;
  /** The Content-Security-Policy of the page. */
  policy: string;
  change(): void;
  /** Ends every stream and, until it is told otherwise, answers new ones with 503. */
  setStreaming(on: boolean): void;
  close(): Promise<void>;
}

/** The part of the front door's API that the inbox page uses, with fixed answers. */
export async function startFakeDoor(answers: DoorAnswers): Promise<FakeDoor> {
  const streams = new Set<ServerResponse>();
  let streaming = true;

  const answerOf = (path: string): unknown =>
    ({
      info: answers.info,
      messages: answers.messages,
      "rendering-failures": answers.failures,
      activity: answers.activity,
      health: { status: "ready" },
    })[path];

  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://door").pathname;
    const name = path.replace(/^\/_sandbox\//, "");
    const json = path.startsWith("/_sandbox/") ? answerOf(name) : undefined;
    if (json !== undefined) {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(json));
    } else if (name === "stream" && streaming) {
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      response.write(": hello\n\n");
      streams.add(response);
      response.on("close", () => streams.delete(response));
    } else if (name === "stream") {
      response.writeHead(503).end();
    } else if (/^messages\/[^/]+\.eml$/.test(name)) {
      response.writeHead(200, { "content-type": "message/rfc822" }).end("Subject: the mail itself\r\n\r\nHello\r\n");
    } else if (path === "/_sandbox/" || /^[\w-]+\.(?:js|css)$/.test(name)) {
      const file = name === "" || name === path ? "index.html" : name;
      readFile(join(PAGE, file)).then(
        (content) =>
          response
            .writeHead(200, {
              "content-type": TYPES[extname(file)],
              "content-security-policy": door.policy,
              "x-content-type-options": "nosniff",
            })
            .end(content),
        () => response.writeHead(404).end(),
      );
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  const endStreams = () => {
    for (const stream of streams) stream.end();
  };
  const door: FakeDoor = {
    url: `http://127.0.0.1:${port}/_sandbox/`,
    answers,
    policy: CONTENT_SECURITY_POLICY,
    change: () => {
      for (const stream of streams) stream.write("event: change\ndata: {}\n\n");
    },
    setStreaming: (on) => {
      streaming = on;
      endStreams();
    },
    close: async () => {
      endStreams();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return door;
}
