import { PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { type Gateway, startGateway } from "../../src/gateway";
import { accountId, arnOf, gatewayForTests, region, signed } from "../support/gateway";
import { envelope, mailOf } from "../support/journal";
import { temporaryFolder, writeFiles } from "../support/temporary";

const folder = writeFiles(temporaryFolder(), {
  "page/index.html": "<!doctype html><title>Inbox</title>",
  "page/page.js": "export {};",
  "page/notes.txt": "not a part of the page",
  "outside.js": "secret",
  "given/index.html": "<!doctype html><title>Given</title>",
  "given/parts/page.css": "",
});
const pages = [{ name: "mails", title: "Mails", directory: join(folder, "given") }];
const assetsDirectory = join(folder, "page");
const gateway = gatewayForTests({ assetsDirectory, pages });

const ask = (path: string, options: RequestInit = {}) => fetch(`${gateway.gateway.url}/_sandbox/${path}`, options);

/** Without fetch's own idea of a path and of headers. */
async function askRaw(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${gateway.gateway.url}/`, { path, headers, method }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

it("is healthy from the moment that it is marked ready", async () => {
  expect((await ask("health")).status).toBe(503);
  expect(await gateway.get("health")).toEqual({ status: "starting" });
  gateway.gateway.markReady();
  expect((await ask("health")).status).toBe(200);
  expect(await gateway.get("health")).toEqual({ status: "ready" });
});

it("says what this sandbox is, and what it does not emulate", async () => {
  expect(await gateway.get("info")).toEqual({
    endpoint: gateway.gateway.url,
    region,
    accountId,
    retryDelaysMs: [20, 40],
    notEmulated: expect.arrayContaining([expect.stringMatching(/^IAM/)]) as string[],
    startedAt: expect.stringMatching(/Z$/) as string,
    canRedrive: false,
    exampleEvent: { source: "my.application", detailType: "Something Happened", detail: {} },
    pages: [{ name: "mails", title: "Mails" }],
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

it("names each route that the README has", async () => {
  const { routes } = (await (await ask("nothing")).json()) as { routes: string[] };
  const addressOf = (text: string) => text.replace(/<[^>]+>/g, "<..>").replace(/\?.*/, "");
  const readme = readFileSync(join(__dirname, "../../README.md"), "utf8");
  const documented = [...readme.matchAll(/^\| `([A-Z]+ \/_sandbox\/[^`]*)`/gm)].map(([, address = ""]) =>
    addressOf(address),
  );
  expect(documented).toContain("POST /_sandbox/redrive/<..>");
  expect(routes.map((route) => addressOf(route.replace(/: .*/, "")))).toEqual(expect.arrayContaining(documented));
});

it("counts nothing before anything happened", async () => {
  expect(await gateway.get("metrics")).toEqual({ InvocationsFailedToBeSentToDlq: {}, DestinationDeliveryFailures: {} });
  expect(await gateway.get("pending")).toEqual({ tasks: 0 });
  expect(await gateway.get("faults")).toEqual([]);
});

describe("the page", () => {
  it("is served with its files, under a policy that lets in nothing of a mail", async () => {
    const page = await ask("");
    expect(await page.text()).toContain("<title>Inbox</title>");
    expect(page.headers.get("content-type")).toMatch(/^text\/html/);
    expect(page.headers.get("content-security-policy")).toMatch(/default-src 'none'; script-src 'self';/);
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    expect((await ask("page.js")).headers.get("content-type")).toMatch(/^text\/javascript/);
    expect((await fetch(`${gateway.gateway.url}/_sandbox`)).url).toBe(`${gateway.gateway.url}/_sandbox/`);
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

describe("a folder that the gateway was given", () => {
  it("is served with what is in it, and may call nothing", async () => {
    const page = await ask("pages/mails");
    expect(page.url).toBe(`${gateway.gateway.url}/_sandbox/pages/mails/`);
    expect(await page.text()).toContain("<title>Given</title>");
    const policy = page.headers.get("content-security-policy");
    expect(policy).toMatch(/default-src 'none';.* frame-ancestors 'none'/);
    expect(policy).not.toContain("connect-src");
    expect((await ask("pages/mails/parts/page.css")).headers.get("content-type")).toMatch(/^text\/css/);
  });

  it.each(["pages/mails/..%2foutside.js", "pages/mails/%2e%2e/outside.js", "pages/others/", "pages/mails/page.js"])(
    "has nothing from outside of it: %s",
    async (path) => {
      expect(await askRaw(`/_sandbox/${path}`)).not.toBe(200);
    },
  );

  it.each(["", "a/b", ".."])("has a name that an address can have, not %j", async (name) => {
    const options = { port: 0, motoSocket: "", region, accountId, workDirectory: folder, retryDelaysMs: [] };
    await expect(startGateway({ ...options, pages: [{ name, title: "", directory: folder }] })).rejects.toThrow(
      `"${name}" can't be the name of a page`,
    );
  });
});

describe("the stream", () => {
  it("answers a HEAD, which has no body to wait for", async () => {
    const response = await ask("stream", { method: "HEAD", signal: AbortSignal.timeout(3000) });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it("tells of each change", async () => {
    const controller = new AbortController();
    const response = await ask("stream", { signal: controller.signal });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    const read = async () => Buffer.from((await reader.read()).value ?? []).toString("utf8");
    const first = await read();
    expect(first).toMatch(
      /^event: change\ndata: \{"messages":\d+,"activity":\d+,.*,"mails":\[\],"events":\[\],"parents":\{\}\}\n\n$/,
    );
    const before = Number(/"activity":(\d+)/.exec(first)?.[1]);
    const id = await gateway.putEvent("default", {});
    // What tests before this one set off may be told first.
    let change = await read();
    while (!change.includes(`"events":["${id}"]`)) change = await read();
    expect(change).toContain(`"activity":${before + 1}`);
    controller.abort();
  });
});

describe("lists", () => {
  const lists = { messages: "mail", "rendering-failures": "unrendered", activity: "event" };
  /** More than a page without a limit has. */
  const count = 1003;
  let full: Gateway;
  beforeAll(async () => {
    full = await startGateway({
      port: 0,
      motoSocket: "/no/moto.sock",
      region,
      accountId,
      workDirectory: assetsDirectory,
      retryDelaysMs: [],
    });
    for (let index = 0; index < count; index += 1) {
      full.journal.addEvent("bus", envelope(`event-${index}`));
      full.journal.addMail(mailOf(`mail-${index}`, { eventId: `event-${index}` }));
      full.journal.addRenderingFailure({ ...mailOf(`unrendered-${index}`), renderError: "no name" });
    }
  });
  afterAll(() => full.close());

  const get = async (path: string) => {
    const response = await fetch(`${full.url}/_sandbox/${path}`);
    return { response, body: (await response.json()) as { id: string }[] & { message: string } };
  };
  const nextOf = (response: Response) =>
    /<\/_sandbox\/([^>]+)>; rel="next"/.exec(response.headers.get("link") ?? "")?.[1];

  it.each(Object.entries(lists))(
    "%s are newest first, at most 1,000, and the header Link names the rest",
    async (list, name) => {
      const first = await get(list);
      expect(first.body.map(({ id }) => id)).toEqual(
        Array.from({ length: 1000 }, (_, index) => `${name}-${count - 1 - index}`),
      );
      const next = await get(nextOf(first.response) ?? "");
      expect(next.body.map(({ id }) => id)).toEqual([`${name}-2`, `${name}-1`, `${name}-0`]);
      expect(nextOf(next.response)).toBeUndefined();
    },
  );

  it("go page by page to the last, each entry once, also where a page ends with it", async () => {
    for (const limit of [1, 2, 3]) {
      const ids: string[] = [];
      let path: string | undefined = `activity?limit=${limit}&before=event-6`;
      while (path !== undefined) {
        const page = await get(path);
        expect(page.body.length).toBeLessThanOrEqual(limit);
        expect(page.body.length).toBeGreaterThan(0);
        ids.push(...page.body.map(({ id }) => id));
        path = nextOf(page.response);
      }
      expect(ids).toEqual(["event-5", "event-4", "event-3", "event-2", "event-1", "event-0"]);
    }
    expect((await get("messages?before=mail-0")).body).toEqual([]);
  });

  it("stay where they are while newer entries come", async () => {
    const first = await get("activity?limit=2&before=event-9");
    full.journal.addEvent("bus", envelope("newer"));
    const next = await get(nextOf(first.response) ?? "");
    expect([...first.body, ...next.body].map(({ id }) => id)).toEqual(["event-8", "event-7", "event-6", "event-5"]);
  });

  it.each([
    ["messages?limit=0", 400, /limit is "0": use a whole number from 1 to 1000/],
    ["messages?limit=1001", 400, /limit is "1001"/],
    ["activity?limit=1e2", 400, /limit is "1e2"/],
    ["activity?limit=", 400, /limit is ""/],
    ["messages?befor=x", 400, /"befor" is unknown here: use limit and before/],
    ["messages?before=nobody", 404, /no mail with the id "nobody"/],
    ["messages/nobody", 404, /no mail with the id "nobody"/],
    ["activity/nobody", 404, /no event with the id "nobody"/],
    [`inbox/mails?${"id=a&".repeat(201)}`, 400, /201 ids are too many/],
  ])("refuse %s", async (path, status, message) => {
    const { response, body } = await get(path);
    expect(response.status).toBe(status);
    expect(body.message).toMatch(message);
  });

  it("hand out one mail, and one event with its mails", async () => {
    expect((await get("messages/mail-7")).body).toMatchObject({ id: "mail-7", text: "Hello" });
    expect((await get("messages/unrendered-7")).body).toMatchObject({ renderError: "no name" });
    expect((await get("activity/event-7")).body).toMatchObject({
      id: "event-7",
      fate: "unmatched",
      mails: [{ id: "mail-7", subject: "Hello" }],
      failures: [],
    });
  });

  it("have rows for the ids that are asked for, without those that are gone", async () => {
    const { body } = await get("inbox/mails?id=mail-3&id=gone&id=unrendered-1");
    expect(body.map(({ id }) => id)).toEqual(["mail-3", "unrendered-1"]);
    expect(body[0]).not.toHaveProperty("headers");
  });

  it("are searched over all entries", async () => {
    full.journal.addMail(mailOf("needle", { subject: "A Needle in the hay", to: ["grace@example.com"] }));
    const search = async (view: string, q: string) =>
      ((await get(`inbox/search?view=${view}&q=${encodeURIComponent(q)}`)).body as unknown as { ids: string[] }).ids;
    expect(await search("mails", "grace NEEDLE")).toEqual(["needle"]);
    expect(await search("mails", "grace pin")).toEqual([]);
    expect(await search("mails", "")).toHaveLength(2 * count + 1);
    expect(await search("events", "event-1002")).toEqual(["event-1002"]);
    expect(await search("events", "unmatched")).toContain("event-0");
  });
});

describe("an inbox with events of each kind", () => {
  const deadLetters = arnOf.queue("dead-letters");
  const asked: string[] = [];
  let filled: Gateway;
  beforeAll(async () => {
    filled = await startGateway({
      port: 0,
      motoSocket: "/no/moto.sock",
      region,
      accountId,
      workDirectory: assetsDirectory,
      retryDelaysMs: [],
      sendCommand: "npm run send",
      failureActions: {
        listCommand: "list",
        commandFor: (eventId) => `redrive ${eventId}`,
        redrive: (eventId) => {
          asked.push(eventId);
          return Promise.resolve({ ok: false, output: "It may be out." });
        },
      },
    });
    const { journal } = filled;
    journal.addEvent("bus", envelope("parked"));
    journal.addRecord("parked", { queueArn: deadLetters, reason: "InvalidEvent: no recipient" });
    const record = { requestPayload: { id: "parked" }, requestContext: { condition: "RetriesExhausted" } };
    journal.addEvent("bus", { ...envelope("record", record), source: "lambda" });
    journal.addEvent("bus", envelope("mailed"));
    journal.addMail(mailOf("mail", { eventId: "mailed" }));
    for (const [id, eventType] of [
      ["sent", "Send"],
      ["bounced", "Bounce"],
    ] as const) {
      const detail = { eventType, mail: { messageId: "mail" }, bounce: {} };
      journal.addEvent("default", { ...envelope(id, detail), source: "aws.ses" });
    }
  });
  afterAll(() => filled.close());

  const call = async (path: string, method = "GET") => {
    const response = await fetch(`${filled.url}/_sandbox/${path}`, { method });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it.each([
    ["all", ["bounced", "sent", "mailed", "record", "parked"]],
    ["failed", ["bounced", "parked"]],
    ["business", ["mailed", "parked"]],
    ["ses", ["bounced", "sent"]],
  ])("is filtered by %s", async (filter, ids) => {
    expect((await call(`inbox/search?view=events&filter=${filter}`)).body).toEqual({ ids });
    const { body } = await call(`inbox/search?view=events&filter=${filter}&q=parked`);
    expect(body).toEqual({ ids: ids.filter((id) => id === "parked" || id === "record") });
  });

  it("refuses a filter that there is none of", async () => {
    expect(await call("inbox/search?view=events&filter=toString")).toEqual({
      status: 400,
      body: { message: 'filter is "toString": use one of all, failed, business, ses.' },
    });
  });

  it("counts as failed what the filter shows, and says what belongs to what", async () => {
    expect((await call("inbox")).body).toMatchObject({
      failed: 2,
      parents: { record: "parked", sent: "mailed", bounced: "mailed" },
    });
    expect((await call("activity/mailed")).body).toMatchObject({
      children: [
        { id: "sent", fate: "unmatched" },
        { id: "bounced", fate: "bounced", notice: { kind: "bounced" } },
      ],
    });
    expect((await call("activity/bounced")).body).toMatchObject({ parent: "mailed", children: [] });
  });

  it("offers the commands that it was started with", async () => {
    expect((await call("info")).body).toMatchObject({
      canRedrive: true,
      listCommand: "list",
      sendCommand: "npm run send",
    });
    expect((await call("activity/parked")).body).toMatchObject({ redriveCommand: "redrive parked" });
    expect((await call("activity/mailed")).body).not.toHaveProperty("redriveCommand");
  });

  it("redrives what is parked, and nothing else", async () => {
    expect(await call("redrive/parked", "POST")).toEqual({
      status: 200,
      body: { ok: false, output: "It may be out." },
    });
    const refused = [await call("redrive/mailed", "POST"), await call("redrive/nobody", "POST")];
    expect(refused).toMatchObject([
      { status: 409, body: { message: 'The event "mailed" is not parked but unmatched: nothing is redriven.' } },
      { status: 404, body: { message: expect.stringContaining('no event with the id "nobody"') as string } },
    ]);
    expect(asked).toEqual(["parked"]);
    // A gateway that was not told how.
    const response = await ask("redrive/parked", { method: "POST" });
    expect(response.status).toBe(404);
    expect(await response.text()).toContain("failureActions");
  });

  it("is cleared, and its streams are told to start afresh", async () => {
    const controller = new AbortController();
    const response = await fetch(`${filled.url}/_sandbox/stream`, { signal: controller.signal });
    const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    const read = async () => Buffer.from((await reader.read()).value ?? []).toString("utf8");
    expect(await read()).toContain('"failed":2');
    expect(await call("inbox", "DELETE")).toEqual({ status: 200, body: { mails: 1, events: 5 } });
    filled.journal.addEvent("bus", envelope("after"));
    expect(await read()).toMatch(/^event: restart\n.*"activity":1,"failed":0,.*"events":\["after"\]/);
    controller.abort();
    expect((await call("inbox")).body).toMatchObject({ mails: [], events: ["after"], failed: 0, parents: {} });
  });
});

describe("what is extreme", () => {
  it("an event as deep as EventBridge takes is delivered, and shown as text; the others are shown as ever", async () => {
    const queue = await gateway.createQueue();
    const bus = await gateway.createBus();
    const rule = await gateway.createRule(bus, [{ Id: "queue", Arn: arnOf.queue(queue) }]);
    await gateway.allow(queue, arnOf.rule(bus, rule));
    const text = `${"[".repeat(900)}${"]".repeat(900)}`;
    const { Entries: [entry] = [] } = await gateway.events.send(
      new PutEventsCommand({
        Entries: [{ EventBusName: bus, Source: "test", DetailType: "Deep", Detail: `{"deep":${text}}` }],
      }),
    );
    const id = entry?.EventId ?? "";
    expect((await gateway.receive(queue)).Body).toContain(text);
    const other = await gateway.putEvent(bus, { shown: true });
    expect((await gateway.event(other)).detail).toEqual({ shown: true });
    expect(await gateway.event(id)).toMatchObject({ detail: {}, tooDeep: expect.stringContaining(text) as string });
    expect((await ask(`inbox/events?id=${id}&id=${other}`)).status).toBe(200);
    expect((await ask(`activity/${id}`)).status).toBe(200);
    expect((await ask("inbox/search?view=events&q=deep")).status).toBe(200);
  });

  it("rows of long texts and many recipients are short", async () => {
    const long = "x".repeat(262_144);
    const to = Array.from({ length: 50 }, (_, index) => `someone-${index}@example.com`);
    gateway.gateway.journal.addMail(
      mailOf("long", { subject: long, text: long, html: long, from: long, template: long, to }),
    );
    const response = await ask("inbox/mails?id=long");
    expect((await response.text()).length).toBeLessThan(5000);
    expect(await gateway.get("messages/long")).toMatchObject({ subject: long, to });
  });

  it.each([
    ["GET", "/_sandbox/%ff"],
    ["GET", "/_sandbox/%"],
    ["GET", "/_sandbox/%ff.js"],
    ["GET", "/_sandbox/messages/%ff"],
    ["GET", "/_sandbox/messages/%ff.eml"],
    ["GET", "/_sandbox/activity/%zz"],
    ["GET", "/_sandbox/inbox/%c3%28"],
    ["GET", "/_sandbox/%e2%82"],
    ["POST", "/_sandbox/fire/%ff"],
    ["POST", "/_sandbox/redrive/%ff"],
    ["DELETE", "/_sandbox/%ff"],
    ["PUT", "/_sandbox/faults%ff"],
  ])("refuses a path that is no text: %s %s", async (method, path) => {
    expect(await askRaw(path, {}, method)).toBe(400);
  });

  it.each(["inbox/mails?id=%ff", "inbox/search?view=events&q=%ff", "messages?limit=%ff", "activity?before=%zz"])(
    "has an answer for a query that is no text: %s",
    async (query) => {
      expect([200, 400, 404]).toContain(await askRaw(`/_sandbox/${query}`));
    },
  );
});

describe("firing a scheduled rule", () => {
  const fire = (name: string, headers: Record<string, string> = {}) =>
    ask(`fire/${encodeURIComponent(name)}`, { method: "POST", headers });

  it("delivers the event that the clock would send", async () => {
    const queue = await gateway.createQueue();
    const rule = await gateway.createRule("default", [{ Id: "queue", Arn: arnOf.queue(queue) }], {
      schedule: "rate(1 day)",
    });
    await gateway.allow(queue, arnOf.rule("default", rule));
    const { eventId } = (await (await fire(rule)).json()) as { eventId: string };
    const message = await gateway.receive(queue);
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
    expect((await gateway.deliveries(eventId))[0]).toMatchObject({ rule, bus: "default", status: "delivered" });
  });

  it("gives each firing a minute of its own, as a schedule's occurrences have", async () => {
    const queue = await gateway.createQueue();
    const rule = await gateway.createRule("default", [{ Id: "queue", Arn: arnOf.queue(queue) }], {
      schedule: "rate(1 day)",
    });
    await gateway.allow(queue, arnOf.rule("default", rule));
    for (let count = 0; count < 3; count += 1) await fire(rule);
    const times: string[] = [];
    while (times.length < 3) {
      const { Body = "" } = await gateway.receive(queue);
      times.push((JSON.parse(Body) as { time: string }).time);
    }
    const minutes = times.map((time) => Date.parse(time) / 60_000).sort((a, b) => a - b);
    expect(minutes.map((minute) => minute - (minutes[0] ?? 0))).toEqual([0, 1, 2]);
  });

  it("is refused for a rule that is unknown, disabled or has no schedule", async () => {
    const scheduled = await gateway.createRule("default", [], { schedule: "rate(1 day)", state: "DISABLED" });
    const byEvent = await gateway.createRule("default", [{ Id: "x", Arn: arnOf.queue("x") }], {
      pattern: { source: ["none"] },
    });
    const unknown = await fire("nobody");
    expect(unknown.status).toBe(404);
    expect(((await unknown.json()) as { scheduledRules: string[] }).scheduledRules).toContain(scheduled);
    expect((await fire(scheduled)).status).toBe(409);
    expect((await fire(byEvent)).status).toBe(400);
  });

  it("goes on for the page's own scripts, and is refused to forms", async () => {
    expect((await fire("nobody", { origin: gateway.gateway.url })).status).toBe(404);
    expect((await fire("nobody", { "content-type": "application/json" })).status).toBe(404);
    expect((await fire("nobody", { "content-type": "application/x-www-form-urlencoded" })).status).toBe(415);
  });
});

describe("what goes wrong", () => {
  it("a port in use is named, with the way out", async () => {
    const port = Number(new URL(gateway.gateway.url).port);
    const options = { motoSocket: "/nowhere", region, accountId, workDirectory: assetsDirectory, retryDelaysMs: [] };
    await expect(startGateway({ ...options, port })).rejects.toThrow(
      `Port ${port} of 127.0.0.1 is in use: stop what listens there, or choose another port.`,
    );
  });

  it("a moto that is gone is named, to every client", async () => {
    const alone = await startGateway({
      port: 0,
      motoSocket: "/nowhere/moto.sock",
      region,
      accountId,
      workDirectory: assetsDirectory,
      retryDelaysMs: [],
    });
    const answers = await Promise.all(
      ["s3", "sns"].map(async (service) => {
        const response = await fetch(alone.url, { method: "POST", body: "a=b", headers: signed(service) });
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
