import { alarmsOf } from "./hops";
import { generatedLine, refuse, table } from "./markdown";
import { type SynthesizedStack } from "./stack";

/** @throws Error that lists every alarm without a first step. */
export function alarmsDocument(stack: SynthesizedStack): string {
  refuse("docs/alarms.md", "stacks/constructs/alarms.ts", findAlarmProblems(stack));
  return `${generatedLine}

# Alarms

Each alarm publishes to the topic \`alarms\` when it rings and when it is over. Most of these metrics exist only once something
went wrong, so missing data is no alarm. The alarms on SES's rates stay as they are while there is no data. Names are those
behind project and stage, thresholds those of production. The rule of each notification of your own has the same two alarms as \`email-rule\`,
\`<rule>-failed-invocations\` and \`<rule>-lost-events\`.

${table(
  ["Alarm", "Metric", "Rings at", "Meaning", "First step"],
  alarmsOf(stack).map(({ name, metric, condition, meaning, firstStep }) => [
    `\`${name}\``,
    metric,
    condition,
    meaning,
    firstStep ?? "",
  ]),
)}
`;
}

function findAlarmProblems(stack: SynthesizedStack): string[] {
  return alarmsOf(stack)
    .filter(({ firstStep }) => firstStep === undefined)
    .map(({ name }) => `The alarm ${name} has no first step.`);
}
