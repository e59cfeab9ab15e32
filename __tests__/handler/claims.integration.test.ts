import {
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import * as fc from "fast-check";
import { createDynamoDbClaims } from "../../handler/adapters/dynamodb-claims";
import { type Claim, type ClaimAnswer, claimId, type ClaimStore } from "../../handler/claims";
import { emailRequest } from "../../handler/notifications/email-request";
import { clientSettings } from "aws-emulator/testing/gateway";
import { startMoto, type TestMoto } from "aws-emulator/testing/moto";
import { FakeClock, MemoryClaims } from "../support/send-notification";

const table = "claims";
const retentionSeconds = 3600;
const runMs = 31_000;
/** The mail that the claims are for. */
const claimedFor = { eventId: "e-1", contentHash: "hash-1" };
const edition = { locale: "en" };

let moto: TestMoto;
let client: DynamoDBClient;
beforeAll(async () => {
  moto = await startMoto();
  client = new DynamoDBClient(clientSettings(moto.url));
  oneAtATime(client);
  // The table is like that of stacks/constructs/claim-table.ts.
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    }),
  );
  await client.send(
    new UpdateTimeToLiveCommand({
      TableName: table,
      TimeToLiveSpecification: { AttributeName: "expiresAt", Enabled: true },
    }),
  );
});
afterAll(async () => {
  client.destroy();
  await moto.stop();
});

/**
 * Makes the writes of a client one after the other, as DynamoDB does for one item. moto checks a condition and writes
 * only afterwards, so that other writes come in between: of twenty simultaneous ones, up to four claimed the same item.
 */
function oneAtATime({ middlewareStack }: DynamoDBClient): void {
  let last: Promise<unknown> = Promise.resolve();
  middlewareStack.add(
    (next) => (call) => {
      const answer = last.then(() => next(call));
      last = answer.catch(() => undefined);
      return answer;
    },
    { step: "finalizeRequest", priority: "low" },
  );
}

let names = 0;
const freshId = () => {
  names += 1;
  return claimId(emailRequest.trigger, `event-${names}`, "a@example.com");
};

const inDynamoDb = (clock: FakeClock, over = client): ClaimStore =>
  createDynamoDbClaims({ client: over, table, retentionSeconds, clock });
const inMemory = (clock: FakeClock): ClaimStore => new MemoryClaims(clock, retentionSeconds);

function claimOf(answer: ClaimAnswer): Claim {
  if (answer.state !== "claimed") throw new Error(`The claim is ${answer.state}`);
  return answer.claim;
}

describe.each([
  ["DynamoDB", inDynamoDb],
  ["memory", inMemory],
])("claims in %s", (_, open) => {
  let clock: FakeClock;
  let store: ClaimStore;
  let id: string;
  beforeEach(() => {
    clock = new FakeClock();
    store = open(clock);
    id = freshId();
  });
  const claim = (takeOver = false, mail = claimedFor) =>
    store.claim({ id, notification: "email-request", edition, ...mail, heldUntil: clock.now() + runMs, takeOver });

  it("gives the first, as attempt 1", async () => {
    expect(await claim()).toMatchObject({ state: "claimed", claim: { id }, attempt: 1 });
  });

  it("keeps the variant of the first try, and tells it to who has variants", async () => {
    const trying = (variant?: string) =>
      store.claim({
        id,
        notification: "email-request",
        edition: variant === undefined ? edition : { ...edition, variant },
        ...claimedFor,
        heldUntil: clock.now() + runMs,
        takeOver: false,
      });
    for (const variant of ["a", "b"]) {
      const answer = await trying(variant);
      expect(answer).toMatchObject({ state: "claimed", variant: "a" });
      await store.markFailed(claimOf(answer));
    }
    expect(await trying()).not.toHaveProperty("variant");
  });

  it("holds it while its run can go on, to the last millisecond, and counts it unknown from then on", async () => {
    await claim();
    expect(await claim()).toEqual({ state: "held", claimedFor });
    clock.time += runMs;
    expect(await claim()).toEqual({ state: "held", claimedFor });
    clock.time += 1;
    expect(await claim()).toEqual({ state: "unknown", claimedFor });
  });

  it("tells of a mail that was sent, and by which message", async () => {
    await store.markSent(claimOf(await claim()), "m-1");
    expect(await claim()).toEqual({ state: "sent", messageId: "m-1", claimedFor });
    clock.time += runMs + 1;
    expect(await claim(true)).toEqual({ state: "sent", messageId: "m-1", claimedFor });
  });

  it("gives a released one again, and counts", async () => {
    await store.markFailed(claimOf(await claim()));
    const second = await claim();
    expect(second).toMatchObject({ state: "claimed", attempt: 2 });
    await store.markFailed(claimOf(second));
    expect(await claim()).toMatchObject({ state: "claimed", attempt: 3 });
  });

  it("keeps one of unknown outcome", async () => {
    await store.markUnknown(claimOf(await claim()));
    expect(await claim()).toEqual({ state: "unknown", claimedFor });
    clock.time += runMs + 1;
    expect(await claim()).toEqual({ state: "unknown", claimedFor });
  });

  it("gives one of unknown outcome to who takes it over, but not one that is held", async () => {
    await store.markUnknown(claimOf(await claim()));
    expect(await claim(true)).toMatchObject({ state: "claimed", attempt: 2 });
    expect(await claim(true)).toEqual({ state: "held", claimedFor });
    clock.time += runMs;
    expect(await claim(true)).toEqual({ state: "held", claimedFor });
    clock.time += 1;
    expect(await claim(true)).toMatchObject({ state: "claimed", attempt: 3 });
  });

  it.each(["sent", "unknown", "claimed"] as const)("gives one that has expired, which was %s", async (state) => {
    const first = claimOf(await claim());
    if (state === "sent") await store.markSent(first, "m-1");
    if (state === "unknown") await store.markUnknown(first);
    clock.time += retentionSeconds * 1000;
    expect(await claim()).not.toMatchObject({ state: "claimed" });
    clock.time += 2_000;
    expect(await claim()).toMatchObject({ state: "claimed" });
    expect(await claim()).toEqual({ state: "held", claimedFor });
  });

  it("lets nobody but its owner write the outcome", async () => {
    const first = claimOf(await claim());
    await store.markFailed(first);
    const second = claimOf(await claim());
    await expect(store.markSent(first, "m-1")).rejects.toThrow();
    await expect(store.markFailed(first)).rejects.toThrow();
    await expect(store.markUnknown(first)).rejects.toThrow();
    await expect(store.markSent({ id: freshId(), owner: second.owner }, "m-1")).rejects.toThrow();
    expect(await claim()).toEqual({ state: "held", claimedFor });
    await store.markSent(second, "m-2");
    expect(await claim()).toEqual({ state: "sent", messageId: "m-2", claimedFor });
  });

  it("gives one of twenty that come at once", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => claim()));
    expect(answers.filter(({ state }) => state === "claimed")).toHaveLength(1);
    expect(answers.filter(({ state }) => state === "held")).toHaveLength(19);
  });

  it("tells what it was taken for, last", async () => {
    const other = { eventId: "e-2", contentHash: "hash-2" };
    await claim();
    expect(await claim(false, other)).toEqual({ state: "held", claimedFor });
    clock.time += runMs + 1;
    expect(await claim(false, other)).toEqual({ state: "unknown", claimedFor });
    await store.markSent(claimOf(await claim(true, other)), "m-2");
    expect(await claim()).toEqual({ state: "sent", messageId: "m-2", claimedFor: other });
  });

  it("keeps mails apart", async () => {
    await claim();
    id = freshId();
    expect(await claim()).toMatchObject({ state: "claimed", attempt: 1 });
  });
});

describe("claims in DynamoDB", () => {
  const request = (id: string, clock: FakeClock) => ({
    id,
    notification: "email-request",
    edition,
    ...claimedFor,
    heldUntil: clock.now() + runMs,
    takeOver: false,
  });

  /**
   * A client that sends every UpdateItem this many times. The caller gets the last answer. `late` sends each of them
   * once more.
   */
  function repeating(times: number): { client: DynamoDBClient; late: (() => Promise<unknown>)[] } {
    const repeated = new DynamoDBClient(clientSettings(moto.url));
    const late: (() => Promise<unknown>)[] = [];
    repeated.middlewareStack.add(
      (next) => async (call) => {
        late.push(() => next(call));
        for (let time = 1; time < times; time += 1) await next(call);
        return next(call);
      },
      { step: "finalizeRequest", priority: "low" },
    );
    return { client: repeated, late };
  }

  it("are this run's where the SDK repeats a call whose answer was lost", async () => {
    const clock = new FakeClock();
    const { client: twice } = repeating(2);
    const store = inDynamoDb(clock, twice);
    const id = freshId();
    const answer = await store.claim(request(id, clock));
    expect(answer.state).toBe("claimed");
    await store.markSent(claimOf(answer), "m-1");
    expect(await inDynamoDb(clock).claim(request(id, clock))).toEqual({ state: "sent", messageId: "m-1", claimedFor });
    twice.destroy();
  });

  it.each(["sent", "failed", "unknown"])(
    "are not undone by a repeated call that arrives when they are %s",
    async (state) => {
      const clock = new FakeClock();
      const { client: recording, late } = repeating(1);
      const store = inDynamoDb(clock, recording);
      const id = freshId();
      const claim = claimOf(await store.claim(request(id, clock)));
      const [claimAgain] = late;
      if (state === "sent") await store.markSent(claim, "m-1");
      else await (state === "failed" ? store.markFailed(claim) : store.markUnknown(claim));
      const outcome = await claimAgain?.().catch((error: unknown) => error);
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: { id: { S: id } } }));
      if (state === "failed") {
        // A failed mail is free for every run, so for this late request, too. Its run has already ended. The claim
        // counts as unknown when its time is over.
        expect(Item?.state?.S).toBe("claimed");
      } else {
        expect(outcome).toMatchObject({ name: "ConditionalCheckFailedException" });
        expect(Item?.state?.S).toBe(state);
      }
      recording.destroy();
    },
  );

  it("hold what an operator needs, and no address", async () => {
    const clock = new FakeClock();
    const store = inDynamoDb(clock);
    const id = freshId();
    await store.markSent(claimOf(await store.claim(request(id, clock))), "m-1");
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: { id: { S: id } } }));
    expect(Item).toEqual({
      id: { S: id },
      owner: { S: expect.stringMatching(/^[\da-f-]{36}$/) as string },
      state: { S: "sent" },
      heldUntil: { N: String(clock.now() + runMs) },
      // The time is in seconds. DynamoDB would read milliseconds as a time far in the future, and never remove the row.
      expiresAt: { N: String(clock.now() / 1000 + retentionSeconds) },
      attempts: { N: "1" },
      notification: { S: "email-request" },
      locale: { S: "en" },
      eventId: { S: "e-1" },
      contentHash: { S: "hash-1" },
      messageId: { S: "m-1" },
    });
  });

  /** Writes a row of an earlier version, which does not say which content it was claimed for. */
  const write = (id: string, state: string) =>
    client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: { id: { S: id } },
        UpdateExpression: "SET #state = :state, eventId = :event",
        ExpressionAttributeNames: { "#state": "state" },
        ExpressionAttributeValues: { ":state": { S: state }, ":event": { S: "e-0" } },
      }),
    );

  it.each(["sent", "claimed", "unknown"])(
    "that an earlier version wrote, and are %s, do not say what for",
    async (state) => {
      const clock = new FakeClock();
      const id = freshId();
      await write(id, state);
      expect(await inDynamoDb(clock).claim(request(id, clock))).not.toHaveProperty("claimedFor");
    },
  );

  it("read a row that nobody understands as unknown: no mail is sent on a guess", async () => {
    const clock = new FakeClock();
    const id = freshId();
    await write(id, "a state of a later version");
    expect(await inDynamoDb(clock).claim(request(id, clock))).toEqual({ state: "unknown" });
  });

  it("reject where the table is gone", async () => {
    const clock = new FakeClock();
    const store = createDynamoDbClaims({ client, table: "no-such-table", retentionSeconds, clock });
    await expect(store.claim(request(freshId(), clock))).rejects.toThrow();
  });

  it("come with the row that stands against them, which moto gives as DynamoDB does", async () => {
    const id = freshId();
    const clock = new FakeClock();
    await inDynamoDb(clock).claim(request(id, clock));
    await expect(
      client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: { id: { S: id } },
          UpdateExpression: "SET x = :x",
          ConditionExpression: "attribute_not_exists(id)",
          ExpressionAttributeValues: { ":x": { S: "x" } },
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      ),
    ).rejects.toMatchObject({
      name: "ConditionalCheckFailedException",
      Item: { id: { S: id }, state: { S: "claimed" }, attempts: { N: "1" } },
    });
  });
});

it("answers in DynamoDB as in memory, whatever the order of calls", async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("claim" as const), mail: fc.nat(1), event: fc.nat(1), takeOver: fc.boolean() }),
    fc.record({
      do: fc.constantFrom("markSent" as const, "markFailed" as const, "markUnknown" as const),
      /** The number of one of the claims so far, also of one that another run has taken over. */
      claim: fc.nat(5),
    }),
    fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, runMs, runMs + 1, retentionSeconds * 1000) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 16 }), async (steps) => {
      const clock = new FakeClock();
      const ids = [freshId(), freshId()];
      const real = { store: inDynamoDb(clock), claims: [] as Claim[] };
      const model = { store: inMemory(clock), claims: [] as Claim[] };
      const run = async ({ store, claims }: typeof real, call: (typeof steps)[number]): Promise<unknown> => {
        if (call.do === "wait") return undefined;
        if (call.do === "claim") {
          const answer = await store.claim({
            id: ids[call.mail] ?? "",
            notification: "email-request",
            edition,
            eventId: `e-${call.event}`,
            contentHash: `hash-${call.event}`,
            heldUntil: clock.now() + runMs,
            takeOver: call.takeOver,
          });
          if (answer.state !== "claimed") return answer;
          claims.push(answer.claim);
          return { state: answer.state, attempt: answer.attempt };
        }
        const claim = claims[call.claim];
        if (claim === undefined) return undefined;
        const marked = call.do === "markSent" ? store.markSent(claim, "m") : store[call.do](claim);
        return marked.then(
          () => "marked",
          () => "refused",
        );
      };
      for (const call of steps) {
        if (call.do === "wait") clock.time += call.ms;
        expect(await run(real, call)).toEqual(await run(model, call));
      }
    }),
    { numRuns: 60, seed: 20261124 },
  );
});
