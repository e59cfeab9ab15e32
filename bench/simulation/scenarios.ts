import { type Outage } from "./ses";
import { type EventKind, midnight, type Scenario } from "./world";
import { type VirtualClock } from "./virtual-clock";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/**
 * Send rate, in mails a second, that SES usually grants an account first
 * (https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas.html).
 */
const ratePerSecond = 14;

export interface NamedScenario extends Scenario {
  readonly id: string;
  readonly title: string;
  /**
   * Time from which all the work that has to be drained is there, in milliseconds since midnight, the scenario's start.
   */
  readonly loadedAt: number;
  /** Begin and end of an outage of SES, in milliseconds since midnight. */
  readonly outage?: { readonly from: number; readonly to: number };
  /** Whether events may be parked. If not, parked events fail the run, as lost and duplicated ones always do. */
  readonly mayPark: boolean;
}

/** Raises `count` events, evenly spread over `duration`, beginning at `from`. Both are in milliseconds. */
function evenly(kind: EventKind, count: number, from: number, duration: number) {
  return (raise: (kind: EventKind) => void, clock: VirtualClock): void => {
    const next = (index: number) => {
      if (index === count) return;
      clock.at(midnight + from + (index * duration) / count, () => {
        raise(kind);
        next(index + 1);
      });
    };
    next(0);
  };
}

function all(...sources: readonly Scenario["traffic"][]): Scenario["traffic"] {
  return (raise, clock) => {
    for (const source of sources) source(raise, clock);
  };
}

const outageOf = (from: number, to: number, fault: Outage["fault"] = "unavailable") => ({
  outage: { from, to },
  account: { ratePerSecond, outages: [{ from: midnight + from, to: midnight + to, fault }] },
});

const alerts = (until: number) => evenly("alert", until / (10 * second), 0, until);
const burst = evenly("bulk", 100_000, 0, minute);
/** Raises 4 bulk events a second: a third of the bulk lane's share of the send rate, or 345,600 mails a day. */
const steady = (until: number) => evenly("bulk", (4 * until) / second, 0, until);

export const scenarios: readonly NamedScenario[] = [
  {
    id: "burst",
    title: "100,000 bulk events in a minute, an alert every 10 s for 3 h",
    account: { ratePerSecond, outages: [] },
    traffic: all(burst, alerts(3 * hour)),
    loadedAt: minute,
    mayPark: false,
  },
  {
    id: "outage",
    title: "SES answers 503 from 0:30 to 2:30; 4 bulk events a second and an alert every 10 s for 3:30 h",
    ...outageOf(30 * minute, 150 * minute),
    traffic: all(steady(3.5 * hour), alerts(3.5 * hour)),
    loadedAt: 150 * minute,
    mayPark: false,
  },
  {
    id: "burst-outage",
    title: "The burst, SES 503 from 0:10 to 2:10, an alert every 10 s for 6 h",
    ...outageOf(10 * minute, 130 * minute),
    traffic: all(burst, alerts(6 * hour)),
    loadedAt: 130 * minute,
    mayPark: false,
  },
];

/** Scenarios that go beyond what the design promises. They show its limits. */
export const stressScenarios: readonly NamedScenario[] = [
  {
    id: "old-burst",
    title: "300,000 bulk events in a minute: 7.5 h of work, and Lambda keeps an event for 6 h",
    account: { ratePerSecond, outages: [] },
    traffic: all(evenly("bulk", 300_000, 0, minute), alerts(3 * hour)),
    loadedAt: minute,
    mayPark: false,
  },
  {
    id: "long-outage",
    title: "SES 503 from 0:30 to 6:30; a bulk event every 2 s and an alert every 10 s for 8 h",
    ...outageOf(30 * minute, 390 * minute),
    traffic: all(evenly("bulk", 14_400, 0, 8 * hour), alerts(8 * hour)),
    loadedAt: 390 * minute,
    mayPark: false,
  },
  {
    id: "busy-long-outage",
    title: "SES 503 from 0:30 to 6:30; 4 bulk events a second and an alert every 10 s for 8 h",
    ...outageOf(30 * minute, 390 * minute),
    traffic: all(steady(8 * hour), alerts(8 * hour)),
    loadedAt: 390 * minute,
    mayPark: false,
  },
  {
    id: "daily-quota",
    title: "The burst in an account that may send 50,000 mails in 24 h, which is what comes with 14 a second",
    account: { ratePerSecond, dailyQuota: 50_000, outages: [] },
    traffic: all(burst, alerts(3 * hour)),
    loadedAt: minute,
    mayPark: true,
  },
  {
    id: "silence",
    title: "SES gives no answer from 0:10 to 0:20; 4 bulk events a second and an alert every 10 s for 1 h",
    ...outageOf(10 * minute, 20 * minute, "silence"),
    traffic: all(steady(hour), alerts(hour)),
    loadedAt: 20 * minute,
    mayPark: true,
  },
];
