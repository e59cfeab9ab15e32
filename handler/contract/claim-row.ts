/** The attributes of a row of the claim table, and how a row is read. handler/claims.ts explains what a claim is. */

/** Attribute that is the table's key. It holds the mail's `claimId`. */
export const keyAttribute = "id";

/**
 * Attribute with the time (in seconds since 1970) after which a claim no longer counts. DynamoDB removes the row some
 * time later, within a few days.
 */
export const timeToLiveAttribute = "expiresAt";

/** The values of the attribute `state`. */
export type ClaimState = "claimed" | "sent" | "failed" | "unknown";

/** An item as DynamoDB's client hands it out. */
export type ClaimItem = Readonly<Record<string, { readonly S?: string; readonly N?: string }>>;

export interface ClaimRow {
  /**
   * - `sent`: the mail is out.
   * - `failed`: SES refused the mail, or a person released the claim: the next try may send.
   * - `held`: a run is sending the mail.
   * - `unknown`: nobody can tell whether the mail is out.
   */
  readonly state: "sent" | "failed" | "held" | "unknown";
  /** Whether the claim has expired and no longer counts, although DynamoDB has not removed its row yet. */
  readonly isExpired: boolean;
  /** SES's id of a mail that is out. */
  readonly messageId?: string;
  /** The event that the mail was last tried for. */
  readonly eventId?: string;
  /** Hash of the mail's content at the last try. Rows of an early version do not have it. */
  readonly contentHash?: string;
}

/** @param now in milliseconds since 1970. */
export function parseClaimRow(item: ClaimItem, now: number): ClaimRow {
  const text = (name: "messageId" | "eventId" | "contentHash") => {
    const value = item[name]?.S;
    return value === undefined ? {} : { [name]: value };
  };
  return {
    state: stateOf(item, now),
    isExpired: Number(item[timeToLiveAttribute]?.N ?? "Infinity") < Math.floor(now / 1000),
    ...text("messageId"),
    ...text("eventId"),
    ...text("contentHash"),
  };
}

function stateOf(item: ClaimItem, now: number): ClaimRow["state"] {
  const state = item.state?.S as ClaimState | undefined;
  switch (state) {
    case "sent":
    case "failed":
      return state;
    case "claimed":
      return Number(item.heldUntil?.N ?? "0") >= now ? "held" : "unknown";
    default:
      return "unknown";
  }
}
