import { randomUUID } from "node:crypto";
import { DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { DescribeMetricFiltersCommand, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { GetPolicyCommand, RemovePermissionCommand } from "@aws-sdk/client-lambda";
import { DeleteTemplateCommand, GetTemplateCommand, UpdateTemplateCommand } from "@aws-sdk/client-ses";
import { DeleteConfigurationSetCommand, DeleteEmailIdentityCommand } from "@aws-sdk/client-sesv2";
import { SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { type FaultInput } from "aws-emulator";
import { type Ledger, type Outcome } from "./ledger";
import { accountId, region, type System } from "./system";

/** Resources of an event (2,048 characters each at most) that make so many bytes of it. */
const ballast = (bytes: number) => Array.from({ length: bytes / 2_000 }, () => "x".repeat(2_000));

export interface Case {
  readonly name: string;
  /** In front of its addresses; faults match by it. */
  readonly slug: string;
  readonly faults?: (recipients: string) => readonly FaultInput[];
  /** Breaks what no fault breaks. */
  readonly prepare?: (system: System) => Promise<void>;
  readonly put: (ledger: Ledger, system: System) => Promise<void>;
  /** After everything has come to rest: what else has to happen. */
  readonly after?: (ledger: Ledger, system: System) => Promise<void>;
  /**
   * How many mails are told of by a metric or an event of SES alone, as AWS keeps no other record of them: the
   * accounting takes that for the record, if it was counted.
   */
  readonly told?: (system: System, ledger: Ledger) => Promise<number>;
  /** @returns what is not as it has to be. */
  readonly check: (outcomes: readonly Outcome[], system: System) => readonly string[] | Promise<readonly string[]>;
}

export const fails = (holds: boolean, problem: string): string[] => (holds ? [] : [problem]);

/** Each mail out once, and nothing parked. */
export function allMailed(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap(({ mails, reasons, recipient }) => [
    ...fails(mails.length === 1, `${recipient ?? "an event"}: ${mails.length} mails`),
    ...fails(reasons.length === 0, `${recipient ?? "an event"} is parked: ${reasons.join(", ")}`),
  ]);
}

/** @param areOut whether the mails are out all the same. */
export function allParked(reason: string, areOut = false): (outcomes: readonly Outcome[]) => string[] {
  return (outcomes) =>
    outcomes.flatMap(({ mails, reasons, recipient, eventIds }) => {
      const name = recipient ?? eventIds.join();
      return [
        ...fails(
          reasons.length === 1 && reasons[0] === reason,
          `${name}: parked as ${reasons.join(", ") || "nothing"}`,
        ),
        ...fails(mails.length === (areOut ? 1 : 0), `${name}: ${mails.length} mails are out`),
      ];
    });
}

/** Kept apart by the addresses of their events, so all of them run at once. */
export const concurrentCases: readonly Case[] = [
  {
    name: "nothing is broken",
    slug: "calm",
    put: async (ledger) => {
      await ledger.putMany(5);
      await ledger.putMany(2, { alert: true });
    },
    check: allMailed,
  },
  {
    name: "SES throttles half of the calls",
    slug: "throttled",
    faults: (recipient) => [{ service: "ses", kind: "throttle", every: 2, match: { recipient } }],
    put: async (ledger) => {
      await ledger.putMany(10);
      await ledger.putMany(2, { alert: true });
    },
    check: allMailed,
  },
  {
    name: "SES answers 500 for a while",
    slug: "outage",
    faults: (recipient) => [{ service: "ses", kind: "error", status: 500, times: 30, match: { recipient } }],
    put: async (ledger) => {
      await ledger.putMany(4);
      await ledger.putMany(2, { alert: true });
    },
    check: allMailed,
  },
  {
    name: "forged failure records, on the business bus and on that of failures",
    slug: "forged",
    put: async (ledger, system) => {
      await ledger.putMany(1);
      for (const busName of [system.busName, system.names.of("failures")]) {
        for (const errorType of ["Throttled", "MessageRejected"]) await forgeFailure(system, busName, errorType);
      }
    },
    check: async (outcomes, system) => {
      const { sent } = await system.accepted();
      return [
        ...allMailed(outcomes),
        ...fails(!sent.some(({ to }) => to.includes(forged)), "the mail of a forged record is out"),
        ...fails(!system.parked.some(({ body }) => body.includes(forged)), "a forged record is parked"),
      ];
    },
  },
  {
    name: "SES times out after accepting",
    slug: "accepted",
    faults: (recipient) => [{ service: "ses", kind: "timeout", accepts: true, match: { recipient } }],
    put: (ledger) => ledger.putMany(3),
    check: allParked("OutcomeUnknown", true),
  },
  {
    name: "SES times out before accepting",
    slug: "silent",
    faults: (recipient) => [{ service: "ses", kind: "timeout", match: { recipient } }],
    put: (ledger) => ledger.putMany(2),
    check: allParked("OutcomeUnknown"),
  },
  {
    name: "the connection to SES breaks",
    slug: "reset",
    faults: (recipient) => [{ service: "ses", kind: "reset", match: { recipient } }],
    put: (ledger) => ledger.putMany(2),
    check: allParked("OutcomeUnknown"),
  },
  {
    name: "SES rejects",
    slug: "rejected",
    faults: (recipient) => [{ service: "ses", kind: "reject", match: { recipient } }],
    put: (ledger) => ledger.putMany(3),
    check: allParked("MessageRejected"),
  },
  {
    name: "the function crashes before the send",
    slug: "crash-before",
    faults: (recipient) => [{ service: "lambda", kind: "crash", when: "before-send", match: { recipient } }],
    put: (ledger) => ledger.putMany(2),
    check: allParked("OutcomeUnknown"),
  },
  {
    name: "the function crashes after the send",
    slug: "crash-after",
    faults: (recipient) => [{ service: "lambda", kind: "crash", when: "after-send", match: { recipient } }],
    put: (ledger) => ledger.putMany(2),
    check: allParked("OutcomeUnknown", true),
  },
  {
    name: "the function times out before the send",
    slug: "frozen-before",
    faults: (recipient) => [{ service: "lambda", kind: "timeout", when: "before-send", match: { recipient } }],
    put: (ledger) => ledger.putMany(1),
    check: allParked("OutcomeUnknown"),
  },
  {
    name: "the function times out after the send",
    slug: "frozen-after",
    faults: (recipient) => [{ service: "lambda", kind: "timeout", when: "after-send", match: { recipient } }],
    put: (ledger) => ledger.putMany(1),
    check: allParked("OutcomeUnknown", true),
  },
  {
    name: "the function is throttled at the bus",
    slug: "busy",
    faults: (recipient) => [{ service: "lambda", kind: "throttle", times: 12, match: { recipient } }],
    put: (ledger) => ledger.putMany(4),
    check: allMailed,
  },
  {
    name: "the same event delivered 3 times at once",
    slug: "again",
    put: async (ledger) => {
      await ledger.deliver(3);
      await ledger.deliver(3);
    },
    check: allMailed,
  },
  {
    name: "3 events with the same idempotency key",
    slug: "same-key",
    put: async (ledger) => {
      await ledger.putSame(3, `order-${Date.now()}`);
      await ledger.putSame(3, "ключ 1/«ü» {{title}} ${x}");
    },
    check: allMailed,
  },
  {
    name: "a list, of which SES rejects one",
    slug: "list",
    faults: () => [{ service: "ses", kind: "reject", match: { recipient: "list-refused@example.com" } }],
    put: async (ledger) => {
      const recipients = [ledger.address(), "list-refused@example.com", ledger.address(), ledger.address()];
      await ledger.put({ recipients });
    },
    check: (outcomes) =>
      outcomes.flatMap(({ recipient, mails, reasons }) => [
        ...fails(
          mails.length === (recipient === "list-refused@example.com" ? 0 : 1),
          `${recipient}: ${mails.length} mails`,
        ),
        ...fails(reasons.join() === "MessageRejected", `the list is parked as ${reasons.join()}`),
      ]),
  },
  {
    name: "a list with entries that are no addresses",
    slug: "list-entries",
    put: async (ledger) => {
      const first = ledger.address();
      const last = ledger.address();
      const recipient = [first, "", null, "Jane <jane@example.com>", "jane@example.com ", last];
      await ledger.putDetail({ emailConfig: { recipient } }, [first, last]);
    },
    check: (outcomes, system) =>
      outcomes.flatMap(({ recipient, mails, reasons, eventIds }) => [
        ...fails(mails.length === 1, `${recipient ?? ""}: ${mails.length} mails`),
        ...fails(reasons.join() === "InvalidRecipient", `the list is parked as ${reasons.join()}`),
        ...fails(
          system
            .parkedFailures(eventIds)
            .map(({ position }) => position)
            .join() === "2,3,4,5",
          "the record does not name the entries",
        ),
      ]),
  },
  {
    name: "a list, of which SES rejects one and gives no answer for another",
    slug: "list-mixed",
    faults: () => [
      { service: "ses", kind: "reject", match: { recipient: "list-mixed-refused@example.com" } },
      { service: "ses", kind: "timeout", match: { recipient: "list-mixed-silent@example.com" } },
    ],
    put: async (ledger) => {
      await ledger.put({
        recipients: ["list-mixed-refused@example.com", "list-mixed-silent@example.com", ledger.address()],
      });
    },
    check: (outcomes, system) =>
      outcomes.flatMap(({ recipient, mails, reasons, eventIds }) => [
        ...fails(
          mails.length === (recipient === "list-mixed-1@example.com" ? 1 : 0),
          `${recipient ?? ""}: ${mails.length} mails`,
        ),
        ...fails(reasons.join() === "OutcomeUnknown", `the list is parked as ${reasons.join()}`),
        ...fails(
          system
            .parkedFailures(eventIds)
            .map(({ type }) => type)
            .sort()
            .join() === "MessageRejected,OutcomeUnknown",
          "the record does not list both mails",
        ),
      ]),
  },
  {
    name: "alerts that no rule takes, and one that is left out on purpose",
    slug: "unmatched",
    put: async (ledger) => {
      await ledger.putEvent({ ...detailOfAlert(leftOut), priority: "low" }, "Priority Alert");
      const priorities: unknown[] = ["HIGH", "urgent", 1, null, undefined, { level: "high" }];
      for (const priority of priorities) {
        await ledger.putDetail({ ...detailOfAlert(ledger.address()), priority }, [], "Priority Alert");
      }
      await ledger.putDetail({ ...detailOfAlert(ledger.address()), severity: "high" }, [], "Priority Alert");
    },
    check: async (outcomes, system) => [
      ...allParked("NoRuleMatches")(outcomes),
      ...fails(!(await system.accepted()).sent.some(({ to }) => to.includes(leftOut)), "an alert left out is mailed"),
      ...fails(!system.parked.some(({ body }) => body.includes(leftOut)), "an alert left out is parked"),
    ],
  },
  {
    name: "detail-types that the catalogue does not know",
    slug: "unrouted",
    put: async (ledger) => {
      for (const detailType of ["priority alert", "Email notification request", "Email Notification Request "]) {
        await ledger.putDetail(detailOfAlert(ledger.address()), [], detailType);
      }
    },
    told: (system) => system.unrouted(),
    check: (outcomes) =>
      outcomes.flatMap(({ mails, reasons }) => fails(mails.length + reasons.length === 0, "somebody took it")),
  },
  {
    name: "a list, of which one meets a 500 twice",
    slug: "list-late",
    faults: () => [
      { service: "ses", kind: "error", status: 503, times: 4, match: { recipient: "list-late-slow@example.com" } },
    ],
    put: async (ledger) => {
      await ledger.put({ recipients: [ledger.address(), "list-late-slow@example.com", ledger.address()] });
    },
    check: allMailed,
  },
  {
    name: "malformed events",
    slug: "malformed",
    put: async (ledger) => {
      const recipient = ledger.address();
      const emailConfig = { recipient };
      const key = (idempotencyKey: unknown) => ({ emailConfig, idempotencyKey });
      await Promise.all([
        ledger.putDetail({}),
        ledger.putDetail({ emailConfig: "nobody" }),
        ledger.putDetail({ emailConfig: { recipient: "nobody" } }),
        ledger.putDetail({ emailConfig: { recipient: [] } }),
        ledger.putDetail({ emailConfig: { recipient: Array.from({ length: 51 }, () => ledger.address()) } }),
        ledger.putDetail({ emailConfig: { recipient: ["", null, "a@b@c", "Jane <jane@example.com>"] } }),
        ledger.putDetail({ emailConfig: { recipient, subject: "" } }),
        ledger.putDetail({ emailConfig, message: ["7"] }),
        ledger.putDetail({ emailConfig: { ...emailConfig, cc: ["boss@example.com"] } }),
        ledger.putDetail({ emailConfig, body: "Your parcel arrives Friday" }),
        ledger.putDetail({ emailConfig, IdempotencyKey: "k" }),
        ledger.putDetail(key("")),
        ledger.putDetail(key("k".repeat(257))),
        ledger.putDetail(key({ $ne: null })),
      ]);
      await ledger.deliverRaw((marker) => marker);
      await ledger.deliverRaw((marker) => ({ Records: [{ eventSource: "aws:s3", marker }] }));
      await ledger.deliverRaw((marker) => ({ ...ledger.envelope(), id: marker, detail: null }));
      await ledger.deliverRaw((marker) => ({ ...ledger.envelope(), id: marker, time: "yesterday" }));
    },
    check: allParked("InvalidEvent"),
  },
  {
    name: "hostile events are mailed, and harmless",
    slug: "hostile",
    put: async (ledger) => {
      const evil = `<script>alert(1)</script>"'\`</title>{{#each this}}{{/each}}{{{raw}}}\${jndi:ldap://x}%{x}\u0000\u2028`;
      await ledger.put({ detail: { title: evil, message: evil } });
      const recipient = ledger.address();
      await ledger.putDetail(
        { emailConfig: { recipient, subject: "Hello\r\nBcc: victim@example.com\r\n\r\nbody\u2028x" } },
        [recipient],
      );
      const twice = ledger.address();
      const quoted = twice.replace(/^[^@]+/, '"$&"');
      await ledger.putDetail({ emailConfig: { recipient: [twice, twice.toUpperCase(), quoted] } }, [twice]);
    },
    check: (outcomes) => [
      ...allMailed(outcomes),
      ...outcomes
        .flatMap(({ mails }) => mails)
        .flatMap(({ html, subject, to }) => [
          ...fails(!/<script>alert/.test(html), `unescaped markup in the HTML part to ${to.join()}`),
          ...fails(!/[\p{Cc}\u2028\u2029]/u.test(subject), `a control character in ${JSON.stringify(subject)}`),
          ...fails(to.length === 1, `${to.length} recipients`),
        ]),
    ],
  },
  {
    name: "hostile recipients and fields are refused",
    slug: "smuggled",
    put: async (ledger) => {
      const recipients = [
        "a@example.com\r\nBcc: victim@example.com",
        "victim@example.com, smuggled@example.com",
        "Name <smuggled@example.com>",
        `${"a".repeat(65)}@example.com`,
        '"a b"@example.com\u0000',
      ];
      await Promise.all(recipients.map((recipient) => ledger.putDetail({ emailConfig: { recipient } })));
      await ledger.putDetail(
        JSON.parse(`{"emailConfig":{"recipient":"${ledger.address()}"},"__proto__":{"title":"polluted"}}`) as Record<
          string,
          unknown
        >,
      );
    },
    check: allParked("InvalidEvent"),
  },
  {
    name: "a large event, while SES fails",
    slug: "large",
    faults: (recipient) => [{ service: "ses", kind: "error", status: 500, times: 4, match: { recipient } }],
    put: async (ledger) => {
      await ledger.put({ detail: { message: "x".repeat(120_000) } });
      await ledger.put({ resources: ballast(240_000) });
    },
    check: allMailed,
  },
  {
    name: "huge events are refused",
    slug: "huge",
    put: async (ledger) => {
      await ledger.put({ detail: { message: "x".repeat(200_000) } });
      await ledger.put({ detail: { message: "x".repeat(261_000) } });
      await ledger.put({ resources: ballast(260_000) });
      await ledger.put({ detail: { title: "x".repeat(130_000), message: "x".repeat(130_000) } });
    },
    check: allParked("InvalidEvent"),
  },
  {
    name: "a hard bounce, and a later send",
    slug: "bounced",
    faults: (recipient) => [{ service: "ses", kind: "bounce", times: 1, match: { recipient } }],
    put: (ledger) => ledger.putMany(1, { recipients: ["bounced-mailbox@example.com"] }),
    after: (ledger) => ledger.putMany(1, { recipients: ["bounced-mailbox@example.com"] }),
    check: async (outcomes, system) => {
      const told = (await feedback(system, "Email Bounced", outcomes)).map(({ bounceSubType }) => bounceSubType);
      return [
        ...allMailed(outcomes),
        ...fails(told.sort().join() === "General,OnAccountSuppressionList", `bounces told: ${told.join()}`),
      ];
    },
  },
];

/** They break what all events share: one after the other. */
export const serialCases: readonly Case[] = [
  {
    name: "DynamoDB is down for a while",
    slug: "claims-down",
    faults: () => [{ service: "dynamodb", kind: "error", status: 500, times: 60 }],
    put: (ledger) => ledger.putMany(3),
    check: allMailed,
  },
  {
    name: "DynamoDB throttles half of the calls",
    slug: "claims-slow",
    faults: () => [{ service: "dynamodb", kind: "throttle", every: 2 }],
    put: (ledger) => ledger.putMany(4),
    check: allMailed,
  },
  {
    name: "DynamoDB times out after the claim",
    slug: "claims-lost",
    faults: () => [{ service: "dynamodb", kind: "timeout", accepts: true, times: 2, match: { text: ":claimed" } }],
    put: (ledger) => ledger.putMany(2),
    check: allMailed,
  },
  {
    name: "DynamoDB goes down between claim and record, then the event comes again",
    slug: "claims-unrecorded",
    faults: () => [{ service: "dynamodb", kind: "error", status: 500, match: { text: '"sent"' } }],
    put: async (ledger, system) => {
      const event = await ledger.deliver(1);
      await system.quiesce();
      await ledger.invoke(1, event);
      ledger.events += 1;
    },
    check: allParked("OutcomeUnknown", true),
  },
  {
    name: "the retry queue is down",
    slug: "no-retries",
    faults: (recipient) => [
      { service: "ses", kind: "error", status: 500, times: 6, match: { recipient } },
      { service: "sqs", kind: "error", times: 8, match: { operation: "SendMessage", text: "-retries" } },
    ],
    put: (ledger) => ledger.putMany(2),
    check: allMailed,
  },
  {
    name: "the retry queue does not take the delete",
    slug: "undeleted",
    faults: (recipient) => [
      { service: "ses", kind: "error", status: 500, times: 6, match: { recipient } },
      { service: "sqs", kind: "error", times: 4, match: { operation: "DeleteMessageBatch" } },
    ],
    put: (ledger) => ledger.putMany(2),
    check: allMailed,
  },
  {
    name: "the dead-letter queue is down",
    slug: "no-parking",
    faults: (recipient) => [
      // One of two comes to its end in the retry lane, where the function parks it.
      { service: "ses", kind: "error", status: 500, times: 3, match: { recipient } },
      { service: "ses", kind: "reject", match: { recipient: "no-parking-rejected@example.com" } },
      { service: "sqs", kind: "error", times: 10, match: { operation: "SendMessage", text: "dead-letters" } },
    ],
    put: async (ledger) => {
      await ledger.putMany(2, { recipients: ["no-parking-rejected@example.com"] });
      await ledger.putDetail({ emailConfig: {} });
    },
    check: (outcomes) =>
      outcomes.flatMap(({ reasons, mails }) =>
        fails(
          mails.length === 0 &&
            reasons.length > 0 &&
            reasons.every((reason) => /^(MessageRejected|InvalidEvent)$/.test(reason)),
          `parked as ${reasons.join() || "nothing"}, ${mails.length} mails`,
        ),
      ),
  },
  {
    name: "the on-failure destination refuses the record",
    slug: "no-destination",
    faults: (recipient) => [
      { service: "ses", kind: "error", status: 500, match: { recipient } },
      { service: "events", kind: "refuse-destination" },
    ],
    put: (ledger) => ledger.putMany(2),
    told: (system) => system.metric("DestinationDeliveryFailures"),
    check: (outcomes) => outcomes.flatMap(({ mails }) => fails(mails.length === 0, "a refused mail is out")),
  },
  {
    name: "the template reads an unknown variable",
    slug: "unrendered",
    prepare: async (system) => {
      const TemplateName = system.templateName("priority-alert");
      const { Template: template } = await system.ses.send(new GetTemplateCommand({ TemplateName }));
      await system.ses.send(
        new UpdateTemplateCommand({
          Template: { ...template, TemplateName, TextPart: `${template?.TextPart ?? ""} {{surname}}` },
        }),
      );
    },
    put: (ledger) => ledger.putMany(2, { alert: true }),
    told: async (system, ledger) => (await feedback(system, "Email Rendering Failed", await ledger.settle())).length,
    check: async (outcomes, system) => [
      ...outcomes.flatMap(({ unrendered, mails }) =>
        fails(
          unrendered.length === 1 && mails.length === 0,
          `accepted ${unrendered.length} times, ${mails.length} mails`,
        ),
      ),
      ...(await alarmProblems(system, "Email Rendering Failed")),
    ],
  },
  {
    name: "template deleted, and deployed again hours later",
    slug: "no-template",
    prepare: (system) => deleteTemplate(system, "priority-alert"),
    put: async (ledger, system) => {
      await ledger.putMany(2, { alert: true });
      await system.waitForRetries(2);
      await system.terraform.apply();
    },
    check: allMailed,
  },
  {
    name: "configuration set deleted, and deployed again hours later",
    slug: "no-set",
    prepare: deleteConfigurationSet,
    put: async (ledger, system) => {
      await ledger.putMany(2);
      await system.waitForRetries(2);
      await system.terraform.apply();
    },
    check: allMailed,
  },
  {
    name: "permission removed",
    slug: "no-permission",
    prepare: async (system) => {
      const FunctionName = system.names.of("priority-email-processor");
      const { Policy: policy = "" } = await system.lambda.send(new GetPolicyCommand({ FunctionName }));
      const { Statement: statements } = JSON.parse(policy) as { Statement: { Sid: string }[] };
      for (const { Sid } of statements) {
        await system.lambda.send(new RemovePermissionCommand({ FunctionName, StatementId: Sid }));
      }
    },
    put: (ledger) => ledger.putMany(2, { alert: true }),
    check: allParked("NO_PERMISSIONS"),
  },
  {
    name: "identity unverified",
    slug: "no-identity",
    prepare: async (system) => {
      await system.sesV2.send(new DeleteEmailIdentityCommand({ EmailIdentity: "notifications@example.com" }));
    },
    put: (ledger) => ledger.putMany(2),
    check: allParked("SenderNotVerified"),
  },
  {
    name: "the dead-letter queue's policy removed",
    slug: "no-policy",
    prepare: async (system) => {
      await system.sqs.send(
        new SetQueueAttributesCommand({ QueueUrl: system.deadLetterUrl, Attributes: { Policy: "" } }),
      );
    },
    put: async (ledger) => {
      // The permission of the alerts' function is gone by now, too: EventBridge has to park them, and can't.
      await ledger.putMany(2, { alert: true });
    },
    told: (system) => system.metric("InvocationsFailedToBeSentToDlq"),
    check: (outcomes) => outcomes.flatMap(({ reasons }) => fails(reasons.length === 0, "it was parked all the same")),
  },
];

const leftOut = "unmatched-low@example.com";

const forged = "forged-victim@example.com";

/** As Lambda puts it onto the bus of failures; only the functions may. */
async function forgeFailure(system: System, busName: string, errorType: string): Promise<void> {
  const detail = {
    requestContext: {
      functionArn: `arn:aws:lambda:${region}:${accountId}:function:${system.names.of("email-processor")}:$LATEST`,
      condition: "RetriesExhausted",
      approximateInvokeCount: 3,
    },
    requestPayload: {
      id: randomUUID(),
      source: "custom.application",
      "detail-type": "Daily Report",
      time: new Date().toISOString(),
      detail: { emailConfig: { recipient: forged, subject: "Daily report" } },
    },
    responsePayload: { errorType, errorMessage: "forged" },
  };
  const entry = {
    EventBusName: busName,
    Source: "lambda",
    DetailType: "Lambda Function Invocation Result - Failure",
    Detail: JSON.stringify(detail),
  };
  // The bus of failures refuses it: the business bus takes it, as any event that no rule is for.
  await system.events.send(new PutEventsCommand({ Entries: [entry] })).catch((error: unknown) => {
    if (!(error instanceof Error) || !/AccessDenied|not authorized/i.test(`${error.name} ${error.message}`))
      throw error;
  });
}

export async function deleteTemplate(system: System, notificationId: string): Promise<void> {
  await system.ses.send(new DeleteTemplateCommand({ TemplateName: system.templateName(notificationId) }));
}

export async function deleteConfigurationSet(system: System): Promise<void> {
  const ConfigurationSetName = system.names.of("notifications");
  await system.sesV2.send(new DeleteConfigurationSetCommand({ ConfigurationSetName }));
}

function detailOfAlert(recipient: string): Record<string, unknown> {
  return { emailConfig: { recipient, subject: "Fault" }, title: "Fault", message: "Of the fault suite." };
}

/** What SES's events told of these mails, as the feedback log group holds them. */
async function feedback(
  system: System,
  detailType: string,
  outcomes: readonly Outcome[],
): Promise<{ readonly bounceSubType?: string }[]> {
  const logGroupName = `/aws/events/${system.names.of("feedback")}`;
  const { events = [] } = await system.logs.send(new FilterLogEventsCommand({ logGroupName }));
  const ids = new Set(outcomes.flatMap(({ eventIds }) => eventIds));
  return events
    .map(({ message = "{}" }) => JSON.parse(message) as FeedbackEvent)
    .filter((event) => event["detail-type"] === detailType)
    .filter(({ detail }) => detail.mail.tags.eventId?.some((id) => ids.has(id)))
    .map(({ detail }) => detail.bounce ?? {});
}

interface FeedbackEvent {
  readonly "detail-type": string;
  readonly detail: {
    readonly mail: { readonly tags: Readonly<Record<string, readonly string[]>> };
    readonly bounce?: { readonly bounceSubType: string };
  };
}

/** Alarms are not evaluated here: what has to be there is the filter that counts the event, and an alarm on its count. */
async function alarmProblems(system: System, detailType: string): Promise<string[]> {
  const logGroupName = `/aws/events/${system.names.of("feedback")}`;
  const { metricFilters = [] } = await system.logs.send(new DescribeMetricFiltersCommand({ logGroupName }));
  const filter = metricFilters.find(({ filterPattern = "" }) => filterPattern.includes(`"${detailType}"`));
  const metric = filter?.metricTransformations?.[0];
  const { MetricAlarms: alarms = [] } = await system.cloudWatch.send(new DescribeAlarmsCommand({}));
  const alarm = alarms.find(
    ({ MetricName, Namespace }) => MetricName === metric?.metricName && Namespace === metric?.metricNamespace,
  );
  return [
    ...fails(metric !== undefined, `no metric filter counts "${detailType}"`),
    ...fails(alarm !== undefined && (alarm.Threshold ?? 2) <= 1, `no alarm stands on ${metric?.metricName ?? "it"}`),
  ];
}
