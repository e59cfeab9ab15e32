import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  InvokeCommand,
  PutFunctionEventInvokeConfigCommand,
} from "@aws-sdk/client-lambda";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { arnOf, gatewayForTests } from "../support/gateway";
import { temporaryFolder } from "../support/temporary";
import { until } from "../support/until";

describe("/_sandbox/pending", () => {
  // No retry and no message that failed comes back within the test; nor is the gateway's end held up by what waits so long.
  const gateway = gatewayForTests({ retryDelaysMs: [3_600_000], retryQueueDelayMs: 3_600_000 });
  const directory = temporaryFolder();
  afterEach(() => gateway.setFaults());
  const pending = async () => ((await gateway.get("pending")) as { tasks: number }).tasks;
  /** A file's name: the function below writes one to say that it runs, and waits for one to end. */
  const file = (name: string) => join(directory, name);

  /** Runs until the file that its event (or a message's body) names is there, or fails at once. */
  const code = `
    import { existsSync } from "node:fs";
    export const handler = async (event) => {
      const { until, fails } = event.Records === undefined ? event : JSON.parse(event.Records[0].body);
      if (fails) throw new Error("as told");
      while (!existsSync(until)) await new Promise((resolve) => setTimeout(resolve, 10));
    };`;

  /** A round trip through the gateway and a function's process: whatever ends soon has ended by then. */
  async function later(): Promise<void> {
    const name = await gateway.createFunction("export const handler = async () => 1;");
    await gateway.lambda.send(new InvokeCommand({ FunctionName: name }));
  }

  async function mapped() {
    const fn = await gateway.createFunction(code);
    await gateway.createLogGroup(`/aws/lambda/${fn}`);
    const queue = await gateway.createQueue({ VisibilityTimeout: "3600" });
    const { UUID } = await gateway.lambda.send(
      new CreateEventSourceMappingCommand({ EventSourceArn: arnOf.queue(queue), FunctionName: fn }),
    );
    const sendTo = (body: unknown) =>
      gateway.sqs.send(
        new SendMessageCommand({
          QueueUrl: gateway.queueUrl(queue),
          MessageBody: JSON.stringify(body),
        }),
      );
    return { fn, sendTo, unmap: () => gateway.lambda.send(new DeleteEventSourceMappingCommand({ UUID })) };
  }

  it("is nothing at first, and nothing of a queue that is polled and empty", async () => {
    expect(await gateway.get("pending")).toEqual({ tasks: 0 });
    const { unmap } = await mapped();
    await later();
    expect(await pending()).toBe(0);
    await unmap();
  });

  it("counts an event from its acceptance until its function is done with it", async () => {
    const bus = await gateway.createBus();
    const fn = await gateway.createFunction(code);
    const rule = await gateway.createRule(bus, [{ Id: "fn", Arn: arnOf.fn(fn), InputPath: "$.detail" }]);
    await gateway.permit(fn, arnOf.rule(bus, rule));
    const end = file("delivery");
    const id = await gateway.putEvent(bus, { until: end });
    expect(await pending()).toBeGreaterThan(0);
    await until("the function runs", async () => (await gateway.event(id)).deliveries[0]?.attempts[0]);
    await later();
    expect(await pending()).toBe(1);
    await writeFile(end, "");
    await gateway.deliveries(id);
    await gateway.settle();
  });

  it("counts an asynchronous invocation, also of a client", async () => {
    const fn = await gateway.createFunction(code);
    const end = file("invocation");
    const Payload = Buffer.from(JSON.stringify({ until: end }));
    await gateway.lambda.send(new InvokeCommand({ FunctionName: fn, InvocationType: "Event", Payload }));
    await later();
    expect(await pending()).toBe(1);
    await writeFile(end, "");
    await gateway.settle();
  });

  it("counts a batch of a mapped queue while its function runs", async () => {
    const { sendTo, unmap } = await mapped();
    const end = file("batch");
    await sendTo({ until: end });
    await until("the batch is taken", async () => ((await pending()) > 0 ? true : undefined));
    await later();
    expect(await pending()).toBe(1);
    await writeFile(end, "");
    await gateway.settle();
    await unmap();
  });

  // From here on, what waits for an hour stays pending: each adds one.
  it("counts an invocation that waits for its retry", async () => {
    const before = await pending();
    const fn = await gateway.createFunction(code);
    await gateway.lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: fn, MaximumRetryAttempts: 1 }));
    const bus = await gateway.createBus();
    const rule = await gateway.createRule(bus, [{ Id: "fn", Arn: arnOf.fn(fn), InputPath: "$.detail" }]);
    await gateway.permit(fn, arnOf.rule(bus, rule));
    const id = await gateway.putEvent(bus, { fails: true });
    await until("it waits", async () =>
      (await gateway.event(id)).deliveries[0]?.status === "retrying" ? true : undefined,
    );
    await later();
    expect(await pending()).toBe(before + 1);
  });

  it("counts a message that waits for its return to the queue", async () => {
    const before = await pending();
    const { fn, sendTo, unmap } = await mapped();
    await sendTo({ fails: true });
    await until("the function has failed", async () =>
      (await gateway.logLines(`/aws/lambda/${fn}`)).find((line) => line.startsWith("REPORT")),
    );
    await later();
    expect(await pending()).toBe(before + 1);
    await unmap();
  });
});
