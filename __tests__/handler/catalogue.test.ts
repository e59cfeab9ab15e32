import { readdirSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { suppliedVariables } from "../../handler/contract/template-data";
import { catalogue, findNotification } from "../../handler/notifications";

const folder = join(__dirname, "..", "..", "handler", "notifications");

it("holds every notification's folder", () => {
  const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(catalogue.map(({ id }) => id).sort()).toEqual(folders.map(({ name }) => name).sort());
});

it("has one notification for a source and detail-type, and one rule name for a notification", () => {
  const keys = catalogue.map(({ trigger }) => `${trigger.source} ${trigger.detailType}`);
  expect(new Set(keys).size).toBe(catalogue.length);
  expect(new Set(catalogue.map(({ ruleName }) => ruleName)).size).toBe(catalogue.length);
});

it("has the recipe's shapes", () => {
  expect(catalogue.map(({ id, lane, trigger }) => ({ id, lane, trigger }))).toMatchObject([
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

describe.each(catalogue.map((notification) => [notification.id, notification] as const))("%s", (_, notification) => {
  const { trigger, sample, variables } = notification;
  const envelope = (detail: unknown) => ({
    id: "e-1",
    source: trigger.source,
    "detail-type": trigger.detailType,
    time: "2026-11-24T09:00:00Z",
    detail: detail as Record<string, unknown>,
  });

  it("takes its own sample, and supplies every variable that it declares", () => {
    const prepared = notification.prepare(envelope(sample));
    expect(prepared.recipients).toEqual(["success@simulator.amazonses.com"]);
    expect(Object.keys(prepared.templateData)).toEqual(suppliedVariables(variables));
  });

  it("is found by its event", () => {
    expect(findNotification(envelope(sample))).toBe(notification);
  });

  it("tells producers its schema", () => {
    const schema = z.toJSONSchema(notification.detail, { io: "input" });
    expect(schema).toMatchObject({ type: "object", required: expect.arrayContaining(["emailConfig"]) as string[] });
  });

  if (trigger.kind === "schedule") {
    it("takes the detail that its schedule carries", () => {
      const detail = trigger.detail(["a@example.com", "b@example.com"]);
      expect(notification.prepare(envelope(detail)).recipients).toEqual(["a@example.com", "b@example.com"]);
    });
  }
});
