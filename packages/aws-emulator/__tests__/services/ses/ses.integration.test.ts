import {
  CreateConfigurationSetCommand,
  CreateTemplateCommand,
  SendEmailCommand,
  SendRawEmailCommand,
  SendTemplatedEmailCommand,
  TestRenderTemplateCommand,
  type SendTemplatedEmailCommandInput,
  VerifyDomainIdentityCommand,
  VerifyEmailIdentityCommand,
} from "@aws-sdk/client-ses";
import { type Mail } from "../../../src/gateway/journal";
import { addressProblem } from "../../../src/services/ses/addresses";
import { parseMime, toMime } from "../../../src/services/ses/mime";
import { bareAddress, fromQuery } from "../../../src/services/ses/sent-mail";
import { arnOf, gatewayForTests, signed } from "../../support/gateway";

const gateway = gatewayForTests({ rejectUnverifiedRecipients: true });
beforeAll(async () => {
  await gateway.ses.send(new VerifyEmailIdentityCommand({ EmailAddress: "sender@example.com" }));
  await gateway.ses.send(new VerifyDomainIdentityCommand({ Domain: "customers.example" }));
  await gateway.ses.send(new CreateConfigurationSetCommand({ ConfigurationSet: { Name: "set" } }));
  await gateway.ses.send(
    new CreateTemplateCommand({
      Template: {
        TemplateName: "greeting",
        SubjectPart: "Hello {{name}}",
        HtmlPart: "<p>{{nameHtml}}</p>{{#if extra}}<i>{{extra}}</i>{{/if}}",
        TextPart: "Hello {{name}} & {{order.id}}",
      },
    }),
  );
});
const data = { name: "<Ann>", nameHtml: "&lt;Ann&gt;", order: { id: 7 }, extra: "" };

function send(changes: Partial<SendTemplatedEmailCommandInput> = {}) {
  return gateway.ses.send(
    new SendTemplatedEmailCommand({
      Source: "Sender <sender@example.com>",
      Destination: {
        ToAddresses: ["a@customers.example"],
        CcAddresses: ["c@customers.example"],
        BccAddresses: ["b@customers.example"],
      },
      ReplyToAddresses: ["reply@example.com"],
      Template: "greeting",
      TemplateData: JSON.stringify(data),
      ConfigurationSetName: "set",
      Tags: [{ Name: "notification", Value: "greeting" }],
      ...changes,
    }),
  );
}

const v2 = (body: unknown, path = "outbound-emails") =>
  fetch(`${gateway.gateway.url}/v2/email/${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...signed("ses"),
    },
    body: JSON.stringify(body),
  });

async function mail(id: string | undefined): Promise<Mail> {
  const found = (await gateway.mails()).find((each) => each.id === id);
  if (found === undefined) throw new Error(`No mail ${String(id)}`);
  return found;
}

describe("a mail that SES accepts is kept, rendered", () => {
  it("SendTemplatedEmail: as SES renders it, without escaping", async () => {
    const { MessageId: id } = await send();
    expect(await mail(id)).toEqual({
      id,
      time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      from: "Sender <sender@example.com>",
      to: ["a@customers.example"],
      cc: ["c@customers.example"],
      bcc: ["b@customers.example"],
      subject: "Hello <Ann>",
      html: "<p>&lt;Ann&gt;</p>",
      text: "Hello <Ann> & 7",
      template: "greeting",
      configurationSet: "set",
      templateData: data,
      tags: { notification: "greeting" },
      feedback: ["Delivery", "Delivery", "Delivery"],
      headers: expect.arrayContaining([
        { name: "Reply-To", value: "reply@example.com" },
        { name: "Message-ID", value: `<${String(id)}@email.amazonses.com>` },
      ]) as unknown,
    });
    expect(JSON.stringify((await mail(id)).headers)).not.toContain("b@customers.example");
  });

  it("newest first", async () => {
    const first = await send();
    const second = await send();
    const ids = (await gateway.mails()).map(({ id }) => id);
    expect(ids.slice(0, 2)).toEqual([second.MessageId, first.MessageId]);
  });

  it("SendEmail", async () => {
    const { MessageId: id } = await gateway.ses.send(
      new SendEmailCommand({
        Source: "sender@example.com",
        Destination: { ToAddresses: ["a@customers.example"] },
        Message: { Subject: { Data: "Süßes" }, Body: { Text: { Data: "text" }, Html: { Data: "<b>html</b>" } } },
      }),
    );
    expect(await mail(id)).toMatchObject({
      subject: "Süßes",
      text: "text",
      html: "<b>html</b>",
      template: "",
      templateData: {},
    });
  });

  it("SendRawEmail", async () => {
    const raw = [
      "From: sender@example.com",
      'To: "A, B" <a@customers.example>, c@customers.example',
      "Subject: =?UTF-8?B?U8O8w59lcw==?=",
      'Content-Type: multipart/alternative; boundary="x"',
      "",
      "--x",
      "Content-Type: text/plain; charset=UTF-8",
      "Content-Transfer-Encoding: quoted-printable",
      "",
      "caf=C3=A9 =",
      "au lait",
      "--x",
      "Content-Type: text/html",
      "Content-Transfer-Encoding: base64",
      "",
      Buffer.from("<b>café</b>").toString("base64"),
      "--x--",
      "",
    ].join("\r\n");
    const { MessageId: id } = await gateway.ses.send(
      new SendRawEmailCommand({ RawMessage: { Data: Buffer.from(raw) } }),
    );
    expect(await mail(id)).toMatchObject({
      from: "sender@example.com",
      to: ['"A, B" <a@customers.example>', "c@customers.example"],
      subject: "Süßes",
      text: "café au lait",
      html: "<b>café</b>",
    });
  });

  it("SES v2's SendEmail, simple and by template", async () => {
    const common = { FromEmailAddress: "sender@example.com", Destination: { ToAddresses: ["a@customers.example"] } };
    const simple = await v2({
      ...common,
      Content: { Simple: { Subject: { Data: "Hi" }, Body: { Text: { Data: "text" } } } },
    });
    expect(await mail(((await simple.json()) as { MessageId: string }).MessageId)).toMatchObject({
      subject: "Hi",
      text: "text",
    });
    const templated = await v2({
      ...common,
      Content: { Template: { TemplateName: "greeting", TemplateData: JSON.stringify(data) } },
      EmailTags: [{ Name: "a", Value: "b" }],
    });
    expect(await mail(((await templated.json()) as { MessageId: string }).MessageId)).toMatchObject({
      subject: "Hello <Ann>",
      tags: { a: "b" },
    });
    const missing = await v2({ ...common, Content: { Template: { TemplateName: "nope", TemplateData: "{}" } } });
    expect(missing.status).toBe(404);
    expect(missing.headers.get("x-amzn-errortype")).toBe("NotFoundException");
  });
});

describe("a mail that cannot be rendered is accepted and not sent, as SES does", () => {
  it.each([
    ["a variable is missing", { ...data, name: undefined }, /subject reads the variable "name"/],
    ["a variable is in another case", { ...data, name: undefined, Name: "Ann" }, /variable "name"/],
    ["a nested variable is missing", { ...data, order: {} }, /text part reads the variable "id"/],
  ])("%s", async (_, templateData, reason) => {
    const before = (await gateway.mails()).length;
    const { MessageId: id } = await send({ TemplateData: JSON.stringify(templateData) });
    const failures = (await gateway.get("rendering-failures")) as Mail[];
    expect(failures.find((failure) => failure.id === id)?.renderError).toMatch(reason);
    expect(await gateway.mails()).toHaveLength(before);
  });

  it("and the event behind it says so", async () => {
    const bus = await gateway.createBus();
    const name = await gateway.createFunction(sendingFunction({ name: "only" }));
    const rule = await gateway.createRule(bus, [{ Id: "fn", Arn: arnOf.fn(name) }]);
    await gateway.permit(name, arnOf.rule(bus, rule));
    const id = await gateway.putEvent(bus, {});
    await gateway.deliveries(id);
    expect((await gateway.event(id)).notes.join()).toMatch(/accepted by SES and never sent/);
  });
});

it("a mail tells the invocation, the event and the rule that it comes from", async () => {
  const bus = await gateway.createBus();
  const name = await gateway.createFunction(sendingFunction(data));
  const rule = await gateway.createRule(bus, [{ Id: "fn", Arn: arnOf.fn(name) }]);
  await gateway.permit(name, arnOf.rule(bus, rule));
  const ids = await Promise.all([1, 2, 3].map((number) => gateway.putEvent(bus, { number })));
  const deliveries = (await Promise.all(ids.map((id) => gateway.deliveries(id)))).flat();
  const mails = (await gateway.mails()).filter((each) => each.rule === rule);
  expect(new Set(mails.map(({ eventId }) => eventId))).toEqual(new Set(ids));
  const requestIds = deliveries.map(({ attempts }) => attempts[0]?.requestId);
  expect(new Set(mails.map(({ requestId }) => requestId))).toEqual(new Set(requestIds));
});

describe("what SES refuses is refused", () => {
  it("a sender that is not verified, in SES's words", async () => {
    await expect(send({ Source: "Other <other@example.com>" })).rejects.toMatchObject({
      name: "MessageRejected",
      message:
        "Email address is not verified. The following identities failed the check in region US-EAST-1: other@example.com",
    });
  });

  it("a template that does not exist", async () => {
    await expect(send({ Template: "nope" })).rejects.toMatchObject({ name: "TemplateDoesNotExistException" });
  });

  it("a configuration set that does not exist", async () => {
    await expect(send({ ConfigurationSetName: "nope" })).rejects.toMatchObject({
      name: "ConfigurationSetDoesNotExistException",
      message: expect.stringContaining("nope") as string,
    });
  });

  it("a recipient that is not verified, where the account is in the SES sandbox", async () => {
    const to = (address: string) => send({ Destination: { ToAddresses: [address] } });
    await expect(to("a@elsewhere.example")).rejects.toMatchObject({
      name: "MessageRejected",
      message: expect.stringContaining("US-EAST-1: a@elsewhere.example") as string,
    });
    await expect(to("success@simulator.amazonses.com")).resolves.toHaveProperty("MessageId");
  });

  const invalid = (message: string) => ({ name: "InvalidParameterValue", message });

  it.each([
    ["no-domain", "Missing final '@domain'"],
    ["Karen, Chan <karen@customers.example>", "Illegal address"],
    ["a@customers.example,b@customers.example", "Domain contains illegal character"],
    ["Karen <karen @customers.example>", "Local address contains control or whitespace"],
    ["a\u00a0b@customers.example", "Local address contains illegal character"],
    ["@customers.example", "Missing local name"],
    [".a@customers.example", "Local address starts with dot"],
    ["a..b@customers.example", "Local address contains dot-dot"],
    ["a.@customers.example", "Local address ends with dot"],
    ['a"b@customers.example', "Quote not at start of local address"],
    ['"a@customers.example', "Unterminated quote"],
    ["a@", "Missing domain"],
    ["a@.example", "Domain starts with dot"],
    ["a@customers example", "Domain contains control or whitespace"],
    ["a@customers_1.example", "Domain contains illegal character"],
    ["a@customers..example", "Domain contains dot-dot"],
    ["a@customers.example.", "Domain ends with dot"],
  ])("an address, in its words: %s", async (address, message) => {
    await expect(send({ Destination: { ToAddresses: [address] } })).rejects.toMatchObject(invalid(message));
    await expect(send({ ReplyToAddresses: [address] })).rejects.toMatchObject(invalid(message));
  });

  it.each(["a@customers.example ", '"Chan, Karen" <a@customers.example>', '"a b"@customers.example'])(
    "but not the address %j",
    async (address) => {
      await expect(send({ Destination: { ToAddresses: [address] } })).resolves.toHaveProperty("MessageId");
    },
  );

  it.each([
    ["", "x", "The tag name must be specified."],
    ["x", "", "The tag value must be specified."],
    ["x".repeat(256), "x", "Tag name cannot exceed 255 characters."],
    ["x", "x".repeat(256), "Tag value cannot exceed 255 characters."],
    ["a:b", "c:d", "Invalid tag name <a:b>: only alphanumeric ASCII characters, '_',  '-' are allowed."],
    ["a@b", "x", "Invalid tag name <a@b>: only alphanumeric ASCII characters, '_',  '-' are allowed."],
    ["x", "c:d", "Invalid tag value <c:d>: only alphanumeric ASCII characters, '_',  '-' , '.', '@' are allowed."],
  ])("a tag: %s, %s", async (Name, Value, message) => {
    await expect(
      send({
        Tags: [
          { Name: "fine", Value: "a.b@c-d_e" },
          { Name, Value },
        ],
      }),
    ).rejects.toMatchObject(invalid(message));
    const answer = await v2({
      FromEmailAddress: "sender@example.com",
      Destination: { ToAddresses: ["a@customers.example"] },
      Content: { Simple: { Subject: { Data: "s" }, Body: { Text: { Data: "t" } } } },
      EmailTags: [{ Name, Value }],
    });
    expect([answer.status, await answer.json()]).toMatchObject([400, { __type: "BadRequestException", message }]);
  });

  describe("more than 50 recipients", () => {
    const many = (count: number, name = "to") =>
      Array.from({ length: count }, (_, index) => `${name}-${index}@customers.example`);
    const three = { ToAddresses: many(20), CcAddresses: many(20, "cc"), BccAddresses: many(11, "bcc") };
    const fewer = { ...three, BccAddresses: many(10, "bcc") };
    const Message = { Subject: { Data: "s" }, Body: { Text: { Data: "t" } } };
    const Source = "sender@example.com";
    const raw = (...headers: string[]) => ({ Data: Buffer.from([...headers, "", "text"].join("\r\n")) });
    const header = (name: string, addresses: readonly string[]) => `${name}: ${addresses.join(",\r\n ")}`;
    const headers = ({ ToAddresses: to, CcAddresses: cc, BccAddresses: bcc }: typeof three) => [
      `From: ${Source}`,
      header("To", to),
      header("Cc", cc),
      header("Bcc", bcc),
    ];
    const sendRaw = (lines: string[], Destinations?: string[]) =>
      gateway.ses.send(new SendRawEmailCommand({ RawMessage: raw(...lines), ...(Destinations && { Destinations }) }));

    it.each<[string, (destination: typeof three) => Promise<unknown>]>([
      ["SendTemplatedEmail", (Destination) => send({ Destination })],
      ["SendEmail", (Destination) => gateway.ses.send(new SendEmailCommand({ Source, Destination, Message }))],
      ["SendRawEmail, by its headers", (destination) => sendRaw(headers(destination))],
      [
        "SendRawEmail, by its destinations, whatever its headers say",
        (destination) => sendRaw(headers(fewer), Object.values(destination).flat()),
      ],
    ])("%s", async (_, sendTo) => {
      await expect(sendTo(three)).rejects.toMatchObject(invalid("Recipient count exceeds 50."));
      await expect(sendTo(fewer)).resolves.toHaveProperty("MessageId");
    });

    it.each<[string, object]>([
      ["simple", { Simple: Message }],
      ["by template", { Template: { TemplateName: "greeting", TemplateData: JSON.stringify(data) } }],
      ["raw", { Raw: { Data: raw(...headers(fewer)).Data.toString("base64") } }],
    ])("SES v2's SendEmail, %s", async (_, Content) => {
      const sendTo = (Destination: typeof three) => v2({ FromEmailAddress: Source, Destination, Content });
      const refused = await sendTo(three);
      expect([refused.status, await refused.json()]).toMatchObject([
        400,
        { __type: "BadRequestException", message: "Recipient count exceeds 50." },
      ]);
      expect((await sendTo(fewer)).status).toBe(200);
    });

    it("but a raw mail that names its recipients twice, in the call and in its headers", async () => {
      const all = Object.values(fewer).flat();
      const { MessageId: id } = await sendRaw(headers(fewer), all);
      const { to, cc, bcc } = await mail(id);
      expect({ to, cc, bcc }).toEqual({ to: all, cc: [], bcc: [] });
    });
  });

  it("but not a tag of 255 characters", async () => {
    const Tags = [{ Name: "n".repeat(255), Value: "v".repeat(255) }];
    await expect(send({ Tags })).resolves.toHaveProperty("MessageId");
  });

  it("nothing of it is kept", async () => {
    const before = (await gateway.mails()).length;
    await expect(send({ Template: "nope" })).rejects.toThrow();
    expect(await gateway.mails()).toHaveLength(before);
  });
});

describe("a raw mail is read in time that grows with it", () => {
  const half = 131_072;
  const readHeader = (name: string, value: string) =>
    fromQuery({
      method: "POST",
      url: new URL("http://gateway/"),
      headers: {},
      service: "ses",
      operation: "SendRawEmail",
      accessKeyId: "test",
      body: Buffer.from(
        new URLSearchParams({
          "RawMessage.Data": Buffer.from(`From: a@example.com\r\n${name}: ${value}\r\n\r\n`).toString("base64"),
        }).toString(),
      ),
    });

  it("its addresses", async () => {
    expect((await readHeader("To", 'a"b@x, '.repeat(half)))?.to).toHaveLength(half / 2);
    expect((await readHeader("To", '"A, \\" B" <a@x>,, c@x,'))?.to).toEqual(['"A, \\" B" <a@x>', "c@x"]);
    expect(bareAddress("<".repeat(half))).toHaveLength(half);
    expect(addressProblem(`"${'\\"'.repeat(half)}<a@customers.example>`)).toBe("Illegal address");
  });

  it("its headers", async () => {
    const { headers } = await parseMime(`Subject: ${" ".repeat(half)}x\rx\r\n\r\n`);
    expect(headers).toEqual([{ name: "Subject", value: "x x" }]);
  });

  it("parts within parts, which are refused when they are too deep", async () => {
    const nested = (depth: number) =>
      Array.from(
        { length: depth },
        (_, level) => `Content-Type: multipart/mixed; boundary=b${level}x\n\n--b${level}x\n`,
      )
        .join("")
        .concat("Content-Type: text/plain\n\ntext\n");
    expect((await parseMime(nested(200))).text).toBe("text");
    await expect(parseMime(nested(20_000))).rejects.toThrow("The raw mail can't be read: Maximum MIME nesting depth");
  });

  it("and blank lines stay what they are", async () => {
    expect((await parseMime("A: b\n\nfirst\n\nsecond\r\n\r\nthird")).text).toBe("first\n\nsecond\n\nthird");
    expect(await parseMime("A: b")).toEqual({ headers: [{ name: "A", value: "b" }], html: "", text: "" });
  });
});

it("a mail is a MIME file that reads as it was sent", async () => {
  const { MessageId: id = "" } = await send({ TemplateData: JSON.stringify({ ...data, name: "Søren\r\nBcc: x@y.z" }) });
  const response = await fetch(`${gateway.gateway.url}/_sandbox/messages/${id}.eml`);
  expect(response.headers.get("content-type")).toBe("message/rfc822");
  const raw = await response.text();
  const parsed = await parseMime(raw);
  const kept = await mail(id);
  // A MIME reader gives every line break as one.
  expect(parsed.text).toBe(kept.text.replaceAll("\r\n", "\n"));
  expect(parsed.html).toBe(kept.html);
  expect(raw).toMatch(/^Subject: =\?UTF-8\?[BQ]\?/m);
  const [headers = ""] = raw.split("\r\n\r\n");
  expect(headers).not.toMatch(/^Bcc:/m);
  expect((await toMime(kept)).toString()).toBe(raw);
});

it("a mail file keeps the limits of its lines, whatever its subject, its names and its texts are", async () => {
  const long = "Größe und Maß ".repeat(40);
  const raw = await toMime({
    ...(await mail((await send()).MessageId ?? "")),
    headers: [
      { name: "From", value: `"${long}" <sender@example.com>` },
      { name: "To", value: Array.from({ length: 50 }, (_, index) => `someone-${index}@customers.example`).join(", ") },
      { name: "Subject", value: long },
    ],
    text: "x".repeat(5000),
    html: `<p>${long.repeat(20)}</p>`,
  });
  const lines = raw.toString("latin1").split("\r\n");
  // RFC 5322, 2.1.1; RFC 2047, 2.
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(998);
  const words = raw.toString("latin1").match(/=\?[^?\s]+\?[BQ]\?[^?\s]*\?=/g) ?? [];
  expect(words.length).toBeGreaterThan(10);
  expect(Math.max(...words.map((word) => word.length))).toBeLessThanOrEqual(75);
  const { headers } = await parseMime(raw);
  expect(headers.find(({ name }) => name === "Subject")?.value.trim()).toBe(long.trim());
});

it("a mail file keeps the limits of its lines where a subject has no blank to fold it at", async () => {
  const subject = "https://shop.example/".padEnd(3000, "x");
  const headers = ["Subject", "X-Reference"].map((name) => ({ name, value: subject }));
  const raw = await toMime({ ...(await mail((await send()).MessageId ?? "")), headers });
  for (const line of raw.toString("latin1").split("\r\n")) expect(line.length).toBeLessThanOrEqual(998);
  expect((await parseMime(raw)).headers.slice(0, 2)).toEqual(headers);
});

describe("a raw mail that can't be read is refused, with the reason", () => {
  const nested = Array.from({ length: 300 }, (_, level) => [
    `Content-Type: multipart/mixed; boundary=b${level}x`,
    "",
    `--b${level}x`,
  ]);
  const tooDeep = Buffer.from(["From: sender@example.com", ...nested.flat(), "", "text"].join("\r\n"));
  const whyNot = "The raw mail can't be read: ";

  it("by SES v1, in words that its client reads", async () => {
    await expect(gateway.ses.send(new SendRawEmailCommand({ RawMessage: { Data: tooDeep } }))).rejects.toMatchObject({
      name: "SerializationException",
      message: `${whyNot}Maximum MIME nesting depth of 256 levels exceeded`,
      $metadata: { httpStatusCode: 400 },
    });
  });

  it.each<[string, unknown, string]>([
    ["too deep", { Data: tooDeep.toString("base64") }, `${whyNot}Maximum MIME nesting depth`],
    ["no base64", { Data: "From: a@b" }, `${whyNot}its data has to be a text in base64.`],
    ["no text", { Data: 5 }, `${whyNot}its data has to be a text in base64.`],
    ["no data", {}, `${whyNot}its data has to be a text in base64.`],
    ["no object", [], `${whyNot}its data has to be a text in base64.`],
  ])("by SES v2: %s", async (_, Raw, message) => {
    const before = (await gateway.mails()).length;
    const answer = await v2({ FromEmailAddress: "sender@example.com", Content: { Raw } });
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { __type: "SerializationException", message: expect.stringContaining(message) as string },
    ]);
    expect(await gateway.mails()).toHaveLength(before);
  });
});

describe("a template is rendered for a test as a mail is: moto knows no dotted names", () => {
  const test = (TemplateData: string, TemplateName = "greeting") =>
    gateway.ses.send(new TestRenderTemplateCommand({ TemplateName, TemplateData }));
  const testV2 = async (TemplateData: string, name = "greeting") => {
    const response = await v2({ TemplateData }, `templates/${name}/render`);
    return [response.status, await response.json()];
  };

  it("by SES v1 and v2", async () => {
    const text = JSON.stringify({ ...data, name: "Søren & <Ann>" });
    const { RenderedTemplate: rendered = "" } = await test(text);
    expect(await parseMime(rendered)).toMatchObject({
      html: "<p>&lt;Ann&gt;</p>",
      text: "Hello Søren & <Ann> & 7",
      headers: expect.arrayContaining([{ name: "Subject", value: "Hello Søren & <Ann>" }]) as unknown,
    });
    expect(await testV2(text)).toEqual([
      200,
      { RenderedTemplate: expect.stringContaining("Hello_S=C3=B8ren") as string },
    ]);
  });

  it("or refused", async () => {
    const missing = "Attribute 'name' is not present in the rendering data.";
    await expect(test("{}")).rejects.toMatchObject({ name: "MissingRenderingAttributeException", message: missing });
    await expect(test("{")).rejects.toMatchObject({ name: "InvalidRenderingParameterException" });
    await expect(test("{}", "nope")).rejects.toMatchObject({ name: "TemplateDoesNotExistException" });
    expect(await testV2("{}")).toMatchObject([400, { __type: "BadRequestException", message: missing }]);
    expect(await testV2("{}", "nope")).toMatchObject([404, { __type: "NotFoundException" }]);
  });
});

/** A function that sends the greeting with these data, without an SDK in its package. */
function sendingFunction(templateData: unknown): string {
  const form = {
    Action: "SendTemplatedEmail",
    Version: "2010-12-01",
    Source: "sender@example.com",
    Template: "greeting",
    TemplateData: JSON.stringify(templateData),
    "Destination.ToAddresses.member.1": "a@customers.example",
  };
  return `
    export const handler = async () => {
      const authorization = "AWS4-HMAC-SHA256 Credential=" + process.env.AWS_ACCESS_KEY_ID + "/20240101/" + process.env.AWS_REGION + "/ses/aws4_request, SignedHeaders=host, Signature=0";
      const response = await fetch(process.env.AWS_ENDPOINT_URL, {
        method: "POST", headers: { authorization }, body: new URLSearchParams(${JSON.stringify(form)}),
      });
      if (!response.ok) throw new Error(await response.text());
    };`;
}
