import { SendTemplatedEmailCommand, type SESClient } from "@aws-sdk/client-ses";
import { type FailureType } from "../contract/failures";
import { maskAddresses } from "../contract/mask";
import { createError, type NotificationError, PermanentError, TransientError } from "../errors";
import { type SendEmail } from "../send-notification";
import { type Clock } from "../pacer";

/** The only file that knows the SES SDK. */

/**
 * How the client has to be made. The SDK's own retries repeat a call that timed out, and SES has no idempotency token
 * for SendTemplatedEmail: the mail would be out twice
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html: time-outs count as transient errors).
 * So there is one attempt, and only what SES refused for its rate is repeated here.
 *
 * A connection serves one call: one that went stale while Lambda had frozen the environment breaks at the next call
 * (https://github.com/aws/aws-sdk-js-v3/issues/1196), and without a second attempt that mail would count as unknown.
 */
export const sesClientSettings = {
  maxAttempts: 1,
  requestHandler: {
    connectionTimeout: 1000,
    requestTimeout: 5000,
    throwOnRequestTimeout: true,
    // The request's own time-out ends with the answer's headers.
    socketTimeout: 5000,
    httpAgent: { keepAlive: false },
    httpsAgent: { keepAlive: false },
  },
} as const;

interface SesSender {
  readonly client: SESClient;
  readonly sender: string;
  readonly configurationSet: string;
  /** Waits for this environment's next turn to send. @returns false where none comes before the deadline. */
  readonly pace: (deadline: number) => Promise<boolean>;
  readonly clock: Clock;
  /** From 0 to 1, for the jitter of the back-off. */
  readonly random: () => number;
}

/** The first back-off after a throttled call, doubled at each further one, in milliseconds. */
const backoff = { firstMs: 200, longestMs: 5000 };

export function createSesSender({ client, sender, configurationSet, pace, clock, random }: SesSender): SendEmail {
  return async ({ recipient, template, templateData, replyTo, tags }, deadline) => {
    const command = new SendTemplatedEmailCommand({
      Source: sender,
      Destination: { ToAddresses: [recipient] },
      ...(replyTo.length === 0 ? {} : { ReplyToAddresses: [...replyTo] }),
      Template: template,
      TemplateData: JSON.stringify(templateData),
      ConfigurationSetName: configurationSet,
      Tags: Object.entries(tags).map(([Name, value]) => ({ Name, Value: toTagValue(String(value)) })),
    });
    for (let attempt = 0; ; attempt += 1) {
      if (!(await pace(deadline)) || clock.now() > deadline) {
        throw new TransientError("OutOfTime", "The mail's turn to be sent comes too late for this run.");
      }
      try {
        const { MessageId } = await client.send(command);
        return { messageId: MessageId ?? "unknown" };
      } catch (cause) {
        const failure = classify(cause);
        const wait = random() * Math.min(backoff.firstMs * 2 ** attempt, backoff.longestMs);
        if (failure.name !== "Throttled" || isDailyQuota(cause) || clock.now() + wait > deadline) throw failure;
        await clock.wait(wait);
      }
    }
  };
}

/**
 * Longest value of a tag: SES refuses one of 256 characters ("cannot exceed 255", LocalStack's answers recorded on AWS),
 * whatever its reference says (API_MessageTag: 256).
 */
const longestTagValue = 255;

/** SES takes ASCII letters, digits, `_` and `-` (API_MessageTag). */
function toTagValue(text: string): string {
  return text.replace(/[^\w-]/g, "_").slice(0, longestTagValue);
}

/**
 * What each error of SendTemplatedEmail means for the mail: the operation's own, and the errors that all actions share
 * (https://docs.aws.amazon.com/ses/latest/APIReference/API_SendTemplatedEmail.html, CommonErrors.html). Query codes come
 * without `Exception`, typed errors of the SDK with it.
 *
 * Nearly all of them are answers: SES did not take the mail. `OutcomeUnknown` is what has no answer.
 */
export const sesFailures: Readonly<Record<string, FailureType>> = {
  // Of the operation.
  AccountSendingPaused: "SendingPaused",
  ConfigurationSetDoesNotExist: "ConfigurationSetMissing",
  ConfigurationSetSendingPaused: "SendingPaused",
  MailFromDomainNotVerified: "SenderNotVerified",
  MessageRejected: "MessageRejected",
  TemplateDoesNotExist: "TemplateMissing",
  // Of all actions, about this call's content.
  InvalidParameterCombination: "MessageRejected",
  InvalidParameterValue: "MessageRejected",
  InvalidQueryParameter: "MessageRejected",
  MalformedQueryString: "MessageRejected",
  MissingParameter: "MessageRejected",
  RequestEntityTooLarge: "MessageRejected",
  ValidationError: "MessageRejected",
  // Of all actions, about the account or the moment: a deployment or a while mends them.
  AccessDenied: "Unclassified",
  ExpiredToken: "ServiceUnavailable",
  IncompleteSignature: "Unclassified",
  InternalFailure: "ServiceUnavailable",
  InvalidAction: "Unclassified",
  InvalidClientTokenId: "Unclassified",
  MalformedHttpRequest: "Unclassified",
  MissingAction: "Unclassified",
  MissingAuthenticationToken: "Unclassified",
  NotAuthorized: "Unclassified",
  OptInRequired: "Unclassified",
  // SES gave up on a request that it may have read.
  RequestAborted: "OutcomeUnknown",
  RequestExpired: "ServiceUnavailable",
  // SES did not get the whole request.
  RequestTimeout: "ServiceUnavailable",
  ServiceUnavailable: "ServiceUnavailable",
  Throttling: "Throttled",
  TooManyRequests: "Throttled",
  UnknownOperation: "Unclassified",
  UnrecognizedClient: "Unclassified",
};

/** The quota of 24 hours comes with the send rate's code, but no back-off of a run outlasts it. */
function isDailyQuota(cause: unknown): boolean {
  return cause instanceof Error && /daily (?:message|sending) quota/i.test(cause.message);
}

/** Errors from before the call could reach SES: the mail is not out. */
const notConnected = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

/** SES rejects an unverified sender with the same code as a bad message; only the text tells them apart. */
const unverifiedSender = /Email address is not verified/i;

/**
 * The same for an address that SES does not take: it answers `InvalidParameterValue` with the words of JavaMail's
 * `InternetAddress` ("Missing final '@domain'", "Local address contains control or whitespace", "Domain starts with
 * dot", "Illegal address", "Missing local name", "Unterminated quote", ..; many reports, for example
 * https://github.com/openstax/accounts/issues/253), its own ("Address length is more than 320 characters long", "Invalid
 * domain name"), and `MessageRejected` with "Address blacklisted". What it refuses of a mail's content or tags has none
 * of these words.
 */
const refusedAddress =
  /\b(?:address(?:es)?|domain|local name|route-addr)\b|unterminated quote|^missing '|^illegal (?:semi)?colon/i;

export function classify(cause: unknown): NotificationError {
  if (cause instanceof PermanentError || cause instanceof TransientError) return cause;
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const type = typeOf(error);
  const [says, helps] = [type === "OutcomeUnknown" ? "SES gave no answer" : "SES did not take the mail", advice[type]];
  return createError(type, `${says} (${wordOf(error)}).${helps === undefined ? "" : ` ${helps}`}`, { cause });
}

/** Longest excerpt of what SES says. */
const longestWord = 200;

/** What SES says of an address without a domain. It is no address itself, and people look for the words as they are. */
const noDomain = "Missing final '@domain'";

/** SES's error code and its text, on one line and without addresses. The text of any other error may hold anything. */
function wordOf(error: SdkError): string {
  const isOfSes = error.$fault !== undefined;
  const detail = isOfSes ? error.message : typeof error.code === "string" ? error.code : "";
  const word = (part: string) =>
    maskAddresses(part, longestWord)
      .replace(/[\p{C}\p{Z}]+/gu, " ")
      .trim();
  return [word(error.name), detail === noDomain ? noDomain : word(detail)].filter((part) => part !== "").join(": ");
}

/** What the SDK adds to an error. `$fault` is on the errors that the service answered with. */
type SdkError = Error & { code?: unknown; $fault?: unknown; $metadata?: { httpStatusCode?: number } };

function typeOf(error: SdkError): FailureType {
  const code = error.name.replace(/Exception$/, "");
  const known = Object.hasOwn(sesFailures, code) ? sesFailures[code] : undefined;
  if (known === "MessageRejected" && unverifiedSender.test(error.message)) return "SenderNotVerified";
  if (known === "MessageRejected" && refusedAddress.test(error.message)) return "InvalidRecipient";
  if (known !== undefined) return known;
  const status = error.$metadata?.httpStatusCode;
  // SES took the mail, and its answer broke on the way.
  if (status !== undefined && status < 300) return "OutcomeUnknown";
  // Not SES's word, but that of something in between: it does not say whether SES took the mail.
  if (status === 502 || status === 504) return "OutcomeUnknown";
  if (status !== undefined) return status >= 500 ? "ServiceUnavailable" : "Unclassified";
  const systemCode = typeof error.code === "string" ? error.code : "";
  if (notConnected.has(systemCode) || isConnectionTimeout(error)) return "ServiceUnavailable";
  // No answer and no status: a time-out, or a connection that broke. The request may have arrived.
  return isOfTheNetwork(error, systemCode) ? "OutcomeUnknown" : "Unclassified";
}

function isConnectionTimeout({ name, message }: Error): boolean {
  const text = message.toLowerCase();
  const follows = (first: string, then: string) => text.includes(first) && text.includes(then, text.indexOf(first));
  return (
    name === "TimeoutError" &&
    (follows("connection", "establish") || follows("connection", "timeout") || follows("socket", "establish"))
  );
}

function isOfTheNetwork(error: Error, code: string): boolean {
  return ["TimeoutError", "AbortError"].includes(error.name) || code !== "";
}

const advice: Readonly<Partial<Record<FailureType, string>>> = {
  OutcomeUnknown: "The mail may be out: look for it among SES's events before you send it again.",
  SenderNotVerified:
    "Verify the sender's identity in SES (and the recipient's, while the account is in the SES sandbox).",
  MessageRejected: "Look at the mail's content and at the account's status in SES.",
  InvalidRecipient: "It is the recipient's address, or that of an answer: correct it where the event is made.",
  TemplateMissing: "The stored template is gone: deploy the stack again, and the mail goes out by itself.",
  ConfigurationSetMissing: "The configuration set is gone: deploy the stack again, and the mail goes out by itself.",
  SendingPaused: "SES has paused the account or the configuration set: see docs/runbook.md.",
};
