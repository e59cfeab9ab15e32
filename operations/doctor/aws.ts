import { type CloudWatchClient, paginateDescribeAlarms } from "@aws-sdk/client-cloudwatch";
import {
  GetAccountSettingsCommand,
  GetFunctionConcurrencyCommand,
  type LambdaClient,
  ResourceNotFoundException,
} from "@aws-sdk/client-lambda";
import { GetBucketVersioningCommand, type S3Client } from "@aws-sdk/client-s3";
import { paginateListSubscriptionsByTopic, paginateListTopics, type SNSClient } from "@aws-sdk/client-sns";
import { type SQSClient } from "@aws-sdk/client-sqs";
import { laneBudgets } from "../../stacks/send-budget";
import { countMessages, findQueue, MissingQueue, type QueueCounts, totalOf } from "../dead-letters/queue";
import { type Lane, laneNames, lanes } from "../../stacks/lanes";
import { plural } from "../text";
import { type Check, type DoctorStage, fail, ok, type Verdict, warn, worst } from "./check";

export interface AwsClients {
  readonly lambda: LambdaClient;
  readonly sqs: SQSClient;
  readonly sns: SNSClient;
  readonly s3: S3Client;
  readonly cloudWatch: CloudWatchClient;
}

/** Least unreserved concurrency of an account. Lambda refuses a reservation that would leave less. */
const leastUnreserved = 100;

export function awsChecks(stage: DoctorStage, { lambda, sqs, sns, s3, cloudWatch }: AwsClients): Check[] {
  const { config, names } = stage;
  const budgets = laneBudgets(config);
  const reserved = (lane: Lane) => (config.reserveConcurrency ? budgets[lane].concurrency : undefined);
  const command = stage.isSandbox ? "npm run dead-letters -- --sandbox" : "npm run dead-letters";
  /** Counts a queue's messages. It returns a failed check if the queue does not exist. */
  const count = async (queue: string): Promise<QueueCounts | Verdict> => {
    try {
      return await countMessages(sqs, await findQueue(sqs, queue, config.region));
    } catch (error) {
      if (error instanceof MissingQueue) return fail(error.message, "Deploy the stack again.");
      throw error;
    }
  };
  return [
    ...lanes.map((lane) => ({
      name: `Concurrency, ${lane} lane`,
      run: () => checkReserved(lambda, names.of(laneNames(lane).function), reserved(lane)),
    })),
    {
      name: "Concurrency of the account",
      run: async () => {
        const { AccountLimit: limit } = await lambda.send(new GetAccountSettingsCommand({}));
        return checkUnreserved(
          limit?.UnreservedConcurrentExecutions,
          limit?.ConcurrentExecutions,
          config.reserveConcurrency,
        );
      },
    },
    {
      name: "Dead letters",
      run: async () => {
        const counts = await count(names.of("dead-letters"));
        if ("status" in counts) return counts;
        const parked = totalOf(counts);
        return parked === 0
          ? ok("Nothing is parked.")
          : warn(`${plural(parked, "event")} parked: each needs a person, within 14 days.`, `${command} tells why.`);
      },
    },
    {
      name: "Retries",
      run: async () => {
        const verdicts = await Promise.all(
          lanes.map(async (lane) => {
            const counts = await count(names.of(laneNames(lane).retryQueue));
            if ("status" in counts) return counts;
            const waiting = totalOf(counts);
            return waiting === 0
              ? ok("")
              : warn(
                  `Mail waits for a retry: ${waiting} in the ${lane} lane.`,
                  "Look for ERROR in the function's log group; the retries go on by themselves.",
                );
          }),
        );
        return worst(verdicts, "Nothing waits for a retry.");
      },
    },
    { name: "Alarm topic", run: () => checkSubscription(sns, names.of("alarms"), config.alarmSubscribers) },
    { name: "Alarms", run: () => checkAlarms(cloudWatch, names.prefix) },
    { name: "State bucket", run: () => checkState(s3, stage) },
  ];
}

async function checkReserved(client: LambdaClient, name: string, expected: number | undefined): Promise<Verdict> {
  const deploy = "Deploy the stack again: somebody changed it by hand.";
  const answer = await client
    .send(new GetFunctionConcurrencyCommand({ FunctionName: name }))
    .catch((error: unknown) => {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    });
  if (answer === undefined) return fail(`There is no function ${name}.`, "Deploy the stack.");
  const { ReservedConcurrentExecutions: actual } = answer;
  if (actual === 0) return fail(`${name} is switched off: no run is allowed.`, deploy);
  if (actual === expected) {
    return ok(
      actual === undefined
        ? "Not reserved, as configured: the send rate is not kept."
        : `${actual} reserved, as configured.`,
    );
  }
  return fail(`${name} has ${actual ?? "none"} reserved, and ${expected ?? "none"} is configured.`, deploy);
}

export function checkUnreserved(unreserved: number | undefined, all: number | undefined, reserves: boolean): Verdict {
  if (unreserved === undefined || all === undefined) throw new Error("Lambda tells no limit.");
  const finding = `${unreserved} of ${all} unreserved`;
  if (all < leastUnreserved) {
    return (reserves ? fail : warn)(
      `${finding}: a new account's quota, in which nothing can be reserved.`,
      "Ask for 1,000 (Service Quotas, Lambda, Concurrent executions); until then reserveConcurrency: false in stacks/stages.ts.",
    );
  }
  return unreserved <= leastUnreserved
    ? warn(`${finding}: nothing more can be reserved.`, "Ask for more before you add a stage to this account.")
    : ok(`${finding}.`);
}

async function checkSubscription(client: SNSClient, name: string, expected: readonly string[]): Promise<Verdict> {
  let topic: string | undefined;
  for await (const { Topics = [] } of paginateListTopics({ client }, {})) {
    topic ??= Topics.find(({ TopicArn = "" }) => TopicArn.endsWith(`:${name}`))?.TopicArn;
  }
  if (topic === undefined) return fail(`There is no topic ${name}: alarms tell nobody.`, "Deploy the stack again.");
  const confirmed: string[] = [];
  let pending = 0;
  for await (const { Subscriptions = [] } of paginateListSubscriptionsByTopic({ client }, { TopicArn: topic })) {
    for (const { SubscriptionArn: arn = "", Endpoint: endpoint = "" } of Subscriptions) {
      if (arn.startsWith("arn:")) confirmed.push(endpoint);
      // A subscription stays in the list as "Deleted" for some days after somebody unsubscribed.
      else if (arn !== "Deleted") pending += 1;
    }
  }
  if (pending > 0) {
    return fail(
      `${plural(pending, "subscription")} not confirmed.`,
      "Click the link in SNS's mail; it is void after two days.",
    );
  }
  const gone = expected.filter((address) => !confirmed.includes(address));
  if (gone.length > 0) {
    return fail(
      `Not subscribed any more: ${gone.join(", ")}.`,
      "Deploy the stack again, and click the link in SNS's mail.",
    );
  }
  return confirmed.length > 0
    ? ok(`${plural(confirmed.length, "subscriber")}, confirmed.`)
    : warn(
        "Nobody is subscribed: alarms tell nobody.",
        "Set ALARM_EMAIL or alarmSubscribers and deploy, or subscribe the team's tool.",
      );
}

async function checkAlarms(client: CloudWatchClient, prefix: string): Promise<Verdict> {
  const silent: string[] = [];
  const ringing: string[] = [];
  let count = 0;
  for await (const { MetricAlarms = [] } of paginateDescribeAlarms({ client }, { AlarmNamePrefix: `${prefix}-` })) {
    for (const {
      AlarmName: name = "",
      ActionsEnabled: isOn,
      AlarmActions: actions = [],
      StateValue: state,
    } of MetricAlarms) {
      count += 1;
      if (isOn === false || actions.length === 0) silent.push(name.slice(prefix.length + 1));
      if (state === "ALARM") ringing.push(name.slice(prefix.length + 1));
    }
  }
  if (count === 0) return fail("There is no alarm.", "Deploy the stack again.");
  return worst(
    [
      ...(silent.length > 0
        ? [fail(`Silenced: ${silent.join(", ")}.`, "aws cloudwatch enable-alarm-actions --alarm-names ..")]
        : []),
      ...(ringing.length > 0
        ? [warn(`In alarm: ${ringing.join(", ")}.`, "docs/alarms.md has the first step of each.")]
        : []),
    ],
    `${plural(count, "alarm")}, none in alarm.`,
  );
}

async function checkState(client: S3Client, { config, isSandbox }: DoctorStage): Promise<Verdict> {
  const { backend } = config;
  if (backend.kind === "local")
    return warn("The state is a file on somebody's machine.", "Use BACKEND=s3 for a shared stage.");
  if (backend.kind === "cloud") return ok(`The state is in Terraform Cloud (${backend.organization}).`);
  const answer = await client
    .send(new GetBucketVersioningCommand({ Bucket: backend.bucket }))
    .catch((error: unknown) => {
      if (error instanceof Error && /NoSuchBucket|NotFound/.test(error.name)) return undefined;
      throw error;
    });
  if (answer === undefined) return fail(`There is no bucket ${backend.bucket}.`, "npm run bootstrap");
  if (answer.Status === "Enabled") return ok(`${backend.bucket} is versioned.`);
  return isSandbox
    ? ok(`${backend.bucket} is not versioned, and need not be: the sandbox's state is thrown away with it.`)
    : fail(`${backend.bucket} is not versioned: a broken state can't be taken back.`, "npm run bootstrap");
}
