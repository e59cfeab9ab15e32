import { alarmsOf, hopsOf } from "./hops";
import { lossMap, type LossRow } from "./loss-map";
import { generatedLine, refuse, table } from "./markdown";
import { type SynthesizedStack } from "./stack";

/** @throws Error that lists every hop without a row, and every row with a hop or an alarm that is not in the stack. */
export function lossMapDocument(stack: SynthesizedStack, rows: readonly LossRow[] = lossMap): string {
  refuse("docs/loss-map.md", "docs/generator/loss-map.ts", findLossMapProblems(stack, rows));
  return `${generatedLine}

# Where an event can end

Every hop of the synthesized stack has a row: a test sees to that. The notifications are those that the project comes
with: the rule of each further one has the same row, with its own name. Names are those behind project and stage. What each
alarm means: [alarms.md](alarms.md). What to do with a parked event: [runbook.md](runbook.md).

${table(
  ["Where", "What can go wrong", "What remains", "Alarm", "What helps"],
  rows.map((row) => [
    row.where,
    row.what,
    row.remains,
    row.alarms.map((name) => `\`${name}\``).join(", ") || "none",
    row.command,
  ]),
)}
`;
}

export function findLossMapProblems(stack: SynthesizedStack, rows: readonly LossRow[]): string[] {
  const hops = hopsOf(stack);
  const alarms = alarmsOf(stack).map(({ name }) => name);
  const covered = rows.flatMap((row) => row.hops);
  const named = rows.flatMap((row) => row.alarms);
  return [
    ...hops.filter((hop) => !covered.includes(hop)).map((hop) => `The hop ${hop} has no row.`),
    // Two hops with the same name would need only one row, so that a lost event at the second would go unnoticed.
    ...hops.filter((hop, at) => hops.indexOf(hop) < at).map((hop) => `The hop ${hop} is there more than once.`),
    ...covered
      .filter((hop) => !hops.includes(hop))
      .map((hop) => `The row for ${hop} names a hop that is not in the stack.`),
    ...named
      .filter((name) => !alarms.includes(name))
      .map((name) => `A row names the alarm ${name}, which is not in the stack.`),
    ...alarms.filter((name) => !named.includes(name)).map((name) => `The alarm ${name} is in no row.`),
  ];
}
