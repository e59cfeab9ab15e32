import { secondsPerSend } from "../../handler/pacer";
import { laneBudgets } from "../../stacks/send-budget";
import { sendRateWarnings } from "../../stacks/send-rate-check";
import { withStage } from "../support/stack";

const timeoutSeconds = 30;

it("lets bulk mail use four fifths of the stage's send rate, and an alert all of it", () => {
  const { standard, priority } = laneBudgets({ sendRatePerSecond: 50, timeoutSeconds });
  expect(standard).toMatchObject({ ratePerSecond: 40, sendRates: { mostPerSecond: 40 } });
  expect(priority).toMatchObject({ ratePerSecond: 10, sendRates: { mostPerSecond: 50 } });
});

it.each([
  // The rate of each lane is so small that one environment would suffice.
  [1, 3, 3],
  // The result is a fraction, and is rounded up.
  [17, 4, 3],
  [200, 40, 10],
])("runs as many environments as a send rate of %d needs, and three at least", (rate, standard, priority) => {
  expect(laneBudgets({ sendRatePerSecond: rate, timeoutSeconds })).toMatchObject({
    standard: { concurrency: standard },
    priority: { concurrency: priority },
  });
});

it.each([0.5, 1, 3, 14, 17, 50, 99, 200, 333])(
  "leaves each lane half of a send rate of %d where SES throttles all environments",
  (sendRatePerSecond) => {
    for (const concurrency of [{}, { standard: 100 }]) {
      const budgets = laneBudgets({ sendRatePerSecond, concurrency, timeoutSeconds });
      for (const { concurrency, sendRates } of Object.values(budgets)) {
        expect(concurrency * sendRates.leastPerSecond).toBeCloseTo(sendRatePerSecond / 2);
      }
    }
  },
);

it.each([
  // 50 mails at 0.8 a second are 62.5 s, and the last one may take 8 s.
  [1, 71, 258],
  [14, 30, 30],
  // Lambda ends each run after 15 minutes.
  [0.1, 633, 900],
])("gives a run at %d mails a second the time for an event with 50 recipients", (rate, standard, priority) => {
  expect(laneBudgets({ sendRatePerSecond: rate, timeoutSeconds })).toMatchObject({
    standard: { timeoutSeconds: standard },
    priority: { timeoutSeconds: priority },
  });
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
    const { standard, priority } = laneBudgets({ sendRatePerSecond, timeoutSeconds });
    for (const more of [0, 1]) {
      const concurrency = { standard: standard.concurrency + more, priority: priority.concurrency };
      expect(warningsOf({ sendRatePerSecond, concurrency })).toEqual([]);
    }
    const fewer = { standard: standard.concurrency - 1 };
    const isSlower = fewer.standard / secondsPerSend < standard.ratePerSecond;
    if (fewer.standard >= 3)
      expect(warningsOf({ sendRatePerSecond, concurrency: fewer })).toHaveLength(isSlower ? 1 : 0);
  });
});
