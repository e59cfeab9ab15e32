import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, ListRulesCommand, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  InvokeCommand,
  PutFunctionEventInvokeConfigCommand,
} from "@aws-sdk/client-lambda";
import {
  CreateTemplateCommand,
  SendEmailCommand,
  type SendEmailCommandInput,
  SendTemplatedEmailCommand,
  SESClient,
  VerifyEmailIdentityCommand,
} from "@aws-sdk/client-ses";
import {
  CreateConfigurationSetCommand,
  PutSuppressedDestinationCommand,
  SendEmailCommand as SendEmailV2Command,
  SESv2Client,
} from "@aws-sdk/client-sesv2";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { type FaultInput, Faults } from "../../src/gateway/faults";
import { type BusEvent, type Note } from "../../src/gateway/journal";
import { arnOf, clientSettings, gatewayForTests } from "../support/gateway";
import { until } from "../support/until";

const sender = "sender@example.com";
const table = "faults";
const queue = "faults";

const gateway = gatewayForTests();
let clients: ReturnType<typeof connect>;
/** They do not wait long for an answer that does not come. */
let impatient: ReturnType<typeof connect>;
/** They try once more. */
let persistent: ReturnType<typeof connect>;
beforeAll(async () => {
  clients = connect();
  impatient = connect({ requestHandler: { requestTimeout: 500, throwOnRequestTimeout: true } });
  persistent = connect({ maxAttempts: 2 });
  await gateway.ses.send(new VerifyEmailIdentityCommand({ EmailAddress: sender }));
  await createTemplate("greeting");
  await gateway.createQueue({}, queue);
  await clients.dynamodb.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    }),
  );
});
afterEach(() => gateway.setFaults());
afterAll(() => {
  for (const client of [clients, impatient, persistent].flatMap((all) => Object.values(all))) client.destroy();
});
function connect(changes: { maxAttempts?: number; requestHandler?: object } = {}) {
  const settings = { ...clientSettings(gateway.gateway.url), ...changes };
  return {
    ses: new SESClient(settings),
    sesV2: new SESv2Client(settings),
    dynamodb: new DynamoDBClient(settings),
    sqs: new SQSClient(settings),
    events: new EventBridgeClient(settings),
  };
}

const createTemplate = (name: string) =>
  gateway.ses.send(
    new CreateTemplateCommand({ Template: { TemplateName: name, SubjectPart: "Hello", TextPart: "Hello." } }),
  );

const templated = (to: string, { ses } = clients) =>
  ses.send(
    new SendTemplatedEmailCommand({
      Source: sender,
      Destination: { ToAddresses: [to] },
      Template: "greeting",
      TemplateData: "{}",
    }),
  );

const mail = (Destination: SendEmailCommandInput["Destination"], subject = "Hello") =>
  clients.ses.send(
    new SendEmailCommand({
      Source: sender,
      Destination,
      Message: { Subject: { Data: subject }, Body: { Text: { Data: "Hello." } } },
    }),
  );

const mailV2 = (to: string) =>
  clients.sesV2.send(
    new SendEmailV2Command({
      FromEmailAddress: sender,
      Destination: { ToAddresses: [to] },
      Content: { Simple: { Subject: { Data: "Hello" }, Body: { Text: { Data: "Hello." } } } },
    }),
  );

const putItem = (id: string, { dynamodb } = clients) =>
  dynamodb.send(new PutItemCommand({ TableName: table, Item: { id: { S: id } } }));

const sendMessage = (body: string, { sqs } = clients) =>
  sqs.send(new SendMessageCommand({ QueueUrl: gateway.queueUrl(queue), MessageBody: body }));

const putEvent = (detail: unknown, { events } = clients) =>
  events.send(
    new PutEventsCommand({ Entries: [{ Source: "test", DetailType: "Test", Detail: JSON.stringify(detail) }] }),
  );

const seen = new Set<string>();

/** Of each service that is called over HTTP: a call, and whether the service did its work. */
const services = {
  ses: {
    call: (id: string, all = clients) => templated(`${id}@customers.example`, all),
    isDone: async (id: string) => (await gateway.mails()).some(({ to }) => to.includes(`${id}@customers.example`)),
    throttling: "Throttling",
  },
  dynamodb: {
    call: (id: string, all = clients) => putItem(id, all),
    isDone: async (id: string) => {
      const { Item } = await clients.dynamodb.send(new GetItemCommand({ TableName: table, Key: { id: { S: id } } }));
      return Item !== undefined;
    },
    throttling: "ThrottlingException",
  },
  sqs: {
    call: (id: string, all = clients) => sendMessage(id, all),
    isDone: async (id: string) => {
      for (const { Body = "" } of await gateway.messagesIn(queue)) seen.add(Body);
      return seen.has(id);
    },
    throttling: "RequestThrottled",
  },
  events: {
    call: (id: string, all = clients) => putEvent({ id }, all),
    isDone: async (id: string) =>
      ((await gateway.get("activity")) as BusEvent[]).some(({ detail }) => detail.id === id),
    throttling: "ThrottlingException",
  },
};

type Service = keyof typeof services;

const answered = (name: string, httpStatusCode: number) => ({ name, $metadata: { httpStatusCode } });

/** A client that does not wait long may be gone before the gateway has read its call. */
const isHit = () => until("a hit of the fault", async () => ((await gateway.hits())[0] === 1 ? true : undefined));

const unanswered = { name: "TimeoutError", message: expect.stringMatching(/500 ?ms/) as string };
const broken = { message: expect.stringContaining("ECONNRESET") as string };

describe.each(Object.keys(services) as Service[])("a fault of %s", (service) => {
  const { call, isDone, throttling } = services[service];

  it.each([
    ["throttles", { kind: "throttle" }, answered(throttling, 400)],
    ["answers with an error of the service", { kind: "error" }, answered("InternalFailure", 500)],
    [
      "answers with the error that it names",
      { kind: "error", status: 503, code: "ServiceUnavailable" },
      answered("ServiceUnavailable", 503),
    ],
    ["answers with an error of the client", { kind: "error", status: 403 }, answered("ValidationError", 403)],
    ["gives no answer", { kind: "timeout" }, unanswered],
    ["breaks the connection", { kind: "reset" }, broken],
  ] as const)("%s, and the service does nothing", async (_, fault, error) => {
    const id = gateway.name("call");
    await gateway.setFaults({ service, times: 1, ...fault });
    await expect(call(id, fault.kind === "timeout" ? impatient : clients)).rejects.toMatchObject(error);
    await isHit();
    const next = gateway.name("next");
    await call(next);
    await until("the next call is done", async () => ((await isDone(next)) ? true : undefined));
    expect(await isDone(id)).toBe(false);
  });

  it.each([
    ["loses the answer", { kind: "timeout", accepts: true }, unanswered],
    ["breaks the connection", { kind: "reset", accepts: true }, broken],
  ] as const)("%s after the service has done its work", async (_, fault, error) => {
    const id = gateway.name("call");
    await gateway.setFaults({ service, times: 1, ...fault });
    await expect(call(id, fault.kind === "timeout" ? impatient : clients)).rejects.toMatchObject(error);
    await isHit();
    await until("the call is done", async () => ((await isDone(id)) ? true : undefined));
  });

  it.each(["throttle", "error", "reset"] as const)("is one that a client tries again after: %s", async (kind) => {
    await gateway.setFaults({ service, kind, times: 1 });
    const { $metadata } = await call(gateway.name("call"), persistent);
    expect($metadata.attempts).toBe(2);
  });
});

describe("a fault of ses", () => {
  it.each([
    ["throttle", { kind: "throttle" }, answered("TooManyRequestsException", 429)],
    ["error", { kind: "error", status: 502 }, answered("InternalFailure", 502)],
    ["reject", { kind: "reject" }, answered("MessageRejected", 400)],
  ] as const)("speaks SES v2 to its clients: %s", async (_, fault, error) => {
    await gateway.setFaults({ service: "ses", ...fault });
    await expect(mailV2("v2@customers.example")).rejects.toMatchObject(error);
    expect(await services.ses.isDone("v2")).toBe(false);
  });

  it.each([
    ["in words of its own", {}, "The message was rejected by a fault."],
    ["in the words that it is given", { message: "No <b>such</b> mail & no more" }, "No <b>such</b> mail & no more"],
  ])("rejects a mail %s, and nothing is mailed", async (_, words, message) => {
    await gateway.setFaults({ service: "ses", kind: "reject", ...words });
    await expect(templated("rejected@customers.example")).rejects.toMatchObject({
      ...answered("MessageRejected", 400),
      message,
    });
    expect(await services.ses.isDone("rejected")).toBe(false);
  });

  it("is for mail alone: what Terraform asks of SES gets through", async () => {
    await gateway.setFaults({ service: "ses", kind: "reject" }, { service: "ses", kind: "error" });
    await createTemplate("other");
    await clients.ses.send(new VerifyEmailIdentityCommand({ EmailAddress: "other@example.com" }));
    await clients.sesV2.send(new CreateConfigurationSetCommand({ ConfigurationSetName: "other" }));
    await clients.sesV2.send(
      new PutSuppressedDestinationCommand({ EmailAddress: "x@customers.example", Reason: "BOUNCE" }),
    );
    expect(await gateway.hits()).toEqual([0, 0]);
    await expect(templated("a@customers.example")).rejects.toMatchObject({ name: "MessageRejected" });
  });
});

it("a fault of ses meets a call of Terraform's where it names it", async () => {
  await gateway.setFaults({ service: "ses", kind: "error", status: 400, match: { operation: "CreateTemplate" } });
  await expect(createTemplate("refused")).rejects.toMatchObject(answered("ValidationError", 400));
  await templated("a@customers.example");
  expect(await gateway.hits()).toEqual([1]);
});

describe("a fault meets the calls that it matches, and no others", () => {
  const to = (...ToAddresses: string[]) => mail({ ToAddresses });
  const ses = (match: FaultInput["match"]): FaultInput => ({ service: "ses", kind: "throttle", match });

  it.each<[string, FaultInput, () => Promise<unknown>, () => Promise<unknown>]>([
    ["a recipient", ses({ recipient: "ann@a.example" }), () => to("ann@a.example"), () => to("joann@a.example")],
    ["a part of it", ses({ recipient: "*@a.example" }), () => to("x@a.example"), () => to("x@a.example.org")],
    ["two parts", ses({ recipient: "a*@*.org" }), () => to("ann@a.org"), () => to("bob@a.org")],
    ["in any case", ses({ recipient: "Ann@a.example" }), () => to("ANN@A.example"), () => to("an@a.example")],
    ["a dot as a dot", ses({ recipient: "a.b@a.example" }), () => to("a.b@a.example"), () => to("axb@a.example")],
    [
      "the address and not the name",
      ses({ recipient: "ann@a.example" }),
      () => to("Bob <ann@a.example>"),
      () => to('"ann@a.example" <bob@a.example>'),
    ],
    [
      "each recipient",
      ses({ recipient: "ann@a.example" }),
      () => to("bob@a.example", "ann@a.example"),
      () => to("bob@a.example"),
    ],
    [
      "a recipient of a copy",
      ses({ recipient: "ann@a.example" }),
      () => mail({ ToAddresses: ["bob@a.example"], CcAddresses: ["ann@a.example"] }),
      () => mail({ ToAddresses: ["bob@a.example"], CcAddresses: ["eve@a.example"] }),
    ],
    [
      "a recipient of a blind copy",
      ses({ recipient: "ann@a.example" }),
      () => mail({ ToAddresses: ["bob@a.example"], BccAddresses: ["ann@a.example"] }),
      () => mail({ ToAddresses: ["bob@a.example"], BccAddresses: ["eve@a.example"] }),
    ],
    [
      "no sender",
      ses({ recipient: "*@customers.example" }),
      () => to("a@customers.example"),
      () => mail({ ToAddresses: ["a@a.example"] }, "of b@customers.example"),
    ],
    [
      "an operation",
      ses({ operation: "SendTemplatedEmail" }),
      () => templated("a@a.example"),
      () => mail({ ToAddresses: ["a@a.example"] }),
    ],
    ["SES v2's", ses({ operation: "SendEmail" }), () => mailV2("a@a.example"), () => templated("a@a.example")],
    [
      "a text, without its encoding",
      ses({ text: "Grüße & mehr" }),
      () => mail({ ToAddresses: ["a@a.example"] }, "Viele Grüße & mehr!"),
      () => mail({ ToAddresses: ["a@a.example"] }, "Viele Grüße"),
    ],
    [
      "all that is given",
      ses({ recipient: "*@a.example", operation: "SendTemplatedEmail" }),
      () => templated("a@a.example"),
      () => to("a@a.example"),
    ],
    [
      "an event's id in a key",
      { service: "dynamodb", kind: "throttle", match: { operation: "PutItem", eventId: "event-1" } },
      () => putItem("event-1/mail"),
      () => putItem("event-2/mail"),
    ],
    [
      "an event's id in a message",
      { service: "sqs", kind: "throttle", match: { eventId: "event-1" } },
      () => sendMessage(JSON.stringify({ id: "event-1" })),
      () => sendMessage(JSON.stringify({ id: "event-2" })),
    ],
    [
      "an address in a text within a text",
      { service: "events", kind: "throttle", match: { recipient: "ann@a.example" } },
      () => putEvent({ recipient: "ann@a.example" }),
      () => putEvent({ recipient: "joann@a.example" }),
    ],
    [
      "an operation of another service",
      { service: "events", kind: "throttle", match: { operation: "ListRules" } },
      () => clients.events.send(new ListRulesCommand({})),
      () => putEvent({}),
    ],
    ["all of its service", { service: "sqs", kind: "throttle" }, () => sendMessage("any"), () => putItem("any")],
  ])("%s", async (_, fault, matched, other) => {
    await gateway.setFaults(fault);
    await expect(other()).resolves.toHaveProperty("$metadata.httpStatusCode", 200);
    expect(await gateway.hits()).toEqual([0]);
    await expect(matched()).rejects.toMatchObject({
      name: expect.stringMatching(
        /^(Throttling|ThrottlingException|TooManyRequestsException|RequestThrottled)$/,
      ) as string,
    });
    expect(await gateway.hits()).toEqual([1]);
  });
});

describe("of the calls that match, a fault meets", () => {
  const throttle = { service: "events", kind: "throttle" } as const;
  const error = { service: "events", kind: "error" } as const;
  const [passes, throttled, failed] = ["passes", "ThrottlingException", "InternalFailure"];

  /** How each of the events fares, one after the other. */
  async function fates(texts: readonly string[]): Promise<string[]> {
    const all: string[] = [];
    for (const text of texts) {
      all.push(
        await putEvent({ text }).then(
          () => "passes",
          (reason: unknown) => (reason as Error).name,
        ),
      );
    }
    return all;
  }

  it.each<[string, FaultInput[], string[], string[], number[]]>([
    ["all", [throttle], ["", "", ""], [throttled, throttled, throttled], [3]],
    [
      "each second",
      [{ ...throttle, every: 2 }],
      ["", "", "", "", ""],
      [passes, throttled, passes, throttled, passes],
      [2],
    ],
    ["each third", [{ ...throttle, every: 3 }], ["", "", "", ""], [passes, passes, throttled, passes], [1]],
    ["so many", [{ ...throttle, times: 2 }], ["", "", "", ""], [throttled, throttled, passes, passes], [2]],
    [
      "each second, so often",
      [{ ...throttle, every: 2, times: 1 }],
      ["", "", "", ""],
      [passes, throttled, passes, passes],
      [1],
    ],
    [
      "each second, whatever comes between",
      [{ ...throttle, every: 2, match: { text: "this" } }],
      ["this", "other", "this", "this"],
      [passes, passes, throttled, passes],
      [1],
    ],
    [
      "what no fault before it meets",
      [
        { ...throttle, times: 1 },
        { ...error, times: 1 },
      ],
      ["", "", ""],
      [throttled, failed, passes],
      [1, 1],
    ],
    [
      "what those before it do not match",
      [{ ...throttle, match: { text: "this" } }, error],
      ["other", "this"],
      [failed, throttled],
      [1, 1],
    ],
  ])("%s", async (_, faults, texts, expected, hits) => {
    await gateway.setFaults(...faults);
    expect(await fates(texts)).toEqual(expected);
    expect(await gateway.hits()).toEqual(hits);
  });

  it("as many as chance has it", () => {
    const random = jest.spyOn(Math, "random");
    const faults = new Faults({ changed: () => undefined });
    faults.set([{ ...throttle, probability: 0.3 }]);
    const meets = [0, 0.29, 0.3, 0.99].map((chance) => {
      random.mockReturnValueOnce(chance);
      return faults.take("events", ["throttle"], () => ({ text: "" })) !== undefined;
    });
    random.mockRestore();
    expect(meets).toEqual([true, true, false, false]);
    expect(faults.list).toEqual([{ ...throttle, probability: 0.3, hits: 2 }]);
  });
});

describe("a rate", () => {
  it("lets through so many calls a second, of those that match, and takes no credit from a pause", () => {
    let now = 0;
    const faults = new Faults({ changed: () => undefined }, () => now);
    const operation = "CreateTemplate";
    const ofRate = (perSecond: number, ...pauses: readonly number[]) => {
      faults.set([{ service: "ses", kind: "throttle", perSecond, match: { operation } }]);
      return pauses.map((milliseconds) => {
        now += milliseconds;
        const take = (name: string) => faults.take("ses", ["throttle"], () => ({ text: "", operation: name }));
        expect(take("GetTemplate")).toBeUndefined();
        return take(operation) === undefined;
      });
    };
    expect(ofRate(1, 0, 0, 999, 1, 0, 60_000, 0)).toEqual([true, false, false, true, false, true, false]);
    expect(faults.list).toMatchObject([{ perSecond: 1, hits: 4 }]);
    expect(ofRate(2, 0, 0, 0, 499, 1, 0)).toEqual([true, true, false, false, true, false]);
    expect(ofRate(0.5, 0, 1_000, 1_000)).toEqual([true, false, true]);
  });

  it("answers a call beyond it as SES words it", async () => {
    const operation = "CreateTemplate";
    await gateway.setFaults({ service: "ses", kind: "throttle", perSecond: 0.001, match: { operation } });
    const { ses } = clients;
    const create = (TemplateName: string) =>
      ses.send(new CreateTemplateCommand({ Template: { TemplateName, SubjectPart: "a" } }));
    await create("within");
    await expect(create("beyond")).rejects.toMatchObject({ name: "Throttling", message: "Rate exceeded" });
  });
});

describe("/_sandbox/faults", () => {
  const ask = (method: string, body?: unknown, headers: Record<string, string> = {}) =>
    fetch(`${gateway.gateway.url}/_sandbox/faults`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  const problemsOf = async (response: Response) => ((await response.json()) as { problems: string[] }).problems;

  it("sets faults, and tells them with what was left out and how often each was hit", async () => {
    const answer = await ask("PUT", [
      { service: "sqs", kind: "reset", match: { text: "x" } },
      { service: "events", kind: "error", times: 1 },
    ]);
    const set = [
      { service: "sqs", kind: "reset", accepts: false, match: { text: "x" }, hits: 0 },
      { service: "events", kind: "error", status: 500, times: 1, hits: 0 },
    ];
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual(set);
    expect(await gateway.get("faults")).toEqual(set);
    await expect(putEvent({})).rejects.toMatchObject({ name: "InternalFailure" });
    expect(await gateway.get("faults")).toEqual([set[0], { ...set[1], hits: 1 }]);
  });

  it("replaces all that was set, and counts anew", async () => {
    const sqs = { service: "sqs", kind: "throttle" } as const;
    await gateway.setFaults(sqs, { service: "events", kind: "throttle" });
    await expect(sendMessage("any")).rejects.toMatchObject({ name: "RequestThrottled" });
    expect(await gateway.hits()).toEqual([1, 0]);
    await ask("PUT", [sqs]);
    expect(await gateway.get("faults")).toEqual([{ ...sqs, hits: 0 }]);
    await expect(putEvent({})).resolves.toMatchObject({ FailedEntryCount: 0 });
  });

  it.each([
    ["DELETE", "DELETE", undefined],
    ["an empty PUT", "PUT", []],
  ])("%s clears them", async (_, method, body) => {
    await gateway.setFaults({ service: "events", kind: "throttle" });
    const answer = await ask(method, body);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual([]);
    await expect(putEvent({})).resolves.toMatchObject({ FailedEntryCount: 0 });
  });

  it.each<[string, unknown, RegExp]>([
    [
      "a service that is missing",
      { kind: "throttle" },
      /^\[0\]\.service: is missing; use one of ses, dynamodb, sqs, events, lambda$/,
    ],
    [
      "a service that nobody knows",
      { service: "sns", kind: "throttle" },
      /^\[0\]\.service: is "sns"; use one of ses, /,
    ],
    [
      "a service that every object has",
      { service: "toString", kind: "throttle" },
      /^\[0\]\.service: is "toString"; use one of/,
    ],
    ["a fault that is no object", null, /^\[0\]\.service: is missing;/],
    [
      "a kind that is missing",
      { service: "sqs" },
      /^\[0\]\.kind: is missing; "sqs" knows throttle, error, timeout, reset$/,
    ],
    [
      "a kind of another service",
      { service: "sqs", kind: "bounce" },
      /^\[0\]\.kind: is "bounce"; "sqs" knows throttle, error/,
    ],
    [
      "a kind that lambda has not",
      { service: "lambda", kind: "error" },
      /^\[0\]\.kind: is "error"; "lambda" knows throttle, crash, timeout$/,
    ],
    ["no moment of a crash", { service: "lambda", kind: "crash" }, /^\[0\]\.when: .*"before-send"\|"after-send"/],
    ["a status of no error", { service: "ses", kind: "error", status: 200 }, /^\[0\]\.status: .*400/],
    ["each first call", { service: "ses", kind: "throttle", every: 1 }, /^\[0\]\.every: .*2/],
    ["a chance of nothing", { service: "ses", kind: "throttle", probability: 0 }, /^\[0\]\.probability: .*0/],
    ["a chance of more than all", { service: "ses", kind: "throttle", probability: 1.1 }, /^\[0\]\.probability: .*1/],
    ["no rate", { service: "ses", kind: "throttle", perSecond: 0 }, /^\[0\]\.perSecond: .*0/],
    ["a rate of errors", { service: "ses", kind: "error", perSecond: 1 }, /^\[0\]: .*perSecond/],
    ["no times", { service: "ses", kind: "throttle", times: 0 }, /^\[0\]\.times: .*1/],
    ["a field that nobody reads", { service: "ses", kind: "throttle", accepts: true }, /^\[0\]: .*"accepts"/],
    ["a match that nobody reads", { service: "ses", kind: "throttle", match: { to: "x" } }, /^\[0\]\.match: .*"to"/],
    ["a match of nothing", { service: "ses", kind: "throttle", match: { text: "" } }, /^\[0\]\.match\.text: .*1/],
  ])("refuses %s", async (_, fault, problem) => {
    const answer = await ask("PUT", [fault]);
    expect(answer.status).toBe(400);
    expect(await problemsOf(answer)).toEqual([expect.stringMatching(problem)]);
  });

  it("names all problems of all faults, and leaves what was set", async () => {
    await gateway.setFaults({ service: "events", kind: "throttle" });
    const answer = await ask("PUT", [
      { service: "sqs", kind: "throttle" },
      { service: "ses", kind: "error", status: 1, times: 0 },
      { service: "nobody" },
      { service: "dynamodb", kind: "crash" },
    ]);
    expect(answer.status).toBe(400);
    const body = (await answer.json()) as { message: string; problems: string[] };
    expect(body.problems.map((problem) => problem.split(":")[0])).toEqual([
      "[1].status",
      "[1].times",
      "[2].service",
      "[3].kind",
    ]);
    expect(body.message).toBe(body.problems.join("\n"));
    await expect(putEvent({})).rejects.toMatchObject({ name: "ThrottlingException" });
    await expect(sendMessage("any")).resolves.toHaveProperty("MessageId");
  });

  it.each([
    ["one fault without its array", { service: "sqs", kind: "throttle" }, "JSON array of faults; [] clears them"],
    ["a text that is no JSON", "[{", "The body is no JSON"],
    ["an empty body", "", "The body is no JSON"],
  ])("refuses %s", async (_, body, message) => {
    const answer = await ask("PUT", body);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { message: string }).message).toContain(message);
  });

  it("is closed to pages of other sites", async () => {
    const headers = { origin: "http://evil.example" };
    expect((await ask("PUT", [{ service: "sqs", kind: "throttle" }], headers)).status).toBe(403);
    expect(await gateway.get("faults")).toEqual([]);
    await gateway.setFaults({ service: "events", kind: "throttle" });
    expect((await ask("DELETE", undefined, headers)).status).toBe(403);
    expect(await gateway.hits()).toEqual([0]);
  });
});

describe("a fault of lambda", () => {
  /** Mails `to`, without an SDK in its package. */
  const code = `
    export const handler = async ({ to }) => {
      const authorization = "AWS4-HMAC-SHA256 Credential=" + process.env.AWS_ACCESS_KEY_ID + "/20240101/us-east-1/ses/aws4_request, SignedHeaders=host, Signature=0";
      const response = await fetch(process.env.AWS_ENDPOINT_URL, {
        method: "POST",
        headers: { authorization },
        body: new URLSearchParams({
          Action: "SendTemplatedEmail", Version: "2010-12-01", Source: "${sender}", Template: "greeting", TemplateData: "{}",
          "Destination.ToAddresses.member.1": to,
        }),
      });
      return response.status;
    };`;
  let fn: string;
  beforeAll(async () => {
    fn = await gateway.createFunction(code, { Timeout: 5 });
  });

  async function invoke(id: string) {
    const { FunctionError, Payload = [] } = await gateway.lambda.send(
      new InvokeCommand({ FunctionName: fn, Payload: Buffer.from(JSON.stringify({ to: `${id}@customers.example` })) }),
    );
    return { FunctionError, result: JSON.parse(Buffer.from(Payload).toString("utf8")) as unknown };
  }

  const killed = { errorType: "Runtime.ExitError", errorMessage: expect.stringMatching(/signal: SIGKILL$/) as string };
  const timedOut = {
    errorType: "Sandbox.Timedout",
    errorMessage: expect.stringMatching(/Task timed out after 5\.00 seconds$/) as string,
  };

  it.each([
    ["crashes", "crash", "before-send", killed, false],
    ["crashes", "crash", "after-send", killed, true],
    ["hangs", "timeout", "before-send", timedOut, false],
    ["hangs", "timeout", "after-send", timedOut, true],
  ] as const)(
    "%s the function that sends (%s, %s), and the next invocation is well",
    async (_, kind, when, error, isMailed) => {
      const id = gateway.name("invoked");
      await gateway.setFaults({ service: "lambda", kind, when, match: { recipient: `${id}@*` } });
      expect(await invoke(id)).toEqual({ FunctionError: "Unhandled", result: error });
      expect(await gateway.hits()).toEqual([1]);
      expect(await services.ses.isDone(id)).toBe(isMailed);
      const next = gateway.name("next");
      expect(await invoke(next)).toEqual({ FunctionError: undefined, result: 200 });
      expect(await services.ses.isDone(next)).toBe(true);
    },
  );

  it("throttles a client's invocation, and the function does not run", async () => {
    const id = gateway.name("invoked");
    await gateway.setFaults({
      service: "lambda",
      kind: "throttle",
      match: { operation: "Invoke", recipient: `${id}@*` },
    });
    await expect(invoke(id)).rejects.toMatchObject(answered("TooManyRequestsException", 429));
    expect(await invoke(gateway.name("other"))).toMatchObject({ result: 200 });
    expect(await gateway.hits()).toEqual([1]);
    expect(await services.ses.isDone(id)).toBe(false);
  });

  it("throttles the invocation of an event, which Lambda keeps", async () => {
    const bus = await gateway.createBus();
    const rule = await gateway.createRule(bus, [{ Id: "fn", Arn: arnOf.fn(fn), InputPath: "$.detail" }]);
    await gateway.permit(fn, arnOf.rule(bus, rule));
    const id = gateway.name("invoked");
    await gateway.setFaults({ service: "lambda", kind: "throttle", times: 3, match: { text: id } });
    const [delivery] = await gateway.deliveries(await gateway.putEvent(bus, { to: `${id}@customers.example` }));
    expect(delivery).toMatchObject({ status: "delivered" });
    // More often than failures are retried.
    expect(delivery?.attempts).toMatchObject([{ status: "throttled", times: 3 }, { status: "success" }]);
    expect(await services.ses.isDone(id)).toBe(true);
  });
});

describe("a fault of sqs meets what AWS does by itself", () => {
  async function ruleToQueue() {
    const name = await gateway.createQueue();
    const bus = await gateway.createBus();
    const rule = await gateway.createRule(bus, [{ Id: "queue", Arn: arnOf.queue(name) }]);
    await gateway.allow(name, arnOf.rule(bus, rule));
    return { bus, name };
  }

  it.each([
    ["throttle", { kind: "throttle" }, 1],
    ["error", { kind: "error" }, 1],
    ["timeout", { kind: "timeout" }, 1],
    ["reset", { kind: "reset" }, 1],
    ["timeout after SQS took the message", { kind: "timeout", accepts: true }, 2],
    ["reset after SQS took the message", { kind: "reset", accepts: true }, 2],
  ] as const)("a rule's delivery, which EventBridge tries again: %s", async (_, fault, copies) => {
    const { bus, name } = await ruleToQueue();
    const text = gateway.name("detail");
    await gateway.setFaults({ service: "sqs", times: 1, match: { operation: "SendMessage", text }, ...fault });
    const [delivery] = await gateway.deliveries(await gateway.putEvent(bus, { text }));
    expect(delivery).toMatchObject({
      status: "delivered",
      attempts: [
        {
          status: "error",
          errorType: "ERROR_FROM_TARGET",
          errorMessage: expect.stringContaining(`by an injected fault (${fault.kind})`) as string,
        },
        { status: "success" },
      ],
    });
    expect(await gateway.messagesIn(name)).toHaveLength(copies);
  });

  it("a function's on-failure queue: the record is lost, and counted", async () => {
    const name = await gateway.createQueue();
    const fn = await failingFunction(arnOf.queue(name));
    await gateway.setFaults({ service: "sqs", kind: "error", times: 1, match: { text: "lost" } });
    await invokeEvent(fn, "lost");
    await until("the failure is counted", () => destinationFailures(fn));
    await invokeEvent(fn, "kept");
    expect((await gateway.receive(name)).Body).toContain("kept");
    await gateway.settle();
    expect(await destinationFailures(fn)).toBe(1);
  });

  it.each([
    ["ReceiveMessage", 1, "3600"],
    ["DeleteMessageBatch", 2, "5"],
  ])("a mapped queue, whose %s is tried again", async (operation, runs, visibilityTimeout) => {
    const fn = await gateway.createFunction(`export const handler = async () => { process.stdout.write("ran\\n"); };`);
    await gateway.createLogGroup(`/aws/lambda/${fn}`);
    const name = await gateway.createQueue({ VisibilityTimeout: visibilityTimeout });
    await gateway.setFaults({ service: "sqs", kind: "error", times: 1, match: { operation, text: `/${name}"` } });
    const { UUID } = await gateway.lambda.send(
      new CreateEventSourceMappingCommand({ EventSourceArn: arnOf.queue(name), FunctionName: fn }),
    );
    await gateway.sqs.send(new SendMessageCommand({ QueueUrl: gateway.queueUrl(name), MessageBody: "hello" }));
    const countRuns = async () => (await gateway.logLines(`/aws/lambda/${fn}`)).filter((line) => line === "ran").length;
    await until("all runs", async () => ((await countRuns()) >= runs ? true : undefined));
    await gateway.settle();
    expect(await countRuns()).toBe(runs);
    expect(await gateway.hits()).toEqual([1]);
    const notes = ((await gateway.get("notes")) as Note[]).map(({ text }) => text);
    expect(notes).toContainEqual(expect.stringMatching(new RegExp(`${name} .*by an injected fault \\(error\\)`)));
    await gateway.lambda.send(new DeleteEventSourceMappingCommand({ UUID }));
  });
});

describe("a destination that refuses, as a fault of events,", () => {
  it("loses the record of the invocation that matches, and it is counted", async () => {
    const bus = await gateway.createBus();
    const fn = await failingFunction(arnOf.bus(bus));
    await gateway.setFaults({ service: "events", kind: "refuse-destination", match: { text: "lost" } });
    await invokeEvent(fn, "lost");
    await until("the failure is counted", () => destinationFailures(fn));
    await invokeEvent(fn, "kept");
    await gateway.settle();
    const records = ((await gateway.get("activity")) as BusEvent[]).filter((event) => event.bus === bus);
    expect(records.map(({ detail }) => detail.requestPayload)).toEqual([{ text: "kept" }]);
    expect(await destinationFailures(fn)).toBe(1);
    expect(await gateway.hits()).toEqual([1]);
  });
});

/** Fails at once, and what it fails goes to the destination. */
async function failingFunction(destination: string): Promise<string> {
  const fn = await gateway.createFunction(`export const handler = async () => { throw new Error("no good"); };`);
  await gateway.lambda.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName: fn,
      MaximumRetryAttempts: 0,
      DestinationConfig: { OnFailure: { Destination: destination } },
    }),
  );
  return fn;
}

const invokeEvent = (FunctionName: string, text: string) =>
  gateway.lambda.send(
    new InvokeCommand({ FunctionName, InvocationType: "Event", Payload: Buffer.from(JSON.stringify({ text })) }),
  );

async function destinationFailures(fn: string): Promise<number | undefined> {
  const metrics = (await gateway.get("metrics")) as { DestinationDeliveryFailures: Record<string, number> };
  return metrics.DestinationDeliveryFailures[fn];
}

it("a recipient is looked for in time that grows with the text, whatever the text is", () => {
  const faults = new Faults({ changed: () => undefined });
  faults.set([{ service: "dynamodb", kind: "throttle", match: { recipient: "ann@a.example" } }]);
  const isTaken = (text: string) => faults.take("dynamodb", ["throttle"], () => ({ text })) !== undefined;
  // The square of an event's length took more than a minute.
  const word = "x".repeat(256_000);
  expect(isTaken(word)).toBe(false);
  expect(isTaken(`{"text":"${word}","to":["ann@a.example"]}`)).toBe(true);
});
