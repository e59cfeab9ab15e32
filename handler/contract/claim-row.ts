/** A row of the claim table: its attributes, and how to read one. The claims themselves: handler/claims.ts. */

/** The table's key: `claimId` of the mail. */
export const keyAttribute = "id";

/** DynamoDB removes a row after this time (seconds since 1970), within days and not at once. */
export const timeToLiveAttribute = "expiresAt";

/** What the attribute `state` holds. */
export type ClaimState = "claimed" | "sent" | "failed" | "unknown";

/** An item as DynamoDB's client hands it out. */
export type ClaimItem = Readonly<Record<string, { readonly S?: string; readonly N?: string }>>;

export interface ClaimRow {
  /**
   * - `sent`: the mail is out.
   * - `failed`: SES refused the mail, or a person released the claim: the next try may send.
   * - `held`: a run is sending the mail.
   * - `unknown`: the mail may be out, or not.
   */
  readonly state: "sent" | "failed" | "held" | "unknown";
  /** Whether the claim does not count any more, although DynamoDB has not removed it yet. */
  readonly isExpired: boolean;
  /** SES's id of a mail that is out. */
  readonly messageId?: string;
  /** The event that the mail was last tried for. */
  readonly eventId?: string;
  /** Hash of what was last tried. Rows of an early version do not have it. */
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
