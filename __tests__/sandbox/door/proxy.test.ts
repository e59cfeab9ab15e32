import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { CreateQueueCommand, GetQueueUrlCommand } from "@aws-sdk/client-sqs";
import { randomBytes } from "node:crypto";
import { accountId, clientSettings, TestDoor } from "../../support/door";

let door: TestDoor;
let s3: S3Client;
beforeAll(async () => {
  door = await TestDoor.start();
  s3 = new S3Client(clientSettings(door.door.url));
}, 90_000);
afterAll(async () => {
  s3.destroy();
  await door.stop();
});
jest.setTimeout(60_000);

describe("what the door does not answer goes to moto as it came", () => {
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
    await expect(door.sqs.send(new GetQueueUrlCommand({ QueueName: "nobody" }))).rejects.toMatchObject({
      name: "QueueDoesNotExist",
    });
  });

  it("the client's host, so that a queue's URL leads through the door", async () => {
    const { QueueUrl: url } = await door.sqs.send(new CreateQueueCommand({ QueueName: "mine" }));
    expect(url).toBe(`${door.door.url}/${accountId}/mine`);
  });
});

it("keeps a client's connection for as long as a sandbox is up: a call that is not repeated must not break on it", async () => {
  const { headers } = await fetch(`${door.door.url}/_sandbox/info`);
  expect(headers.get("keep-alive")).toBe("timeout=3600");
});
