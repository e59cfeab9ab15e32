import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { domainOf } from "../../handler/contract/email-address";
import { type Lane, laneNames, lanes } from "../../stacks/lanes";
import { printable, textOfError } from "../text";
import { parseJson } from "./feedback";
import { replayedMail } from "./plan";
import { type MailSeen, sentBefore, type TrialContext } from "./trials";
import { waitUntil } from "./trial";

/**
 * A fact that nobody could settle without an account.
 * - `settled`: it was seen in this account.
 * - `void`: it makes no difference in this account.
 * - `open`: it was not seen, and the answer says why.
 */
export interface Fact {
  readonly question: string;
  readonly status: "settled" | "void" | "open";
  readonly answer: string;
}

type Answer = Omit<Fact, "question">;

const settled = (answer: string): Answer => ({ status: "settled", answer });
const isVoid = (answer: string): Answer => ({ status: "void", answer });
const open = (answer: string): Answer => ({ status: "open", answer });

/** @param replay whether to replay an event, which takes EventBridge's archive more than ten minutes. */
export async function settleFacts(context: TrialContext, seen: readonly MailSeen[], replay: boolean): Promise<Fact[]> {
  const questions: readonly (readonly [string, () => Promise<Answer>])[] = [
    ["Does a replayed event keep its id?", () => settleReplay(context, seen, replay)],
    ["Which identity does IAM check?", () => settleIdentity(context, seen)],
    ["Does the SES sandbox let the simulator through?", () => settleSesSandbox(context, seen)],
    ["How large are a policy's conditions?", () => settlePolicySize(context)],
  ];
  return Promise.all(
    questions.map(async ([question, settle]) => ({
      question,
      ...(await settle().catch((error: unknown) =>
        open(`It could not be looked at: ${printable(textOfError(error), { showAddresses: false })}`),
      )),
    })),
  );
}

/**
 * "To make sure all archived events are replayed, we recommend that you delay replaying archived events by 10 minutes"
 * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html).
 */
const archiveDelayMs = 600_000;

/** Replays the second of one event whose mail is out. Its claim keeps it from being mailed again. */
async function settleReplay(
  { world, waiting, busArn, since, replayed }: TrialContext,
  seen: readonly MailSeen[],
  replay: boolean,
): Promise<Answer> {
  if (!replay) return open("Not tried: --replay replays one test event, which takes more than 10 minutes.");
  const subject = seen.find(({ mail, claim }) => mail.name === replayedMail && claim.state === "sent");
  if (subject?.claim.messageId === undefined) return open("Not tried: no mail is out whose event could be replayed.");
  const { mail, eventId } = subject;
  const { messageId } = subject.claim;
  const at = new Date(mail.event.time);
  at.setUTCMilliseconds(0);
  if (!world.stage.isSandbox) {
    await sleep(archiveDelayMs, undefined, { signal: waiting.signal });
  }
  const name = `smoke-${Date.now()}`;
  replayed.add(mail.claimId);
  await world.startReplay(name, at, mail.notification.ruleName, busArn);
  const lines = await waitUntil(
    () => world.functionLinesAbout(mail.notification.lane, messageId, since),
    (found) => found.some(({ message }) => message === sentBefore),
    { ...waiting, most: Math.max(waiting.most, world.stage.isSandbox ? 0 : archiveDelayMs / 2) },
  );
  const again = lines.find(({ message }) => message === sentBefore);
  if (again === undefined) {
    const state = await world.replayState(name);
    return open(
      `The replay ${name} is ${state}, and the function did not see its event. Its claim stays until it expires, so that the event is not mailed again.`,
    );
  }
  replayed.delete(mail.claimId);
  const what =
    again.eventId === eventId
      ? "It keeps its id, and was not mailed again."
      : "It gets another id; its idempotency key kept it from being mailed again.";
  return world.stage.isSandbox
    ? open(`Here: ${what} But the sandbox is made so, and that says nothing about AWS.`)
    : settled(what);
}

async function settleIdentity({ world }: TrialContext, seen: readonly MailSeen[]): Promise<Answer> {
  const { stage } = world;
  if (stage.isSandbox) return open("Not seen here: the sandbox does not enforce IAM.");
  const address = stage.config.senders[0].address;
  const known = {
    address,
    hasAddress: await world.hasIdentity(address),
    hasDomain: await world.hasIdentity(domainOf(address)),
    isSent: seen.some(({ claim }) => claim.state === "sent"),
  };
  return identityAnswer(known);
}

/** What follows from the identities that SES knows, if the function may send as the address's and the domain's. */
export function identityAnswer({
  address,
  hasAddress,
  hasDomain,
  isSent,
}: {
  readonly address: string;
  readonly hasAddress: boolean;
  readonly hasDomain: boolean;
  /** Whether a mail was sent. */
  readonly isSent: boolean;
}): Answer {
  const domain = domainOf(address);
  if (!isSent) return open("Not seen: no mail was sent.");
  const simulator = "That of the simulator's address was not asked for: the policy does not name it.";
  if (hasAddress && hasDomain) {
    return open(
      `Both exist, the address's and that of ${domain}. SES's guide says the address's. The policy names both, so a send does not show which; only a role that names one would. ${simulator}`,
    );
  }
  if (!hasAddress && !hasDomain) return open("SES shows neither identity to these credentials.");
  return isVoid(`Only the identity of ${hasAddress ? "the address" : domain} exists, so it was that one. ${simulator}`);
}

async function settleSesSandbox({ world }: TrialContext, seen: readonly MailSeen[]): Promise<Answer> {
  if (world.stage.isSandbox) return open("Not seen here: the emulator lets it through because SES's guide says so.");
  const mails = seen.filter(({ mail }) => mail.fate === "success");
  return sesSandboxAnswer(
    await world.isInSesSandbox(),
    mails.some(({ claim }) => claim.state === "sent"),
  );
}

/** @param isInSandbox `undefined` if SES does not say. */
export function sesSandboxAnswer(isInSandbox: boolean | undefined, isSent: boolean): Answer {
  if (isInSandbox === undefined) return open("SES does not say whether the account is in its sandbox.");
  if (!isInSandbox) return isVoid("The account is out of the SES sandbox.");
  return isSent
    ? settled("Yes: the account is in the SES sandbox, and a mail to the simulator went out.")
    : open("No mail to the simulator went out, and the trials say why.");
}

/**
 * "The total aggregate policy size" of a role's inline policies, without white space
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
 */
const mostPolicyCharacters = 10_240;

async function settlePolicySize({ world }: TrialContext): Promise<Answer> {
  const sizes = await Promise.all(lanes.map(async (lane) => [lane, policySize(await world.rolePolicy(lane))] as const));
  const listed = sizes.map(([lane, size]) => describeSize(lane, size)).join("; ");
  const where = world.stage.isSandbox ? "Deployed here" : "IAM took";
  return (world.stage.isSandbox ? open : settled)(
    `${where}: ${listed}. IAM's guide says ${mostPolicyCharacters.toLocaleString("en-US")} characters for a role; ` +
      `nothing larger was tried, because that would take a role to throw away.`,
  );
}

const describeSize = (lane: Lane, { all, conditions }: PolicySize): string =>
  `${laneNames(lane).executionRole} ${all.toLocaleString("en-US")} characters, ${conditions.toLocaleString("en-US")} of them conditions`;

export interface PolicySize {
  /** Characters of the policy without white space, as IAM counts them. */
  readonly all: number;
  /** Those of all its conditions. */
  readonly conditions: number;
}

const documentSchema = z.object({ Statement: z.array(z.object({ Condition: z.unknown().optional() })) });

/** @param document as IAM has it. */
export function policySize(document: string): PolicySize {
  const statements = documentSchema.parse(parseJson(document)).Statement;
  const count = (text: string) => text.replace(/\s/g, "").length;
  return {
    all: count(document),
    conditions: statements.reduce(
      (sum, { Condition }) => sum + (Condition === undefined ? 0 : count(JSON.stringify(Condition))),
      0,
    ),
  };
}
