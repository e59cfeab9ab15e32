import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Testing } from "cdktf";
import * as z from "zod";
import { catalogue } from "../../handler/notifications";
import { defineNotification, type Notification } from "../../handler/notifications/define";
import { type CatalogueContext, checkCatalogue } from "../../stacks/catalogue-check";
import { seedCatalogue } from "../../handler/notifications/seed";
import { notificationsFolder } from "../../stacks/templates/files";
import { loadTemplate, type TemplateReader } from "../../stacks/templates/load";
import { temporaryFolder, writeFiles } from "aws-emulator/testing/temporary";
import { configOf, synthNotificationStack } from "../support/stack";
import { NotificationStack } from "../../stacks/notification-stack";
import { templateOfFiles } from "../support/template-files";

/** The definition's id is a name that no folder of the project has, and that a team is unlikely to choose. */
const definition = {
  id: "example-invoice",
  ruleName: "example-invoice-rule",
  description: "Thanks a customer for a payment",
  lane: "standard",
  trigger: { kind: "event", source: "com.example.billing", detailType: "Invoice Paid" },
  detail: z.object({ customer: z.string(), number: z.string(), note: z.string().optional() }),
  recipients: ({ customer }: { customer: string }) => customer,
  subject: "Invoice {{number}}",
  content: z.object({ number: z.string(), note: z.string(), to: z.object({ note: z.string() }) }),
  map: ({ detail: { number, note = "" } }: { detail: { number: string; note?: string | undefined } }) => ({
    number,
    note,
    to: { note },
  }),
  sample: { customer: "success@simulator.amazonses.com", number: "7" },
} as const;
const bodies = { "body.html": "<p>{{number}}</p>\n{{#if note}}<p>{{note}}</p>{{/if}}", "body.txt": "{{number}}" };
const template = templateOfFiles(definition, bodies);

/**
 * A notification with changes to the definition. TypeScript refuses some of the changes, and the synth has to refuse
 * them, too.
 */
const invoicePaid = (changes: object = {}): Notification => defineNotification({ ...definition, ...changes });

function problemsOf(notifications: readonly Notification[], context: Partial<CatalogueContext> = {}): string[] {
  try {
    checkCatalogue(notifications, { prefix: "shop-dev", templateOf: () => template, ...context });
    return [];
  } catch (error) {
    const [head = "", ...problems] = (error instanceof Error ? error.message : "").split("\n  - ");
    expect(head).toMatch(/^The catalogue has \d+ problems?; nothing was synthesized\.$/);
    return problems;
  }
}

const file = "handler/notifications/example-invoice/index.ts";

it("takes the catalogue as it is", () => {
  expect(problemsOf(catalogue, { templateOf: loadTemplate, folder: notificationsFolder })).toEqual([]);
});

it("gives each notification's template, in the catalogue's order", () => {
  const other = invoicePaid({
    id: "a",
    ruleName: "a",
    trigger: { ...definition.trigger, detailType: "A" },
  });
  const context = { prefix: "shop-dev", templateOf: () => template };
  const checked = checkCatalogue([invoicePaid(), other], context);
  expect(checked.map(({ notification, edition }) => [notification.id, edition])).toEqual([
    ["example-invoice", { locale: "en" }],
    ["a", { locale: "en" }],
  ]);
  expect(checked.every((each) => each.template === template)).toBe(true);
});

describe("a notification in several languages and variants", () => {
  const declared = { locales: ["en", "fr"], variants: { a: { weight: 1 }, b: { weight: 1 } } };
  const editions = { "body.html": bodies["body.html"], "body.b.html": "<b>{{number}}</b>", "body.txt": "{{number}}" };
  const inFiles =
    (files: Readonly<Record<string, string>>): TemplateReader =>
    (notification, edition) =>
      templateOfFiles(notification, files, edition);

  it("has a template for each variant in each language", () => {
    const notification = invoicePaid({ ...declared, subject: "{{number}}" });
    const checked = checkCatalogue([notification], { prefix: "shop-dev", templateOf: inFiles(editions) });
    expect(checked.map(({ edition }) => edition)).toEqual([
      { locale: "en", variant: "a" },
      { locale: "en", variant: "b" },
      { locale: "fr", variant: "a" },
      { locale: "fr", variant: "b" },
    ]);
  });

  it.each<[string, object, Readonly<Record<string, string>>, string[]]>([
    [
      "is declared badly",
      { ...declared, locales: ["en", "fr_CA"] },
      editions,
      [`${file}: its locale "fr_CA" is written "fr-CA".`],
    ],
    [
      "chooses among variants that there are not",
      { template: () => "a" },
      bodies,
      [`${file}: its template chooses a variant, and it declares none: write variants: { a: { weight: 1 }, .. }.`],
    ],
    [
      "chooses a variant that it does not declare",
      { ...declared, template: () => "c" },
      editions,
      [expect.stringMatching(/the sample makes no mail: .* chooses the template "c", which is none of its/) as string],
    ],
    [
      "fails at the choice of the language",
      {
        ...declared,
        locale: () => {
          throw new Error("no reader");
        },
      },
      editions,
      [`${file}: the sample makes no mail: no reader`],
    ],
    [
      "names a language where a function belongs",
      { ...declared, locale: "fr" },
      editions,
      [`${file}: its locale is no function: write locale: (..) => .., or leave it out.`],
    ],
    [
      "has two variants that say the same",
      declared,
      bodies,
      ["en", "fr"].map(
        (locale) =>
          `${file}: its variants "a" and "b" say the same in "${locale}": write a body of "b", or messages.${locale}.b.json.`,
      ),
    ],
    [
      "has a language in which the sample makes no mail",
      {
        ...declared,
        map: ({ detail }: { detail: { number: string } }, { locale }: { locale: string }) => ({
          number: locale === "fr" ? "" : detail.number,
          note: "",
          to: { note: "" },
        }),
      },
      editions,
      [expect.stringMatching(/the sample makes no mail: .* Its subject has no visible character/) as string],
    ],
  ])("is refused where it %s", (_, changes, files, problems) => {
    const notification = invoicePaid({ subject: "{{number}}", ...changes });
    expect(problemsOf([notification], { templateOf: inFiles(files) })).toEqual(expect.arrayContaining(problems));
  });

  it("may have an id that every object has, and is packaged by it", () => {
    const named = invoicePaid({ id: "constructor", subject: "{{number}}" });
    const stack = new NotificationStack(Testing.app(), "notification", configOf(), [named], inFiles(bodies));
    const { template_names: names } = (JSON.parse(Testing.synth(stack)) as { output: Record<string, object> }).output;
    expect(names).toMatchObject({ value: { constructor: expect.stringContaining("constructor") as string } });
    expect(Object.keys(Object)).toEqual([]);
  });

  it("is synthesized with a template for each, and keeps its first one where it is", () => {
    const notification = invoicePaid({ ...declared, subject: "{{number}}" });
    const single = invoicePaid({ subject: "{{number}}" });
    const templatesOf = (each: Notification, files: Readonly<Record<string, string>>) => {
      const stack = new NotificationStack(Testing.app(), "notification", configOf(), [each], inFiles(files));
      const { resource } = JSON.parse(Testing.synth(stack)) as {
        resource: Record<string, Record<string, { name: string }>>;
      };
      return Object.entries(resource.aws_ses_template ?? {}).map(([address, { name }]) => `${address} ${name}`);
    };
    const of = { single: templatesOf(single, bodies), all: templatesOf(notification, editions) };
    expect(new Set(of.all).size).toBe(4);
    expect(of.all).toEqual(expect.arrayContaining(of.single));

    // Terraform makes a template before it removes the one whose place it takes, and SES refuses a name that is taken.
    const turned = invoicePaid({
      locales: ["fr", "en"],
      variants: { b: { weight: 1 }, a: { weight: 1 } },
      subject: "{{number}}",
    });
    const names = new Map(of.all.map((each) => each.split(" ").reverse() as [name: string, address: string]));
    const moved = templatesOf(turned, editions).filter((each) => {
      const [address = "", name = ""] = each.split(" ");
      return names.has(name) && names.get(name) !== address;
    });
    expect(moved).toEqual([]);
  });
});

it("gives no notification the name of a rule that the stack has by itself", () => {
  const ofNotifications = seedCatalogue.map(({ ruleName }) => ruleName);
  const own = synthNotificationStack()
    .resources("aws_cloudwatch_event_rule")
    .map(({ name }) => String(name).replace("shop-dev-", ""))
    .filter((name) => !ofNotifications.includes(name));
  expect(own.length).toBeGreaterThan(0);
  for (const ruleName of own) {
    expect(problemsOf([invoicePaid({ ruleName })])).toEqual([
      `${file}: the ruleName "${ruleName}" is the name of a rule that the stack itself makes: choose another.`,
    ]);
  }
});

describe("what can't be read is told in a sentence", () => {
  const thrown = () => {
    throw new Error("boom");
  };
  const throwing = (name: string, value: object = {}) =>
    Object.defineProperty(value, name, { get: thrown, enumerable: true });
  const proxy = (trap: "get" | "ownKeys") => new Proxy({}, { [trap]: thrown });
  /** `defineNotification` copies what it is given; behind it, somebody may spread or wrap a notification. */
  const changed = (changes: object): Notification =>
    Object.defineProperties({ ...invoicePaid() }, Object.getOwnPropertyDescriptors(changes));
  const unread = `${file}: it can't be read: boom`;

  it.each<[string, Notification, string]>([
    ["a trigger's source", invoicePaid({ trigger: throwing("source", { kind: "event" }) }), unread],
    ["a trigger's kind", invoicePaid({ trigger: throwing("kind") }), unread],
    [
      "a trigger's pattern",
      invoicePaid({ trigger: { ...definition.trigger, detailPattern: throwing("status") } }),
      unread,
    ],
    ["a trigger that is a Proxy", invoicePaid({ trigger: proxy("ownKeys") }), unread],
    ["a trigger", changed(throwing("trigger")), unread],
    ["a sample", changed(throwing("sample")), unread],
    [
      "a sample's field",
      invoicePaid({ sample: throwing("number", { customer: "a@example.com" }) }),
      `${file}: the sample makes no mail: boom`,
    ],
    ["a rule's name", changed(throwing("ruleName")), unread],
    ["a lane", changed(throwing("lane")), unread],
  ])("of %s", (_, notification, sentence) => {
    expect(problemsOf([notification])).toEqual([sentence]);
  });

  it("of one notification, beside the problems of the others", () => {
    const other = invoicePaid({ lane: "bulk" });
    expect(problemsOf([changed(throwing("trigger")), other])).toEqual([
      unread,
      `${file}: there is no lane "bulk": use standard or priority.`,
    ]);
  });

  it("of one whose error can't be read either", () => {
    const silent = throwing("message", new Error()) as Error;
    const withoutText = Object.create(null) as Error;
    for (const error of [silent, withoutText]) {
      const lane = () => {
        throw error;
      };
      const notification = Object.defineProperty({ ...invoicePaid() }, "lane", { get: lane, enumerable: true });
      expect(problemsOf([notification])).toEqual([`${file}: it can't be read: what was thrown has no text`]);
    }
  });

  it.each([undefined, null, { first: invoicePaid() }])("of a catalogue that is no list: %#", (none) => {
    expect(problemsOf(none as unknown as Notification[])).toEqual([
      "handler/notifications/index.ts: the catalogue is no list: write it as [first, second].",
    ]);
  });

  it("of an entry that is none", () => {
    const entries = [undefined, null, Promise.resolve(invoicePaid()), proxy("get"), {}, "x"];
    const entry = (at: number) => `handler/notifications/index.ts: entry ${at} of the catalogue`;
    expect(problemsOf(entries as Notification[])).toEqual([
      `${entry(1)} is undefined: the folder exports it by another name.`,
      `${entry(2)} is no notification: make it with defineNotification.`,
      `${entry(3)} is a promise: import the notification itself.`,
      `${entry(4)} can't be read: boom`,
      `${entry(5)} is no notification: make it with defineNotification.`,
      `${entry(6)} is no notification: make it with defineNotification.`,
    ]);
  });

  it.each<[string, object, RegExp]>([
    ["a schema that is none", { detail: { customer: "text" } }, /its detail is no schema of Zod 4: write z\.object/],
    ["a schema that is a text", { detail: "customer" }, /its detail is no schema of Zod 4: write z\.object/],
    ["a schema that throws", { detail: new Proxy(definition.detail, { get: thrown }) }, /: it can't be read: boom$/],
    ["a subject that is a function", { subject: thrown }, /subject/],
    ["a map that throws", { map: thrown }, /the sample makes no mail: boom/],
    ["recipients that throw", { recipients: thrown }, /the sample makes no mail: boom/],
  ])("of %s", (_, changes, sentence) => {
    const problems = problemsOf([invoicePaid(changes)]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(sentence);
    expect(problems[0]?.startsWith(`${file}: `)).toBe(true);
  });
});

describe("a definition", () => {
  it.each<[string, object, string]>([
    ["a lane that is not there", { lane: "bulk" }, `${file}: there is no lane "bulk": use standard or priority.`],
    [
      "no recipients",
      { recipients: undefined },
      `${file}: it has no recipients, or not as NotificationDefinition wants it.`,
    ],
    ["no sample", { sample: undefined }, `${file}: it has no sample: give it a detail that fits its schema.`],
    [
      "a rule's name of the stack's own",
      { ruleName: "dead-letter-rule" },
      `${file}: the ruleName "dead-letter-rule" is the name of a rule that the stack itself makes: choose another.`,
    ],
    [
      "a rule's name with a blank",
      { ruleName: "my rule" },
      `${file}: the ruleName "my rule" has characters that EventBridge refuses: use letters, digits, hyphens, dots and underscores.`,
    ],
    [
      "a long rule's name",
      { ruleName: "r".repeat(56) },
      `${file}: the ruleName "${"r".repeat(56)}" has 56 characters, and EventBridge takes 55 behind "shop-dev": choose a shorter one.`,
    ],
    [
      "a sample that does not fit its schema",
      { sample: { customer: "success@simulator.amazonses.com", number: 7, nota: "x" } },
      `${file}: the sample makes no mail: The event does not fit "example-invoice". detail.nota: is not known: did you mean detail.note?`,
    ],
    [
      "a sample that the pattern does not take",
      { trigger: { ...definition.trigger, detailPattern: { number: ["B-8"] } } },
      `${file}: the sample makes no mail: The event is mailed to nobody. detail.number has to be "B-8"`,
    ],
    [
      "a sample without a recipient",
      { recipients: () => undefined },
      `${file}: the sample makes no mail: The event does not fit "example-invoice". It names nobody to mail.`,
    ],
    [
      "a sample with a bad recipient",
      { recipients: () => ["a@example.com", "b"] },
      `${file}: recipient number 2 of the sample has no at sign.`,
    ],
    [
      "a mapping that fails",
      {
        map: () => {
          throw new Error("No number");
        },
      },
      `${file}: the sample makes no mail: No number`,
    ],
    [
      "a schedule whose detail is of another shape",
      {
        trigger: {
          ...definition.trigger,
          kind: "schedule",
          expression: "cron(0 9 * * ? *)",
          detail: () => ({ customer: "a@example.com" }),
        },
      },
      `${file}: the detail of its schedule makes no mail: The event does not fit "example-invoice". detail.number: Invalid input: expected string, received undefined`,
    ],
    [
      "a schedule whose detail can't be made",
      {
        trigger: {
          ...definition.trigger,
          kind: "schedule",
          expression: "cron(0 9 * * ? *)",
          detail: () => {
            throw new Error("No detail");
          },
        },
      },
      `${file}: the detail of its schedule can't be made: No detail`,
    ],
  ])("is refused with %s", (_, changes, problem) => {
    expect(problemsOf([invoicePaid(changes)])).toEqual([problem]);
  });

  it.each([
    ["Invoice Paid", "invoice-paid"],
    ["InvoicePaid", "invoice-paid"],
    ["invoice_paid", "invoice-paid"],
    ["-invoice--paid-", "invoice-paid"],
    ["2026", "invoice-paid"],
    ["", "invoice-paid"],
    ["../invoice", "invoice"],
  ])("is refused with the id %j, and %s is named as an example", (id, example) => {
    expect(problemsOf([invoicePaid({ id })])).toEqual([
      `handler/notifications/${id}/index.ts: the id "${id}" can't be a part of the names in AWS: use small letters, digits and single hyphens, for example "${example}".`,
    ]);
  });

  it("is refused with an id that leaves no room for its template's name", () => {
    const id = "i".repeat(47);
    expect(problemsOf([invoicePaid({ id: id.slice(1) })])).toEqual([]);
    expect(problemsOf([invoicePaid({ id })])).toEqual([
      `handler/notifications/${id}/index.ts: the id "${id}" has 47 characters, and 46 fit into the name of its template behind "shop-dev": choose a shorter one.`,
    ]);
  });

  it("is refused with the id of a folder that holds no notification", () => {
    expect(problemsOf([invoicePaid({ id: "layouts" })])).toEqual([
      expect.stringContaining('the id "layouts" is the name of a folder that holds no notification'),
    ]);
  });
});

it("is refused with the id of a file that would be imported in its place", () => {
  expect(problemsOf([invoicePaid({ id: "define" })])).toEqual([
    'handler/notifications/define/index.ts: the id "define" is the name of a file there, handler/notifications/define.ts: choose another.',
  ]);
});

describe("a template", () => {
  const blankIn = ({ subject, ...changes }: Readonly<Record<string, string>>, sample: object = {}) => {
    const notification = invoicePaid({ sample: { ...definition.sample, ...sample }, ...(subject && { subject }) });
    return problemsOf([notification], { templateOf: () => templateOfFiles(notification, { ...bodies, ...changes }) });
  };

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ["html", { "body.html": "<p>\n{{number}} {{note}}" }, "/body.html:2:12: the sample leaves {{note}} empty"],
    ["lines", { "body.html": "<p>\n{{lines note}}" }, "/body.html:2:1: the sample leaves {{lines note}} empty"],
    ["text", { "body.txt": "{{number}}\n\n{{note}}" }, "/body.txt:3:1: the sample leaves {{note}} empty"],
    ["subject", { subject: "{{number}} {{note}}" }, "/index.ts:3: the sample leaves {{note}} empty"],
  ])("may not show what the sample leaves empty: %s", (_, changes, problem) => {
    expect(blankIn(changes)).toEqual([expect.stringContaining(`${problem}: give it a value there, or show it within`)]);
    expect(blankIn(changes, { note: "Thanks" })).toEqual([]);
    expect(blankIn(changes, { note: "\u200b" })).toContainEqual(expect.stringContaining(problem));
  });

  it.each([
    "{{#if note}}{{note}}{{/if}}",
    "{{#unless note}}none{{else}}{{note}}{{/unless}}",
    "{{#with to}}{{#if note}}{{note}}{{/if}}{{/with}}",
  ])("may leave it out: %s", (html) => {
    expect(blankIn({ "body.html": html })).toEqual([]);
  });

  /** Writes files to a folder, and reads templates from it as the synth does. */
  function read(files: Readonly<Record<string, string>>): TemplateReader {
    const folder = writeFiles(temporaryFolder(), files);
    return (notification, edition) => loadTemplate(notification, edition, join(folder, notification.id));
  }
  const index = { "example-invoice/index.ts": 'defineNotification({\n  subject: "{{number}}",\n});\n' };

  it.each<[string, Record<string, string>, string[]]>([
    ["no bodies", index, ["body.html: it is missing: write it, or body.mjml beside index.ts."]],
    [
      "an empty body",
      { ...index, "example-invoice/body.html": "{{number}}", "example-invoice/body.txt": " \n" },
      ["body.txt: it is empty."],
    ],
    [
      "no folder",
      {},
      ["example-invoice: there is no such folder: the id of a notification is the name of its folder."],
    ],
    [
      "a block that is not closed",
      { ...index, "example-invoice/body.html": "<p>\n{{#if number}}", "example-invoice/body.txt": "x" },
      ["body.html:2:1: {{#if number}} has no end: write {{/if}} where it ends"],
    ],
    [
      "a block that is closed by another",
      { ...index, "example-invoice/body.html": "{{#if number}}\n{{/each}}", "example-invoice/body.txt": "x" },
      ['body.html:1:4: the block "if" is closed by {{/each}}: blocks end in the reverse order'],
    ],
    [
      "a partial",
      {
        ...index,
        "example-invoice/body.html": "x\n{{> footer}}",
        "example-invoice/body.txt": "{{> footer}}",
      },
      [
        'body.html:2:1: there is no partial "footer" in handler/notifications/partials or layouts',
        'body.txt:1:1: there is no partial "footer" in handler/notifications/partials or layouts',
      ],
    ],
  ])("is refused with %s", (_, files, problems) => {
    const found = problemsOf([invoicePaid()], { templateOf: read(files) });
    expect(found).toHaveLength(problems.length);
    expect(found).toEqual(problems.map((problem): unknown => expect.stringContaining(`/${problem}`)));
  });
});

describe("two notifications", () => {
  const other = (changes: object) =>
    invoicePaid({
      id: "paid",
      ruleName: "paid-rule",
      trigger: { ...definition.trigger, detailType: "Paid" },
      ...changes,
    });

  it.each<[string, object, string]>([
    [
      "trigger",
      { trigger: definition.trigger },
      'handler/notifications/paid/index.ts: "example-invoice" has the source "com.example.billing" with the detail-type "Invoice Paid", too, and the function tells notifications apart by these two: give each its own.',
    ],
    [
      "rule's name",
      { ruleName: "example-invoice-rule" },
      'handler/notifications/paid/index.ts: "example-invoice" has the ruleName "example-invoice-rule", too: give each notification its own.',
    ],
    [
      "id",
      { id: "example-invoice" },
      `${file}: the id "example-invoice" is twice in the catalogue: give each notification its own.`,
    ],
  ])("don't have one %s", (_, changes, problem) => {
    expect(problemsOf([invoicePaid(), other({})])).toEqual([]);
    expect(problemsOf([invoicePaid(), other(changes)])).toEqual([problem]);
  });
});

describe("the folder of the notifications", () => {
  const folderWith = (...names: string[]) =>
    writeFiles(
      temporaryFolder(),
      Object.fromEntries(names.map((name) => [`${name}/index.ts`, `defineNotification({ id: "${name}" });`])),
    );

  it("has no notification that the catalogue leaves out", () => {
    expect(problemsOf([invoicePaid()], { folder: folderWith("example-invoice", "order-shipped", "layouts") })).toEqual([
      "handler/notifications/order-shipped/index.ts: it is not in the catalogue: import it in handler/notifications/index.ts, and add a line to `catalogue` there.",
    ]);
  });

  it("has no empty folder", () => {
    const folder = folderWith("example-invoice");
    mkdirSync(join(folder, "empty"));
    expect(problemsOf([invoicePaid()], { folder })).toEqual([
      "handler/notifications/empty: it has no index.ts: define the notification there, or remove the folder.",
    ]);
  });

  it("has no folder in the place of a notification's file", () => {
    const folder = folderWith("example-invoice");
    mkdirSync(join(folder, "odd", "index.ts"), { recursive: true });
    expect(problemsOf([invoicePaid()], { folder })).toEqual([
      "handler/notifications/odd: it has no index.ts: define the notification there, or remove the folder.",
    ]);
  });

  it("tells of a trigger that is shared, too, where a folder has another name", () => {
    const folder = writeFiles(folderWith("other"), {
      "paid/index.ts": 'defineNotification({ id: "example-invoice" });',
    });
    const other = invoicePaid({ id: "other", ruleName: "other-rule" });
    const problems = problemsOf([invoicePaid(), other], { folder });
    expect(problems).toHaveLength(2);
    expect(problems.join()).toMatch(
      /paid\/index\.ts: the id is .*other\/index\.ts: "example-invoice" has the source "/,
    );
  });

  it("gives a notification's folder and its id one name", () => {
    const folder = writeFiles(temporaryFolder(), { "paid/index.ts": 'defineNotification({ id: "example-invoice" });' });
    expect(problemsOf([invoicePaid()], { folder, templateOf: loadTemplate })).toEqual([
      'handler/notifications/paid/index.ts: the id is "example-invoice" and the folder\'s name is "paid": give both one name.',
    ]);
  });
});

it("has a folder that was copied, and is not in the catalogue", () => {
  const copied = 'defineNotification({ id: "example-invoice" });';
  const folder = writeFiles(temporaryFolder(), { "example-invoice/index.ts": copied, "copy/index.ts": copied });
  expect(problemsOf([invoicePaid()], { folder })).toEqual([
    expect.stringMatching(/^handler\/notifications\/copy\/index\.ts: it is not in the catalogue/),
  ]);
});

it.each<[string, unknown, string]>([
  ["null", null, "is no notification: make it with defineNotification."],
  ["its text", "example-invoice", "is no notification: make it with defineNotification."],
  ["its definition alone", definition, "is no notification: make it with defineNotification."],
  ["one without an id", invoicePaid({ id: undefined }), "has the id undefined: give it its folder's name."],
  ["one whose id is a number", invoicePaid({ id: 5 }), "has the id 5: give it its folder's name."],
])("says which entry of the catalogue is none: %s", (_, entry, problem) => {
  expect(problemsOf([entry as Notification], { folder: temporaryFolder() })).toEqual([
    `handler/notifications/index.ts: entry 1 of the catalogue ${problem}`,
  ]);
});

it.each([undefined, null])("two notifications of the trigger %s have one problem each", (trigger) => {
  const problems = problemsOf([invoicePaid({ trigger }), invoicePaid({ trigger, id: "other", ruleName: "other" })]);
  expect([...new Set(problems.map((problem) => problem.split(":")[0]))]).toEqual([
    file,
    "handler/notifications/other/index.ts",
  ]);
});

it.each([
  ["is a number", 7n],
  ["contains itself", [] as unknown[]],
])("two notifications whose source %s have the problems of one", (_, source) => {
  if (Array.isArray(source)) source.push(source);
  const one = problemsOf([invoicePaid({ trigger: { ...definition.trigger, source } })]);
  const two = ["other", "another"].map((id) =>
    invoicePaid({ trigger: { ...definition.trigger, source }, id, ruleName: id }),
  );
  expect(one).not.toEqual([]);
  expect(problemsOf(two)).toHaveLength(2 * one.length);
});

it("tells all problems of all notifications at once, an entry that is not there among them", () => {
  const broken = [invoicePaid({ lane: "bulk", sample: undefined }), undefined as unknown as Notification];
  expect(problemsOf([...broken, invoicePaid({ id: "Paid" })])).toEqual([
    "handler/notifications/index.ts: entry 2 of the catalogue is undefined: the folder exports it by another name.",
    expect.stringContaining("there is no lane"),
    expect.stringContaining("it has no sample"),
    expect.stringContaining('the id "Paid"'),
    expect.stringContaining("the ruleName"),
    expect.stringContaining("the source"),
  ]);
});
