import { parentsOf } from "./change-stream";
import { failedFates, type Fate } from "./fate";
import { type Answer, json } from "./http";
import { type BusEvent, type Delivery, type Journal, type Mail } from "./journal";
import { type MailNews, newsOf } from "./mail-news";
import { type Newest } from "./newest";
import { type SandboxApiOptions } from "./sandbox-api";
import {
  type EventDetails,
  type EventRow,
  type FailureRecord,
  type JournalIndex,
  type MailDetails,
  type MailRow,
  type SearchResult,
  type ShownDelivery,
} from "../wire";

/** The lists that scripts read, a page at a time. Without a limit a page has this many: more would be tens of megabytes. */
export const largestPage = 1000;
/** The rows that the inbox page asks for at once. */
const mostRows = 200;

const lists = {
  messages: "mail",
  "rendering-failures": "mail",
  activity: "event",
} as const;
type List = keyof typeof lists;

/** The journal, as scripts and the inbox page read it. */
export class InboxApi {
  private readonly journal: Journal;

  constructor(private readonly options: Pick<SandboxApiOptions, "journal" | "failureActions" | "retentionOf">) {
    this.journal = options.journal;
  }

  /** @param query `limit` and `before` */
  list(list: List, query: URLSearchParams): Answer {
    const { mails, events } = this.journal;
    switch (list) {
      case "messages":
        return page(list, query, mails, (mail) => mail.renderError === undefined && mail);
      case "rendering-failures":
        return page(list, query, mails, (mail) => mail.renderError !== undefined && mail);
      case "activity":
        return page(list, query, events, (event) => event.toJSON());
    }
  }

  /** @param query an `id` for each row */
  mailRows(query: URLSearchParams): Answer {
    return rowsOf(query, this.journal.mails, mailRow);
  }

  /** @param query an `id` for each row */
  eventRows(query: URLSearchParams): Answer {
    return rowsOf(query, this.journal.events, (event, key) => this.eventRow(event, key));
  }

  mail(key: string): Answer {
    const mail = this.journal.mails.get(key);
    if (mail === undefined) return noMail(key);
    return json({ ...mail, id: key, eventKey: this.journal.eventKeyOf(mail) } satisfies MailDetails);
  }

  /** With what belongs to it: its mails, and the events that carry the record of its failure. */
  async event(key: string): Promise<Answer> {
    const event = this.journal.events.get(key);
    if (event === undefined) {
      return json({ message: `There is no event with the id "${key}". GET /_sandbox/activity lists them.` }, 404);
    }
    const mails = this.journal.mailKeysOf(event.id).flatMap((mailKey) => {
      const mail = this.journal.mails.get(mailKey);
      return mail === undefined ? [] : [mailRow(mail, mailKey)];
    });
    const failures = this.journal.failureKeysOf(event.id).flatMap((failureKey) => {
      const failure = this.journal.events.get(failureKey);
      return failure === undefined ? [] : [{ id: failureKey, detailType: failure.detailType, bus: failure.bus }];
    });
    const children = this.journal.childKeysOf(key).flatMap((childKey) => {
      const child = this.journal.events.get(childKey);
      return child === undefined ? [] : [this.eventRow(child, childKey)];
    });
    const fate = this.journal.fateOf(key);
    const keptUntil = await this.keptUntil(event);
    const news = newsOf(this.journal, event, key);
    return json({
      ...event.toJSON(),
      id: key,
      fate,
      deliveries: event.deliveries.map((delivery) => withNews(delivery, news.of(delivery))),
      records: this.recordsOf(event),
      mails,
      failures,
      parent: this.journal.parentKeyOf(key),
      children,
      ...(news.all === undefined ? {} : { mailNews: news.all }),
      ...(keptUntil === undefined ? {} : { keptUntil }),
      ...(fate === "parked" ? this.whatToDo(event) : {}),
    } satisfies EventDetails);
  }

  private whatToDo({ id, records }: BusEvent): Pick<EventDetails, "redriveCommand" | "redriveAdvice"> {
    const { failureActions } = this.options;
    if (failureActions === undefined) return {};
    const redriveAdvice = failureActions.adviceFor?.(records.at(-1)?.reason ?? "", id);
    return {
      redriveCommand: failureActions.commandFor(id),
      ...(redriveAdvice === undefined ? {} : { redriveAdvice }),
    };
  }

  /** Until when the queue that has the event's record keeps it. */
  private async keptUntil({ records }: BusEvent): Promise<string | undefined> {
    const record = records.at(-1);
    if (record === undefined || record.leftAt !== undefined) return undefined;
    const seconds = await this.options.retentionOf?.(record.queueArn);
    return seconds === undefined ? undefined : new Date(Date.parse(record.time) + seconds * 1000).toISOString();
  }

  /** What the page has to know of everything; rows and contents it asks for as they are looked at. */
  index(): Answer {
    const { mails, events, failed } = this.journal;
    return json({
      mails: mails.keys(),
      events: events.keys(),
      failed,
      dropped: { mails: mails.dropped, events: events.dropped },
      parents: parentsOf(this.journal, events.keys()),
      // For a command that puts an event.
      example: {
        bus: events.items().find(({ bus }) => bus !== "default")?.bus,
      },
    } satisfies JournalIndex);
  }

  search(query: URLSearchParams): Answer {
    const words = (query.get("q") ?? "").toLowerCase().split(/\s+/);
    const matches = (fields: readonly (string | undefined)[]) => {
      const text = fields.join("\n").toLowerCase();
      return words.every((word) => text.includes(word));
    };
    const { mails, events } = this.journal;
    if (query.get("view") === "events") {
      const filter = query.get("filter") ?? "all";
      if (!isFilter(filter)) return badRequest(`filter is "${filter}": use one of ${filterNames.join(", ")}.`);
      const ids = events.keys().filter((key) => {
        const event = events.get(key);
        const fate = this.journal.fateOf(key);
        return event !== undefined && filters[filter](event, fate) && matches([key, fate, event.text]);
      });
      return json({ ids } satisfies SearchResult);
    }
    const ids = mails.keys().filter((key) => {
      const mail = mails.get(key);
      if (mail === undefined) return false;
      const { subject, from, to, cc, bcc, template } = mail;
      const detailType = events.get(this.journal.eventKeyOf(mail) ?? "")?.detailType;
      return matches([subject, from, ...to, ...cc, ...bcc, template, detailType]);
    });
    return json({ ids } satisfies SearchResult);
  }

  private eventRow(event: BusEvent, key: string): EventRow {
    const { time, bus, source, detailType, deliveries, notice, nearest } = event;
    const { all: mailNews } = newsOf(this.journal, event, key);
    return {
      id: key,
      time,
      bus,
      source: cut(source),
      detailType: cut(detailType),
      about: aboutOf(event),
      fate: this.journal.fateOf(key),
      ...(notice === undefined ? {} : { notice: { ...notice, text: cut(notice.text) } }),
      ...(nearest === undefined ? {} : { nearestRule: nearest.rule }),
      ...(mailNews === undefined ? {} : { mailNews: { ...mailNews, bad: mailNews.bad.map(shortNews) } }),
      deliveries: deliveries.map(shortDelivery),
      records: this.recordsOf(event).map((record) => ({ ...record, reason: cut(record.reason) })),
    };
  }

  private recordsOf({ records }: BusEvent): FailureRecord[] {
    return records.map((record) => ({ ...record, isPolled: this.journal.isPolled(record.queueArn) }));
  }
}

/** An entry's id is its key: an event that a rule sends on to another bus keeps its own id there. */
function page<Item>(
  list: List,
  query: URLSearchParams,
  kept: Newest<Item>,
  entryOf: (item: Item) => object | false,
): Answer {
  const unknown = [...query.keys()].find((name) => name !== "limit" && name !== "before");
  if (unknown !== undefined) return badRequest(`"${unknown}" is unknown here: use limit and before.`);
  const limitText = query.get("limit") ?? String(largestPage);
  const limit = Number(limitText);
  if (!/^\d+$/.test(limitText) || limit < 1 || limit > largestPage) {
    return badRequest(`limit is "${limitText}": use a whole number from 1 to ${largestPage}.`);
  }
  const keys = kept.keys();
  const before = query.get("before");
  const start = before === null ? 0 : keys.indexOf(before) + 1;
  if (before !== null && start === 0) {
    return json({ message: `There is no ${lists[list]} with the id "${before}", or not any more.` }, 404);
  }
  const items: object[] = [];
  let last: string | undefined;
  for (const key of keys.slice(start)) {
    const item = kept.get(key);
    const entry = item !== undefined && entryOf(item);
    if (entry === false) continue;
    // There is one more than the page holds: so there is a next page.
    if (items.length === limit) {
      const next = `/_sandbox/${list}?limit=${limit}&before=${encodeURIComponent(last ?? "")}`;
      return json(items, 200, { link: `<${next}>; rel="next"` });
    }
    items.push({ ...entry, id: key });
    last = key;
  }
  return json(items);
}

export const noMail = (id: string): Answer =>
  json({ message: `There is no mail with the id "${id}". GET /_sandbox/messages lists them.` }, 404);

/** The events that the inbox page lists under a filter. */
const filters = {
  all: () => true,
  failed: (_: BusEvent, fate: Fate) => failedFates.has(fate),
  business: ({ origin }: BusEvent) => origin === "business",
  ses: ({ origin }: BusEvent) => origin === "ses",
};

export const filterNames = Object.keys(filters);

const isFilter = (text: string): text is keyof typeof filters => Object.hasOwn(filters, text);

const badRequest = (message: string): Answer => json({ message }, 400);

/** As long as the beginning of a text may be in a row. */
const rowCharacters = 300;

const cut = (text: string, most = rowCharacters) => (text.length <= most ? text : `${text.slice(0, most)}…`);

function rowsOf<Item>(query: URLSearchParams, kept: Newest<Item>, toRow: (item: Item, key: string) => unknown): Answer {
  const keys = query.getAll("id");
  if (keys.length > mostRows) return badRequest(`${keys.length} ids are too many: ask for ${mostRows} at a time.`);
  // One that was dropped meanwhile is left out.
  return json(
    keys.flatMap((key) => {
      const item = kept.get(key);
      return item === undefined ? [] : [toRow(item, key)];
    }),
  );
}

/** What a row of the list shows of a mail. */
function mailRow(mail: Mail, key: string): MailRow {
  const { time, from, to, subject, text, html, template, tags, renderError } = mail;
  return {
    id: key,
    time,
    from: cut(from),
    to: to.slice(0, 10).map((address) => cut(address)),
    subject: cut(subject),
    text: cut(text, 1000),
    // Only where it is what the beginning of the text is taken from.
    ...(text === "" ? { html: cut(html, 8000) } : {}),
    template: cut(template),
    tags: tags.notification === undefined ? {} : { notification: cut(tags.notification) },
    ...(renderError === undefined ? {} : { renderError: cut(renderError) }),
  };
}

/** What tells an event from the others of its type. */
function aboutOf({ detail }: BusEvent): string {
  const { emailConfig, title } = detail;
  const subject = (emailConfig as { subject?: unknown } | null | undefined)?.subject ?? title;
  return typeof subject === "string" ? cut(subject) : "";
}

const shortNews = (news: MailNews["bad"][number]) => ({ ...news, text: cut(news.text) });

const withNews = (delivery: Delivery, mailNews: MailNews | undefined): ShownDelivery =>
  mailNews === undefined ? delivery : { ...delivery, mailNews };

/** The last attempt is what a row tells of; how many there were says its number. */
function shortDelivery(delivery: Delivery): Delivery {
  return {
    ...delivery,
    attempts: delivery.attempts.slice(-1).map((attempt) => ({
      ...attempt,
      ...(attempt.errorMessage === undefined ? {} : { errorMessage: cut(attempt.errorMessage) }),
    })),
  };
}
