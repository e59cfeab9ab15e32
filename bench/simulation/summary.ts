import { type Fate, isDuplicate, isLost, isParked, percentile } from "./ledger";
import { type NamedScenario } from "./scenarios";
import { midnight, type SimulationResult, type Sample } from "./world";

/** The result of a scenario. It is plain data, so that another process can send it. */
export interface Summary {
  readonly scenario: Pick<NamedScenario, "id" | "title" | "outage" | "mayPark">;
  readonly events: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly parked: number;
  /** Delivery latencies in milliseconds. */
  readonly alerts: {
    readonly p50: number;
    readonly p99: number;
    /** Median of the alerts that were raised while SES worked. */
    readonly freshP50: number;
    readonly freshP99: number;
    /** Of the alerts that were raised in an outage: time from the outage's end to the mail. `NaN` without an outage. */
    readonly recoveryP99: number;
  };
  /** Milliseconds from the scenario's `loadedAt` until the last event that was raised by then was mailed or parked. */
  readonly drainMs: number;
  readonly counts: {
    readonly duplicatesPrevented: number;
    readonly expired: number;
    readonly exhausted: number;
    readonly throttledPolls: number;
    readonly droppedBatches: number;
    readonly runs: number;
    readonly sesCalls: number;
    readonly sesThrottled: number;
    /**
     * Events that were mailed and of which a copy was parked. The mail is fine, but a person has to look at the copy.
     */
    readonly parkedCopies: number;
    readonly unmatched: number;
  };
  readonly samples: readonly Sample[];
}

export function summarize(scenario: NamedScenario, result: SimulationResult): Summary {
  const { ledger, lanes, ses, bus, samples, duplicatesPrevented } = result;
  const { id, title, outage, loadedAt, mayPark } = scenario;
  const alerts: Fate[] = [];
  let settledAt = midnight + loadedAt;
  for (const fate of ledger.fates.values()) {
    if (fate.kind === "alert" && fate.mails > 0) alerts.push(fate);
    const at = fate.mails > 0 ? fate.mailedAt : fate.parkedAt;
    if (fate.raisedAt <= midnight + loadedAt && at > settledAt) settledAt = at;
  }
  const isInOutage = ({ raisedAt }: Fate) =>
    outage !== undefined && raisedAt >= midnight + outage.from && raisedAt < midnight + outage.to;
  const latency = ({ raisedAt, mailedAt }: Fate) => mailedAt - raisedAt;
  const fresh = alerts.filter((fate) => !isInOutage(fate)).map(latency);
  const recovered = alerts.filter(isInOutage).map(({ mailedAt }) => mailedAt - midnight - (outage?.to ?? 0));
  const total = (count: (lane: SimulationResult["lanes"][number]) => number) =>
    lanes.reduce((sum, lane) => sum + count(lane), 0);
  return {
    scenario: { id, title, mayPark, ...(outage && { outage }) },
    events: ledger.fates.size,
    lost: ledger.count(isLost),
    duplicates: ledger.count(isDuplicate),
    parked: ledger.count(isParked),
    alerts: {
      p50: percentile(alerts.map(latency), 0.5),
      p99: percentile(alerts.map(latency), 0.99),
      freshP50: percentile(fresh, 0.5),
      freshP99: percentile(fresh, 0.99),
      recoveryP99: percentile(recovered, 0.99),
    },
    drainMs: settledAt - midnight - loadedAt,
    counts: {
      duplicatesPrevented,
      expired: total(({ asynchronous }) => asynchronous.expired),
      exhausted: total(({ asynchronous }) => asynchronous.exhausted),
      throttledPolls: total(({ fn }) => fn.throttles),
      droppedBatches: total(({ source }) => source.dropped),
      runs: total(({ fn }) => fn.runs),
      sesCalls: ses.calls,
      sesThrottled: ses.throttled,
      parkedCopies: ledger.count(({ mails, parked }) => mails > 0 && parked > 0),
      unmatched: bus.unmatched,
    },
    samples,
  };
}

/** Lists the results that a scenario must not have. @returns an empty list if all is well. */
export function problemsOf({ scenario, lost, duplicates, parked, counts }: Summary): string[] {
  const problem = (count: number, what: string) => (count > 0 ? [`${scenario.id}: ${count} ${what}`] : []);
  return [
    ...problem(lost, "events lost"),
    ...problem(duplicates, "events mailed twice"),
    ...problem(scenario.mayPark ? 0 : parked, "events parked that time alone would have mended"),
    ...problem(counts.unmatched, "events that no rule takes"),
  ];
}

interface Column {
  readonly name: string;
  readonly of: (summary: Summary) => string;
}

const mainColumns: readonly Column[] = [
  { name: "events", of: ({ events }) => whole(events) },
  { name: "lost", of: ({ lost }) => whole(lost) },
  { name: "duplicates", of: ({ duplicates }) => whole(duplicates) },
  { name: "parked", of: ({ parked }) => whole(parked) },
  { name: "alerts p50", of: ({ alerts }) => duration(alerts.p50) },
  { name: "p99", of: ({ alerts }) => duration(alerts.p99) },
  { name: "SES up: p50", of: ({ alerts }) => duration(alerts.freshP50) },
  { name: "p99", of: ({ alerts }) => duration(alerts.freshP99) },
  { name: "after outage p99", of: ({ alerts }) => duration(alerts.recoveryP99) },
  { name: "drained in", of: ({ drainMs }) => duration(drainMs) },
];

const countColumns: readonly Column[] = [
  { name: "second mails prevented", of: ({ counts }) => whole(counts.duplicatesPrevented) },
  { name: "too old for Lambda", of: ({ counts }) => whole(counts.expired) },
  { name: "retries exhausted", of: ({ counts }) => whole(counts.exhausted) },
  { name: "runs", of: ({ counts }) => whole(counts.runs) },
  { name: "throttled starts", of: ({ counts }) => whole(counts.throttledPolls) },
  { name: "receives wasted", of: ({ counts }) => whole(counts.droppedBatches) },
  { name: "SES calls", of: ({ counts }) => whole(counts.sesCalls) },
  { name: "throttled", of: ({ counts }) => whole(counts.sesThrottled) },
  { name: "copies parked", of: ({ counts }) => whole(counts.parkedCopies) },
];

/** Makes the table of events and latencies. @param names of the rows, one for each summary. */
export function mainTable(names: readonly string[], summaries: readonly Summary[]): string {
  return table(names, mainColumns, summaries);
}

/** Makes the table of counts: runs, retries, throttles and calls of SES. */
export function countTable(names: readonly string[], summaries: readonly Summary[]): string {
  return table(names, countColumns, summaries);
}

function table(names: readonly string[], columns: readonly Column[], summaries: readonly Summary[]): string {
  const rows = [
    ["", ...columns.map(({ name }) => name)],
    ...summaries.map((summary, index) => [names[index] ?? "", ...columns.map(({ of }) => of(summary))]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) => row.map((cell, column) => cell[column === 0 ? "padEnd" : "padStart"](widths[column] ?? 0)).join("  "))
    .join("\n");
}

function whole(count: number): string {
  return count.toLocaleString("en-US");
}

function duration(milliseconds: number): string {
  if (Number.isNaN(milliseconds)) return "-";
  const seconds = milliseconds / 1000;
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}
