import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { CreateQueueCommand, GetQueueUrlCommand } from "@aws-sdk/client-sqs";
import { randomBytes } from "node:crypto";
import { accountId, clientSettings, gatewayForTests, signed } from "../support/gateway";

const gateway = gatewayForTests();
let s3: S3Client;
beforeAll(() => {
  s3 = new S3Client(clientSettings(gateway.gateway.url));
});
afterAll(() => {
  s3.destroy();
});
describe("what the gateway does not answer goes to moto as it came", () => {
  it("objects of some megabytes, with a key that has to be encoded", async () => {
    const content = randomBytes(3_000_000);
    const object = { Bucket: "state", Key: "a folder/é&?.tfstate" };
    await s3.send(new CreateBucketCommand({ Bucket: "state" }));
    await s3.send(new PutObjectCommand({ ...object, Body: content, ContentType: "application/x-test" }));
    const head = await s3.send(new HeadObjectCommand(object));
    expect(head).toMatchObject({ ContentLength: content.length, ContentType: "application/x-test" });
    const { Body: body } = await s3.send(new GetObjectCommand(object));
    expect(content.equals((await body?.transformToByteArray()) ?? new Uint8Array())).toBe(true);
  });

  it("errors as moto says them", async () => {
    await expect(s3.send(new GetObjectCommand({ Bucket: "state", Key: "nobody" }))).rejects.toMatchObject({
      name: "NoSuchKey",
    });
    await expect(gateway.sqs.send(new GetQueueUrlCommand({ QueueName: "nobody" }))).rejects.toMatchObject({
      name: "QueueDoesNotExist",
    });
  });

  it("the client's host, so that a queue's URL leads through the gateway", async () => {
    const { QueueUrl: url } = await gateway.sqs.send(new CreateQueueCommand({ QueueName: "mine" }));
    expect(url).toBe(`${gateway.gateway.url}/${accountId}/mine`);
  });
});

it("keeps a client's connection for as long as a sandbox is up: a call that is not repeated must not break on it", async () => {
  const { headers } = await fetch(`${gateway.gateway.url}/_sandbox/info`);
  expect(headers.get("keep-alive")).toBe("timeout=3600");
});

describe("what no client of AWS sends is the client's error, not the gateway's", () => {
  const sent = async (service: string, path: string, body: string, target = "") => {
    const response = await fetch(`${gateway.gateway.url}${path}`, {
      method: body === "" ? "GET" : "POST",
      headers: {
        ...signed(service),
        ...(body === "" ? {} : { "content-type": "application/x-amz-json-1.1" }),
        ...(target === "" ? {} : { "x-amz-target": target }),
      },
      ...(body === "" ? {} : { body }),
    });
    const text = await response.text();
    expect(text).not.toContain(process.cwd());
    return { status: response.status, type: response.headers.get("x-amzn-errortype") };
  };
  const malformed = { status: 400, type: "SerializationException" };

  it.each([
    ["events", "/", "AWSEvents.PutEvents"],
    ["events", "/", "AWSEvents.PutRule"],
    ["sqs", "/", "AmazonSQS.SetQueueAttributes"],
    ["logs", "/", "Logs_20140328.PutDataProtectionPolicy"],
    ["lambda", "/2015-03-31/functions", ""],
    ["ses", "/v2/email/outbound-emails", ""],
  ])("a body that is no JSON (%s %s %s)", async (service, path, target) => {
    expect(await sent(service, path, '{"a":', target)).toEqual(malformed);
  });

  it.each(["/v2/email/identities/%zz", "/v2/email/suppression/addresses/%zz"])(
    "a path that can't be decoded (%s)",
    async (path) => {
      expect(await sent("ses", path, "")).toEqual(malformed);
    },
  );

  it.each([
    ["events", "/", "AWSEvents.PutRule"],
    ["events", "/", "AWSEvents.PutEvents"],
    ["sqs", "/", "AmazonSQS.CreateQueue"],
    ["lambda", "/2015-03-31/event-source-mappings/", ""],
    ["ses", "/v2/email/configuration-sets", ""],
  ])("a body that is nested deeper than a stack (%s %s %s)", async (service, path, target) => {
    const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
    const body = `{"Name":${deep},"Attributes":{"RedriveAllowPolicy":"{}"},"Entries":[{"Source":"a","DetailType":"b","Detail":"{}","Resources":[${deep}]}]}`;
    expect(await sent(service, path, body, target)).toEqual(malformed);
  });

  it("a fault that is nested deeper than a stack", async () => {
    const body = `[{"service":${"[".repeat(50_000)}${"]".repeat(50_000)}}]`;
    expect((await fetch(`${gateway.gateway.url}/_sandbox/faults`, { method: "PUT", body })).status).toBe(400);
  });
});
