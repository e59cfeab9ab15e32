import {
  DeleteResourcePolicyCommand,
  FilterLogEventsCommand,
  PutResourcePolicyCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  DisableRuleCommand,
  PutEventsCommand,
  type PutEventsRequestEntry,
  PutRuleCommand,
  TestEventPatternCommand,
} from "@aws-sdk/client-eventbridge";
import { SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { accountId, arnOf, queuePolicy, region, TestDoor } from "../../support/door";
import { until } from "../../support/until";

let door: TestDoor;
beforeAll(async () => {
  door = await TestDoor.start();
}, 90_000);
afterAll(async () => {
  await door.stop();
});
jest.setTimeout(60_000);

/** A queue that takes what the rule sends, and the rule. */
async function queueRule(
  bus: string,
  target: Record<string, unknown> = {},
  rule: Parameters<TestDoor["createRule"]>[2] = {},
) {
  const queue = await door.createQueue();
  const name = await door.createRule(bus, [{ Id: "queue", Arn: arnOf.queue(queue), ...target }], rule);
  await allow(queue, arnOf.rule(bus, name));
  return { queue, name };
}

async function allow(queue: string, ...ruleArns: string[]): Promise<void> {
  await door.sqs.send(
    new SetQueueAttributesCommand({
      QueueUrl: `${door.door.url}/${accountId}/${queue}`,
      Attributes: { Policy: queuePolicy(queue, ...ruleArns) },
    }),
  );
}

describe("PutEvents", () => {
  const valid: PutEventsRequestEntry = { Source: "test", DetailType: "Test", Detail: '{"a":1}' };
  const put = (...entries: PutEventsRequestEntry[]) => door.events.send(new PutEventsCommand({ Entries: entries }));

  it("answers an id for each entry that is valid, and an error for each that is not", async () => {
    const answer = await put(
      valid,
      { DetailType: "Test", Detail: "{}" },
      { Source: "test", Detail: "{}" },
      { Source: "test", DetailType: "Test" },
      { ...valid, Detail: "[1]" },
      { ...valid, Detail: "{" },
      { ...valid, Source: "aws.ses" },
    );
    expect(answer.FailedEntryCount).toBe(6);
    const [first, ...others] = answer.Entries ?? [];
    expect(first).toEqual({ EventId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string });
    expect(others.map(({ ErrorCode }) => ErrorCode)).toEqual([
      "InvalidArgument",
      "InvalidArgument",
      "InvalidArgument",
      "MalformedDetail",
      "MalformedDetail",
      "NotAuthorizedForSourceException",
    ]);
  });

  it("refuses more than 10 entries, and more than 256 KB", async () => {
    await expect(put(...Array.from({ length: 11 }, () => valid))).rejects.toThrow(/between 1 and 10/);
    const large = { ...valid, Detail: JSON.stringify({ a: "x".repeat(140_000) }) };
    await expect(put(large)).resolves.toMatchObject({ FailedEntryCount: 0 });
    await expect(put(large, large)).rejects.toThrow(/Total size/);
  });

  it("answers success for a bus that does not exist, as AWS does, and says so in the activity", async () => {
    const id = await door.putEvent("nowhere", {});
    const event = await until("the note", async () => {
      const found = await door.event(id);
      return found.notes.length > 0 ? found : undefined;
    });
    expect(event.notes[0]).toMatch(/no event bus "nowhere"/);
  });

  it("delivers AWS's envelope to the targets of the rules that match", async () => {
    const bus = await door.createBus();
    const { queue, name } = await queueRule(bus);
    const { Entries: [entry] = [] } = await put({
      ...valid,
      EventBusName: arnOf.bus(bus),
      Time: new Date("2024-05-06T07:08:09.123Z"),
      Resources: ["arn:x"],
    });
    const message = await door.receive(queue);
    expect(JSON.parse(message.Body ?? "")).toEqual({
      version: "0",
      id: entry?.EventId,
      "detail-type": "Test",
      source: "test",
      account: accountId,
      time: "2024-05-06T07:08:09Z",
      region,
      resources: ["arn:x"],
      detail: { a: 1 },
    });
    const [delivery] = await door.deliveries(entry?.EventId ?? "");
    expect(delivery).toMatchObject({ rule: name, bus, targetId: "queue", kind: "sqs", status: "delivered" });
    expect(delivery?.attempts).toMatchObject([{ number: 1, outcome: "success" }]);
  });

  it("delivers nothing for a rule that is disabled or does not match", async () => {
    const bus = await door.createBus();
    const { name } = await queueRule(bus);
    await queueRule(bus, {}, { pattern: { source: ["other"] } });
    const { name: third } = await queueRule(bus);
    await door.events.send(new DisableRuleCommand({ Name: name, EventBusName: bus }));
    const [delivery] = await door.deliveries(await door.putEvent(bus, {}));
    expect(delivery?.rule).toBe(third);
  });
});

it("TestEventPattern tells whether a pattern matches an event", async () => {
  const event = {
    id: "1",
    "detail-type": "x",
    source: "s",
    account: "1",
    time: "2024-01-01T00:00:00Z",
    region,
    resources: [],
    detail: {},
  };
  const test = (pattern: unknown, tested: unknown = event) =>
    door.events.send(
      new TestEventPatternCommand({ EventPattern: JSON.stringify(pattern), Event: JSON.stringify(tested) }),
    );
  await expect(test({ source: ["s"] })).resolves.toMatchObject({ Result: true });
  await expect(test({ source: ["t"] })).resolves.toMatchObject({ Result: false });
  await expect(test({ source: ["s"] }, { source: "s" })).rejects.toThrow(/lacks id/);
  await expect(test({ source: [{ nope: "s" }] })).rejects.toMatchObject({ name: "InvalidEventPatternException" });
});

it("PutRule refuses a pattern that EventBridge refuses", async () => {
  const command = new PutRuleCommand({ Name: "bad", EventPattern: '{"source":[{"starts":"x"}]}' });
  await expect(door.events.send(command)).rejects.toMatchObject({
    name: "InvalidEventPatternException",
    message: expect.stringMatching(/Unrecognized match type starts/) as string,
  });
});

describe("a target", () => {
  it("gets what its input transformer makes of the event", async () => {
    const bus = await door.createBus();
    const { queue } = await queueRule(bus, {
      InputTransformer: {
        InputPathsMap: { a: "$.detail.a" },
        InputTemplate: '{"got": <a>, "by": "<aws.events.rule-name>"}',
      },
    });
    await door.putEvent(bus, { a: { b: 1 } });
    const message = await door.receive(queue);
    expect(JSON.parse(message.Body ?? "")).toEqual({ got: { b: 1 }, by: expect.stringMatching(/^rule-/) as string });
  });

  it("can be another bus, which keeps the event's id", async () => {
    const [first, second] = [await door.createBus(), await door.createBus()];
    await door.createRule(first, [{ Id: "bus", Arn: arnOf.bus(second) }]);
    const { queue } = await queueRule(second);
    const id = await door.putEvent(first, {});
    const message = await door.receive(queue);
    expect(JSON.parse(message.Body ?? "")).toMatchObject({ id });
  });

  describe("can be a log group", () => {
    const streams = {
      Effect: "Allow",
      Principal: { Service: "events.amazonaws.com" },
      Action: "logs:CreateLogStream",
    };
    /** @returns what the group holds, and the codes of what failed. */
    async function logUnder(policyOf: (groupArn: string, ruleArn: string) => object[]) {
      const bus = await door.createBus();
      const group = `/aws/events/${bus}`;
      const groupArn = `arn:aws:logs:${region}:${accountId}:log-group:${group}`;
      await door.createLogGroup(group);
      const rule = await door.createRule(bus, [
        { Id: "log", Arn: `${groupArn}:*`, RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 } },
      ]);
      const Statement = policyOf(groupArn, `arn:aws:events:${region}:${accountId}:rule/${bus}/${rule}`);
      const policyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
      await door.logs.send(new PutResourcePolicyCommand({ policyName: bus, policyDocument }));
      const id = await door.putEvent(bus, {});
      const deliveries = await door.deliveries(id);
      await door.logs.send(new DeleteResourcePolicyCommand({ policyName: bus }));
      const { events = [] } = await door.logs.send(new FilterLogEventsCommand({ logGroupName: group }));
      return {
        logged: events.map(({ message = "" }) => (JSON.parse(message) as { id: string }).id === id),
        errors: deliveries.flatMap(({ attempts }) => attempts.map(({ errorType }) => errorType)),
      };
    }
    const onlyOf = (ruleArn: string) => ({ Condition: { ArnEquals: { "aws:SourceArn": ruleArn } } });

    it("under a policy for its streams, and for the rule's events", async () => {
      const { logged } = await logUnder((groupArn, ruleArn) => [
        { ...streams, Resource: `${groupArn}:*` },
        { ...streams, Action: "logs:PutLogEvents", Resource: `${groupArn}:*`, ...onlyOf(ruleArn) },
      ]);
      expect(logged).toEqual([true]);
    });

    it.each<[string, (groupArn: string, ruleArn: string) => object[]]>([
      ["without a policy for the group", () => [{ ...streams, Action: "logs:*", Resource: "arn:aws:logs:::other:*" }]],
      [
        "where the streams are allowed to the rule alone: EventBridge makes them in nobody's name",
        (groupArn, ruleArn) => [
          {
            ...streams,
            Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
            Resource: `${groupArn}:*`,
            ...onlyOf(ruleArn),
          },
        ],
      ],
      [
        "where the events are allowed to another rule",
        (groupArn, ruleArn) => [
          { ...streams, Resource: `${groupArn}:*` },
          { ...streams, Action: "logs:PutLogEvents", Resource: `${groupArn}:*`, ...onlyOf(`${ruleArn}-2`) },
        ],
      ],
    ])("but not %s", async (_, policyOf) => {
      expect(await logUnder(policyOf)).toEqual({ logged: [], errors: ["NO_PERMISSIONS"] });
    });
  });

  it("of a kind that is not emulated is named in the notes", async () => {
    const bus = await door.createBus();
    const arn = `arn:aws:states:${region}:${accountId}:stateMachine:x`;
    await door.createRule(bus, [{ Id: "machine", Arn: arn }]);
    await door.deliveries(await door.putEvent(bus, {}));
    expect(JSON.stringify(await door.get("notes"))).toContain(arn);
  });
});

describe("an event that a target cannot take", () => {
  const RetryPolicy = { MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 3600 };

  it("goes to the target's dead-letter queue at once, where the rule lacks the permission", async () => {
    const bus = await door.createBus();
    const fn = await door.createFunction("export const handler = () => 1;");
    const deadLetters = await door.createQueue();
    const rule = await door.createRule(bus, [
      { Id: "fn", Arn: arnOf.fn(fn), RetryPolicy, DeadLetterConfig: { Arn: arnOf.queue(deadLetters) } },
    ]);
    await allow(deadLetters, arnOf.rule(bus, rule));
    const id = await door.putEvent(bus, { a: 1 });

    const message = await door.receive(deadLetters);
    expect(JSON.parse(message.Body ?? "")).toMatchObject({ id, detail: { a: 1 } });
    const attributes = Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(([name, { StringValue }]) => [name, StringValue]),
    );
    expect(attributes).toEqual({
      RULE_ARN: arnOf.rule(bus, rule),
      TARGET_ARN: arnOf.fn(fn),
      ERROR_CODE: "NO_PERMISSIONS",
      ERROR_MESSAGE: expect.stringContaining(arnOf.rule(bus, rule)) as string,
      RETRY_ATTEMPTS: "0",
    });
    const [delivery] = await door.deliveries(id);
    expect(delivery).toMatchObject({
      status: "failed",
      deadLetter: { destinationArn: arnOf.queue(deadLetters) },
      attempts: [{ outcome: "error", errorType: "NO_PERMISSIONS" }],
    });
  });

  it("goes there too, where the function does not exist", async () => {
    const bus = await door.createBus();
    const deadLetters = await door.createQueue();
    const DeadLetterConfig = { Arn: arnOf.queue(deadLetters) };
    const rule = await door.createRule(bus, [{ Id: "fn", Arn: arnOf.fn("nobody"), RetryPolicy, DeadLetterConfig }]);
    await allow(deadLetters, arnOf.rule(bus, rule));
    await door.putEvent(bus, {});
    const message = await door.receive(deadLetters);
    expect(message.MessageAttributes?.ERROR_CODE?.StringValue).toBe("NO_RESOURCE");
  });

  it("is dropped and counted, where the dead-letter queue's policy does not name the rule", async () => {
    const bus = await door.createBus();
    const deadLetters = await door.createQueue();
    const DeadLetterConfig = { Arn: arnOf.queue(deadLetters) };
    const rule = await door.createRule(bus, [{ Id: "fn", Arn: arnOf.fn("nobody"), RetryPolicy, DeadLetterConfig }]);
    await allow(deadLetters, arnOf.rule(bus, "another"));
    const [delivery] = await door.deliveries(await door.putEvent(bus, {}));
    const counted = await until("the count", async () => {
      const metrics = (await door.get("metrics")) as { InvocationsFailedToBeSentToDlq: Record<string, number> };
      return metrics.InvocationsFailedToBeSentToDlq[rule];
    });
    expect(counted).toBe(1);
    expect(delivery?.deadLetter).toBeUndefined();
    expect(await door.messagesIn(deadLetters)).toEqual([]);
  });

  it("is not sent to a queue whose policy does not name the rule", async () => {
    const bus = await door.createBus();
    const queue = await door.createQueue();
    await door.createRule(bus, [{ Id: "queue", Arn: arnOf.queue(queue), RetryPolicy }]);
    const [delivery] = await door.deliveries(await door.putEvent(bus, {}));
    expect(delivery).toMatchObject({ status: "failed", attempts: [{ errorType: "NO_PERMISSIONS" }] });
    expect(await door.messagesIn(queue)).toEqual([]);
  });

  it("is tried again as often as the retry policy says, where trying again can help", async () => {
    const bus = await door.createBus();
    const deadLetters = await door.createQueue();
    const topic = `arn:aws:sqs:${region}:${accountId}:too-large`;
    await door.createQueue(
      {
        MaximumMessageSize: "1024",
        Policy: queuePolicy("too-large", arnOf.rule(bus, "*")).replace("ArnEquals", "ArnLike"),
      },
      "too-large",
    );
    const rule = await door.createRule(bus, [
      { Id: "queue", Arn: topic, RetryPolicy, DeadLetterConfig: { Arn: arnOf.queue(deadLetters) } },
    ]);
    await allow(deadLetters, arnOf.rule(bus, rule));
    const id = await door.putEvent(bus, { a: "x".repeat(2000) });
    const message = await door.receive(deadLetters);
    expect(message.MessageAttributes).toMatchObject({
      ERROR_CODE: { StringValue: "ERROR_FROM_TARGET" },
      EXHAUSTED_RETRY_CONDITION: { StringValue: "MaximumRetryAttempts" },
      RETRY_ATTEMPTS: { StringValue: "1" },
    });
    const [delivery] = await door.deliveries(id);
    expect(delivery?.attempts).toMatchObject([{ number: 1, nextRetryInMs: 20 }, { number: 2 }]);
  });
});
