import * as fc from "fast-check";
import { type EventEnvelope } from "../../handler/contract/envelope";
import { permanentFailureTypes, transientFailureTypes } from "../../handler/contract/failures";
import { hashRecipient } from "../../handler/contract/recipient-hash";
import { allowsRecipient } from "../../handler/contract/recipient-policy";
import { type Reads, toTemplateData } from "../../handler/contract/template-data";
import { catalogue, findNotification } from "../../handler/notifications";
import { type Accepted, mailOf, type Settlement, randomOf, World, worldPolicy } from "../support/delivery-world";
import { businessEvent } from "../support/send-notification";
import { propertyRuns } from "../support/property-runs";
import { loadTemplate } from "../../stacks/templates/load";
import { renderPart } from "../../stacks/templates/render";

/** The seed of the generated events. fast-check prints it with a failure. Another seed tries other events. */
const seed = 20261124;

const markup = fc.constantFrom(
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "</p></div><h1>",
  "<!--",
  "]]>",
  "<",
  ">",
  "&lt;b&gt;",
  "&amp;",
  "&#x3c;i>",
  `" onload="`,
  "' style='",
  "`",
  "{{title}}",
  "{{{messageHtml}}}",
  "{{#each x}}",
  "$&$1",
  "\r\nBcc: victim@example.net\r\n",
  "\u0000\u0007\u001b[31m",
  "\u2028\u2029\u0085\u007f",
  "\ud800",
  "日本語 🎉",
);
const text = (maxLength: number) =>
  fc
    .array(fc.oneof({ weight: 2, arbitrary: markup }, fc.string({ unit: "binary", maxLength: 20 })), { maxLength: 6 })
    .map((parts) => parts.join("").slice(0, maxLength));

/** A local part that occurs nowhere else, so that any trace of it can be found. */
const localPart = fc.integer({ min: 0, max: 2 ** 31 }).map((number) => `zq${number.toString(36).padStart(6, "0")}`);
const address = fc.record({
  local: localPart,
  shape: fc.constantFrom(
    (local: string) => `${local}@example.com`,
    (local: string) => `${local}+tag@Example.COM`,
    (local: string) => `o'${local}@example.com`,
    (local: string) => `${local}@bücher.example`,
    (local: string) => `"${local}"@example.com`,
  ),
});
const badAddress = fc.record({
  local: localPart,
  shape: fc.constantFrom(
    (local: string) => local,
    (local: string) => `${local}@`,
    (local: string) => `Name <${local}@example.com>`,
    (local: string) => `${local}@example.com, other@example.com`,
    (local: string) => `${local}@example.com\r\nBcc: ${local}@example.net`,
    (local: string) => `ü${local}@example.com`,
  ),
});
/** An address that is valid but not on the allow-list. */
const forbiddenAddress = fc.record({
  local: localPart,
  shape: fc.constant((local: string) => `${local}@elsewhere.example.net`),
});
type Address = { local: string; shape: (local: string) => string };
const spell = ({ local, shape }: Address) => shape(local);

interface Generated {
  readonly event: unknown;
  readonly locals: readonly string[];
}

const detailTypes = ["Email Notification Request", "Priority Alert", "Daily Report"];
const eventOf = (addresses: fc.Arbitrary<Address>): fc.Arbitrary<Generated> =>
  fc
    .record({
      recipients: fc.array(addresses, { minLength: 1, maxLength: 5 }),
      bare: fc.boolean(),
      detailType: fc.constantFrom(...detailTypes),
      priority: fc.constantFrom("high", "critical"),
      subject: fc.option(text(900), { nil: undefined }),
      title: fc.option(text(500), { nil: undefined }),
      message: fc.option(text(2000), { nil: undefined }),
      idempotencyKey: fc.option(fc.constantFrom("order-1", "order <2>", "mail a@example.com"), { nil: undefined }),
      id: fc.uuid(),
    })
    .map(({ recipients, bare, detailType, id, subject, priority, ...detail }) => {
      const spelled = recipients.map(spell);
      const emailConfig = { recipient: bare ? spelled[0] : spelled, subject };
      const own = detailType === "Priority Alert" ? { priority } : {};
      return {
        event: businessEvent({ ...detail, ...own, emailConfig }, { id, "detail-type": detailType }),
        locals: recipients.map(({ local }) => local),
      };
    });

/** Events in which important fields are missing or have a wrong value. */
const brokenEvent: fc.Arbitrary<Generated> = fc
  .tuple(eventOf(fc.oneof(address, badAddress, forbiddenAddress)), localPart, fc.nat(11), fc.anything())
  .map(([{ event, locals }, local, which, anything]) => {
    const good = event as Record<string, unknown> & { detail: Record<string, unknown> };
    const mail = `${local}@example.com`;
    const broken: unknown[] = [
      anything,
      { ...good, detail: anything },
      { ...good, detail: { ...good.detail, emailConfig: anything } },
      { ...good, detail: { ...good.detail, emailConfig: { recipient: anything } } },
      { ...good, detail: { ...good.detail, emailConfig: { recipient: [mail, anything] } } },
      { ...good, detail: { ...good.detail, [mail]: mail, priority: mail } },
      { ...good, detail: { ...good.detail, idempotencyKey: anything } },
      { ...good, time: mail },
      { ...good, id: "" },
      { ...good, source: `crm of ${mail}` },
      { ...good, "detail-type": `Mail for <${mail}>` },
      { ...good, detail: { ...good.detail, title: { [mail]: mail } } },
    ];
    return { event: broken[which], locals: [...locals, local] };
  });

const types: readonly string[] = [...permanentFailureTypes, ...transientFailureTypes];

function expectClassified(settlement: Settlement): void {
  if (settlement.kind === "mailed" || settlement.kind === "died") return;
  const list: readonly string[] = settlement.kind === "permanent" ? permanentFailureTypes : transientFailureTypes;
  expect(list).toContain(settlement.type);
}

const templates = new Map(catalogue.map((notification) => [`shop-dev-${notification.id}`, loadTemplate(notification)]));
/** The HTML that SES makes of the data. */
function htmlOf(name: string, data: object): string {
  const template = templates.get(name);
  return template === undefined ? "no template" : renderPart(template.html, { ...data });
}
/** Blank values for what a part reads. The templates of this project read no rows. */
const blankOf = ({ fields = {} }: Reads): object =>
  toTemplateData({}, { subject: {}, text: {}, html: { fields }, hasWords: true }).html as object;
/** Everything in the text that an HTML parser could read as the beginning of a tag, a comment or a declaration. */
const tagsOf = (html: string) =>
  // The title stands in a quoted attribute, too: a value that could leave it would change the tag behind it.
  (html.match(/<[^<>]*>?/g) ?? []).map((tag) => tag.replace(/aria-label="[^"]*"/, ""));
/** The tags that the template has without the values. */
const ownTags = new Map(
  [...templates].map(([name, template]) => [name, tagsOf(htmlOf(name, { html: blankOf(template.reads.html) }))]),
);
const decode = (html: string) =>
  html
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&#96;/g, "`")
    .replace(/&amp;/g, "&");

function expectSafe({ data: { Template = "", TemplateData = "" } }: Accepted): void {
  const data = JSON.parse(TemplateData) as Record<"subject" | "text" | "html", Record<string, string>>;
  const html = htmlOf(Template, data);
  // A text's line breaks are the only tags that come from its values.
  const withoutBreaks = (tags: readonly string[] = []) => tags.filter((tag) => tag !== "<br>");
  expect(withoutBreaks(tagsOf(html))).toEqual(withoutBreaks(ownTags.get(Template)));
  // The reader sees exactly what the producer wrote, entities included.
  expect(decode(data.html.title ?? "")).toBe(data.text.title);
  const subject = data.subject.subject ?? "";
  const codes = Array.from(subject, (_, index) => subject.charCodeAt(index));
  const control = codes.filter(
    (code) => code < 0x20 || (code >= 0x7f && code <= 0x9f) || code === 0x2028 || code === 0x2029,
  );
  expect(control).toEqual([]);
}

function expectNoAddress(world: World, settlements: readonly Settlement[], locals: readonly string[]): void {
  const told = JSON.stringify([world.records.lines, world.records.counted, settlements]).toLowerCase();
  for (const local of locals) {
    if (told.includes(local)) throw new Error(`"${local}" is in ${told}`);
  }
  expect(told).not.toMatch(/@(?!smithy)[\w-]+\.[a-z]/);
}

/** Adds a second event, as of a producer that sends again: it has the same key, and in some cases another content. */
function withTwin([events, id, title]: [Generated[], string | null, string | null]): Generated[] {
  const [first, ...others] = events;
  if (first === undefined || id === null) return events;
  const event = first.event as EventEnvelope;
  const keyed = { ...event, detail: { ...event.detail, idempotencyKey: "order-1" } };
  const twin = { ...keyed, id, detail: { ...keyed.detail, ...(title === null ? {} : { title }) } };
  return [{ ...first, event: keyed }, ...others, { ...first, event: twin }];
}

/** Names a mail by the notification and the key of its event. */
const groupOf = (events: readonly Generated[]) => {
  const keys = new Map(
    events.map(({ event }) => {
      const { id, detail } = (event ?? {}) as { id?: unknown; detail?: { idempotencyKey?: unknown } };
      return [id, detail?.idempotencyKey];
    }),
  );
  return (notification: string, eventId: string) => JSON.stringify([notification, keys.get(eventId) ?? eventId]);
};

interface Asked {
  readonly notification: string;
  readonly eventId: string;
  readonly recipients: readonly string[];
  /** Those of the recipients whom the stage may mail. */
  readonly allowed: readonly string[];
  readonly refusedEntries: number;
}

/** The mails that an event asks for; `undefined` where its subject is blank, because such an event is refused. */
function askedBy({ event }: Generated): Asked | undefined {
  const asked = event as EventEnvelope;
  const notification = findNotification(asked);
  if (notification === undefined) throw new Error("The generator made an event that nobody takes");
  try {
    const { recipients, refusedRecipients } = notification.prepare(asked);
    const allowed = recipients.filter((recipient) => allowsRecipient(worldPolicy, recipient));
    const refusedEntries = refusedRecipients.length;
    return { notification: notification.id, eventId: asked.id, recipients, allowed, refusedEntries };
  } catch {
    return undefined;
  }
}

function expectNoneTwice(world: World): void {
  const mails = world.accepted.map(({ mail }) => mail);
  expect(new Set(mails).size).toBe(mails.length);
}

it("classifies every settlement, escapes all markup, keeps the subject on one line, and names no address", async () => {
  const generator = fc.tuple(
    fc.oneof(
      { weight: 2, arbitrary: eventOf(address) },
      eventOf(fc.oneof(address, badAddress, forbiddenAddress)),
      brokenEvent,
    ),
    fc.boolean(),
    fc.integer(),
    fc.constantFrom(0, 0, 0.2),
  );
  const numRuns = propertyRuns(5_600);
  let mailed = 0;
  await fc.assert(
    fc.asyncProperty(generator, async ([one, viaQueue, chance, faultiness]) => {
      const world = new World(randomOf(chance), groupOf([one]));
      world.faultiness = faultiness;
      const settlements = await world.deliver([{ event: one.event, viaQueue }]);
      settlements.forEach(expectClassified);
      world.accepted.forEach(expectSafe);
      for (const { attributes } of world.records.lines) {
        if (attributes.failure !== undefined) expect(types).toContain(attributes.failure);
      }
      expectNoAddress(world, settlements, one.locals);
      mailed += world.accepted.length;
    }),
    { seed, numRuns },
  );
  // Most of the generated events have to become mail, so that the test does not only see refusals.
  expect(mailed).toBeGreaterThan(numRuns * 0.4);
});

it("never mails twice and loses nothing, mail by mail, whatever the order of deliveries, retries, failures and deaths", async () => {
  const numRuns = propertyRuns(1_900);
  let generated = 0;
  const tally = new Map<string, number>();
  const count = (what: string) => tally.set(what, (tally.get(what) ?? 0) + 1);
  const generator = fc.record({
    events: fc
      .tuple(
        fc.array(eventOf(fc.oneof({ weight: 6, arbitrary: address }, forbiddenAddress)), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.option(fc.uuid()),
        fc.option(fc.constant("another title")),
      )
      .map(withTwin),
    /** How often each event is delivered in each round. All deliveries of a round run at once. */
    rounds: fc.array(fc.array(fc.nat(2), { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 4 }),
    pausesMs: fc.array(fc.constantFrom(0, 1_000, 31_001, 60_000, 900_000), { minLength: 4, maxLength: 4 }),
    faultiness: fc.constantFrom(0, 0.05, 0.1, 0.25, 0.5),
    chance: fc.integer(),
  });
  await fc.assert(
    fc.asyncProperty(generator, async ({ events, rounds, pausesMs, faultiness, chance }) => {
      generated += events.length;
      const random = randomOf(chance);
      const world = new World(random, groupOf(events));
      const ends = events.map(() => [] as Settlement[]);
      const all: Settlement[] = [];
      const deliver = async (deliveries: readonly number[]) => {
        const inputs = deliveries.map((index) => ({ event: events[index]?.event, viaQueue: random() < 0.5 }));
        const settlements = await world.deliver(inputs);
        settlements.forEach((settlement, position) => {
          all.push(settlement);
          expectClassified(settlement);
          if (settlement.kind === "mailed" || settlement.kind === "permanent")
            ends[deliveries[position] ?? 0]?.push(settlement);
        });
        expectNoneTwice(world);
      };

      world.faultiness = faultiness;
      for (const [round, counts] of rounds.entries()) {
        await deliver(events.flatMap((_, index) => Array.from({ length: counts[index] ?? 0 }, () => index)));
        world.now += pausesMs[round] ?? 0;
      }
      // The outage is over. Events that have not ended come again from the retry queue.
      world.faultiness = 0;
      for (let retries = 0; retries < 4; retries += 1) {
        world.now += 900_000;
        await deliver(events.flatMap((_, index) => (ends[index]?.length === 0 ? [index] : [])));
      }

      world.accepted.forEach(expectSafe);
      const sent = () => new Set(world.accepted.map(({ mail }) => mail));
      const sentBefore = sent();
      for (const [index, event] of events.entries()) {
        const asked = askedBy(event);
        expect(ends[index]).not.toEqual([]);
        for (const settlement of ends[index] ?? []) {
          const end = settlement.kind === "permanent" ? settlement.type : settlement.kind;
          count(end);
          if (asked === undefined) {
            expect(end).toBe("InvalidEvent");
            continue;
          }
          const group = groupOf(events)(asked.notification, asked.eventId);
          const failures = settlement.kind === "permanent" ? settlement.failures : [];
          // Each mail was sent, or is listed with the reason why not.
          const listed = new Map(failures.map(({ recipient, type }) => [recipient, type]));
          for (const recipient of asked.recipients) {
            const type = listed.get(hashRecipient(recipient));
            if (type === undefined) expect(sentBefore).toContain(mailOf(group, recipient));
            else if (type === "RecipientRefused") expect(asked.allowed).not.toContain(recipient);
            // Where a person has to decide, a fault has given a reason for it.
            else expect(world.reasons.get(type)).toContain(group);
          }
          const entries = failures.filter(({ position }) => position !== undefined);
          expect(entries).toHaveLength(settlement.kind === "permanent" ? asked.refusedEntries : 0);
          if (settlement.kind === "permanent") expect(failures.map(({ type }) => type)).toContain(settlement.type);
          if (failures.length > 1) count("several mails failed");
          if (failures.length > 0 && failures.length < asked.recipients.length) count("some mails failed");
        }
      }

      // A person redrives everything that is parked. Only recipients who have not got the mail get it now.
      const released = new Map<string, string>();
      const mayStayAway = new Set<string>();
      for (const event of events) {
        const asked = askedBy(event);
        if (asked === undefined) continue;
        const group = groupOf(events)(asked.notification, asked.eventId);
        const records = world.parked.filter(({ requestPayload }) => isEqual(requestPayload, event.event));
        const types = new Map(
          records.flatMap(({ failures = [] }) => failures.map(({ recipient, type }) => [recipient, type])),
        );
        for (const recipient of asked.recipients) {
          const type = types.get(hashRecipient(recipient));
          if (type === "MessageRejected") released.set(mailOf(group, recipient), group);
          if (!asked.allowed.includes(recipient)) mayStayAway.add(mailOf(group, recipient));
        }
      }
      world.now += 900_000;
      all.push(
        ...(await world.deliver(
          world.parked.map((record) => ({
            event: record.requestPayload,
            viaQueue: true,
            redriven: { ...record, redrives: 1 },
          })),
        )),
      );
      expectNoneTwice(world);
      for (const mail of sent()) {
        if (sentBefore.has(mail)) continue;
        expect([...released.keys()]).toContain(mail);
        count("mailed by a redrive");
      }
      for (const [mail, group] of released) {
        if (!sent().has(mail)) expect(world.reasons.get("OutcomeUnknown")).toContain(group);
      }
      for (const mail of mayStayAway) expect([...sent()]).not.toContain(mail);

      for (const line of world.records.counted) if (line.startsWith("key reused")) count("key reused");
      expectNoAddress(
        world,
        all,
        events.flatMap(({ locals }) => locals),
      );
    }),
    { seed, numRuns },
  );
  // Every kind of end was reached, so each of the checks above was used.
  expect([...tally.keys()]).toEqual(
    expect.arrayContaining([
      "mailed",
      "OutcomeUnknown",
      "MessageRejected",
      "RecipientRefused",
      "several mails failed",
      "some mails failed",
      "mailed by a redrive",
      "key reused",
    ]),
  );
  // Most runs have several events, so that events can affect each other.
  expect(generated).toBeGreaterThan(numRuns * 2);
});

const isEqual = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
