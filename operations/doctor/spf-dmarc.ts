import { isIP } from "node:net";
import { spfOfSes } from "../../stacks/dns-records";
import { type Verdict, warn } from "./check";

/** What SPF and DMARC records say beside what the stage needs. A record that is as the stage makes it has none of it. */

/** @returns the texts of a name's TXT records; none where DNS has none, or does not answer. */
export type ReadTexts = (name: string) => Promise<readonly string[]>;

/** The version has to be the whole first word, in any case for SPF (RFC 7208, 4.5), and up to a semicolon for DMARC. */
export const isOf =
  (version: string) =>
  (text: string): boolean =>
    text.split(/[\s;]/, 1)[0]?.toLowerCase() === version.toLowerCase();

/** An SPF record may name other senders as well. */
export function allowsSes(text: string): boolean {
  return termsOf(text).some((term) => term === spfOfSes || term === `+${spfOfSes}`);
}

const isAll = (term: string): boolean => /^[+?~-]?all$/.test(term);

/** The terms of an SPF record, without its version. What stands behind `all` is never read (RFC 7208, 5.1). */
function termsOf(text: string): string[] {
  const terms = text.toLowerCase().trim().split(/\s+/).slice(1);
  const end = terms.findIndex(isAll);
  return end === -1 ? terms : terms.slice(0, end + 1);
}

/** The most terms that ask DNS, those of included records too (RFC 7208, 4.6.4). */
const mostLookUps = 10;

/** Why receivers may do something else than the record's owner meant. */
export async function spfRemarks(name: string, text: string, read: ReadTexts): Promise<Verdict[]> {
  const all = termsOf(text);
  // Nothing behind `all` is evaluated, but all of it is parsed.
  const unknown = text
    .trim()
    .split(/\s+/)
    .slice(1)
    .filter((term) => !isTerm(term.toLowerCase()));
  const last = all.at(-1) ?? "";
  const lookUps = await countLookUps(text, read);
  return [
    ...(unknown.length === 0
      ? []
      : [
          warn(
            `SPF ${name} has ${unknown.map((term) => `"${term}"`).join(", ")}, which SPF does not know: receivers then ignore the whole record (RFC 7208, 4.6).`,
            `Correct or remove ${unknown.join(", ")} in the TXT record ${name}.`,
          ),
        ]),
    ...(last === "all" || last === "+all"
      ? [
          warn(
            `SPF ${name} ends with ${last}: everybody may send for the domain.`,
            spfEnd(name, `~all in place of ${last}`),
          ),
        ]
      : []),
    ...(last === "?all" || !(isAll(last) || all.some((term) => term.startsWith("redirect=")))
      ? [
          warn(
            `SPF ${name} ${last === "?all" ? "ends with ?all" : "has no all at its end"}: it says nothing of those whom it does not name, so anybody may send for the domain.`,
            spfEnd(name, last === "?all" ? "~all in place of ?all" : "~all at its end"),
          ),
        ]
      : []),
    ...(lookUps > mostLookUps
      ? [
          warn(
            `SPF ${name} needs more than ${mostLookUps} look-ups in DNS, and receivers then may ignore it (RFC 7208, 4.6.4).`,
            `Take senders out of the TXT record ${name} that do not send for it: each include, a, mx, ptr, exists and redirect is one, and so are those of an included record.`,
          ),
        ]
      : []),
  ];
}

const spfEnd = (name: string, what: string): string => `Write ${what} in the TXT record ${name}.`;

/**
 * Whether it is a term of RFC 7208, 4.6.1. A modifier that is not known is no fault, because receivers leave it out
 * (RFC 7208, 6).
 */
function isTerm(term: string): boolean {
  const [, mechanism = "", value] = /^[+?~-]?(all|include|a|mx|ptr|ip4|ip6|exists)(?:[:/](.*))?$/.exec(term) ?? [];
  if (/^ip[46]$/.test(mechanism)) {
    const [address = "", length = "0", ...others] = (value ?? "").split("/");
    const version = Number(mechanism.slice(2));
    return (
      isIP(address) === version &&
      /^\d+$/.test(length) &&
      Number(length) <= (version === 4 ? 32 : 128) &&
      others.length === 0
    );
  }
  // `a:` and `mx:` want a domain behind the colon.
  if (/^(?:a|mx|ptr)$/.test(mechanism) && value === "") return false;
  if (mechanism === "include" || mechanism === "exists") return Boolean(value) && !term.includes(`${mechanism}/`);
  return mechanism === "all" ? value === undefined : mechanism !== "" || /^[a-z][\w.-]*=/.test(term);
}

/**
 * Counts the terms that ask DNS, in the record and in those that it includes.
 * @returns one more than `mostLookUps` where there are more. A record that DNS does not have, or whose name depends on the mail
 * (a macro), counts as the one look-up of its name.
 */
async function countLookUps(text: string, read: ReadTexts): Promise<number> {
  let count = 0;
  const waiting = [text];
  for (let record = waiting.shift(); record !== undefined; record = waiting.shift()) {
    const terms = termsOf(record);
    for (const term of terms) {
      const [, kind, domain = ""] = /^[+?~-]?(include|exists|redirect|ptr|mx|a)(?:[:=/](.*))?$/.exec(term) ?? [];
      // With `all`, no redirect is followed (RFC 7208, 6.1).
      if (kind === undefined || (kind === "redirect" && terms.some(isAll))) continue;
      count += 1;
      if (count > mostLookUps) return count;
      if ((kind !== "include" && kind !== "redirect") || domain.includes("%")) continue;
      const included = (await read(domain)).find(isOf("v=spf1"));
      if (included !== undefined) waiting.push(included);
    }
  }
  return count;
}

const strictness = ["none", "quarantine", "reject"];

/** A DMARC record may be stricter than the expected one, and have further tags, and further receivers of reports. */
export function keepsPolicy(text: string, expected: string): boolean {
  const [found, wanted] = [tagsOf(text), tagsOf(expected)];
  const [is, atLeast] = [found, wanted].map((tags) => strictness.indexOf(tags.get("p")?.toLowerCase() ?? ""));
  const reports = found
    .get("rua")
    ?.split(",")
    .map((each) => each.trim().split("!")[0]);
  return (is ?? -1) >= (atLeast ?? 0) && (!wanted.has("rua") || reports?.includes(wanted.get("rua")) === true);
}

interface DmarcUse {
  /** Whether the record is that of a parent domain, whose `sp` counts for this one. */
  readonly isOfParent: boolean;
  /** Whether the stage mails whom it likes, as production does. */
  readonly mailsEverybody: boolean;
}

/** Why receivers do less with mail that fails than the record seems to say. */
export function dmarcRemarks(name: string, text: string, { isOfParent, mailsEverybody }: DmarcUse): Verdict[] {
  const tags = tagsOf(text);
  const subdomains = isOfParent ? tags.get("sp") : undefined;
  const policy = `${subdomains === undefined ? "p" : "sp"}=${subdomains ?? tags.get("p") ?? ""}`;
  if (policy.toLowerCase().endsWith("=none")) {
    return mailsEverybody
      ? [
          warn(
            `DMARC ${name} says ${policy}: mail that others send in the domain's name arrives, and this stage may mail everybody.`,
            "Read the reports until all mail of the domain passes, and then go on to quarantine and reject (docs/deploy.md, Send from a domain).",
          ),
        ]
      : [];
  }
  const percent = tags.get("pct") ?? "";
  return [
    ...(/^0+$/.test(percent)
      ? [
          warn(
            `DMARC ${name} says ${policy} for pct=${percent}, which is no mail at all (RFC 7489, 6.6.4).`,
            `Take pct out of the TXT record ${name}.`,
          ),
        ]
      : []),
    ...(tags.get("t")?.toLowerCase() === "y"
      ? [
          warn(
            `DMARC ${name} says ${policy} in test mode (t=y): receivers apply the next laxer policy.`,
            `Take t=y out of the TXT record ${name}.`,
          ),
        ]
      : []),
  ];
}

/** The names of tags are taken in any case, as receivers do. */
function tagsOf(text: string): Map<string, string> {
  return new Map(
    text.split(";").map((part) => {
      const [name = "", ...value] = part.split("=");
      return [name.trim().toLowerCase(), value.join("=").trim()];
    }),
  );
}
