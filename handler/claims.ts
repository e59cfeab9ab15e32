import { createHash } from "node:crypto";
import { mailboxOf } from "./contract/email-address";
import { type Edition } from "./notifications/editions";

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
  /** Identifies the mail: the result of `claimId`. */
  readonly id: string;
  readonly notification: string;
  /** The template that the mail is made with. */
  readonly edition: Edition;
  readonly eventId: string;
  /** Hash of what the mail says: `PreparedEmail.contentHash`. */
  readonly contentHash: string;
  /** Time by which the run that takes the claim has certainly ended, in milliseconds since 1970. */
  readonly heldUntil: number;
  /** Whether a claim whose outcome is unknown may be taken as well. If so, the mail may be sent twice. */
  readonly takeOver: boolean;
}

/** A claim that this run holds. */
export interface Claim {
  readonly id: string;
  /** Random id that distinguishes this run's claim from another run's claim of the same mail. */
  readonly owner: string;
}

export type ClaimAnswer =
  | {
      readonly state: "claimed";
      readonly claim: Claim;
      /** How often the mail was claimed, this time included. */
      readonly attempt: number;
      /** The variant that the first try of the mail has chosen; absent where the mail has none. */
      readonly variant?: string;
    }
  | { readonly state: "sent"; readonly messageId: string; readonly claimedFor?: ClaimedMail }
  /** Another run is sending the mail at this moment. */
  | { readonly state: "held"; readonly claimedFor?: ClaimedMail }
  | { readonly state: "unknown"; readonly claimedFor?: ClaimedMail };

/** The event and the content that the claim was taken for. Claims that an early version wrote do not have it. */
export type ClaimedMail = Pick<ClaimRequest, "eventId" | "contentHash">;

/** Whether another event with different content took the claim: the two events share one idempotency key. */
export function isTakenForOther(answer: ClaimAnswer, request: ClaimedMail): boolean {
  if (answer.state === "claimed" || answer.claimedFor === undefined) return false;
  const { eventId, contentHash } = answer.claimedFor;
  return eventId !== request.eventId && contentHash !== request.contentHash;
}

/** Where claims are kept. Each method rejects if the store can't be reached. */
export interface ClaimStore {
  claim(request: ClaimRequest): Promise<ClaimAnswer>;
  markSent(claim: Claim, messageId: string): Promise<void>;
  markFailed(claim: Claim): Promise<void>;
  markUnknown(claim: Claim): Promise<void>;
}

/**
 * Identifies one mail. The same event to the same mailbox is the same mail, even if another notification takes the
 * event since the last deployment.
 * @returns a SHA-256 hash as 64 hexadecimal digits, so that the claim table holds no readable address.
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
