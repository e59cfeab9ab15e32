import { type IncomingMessage, type ServerResponse } from "node:http";
import { type StreamMessage } from "../wire";
import { type Change, type Journal } from "./journal";

export const streamHeaders = { "content-type": "text/event-stream" };
const heartbeatMs = 15_000;
/** The pause between two announcements, which turns thousands of changes a second into a few announcements. */
const pauseMs = 100;
/** How much may wait for a client that does not read, for example a tab in the background. */
const mostUnreadBytes = 1_048_576;

/** Server-sent events: which mails and events changed, so that a page asks for these only. */
export class ChangeStream {
  private readonly streams = new Set<ServerResponse>();
  /** Clients that left too much unread. They are told to start afresh when they read again. */
  private readonly behind = new Set<ServerResponse>();
  private readonly heartbeat: NodeJS.Timeout;
  private readonly mails = new Set<string>();
  private readonly events = new Set<string>();
  /** A page that knows what is gone has to start afresh. */
  private isCleared = false;
  private pending: NodeJS.Timeout | undefined;

  constructor(
    private readonly journal: Journal,
    private readonly headers: Readonly<Record<string, string>>,
  ) {
    journal.onChange((change) => {
      this.take(change);
    });
    this.heartbeat = setInterval(() => {
      for (const stream of this.streams) stream.write(": alive\n\n");
    }, heartbeatMs);
    this.heartbeat.unref();
  }

  open(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { ...this.headers, ...streamHeaders });
    response.write(this.message("change", { mails: [], events: [] }));
    this.streams.add(response);
    response.on("drain", () => {
      if (this.behind.delete(response)) response.write(this.message("restart", { mails: [], events: [] }));
    });
    request.on("close", () => {
      this.streams.delete(response);
      this.behind.delete(response);
    });
  }

  close(): void {
    clearInterval(this.heartbeat);
    clearTimeout(this.pending);
    for (const stream of this.streams) stream.end();
  }

  private take({ mails, events, isCleared }: Change): void {
    if (isCleared === true) {
      this.mails.clear();
      this.events.clear();
      this.isCleared = true;
    }
    for (const key of mails) this.mails.add(key);
    for (const key of events) this.events.add(key);
    this.pending ??= setTimeout(() => {
      this.announce();
    }, pauseMs);
  }

  /** Sends one message for everything that changed since the last one. */
  private announce(): void {
    this.pending = undefined;
    const message = this.message(this.isCleared ? "restart" : "change", {
      mails: [...this.mails],
      events: [...this.events],
    });
    this.mails.clear();
    this.events.clear();
    this.isCleared = false;
    for (const stream of this.streams) {
      if (stream.writableLength > mostUnreadBytes) this.behind.add(stream);
      else if (!this.behind.has(stream)) stream.write(message);
    }
  }

  private message(name: "change" | "restart", { mails, events }: Change): string {
    const { journal } = this;
    const data: StreamMessage = {
      messages: journal.messageCount,
      activity: journal.events.size,
      failed: journal.failed,
      dropped: { mails: journal.mails.dropped, events: journal.events.dropped },
      mails,
      events,
      parents: parentsOf(journal, events),
    };
    return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  }
}

/** By the key of an event, the key of the one that it belongs to; of those that belong to one. */
export const parentsOf = (journal: Journal, keys: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    keys.flatMap((key) => {
      const parent = journal.parentKeyOf(key);
      return parent === undefined ? [] : [[key, parent]];
    }),
  );
