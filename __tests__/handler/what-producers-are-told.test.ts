import * as z from "zod";
import { catalogue } from "../../handler/notifications";
import { dailyReport } from "../../handler/notifications/daily-report";
import { defineNotification } from "../../handler/notifications/define";
import { emailRequest } from "../../handler/notifications/email-request";
import { priorityAlert } from "../../handler/notifications/priority-alert";
import { producerSchema } from "../../handler/notifications/producer-schema";
import { mailData } from "../../handler/notifications/mail-data";
import { readsOfTexts } from "../support/template-reads";

/** Every text in a value, at any depth. */
const textsIn = (value: unknown): string[] =>
  typeof value === "string"
    ? [value]
    : typeof value === "object" && value !== null
      ? Object.values(value).flatMap(textsIn)
      : [];

it.each(catalogue.map((notification) => [notification.id, notification] as const))(
  "%s says what it is for, and its sample says something in each of its texts",
  (_, { description, sample }) => {
    expect(description).toMatch(/^[A-Z].{15,}$/);
    expect(textsIn(sample)).not.toHaveLength(0);
    for (const text of textsIn(sample)) expect(text).toMatch(/\S/);
  },
);

it("keeps the names of the recipe's rules: a deployed stage has them", () => {
  expect([emailRequest, priorityAlert, dailyReport].map(({ id, ruleName }) => [id, ruleName])).toEqual([
    ["email-request", "email-rule"],
    ["priority-alert", "priority-rule"],
    ["daily-report", "daily-report"],
  ]);
});

it("reports every day, to whom the stage names", () => {
  const { trigger } = dailyReport;
  if (trigger.kind !== "schedule") throw new Error("It has no schedule");
  expect(trigger).toMatchObject({ source: "custom.application", detailType: "Daily Report" });
  expect(trigger.detail(["a@example.com"])).toEqual({
    emailConfig: { recipient: ["a@example.com"], subject: "Daily report" },
    title: "Daily report",
    message: expect.stringContaining("this report went the whole way") as string,
  });
});

it("describes the key that makes two events one", () => {
  expect(producerSchema(emailRequest).properties?.idempotencyKey).toEqual({
    type: "string",
    minLength: 1,
    maxLength: 256,
    description: "Two events with the same key are one: each of their mails is sent once.",
  });
});

it("describes recipients as one address, or a list of 1 to 50", () => {
  expect(producerSchema(emailRequest)).toMatchObject({
    properties: {
      emailConfig: {
        properties: {
          recipient: {
            anyOf: [
              { type: "string", format: "email" },
              { type: "array", items: { type: "string", format: "email" }, minItems: 1, maxItems: 50 },
            ],
          },
        },
      },
    },
  });
});

it("describes what a producer puts in, not what becomes of it, and takes anything where JSON Schema has no word", () => {
  const detail = z.object({ a: z.string().default("x"), b: z.custom<string>(() => true) });
  expect(producerSchema({ detail })).toMatchObject({ properties: { a: { type: "string" }, b: {} }, required: ["b"] });
});

it("gives no key to a schema without fields", () => {
  expect(producerSchema({ detail: z.record(z.string(), z.string()) })).not.toHaveProperty("properties");
});

describe("a definition", () => {
  const definition = {
    id: "x",
    ruleName: "x-rule",
    description: "For these tests",
    lane: "standard",
    trigger: { kind: "event", source: "shop", detailType: "X" },
    detail: z.object({ to: z.string(), text: z.string() }),
    recipients: ({ to }: { to: string }) => to,
    subject: "{{ text }}",
    content: z.object({ text: z.string() }),
    map: (event: { detail: { text: string } }) => ({ text: event.detail.text }),
    sample: { to: "success@simulator.amazonses.com", text: "x" },
  } as const;
  const event = (text: string) => ({
    id: "e-1",
    source: "shop",
    "detail-type": "X",
    time: "2026-11-24T09:00:00Z",
    detail: { to: "jane@example.com", text },
  });

  it("need not say where replies go", () => {
    expect(defineNotification(definition).prepare(event("hello")).replyTo).toEqual([]);
  });

  it("may fill what SES takes of template data, and no more", () => {
    const { prepare } = defineNotification(definition);
    const bytesOf = (text: string) =>
      Buffer.byteLength(JSON.stringify(mailData(definition, prepare(event(text)).contentIn(), readsOfTexts("text"))));
    // Each character counts three times, because each of the three parts shows it.
    const free = 1 + (262_144 - bytesOf("x")) / 3;
    expect(bytesOf("x".repeat(Math.floor(free)))).toBeLessThanOrEqual(262_144);
    expect(() => bytesOf("x".repeat(Math.floor(free) + 1))).toThrow(
      /It makes 26214[567] bytes of template data and SES takes 262144: shorten its message\.$/,
    );
  });

  it("fails with the schema's own error where that is none of its order", () => {
    const detail = z.object({
      get a(): z.ZodString {
        throw new RangeError("the schema's own");
      },
    });
    expect(() => defineNotification({ ...definition, detail } as never).problems()).toThrow(RangeError);
  });

  it("is refused with every problem of its schema", () => {
    const detail = z.object({ a: z.promise(z.string()), b: z.success(z.string()) });
    expect(defineNotification({ ...definition, detail } as never).problems()).toEqual([
      expect.stringMatching(/^its schema can't be read: detail\.a is z\.promise\(\)/),
      expect.stringMatching(/^its schema can't be read: detail\.b is z\.success\(\)/),
    ]);
  });
});
