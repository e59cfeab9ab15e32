import { EventEmitter } from "node:events";
import { onInterrupt, onOrphaned } from "../../sandbox/interrupts";

function interrupted() {
  const emitter = new EventEmitter();
  const counts: number[] = [];
  let time = 0;
  onInterrupt(
    emitter,
    (count) => counts.push(count),
    () => time,
  );
  const press = (afterMs: number, name = "SIGINT") => {
    time += afterMs;
    emitter.emit(name);
    return counts;
  };
  return { press };
}

it("counts each Ctrl-C once, though npm passes it on as well", () => {
  const { press } = interrupted();
  expect(press(0)).toEqual([1]);
  expect(press(20)).toEqual([1]);
  expect(press(3000)).toEqual([1, 2]);
  expect(press(20)).toEqual([1, 2]);
});

it.each(["SIGTERM", "SIGHUP"])("takes %s for one", (name) => {
  expect(interrupted().press(0, name)).toEqual([1]);
});

describe("a sandbox whose starter", () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  const watched = () => {
    const seen = { parent: 7, calls: 0 };
    onOrphaned(
      () => (seen.calls += 1),
      () => seen.parent,
    );
    return seen;
  };

  it("is there goes on", () => {
    const seen = watched();
    jest.advanceTimersByTime(60_000);
    expect(seen.calls).toBe(0);
  });

  it("is gone is told so, once", () => {
    const seen = watched();
    seen.parent = 1;
    jest.advanceTimersByTime(60_000);
    expect(seen.calls).toBe(1);
  });
});
