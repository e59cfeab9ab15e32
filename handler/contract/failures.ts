/**
 * The types of failure, by what a retry can do about them. The names are the `errorType` that Lambda writes into its
 * failure record, so the infrastructure can route by them: the error classes and the EventBridge patterns are both
 * built from these lists.
 *
 * Where the mails of one event fail for different reasons, the event bears the type that comes first: a transient one
 * before a permanent one, for a retry can still reach somebody, and within each list from top to bottom.
 */

/** A later try can succeed, by itself or once a deployment has mended the stack: the retry lane waits for hours. */
export const transientFailureTypes = [
  /** The stored template is gone, or not there yet. */
  "TemplateMissing",
  "ConfigurationSetMissing",
  "SendingPaused",
  "ServiceUnavailable",
  "Throttled",
  "ClaimStoreUnavailable",
  "Unclassified",
  /** Another run is sending the same mail at this moment. */
  "ClaimHeld",
  /** The run's time was over before its work. */
  "OutOfTime",
] as const;

/** A retry meets the same answer: a person has to change the event, the configuration or the account. */
export const permanentFailureTypes = [
  /** A mail may be out, or not: nobody can tell, so nobody sends it again without a person's word. */
  "OutcomeUnknown",
  "SenderNotVerified",
  "MessageRejected",
  /** The allow-list of the stage does not have the recipient. */
  "RecipientRefused",
  /** An entry of the event's recipients is no address, or SES refuses the address. */
  "InvalidRecipient",
  "InvalidEvent",
  /** Source and detail-type are a notification's, and its pattern does not take the event. */
  "NoRuleMatches",
  "UnknownNotification",
] as const;

export type PermanentFailureType = (typeof permanentFailureTypes)[number];
export type TransientFailureType = (typeof transientFailureTypes)[number];
export type FailureType = PermanentFailureType | TransientFailureType;

/** @param type a later version of the function may know others: they are not permanent. */
export function isPermanentFailure(type: string): type is PermanentFailureType {
  return (permanentFailureTypes as readonly string[]).includes(type);
}

const byRank: readonly FailureType[] = [...transientFailureTypes, ...permanentFailureTypes];

/** Sorts the failures of one event: the one whose type the event bears comes first. */
export function compareFailures(a: { readonly type: FailureType }, b: { readonly type: FailureType }): number {
  return byRank.indexOf(a.type) - byRank.indexOf(b.type);
}

/** Nothing went wrong where a mail only has to wait for its turn. */
export function isWait(type: string): boolean {
  return type === "ClaimHeld" || type === "OutOfTime";
}
