import { type Journal, type Mail } from "../../src/gateway/journal";
import { motoAccountId } from "../../src/processes";
import { type EventDetails, type FailureRecord, type SandboxInfo } from "../../src/wire";

/** What a sandbox looks like after a few minutes of use, in the shapes of the gateway's API. */

const REGION = "us-east-1";
export const BUS = "acme-orders-sandbox";
const FUNCTION = "acme-orders-sandbox-notify";
export const DLQ_ARN = `arn:aws:sqs:${REGION}:${motoAccountId}:acme-orders-sandbox-dead-letters`;

const ago = (minutes: number, ms = 0) => new Date(Date.now() - minutes * 60_000 + ms).toISOString();

const functionArn = `arn:aws:lambda:${REGION}:${motoAccountId}:function:${FUNCTION}`;

type Delivery = EventDetails["deliveries"][number];

/** What the journal can't make by itself of an event. */
export interface BusEvent
  extends
    Pick<EventDetails, "id" | "time" | "bus" | "source" | "detailType" | "detail" | "event" | "deliveries">,
    Partial<Pick<EventDetails, "nearest">> {
  /** The records of its failure that queues took. */
  readonly records: readonly Pick<FailureRecord, "queueArn" | "reason">[];
}

const page = (title: string, message: string, source: string, time: string) => `<!doctype html>
<html lang="en">
  <head><style>body { background: #eef2f0; margin: 0; } .card { max-width: 560px; margin: 32px auto; padding: 32px 36px; background: #fff; border-radius: 12px; font: 16px/1.6 system-ui, sans-serif; color: #1d2421; } h1 { font-size: 22px; line-height: 1.3; margin: 0 0 12px; } .meta { margin-top: 28px; padding-top: 14px; border-top: 1px solid #dde4e0; font-size: 13px; color: #5a6761; }</style></head>
  <body>
    <div class="card">
      <h1>${title}</h1>
      <p>${message}</p>
      <p class="meta">Sent ${time} for an event of ${source}.</p>
    </div>
  </body>
</html>`;

type MailOptions = Pick<Mail, "id" | "to" | "subject"> &
  Partial<Mail> & { readonly title: string; readonly message: string; readonly minutes: number };

export function mail({ title, message, minutes, ...rest }: MailOptions): Mail {
  const time = rest.time ?? ago(minutes);
  const template = rest.template ?? "acme-orders-sandbox-email-request";
  return {
    time,
    from: "Acme Orders <notifications@acme.example>",
    cc: [],
    bcc: [],
    html: page(title, message, "custom.application", time),
    text: `${title}\n\n${message}\n\nSent ${time} for an event of custom.application.\n`,
    template,
    configurationSet: "acme-orders-sandbox",
    templateData: {
      title,
      message,
      titleHtml: title,
      messageHtml: message,
      timestamp: time,
      source: "custom.application",
    },
    tags: { notification: "email-request", stage: "sandbox" },
    headers: [
      { name: "From", value: "Acme Orders <notifications@acme.example>" },
      { name: "To", value: rest.to.join(", ") },
      { name: "Subject", value: rest.subject },
      { name: "Date", value: new Date(time).toUTCString() },
      { name: "Message-ID", value: `<${rest.id}@email.amazonses.com>` },
      { name: "X-SES-CONFIGURATION-SET", value: "acme-orders-sandbox" },
      { name: "MIME-Version", value: "1.0" },
      { name: "Content-Type", value: 'multipart/alternative; boundary="=_acme"' },
    ],
    ...rest,
  };
}

type EventOptions = Pick<BusEvent, "id" | "detailType" | "detail"> & Partial<BusEvent> & { readonly minutes: number };

export function busEvent({ minutes, ...rest }: EventOptions): BusEvent {
  const time = ago(minutes);
  const source = rest.source ?? "custom.application";
  return {
    time,
    bus: BUS,
    source,
    event: {
      version: "0",
      id: rest.id,
      "detail-type": rest.detailType,
      source,
      account: motoAccountId,
      time,
      region: REGION,
      resources: [],
      detail: rest.detail,
    },
    deliveries: [],
    records: [],
    ...rest,
  };
}

export function toFunction(rule: string, rest: Pick<Delivery, "status" | "attempts"> & Partial<Delivery>): Delivery {
  return {
    rule,
    bus: BUS,
    targetId: "notify",
    targetArn: functionArn,
    kind: "lambda",
    functionName: FUNCTION,
    ...rest,
  };
}

const succeeded = (minutes: number, requestId: string): Delivery["attempts"][number] => ({
  number: 1,
  startedAt: ago(minutes, 12),
  endedAt: ago(minutes, 158),
  status: "success",
  requestId,
});

const throttled = {
  errorType: "TransientSendError",
  errorMessage: "Throttling: Maximum sending rate exceeded.",
  status: "error",
} as const;

export const IDS = {
  welcome: "0100019ab2c4-7d1e-welcome",
  priority: "0100019ab2c4-81aa-priority",
  report: "0100019ab2c4-55b0-report",
  markup: "0100019ab2c4-9f02-markup",
  unsent: "0100019ab2c4-a0c1-unsent",
  welcomeEvent: "4f1f6b3e-7a0e-4a57-9b61-0c3d1f0d7a11",
  retryingEvent: "b0c9e5a2-2a55-41f5-8dd2-51a1b8fdbb22",
  failedEvent: "8d2b1f60-33b7-4b0f-8b43-6d2e0a9e3c33",
  unmatchedEvent: "e9a7f7cb-5a1c-4fa4-a7f0-2f6f2b1f4d44",
  bouncedEvent: "b0c1d2e3-bounced",
  failureEvent: "f01dab1e-lambda-failure",
} as const;

/** What the page is shown: mails, mails that were not rendered, and events, the newest first. */
export interface Contents {
  readonly info: SandboxInfo;
  messages: Mail[];
  failures: (Mail & { readonly renderError: string })[];
  activity: BusEvent[];
}

/** As the gateway would have noted it. */
export function fill(journal: Journal, { messages, failures, activity }: Omit<Contents, "info">): void {
  for (const event of [...activity].reverse()) addEvent(journal, event);
  const mails: Mail[] = [...messages, ...failures];
  for (const mail of mails.sort((a, b) => Date.parse(a.time) - Date.parse(b.time))) {
    const { renderError } = mail;
    if (renderError === undefined) journal.addMail(mail);
    else journal.addRenderingFailure({ ...mail, renderError });
  }
}

export function addEvent(journal: Journal, { bus, event, deliveries, records, nearest }: BusEvent): void {
  const noted = journal.addEvent(bus, event);
  if (nearest !== undefined) noted.nearest = nearest;
  for (const { status, attempts, deadLetter, ...delivery } of deliveries) {
    const added = journal.addDelivery(noted, delivery);
    added.attempts.push(...attempts.map((attempt) => ({ ...attempt })));
    Object.assign(added, { status }, deadLetter === undefined ? {} : { deadLetter });
    journal.changed(added);
  }
  for (const record of records) journal.addRecord(noted.id, record);
}

const bounce = {
  bounce: {
    bounceType: "Permanent",
    bouncedRecipients: [{ emailAddress: "charles@babbage.example", diagnosticCode: "smtp; 550 5.1.1 user unknown" }],
  },
};

/** SES tells of the mail of the welcome event; a rule logs it. */
function sesEvent({ type, ...rest }: EventOptions & { readonly type: string }): BusEvent {
  return busEvent({
    ...rest,
    bus: "default",
    source: "aws.ses",
    detail: {
      eventType: type,
      mail: { messageId: IDS.welcome, tags: { eventId: [IDS.welcomeEvent] } },
      ...rest.detail,
    },
    deliveries: [
      {
        rule: "acme-orders-sandbox-feedback",
        bus: "default",
        targetId: "log",
        targetArn: `arn:aws:logs:${REGION}:${motoAccountId}:log-group:/aws/events/acme-orders-sandbox`,
        kind: "logs",
        status: "delivered",
        attempts: [succeeded(rest.minutes, "")],
      },
    ],
  });
}

export function contents(): Contents {
  const failedDetail = {
    emailConfig: { recipient: "not an address", subject: "Your invoice" },
    title: "Invoice 2025-1187",
  };
  const failed = busEvent({
    id: IDS.failedEvent,
    minutes: 7,
    detailType: "Email Notification Request",
    detail: failedDetail,
    deliveries: [
      toFunction("acme-orders-sandbox-email-request", {
        status: "failed",
        attempts: [
          {
            number: 1,
            startedAt: ago(7, 10),
            endedAt: ago(7, 44),
            status: "error",
            errorType: "InvalidEventError",
            errorMessage: 'detail.emailConfig.recipient: "not an address" is no email address',
            requestId: "c1a0-1",
            nextRetryInMs: 500,
          },
          {
            number: 2,
            startedAt: ago(7, 544),
            endedAt: ago(7, 561),
            status: "error",
            errorType: "InvalidEventError",
            errorMessage: 'detail.emailConfig.recipient: "not an address" is no email address',
            requestId: "c1a0-1",
            nextRetryInMs: 1000,
          },
          {
            number: 3,
            startedAt: ago(7, 1561),
            endedAt: ago(7, 1580),
            status: "error",
            errorType: "InvalidEventError",
            errorMessage: 'detail.emailConfig.recipient: "not an address" is no email address',
            requestId: "c1a0-1",
          },
        ],
        deadLetter: { destinationArn: DLQ_ARN, reason: "RetriesExhausted" },
      }),
    ],
    records: [{ queueArn: DLQ_ARN, reason: "InvalidEventError: the recipient is no email address" }],
  });
  return {
    info: {
      endpoint: "http://127.0.0.1:4566",
      region: REGION,
      accountId: motoAccountId,
      retryDelaysMs: [500, 1000],
      notEmulated: [
        "Alarms and metric filters are stored, not evaluated",
        "Schedules fire by command, not by time",
        "IAM policies are stored, not enforced",
        "The SES sandbox’s rules about recipients",
        "Real bounces and complaints",
      ],
      startedAt: ago(42),
      canRedrive: true,
      listCommand: "npm run list",
      sendCommand: "npm run send",
      exampleEvent: {
        source: "custom.application",
        detailType: "Email Notification Request",
        detail: { title: "Hello" },
      },
    },
    messages: [
      mail({
        id: IDS.priority,
        minutes: 2,
        to: ["oncall@acme.example"],
        subject: "Priority alert: payment gateway is timing out",
        title: "Payment gateway is timing out",
        message: "38 of the last 50 charges timed out. Retries are on; new orders are queued until it answers again.",
        template: "acme-orders-sandbox-priority-alert",
        tags: { notification: "priority-alert", stage: "sandbox" },
        eventId: "77d0a3f4-90f3-4f4e-8d85-0f1a6f0f7e55",
        requestId: "9b7e6e52-priority",
        rule: "acme-orders-sandbox-priority-alert",
      }),
      mail({
        id: IDS.welcome,
        minutes: 4,
        to: ["Ada Lovelace <ada@lovelace.example>", "charles@babbage.example"],
        subject: "Your order 10442 is on its way",
        title: "Your order is on its way",
        message:
          "Hello Ada, we handed your order 10442 to the carrier this morning. It should be with you on Thursday.",
        eventId: IDS.welcomeEvent,
        requestId: "5e3c1b8a-welcome",
        rule: "acme-orders-sandbox-email-request",
      }),
      mail({
        id: IDS.markup,
        minutes: 19,
        to: ["grace+orders@hopper.example"],
        subject: "Answer from <b>Support</b> & a question",
        title: "Answer from &lt;b&gt;Support&lt;/b&gt; &amp; a question",
        message: "You asked whether the blue one ships to Arlington. It does, from Monday.",
        text: "Answer from <b>Support</b> & a question\n\nYou asked whether the blue one ships to Arlington. It does, from Monday.\n",
      }),
      mail({
        id: IDS.report,
        minutes: 38,
        to: ["reports@acme.example"],
        subject: "Daily report",
        title: "Daily report",
        message: "412 mails sent yesterday, 3 bounced, none complained about. The slowest delivery took 2.1 s.",
        template: "acme-orders-sandbox-daily-report",
        tags: { notification: "daily-report", stage: "sandbox" },
        eventId: "15a0d3f4-report",
        requestId: "0c9d3f4a-report",
        rule: "acme-orders-sandbox-daily-report",
      }),
    ],
    failures: [
      {
        ...mail({
          id: IDS.unsent,
          minutes: 25,
          to: ["linus@example.com"],
          subject: "Welcome, {{firstName}}",
          title: "Welcome",
          message: "",
          template: "acme-orders-sandbox-onboarding",
          tags: {},
        }),
        html: "",
        text: "",
        headers: [],
        renderError: "Attribute 'firstName' is not present in the rendering data.",
      },
    ],
    activity: [
      busEvent({
        id: IDS.retryingEvent,
        minutes: 0,
        detailType: "Priority Alert",
        detail: { priority: "high", title: "Stock is low", message: "12 left of the blue one." },
        deliveries: [
          toFunction("acme-orders-sandbox-priority-alert", {
            status: "retrying",
            attempts: [
              {
                number: 1,
                startedAt: ago(0, -400),
                endedAt: ago(0, -290),
                requestId: "2d-1",
                nextRetryInMs: 500,
                ...throttled,
              },
            ],
          }),
        ],
      }),
      busEvent({
        id: "77d0a3f4-90f3-4f4e-8d85-0f1a6f0f7e55",
        minutes: 2,
        detailType: "Priority Alert",
        detail: {
          priority: "critical",
          title: "Payment gateway is timing out",
          message: "38 of the last 50 charges timed out.",
        },
        deliveries: [
          toFunction("acme-orders-sandbox-priority-alert", {
            status: "delivered",
            attempts: [
              {
                number: 1,
                startedAt: ago(2, -900),
                endedAt: ago(2, -760),
                requestId: "9b7e6e52-priority",
                nextRetryInMs: 500,
                ...throttled,
              },
              {
                number: 2,
                startedAt: ago(2, -260),
                endedAt: ago(2, -90),
                status: "success",
                requestId: "9b7e6e52-priority",
              },
            ],
          }),
        ],
      }),
      sesEvent({ id: IDS.bouncedEvent, minutes: 3, type: "Bounce", detailType: "Email Bounced", detail: bounce }),
      sesEvent({ id: "b0c1d2e3-sent", minutes: 4, type: "Send", detailType: "Email Sent", detail: {} }),
      busEvent({
        id: IDS.welcomeEvent,
        minutes: 4,
        detailType: "Email Notification Request",
        detail: {
          emailConfig: {
            recipient: ["Ada Lovelace <ada@lovelace.example>", "charles@babbage.example"],
            subject: "Your order 10442 is on its way",
          },
          title: "Your order is on its way",
          message: "Hello Ada, we handed your order 10442 to the carrier this morning.",
        },
        deliveries: [
          toFunction("acme-orders-sandbox-email-request", {
            status: "delivered",
            attempts: [succeeded(4, "5e3c1b8a-welcome")],
          }),
        ],
      }),
      busEvent({
        id: IDS.failureEvent,
        minutes: 7,
        source: "lambda",
        detailType: "Lambda Function Invocation Result - Failure",
        detail: {
          version: "1.0",
          requestContext: { condition: "RetriesExhausted", approximateInvokeCount: 3 },
          requestPayload: failed.event,
          responsePayload: { errorType: "InvalidEventError", errorMessage: "the recipient is no email address" },
        },
        deliveries: [
          {
            rule: "acme-orders-sandbox-dead-letter",
            bus: BUS,
            targetId: "dead-letters",
            targetArn: DLQ_ARN,
            kind: "sqs",
            status: "delivered",
            attempts: [{ number: 1, startedAt: ago(7, 1600), endedAt: ago(7, 1606), status: "success" }],
          },
        ],
      }),
      failed,
      busEvent({
        id: IDS.unmatchedEvent,
        minutes: 15,
        source: "shop.checkout",
        detailType: "Order Placed",
        detail: { orderId: 10442, total: "41.90 EUR" },
        nearest: {
          rule: "acme-orders-sandbox-email-request",
          matching: 0,
          fields: 2,
          difference: { path: "source", expected: ["custom.application"], actual: ["shop.checkout"] },
        },
      }),
      busEvent({
        id: "15a0d3f4-report",
        minutes: 38,
        bus: "default",
        source: "aws.events",
        detailType: "Scheduled Event",
        detail: {},
        deliveries: [
          {
            ...toFunction("acme-orders-sandbox-daily-report", {
              status: "delivered",
              attempts: [succeeded(38, "0c9d3f4a-report")],
            }),
            bus: "default",
          },
        ],
      }),
    ],
  };
}
