import { type Lane } from "../lanes";
import { type ClaimState } from "./claims";
import { decide } from "./decision";
import { type ParkedMessage } from "./parked-message";

export interface RedrivePorts {
  /** Resolves once the lane's retry queue has taken the body. */
  readonly send: (lane: Lane, body: string) => Promise<void>;
  /** Deletes the message from the dead-letter queue. */
  readonly remove: (messageId: string) => Promise<void>;
  /** The claims of an event's mails, one a recipient. */
  readonly readClaims: (parked: ParkedMessage) => Promise<readonly ClaimState[]>;
  /** Makes claims of unknown outcome free to be taken; the others stay as they are. */
  readonly releaseClaims: (parked: ParkedMessage) => Promise<readonly ClaimState[]>;
}

export type Outcome =
  | "redriven"
  | "would-redrive"
  | "refused"
  /** Nothing was sent or deleted; the message stays. */
  | "failed"
  /** Sent, and still parked: another redrive of it is stopped by its claim. */
  | "not-removed"
  | "discarded"
  | "would-discard";

export interface Result {
  readonly parked: ParkedMessage;
  readonly outcome: Outcome;
  readonly lane?: Lane;
  /** How often the event has been redriven, this time included. */
  readonly redrives?: number;
  readonly note?: string;
  readonly claims?: readonly ClaimState[];
}

export interface RedriveOptions {
  readonly dryRun: boolean;
  readonly resendUnknown: boolean;
}

/**
 * Sends parked messages again, one by one. Whenever it is interrupted, a message is in at least one of the two queues:
 * it is removed only after the retry queue has taken it. One that is in both is mailed once: its claim sees to that.
 */
export async function redrive(
  messages: readonly ParkedMessage[],
  options: RedriveOptions,
  ports: RedrivePorts,
  mayGoOn: () => boolean = () => true,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const parked of messages) {
    if (!mayGoOn()) break;
    results.push(await redriveOne(parked, options, ports));
  }
  return results;
}

async function redriveOne(parked: ParkedMessage, options: RedriveOptions, ports: RedrivePorts): Promise<Result> {
  const decision = decide(parked, options);
  if (decision.kind === "refuse") return { parked, outcome: "refused", note: decision.why };
  const about = { parked, lane: decision.lane, redrives: decision.redrives };
  let note = decision.warning;
  let claims: readonly ClaimState[] | undefined;
  try {
    if (decision.releaseClaims) {
      claims = await (options.dryRun ? ports.readClaims(parked) : ports.releaseClaims(parked));
      if (claims.some(({ state }) => state === "held")) {
        return {
          parked,
          outcome: "refused",
          claims,
          note: "A run of the function is sending it at this moment. Wait a minute.",
        };
      }
      note = describeClaims(claims, options.dryRun);
    }
    if (options.dryRun) return { ...about, outcome: "would-redrive", ...optional({ note, claims }) };
    await ports.send(decision.lane, decision.body);
  } catch (error) {
    return {
      ...about,
      outcome: "failed",
      note: `Nothing was sent, it stays parked: ${textOf(error)}`,
      ...optional({ claims }),
    };
  }
  try {
    await ports.remove(parked.messageId);
  } catch (error) {
    return {
      ...about,
      outcome: "not-removed",
      note: `It was sent, and could not be removed: it is in both queues, and its claim keeps it from being mailed twice. ${textOf(error)}`,
      ...optional({ claims }),
    };
  }
  return { ...about, outcome: "redriven", ...optional({ note, claims }) };
}

function describeClaims(claims: readonly ClaimState[], dryRun: boolean): string {
  const parts = claims.map((claim) => {
    switch (claim.state) {
      case "released":
        return "released: a mail whose outcome was unknown is sent, a second time if the first is out";
      case "unknown":
        return dryRun ? "unknown: would be released, and its mail sent, a second time if the first is out" : "unknown";
      case "sent":
        return `sent: stays, this mail is out (message ${claim.messageId ?? "unknown"})`;
      default:
        return `${claim.state}: its mail is sent as any other`;
    }
  });
  const counted = [...new Set(parts)].map((part) => `${parts.filter((each) => each === part).length} claim ${part}`);
  return `${counted.join("; ")}.`;
}

export function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function optional<Fields extends Record<string, unknown>>(
  fields: Fields,
): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: NonNullable<Fields[Name]>;
  };
}
