import * as z from "zod";
import { defineNotification, type EventTrigger } from "../../handler/notifications/define";
import { producerSchema } from "../../handler/notifications/producer-schema";
import { mailData } from "../../handler/notifications/mail-data";
import { readsOfTexts } from "../support/template-reads";

/** A trigger and a schema as a team writes them for a notification of its own: the event states a fact. */
const trigger: EventTrigger = {
  kind: "event",
  source: "shop",
  detailType: "Order Shipped",
  detailPattern: { carrier: ["post", "courier"] },
  ignored: { carrier: ["pickup"] },
};
const definition = {
  id: "order-shipped",
  ruleName: "order-shipped-rule",
  description: "Tells a customer that an order is on its way",
  lane: "standard",
  trigger,
  detail: z.object({
    carrier: z.enum(["post", "courier"]),
    number: z.string(),
    customer: z.unknown(),
    support: z.unknown(),
  }),
  recipients: (detail: { customer?: unknown }) => detail.customer,
  replyTo: (detail: { customer?: unknown; support?: unknown }) => detail.support,
  hints: { tracking: "did you mean detail.number?" },
  subject: "{{number}}",
  content: z.object({ number: z.string(), time: z.string() }),
  map: (event: { time: string; detail: { number: string } }) => ({ number: event.detail.number, time: event.time }),
  sample: { carrier: "post", number: "7", customer: "success@simulator.amazonses.com", support: null },
} as const;
const shipped = defineNotification(definition);
const told = defineNotification({ ...definition, unknownFields: "ignore" });

const detail = { carrier: "post", number: "7", customer: "jane@example.com", support: null };
const event = (changes: object = {}, overrides: object = {}) => ({
  id: "e-1",
  source: "shop",
  "detail-type": "Order Shipped",
  time: "2026-11-24T09:00:00Z",
  detail: { ...detail, ...changes },
  ...overrides,
});
const invalid = (problem: RegExp): unknown =>
  expect.objectContaining({ name: "InvalidEvent", message: expect.stringMatching(problem) as string });
function refusal(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

it("is a command unless it says that it is a fact", () => {
  const more = event({ price: 5, Number: undefined });
  expect(refusal(() => shipped.prepare(event({ price: 5 })))).toEqual(invalid(/detail\.price: is not known$/));
  expect(refusal(() => shipped.prepare(event({ tracking: 5 })))).toEqual(
    invalid(/tracking: is not known: did you mean detail\.number\?$/),
  );
  expect(told.prepare(event({ price: 5, tracking: 6 })).contentIn()).toMatchObject({ number: "7" });
  expect(refusal(() => told.prepare(more))).toEqual(
    invalid(/detail\.Number: is not known: did you mean detail\.number\?$/),
  );
});

it("makes one line of what a subject reads, and leaves the bodies as they are", () => {
  const number = "7\r\nBcc: eve@example.com";
  const data = mailData(shipped, shipped.prepare(event({ number })).contentIn(), readsOfTexts("number"));
  expect(data).toMatchObject({ subject: { number: "7 Bcc: eve@example.com" }, text: { number } });
});

it("may map a part of the event's id, which counts for nothing in the content's hash", () => {
  const partOf = (id: string): string => {
    const [, part] = id.split("-");
    if (part === undefined) throw new Error("This is no event's id");
    return part;
  };
  const own = defineNotification({
    ...definition,
    map: ({ id, time }: { id: string; time: string }) => ({ number: partOf(id), time }),
  });
  const emails = ["7bf73129-1428", "e7b8c1d2-99aa"].map((id) => own.prepare(event({}, { id })));
  expect(emails.map(({ contentIn }) => contentIn())).toMatchObject([{ number: "1428" }, { number: "99aa" }]);
  expect(new Set(emails.map(({ contentHash }) => contentHash)).size).toBe(1);
});

describe("an idempotency key", () => {
  it("may come with each event, at the top and nowhere else", () => {
    const inner = defineNotification({
      ...definition,
      detail: definition.detail.extend({ parcel: z.strictObject({ weight: z.number().optional() }).optional() }),
    });
    expect(inner.prepare(event({ idempotencyKey: "k" })).idempotencyKey).toBe("k");
    expect(refusal(() => inner.prepare(event({ parcel: { idempotencyKey: "k" } })))).toEqual(
      invalid(/detail\.parcel\.idempotencyKey: is not known: did you mean detail\.idempotencyKey\?$/),
    );
  });

  it.each<[string, z.ZodType<{ number: string; customer?: unknown }>]>([
    ["a strict object", definition.detail.strict()],
    ["an intersection", z.intersection(definition.detail, z.object({ weight: z.number().optional() }))],
    ["a union", z.union([z.strictObject({ number: z.literal("none") }), definition.detail.strict()])],
    ["a lazy schema", z.lazy(() => definition.detail.strict())],
    ["a catchall of numbers", definition.detail.catchall(z.number())],
  ])("need not stand in %s", (_, schema) => {
    const own = defineNotification({ ...definition, detail: schema, sample: detail });
    expect(own.prepare(event({ idempotencyKey: "k" })).idempotencyKey).toBe("k");
  });

  it.each<[string, z.ZodType<{ number: string }>]>([
    [
      "a union",
      z.union([
        z.object({ invoice: z.string(), number: z.string(), idempotencyKey: z.string() }),
        definition.detail.strict(),
      ]),
    ],
    [
      "a discriminated union",
      z.discriminatedUnion("carrier", [
        z.object({ carrier: z.literal("courier"), number: z.string(), idempotencyKey: z.string() }),
        definition.detail.extend({ carrier: z.literal("post") }),
      ]),
    ],
  ])("may come where another alternative of %s knows it", (_, schema) => {
    const own = defineNotification({
      ...definition,
      recipients: () => "jane@example.com",
      replyTo: () => [],
      detail: schema,
      sample: detail,
    });
    expect(own.prepare(event({ idempotencyKey: "k" })).idempotencyKey).toBe("k");
    expect(refusal(() => own.prepare(event({ idempotencyKey: "k", price: 5 })))).toEqual(
      invalid(/detail\.price: is not known/),
    );
  });

  it("may be the schema's own field, too", () => {
    const own = defineNotification({
      ...definition,
      detail: definition.detail.extend({ idempotencyKey: z.string().min(5) }),
      sample: { ...definition.sample, idempotencyKey: "12345" },
    });
    expect(own.prepare(event({ idempotencyKey: 12345 })).idempotencyKey).toBe("12345");
    expect(refusal(() => own.prepare(event({ idempotencyKey: "k" })))).toEqual(
      invalid(/detail\.idempotencyKey: Too small/),
    );
  });

  it.each(["IdempotencyKey", "idempotency_key", "idempotency-key", "idempotencykey", "idempotentKey"])(
    "is meant by %s, which is refused",
    (name) => {
      expect(refusal(() => shipped.prepare(event({ [name]: "k" })))).toEqual(
        invalid(/did you mean detail\.idempotencyKey\?$/),
      );
    },
  );

  it.each(["IdempotencyKey", "IDEMPOTENCYKEY"])("is meant by %s in a fact, too", (name) => {
    expect(refusal(() => told.prepare(event({ [name]: "k" })))).toEqual(
      invalid(/did you mean detail\.idempotencyKey\?$/),
    );
  });
});

describe("recipients", () => {
  it.each([
    undefined,
    null,
    [],
    "",
    "jane",
    7,
    true,
    {},
    [[]],
    [{}],
    [undefined],
    new Set(["jane@example.com"]),
    Symbol("x"),
  ])("that are junk mail nobody: %p", (customer) => {
    expect(refusal(() => shipped.prepare(event({ customer })))).toEqual(invalid(/nobody|recipient/i));
  });

  it("are checked behind the definition, one by one", () => {
    expect(shipped.prepare(event({ customer: ["Jane@Example.com", "jane", "jane@example.com", null] }))).toMatchObject({
      recipients: ["Jane@example.com"],
      refusedRecipients: [
        { position: 2, problem: "has no at sign" },
        { position: 4, problem: "is missing" },
      ],
    });
  });
});

it("says where replies go, or leaves it to the stage", () => {
  expect(shipped.prepare(event()).replyTo).toEqual([]);
  expect(shipped.prepare(event({ support: ["a@example.com", "b@BÜCHER.example"] })).replyTo).toEqual([
    "a@example.com",
    "b@xn--bcher-kva.example",
  ]);
  expect(refusal(() => shipped.prepare(event({ support: "Help <help@example.com>" })))).toEqual(
    invalid(/Its address for replies has a display name: give the bare address\.$/),
  );
});

it.each(["", "  ", "\u200b\u200d", "\u3164", "\u202e", "\u0000"])("has no subject that nobody sees: %j", (number) => {
  const content = shipped.prepare(event({ number })).contentIn();
  expect(refusal(() => mailData(shipped, content, readsOfTexts("number")))).toEqual(
    invalid(/Its subject has no visible character\.$/),
  );
  // Words of the template's own are enough.
  expect(mailData(shipped, content, { ...readsOfTexts("number"), hasWords: true })).toMatchObject({ text: {} });
});

it("keeps half characters and changes of direction out of its mail", () => {
  const content = shipped.prepare(event({ number: "7 \ud83c \u202e8\u202c" })).contentIn();
  expect(mailData(shipped, content, readsOfTexts("number"))).toMatchObject({
    subject: { number: "7 \ufffd 8" },
    html: { number: "7 \ufffd \u202e8\u202c" },
  });
});

it("has one content, whenever its event happened, and another one for each thing that it says", () => {
  const { contentHash } = shipped.prepare(event());
  const later = { id: "e-2", time: "2026-12-24T09:00:00Z" };
  expect(shipped.prepare(event({}, later)).contentHash).toBe(contentHash);
  expect(shipped.prepare(event({ customer: "bob@example.com" })).contentHash).toBe(contentHash);
  const others = [event({ number: "8" }), event({ support: "help@example.com" })];
  expect(new Set([contentHash, ...others.map((other) => shipped.prepare(other).contentHash)]).size).toBe(3);
});

describe("an event that the pattern does not take", () => {
  it.each<[object, string]>([
    [{ carrier: "Post" }, ' ("pickup" is left out on purpose): did you mean "post"?'],
    [{ carrier: "curier" }, ' ("pickup" is left out on purpose): did you mean "courier"?'],
    [{ carrier: "drone" }, ' ("pickup" is left out on purpose)'],
    [{ carrier: 1 }, ' ("pickup" is left out on purpose)'],
    [{ carrier: null }, ' ("pickup" is left out on purpose)'],
    [{ carrier: ["drone"] }, ' ("pickup" is left out on purpose)'],
    [{ carrier: undefined }, ' ("pickup" is left out on purpose), and is missing'],
    [{ carrier: {} }, ' ("pickup" is left out on purpose), and is missing'],
    [
      { carrier: undefined, Carrier: "post" },
      ' ("pickup" is left out on purpose), and is missing: detail.Carrier is not known: did you mean detail.carrier?',
    ],
    [{ carrier: "pickup" }, "; what it says is left out on purpose"],
  ])("is told with what would do, not with what it says: %j", (changes, why) => {
    expect(refusal(() => shipped.prepare(event(changes)))).toMatchObject({
      name: "NoRuleMatches",
      retryable: false,
      message: `The event is mailed to nobody. detail.carrier has to be "post" or "courier"${why}`,
    });
  });

  it("is told before anything else is", () => {
    expect(refusal(() => shipped.prepare(event({ carrier: "drone", customer: 7, q: 1 })))).toMatchObject({
      name: "NoRuleMatches",
    });
  });
});

it.each<[string, Partial<EventTrigger>, RegExp]>([
  ["no value", { detailPattern: { carrier: [] } }, /^its trigger lists no value for carrier in detailPattern/],
  ["a path", { detailPattern: { "carrier.name": ["post"] }, ignored: {} }, /has carrier\.name in detailPattern/],
  ["an operator", { detailPattern: { $or: ["post"] }, ignored: {} }, /has \$or in detailPattern/],
  ["no ignored value", { ignored: { carrier: [] } }, /lists no value for carrier in ignored/],
  [
    "an ignored field that no pattern has",
    { ignored: { weight: ["0"] } },
    /ignores values of weight, which is not in detailPattern/,
  ],
  ["a value that is mailed and ignored", { ignored: { carrier: ["post"] } }, /mails and ignores "post" of carrier/],
  ["an empty source", { source: "" }, /^its trigger has no source\.$/],
  ["a source of AWS's", { source: "aws.shop" }, /has the source "aws\.shop"/],
  ["an empty detail-type", { detailType: "" }, /has no detailType/],
  ["a long source", { source: "x".repeat(257) }, /has a source of 257 characters/],
  ["another kind", { kind: "queue" as "event" }, /has the kind "queue": use event or schedule/],
  ["a long detail-type", { detailType: "x".repeat(129) }, /has a detailType of 129 characters/],
])("has a problem with %s", (_, changes, problem) => {
  expect(shipped.problems()).toEqual([]);
  expect(defineNotification({ ...definition, trigger: { ...trigger, ...changes } }).problems()).toEqual([
    expect.stringMatching(problem),
  ]);
});

describe("a schema that can't be read", () => {
  const twice = z.intersection(
    definition.detail.extend({ number: z.string().trim() }),
    z.looseObject({ number: z.string().toUpperCase() }),
  );

  it("is a problem of the definition, with the field", () => {
    expect(defineNotification({ ...definition, detail: twice }).problems()).toEqual([
      expect.stringMatching(/^its schema can't be read: detail\.number is changed by both halves of an intersection/),
    ]);
  });

  it.each<[string, (later: () => typeof twice) => z.ZodType]>([
    ["lazily", (later) => z.lazy(later)],
    [
      "by a getter",
      (later) =>
        z.object({
          get parcel() {
            return later();
          },
        }),
    ],
  ])(
    "is refused with the first event, where it names %s another one that is defined after it, too",
    (_, schemaWith) => {
      const own = defineNotification({
        ...definition,
        recipients: () => "jane@example.com",
        replyTo: () => [],
        map: ({ time }: { time: string }) => ({ number: "7", time }),
        detail: schemaWith(() => later),
        sample: {},
      });
      const later = twice;
      expect(own.problems()).toEqual([expect.stringMatching(/^its schema can't be read: detail(\.parcel)?\.number/)]);
      expect(refusal(() => own.prepare(event()))).toMatchObject({
        message: expect.stringMatching(
          /^The schema of "order-shipped" can't be read: detail(\.parcel)?\.number/,
        ) as string,
      });
    },
  );

  it("is none with a loose half beside a field that is changed", () => {
    const own = defineNotification({
      ...definition,
      detail: z.intersection(z.looseObject({}), definition.detail.extend({ number: z.coerce.string().trim() })),
    });
    expect(own.prepare(event({ number: " 8 ", weight: 5 })).contentIn()).toMatchObject({ number: "8" });
  });
});

it.each(["ruleName", "description", "subject", "content", "trigger", "detail", "recipients", "map"])(
  "has a problem without its %s, and no exception",
  (name) => {
    expect(defineNotification({ ...definition, [name]: undefined }).problems()).toEqual([
      `it has no ${name}, or not as NotificationDefinition wants it.`,
    ]);
  },
);

describe("what producers are told", () => {
  it("has the key at the top alone, and no other field than the schema's", () => {
    expect(producerSchema(shipped)).toMatchObject({
      properties: { idempotencyKey: { type: "string" }, carrier: {}, number: {} },
      additionalProperties: false,
    });
    const own = z.object({ parcel: z.object({ weight: z.number() }) });
    const { properties = {} } = producerSchema({ detail: own });
    expect(Object.keys(properties)).toEqual(["idempotencyKey", "parcel"]);
    expect(properties.parcel).toMatchObject({ properties: { weight: {} }, additionalProperties: false });
    expect(properties.parcel).not.toHaveProperty("properties.idempotencyKey");
  });

  it("has it in each alternative, and leaves a fact open", () => {
    const either = z.union([
      z.object({ a: z.string() }),
      z.intersection(z.object({ b: z.string() }), z.object({ c: z.string() })),
    ]);
    const key = { properties: { idempotencyKey: { type: "string" } } };
    expect(producerSchema({ detail: either })).toMatchObject({
      anyOf: [
        { ...key, additionalProperties: false },
        { ...key, additionalProperties: false },
      ],
    });
    const kinds = z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("a") }),
      z.object({ kind: z.literal("b"), b: z.string() }),
    ]);
    expect(producerSchema({ detail: kinds })).toMatchObject({ oneOf: [key, key] });
    const named = z.object({ c: z.string() }).meta({ id: "named" });
    expect(producerSchema({ detail: z.union([named, z.object({ d: z.string() })]) })).toMatchObject({
      anyOf: [{ $ref: "#/$defs/named" }, key],
      $defs: { named: key },
    });
    expect(producerSchema(told).additionalProperties).not.toBe(false);
    expect(
      producerSchema({
        detail: z.object({
          get self() {
            return z.lazy(() => z.object({})).optional();
          },
        }),
      }),
    ).toMatchObject(key);
  });
});
