import { createPacer } from "../../handler/pacer";
import { FakeClock } from "../support/send-notification";

const never = Number.POSITIVE_INFINITY;

it("lets the first send go at once, and keeps the next ones an interval apart", async () => {
  const clock = new FakeClock();
  const pace = createPacer(100, clock);
  await pace(never);
  await pace(never);
  await pace(never);
  expect(clock.waits).toEqual([100, 100]);
});

it("waits only for what is left of the interval, and saves no turns up while idle", async () => {
  const clock = new FakeClock();
  const pace = createPacer(100, clock);
  await pace(never);
  clock.time += 70;
  await pace(never);
  clock.time += 1000;
  await pace(never);
  await pace(never);
  expect(clock.waits).toEqual([30, 100]);
});

it("gives callers of the same moment a turn each", async () => {
  const clock = new FakeClock();
  const turns: number[] = [];
  const start = clock.now();
  // The clock does not move, because all three callers wait at the same time.
  const pace = createPacer(100, {
    now: () => start,
    wait: (milliseconds) => {
      turns.push(milliseconds);
      return Promise.resolve();
    },
  });
  await Promise.all([pace(never), pace(never), pace(never)]);
  expect(turns).toEqual([100, 200]);
});

it("does not wait for a turn past the deadline, and leaves it to the next", async () => {
  const clock = new FakeClock();
  const pace = createPacer(10_000, clock);
  const start = clock.now();
  expect(await pace(start + 9_999)).toBe(true);
  expect(await pace(start + 9_999)).toBe(false);
  expect(await pace(start + 9_999)).toBe(false);
  expect(clock.waits).toEqual([]);
  expect(await pace(start + 10_000)).toBe(true);
  expect(clock.waits).toEqual([10_000]);
});

it("keeps nobody waiting without an interval", async () => {
  const clock = new FakeClock();
  const pace = createPacer(0, clock);
  await Promise.all([pace(never), pace(never)]);
  expect(clock.waits).toEqual([]);
});
