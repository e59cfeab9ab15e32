import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type PutEventsRequestEntry } from "@aws-sdk/client-eventbridge";
import Ajv2020 from "ajv/dist/2020";
import { mostEntryBytes, sizeOf } from "event-driven-email-producer";
import * as z from "zod";
import { inStyle } from "../../../docs/generator/document-files";
import { producerFiles } from "../../../docs/generator/producer-package";
import { bytesOfEvent, mostEventBytes } from "../../../handler/contract/envelope";
import { dailyReport } from "../../../handler/notifications/daily-report";
import { defineNotification, type EventTrigger, type Notification } from "../../../handler/notifications/define";
import { emailRequest } from "../../../handler/notifications/email-request";
import { patternOf } from "../../../handler/notifications/patterns";
import { priorityAlert } from "../../../handler/notifications/priority-alert";
import { producerSchema } from "../../../handler/notifications/producer-schema";
import { sampleEvent } from "../../../handler/notifications/sample";
import { notificationNamed } from "../../support/catalogue";

const packageFolder = join(__dirname, "..", "..", "..", "packages", "producer");
const committed = (path: string) => readFileSync(join(packageFolder, path), "utf8");
const seed = [emailRequest, priorityAlert];

/** A module of the package, of a notification with this detail. */
async function moduleOf(
  detail: z.ZodObject,
  trigger: Partial<EventTrigger> = {},
  description = "Mails",
): Promise<string> {
  const notification = defineNotification({
    id: "page",
    ruleName: "page-rule",
    description,
    lane: "standard",
    trigger: { kind: "event", source: "shop", detailType: "Page", ...trigger },
    detail,
    recipients: () => "a@example.com",
    subject: "Page",
    content: z.object({}),
    map: () => ({}),
    sample: {},
  });
  const text = (await producerFiles([notification])).get("src/generated/page.ts") ?? "";
  return inStyle("page.ts", text);
}

describe("the files of each notification of the seed set", () => {
  it.each(seed.map((notification) => [notification.id, notification] as const))(
    "of %s are committed as they are generated",
    async (id, notification) => {
      // The index is about the whole catalogue: `npm run docs -- --check` compares it.
      const { "src/generated/index.ts": index, ...files } = Object.fromEntries(await producerFiles([notification]));
      expect(index).toContain(`"./${id}"`);
      expect(Object.keys(files)).toEqual([`src/generated/${id}.ts`, `schemas/${id}.json`, `examples/${id}.json`]);
      for (const [path, text] of Object.entries(files)) expect(committed(path)).toBe(await inStyle(path, text));
    },
  );

  it.each(seed.map((notification) => [notification.id, notification] as const))(
    "of %s have an example for the AWS CLI that fits the schema, that the rule takes, and that makes a mail",
    (id, notification) => {
      const schema = JSON.parse(committed(`schemas/${id}.json`)) as object;
      expect(schema).toEqual(producerSchema(notification));
      const fits = new Ajv2020({ validateFormats: false }).compile(schema);
      const [entry, ...others] = JSON.parse(committed(`examples/${id}.json`)) as PutEventsRequestEntry[];
      const detail = JSON.parse(entry?.Detail ?? "") as Record<string, unknown>;
      expect({ fits: fits(detail), errors: fits.errors, others }).toEqual({ fits: true, errors: null, others: [] });
      expect(fits({ ...detail, body: "Hello" })).toBe(false);
      const { trigger } = notification as Notification & { readonly trigger: EventTrigger };
      expect(patternOf(trigger)).toMatchObject({ source: [entry?.Source], "detail-type": [entry?.DetailType] });
      const prepared = notification.prepare(sampleEvent(notification, { detail }));
      // The CLI repeats by itself, too, and two events of one key are mailed once.
      expect(prepared).toMatchObject({
        recipients: ["success@simulator.amazonses.com"],
        idempotencyKey: `${id}-example-1`,
      });
    },
  );
});

it("leaves out a notification that a schedule causes", async () => {
  expect([...(await producerFiles([dailyReport])).keys()]).toEqual(["src/generated/index.ts"]);
});

it("refuses two notifications whose functions would have one name", async () => {
  const both = [notificationNamed("invoice-2"), notificationNamed("invoice2")];
  await expect(producerFiles(both)).rejects.toThrow(
    '"invoice-2" and "invoice2" would both be putInvoice2: rename one.',
  );
});

describe("the type of a detail", () => {
  it("limits the fields of the rule's pattern to what the rule takes", async () => {
    const severity = { severity: ["page", "wake"] };
    expect(await moduleOf(z.object({ severity: z.string().optional() }), { detailPattern: severity })).toContain(
      'severity: "page" | "wake";',
    );
    const known = z.object({ severity: z.enum(["none", "page"]) });
    expect(await moduleOf(known, { detailPattern: severity })).toContain('severity: "page";');
    // Of a list, one element has to match.
    const list = z.object({ severity: z.array(z.string()) });
    expect(await moduleOf(list, { detailPattern: severity })).toContain("severity: string[];");
  });

  it("has tuples, optional fields and what is null", async () => {
    const module = await moduleOf(
      z.object({ at: z.tuple([z.string(), z.number()]), note: z.string().nullable().optional() }),
    );
    expect(module).toContain("at: [string, number];");
    expect(module).toContain("note?: string | null;");
  });
});

it("says which rule takes the events, and what is left out on purpose", async () => {
  const trigger = { detailPattern: { severity: ["page"] }, ignored: { severity: ["none"] } };
  const module = await moduleOf(z.object({ severity: z.string() }), trigger, "Ends */ here\nand on");
  expect(module).toContain(" * Ends * / here and on. The rule `page-rule`, behind project and stage,");
  expect(module).toContain('`{"source":["shop"],"detail-type":["Page"],"detail":{"severity":["page"]}}`');
  expect(module).toContain('Events whose `severity` is "none" are left out on purpose');
});

it("the largest entry that the client puts is an event that the function mails", () => {
  // What EventBridge hands on, with the longest names that it has.
  const eventOf = (title: string) => ({
    version: "0",
    id: "00000000-0000-0000-0000-000000000000",
    "detail-type": "x".repeat(128),
    source: "x".repeat(256),
    account: "123456789012",
    time: "2026-11-27T09:00:00Z",
    region: "ap-southeast-1",
    resources: [],
    detail: { title },
  });
  const sizeWith = (title: string) => {
    const { source: Source, "detail-type": DetailType, detail } = eventOf(title);
    return sizeOf({ Source, DetailType, Detail: JSON.stringify(detail) });
  };
  const largest = "x".repeat(mostEntryBytes - sizeWith(""));
  expect(sizeWith(largest)).toBe(mostEntryBytes);
  expect(bytesOfEvent(eventOf(largest))).toBeLessThanOrEqual(mostEventBytes);
});
