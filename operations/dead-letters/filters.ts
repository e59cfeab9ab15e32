import { hashRecipient } from "../../handler/contract/recipient-hash";
import { UsageError } from "../command";
import { parseDuration } from "../text";
import { type ParkedMessage } from "./parked-message";

type Matches = (message: ParkedMessage, now: number) => boolean;

export interface Filter {
  readonly matches: Matches;
  /** Hashes of the recipients that the filters name. Actions on single mails are limited to these recipients. */
  readonly recipients: ReadonlySet<string>;
}

const kinds: Readonly<Record<string, (value: string) => Matches>> = {
  reason: (value) => (message) => message.reason.type.toLowerCase() === value.toLowerCase(),
  notification: (value) => (message) => message.notification?.id === value,
  event: (value) => (message) => message.eventId === value,
  message: (value) => (message) => message.messageId === value,
  recipient: (value) => {
    const hash = recipientHashOf(value);
    return ({ recipients, failures }) =>
      recipients.some((address) => hashRecipient(address) === hash) ||
      failures.some(({ recipient }) => recipient === hash);
  },
  "older-than": (value) => {
    const age = parseDuration(value);
    if (age === undefined) throw new UsageError(`--filter older-than=${value} is no duration: use 90s, 30m, 2h or 3d`);
    return (message, now) => now - ageFrom(message) > age;
  },
};

/**
 * Reads the values of `--filter`. A message has to match every kind of filter that is given; if a kind is given several
 * times, one of its values is enough.
 * @throws UsageError if a filter is not understood.
 */
export function parseFilters(texts: readonly string[]): Filter {
  const byKind = new Map<string, Matches[]>();
  const recipients = new Set<string>();
  for (const text of texts) {
    const at = text.indexOf("=");
    const kind = at < 0 ? text : text.slice(0, at);
    // The value is not trimmed, because a producer may choose an event id with blanks.
    const value = at < 0 ? "" : text.slice(at + 1);
    if (!Object.hasOwn(kinds, kind) || value.trim() === "") {
      throw new UsageError(`--filter ${text} is not understood: use ${Object.keys(kinds).join("=.., ")}=..`);
    }
    const matches = kinds[kind]?.(value);
    if (matches !== undefined) byKind.set(kind, [...(byKind.get(kind) ?? []), matches]);
    if (kind === "recipient") recipients.add(recipientHashOf(value));
  }
  return {
    matches: (message, now) => [...byKind.values()].every((some) => some.some((matches) => matches(message, now))),
    recipients,
  };
}

/** @throws UsageError if the value is neither an address nor a hash. */
function recipientHashOf(value: string): string {
  if (/^[\da-f]{12}$/i.test(value)) return value.toLowerCase();
  if (value.includes("@")) return hashRecipient(value);
  throw new UsageError(
    `--filter recipient=${value} is neither an address nor a recipient's hash, which has 12 hexadecimal digits.`,
  );
}

/** Time from which the age of a parked event is counted, in milliseconds since 1970. */
export function ageFrom({ eventTime, queuedAt }: ParkedMessage): number {
  return eventTime ?? queuedAt;
}
