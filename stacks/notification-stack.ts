import { ArchiveProvider } from "@cdktf/provider-archive/lib/provider";
import { DataAwsCallerIdentity } from "@cdktf/provider-aws/lib/data-aws-caller-identity";
import { DataAwsPartition } from "@cdktf/provider-aws/lib/data-aws-partition";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { TerraformOutput, TerraformStack } from "cdktf";
import { type Construct } from "constructs";
import { type PackagedTemplates } from "../handler/contract/template-data";
import { catalogue } from "../handler/notifications";
import { type Notification } from "../handler/notifications/define";
import { editionKey, editionSuffix } from "../handler/notifications/editions";
import { Arns } from "./arns";
import { type Config } from "./config";
import { checkCatalogue } from "./catalogue-check";
import { ClaimTable } from "./constructs/claim-table";
import { DeliveryFeedback } from "./constructs/delivery-feedback";
import { EmailSender, type EmailSenderProps, type StoredTemplate } from "./constructs/email-sender";
import { SendingDomains } from "./constructs/sending-domain";
import { EventBus } from "./constructs/event-bus";
import { EventLogAccess, type EventLogSettings } from "./constructs/event-log";
import { EventRouting } from "./constructs/event-routing";
import { FailuresBus } from "./constructs/failures-bus";
import { Monitoring } from "./constructs/monitoring";
import { FunctionBundle } from "./constructs/function-bundle";
import { NotificationLane } from "./constructs/notification-lane";
import { type Delivery } from "./constructs/rule-target";
import { FailureQueue } from "./constructs/failure-queue";
import { claimRetentionSeconds } from "./delivery-windows";
import { type DnsRecord, zoneFile } from "./dns-records";
import { forEachLane, type Lane } from "./lanes";
import { Names } from "./names";
import { recipientIdentities } from "./ses-identities";
import { enforcePolicy } from "./policy";
import { laneBudgets } from "./send-budget";
import { defaultQuotas } from "./stages";
import { notificationsFolder } from "./templates/files";
import { loadTemplate, templateHash, type TemplateReader } from "./templates/load";

/** The parts of the stack that its outputs name. */
interface Parts {
  readonly bus: EventBus["bus"];
  readonly failures: FailuresBus;
  readonly lanes: Readonly<Record<Lane, NotificationLane>>;
  readonly feedback: DeliveryFeedback;
  readonly routing: EventRouting;
  readonly deadLetters: FailureQueue;
  readonly claims: ClaimTable;
  readonly sender: EmailSender;
  readonly monitoring: Monitoring;
}

/** One stage of the system, from the bus to the mail. */
export class NotificationStack extends TerraformStack {
  /** @param templateOf reads the stored template of an edition of a notification. */
  constructor(
    scope: Construct,
    id: string,
    config: Config,
    notifications: readonly Notification[] = catalogue,
    templateOf: TemplateReader = loadTemplate,
  ) {
    super(scope, id);
    const names = new Names(config);
    const { deletionProtection } = config;
    const quotas = { ...defaultQuotas(config.region), ...config.quotas };
    const arns = this.connect(config, names);
    const templates = checkedTemplates(notifications, config, names.prefix, templateOf);

    const sender = this.createSender(config, { names, arns, templates });
    const domains = new SendingDomains(this, "sending-domains", { config, sender });
    const deadLetters = new FailureQueue(this, "dead-letters", {
      name: names.of("dead-letters"),
      arns,
      deletionProtection,
    });
    const claims = new ClaimTable(this, "claims", { name: names.of("claims"), deletionProtection });
    const { bus } = new EventBus(this, "event-bus", {
      names,
      archiveRetentionDays: config.archiveRetentionDays,
      deletionProtection,
    });
    const delivery = { retry: config.targetRetry, deadLetters };
    const failures = new FailuresBus(this, "failures-bus", { names, delivery });
    const bundle = new FunctionBundle(this, "bundle", {
      templates: packagedTemplates(templates),
    });
    const lanes = this.createLanes(config, { names, arns, bundle, sender, claims, failures, delivery });
    const log: EventLogSettings = {
      access: new EventLogAccess(this, "event-log-access", { names, arns }),
      arns,
      retentionDays: config.logRetentionDays,
    };
    const routing = new EventRouting(this, "event-routing", {
      names,
      notifications,
      bus,
      lanes,
      delivery,
      recipients: config.recipients,
      mostPatternCharacters: quotas.eventPatternCharacters,
      log,
    });
    const { configurationSet } = sender;
    const feedback = new DeliveryFeedback(this, "delivery-feedback", {
      names,
      arns,
      configurationSet,
      log,
      delivery,
      tracksMail: config.tracking !== undefined,
    });
    const monitoring = new Monitoring(this, "monitoring", {
      names,
      arns,
      region: config.region,
      lanes: Object.values(lanes),
      deadLetters,
      rules: [
        ...routing.rules,
        ...Object.values(lanes).map(({ retryRule }) => retryRule),
        failures.deadLetterRule,
        feedback.rule,
      ],
      subscribers: config.alarmSubscribers,
    });

    this.describe(config, { bus, failures, lanes, feedback, routing, deadLetters, claims, sender, monitoring });
    this.describeRecords(domains.toDo);
    enforcePolicy(this, names.prefix, { ...quotas, deletionProtection });
  }

  /** Sets up the providers, and reads the account's partition. */
  private connect(config: Config, names: Names): Arns {
    new AwsProvider(this, "aws", {
      region: config.region,
      allowedAccountIds: [config.accountId],
      defaultTags: [{ tags: { project: config.projectName, stage: config.stage, "managed-by": "cdktf" } }],
    });
    new ArchiveProvider(this, "archive");
    const { accountId } = new DataAwsCallerIdentity(this, "account");
    const { partition } = new DataAwsPartition(this, "partition");
    return new Arns({ partition, region: config.region, accountId, names });
  }

  private createSender(config: Config, parts: Pick<EmailSenderProps, "names" | "arns" | "templates">): EmailSender {
    return new EmailSender(this, "email-sender", {
      ...parts,
      senders: config.senders,
      madeIdentities: config.madeIdentities,
      recipientPolicy: config.recipientPolicy,
      recipientIdentities: recipientIdentities(config),
      tracking: config.tracking,
      deletionProtection: config.deletionProtection,
    });
  }

  private createLanes(
    config: Config,
    parts: {
      readonly names: Names;
      readonly arns: Arns;
      readonly bundle: FunctionBundle;
      readonly sender: EmailSender;
      readonly claims: ClaimTable;
      readonly failures: FailuresBus;
      readonly delivery: Delivery;
    },
  ): Readonly<Record<Lane, NotificationLane>> {
    const { names, arns, bundle, sender, claims, failures, delivery } = parts;
    const budgets = laneBudgets(config);
    return forEachLane(
      (lane) =>
        new NotificationLane(this, `${lane}-lane`, {
          lane,
          names,
          arns,
          bundle,
          templates: Object.values(sender.templates),
          memoryMb: config.memoryMb,
          logRetentionDays: config.logRetentionDays,
          budget: budgets[lane],
          reserveConcurrency: config.reserveConcurrency,
          environment: {
            senders: Object.fromEntries(config.senders.map(({ name, address }) => [name, address])),
            replyTo: config.replyTo,
            configurationSet: names.configurationSet,
            templateNamePrefix: names.prefix,
            recipientPolicy: config.recipientPolicy,
            claimTable: claims.table.name,
            claimRetentionSeconds: claimRetentionSeconds(config),
            deadLetterQueueUrl: delivery.deadLetters.queue.url,
            metricsNamespace: names.metricsNamespace,
          },
          permissions: [claims.claimStatement(), sender.sendStatement()],
          failures,
          delivery,
          deletionProtection: config.deletionProtection,
        }),
    );
  }

  /** Writes the outputs, which say where everything is. */
  private describe(config: Config, parts: Parts): void {
    const { bus, failures, lanes, feedback, routing, deadLetters, claims, sender, monitoring } = parts;
    this.output("event_bus_name", bus.name, "Put business events on this bus");
    this.output("event_bus_arn", bus.arn, "For the policies of producers");
    this.output(
      "failures_bus_name",
      failures.bus.name,
      "Lambda puts the records of failed events here, and nobody else",
    );
    this.output("function_name", lanes.standard.processor.function.functionName, "The Lambda function");
    this.output("priority_function_name", lanes.priority.processor.function.functionName, "The function of the alerts");
    this.output("log_group_name", lanes.standard.processor.logGroup.name, "The function's logs");
    this.output("feedback_log_group_name", feedback.log.group.name, "What SES tells about the mail");
    this.output("unrouted_log_group_name", routing.unroutedLog.group.name, "Events that no notification knows");
    this.output("dead_letter_queue_url", deadLetters.queue.url, "Where events wait that could not be handled");
    this.output("claim_table_name", claims.table.name, "What was sent, and what is being sent");
    this.output(
      "template_names",
      Object.fromEntries(Object.entries(sender.templates).map(([edition, { name }]) => [edition, name])),
      "Stored template of each notification, locale and variant",
    );
    this.output("alarm_topic_arn", monitoring.alarmTopic.topic.arn, "Alarms are published here");
    const identities = [...new Set(config.senders.map(({ identity }) => identity.value))];
    this.output(
      "identity_status_command",
      identities
        .map(
          (identity) =>
            `aws sesv2 get-email-identity --region ${config.region} --email-identity ${identity} --query VerificationStatus`,
        )
        .join("; "),
      "Prints SUCCESS once the sender's identity is verified",
    );
  }

  /** Writes the DNS records that a person has to make; nothing where there are none. */
  private describeRecords(records: readonly DnsRecord[]): void {
    if (records.length === 0) return;
    this.output(
      "dns_records",
      records.map(({ name, type, value, ttl, why }) => ({ name, type, value, ttl, why })),
      "DNS records to make (docs/deploy.md, Send from a domain)",
    );
    this.output("dns_zone_file", zoneFile(records), "The same records as a zone file, which DNS services import");
  }

  private output(name: string, value: unknown, description: string): void {
    new TerraformOutput(this, name, { value, description }).overrideLogicalId(name);
  }
}

/** What the function's package knows of the templates. */
function packagedTemplates(templates: readonly StoredTemplate[]): PackagedTemplates {
  // Not by assignments to an object: an id such as "constructor" is the name of what every object has.
  return grouped(
    templates,
    ({ notificationId }) => notificationId,
    (ofNotification) =>
      grouped(
        ofNotification,
        ({ edition }) => edition.locale,
        (ofLocale) =>
          Object.fromEntries(
            ofLocale.map(({ edition, hash, template }) => [edition.variant ?? "", { hash, reads: template.reads }]),
          ),
      ),
  );
}

function grouped<Item, Value>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  valueOf: (group: readonly Item[]) => Value,
): Record<string, Value> {
  const keys = [...new Set(items.map(keyOf))];
  return Object.fromEntries(keys.map((key) => [key, valueOf(items.filter((item) => keyOf(item) === key))]));
}

/** Checks the catalogue, and returns the stored template of each edition of each notification. */
function checkedTemplates(
  notifications: readonly Notification[],
  { stage, senders }: Config,
  prefix: string,
  templateOf: TemplateReader,
): StoredTemplate[] {
  const checked = checkCatalogue(notifications, {
    prefix,
    templateOf,
    senders: { stage, names: senders.map(({ name }) => name) },
    // Only the project's own catalogue has to hold every folder. A catalogue that a test passes in may have a part of
    // them.
    folder: notifications === catalogue ? notificationsFolder : undefined,
  });
  return checked.map(({ notification, edition, template }) => {
    const hash = templateHash(template, editionSuffix(notification, edition));
    return { notificationId: notification.id, edition, key: editionKey(notification, edition), template, hash };
  });
}
