import { readdirSync } from "node:fs";
import { join } from "node:path";
import { catalogue, findNotification } from "../../handler/notifications";
import { dailyReport } from "../../handler/notifications/daily-report";
import { producerSchema } from "../../handler/notifications/producer-schema";
import { knownFields } from "../../handler/notifications/request-schema";
import { sampleEvent } from "../../handler/notifications/sample";
import { seedCatalogue } from "../../handler/notifications/seed";
import { sharedFolders } from "../../stacks/templates/files";
import { renderMail } from "../../stacks/templates/mail";

const folder = join(__dirname, "..", "..", "handler", "notifications");

it("holds every notification's folder", () => {
  const folders = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !(sharedFolders as readonly string[]).includes(entry.name),
  );
  expect(catalogue.map(({ id }) => id).sort()).toEqual(folders.map(({ name }) => name).sort());
});

it("has one notification for a source and detail-type, and one rule name for a notification", () => {
  const keys = catalogue.map(({ trigger }) => `${trigger.source} ${trigger.detailType}`);
  expect(new Set(keys).size).toBe(catalogue.length);
  expect(new Set(catalogue.map(({ ruleName }) => ruleName)).size).toBe(catalogue.length);
});

it("has the recipe's shapes", () => {
  expect(catalogue).toEqual(expect.arrayContaining([...seedCatalogue]));
  expect(seedCatalogue.map(({ id, lane, trigger }) => ({ id, lane, trigger }))).toMatchObject([
    {
      id: "email-request",
      lane: "standard",
      trigger: { source: "custom.application", detailType: "Email Notification Request" },
    },
    {
      id: "priority-alert",
      lane: "priority",
      trigger: {
        source: "custom.application",
        detailType: "Priority Alert",
        detailPattern: { priority: ["high", "critical"] },
      },
    },
    { id: "daily-report", lane: "standard", trigger: { expression: "cron(0 9 * * ? *)" } },
  ]);
});

describe.each(seedCatalogue.map((notification) => [notification.id, notification] as const))(
  "%s",
  (_, notification) => {
    it("mails its own sample to SES's simulator", () => {
      expect(notification.prepare(sampleEvent(notification)).recipients).toEqual(["success@simulator.amazonses.com"]);
    });

    it("tells producers its schema", () => {
      expect(producerSchema(notification)).toMatchObject({
        type: "object",
        properties: { idempotencyKey: { type: "string" }, emailConfig: { additionalProperties: false } },
        required: expect.arrayContaining(["emailConfig"]) as string[],
        additionalProperties: false,
      });
    });
  },
);

// These tests hold for each notification, also for those that a team has added.
describe.each(catalogue.map((notification) => [notification.id, notification] as const))("%s", (_, notification) => {
  const { trigger, sample } = notification;
  const envelope = (detail: unknown) => sampleEvent(notification, { id: "e-1", time: "2026-11-24T09:00:00Z", detail });

  it("takes its own sample, and makes a mail of it", () => {
    const { recipients, refusedRecipients } = notification.prepare(envelope(sample));
    expect(recipients).not.toEqual([]);
    expect(refusedRecipients).toEqual([]);
    expect(renderMail(notification, envelope(sample)).subject).not.toBe("");
  });

  it("is found by its event", () => {
    expect(findNotification(envelope(sample))).toBe(notification);
  });

  it("has a schema that can be told to producers", () => {
    expect(producerSchema(notification).$schema).toBe("https://json-schema.org/draft/2020-12/schema");
  });

  const keyOf = (event: object, detail: object = {}) =>
    notification.prepare({ ...envelope({ ...(sample as object), ...detail }), ...event }).idempotencyKey;

  // A notification whose own schema declares idempotencyKey may restrict the keys, so it is left out here.
  if (!knownFields(notification.detail).some(([field]) => field === "idempotencyKey")) {
    it("is one mail for each key that its producer gives, whatever the event", () => {
      expect(keyOf({ id: "e-2" }, { idempotencyKey: "order 7 – «ü»" })).toBe("order 7 – «ü»");
    });

    it.each([
      [4711, "4711"],
      [true, "true"],
      [0.5, "0.5"],
    ])("takes the key %j as its text", (idempotencyKey, text) => {
      expect(keyOf({}, { idempotencyKey })).toBe(text);
    });

    it("takes null for no key", () => {
      expect(keyOf({}, { idempotencyKey: null })).toBe(keyOf({}));
    });

    it.each([
      ["nothing", ""],
      ["too much", "k".repeat(257)],
      ["a line break", "order\n7"],
      ["a control character", "order\u00007"],
      ["what SQS replaces", "order\uffff7"],
      ["half a character", "order\ud83d7"],
      ["blank", " \u200b"],
      ["a list", ["order-7"]],
      ["a number that JSON does not keep", 2 ** 53],
    ])("takes no key that is %s", (_name, idempotencyKey) => {
      expect(() => keyOf({}, { idempotencyKey })).toThrow(/detail\.idempotencyKey has to be a text of 1 to 256/);
    });
  }

  if (trigger.kind === "event") {
    it("is one mail for each event, where no key is given", () => {
      expect([keyOf({ id: "e-1" }), keyOf({ id: "e-2" })]).toEqual(["e-1", "e-2"]);
    });
  }

  if (trigger.kind === "schedule") {
    it("is one mail for each time of its schedule, even where EventBridge runs the rule twice for it", () => {
      const first = keyOf({ id: "e-1", time: "2026-11-24T09:00:02Z" });
      expect(keyOf({ id: "e-2", time: "2026-11-24T09:00:41Z" })).toBe(first);
      expect(keyOf({ id: "e-1", time: "2026-11-25T09:00:02Z" })).not.toBe(first);
    });

    it("takes the detail that its schedule carries", () => {
      const detail = trigger.detail(["a@example.com", "b@example.com"]);
      const { recipients, refusedRecipients } = notification.prepare(envelope(detail));
      expect(recipients).not.toEqual([]);
      expect(refusedRecipients).toEqual([]);
    });
  }
});

it("mails the daily report to the recipients of the stage", () => {
  const { trigger } = dailyReport;
  if (trigger.kind !== "schedule") throw new Error("The daily report has to have a schedule");
  const detail = trigger.detail(["a@example.com", "b@example.com"]);
  expect(dailyReport.prepare(sampleEvent(dailyReport, { detail })).recipients).toEqual([
    "a@example.com",
    "b@example.com",
  ]);
});
