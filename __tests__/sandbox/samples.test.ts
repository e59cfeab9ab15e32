import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import * as z from "zod";
import { dailyReport } from "../../handler/notifications/daily-report";
import { emailRequest } from "../../handler/notifications/email-request";
import { type Notification } from "../../handler/notifications/define";
import { sampleEvent } from "../../handler/notifications/sample";
import { awsClientConfig } from "aws-emulator/client-config";
import { sendSamples } from "../../sandbox/samples";
import { renderMail } from "../../stacks/templates/mail";

/** The sandbox's report of the event. */
interface Told {
  fate: string;
  deliveries?: object[];
  records?: object[];
  mails?: { id: string; renderError?: string; to: string[]; subject: string; html: string; text: string }[];
}

const time = "2026-11-24T09:00:00Z";
const recipients = ["ops@example.com"] as const;

/** The answers of the sandbox's routes that the samples use. Each test sets them. */
let told: Told[];
let tasks: number;
let putAnswer: object;
let fireStatus: number;
let calls: string[];
let server: Server;
let endpoint: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    const path = request.url ?? "";
    calls.push(`${request.method ?? ""} ${path}`);
    const [now = { fate: "running" }] = told;
    const answer = (body: object, status = 200) => response.writeHead(status).end(JSON.stringify(body));
    request.resume().on("end", () => {
      if (path === "/") answer(putAnswer);
      else if (path.startsWith("/_sandbox/fire/")) answer({ eventId: "e-1" }, fireStatus);
      else if (path === "/_sandbox/pending") answer({ tasks });
      else if (path === "/_sandbox/activity/e-1") {
        if (told.length > 1) told.shift();
        const { fate, deliveries = [], records = [], mails = [] } = now;
        const rows = mails.map(({ id, renderError }) => ({ id, renderError }));
        answer({ time, fate, deliveries, records, mails: rows });
      } else {
        const mail = now.mails?.find(({ id }) => path === `/_sandbox/messages/${id}`);
        answer(mail ?? {}, mail === undefined ? 404 : 200);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
});
beforeEach(() => {
  tasks = 0;
  calls = [];
  fireStatus = 200;
  putAnswer = { FailedEntryCount: 0, Entries: [{ EventId: "e-1" }] };
});

const send = (notification: Notification, patienceMs = 60_000) =>
  sendSamples(
    {
      endpoint,
      client: awsClientConfig(endpoint, "us-east-1"),
      busName: "shop-dev-event-bus",
      namePrefix: "shop-dev",
      recipients,
    },
    { notifications: [notification], patienceMs },
  );

/** The mail that the sandbox shows for the sample. */
function mailOf(notification: Notification, changes: object = {}) {
  const { trigger, sample } = notification;
  const detail = trigger.kind === "schedule" ? trigger.detail(recipients) : sample;
  const event = sampleEvent(notification, { id: "e-1", time, detail });
  const { recipients: to } = notification.prepare(event);
  return { id: "m-1", to: [...to], ...renderMail(notification, event), ...changes };
}

it("is delivered where the mail is what the template makes of the sample", async () => {
  const mail = mailOf(emailRequest);
  told = [{ fate: "unmatched" }, { fate: "running" }, { fate: "delivered", mails: [mail] }];
  // A task is pending, so a mail that has not come yet may still come.
  tasks = 1;
  expect(await send(emailRequest)).toEqual([
    {
      kind: "delivered",
      notification: "email-request",
      subject: "Your export is ready",
      to: "success@simulator.amazonses.com",
    },
  ]);
  expect(calls[0]).toBe("POST /");
});

it("is delivered with a mail's own line ends", async () => {
  const { text } = mailOf(emailRequest);
  told = [{ fate: "delivered", mails: [mailOf(emailRequest, { text: text.trimEnd().replaceAll("\n", "\r\n") })] }];
  expect(await send(emailRequest)).toEqual([expect.objectContaining({ kind: "delivered" })]);
});

it("fires a schedule, whose mail goes to the stage's recipients", async () => {
  told = [{ fate: "delivered", mails: [mailOf(dailyReport)] }];
  expect(await send(dailyReport)).toEqual([expect.objectContaining({ kind: "delivered", to: "ops@example.com" })]);
  expect(calls[0]).toBe("POST /_sandbox/fire/shop-dev-daily-report");
});

it.each<[string, () => void, string | RegExp]>([
  [
    "it is parked",
    () => {
      told = [{ fate: "parked", records: [{ reason: "InvalidEvent: detail.amount is\n  missing" }] }];
    },
    "InvalidEvent: detail.amount is missing",
  ],
  [
    "no rule matches it",
    () => {
      told = [{ fate: "unmatched" }];
    },
    "No rule matched its event: the deployed rule has another source, detail-type or pattern.",
  ],
  [
    "a rule takes it, and mails nobody",
    () => {
      told = [{ fate: "delivered", deliveries: [{ rule: "unrouted-rule", status: "delivered", attempts: [] }] }];
    },
    "Its event was delivered by unrouted-rule, and no mail came of it.",
  ],
  [
    "its delivery fails",
    () => {
      const attempts = [{ errorType: "Timeout" }, { errorType: "SyntaxError", errorMessage: "Unexpected token" }];
      told = [{ fate: "failed", deliveries: [{ rule: "r", status: "failed", attempts }] }];
    },
    "SyntaxError: Unexpected token",
  ],
  [
    "SES can't render it",
    () => {
      told = [{ fate: "delivered", mails: [mailOf(emailRequest, { renderError: "the text part reads a variable" })] }];
    },
    "SES could not render its mail: the text part reads a variable",
  ],
  [
    "its mail says something else",
    () => {
      told = [{ fate: "delivered", mails: [mailOf(emailRequest, { text: "Your export is ready\n\nGone" })] }];
    },
    'The text of its mail is not what its template makes of the sample: line 3 is "Gone", and has to be "The export that you asked for can be downloaded until tomorrow evening.".',
  ],
  [
    "its mail says more",
    () => {
      const mail = mailOf(emailRequest);
      told = [{ fate: "delivered", mails: [{ ...mail, html: `${mail.html}<p>` }] }];
    },
    /^The html of its mail is not .*: line \d+ is " ?<p>", and has to be ""\.$/,
  ],
  [
    "the bus refuses it",
    () => {
      putAnswer = {
        FailedEntryCount: 1,
        Entries: [{ ErrorCode: "MalformedDetail", ErrorMessage: "Detail is malformed." }],
      };
    },
    "The bus refused it: MalformedDetail Detail is malformed.",
  ],
  [
    "the reason is a page",
    () => {
      told = [{ fate: "parked", records: [{ reason: "x".repeat(44_000) }] }];
    },
    `${"x".repeat(600)}..`,
  ],
])("fails with one sentence where %s", async (_, prepare, reason) => {
  told = [{ fate: "running" }];
  prepare();
  const [result] = await send(emailRequest);
  expect(result).toMatchObject({ kind: "failed", notification: "email-request" });
  expect(result).toEqual(
    expect.objectContaining({
      reason: typeof reason === "string" ? reason : (expect.stringMatching(reason) as string),
    }),
  );
});

it("fails where it takes too long, with what was seen last", async () => {
  const attempts = [{ errorType: "Throttled", errorMessage: "Slow down" }];
  told = [{ fate: "waiting", deliveries: [{ rule: "r", status: "delivered", attempts }] }];
  expect(await send(emailRequest, 500)).toEqual([
    {
      kind: "failed",
      notification: "email-request",
      reason:
        "It was not finished within 0.5 s: its event is waiting, and the last try ended with Throttled: Slow down.",
    },
  ]);
});

it("fails where its schedule can't be fired", async () => {
  fireStatus = 404;
  expect(await send(dailyReport)).toEqual([
    expect.objectContaining({
      reason: 'Its schedule daily-report could not be fired (404): {"eventId":"e-1"}',
    }),
  ]);
});

it("waits for a mail to each recipient, and reads no title or message", async () => {
  const own: Notification = {
    ...emailRequest,
    sample: { number: "<7>" },
    prepare: () => ({
      ...emailRequest.prepare(sampleEvent(emailRequest, { time })),
      recipients: ["a@example.com", "b@example.com"],
    }),
    detail: z.object({ number: z.string() }),
  };
  const mail = mailOf(own);
  const mails = [
    { ...mail, id: "m-1", to: ["a@example.com"] },
    { ...mail, id: "m-2", to: ["b@example.com"] },
  ];
  told = [
    { fate: "running", mails: mails.slice(1) },
    { fate: "delivered", mails },
  ];
  expect(await send(own)).toEqual([expect.objectContaining({ to: "a@example.com, b@example.com" })]);
});
