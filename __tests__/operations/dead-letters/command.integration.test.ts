import { CreateTableCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import {
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { createDynamoDbClaims } from "../../../handler/adapters/dynamodb-claims";
import { claimId } from "../../../handler/claims";
import { hashRecipient } from "../../../handler/contract/recipient-hash";
import { emailRequest } from "../../../handler/notifications/email-request";
import {
  type DeadLettersAnswer,
  type DeadLettersOptions,
  exitCodeOf,
  runDeadLetters,
} from "../../../operations/dead-letters/command";
import { describeAnswer, toJson } from "../../../operations/dead-letters/report";
import { printableJson } from "../../../operations/text";
import { Names } from "../../../stacks/names";
import { accountId, clientSettings, region, TestGateway } from "aws-emulator/testing/gateway";
import { freePort } from "aws-emulator/processes";
import { failureRecord } from "../../support/send-notification";
import { OperationsProcess, runOperation, sandboxOn } from "../../support/operations-command";
import { jane, parkedStage, request, targetAttributes } from "../../support/parked";
import { startPassage } from "../../support/passage";

const { config } = parkedStage;
let gateway: TestGateway;
let dynamoDb: DynamoDBClient;
beforeAll(async () => {
  gateway = await TestGateway.start();
  dynamoDb = new DynamoDBClient(clientSettings(gateway.gateway.url));
  await createTable(parkedStage.names);
  await createQueues(parkedStage.names);
});
afterAll(async () => {
  dynamoDb.destroy();
  await gateway.stop();
});

async function createTable(names: Names): Promise<void> {
  await dynamoDb.send(
    new CreateTableCommand({
      TableName: names.of("claims"),
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      BillingMode: "PAY_PER_REQUEST",
    }),
  );
}

async function createQueues(names: Names): Promise<void> {
  for (const role of ["dead-letters", "retries", "priority-retries"]) await gateway.createQueue({}, names.of(role));
}

/** A stage of the test's own, with what is parked in it. */
async function stageWith(...bodies: unknown[]) {
  const names = new Names({ projectName: gateway.name("shop"), stage: "test", region });
  await createQueues(names);
  const url = (suffix: string) => `${gateway.gateway.url}/${accountId}/${names.of(suffix)}`;
  const put = (body: unknown, attributes: Readonly<Record<string, string>> = {}) =>
    gateway.sqs.send(
      new SendMessageCommand({
        QueueUrl: url("dead-letters"),
        MessageBody: typeof body === "string" ? body : JSON.stringify(body),
        MessageAttributes: Object.fromEntries(
          Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: "String", StringValue }]),
        ),
      }),
    );
  for (const body of bodies) await put(body);

  /** @param watch hears of each call to SQS, before and after it. */
  async function run(
    options: Partial<DeadLettersOptions> = {},
    { signal = new AbortController().signal, watch, now = Date.now }: Around = {},
  ): Promise<DeadLettersAnswer> {
    const sqs = new SQSClient(clientSettings(gateway.gateway.url));
    sqs.middlewareStack.add(
      (next, context) => async (args) => {
        const { commandName } = context as { commandName: string };
        // The long poll is for SQS's many servers; the emulator is one.
        if (commandName === "ReceiveMessageCommand") Object.assign(args.input, { WaitTimeSeconds: 0 });
        watch?.before?.(commandName);
        const output = await next(args);
        watch?.after?.(commandName);
        return output;
      },
      { step: "initialize", name: "watch" },
    );
    try {
      return await runDeadLetters(
        {
          retries: false,
          giveUp: false,
          redrive: false,
          resendUnknown: false,
          discard: false,
          filter: [],
          dryRun: false,
          limit: 1000,
          holdSeconds: 120,
          ...options,
        },
        { stage: { config, names }, sqs, dynamoDb, now, signal },
      );
    } finally {
      sqs.destroy();
    }
  }

  /** Waiting and hidden messages. */
  async function counts(role = "dead-letters"): Promise<[number, number]> {
    const { Attributes: found = {} } = await gateway.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: url(role), AttributeNames: ["All"] }),
    );
    return [Number(found.ApproximateNumberOfMessages), Number(found.ApproximateNumberOfMessagesNotVisible)];
  }

  async function sent(role = "retries"): Promise<unknown[]> {
    const { Messages: messages = [] } = await gateway.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: url(role), MaxNumberOfMessages: 10 }),
    );
    return messages.map(({ Body = "" }) => JSON.parse(Body) as unknown);
  }
  return { names, url, put, run, counts, sent };
}

interface Around {
  readonly signal?: AbortSignal;
  readonly watch?: Watch;
  readonly now?: () => number;
}

interface Watch {
  readonly before?: (command: string) => void;
  readonly after?: (command: string) => void;
}

const event = (id: string, overrides: object = {}) => request({ idempotencyKey: `key of ${id}` }, { id, ...overrides });
const parked = (id: string, errorType = "MessageRejected", overrides: object = {}) =>
  failureRecord(event(id), { responsePayload: { errorType, errorMessage: "x" }, ...overrides });
const dispositions = ({ results = [] }: DeadLettersAnswer) => results.map(({ disposition }) => disposition);
const ids = ({ messages }: DeadLettersAnswer) => messages.map(({ eventId }) => eventId).sort();

describe("the list", () => {
  it("shows what stands in a queue in every format, and leaves it there for all to see", async () => {
    const { put, run, counts, names } = await stageWith(
      parked("record"),
      failureRecord(request({ priority: "high" }, { id: "retried", "detail-type": "Priority Alert" })),
      "\u001b[31mno record",
    );
    await put(event("undelivered"), targetAttributes("email-rule"));
    const answer = await run();
    expect(answer).toMatchObject({ queue: names.of("dead-letters"), seen: 4, isComplete: true, results: undefined });
    expect(
      answer.messages.map(({ format, reason, eventId }) => `${format} ${reason.type} ${eventId ?? "-"}`).sort(),
    ).toEqual([
      "event-target NO_PERMISSIONS undelivered",
      "failure-record MessageRejected record",
      "retries-exhausted Throttled retried",
      "unknown UnknownFormat -",
    ]);
    expect(await counts()).toEqual([4, 0]);
    const report = { ...parkedStage, showRecipients: false, dryRun: false, resendUnknown: false, now: Date.now() };
    const options = { ...report, prefix: names.prefix, region };
    for (const text of [describeAnswer(answer, options), printableJson(toJson(answer, options))]) {
      expect(text).not.toMatch(/@|(?!\n)\p{Cc}/u);
      expect(text).toContain("undelivered");
    }
    expect(describeAnswer(answer, { ...options, showRecipients: true })).toContain(`To: ${jane}`);
  });

  it("reads more than one receive gives, up to its limit", async () => {
    const { run, counts } = await stageWith(...Array.from({ length: 13 }, (_, index) => parked(`e-${index}`)));
    expect(await run()).toMatchObject({ seen: 13, isComplete: true });
    expect(await run({ limit: 11 })).toMatchObject({ seen: 11, isComplete: false });
    expect(await counts()).toEqual([13, 0]);
  });

  it("says how many others hold", async () => {
    const { run, url } = await stageWith(parked("a"));
    await gateway.sqs.send(new ReceiveMessageCommand({ QueueUrl: url("dead-letters"), VisibilityTimeout: 60 }));
    const answer = await run();
    expect(answer).toMatchObject({ seen: 0, total: 1, heldByOthers: 1, isComplete: false });
    expect(exitCodeOf(answer)).toBe(1);
  });

  it("counts what is delayed, too", async () => {
    const { run, url } = await stageWith(parked("a"));
    await gateway.sqs.send(
      new SendMessageCommand({ QueueUrl: url("dead-letters"), MessageBody: "{}", DelaySeconds: 600 }),
    );
    const answer = await run();
    expect(answer).toMatchObject({ seen: 1, total: 2, delayed: 1, isComplete: false });
    expect(exitCodeOf(answer)).toBe(1);
  });

  it("renews its holds while it reads", async () => {
    const { run, counts } = await stageWith(...Array.from({ length: 40 }, (_, index) => parked(`e-${index}`)));
    const calls: string[] = [];
    // More than half of the hold is over after the second receive.
    const now = () =>
      Date.now() + (calls.filter((command) => command === "ReceiveMessageCommand").length > 1 ? 16_000 : 0);
    const answer = await run({ holdSeconds: 30 }, { now, watch: { after: (command) => void calls.push(command) } });
    expect(answer).toMatchObject({ seen: 40, isComplete: true });
    // Two to renew the first twenty, and four to give all of them back.
    expect(calls.filter((command) => command === "ChangeMessageVisibilityBatchCommand")).toHaveLength(6);
    expect(await counts()).toEqual([40, 0]);
  });

  it("counts the retry queues, and does not read them", async () => {
    const { run, url } = await stageWith();
    await gateway.sqs.send(new SendMessageCommand({ QueueUrl: url("priority-retries"), MessageBody: "{}" }));
    const { retryQueues } = await run({ retries: true });
    expect(retryQueues).toMatchObject([
      { lane: "standard", visible: 0, inFlight: 0, secondsBetweenTries: 900, triesBeforeParked: 28 },
      { lane: "priority", visible: 1, inFlight: 0, secondsBetweenTries: 98, triesBeforeParked: 258 },
    ]);
    const { Attributes } = await gateway.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: url("priority-retries"), AttributeNames: ["All"] }),
    );
    expect(Attributes?.ApproximateNumberOfMessagesNotVisible).toBe("0");
  });

  it("says which queue it misses", async () => {
    const { run, url, names } = await stageWith();
    await gateway.sqs.send(new DeleteQueueCommand({ QueueUrl: url("dead-letters") }));
    await expect(run()).rejects.toThrow(`There is no queue ${names.of("dead-letters")} in us-east-1: is the stage`);
  });
});

describe("a redrive", () => {
  it("sends the chosen events with their key, once more counted, before it deletes them", async () => {
    const record = parked("a", "MessageRejected", { redrives: 1 });
    const { run, counts, sent } = await stageWith(record, parked("b", "InvalidEvent"));
    const calls: string[] = [];
    const answer = await run(
      { redrive: true, filter: ["reason=MessageRejected"] },
      { watch: { after: (command) => void calls.push(command) } },
    );
    expect(dispositions(answer)).toEqual(["redriven"]);
    expect(exitCodeOf(answer)).toBe(0);
    expect(await sent()).toEqual([{ ...record, redrives: 2 }]);
    expect(calls.filter((command) => /SendMessage|DeleteMessage/.test(command))).toEqual([
      "SendMessageCommand",
      "DeleteMessageCommand",
    ]);
    expect(await counts()).toEqual([1, 0]);
    expect(ids(await run())).toEqual(["b"]);
  });

  it("changes nothing in a dry run", async () => {
    const { run, counts } = await stageWith(parked("a"), parked("b"));
    expect(dispositions(await run({ redrive: true, dryRun: true }))).toEqual(["would-redrive", "would-redrive"]);
    expect(await counts()).toEqual([2, 0]);
    expect(await counts("retries")).toEqual([0, 0]);
  });

  it("keeps what could not be sent, and goes on with the others", async () => {
    const alert = request({ priority: "high" }, { id: "alert", "detail-type": "Priority Alert" });
    const { run, counts, url } = await stageWith(parked("a"), { ...parked("b"), requestPayload: alert });
    await gateway.sqs.send(new DeleteQueueCommand({ QueueUrl: url("retries") }));
    const answer = await run({ redrive: true });
    expect(dispositions(answer).sort()).toEqual(["failed", "redriven"]);
    expect(exitCodeOf(answer)).toBe(1);
    expect(ids(await run())).toEqual(["a"]);
    expect(await counts("priority-retries")).toEqual([1, 0]);
  });

  it("that can't delete what it sent leaves it in both queues, and says so", async () => {
    const { run, counts } = await stageWith(parked("a"));
    const before = (command: string) => {
      if (command === "DeleteMessageCommand") throw new Error("the queue is down");
    };
    const answer = await run({ redrive: true }, { watch: { before } });
    expect(dispositions(answer)).toEqual(["not-removed"]);
    expect([await counts(), await counts("retries")]).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });

  it("that is interrupted half-way leaves the rest parked, for all to see", async () => {
    const { run, counts } = await stageWith(...["a", "b", "c", "d"].map((id) => parked(id)));
    const stopping = new AbortController();
    let sends = 0;
    const before = (command: string) => {
      if (command === "SendMessageCommand" && ++sends === 2) stopping.abort();
    };
    const answer = await run({ redrive: true }, { signal: stopping.signal, watch: { before } });
    expect(dispositions(answer)).toEqual(["redriven", "redriven"]);
    expect([await counts(), await counts("retries")]).toEqual([
      [2, 0],
      [2, 0],
    ]);
    const again = await run({ redrive: true });
    expect(dispositions(again)).toEqual(["redriven", "redriven"]);
    expect([await counts(), await counts("retries")]).toEqual([
      [0, 0],
      [4, 0],
    ]);
  });

  it("stops at the cap", async () => {
    const { run, counts } = await stageWith(parked("a", "MessageRejected", { redrives: 3 }));
    const answer = await run({ redrive: true });
    expect(dispositions(answer)).toEqual(["refused"]);
    expect(exitCodeOf(answer)).toBe(1);
    expect(await counts()).toEqual([1, 0]);
  });
});

describe("a mail that may be out", () => {
  const claimOf = (id: string, recipient = jane) => claimId(emailRequest.trigger, `key of ${id}`, recipient);

  async function stageWithClaim(id: string, end: "unknown" | "sent" | "held" | "dead", recipient = jane) {
    const stage = await stageWith(parked(id, "OutcomeUnknown"));
    await createTable(stage.names);
    const claims = createDynamoDbClaims({
      client: dynamoDb,
      table: stage.names.of("claims"),
      retentionSeconds: 3600,
      clock: { now: Date.now },
    });
    const claim = () =>
      claims.claim({
        id: claimOf(id, recipient),
        notification: "email-request",
        edition: { locale: "en" },
        eventId: id,
        contentHash: "hash",
        heldUntil: Date.now() + (end === "dead" ? -1 : 600_000),
        takeOver: false,
      });
    const answer = await claim();
    if (answer.state !== "claimed") throw new Error(answer.state);
    if (end === "unknown") await claims.markUnknown(answer.claim);
    if (end === "sent") await claims.markSent(answer.claim, "ses-1");
    return { ...stage, claim };
  }
  const resend = (id: string) => ({ resendUnknown: true, filter: [`event=${id}`] });

  it("is not redriven without a word for it", async () => {
    const { run, counts, claim } = await stageWithClaim("a", "unknown");
    const answer = await run({ redrive: true });
    expect(dispositions(answer)).toEqual(["refused"]);
    expect(exitCodeOf(answer)).toBe(1);
    expect(await counts()).toEqual([1, 0]);
    expect(await claim()).toMatchObject({ state: "unknown" });
  });

  it.each(["unknown", "dead"] as const)("is sent again on a person's word where its claim is %s", async (end) => {
    const { run, counts, claim, sent } = await stageWithClaim("a", end);
    expect(dispositions(await run({ ...resend("a"), dryRun: true }))).toEqual(["would-redrive"]);
    expect(await claim()).toMatchObject({ state: "unknown" });
    const answer = await run(resend("a"));
    expect(answer.results).toMatchObject([{ disposition: "redriven", mails: { list: [{ state: "released" }] } }]);
    expect(await sent()).toMatchObject([{ requestPayload: event("a"), redrives: 1 }]);
    expect(await counts()).toEqual([0, 0]);
    expect(await claim()).toMatchObject({ state: "claimed" });
  });

  it("keeps its claim where it is out", async () => {
    const { run, claim } = await stageWithClaim("a", "sent");
    const answer = await run(resend("a"));
    expect(answer.results).toMatchObject([
      { disposition: "refused", mails: { list: [{ state: "sent", messageId: "ses-1", eventId: "a" }] } },
    ]);
    expect(await claim()).toMatchObject({ state: "sent", messageId: "ses-1" });
  });

  it("is refused while a run is at it", async () => {
    const { run, counts, claim } = await stageWithClaim("a", "held");
    expect(dispositions(await run(resend("a")))).toEqual(["refused"]);
    expect(await claim()).toMatchObject({ state: "held" });
    expect([await counts(), await counts("retries")]).toEqual([
      [1, 0],
      [0, 0],
    ]);
  });

  it("that was never claimed is none: nothing is released, and a redrive sends it", async () => {
    const { run, counts } = await stageWithClaim("a", "held", "other@example.com");
    const answer = await run(resend("a"));
    expect(answer.results).toMatchObject([{ disposition: "refused", mails: { list: [{ state: "free" }] } }]);
    expect(await counts("retries")).toEqual([0, 0]);
    expect(dispositions(await run({ redrive: true }))).toEqual(["redriven"]);
  });
});

describe("an event with several mails", () => {
  const people = ["ann@example.com", "bob@example.com", "cat@example.com"] as const;
  const [ann, bob, cat] = people.map(hashRecipient);
  const list = request({ emailConfig: { recipient: [...people], subject: "Your order" } }, { id: "list" });

  /** @param states of the claims, in the order of the recipients; none: never claimed */
  async function stageWithMails(record: object, ...states: (string | undefined)[]) {
    const stage = await stageWith(failureRecord(list, record));
    await createTable(stage.names);
    for (const [index, state] of states.entries()) {
      if (state === undefined) continue;
      await dynamoDb.send(
        new PutItemCommand({
          TableName: stage.names.of("claims"),
          Item: {
            id: { S: claimId(emailRequest.trigger, "list", people[index] ?? "") },
            state: { S: state === "expired" ? "unknown" : state },
            heldUntil: { N: "0" },
            eventId: { S: "list" },
            expiresAt: { N: String(Math.floor(Date.now() / 1000) + (state === "expired" ? -60 : 3600)) },
          },
        }),
      );
    }
    return stage;
  }
  const rejected = {
    requestContext: { condition: "Parked", approximateInvokeCount: 1 },
    responsePayload: { errorType: "MessageRejected", errorMessage: "x" },
    failures: [
      { recipient: ann, type: "MessageRejected", message: "x" },
      { recipient: bob, type: "OutcomeUnknown", message: "y" },
    ],
  };
  const states = ({ listed = [], results = [] }: DeadLettersAnswer) =>
    [...listed, ...results].map(({ mails }) => mails?.list.map(({ state }) => state));

  it("is listed by mail, whatever it was parked for", async () => {
    const { run } = await stageWithMails(rejected, "failed", "claimed", "sent");
    const answer = await run();
    expect(states(answer)).toEqual([["free", "unknown", "sent"]]);
    expect(exitCodeOf(answer)).toBe(0);
  });

  it("is not deleted with a mail that may not be out, until a person names that one", async () => {
    const { run, counts } = await stageWithMails(rejected, "failed", "unknown", "sent");
    const discard = (...filter: string[]) => run({ discard: true, filter: ["event=list", ...filter] });
    expect(dispositions(await discard())).toEqual(["refused"]);
    const giveUp = (recipient?: string) =>
      run({
        discard: true,
        giveUp: true,
        filter: ["event=list", ...(recipient === undefined ? [] : [`recipient=${recipient}`])],
      });
    expect(dispositions(await giveUp(ann))).toEqual(["refused"]);
    expect(await counts()).toEqual([1, 0]);
    expect(dispositions(await giveUp("bob@example.com"))).toEqual(["discarded"]);
    expect(await counts()).toEqual([0, 0]);
  });

  it("is resent to the recipient that a person names", async () => {
    const { run, sent } = await stageWithMails(rejected, "failed", "unknown", "unknown");
    const answer = await run({ resendUnknown: true, filter: [`recipient=${cat ?? ""}`] });
    expect(dispositions(answer)).toEqual(["redriven"]);
    expect(states(answer)).toEqual([["free", "unknown", "released"]]);
    expect(await sent()).toMatchObject([{ requestPayload: list, redrives: 1, failures: rejected.failures }]);
  });

  it("takes an expired claim for none, as the function does", async () => {
    const { run } = await stageWithMails({}, "sent", "expired", "sent");
    expect(states(await run())).toEqual([["sent", "free", "sent"]]);
    expect(dispositions(await run({ resendUnknown: true, filter: ["event=list"] }))).toEqual(["refused"]);
    expect(dispositions(await run({ redrive: true }))).toEqual(["redriven"]);
  });

  it("with nothing left to send is removed by a redrive, which sends nothing", async () => {
    const { run, counts } = await stageWithMails({}, "sent", "sent", "sent");
    const answer = await run({ redrive: true });
    expect(dispositions(answer)).toEqual(["finished"]);
    expect(exitCodeOf(answer)).toBe(0);
    expect(await counts("retries")).toEqual([0, 0]);
    expect(await counts()).toEqual([0, 0]);
  });

  it("with nothing left to send is deleted without further words", async () => {
    const { run } = await stageWithMails({}, "sent", "sent", "sent");
    expect(dispositions(await run({ discard: true, filter: ["event=list"] }))).toEqual(["discarded"]);
  });

  it("is listed where its claims can't be read, which is said", async () => {
    const { run } = await stageWith(failureRecord(list, rejected), parked("a"), parked("b"), parked("c"), parked("d"));
    const { listed = [] } = await run();
    expect(listed).toHaveLength(5);
    for (const { mails } of listed) expect(mails?.unread).toContain("ResourceNotFoundException");
  });
});

describe("a discard", () => {
  it("deletes what the filter names, and only says so in a dry run", async () => {
    const { run, counts, names } = await stageWith(parked("a", "MessageRejected"), parked("b"));
    await createTable(names);
    const options = { discard: true, filter: ["event=a"] };
    expect(dispositions(await run({ ...options, dryRun: true }))).toEqual(["would-discard"]);
    expect(await counts()).toEqual([2, 0]);
    const answer = await run(options);
    expect(dispositions(answer)).toEqual(["discarded"]);
    expect(exitCodeOf(answer)).toBe(0);
    expect(ids(await run())).toEqual(["b"]);
    expect(await counts("retries")).toEqual([0, 0]);
  });

  it("tells of each that it could not delete", async () => {
    const { run, counts } = await stageWith(parked("a"), parked("b"));
    let deletes = 0;
    const before = (command: string) => {
      if (command === "DeleteMessageCommand" && ++deletes === 2) throw new Error("the queue is down");
    };
    const answer = await run(
      { discard: true, giveUp: true, filter: ["reason=MessageRejected"] },
      { watch: { before } },
    );
    expect(dispositions(answer)).toEqual(["discarded", "failed"]);
    expect(exitCodeOf(answer)).toBe(1);
    expect(await counts()).toEqual([1, 0]);
  });
});

it.each<[string, Partial<DeadLettersOptions>, string]>([
  ["discard and redrive at once", { discard: true, redrive: true, filter: ["event=a"] }, "exclude each other"],
  ["a dry run of nothing", { dryRun: true }, "--dry-run belongs to --redrive or --discard"],
  ["a discard of everything", { discard: true }, "--discard needs a --filter"],
  ["a mail given up without a discard", { giveUp: true }, "--give-up belongs to --discard"],
  ["a recipient that is none", { filter: ["recipient=jane"] }, "neither an address nor a recipient's hash"],
  ["a resend of everything", { resendUnknown: true }, "--resend-unknown needs a --filter"],
  ["a filter that it does not know", { filter: ["a=b"] }, "--filter a=b is not understood"],
])("does not begin with %s", async (_, options, problem) => {
  const { run, counts } = await stageWith(parked("a"));
  const calls: string[] = [];
  await expect(run(options, { watch: { before: (command) => void calls.push(command) } })).rejects.toThrow(problem);
  expect(calls).toEqual([]);
  expect(await counts()).toEqual([1, 0]);
});

describe("the command", () => {
  const command = (port: number, words: readonly string[]) =>
    runOperation(["dead-letters", "--sandbox", ...words], sandboxOn(port));
  const queueUrl = () => `${gateway.gateway.url}/${accountId}/${parkedStage.names.of("dead-letters")}`;

  it("ends with a code, and prints no address", async () => {
    const put = (body: unknown) =>
      gateway.sqs.send(new SendMessageCommand({ QueueUrl: queueUrl(), MessageBody: JSON.stringify(body) }));
    const port = Number(new URL(gateway.gateway.url).port);
    await put(parked("capped", "SenderNotVerified", { redrives: 3 }));
    await put(parked("good"));
    const list = await command(port, []);
    const place = `Sandbox at ${gateway.gateway.url} (the port of SANDBOX_PORT), region us-east-1, stage sandbox\n`;
    expect(list).toMatchObject({ code: 0, errors: place });
    expect(list.output).toContain("2 messages parked in email-automation-sandbox-dead-letters");
    const json = await command(port, ["--json", "--filter", "event=good"]);
    expect(json.errors).toBe(place);
    expect(JSON.parse(json.output)).toMatchObject({ messages: [{ eventId: "good" }] });
    expect(list.output + json.output).not.toContain("@");
    expect((await command(port, ["--show-recipients"])).output).toContain(jane);
    const redriven = await command(port, ["--redrive"]);
    expect(redriven.code).toBe(1);
    expect(redriven.output).toMatch(/1 re(driven|fused), 1 re(driven|fused)\./);
    expect(await command(port, ["--discard"])).toMatchObject({
      code: 2,
      output: "",
      errors: expect.stringContaining("--discard needs a --filter") as string,
    });
    expect(await command(port, ["--limit", "0"])).toMatchObject({
      code: 2,
      errors: expect.stringContaining("a whole number from 1 to 100000") as string,
    });
    const kept = await command(port, ["--discard", "--filter", "event=capped"]);
    expect(kept).toMatchObject({ code: 1, output: expect.stringContaining("--give-up") as string });
    expect((await command(port, ["--discard", "--give-up", "--filter", "event=capped"])).code).toBe(0);
  });

  it("says that nothing listens, and what to do", async () => {
    expect(await command(await freePort(), [])).toMatchObject({
      code: 1,
      output: "",
      errors: expect.stringMatching(/^Sandbox at .*\nNothing answers\. Start the sandbox: npm start\..*\n$/) as string,
    });
  });

  it("stops at an interrupt, and says what was not begun", async () => {
    for (const id of ["a", "b", "c"]) {
      await gateway.sqs.send(
        new SendMessageCommand({ QueueUrl: queueUrl(), MessageBody: JSON.stringify(parked(`stop-${id}`)) }),
      );
    }
    let isInterrupted = false;
    const passage = await startPassage(gateway.gateway.url, async ({ target }) => {
      if (isInterrupted || target !== "AmazonSQS.SendMessage") return undefined;
      isInterrupted = true;
      running.kill("SIGINT");
      // The signal arrives before the answer does.
      await new Promise((resolve) => setTimeout(resolve, 3000));
      return undefined;
    });
    const running = new OperationsProcess(
      ["dead-letters", "--sandbox", "--redrive", "--filter", "reason=MessageRejected"],
      sandboxOn(passage.port),
    );
    const { code, output } = await running.ended;
    await passage.close();
    expect(code).toBe(130);
    expect(output).toContain("Interrupted: 2 messages not begun; what was not done stays parked.");
    const { output: left } = await command(Number(new URL(gateway.gateway.url).port), []);
    expect(left).toContain("2 messages parked");
  });
});
