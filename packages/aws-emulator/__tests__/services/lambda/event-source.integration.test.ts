import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  UpdateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
} from "@aws-sdk/client-lambda";
import { VerifyEmailIdentityCommand } from "@aws-sdk/client-ses";
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { arnOf, gatewayForTests } from "../../support/gateway";
import { until } from "../../support/until";

const gateway = gatewayForTests();

/** A function that logs what it gets, one JSON line an invocation, and fails the messages whose body says so. */
const code = `
  export const handler = async ({ Records }) => {
    process.stdout.write(JSON.stringify({ got: Records }) + "\\n");
    if (Records.some(({ body }) => body === "throw")) throw new Error("as told");
    const startedAt = Date.now();
    await new Promise((resolve) => setTimeout(resolve, Records.some(({ body }) => body === "slow") ? 500 : 0));
    process.stdout.write(JSON.stringify({ ran: [startedAt, Date.now()] }) + "\\n");
    return { batchItemFailures: Records.filter(({ body }) => body === "fail").map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };`;

interface Got {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: Record<string, string>;
}

async function connect(
  options: Partial<CreateEventSourceMappingCommandInput> = {},
  queueAttributes: Record<string, string> = {},
  at = gateway,
) {
  const fn = await at.createFunction(code);
  await at.createLogGroup(`/aws/lambda/${fn}`);
  const queue = await at.createQueue({ VisibilityTimeout: "3600", ...queueAttributes });
  const { UUID: id = "", State } = await at.lambda.send(
    new CreateEventSourceMappingCommand({
      EventSourceArn: arnOf.queue(queue),
      FunctionName: fn,
      BatchSize: 10,
      ...options,
    }),
  );
  const entries = async () =>
    (await at.logLines(`/aws/lambda/${fn}`))
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as { got?: Got[]; ran?: [number, number] });
  const batches = async () => (await entries()).flatMap(({ got }) => (got === undefined ? [] : [got]));
  const runs = async () => (await entries()).flatMap(({ ran }) => (ran === undefined ? [] : [ran]));
  return { fn, queue, id, State, batches, runs };
}

const sendTo = (queue: string, body: string, at = gateway) =>
  at.sqs.send(
    new SendMessageCommand({
      QueueUrl: at.queueUrl(queue),
      MessageBody: body,
      MessageAttributes: { kind: { DataType: "String", StringValue: "x" } },
    }),
  );

/** Neither waiting nor in flight. */
async function isEmpty(queue: string, at = gateway): Promise<true | undefined> {
  const { Attributes: counts = {} } = await at.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: at.queueUrl(queue), AttributeNames: ["All"] }),
  );
  const isLeft = Number(counts.ApproximateNumberOfMessages) + Number(counts.ApproximateNumberOfMessagesNotVisible) > 0;
  return isLeft ? undefined : true;
}

describe("a queue that is mapped to a function", () => {
  /** Of a queue whose failed messages a test waits for: long enough for a run on a busy machine. */
  const returning = { VisibilityTimeout: "5" };

  it("is polled: the function gets AWS's records, and what it took is deleted", async () => {
    const { queue, batches, State } = await connect();
    expect(State).toBe("Enabled");
    const { MessageId } = await sendTo(queue, "hello");
    const [[record] = []] = await until("the batch", async () =>
      (await batches()).length > 0 ? batches() : undefined,
    );
    expect(record).toEqual({
      messageId: MessageId,
      receiptHandle: expect.any(String) as string,
      body: "hello",
      attributes: expect.objectContaining({
        ApproximateReceiveCount: "1",
        SentTimestamp: expect.stringMatching(/^\d{13}$/) as string,
      }) as unknown,
      messageAttributes: {
        kind: { stringValue: "x", stringListValues: [], binaryListValues: [], dataType: "String" },
      },
      md5OfBody: "5d41402abc4b2a76b9719d911017c592",
      eventSource: "aws:sqs",
      eventSourceARN: arnOf.queue(queue),
      awsRegion: "us-east-1",
    });
    await until("the queue is empty", () => isEmpty(queue));
  });

  it("keeps what the function reports as failed, and only that", async () => {
    const { queue, batches } = await connect({ FunctionResponseTypes: ["ReportBatchItemFailures"] }, returning);
    await gateway.sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: gateway.queueUrl(queue),
        Entries: ["good", "fail", "fine"].map((body) => ({ Id: body, MessageBody: body })),
      }),
    );
    const bodies = await until("a second attempt of the failed message", async () => {
      const all = (await batches()).flat();
      return all.filter(({ body }) => body === "fail").length > 1 ? all.map(({ body }) => body) : undefined;
    });
    expect(bodies.filter((body) => body !== "fail").sort()).toEqual(["fine", "good"]);
  });

  it("hands a message that fails too often to its dead-letter queue", async () => {
    const deadLetters = await gateway.createQueue();
    const { queue } = await connect(
      {},
      {
        ...returning,
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf.queue(deadLetters), maxReceiveCount: 2 }),
      },
    );
    await sendTo(queue, "throw");
    const message = await gateway.receive(deadLetters);
    expect(message.Body).toBe("throw");
    await until("the queue is empty", () => isEmpty(queue));
  });

  it("is not polled by more batches at a time than its maximum concurrency", async () => {
    const { queue, batches, runs } = await connect({ BatchSize: 1, ScalingConfig: { MaximumConcurrency: 2 } });
    for (const body of ["slow", "slow", "slow", "slow"]) await sendTo(queue, body);
    await until("all four", async () => ((await batches()).length === 4 ? true : undefined));
    await until("the queue is empty", () => isEmpty(queue));
    expect((await batches()).map(({ length }) => length)).toEqual([1, 1, 1, 1]);
    const times = await runs();
    const atOnce = times.map(([start]) => times.filter(([from, to]) => from <= start && start < to).length);
    expect(Math.max(...atOnce)).toBeLessThanOrEqual(2);
  });

  it("is left alone while the mapping is disabled, and after it is deleted", async () => {
    const { id, queue, batches } = await connect({ Enabled: false });
    await sendTo(queue, "one");
    const updated = await gateway.lambda.send(new UpdateEventSourceMappingCommand({ UUID: id, Enabled: true }));
    expect(updated.State).toBe("Enabled");
    await until("the message is taken once it is enabled", async () =>
      (await batches()).length === 1 ? true : undefined,
    );
    await gateway.lambda.send(new DeleteEventSourceMappingCommand({ UUID: id }));
    await sendTo(queue, "two");
    const left = await gateway.receive(queue);
    expect(left.Body).toBe("two");
  });
});

describe("where a retry queue's delay is shortened", () => {
  /** Much longer than a test waits. */
  const visibility = { VisibilityTimeout: "3600" };
  const quick = gatewayForTests({ retryQueueDelayMs: 50 });

  it("a message that fails comes back after the delay, until its queue gives it up", async () => {
    const deadLetters = await quick.createQueue();
    const policy = { deadLetterTargetArn: arnOf.queue(deadLetters), maxReceiveCount: 3 };
    const { queue, batches } = await connect({}, { ...visibility, RedrivePolicy: JSON.stringify(policy) }, quick);
    await sendTo(queue, "throw", quick);
    expect((await quick.receive(deadLetters)).Body).toBe("throw");
    const attempts = (await batches()).map(([message]) => message?.attributes.ApproximateReceiveCount);
    expect(attempts).toEqual(["1", "2", "3"]);
  });

  it("what the function took of a batch does not come back", async () => {
    const options = { FunctionResponseTypes: ["ReportBatchItemFailures" as const] };
    const { queue, batches } = await connect(options, visibility, quick);
    await quick.sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: quick.queueUrl(queue),
        Entries: ["good", "fail"].map((body) => ({ Id: body, MessageBody: body })),
      }),
    );
    const bodies = await until("a third attempt of the failed message", async () => {
      const all = (await batches()).flat().map(({ body }) => body);
      return all.filter((body) => body === "fail").length > 2 ? all : undefined;
    });
    expect(bodies.filter((body) => body === "good")).toEqual(["good"]);
  });

  it("a message of an invocation that is throttled comes back too", async () => {
    const { queue, batches } = await connect({}, visibility, quick);
    await quick.setFaults({ service: "lambda", kind: "throttle", times: 2, match: { text: arnOf.queue(queue) } });
    await sendTo(queue, "hello", quick);
    await until("the queue is empty", () => isEmpty(queue, quick));
    const attempts = (await batches()).map(([message]) => message?.attributes.ApproximateReceiveCount);
    expect(attempts).toEqual(["3"]);
  });

  it("/_sandbox/info says so", async () => {
    expect(await quick.get("info")).toHaveProperty("retryQueueDelayMs", 50);
    expect(await gateway.get("info")).not.toHaveProperty("retryQueueDelayMs");
  });
});

it("a mail that a message causes names the event behind the message", async () => {
  const fn = await gateway.createFunction(`export const handler = async () => {
    const authorization = "AWS4-HMAC-SHA256 Credential=" + process.env.AWS_ACCESS_KEY_ID + "/20240101/us-east-1/ses/aws4_request, SignedHeaders=host, Signature=0";
    const body = new URLSearchParams({ Action: "SendEmail", Version: "2010-12-01", Source: "a@example.com", "Destination.ToAddresses.member.1": "b@example.com", "Message.Subject.Data": "s", "Message.Body.Text.Data": "t" });
    await fetch(process.env.AWS_ENDPOINT_URL, { method: "POST", headers: { authorization }, body });
  };`);
  await gateway.ses.send(new VerifyEmailIdentityCommand({ EmailAddress: "a@example.com" }));
  await gateway.sqs.send(new CreateQueueCommand({ QueueName: "records" }));
  await gateway.lambda.send(
    new CreateEventSourceMappingCommand({ EventSourceArn: arnOf.queue("records"), FunctionName: fn, BatchSize: 1 }),
  );
  await sendTo(
    "records",
    JSON.stringify({ source: "lambda", id: "failure", detail: { requestPayload: { id: "the-event" } } }),
  );
  const [mail] = await until("the mail", async () => {
    const mails = await gateway.mails();
    return mails.length > 0 ? mails : undefined;
  });
  expect(mail?.eventId).toBe("the-event");
});

it("polls the queue that is made anew under the name of one that was deleted", async () => {
  const { queue, batches } = await connect();
  await gateway.sqs.send(new DeleteQueueCommand({ QueueUrl: gateway.queueUrl(queue) }));
  // Longer than a poll waits: the poller has seen that its queue is gone.
  await new Promise((resolve) => setTimeout(resolve, 6000));
  await gateway.createQueue({}, queue);
  await sendTo(queue, "again");
  const [[message] = []] = await until("the message is handed over", async () => {
    const all = await batches();
    return all.length > 0 ? all : undefined;
  });
  expect(message?.body).toBe("again");
});
