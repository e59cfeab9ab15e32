import { CloudWatchClient, PutMetricAlarmCommand, type PutMetricAlarmCommandInput } from "@aws-sdk/client-cloudwatch";
import { LambdaClient, PutFunctionConcurrencyCommand } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateTemplateCommand, SESClient } from "@aws-sdk/client-ses";
import {
  CreateConfigurationSetCommand,
  CreateConfigurationSetEventDestinationCommand,
  CreateEmailIdentityCommand,
  type EventDestinationDefinition,
  SESv2Client,
} from "@aws-sdk/client-sesv2";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { catalogue } from "../../../handler/notifications";
import { awsChecks } from "../../../operations/doctor/aws";
import { type DoctorStage, runChecks } from "../../../operations/doctor/check";
import { emailChecks } from "../../../operations/doctor/email";
import { laneNames, lanes } from "../../../stacks/lanes";
import { awsClientConfig } from "aws-emulator/client-config";
import { type Config, type Sender } from "../../../stacks/config";
import { feedbackEvents } from "../../../stacks/constructs/delivery-feedback";
import { Names } from "../../../stacks/names";
import { laneBudgets } from "../../../stacks/send-budget";
import { loadTemplate, storedTemplateName } from "../../../stacks/templates/load";
import { accountId, region, TestGateway } from "aws-emulator/testing/gateway";
import { parkedStage } from "../../support/parked";
import { type Passage, type PassingAnswer, startPassage } from "../../support/passage";

/** What the passage answers in the gateway's place. */
interface Rewrite {
  /** Of `GET /v2/email/account `, or `POST / Action=ListTopics&..`. */
  readonly call: RegExp;
  readonly answer: PassingAnswer;
}

type Clients = ReturnType<typeof createClients>;

function createClients(endpoint: string) {
  const settings = { ...awsClientConfig(endpoint, region), maxAttempts: 1 };
  return {
    ses: new SESClient(settings),
    sesV2: new SESv2Client(settings),
    lambda: new LambdaClient(settings),
    sqs: new SQSClient(settings),
    sns: new SNSClient(settings),
    s3: new S3Client(settings),
    cloudWatch: new CloudWatchClient(settings),
  };
}

/** The doctor's clients before a gateway, with a passage between them that can answer first. */
export class DoctorWorld {
  private constructor(
    readonly gateway: TestGateway,
    readonly clients: Clients,
    private readonly passage: Passage,
    private readonly rewrites: Rewrite[],
    private readonly calls: string[],
  ) {}

  static async start(): Promise<DoctorWorld> {
    const gateway = await TestGateway.start();
    const rewrites: Rewrite[] = [];
    const calls: string[] = [];
    const passage = await startPassage(gateway.gateway.url, ({ method, path, body }) => {
      const call = `${method} ${decodeURIComponent(path)} ${body}`;
      calls.push(call);
      return rewrites.find((rewrite) => rewrite.call.test(call))?.answer;
    });
    return new DoctorWorld(gateway, createClients(passage.url), passage, rewrites, calls);
  }

  async stop(): Promise<void> {
    for (const client of Object.values(this.clients)) client.destroy();
    await this.passage.close();
    await this.gateway.stop();
  }

  /** From now on the gateway answers all calls again. */
  reset(): void {
    this.rewrites.length = 0;
    this.calls.length = 0;
  }

  answerJson(call: RegExp, body: object, status = 200): void {
    this.rewrites.push({ call, answer: { status, body: JSON.stringify(body) } });
  }

  answerXml(call: RegExp, body: string, status = 200): void {
    this.rewrites.push({ call, answer: { status, type: "text/xml", body } });
  }

  countCalls(call: RegExp): number {
    return this.calls.filter((text) => call.test(text)).length;
  }

  /** A stage that no other test has, nothing of it deployed. */
  stage(overrides: Partial<Config> = {}, isSandbox = false): DoctorStage {
    const projectName = this.gateway.name("shop");
    return {
      config: {
        ...parkedStage.config,
        projectName,
        senders: [senderNamed("default", `sender@${projectName}.example`)],
        recipients: [`recipient@${projectName}.example`],
        backend: { kind: "s3", bucket: `${projectName}-state`, region },
        ...overrides,
      },
      names: new Names({ projectName, stage: "test", region }),
      isSandbox,
      whenUnreachable: "Check the network.",
    };
  }

  /** What one check of the doctor says: `fail: There is no alarm. > Deploy the stack again.` */
  async ask(stage: DoctorStage, name: string): Promise<string> {
    const { clients } = this;
    const checks = [...emailChecks(stage, clients), ...awsChecks(stage, clients)].filter(
      (check) => check.name === name,
    );
    const [result, ...others] = await runChecks(checks, stage);
    if (result === undefined || others.length > 0) throw new Error(`${checks.length} checks have the name ${name}`);
    const { status, finding, todo } = result;
    return `${status}: ${finding}${todo === undefined ? "" : ` > ${todo}`}`;
  }
}

/** A sender whose address is its identity. */
const senderNamed = (name: string, address: string): Sender => ({
  name,
  address,
  identity: { kind: "address", value: address },
});

/** The event destination of SES as the stack makes it. */
export const eventDestination: EventDestinationDefinition = {
  Enabled: true,
  MatchingEventTypes: feedbackEvents.map(({ type }) => type),
  EventBridgeDestination: { EventBusArn: `arn:aws:events:${region}:${accountId}:event-bus/default` },
};

/** All of a stage that the doctor looks at in SES, in order. */
export async function deployEmail({ config, names }: DoctorStage, { ses, sesV2 }: Clients): Promise<void> {
  const set = names.of("notifications");
  for (const identity of [
    ...new Set([...config.senders.map(({ identity }) => identity.value), ...config.recipients]),
  ]) {
    await sesV2.send(new CreateEmailIdentityCommand({ EmailIdentity: identity }));
  }
  for (const notification of catalogue) {
    const { subject, html, text } = loadTemplate(notification);
    await ses.send(
      new CreateTemplateCommand({
        Template: {
          TemplateName: storedTemplateName(names.prefix, notification),
          SubjectPart: subject,
          HtmlPart: html,
          TextPart: text,
        },
      }),
    );
  }
  await sesV2.send(
    new CreateConfigurationSetCommand({
      ConfigurationSetName: set,
      SuppressionOptions: { SuppressedReasons: ["BOUNCE", "COMPLAINT"] },
    }),
  );
  await sesV2.send(
    new CreateConfigurationSetEventDestinationCommand({
      ConfigurationSetName: set,
      EventDestinationName: names.of("feedback"),
      EventDestination: eventDestination,
    }),
  );
}

/** All of a stage that the doctor looks at elsewhere, in order. */
export async function deployAws(stage: DoctorStage, gateway: TestGateway, clients: Clients): Promise<void> {
  const { config, names } = stage;
  const { lambda, sns, s3 } = clients;
  const budgets = laneBudgets(config);
  for (const lane of lanes) {
    const name = names.of(laneNames(lane).function);
    await gateway.createFunction("export const handler = () => {}", { FunctionName: name });
    await lambda.send(
      new PutFunctionConcurrencyCommand({
        FunctionName: name,
        ReservedConcurrentExecutions: budgets[lane].concurrency,
      }),
    );
    await gateway.createQueue({}, names.of(laneNames(lane).retryQueue));
  }
  await gateway.createQueue({}, names.of("dead-letters"));
  const { TopicArn: topic = "" } = await sns.send(new CreateTopicCommand({ Name: names.of("alarms") }));
  await sns.send(new SubscribeCommand({ TopicArn: topic, Protocol: "email", Endpoint: "team@example.com" }));
  for (const role of ["parked", "bounces"]) await putAlarm(clients, names.of(role), { AlarmActions: [topic] });
  if (config.backend.kind !== "s3") return;
  const { bucket } = config.backend;
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: "Enabled" } }));
}

export async function putAlarm(
  { cloudWatch }: Pick<Clients, "cloudWatch">,
  name: string,
  overrides: Partial<PutMetricAlarmCommandInput> = {},
): Promise<void> {
  await cloudWatch.send(
    new PutMetricAlarmCommand({
      AlarmName: name,
      Namespace: "AWS/SQS",
      MetricName: "ApproximateNumberOfMessagesVisible",
      Statistic: "Maximum",
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: "GreaterThanOrEqualToThreshold",
      ...overrides,
    }),
  );
}
