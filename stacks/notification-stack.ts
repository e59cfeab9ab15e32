import { ArchiveProvider } from "@cdktf/provider-archive/lib/provider";
import { DataAwsCallerIdentity } from "@cdktf/provider-aws/lib/data-aws-caller-identity";
import { DataAwsPartition } from "@cdktf/provider-aws/lib/data-aws-partition";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { TerraformOutput, TerraformStack } from "cdktf";
import { type Construct } from "constructs";
import { catalogue } from "../handler/notifications";
import { type Config } from "./config";
import { DeadLetters } from "./constructs/dead-letters";
import { EmailSender } from "./constructs/email-sender";
import { EventRouting } from "./constructs/event-routing";
import { Monitoring } from "./constructs/monitoring";
import { NotificationFunction } from "./constructs/notification-function";
import { Names } from "./names";
import { enforcePolicy } from "./policy";

/** One stage of the system, from the bus to the mail. */
export class NotificationStack extends TerraformStack {
  constructor(scope: Construct, id: string, config: Config) {
    super(scope, id);
    const names = new Names(config);
    new AwsProvider(this, "aws", {
      region: config.region,
      defaultTags: [{ tags: { project: config.projectName, stage: config.stage, "managed-by": "cdktf" } }],
    });
    new ArchiveProvider(this, "archive");
    const { accountId } = new DataAwsCallerIdentity(this, "account");
    const { partition } = new DataAwsPartition(this, "partition");
    const arn = (service: string, resource: string) =>
      `arn:${partition}:${service}:${config.region}:${accountId}:${resource}`;

    const sender = new EmailSender(this, "email-sender", {
      names,
      sesArnPrefix: arn("ses", "").slice(0, -1),
      sender: config.sender,
      identity: config.senderIdentity,
      verifiedRecipients: config.sesSandbox ? config.recipients : [],
      notifications: catalogue,
    });
    const deadLetterName = names.of("dead-letters");
    const deadLetters = new DeadLetters(this, "dead-letters", {
      name: deadLetterName,
      arn: arn("sqs", deadLetterName),
    });
    const notify = new NotificationFunction(this, "notification-function", {
      names,
      memoryMb: config.memoryMb,
      timeoutSeconds: config.timeoutSeconds,
      logRetentionDays: config.logRetentionDays,
      environment: {
        sender: config.sender,
        configurationSet: names.of("notifications"),
        templateNamePrefix: names.prefix,
        recipientPolicy: config.recipientPolicy,
        metricsNamespace: names.prefix,
      },
      permissions: [sender.sendStatement()],
      deadLetters,
    });
    const routing = new EventRouting(this, "event-routing", {
      names,
      notifications: catalogue,
      function: notify.function,
      deadLetters,
      recipients: config.recipients,
      archiveRetentionDays: config.archiveRetentionDays,
      retry: config.targetRetry,
    });
    const monitoring = new Monitoring(this, "monitoring", {
      names,
      region: config.region,
      function: notify,
      deadLetters,
      rules: routing.rules,
      accountRootArn: `arn:${partition}:iam::${accountId}:root`,
      alarmArnPrefix: arn("cloudwatch", "alarm"),
      email: config.alarmEmail,
    });

    this.output("event_bus_name", routing.bus.name, "Put business events on this bus");
    this.output("event_bus_arn", routing.bus.arn, "For the policies of producers");
    this.output("function_name", notify.function.functionName, "The Lambda function");
    this.output("log_group_name", notify.logGroup.name, "Its logs");
    this.output("dead_letter_queue_url", deadLetters.queue.url, "Where events wait that could not be handled");
    this.output(
      "template_names",
      Object.fromEntries(catalogue.map(({ id }, index) => [id, sender.templates[index]?.name ?? ""])),
      "Stored template of each notification",
    );
    this.output("alarm_topic_arn", monitoring.alarmTopic.topic.arn, "Alarms are published here");
    this.output(
      "identity_status_command",
      `aws sesv2 get-email-identity --region ${config.region} --email-identity ${config.senderIdentity.value} --query VerificationStatus`,
      "Prints SUCCESS once the sender's identity is verified",
    );
    if (config.senderIdentity.kind === "domain") {
      this.output(
        "dkim_tokens",
        sender.identity.dkimSigningAttributes.tokens,
        "Make a CNAME of each: <token>._domainkey.<domain> to <token>.dkim.amazonses.com",
      );
    }
    enforcePolicy(this, names.prefix);
  }

  private output(name: string, value: unknown, description: string): void {
    new TerraformOutput(this, name, { value, description }).overrideLogicalId(name);
  }
}
