import { limitConcurrency } from "../../handler/concurrency";

/** A work that ends when the test says so. */
function work() {
  const events: string[] = [];
  const ends: (() => void)[] = [];
  const fails: ((error: Error) => void)[] = [];
  const start = (name: string) => () =>
    new Promise<string>((resolve, reject) => {
      events.push(name);
      ends.push(() => {
        resolve(name);
      });
      fails.push(reject);
    });
  return { events, ends, fails, start };
}

/** Everything that is ready to run has run. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

it("lets at most so many run at once, the others in the order of their calls", async () => {
  const limit = limitConcurrency(2);
  const { events, ends, start } = work();
  const all = Promise.all(["a", "b", "c", "d"].map((name) => limit(start(name))));
  await turn();
  expect(events).toEqual(["a", "b"]);
  ends[1]?.();
  await turn();
  expect(events).toEqual(["a", "b", "c"]);
  ends[0]?.();
  ends[2]?.();
  await turn();
  expect(events).toEqual(["a", "b", "c", "d"]);
  ends[3]?.();
  await expect(all).resolves.toEqual(["a", "b", "c", "d"]);
});

it("gives the place of one that failed to the next", async () => {
  const limit = limitConcurrency(1);
  const { events, fails, ends, start } = work();
  const first = limit(start("a"));
  const second = limit(start("b"));
  fails[0]?.(new Error("broken"));
  await expect(first).rejects.toThrow("broken");
  await turn();
  expect(events).toEqual(["a", "b"]);
  ends[1]?.();
  await second;
  const third = limit(start("c"));
  expect(events).toEqual(["a", "b", "c"]);
  ends[2]?.();
  await expect(third).resolves.toBe("c");
});

it("does not let a latecomer take the place of one that waits", async () => {
  const limit = limitConcurrency(1);
  const { events, ends, start } = work();
  const first = limit(start("a"));
  void limit(start("b"));
  ends[0]?.();
  await first;
  void limit(start("c"));
  await turn();
  expect(events).toEqual(["a", "b"]);
});
