/**
 * The types of failure, by what a retry can do about them. The names are the `errorType` that Lambda writes into its
 * failure record, so the infrastructure can route by them: the error classes and the EventBridge patterns are both
 * built from these lists.
 */

/** A retry meets the same answer: a person has to change the event, the configuration or the account. */
export const permanentFailureTypes = [
  "InvalidEvent",
  "UnknownNotification",
  /** Source and detail-type are a notification's, and its pattern does not take the event. */
  "NoRuleMatches",
  "RecipientRefused",
  "MessageRejected",
  "TemplateMissing",
  "ConfigurationSetMissing",
  "SenderNotVerified",
  /** A mail may be out, or not: nobody can tell, so nobody sends it again without a person's word. */
  "OutcomeUnknown",
] as const;

/** A later try can succeed without anybody's help. */
export const transientFailureTypes = [
  "Throttled",
  "ServiceUnavailable",
  "SendingPaused",
  "ClaimStoreUnavailable",
  /** Another run is sending the same mail at this moment. */
  "ClaimHeld",
  /** The run's time was over before its work. */
  "OutOfTime",
  "Unclassified",
] as const;

export type PermanentFailureType = (typeof permanentFailureTypes)[number];
export type TransientFailureType = (typeof transientFailureTypes)[number];
export type FailureType = PermanentFailureType | TransientFailureType;
