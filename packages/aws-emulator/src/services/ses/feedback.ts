import { type NewEvent } from "../eventbridge/buses";
import { type Faults, type Subject } from "../../gateway/faults";
import { type Answer, isRecord, jsonOf, recordsIn, succeeded } from "../../gateway/http";
import { type Mail, newId } from "../../gateway/journal";
import { bareAddress } from "./sent-mail";
import { type SuppressionList } from "./suppression";

/**
 * SES's events about a mail that it took, on the default bus:
 * https://docs.aws.amazon.com/ses/latest/dg/monitoring-eventbridge.html; their content is that of
 * https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html.
 */

/** The event's type: in a configuration set's event destination, in `detail.eventType`, and as detail-type. */
const types = {
  send: { destination: "SEND", eventType: "Send", detailType: "Email Sent" },
  delivery: { destination: "DELIVERY", eventType: "Delivery", detailType: "Email Delivered" },
  bounce: { destination: "BOUNCE", eventType: "Bounce", detailType: "Email Bounced" },
  complaint: { destination: "COMPLAINT", eventType: "Complaint", detailType: "Email Complaint Received" },
  failure: { destination: "RENDERING_FAILURE", eventType: "Rendering Failure", detailType: "Email Rendering Failed" },
} as const;

type Kind = keyof typeof types;

interface Feedback {
  readonly kind: Kind;
  readonly recipients: readonly string[];
  readonly content: Readonly<Record<string, unknown>>;
}

export interface FeedbackDependencies {
  readonly region: string;
  readonly accountId: string;
  /** Asks SES v2 as a client does. */
  readonly ask: (path: string) => Promise<Answer>;
  readonly publish: (event: NewEvent) => void;
  readonly suppression: SuppressionList;
  readonly faults: Faults;
}

/** Decides what becomes of a mail that SES took, and tells it as SES does. */
export class SesFeedback {
  constructor(private readonly dependencies: FeedbackDependencies) {}

  /** What SES's events will tell of the mail. Fills the suppression list. */
  async fatesOf(mail: Mail, call: Subject): Promise<readonly Feedback[]> {
    const recipients = [...mail.to, ...mail.cc, ...mail.bcc].map(bareAddress);
    if (mail.renderError !== undefined) {
      const content = { errorMessage: mail.renderError, templateName: mail.template };
      return [{ kind: "failure", recipients, content }];
    }
    const suppressed = await this.suppressedReasons(mail.configurationSet);
    const fates = recipients.flatMap((recipient) => this.fatesAt(recipient, suppressed, call));
    // A mail to a suppressed address counts as sent, too (API_EventDestination).
    return [{ kind: "send", recipients, content: {} }, ...fates];
  }

  /** For the destinations of the mail's configuration set that ask for it. */
  async publish(mail: Mail, feedback: readonly Feedback[], operation: string): Promise<void> {
    if (mail.configurationSet === "" || feedback.length === 0) return;
    const { region, accountId, ask, publish } = this.dependencies;
    const answer = await ask(
      `/v2/email/configuration-sets/${encodeURIComponent(mail.configurationSet)}/event-destinations`,
    );
    const { EventDestinations: all } = succeeded(answer) ? jsonOf(answer) : {};
    const wanted = recordsIn(all)
      .filter(({ Enabled, EventBridgeDestination }) => Enabled === true && isRecord(EventBridgeDestination))
      .flatMap(({ MatchingEventTypes }) =>
        Array.isArray(MatchingEventTypes) ? (MatchingEventTypes as unknown[]) : [],
      );
    for (const { kind, content } of feedback) {
      const { destination, eventType, detailType } = types[kind];
      if (!wanted.includes(destination)) continue;
      publish({
        source: "aws.ses",
        detailType,
        resources: [`arn:aws:ses:${region}:${accountId}:configuration-set/${mail.configurationSet}`],
        detail: { eventType, mail: mailObject(mail, operation, this.dependencies), [kind]: content },
      });
    }
  }

  /**
   * What becomes of the mail at one recipient. Addresses of the mailbox simulator behave as
   * https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html says; they never get onto the list.
   */
  private fatesAt(recipient: string, suppressedReasons: readonly string[], call: Subject): Feedback[] {
    const { suppression, faults } = this.dependencies;
    const [local = "", domain = ""] = recipient.toLowerCase().split("@");
    const timestamp = new Date().toISOString();
    const delivered: Feedback = {
      kind: "delivery",
      recipients: [recipient],
      content: {
        timestamp,
        processingTimeMillis: 1,
        recipients: [recipient],
        smtpResponse: "250 2.6.0 Message received",
        reportingMTA: "sandbox.amazonses.com",
      },
    };
    const bounce = (bounceSubType: string, diagnosticCode: string): Feedback => ({
      kind: "bounce",
      recipients: [recipient],
      content: {
        bounceType: "Permanent",
        bounceSubType,
        bouncedRecipients: [{ emailAddress: recipient, action: "failed", status: "5.1.1", diagnosticCode }],
        timestamp,
        feedbackId: newId(),
        reportingMTA: "dns; sandbox.amazonses.com",
      },
    });
    if (domain === "simulator.amazonses.com") {
      switch (local.split("+")[0]) {
        case "bounce":
          return [bounce("General", "smtp; 550 5.1.1 user unknown")];
        case "suppressionlist":
          return [bounce("Suppressed", "Amazon SES has suppressed sending to this address.")];
        case "complaint":
          return [
            delivered,
            {
              kind: "complaint",
              recipients: [recipient],
              content: {
                complainedRecipients: [{ emailAddress: recipient }],
                timestamp,
                feedbackId: newId(),
                userAgent: "Amazon SES Mailbox Simulator",
                complaintFeedbackType: "abuse",
                complaintSubType: null,
              },
            },
          ];
        default:
          return [delivered];
      }
    }
    const reason = suppression.reasonFor(recipient);
    if (reason !== undefined && suppressedReasons.includes(reason)) {
      return [
        bounce(
          "OnAccountSuppressionList",
          "Amazon SES did not send the message to this address because it is on the suppression list for your account.",
        ),
      ];
    }
    if (faults.take("ses", ["bounce"], () => ({ ...call, recipients: [recipient] })) !== undefined) {
      if (suppressedReasons.includes("BOUNCE")) suppression.add(recipient, "BOUNCE");
      return [bounce("General", "smtp; 550 5.1.1 user unknown")];
    }
    return [delivered];
  }

  /** The reasons for which the configuration set suppresses; the account's default is both. */
  private async suppressedReasons(configurationSet: string): Promise<readonly string[]> {
    const byDefault = ["BOUNCE", "COMPLAINT"];
    if (configurationSet === "") return byDefault;
    const answer = await this.dependencies.ask(`/v2/email/configuration-sets/${encodeURIComponent(configurationSet)}`);
    const { SuppressionOptions: options } = succeeded(answer) ? jsonOf(answer) : {};
    const reasons = isRecord(options) ? options.SuppressedReasons : undefined;
    return Array.isArray(reasons) ? reasons.map(String) : byDefault;
  }
}

/** What became of a mail after it was sent, as event types, for the mail's own record. */
export function feedbackTypes(feedback: readonly Feedback[]): string[] {
  return feedback.filter(({ kind }) => kind !== "send").map(({ kind }) => types[kind].eventType);
}

function mailObject(
  mail: Mail,
  operation: string,
  { region, accountId }: FeedbackDependencies,
): Record<string, unknown> {
  const from = bareAddress(mail.from);
  const tags = Object.entries(mail.tags).map(([name, value]): [string, string[]] => [name, [value]]);
  return {
    timestamp: mail.time,
    source: mail.from,
    sourceArn: `arn:aws:ses:${region}:${accountId}:identity/${from}`,
    sendingAccountId: accountId,
    messageId: mail.id,
    destination: [...mail.to, ...mail.cc, ...mail.bcc],
    headersTruncated: false,
    headers: mail.headers,
    commonHeaders: { from: [mail.from], to: mail.to, messageId: mail.id, subject: mail.subject },
    tags: {
      "ses:operation": [operation],
      "ses:configuration-set": [mail.configurationSet],
      "ses:source-ip": ["127.0.0.1"],
      "ses:from-domain": [from.slice(from.lastIndexOf("@") + 1)],
      "ses:caller-identity": ["sandbox"],
      ...Object.fromEntries(tags),
    },
  };
}
