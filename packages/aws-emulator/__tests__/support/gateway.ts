import { CloudWatchLogsClient, CreateLogGroupCommand, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  type Target,
} from "@aws-sdk/client-eventbridge";
import {
  AddPermissionCommand,
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import { SESClient } from "@aws-sdk/client-ses";
import {
  CreateQueueCommand,
  type Message,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { strToU8, zipSync } from "fflate";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Gateway, type GatewayOptions, startGateway } from "../../src/gateway";
import { type Fault, type FaultInput } from "../../src/gateway/faults";
import { type BusEvent, type Delivery, type Mail } from "../../src/gateway/journal";
import { motoAccountId } from "../../src/processes/moto";
import { ExchangeRecorder } from "./exchanges";
import { startMoto } from "./moto";
import { until } from "./until";

export const region = "us-east-1";
export const accountId = motoAccountId;
const roleName = "function";
const role = `arn:aws:iam::${accountId}:role/${roleName}`;

export const arnOf = {
  queue: (name: string) => `arn:aws:sqs:${region}:${accountId}:${name}`,
  fn: (name: string) => `arn:aws:lambda:${region}:${accountId}:function:${name}`,
  bus: (name: string) => `arn:aws:events:${region}:${accountId}:event-bus/${name}`,
  rule: (bus: string, name: string) =>
    `arn:aws:events:${region}:${accountId}:rule/${bus === "default" ? "" : `${bus}/`}${name}`,
};

export function clientSettings(endpoint: string) {
  return { endpoint, region, credentials: { accessKeyId: "test", secretAccessKey: "test" }, maxAttempts: 1 };
}

/** The header by which the gateway tells the service of a call that no client of AWS's makes. */
export const signed = (service: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=test/20240101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
});

/** A gateway before a moto of its own, with real AWS clients for both. */
export class TestGateway {
  // All of these are there once it has started.
  gateway!: Gateway;
  motoUrl!: string;
  events!: EventBridgeClient;
  lambda!: LambdaClient;
  logs!: CloudWatchLogsClient;
  ses!: SESClient;
  sqs!: SQSClient;
  private motoLogFile = "";
  private names = 0;
  private cleanUp: () => Promise<void> = () => Promise.resolve();

  /** @param isClientLike whether a test sends what AWS's clients send, and nothing else. */
  constructor(
    private readonly options: Partial<GatewayOptions> = {},
    private readonly isClientLike = true,
  ) {}

  static async start(options: Partial<GatewayOptions> = {}): Promise<TestGateway> {
    const gateway = new TestGateway(options);
    await gateway.start();
    return gateway;
  }

  async start(): Promise<void> {
    const moto = await startMoto();
    const workDirectory = await mkdtemp(join(tmpdir(), "gateway-"));
    const gateway = await startGateway({
      port: 0,
      motoSocket: moto.socket,
      region,
      accountId,
      workDirectory,
      retryDelaysMs: [20, 40],
      ...this.options,
    });
    await createRole(moto.url);
    // Whatever a test asks the gateway for has to fit AWS's models, and its answers have to.
    const exchanges = new ExchangeRecorder(Number(new URL(gateway.url).port));
    this.cleanUp = async () => {
      for (const client of [this.events, this.lambda, this.logs, this.ses, this.sqs]) client.destroy();
      await gateway.close();
      await moto.stop();
      await rm(workDirectory, { recursive: true, force: true });
      exchanges.stop();
      if (this.isClientLike) exchanges.check();
    };
    this.gateway = gateway;
    this.motoUrl = moto.url;
    this.motoLogFile = moto.logFile;
    const settings = clientSettings(gateway.url);
    this.events = new EventBridgeClient(settings);
    this.lambda = new LambdaClient(settings);
    this.logs = new CloudWatchLogsClient(settings);
    this.ses = new SESClient(settings);
    this.sqs = new SQSClient(settings);
  }

  async stop(): Promise<void> {
    await this.cleanUp();
  }

  /** What shall go wrong from now on, and nothing else. */
  async setFaults(...faults: readonly FaultInput[]): Promise<void> {
    const response = await fetch(`${this.gateway.url}/_sandbox/faults`, {
      method: "PUT",
      body: JSON.stringify(faults),
    });
    if (!response.ok) throw new Error(await response.text());
  }

  /** How often each fault was hit, in the order in which they were set. */
  async hits(): Promise<number[]> {
    return ((await this.get("faults")) as (Fault & { hits: number })[]).map(({ hits }) => hits);
  }

  /** Until nothing that ends by itself goes on. */
  async settle(): Promise<void> {
    await until("nothing is pending", async () => {
      const { tasks } = (await this.get("pending")) as { tasks: number };
      return tasks === 0 ? true : undefined;
    });
  }

  /** How many requests moto has answered, the gateway's own among them. */
  async motoRequests(): Promise<number> {
    const lines = (await readFile(this.motoLogFile, "utf8")).match(/" \d{3} -$/gm);
    // This gateway's start makes some: a count that is always 0 would let every test of it pass.
    if (lines === null) throw new Error(`moto's log ${this.motoLogFile} has no request that is read as one`);
    return lines.length;
  }

  /** A name that no other test of the file uses. */
  name(base: string): string {
    this.names += 1;
    return `${base}-${this.names}`;
  }

  async get(path: string): Promise<unknown> {
    const response = await fetch(`${this.gateway.url}/_sandbox/${path}`);
    return response.json();
  }

  /** As a client sees it, so that the JSON is tested too. */
  async mails(): Promise<Mail[]> {
    return (await this.get("messages")) as Mail[];
  }

  async event(id: string): Promise<BusEvent> {
    const found = ((await this.get("activity")) as BusEvent[]).find((event) => event.id === id);
    if (found === undefined) throw new Error(`No event ${id} in the activity`);
    return found;
  }

  /** The event's deliveries, when each has come to its end. */
  async deliveries(eventId: string, count = 1): Promise<Delivery[]> {
    return until(`${count} deliveries of ${eventId} end`, async () => {
      const { deliveries } = await this.event(eventId);
      const areEnded = deliveries.every(({ status }) => status === "delivered" || status === "failed");
      return deliveries.length === count && areEnded ? deliveries : undefined;
    });
  }

  /** @param code of an ES module `index.mjs` with an exported `handler` */
  async createFunction(
    code: string,
    options: Partial<CreateFunctionCommandInput> & { file?: string } = {},
  ): Promise<string> {
    const { file = "index.mjs", FunctionName: name = this.name("function"), ...rest } = options;
    await this.lambda.send(
      new CreateFunctionCommand({
        FunctionName: name,
        Role: role,
        Runtime: "nodejs22.x",
        Handler: "index.handler",
        Code: { ZipFile: zipOf(code, file) },
        // AWS's 3 s are few on a busy machine.
        Timeout: 60,
        ...rest,
      }),
    );
    return name;
  }

  async createQueue(attributes: Record<string, string> = {}, name = this.name("queue")): Promise<string> {
    await this.sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
    return name;
  }

  queueUrl(name: string): string {
    return `${this.gateway.url}/${accountId}/${name}`;
  }

  /** Lets EventBridge send to the queue for these rules, and nobody else. */
  async allow(queue: string, ...ruleArns: string[]): Promise<void> {
    const Attributes = { Policy: queuePolicy(queue, ...ruleArns) };
    await this.sqs.send(new SetQueueAttributesCommand({ QueueUrl: this.queueUrl(queue), Attributes }));
  }

  async createLogGroup(name: string): Promise<void> {
    await this.logs.send(new CreateLogGroupCommand({ logGroupName: name }));
  }

  async logLines(group: string): Promise<string[]> {
    const { events = [] } = await this.logs.send(new FilterLogEventsCommand({ logGroupName: group }));
    return events.map(({ message = "" }) => message);
  }

  async createBus(name = this.name("bus")): Promise<string> {
    await this.events.send(new CreateEventBusCommand({ Name: name }));
    return name;
  }

  /** A rule on `bus` for the events of `source`, with targets; functions among them let it in. */
  async createRule(
    bus: string,
    targets: readonly Target[],
    rule: { name?: string; pattern?: unknown; schedule?: string; state?: "ENABLED" | "DISABLED" } = {},
  ): Promise<string> {
    const name = rule.name ?? this.name("rule");
    await this.events.send(
      new PutRuleCommand({
        Name: name,
        EventBusName: bus,
        ...(rule.schedule === undefined
          ? { EventPattern: JSON.stringify(rule.pattern ?? { source: ["test"] }) }
          : { ScheduleExpression: rule.schedule }),
        ...(rule.state === undefined ? {} : { State: rule.state }),
      }),
    );
    if (targets.length > 0) {
      await this.events.send(new PutTargetsCommand({ Rule: name, EventBusName: bus, Targets: [...targets] }));
    }
    return name;
  }

  async permit(functionName: string, ruleArn: string): Promise<void> {
    await this.lambda.send(
      new AddPermissionCommand({
        FunctionName: functionName,
        StatementId: this.name("permission"),
        Action: "lambda:InvokeFunction",
        Principal: "events.amazonaws.com",
        SourceArn: ruleArn,
      }),
    );
  }

  async putEvent(bus: string, detail: unknown, source = "test", detailType = "Test"): Promise<string> {
    const { Entries: [entry] = [] } = await this.events.send(
      new PutEventsCommand({
        Entries: [{ EventBusName: bus, Source: source, DetailType: detailType, Detail: JSON.stringify(detail) }],
      }),
    );
    if (entry?.EventId === undefined) throw new Error(JSON.stringify(entry));
    return entry.EventId;
  }

  async receive(queue: string): Promise<Message> {
    return until(`a message in ${queue}`, async () => {
      const { Messages: [message] = [] } = await this.sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: this.queueUrl(queue),
          MessageAttributeNames: ["All"],
          MessageSystemAttributeNames: ["All"],
        }),
      );
      return message;
    });
  }

  async messagesIn(queue: string): Promise<Message[]> {
    const { Messages: messages = [] } = await this.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: this.queueUrl(queue), MaxNumberOfMessages: 10 }),
    );
    return messages;
  }
}

/** A gateway that stands while the tests of a file run, or of the `describe` that it is called in. */
export function gatewayForTests(...settings: ConstructorParameters<typeof TestGateway>): TestGateway {
  const gateway = new TestGateway(...settings);
  beforeAll(() => gateway.start());
  afterAll(() => gateway.stop());
  return gateway;
}

/** CreateFunction looks the role up. */
async function createRole(motoUrl: string): Promise<void> {
  const form = { Action: "CreateRole", Version: "2010-05-08", RoleName: roleName, AssumeRolePolicyDocument: "{}" };
  const response = await fetch(motoUrl, {
    method: "POST",
    headers: signed("iam"),
    body: new URLSearchParams(form),
  });
  if (!response.ok) throw new Error(await response.text());
}

export function zipOf(code: string, file = "index.mjs"): Uint8Array {
  return zipSync({ [file]: strToU8(code) });
}

/** A queue policy that lets EventBridge send for these rules, and nobody else. */
export function queuePolicy(queue: string, ...ruleArns: string[]): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: arnOf.queue(queue),
        Condition: { ArnEquals: { "aws:SourceArn": ruleArns } },
      },
    ],
  });
}
