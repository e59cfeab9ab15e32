import {
  DeleteFunctionCommand,
  InvokeCommand,
  type InvokeCommandInput,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { DeleteLogGroupCommand } from "@aws-sdk/client-cloudwatch-logs";
import { zipSync } from "fflate";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mostEventBytes } from "../../../src/limits";
import { Faults } from "../../../src/gateway/faults";
import { Journal, type Note } from "../../../src/gateway/journal";
import { ExecutionEnvironment } from "../../../src/services/lambda/environment";
import { type DeployedFunction } from "../../../src/services/lambda/function";
import { FunctionLog } from "../../../src/services/lambda/function-log";
import { Invoker } from "../../../src/services/lambda/invoker";
import { RuntimeApi } from "../../../src/services/lambda/runtime-api";
import { Moto } from "../../../src/gateway/moto";
import { accountId, arnOf, gatewayForTests, region, TestGateway, zipOf } from "../../support/gateway";
import { until } from "../../support/until";

const gateway = gatewayForTests();

async function invoke(name: string, payload: unknown = {}, options: Partial<InvokeCommandInput> = {}) {
  const answer = await gateway.lambda.send(
    new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(payload)), ...options }),
  );
  const text = Buffer.from(answer.Payload ?? []).toString("utf8");
  return { ...answer, result: (text === "" ? undefined : JSON.parse(text)) as Record<string, unknown> };
}

describe("Invoke", () => {
  it("runs the package that was uploaded, with the deployed environment and no other", async () => {
    process.env.NOT_THE_FUNCTIONS = "a secret of this machine";
    const name = await gateway.createFunction(
      `export const handler = async (event, context) => ({ event, env: process.env, context: {
         name: context.functionName, arn: context.invokedFunctionArn, group: context.logGroupName, memory: context.memoryLimitInMB,
         remaining: context.getRemainingTimeInMillis() } });`,
      { Environment: { Variables: { GREETING: "hello" } }, MemorySize: 256, Timeout: 7 },
    );
    const { result, ...answer } = await invoke(name, { a: 1 });
    delete process.env.NOT_THE_FUNCTIONS;
    expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: "$LATEST" });
    expect(answer.FunctionError).toBeUndefined();
    expect(result.event).toEqual({ a: 1 });
    expect(result.env).toMatchObject({
      GREETING: "hello",
      AWS_REGION: region,
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "256",
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
      AWS_ENDPOINT_URL: gateway.gateway.url,
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x",
      TZ: ":UTC",
      _HANDLER: "index.handler",
    });
    expect(result.env).not.toHaveProperty("NOT_THE_FUNCTIONS");
    expect(result.env).not.toHaveProperty("HOME");
    expect(result.context).toMatchObject({ name, arn: arnOf.fn(name), group: `/aws/lambda/${name}`, memory: "256" });
    const { remaining } = result.context as { remaining: number };
    expect(remaining).toBeGreaterThan(0);
    expect(remaining).toBeLessThanOrEqual(7000);
  });

  it.each([
    ["a CommonJS module", "exports.handler = async () => ({ ok: true });", "index.js"],
    [
      "a handler that calls back",
      "exports.handler = (event, context, callback) => { callback(null, { ok: true }); };",
      "index.cjs",
    ],
    ["an ES module", "export async function handler() { return { ok: true }; }", "index.mjs"],
  ])("runs %s", async (_, code, file) => {
    const name = await gateway.createFunction(code, { file });
    expect((await invoke(arnOf.fn(name))).result).toEqual({ ok: true });
  });

  it("keeps the process warm, and starts a new one when code or configuration change", async () => {
    const code = (version: number) =>
      `let count = 0; export const handler = () => Promise.resolve({ version: ${version}, count: ++count, mode: process.env.MODE });`;
    const name = await gateway.createFunction(code(1));
    expect((await invoke(name)).result).toEqual({ version: 1, count: 1 });
    expect((await invoke(name)).result).toEqual({ version: 1, count: 2 });
    await gateway.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: zipOf(code(2)) }));
    expect((await invoke(name)).result).toEqual({ version: 2, count: 1 });
    await gateway.lambda.send(
      new UpdateFunctionConfigurationCommand({ FunctionName: name, Environment: { Variables: { MODE: "new" } } }),
    );
    expect((await invoke(name)).result).toEqual({ version: 2, count: 1, mode: "new" });
  });

  it("answers a thrown error as Lambda does, with the end of the log", async () => {
    const name = await gateway.createFunction(
      `export const handler = async () => { console.log("about to fail"); throw Object.assign(new Error("no good"), { name: "InvalidEvent" }); };`,
    );
    const { result, ...answer } = await invoke(name, {}, { LogType: "Tail" });
    expect(answer).toMatchObject({ StatusCode: 200, FunctionError: "Unhandled" });
    expect(result).toMatchObject({ errorType: "InvalidEvent", errorMessage: "no good" });
    expect((result.trace as string[])[0]).toBe("InvalidEvent: no good");
    const log = Buffer.from(answer.LogResult ?? "", "base64").toString("utf8");
    expect(log).toMatch(/^START RequestId: \S+ Version: \$LATEST\n.*\tINFO\tabout to fail\n/);
    expect(log).toMatch(/\nEND RequestId: \S+\nREPORT RequestId: \S+\tDuration: /);
  });

  it("ends a function that takes too long", async () => {
    const name = await gateway.createFunction(
      "export const handler = () => new Promise(() => { setInterval(() => {}, 1000); });",
      {
        Timeout: 1,
      },
    );
    const { result, FunctionError } = await invoke(name);
    expect(FunctionError).toBe("Unhandled");
    expect(result.errorType).toBe("Sandbox.Timedout");
    expect(result.errorMessage).toMatch(/^\S+Z \S+ Task timed out after 1\.00 seconds$/);
  });

  it("reports a process that ends itself, and recovers", async () => {
    const name = await gateway.createFunction(
      `export const handler = async (event) => { if (event.exit) process.exit(3); return "alive"; };`,
    );
    const { result } = await invoke(name, { exit: true });
    expect(result).toEqual({
      errorType: "Runtime.ExitError",
      errorMessage: expect.stringMatching(/^RequestId: \S+ Error: Runtime exited with error: exit status 3$/) as string,
    });
    expect((await invoke(name)).result).toBe("alive");
  });

  it.each([
    [
      "whose module fails to load",
      "throw new TypeError('at load');",
      { errorType: "TypeError", errorMessage: "at load" },
    ],
    ["whose module has no such export", "export const other = 1;", { errorType: "Runtime.HandlerNotFound" }],
  ])("reports a function %s", async (_, code, error) => {
    expect((await invoke(await gateway.createFunction(code))).result).toMatchObject(error);
  });

  it("throttles beyond the reserved concurrency", async () => {
    const gate = await closedGate();
    const name = await gateway.createFunction(gate.code);
    await gateway.lambda.send(
      new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 1 }),
    );
    const invocations = [invoke(name), invoke(name)];
    // The one that runs waits for the gate, so the first to end is the other.
    await expect(Promise.race(invocations)).rejects.toMatchObject({
      name: "TooManyRequestsException",
      $metadata: { httpStatusCode: 429 },
    });
    await gate.open();
    const results = await Promise.allSettled(invocations);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("answers without running: a dry run, a function that does not exist, a payload that is no JSON", async () => {
    const name = await gateway.createFunction("export const handler = () => 1;");
    expect(await invoke(name, {}, { InvocationType: "DryRun" })).toMatchObject({ StatusCode: 204 });
    await expect(invoke("nobody")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    await expect(invoke(name, {}, { Payload: Buffer.from("{") })).rejects.toMatchObject({
      name: "InvalidRequestContentException",
    });
    await gateway.lambda.send(new DeleteFunctionCommand({ FunctionName: name }));
    await expect(invoke(name)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });
});

describe("a package", () => {
  it.each([
    ["no zip", Buffer.from("no zip"), "Could not unzip uploaded file"],
    ["an empty zip", Buffer.from(zipSync({})), "non-empty zip"],
  ])("that is none is refused: %s", async (_, ZipFile, text) => {
    const refusal = { name: "InvalidParameterValueException", message: expect.stringContaining(text) as string };
    const name = gateway.name("refused");
    await expect(gateway.createFunction("", { FunctionName: name, Code: { ZipFile } })).rejects.toMatchObject(refusal);
    expect(await gateway.createFunction("export const handler = async () => 1", { FunctionName: name })).toBe(name);
    await expect(
      gateway.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile })),
    ).rejects.toMatchObject(refusal);
    expect((await invoke(name)).result).toBe(1);
  });

  it("is not deployed by a dry run", async () => {
    const name = await gateway.createFunction("export const handler = async () => 1");
    const ZipFile = zipOf("export const handler = async () => 2");
    await gateway.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile, DryRun: true }));
    expect((await invoke(name)).result).toBe(1);
  });

  it("whose folder is gone fails the invocation, and not the sandbox", async () => {
    const api = await RuntimeApi.start();
    const environment = new ExecutionEnvironment({
      fn: functionIn("/nowhere"),
      region,
      endpoint: gateway.gateway.url,
      api,
    });
    const invocation = { requestId: "1", payload: "{}", functionArn: "arn", version: "$LATEST", origin: {} };
    expect(await environment.invoke(invocation)).toMatchObject({
      status: "error",
      error: { errorType: "Runtime.ExitError", errorMessage: expect.stringContaining("ENOENT") as string },
    });
    await environment.stop();
    await api.close();
  });

  it("runs nothing in the sandbox's own folder, where the gateway has seen no package", async () => {
    const api = await RuntimeApi.start();
    const journal = new Journal();
    const moto = new Moto("/nowhere", region);
    const invoker = new Invoker({
      api,
      log: new FunctionLog(moto, journal),
      region,
      endpoint: gateway.gateway.url,
      faults: new Faults(journal),
    });
    const { error } = await invoker.invoke({ fn: functionIn(""), payload: "{}" });
    expect(error).toMatchObject({ errorType: "Sandbox.NoPackage" });
    await invoker.close();
    moto.close();
    await api.close();
  });
});

const functionIn = (directory: string): DeployedFunction => ({
  name: "fn",
  arn: arnOf.fn("fn"),
  roleArn: "",
  handler: "index.handler",
  runtime: "nodejs22.x",
  timeoutSeconds: 3,
  memoryMb: 128,
  variables: {},
  reservedConcurrency: undefined,
  logGroup: "/aws/lambda/fn",
  logFormat: "Text",
  logLevel: undefined,
  deadLetterArn: undefined,
  directory,
});

describe("the log of a function", () => {
  it("goes on where its group is made anew while it is warm", async () => {
    const name = await gateway.createFunction("export const handler = async (event) => { console.log(event.text) }");
    const group = `/aws/lambda/${name}`;
    await gateway.createLogGroup(group);
    await invoke(name, { text: "before" });
    await gateway.logs.send(new DeleteLogGroupCommand({ logGroupName: group }));
    await gateway.createLogGroup(group);
    await invoke(name, { text: "after" });
    expect(await gateway.logLines(group)).toContainEqual(expect.stringContaining("after"));
  });

  it("is in its log group, in order, with Lambda's own lines", async () => {
    const name = await gateway.createFunction(
      `export const handler = async () => { process.stdout.write("out\\n"); console.error("error", { a: 1 }); process.stderr.write("no end"); };`,
    );
    await gateway.createLogGroup(`/aws/lambda/${name}`);
    await invoke(name);
    const lines = await gateway.logLines(`/aws/lambda/${name}`);
    expect(lines[0]).toMatch(/^START/);
    expect(lines).toEqual(expect.arrayContaining(["out", "no end", expect.stringMatching(/\tERROR\terror { a: 1 }$/)]));
    expect(lines.at(-1)).toMatch(/^REPORT/);
  });

  it("is JSON in the group that the function's logging configuration names", async () => {
    await gateway.createLogGroup("/own/group");
    const name = await gateway.createFunction(
      `export const handler = async () => { console.info("too low"); console.warn({ a: 1 }); throw new Error("bad"); };`,
      { LoggingConfig: { LogFormat: "JSON", LogGroup: "/own/group", ApplicationLogLevel: "WARN" } },
    );
    await invoke(name);
    const lines = (await gateway.logLines("/own/group")).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toMatchObject([
      { type: "platform.start", record: { version: "$LATEST" } },
      { level: "WARN", message: { a: 1 }, requestId: expect.any(String) as string },
      { level: "ERROR", message: { errorType: "Error", errorMessage: "bad" } },
      { type: "platform.report", record: { status: "error" } },
    ]);
  });

  it("is lost where the group does not exist, and the notes say so", async () => {
    const name = await gateway.createFunction(`export const handler = () => Promise.resolve("fine");`);
    expect((await invoke(name)).result).toBe("fine");
    expect(JSON.stringify(await gateway.get("notes"))).toContain(`/aws/lambda/${name} of the function`);
  });
});

describe("an asynchronous invocation", () => {
  const failing = `export const handler = async () => { throw Object.assign(new Error("no good"), { name: "InvalidEvent" }); };`;

  it("that fails is retried, and its record goes to the on-failure queue", async () => {
    const name = await gateway.createFunction(failing);
    const queue = await gateway.createQueue();
    await configure(name, arnOf.queue(queue), 1);
    const { StatusCode } = await invoke(name, { a: 1 }, { InvocationType: "Event" });
    expect(StatusCode).toBe(202);
    const message = await gateway.receive(queue);
    expect(JSON.parse(message.Body ?? "")).toEqual({
      version: "1.0",
      timestamp: expect.any(String) as string,
      requestContext: {
        requestId: expect.any(String) as string,
        functionArn: `${arnOf.fn(name)}:$LATEST`,
        condition: "RetriesExhausted",
        approximateInvokeCount: 2,
      },
      requestPayload: { a: 1 },
      responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
      responsePayload: { errorType: "InvalidEvent", errorMessage: "no good", trace: expect.any(Array) as string[] },
    });
  });

  it("of an event follows the rule, retries twice by default, and fails onto the bus", async () => {
    const bus = await gateway.createBus();
    const name = await gateway.createFunction(failing);
    const rule = await gateway.createRule(bus, [{ Id: "fn", Arn: arnOf.fn(name) }]);
    await gateway.permit(name, arnOf.rule(bus, rule));
    await configure(name, arnOf.bus(bus));
    const queue = await gateway.createQueue();
    const failures = await gateway.createRule(bus, [{ Id: "queue", Arn: arnOf.queue(queue) }], {
      pattern: { source: ["lambda"], detail: { responsePayload: { errorType: ["InvalidEvent"] } } },
    });
    await gateway.allow(queue, arnOf.rule(bus, failures));
    const id = await gateway.putEvent(bus, { a: 1 });

    const message = await gateway.receive(queue);
    expect(JSON.parse(message.Body ?? "")).toMatchObject({
      source: "lambda",
      "detail-type": "Lambda Function Invocation Result - Failure",
      resources: [`${arnOf.fn(name)}:$LATEST`],
      detail: { requestPayload: { id, detail: { a: 1 } }, requestContext: { approximateInvokeCount: 3 } },
    });
    const [delivery] = await gateway.deliveries(id);
    expect(delivery).toMatchObject({
      rule,
      kind: "lambda",
      functionName: name,
      status: "failed",
      deadLetter: { destinationArn: arnOf.bus(bus), reason: "RetriesExhausted" },
      attempts: [
        { number: 1, status: "error", errorType: "InvalidEvent", errorMessage: "no good", nextRetryInMs: 20 },
        { number: 2, status: "error", nextRetryInMs: 40 },
        { number: 3, status: "error" },
      ],
    });
    expect(new Set(delivery?.attempts.map(({ requestId }) => requestId)).size).toBe(1);
  });

  it("that was throttled is kept, and does not count as a failure", async () => {
    const bus = await gateway.createBus();
    const gate = await closedGate();
    const name = await gateway.createFunction(gate.code);
    await gateway.lambda.send(
      new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 1 }),
    );
    const rule = await gateway.createRule(bus, [{ Id: "fn", Arn: arnOf.fn(name) }]);
    await gateway.permit(name, arnOf.rule(bus, rule));
    const ids = [
      await gateway.putEvent(bus, { a: 1 }),
      await gateway.putEvent(bus, { a: 2 }),
      await gateway.putEvent(bus, { a: 3 }),
    ];
    await until("one is throttled", async () => {
      const events = await Promise.all(ids.map((id) => gateway.event(id)));
      const attempts = events.flatMap((event) => event.deliveries.flatMap((delivery) => delivery.attempts));
      return attempts.find(({ status }) => status === "throttled");
    });
    await gate.open();
    const deliveries = (await Promise.all(ids.map((id) => gateway.deliveries(id)))).flat();
    expect(deliveries.map(({ status }) => status)).toEqual(["delivered", "delivered", "delivered"]);
    const statuses = deliveries.flatMap(({ attempts }) => attempts.map(({ status }) => status));
    expect(statuses).toContain("throttled");
  });

  it("without a destination goes to the function's dead-letter queue", async () => {
    const queue = await gateway.createQueue();
    const name = await gateway.createFunction(failing, { DeadLetterConfig: { TargetArn: arnOf.queue(queue) } });
    await configure(name, undefined, 0);
    await invoke(name, { a: 1 }, { InvocationType: "Event" });
    const message = await gateway.receive(queue);
    expect(message.Body).toBe('{"a":1}');
    expect(message.MessageAttributes).toMatchObject({ ErrorMessage: { StringValue: "no good" } });
  });

  it("that succeeds has its record at the on-success destination", async () => {
    const queue = await gateway.createQueue();
    const name = await gateway.createFunction(`export const handler = async () => ({ ok: true });`);
    await gateway.lambda.send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName: name,
        DestinationConfig: { OnSuccess: { Destination: arnOf.queue(queue) } },
      }),
    );
    await invoke(name, {}, { InvocationType: "Event" });
    const message = await gateway.receive(queue);
    expect(JSON.parse(message.Body ?? "")).toMatchObject({
      requestContext: { condition: "Success", approximateInvokeCount: 1 },
      responseContext: { statusCode: 200, executedVersion: "$LATEST" },
      responsePayload: { ok: true },
    });
  });

  describe("whose destination does not take the record", () => {
    const counted = async (name: string) => {
      const metrics = (await gateway.get("metrics")) as { DestinationDeliveryFailures: Record<string, number> };
      return metrics.DestinationDeliveryFailures[name];
    };
    const noted = async (text: string) =>
      ((await gateway.get("notes")) as Note[]).filter((note) => note.text.includes(text)).length;
    const missingQueue = arnOf.queue("nowhere");

    it.each([
      ["its queue is not there", failing, "OnFailure", missingQueue, {}],
      ["its topic is not there", failing, "OnFailure", `arn:aws:sns:${region}:${accountId}:nowhere`, {}],
      ["its function is not there", failing, "OnFailure", `arn:aws:lambda:${region}:${accountId}:function:nowhere`, {}],
      [
        "it is more than its bus takes of an event",
        failing,
        "OnFailure",
        arnOf.bus("default"),
        { text: "x".repeat(mostEventBytes - 100) },
      ],
      ["of a success, its queue is not there", "export const handler = async () => 1;", "OnSuccess", missingQueue, {}],
    ] as const)(
      "counts it for the function, and the notes say why: %s",
      async (_, code, result, destination, payload) => {
        const name = await gateway.createFunction(code);
        await gateway.lambda.send(
          new PutFunctionEventInvokeConfigCommand({
            FunctionName: name,
            MaximumRetryAttempts: 0,
            DestinationConfig: { [result]: { Destination: destination } },
          }),
        );
        for (const count of [1, 2]) {
          await invoke(name, payload, { InvocationType: "Event" });
          await gateway.settle();
          expect(await counted(name)).toBe(count);
        }
        expect(await noted(` of ${name} is lost: `)).toBe(2);
      },
    );

    it("counts nothing where there is a destination that does, or none", async () => {
      const queue = await gateway.createQueue();
      const [taken, none] = [await gateway.createFunction(failing), await gateway.createFunction(failing)] as const;
      await configure(taken, arnOf.queue(queue), 0);
      await configure(none, undefined, 0);
      for (const name of [taken, none]) await invoke(name, {}, { InvocationType: "Event" });
      await gateway.receive(queue);
      await gateway.settle();
      expect([await counted(taken), await counted(none)]).toEqual([undefined, undefined]);
    });
  });
});

it("closing the gateway ends the functions' processes, busy ones too", async () => {
  const other = await TestGateway.start();
  const directory = await mkdtemp(join(tmpdir(), "busy-"));
  const started = join(directory, "pid");
  let pid: number;
  try {
    const name = await other.createFunction(
      `
      import { renameSync, writeFileSync } from "node:fs";
      export const handler = ({ file }) => new Promise(() => {
        setInterval(() => {}, 1000);
        writeFileSync(file + ".part", String(process.pid));
        renameSync(file + ".part", file);
      });`,
      { Timeout: 900 },
    );
    const payload = Buffer.from(JSON.stringify({ file: started }));
    await other.lambda.send(new InvokeCommand({ FunctionName: name, InvocationType: "Event", Payload: payload }));
    pid = await until("the function runs", () => readFile(started, "utf8").then(Number, () => undefined));
    expect(isRunning(pid)).toBe(true);
  } finally {
    await other.stop();
    await rm(directory, { recursive: true, force: true });
  }
  await until("the process is gone", () => (isRunning(pid) ? undefined : true));
});

/** A function that runs until its gate is opened. */
async function closedGate() {
  const file = join(await mkdtemp(join(tmpdir(), "gate-")), "open");
  return {
    code: `
      import { existsSync } from "node:fs";
      export const handler = async () => {
        while (!existsSync(${JSON.stringify(file)})) await new Promise((resolve) => setTimeout(resolve, 10));
        return "done";
      };`,
    open: () => writeFile(file, ""),
  };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function configure(name: string, onFailure?: string, attempts?: number): Promise<void> {
  await gateway.lambda.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName: name,
      ...(attempts === undefined ? {} : { MaximumRetryAttempts: attempts }),
      ...(onFailure === undefined ? {} : { DestinationConfig: { OnFailure: { Destination: onFailure } } }),
    }),
  );
}
