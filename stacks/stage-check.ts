import { inspect } from "node:util";
import emailProviders from "email-providers/all.json";
import { getDomain } from "tldts";
import * as z from "zod";
import { checkEmailAddress, domainOf, parseEmailAddress } from "../handler/contract/email-address";
import { allowsRecipient, type RecipientPolicy } from "../handler/contract/recipient-policy";
import { longestSendMs } from "../handler/pacer";
import { similarName } from "../handler/notifications/problems";
import { lanes } from "./lanes";
import { leastConcurrency } from "./send-budget";
import { reasonProblem } from "./reason";
import { logRetentionDays, type StageSettings, stageWords } from "./stages";

/**
 * Checks of a stage's entry in stacks/stages.ts. TypeScript checks a part of it, but the synth runs without a type check,
 * and no type keeps out -1 or NaN.
 */

const whole = (least: number, most: number, why: string) =>
  z.custom<number>(
    (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
    `has to be a whole number from ${least} to ${most}, ${why}`,
  );

const flag = z.custom<boolean>((value) => typeof value === "boolean", "has to be true or false");
const text = z.custom<string>((value) => typeof value === "string" && value.trim() !== "", "has to be a text");
const texts = z.custom<readonly string[]>(
  (value) => Array.isArray(value) && value.every((each) => typeof each === "string"),
  'has to be a list of texts, such as ["you@example.com"]',
);
const oneOf = (values: readonly unknown[]) =>
  z.custom<never>((value) => values.includes(value), `has to be one of ${values.join(", ")}`);

/** What a setting with several values is, with an example for the message. */
const shaped = (example: string) => `has to be an object such as ${example}`;

const stageName = new RegExp(`^(?:${stageWords.join("|")})\\d*$`);

/** Whether a stage can be called so: without a hyphen, and as no part of a project's name behind a hyphen. */
export const isStageName = (text: string): boolean => stageName.test(text);

/** What names a sender in a definition: short, and without characters that would have to be quoted. */
const senderName = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Time-outs of this many seconds and fewer leave no time for a single send. */
const sendSeconds = longestSendMs / 1000;

/** The smallest send rate: a bulk event with the most recipients takes more than 10 minutes, and a run lasts 15 at most. */
const leastRate = 0.1;

const leastConcurrencyWhy = "because the retries alone take two runs, and events should not wait behind them";

/** The largest number that an API of AWS takes where its type is `Integer`. */
const largestInteger = 2_147_483_647;

const allowedRecipientsSchema = z.union(
  [
    z.literal("recipients-only"),
    z.strictObject({ mode: z.literal("restricted"), addresses: texts, domains: texts }),
    z.strictObject({ mode: z.literal("unrestricted"), reason: z.string() }),
  ],
  'has to be "recipients-only", { mode: "restricted", addresses: [..], domains: [..] } or { mode: "unrestricted", reason: ".." }',
);

/** The settings of a stage. Each limit has the page or the operation of AWS that it comes from. */
const settingsSchema = z.strictObject(
  {
    projectName: text.optional(),
    projectNameException: text.optional(),
    accountId: text.optional(),
    region: text.optional(),
    senders: z
      .record(
        z
          .string()
          .regex(senderName, {
            error: "has to be lower-case letters, digits and single hyphens, from a letter on",
            abort: true,
          })
          // Every object of JavaScript has such a member, whether a stage has the sender or not.
          .refine((name) => !(name in {}), "JavaScript gives to every object: choose another"),
        z.strictObject(
          { address: text, identity: oneOf(["address", "domain"]).optional() },
          shaped('{ address: "notifications@example.com" }'),
        ),
        shaped('{ default: { address: "notifications@example.com" } }'),
      )
      .optional(),
    identities: z
      .union(
        [z.enum(["managed", "existing"]), z.strictObject({ existing: texts })],
        'has to be "managed", "existing" or { existing: ["example.com"] }',
      )
      .optional(),
    deployRepository: text.optional(),
    oidcProvider: oneOf(["managed", "existing"]).optional(),
    recipients: texts.optional(),
    replyTo: texts.optional(),
    alarmSubscribers: texts.optional(),
    // What else holds for these two is checked in stacks/sending-domains.ts, which knows the senders.
    sendingDomains: z
      .record(
        z.string(),
        z.strictObject(
          {
            zoneId: text.optional(),
            mailFrom: z
              .union(
                [
                  z.literal("none"),
                  z.strictObject({
                    subdomain: text.optional(),
                    onMxFailure: z.enum(["USE_DEFAULT_VALUE", "REJECT_MESSAGE"]).optional(),
                  }),
                ],
                'has to be "none" or { subdomain: "mail", onMxFailure: "USE_DEFAULT_VALUE" or "REJECT_MESSAGE" }',
              )
              .optional(),
            dmarc: z
              .union(
                [
                  z.literal("elsewhere"),
                  z.strictObject({
                    policy: z.enum(["none", "quarantine", "reject"]),
                    reportsTo: text.optional(),
                    onlyIn: text.optional(),
                  }),
                ],
                'has to be "elsewhere" or { policy: "none", "quarantine" or "reject", reportsTo: "..", onlyIn: "<region>" }',
              )
              .optional(),
          },
          shaped('{ zoneId: "Z0123456789ABC", mailFrom: "none" }'),
        ),
        shaped('{ "example.com": { zoneId: "Z0123456789ABC" } }'),
      )
      .optional(),
    tracking: z
      .strictObject(
        {
          domain: text,
          httpsPolicy: oneOf(["REQUIRE", "REQUIRE_OPEN_ONLY", "OPTIONAL"]),
          target: text.optional(),
        },
        shaped('{ domain: "click.example.com", httpsPolicy: "OPTIONAL" }'),
      )
      .optional(),
    deletionProtection: flag,
    sesSandbox: flag,
    allowedRecipients: allowedRecipientsSchema,
    logRetentionDays: oneOf(logRetentionDays),
    // CreateArchive takes 0, too, for ever. But a replay of an event whose claim is gone would be mailed again.
    archiveRetentionDays: whole(
      1,
      largestInteger,
      "because claims have to outlast the archive (EventBridge's CreateArchive)",
    ),
    // https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    memoryMb: whole(128, 10_240, "which is what Lambda takes"),
    // The most is Lambda's (same page).
    timeoutSeconds: whole(
      sendSeconds + 1,
      900,
      `which is what Lambda takes and a send needs (SES may answer after ${sendSeconds} seconds)`,
    ),
    // SES has no documented maximum (https://docs.aws.amazon.com/ses/latest/dg/quotas.html). stacks/send-rate-check.ts has what
    // depends on other settings.
    sendRatePerSecond: z.custom<number>(
      (value) => typeof value === "number" && Number.isFinite(value) && value >= leastRate,
      `has to be a number from ${leastRate} on: this stage's share of the account's rate, which is 1 in the SES sandbox`,
    ),
    reserveConcurrency: flag,
    // What else holds for it is checked by stacks/send-rate-check.ts.
    concurrency: z
      .strictObject(
        Object.fromEntries(
          lanes.map((lane) => [lane, whole(leastConcurrency, largestInteger, leastConcurrencyWhy).optional()]),
        ),
        shaped("{ standard: 10, priority: 3 }"),
      )
      .optional(),
    // https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RetryPolicy.html
    targetRetry: z.strictObject(
      {
        attempts: whole(1, 185, "which is what EventBridge takes; with 0, an event would be gone at its first failure"),
        maximumAgeSeconds: whole(60, 86_400, "which is what EventBridge takes"),
      },
      shaped("{ attempts: 185, maximumAgeSeconds: 86_400 }"),
    ),
    // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
    quotas: z
      .strictObject(
        {
          rulesPerBus: whole(1, largestInteger, "the quota of the account").optional(),
          eventPatternCharacters: whole(1, 4096, "because PutRule takes no more").optional(),
          concurrentExecutions: whole(
            10,
            largestInteger,
            "the quota of the account, which is 10 if it is new",
          ).optional(),
        },
        shaped("{ rulesPerBus: 300 }"),
      )
      .optional(),
  } satisfies Record<keyof StageSettings, z.ZodType>,
  "has to be an object with the stage's settings, such as { ...common, sendRatePerSecond: 1, .. }",
);

/** A problem with the setting at `path`. Its sentence goes on behind the setting's value. */
export interface SettingProblem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Checks the shape of a stage's entry: that each setting is there, is known, and is within AWS's limits. */
export function settingProblems(settings: unknown): SettingProblem[] {
  const parsed = settingsSchema.safeParse(settings);
  return parsed.success ? prototypeProblems(settings) : parsed.error.issues.flatMap(toProblems);
}

/**
 * Finds what looks like a setting and is none. `__proto__: ..` in an object's literal sets its prototype, and Zod leaves a
 * member of that name out, so that it would be gone without a word.
 */
function prototypeProblems(
  value: unknown,
  path: SettingProblem["path"] = [],
  above: readonly object[] = [],
): SettingProblem[] {
  if (typeof value !== "object" || value === null || above.includes(value)) return [];
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
  return [
    ...(isPlain && !Object.hasOwn(value, "__proto__")
      ? []
      : [
          {
            path,
            message: "has a prototype of its own: take __proto__ out, which is no name of a setting or a sender",
          },
        ]),
    ...Object.entries(value).flatMap(([name, member]) => prototypeProblems(member, [...path, name], [...above, value])),
  ];
}

/** Variables that no stage's entry can have, by what somebody would call them there. */
const variablesAlone: ReadonlyMap<string, string> = new Map([
  ["stage", "STAGE"],
  ["backend", "BACKEND"],
  ["stateBucket", "STATE_BUCKET"],
  ["stateRegion", "STATE_REGION"],
  ["organization", "TF_CLOUD_ORGANIZATION"],
  ["workspace", "TF_WORKSPACE"],
]);

function helpWithSetting(key: string): string {
  const variable = variablesAlone.get(key);
  if (variable !== undefined) return `take it out, and export ${variable}, which only the environment has`;
  const meant = similarName(key, Object.keys(settingsSchema.shape));
  return meant === undefined ? "leave it out" : `did you mean ${meant}?`;
}

function toProblems(issue: z.core.$ZodIssue): SettingProblem[] {
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => {
        const help = issue.path.length === 0 ? helpWithSetting(key) : "leave it out";
        return { path: [...issue.path, key], message: `is not a setting: ${help}` };
      });
    case "invalid_key":
      return [
        { path: issue.path, message: `has a name that ${issue.issues.map(({ message }) => message).join("; ")}` },
      ];
    default:
      return [{ path: issue.path, message: issue.message }];
  }
}

/** A setting as its entry has it: as JSON, or as Node.js prints what JSON can't hold. */
export function showSetting(value: unknown): string {
  if (typeof value === "number") return String(value);
  try {
    const json: unknown = JSON.stringify(value);
    if (typeof json === "string") return json;
  } catch {
    // It has a bigint in it, or it contains itself.
  }
  return inspect(value, { breakLength: Infinity, depth: Infinity });
}

/** The sentence of a problem, with the setting's name and value. */
export function tellSettingProblem(stage: string, settings: unknown, { path, message }: SettingProblem): string {
  const value = path.reduce<unknown>((parent, key) => (Object(parent) as Record<PropertyKey, unknown>)[key], settings);
  const name = `stacks/stages.ts: ${[stage, ...path].map(String).join(".")}`;
  if (value === undefined && message.startsWith("has to be")) return `${name} is missing: it ${message}`;
  return `${name}=${showSetting(value)} ${message}`;
}

/**
 * The mailbox simulator. Nobody reads its mail, so a stage with a list may always mail it
 * (https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html).
 */
export const simulatorDomain = "simulator.amazonses.com";

/**
 * Providers of mailboxes for everybody, whose whole domain would let in half the world. No list of them can be complete:
 * this one keeps out the likeliest slips.
 */
const mailboxProviders: ReadonlySet<string> = new Set([
  ...emailProviders,
  // The list of email-providers 2.26 leaves these out.
  ...["duck.com", "fastmail.com", "outlook.dk", "posteo.de", "tuta.com", "tutanota.com"],
]);

/** The domains for documents and tests (RFC 2606). Nobody owns them, so that no record of DNS can verify one. */
export const reservedDomain = /(?:^|\.)(?:example|invalid|localhost|test|example\.(?:com|net|org))$/;

const everybody = 'to mail everybody, write { mode: "unrestricted", reason: "why this stage may mail everybody" }';

/**
 * Checks whom a stage lets mail.
 * @param recipients of the stage's scheduled notifications; they have to be allowed, too.
 * @returns the policy, or the problems with the setting `allowedRecipients`.
 */
export function readAllowedRecipients(
  allowed: StageSettings["allowedRecipients"],
  recipients: readonly string[],
): { readonly policy: RecipientPolicy } | { readonly problems: readonly SettingProblem[] } {
  const setting = "allowedRecipients";
  if (allowed === "recipients-only") {
    return { policy: { mode: "restricted", addresses: recipients, domains: [simulatorDomain] } };
  }
  if (allowed.mode === "unrestricted") {
    const problem = reasonProblem(allowed.reason);
    return problem === undefined
      ? { policy: allowed }
      : { problems: [{ path: [setting, "reason"], message: `${problem} Write why everybody may be mailed.` }] };
  }
  const problems = [
    ...allowed.addresses.flatMap((address, at) => toProblem([setting, "addresses", at], addressProblem(address))),
    ...allowed.domains.flatMap((domain, at) => toProblem([setting, "domains", at], domainProblem(domain))),
  ];
  if (allowed.addresses.length + allowed.domains.length === 0) {
    problems.push({
      path: [setting],
      message: `lets nobody in: list an address or a domain, or write "recipients-only"`,
    });
  }
  if (problems.length > 0) return { problems };
  const policy: RecipientPolicy = {
    ...allowed,
    addresses: allowed.addresses.map((address) => parseEmailAddress(address) ?? address),
    domains: [...new Set([...allowed.domains.map(domainOf), simulatorDomain])],
  };
  const outside = recipients.filter((recipient) => !allowsRecipient(policy, recipient));
  return outside.length === 0
    ? { policy }
    : {
        problems: [
          {
            path: [setting],
            message: `leaves out ${outside.join(", ")}, who gets the scheduled notifications: add it to addresses, or take it out of the recipients`,
          },
        ],
      };
}

function toProblem(path: SettingProblem["path"], message: string | undefined): SettingProblem[] {
  return message === undefined ? [] : [{ path, message }];
}

function addressProblem(entry: string): string | undefined {
  const domain = entry.startsWith("*@") ? entry.slice(2) : undefined;
  if (domain !== undefined && !/[*?]/.test(domain)) return `is a whole domain: write "${domain}" into domains`;
  if (/[*?]/.test(entry)) return `has a wildcard: write each address, or a domain into domains; ${everybody}`;
  const read = readAddress(entry);
  return "problem" in read ? read.problem : undefined;
}

/** Characters that are legal in an address, but that IAM or Terraform would read as wildcards or expressions. */
const forbiddenCharacters = /[${}%*?]/;

/** Reads an address of a stage. @returns the address in the form of `checkEmailAddress`, or the rest of a sentence. */
export function readAddress(text: string): { readonly address: string } | { readonly problem: string } {
  const { address, problem } = checkEmailAddress(text);
  if (address === undefined) {
    const why = problem === notAnAddress ? "" : ` (it ${problem})`;
    return { problem: `${notAnAddress}${why}: use the form name@example.com` };
  }
  return forbiddenCharacters.test(address)
    ? { problem: "has one of $ { } % * ?, which can't stand in a policy: use another address" }
    : { address };
}

const notAnAddress = "is not an e-mail address";

function domainProblem(entry: string): string | undefined {
  if (entry === "*" || entry === "*@*") return `lets everybody in: ${everybody}`;
  if (/[*?]/.test(entry)) {
    return `has a wildcard, which never matches here: write each domain by itself, because a domain does not include its sub-domains; ${everybody}`;
  }
  if (entry.startsWith("@")) return `begins with an at sign: write "${entry.slice(1)}"`;
  if (entry.includes("@")) return "is an address: write it into addresses";
  const parsed = parseEmailAddress(`a@${entry}`);
  if (parsed === undefined) return "is not a domain: use the form example.com";
  const domain = domainOf(parsed);
  const shared = sharedDomainProblem(domain);
  return shared === undefined ? undefined : `${shared}: write your own, or the addresses that you mean; ${everybody}`;
}

/** @returns why a domain is not that of one organization, as the rest of a sentence; `undefined` where it may be. */
export function sharedDomainProblem(domain: string): string | undefined {
  if (getDomain(domain, { allowPrivateDomains: true }) === null) {
    return `is not one organisation's domain, but all that ends in .${domain}`;
  }
  return mailboxProviders.has(domain) && !reservedDomain.test(domain) ? "has mailboxes for everybody" : undefined;
}
