/**
 * The types of failure, in two lists: those that a retry can mend, and those that it can't. Lambda writes the type as
 * `errorType` into its failure record, and EventBridge rules route by it. Both the error classes and the patterns of
 * the rules are built from these lists.
 *
 * If the mails of one event fail for different reasons, the event's own type is the one that comes first here.
 * Transient types come before permanent ones, because a retry can still reach somebody. Within a list, the order is
 * from top to bottom.
 */

/**
 * After these, a later try can succeed: by itself, or when a deployment has repaired the stack. The retry queue keeps
 * the event for hours.
 */
export const transientFailureTypes = [
  /** SES does not have the stored template: it was deleted, or is not deployed yet. */
  "TemplateMissing",
  "ConfigurationSetMissing",
  "SendingPaused",
  "ServiceUnavailable",
  "Throttled",
  "ClaimStoreUnavailable",
  "Unclassified",
  /** Another run is sending the same mail at this moment. */
  "ClaimHeld",
  /** The run's time was over before all mails were sent. */
  "OutOfTime",
] as const;

/** After these, every retry would fail again: a person has to change the event, the configuration or the account. */
export const permanentFailureTypes = [
  /** SES gave no answer, so the mail may be out. It is sent again only if a person decides so. */
  "OutcomeUnknown",
  "SenderNotVerified",
  "MessageRejected",
  /** The recipient is not on the stage's allow-list. */
  "RecipientRefused",
  /** An entry of the event's recipients is not an address, or SES refuses the address. */
  "InvalidRecipient",
  "InvalidEvent",
  /** The event has the source and detail-type of a notification, but does not fit the notification's pattern. */
  "NoRuleMatches",
  "UnknownNotification",
] as const;

export type PermanentFailureType = (typeof permanentFailureTypes)[number];
export type TransientFailureType = (typeof transientFailureTypes)[number];
export type FailureType = PermanentFailureType | TransientFailureType;

/**
 * @param type of a failure record. A later version of the function may know more types; these do not count as
 * permanent.
 */
export function isPermanentFailure(type: string): type is PermanentFailureType {
  return (permanentFailureTypes as readonly string[]).includes(type);
}

const byRank: readonly FailureType[] = [...transientFailureTypes, ...permanentFailureTypes];

/** Comparator that sorts the failures of one event. The type of the first becomes the type of the event. */
export function compareFailures(a: { readonly type: FailureType }, b: { readonly type: FailureType }): number {
  return byRank.indexOf(a.type) - byRank.indexOf(b.type);
}

/** Whether the type only means that a mail has to wait for its turn, so that nothing is wrong. */
export function isWait(type: string): boolean {
  return type === "ClaimHeld" || type === "OutOfTime";
}
