import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { SESClient } from "@aws-sdk/client-ses";
import { SESv2Client } from "@aws-sdk/client-sesv2";
import { DeleteMessageCommand, type Message, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { awsClientConfig } from "aws-emulator/client-config";
import { type Gateway, startGateway, type FaultInput, type Mail } from "aws-emulator";
import { findLeftovers } from "../../sandbox/leftovers";
import { motoAccountId, type RunningMoto, startMoto } from "aws-emulator/processes";
import { sandboxEnvironment, Terraform, terraformEnvironment } from "../../sandbox/terraform";
import { findTools } from "../../sandbox/tools";
import { countMessages, totalOf } from "../../operations/dead-letters/queue";
import { failureRecordSchema, type MailFailure } from "../../handler/contract/failure-record";
import { catalogue } from "../../handler/notifications";
import { readConfig } from "../../stacks/config";
import { storedTemplateName } from "../../stacks/templates/load";
import { Names } from "../../stacks/names";
import { type CommandResult, OperationsProcess } from "../support/operations-command";
import { bareEnvironment, projectRoot } from "../support/sandbox";

const run = promisify(execFile);

export const region = "us-east-1";
export const accountId = motoAccountId;
const bucket = `email-automation-terraform-state-${accountId}`;
const stackName = "notification-sandbox";

/** Lambda's 1 and 2 minutes, and the retry queue's visibility timeout, shortened. */
const retryDelaysMs = [250, 500];
const retryQueueDelayMs = 1000;

/** How long a command that dies keeps its messages from others: the least that it takes. */
const holdSeconds = 5;

/** All that a command said, and its code: `null` where it was killed. */
export type EndedCommand = Pick<CommandResult, "code" | "output">;

/** What the dead-letter queue held. */
export interface Parked {
  readonly body: string;
  readonly reason: string;
}

/** The deployed system: the synthesized stack of the stage `sandbox`, applied by the real Terraform. */
export class System {
  readonly names = new Names(readConfig({ STAGE: "sandbox", AWS_REGION: region }));
  readonly events: EventBridgeClient;
  readonly lambda: LambdaClient;
  readonly logs: CloudWatchLogsClient;
  readonly cloudWatch: CloudWatchClient;
  readonly ses: SESClient;
  readonly sesV2: SESv2Client;
  readonly sqs: SQSClient;
  /** Everything that was ever in the dead-letter queue and was taken out. */
  readonly parked: Parked[] = [];

  private constructor(
    private readonly moto: RunningMoto,
    private readonly gateway: Gateway,
    readonly terraform: Terraform,
    private readonly workDirectory: string,
  ) {
    const settings = { ...awsClientConfig(gateway.url, region), maxAttempts: 1 };
    this.events = new EventBridgeClient(settings);
    this.lambda = new LambdaClient(settings);
    this.logs = new CloudWatchLogsClient(settings);
    this.cloudWatch = new CloudWatchClient(settings);
    this.ses = new SESClient(settings);
    this.sesV2 = new SESv2Client(settings);
    this.sqs = new SQSClient(settings);
  }

  static async start(): Promise<System> {
    const tools = findTools();
    const workDirectory = mkdtempSync(join(tmpdir(), "email-faults-"));
    const moto = await startMoto(tools.moto.value);
    const gateway = await startGateway({
      port: 0,
      motoSocket: moto.socket,
      region,
      accountId,
      workDirectory: join(workDirectory, "functions"),
      retryDelaysMs,
      retryQueueDelayMs,
    });
    const terraform = new Terraform({
      binary: tools.terraform.value,
      directory: join(workDirectory, "synth", "stacks", stackName),
      environment: { ...terraformEnvironment(tools, workDirectory), ...sandboxEnvironment(gateway.url, region) },
    });
    const system = new System(moto, gateway, terraform, workDirectory);
    try {
      await new S3Client(awsClientConfig(gateway.url, region)).send(new CreateBucketCommand({ Bucket: bucket }));
      await system.synthesize(projectRoot);
      await terraform.init();
      await terraform.apply();
      return system;
    } catch (error) {
      await system.stop();
      throw error;
    }
  }

  /**
   * Deploys a changed checkout over the running stage, as a merge does.
   * @param change edits the copy of the project; without it, the project is deployed as it is.
   */
  async deploy(change: (checkout: string) => void = () => undefined): Promise<void> {
    const checkout = mkdtempSync(join(this.workDirectory, "checkout-"));
    for (const name of ["handler", "stacks", "main.ts", "package.json", "tsconfig.json"]) {
      cpSync(join(projectRoot, name), join(checkout, name), { recursive: true });
    }
    symlinkSync(join(projectRoot, "node_modules"), join(checkout, "node_modules"));
    change(checkout);
    await this.synthesize(checkout);
    await this.terraform.apply();
  }

  private async synthesize(checkout: string): Promise<void> {
    await run(process.execPath, ["--import", "tsx", "main.ts"], {
      cwd: checkout,
      env: {
        ...bareEnvironment,
        STAGE: "sandbox",
        AWS_REGION: region,
        CDKTF_OUTDIR: join(this.workDirectory, "synth"),
      },
    });
  }

  get url(): string {
    return this.gateway.url;
  }

  get busName(): string {
    return this.names.of("event-bus");
  }

  get deadLetterUrl(): string {
    return this.queueUrl("dead-letters");
  }

  queueUrl(role: string): string {
    return `${this.url}/${accountId}/${this.names.of(role)}`;
  }

  async leftovers(): Promise<string[]> {
    return findLeftovers(awsClientConfig(this.url, region));
  }

  async stop(): Promise<void> {
    await this.gateway.close();
    await this.moto.stop();
    rmSync(this.workDirectory, { recursive: true, force: true });
  }

  async get(route: string): Promise<unknown> {
    return (await this.ask(route)).json();
  }

  private ask(route: string): Promise<Response> {
    // A kept connection may be closed by the server at the moment of its next use.
    return fetch(`${this.url}/_sandbox/${route}`, { headers: { connection: "close" } });
  }

  /** What shall go wrong from now on; nothing, without any. */
  async setFaults(faults: readonly FaultInput[] = []): Promise<void> {
    const answer = await fetch(`${this.url}/_sandbox/faults`, { method: "PUT", body: JSON.stringify(faults) });
    if (!answer.ok) throw new Error(await answer.text());
  }

  /** The mails that SES took: sent, or accepted and not rendered. */
  async accepted(): Promise<{ readonly sent: readonly Mail[]; readonly unrendered: readonly Mail[] }> {
    const [sent, unrendered] = await Promise.all([this.all("messages"), this.all("rendering-failures")]);
    return { sent: sent as Mail[], unrendered: unrendered as Mail[] };
  }

  /** All pages of a list. */
  private async all(list: string): Promise<unknown[]> {
    const items: unknown[] = [];
    let route: string | undefined = list;
    while (route !== undefined) {
      const page: Response = await this.ask(route);
      items.push(...((await page.json()) as unknown[]));
      route = /<\/_sandbox\/([^>]+)>; rel="next"/.exec(page.headers.get("link") ?? "")?.[1];
    }
    return items;
  }

  /** @param name for example `InvocationsFailedToBeSentToDlq`. @returns its sum over all dimensions. */
  async metric(name: string): Promise<number> {
    const metrics = (await this.get("metrics")) as Record<string, Record<string, number>>;
    return Object.values(metrics[name] ?? {}).reduce((sum, count) => sum + count, 0);
  }

  /** What the parked records of these events list, mail by mail. */
  parkedFailures(eventIds: readonly string[]): readonly MailFailure[] {
    return this.parked
      .filter(({ body }) => eventIds.some((id) => body.includes(id)))
      .flatMap(({ body }) => failureRecordSchema.parse(JSON.parse(body)).failures ?? []);
  }

  /** Name of a notification's stored template, as this checkout deploys it. */
  templateName(notificationId: string): string {
    const notification = catalogue.find(({ id }) => id === notificationId);
    if (notification === undefined) throw new Error(`There is no notification ${notificationId}.`);
    return storedTemplateName(this.names.prefix, notification);
  }

  /** How many events of our sources no rule took, by what the stage logs of them. */
  async unrouted(): Promise<number> {
    const logGroupName = `/aws/events/${this.names.of("unrouted")}`;
    const { events = [] } = await this.logs.send(new FilterLogEventsCommand({ logGroupName }));
    return events.length;
  }

  /** Runs `npm run doctor` as a person does. */
  doctor(): Promise<EndedCommand> {
    return this.operation("doctor", []);
  }

  /**
   * Runs `npm run dead-letters` as a person does.
   * @param killWhen ends it at once, as a machine that loses its power does
   */
  deadLetters(words: readonly string[], killWhen?: () => Promise<boolean>): Promise<EndedCommand> {
    return this.operation("dead-letters", [...words, "--hold", String(holdSeconds)], killWhen);
  }

  private async operation(
    name: string,
    words: readonly string[],
    killWhen?: () => Promise<boolean>,
  ): Promise<EndedCommand> {
    const command = new OperationsProcess([name, "--sandbox", ...words], {
      ...bareEnvironment,
      SANDBOX_PORT: new URL(this.url).port,
    });
    while (killWhen !== undefined && !command.hasEnded) {
      if (await killWhen()) command.kill("SIGKILL");
      await setTimeout(20);
    }
    const { code, output, errors } = await command.ended;
    return { code, output: errors + output };
  }

  /** Until messages that a killed command held are seen again: what it asked for at its end may be answered late. */
  async waitForHold(patienceMs = 120_000): Promise<void> {
    for (const deadline = Date.now() + patienceMs; ;) {
      await setTimeout(holdSeconds * 1000);
      const { inFlight } = await countMessages(this.sqs, this.deadLetterUrl);
      if (inFlight === 0) return;
      if (Date.now() > deadline) throw new Error(`${inFlight} parked messages are still held.`);
    }
  }

  /** Waits until nothing is under way any more: no delivery, no retry, no message in a retry queue. */
  async quiesce(patienceMs = 900_000): Promise<void> {
    const deadline = Date.now() + patienceMs;
    for (let quiet = 0; quiet < 3;) {
      const { tasks, queued } = await this.work();
      quiet = tasks + queued === 0 ? quiet + 1 : 0;
      if (Date.now() > deadline) {
        const faults = JSON.stringify(await this.get("faults"));
        throw new Error(
          `It does not come to rest within ${patienceMs / 1000} s: ${tasks} tasks, ${queued} messages in the retry queues; faults: ${faults}`,
        );
      }
      await setTimeout(quiet > 0 ? 20 : 200);
    }
  }

  /** Until so many events wait in the retry queues, Lambda's own retries being over. */
  async waitForRetries(count: number, patienceMs = 300_000): Promise<void> {
    for (const deadline = Date.now() + patienceMs; ;) {
      const { queued } = await this.work();
      if (queued >= count) return;
      if (Date.now() > deadline) throw new Error(`Only ${queued} of ${count} events wait for a retry.`);
      await setTimeout(200);
    }
  }

  private async work(): Promise<{ readonly tasks: number; readonly queued: number }> {
    const { tasks } = (await this.get("pending")) as { tasks: number };
    const queued = await Promise.all(["retries", "priority-retries"].map((role) => this.messagesIn(role)));
    return { tasks, queued: queued.reduce((sum, count) => sum + count, 0) };
  }

  async messagesIn(role: string): Promise<number> {
    return totalOf(await countMessages(this.sqs, this.queueUrl(role)));
  }

  /** Takes what is parked out of the dead-letter queue, and remembers it. */
  async collectParked(): Promise<void> {
    for (;;) {
      const { Messages: messages = [] } = await this.sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: this.deadLetterUrl,
          MaxNumberOfMessages: 10,
          MessageAttributeNames: ["All"],
        }),
      );
      if (messages.length === 0) return;
      for (const message of messages) {
        this.parked.push(toParked(message));
        const ReceiptHandle = message.ReceiptHandle;
        await this.sqs.send(new DeleteMessageCommand({ QueueUrl: this.deadLetterUrl, ReceiptHandle }));
      }
    }
  }
}

/** The three formats: an event of a target's dead letters, Lambda's failure record, a message of a retry queue. */
function toParked({ Body: body = "", MessageAttributes: attributes = {} }: Message): Parked {
  const record = JSON.parse(body) as {
    responsePayload?: { errorType?: string } | null;
    requestContext?: { condition?: string };
  };
  const reason =
    attributes.ERROR_CODE?.StringValue ?? record.responsePayload?.errorType ?? record.requestContext?.condition ?? "";
  return { body, reason };
}
