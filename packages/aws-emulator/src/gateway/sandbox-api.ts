import { readFile } from "node:fs/promises";
import { type IncomingMessage, type ServerResponse } from "node:http";
import { extname, join, resolve, sep } from "node:path";
import { type Buses } from "../services/eventbridge/buses";
import { type Background } from "./background";
import { ChangeStream } from "./change-stream";
import { type Faults, InvalidFaults } from "./faults";
import { type Answer, json, readBody } from "./http";
import { InboxApi, largestPage, noMail } from "./inbox-api";
import { type Journal } from "./journal";
import { toMime } from "../services/ses/mime";

export interface SandboxInfo {
  readonly endpoint: string;
  readonly region: string;
  readonly accountId: string;
  readonly retryDelaysMs: readonly number[];
  /** How soon a retry queue's message comes back; missing: after the queue's own visibility timeout. */
  readonly retryQueueDelayMs?: number;
  readonly notEmulated: readonly string[];
  readonly startedAt: string;
}

const prefix = "/_sandbox/";

const routes = [
  "GET /_sandbox/: the inbox page",
  `GET /_sandbox/messages?limit=&before=: the mails that were sent, newest first: at most ${largestPage}, and the header Link names the next page; before is the id of the last one seen`,
  "GET /_sandbox/messages/<id>: one mail",
  "GET /_sandbox/messages/<id>.eml: one mail as a file",
  "GET /_sandbox/rendering-failures?limit=&before=: mails that SES accepted and could not render",
  "GET /_sandbox/activity?limit=&before=: the events on the buses, newest first, and what became of them",
  "GET /_sandbox/activity/<id>: one event, its mails and its failure records",
  "GET /_sandbox/inbox: the ids of all mails and events, for the inbox page; below it, rows and a search",
  "GET /_sandbox/metrics: what CloudWatch would count and is not emulated otherwise",
  "GET /_sandbox/pending: how much of what goes on by itself is not done: deliveries, retries, batches",
  "GET /_sandbox/faults: what shall go wrong, and how often it did",
  "PUT /_sandbox/faults: sets it, a JSON array: see packages/aws-emulator/src/gateway/faults.ts",
  "DELETE /_sandbox/faults: nothing goes wrong any more",
  "GET /_sandbox/notes: what a user of the sandbox should know",
  "GET /_sandbox/info: what this sandbox is",
  "GET /_sandbox/health: 200 when it is ready, 503 until then",
  "GET /_sandbox/stream: server-sent events: which mails and events changed",
  "POST /_sandbox/fire/<rule>: fires a scheduled rule of the default bus",
];

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
};

/** The page's own script and style, and mails in frames (`srcdoc`), which inherit the policy: no mail loads anything. */
const pageHeaders = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  // A page that opened this one keeps no hold of its window.
  "cross-origin-opener-policy": "same-origin",
};
const headers = { "cache-control": "no-store" };

/** What the gateway says about itself, to the inbox page and to scripts. */
export class SandboxApi {
  private isReady = false;
  private readonly inbox: InboxApi;
  private readonly stream: ChangeStream;

  constructor(
    private readonly journal: Journal,
    private readonly buses: Buses,
    private readonly info: () => SandboxInfo,
    private readonly assetsDirectory: string | undefined,
    private readonly faults: Faults,
    private readonly background: Background,
  ) {
    this.inbox = new InboxApi(journal);
    this.stream = new ChangeStream(journal, headers);
  }

  markReady(): void {
    this.isReady = true;
    this.journal.changed();
  }

  close(): void {
    this.stream.close();
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://gateway");
    if (pathname === "/_sandbox/stream" && request.method === "GET") {
      this.stream.open(request, response);
      return;
    }
    const answer = await this.answer(request.method ?? "GET", pathname, searchParams, request);
    response.writeHead(answer.status, { ...headers, ...answer.headers });
    response.end(request.method === "HEAD" ? undefined : answer.body);
  }

  private async answer(
    method: string,
    path: string,
    query: URLSearchParams,
    request: IncomingMessage,
  ): Promise<Answer> {
    if (path === "/_sandbox") return { status: 308, headers: { location: prefix }, body: Buffer.alloc(0) };
    const name = decode(path.slice(prefix.length));
    if (name === undefined) return json({ message: `${path} is not a path: a "%" has to be written as "%25".` }, 400);
    if (method === "POST" && name.startsWith("fire/")) return this.fire(name.slice("fire/".length));
    if (name === "faults" && method === "PUT") return this.setFaults(await readBody(request));
    if (name === "faults" && method === "DELETE") return this.setFaults(Buffer.from("[]"));
    if (method !== "GET" && method !== "HEAD") return unknownRoute(method, path);
    switch (name) {
      case "metrics":
        return json({
          InvocationsFailedToBeSentToDlq: this.journal.invocationsFailedToBeSentToDlq,
          DestinationDeliveryFailures: this.journal.destinationDeliveryFailures,
        });
      case "pending":
        return json({ tasks: this.background.pending });
      case "faults":
        return json(this.faults.list);
      case "notes":
        return json(this.journal.notes);
      case "info":
        return json(this.info());
      case "health":
        return this.isReady ? json({ status: "ready" }) : json({ status: "starting" }, 503);
      default: {
        const id = /^messages\/(.+)\.eml$/.exec(name)?.[1];
        if (id !== undefined) return this.mailFile(id);
        return this.inbox.answer(name, query) ?? this.asset(method, path, name);
      }
    }
  }

  private setFaults(body: Buffer): Answer {
    try {
      this.faults.set(JSON.parse(body.toString("utf8")));
    } catch (error) {
      if (error instanceof InvalidFaults)
        return json({ message: error.message, problems: error.message.split("\n") }, 400);
      if (error instanceof SyntaxError) return json({ message: `The body is no JSON: ${error.message}` }, 400);
      throw error;
    }
    return json(this.faults.list);
  }

  private async fire(ruleName: string): Promise<Answer> {
    const result = await this.buses.fire(ruleName);
    if (!("problem" in result)) return json(result);
    switch (result.problem) {
      case "unknown":
        return json(
          {
            message: `The default bus has no rule "${ruleName}". Its scheduled rules: ${result.scheduled.join(", ") || "none"}.`,
            scheduledRules: result.scheduled,
          },
          404,
        );
      case "disabled":
        return json({ message: `The rule "${ruleName}" is disabled. Enable it first.` }, 409);
      case "not scheduled":
        return json({ message: `The rule "${ruleName}" has no schedule. Put an event that it matches instead.` }, 400);
    }
  }

  private mailFile(id: string): Answer {
    const mail = this.journal.mails.get(id);
    if (mail === undefined) return noMail(id);
    return {
      status: 200,
      headers: {
        "content-type": "message/rfc822",
        "content-disposition": `attachment; filename="${id.replace(/[^\w.-]/g, "_")}.eml"`,
      },
      body: Buffer.from(toMime(mail)),
    };
  }

  private async asset(method: string, path: string, name: string): Promise<Answer> {
    if (this.assetsDirectory === undefined) return unknownRoute(method, path);
    const root = resolve(this.assetsDirectory);
    const file = join(root, name === "" ? "index.html" : name);
    const contentType = contentTypes[extname(file)];
    if (!file.startsWith(root + sep) || contentType === undefined) return unknownRoute(method, path);
    try {
      return { status: 200, headers: { "content-type": contentType, ...pageHeaders }, body: await readFile(file) };
    } catch {
      return unknownRoute(method, path);
    }
  }
}

function unknownRoute(method: string, path: string): Answer {
  return json({ message: `There is no ${method} ${path}.`, routes }, 404);
}

/** `undefined` where it is not encoded as a URL has to be: `%zz`. */
function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
