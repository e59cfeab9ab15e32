import { laneBudgets } from "../../stacks/send-budget";

it("gives bulk mail four fifths of the account's send rate, and keeps a fifth for alerts", () => {
  const { standard, priority } = laneBudgets(50);
  expect(standard.ratePerSecond).toBeCloseTo(40);
  expect(priority.ratePerSecond).toBeCloseTo(10);
});

it.each([
  // The rate of each lane is so small that three environments suffice, each of which waits for seconds.
  [1, { concurrency: 3, sendIntervalMs: 3750 }, { concurrency: 3, sendIntervalMs: 15_000 }],
  // Here both results are fractions. Both are rounded up: to one more environment, and to one more millisecond between
  // two sends.
  [17, { concurrency: 4, sendIntervalMs: 295 }, { concurrency: 3, sendIntervalMs: 883 }],
  [200, { concurrency: 40, sendIntervalMs: 250 }, { concurrency: 10, sendIntervalMs: 250 }],
])("runs as many environments as a send rate of %d needs, and three at least", (rate, standard, priority) => {
  expect(laneBudgets(rate)).toMatchObject({ standard, priority });
});

it.each([0.5, 1, 3, 14, 17, 50, 99, 200, 333])("stays below a send rate of %d with both lanes at full load", (rate) => {
  const sendsPerSecond = Object.values(laneBudgets(rate)).map(
    ({ concurrency, sendIntervalMs }) => (1000 * concurrency) / sendIntervalMs,
  );
  expect(sendsPerSecond.reduce((sum, each) => sum + each)).toBeLessThanOrEqual(rate + 1e-9);
});

it("keeps the rate where the concurrency is chosen, and lets each run wait longer", () => {
  const { standard, priority } = laneBudgets(50, { standard: 100 });
  expect(standard).toMatchObject({ concurrency: 100, sendIntervalMs: 2500 });
  expect(priority).toEqual(laneBudgets(50).priority);
  expect((1000 * standard.concurrency) / standard.sendIntervalMs).toBeLessThanOrEqual(standard.ratePerSecond);
});
