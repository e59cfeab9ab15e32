import { createHash } from "node:crypto";
import { mailboxOf } from "./contract/email-address";

/**
 * A mail is claimed before it is sent, because events are delivered at least once and runs can end at any moment:
 *
 * ```
 *            claim                    SES took it
 *   (none) --------> claimed --------------------------> sent
 *   failed --------> claimed -- SES refused it --------> failed (released: the next try may send)
 *                    claimed -- no answer from SES ----> unknown
 *                    claimed -- its run is over -------> unknown (as seen by the next try)
 * ```
 */

export interface ClaimRequest {
  /** Of the mail: see `claimId`. */
  readonly id: string;
  readonly notification: string;
  readonly eventId: string;
  /** Hash of what the mail says: `PreparedEmail.contentHash`. */
  readonly contentHash: string;
  /** When the run that claims is over for sure, in milliseconds since 1970. */
  readonly heldUntil: number;
  /** Take a claim whose outcome is unknown: the mail may be sent twice. */
  readonly takeOver: boolean;
}

/** A claim of this run. */
export interface Claim {
  readonly id: string;
  /** Tells this run's claim from another's. */
  readonly owner: string;
}

export type ClaimAnswer =
  | { readonly state: "claimed"; readonly claim: Claim; /** The first is 1. */ readonly attempt: number }
  | { readonly state: "sent"; readonly messageId: string; readonly claimedFor?: ClaimedMail }
  /** Another run is at it. */
  | { readonly state: "held"; readonly claimedFor?: ClaimedMail }
  | { readonly state: "unknown"; readonly claimedFor?: ClaimedMail };

/** What the claim was taken for. Claims that an earlier version wrote do not say it. */
export type ClaimedMail = Pick<ClaimRequest, "eventId" | "contentHash">;

/** Whether the claim was taken by another event, for a mail that says something else. */
export function isTakenForOther(answer: ClaimAnswer, request: ClaimedMail): boolean {
  if (answer.state === "claimed" || answer.claimedFor === undefined) return false;
  const { eventId, contentHash } = answer.claimedFor;
  return eventId !== request.eventId && contentHash !== request.contentHash;
}

/** Rejects where the store can't be reached. */
export interface ClaimStore {
  claim(request: ClaimRequest): Promise<ClaimAnswer>;
  markSent(claim: Claim, messageId: string): Promise<void>;
  markFailed(claim: Claim): Promise<void>;
  markUnknown(claim: Claim): Promise<void>;
}

/**
 * Identifies one mail: the same event to the same mailbox is the same mail, whichever notification it belongs to by now.
 * Holds no address that could be read.
 */
export function claimId(
  trigger: { readonly source: string; readonly detailType: string },
  idempotencyKey: string,
  recipient: string,
): string {
  return createHash("sha256")
    .update(JSON.stringify([trigger.source, trigger.detailType, idempotencyKey, mailboxOf(recipient)]))
    .digest("hex");
}
