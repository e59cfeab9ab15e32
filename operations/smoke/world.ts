import { CloudWatchClient, DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient, paginateFilterLogEvents } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DescribeEventBusCommand,
  DescribeReplayCommand,
  EventBridgeClient,
  PutEventsCommand,
  StartReplayCommand,
} from "@aws-sdk/client-eventbridge";
import { GetRolePolicyCommand, IAMClient } from "@aws-sdk/client-iam";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { GetAccountCommand, GetEmailIdentityCommand, NotFoundException, SESv2Client } from "@aws-sdk/client-sesv2";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { setTimeout as sleep } from "node:timers/promises";
import { type EventEnvelope } from "../../handler/contract/envelope";
import { type Notification } from "../../handler/notifications/define";
import { type Lane, laneNames } from "../../stacks/lanes";
import { type Claim, createClaimsDesk } from "../dead-letters/claims";
import { type DeadLettersAnswer, type DeadLettersOptions, runDeadLetters } from "../dead-letters/command";
import { findQueue } from "../dead-letters/queue";
import { checkDeployed } from "../send/deployed";
import { refuseOtherAccount, type StageAccess } from "../stage";
import { type FeedbackEvent, parseJson, readFeedback } from "./feedback";

type NewEvent = Omit<EventEnvelope, "id">;

/** A line that the function wrote about a mail. */
export interface FunctionLine {
  readonly message: string;
  readonly eventId: string | undefined;
}

const noDeadLettersOptions: DeadLettersOptions = {
  retries: false,
  redrive: false,
  resendUnknown: false,
  discard: false,
  giveUp: false,
  filter: [],
  dryRun: false,
  limit: 1000,
  holdSeconds: 60,
};

/** All calls of a smoke test to AWS. */
export class SmokeWorld {
  readonly sqs: SQSClient;
  readonly dynamoDb: DynamoDBClient;
  private readonly events: EventBridgeClient;
  private readonly lambda: LambdaClient;
  private readonly logs: CloudWatchLogsClient;
  private readonly cloudWatch: CloudWatchClient;
  private readonly sesV2: SESv2Client;
  private readonly iam: IAMClient;
  private readonly claims: ReturnType<typeof createClaimsDesk>;
  private nextPut: Promise<unknown> = Promise.resolve();
  /** Number of events that were put or handed to a function. */
  puts = 0;

  constructor(
    readonly stage: StageAccess,
    private readonly signal: AbortSignal,
  ) {
    const { client, names } = stage;
    this.sqs = new SQSClient(client);
    this.dynamoDb = new DynamoDBClient(client);
    // One attempt: a put that is repeated after a time-out puts a second event.
    this.events = new EventBridgeClient({ ...client, maxAttempts: 1 });
    this.lambda = new LambdaClient({ ...client, maxAttempts: 1 });
    this.logs = new CloudWatchLogsClient(client);
    this.cloudWatch = new CloudWatchClient(client);
    this.sesV2 = new SESv2Client(client);
    this.iam = new IAMClient(client);
    this.claims = createClaimsDesk({ client: this.dynamoDb, table: names.of("claims"), now: Date.now });
  }

  /** @throws Error if the bus is not there, or if the credentials are of another account than the stage's. */
  async findBus(): Promise<string> {
    const name = this.stage.names.of("event-bus");
    const { Arn: arn } = await this.events.send(new DescribeEventBusCommand({ Name: name }));
    if (arn === undefined) throw new Error(`EventBridge tells no ARN of the bus ${name}.`);
    refuseOtherAccount(arn.split(":")[4], this.stage.config.accountId);
    return arn;
  }

  /**
   * Puts the event on the bus, or, for a schedule, hands it to the function as the schedule does. Between two events is
   * half as much time again as the stage's send rate asks for, so that SES does not throttle the mails.
   * @returns the event's id.
   */
  put({ id, trigger, lane, ruleName }: Notification, event: NewEvent): Promise<string> {
    const put = this.nextPut.then(async () => {
      this.signal.throwIfAborted();
      this.puts += 1;
      if (trigger.kind === "schedule") return this.invoke(lane, event);
      await checkDeployed({ id, ruleName, trigger: trigger }, this.stage, this.events);
      return this.putOnBus(event);
    });
    this.nextPut = put.catch(() => undefined).then(() => sleep(1500 / this.stage.config.sendRatePerSecond));
    return put;
  }

  private async putOnBus(event: NewEvent): Promise<string> {
    const { Entries } = await this.events.send(
      new PutEventsCommand({
        Entries: [
          {
            EventBusName: this.stage.names.of("event-bus"),
            Source: event.source,
            DetailType: event["detail-type"],
            Detail: JSON.stringify(event.detail),
            Time: new Date(event.time),
          },
        ],
      }),
    );
    const entry = Entries?.[0];
    if (entry?.EventId !== undefined) return entry.EventId;
    throw new Error(`EventBridge refused the event: ${entry?.ErrorCode ?? ""} ${entry?.ErrorMessage ?? ""}`);
  }

  private async invoke(lane: Lane, event: NewEvent): Promise<string> {
    const { config, names } = this.stage;
    const id = String(event.detail.idempotencyKey);
    await this.lambda.send(
      new InvokeCommand({
        FunctionName: names.of(laneNames(lane).function),
        InvocationType: "Event",
        Payload: Buffer.from(JSON.stringify({ id, account: config.accountId, region: config.region, ...event })),
      }),
    );
    return id;
  }

  async claimOf(id: string): Promise<Claim> {
    return (await this.claims.read([id])).get(id) ?? { state: "free" };
  }

  /** What SES told about the mails in whose events the text occurs: a message id, or the id of an event of ours. */
  async feedbackAbout(text: string, since: number): Promise<FeedbackEvent[]> {
    return readFeedback(await this.linesWith(text, `/aws/events/${this.stage.names.of("feedback")}`, since));
  }

  /** What the function of the lane wrote about the mail or the event with this id. */
  async functionLinesAbout(lane: Lane, text: string, since: number): Promise<FunctionLine[]> {
    const group = `/aws/lambda/${this.stage.names.of(laneNames(lane).function)}`;
    return (await this.linesWith(text, group, since)).flatMap((line) => {
      const parsed = parseJson(line);
      if (typeof parsed !== "object" || parsed === null || !("message" in parsed)) return [];
      const eventId = "eventId" in parsed && typeof parsed.eventId === "string" ? parsed.eventId : undefined;
      return typeof parsed.message === "string" ? { message: parsed.message, eventId } : [];
    });
  }

  private async linesWith(text: string, logGroupName: string, since: number): Promise<string[]> {
    const pages = paginateFilterLogEvents(
      { client: this.logs },
      { logGroupName, startTime: since, filterPattern: JSON.stringify(text) },
    );
    const lines: string[] = [];
    for await (const { events = [] } of pages) lines.push(...events.map(({ message = "" }) => message));
    return lines;
  }

  /** Does what `npm run dead-letters` does, for one event. */
  deadLetters(eventId: string, options: Partial<DeadLettersOptions> = {}): Promise<DeadLettersAnswer> {
    return runDeadLetters(
      { ...noDeadLettersOptions, filter: [`event=${eventId}`], ...options },
      { stage: this.stage, sqs: this.sqs, dynamoDb: this.dynamoDb, now: Date.now, signal: this.signal },
    );
  }

  /**
   * Parks an event as EventBridge does if it can't reach the target of the notification's rule
   * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html).
   */
  async park({ ruleName, lane }: Notification, event: EventEnvelope, busArn: string): Promise<void> {
    const { config, names } = this.stage;
    const [, partition] = busArn.split(":");
    const { region, accountId } = config;
    const attributes = {
      RULE_ARN: `arn:${partition}:events:${region}:${accountId}:rule/${names.of("event-bus")}/${names.of(ruleName)}`,
      TARGET_ARN: `arn:${partition}:lambda:${region}:${accountId}:function:${names.of(laneNames(lane).function)}`,
      ERROR_CODE: "NO_PERMISSIONS",
      ERROR_MESSAGE: "A smoke test parked this event itself.",
      EXHAUSTED_RETRY_CONDITION: "MaximumRetryAttempts",
      RETRY_ATTEMPTS: "0",
    };
    await this.sqs.send(
      new SendMessageCommand({
        QueueUrl: await findQueue(this.sqs, names.of("dead-letters"), region),
        MessageBody: JSON.stringify({ version: "0", account: accountId, region, resources: [], ...event }),
        MessageAttributes: Object.fromEntries(
          Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: "String", StringValue }]),
        ),
      }),
    );
  }

  /** @returns those of the stage's alarms with these names that are in alarm. @throws Error if one is not there. */
  async ringing(alarms: readonly string[]): Promise<string[]> {
    const { names } = this.stage;
    const AlarmNames = alarms.map((name) => names.of(name));
    const { MetricAlarms = [] } = await this.cloudWatch.send(new DescribeAlarmsCommand({ AlarmNames }));
    const states = new Map(MetricAlarms.map(({ AlarmName, StateValue }) => [AlarmName, StateValue]));
    const missing = AlarmNames.filter((name) => !states.has(name));
    if (missing.length > 0) throw new Error(`There is no alarm ${missing.join(", ")}.`);
    return alarms.filter((name) => states.get(names.of(name)) === "ALARM");
  }

  /** Replays the events of one second, to one rule alone. */
  async startReplay(name: string, second: Date, rule: string, busArn: string): Promise<void> {
    const { names, config } = this.stage;
    const [, partition] = busArn.split(":");
    const own = (resource: string) => `arn:${partition}:events:${config.region}:${config.accountId}:${resource}`;
    await this.events.send(
      new StartReplayCommand({
        ReplayName: name,
        EventSourceArn: own(`archive/${names.of("archive")}`),
        EventStartTime: second,
        EventEndTime: new Date(second.getTime() + 1000),
        Destination: { Arn: busArn, FilterArns: [own(`rule/${names.of("event-bus")}/${names.of(rule)}`)] },
      }),
    );
  }

  async replayState(name: string): Promise<string> {
    const { State = "unknown" } = await this.events.send(new DescribeReplayCommand({ ReplayName: name }));
    return State;
  }

  /** Whether SES knows the identity: an address, or a domain. */
  async hasIdentity(name: string): Promise<boolean> {
    try {
      await this.sesV2.send(new GetEmailIdentityCommand({ EmailIdentity: name }));
      return true;
    } catch (error) {
      if (error instanceof NotFoundException) return false;
      throw error;
    }
  }

  async isInSesSandbox(): Promise<boolean | undefined> {
    const { ProductionAccessEnabled: production } = await this.sesV2.send(new GetAccountCommand({}));
    return production === undefined ? undefined : !production;
  }

  /** The document of the policy of the lane's function, as IAM has it. */
  async rolePolicy(lane: Lane): Promise<string> {
    const name = this.stage.names.inAccount(laneNames(lane).executionRole);
    const { PolicyDocument = "" } = await this.iam.send(new GetRolePolicyCommand({ RoleName: name, PolicyName: name }));
    return decodeURIComponent(PolicyDocument);
  }
}
