import { SendTemplatedEmailCommand, type SESClient } from "@aws-sdk/client-ses";
import { type FailureType } from "../contract/failures";
import { maskAddresses } from "../contract/mask";
import { createError, type NotificationError, PermanentError, TransientError } from "../errors";
import { type SendEmail } from "../send-notification";
import { type Clock, type Pacer } from "../pacer";

/** Only this file knows SES's commands and errors. */

/**
 * Settings that the SES client must have; times are in milliseconds.
 *
 * The SDK makes one attempt. Its own retries would also repeat a call that timed out
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html: time-outs count as transient errors),
 * and SendTemplatedEmail has no idempotency token, so the mail could be sent twice. `createSesSender` itself repeats a
 * call, but only one that SES refused because of the send rate.
 *
 * Each call opens a connection of its own. A connection that is kept can go stale while Lambda freezes the environment,
 * and then breaks at the next call (https://github.com/aws/aws-sdk-js-v3/issues/1196). As there is no second attempt,
 * that mail would count as unknown.
 */
export const sesClientSettings = {
  maxAttempts: 1,
  requestHandler: {
    connectionTimeout: 1000,
    requestTimeout: 5000,
    throwOnRequestTimeout: true,
    // `requestTimeout` ends when the answer's headers arrive. This one covers its body as well.
    socketTimeout: 5000,
    httpAgent: { keepAlive: false },
    httpsAgent: { keepAlive: false },
  },
} as const;

interface SesSender {
  readonly client: SESClient;
  readonly configurationSet: string;
  readonly pacer: Pacer;
  readonly clock: Clock;
  /** Returns a number from 0 to 1 for the jitter of the back-off. */
  readonly random: () => number;
}

/** Back-off after a throttled call, in milliseconds. It begins with `firstMs` and doubles up to `longestMs`. */
const backoff = { firstMs: 100, longestMs: 5000 };

export function createSesSender({ client, configurationSet, pacer, clock, random }: SesSender): SendEmail {
  return async ({ sender, recipient, template, templateData, replyTo, tags }, deadline) => {
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
      const turn = await pacer.turn(deadline);
      if (turn === undefined || clock.now() > deadline) {
        throw new TransientError("OutOfTime", "The mail's turn to be sent comes too late for this run.");
      }
      try {
        const { MessageId } = await client.send(command);
        pacer.sent();
        return { messageId: MessageId ?? "unknown" };
      } catch (cause) {
        const failure = classify(cause);
        if (failure.name !== "Throttled" || isDailyQuota(cause)) throw failure;
        pacer.throttled(turn);
        const wait = random() * Math.min(backoff.firstMs * 2 ** attempt, backoff.longestMs);
        if (clock.now() + wait > deadline) throw failure;
        await clock.wait(wait);
      }
    }
  };
}

/**
 * Longest value of a tag, in characters. SES's reference says 256 (API_MessageTag), but SES refuses a value of 256
 * characters with "cannot exceed 255" (answers that LocalStack recorded on AWS).
 */
const longestTagValue = 255;

/** Makes a value that SES takes for a tag: ASCII letters, digits, `_` and `-` (API_MessageTag). */
function toTagValue(text: string): string {
  return text.replace(/[^\w-]/g, "_").slice(0, longestTagValue);
}

/**
 * The failure type for each error of SendTemplatedEmail: the operation's own errors, and those that all actions share
 * (https://docs.aws.amazon.com/ses/latest/APIReference/API_SendTemplatedEmail.html, CommonErrors.html). The keys are
 * without the ending `Exception`, which only the SDK's typed errors have.
 *
 * With nearly all of these errors SES says that it did not take the mail. `OutcomeUnknown` is for the one that leaves
 * it open.
 */
export const sesFailures: Readonly<Record<string, FailureType>> = {
  // The operation's own errors.
  AccountSendingPaused: "SendingPaused",
  ConfigurationSetDoesNotExist: "ConfigurationSetMissing",
  ConfigurationSetSendingPaused: "SendingPaused",
  MailFromDomainNotVerified: "SenderNotVerified",
  MessageRejected: "MessageRejected",
  TemplateDoesNotExist: "TemplateMissing",
  // Errors of all actions that are about this call's content.
  InvalidParameterCombination: "MessageRejected",
  InvalidParameterValue: "MessageRejected",
  InvalidQueryParameter: "MessageRejected",
  MalformedQueryString: "MessageRejected",
  MissingParameter: "MessageRejected",
  RequestEntityTooLarge: "MessageRejected",
  ValidationError: "MessageRejected",
  // Errors of all actions that are about the account or the moment. A deployment mends them, or they pass.
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
  // SES gave the request up, and may have read it before.
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

/**
 * Whether the call was refused because of the quota of 24 hours. SES reports it with the same code as the send rate,
 * but a back-off within the run can't help.
 */
function isDailyQuota(cause: unknown): boolean {
  return cause instanceof Error && /daily (?:message|sending) quota/i.test(cause.message);
}

/** System errors of a connection that was never made, so the mail is not out. */
const notConnected = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

/** SES rejects an unverified sender with the same code as a bad message; only the text tells them apart. */
const unverifiedSender = /Email address is not verified/i;

/**
 * Words by which a refused address is told from a refused content, because SES uses the same codes for both. None of
 * these words occurs in its answers about a mail's content or tags. For an address, SES answers
 *
 * - `InvalidParameterValue` with the texts of JavaMail's `InternetAddress`: "Missing final '@domain'", "Local address
 *   contains control or whitespace", "Domain starts with dot", "Illegal address", "Missing local name", "Unterminated
 *   quote" and others (many reports, for example https://github.com/openstax/accounts/issues/253),
 * - `InvalidParameterValue` with texts of its own: "Address length is more than 320 characters long", "Invalid domain
 *   name",
 * - `MessageRejected` with "Address blacklisted".
 */
const refusedAddress =
  /\b(?:address(?:es)?|domain|local name|route-addr)\b|unterminated quote|^missing '|^illegal (?:semi)?colon/i;

/**
 * Makes the failure that an error of the SES client stands for. Its message names SES's code and text, without
 * addresses.
 */
export function classify(cause: unknown): NotificationError {
  if (cause instanceof PermanentError || cause instanceof TransientError) return cause;
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const type = typeOf(error);
  const [says, helps] = [type === "OutcomeUnknown" ? "SES gave no answer" : "SES did not take the mail", advice[type]];
  return createError(type, `${says} (${wordOf(error)}).${helps === undefined ? "" : ` ${helps}`}`, { cause });
}

/** Longest excerpt of SES's code and of its text, in characters each. */
const longestWord = 200;

/**
 * SES's text about an address without a domain. It is not masked, although it has an `@`: people search for these
 * words.
 */
const noDomain = "Missing final '@domain'";

/**
 * SES's error code and its text, on one line and without addresses. For an error that does not come from SES, the text
 * is left out, because it may contain anything.
 */
function wordOf(error: SdkError): string {
  const isOfSes = error.$fault !== undefined;
  const detail = isOfSes ? error.message : typeof error.code === "string" ? error.code : "";
  const word = (part: string) =>
    maskAddresses(part, longestWord)
      .replace(/[\p{C}\p{Z}]+/gu, " ")
      .trim();
  return [word(error.name), detail === noDomain ? noDomain : word(detail)].filter((part) => part !== "").join(": ");
}

/** An error with the fields that the SDK adds. Only errors that the service answered with have `$fault`. */
type SdkError = Error & { code?: unknown; $fault?: unknown; $metadata?: { httpStatusCode?: number } };

function typeOf(error: SdkError): FailureType {
  const code = error.name.replace(/Exception$/, "");
  const known = Object.hasOwn(sesFailures, code) ? sesFailures[code] : undefined;
  if (known === "MessageRejected" && unverifiedSender.test(error.message)) return "SenderNotVerified";
  if (known === "MessageRejected" && refusedAddress.test(error.message)) return "InvalidRecipient";
  if (known !== undefined) return known;
  const status = error.$metadata?.httpStatusCode;
  // A status of success means that SES took the request, but its answer was damaged on the way.
  if (status !== undefined && status < 300) return "OutcomeUnknown";
  // These come from a gateway or a proxy on the way, which does not know whether SES took the mail.
  if (status === 502 || status === 504) return "OutcomeUnknown";
  if (status !== undefined) return status >= 500 ? "ServiceUnavailable" : "Unclassified";
  const systemCode = typeof error.code === "string" ? error.code : "";
  if (notConnected.has(systemCode) || isConnectionTimeout(error)) return "ServiceUnavailable";
  // There is no status: the call timed out, or the connection broke. The request may have arrived.
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
  InvalidRecipient: "The recipient's address, or one for replies, is wrong: correct it where the event is made.",
  TemplateMissing: "The stored template is gone: deploy the stack again, and the mail goes out by itself.",
  ConfigurationSetMissing: "The configuration set is gone: deploy the stack again, and the mail goes out by itself.",
  SendingPaused: "SES has paused the account or the configuration set: see docs/runbook.md.",
};
