import { type DataAwsIamPolicyDocumentStatement } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { SesTemplate } from "@cdktf/provider-aws/lib/ses-template";
import { Sesv2ConfigurationSet } from "@cdktf/provider-aws/lib/sesv2-configuration-set";
import { Sesv2EmailIdentity } from "@cdktf/provider-aws/lib/sesv2-email-identity";
import { Construct } from "constructs";
import { templateName } from "../../handler/contract/environment";
import { type Notification } from "../../handler/notifications/define";
import { type Names } from "../names";
import { escapeForTerraform, loadTemplate } from "../templates";

export interface EmailSenderProps {
  readonly names: Names;
  /** `arn:<partition>:ses:<region>:<account>`, without a trailing colon. */
  readonly sesArnPrefix: string;
  readonly sender: string;
  readonly identity: { readonly kind: "address" | "domain"; readonly value: string };
  /** Whether the identities are made here; otherwise they exist already. */
  readonly manageIdentities: boolean;
  /** Recipients to verify, while the account is in the SES sandbox. */
  readonly verifiedRecipients: readonly string[];
  readonly notifications: readonly Notification[];
}

/** What SES needs to send: the identity, the configuration set and the stored templates. */
export class EmailSender extends Construct {
  /** `undefined` where another stage or a person made it. */
  readonly identity: Sesv2EmailIdentity | undefined;
  readonly configurationSet: Sesv2ConfigurationSet;
  readonly templates: readonly SesTemplate[];

  constructor(
    scope: Construct,
    id: string,
    private readonly props: EmailSenderProps,
  ) {
    super(scope, id);
    const { names, identity, notifications } = props;
    this.configurationSet = new Sesv2ConfigurationSet(this, "configuration-set", {
      configurationSetName: names.of("notifications"),
      reputationOptions: { reputationMetricsEnabled: true },
      deliveryOptions: { tlsPolicy: "REQUIRE" },
      suppressionOptions: { suppressedReasons: ["BOUNCE", "COMPLAINT"] },
      sendingOptions: { sendingEnabled: true },
    });
    if (props.manageIdentities) {
      this.identity = new Sesv2EmailIdentity(this, "sender", { emailIdentity: identity.value });
      for (const recipient of this.recipientIdentities()) {
        new Sesv2EmailIdentity(this, `recipient-${recipient}`, { emailIdentity: recipient });
      }
    }
    this.templates = notifications.map((notification) => {
      const { subject, html, text } = loadTemplate(notification);
      return new SesTemplate(this, `template-${notification.id}`, {
        name: templateName(names.prefix, notification.id),
        subject: escapeForTerraform(subject),
        html: escapeForTerraform(html),
        text: escapeForTerraform(text),
      });
    });
  }

  /**
   * The right to send these templates from this sender and nothing else. SES checks the identity, the template and the
   * configuration set (aws-cdk issue 34402), and in the SES sandbox the recipient's identity too (aws-sdk-js issue 3641).
   */
  sendStatement(): DataAwsIamPolicyDocumentStatement {
    const { names, sesArnPrefix, sender, identity, notifications } = this.props;
    return {
      sid: "SendNotifications",
      actions: ["ses:SendTemplatedEmail"],
      resources: [
        ...[identity.value, ...this.recipientIdentities()].map((name) => `${sesArnPrefix}:identity/${name}`),
        `${sesArnPrefix}:configuration-set/${names.of("notifications")}`,
        ...notifications.map(({ id }) => `${sesArnPrefix}:template/${templateName(names.prefix, id)}`),
      ],
      condition: [{ test: "StringEquals", variable: "ses:FromAddress", values: [sender] }],
    };
  }

  /** An address that is the sender's too has its identity already. */
  private recipientIdentities(): string[] {
    return [...new Set(this.props.verifiedRecipients)].filter((name) => name !== this.props.identity.value);
  }
}
