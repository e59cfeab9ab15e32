import { ArchiveProvider } from "@cdktf/provider-archive/lib/provider";
import { DataAwsCallerIdentity } from "@cdktf/provider-aws/lib/data-aws-caller-identity";
import { DataAwsPartition } from "@cdktf/provider-aws/lib/data-aws-partition";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { TerraformOutput, TerraformStack } from "cdktf";
import { type Construct } from "constructs";
import { catalogue } from "../handler/notifications";
import { type Notification } from "../handler/notifications/define";
import { type Config } from "./config";
import { checkCatalogue } from "./catalogue-check";
import { ClaimTable } from "./constructs/claim-table";
import { DeliveryFeedback } from "./constructs/delivery-feedback";
import { EmailSender } from "./constructs/email-sender";
import { EventBus } from "./constructs/event-bus";
import { EventLogAccess } from "./constructs/event-log";
import { EventRouting } from "./constructs/event-routing";
import { FailuresBus } from "./constructs/failures-bus";
import { Monitoring } from "./constructs/monitoring";
import { FunctionBundle } from "./constructs/function-bundle";
import { NotificationLane } from "./constructs/notification-lane";
import { ParkingQueue } from "./constructs/parking-queue";
import { claimRetentionSeconds } from "./delivery-windows";
import { Names } from "./names";
import { enforcePolicy } from "./policy";
import { laneBudgets } from "./send-budget";
import { defaultQuotas } from "./stages";
import { loadTemplate, notificationsFolder, templateHash, type TemplateReader } from "./templates";

/** One stage of the system, from the bus to the mail. */
export class NotificationStack extends TerraformStack {
  /** @param templateOf where the stored template of a notification comes from. */
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
    new AwsProvider(this, "aws", {
      region: config.region,
      allowedAccountIds: [config.accountId],
      defaultTags: [{ tags: { project: config.projectName, stage: config.stage, "managed-by": "cdktf" } }],
    });
    new ArchiveProvider(this, "archive");
    const { accountId } = new DataAwsCallerIdentity(this, "account");
    const { partition } = new DataAwsPartition(this, "partition");
    const arn = (service: string, resource: string) =>
      `arn:${partition}:${service}:${config.region}:${accountId}:${resource}`;
    const ownRulesArn = arn("events", `rule/${names.prefix}-*`);
    const templates = checkCatalogue(notifications, {
      prefix: names.prefix,
      templateOf,
      // A catalogue that is passed in may be a part of it.
      folder: notifications === catalogue ? notificationsFolder : undefined,
    });

    const sender = new EmailSender(this, "email-sender", {
      names,
      sesArnPrefix: arn("ses", "").slice(0, -1),
      sender: config.sender,
      identity: config.senderIdentity,
      manageIdentities: config.manageIdentities,
      verifiedRecipients: config.sesSandbox ? config.recipients : [],
      notifications: templates,
      deletionProtection,
    });
    const deadLetterName = names.of("dead-letters");
    const deadLetters = new ParkingQueue(this, "dead-letters", {
      name: deadLetterName,
      arn: arn("sqs", deadLetterName),
      ownRulesArn,
      deletionProtection,
    });
    const claims = new ClaimTable(this, "claims", { name: names.of("claims"), deletionProtection });
    const { bus } = new EventBus(this, "event-bus", {
      names,
      archiveRetentionDays: config.archiveRetentionDays,
      deletionProtection,
    });
    const failures = new FailuresBus(this, "failures-bus", { names, deadLetters, retry: config.targetRetry });
    const bundle = new FunctionBundle(
      this,
      "bundle",
      Object.fromEntries(templates.map(({ id: notification, template }) => [notification, templateHash(template)])),
    );
    const budgets = laneBudgets(config.sendRatePerSecond);
    const createLane = (lane: Notification["lane"]) =>
      new NotificationLane(this, `${lane}-lane`, {
        lane,
        names,
        bundle,
        templates: sender.templates,
        memoryMb: config.memoryMb,
        timeoutSeconds: config.timeoutSeconds,
        logRetentionDays: config.logRetentionDays,
        budget: budgets[lane],
        reserveConcurrency: config.reserveConcurrency,
        environment: {
          sender: config.sender,
          replyTo: config.replyTo,
          configurationSet: names.of("notifications"),
          templateNamePrefix: names.prefix,
          recipientPolicy: config.recipientPolicy,
          claimTable: claims.table.name,
          claimRetentionSeconds: claimRetentionSeconds(config),
          deadLetterQueueUrl: deadLetters.queue.url,
          metricsNamespace: names.prefix,
        },
        permissions: [claims.claimStatement(), sender.sendStatement()],
        failures,
        deadLetters,
        retry: config.targetRetry,
        ownRulesArn,
        deletionProtection,
        arnOf: arn,
      });
    const lanes = { standard: createLane("standard"), priority: createLane("priority") };
    const log = {
      access: new EventLogAccess(this, "event-log-access", {
        names,
        logsArnPrefix: arn("logs", "").slice(0, -1),
        ownRulesArn,
      }),
      partition,
      retentionDays: config.logRetentionDays,
    };
    const routing = new EventRouting(this, "event-routing", {
      names,
      notifications,
      bus,
      lanes,
      deadLetters,
      recipients: config.recipients,
      retry: config.targetRetry,
      mostPatternCharacters: quotas.eventPatternCharacters,
      log,
      metricsNamespace: names.prefix,
    });
    const feedback = new DeliveryFeedback(this, "delivery-feedback", {
      names,
      configurationSet: sender.configurationSet,
      defaultBusArn: arn("events", "event-bus/default"),
      log,
      metricsNamespace: names.prefix,
      deadLetters,
      retry: config.targetRetry,
    });
    const monitoring = new Monitoring(this, "monitoring", {
      names,
      region: config.region,
      metricsNamespace: names.prefix,
      lanes: Object.values(lanes),
      deadLetters,
      rules: [
        ...routing.rules,
        ...[lanes.standard.retryRule, lanes.priority.retryRule, failures.deadLetterRule].map((rule) => ({
          rule,
          busName: failures.bus.name,
        })),
        feedback.rule,
      ],
      accountRootArn: `arn:${partition}:iam::${accountId}:root`,
      ownAlarmsArn: arn("cloudwatch", `alarm:${names.prefix}-*`),
      email: config.alarmEmail,
    });

    this.output("event_bus_name", bus.name, "Put business events on this bus");
    this.output("event_bus_arn", bus.arn, "For the policies of producers");
    this.output(
      "failures_bus_name",
      failures.bus.name,
      "Lambda puts the records of failed events here, and nobody else",
    );
    this.output("function_name", lanes.standard.notify.function.functionName, "The Lambda function");
    this.output("priority_function_name", lanes.priority.notify.function.functionName, "The function of the alerts");
    this.output("log_group_name", lanes.standard.notify.logGroup.name, "The function's logs");
    this.output("feedback_log_group_name", feedback.log.group.name, "What SES tells about the mail");
    this.output("unrouted_log_group_name", routing.unroutedLog.group.name, "Events that no notification knows");
    this.output("dead_letter_queue_url", deadLetters.queue.url, "Where events wait that could not be handled");
    this.output("claim_table_name", claims.table.name, "What was sent, and what is being sent");
    this.output(
      "template_names",
      Object.fromEntries(notifications.map((each, index) => [each.id, sender.templates[index]?.name ?? ""])),
      "Stored template of each notification",
    );
    this.output("alarm_topic_arn", monitoring.alarmTopic.topic.arn, "Alarms are published here");
    this.output(
      "identity_status_command",
      `aws sesv2 get-email-identity --region ${config.region} --email-identity ${config.senderIdentity.value} --query VerificationStatus`,
      "Prints SUCCESS once the sender's identity is verified",
    );
    if (config.senderIdentity.kind === "domain" && sender.identity !== undefined) {
      this.output(
        "dkim_tokens",
        sender.identity.dkimSigningAttributes.tokens,
        "Make a CNAME of each, <token>._domainkey.<domain>, to the target that the SES console shows for it",
      );
    }
    enforcePolicy(this, names.prefix, { ...quotas, deletionProtection });
  }

  private output(name: string, value: unknown, description: string): void {
    new TerraformOutput(this, name, { value, description }).overrideLogicalId(name);
  }
}
