import { type Lane } from "../../stacks/lanes";
import { textOfError } from "../text";
import { type Claim } from "./claims";
import { decideDiscard, decideRedrive, describeRefusal, type Wishes } from "./decision";
import { afterRelease, describeMails, hashesOf, type Mails, type ParkedMail } from "./mails";
import { type ParkedMessage } from "./parked-message";
import { HoldIsOver } from "./queue";

export interface Ports {
  /** Renews the hold of all messages. @returns whether this process still holds this one. */
  readonly hold: (messageId: string) => Promise<boolean>;
  readonly readMails: (parked: ParkedMessage) => Promise<Mails>;
  /** Releases a claim whose outcome is unknown. @returns the claim as it is now. */
  readonly release: (claimId: string) => Promise<Claim>;
  /** Sends the body to the lane's retry queue. It resolves when the queue has taken it. */
  readonly send: (lane: Lane, body: string) => Promise<void>;
  /** Deletes the message from the dead-letter queue. */
  readonly remove: (messageId: string) => Promise<void>;
}

/** What a redrive or a discard did with one parked message. */
export type Disposition =
  | "redriven"
  | "would-redrive"
  | "refused"
  /** Nothing was sent or deleted, so the message stays parked. */
  | "failed"
  /** The event was sent again but is still parked. Its claims keep another redrive from mailing it twice. */
  | "not-removed"
  /** Every mail of the event was out already. So nothing was sent, and the record was removed. */
  | "finished"
  | "would-finish"
  | "discarded"
  | "would-discard";

export interface Result {
  readonly parked: ParkedMessage;
  readonly disposition: Disposition;
  readonly lane?: Lane;
  /** How often the event has been redriven, this time included. */
  readonly redrives?: number;
  readonly note?: string;
  /** The mails as they were before the redrive sent anything. */
  readonly mails?: Mails;
}

export interface ActOptions extends Wishes {
  readonly dryRun: boolean;
}

const holdIsOver =
  "Its hold was over before its turn, so somebody else may have it. Nothing was done. Run it again, with a longer --hold.";

/** Acts on messages one by one, and on each only while this process holds it. */
async function actOnEach(
  messages: readonly ParkedMessage[],
  ports: Ports,
  mayGoOn: () => boolean,
  act: (parked: ParkedMessage, mails: Mails) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const parked of messages) {
    if (!mayGoOn()) break;
    const mails = await ports.readMails(parked);
    const isHeld = await ports.hold(parked.messageId);
    results.push(isHeld ? await act(parked, mails) : { parked, disposition: "failed", note: holdIsOver, mails });
  }
  return results;
}

/**
 * Sends parked messages again, one by one. A message is removed only after the retry queue has taken it. So it is in at
 * least one of the two queues at any time, and if it is in both, its claims keep it from being mailed twice.
 */
export function redrive(
  messages: readonly ParkedMessage[],
  options: ActOptions,
  ports: Ports,
  mayGoOn: () => boolean = () => true,
): Promise<Result[]> {
  return actOnEach(messages, ports, mayGoOn, (parked, mails) => redriveOne(parked, mails, options, ports));
}

async function redriveOne(parked: ParkedMessage, before: Mails, options: ActOptions, ports: Ports): Promise<Result> {
  const decision = decideRedrive(parked, before, options);
  if (decision.kind === "refuse")
    return { parked, disposition: "refused", note: describeRefusal(decision.refusal), mails: before };
  if (decision.kind === "finish") return finish(parked, before, options, ports);
  const { lane, redrives, warning, release } = decision;
  const about = { parked, lane, redrives };
  if (options.dryRun) {
    const note = noteOf(
      before,
      release.length > 0 ? `${hashesOf(release)}: would be sent, ${secondTime}` : "",
      warning,
    );
    return { ...about, disposition: "would-redrive", note, mails: before };
  }
  let mails = before;
  try {
    for (const mail of release) {
      mails = replaced(mails, afterRelease(mail, await ports.release(mail.claim), parked));
    }
    if (release.length > 0) {
      // A run of the function may have sent the mails before their claims were released. Then nothing is left to send.
      const again = decideRedrive(parked, mails, { ...options, resendUnknown: false });
      if (again.kind === "refuse")
        return { parked, disposition: "refused", note: noteOf(mails, describeRefusal(again.refusal)), mails };
      if (again.kind === "finish") return await finish(parked, mails, options, ports);
    }
    await ports.send(lane, decision.body);
  } catch (error) {
    const kept = isAnyReleased(mails) ? "What is released stays so: the next redrive sends it." : "";
    const note = noteOf(mails, `Nothing was sent, it stays parked: ${textOfError(error)}`, kept);
    return { ...about, disposition: "failed", note, mails };
  }
  const note = noteOf(mails, isAnyReleased(mails) ? `What is released is sent, ${secondTime}` : "", warning);
  try {
    await ports.remove(parked.messageId);
  } catch (error) {
    return {
      ...about,
      disposition: "not-removed",
      note: `It was sent, and ${notRemoved(error)}: it may be in both queues, and its claim keeps it from being mailed twice.`,
      mails,
    };
  }
  return { ...about, disposition: "redriven", note, mails };
}

async function finish(parked: ParkedMessage, mails: Mails, { dryRun }: ActOptions, ports: Ports): Promise<Result> {
  const note = noteOf(mails, "Nothing is left to send.");
  if (dryRun) return { parked, disposition: "would-finish", note, mails };
  try {
    await ports.remove(parked.messageId);
    return { parked, disposition: "finished", note, mails };
  } catch (error) {
    return {
      parked,
      disposition: "failed",
      note: noteOf(mails, `It stays parked, as far as is known: ${notRemoved(error)}.`),
      mails,
    };
  }
}

/** Deletes parked messages for good. */
export function discard(
  messages: readonly ParkedMessage[],
  options: ActOptions,
  ports: Ports,
  mayGoOn: () => boolean = () => true,
): Promise<Result[]> {
  return actOnEach(messages, ports, mayGoOn, async (parked, mails) => {
    const decision = decideDiscard(parked, mails, options);
    if (decision.kind === "refuse")
      return { parked, disposition: "refused", note: describeRefusal(decision.refusal), mails };
    const { note } = decision;
    if (options.dryRun) return { parked, disposition: "would-discard", note, mails };
    try {
      await ports.remove(parked.messageId);
      return { parked, disposition: "discarded", note, mails };
    } catch (error) {
      return {
        parked,
        disposition: "failed",
        note: `It stays parked, as far as is known: ${notRemoved(error)}.`,
        mails,
      };
    }
  });
}

function notRemoved(error: unknown): string {
  return error instanceof HoldIsOver
    ? "its hold was over before it was deleted, so SQS may have kept it (raise --hold)"
    : `it could not be deleted (${textOfError(error)})`;
}

const secondTime = "a second time if the first mail is out after all.";

function noteOf(mails: Mails, ...parts: readonly (string | undefined)[]): string {
  return [`${describeMails(mails)}.`, ...parts].filter((part) => part !== undefined && part !== "").join(" ");
}

function isAnyReleased({ list }: Mails): boolean {
  return list.some(({ state }) => state === "released");
}

function replaced(mails: Mails, mail: ParkedMail): Mails {
  return { ...mails, list: mails.list.map((each) => (each.claim === mail.claim ? mail : each)) };
}
