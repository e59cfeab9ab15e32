import { claimId } from "./claims";
import { type Notification, type PreparedEmail } from "./notifications/define";
import { type Edition, variantByWeight } from "./notifications/editions";

/** One mail of an event, before it is claimed. */
export interface PreparedMail {
  readonly recipient: string;
  /** The mail's `claimId`. */
  readonly claimId: string;
  /** The template that the mail is made with. */
  readonly edition: Edition;
  /** What the template reads. */
  readonly content: unknown;
}

/**
 * Makes the mails of an event, each in its recipient's language and variant.
 * @throws PermanentError `InvalidEvent` if the content does not fit the notification's schema in one of the languages.
 */
export function mailsOf(notification: Notification, prepared: PreparedEmail): readonly PreparedMail[] {
  const contents = new Map<string, unknown>();
  return prepared.recipients.map((recipient) => {
    const locale = prepared.localeOf(recipient);
    if (!contents.has(locale)) contents.set(locale, prepared.contentIn(locale));
    const content = contents.get(locale);
    const id = claimId(notification.trigger, prepared.idempotencyKey, recipient);
    const variant = notification.chosenVariant(content, { address: recipient }) ?? variantByWeight(notification, id);
    return { recipient, claimId: id, edition: { locale, ...(variant === undefined ? {} : { variant }) }, content };
  });
}
