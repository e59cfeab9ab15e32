import { type Notification } from "../../handler/notifications/define";
import { type Claim } from "../dead-letters/claims";
import { type Result } from "../dead-letters/redrive";
import { formatDuration, printable } from "../text";
import { describeFeedback, mailsSentFor, missingFeedback } from "./feedback";
import { type SmokePlan, type TestMail } from "./plan";
import { failed, held, judge, type TrialResult, unseen, type Verdict, type Waiting, waitUntil } from "./trial";
import { type SmokeWorld } from "./world";

export interface TrialContext {
  readonly plan: SmokePlan;
  readonly world: SmokeWorld;
  readonly busArn: string;
  readonly waiting: Waiting;
  /**
   * How long the alarms are waited for if a person asked for more than the one that rings anyway, in milliseconds; else
   * 0.
   */
  readonly alarmsMs: number;
  /** Log lines from then on belong to the run, in milliseconds since 1970. */
  readonly since: number;
  readonly progress: (result: TrialResult) => void;
  /** What was put and not yet seen to its end, so that it may still leave something behind. */
  readonly underway: Set<string>;
  /** Ids of the claims that have to stay, because a replay may still bring their events. */
  readonly replayed: Set<string>;
}

/** What became of a mail, for the trials that need it afterwards. */
export interface MailSeen {
  readonly mail: TestMail;
  readonly eventId: string | undefined;
  readonly claim: Claim;
}

/** The alarm that a bad event rings in any case: the function logs an error. */
const errorAlarm = "email-processing-errors";
/** It rings if the event stays parked for long enough. */
const parkedAlarm = "dead-letters";

/** Makes all trials; those that do not wait for each other at the same time. */
export async function runTrials(context: TrialContext): Promise<{ results: TrialResult[]; seen: MailSeen[] }> {
  const { plan, progress } = context;
  const seen: MailSeen[] = [];
  const results: TrialResult[] = [];
  const add = (trial: string, verdict: Verdict) => {
    const result = { trial, ...verdict };
    results.push(result);
    progress(result);
  };
  for (const { name, reason } of plan.skipped) add(name, unseen(`Not tried. ${reason}`));
  const carrier = plan.redriven?.notification.id;
  await Promise.all([
    ...plan.mails.map(async (mail) => {
      add(mail.name, await judge(() => tryMail(mail, seen, context)));
      if (mail.notification.id === carrier && mail.fate === "success") {
        const first = seen.find((each) => each.mail === mail);
        add("duplicate", await judge(() => tryDuplicate(first, context)));
      }
    }),
    tryDeadLetters(add, seen, context),
  ]);
  // The trials run at the same time. Those that stand in no list here follow in the order in which they ended.
  const order = [...[...plan.skipped, ...plan.mails].map(({ name }) => name), "duplicate"];
  const placeOf = ({ trial }: TrialResult) => (order.includes(trial) ? order.indexOf(trial) : order.length);
  return { results: results.sort((a, b) => placeOf(a) - placeOf(b)), seen };
}

/** Puts an event, and remembers that something comes of it. */
async function put(
  name: string,
  notification: Notification,
  event: Parameters<SmokeWorld["put"]>[1],
  { world, underway, waiting }: TrialContext,
): Promise<string> {
  try {
    const id = await world.put(notification, event);
    underway.add(name);
    return id;
  } catch (error) {
    // The event may be out all the same, unless the run was interrupted before its turn.
    if (!waiting.signal.aborted) underway.add(name);
    throw error;
  }
}

/** Waits until the mail is out, and until SES has told what it did with it. */
async function tryMail(mail: TestMail, seen: MailSeen[], context: TrialContext): Promise<Verdict> {
  const eventId = await put(mail.name, mail.notification, mail.event, context);
  return watchMail(mail, eventId, seen, context);
}

async function watchMail(
  mail: TestMail,
  eventId: string,
  seen: MailSeen[],
  { world, waiting, since, underway }: TrialContext,
): Promise<Verdict> {
  const claim = await waitUntil(
    () => world.claimOf(mail.claimId),
    ({ state }) => state === "sent",
    waiting,
  );
  seen.push({ mail, eventId, claim });
  const within = `within ${formatDuration(waiting.most)}`;
  if (claim.state !== "sent" || claim.messageId === undefined) {
    const { messages } = await world.deadLetters(eventId);
    const [reason] = messages.map((parked) => `It is parked: ${parked.reason.type}: ${told(parked.reason.message)}`);
    return failed(
      `No mail ${within}: its claim is ${claim.state}. ${reason ?? "It is not parked."}`,
      "Look for the event in the function's log, and into the retry queue: npm run dead-letters -- --retries.",
    );
  }
  underway.delete(mail.name);
  const { messageId } = claim;
  const events = await waitUntil(
    () => world.feedbackAbout(messageId, since),
    (found) => missingFeedback(mail.fate, found).length === 0,
    waiting,
  );
  const missing = missingFeedback(mail.fate, events);
  return missing.length === 0
    ? held(`Mailed; SES told: ${describeFeedback(events)}.`)
    : failed(
        `Mailed, and ${missing.join(", ")} did not come to the feedback log ${within}; SES told: ${describeFeedback(events)}.`,
        "Look at the rule feedback-rule of the default bus, and at the configuration set's event destination.",
      );
}

/** Puts the event of a mail that is out once more. */
async function tryDuplicate(first: MailSeen | undefined, context: TrialContext): Promise<Verdict> {
  if (first?.eventId === undefined || first.claim.state !== "sent")
    return unseen("Not tried: the first mail is not out.");
  const { world, waiting, since, underway } = context;
  const { mail, eventId } = first;
  const secondId = await put("duplicate", mail.notification, mail.event, context);
  const lines = await waitUntil(
    () => world.functionLinesAbout(mail.notification.lane, secondId, since),
    (found) => found.length > 0,
    waiting,
  );
  if (lines.length > 0) underway.delete("duplicate");
  const mails = await waitUntil(
    async () => {
      const events = [...(await world.feedbackAbout(eventId, since)), ...(await world.feedbackAbout(secondId, since))];
      return mailsSentFor([eventId, secondId], events);
    },
    (found) => found.length > 0,
    waiting,
  );
  if (mails.length !== 1) {
    return failed(
      mails.length === 0
        ? "The mails of two events with one idempotency key could not be counted: Email Sent did not come to the feedback log."
        : `Two events with one idempotency key made ${mails.length} mails.`,
      "Look for their event ids in the feedback log and in the function's log.",
    );
  }
  return lines.some(({ message }) => message === sentBefore)
    ? held("Two events with one idempotency key made one mail.")
    : failed(
        `The second event with the same key was not recognized as a duplicate within ${formatDuration(waiting.most)}.`,
        "Look for its event id in the function's log.",
      );
}

/** The function logs this where it is asked for a mail that is out. */
export const sentBefore = "Email was sent before";

/** An event that fits no mail is parked and stays so; one that EventBridge could not deliver is redriven. */
async function tryDeadLetters(
  add: (trial: string, verdict: Verdict) => void,
  seen: MailSeen[],
  context: TrialContext,
): Promise<void> {
  const { plan, world, waiting, busArn, underway } = context;
  const { bad, redriven } = plan;
  if (bad === undefined || redriven === undefined) return;
  const alarms = watchedAlarms(context);
  const rangBefore = alarms.length === 0 ? Promise.resolve([]) : world.ringing(alarms);
  await rangBefore.catch(() => undefined);
  let badId = "";
  const parked = await judge(async () => {
    badId = await put("bad event", redriven.notification, bad, context);
    const { messages } = await waitUntil(
      () => world.deadLetters(badId),
      (answer) => answer.messages.length > 0,
      waiting,
    );
    const [message] = messages;
    if (message === undefined) return failed("It was not parked.", "Look for the event in the function's log.");
    underway.delete("bad event");
    const { type, message: text } = message.reason;
    return type === "InvalidEvent"
      ? held(`Parked as ${type}: ${told(text)}`)
      : failed(`Parked as ${type}: ${told(text)}`, "It should be InvalidEvent: is this checkout deployed?");
  });
  add("bad event", parked);
  if (parked.status === "held") {
    add("bad event, redriven", await judge(async () => tryRefusal(await act(badId, { redrive: true }, context))));
  }
  add(
    "parked by EventBridge, redriven",
    await judge(async () => {
      const id = String(redriven.event.detail.idempotencyKey);
      underway.add(redriven.name);
      await world.park(redriven.notification, { ...redriven.event, id }, busArn);
      const result = await act(id, { redrive: true }, context);
      if (result?.disposition !== "redriven") {
        return failed(`It was not redriven: ${describeResult(result)}`, "npm run dead-letters lists it.");
      }
      return watchMail(redriven, id, seen, context);
    }),
  );
  add("alarms", await judge(async () => tryAlarms(await rangBefore, context, badId)));
}

function tryRefusal(result: Result | undefined): Verdict {
  return result?.disposition === "refused"
    ? held(`Refused: ${told(result.note ?? "")}`)
    : failed(`It was not refused: ${describeResult(result)}`, "It would only be parked again.");
}

/** Acts on the one parked event as soon as it can be received. */
async function act(
  eventId: string,
  options: { readonly redrive?: boolean; readonly discard?: boolean; readonly giveUp?: boolean },
  { world, waiting }: Pick<TrialContext, "world" | "waiting">,
): Promise<Result | undefined> {
  const { results = [] } = await waitUntil(
    () => world.deadLetters(eventId, options),
    (answer) => (answer.results ?? []).length > 0,
    waiting,
  );
  return results[0];
}

const describeResult = (result: Result | undefined): string =>
  result === undefined ? "it could not be received." : `${result.disposition}. ${told(result.note ?? "")}`;

const told = (text: string): string => printable(text, { showAddresses: false, longest: 400 });

/** The alarms that are looked at: those that ring in any case, and with `alarmsMs` the one on parked events, too. */
function watchedAlarms({ world, alarmsMs }: Pick<TrialContext, "world" | "alarmsMs">): readonly string[] {
  if (world.stage.isSandbox) return [];
  return alarmsMs > 0 ? [errorAlarm, parkedAlarm] : [errorAlarm];
}

/**
 * Waits until the alarm on errors rings. If a person asked for it, the bad event stays parked until the alarm on parked
 * events rings, too, and both have to stop after it is discarded. An alarm stays in its state for a minute at least, so
 * that none is missed between two looks.
 * @param rangBefore those of the alarms that were in alarm before the bad event.
 */
export async function tryAlarms(
  rangBefore: readonly string[],
  context: Pick<TrialContext, "world" | "waiting" | "alarmsMs">,
  badId: string,
): Promise<Verdict> {
  const { world, waiting, alarmsMs } = context;
  const alarms = watchedAlarms(context);
  if (alarms.length === 0) return unseen("Not seen here: the sandbox does not evaluate alarms.");
  if (rangBefore.length > 0) return unseen(`Not to be told apart: ${rangBefore.join(", ")} rang before.`);
  const isThorough = alarmsMs > 0;
  const most = isThorough ? alarmsMs : waiting.most;
  const slow = { ...waiting, most, every: 3 * waiting.every };
  const rung = new Set<string>();
  await waitUntil(
    async () => {
      for (const name of await world.ringing(alarms)) rung.add(name);
    },
    () => rung.size === alarms.length,
    slow,
  );
  if (isThorough) await act(badId, { discard: true, giveUp: true }, context);
  const silent = alarms.filter((name) => !rung.has(name));
  if (silent.length > 0) {
    return failed(
      `The bad event did not ring ${silent.join(", ")} within ${formatDuration(most)}.`,
      "Compare the alarm's dimensions and namespace with the queue and the metric.",
    );
  }
  if (!isThorough) return held(`${errorAlarm} rang for the bad event. With --wait-for-alarms 15m more is seen.`);
  const stuck = await waitUntil(
    () => world.ringing(alarms),
    (ringing) => ringing.length === 0,
    slow,
  );
  return stuck.length === 0
    ? held(`${alarms.join(" and ")} rang for the bad event, and stopped.`)
    : failed(`${stuck.join(", ")} did not stop within ${formatDuration(most)}.`, "Is anything else parked?");
}
