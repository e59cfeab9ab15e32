import { SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDoor } from "../../../sandbox/door";
import { accountId, arnOf, queuePolicy, region, TestDoor } from "../../support/door";

let door: TestDoor;
let assetsDirectory: string;
beforeAll(async () => {
  assetsDirectory = await mkdtemp(join(tmpdir(), "page-"));
  await writeFile(join(assetsDirectory, "index.html"), "<!doctype html><title>Inbox</title>");
  await writeFile(join(assetsDirectory, "page.js"), "export {};");
  await writeFile(join(assetsDirectory, "notes.txt"), "not a part of the page");
  await writeFile(join(assetsDirectory, "..", "outside.js"), "secret");
  door = await TestDoor.start({ assetsDirectory });
}, 90_000);
afterAll(async () => {
  await door.stop();
  await rm(assetsDirectory, { recursive: true, force: true });
});
jest.setTimeout(60_000);

const ask = (path: string, options: RequestInit = {}) => fetch(`${door.door.url}/_sandbox/${path}`, options);

/** Without fetch's own idea of a path and of headers. */
async function askRaw(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${door.door.url}/`, { path, headers, method }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

it("is healthy from the moment that it is marked ready", async () => {
  expect((await ask("health")).status).toBe(503);
  expect(await door.get("health")).toEqual({ status: "starting" });
  door.door.markReady();
  expect((await ask("health")).status).toBe(200);
  expect(await door.get("health")).toEqual({ status: "ready" });
});

it("says what this sandbox is, and what it does not emulate", async () => {
  expect(await door.get("info")).toEqual({
    endpoint: door.door.url,
    region,
    accountId,
    retryDelaysMs: [20, 40],
    notEmulated: expect.arrayContaining([expect.stringMatching(/^IAM/)]) as string[],
    startedAt: expect.stringMatching(/Z$/) as string,
  });
});

it("answers an unknown route with those that exist", async () => {
  const response = await ask("nothing");
  expect(response.status).toBe(404);
  const { routes } = (await response.json()) as { routes: string[] };
  expect(routes.join("\n")).toMatch(/POST \/_sandbox\/fire\/<rule>/);
  expect((await ask("messages", { method: "DELETE" })).status).toBe(404);
  expect((await ask("messages/nobody.eml")).status).toBe(404);
});

it("answers each of the routes that it names", async () => {
  const { routes } = (await (await ask("nothing")).json()) as { routes: string[] };
  const named = routes.flatMap((route) => {
    const [, method = "", path = ""] = /^([A-Z]+) \/_sandbox\/([^\s<]*): /.exec(route) ?? [];
    return method === "" ? [] : [{ method, path }];
  });
  expect(named.map(({ path }) => path)).toEqual(expect.arrayContaining(["metrics", "pending", "faults", "stream"]));
  for (const { method, path } of named) {
    const response = await ask(path, { method, ...(method === "PUT" ? { body: "[]" } : {}) });
    expect({ method, path, status: response.status }).not.toMatchObject({ status: 404 });
    await response.body?.cancel();
  }
});

it("counts nothing before anything happened", async () => {
  expect(await door.get("metrics")).toEqual({ InvocationsFailedToBeSentToDlq: {}, DestinationDeliveryFailures: {} });
  expect(await door.get("pending")).toEqual({ tasks: 0 });
  expect(await door.get("faults")).toEqual([]);
});

describe("the page", () => {
  it("is served with its files, under a policy that lets in nothing of a mail", async () => {
    const page = await ask("");
    expect(await page.text()).toContain("<title>Inbox</title>");
    expect(page.headers.get("content-type")).toMatch(/^text\/html/);
    expect(page.headers.get("content-security-policy")).toMatch(/default-src 'none'; script-src 'self';/);
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    expect((await ask("page.js")).headers.get("content-type")).toMatch(/^text\/javascript/);
    expect((await fetch(`${door.door.url}/_sandbox`)).url).toBe(`${door.door.url}/_sandbox/`);
  });

  it.each([
    "/_sandbox/%zz.js",
    "/_sandbox/..%2foutside.js",
    "/_sandbox/%2e%2e/outside.js",
    "/_sandbox/notes.txt",
    "/_sandbox/missing.js",
  ])("is all that is served: not %s", async (path) => {
    expect(await askRaw(path)).not.toBe(200);
  });
});

describe("the stream", () => {
  it("tells of each change", async () => {
    const controller = new AbortController();
    const response = await ask("stream", { signal: controller.signal });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    const read = async () => Buffer.from((await reader.read()).value ?? []).toString("utf8");
    const first = await read();
    expect(first).toMatch(/^event: change\ndata: \{"messages":\d+,"activity":\d+\}\n\n$/);
    const before = Number(/"activity":(\d+)/.exec(first)?.[1]);
    await door.putEvent("default", {});
    expect(await read()).toContain(`"activity":${before + 1}`);
    controller.abort();
  });
});

describe("firing a scheduled rule", () => {
  const fire = (name: string, headers: Record<string, string> = {}) =>
    ask(`fire/${encodeURIComponent(name)}`, { method: "POST", headers });

  it("delivers the event that the clock would send", async () => {
    const queue = await door.createQueue();
    const rule = await door.createRule("default", [{ Id: "queue", Arn: arnOf.queue(queue) }], {
      schedule: "rate(1 day)",
    });
    await allow(queue, rule);
    const { eventId } = (await (await fire(rule)).json()) as { eventId: string };
    const message = await door.receive(queue);
    expect(JSON.parse(message.Body ?? "")).toEqual({
      version: "0",
      id: eventId,
      "detail-type": "Scheduled Event",
      source: "aws.events",
      account: accountId,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
      region,
      resources: [arnOf.rule("default", rule)],
      detail: {},
    });
    expect((await door.deliveries(eventId))[0]).toMatchObject({ rule, bus: "default", status: "delivered" });
  });

  it("gives each firing a minute of its own, as a schedule's occurrences have", async () => {
    const queue = await door.createQueue();
    const rule = await door.createRule("default", [{ Id: "queue", Arn: arnOf.queue(queue) }], {
      schedule: "rate(1 day)",
    });
    await allow(queue, rule);
    for (let count = 0; count < 3; count += 1) await fire(rule);
    const times: string[] = [];
    while (times.length < 3) {
      const { Body = "" } = await door.receive(queue);
      times.push((JSON.parse(Body) as { time: string }).time);
    }
    const minutes = times.map((time) => Date.parse(time) / 60_000).sort((a, b) => a - b);
    expect(minutes.map((minute) => minute - (minutes[0] ?? 0))).toEqual([0, 1, 2]);
  });

  it("is refused for a rule that is unknown, disabled or has no schedule", async () => {
    const scheduled = await door
      .createRule("default", [], { schedule: "rate(1 day)", state: "DISABLED" })
      .catch(String);
    const byEvent = await door.createRule("default", [{ Id: "x", Arn: arnOf.queue("x") }], {
      pattern: { source: ["none"] },
    });
    const unknown = await fire("nobody");
    expect(unknown.status).toBe(404);
    expect(((await unknown.json()) as { scheduledRules: string[] }).scheduledRules).toContain(scheduled);
    expect((await fire(scheduled)).status).toBe(409);
    expect((await fire(byEvent)).status).toBe(400);
  });

  it("goes on for the page's own scripts, and is refused to forms", async () => {
    expect((await fire("nobody", { origin: door.door.url })).status).toBe(404);
    expect((await fire("nobody", { "content-type": "application/json" })).status).toBe(404);
    expect((await fire("nobody", { "content-type": "application/x-www-form-urlencoded" })).status).toBe(415);
  });
});

describe("what goes wrong", () => {
  it("a port in use is named, with the way out", async () => {
    const port = Number(new URL(door.door.url).port);
    const options = { motoSocket: "/nowhere", region, accountId, workDirectory: assetsDirectory, retryDelaysMs: [] };
    await expect(startDoor({ ...options, port })).rejects.toThrow(
      new RegExp(`Port ${port} of 127\\.0\\.0\\.1 is in use.*SANDBOX_PORT=<n>`),
    );
  });

  it("a moto that is gone is named, to every client", async () => {
    const alone = await startDoor({
      port: 0,
      motoSocket: "/nowhere/moto.sock",
      region,
      accountId,
      workDirectory: assetsDirectory,
      retryDelaysMs: [],
    });
    const answers = await Promise.all(
      ["s3", "sns"].map(async (service) => {
        const authorization = `AWS4-HMAC-SHA256 Credential=test/20240101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`;
        const response = await fetch(alone.url, { method: "POST", body: "a=b", headers: { authorization } });
        return { status: response.status, text: await response.text() };
      }),
    );
    await alone.close();
    for (const { status, text } of answers) {
      expect(status).toBe(503);
      expect(text).toContain("moto does not answer at /nowhere/moto.sock");
    }
  });
});

async function allow(queue: string, rule: string): Promise<void> {
  await door.sqs.send(
    new SetQueueAttributesCommand({
      QueueUrl: `${door.door.url}/${accountId}/${queue}`,
      Attributes: { Policy: queuePolicy(queue, arnOf.rule("default", rule)) },
    }),
  );
}
