import * as z from "zod";
import { seedCatalogue } from "../../handler/notifications/seed";
import { defineNotification } from "../../handler/notifications/define";
import { emailRequest } from "../../handler/notifications/email-request";
import { addressesSchema } from "../../handler/notifications/recipients";
import { readdressed, sampleEvent } from "../../handler/notifications/sample";

const shipped = defineNotification({
  id: "shipped",
  ruleName: "shipped",
  description: "Tells a customer",
  lane: "standard",
  trigger: { kind: "event", source: "shop", detailType: "Shipped" },
  detail: z.object({
    customer: z.object({ mail: addressesSchema, name: z.string(), note: z.null().optional() }),
    items: z.array(z.string()),
  }),
  recipients: ({ customer }) => customer.mail,
  subject: "{{name}}",
  content: z.object({ name: z.string() }),
  map: ({ detail: { customer } }) => ({ name: customer.name }),
  sample: { customer: { mail: "Success@Simulator.amazonses.com", name: "Ada" }, items: ["a", "b"] },
});

const withRecipients = (prepared: ReturnType<typeof shipped.prepare>, more: readonly string[]) => ({
  ...prepared,
  recipients: [...prepared.recipients, ...more],
});

it("is the event of the sample, with what is told otherwise", () => {
  expect(sampleEvent(shipped, { time: "2026-11-24T09:00:00Z" })).toEqual({
    id: "sample-shipped",
    source: "shop",
    "detail-type": "Shipped",
    time: "2026-11-24T09:00:00Z",
    detail: shipped.sample,
  });
  expect(sampleEvent(shipped, { id: "e-1", detail: { items: [] } })).toMatchObject({
    id: "e-1",
    detail: { items: [] },
  });
});

describe("with other recipients", () => {
  it.each(seedCatalogue.map((notification) => [notification.id, notification] as const))(
    "mails them: %s",
    (_, each) => {
      const detail = readdressed(each, each.sample as object, ["a@example.com", "b@example.com"]);
      expect(each.prepare(sampleEvent(each, { detail })).recipients).toEqual(["a@example.com", "b@example.com"]);
    },
  );

  it("needs none before, in the recipe's shape", () => {
    expect(readdressed(emailRequest, { title: "T" }, ["a@example.com"])).toEqual({
      title: "T",
      emailConfig: { recipient: "a@example.com" },
    });
  });

  it("keeps what stands beside them, in the recipe's shape", () => {
    const detail = { emailConfig: { recipient: "x@example.com", subject: "S" } };
    expect(readdressed(emailRequest, detail, ["a@example.com"])).toEqual({
      emailConfig: { recipient: "a@example.com", subject: "S" },
    });
  });

  it("keeps a null, and replaces a list of which one entry is an address", () => {
    const detail = { customer: { mail: ["x@example.com", "not one"], name: "Ada", note: null }, items: [] };
    expect(readdressed(shipped, detail, ["a@example.com"])).toEqual({
      customer: { mail: ["a@example.com"], name: "Ada", note: null },
      items: [],
    });
  });

  it("counts an entry that is no address: the function tells of it", () => {
    const detail = { customer: { mail: "x@example.com", name: "Ada" }, items: [] };
    expect(readdressed(shipped, detail, ["a@example.com", "not one"])).toMatchObject({
      customer: { mail: ["a@example.com", "not one"] },
    });
  });

  it.each<[string, typeof shipped]>([
    [
      "mails one more",
      { ...shipped, prepare: (event) => withRecipients(shipped.prepare(event), ["boss@example.com"]) },
    ],
    ["mails nobody", { ...shipped, prepare: (event) => ({ ...shipped.prepare(event), recipients: [] }) }],
  ])("refuses a notification that %s whatever the detail says", (_, notification) => {
    const detail = { customer: { mail: "x@example.com", name: "Ada" }, items: [] };
    expect(() => readdressed(notification, detail, ["a@example.com"])).toThrow(
      /does not take its recipients from its detail/,
    );
  });

  it.each<[string, unknown, readonly string[], unknown]>([
    ["an address", "success@simulator.amazonses.com", ["a@example.com"], "a@example.com"],
    ["an address, by more", "x@example.com", ["a@example.com", "b@example.com"], ["a@example.com", "b@example.com"]],
    ["a list, by one", ["x@example.com", "y@example.com"], ["a@example.com"], ["a@example.com"]],
  ])("replaces %s, wherever it stands", (_, mail, recipients, expected) => {
    expect(readdressed(shipped, { customer: { mail, name: "Ada" }, items: ["a"] }, recipients)).toEqual({
      customer: { mail: expected, name: "Ada" },
      items: ["a"],
    });
  });

  it("is refused where the definition names them itself", () => {
    const own = defineNotification({
      id: "own",
      ruleName: "own",
      description: "Tells the team",
      lane: "standard",
      trigger: { kind: "event", source: "shop", detailType: "Own" },
      detail: z.object({ name: z.string() }),
      recipients: () => "team@example.com",
      subject: "{{name}}",
      content: z.object({ name: z.string() }),
      map: ({ detail: { name } }) => ({ name }),
      sample: { name: "Ada" },
    });
    expect(() => readdressed(own, { name: "Ada" }, ["a@example.com"])).toThrow(
      'An event of "own" does not take its recipients from its detail: they stay as the definition has them.',
    );
  });
});
