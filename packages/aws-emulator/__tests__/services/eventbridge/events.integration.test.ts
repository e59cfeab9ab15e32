import {
  DeleteResourcePolicyCommand,
  FilterLogEventsCommand,
  PutResourcePolicyCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateArchiveCommand,
  DeleteArchiveCommand,
  DeleteEventBusCommand,
  DeleteRuleCommand,
  DescribeEventBusCommand,
  DisableRuleCommand,
  PutEventsCommand,
  type PutEventsRequestEntry,
  PutRuleCommand,
  type PutRuleCommandInput,
  PutTargetsCommand,
  RemoveTargetsCommand,
  type Target,
  TestEventPatternCommand,
} from "@aws-sdk/client-eventbridge";
import { type BusEvent } from "../../../src/gateway/journal";
import {
  accountId,
  arnOf,
  gatewayForTests,
  queuePolicy,
  region,
  signed,
  type TestGateway,
} from "../../support/gateway";
import { until } from "../../support/until";

const gateway = gatewayForTests();

/** A queue that takes what the rule sends, and the rule. */
async function queueRule(
  bus: string,
  target: Record<string, unknown> = {},
  rule: Parameters<TestGateway["createRule"]>[2] = {},
) {
  const queue = await gateway.createQueue();
  const name = await gateway.createRule(bus, [{ Id: "queue", Arn: arnOf.queue(queue), ...target }], rule);
  await gateway.allow(queue, arnOf.rule(bus, name));
  return { queue, name };
}

describe("PutEvents", () => {
  const valid: PutEventsRequestEntry = { Source: "test", DetailType: "Test", Detail: '{"a":1}' };
  const put = (...entries: PutEventsRequestEntry[]) => gateway.events.send(new PutEventsCommand({ Entries: entries }));

  it("answers an id for each entry that is valid, and an error for each that is not", async () => {
    const answer = await put(
      valid,
      { DetailType: "Test", Detail: "{}" },
      { Source: "test", Detail: "{}" },
      { Source: "test", DetailType: "Test" },
      { ...valid, Detail: "[1]" },
      { ...valid, Detail: "{" },
      { ...valid, Source: "aws.ses" },
      { ...valid, Time: new Date(8.64e15) },
      { ...valid, DetailType: "x".repeat(129) },
      { ...valid, Detail: `{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}` },
    );
    expect(answer.FailedEntryCount).toBe(9);
    const [first, ...others] = answer.Entries ?? [];
    expect(first).toEqual({ EventId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string });
    expect(others.map(({ ErrorCode }) => ErrorCode)).toEqual([
      "InvalidArgument",
      "InvalidArgument",
      "InvalidArgument",
      "MalformedDetail",
      "MalformedDetail",
      "NotAuthorizedForSourceException",
      "InvalidArgument",
      "InvalidArgument",
      "MalformedDetail",
    ]);
  });

  it.each(["yesterday", 1e20, -1e20, {}])("fails an entry whose time is %j, which no SDK sends", async (Time) => {
    const response = await fetch(gateway.gateway.url, {
      method: "POST",
      headers: {
        "x-amz-target": "AWSEvents.PutEvents",
        "content-type": "application/x-amz-json-1.1",
        ...signed("events"),
      },
      body: JSON.stringify({ Entries: [{ ...valid, Time }, valid] }),
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      FailedEntryCount: 1,
      Entries: [{ ErrorCode: "InvalidArgument", ErrorMessage: expect.stringContaining("Time") as string }, {}],
    });
  });

  it("takes a detail that is nested 1,000 levels deep, and not one more", async () => {
    const nested = (levels: number) => ({ ...valid, Detail: `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}` });
    const { Entries: results } = await put(nested(1000), nested(1001));
    expect(results).toMatchObject([{ EventId: expect.any(String) as string }, { ErrorCode: "MalformedDetail" }]);
    const texts = { ...valid, Detail: JSON.stringify({ a: '[{"\\'.repeat(2000) }) };
    expect(await put(texts)).toMatchObject({ FailedEntryCount: 0 });
  });

  it("measures an entry of 262,144 bytes exactly", async () => {
    const frame = Buffer.byteLength("test" + "Test" + '{"a":""}');
    const sized = (bytes: number) => ({ ...valid, Detail: `{"a":"${"x".repeat(bytes - frame)}"}` });
    await expect(put(sized(262_144))).resolves.toMatchObject({ FailedEntryCount: 0 });
    await expect(put(sized(262_145))).rejects.toThrow(/over the limit/);
  });

  it("refuses more than 10 entries, and more than 256 KB", async () => {
    await expect(put(...Array.from({ length: 11 }, () => valid))).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringMatching(
        /at 'entries' failed .* Member must have length less than or equal to 10$/,
      ) as string,
    });
    await expect(put()).rejects.toThrow(/Member must have length greater than or equal to 1$/);
    const large = { ...valid, Detail: JSON.stringify({ a: "x".repeat(140_000) }) };
    await expect(put(large)).resolves.toMatchObject({ FailedEntryCount: 0 });
    await expect(put(large, large)).rejects.toThrow(/Total size/);
  });

  it("answers success for a bus that does not exist, as AWS does, and says so in the activity", async () => {
    const id = await gateway.putEvent("nowhere", {});
    const event = await until("the note", async () => {
      const found = await gateway.event(id);
      return found.notes.length > 0 ? found : undefined;
    });
    expect(event.notes[0]).toMatch(/no event bus "nowhere"/);
  });

  it("delivers AWS's envelope to the targets of the rules that match", async () => {
    const bus = await gateway.createBus();
    const { queue, name } = await queueRule(bus);
    const { Entries: [entry] = [] } = await put({
      ...valid,
      EventBusName: arnOf.bus(bus),
      Time: new Date("2024-05-06T07:08:09.123Z"),
      Resources: ["arn:x"],
    });
    const message = await gateway.receive(queue);
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
    const [delivery] = await gateway.deliveries(entry?.EventId ?? "");
    expect(delivery).toMatchObject({ rule: name, bus, targetId: "queue", kind: "sqs", status: "delivered" });
    expect(delivery?.attempts).toMatchObject([{ number: 1, status: "success" }]);
  });

  it("delivers nothing for a rule that is disabled or does not match", async () => {
    const bus = await gateway.createBus();
    const { name } = await queueRule(bus);
    await queueRule(bus, {}, { pattern: { source: ["other"] } });
    const { name: third } = await queueRule(bus);
    await gateway.events.send(new DisableRuleCommand({ Name: name, EventBusName: bus }));
    const [delivery] = await gateway.deliveries(await gateway.putEvent(bus, {}));
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
    detail: {},
  };
  const test = (pattern: unknown, tested: unknown = event) =>
    gateway.events.send(
      new TestEventPatternCommand({ EventPattern: JSON.stringify(pattern), Event: JSON.stringify(tested) }),
    );
  await expect(test({ source: ["s"] })).resolves.toMatchObject({ Result: true });
  await expect(test({ source: ["t"] })).resolves.toMatchObject({ Result: false });
  await expect(test({ source: ["s"] }, { source: "s" })).rejects.toMatchObject({
    name: "ValidationException",
    message: "Parameter Event is not valid.",
  });
  await expect(test({ source: [{ nope: "s" }] })).rejects.toMatchObject({ name: "InvalidEventPatternException" });
});

it("PutRule refuses a pattern that EventBridge refuses, and what its model does not fit", async () => {
  const put = (input: Partial<PutRuleCommandInput>) =>
    gateway.events.send(new PutRuleCommand({ Name: "bad", EventPattern: '{"source":["x"]}', ...input }));
  await expect(put({ EventPattern: '{"source":[{"starts":"x"}]}' })).rejects.toMatchObject({
    name: "InvalidEventPatternException",
    message: 'Event pattern is not valid. Reason: Unrecognized match type starts\n at "source"',
  });
  await expect(put({ EventPattern: JSON.stringify({ source: ["x".repeat(4096)] }) })).rejects.toMatchObject({
    name: "ValidationException",
    message: expect.stringMatching(/at 'eventPattern' .* less than or equal to 4096$/) as string,
  });
  await expect(put({ Name: "no name!", Description: "x".repeat(513) })).rejects.toThrow(
    /^2 validation errors detected: Value 'no name!' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: \S+; Value 'x+..' at 'description'/,
  );
  await expect(put({ EventBusName: "nowhere" })).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: "Event bus nowhere does not exist.",
  });
});

describe("what is deleted", () => {
  const removeBus = (Name: string) => gateway.events.send(new DeleteEventBusCommand({ Name }));
  const removeRule = (Name: string, EventBusName: string) =>
    gateway.events.send(new DeleteRuleCommand({ Name, EventBusName }));
  const hasRules = { name: "ValidationException", message: "EventBus can't be deleted since it has rules." };

  it("is no bus that has rules, and no rule that has targets", async () => {
    const bus = await gateway.createBus();
    const rule = await gateway.createRule(bus, [{ Id: "one", Arn: arnOf.queue("any") }]);
    await expect(removeBus(bus)).rejects.toMatchObject(hasRules);
    await expect(removeRule(rule, bus)).rejects.toMatchObject({
      name: "ValidationException",
      message: "Rule can't be deleted since it has targets.",
    });
    await gateway.events.send(new RemoveTargetsCommand({ Rule: rule, EventBusName: bus, Ids: ["one"] }));
    await removeRule(rule, bus);
    await removeBus(bus);
    await expect(gateway.events.send(new DescribeEventBusCommand({ Name: bus }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("is no bus with an archive, whose rule is one of the bus's", async () => {
    const bus = await gateway.createBus();
    const ArchiveName = gateway.name("archive");
    await gateway.events.send(new CreateArchiveCommand({ ArchiveName, EventSourceArn: arnOf.bus(bus) }));
    await expect(removeBus(bus)).rejects.toMatchObject(hasRules);
    await gateway.events.send(new DeleteArchiveCommand({ ArchiveName }));
    await removeBus(bus);
  });

  it("is never the default bus, and none by its ARN", async () => {
    await expect(removeBus("default")).rejects.toMatchObject({
      name: "ValidationException",
      message: "Cannot delete event bus default.",
    });
    const bus = await gateway.createBus();
    await expect(removeBus(arnOf.bus(bus))).rejects.toThrow(/^1 validation error detected: Value '\S+' at 'name'/);
  });

  it("can be gone before: a bus, and a rule of a bus; but not a rule of no bus, an archive, or targets", async () => {
    await removeBus("nowhere");
    await removeRule("nobody", "default");
    const missing = (message: string) => ({ name: "ResourceNotFoundException", message });
    await expect(removeRule("nobody", "nowhere")).rejects.toMatchObject(missing("Event bus nowhere does not exist."));
    const archive = new DeleteArchiveCommand({ ArchiveName: "nothing" });
    await expect(gateway.events.send(archive)).rejects.toMatchObject(missing("Archive nothing does not exist."));
    const targets = new RemoveTargetsCommand({ Rule: "nobody", Ids: ["one"] });
    await expect(gateway.events.send(targets)).rejects.toMatchObject(
      missing("Rule nobody does not exist on EventBus default."),
    );
  });
});

describe("PutTargets refuses", () => {
  let rule: string;
  const target = { Id: "one", Arn: arnOf.queue("any") };
  const put = (...targets: Target[]) => gateway.events.send(new PutTargetsCommand({ Rule: rule, Targets: targets }));
  const transformer = (InputTemplate: string, InputPathsMap?: Record<string, string>) => ({
    ...target,
    InputTransformer: { InputTemplate, ...(InputPathsMap === undefined ? {} : { InputPathsMap }) },
  });
  beforeAll(async () => {
    rule = await gateway.createRule("default", [target], { pattern: { source: ["nobody"] } });
  });

  it("more than five targets of a rule, and takes one of them again", async () => {
    const many = (...ids: string[]) => ids.map((Id) => ({ ...target, Id }));
    await put(...many("two", "three", "four", "five"));
    await put(...many("one", "five"));
    await expect(put(...many("six"))).rejects.toMatchObject({
      name: "LimitExceededException",
      message: "The requested resource exceeds the maximum number allowed.",
    });
  });

  it.each<[string, Target, string]>([
    [
      "an id",
      { ...target, Id: "!@#$@!#$" },
      "1 validation error detected: Value '!@#$@!#$' at 'targets.1.member.id' failed to satisfy constraint: Member must satisfy regular expression pattern: [.\\-_A-Za-z0-9]+",
    ],
    [
      "two ways of input",
      { ...transformer('"x"'), InputPath: "$.detail" },
      "Only one of Input, InputPath, or InputTransformer must be provided for target one.",
    ],
    [
      "a variable that nothing is said of",
      transformer('"<known> <unknown>"', { known: "$.id" }),
      "InputTemplate for target one contains invalid placeholder unknown.",
    ],
    [
      "a log group's template",
      { ...transformer('{"message": "x"}'), Arn: `arn:aws:logs:${region}:${accountId}:log-group:/aws/events/x:*` },
      'InputTemplate for target one has to be of the form {"timestamp":<timestamp>,"message":<message>}.',
    ],
  ])("%s", async (_, refused, message) => {
    await expect(put(refused)).rejects.toMatchObject({ name: "ValidationException", message });
  });

  it.each<[Target, RegExp]>([
    [transformer("x".repeat(8193)), /inputTemplate' .* less than or equal to 8192$/],
    [
      transformer('"x"', Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`v${index}`, "$.id"]))),
      /inputPathsMap' .* less than or equal to 100$/,
    ],
    [
      { ...target, RetryPolicy: { MaximumRetryAttempts: 186 } },
      /maximumRetryAttempts' .* have value less than or equal to 185$/,
    ],
    [{ ...target, RetryPolicy: { MaximumEventAgeInSeconds: 59 } }, /have value greater than or equal to 60$/],
    [{ ...target, Input: "x".repeat(8193) }, /input' .* less than or equal to 8192$/],
  ])("what is too much %#", async (refused, message) => {
    await expect(put(refused)).rejects.toThrow(message);
  });

  it("the target of a rule that is not there", async () => {
    await expect(
      gateway.events.send(new PutTargetsCommand({ Rule: "nobody", Targets: [target] })),
    ).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });
});

describe("a target", () => {
  it("gets what its input transformer makes of the event", async () => {
    const bus = await gateway.createBus();
    const { queue } = await queueRule(bus, {
      InputTransformer: {
        InputPathsMap: { a: "$.detail.a" },
        InputTemplate: '{"got": <a>, "by": "<aws.events.rule-name>"}',
      },
    });
    await gateway.putEvent(bus, { a: { b: 1 } });
    const message = await gateway.receive(queue);
    expect(JSON.parse(message.Body ?? "")).toEqual({ got: { b: 1 }, by: expect.stringMatching(/^rule-/) as string });
  });

  it("can be another bus, which keeps the event's id", async () => {
    const [first, second] = [await gateway.createBus(), await gateway.createBus()];
    await gateway.createRule(first, [{ Id: "bus", Arn: arnOf.bus(second) }]);
    const { queue } = await queueRule(second);
    const id = await gateway.putEvent(first, {});
    const message = await gateway.receive(queue);
    expect(JSON.parse(message.Body ?? "")).toMatchObject({ id });
    await gateway.settle();
    // Both are listed, each by an id of its own, which leads to it and to the entry behind it.
    const activity = (await gateway.get("activity")) as BusEvent[];
    const entries = activity.filter(({ event }) => event.id === id);
    expect(entries.map((entry) => [entry.id, entry.bus])).toEqual([
      [`${id}.2`, second],
      [id, first],
    ]);
    for (const entry of entries) {
      expect(await gateway.get(`activity/${entry.id}`)).toMatchObject({ id: entry.id, bus: entry.bus, event: { id } });
    }
    expect(await gateway.get(`activity?limit=1&before=${id}.2`)).toMatchObject([{ id, bus: first }]);
  });

  it("gets nothing where its transformer makes no JSON: the event goes to the dead-letter queue", async () => {
    const bus = await gateway.createBus();
    const deadLetters = await gateway.createQueue();
    const { queue, name } = await queueRule(bus, {
      InputTransformer: { InputPathsMap: { a: "$.detail.a" }, InputTemplate: '{"got": "<a>"}' },
      DeadLetterConfig: { Arn: arnOf.queue(deadLetters) },
    });
    await gateway.allow(deadLetters, arnOf.rule(bus, name));
    const id = await gateway.putEvent(bus, { a: { b: 1 } });
    const message = await gateway.receive(deadLetters);
    expect(JSON.parse(message.Body ?? "")).toMatchObject({ id });
    expect(message.MessageAttributes?.ERROR_CODE?.StringValue).toBe("INVALID_JSON");
    expect(await gateway.messagesIn(queue)).toEqual([]);
  });

  describe("can be a log group", () => {
    const streams = {
      Effect: "Allow",
      Principal: { Service: "events.amazonaws.com" },
      Action: "logs:CreateLogStream",
    };
    /** @returns what the group holds, and the codes of what failed. */
    async function logUnder(
      policyOf: (groupArn: string, ruleArn: string) => object[],
      target: Partial<Target> = {},
      textOf = (message: string, id: string): unknown => (JSON.parse(message) as { id: string }).id === id,
    ) {
      const bus = await gateway.createBus();
      const group = `/aws/events/${bus}`;
      const groupArn = `arn:aws:logs:${region}:${accountId}:log-group:${group}`;
      await gateway.createLogGroup(group);
      const rule = await gateway.createRule(bus, [
        {
          Id: "log",
          Arn: `${groupArn}:*`,
          RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
          ...target,
        },
      ]);
      const Statement = policyOf(groupArn, `arn:aws:events:${region}:${accountId}:rule/${bus}/${rule}`);
      const policyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
      await gateway.logs.send(new PutResourcePolicyCommand({ policyName: bus, policyDocument }));
      const id = await gateway.putEvent(bus, {});
      const deliveries = await gateway.deliveries(id);
      await gateway.logs.send(new DeleteResourcePolicyCommand({ policyName: bus }));
      const { events = [] } = await gateway.logs.send(new FilterLogEventsCommand({ logGroupName: group }));
      return {
        logged: events.map(({ message = "" }) => textOf(message, id)),
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

    const anything = (groupArn: string) => [{ ...streams, Action: "logs:*", Resource: `${groupArn}:*` }];

    it("whose transformer says the event's time and text", async () => {
      const InputPathsMap = { time: "$.time", id: "$.id", type: "$.detail-type" };
      const template = '{"timestamp": <time>, "message": "id <id> type \\"<type>\\""}';
      const target = { InputTransformer: { InputPathsMap, InputTemplate: template } };
      const { logged } = await logUnder(anything, target, (text, id) => text.replace(id, "ID"));
      expect(logged).toEqual(['id ID type "Test"']);
    });

    it("but not with a message that is no text", async () => {
      const InputTemplate = '{"timestamp": <aws.events.event.ingestion-time>, "message": <aws.events.event>}';
      const result = await logUnder(anything, { InputTransformer: { InputTemplate } });
      expect(result).toEqual({ logged: [], errors: ["INVALID_JSON"] });
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
    const bus = await gateway.createBus();
    const arn = `arn:aws:states:${region}:${accountId}:stateMachine:x`;
    await gateway.createRule(bus, [{ Id: "machine", Arn: arn }]);
    await gateway.deliveries(await gateway.putEvent(bus, {}));
    expect(JSON.stringify(await gateway.get("notes"))).toContain(arn);
  });
});

describe("an event that a target cannot take", () => {
  const RetryPolicy = { MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 3600 };

  it("goes to the target's dead-letter queue at once, where the rule lacks the permission", async () => {
    const bus = await gateway.createBus();
    const fn = await gateway.createFunction("export const handler = () => 1;");
    const deadLetters = await gateway.createQueue();
    const rule = await gateway.createRule(bus, [
      { Id: "fn", Arn: arnOf.fn(fn), RetryPolicy, DeadLetterConfig: { Arn: arnOf.queue(deadLetters) } },
    ]);
    await gateway.allow(deadLetters, arnOf.rule(bus, rule));
    const id = await gateway.putEvent(bus, { a: 1 });

    const message = await gateway.receive(deadLetters);
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
    const [delivery] = await gateway.deliveries(id);
    expect(delivery).toMatchObject({
      status: "failed",
      deadLetter: { destinationArn: arnOf.queue(deadLetters) },
      attempts: [{ status: "error", errorType: "NO_PERMISSIONS" }],
    });
  });

  it("goes there too, where the function does not exist", async () => {
    const bus = await gateway.createBus();
    const deadLetters = await gateway.createQueue();
    const DeadLetterConfig = { Arn: arnOf.queue(deadLetters) };
    const rule = await gateway.createRule(bus, [{ Id: "fn", Arn: arnOf.fn("nobody"), RetryPolicy, DeadLetterConfig }]);
    await gateway.allow(deadLetters, arnOf.rule(bus, rule));
    await gateway.putEvent(bus, {});
    const message = await gateway.receive(deadLetters);
    expect(message.MessageAttributes?.ERROR_CODE?.StringValue).toBe("NO_RESOURCE");
  });

  it("is dropped and counted, where the dead-letter queue's policy does not name the rule", async () => {
    const bus = await gateway.createBus();
    const deadLetters = await gateway.createQueue();
    const DeadLetterConfig = { Arn: arnOf.queue(deadLetters) };
    const rule = await gateway.createRule(bus, [{ Id: "fn", Arn: arnOf.fn("nobody"), RetryPolicy, DeadLetterConfig }]);
    await gateway.allow(deadLetters, arnOf.rule(bus, "another"));
    const [delivery] = await gateway.deliveries(await gateway.putEvent(bus, {}));
    const counted = await until("the count", async () => {
      const metrics = (await gateway.get("metrics")) as { InvocationsFailedToBeSentToDlq: Record<string, number> };
      return metrics.InvocationsFailedToBeSentToDlq[rule];
    });
    expect(counted).toBe(1);
    expect(delivery?.deadLetter).toBeUndefined();
    expect(await gateway.messagesIn(deadLetters)).toEqual([]);
  });

  it("is not sent to a queue whose policy does not name the rule", async () => {
    const bus = await gateway.createBus();
    const queue = await gateway.createQueue();
    await gateway.createRule(bus, [{ Id: "queue", Arn: arnOf.queue(queue), RetryPolicy }]);
    const [delivery] = await gateway.deliveries(await gateway.putEvent(bus, {}));
    expect(delivery).toMatchObject({ status: "failed", attempts: [{ errorType: "NO_PERMISSIONS" }] });
    expect(await gateway.messagesIn(queue)).toEqual([]);
  });

  it("is tried again as often as the retry policy says, where trying again can help", async () => {
    const bus = await gateway.createBus();
    const deadLetters = await gateway.createQueue();
    const topic = `arn:aws:sqs:${region}:${accountId}:too-large`;
    await gateway.createQueue(
      {
        MaximumMessageSize: "1024",
        Policy: queuePolicy("too-large", arnOf.rule(bus, "*")).replace("ArnEquals", "ArnLike"),
      },
      "too-large",
    );
    const rule = await gateway.createRule(bus, [
      { Id: "queue", Arn: topic, RetryPolicy, DeadLetterConfig: { Arn: arnOf.queue(deadLetters) } },
    ]);
    await gateway.allow(deadLetters, arnOf.rule(bus, rule));
    const id = await gateway.putEvent(bus, { a: "x".repeat(2000) });
    const message = await gateway.receive(deadLetters);
    expect(message.MessageAttributes).toMatchObject({
      ERROR_CODE: { StringValue: "ERROR_FROM_TARGET" },
      EXHAUSTED_RETRY_CONDITION: { StringValue: "MaximumRetryAttempts" },
      RETRY_ATTEMPTS: { StringValue: "1" },
    });
    const [delivery] = await gateway.deliveries(id);
    expect(delivery?.attempts).toMatchObject([{ number: 1, nextRetryInMs: 20 }, { number: 2 }]);
  });
});

describe("an event that no rule matches", () => {
  const target = [{ Id: "queue", Arn: arnOf.queue("nobody") }];
  const nearestTo = async (bus: string, detailType: string, detail: unknown = {}) => {
    const id = await gateway.putEvent(bus, detail, "shop", detailType);
    await gateway.settle();
    return (await gateway.event(id)).nearest;
  };

  it("is told the rule that comes nearest: most fields match, and then fewest characters are wrong", async () => {
    const bus = await gateway.createBus();
    expect(await nearestTo(bus, "Order Placed")).toBeUndefined();
    const pattern = { source: ["shop"], "detail-type": ["Order Placed"] };
    await gateway.createRule(bus, target, { pattern: { ...pattern, source: ["another"] } });
    await gateway.createRule(bus, target, { pattern: { ...pattern, "detail-type": ["Invoice Paid"] } });
    const rule = await gateway.createRule(bus, target, { pattern });
    await gateway.createRule(bus, target, { pattern: { ...pattern, detail: { total: [1] } } });
    await gateway.createRule(bus, target, { pattern: { ...pattern, "detail-type": [{ exists: false }] } });
    expect(await nearestTo(bus, "Order Place")).toEqual({
      rule,
      matching: 1,
      fields: 2,
      difference: { path: "detail-type", expected: ["Order Placed"], actual: ["Order Place"] },
    });
  });

  it("is told a rule that would have matched, and is disabled", async () => {
    const bus = await gateway.createBus();
    const rule = await gateway.createRule(bus, target, { pattern: { source: ["shop"] }, state: "DISABLED" });
    await gateway.createRule(bus, target, { pattern: { source: ["another"] } });
    expect(await nearestTo(bus, "Order Placed")).toEqual({ rule, matching: 1, fields: 1, isDisabled: true });
  });
});
