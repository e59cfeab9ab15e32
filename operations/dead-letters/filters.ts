import { parseDuration } from "../text";
import { type ParkedMessage } from "./parked-message";

export type Filter = (message: ParkedMessage, now: number) => boolean;

const kinds: Readonly<Record<string, (value: string) => Filter>> = {
  reason: (value) => (message) => message.reason.type.toLowerCase() === value.toLowerCase(),
  notification: (value) => (message) => message.notification?.id === value,
  event: (value) => (message) => message.eventId === value,
  message: (value) => (message) => message.messageId === value,
  "older-than": (value) => {
    const age = parseDuration(value);
    if (age === undefined) throw new UsageError(`--filter older-than=${value} is no duration: use 90s, 30m, 2h or 3d`);
    return (message, now) => now - ageFrom(message) > age;
  },
};

/** The command was called in a way that it does not know. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * Several values of one kind: any of them. Several kinds: all of them.
 * @throws UsageError
 */
export function parseFilters(texts: readonly string[]): Filter {
  const byKind = new Map<string, Filter[]>();
  for (const text of texts) {
    const at = text.indexOf("=");
    const kind = at < 0 ? text : text.slice(0, at);
    const value = at < 0 ? "" : text.slice(at + 1).trim();
    if (!Object.hasOwn(kinds, kind) || value === "") {
      throw new UsageError(`--filter ${text} is not understood: use ${Object.keys(kinds).join("=.., ")}=..`);
    }
    const filter = kinds[kind]?.(value);
    if (filter !== undefined) byKind.set(kind, [...(byKind.get(kind) ?? []), filter]);
  }
  return (message, now) => [...byKind.values()].every((filters) => filters.some((matches) => matches(message, now)));
}

/** What the age of a parked event is counted from. */
export function ageFrom({ eventTime, queuedAt }: ParkedMessage): number {
  return eventTime ?? queuedAt;
}
