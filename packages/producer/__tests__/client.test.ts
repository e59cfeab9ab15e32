import { type EventBridgeClient, type PutEventsCommand, type PutEventsRequestEntry } from "@aws-sdk/client-eventbridge";
import * as fc from "fast-check";
import {
  emailRequestEvent,
  emailRequestNotification,
  mostEntries,
  mostEntryBytes,
  mostRequestBytes,
  priorityAlertEvent,
  Producer,
  PutError,
  type ProducerEvent,
  type PutEvent,
  putEmailRequest,
  putPriorityAlert,
  sizeOf,
} from "../src";

const emailConfig = { recipient: "a@example.com" };
const eventNamed = (title: string) => emailRequestEvent({ emailConfig, title });

/** What EventBridge does with an entry: an id, an error code, or an error that is thrown for the whole request. */
type Answer = "id" | { readonly code: string } | { readonly thrown: Error } | "nothing";

/** A bus that answers as it is told. It counts as put what it gave an id for, and what it threw a lost answer for. */
class FakeBus {
  readonly requests: PutEventsRequestEntry[][] = [];
  readonly waits: number[] = [];
  readonly producer: Producer;

  constructor(
    answerOf: (entry: PutEventsRequestEntry, request: readonly PutEventsRequestEntry[]) => Answer = () => "id",
    maxAttempts = 5,
  ) {
    let ids = 0;
    const send = ({ input: { Entries: entries = [] } }: PutEventsCommand) => {
      this.requests.push(entries);
      const answers = entries.map((entry) => answerOf(entry, entries));
      const thrown = answers.find((answer) => typeof answer === "object" && "thrown" in answer);
      if (typeof thrown === "object" && "thrown" in thrown) return Promise.reject(thrown.thrown);
      const Entries = answers.map((answer) =>
        answer === "id"
          ? { EventId: `id-${(ids += 1)}` }
          : typeof answer === "object" && "code" in answer
            ? { ErrorCode: answer.code, ErrorMessage: "because" }
            : {},
      );
      return Promise.resolve({ FailedEntryCount: Entries.filter((each) => !("EventId" in each)).length, Entries });
    };
    const wait = (milliseconds: number) => Promise.resolve(this.waits.push(milliseconds));
    const client = { send } as unknown as Pick<EventBridgeClient, "send">;
    this.producer = new Producer({ eventBusName: "shop-prod-event-bus", client, maxAttempts, wait });
  }

  /** The titles of each request's events. */
  get titles(): string[][] {
    return this.requests.map((entries) => entries.map((entry) => String(detailOf(entry).title)));
  }

  get keys(): unknown[] {
    return this.requests.flat().map((entry) => detailOf(entry).idempotencyKey);
  }
}

const detailOf = ({ Detail = "" }: PutEventsRequestEntry) => JSON.parse(Detail) as Record<string, unknown>;
const thrown = (name: string, properties: object) => ({
  thrown: Object.assign(new Error(`it is ${name}`), { name }, properties),
});
const networkFailure = thrown("Error", { code: "ECONNRESET" });

async function failureOf(put: Promise<unknown>): Promise<PutError> {
  const error = await put.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof PutError) return error;
  throw new Error("It did not fail with a PutError", { cause: error });
}

describe("an event", () => {
  it("goes to the bus with source, detail-type and detail, and with the caller's time", async () => {
    const bus = new FakeBus();
    const Time = new Date("2026-11-27T09:00:00Z");
    const detail = { emailConfig, title: "Hello", idempotencyKey: "order-1" };
    expect(await putEmailRequest(bus.producer, detail, { Time })).toEqual({
      eventId: "id-1",
      idempotencyKey: "order-1",
    });
    const [[entry] = []] = bus.requests;
    expect(entry).toEqual({
      EventBusName: "shop-prod-event-bus",
      Source: "custom.application",
      DetailType: "Email Notification Request",
      Detail: expect.any(String) as string,
      Time,
    });
    expect(detailOf(entry ?? {})).toEqual(detail);
  });

  it("gets a key where it has none, and its detail stays as it was", async () => {
    const bus = new FakeBus();
    const detail = { emailConfig };
    const { idempotencyKey } = await putEmailRequest(bus.producer, detail);
    expect(bus.keys).toEqual([idempotencyKey]);
    expect(idempotencyKey).toMatch(/^[0-9a-f-]{36}$/);
    expect(detail).toEqual({ emailConfig });
  });

  it("of another shape is no detail for the compiler", () => {
    const { producer } = new FakeBus();
    const calls = [
      // @ts-expect-error -- nobody would be mailed
      () => putEmailRequest(producer, { title: "Hello" }),
      // @ts-expect-error -- a field that the schema does not know
      () => putEmailRequest(producer, { emailConfig, body: "Hello" }),
      // @ts-expect-error -- a value of another type
      () => putEmailRequest(producer, { emailConfig, title: 1 }),
      // @ts-expect-error -- the rule takes no alert without a priority
      () => putPriorityAlert(producer, { emailConfig }),
    ];
    expect(calls).toHaveLength(4);
  });

  it("that no rule takes is refused by the compiler, and before it is put", async () => {
    const bus = new FakeBus();
    // @ts-expect-error -- "low" is left out on purpose
    const error = await failureOf(putPriorityAlert(bus.producer, { emailConfig, priority: "low" }));
    expect(error.message).toBe(
      `1 of 1 events were not put on shop-prod-event-bus.
  - number 1, priority-alert (source "custom.application", detail-type "Priority Alert", rule priority-rule): NoRuleMatches: detail.priority is "low", and the rule priority-rule takes "high" or "critical" ("low" is left out on purpose)`,
    );
    // @ts-expect-error -- no priority
    expect((await failureOf(putPriorityAlert(bus.producer, { emailConfig }))).message).toContain(
      'detail.priority is missing, and the rule priority-rule takes "high" or "critical"',
    );
    expect(bus.requests).toEqual([]);
  });

  it("is refused with the others of its call, none of which is put", async () => {
    const bus = new FakeBus();
    const cyclic: Record<string, unknown> = { emailConfig };
    cyclic.self = cyclic;
    const notification = emailRequestNotification;
    const events: ProducerEvent[] = [
      eventNamed("fine"),
      { notification, detail: cyclic },
      { notification, detail: ["a"] },
      eventNamed("x".repeat(mostEntryBytes)),
    ];
    const { failed, put } = await failureOf(bus.producer.put(events));
    expect(failed.map(({ index, code }) => [index, code])).toEqual([
      [1, "NotJson"],
      [2, "NotJson"],
      [3, "TooLarge"],
    ]);
    expect({ put, requests: bus.requests }).toEqual({ put: [], requests: [] });
  });

  it("is measured with everything that EventBridge counts", async () => {
    expect(sizeOf({ Source: "ä", DetailType: "€", Detail: "{}", Resources: ["🎉", "b"], Time: new Date(0) })).toBe(
      2 + 3 + 2 + 4 + 1 + 14,
    );
    const bus = new FakeBus();
    const sized = (length: number) => putEmailRequest(bus.producer, { emailConfig, title: "x".repeat(length) });
    await sized(0);
    const room = mostEntryBytes - sizeOf(bus.requests[0]?.[0] ?? {});
    await sized(room);
    const { message } = await failureOf(sized(room + 1));
    expect(message).toMatch(new RegExp(`TooLarge: it has ${mostEntryBytes + 1} bytes, and at most ${mostEntryBytes} `));
    expect(bus.requests.map(([entry]) => sizeOf(entry ?? {}))).toEqual([mostEntryBytes - room, mostEntryBytes]);
  });
});

describe("many events", () => {
  it("go in as few requests as their count and their bytes allow, in order", async () => {
    const sizes = fc.array(fc.constantFrom(1, 1_000, 90_000, 199_000, 244_000), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(sizes, async (all) => {
        const bus = new FakeBus();
        const titles = all.map((length, index) => `${index} `.padEnd(length, "x"));
        const put = await bus.producer.put(titles.map(eventNamed));
        expect(bus.titles.flat()).toEqual(titles);
        expect(put.map(({ eventId }) => eventId)).toEqual(titles.map((_, index) => `id-${index + 1}`));
        const bytes = bus.requests.map((entries) => entries.reduce((sum, entry) => sum + sizeOf(entry), 0));
        for (const [index, entries] of bus.requests.entries()) {
          expect(entries.length).toBeLessThanOrEqual(mostEntries);
          expect(bytes[index]).toBeLessThanOrEqual(mostRequestBytes);
          const [next] = bus.requests[index + 1] ?? [];
          if (next !== undefined && entries.length < mostEntries) {
            expect((bytes[index] ?? 0) + sizeOf(next)).toBeGreaterThan(mostRequestBytes);
          }
        }
      }),
      { seed: 20261127, numRuns: 50 },
    );
  });

  it("that AWS refuses as a whole go in halves, so that one does not keep back the others", async () => {
    const refusal = thrown("ValidationException", { $fault: "client", $metadata: { httpStatusCode: 400 } });
    const bus = new FakeBus((_, request) => (request.some((each) => detailOf(each).title === "bad") ? refusal : "id"));
    const { failed, put } = await failureOf(bus.producer.put(["a", "b", "bad", "c", "d"].map(eventNamed)));
    expect(failed).toEqual([
      expect.objectContaining({ index: 2, code: "ValidationException", mayHaveGone: false }) as unknown,
    ]);
    expect(put).toHaveLength(4);
    expect(bus.waits).toEqual([]);
  });
});

describe("what failed", () => {
  it.each(["InternalFailure", "ThrottlingException", "ServiceUnavailable"])(
    "with %s is repeated alone, with the key that it had",
    async (code) => {
      let left = 2;
      const bus = new FakeBus((entry) => (detailOf(entry).title === "b" && (left -= 1) >= 0 ? { code } : "id"));
      const put = await bus.producer.put(["a", "b", "c"].map(eventNamed));
      expect(bus.titles).toEqual([["a", "b", "c"], ["b"], ["b"]]);
      const [a, b, c, ...repeated] = bus.keys;
      expect(repeated).toEqual([b, b]);
      expect(put.map(({ idempotencyKey }) => idempotencyKey)).toEqual([a, b, c]);
      expect(put.map(({ eventId }) => eventId)).toEqual(["id-1", "id-3", "id-2"]);
    },
  );

  it.each([
    "AccessDeniedException",
    "InvalidAccountIdException",
    "InvalidArgument",
    "MalformedDetail",
    "RedactionFailure",
    "NotAuthorizedForSourceException",
    "NotAuthorizedForDetailTypeException",
  ])("with %s is not repeated, and is told with the rule that would take it", async (code) => {
    const bus = new FakeBus((entry) => (entry.DetailType === "Priority Alert" ? { code } : "id"));
    const alert = priorityAlertEvent({ emailConfig, priority: "high" });
    const error = await failureOf(bus.producer.put([eventNamed("a"), alert, eventNamed("b")]));
    expect(bus.requests).toHaveLength(1);
    expect(error.message).toBe(
      `1 of 3 events were not put on shop-prod-event-bus.
  - number 2, priority-alert (source "custom.application", detail-type "Priority Alert", rule priority-rule): ${code}: because`,
    );
    expect(error.failed[0]?.event.notification.pattern.detail).toEqual({ priority: ["high", "critical"] });
    expect(error.put.map(({ eventId }) => eventId)).toEqual(["id-1", "id-2"]);
  });

  it("because an answer was lost is put again with the same key", async () => {
    const lost = [networkFailure, thrown("TimeoutError", {}), thrown("X", { $metadata: { httpStatusCode: 503 } })];
    const bus = new FakeBus(() => lost.shift() ?? "id");
    await bus.producer.put([eventNamed("a")]);
    expect(bus.titles).toEqual([["a"], ["a"], ["a"], ["a"]]);
    expect(new Set(bus.keys).size).toBe(1);
  });

  it("for good after a lost answer can be put later, with the key that it had", async () => {
    const bus = new FakeBus(() => networkFailure, 2);
    const error = await failureOf(bus.producer.put([eventNamed("a")]));
    expect(error.cause).toBe(networkFailure.thrown);
    expect(error.message).toContain("ECONNRESET: it is Error (an answer was lost: it may be there; ");
    const later = new FakeBus();
    await later.producer.put(error.failed.map(({ event }) => event));
    expect(new Set([...bus.keys, ...later.keys]).size).toBe(1);
    expect(bus.keys).toHaveLength(2);
  });

  it("because nothing answers is repeated, and is surely not on the bus", async () => {
    const bus = new FakeBus(() => thrown("Error", { code: "ECONNREFUSED" }), 2);
    expect((await failureOf(bus.producer.put([eventNamed("a")]))).failed).toMatchObject([{ mayHaveGone: false }]);
    expect(bus.requests).toHaveLength(2);
  });

  it("for want of credentials is not repeated, and is surely not on the bus", async () => {
    const bus = new FakeBus(() => thrown("CredentialsProviderError", {}));
    expect((await failureOf(bus.producer.put([eventNamed("a")]))).failed).toMatchObject([{ mayHaveGone: false }]);
    expect(bus.requests).toHaveLength(1);
  });

  it("because AWS answered that the request is wrong is not repeated", async () => {
    const refused = thrown("AccessDeniedException", { $fault: "client", $metadata: { httpStatusCode: 400 } });
    const bus = new FakeBus(() => refused);
    const { failed } = await failureOf(bus.producer.put([eventNamed("a"), eventNamed("b")]));
    expect(bus.requests).toHaveLength(1);
    expect(failed.map(({ code, mayHaveGone }) => [code, mayHaveGone])).toEqual([
      ["AccessDeniedException", false],
      ["AccessDeniedException", false],
    ]);
  });

  it("because there were too many requests is repeated, and is surely not on the bus", async () => {
    const throttled = thrown("ThrottlingException", { $fault: "client", $metadata: { httpStatusCode: 400 } });
    const bus = new FakeBus(() => throttled, 3);
    const { failed } = await failureOf(bus.producer.put([eventNamed("a")]));
    expect(bus.requests).toHaveLength(3);
    expect(failed).toMatchObject([{ code: "ThrottlingException", mayHaveGone: false }]);
  });

  it("is repeated after a random time that grows, to a limit", async () => {
    const bus = new FakeBus(() => ({ code: "InternalFailure" }), 40);
    await failureOf(bus.producer.put([eventNamed("a")]));
    expect(bus.waits).toHaveLength(39);
    expect(bus.waits[0]).toBeLessThan(200);
    expect(Math.max(...bus.waits)).toBeLessThan(10_000);
    expect(Math.max(...bus.waits)).toBeGreaterThan(1_000);
    expect(new Set(bus.waits).size).toBe(39);
  });

  it("ends in exactly one place, whatever the bus answers", async () => {
    const answer = fc.oneof(
      { weight: 4, arbitrary: fc.constant<Answer>("id") },
      fc.constantFrom<Answer>(
        { code: "InternalFailure" },
        { code: "AccessDeniedException" },
        "nothing",
        networkFailure,
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 30 }), fc.infiniteStream(answer), async (count, answers) => {
        const bus = new FakeBus(() => {
          const { value } = answers.next() as IteratorResult<Answer, Answer>;
          return value;
        }, 4);
        const titles = Array.from({ length: count }, (_, index) => String(index));
        const outcome = await bus.producer.put(titles.map(eventNamed)).then(
          (done) => ({ done, failed: [] }),
          (error: unknown) => {
            if (!(error instanceof PutError)) throw error;
            return { done: error.put, failed: error.failed };
          },
        );
        const failed = outcome.failed.map(({ index }) => index);
        expect(outcome.done.length + failed.length).toBe(count);
        expect(new Set(failed).size).toBe(failed.length);
        const keyOf = new Map(
          bus.requests.flat().map((entry) => [detailOf(entry).title, detailOf(entry).idempotencyKey]),
        );
        const expected = titles.filter((title) => !failed.includes(Number(title))).map((title) => keyOf.get(title));
        expect(outcome.done.map(({ idempotencyKey }: PutEvent) => idempotencyKey)).toEqual(expected);
        for (const title of titles) {
          const tries = bus.requests.flat().filter((entry) => detailOf(entry).title === title);
          expect(tries.length).toBeLessThanOrEqual(4);
          expect(new Set(tries.map((entry) => detailOf(entry).idempotencyKey)).size).toBe(1);
        }
      }),
      { seed: 20261127, numRuns: 100 },
    );
  });
});
