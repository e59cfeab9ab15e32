import { CreateEventSourceMappingCommand, PutFunctionEventInvokeConfigCommand } from "@aws-sdk/client-lambda";
import {
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  PurgeQueueCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";
import { arnOf, gatewayForTests } from "../support/gateway";
import { until } from "../support/until";

describe("an event whose record a queue takes", () => {
  const gateway = gatewayForTests({ retryQueueDelayMs: 50 });

  const fate = async (id: string) => ((await gateway.get(`activity/${id}`)) as { fate: string }).fate;
  const becomes = (id: string, wanted: string) =>
    until(`fate ${wanted}`, async () => ((await fate(id)) === wanted ? true : undefined));

  /** As the handler does it: parks what no retry can mend, and says so in its answer. */
  const parking = (deadLetters: string, tellsId: boolean) => `
    const send = (target, body) => fetch(process.env.AWS_ENDPOINT_URL, { method: "POST", body: JSON.stringify(body), headers: {
      authorization: "AWS4-HMAC-SHA256 Credential=" + process.env.AWS_ACCESS_KEY_ID + "/20240101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0",
      "content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS." + target } });
    const park = (requestPayload) => send("SendMessage", { QueueUrl: "${gateway.queueUrl(deadLetters)}", MessageBody: JSON.stringify({
      requestContext: { condition: "Parked" }, requestPayload, responsePayload: { errorType: "InvalidEvent", errorMessage: "bad" } }) });
    export const handler = async (event) => {
      for (const { body } of event.Records ?? []) {
        const record = JSON.parse(body);
        const { requestPayload } = record.detail ?? record;
        if (requestPayload.detail.fails === "always") throw new Error("as told");
        if (!record.mended) await park(requestPayload);
      }
      if (event.Records) return { batchItemFailures: [] };
      if (event.detail.fails) throw new Error("as told");
      await park(${tellsId ? "event" : '"an oversized input"'});
      return { parked: "InvalidEvent" };
    };`;

  async function system(tellsId = true) {
    const deadLetters = await gateway.createQueue();
    const retries = await gateway.createQueue({
      VisibilityTimeout: "3600",
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf.queue(deadLetters), maxReceiveCount: 2 }),
    });
    const fn = await gateway.createFunction(parking(deadLetters, tellsId));
    await gateway.lambda.send(
      new CreateEventSourceMappingCommand({
        EventSourceArn: arnOf.queue(retries),
        FunctionName: fn,
        FunctionResponseTypes: ["ReportBatchItemFailures"],
      }),
    );
    const bus = await gateway.createBus();
    const rule = await gateway.createRule(bus, [{ Id: "fn", Arn: arnOf.fn(fn) }]);
    await gateway.permit(fn, arnOf.rule(bus, rule));
    return { deadLetters, retries, fn, bus };
  }

  it("is parked where its function parked it in the first run, though the delivery succeeded", async () => {
    const { bus, deadLetters } = await system();
    const id = await gateway.putEvent(bus, {});
    await becomes(id, "parked");
    await gateway.settle();
    const event = await gateway.event(id);
    expect(event.deliveries).toMatchObject([
      { status: "delivered", attempts: [{ status: "success", parked: "InvalidEvent" }] },
    ]);
    expect(event.records).toMatchObject([{ queueArn: arnOf.queue(deadLetters), reason: "InvalidEvent: bad" }]);
  });

  it("is known by the run that parked it, where the record can't name it", async () => {
    const { bus, deadLetters } = await system(false);
    const id = await gateway.putEvent(bus, {});
    await becomes(id, "parked");
    expect((await gateway.event(id)).records).toMatchObject([{ queueArn: arnOf.queue(deadLetters) }]);
  });

  it.each(["SendMessage", "SendMessageBatch"])(
    "waits when a person sends it again with %s, and is then done",
    async (by) => {
      const { bus, retries, deadLetters } = await system();
      const id = await gateway.putEvent(bus, {});
      await becomes(id, "parked");
      await gateway.setFaults({ service: "lambda", kind: "throttle", match: { text: arnOf.queue(retries) } });
      const MessageBody = JSON.stringify({ mended: true, requestContext: {}, requestPayload: { id, detail: {} } });
      const QueueUrl = gateway.queueUrl(retries);
      await (by === "SendMessage"
        ? gateway.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }))
        : gateway.sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: "a", MessageBody }] })));
      await becomes(id, "waiting");
      await gateway.setFaults();
      // It mails nothing here: there was nothing left to do.
      await becomes(id, "delivered");
      expect((await gateway.event(id)).records).toMatchObject([
        { queueArn: arnOf.queue(deadLetters) },
        { queueArn: arnOf.queue(retries), leftAt: expect.any(String) as string },
      ]);
    },
  );

  it("waits behind a rule on Lambda's record, and is parked by the retry lane", async () => {
    const { bus, retries, deadLetters, fn } = await system();
    await gateway.lambda.send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName: fn,
        MaximumRetryAttempts: 0,
        DestinationConfig: { OnFailure: { Destination: arnOf.bus(bus) } },
      }),
    );
    const rule = await gateway.createRule(bus, [{ Id: "retries", Arn: arnOf.queue(retries) }], {
      pattern: { source: ["lambda"] },
    });
    await gateway.allow(retries, arnOf.rule(bus, rule));
    const id = await gateway.putEvent(bus, { fails: "once" });
    await becomes(id, "parked");
    await gateway.settle();
    expect((await gateway.event(id)).records).toMatchObject([
      { queueArn: arnOf.queue(retries), reason: "Error: as told", leftAt: expect.any(String) as string },
      { queueArn: arnOf.queue(deadLetters), reason: "InvalidEvent: bad" },
    ]);
    const { failures } = (await gateway.get(`activity/${id}`)) as { failures: unknown[] };
    expect(failures).toMatchObject([{ detailType: "Lambda Function Invocation Result - Failure", bus }]);
  });

  it("is parked where its queue gives it up after the last receive", async () => {
    const { retries, deadLetters, bus } = await system();
    const id = await gateway.putEvent(bus, {});
    await becomes(id, "parked");
    const MessageBody = JSON.stringify({ requestContext: {}, requestPayload: { id, detail: { fails: "always" } } });
    await gateway.sqs.send(new SendMessageCommand({ QueueUrl: gateway.queueUrl(retries), MessageBody }));
    const records = await until("the record of the last receive", async () => {
      const all = (await gateway.event(id)).records;
      return all.length === 3 ? all : undefined;
    });
    expect(records[2]).toMatchObject({
      queueArn: arnOf.queue(deadLetters),
      reason: expect.stringContaining("received 2 times") as string,
    });
    await becomes(id, "parked");
  });

  it.each([
    [
      "deletes it",
      async (queue: string) => {
        const { ReceiptHandle } = await gateway.receive(queue);
        await gateway.sqs.send(new DeleteMessageCommand({ QueueUrl: gateway.queueUrl(queue), ReceiptHandle }));
      },
    ],
    [
      "deletes it in a batch",
      async (queue: string) => {
        const { ReceiptHandle } = await gateway.receive(queue);
        const Entries = [{ Id: "a", ReceiptHandle }];
        await gateway.sqs.send(new DeleteMessageBatchCommand({ QueueUrl: gateway.queueUrl(queue), Entries }));
      },
    ],
    [
      "purges the queue",
      async (queue: string) => {
        await gateway.sqs.send(new PurgeQueueCommand({ QueueUrl: gateway.queueUrl(queue) }));
      },
    ],
  ])("is discarded where somebody %s, and counts as failed no more", async (_, remove) => {
    const { bus, deadLetters } = await system();
    const id = await gateway.putEvent(bus, {});
    await becomes(id, "parked");
    await remove(deadLetters);
    await becomes(id, "discarded");
    expect((await gateway.event(id)).records).toMatchObject([
      { leftBy: "reader", leftAt: expect.any(String) as string },
    ]);
  });

  it("is kept for as long as its queue says", async () => {
    const { bus, deadLetters } = await system();
    const id = await gateway.putEvent(bus, {});
    await becomes(id, "parked");
    const Attributes = { MessageRetentionPeriod: "1209600" };
    await gateway.sqs.send(new SetQueueAttributesCommand({ QueueUrl: gateway.queueUrl(deadLetters), Attributes }));
    const { keptUntil, records } = (await gateway.get(`activity/${id}`)) as {
      keptUntil: string;
      records: { time: string }[];
    };
    expect(Date.parse(keptUntil) - Date.parse(records[0]?.time ?? "")).toBe(14 * 86_400_000);
  });

  it("counts as failed, until it is done", async () => {
    const counted = async () => ((await gateway.get("inbox")) as { failed: number }).failed;
    const { bus } = await system();
    const before = await counted();
    await becomes(await gateway.putEvent(bus, {}), "parked");
    expect(await counted()).toBe(before + 1);
  });
});
