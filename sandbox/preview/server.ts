import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { join } from "node:path";
import { watch } from "chokidar";
import { inheritedBy } from "../child-environment";
import { galleryPage } from "./gallery";
import { type Previews } from "./previews";

/** Serves the gallery while a person works on the catalogue: a change of a file makes it anew, and the page follows. */

export interface PreviewServerOptions {
  /** The checkout. @default the one of this file */
  readonly root?: string;
  /** @default any that is free */
  readonly port?: number;
  /** Is called with each reading of the catalogue but the first. */
  readonly onChange?: (previews: Previews) => void;
}

export interface PreviewServer {
  readonly url: string;
  /** What the catalogue was when the server started. */
  readonly first: Previews;
  close(): Promise<void>;
}

/** What a mail is made of: the catalogue, what its definitions import, and the compiler. */
const watched = ["handler", "stacks/templates"];

/** A save is often several changes: a file of an editor's own that takes the old one's place, or several files at once. */
const settledMs = 80;

/**
 * Listens on 127.0.0.1.
 * @throws Error where the port is in use, or where the catalogue can't be read because the process does not start.
 */
export async function startPreview(options: PreviewServerOptions = {}): Promise<PreviewServer> {
  const { root = join(__dirname, "..", ".."), port = 0, onChange = () => undefined } = options;
  const page = new LivePage();
  const server = await listen(page, port);
  const readings = new Readings(root, (previews) => {
    page.show(previews);
    onChange(previews);
  });
  // Before the first reading, so that no change is missed. Node's own `fs.watch` follows a file on Linux by its inode, and
  // no longer sees one that an editor has replaced twice.
  const watcher = watch(
    watched.map((folder) => join(root, folder)),
    { ignoreInitial: true },
  );
  const close = async () => {
    readings.close();
    await watcher.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  try {
    await new Promise<void>((resolve, reject) => watcher.once("ready", resolve).once("error", reject));
    watcher.on("all", () => {
      readings.ask();
    });
    const first = await readings.read();
    page.show(first);
    return { url: `http://127.0.0.1:${portOf(server)}/`, first, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** Reads the catalogue, one reading after another: what changes meanwhile is one more reading. */
class Readings {
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private isReading = false;
  private isAsked = false;

  constructor(
    private readonly root: string,
    private readonly onRead: (previews: Previews) => void,
  ) {}

  ask(): void {
    this.isAsked = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.run(), settledMs);
  }

  /** In a process of its own. */
  read(): Promise<Previews> {
    const child = spawn(process.execPath, ["--import", "tsx", "sandbox/preview/read.ts"], {
      cwd: this.root,
      env: inheritedBy("any"),
      // What a definition prints while it is loaded is no answer.
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      signal: this.stopping.signal,
    });
    let errors = "";
    child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    let previews: Previews | undefined;
    child.once("message", (message) => (previews = message as Previews));
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", () => {
        resolve(previews ?? { editions: [], problems: [`The catalogue can't be read.\n${errors.trim()}`] });
      });
    });
  }

  close(): void {
    clearTimeout(this.timer);
    this.stopping.abort();
  }

  private isStopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private async run(): Promise<void> {
    if (this.isReading) return;
    this.isReading = true;
    while (this.isAsked && !this.isStopped()) {
      this.isAsked = false;
      try {
        this.onRead(await this.read());
      } catch (error) {
        // The process that was ended at the close.
        if (!this.isStopped()) throw error;
      }
    }
    this.isReading = false;
  }
}

/** The page as it is now, and those who want to know when it is another. */
class LivePage {
  private html = "";
  private version = "";
  private readonly listeners = new Set<ServerResponse>();

  show(previews: Previews): void {
    this.version = createHash("sha256").update(JSON.stringify(previews)).digest("hex").slice(0, 16);
    this.html = galleryPage(previews, { version: this.version });
    for (const listener of this.listeners) this.tell(listener);
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? "").replace(/\?.*$/, "");
    if (path === "/changes") {
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      this.listeners.add(response);
      response.once("close", () => this.listeners.delete(response));
      this.tell(response);
    } else if (path === "/") {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" });
      response.end(this.html);
    } else {
      response.writeHead(404, { "content-type": "text/plain" }).end("There is only one page: /\n");
    }
  }

  private tell(listener: ServerResponse): void {
    listener.write(`data: ${this.version}\n\n`);
  }
}

function listen(page: LivePage, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    // A page of another origin can have its name point to this machine, and would then read the mails.
    if (!isOwnHost(request.headers.host, portOf(server))) {
      response.writeHead(403, { "content-type": "text/plain" }).end("The preview answers as 127.0.0.1 only.\n");
      return;
    }
    for (const [name, value] of Object.entries(protection)) response.setHeader(name, value);
    page.answer(request, response);
  });
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const message = `Port ${port} of 127.0.0.1 is in use: choose another with --port, or leave it out.`;
      reject(error.code === "EADDRINUSE" ? new Error(message, { cause: error }) : error);
    });
    server.listen(port, "127.0.0.1", () => {
      resolve(server);
    });
  });
}

const isOwnHost = (host: string | undefined, port: number): boolean =>
  ["127.0.0.1", "localhost"].some((name) => host === `${name}:${port}`);

/** No page of another origin frames or loads the page. */
const protection = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cross-origin-resource-policy": "same-origin",
};
