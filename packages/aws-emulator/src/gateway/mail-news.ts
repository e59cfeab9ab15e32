import { failedFates } from "./fate";
import { type BusEvent, type Delivery, type Journal, type Mail } from "./journal";
import { type Notice } from "./notice";

/** The bad news of some mails. Where there is none, there is no such object. */
export interface MailNews {
  /** How many mails there are, the good ones among them. */
  readonly mails: number;
  /** What went wrong, the first to happen first. A mail counts once, for what went wrong with it first. */
  readonly bad: readonly {
    readonly kind: Notice["kind"];
    /** How many mails this happened to. */
    readonly count: number;
    /** What was said of the first of them. */
    readonly text: string;
  }[];
}

/** The bad news of the mails that an event caused: of all of them, and of those of a delivery. */
export interface EventNews {
  readonly all: MailNews | undefined;
  readonly of: (delivery: Delivery) => MailNews | undefined;
}

export function newsOf(journal: Journal, event: BusEvent, key: string): EventNews {
  const mails = mailsOf(journal, event, key);
  const notices = noticesOf(journal, key, mails);
  const ids = new Set([...mails.map(({ id }) => id), ...notices.keys()]);
  const all = summary([...ids], notices);
  const { deliveries } = event;
  return {
    all,
    of: (delivery) => {
      if (deliveries.length === 1) return all;
      const own = mails.filter((mail) => deliveryOf(mail, deliveries) === delivery);
      return summary(
        own.map(({ id }) => id),
        notices,
      );
    },
  };
}

/** The mails of the event, the oldest first. An event that is on two buses has those of its own bus. */
function mailsOf(journal: Journal, { id }: BusEvent, key: string): Mail[] {
  const mails = journal.mailKeysOf(id).flatMap((mailKey) => journal.mails.get(mailKey) ?? []);
  const own = mails.filter((mail) => journal.eventKeyOf(mail) === key).toReversed();
  return isMailedLate(journal, key) ? own.filter(({ renderError }) => renderError === undefined) : own;
}

/** A retry or a redrive has mailed the event after all, so a mail that was never rendered is no news any more. */
const isMailedLate = (journal: Journal, key: string) => journal.fateOf(key) === "late";

/** What went wrong with each mail, by the mail's id. SES may tell of a mail that the journal does not keep any more. */
function noticesOf(journal: Journal, key: string, mails: readonly Mail[]): ReadonlyMap<string, Notice> {
  const notices = new Map<string, Notice>();
  const add = (mailId: string, notice: Notice) => {
    if (!notices.has(mailId)) notices.set(mailId, notice);
  };
  for (const { id, renderError } of mails) {
    if (renderError !== undefined) add(id, { kind: "unrendered", text: renderError });
  }
  for (const childKey of journal.childKeysOf(key)) {
    const { notice, sesMail } = journal.events.get(childKey) ?? {};
    if (notice === undefined || !failedFates.has(notice.kind)) continue;
    if (notice.kind === "unrendered" && isMailedLate(journal, key)) continue;
    add(sesMail?.messageId ?? childKey, notice);
  }
  return notices;
}

function summary(ids: readonly string[], notices: ReadonlyMap<string, Notice>): MailNews | undefined {
  const bad = new Map<Notice["kind"], { kind: Notice["kind"]; count: number; text: string }>();
  for (const id of ids) {
    const notice = notices.get(id);
    if (notice === undefined) continue;
    const same = bad.get(notice.kind);
    if (same === undefined) bad.set(notice.kind, { ...notice, count: 1 });
    else same.count += 1;
  }
  return bad.size === 0 ? undefined : { mails: ids.length, bad: [...bad.values()] };
}

/** The delivery that caused a mail: the one whose run sent it, else the one of its rule, else the first. */
const deliveryOf = ({ requestId, rule }: Mail, deliveries: readonly Delivery[]): Delivery | undefined =>
  deliveries.find(
    ({ attempts }) => requestId !== undefined && attempts.some((attempt) => attempt.requestId === requestId),
  ) ??
  deliveries.find((delivery) => delivery.rule === rule) ??
  deliveries[0];
