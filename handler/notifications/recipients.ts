import * as z from "zod/mini";
import { checkEmailAddress, mailboxOf } from "../contract/email-address";
import { type RefusedRecipient } from "./define";

/**
 * Most recipients of an event: as many as SES takes for a message
 * (https://docs.aws.amazon.com/ses/latest/dg/quotas.html).
 */
export const maximumRecipients = 50;

/**
 * Schema of a field that holds an address or a list of addresses. The schema does not check the entries:
 * `readRecipients` does so later, one by one, so that a bad address does not keep the mail from the others.
 */
export const addressesSchema = z
  .custom<string | readonly string[]>((value: unknown) => value !== undefined && value !== null, "names nobody to mail")
  .check(
    z.meta({
      anyOf: [
        { type: "string", format: "email" },
        { type: "array", items: { type: "string", format: "email" }, minItems: 1, maxItems: maximumRecipients },
      ],
    }),
  );

interface Addresses {
  /** One address for each mailbox, in the form that came first. */
  readonly addresses: readonly string[];
  readonly refused: readonly RefusedRecipient[];
}

/**
 * Reads the recipients that an event names. Repeated entries count towards the limit, so that the limit is simple for
 * producers: the length of their list.
 * @param named the value in the event: an address, a list, or anything else that the producer put there.
 * @returns the addresses and the refused entries. If nobody at all can be mailed, it returns the problem as a sentence,
 * without the values.
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
 * Reads the addresses that replies to an event's mails go to. One bad address refuses the whole event, because a reply
 * that goes nowhere is lost without anybody knowing. SES documents no limit for their number, so the one of recipients
 * is used.
 * @returns the addresses, or the problem as a sentence, without the values.
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

/** Says what an entry is that is not a text, as a phrase such as `is missing`. */
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
