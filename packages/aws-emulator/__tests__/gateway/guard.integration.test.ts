import { GetObjectCommand, CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateFunctionCommand, DeleteFunctionCommand } from "@aws-sdk/client-lambda";
import { ListIdentitiesCommand, SESClient } from "@aws-sdk/client-ses";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { RuntimeApi } from "../../src/services/lambda/runtime-api";
import { accountId, arnOf, clientSettings, gatewayForTests, region, signed, zipOf } from "../support/gateway";
import { temporaryFolder } from "../support/temporary";

// Something beside it shows what leads out of it.
const workDirectory = join(temporaryFolder(), "work");
mkdirSync(workDirectory);
const assetsDirectory = join(__dirname, "../../inbox");
// The requests here are none that a client of AWS sends.
const gateway = gatewayForTests({ assetsDirectory, workDirectory }, false);
let s3: S3Client;
let port: number;
let own: string;
beforeAll(async () => {
  port = Number(new URL(gateway.gateway.url).port);
  own = `127.0.0.1:${port}`;
  s3 = new S3Client({ ...clientSettings(gateway.gateway.url), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: "pages" }));
  await s3.send(
    new PutObjectCommand({ Bucket: "pages", Key: "page.html", Body: "<script>1</script>", ContentType: "text/html" }),
  );
});
afterAll(() => {
  s3.destroy();
});
interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Without a client's own idea of a target and of headers. A header that is a list is sent that often. */
async function ask(
  target: string,
  headers: Record<string, string | string[]> = {},
  { method = "GET", body = "", to = port }: { method?: string; body?: string; to?: number } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const lines = Object.entries({ host: `127.0.0.1:${to}`, connection: "close", ...headers }).flatMap(
      ([name, value]) => [value].flat().map((each) => `${name}: ${each}\r\n`),
    );
    const length = method === "GET" ? "" : `content-length: ${Buffer.byteLength(body)}\r\n`;
    const socket = connect(to, "127.0.0.1", () => {
      socket.write(`${method} ${target} HTTP/1.1\r\n${lines.join("")}${length}\r\n${body}`);
    });
    text(socket).then((answer) => {
      const [head = "", ...rest] = answer.split("\r\n\r\n");
      const [first = "", ...fields] = head.split("\r\n");
      const pairs = fields.map((field) => [field.split(": ")[0]?.toLowerCase(), field.split(": ").slice(1).join(": ")]);
      resolve({
        status: Number(first.split(" ")[1]),
        headers: Object.fromEntries(pairs) as Record<string, string>,
        body: rest.join("\r\n\r\n"),
      });
    }, reject);
  });
}

const listFunctions = "/2015-03-31/functions/";
const navigation = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-site": "cross-site" };

/** One of each kind of thing that the gateway answers, asked as its own clients do. */
const kinds: readonly [name: string, target: string, headers: Record<string, string>][] = [
  ["the mails", "/_sandbox/messages", {}],
  ["the stream", "/_sandbox/stream", {}],
  ["the inbox page", "/_sandbox/", {}],
  ["a script of the page", "/_sandbox/inbox.js", {}],
  ["an answer of the gateway's own", "/", { ...signed("events"), "x-amz-target": "AWSEvents.ListRules" }],
  ["an answer of moto", listFunctions, signed("lambda")],
  ["an object", "/pages/page.html", signed("s3")],
];

/** The stream does not end by itself. */
async function statusOf(target: string, headers: Record<string, string | string[]>, method = "GET"): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({
      host: "127.0.0.1",
      port,
      path: target,
      method,
      headers,
      setHost: headers.host === undefined,
    });
    asked.on("error", reject);
    asked.on("response", (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    asked.end();
  });
}

describe.each(kinds)("%s", (_, target, headers) => {
  it("is there for the sandbox's own clients, by each name of this machine", async () => {
    for (const host of [own, `localhost:${port}`, `[::1]:${port}`, `LocalHost:${port}`]) {
      expect(await statusOf(target, { ...headers, host })).toBe(200);
    }
  });

  it("is there for the inbox page, and for what a person types", async () => {
    expect(await statusOf(target, { ...headers, origin: `http://${own}`, "sec-fetch-site": "same-origin" })).toBe(200);
    expect(await statusOf(target, { ...headers, "sec-fetch-site": "none", "sec-fetch-mode": "navigate" })).toBe(200);
  });

  it.each([
    "evil.example",
    "evil.example:PORT",
    "127.0.0.1.evil.example:PORT",
    "localhost.evil.example:PORT",
    "evil.example@127.0.0.1:PORT",
    "localhost.:PORT",
    "127.0.0.1.:PORT",
    "0.0.0.0:PORT",
    "127.1:PORT",
    "2130706433:PORT",
    "127.0.0.2:PORT",
    "[::]:PORT",
    "[::ffff:127.0.0.1]:PORT",
    "bucket.localhost:PORT",
    "127.0.0.1",
    "127.0.0.1:1",
    "127.0.0.1:PORT ,evil.example",
    "",
  ])('is refused by the name "%s"', async (host) => {
    const reply = await ask(target, { ...headers, host: host.replace("PORT", String(port)) });
    expect(reply).toMatchObject({
      status: 403,
      body: expect.stringContaining(`The sandbox answers at ${own}`) as string,
    });
  });

  it("is refused by two names at once, whichever comes first, and without a name", async () => {
    expect((await ask(target, { ...headers, host: [own, "evil.example"] })).status).toBe(403);
    expect((await ask(target, { ...headers, host: ["evil.example", own] })).status).toBe(403);
    expect((await ask(target, { ...headers, host: [own, own] })).status).toBe(403);
    expect((await ask(target, { ...headers, host: [] })).status).toBe(400);
  });

  it.each([
    "http://evil.example",
    "http://evil.example:PORT",
    "null",
    "",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "http://localhost:PORT",
    "http://[::1]:PORT",
    "https://127.0.0.1:PORT",
    "http://127.0.0.1:PORT, http://evil.example",
    "chrome-extension://abc",
  ])('is refused to a page of "%s"', async (origin) => {
    for (const method of ["GET", "POST", "PUT", "DELETE", "HEAD"]) {
      const sent = { ...headers, origin: origin.replace("PORT", String(port)) };
      const reply = await ask(target, sent, { method });
      expect({ method, status: reply.status }).toEqual({ method, status: 403 });
      expect(Object.keys(reply.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
    expect((await ask(target, { ...headers, origin: [`http://${own}`, "http://evil.example"] })).status).toBe(403);
  });

  it.each(["cross-site", "same-site", "same-origin, cross-site", "anything", ""])(
    "is refused where the browser says %s",
    async (site) => {
      expect((await ask(target, { ...headers, "sec-fetch-site": site })).status).toBe(403);
      for (const change of [
        { "sec-fetch-dest": "iframe" },
        { "sec-fetch-mode": "no-cors" },
        { "sec-fetch-dest": "object" },
      ]) {
        expect((await ask(target, { ...headers, ...navigation, "sec-fetch-site": site, ...change })).status).toBe(403);
      }
      expect(
        (await ask(target, { ...headers, ...navigation, "sec-fetch-site": site }, { method: "POST" })).status,
      ).toBe(403);
    },
  );

  it("is refused to a preflight", async () => {
    const preflight = { origin: "http://evil.example", "access-control-request-method": "PUT" };
    for (const sent of [preflight, { "access-control-request-headers": "authorization" }, {}]) {
      const reply = await ask(target, { ...headers, ...sent }, { method: "OPTIONS" });
      expect(reply.status).toBe(403);
      expect(Object.keys(reply.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
  });

  it("is refused by a target that names a server", async () => {
    const targets = [
      `http://${own}${target}`,
      `http://evil.example${target}`,
      `//evil.example${target}`,
      `/\\evil.example${target}`,
    ];
    for (const odd of targets) expect((await ask(odd, headers)).status).toBe(400);
    // Node answers a CONNECT by closing the connection.
    expect((await ask(own, headers, { method: "CONNECT" })).body).toBe("");
  });

  it("says that no page frames it or loads it as something of its own", async () => {
    const asked = await new Promise<Record<string, unknown>>((resolve, reject) => {
      request({ host: "127.0.0.1", port, path: target, headers }, (response) => {
        resolve(response.headers);
        response.destroy();
      })
        .on("error", reject)
        .end();
    });
    expect(asked).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "cross-origin-resource-policy": "same-origin",
      "content-security-policy": expect.stringMatching(/^sandbox$|frame-ancestors 'none'/) as string,
    });
  });
});

describe("a link from another site", () => {
  it("opens the inbox", async () => {
    expect((await ask("/_sandbox/", navigation)).status).toBe(200);
    expect((await ask("/_sandbox", navigation)).status).toBe(308);
  });

  it("opens nothing else", async () => {
    const others = [
      "/_sandbox/messages",
      "/_sandbox/stream",
      "/_sandbox/info",
      "/_sandbox/messages/1.eml",
      "/pages/page.html",
    ];
    for (const target of others) expect((await ask(target, { ...navigation, ...signed("s3") })).status).toBe(403);
  });
});

describe("what changes something", () => {
  const types = [
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "TEXT/PLAIN;charset=utf-8",
  ];

  it.each(types)("is not done for a form (%s), whatever the browser says of its page", async (type) => {
    const { status, body } = await ask(
      "/_sandbox/fire/nobody",
      { "content-type": type },
      { method: "POST", body: "a=b" },
    );
    expect({ status, body }).toEqual({
      status: 415,
      body: expect.stringContaining("without a body, or as application/json") as string,
    });
    expect((await ask("/", { "content-type": type }, { method: "POST", body: "Action=ListQueues" })).status).toBe(403);
  });

  it("is done for a script, which says nothing of a page", async () => {
    expect((await ask("/_sandbox/fire/nobody", {}, { method: "POST" })).status).toBe(404);
    expect((await ask("/_sandbox/faults", {}, { method: "PUT", body: "[]" })).status).toBe(200);
    expect((await ask("/_sandbox/faults", {}, { method: "DELETE" })).status).toBe(200);
  });
});

describe("a call to AWS", () => {
  const scope = (service: string) => `any/20240101/${region}/${service}/aws4_request`;
  const version4 = (service: string) =>
    `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encodeURIComponent(scope(service))}&X-Amz-Date=20240101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=0`;

  it.each<[string, Record<string, string>]>([
    ["no signature", {}],
    ["a password", { authorization: "Basic dGVzdDp0ZXN0" }],
    ["a token", { authorization: "Bearer abc" }],
    ["no scope", { authorization: "AWS4-HMAC-SHA256 Credential=test, SignedHeaders=host, Signature=0" }],
    ["no signature in its header", { authorization: `AWS4-HMAC-SHA256 Credential=${scope("s3")}, SignedHeaders=host` }],
    ["another algorithm", { authorization: `AWS4 Credential=${scope("s3")}, SignedHeaders=host, Signature=0` }],
    ["a target that tells the service", { "x-amz-target": "AWSEvents.PutEvents" }],
  ])("is refused with %s", async (_, headers) => {
    for (const method of ["GET", "POST", "PUT", "DELETE"]) {
      for (const target of [
        "/",
        "/pages/page.html",
        listFunctions,
        "/favicon.ico",
        "/latest/meta-data/",
        "/_sandboxed",
      ]) {
        const { status, body } = await ask(target, headers, { method });
        expect({ method, target, status, body }).toMatchObject({
          status: 403,
          body: expect.stringContaining("have to be signed") as string,
        });
      }
    }
  });

  it("is refused in XML where it was made in the Query protocol, whatever the refusal quotes", async () => {
    const form = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
    const refused = await ask("/", form, { method: "POST", body: "Action=ListIdentities&Version=2010-12-01" });
    expect(refused).toMatchObject({ status: 403, headers: { "content-type": "text/xml" } });
    expect(refused.body).toMatch(
      /^<ErrorResponse .*<Code>MissingAuthenticationToken<\/Code><Message>Calls to AWS have to be signed .*<\/ErrorResponse>$/,
    );
    const ses = new SESClient(clientSettings(gateway.gateway.url));
    ses.middlewareStack.add(
      (next) => (call) => {
        (call.request as { headers: Record<string, string> }).headers.origin = "http://a.example/<Code>x</Code>&amp;";
        return next(call);
      },
      { step: "finalizeRequest" },
    );
    await expect(ses.send(new ListIdentitiesCommand({}))).rejects.toMatchObject({
      name: "AccessDenied",
      message: expect.stringContaining('one of "http://a.example/<Code>x</Code>&amp;".') as string,
      $metadata: { httpStatusCode: 403 },
    });
    ses.destroy();
  });

  it("may be a link to an object, signed as version 4 or 2", async () => {
    expect(await ask(`/pages/page.html?${version4("s3")}`)).toMatchObject({ status: 200, body: "<script>1</script>" });
    const version2 = "AWSAccessKeyId=test&Signature=0&Expires=4000000000";
    expect(await ask(`/pages/page.html?${version2}`)).toMatchObject({ status: 200, body: "<script>1</script>" });
  });

  it.each([
    ["a call of another service", "GET", `/?Action=ListQueues&${version4("sqs")}`],
    ["a call that moto tells by a path of its own", "GET", `/lambda_${region}/2015-03-31/functions/?${version4("s3")}`],
    ["a change of a bucket", "PUT", `/pages?${version4("s3")}`],
    ["what a form sends", "POST", `/pages/page.html?${version4("s3")}`],
  ])("may not be a link to %s", async (_, method, target) => {
    expect((await ask(target, {}, { method })).status).toBe(403);
  });

  it("may carry any key", async () => {
    expect((await ask(listFunctions, signed("lambda"))).status).toBe(200);
  });
});

it.each([
  "/moto-api/",
  "/moto-api/reset",
  "/MOTO-API/reset",
  "/%6doto-api/reset",
  "/%2e/moto-api/reset",
  "/pages/../moto-api/reset",
  "/pages/%2e%2e/moto-api/reset",
  "/_sandbox/../moto-api/reset",
])("keeps moto's own API closed: %s", async (target) => {
  for (const headers of [{}, signed("s3"), signed("lambda")]) {
    const { status, body } = await ask(target, headers, { method: "POST" });
    expect({ status, body }).toEqual({
      status: 403,
      body: expect.stringContaining("moto's own API is closed") as string,
    });
  }
  await s3.send(new GetObjectCommand({ Bucket: "pages", Key: "page.html" }));
});

it("strips what moto says to browsers, from objects, from errors and from calls", async () => {
  const { body: cors } = await ask(
    "/pages?cors",
    { ...signed("s3"), "content-type": "application/xml" },
    {
      method: "PUT",
      body: `<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>`,
    },
  );
  expect(cors).toBe("");
  for (const [target, service] of [
    ["/pages/page.html", "s3"],
    ["/pages/nobody", "s3"],
    [listFunctions, "lambda"],
  ] as const) {
    const { headers } = await ask(target, signed(service));
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect(headers).toMatchObject({ "content-security-policy": "sandbox", "x-content-type-options": "nosniff" });
  }
});

describe("a request's text that becomes a file's path", () => {
  const role = `arn:aws:iam::${accountId}:role/function`;

  it.each([
    "../../outside",
    "..",
    "a/b",
    "/etc/outside",
    "..\\outside",
    "a:function:../../../outside",
    arnOf.fn("../../outside"),
    "a b",
    "a\nb",
    "x".repeat(141),
    "",
  ])("makes no folder for a function named %j", async (name) => {
    const create = new CreateFunctionCommand({
      FunctionName: name,
      Role: role,
      Runtime: "nodejs22.x",
      Handler: "index.handler",
      Code: { ZipFile: zipOf("export const handler = () => 1;") },
    });
    await expect(gateway.lambda.send(create)).rejects.toMatchObject({ name: "ValidationException" });
    expect(readdirSync(join(workDirectory, ".."))).toEqual(["work"]);
    expect(existsSync(join(workDirectory, "functions")) ? readdirSync(join(workDirectory, "functions")) : []).toEqual(
      [],
    );
  });

  it("removes no folder, either", async () => {
    for (const name of ["../../work", "a:function:../.."]) {
      await expect(gateway.lambda.send(new DeleteFunctionCommand({ FunctionName: name }))).rejects.toMatchObject({
        name: "ValidationException",
      });
    }
    for (const target of [`${listFunctions}..%2f..%2fwork`, `${listFunctions}%zz`]) {
      expect((await ask(target, signed("lambda"), { method: "DELETE" })).status).toBe(400);
    }
    expect(existsSync(workDirectory)).toBe(true);
  });

  it("of a function's handler stays in its package", async () => {
    const name = await gateway.createFunction("export const handler = () => 1;", { Handler: "../../x/index.handler" });
    const { body } = await ask(`${listFunctions}${name}/invocations`, signed("lambda"), { method: "POST", body: "{}" });
    expect(JSON.parse(body)).toMatchObject({ errorType: "Runtime.MalformedHandlerName" });
  });

  it("comes from S3 as it was named", async () => {
    await s3.send(
      new PutObjectCommand({
        Bucket: "pages",
        Key: "a folder/a?b#c.zip",
        Body: zipOf("export const handler = () => 7;"),
      }),
    );
    const name = gateway.name("from-s3");
    await gateway.lambda.send(
      new CreateFunctionCommand({
        FunctionName: name,
        Role: role,
        Runtime: "nodejs22.x",
        Handler: "index.handler",
        Code: { S3Bucket: "pages", S3Key: "a folder/a?b#c.zip" },
      }),
    );
    expect(
      (await ask(`${listFunctions}${name}/invocations`, signed("lambda"), { method: "POST", body: "{}" })).body,
    ).toBe("7");
  });
});

describe("the functions' Runtime API, the other server with a port", () => {
  it("answers the runtime that was given its secret path, and no browser", async () => {
    const api = await RuntimeApi.start();
    const failures: string[] = [];
    const address = api.register("secret", {
      next: () => Promise.reject(new Error("not asked for")),
      succeeded: () => undefined,
      failed: () => undefined,
      initFailed: (error) => failures.push(error),
    });
    const to = Number(/^127\.0\.0\.1:(\d+)\/secret$/.exec(address)?.[1]);
    const report = (path: string, headers: Record<string, string> = {}) =>
      ask(`/${path}/2018-06-01/runtime/init/error`, headers, { method: "POST", body: "failed", to });
    try {
      for (const headers of [
        { host: "evil.example" },
        { origin: "null" },
        { origin: "http://evil.example" },
        { "sec-fetch-site": "same-site" },
      ]) {
        expect((await report("secret", headers)).status).toBe(403);
      }
      expect((await report("guessed")).status).toBe(410);
      expect(failures).toEqual([]);
      expect((await report("secret")).status).toBe(202);
      expect(failures).toEqual(["failed"]);
    } finally {
      await api.close();
    }
  });
});
