import { DeleteAlarmsCommand, SetAlarmStateCommand } from "@aws-sdk/client-cloudwatch";
import {
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  PutFunctionConcurrencyCommand,
} from "@aws-sdk/client-lambda";
import { DeleteBucketCommand, PutBucketVersioningCommand } from "@aws-sdk/client-s3";
import {
  CreateTopicCommand,
  DeleteTopicCommand,
  ListSubscriptionsCommand,
  UnsubscribeCommand,
} from "@aws-sdk/client-sns";
import { DeleteQueueCommand, ReceiveMessageCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { awsChecks, checkUnreserved } from "../../../operations/doctor/aws";
import { type DoctorStage, runChecks } from "../../../operations/doctor/check";
import { type Lane } from "../../../stacks/lanes";
import { type Config } from "../../../stacks/config";
import { accountId, region } from "aws-emulator/testing/gateway";
import { deployAws, DoctorWorld, putAlarm } from "./doctor-world";

let world: DoctorWorld;
beforeAll(async () => {
  world = await DoctorWorld.start();
});
afterEach(() => {
  world.reset();
});
afterAll(async () => {
  await world.stop();
});

async function deployed(overrides: Partial<Config> = {}): Promise<DoctorStage> {
  const stage = world.stage(overrides);
  await deployAws(stage, world.gateway, world.clients);
  return stage;
}

const topicOf = ({ names }: DoctorStage) => `arn:aws:sns:${region}:${accountId}:${names.of("alarms")}`;

it("finds a stage in order, and in the sandbox what is not emulated", async () => {
  const stage = { ...(await deployed()), isSandbox: true };
  const results = await runChecks(awsChecks(stage, world.clients), stage);
  expect(results.map(({ check, status }) => [check, status])).toEqual([
    ["Concurrency, standard lane", "ok"],
    ["Concurrency, priority lane", "ok"],
    ["Concurrency of the account", "unknown"],
    ["Dead letters", "ok"],
    ["Retries", "ok"],
    ["Alarm topic", "ok"],
    ["Alarms", "ok"],
    ["State bucket", "ok"],
  ]);
  expect(results[2]?.finding).toMatch(/^The sandbox does not emulate it/);
});

describe.each<[Lane, string, number]>([
  ["standard", "email-processor", 10],
  ["priority", "priority-email-processor", 3],
])("the reserved concurrency of the %s lane", (lane, role, configured) => {
  const ask = (stage: DoctorStage) => world.ask(stage, `Concurrency, ${lane} lane`);
  const byHand = "Deploy the stack again: somebody changed it by hand.";
  const nameIn = ({ names }: DoctorStage) => names.of(role);

  async function reserve(stage: DoctorStage, count: number | undefined): Promise<void> {
    const FunctionName = nameIn(stage);
    await (count === undefined
      ? world.clients.lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }))
      : world.clients.lambda.send(
          new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: count }),
        ));
  }

  it("is good as configured", async () => {
    expect(await ask(await deployed())).toBe(`ok: ${configured} reserved, as configured.`);
  });

  it.each<[string, number | undefined, (name: string) => string]>([
    ["changed", 5, (name) => `${name} has 5 reserved, and ${configured} is configured.`],
    ["taken away", undefined, (name) => `${name} has none reserved, and ${configured} is configured.`],
    ["switched off", 0, (name) => `${name} is switched off: no run is allowed.`],
  ])("fails where it was %s", async (_, count, finding) => {
    const stage = await deployed();
    await reserve(stage, count);
    expect(await ask(stage)).toBe(`fail: ${finding(nameIn(stage))} > ${byHand}`);
  });

  it.each<[string, number | undefined, (name: string) => string]>([
    ["is good where there is none", undefined, () => "ok: Not reserved, as configured: the send rate is not kept."],
    ["fails where there is some", 5, (name) => `fail: ${name} has 5 reserved, and none is configured. > ${byHand}`],
    ["fails where it is switched off", 0, (name) => `fail: ${name} is switched off: no run is allowed. > ${byHand}`],
  ])("%s, in a stage that reserves none", async (_, count, expected) => {
    const stage = await deployed({ reserveConcurrency: false });
    await reserve(stage, count);
    expect(await ask(stage)).toBe(expected(nameIn(stage)));
  });

  it("fails where the function is gone", async () => {
    const stage = await deployed();
    await world.clients.lambda.send(new DeleteFunctionCommand({ FunctionName: nameIn(stage) }));
    expect(await ask(stage)).toBe(`fail: There is no function ${nameIn(stage)}. > Deploy the stack.`);
  });
});

describe("the account's concurrency", () => {
  it.each<[string, number, number, boolean, string, RegExp]>([
    ["is good where more than 100 is unreserved", 101, 1000, true, "ok", /^101 of 1000 unreserved\.$/],
    ["warns where nothing more can be reserved", 100, 1000, true, "warn", /: nothing more can be reserved/],
    ["warns where nothing can be reserved of 100", 100, 100, false, "warn", /: nothing more can be reserved/],
    ["fails in a new account where the stage reserves", 10, 10, true, "fail", /^10 of 10 unreserved: a new account's/],
    ["warns in a new account where it does not", 10, 10, false, "warn", /^10 of 10 unreserved: a new account's/],
    ["fails just below 100", 99, 99, true, "fail", /^99 of 99 unreserved: a new account's/],
  ])("%s", (_, unreserved, all, reserves, status, finding) => {
    expect(checkUnreserved(unreserved, all, reserves)).toMatchObject({
      status,
      finding: expect.stringMatching(finding) as string,
    });
  });

  it.each([
    [
      true,
      { UnreservedConcurrentExecutions: 10, ConcurrentExecutions: 10 },
      /^fail: 10 of 10 unreserved.* > Ask for 1,000/,
    ],
    [false, { UnreservedConcurrentExecutions: 10, ConcurrentExecutions: 10 }, /^warn: 10 of 10 unreserved/],
    [true, { UnreservedConcurrentExecutions: 987, ConcurrentExecutions: 1000 }, /^ok: 987 of 1000 unreserved\.$/],
    [true, { ConcurrentExecutions: 1000 }, /^unknown: Error: Lambda tells no limit\./],
    [true, { UnreservedConcurrentExecutions: 10 }, /^unknown: Error: Lambda tells no limit\./],
  ])("is judged for a stage (reserves: %s) by Lambda's answer %j", async (reserves, limit, expected) => {
    world.answerJson(/^GET \/2016-08-19\/account-settings/, { AccountLimit: limit });
    expect(await world.ask(world.stage({ reserveConcurrency: reserves }), "Concurrency of the account")).toMatch(
      expected,
    );
  });
});

describe("the queues", () => {
  const urlOf = ({ names }: DoctorStage, role: string) => `${world.gateway.gateway.url}/${accountId}/${names.of(role)}`;

  /** @param held of these are received, and not deleted. */
  async function put(stage: DoctorStage, role: string, count: number, held = 0): Promise<void> {
    const QueueUrl = urlOf(stage, role);
    for (let done = 0; done < count; done += 1) {
      await world.clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "{}" }));
    }
    if (held > 0) {
      await world.clients.sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: held, VisibilityTimeout: 60 }),
      );
    }
  }

  it.each<[string, number, number, string]>([
    ["is good", 0, 0, "ok: Nothing is parked."],
    ["warns", 1, 0, "warn: 1 event parked: each needs a person, within 14 days. > npm run dead-letters tells why."],
    ["warns", 3, 1, "warn: 3 events parked: each needs a person, within 14 days. > npm run dead-letters tells why."],
    ["warns", 1, 1, "warn: 1 event parked: each needs a person, within 14 days. > npm run dead-letters tells why."],
  ])("that parks %s with %d events, %d of them held by somebody", async (_, count, held, expected) => {
    const stage = await deployed();
    await put(stage, "dead-letters", count, held);
    expect(await world.ask(stage, "Dead letters")).toBe(expected);
  });

  it("that parks counts what is delayed, too", async () => {
    const stage = await deployed();
    const QueueUrl = urlOf(stage, "dead-letters");
    await world.clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "{}", DelaySeconds: 600 }));
    expect(await world.ask(stage, "Dead letters")).toContain("warn: 1 event parked");
  });

  it("that parks is read by the sandbox's command in the sandbox", async () => {
    const stage = { ...(await deployed()), isSandbox: true };
    await put(stage, "dead-letters", 1);
    expect(await world.ask(stage, "Dead letters")).toMatch(/> npm run dead-letters -- --sandbox tells why\.$/);
  });

  const advice = "Look for ERROR in the function's log group; the retries go on by themselves.";
  it.each<[string, Partial<Record<"retries" | "priority-retries", [number, number]>>, string]>([
    ["are good with none", {}, "ok: Nothing waits for a retry."],
    [
      "warn with one in a lane",
      { retries: [1, 0] },
      `warn: Mail waits for a retry: 1 in the standard lane. > ${advice}`,
    ],
    [
      "warn with one that is in the hands of a function",
      { "priority-retries": [1, 1] },
      `warn: Mail waits for a retry: 1 in the priority lane. > ${advice}`,
    ],
    [
      "warn with some in both lanes",
      { retries: [2, 0], "priority-retries": [1, 0] },
      `warn: Mail waits for a retry: 2 in the standard lane. Mail waits for a retry: 1 in the priority lane. > ${advice}`,
    ],
  ])("of the retries %s", async (_, waiting, expected) => {
    const stage = await deployed();
    for (const [role, [count, held]] of Object.entries(waiting)) await put(stage, role, count, held);
    expect(await world.ask(stage, "Retries")).toBe(expected);
  });

  it.each([
    ["Dead letters", "dead-letters"],
    ["Retries", "retries"],
    ["Retries", "priority-retries"],
  ])("fail (%s) where %s is gone, and name it", async (check, role) => {
    const stage = await deployed();
    await world.clients.sqs.send(new DeleteQueueCommand({ QueueUrl: urlOf(stage, role) }));
    expect(await world.ask(stage, check)).toBe(
      `fail: There is no queue ${stage.names.of(role)} in ${region}: is the stage deployed, and are STAGE and PROJECT_NAME its own? > Deploy the stack again.`,
    );
  });
});

describe("the alarm topic", () => {
  const ask = (stage: DoctorStage) => world.ask(stage, "Alarm topic");
  const members = (field: string, values: readonly string[]) =>
    values.map((value) => `<member><${field}>${value}</${field}></member>`).join("");
  const next = (token: string | undefined) => (token === undefined ? "" : `<NextToken>${token}</NextToken>`);

  /** A page of the topic's subscriptions, as SNS would tell it. */
  const subscriptions = (arns: readonly string[], token?: string) =>
    `<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions>${arns.map((arn) => `<member><SubscriptionArn>${arn}</SubscriptionArn><Endpoint>team@example.com</Endpoint></member>`).join("")}</Subscriptions>${next(token)}</ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>`;
  const topics = (arns: readonly string[], token?: string) =>
    `<ListTopicsResponse><ListTopicsResult><Topics>${members("TopicArn", arns)}</Topics>${next(token)}</ListTopicsResult></ListTopicsResponse>`;

  async function unsubscribeAll(stage: DoctorStage): Promise<void> {
    const { Subscriptions = [] } = await world.clients.sns.send(new ListSubscriptionsCommand({}));
    for (const { TopicArn, SubscriptionArn } of Subscriptions) {
      if (TopicArn === topicOf(stage)) await world.clients.sns.send(new UnsubscribeCommand({ SubscriptionArn }));
    }
  }

  it("is good with a confirmed subscriber", async () => {
    expect(await ask(await deployed({ alarmSubscribers: ["team@example.com"] }))).toBe("ok: 1 subscriber, confirmed.");
  });

  it("fails where it is gone", async () => {
    const stage = await deployed();
    await world.clients.sns.send(new DeleteTopicCommand({ TopicArn: topicOf(stage) }));
    expect(await ask(stage)).toBe(
      `fail: There is no topic ${stage.names.of("alarms")}: alarms tell nobody. > Deploy the stack again.`,
    );
  });

  it("is no topic whose name only ends alike", async () => {
    const stage = world.stage();
    await world.clients.sns.send(new CreateTopicCommand({ Name: `my-${stage.names.of("alarms")}` }));
    expect(await ask(stage)).toMatch(/^fail: There is no topic /);
  });

  const gone =
    "fail: Not subscribed any more: team@example.com. > Deploy the stack again, and click the link in SNS's mail.";
  const nobody =
    "warn: Nobody is subscribed: alarms tell nobody. > Set ALARM_EMAIL or alarmSubscribers and deploy, or subscribe the team's tool.";
  it.each<[string, string[], string]>([
    ["warns where nobody was to subscribe", [], nobody],
    ["fails where the configured subscriber is gone", ["team@example.com"], gone],
  ])("%s", async (_, alarmSubscribers, expected) => {
    const stage = await deployed({ alarmSubscribers });
    await unsubscribeAll(stage);
    expect(await ask(stage)).toBe(expected);
  });

  const confirmed = `arn:aws:sns:${region}:${accountId}:t:80289ba6-0fd4-4079-afb4-ce8c8260f0ca`;
  const click = "Click the link in SNS's mail; it is void after two days.";
  it.each<[string, string[], string]>([
    ["fails with one not confirmed", ["PendingConfirmation"], `fail: 1 subscription not confirmed. > ${click}`],
    [
      "fails with some not confirmed beside one that is",
      ["PendingConfirmation", confirmed, "PendingConfirmation"],
      `fail: 2 subscriptions not confirmed. > ${click}`,
    ],
    ["is good with one beside another that unsubscribed", ["Deleted", confirmed], "ok: 1 subscriber, confirmed."],
    ["fails where the only one has unsubscribed", ["Deleted"], gone],
  ])("%s", async (_, arns, expected) => {
    const stage = await deployed({ alarmSubscribers: ["team@example.com"] });
    world.answerXml(/Action=ListSubscriptionsByTopic&/, subscriptions(arns));
    expect(await ask(stage)).toBe(expected);
  });

  it("fails where one of two configured subscribers is gone", async () => {
    const stage = await deployed({ alarmSubscribers: ["on-call@example.com", "team@example.com"] });
    expect(await ask(stage)).toBe(
      "fail: Not subscribed any more: on-call@example.com. > Deploy the stack again, and click the link in SNS's mail.",
    );
  });

  it("is looked for, and its subscribers are, behind the first page", async () => {
    const stage = world.stage();
    world.answerXml(/Action=ListTopics&.*NextToken=t2/, topics([topicOf(stage)]));
    world.answerXml(/Action=ListTopics&/, topics([], "t2"));
    world.answerXml(/Action=ListSubscriptionsByTopic&.*NextToken=s2/, subscriptions([confirmed]));
    world.answerXml(/Action=ListSubscriptionsByTopic&/, subscriptions([confirmed], "s2"));
    expect(await ask(stage)).toBe("ok: 2 subscribers, confirmed.");
  });
});

describe("the alarms", () => {
  const ask = (stage: DoctorStage) => world.ask(stage, "Alarms");
  /** moto has no DisableAlarmActions. */
  const silence = (stage: DoctorStage, role: string) =>
    putAlarm(world.clients, stage.names.of(role), { ActionsEnabled: false, AlarmActions: [topicOf(stage)] });
  const ring = (stage: DoctorStage, role: string, state: "ALARM" | "INSUFFICIENT_DATA" = "ALARM") =>
    world.clients.cloudWatch.send(
      new SetAlarmStateCommand({ AlarmName: stage.names.of(role), StateValue: state, StateReason: "a test" }),
    );
  const enable = "aws cloudwatch enable-alarm-actions --alarm-names ..";

  it("are good where none rings", async () => {
    const stage = await deployed();
    await ring(stage, "parked", "INSUFFICIENT_DATA");
    expect(await ask(stage)).toBe("ok: 2 alarms, none in alarm.");
  });

  it("warn where some ring, by their names without the stage", async () => {
    const stage = await deployed();
    await ring(stage, "parked");
    await ring(stage, "bounces");
    expect(await ask(stage)).toMatch(
      /^warn: In alarm: (parked, bounces|bounces, parked)\. > docs\/alarms\.md has the first step of each\.$/,
    );
  });

  it("fail where one is switched off", async () => {
    const stage = await deployed();
    await silence(stage, "bounces");
    expect(await ask(stage)).toBe(`fail: Silenced: bounces. > ${enable}`);
  });

  it("fail where one has nobody to tell", async () => {
    const stage = await deployed();
    await putAlarm(world.clients, stage.names.of("complaints"));
    expect(await ask(stage)).toBe(`fail: Silenced: complaints. > ${enable}`);
  });

  it("fail, rather than warn, where a silent one rings", async () => {
    const stage = await deployed();
    await silence(stage, "parked");
    await ring(stage, "parked");
    expect(await ask(stage)).toBe(`fail: Silenced: parked. > ${enable}`);
  });

  it("fail where there is none, whatever other stages have", async () => {
    const stage = await deployed();
    const { prefix } = stage.names;
    await putAlarm(world.clients, `${prefix}2-parked`);
    await world.clients.cloudWatch.send(
      new DeleteAlarmsCommand({ AlarmNames: [stage.names.of("parked"), stage.names.of("bounces")] }),
    );
    expect(await ask(stage)).toBe("fail: There is no alarm. > Deploy the stack again.");
  });
});

describe("the state", () => {
  const ask = (stage: DoctorStage) => world.ask(stage, "State bucket");
  const bucketOf = ({ config: { backend } }: DoctorStage) => (backend.kind === "s3" ? backend.bucket : "");
  const suspend = (stage: DoctorStage) =>
    world.clients.s3.send(
      new PutBucketVersioningCommand({ Bucket: bucketOf(stage), VersioningConfiguration: { Status: "Suspended" } }),
    );

  it("is good in a bucket that is versioned", async () => {
    const stage = await deployed();
    expect(await ask(stage)).toBe(`ok: ${bucketOf(stage)} is versioned.`);
  });

  it("fails in a bucket that is no longer versioned", async () => {
    const stage = await deployed();
    await suspend(stage);
    expect(await ask(stage)).toBe(
      `fail: ${bucketOf(stage)} is not versioned: a broken state can't be taken back. > npm run bootstrap`,
    );
  });

  it("fails in a bucket that never was versioned", async () => {
    const stage = await deployed();
    world.answerXml(/^GET \/.*\?versioning/, "<VersioningConfiguration/>");
    expect(await ask(stage)).toMatch(/^fail: .* is not versioned/);
  });

  it("warns of it in the sandbox", async () => {
    const stage = { ...(await deployed()), isSandbox: true };
    await suspend(stage);
    expect(await ask(stage)).toMatch(
      /^ok: .* is not versioned, and need not be: the sandbox's state is thrown away with it\.$/,
    );
  });

  it("fails where the bucket is gone", async () => {
    const stage = await deployed();
    await world.clients.s3.send(new DeleteBucketCommand({ Bucket: bucketOf(stage) }));
    expect(await ask(stage)).toBe(`fail: There is no bucket ${bucketOf(stage)}. > npm run bootstrap`);
  });

  it("is unknown in a bucket that may not be read", async () => {
    const stage = await deployed();
    world.answerXml(
      /^GET \/.*\?versioning/,
      "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
      403,
    );
    expect(await ask(stage)).toBe("unknown: AccessDenied: Access Denied > Run it with a role that may read this.");
  });

  it.each<[string, Config["backend"], string]>([
    [
      "warns on a person's machine",
      { kind: "local" },
      "warn: The state is a file on somebody's machine. > Use BACKEND=s3 for a shared stage.",
    ],
    [
      "is good in Terraform Cloud",
      { kind: "cloud", organization: "shop", workspace: "test" },
      "ok: The state is in Terraform Cloud (shop).",
    ],
  ])("%s, and asks no bucket", async (_, backend, expected) => {
    expect(await ask(world.stage({ backend }))).toBe(expected);
    expect(world.countCalls(/./)).toBe(0);
  });
});
