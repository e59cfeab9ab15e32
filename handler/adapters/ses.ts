import { SendTemplatedEmailCommand, type SESClient } from "@aws-sdk/client-ses";
import { type PermanentFailureType, type TransientFailureType } from "../contract/failures";
import { type NotificationError, PermanentError, TransientError } from "../errors";
import { type SendEmail } from "../notify";

/** The only file that knows the SES SDK. */

interface SesSender {
  readonly client: SESClient;
  readonly sender: string;
  readonly configurationSet: string;
}

export function createSesSender({ client, sender, configurationSet }: SesSender): SendEmail {
  return async ({ recipient, template, templateData }) => {
    try {
      const { MessageId } = await client.send(
        new SendTemplatedEmailCommand({
          Source: sender,
          Destination: { ToAddresses: [recipient] },
          Template: template,
          TemplateData: JSON.stringify(templateData),
          ConfigurationSetName: configurationSet,
        }),
      );
      return { messageId: MessageId ?? "unknown" };
    } catch (cause) {
      throw classify(cause);
    }
  };
}

/**
 * SES's error codes for SendTemplatedEmail, and what each means for a retry
 * (https://docs.aws.amazon.com/ses/latest/APIReference/API_SendTemplatedEmail.html and CommonErrors.html).
 */
const permanentCodes: Readonly<Record<string, PermanentFailureType>> = {
  MessageRejected: "MessageRejected",
  InvalidParameterValue: "MessageRejected",
  TemplateDoesNotExist: "TemplateMissing",
  TemplateDoesNotExistException: "TemplateMissing",
  ConfigurationSetDoesNotExist: "ConfigurationSetMissing",
  ConfigurationSetDoesNotExistException: "ConfigurationSetMissing",
  MailFromDomainNotVerified: "SenderNotVerified",
  MailFromDomainNotVerifiedException: "SenderNotVerified",
};

const transientCodes: Readonly<Record<string, TransientFailureType>> = {
  Throttling: "Throttled",
  ThrottlingException: "Throttled",
  TooManyRequestsException: "Throttled",
  AccountSendingPaused: "SendingPaused",
  AccountSendingPausedException: "SendingPaused",
  ConfigurationSetSendingPaused: "SendingPaused",
  ConfigurationSetSendingPausedException: "SendingPaused",
  InternalFailure: "ServiceUnavailable",
  ServiceUnavailable: "ServiceUnavailable",
  TimeoutError: "ServiceUnavailable",
};

/** SES rejects an unverified sender with the same code as a bad message; only the text tells them apart. */
const unverifiedSender = /Email address is not verified/i;

function classify(cause: unknown): NotificationError {
  const code = cause instanceof Error ? cause.name : typeof cause;
  const permanent = permanentCodes[code];
  if (permanent !== undefined) {
    const type =
      cause instanceof Error && permanent === "MessageRejected" && unverifiedSender.test(cause.message)
        ? "SenderNotVerified"
        : permanent;
    return new PermanentError(type, `SES refused the mail (${code}). ${advice[type]}`, { cause });
  }
  return new TransientError(transientCodes[code] ?? "Unclassified", `SES did not take the mail (${code}).`, { cause });
}

const advice: Readonly<Record<PermanentFailureType, string>> = {
  InvalidEvent: "Correct the event.",
  UnknownNotification: "Add the notification to the catalogue.",
  RecipientRefused: "Add the recipient to the allow-list of the stage.",
  MessageRejected: "Look at the mail's content and at the account's status in SES.",
  TemplateMissing: "The stored template is gone: deploy the stack again.",
  ConfigurationSetMissing: "The configuration set is gone: deploy the stack again.",
  SenderNotVerified:
    "Verify the sender's identity in SES (and the recipient's, while the account is in the SES sandbox).",
};
