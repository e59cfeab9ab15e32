import * as z from "zod";
import { checkEmailAddress, mailboxOf } from "../contract/email-address";
import { type RefusedRecipient } from "./define";

/** SES takes 50 recipients a message (https://docs.aws.amazon.com/ses/latest/dg/quotas.html); an event takes as many. */
export const maximumRecipients = 50;

/**
 * Schema of a field that holds an address or a list of them, as the event has it: the entries are checked behind the
 * schema, one by one, so that a bad one keeps the mail from nobody else.
 */
export const addressesSchema = z
  .custom<string | readonly string[]>((value) => value !== undefined && value !== null, "names nobody to mail")
  .meta({
    anyOf: [
      { type: "string", format: "email" },
      { type: "array", items: { type: "string", format: "email" }, minItems: 1, maxItems: maximumRecipients },
    ],
  });

interface Addresses {
  /** One a mailbox, in the form that came first. */
  readonly addresses: readonly string[];
  readonly refused: readonly RefusedRecipient[];
}

/**
 * Whom an event names. Every entry counts, also one that repeats another: a producer can tell the number by itself.
 * @param named what the event has: an address, a list, or whatever else it put there.
 * @returns the problem as a sentence, without a value, where no mail can go to anybody.
 */
export function readRecipients(named: unknown): Addresses | { readonly problem: string } {
  if (named === undefined || named === null) return { problem: "It names nobody to mail." };
  const entries: readonly unknown[] = Array.isArray(named) ? named : [named];
  if (entries.length === 0) return { problem: "Its list of recipients is empty." };
  if (entries.length > maximumRecipients) {
    return { problem: `It names ${entries.length} recipients, and an event takes ${maximumRecipients}.` };
  }
  const read = readEntries(entries);
  if (read.addresses.length > 0) return read;
  return {
    problem: entries.length === 1 ? `Its recipient ${tellFirst(read)}.` : `No recipient can be mailed: ${tell(read)}.`,
  };
}

/**
 * Where the event wants its replies. A bad address refuses the event: an answer that goes astray is lost to both.
 * SES names no limit for these; that of the recipients bounds them.
 */
export function readReplyTo(named: unknown): readonly string[] | { readonly problem: string } {
  if (named === undefined || named === null) return [];
  const entries: readonly unknown[] = Array.isArray(named) ? named : [named];
  if (entries.length > maximumRecipients) {
    return { problem: `It names ${entries.length} addresses for replies, and an event takes ${maximumRecipients}.` };
  }
  const read = readEntries(entries);
  if (read.refused.length === 0) return read.addresses;
  return {
    problem:
      entries.length === 1
        ? `Its address for replies ${tellFirst(read)}.`
        : `Of its addresses for replies, ${tell(read)}.`,
  };
}

function readEntries(entries: readonly unknown[]): Addresses {
  const byMailbox = new Map<string, string>();
  const refused: RefusedRecipient[] = [];
  entries.forEach((entry, index) => {
    const { address, problem } = typeof entry === "string" ? checkEmailAddress(entry) : { problem: kindOf(entry) };
    if (problem !== undefined) refused.push({ position: index + 1, problem });
    else if (!byMailbox.has(mailboxOf(address))) byMailbox.set(mailboxOf(address), address);
  });
  return { addresses: [...byMailbox.values()], refused };
}

/** What an entry is that is no text. */
function kindOf(entry: unknown): string {
  if (entry === null || entry === undefined) return "is missing";
  if (Array.isArray(entry)) return "is a list itself: name each address by itself";
  return `is ${typeof entry === "object" ? "an object" : `a ${typeof entry}`}, and has to be a text`;
}

const mostTold = 5;

function tell({ refused }: Addresses): string {
  const told = refused.slice(0, mostTold).map(({ position, problem }) => `number ${position} ${problem}`);
  const others = refused.length - told.length;
  return `${told.join("; ")}${others > 0 ? `; and ${others} more` : ""}`;
}

function tellFirst({ refused: [first] }: Addresses): string {
  return first?.problem ?? "is missing";
}
