import { longestSendMs } from "../../handler/pacer";
import { laneBudgets, secondsPerSend } from "../../stacks/send-budget";
import { lanes } from "../../stacks/lanes";
import { sendRateWarnings } from "../../stacks/send-rate-check";
import { withStage } from "../support/stack";

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

describe("the synth warns", () => {
  const settings = { sesSandbox: false, reserveConcurrency: true };
  const warningsOf = (of: Parameters<typeof withStage>[0]) => sendRateWarnings(withStage({ ...settings, ...of }));

  it("of a chosen concurrency that can't send a lane's share, with what the share becomes", () => {
    expect(warningsOf({ sendRatePerSecond: 50, concurrency: { standard: 5 } })).toEqual([
      "stacks/stages.ts: dev.concurrency.standard=5 lowers the lane's send rate: 40 mails a second need 10 runs at once, at 0.25 s for a mail, and 5 send about 20. Use 10, or leave it out, unless that is meant.",
    ]);
    expect(warningsOf({ sendRatePerSecond: 200, concurrency: { priority: 3 } })).toEqual([
      expect.stringMatching(
        /concurrency\.priority=3 lowers .*: 40 mails a second need 10 runs .*, and 3 send about 12\./,
      ),
    ]);
  });

  it.each([1, 14, 50, 200, 333])("of none that is what %d mails a second need, or more", (sendRatePerSecond) => {
    expect(warningsOf({ sendRatePerSecond })).toEqual([]);
    const { standard, priority } = laneBudgets(sendRatePerSecond);
    for (const more of [0, 1]) {
      const concurrency = { standard: standard.concurrency + more, priority: priority.concurrency };
      expect(warningsOf({ sendRatePerSecond, concurrency })).toEqual([]);
    }
    const fewer = { standard: standard.concurrency - 1 };
    const isSlower = fewer.standard / secondsPerSend < standard.ratePerSecond;
    if (fewer.standard >= 3)
      expect(warningsOf({ sendRatePerSecond, concurrency: fewer })).toHaveLength(isSlower ? 1 : 0);
  });

  it("of a rate at which a run can't wait for its next turn, and what it names as enough is enough", () => {
    const [warning, ...others] = warningsOf({ sendRatePerSecond: 0.5, timeoutSeconds: 30 });
    expect(warning).toBe(
      "stacks/stages.ts: dev.sendRatePerSecond=0.5 leaves the priority lane 0.1 mails a second: each of its 3 runs waits 30000 ms between two mails, and its time-out leaves 22000 ms for that. In a burst, mails go to the retries and come minutes later. Raise sendRatePerSecond to 0.69 or timeoutSeconds to 38, unless that is meant.",
    );
    expect(others).toEqual([]);
    // The SES sandbox takes no more than one mail a second.
    const [inSandbox] = warningsOf({ sesSandbox: true, sendRatePerSecond: 0.5, timeoutSeconds: 30 });
    expect(inSandbox).toMatch(/minutes later\. Raise timeoutSeconds to 38, unless that is meant\.$/);
    expect(warningsOf({ sendRatePerSecond: 0.1 })).toHaveLength(2);
    for (const timeoutSeconds of [10, 20, 30, 60]) {
      for (const sendRatePerSecond of [0.1, 0.3, 0.5, 0.68, 0.9]) {
        for (const each of warningsOf({ sendRatePerSecond, timeoutSeconds })) {
          const [, rate = "", seconds = ""] =
            /sendRatePerSecond to ([\d.]+) or timeoutSeconds to (\d+)/.exec(each) ?? [];
          // Each of the advices is enough for both lanes.
          const interval = (of: number) => Math.max(...lanes.map((lane) => laneBudgets(of)[lane].sendIntervalMs));
          expect(interval(Number(rate))).toBeLessThanOrEqual(timeoutSeconds * 1000 - longestSendMs);
          expect(interval(sendRatePerSecond)).toBeLessThanOrEqual(Number(seconds) * 1000 - longestSendMs);
        }
      }
    }
  });
});
