import { formatUsd } from "../../stacks/costs/costs";
import { prices } from "../../stacks/costs/prices";
import { type StageAccess } from "../stage";
import { createTable } from "../table";
import { plural } from "../text";
import { type Removed } from "./clean-up";
import { type Fact } from "./settled";
import { type Status, type TrialResult } from "./trial";

export interface SmokeAnswer {
  readonly runId: string;
  readonly results: readonly TrialResult[];
  readonly facts: readonly Fact[];
  /** What an earlier run had left behind, and this one removed. */
  readonly leftover: ({ readonly runId: string } & Removed) | undefined;
  readonly costs: Costs;
}

export interface Costs {
  readonly mails: number;
  /** Events that the run put. */
  readonly events: number;
  readonly usd: number;
}

/** List prices of what a run uses: a mail of the dearer of SES's plans, and events, those that SES puts included. */
export function costsOf(mails: number, events: number): Costs {
  const mail = Math.max(prices.mailEssentials.usd, prices.mailAlaCarte.usd) / prices.mailEssentials.per;
  // At most three events come back for a mail: sent, delivered, complaint. Ours are on the bus and in its archive.
  const event = prices.event.usd / prices.event.per;
  return { mails, events, usd: mails * (mail + 3 * event) + events * event };
}

const statuses: readonly Status[] = ["failed", "held", "unseen"];

export function toJson(
  { runId, results, facts, leftover, costs }: SmokeAnswer,
  { config, names }: StageAccess,
): object {
  const count = (status: Status) => results.filter((result) => result.status === status).length;
  return {
    stage: config.stage,
    prefix: names.prefix,
    run: runId,
    summary: Object.fromEntries(statuses.map((status) => [status, count(status)])),
    trials: results,
    facts,
    leftover,
    costs,
  };
}

export function describe(
  { runId, results, facts, leftover, costs }: SmokeAnswer,
  stage: StageAccess,
  today: Date,
): string {
  const trials = createTable(["Trial", "", "What was seen, and what to do"]);
  for (const { trial, status, finding, todo } of results) {
    trials.addWrapped([trial, status, todo === undefined ? finding : `${finding}\n> ${todo}`], 2);
  }
  const table = createTable(["Fact", "", "What is known"]);
  for (const { question, status, answer } of facts) table.addWrapped([question, status, answer], 2);
  const where = stage.isSandbox ? "In the sandbox" : `In the account ${stage.config.accountId}`;
  const counts = statuses.map((status) => `${results.filter((each) => each.status === status).length} ${status}`);
  return [
    trials.toString(),
    ...(facts.length === 0 ? [] : [`${where}, on ${today.toISOString().slice(0, 10)}:`, table.toString()]),
    ...(leftover === undefined
      ? []
      : [
          `The run ${leftover.runId} was interrupted and had left ${plural(leftover.parked, "parked event")} and ${plural(leftover.claims, "claim")} behind: removed.`,
        ]),
    `Costs: ${plural(costs.mails, "mail")} and ${plural(costs.events, "event")}, ${formatUsd(costs.usd)} at list prices. Log lines and the archive's copies expire with their retention.`,
    `${stage.names.prefix}, run ${runId}: ${counts.join(", ")}`,
    "",
  ].join("\n");
}
