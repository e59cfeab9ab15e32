import { Pacer, sendsAtOnce } from "../../handler/pacer";
import { FakeClock } from "../support/send-notification";

const never = Number.POSITIVE_INFINITY;

/** Ten mails a second at most, and one at least. The pauses are as long as they are meant to be. */
function pacerWith({ mostPerSecond = 10, leastPerSecond = 1, random = 0.5 } = {}) {
  const clock = new FakeClock();
  const pacer = new Pacer({ mostPerSecond, leastPerSecond }, clock, () => random);
  /** Takes a turn. */
  const turn = async () => {
    const taken = await pacer.turn(never);
    if (taken === undefined) throw new Error("There was no turn.");
    return taken;
  };
  /** Takes a turn, and SES throttles its call. @returns the pause before the turn */
  const throttledTurn = async () => {
    const before = clock.waits.length;
    pacer.throttled(await turn());
    clock.time += 1;
    return clock.waits.slice(before).map((ms) => Math.round(ms));
  };
  return { clock, pacer, turn, throttledTurn };
}

it("lets the first send go at once, and keeps a pause between the next ones", async () => {
  const { clock, turn } = pacerWith();
  await turn();
  await turn();
  await turn();
  expect(clock.waits).toEqual([100, 100]);
});

it("waits only for what is left of the pause, and saves no turns up while idle", async () => {
  const { clock, turn } = pacerWith();
  await turn();
  clock.time += 70;
  await turn();
  clock.time += 1000;
  await turn();
  await turn();
  expect(clock.waits).toEqual([30, 100]);
});

it.each([
  [0, 50],
  [1, 150],
])("makes each pause up to half of it shorter or longer (random: %d)", async (random, pause) => {
  const { clock, turn } = pacerWith({ random });
  await turn();
  await turn();
  expect(clock.waits).toEqual([pause]);
});

it("gives callers of the same moment a turn each", async () => {
  const turns: number[] = [];
  // The clock does not move, because all three callers wait at the same time.
  const clock = {
    now: () => 1_000_000,
    wait: (milliseconds: number) => {
      turns.push(milliseconds);
      return Promise.resolve();
    },
  };
  const pacer = new Pacer({ mostPerSecond: 10, leastPerSecond: 1 }, clock, () => 0.5);
  await Promise.all([pacer.turn(never), pacer.turn(never), pacer.turn(never)]);
  expect(turns).toEqual([100, 200]);
});

it("does not wait for a turn past the deadline, and leaves it to the next", async () => {
  const { clock, pacer } = pacerWith({ mostPerSecond: 0.1, leastPerSecond: 0.1 });
  const start = clock.now();
  expect(await pacer.turn(start + 9_999)).toMatchObject({ at: start });
  expect(await pacer.turn(start + 9_999)).toBeUndefined();
  expect(await pacer.turn(start + 9_999)).toBeUndefined();
  expect(clock.waits).toEqual([]);
  expect(await pacer.turn(start + 10_000)).toMatchObject({ at: start + 10_000 });
  expect(clock.waits).toEqual([10_000]);
});

describe("where SES throttles", () => {
  it("the pause grows with each throttled call, up to the longest", async () => {
    const { throttledTurn } = pacerWith();
    const pauses: number[] = [];
    for (let count = 0; count < 15; count += 1) pauses.push(...(await throttledTurn()));
    // The clock goes on by 1 ms for each call, and a turn that was given keeps its time.
    expect(pauses.slice(0, 4)).toEqual([99, 124, 155, 194]);
    expect(pauses.at(-1)).toBe(999);
  });

  it("calls that were under way together slow it down once", async () => {
    const { clock, pacer, turn } = pacerWith();
    const turns = [await turn(), await turn(), await turn()];
    clock.time += 50;
    for (const each of turns) pacer.throttled(each);
    await turn();
    clock.waits.length = 0;
    await turn();
    expect(clock.waits).toEqual([125]);
  });

  it("the real pause grows, which may be longer than the one that is kept", async () => {
    const { clock, pacer, turn } = pacerWith();
    await turn();
    clock.time += 400;
    pacer.throttled(await turn());
    await turn();
    await turn();
    expect(clock.waits).toEqual([100, 500]);
  });

  it("each mail that SES takes shortens the pause a little, down to the shortest", async () => {
    const { clock, pacer, turn, throttledTurn } = pacerWith();
    await throttledTurn();
    await turn();
    clock.waits.length = 0;
    for (let count = 0; count < 60; count += 1) pacer.sent();
    await turn();
    for (let count = 0; count < 60; count += 1) pacer.sent();
    await turn();
    await turn();
    expect(clock.waits.map(Math.round)).toEqual([125, 111, 100]);
  });

  it("it begins anew after it was idle", async () => {
    const { clock, turn, throttledTurn } = pacerWith();
    for (let count = 0; count < 15; count += 1) await throttledTurn();
    clock.time += 11_001;
    clock.waits.length = 0;
    expect((await turn()).gapMs).toBe(0);
    await turn();
    expect(clock.waits).toEqual([100]);
  });
});

it("keeps its rate where the least is more than the most: a lane with few environments", async () => {
  const { clock, turn, throttledTurn } = pacerWith({ mostPerSecond: 1, leastPerSecond: 2 });
  for (let count = 0; count < 5; count += 1) await throttledTurn();
  clock.waits.length = 0;
  await turn();
  expect(clock.waits).toEqual([999]);
});

it.each([
  [0.08, 1],
  [4, 1],
  [4.1, 2],
  [11.2, 3],
  [800, 10],
])("of %d mails a second, works on %d at once", (mostPerSecond, atOnce) => {
  expect(sendsAtOnce({ mostPerSecond })).toBe(atOnce);
});
