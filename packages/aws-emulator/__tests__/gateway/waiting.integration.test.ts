import {
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  InvokeCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type BusEvent } from "../../src/gateway/journal";
import { arnOf, clientSettings, gatewayForTests } from "../support/gateway";
import { temporaryFolder } from "../support/temporary";
import { until } from "../support/until";

describe("events that wait for a place of their function's concurrency", () => {
  const gateway = gatewayForTests();
  const directory = temporaryFolder();

  /** Runs until the file is there, and says in which mode it was. */
  const code = `
    import { existsSync } from "node:fs";
    export const handler = async ({ until }) => {
      while (!existsSync(until)) await new Promise((resolve) => setTimeout(resolve, 10));
      console.log("mode " + process.env.MODE);
    };`;

  /** The files that end the functions of a test. */
  let ends: string[] = [];
  // A test that fails must not leave a function running, for which the tests behind it would wait.
  afterEach(async () => {
    for (const end of ends) await writeFile(end, "");
    ends = [];
  });

  async function busy(concurrency: number) {
    const fn = await gateway.createFunction(code, { Environment: { Variables: { MODE: "old" } } });
    await gateway.createLogGroup(`/aws/lambda/${fn}`);
    await limit(fn, concurrency);
    const bus = await gateway.createBus();
    const rule = await gateway.createRule(bus, [{ Id: "fn", Arn: arnOf.fn(fn), InputPath: "$.detail" }]);
    await gateway.permit(fn, arnOf.rule(bus, rule));
    const end = join(directory, fn);
    ends.push(end);
    const put = async (count: number) => {
      const ids: string[] = [];
      for (let index = 0; index < count; index += 1) ids.push(await gateway.putEvent(bus, { until: end }));
      return ids;
    };
    return { fn, put, end: () => writeFile(end, "") };
  }

  const limit = (fn: string, concurrency: number) =>
    gateway.lambda.send(
      new PutFunctionConcurrencyCommand({ FunctionName: fn, ReservedConcurrentExecutions: concurrency }),
    );

  const attemptsOf = (event: BusEvent) => event.deliveries.flatMap(({ attempts }) => attempts);

  /** The events, once each of them waits. */
  const waiting = (ids: readonly string[]) =>
    until("all wait", async () => {
      const events = await Promise.all(ids.map((id) => gateway.event(id)));
      return events.every((event) => attemptsOf(event)[0]?.status === "throttled") ? events : undefined;
    });

  it("ask moto for nothing meanwhile, journal one entry, and run one by one when there is a place", async () => {
    const { put, end } = await busy(1);
    const [running = ""] = await put(1);
    await until("it runs", async () => attemptsOf(await gateway.event(running))[0]);
    const ids = await put(30);
    const events = await waiting(ids);
    const journal = JSON.stringify(events).length;
    // As long as many polls took: the retries' delays are 20 and 40 ms here. On a busy machine, the requests that made the
    // events wait may still be under way at first.
    await until("moto is asked for nothing in a whole second", async () => {
      const before = await gateway.motoRequests();
      await setTimeout(1000);
      return (await gateway.motoRequests()) === before ? before : undefined;
    });
    expect(JSON.stringify(await waiting(ids)).length).toBe(journal);
    await end();
    await gateway.settle();
    for (const id of ids) {
      const event = await gateway.event(id);
      expect(event.deliveries).toMatchObject([{ status: "delivered" }]);
      expect(attemptsOf(event)).toMatchObject([
        { number: 1, status: "throttled", times: 1, errorType: "TooManyRequestsException" },
        { number: 2, status: "success" },
      ]);
    }
  });

  it("cost a few requests each, however many rules, policies and settings are read for them", async () => {
    const { put, end } = await busy(1);
    await end();
    const [first = ""] = await put(1);
    await gateway.deliveries(first);
    const before = await gateway.motoRequests();
    const ids = await put(20);
    for (const id of ids) await gateway.deliveries(id);
    await gateway.settle();
    // What is left is the function's own log.
    expect((await gateway.motoRequests()) - before).toBeLessThanOrEqual(20 * 2);
  });

  it("run at once when the concurrency is raised, or is not reserved any more", async () => {
    const { fn, put, end } = await busy(0);
    const ids = await put(4);
    await waiting(ids);
    await limit(fn, 2);
    const started = async () =>
      (await Promise.all(ids.map((id) => gateway.event(id)))).filter((event) => attemptsOf(event).length > 1);
    await until("two run", async () => ((await started()).length === 2 ? true : undefined));
    await gateway.lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: fn }));
    await until("all run", async () => ((await started()).length === 4 ? true : undefined));
    await end();
    await gateway.settle();
  });

  it("meet the function as it is when their turn comes", async () => {
    const { fn, put, end } = await busy(0);
    await waiting(await put(1));
    await gateway.lambda.send(
      new UpdateFunctionConfigurationCommand({ FunctionName: fn, Environment: { Variables: { MODE: "new" } } }),
    );
    await end();
    await limit(fn, 1);
    await gateway.settle();
    expect((await gateway.logLines(`/aws/lambda/${fn}`)).join("\n")).toContain("mode new");
  });

  it("are given up when their function is deleted, and the notes say so", async () => {
    const { fn, put } = await busy(0);
    const ids = await put(1);
    await waiting(ids);
    await gateway.lambda.send(new DeleteFunctionCommand({ FunctionName: fn }));
    await gateway.settle();
    expect((await gateway.event(ids[0] ?? "")).deliveries).toMatchObject([{ status: "failed" }]);
    expect(JSON.stringify(await gateway.get("notes"))).toContain(`The function ${fn} is deleted.`);
  });

  it("go to the on-failure destination when they are too old, without having run", async () => {
    const { fn, put } = await busy(0);
    const queue = await gateway.createQueue();
    // Past the gateway, for it is less than Lambda takes: a test can't wait for a minute.
    const moto = new LambdaClient(clientSettings(gateway.motoUrl));
    await moto.send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName: fn,
        MaximumEventAgeInSeconds: 1,
        DestinationConfig: { OnFailure: { Destination: arnOf.queue(queue) } },
      }),
    );
    const [id = ""] = await put(1);
    const { Body = "" } = await gateway.receive(queue);
    expect(JSON.parse(Body)).toMatchObject({
      requestContext: { condition: "EventAgeExceeded" },
      responsePayload: null,
    });
    expect(await gateway.event(id)).toMatchObject({
      deliveries: [{ status: "failed", attempts: [{ status: "throttled", times: 1 }] }],
    });
  });

  it("that a fault throttles are one entry too, with a count", async () => {
    const { put, end } = await busy(1);
    await end();
    await gateway.setFaults({ service: "lambda", kind: "throttle", times: 5 });
    const [id = ""] = await put(1);
    await gateway.settle();
    expect(attemptsOf(await gateway.event(id))).toMatchObject([
      { number: 1, status: "throttled", times: 5 },
      { number: 2, status: "success" },
    ]);
  });

  it("do not wait where the client does: it is throttled at once", async () => {
    const { fn } = await busy(0);
    await expect(gateway.lambda.send(new InvokeCommand({ FunctionName: fn }))).rejects.toMatchObject({
      name: "TooManyRequestsException",
    });
  });
});
