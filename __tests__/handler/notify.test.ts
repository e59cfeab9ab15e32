import { createNotify, hashRecipient, type TemplatedEmail } from "../../handler/notify";
import { type RecipientPolicy } from "../../handler/contract/recipient-policy";
import { TransientError } from "../../handler/errors";

const event = (detail: object, overrides: object = {}) => ({
  version: "0",
  id: "7bf73129-1428-4cd3-a780-95db273d1602",
  "detail-type": "Email Notification Request",
  source: "custom.application",
  account: "123456789012",
  time: "2026-11-24T09:00:00Z",
  region: "eu-west-1",
  resources: [],
  detail,
  ...overrides,
});

function setUp(recipientPolicy: RecipientPolicy = { mode: "unrestricted", reason: "test" }, failure?: Error) {
  const sent: TemplatedEmail[] = [];
  const lines: { level: string; message: string; attributes: object }[] = [];
  const counted: string[] = [];
  const notify = createNotify({
    sendEmail: (email) => {
      if (failure) return Promise.reject(failure);
      sent.push(email);
      return Promise.resolve({ messageId: `message-${sent.length}` });
    },
    log: {
      info: (message, attributes) => lines.push({ level: "INFO", message, attributes }),
      error: (message, attributes) => lines.push({ level: "ERROR", message, attributes }),
    },
    metrics: { emailSent: (id) => counted.push(`sent ${id}`), eventFailed: (type) => counted.push(`failed ${type}`) },
    templateNamePrefix: "shop-dev",
    recipientPolicy,
  });
  return { notify, sent, lines, counted };
}

it("mails the recipe's request, raw for the text and escaped for the HTML", async () => {
  const { notify, sent, counted } = setUp();
  const result = await notify(
    event({
      emailConfig: { recipient: "a@example.com", subject: "Hi\r\nBcc: x@example.com" },
      title: "A & B",
      message: "<b>",
    }),
  );
  expect(result).toEqual({
    notification: "email-request",
    eventId: "7bf73129-1428-4cd3-a780-95db273d1602",
    messageIds: ["message-1"],
  });
  expect(sent).toEqual([
    {
      recipient: "a@example.com",
      template: "shop-dev-email-request",
      templateData: expect.objectContaining({
        subject: "Hi Bcc: x@example.com",
        title: "A & B",
        titleHtml: "A &amp; B",
        message: "<b>",
        messageHtml: "&lt;b&gt;",
        timestamp: "2026-11-24T09:00:00Z",
        source: "custom.application",
      }) as object,
    },
  ]);
  expect(counted).toEqual(["sent email-request"]);
});

it("has the recipe's defaults for subject, title and message", async () => {
  const { notify, sent } = setUp();
  await notify(event({ emailConfig: { recipient: "a@example.com" } }));
  expect(sent[0]?.templateData).toMatchObject({
    subject: "Notification: Email Notification Request",
    title: "Email Notification Request",
    message: "No message provided",
  });
});

it("mails a list one by one, in any legal form, each address once", async () => {
  const { notify, sent } = setUp();
  await notify(
    event({
      emailConfig: {
        recipient: ["a+b@mail.example.com", "x@bücher.example", "a+b@mail.example.com", "o'hara@example.co.uk"],
      },
    }),
  );
  expect(sent.map(({ recipient }) => recipient)).toEqual([
    "a+b@mail.example.com",
    "x@xn--bcher-kva.example",
    "o'hara@example.co.uk",
  ]);
});

it.each([
  ["no recipient", { invalidField: "test" }],
  ["an address that is none", { emailConfig: { recipient: "nobody" } }],
  ["an empty list", { emailConfig: { recipient: [] } }],
  ["51 recipients", { emailConfig: { recipient: Array.from({ length: 51 }, (_, i) => `a${i}@example.com`) } }],
  ["two addresses in one string", { emailConfig: { recipient: "a@example.com, b@example.com" } }],
  ["a message that SES can't take", { emailConfig: { recipient: "a@example.com" }, message: "x".repeat(140_000) }],
])("refuses an event with %s, and logs it once, without an address", async (_, detail) => {
  const { notify, sent, lines, counted } = setUp();
  await expect(notify(event(detail))).rejects.toMatchObject({ name: "InvalidEvent", retryable: false });
  expect(sent).toEqual([]);
  expect(counted).toEqual(["failed InvalidEvent"]);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ level: "ERROR", attributes: { failure: "InvalidEvent", retryable: false } });
  expect(JSON.stringify(lines)).not.toContain("@");
});

it("refuses a priority that its rule does not route", async () => {
  const { notify } = setUp();
  const low = event(
    { priority: "low", emailConfig: { recipient: "a@example.com" } },
    { "detail-type": "Priority Alert" },
  );
  await expect(notify(low)).rejects.toThrow(/detail\.priority/);
});

it.each([
  ["nothing", undefined],
  ["a text", "hello"],
  ["an event without a detail", event({}, { detail: undefined })],
])("refuses %s as input", async (_, input) => {
  await expect(setUp().notify(input)).rejects.toMatchObject({ name: "InvalidEvent" });
});

it("refuses an event that no notification takes, and names it", async () => {
  await expect(setUp().notify(event({}, { "detail-type": "Unheard Of" }))).rejects.toMatchObject({
    name: "UnknownNotification",
    message: expect.stringContaining('"Unheard Of"') as string,
  });
});

it("mails nobody where one recipient is not allowed", async () => {
  const { notify, sent, lines } = setUp({ mode: "restricted", addresses: ["a@example.com"], domains: ["Example.org"] });
  await notify(event({ emailConfig: { recipient: ["A@example.com", "b@example.org"] } }));
  expect(sent).toHaveLength(2);
  await expect(
    notify(event({ emailConfig: { recipient: ["a@example.com", "c@sub.example.org"] } })),
  ).rejects.toMatchObject({
    name: "RecipientRefused",
    message: expect.stringContaining(hashRecipient("c@sub.example.org")) as string,
  });
  expect(sent).toHaveLength(2);
  expect(JSON.stringify(lines)).not.toContain("@");
});

it("passes a failed send on, so that Lambda sees it", async () => {
  const failure = new TransientError("Throttled", "SES did not take the mail (Throttling).");
  const { notify, counted } = setUp(undefined, failure);
  await expect(notify(event({ emailConfig: { recipient: "a@example.com" } }))).rejects.toBe(failure);
  expect(counted).toEqual(["failed Throttled"]);
});
