import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketCorsCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { ListQueuesCommand } from "@aws-sdk/client-sqs";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { type Browser, type Page } from "playwright-core";
import { describeWithChromium, eventually, launchChromium } from "../support/browser";
import { inboxDirectory } from "../../index";
import { clientSettings, TestGateway } from "../support/gateway";

/**
 * A page of another origin against the real gateway, in a real browser. `evil.example` and `rebound.example` are this
 * machine, as names are whose owner points them at it; a page of `127.0.0.1` on another port is of the same site.
 */
describeWithChromium("a web page of another origin", () => {
  let browser: Browser;
  let gateway: TestGateway;
  let s3: S3Client;
  let attacker: Server;
  let page: Page;
  /** The gateway's. */
  let port: number;
  let sites: Record<"cross-site" | "same-site", string>;
  /**
   * How the gateway answered what the browser sent to it, as "<method> <path> <status>": the gateway's own word, because a
   * browser tells nobody of an answer that it keeps from the page.
   */
  let answers: string[];

  const answered = "http.server.response.finish";
  const record = (message: unknown) => {
    const { request, response } = message as { readonly request: IncomingMessage; readonly response: ServerResponse };
    const { method = "", url = "", headers, socket } = request;
    if (socket.localPort !== port || !/Chrome/.test(headers["user-agent"] ?? "")) return;
    answers.push(`${method} ${url.replace(/\?.*/, "")} ${response.statusCode}`);
  };
  /** Waits until each of these paths was asked for; nothing was answered but by a refusal. */
  const refused = (...paths: readonly string[]) =>
    eventually(
      () => ({
        notAskedFor: paths.filter((path) => !answers.some((answer) => answer.split(" ")[1] === path)),
        answered: answers.filter((answer) => !answer.endsWith(" 403")),
      }),
      { notAskedFor: [], answered: [] },
    );

  beforeAll(async () => {
    subscribe(answered, record);
    browser = await launchChromium([
      "--host-resolver-rules=MAP *.example 127.0.0.1",
      // Not every browser asks a person before a page reaches this machine.
      "--disable-features=LocalNetworkAccessChecks",
    ]);
    gateway = await TestGateway.start({ assetsDirectory: inboxDirectory });
    gateway.gateway.markReady();
    port = Number(new URL(gateway.gateway.url).port);
    s3 = new S3Client({ ...clientSettings(gateway.gateway.url), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "pages" }));
    // What a user may have allowed must open nothing.
    await s3.send(
      new PutBucketCorsCommand({
        Bucket: "pages",
        CORSConfiguration: {
          CORSRules: [{ AllowedOrigins: ["*"], AllowedMethods: ["GET", "PUT", "POST"], AllowedHeaders: ["*"] }],
        },
      }),
    );
    await s3.send(
      new PutObjectCommand({
        Bucket: "pages",
        Key: "object.js",
        Body: "window.ran = true",
        ContentType: "text/javascript",
      }),
    );
    attacker = createServer((_, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Evil</title><body></body>");
    });
    await new Promise<void>((resolve) => attacker.listen(0, "127.0.0.1", resolve));
    const other = (attacker.address() as AddressInfo).port;
    sites = { "cross-site": `http://evil.example:${other}/`, "same-site": `http://127.0.0.1:${other}/` };
  });
  afterAll(async () => {
    unsubscribe(answered, record);
    await browser.close();
    s3.destroy();
    attacker.closeAllConnections();
    await new Promise((resolve) => attacker.close(resolve));
    await gateway.stop();
  });

  beforeEach(async () => {
    answers = [];
    page = await (await browser.newContext()).newPage();
  });
  afterEach(async () => {
    await page.context().close();
  });

  /** Runs a function of the page's own, in which `value` is known: these tests have no types of the DOM. */
  const run = <Result>(body: string, value: unknown): Promise<Result> =>
    page.evaluate<Result>(`(async (value) => { ${body} })(${JSON.stringify(value)})`);

  /** What is in the sandbox; an attack leaves all of it as it is. */
  async function state(): Promise<unknown> {
    const { Contents: objects = [] } = await s3.send(new ListObjectsV2Command({ Bucket: "pages" }));
    const { QueueUrls: queues } = await gateway.sqs.send(new ListQueuesCommand({}));
    return {
      objects: objects.map(({ Key }) => Key),
      queues,
      faults: await gateway.get("faults"),
      activity: await gateway.get("activity"),
    };
  }

  describe.each(["cross-site", "same-site"] as const)("%s", (site) => {
    const inbox = () => `${gateway.gateway.url}/_sandbox/`;
    /** A link that any page can make up: no key is a secret here. */
    const presigned = (key: string) =>
      `${gateway.gateway.url}/pages/${key}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test%2F20240101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20240101T000000Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&X-Amz-Signature=0`;

    beforeEach(async () => {
      await page.goto(sites[site]);
      // Frames of the test before may have asked until their page was left.
      answers.length = 0;
    });

    it.each([
      ["application/x-www-form-urlencoded", "/", { Action: "CreateQueue", QueueName: "evil", Version: "2012-11-05" }],
      ["multipart/form-data", "/pages", { key: "evil.html", "Content-Type": "text/html", file: "<script>1</script>" }],
      ["text/plain", "/_sandbox/fire/rule", { a: "b" }],
      ["text/plain", "/moto-api/reset", {}],
      ["multipart/form-data", "/_sandbox/", { a: "b" }],
      ["application/x-www-form-urlencoded", "/2015-03-31/functions/", { FunctionName: "evil" }],
    ])("posts no form of %s to %s", async (type, path, fields) => {
      const before = await state();
      await run(
        `const { action, enctype, fields } = value;
         const form = Object.assign(document.createElement("form"), { method: "POST", action, enctype });
         for (const [name, text] of Object.entries(fields)) {
           form.append(Object.assign(document.createElement("input"), { name, value: text }));
         }
         document.body.append(form);
         form.submit();`,
        { action: `${gateway.gateway.url}${path}`, enctype: type, fields },
      );
      await eventually(() => answers, [`POST ${path} 403`]);
      expect(await state()).toEqual(before);
    });

    it.each(["_sandbox/messages", "_sandbox/stream", "_sandbox/info", "_sandbox/inbox.js", ""])(
      "does not navigate to /%s",
      async (path) => {
        await run("location.href = value;", `${gateway.gateway.url}/${path}`);
        await eventually(() => answers, [`GET /${path} 403`]);
      },
    );

    it("does not navigate to an object by a link that it made up", async () => {
      await run("location.href = value;", presigned("object.js"));
      await eventually(() => answers, ["GET /pages/object.js 403"]);
    });

    it("may lead a person to the inbox, and holds nothing of it", async () => {
      const [opened] = await Promise.all([
        page.context().waitForEvent("page"),
        run("window.opened = window.open(value);", inbox()),
      ]);
      await opened.getByText("Live", { exact: true }).waitFor();
      expect(await opened.evaluate("opener")).toBeNull();
      await eventually(() => page.evaluate("window.opened.closed"), true);
      expect(answers.filter((answer) => answer.endsWith(" 403"))).toEqual([]);
    });

    it("frames nothing", async () => {
      const targets = [inbox(), `${gateway.gateway.url}/_sandbox/messages`, presigned("object.js")];
      await run(
        `for (const url of value) {
           document.body.append(Object.assign(document.createElement("iframe"), { src: url }));
           document.body.append(Object.assign(document.createElement("object"), { data: url }));
           document.body.append(Object.assign(document.createElement("embed"), { src: url }));
         }`,
        targets,
      );
      await refused("/_sandbox/", "/_sandbox/messages", "/pages/object.js");
      await eventually(() => answers.length >= targets.length * 2, true);
    });

    it.each<[string, object]>([
      ["as CORS", {}],
      ["as CORS, with credentials", { credentials: "include" }],
      [
        "as CORS, signed",
        {
          headers: {
            authorization:
              "AWS4-HMAC-SHA256 Credential=a/20240101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
          },
        },
      ],
      ["as CORS, with JSON", { method: "POST", headers: { "content-type": "application/json" }, body: "[]" }],
      ["as CORS, with a method that no form has", { method: "PUT", body: "[]" }],
      ["as CORS, with text", { method: "POST", body: "[]" }],
    ])("reads nothing by a fetch %s", async (_, options) => {
      const before = await state();
      const paths = ["/_sandbox/messages", "/_sandbox/faults", "/_sandbox/fire/rule", "/pages/object.js", "/"];
      const results = await run<string[]>(
        `const { urls, options } = value;
         return Promise.all(urls.map((url) => fetch(url, options).then((response) => response.text(), String)));`,
        { urls: [...paths.map((path) => gateway.gateway.url + path), presigned("object.js")], options },
      );
      expect(results).toEqual(results.map(() => "TypeError: Failed to fetch"));
      await refused(...paths);
      expect(answers).toHaveLength(results.length);
      expect(await state()).toEqual(before);
    });

    it("changes nothing by a fetch whose answer it may not read, or by a beacon", async () => {
      const before = await state();
      const results = await run(
        `const { fire, queues } = value;
         const body = new URLSearchParams({ Action: "CreateQueue", QueueName: "evil", Version: "2012-11-05" });
         navigator.sendBeacon(fire);
         navigator.sendBeacon(queues, body);
         return Promise.all([
           fetch(fire, { method: "POST", mode: "no-cors" }).catch(String),
           fetch(queues, { method: "POST", mode: "no-cors", credentials: "include", body }).catch(String),
         ]);`,
        { fire: `${gateway.gateway.url}/_sandbox/fire/rule`, queues: `${gateway.gateway.url}/` },
      );
      expect(results).toEqual(["TypeError: Failed to fetch", "TypeError: Failed to fetch"]);
      await refused("/_sandbox/fire/rule", "/");
      await eventually(() => answers.length, 4);
      expect(await state()).toEqual(before);
    });

    it("hears no stream, as EventSource or as WebSocket", async () => {
      const heard = await run(
        `return Promise.all([new EventSource(value, { withCredentials: true }), new WebSocket(value.replace("http:", "ws:"))].map(
           (source) =>
             new Promise((resolve) => {
               source.onopen = source.onmessage = () => resolve("open");
               source.onerror = () => resolve("error");
             }),
         ));`,
        `${inbox()}stream`,
      );
      expect(heard).toEqual(["error", "error"]);
      await refused("/_sandbox/stream");
      await eventually(() => answers.length >= 2, true);
    });

    it("loads nothing as a script, a style, a picture or a film", async () => {
      const results = await run<string[]>(
        `const make = (name, attributes) => Object.assign(document.createElement(name), attributes);
         return Promise.all(value.flatMap((url) => [
           make("script", { src: url }),
           make("script", { src: url, type: "module" }),
           make("link", { rel: "stylesheet", href: url }),
           make("img", { src: url }),
           make("video", { src: url }),
         ].map((element) => new Promise((resolve) => {
           element.onload = () => resolve("loaded");
           element.onerror = () => resolve("error");
           document.body.append(element);
         }))));`,
        [
          `${gateway.gateway.url}/_sandbox/messages`,
          `${inbox()}inbox.js`,
          `${inbox()}inbox.css`,
          presigned("object.js"),
        ],
      );
      expect(results).toEqual(results.map(() => "error"));
      expect(await page.evaluate("window.ran")).toBeUndefined();
      await refused("/_sandbox/messages", "/_sandbox/inbox.js", "/_sandbox/inbox.css", "/pages/object.js");
    });
  });

  it("by a name that its owner points at this machine, gets no page and reads nothing", async () => {
    const rebound = `http://rebound.example:${port}/`;
    for (const path of ["_sandbox/", "_sandbox/messages", "_sandbox/stream", "pages/object.js"]) {
      expect((await page.goto(rebound + path))?.status()).toBe(403);
    }
    // The page came from its own server; from now on its name, and so its origin, leads to the gateway.
    await page.route(`${rebound}page`, (route) =>
      route.fulfill({ contentType: "text/html", body: "<title>Evil</title>" }),
    );
    await page.goto(`${rebound}page`);
    const results = await run(
      `const headers = { authorization: value };
       const calls = [
         fetch("/_sandbox/messages"),
         fetch("/_sandbox/faults", { method: "PUT", body: "[]" }),
         fetch("/pages/object.js", { headers }),
         fetch("/2015-03-31/functions/", { method: "POST", headers, body: "{}" }),
       ];
       return Promise.all(calls.map((call) => call.then(({ status }) => status, String)));`,
      "AWS4-HMAC-SHA256 Credential=a/20240101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
    );
    expect(results).toEqual([403, 403, 403, 403]);
  });

  describe("that lies in the sandbox's own S3", () => {
    const script = `
      Promise.all([
        fetch("/_sandbox/messages").then((response) => response.text(), String),
        fetch("/_sandbox/faults", { method: "PUT", body: "[]" }).then((response) => response.text(), String),
      ]).then((read) => { document.title = "RAN " + read; });
      document.title = "RAN " + origin;`;

    it.each([
      [
        "text/html",
        `<title>quiet</title><body>It is shown.<script>${script}</script><img src="/_sandbox/messages" onerror="document.title='RAN'"></body>`,
      ],
      [
        "image/svg+xml",
        `<svg xmlns="http://www.w3.org/2000/svg"><title>quiet</title><text>It is shown.</text><script>${script}</script></svg>`,
      ],
      [
        "application/xhtml+xml",
        `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>quiet</title></head><body>It is shown.<script>${script}</script></body></html>`,
      ],
    ])("runs no script with the inbox's origin, or any: %s", async (type, body) => {
      const key = `page-${type.replaceAll(/\W/g, "-")}`;
      await s3.send(new PutObjectCommand({ Bucket: "pages", Key: key, Body: body, ContentType: type }));
      await s3.send(new GetObjectCommand({ Bucket: "pages", Key: key }));
      const complaints: string[] = [];
      page.on("console", (message) => complaints.push(message.text()));
      // As a person opens a link that was made for it: the one way that leads there.
      await page.goto(`${gateway.gateway.url}/pages/${key}?AWSAccessKeyId=test&Signature=0&Expires=4000000000`);
      await page.getByText("It is shown.").waitFor();
      await eventually(() => complaints.some((text) => /Blocked script execution/.test(text)), true);
      expect(await page.title()).not.toContain("RAN");
      expect(answers).toContain(`GET /pages/${key} 200`);
      expect(answers.filter((answer) => answer.includes("/_sandbox/") && !answer.endsWith(" 403"))).toEqual([]);
    });
  });

  it("stops nothing of what the inbox page itself does: setting faults, firing rules, hearing of changes", async () => {
    await page.goto(`${gateway.gateway.url}/_sandbox/`);
    await page.getByText("Live", { exact: true }).waitFor();
    const statuses = await run(
      `const calls = [
         fetch("faults", { method: "PUT", body: "[]" }),
         fetch("faults", { method: "DELETE" }),
         fetch("fire/nobody", { method: "POST" }),
         fetch("messages"),
       ];
       return (await Promise.all(calls)).map(({ status }) => status);`,
      null,
    );
    expect(statuses).toEqual([200, 200, 404, 200]);
  });
});
