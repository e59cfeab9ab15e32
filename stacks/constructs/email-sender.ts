import {
  type DataAwsIamPolicyDocumentStatement,
  type DataAwsIamPolicyDocumentStatementCondition,
} from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { SesTemplate } from "@cdktf/provider-aws/lib/ses-template";
import { Sesv2ConfigurationSet } from "@cdktf/provider-aws/lib/sesv2-configuration-set";
import { Sesv2EmailIdentity } from "@cdktf/provider-aws/lib/sesv2-email-identity";
import { Annotations } from "cdktf";
import { Construct } from "constructs";
import { templateName } from "../../handler/contract/environment";
import { type RecipientPolicy, recipientPatterns } from "../../handler/contract/recipient-policy";
import { type Notification } from "../../handler/notifications/define";
import { type Edition } from "../../handler/notifications/editions";
import { type Arns } from "../arns";
import { type Config } from "../config";
import { type Names } from "../names";
import { movedFrom } from "../previous-addresses";
import { recipientConditions } from "../recipient-conditions";
import { type Tracking } from "../sending-domains";
import { checkedIdentities } from "../ses-identities";
import { escapeForTerraform, type LoadedTemplate } from "../templates/load";

export interface EmailSenderProps {
  readonly names: Names;
  readonly arns: Arns;
  /** The first is the default sender. Senders may share an identity. */
  readonly senders: Config["senders"];
  /** The identities that are created here, of senders and recipients. Each other one exists already. */
  readonly madeIdentities: readonly string[];
  /** Identities of recipients that SES checks beside that of the sender. */
  readonly recipientIdentities: readonly string[];
  /** Whom the functions may mail. IAM holds it, too, where it names recipients. */
  readonly recipientPolicy: RecipientPolicy;
  readonly templates: readonly StoredTemplate[];
  /** The domain under which opens and clicks are tracked. @default none is */
  readonly tracking?: Tracking | undefined;
  readonly deletionProtection: boolean;
}

/** The template of one edition of a notification as it is in this checkout. */
export interface StoredTemplate {
  readonly notificationId: Notification["id"];
  readonly edition: Edition;
  /** The edition's `editionKey`. */
  readonly key: string;
  readonly template: LoadedTemplate;
  /** The template's hash, made by `templateHash`. */
  readonly hash: string;
}

/** Everything that SES needs to send: the identities, the configuration set and the stored templates. */
export class EmailSender extends Construct {
  /** The senders' identities by address or domain; without those that another stage or a person created. */
  readonly identities: ReadonlyMap<string, Sesv2EmailIdentity>;
  readonly configurationSet: Sesv2ConfigurationSet;
  /** The stored templates by their `editionKey`. */
  readonly templates: Readonly<Record<string, SesTemplate>>;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: EmailSenderProps,
  ) {
    super(scope, id);
    const { names, tracking } = props;
    this.configurationSet = new Sesv2ConfigurationSet(this, "configuration-set", {
      configurationSetName: names.configurationSet,
      reputationOptions: { reputationMetricsEnabled: true },
      deliveryOptions: { tlsPolicy: "REQUIRE" },
      suppressionOptions: { suppressedReasons: ["BOUNCE", "COMPLAINT"] },
      sendingOptions: { sendingEnabled: true },
      ...(tracking === undefined
        ? {}
        : { trackingOptions: { customRedirectDomain: tracking.domain, httpsPolicy: tracking.httpsPolicy } }),
    });
    this.identities = this.createIdentities();
    const patterns = recipientPatterns(props.recipientPolicy);
    if (patterns !== undefined && this.recipientConditions().length === 0) {
      Annotations.of(this).addWarning(
        `The ${patterns.length} allowed recipients don't fit into the policy of a role, so IAM does not hold the list: the function alone does. ` +
          `To have both, name domains in place of addresses (allowedRecipients in stacks/stages.ts).`,
      );
    }
    this.templates = Object.fromEntries(
      props.templates.map((template) => [template.key, this.createTemplate(template)]),
    );
  }

  private createTemplate({ notificationId, key, template, hash }: StoredTemplate): SesTemplate {
    return new SesTemplate(this, `template-${key}`, {
      name: templateName(this.props.names.prefix, notificationId, hash),
      subject: escapeForTerraform(template.subject),
      html: escapeForTerraform(template.html),
      text: escapeForTerraform(template.text),
      // The old template is destroyed after the function's package no longer names it.
      lifecycle: { createBeforeDestroy: true },
    });
  }

  private createIdentities(): ReadonlyMap<string, Sesv2EmailIdentity> {
    const { madeIdentities } = this.props;
    const identities = this.senderIdentities();
    const ofSenders = new Map(
      identities
        .filter((value) => madeIdentities.includes(value))
        .map((value) => [value, this.createIdentity(value)] as const),
    );
    const ofDefault = ofSenders.get(identities[0] ?? "");
    if (ofDefault !== undefined) movedFrom(ofDefault, "email-sender", "sender");
    for (const recipient of this.withoutSenders(madeIdentities)) {
      movedFrom(this.createIdentity(recipient), "email-sender", `recipient-${recipient}`);
    }
    return ofSenders;
  }

  /** The construct's id is the address or the domain, so a recipient that becomes a sender keeps its identity. */
  private createIdentity(emailIdentity: string): Sesv2EmailIdentity {
    return new Sesv2EmailIdentity(this, `identity-${emailIdentity}`, {
      emailIdentity,
      // A person had to verify the identity. A new one can't send until somebody verifies it again.
      ...(this.props.deletionProtection ? { lifecycle: { preventDestroy: true } } : {}),
    });
  }

  /**
   * The permission to send mail of these templates from these senders, and nothing else. SES checks the identity, the
   * template and the configuration set (aws-cdk issue 34402), and in the SES sandbox the recipient's identity too
   * (aws-sdk-js issue 3641).
   *
   * The statement names the identities of each sender's address and of its domain (`checkedIdentities`).
   * `ses:FromAddress` keeps out the other addresses of the domain, and `ses:Recipients` keeps out every recipient that
   * the stage's policy does not list (docs/decisions/0021-stages.md).
   */
  sendStatement(): DataAwsIamPolicyDocumentStatement {
    const { names, arns, senders } = this.props;
    const addresses = unique(senders.map(({ address }) => address));
    return {
      sid: "SendNotifications",
      actions: ["ses:SendTemplatedEmail"],
      resources: [
        ...unique([...checkedIdentities(senders), ...this.checkedRecipients()]).map((name) =>
          arns.of("ses", `identity/${name}`),
        ),
        arns.of("ses", `configuration-set/${names.configurationSet}`),
        // The templates are named by their prefix. A list of all would outgrow the 10,240 characters that IAM takes for
        // the policies of a role.
        arns.of("ses", `template/${names.prefix}-*`),
      ],
      condition: [
        { test: "StringEquals", variable: "ses:FromAddress", values: addresses },
        ...this.recipientConditions(),
      ],
    };
  }

  private recipientConditions(): DataAwsIamPolicyDocumentStatementCondition[] {
    return recipientConditions(this.props.recipientPolicy, this.checkedRecipients());
  }

  private senderIdentities(): string[] {
    return unique(this.props.senders.map(({ identity }) => identity.value));
  }

  private checkedRecipients(): string[] {
    return this.withoutSenders(this.props.recipientIdentities);
  }

  /** If a sender is also a recipient, it has its identity already. */
  private withoutSenders(recipients: readonly string[]): string[] {
    const ofSenders = this.senderIdentities();
    return unique(recipients).filter((name) => !ofSenders.includes(name));
  }
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];
