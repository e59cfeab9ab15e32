import { type IncomingMessage, type ServerResponse } from "node:http";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { serveStatic } from "@hono/node-server/serve-static";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Context, Hono } from "hono";
import {
  type Cleared,
  type Fired,
  type Health,
  type Metrics,
  type Pending,
  type Problem,
  type SandboxInfo,
} from "../wire";
import { type Buses } from "../services/eventbridge/buses";
import { toMime } from "../services/ses/mime";
import { type Background } from "./background";
import { ChangeStream, streamHeaders } from "./change-stream";
import { type FailureActions, Redrives } from "./failure-actions";
import { type Faults, InvalidFaults } from "./faults";
import { type Answer, isDecodable, json, stackOf } from "./http";
import { filterNames, InboxApi, largestPage, noMail } from "./inbox-api";
import { type StaticPage } from "./index";
import { type Journal } from "./journal";

/** The page's own script and style, and mails in frames (`srcdoc`), which inherit the policy: no mail loads anything. */
const pageHeaders = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  // A page that opened this one keeps no hold of its window.
  "cross-origin-opener-policy": "same-origin",
};

/** A page that whoever starts the gateway gives it brings scripts and styles of its own, and has nothing to ask for. */
const givenPageHeaders = {
  ...pageHeaders,
  "content-security-policy":
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};
const headers = { "cache-control": "no-store" };

const root = "/_sandbox";

/** The files of the page, and no others that may lie beside them. */
const pageFile = "/:file{[\\w-]+\\.(?:html|css|js|svg|png|ico)}";

/** The parameters of a list's query. */
const pages = "?limit=&before=";

type Env = { Bindings: HttpBindings };

interface Route {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** Below `/_sandbox`, as hono writes it: `:id` is a segment, `:id{.+}` the rest of the path. */
  readonly path: string;
  /** The parameters of its query: `?limit=&before=`. */
  readonly query?: string;
  readonly description: string;
  readonly answer: (context: Context<Env>) => Answer | Response | Promise<Answer>;
}

export interface SandboxApiOptions {
  readonly journal: Journal;
  readonly buses: Buses;
  readonly faults: Faults;
  readonly background: Background;
  readonly info: () => SandboxInfo;
  /** The files of the inbox page; without it, there is none. */
  readonly assetsDirectory?: string | undefined;
  /** Folders that are served as they are; @default none */
  readonly pages?: readonly StaticPage[];
  readonly failureActions?: FailureActions | undefined;
  /** How many seconds a queue keeps a message; `undefined`: nobody knows. */
  readonly retentionOf?: (queueArn: string) => Promise<number | undefined>;
}

/** What the gateway says about itself below `/_sandbox`, to the inbox page and to scripts. */
export class SandboxApi {
  private isReady = false;
  private readonly stream: ChangeStream;
  private readonly listener: (request: IncomingMessage, response: ServerResponse) => Promise<void>;

  constructor(private readonly options: SandboxApiOptions) {
    this.stream = new ChangeStream(options.journal, headers);
    const { fetch } = this.application(this.routes());
    this.listener = getRequestListener(fetch, { overrideGlobalObjects: false });
  }

  markReady(): void {
    this.isReady = true;
    this.options.journal.changed();
  }

  close(): void {
    this.stream.close();
  }

  handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    return this.listener(request, response);
  }

  /** The table of every route, and what `GET` of an unknown one says of it. The first that fits a path answers. */
  private routes(): readonly Route[] {
    const inbox = new InboxApi(this.options);
    return [
      ...this.mailRoutes(inbox),
      ...this.eventRoutes(inbox),
      ...this.pageRoutes(inbox),
      ...this.faultRoutes(),
      ...this.stateRoutes(),
    ];
  }

  private mailRoutes(inbox: InboxApi): readonly Route[] {
    return [
      {
        method: "GET",
        path: "/messages",
        query: pages,
        description: `the mails that were sent, newest first: at most ${largestPage}, and the header Link names the next page; before is the id of the last one seen`,
        answer: (context) => inbox.list("messages", query(context)),
      },
      {
        method: "GET",
        path: "/messages/:id{.+\\.eml}",
        description: "one mail as a file",
        answer: (context) => this.mailFile(id(context).replace(/\.eml$/, "")),
      },
      {
        method: "GET",
        path: "/messages/:id{.+}",
        description: "one mail",
        answer: (context) => inbox.mail(id(context)),
      },
      {
        method: "GET",
        path: "/rendering-failures",
        query: pages,
        description: "mails that SES accepted and could not render",
        answer: (context) => inbox.list("rendering-failures", query(context)),
      },
    ];
  }

  private eventRoutes(inbox: InboxApi): readonly Route[] {
    const redrives = new Redrives(this.options.journal, this.options.failureActions);
    return [
      {
        method: "GET",
        path: "/activity",
        query: pages,
        description: "the events on the buses, newest first, and what became of them",
        answer: (context) => inbox.list("activity", query(context)),
      },
      {
        method: "GET",
        path: "/activity/:id{.+}",
        description: "one event, its mails and its failure records",
        answer: (context) => inbox.event(id(context)),
      },
      {
        method: "POST",
        path: "/redrive/:id{.+}",
        description: "sends an event again that is parked, where the sandbox knows how",
        answer: (context) => redrives.redrive(id(context)),
      },
      {
        method: "POST",
        path: "/fire/:rule{.+}",
        description: "fires the scheduled rule of this name, of the default bus",
        answer: (context) => this.fire(context.req.param("rule") ?? ""),
      },
    ];
  }

  /** What the inbox page asks for. */
  private pageRoutes(inbox: InboxApi): readonly Route[] {
    return [
      {
        method: "GET",
        path: "/inbox",
        description: "the ids of all mails and events, for the inbox page",
        answer: () => inbox.index(),
      },
      {
        method: "DELETE",
        path: "/inbox",
        description: "forgets all mails and events; queues keep their messages",
        answer: () => json(this.options.journal.clear() satisfies Cleared),
      },
      {
        method: "GET",
        path: "/inbox/mails",
        query: "?id=&id=",
        description: "a row for each of these mails",
        answer: (context) => inbox.mailRows(query(context)),
      },
      {
        method: "GET",
        path: "/inbox/events",
        query: "?id=&id=",
        description: "a row for each of these events",
        answer: (context) => inbox.eventRows(query(context)),
      },
      {
        method: "GET",
        path: "/inbox/search",
        query: "?view=&q=&filter=",
        description: `the ids of the mails (view=mails) or events (view=events) that have these words; filter, of events: ${filterNames.join(", ")}`,
        answer: (context) => inbox.search(query(context)),
      },
    ];
  }

  private faultRoutes(): readonly Route[] {
    return [
      {
        method: "GET",
        path: "/faults",
        description: "what shall go wrong, and how often it did",
        answer: () => json(this.options.faults.list),
      },
      {
        method: "PUT",
        path: "/faults",
        description: "sets what shall go wrong, a JSON array: see the emulator's README",
        answer: async (context) => this.setFaults(await context.req.text()),
      },
      {
        method: "DELETE",
        path: "/faults",
        description: "nothing goes wrong any more",
        answer: () => this.setFaults("[]"),
      },
    ];
  }

  /** What the gateway is, and how far it is. */
  private stateRoutes(): readonly Route[] {
    const { journal, background, info } = this.options;
    return [
      {
        method: "GET",
        path: "/metrics",
        description: "what CloudWatch would count and is not emulated otherwise",
        answer: () =>
          json({
            InvocationsFailedToBeSentToDlq: journal.invocationsFailedToBeSentToDlq,
            DestinationDeliveryFailures: journal.destinationDeliveryFailures,
          } satisfies Metrics),
      },
      {
        method: "GET",
        path: "/pending",
        description: "how much of what goes on by itself is not done: deliveries, retries, batches",
        answer: () => json({ tasks: background.pending } satisfies Pending),
      },
      {
        method: "GET",
        path: "/notes",
        description: "what a user of the sandbox should know",
        answer: () => json(journal.notes),
      },
      { method: "GET", path: "/info", description: "what this sandbox is", answer: () => json(info()) },
      {
        method: "GET",
        path: "/health",
        description: "200 when it is ready, 503 until then",
        answer: () =>
          this.isReady
            ? json({ status: "ready" } satisfies Health)
            : json({ status: "starting" } satisfies Health, 503),
      },
      {
        method: "GET",
        path: "/stream",
        description: "server-sent events: which mails and events changed",
        answer: ({ env }) => {
          // A HEAD has no body, so nothing would ever end its answer.
          if (env.incoming.method === "HEAD") return new Response(null, { headers: streamHeaders });
          this.stream.open(env.incoming, env.outgoing);
          return RESPONSE_ALREADY_SENT;
        },
      },
    ];
  }

  private application(routes: readonly Route[]): Hono<Env> {
    const application = new Hono<Env>();
    application.use(async (context, next) => {
      const { pathname } = new URL(context.req.url);
      if (!isDecodable(pathname)) {
        return problem({ message: `${pathname} is not a path: a "%" has to be written as "%25".` }, 400);
      }
      await next();
      if (context.res !== RESPONSE_ALREADY_SENT) {
        for (const [name, value] of Object.entries(headers)) context.res.headers.set(name, value);
      }
      return undefined;
    });
    application.get(root, (context) => context.redirect(`${root}/`, 308));
    for (const { method, path, answer } of routes) {
      application.on(method, root + path, async (context) => {
        const answered = await answer(context);
        return answered instanceof Response ? answered : responseOf(answered);
      });
    }
    const { assetsDirectory, pages = [] } = this.options;
    if (assetsDirectory !== undefined) {
      serveFolder(application, { at: root, directory: assetsDirectory, paths: ["/", pageFile], pageHeaders });
    }
    for (const { name, directory } of pages) {
      const at = `${root}/pages/${name}`;
      application.get(at, (context) => context.redirect(`${at}/`, 308));
      serveFolder(application, { at, directory, paths: ["/*"], pageHeaders: givenPageHeaders });
    }
    const described = [
      `GET ${root}/: the inbox page`,
      `GET ${root}/pages/<name>/: the folders that were given: ${pages.map(({ name }) => name).join(", ") || "none"}`,
      ...routes.map(describeRoute),
    ];
    application.notFound(({ req }) =>
      problem({ message: `There is no ${req.method} ${new URL(req.url).pathname}.`, routes: described }, 404),
    );
    application.onError((error) => problem({ message: `The gateway failed: ${stackOf(error)}` }, 500));
    return application;
  }

  private setFaults(body: string): Answer {
    const { faults } = this.options;
    try {
      faults.set(JSON.parse(body));
    } catch (error) {
      if (error instanceof InvalidFaults) {
        return json({ message: error.message, problems: error.message.split("\n") } satisfies Problem, 400);
      }
      if (error instanceof SyntaxError) {
        return json({ message: `The body is no JSON: ${error.message}` } satisfies Problem, 400);
      }
      throw error;
    }
    return json(faults.list);
  }

  private async fire(ruleName: string): Promise<Answer> {
    const result = await this.options.buses.fire(ruleName);
    if (!("problem" in result)) return json(result satisfies Fired);
    switch (result.problem) {
      case "unknown":
        return json(
          {
            message: `The default bus has no rule "${ruleName}". Its scheduled rules: ${result.scheduled.join(", ") || "none"}.`,
            scheduledRules: result.scheduled,
          } satisfies Problem,
          404,
        );
      case "disabled":
        return json({ message: `The rule "${ruleName}" is disabled. Enable it first.` } satisfies Problem, 409);
      case "not scheduled":
        return json(
          {
            message: `The rule "${ruleName}" has no schedule. Put an event that it matches instead.`,
          } satisfies Problem,
          400,
        );
    }
  }

  private async mailFile(id: string): Promise<Answer> {
    const mail = this.options.journal.mails.get(id);
    if (mail === undefined) return noMail(id);
    return {
      status: 200,
      headers: {
        "content-type": "message/rfc822",
        "content-disposition": `attachment; filename="${id.replace(/[^\w.-]/g, "_")}.eml"`,
      },
      body: await toMime(mail),
    };
  }
}

interface ServedFolder {
  /** The path that the folder stands for, without a slash behind it. */
  readonly at: string;
  readonly directory: string;
  /** Below `at`, as hono writes them. */
  readonly paths: readonly string[];
  readonly pageHeaders: Readonly<Record<string, string>>;
}

function serveFolder(application: Hono<Env>, { at, directory, paths, pageHeaders }: ServedFolder): void {
  const serve = serveStatic<Env>({ root: directory, rewriteRequestPath: (path) => path.slice(at.length) });
  for (const path of paths) {
    application.get(at + path, async (context, next) => {
      const served = await serve(context, next);
      if (served instanceof Response) {
        for (const [name, value] of Object.entries(pageHeaders)) served.headers.set(name, value);
      }
      return served;
    });
  }
}

const id = (context: Context<Env>) => context.req.param("id") ?? "";
const query = (context: Context<Env>) => new URL(context.req.url).searchParams;

/** `GET /_sandbox/messages/<id>.eml: one mail as a file` */
function describeRoute({ method, path, query = "", description }: Route): string {
  const written = path.replace(/:(\w+)(?:\{([^}]*)\})?/g, (_, name: string, pattern = "") =>
    (pattern as string).endsWith("\\.eml") ? `<${name}>.eml` : `<${name}>`,
  );
  return `${method} ${root}${written}${query}: ${description}`;
}

function responseOf({ status, headers: given, body }: Answer): Response {
  const lines = Object.entries(given).map(([name, value]): [string, string] => [name, String(value)]);
  return new Response(new Uint8Array(body), { status, headers: lines });
}

const problem = (body: Problem, status: number): Response => responseOf(json(body, status));
