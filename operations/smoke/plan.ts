import { claimId } from "../../handler/claims";
import { type EventEnvelope } from "../../handler/contract/envelope";
import { allowsRecipient, type RecipientPolicy } from "../../handler/contract/recipient-policy";
import { type EventTrigger, type Notification } from "../../handler/notifications/define";
import { readdressed } from "../../handler/notifications/sample";
import { constantContent } from "../../stacks/scheduled-event";
import { describeFailure } from "../text";
import { type Fate, isSimulator, simulatorAddress } from "./simulator";

/** One mail of a smoke test. */
export interface TestMail {
  /** For example `email-request`, or `bounce`. */
  readonly name: string;
  readonly notification: Notification;
  readonly fate: Fate;
  readonly recipient: string;
  /** The event without its id: the bus makes that, or the schedule's stand-in. */
  readonly event: Omit<EventEnvelope, "id">;
  /** Id of the mail's row in the claim table. */
  readonly claimId: string;
}

/** The event notification that carries the trials that are not about one notification. */
type Carrier = Notification & { readonly trigger: EventTrigger };

export interface SmokePlan {
  /** One for each notification, and one for each other fate. */
  readonly mails: readonly TestMail[];
  /** Notifications that can't be tried, and the reason. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  /** A mail whose event is parked as EventBridge parks one, and then redriven; `undefined` without a carrier. */
  readonly redriven: TestMail | undefined;
  /** An event that its function refuses as `InvalidEvent`. It would mail the simulator alone. */
  readonly bad: Omit<EventEnvelope, "id"> | undefined;
}

/** The mail whose event a replay brings once more. No other trial makes a duplicate of that event. */
export const replayedMail = "bounce";

/** The beginning of every idempotency key of a run. */
export const keyPrefix = (runId: string): string => `smoke-${runId}-`;

/** The id of a new run: the time in UTC and some random letters. */
export function newRunId(now: Date, random: string): string {
  return `${now.toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}-${random.slice(0, 6)}`;
}

/**
 * Lists all events of a run, before the first is put.
 * @throws Error if a recipient is not the mailbox simulator's, or if the stage does not allow the simulator.
 */
export function planSmoke(
  runId: string,
  notifications: readonly Notification[],
  policy: RecipientPolicy,
  now: Date,
): SmokePlan {
  const mails: TestMail[] = [];
  const skipped: { name: string; reason: string }[] = [];
  let carrier: Carrier | undefined;
  const mail = (name: string, notification: Notification, fate: Fate) =>
    testMail({ name, notification, fate, runId, number: mails.length + 1, now });
  for (const notification of notifications) {
    const { id, trigger } = notification;
    try {
      mails.push(mail(id, notification, "success"));
      if (trigger.kind === "event") carrier ??= { ...notification, trigger };
    } catch (cause) {
      skipped.push({ name: id, reason: describeFailure(cause) });
    }
  }
  if (carrier === undefined) {
    const reason = "No notification of this checkout takes the address of a recipient from an event.";
    skipped.push({ name: "bounce, complaint, suppression, duplicate, dead letters", reason });
  } else {
    for (const fate of ["bounce", "complaint", "suppression"] as const) mails.push(mail(fate, carrier, fate));
  }
  const redriven = carrier && mail("redriven", carrier, "success");
  const plan = { mails, skipped, redriven, bad: redriven && badEvent(redriven, earlier(now, mails.length + 3)) };
  refuseOthers([...mails, ...(redriven === undefined ? [] : [redriven])], policy);
  return plan;
}

interface Wanted extends Pick<TestMail, "name" | "notification" | "fate"> {
  readonly runId: string;
  readonly number: number;
  readonly now: Date;
}

/** @throws Error if the event would mail anybody but the simulator, or nobody. */
function testMail({ name, notification, fate, runId, number, now }: Wanted): TestMail {
  const { trigger, sample } = notification;
  const recipient = simulatorAddress(fate, `smoke-${runId}-${number}`);
  const idempotencyKey = `${keyPrefix(runId)}${number}`;
  const content = trigger.kind === "event" ? {} : constantContent(trigger, [recipient]);
  const detail = trigger.kind === "event" ? readdressed(notification, sample as object, [recipient]) : content.detail;
  const event = {
    ...content,
    source: trigger.source,
    "detail-type": trigger.detailType,
    time: earlier(now, name === replayedMail ? 1 : number + 1),
    detail: { ...(detail as object), idempotencyKey },
  };
  const prepared = notification.prepare({ ...event, id: "not-sent-yet" });
  if (prepared.refusedRecipients.length > 0 || prepared.recipients.join() !== recipient) {
    throw new Error("Its recipients stand in its definition, so that a test would mail them.");
  }
  return {
    name,
    notification,
    fate,
    recipient,
    event,
    claimId: claimId(trigger, prepared.idempotencyKey, recipient),
  };
}

/**
 * Each event has a second of its own, and the replayed one the newest, so that its replay brings no other event of a run:
 * the claims of an earlier run are gone, and its events would be mailed again. Events have whole seconds, and AWS does not
 * say whether a replay takes in the end of its time.
 */
const earlier = (now: Date, seconds: number): string => new Date(now.getTime() - seconds * 1000).toISOString();

/** Every notification refuses a key of more than 256 characters. This one begins like all keys of the run. */
function badEvent({ event }: TestMail, time: string): Omit<EventEnvelope, "id"> {
  const key = String(event.detail.idempotencyKey);
  return { ...event, time, detail: { ...event.detail, idempotencyKey: `${key}-bad-${"x".repeat(256)}` } };
}

function refuseOthers(mails: readonly TestMail[], policy: RecipientPolicy): void {
  for (const { recipient } of mails) {
    if (!isSimulator(recipient)) throw new Error(`${recipient} is not the mailbox simulator's. Nothing was sent.`);
    if (!allowsRecipient(policy, recipient)) {
      throw new Error(
        `The stage does not allow ${recipient}: add its domain to allowedRecipients in stacks/stages.ts.`,
      );
    }
  }
}
