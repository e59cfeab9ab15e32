import {
  EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  TestEventPatternCommand,
} from "@aws-sdk/client-eventbridge";
import {
  CloudWatchLogsClient,
  DeleteDataProtectionPolicyCommand,
  GetDataProtectionPolicyCommand,
  PutDataProtectionPolicyCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  GetFunctionEventInvokeConfigCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  PutFunctionEventInvokeConfigCommand,
  UpdateEventSourceMappingCommand,
  UpdateFunctionConfigurationCommand,
  UpdateFunctionEventInvokeConfigCommand,
} from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import {
  DeleteConfigurationSetCommand,
  DeleteTemplateCommand,
  SESClient,
  SendEmailCommand,
  VerifyEmailIdentityCommand,
} from "@aws-sdk/client-ses";
import {
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ListQueueTagsCommand,
  type QueueAttributeName,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { accountId, arnOf, clientSettings, gatewayForTests, queuePolicy, region, signed } from "../support/gateway";

/**
 * Each test shows moto's own answer, asked for directly, to be wrong. One that fails there means that moto has fixed
 * it: then the gateway's patch can go, and the test with it.
 */
const gateway = gatewayForTests();
let moto: {
  events: EventBridgeClient;
  logs: CloudWatchLogsClient;
  lambda: LambdaClient;
  s3: S3Client;
  ses: SESClient;
  sqs: SQSClient;
};
beforeAll(() => {
  const settings = clientSettings(gateway.motoUrl);
  moto = {
    events: new EventBridgeClient(settings),
    logs: new CloudWatchLogsClient(settings),
    lambda: new LambdaClient(settings),
    s3: new S3Client(settings),
    ses: new SESClient(settings),
    sqs: new SQSClient({ ...settings, useQueueUrlAsEndpoint: false }),
  };
});
afterAll(() => {
  for (const client of Object.values(moto)) client.destroy();
});
describe("SQS", () => {
  async function attributes(client: SQSClient, queue: string, ...names: QueueAttributeName[]) {
    const { Attributes: found = {} } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: gateway.queueUrl(queue), AttributeNames: names }),
    );
    return found;
  }
  const set = (client: SQSClient, queue: string, values: Record<string, string>) =>
    client.send(new SetQueueAttributesCommand({ QueueUrl: gateway.queueUrl(queue), Attributes: values }));

  it("a redrive policy reads as it was written: moto puts white space in", async () => {
    const deadLetters = await gateway.createQueue();
    const policy = JSON.stringify({ deadLetterTargetArn: arnOf.queue(deadLetters), maxReceiveCount: 3 });
    const queue = await gateway.createQueue({ RedrivePolicy: policy });
    expect((await attributes(moto.sqs, queue, "All")).RedrivePolicy).not.toBe(policy);
    expect((await attributes(gateway.sqs, queue, "All")).RedrivePolicy).toBe(policy);
    expect((await attributes(gateway.sqs, queue, "RedrivePolicy")).RedrivePolicy).toBe(policy);
  });

  it("setting one attribute leaves the queue's policy: moto clears it", async () => {
    const names = [await gateway.createQueue(), await gateway.createQueue()] as const;
    for (const name of names) await set(moto.sqs, name, { Policy: queuePolicy(name, "arn:rule") });
    await set(moto.sqs, names[0], { VisibilityTimeout: "7" });
    await set(gateway.sqs, names[1], { VisibilityTimeout: "7" });
    expect((await attributes(gateway.sqs, names[0], "All")).Policy).toBeUndefined();
    const kept = await attributes(gateway.sqs, names[1], "All");
    expect(JSON.parse(kept.Policy ?? "{}")).toMatchObject({ Statement: [{ Effect: "Allow" }] });
    expect(kept.VisibilityTimeout).toBe("7");
    await set(gateway.sqs, names[1], { Policy: "" });
    expect((await attributes(gateway.sqs, names[1], "All")).Policy).toBeUndefined();
  });

  it("a redrive-allow policy is kept: moto drops it, and refuses to be asked for it", async () => {
    const policy = JSON.stringify({ redrivePermission: "denyAll" });
    const queue = await gateway.createQueue({ RedriveAllowPolicy: policy });
    expect(await attributes(moto.sqs, queue, "All")).not.toHaveProperty("RedriveAllowPolicy");
    await expect(attributes(moto.sqs, queue, "RedriveAllowPolicy")).rejects.toThrow();

    expect((await attributes(gateway.sqs, queue, "All")).RedriveAllowPolicy).toBe(policy);
    expect(await attributes(gateway.sqs, queue, "RedriveAllowPolicy")).toEqual({ RedriveAllowPolicy: policy });
    await set(gateway.sqs, queue, { RedriveAllowPolicy: "" });
    expect(await attributes(gateway.sqs, queue, "RedriveAllowPolicy")).toEqual({});
    await gateway.sqs.send(new DeleteQueueCommand({ QueueUrl: gateway.queueUrl(queue) }));
    await expect(attributes(gateway.sqs, queue, "RedriveAllowPolicy")).rejects.toMatchObject({
      name: "QueueDoesNotExist",
    });
  });
});

describe("CloudWatch Logs", () => {
  it("a log group has a data protection policy: moto has none", async () => {
    const logGroupIdentifier = "/aws/events/protected";
    await gateway.createLogGroup(logGroupIdentifier);
    const policyDocument = JSON.stringify({ Name: "masking", Version: "2021-06-01", Statement: [] });
    const put = new PutDataProtectionPolicyCommand({ logGroupIdentifier, policyDocument });
    const read = new GetDataProtectionPolicyCommand({ logGroupIdentifier });
    await expect(moto.logs.send(put)).rejects.toThrow();
    expect((await gateway.logs.send(read)).policyDocument).toBeUndefined();
    await gateway.logs.send(put);
    expect((await gateway.logs.send(read)).policyDocument).toBe(policyDocument);
    const remove = new DeleteDataProtectionPolicyCommand({ logGroupIdentifier });
    await gateway.logs.send(remove);
    expect((await gateway.logs.send(read)).policyDocument).toBeUndefined();
    await expect(gateway.logs.send(remove)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });
});

describe("SES v2", () => {
  interface Reply {
    readonly status: number;
    readonly body: Record<string, unknown>;
  }
  async function ask(base: string, method: string, path: string, body?: unknown): Promise<Reply> {
    const response = await fetch(`${base}/v2/email${path}`, {
      method,
      headers: { ...signed("ses"), "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {} };
  }
  const viaGateway = (method: string, path: string, body?: unknown) => ask(gateway.gateway.url, method, path, body);
  const viaMoto = (method: string, path: string, body?: unknown) => ask(gateway.motoUrl, method, path, body);

  async function createSet(body: Record<string, unknown> = {}): Promise<string> {
    const name = gateway.name("set");
    expect((await viaGateway("POST", "/configuration-sets", { ConfigurationSetName: name, ...body })).status).toBe(200);
    return name;
  }

  it("a configuration set reads whether it sends: moto answers an object", async () => {
    const [on, off] = [await createSet(), await createSet({ SendingOptions: { SendingEnabled: false } })];
    expect((await viaMoto("GET", `/configuration-sets/${off}`)).body.SendingOptions).toEqual({
      SendingEnabled: { SendingEnabled: false },
    });
    expect((await viaGateway("GET", `/configuration-sets/${off}`)).body.SendingOptions).toEqual({
      SendingEnabled: false,
    });
    expect((await viaGateway("GET", `/configuration-sets/${on}`)).body.SendingOptions).toEqual({
      SendingEnabled: true,
    });
  });

  it("a configuration set has no options that were never set: moto answers empty ones", async () => {
    const name = await createSet({ DeliveryOptions: { TlsPolicy: "REQUIRE" } });
    expect((await viaMoto("GET", `/configuration-sets/${name}`)).body).toMatchObject({
      TrackingOptions: {},
      VdmOptions: {},
    });
    const { body } = await viaGateway("GET", `/configuration-sets/${name}`);
    expect(body).toMatchObject({ DeliveryOptions: { TlsPolicy: "REQUIRE" } });
    expect(body).not.toHaveProperty("TrackingOptions");
    expect(body).not.toHaveProperty("VdmOptions");
  });

  it.each([
    ["delivery-options", "DeliveryOptions", { TlsPolicy: "OPTIONAL" }],
    ["reputation-options", "ReputationOptions", { ReputationMetricsEnabled: true }],
    ["suppression-options", "SuppressionOptions", { SuppressedReasons: ["BOUNCE"] }],
    ["sending", "SendingOptions", { SendingEnabled: false }],
  ])("the %s of a configuration set can be changed: moto cannot", async (path, name, value) => {
    const set = await createSet({ DeliveryOptions: { TlsPolicy: "REQUIRE" } });
    expect((await viaMoto("PUT", `/configuration-sets/${set}/${path}`, value)).status).toBeGreaterThanOrEqual(400);
    expect((await viaGateway("PUT", `/configuration-sets/${set}/${path}`, value)).status).toBe(200);
    expect((await viaGateway("GET", `/configuration-sets/${set}`)).body[name]).toEqual(value);
    await viaGateway("DELETE", `/configuration-sets/${set}`);
    await viaGateway("POST", "/configuration-sets", { ConfigurationSetName: set });
    expect((await viaGateway("GET", `/configuration-sets/${set}`)).body[name]).not.toEqual(value);
  });

  it("a configuration set has event destinations: moto has none", async () => {
    const set = await createSet();
    const path = `/configuration-sets/${set}/event-destinations`;
    const destination = {
      Enabled: true,
      MatchingEventTypes: ["BOUNCE"],
      EventBridgeDestination: { EventBusArn: arnOf.bus("default") },
    };
    const created = { EventDestinationName: "bus", EventDestination: destination };
    expect((await viaMoto("POST", path, created)).status).toBeGreaterThanOrEqual(400);

    expect(await viaGateway("POST", path, created)).toMatchObject({ status: 200 });
    expect((await viaGateway("POST", path, created)).status).toBe(400);
    expect((await viaGateway("GET", path)).body).toEqual({ EventDestinations: [{ ...destination, Name: "bus" }] });
    await viaGateway("PUT", `${path}/bus`, { EventDestination: { ...destination, Enabled: false } });
    expect((await viaGateway("GET", path)).body).toMatchObject({ EventDestinations: [{ Enabled: false }] });
    expect((await viaGateway("PUT", `${path}/other`, { EventDestination: destination })).status).toBe(404);
    expect((await viaGateway("DELETE", `${path}/bus`)).status).toBe(200);
    expect((await viaGateway("GET", path)).body).toEqual({ EventDestinations: [] });
  });

  it("an identity's tags are found under its ARN: moto keeps them under another", async () => {
    const tags = [{ Key: "stage", Value: "test" }];
    const path = (name: string) =>
      `/tags?ResourceArn=${encodeURIComponent(`arn:aws:ses:${region}:${accountId}:identity/${name}`)}`;
    await viaMoto("POST", "/identities", { EmailIdentity: "moto@example.com", Tags: tags });
    await viaGateway("POST", "/identities", { EmailIdentity: "gateway@example.com", Tags: tags });
    expect((await viaMoto("GET", path("moto@example.com"))).body.Tags).toEqual([]);
    expect((await viaGateway("GET", path("gateway@example.com"))).body.Tags).toEqual(tags);
  });

  it.each([
    ["configuration-set", { ConfigurationSetName: "set" }, { ConfigurationSetName: "set" }],
    ["feedback", { EmailForwardingEnabled: true }, { FeedbackForwardingStatus: true }],
    ["mail-from", { MailFromDomain: "m.example.com" }, { MailFromAttributes: { MailFromDomain: "m.example.com" } }],
  ])("an identity's %s can be changed: moto cannot", async (path, change, read) => {
    const name = `${path}@example.com`;
    await viaGateway("POST", "/identities", { EmailIdentity: name });
    const identity = `/identities/${encodeURIComponent(name)}`;
    expect((await viaMoto("PUT", `${identity}/${path}`, change)).status).toBeGreaterThanOrEqual(400);
    expect((await viaGateway("PUT", `${identity}/${path}`, change)).status).toBe(200);
    expect((await viaGateway("GET", identity)).body).toMatchObject(read);
  });

  it("what is there is not made again: moto takes an identity twice, and has v1's code for a set", async () => {
    const identity = { EmailIdentity: "twice@example.com" };
    await viaGateway("POST", "/identities", identity);
    expect((await viaMoto("POST", "/identities", identity)).status).toBe(200);
    expect(await viaGateway("POST", "/identities", identity)).toEqual({
      status: 400,
      body: expect.objectContaining({ __type: "AlreadyExistsException" }) as unknown,
    });
    const set = { ConfigurationSetName: await createSet() };
    expect((await viaMoto("POST", "/configuration-sets", set)).body.__type).toBe(
      "ConfigurationSetAlreadyExistsException",
    );
    expect(await viaGateway("POST", "/configuration-sets", set)).toEqual({
      status: 400,
      body: expect.objectContaining({ __type: "AlreadyExistsException" }) as unknown,
    });
  });

  it.each([
    ["DELETE", "/configuration-sets/none", undefined],
    ["PUT", "/configuration-sets/none/sending", { SendingEnabled: true }],
    ["GET", "/configuration-sets/none/event-destinations", undefined],
    ["POST", "/configuration-sets/none/event-destinations", { EventDestinationName: "x" }],
    ["DELETE", "/identities/none@example.com", undefined],
    ["PUT", "/identities/none@example.com/feedback", { EmailForwardingEnabled: true }],
  ])("what is not there is not found: %s %s", async (method, path, body) => {
    expect((await viaMoto(method, path, body)).body.__type).not.toBe("NotFoundException");
    expect(await viaGateway(method, path, body)).toEqual({
      status: 404,
      body: expect.objectContaining({ __type: "NotFoundException" }) as unknown,
    });
  });

  it("an identity that can send is verified, and a domain has DKIM tokens: moto says no, and has none", async () => {
    await viaGateway("POST", "/identities", { EmailIdentity: "example.org" });
    const { body: wrong } = await viaMoto("GET", "/identities/example.org");
    expect(wrong.VerifiedForSendingStatus).toBe(false);
    expect(wrong.DkimAttributes).not.toHaveProperty("Tokens");
    const { body: right } = await viaGateway("GET", "/identities/example.org");
    expect(right).toMatchObject({
      VerifiedForSendingStatus: true,
      DkimAttributes: {
        SigningEnabled: true,
        Status: "SUCCESS",
        Tokens: [expect.any(String), expect.any(String), expect.any(String)],
      },
    });
    expect((await viaGateway("GET", "/identities/example.org")).body).toEqual(right);
  });
});

describe("SES v1", () => {
  it("deletes what is not there: moto fails", async () => {
    const template = new DeleteTemplateCommand({ TemplateName: "none" });
    await expect(moto.ses.send(template)).rejects.toThrow();
    await expect(gateway.ses.send(template)).resolves.toHaveProperty("$metadata");
    const set = new DeleteConfigurationSetCommand({ ConfigurationSetName: "none" });
    await expect(moto.ses.send(set)).rejects.not.toMatchObject({ name: "ConfigurationSetDoesNotExistException" });
    await expect(gateway.ses.send(set)).rejects.toMatchObject({
      name: "ConfigurationSetDoesNotExistException",
      message: "Configuration set <none> does not exist.",
    });
  });
});

describe("Lambda", () => {
  const code = "export const handler = async () => 1;";
  const kmsKeyArn = `arn:aws:kms:${region}:${accountId}:key/1`;

  it("a function reads as it was created: moto leaves out logging, dead letters and key", async () => {
    const queue = await gateway.createQueue();
    const configuration = {
      LoggingConfig: { LogFormat: "JSON", LogGroup: "/own", ApplicationLogLevel: "INFO", SystemLogLevel: "WARN" },
      DeadLetterConfig: { TargetArn: arnOf.queue(queue) },
      KMSKeyArn: kmsKeyArn,
    } as const;
    const name = await gateway.createFunction(code, configuration);
    const wrong = await moto.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
    for (const field of Object.keys(configuration)) expect(wrong).not.toHaveProperty(field);
    expect(await gateway.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }))).toMatchObject(
      configuration,
    );
    expect((await gateway.lambda.send(new GetFunctionCommand({ FunctionName: name }))).Configuration).toMatchObject(
      configuration,
    );
  });

  it("a function without a logging configuration has AWS's: moto has none", async () => {
    const name = await gateway.createFunction(code);
    const read = await gateway.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
    expect(read.LoggingConfig).toEqual({ LogFormat: "Text", LogGroup: `/aws/lambda/${name}` });
    expect(read).not.toHaveProperty("DeadLetterConfig");
    expect(read).not.toHaveProperty("KMSKeyArn");
  });

  it("a function's configuration can be changed: moto leaves tracing and storage as they were", async () => {
    const name = await gateway.createFunction(code);
    const change = {
      TracingConfig: { Mode: "Active" },
      EphemeralStorage: { Size: 1024 },
      LoggingConfig: { LogFormat: "JSON" },
      MemorySize: 512,
    } as const;
    const updated = await gateway.lambda.send(
      new UpdateFunctionConfigurationCommand({ FunctionName: name, ...change }),
    );
    const wrong = await moto.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
    expect(wrong).toMatchObject({
      TracingConfig: { Mode: "PassThrough" },
      EphemeralStorage: { Size: 512 },
      MemorySize: 512,
    });
    expect(updated).toMatchObject(change);
    expect(await gateway.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }))).toMatchObject(
      change,
    );
  });

  it("an event invoke config is replaced: moto reads the first for ever", async () => {
    const put = (client: LambdaClient, name: string, attempts: number) =>
      client.send(
        new PutFunctionEventInvokeConfigCommand({
          FunctionName: name,
          MaximumRetryAttempts: attempts,
          MaximumEventAgeInSeconds: 60,
        }),
      );
    const read = (client: LambdaClient, name: string) =>
      client.send(new GetFunctionEventInvokeConfigCommand({ FunctionName: name }));
    const [wrong, right] = [await gateway.createFunction(code), await gateway.createFunction(code)];
    for (const attempts of [2, 0]) {
      await put(moto.lambda, wrong, attempts);
      await put(gateway.lambda, right, attempts);
    }
    expect((await read(moto.lambda, wrong)).MaximumRetryAttempts).toBe(2);
    expect((await read(gateway.lambda, right)).MaximumRetryAttempts).toBe(0);
    await gateway.lambda.send(
      new UpdateFunctionEventInvokeConfigCommand({ FunctionName: right, MaximumRetryAttempts: 1 }),
    );
    expect(await read(gateway.lambda, right)).toMatchObject({ MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 60 });
  });

  it("a queue is mapped to a function once: moto maps it again", async () => {
    const [fn, other] = [await gateway.createFunction(code), await gateway.createFunction(code)];
    const EventSourceArn = arnOf.queue(await gateway.createQueue());
    const map = (client: LambdaClient, FunctionName: string) =>
      client.send(new CreateEventSourceMappingCommand({ EventSourceArn, FunctionName, Enabled: false }));
    const { UUID: id = "" } = await map(gateway.lambda, fn);
    await map(gateway.lambda, other);
    await expect(map(gateway.lambda, arnOf.fn(fn))).rejects.toMatchObject({
      name: "ResourceConflictException",
      message: `An event source mapping with SQS arn (" ${EventSourceArn} ") and function (" ${fn} ") already exists. Please update or delete the existing mapping with UUID ${id}`,
      $metadata: { httpStatusCode: 409 },
    });
    await expect(map(moto.lambda, fn)).resolves.toHaveProperty("UUID");
  });

  it("a permission has an id of its own: moto adds a second of the same", async () => {
    const fn = await gateway.createFunction(code);
    const permit = (client: LambdaClient, Qualifier?: string) =>
      client.send(
        new AddPermissionCommand({
          FunctionName: fn,
          StatementId: "rule",
          Action: "lambda:InvokeFunction",
          Principal: "events.amazonaws.com",
          ...(Qualifier === undefined ? {} : { Qualifier }),
        }),
      );
    expect((await permit(gateway.lambda)).$metadata.httpStatusCode).toBe(201);
    await expect(permit(gateway.lambda)).rejects.toMatchObject({
      name: "ResourceConflictException",
      message:
        "The statement id (rule) provided already exists. Please provide a new statement id, or remove the existing statement.",
      $metadata: { httpStatusCode: 409 },
    });
    await expect(permit(moto.lambda)).resolves.toHaveProperty("Statement");
  });

  it("an alias or a function is there once: moto has a code of its own for an alias", async () => {
    const fn = await gateway.createFunction(code);
    await expect(gateway.createFunction(code, { FunctionName: fn })).rejects.toMatchObject({
      name: "ResourceConflictException",
      message: `Function already exist: ${fn}`,
      $metadata: { httpStatusCode: 409 },
    });
    const alias = new CreateAliasCommand({ FunctionName: fn, Name: "live", FunctionVersion: "$LATEST" });
    await gateway.lambda.send(alias);
    await expect(moto.lambda.send(alias)).rejects.toMatchObject({ name: "ConflictException" });
    await expect(gateway.lambda.send(alias)).rejects.toMatchObject({
      name: "ResourceConflictException",
      message: `Alias already exists: ${arnOf.fn(fn)}:live`,
    });
  });

  it("a message for a mapped queue is left to its poller: moto receives it, to run the function in Docker", async () => {
    const map = async (client: LambdaClient) => {
      const fn = await gateway.createFunction(code);
      const queue = await gateway.createQueue();
      const command = new CreateEventSourceMappingCommand({ EventSourceArn: arnOf.queue(queue), FunctionName: fn });
      const { UUID: id = "", State: state } = await client.send(command);
      return { id, state, queue };
    };
    // Sent and received through moto, so that the gateway's poller has no part in it.
    const receives = async (queue: string) => {
      const QueueUrl = gateway.queueUrl(queue);
      await moto.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }));
      const { Messages: [message] = [] } = await moto.sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MessageSystemAttributeNames: ["ApproximateReceiveCount"] }),
      );
      return message?.Attributes?.ApproximateReceiveCount;
    };
    expect(await receives((await map(moto.lambda)).queue)).not.toBe("1");
    const right = await map(gateway.lambda);
    expect(right.state).toBe("Enabled");
    expect(await motoState(right.id)).toBe("Disabled");

    const read = new GetEventSourceMappingCommand({ UUID: right.id });
    expect((await gateway.lambda.send(read)).State).toBe("Enabled");
    await gateway.lambda.send(new UpdateEventSourceMappingCommand({ UUID: right.id, Enabled: false }));
    await gateway.lambda.send(new UpdateEventSourceMappingCommand({ UUID: right.id, BatchSize: 5 }));
    expect(await gateway.lambda.send(read)).toMatchObject({ State: "Disabled", BatchSize: 5 });
    const { EventSourceMappings: all = [] } = await gateway.lambda.send(new ListEventSourceMappingsCommand({}));
    expect(all.find(({ UUID }) => UUID === right.id)?.State).toBe("Disabled");
  });
});

async function motoState(mappingId: string): Promise<string | undefined> {
  return (await moto.lambda.send(new GetEventSourceMappingCommand({ UUID: mappingId }))).State;
}

describe("what the gateway answers by itself, because moto", () => {
  it("fails at an event for a function", async () => {
    const bus = await gateway.createBus();
    const fn = await gateway.createFunction("export const handler = async () => 1;");
    await moto.events.send(new PutRuleCommand({ Name: "fn", EventBusName: bus, EventPattern: '{"source":["test"]}' }));
    await moto.events.send(
      new PutTargetsCommand({ Rule: "fn", EventBusName: bus, Targets: [{ Id: "fn", Arn: arnOf.fn(fn) }] }),
    );
    const put = new PutEventsCommand({
      Entries: [{ EventBusName: bus, Source: "test", DetailType: "x", Detail: "{}" }],
    });
    await expect(moto.events.send(put)).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    await expect(gateway.events.send(put)).resolves.toMatchObject({ FailedEntryCount: 0 });
  });

  it("has no TestEventPattern", async () => {
    const test = new TestEventPatternCommand({ EventPattern: '{"source":["a"]}', Event: "{}" });
    expect((await moto.events.send(test)).Result).toBeUndefined();
  });

  it("takes patterns that EventBridge refuses", async () => {
    const put = new PutRuleCommand({ Name: "bad", EventPattern: '{"source":[{"starts":"a"}]}' });
    await expect(moto.events.send(put)).resolves.toHaveProperty("RuleArn");
  });

  it("takes a mail for a configuration set that does not exist", async () => {
    await moto.ses.send(new VerifyEmailIdentityCommand({ EmailAddress: "a@example.com" }));
    const send = new SendEmailCommand({
      Source: "a@example.com",
      Destination: { ToAddresses: ["b@example.com"] },
      Message: { Subject: { Data: "s" }, Body: { Text: { Data: "t" } } },
      ConfigurationSetName: "nope",
    });
    await expect(moto.ses.send(send)).resolves.toHaveProperty("MessageId");
    await expect(gateway.ses.send(send)).rejects.toMatchObject({ name: "ConfigurationSetDoesNotExistException" });
  });

  it("rejects an unverified sender in other words than SES", async () => {
    const send = new SendEmailCommand({
      Source: "nobody@example.com",
      Destination: { ToAddresses: ["b@example.com"] },
      Message: { Subject: { Data: "s" }, Body: { Text: { Data: "t" } } },
    });
    await expect(moto.ses.send(send)).rejects.toThrow("Email address not verified");
    await expect(gateway.ses.send(send)).rejects.toThrow(
      "Email address is not verified. The following identities failed",
    );
  });
});

describe("an older API's calls", () => {
  const query = async (service: string, fields: Record<string, string>, path = "/") => {
    const response = await fetch(`${gateway.gateway.url}${path}`, {
      method: "POST",
      headers: {
        ...signed(service),
      },
      body: new URLSearchParams(fields),
    });
    return { status: response.status, text: await response.text() };
  };
  const v2 = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${gateway.gateway.url}/v2/email${path}`, {
      method,
      headers: {
        "content-type": "application/json",
        ...signed("ses"),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await response.json()) as Record<string, unknown>;
  };

  describe("to SQS, in its Query protocol", () => {
    const sqs = (fields: Record<string, string>) => query("sqs", { Version: "2012-11-05", ...fields });
    const attributesIn = (xml: string) =>
      Object.fromEntries(
        [...xml.matchAll(/<Attribute><Name>([^<]*)<\/Name><Value>([^<]*)<\/Value><\/Attribute>/g)].map(
          ([, name = "", value = ""]) => [name, value],
        ),
      );
    const read = async (queue: string, ...names: string[]) => {
      const asked = names.map((name, index) => [`AttributeName.${index + 1}`, name] as const);
      const fields = { Action: "GetQueueAttributes", QueueUrl: gateway.queueUrl(queue), ...Object.fromEntries(asked) };
      return attributesIn((await sqs(fields)).text);
    };

    it("are answered", async () => {
      const QueueUrl = gateway.queueUrl("older");
      const calls: Record<string, string>[] = [
        { Action: "CreateQueue", QueueName: "older" },
        { Action: "SetQueueAttributes", QueueUrl, "Attribute.1.Name": "VisibilityTimeout", "Attribute.1.Value": "3" },
        { Action: "GetQueueAttributes", QueueUrl, "AttributeName.1": "All" },
        { Action: "SendMessage", QueueUrl, MessageBody: "text" },
        { Action: "ReceiveMessage", QueueUrl, "AttributeName.1": "All", MaxNumberOfMessages: "1" },
        { Action: "DeleteQueue", QueueUrl },
      ];
      for (const call of calls) {
        const { status, text } = await sqs(call);
        expect([call.Action, status]).toEqual([call.Action, 200]);
        expect(text).toContain(`<${call.Action ?? ""}Response`);
      }
      expect(await sqs({ Action: "GetQueueAttributes", QueueUrl, "AttributeName.1": "All" })).toEqual({
        status: 400,
        text: expect.stringContaining("<Code>AWS.SimpleQueueService.NonExistentQueue</Code>") as string,
      });
    });

    it("are patched as those in JSON: what was set reads as it was set, and stays", async () => {
      const queue = gateway.name("older");
      const deadLetters = await gateway.createQueue();
      const policies = {
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf.queue(deadLetters), maxReceiveCount: 3 }),
        RedriveAllowPolicy: JSON.stringify({ redrivePermission: "denyAll" }),
        Policy: queuePolicy(queue, "arn:rule?a&b"),
      };
      const given = Object.entries(policies).flatMap(([name, value], index) => [
        [`Attribute.${index + 1}.Name`, name] as const,
        [`Attribute.${index + 1}.Value`, value] as const,
      ]);
      const tag = { "Tag.1.Key": "stage", "Tag.1.Value": "test" };
      const { text: created } = await sqs({
        Action: "CreateQueue",
        QueueName: queue,
        ...tag,
        ...Object.fromEntries(given),
      });
      expect(created).toContain(`<QueueUrl>${gateway.queueUrl(queue)}</QueueUrl>`);
      const QueueUrl = gateway.queueUrl(queue);
      const { Tags: tags } = await gateway.sqs.send(new ListQueueTagsCommand({ QueueUrl }));
      expect(tags).toEqual({ stage: "test" });
      // By the queue's own path, as the oldest clients do it, and with a name that has no number.
      const visibility = { "Attribute.Name": "VisibilityTimeout", "Attribute.Value": "7" };
      await query("sqs", { Action: "SetQueueAttributes", ...visibility }, `/${accountId}/${queue}`);

      const all = await read(queue, "All");
      expect(all.VisibilityTimeout).toBe("7");
      expect(all.Policy).toContain("arn:rule?a&#38;b");
      expect(all).toMatchObject({
        RedrivePolicy: policies.RedrivePolicy,
        RedriveAllowPolicy: policies.RedriveAllowPolicy,
      });
      expect(await read(queue, "RedriveAllowPolicy")).toEqual({ RedriveAllowPolicy: policies.RedriveAllowPolicy });
      const inJson = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["RedriveAllowPolicy"] });
      expect((await gateway.sqs.send(inJson)).Attributes).toEqual({ RedriveAllowPolicy: policies.RedriveAllowPolicy });
      await sqs({ Action: "DeleteQueue", QueueUrl });
      await sqs({ Action: "CreateQueue", QueueName: queue });
      expect(await read(queue, "RedriveAllowPolicy")).toEqual({});
    });
  });

  it("what SES v1 deletes leaves nothing to its successor", async () => {
    const Version = "2010-12-01";
    const set = { ConfigurationSetName: "successor" };
    const EventDestination = {
      Enabled: true,
      MatchingEventTypes: ["SEND"],
      EventBridgeDestination: { EventBusArn: "x" },
    };
    await v2("POST", "/configuration-sets", set);
    await v2("POST", "/configuration-sets/successor/event-destinations", {
      EventDestinationName: "a",
      EventDestination,
    });
    await v2("PUT", "/configuration-sets/successor/sending", { SendingEnabled: false });
    expect((await query("ses", { Action: "DeleteConfigurationSet", Version, ...set })).status).toBe(200);
    await v2("POST", "/configuration-sets", set);
    expect(await v2("GET", "/configuration-sets/successor/event-destinations")).toEqual({ EventDestinations: [] });
    expect(await v2("GET", "/configuration-sets/successor")).toMatchObject({
      SendingOptions: { SendingEnabled: true },
    });

    await v2("POST", "/identities", { EmailIdentity: "successor.example" });
    const before = await v2("GET", "/identities/successor.example");
    await v2("PUT", "/identities/successor.example/mail-from", { MailFromDomain: "mail.successor.example" });
    expect((await query("ses", { Action: "DeleteIdentity", Version, Identity: "successor.example" })).status).toBe(200);
    await v2("POST", "/identities", { EmailIdentity: "successor.example" });
    expect(await v2("GET", "/identities/successor.example")).toEqual(before);
  });
});

describe("S3", () => {
  const denial = (...condition: object[]) => ({
    Version: "2012-10-17",
    Statement: condition.map((Condition) => ({
      Effect: "Deny",
      Principal: "*",
      Action: "s3:*",
      Resource: "arn:aws:s3:::*",
      ...("Bool" in Condition ? { Condition } : {}),
    })),
  });
  const withoutTls = { Bool: { "aws:SecureTransport": "false" } };
  let s3: S3Client;
  beforeAll(() => {
    s3 = new S3Client(clientSettings(gateway.gateway.url));
  });
  afterAll(() => {
    s3.destroy();
  });

  async function keeps(client: S3Client, bucket: string, policy: object): Promise<void> {
    const object = { Bucket: bucket, Key: "terraform.tfstate" };
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify(policy) }));
    const { Policy: kept } = await client.send(new GetBucketPolicyCommand({ Bucket: bucket }));
    expect(JSON.parse(kept ?? "")).toEqual(policy);
    await client.send(new PutObjectCommand({ ...object, Body: "{}" }));
    await client.send(new GetObjectCommand(object));
  }

  it("a bucket that denies requests without TLS takes others: moto knows no conditions", async () => {
    await expect(keeps(moto.s3, "refused-by-moto", denial(withoutTls))).rejects.toThrow();
    await keeps(s3, "state-with-policy", denial(withoutTls));
    // A second client, or Terraform's next plan, reads it as it was put.
    const read = new GetBucketPolicyCommand({ Bucket: "state-with-policy" });
    expect(JSON.parse((await s3.send(read)).Policy ?? "")).toEqual(denial(withoutTls));
    await s3.send(new DeleteBucketPolicyCommand({ Bucket: "state-with-policy" }));
    await expect(s3.send(read)).rejects.toMatchObject({ name: "NoSuchBucketPolicy" });
  });

  it("a denial without a condition holds", async () => {
    await expect(keeps(s3, "closed", denial(withoutTls, {}))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 403 },
    });
  });

  it("a bucket that is deleted takes its policy along, and one that is not there gets none", async () => {
    const bucket = { Bucket: "short-lived" };
    await s3.send(new CreateBucketCommand(bucket));
    await s3.send(new PutBucketPolicyCommand({ ...bucket, Policy: JSON.stringify(denial(withoutTls)) }));
    await s3.send(new DeleteBucketCommand(bucket));
    await expect(
      s3.send(new PutBucketPolicyCommand({ ...bucket, Policy: JSON.stringify(denial(withoutTls)) })),
    ).rejects.toMatchObject({ name: "NoSuchBucket" });
    await s3.send(new CreateBucketCommand(bucket));
    await expect(s3.send(new GetBucketPolicyCommand(bucket))).rejects.toMatchObject({ name: "NoSuchBucketPolicy" });
  });
});
