/**
 * The types of failure, by what a retry can do about them. The names are the `errorType` that Lambda writes into its
 * failure record, so the infrastructure can route by them: the error classes and the EventBridge patterns are both
 * built from these lists.
 */

/** A retry meets the same answer: a person has to change the event, the configuration or the account. */
export const permanentFailureTypes = [
  "InvalidEvent",
  "UnknownNotification",
  "RecipientRefused",
  "MessageRejected",
  "TemplateMissing",
  "ConfigurationSetMissing",
  "SenderNotVerified",
] as const;

/** A later try can succeed without anybody's help. */
export const transientFailureTypes = ["Throttled", "ServiceUnavailable", "SendingPaused", "Unclassified"] as const;

export type PermanentFailureType = (typeof permanentFailureTypes)[number];
export type TransientFailureType = (typeof transientFailureTypes)[number];
