import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MissingToolsError, prepareTerraform } from "../sandbox/tools";
import { readDeployment } from "./simulation/deployment";
import { asynchronousQueue } from "./simulation/limits";
import { plot } from "./simulation/plot";
import { type NamedScenario, scenarios, stressScenarios } from "./simulation/scenarios";
import { countTable, mainTable, problemsOf } from "./simulation/summary";
import { synthesize } from "./simulation/synthesize";
import { variants } from "./simulation/variants";
import { type Job, runAll } from "./simulation/worker";

/**
 * `npm run simulate` plays hours of load and outage against the settings of the deployed stack. It takes about a
 * minute.
 *
 *   --seed <n>            seed of the random numbers (default 1)
 *   --jitter <share>      largest share by which waits in Lambda's asynchronous queue are shortened, 0 to 1
 *   --stress              the scenarios that go beyond what the design promises
 *   --scenario <id,..>    only these scenarios
 *   --variants <id,..>    each of these changes of the deployed settings; `all-of-them` for every one
 */
async function main(): Promise<void> {
  let options: SimulateOptions;
  try {
    options = readOptions();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
    return;
  }
  const { chosen, changes, seed, throttleJitter } = options;
  const terraform = await prepareTerraform({
    onFetch: (line) => {
      console.error(line);
    },
  });
  const deployment = readDeployment(synthesize("prod", terraform.value));
  const jobs = chosen.flatMap((scenario) =>
    changes.map((variant): Job => ({ scenario: scenario.id, variant: variant.id, seed, throttleJitter })),
  );
  const summaries = await runAll(jobs, deployment, Math.min(jobs.length, availableParallelism()));
  const names = jobs.map(({ scenario, variant }) => (changes.length === 1 ? scenario : `${scenario} / ${variant}`));

  for (const { id, title } of chosen) console.log(`${id}: ${title}`);
  for (const { id, change } of changes) if (changes.length > 1) console.log(`${id}: ${change}`);
  console.log(`\n${mainTable(names, summaries)}\n\n${countTable(names, summaries)}\n`);
  if (process.argv.length === 2) {
    const path = join("docs", "simulation.svg");
    writeFileSync(join(__dirname, "..", path), plot(summaries));
    console.log(`The queues over time: ${path}`);
  }
  const problems = summaries.flatMap((summary, index) =>
    problemsOf(summary).map((problem) => (changes.length === 1 ? problem : `${names[index] ?? ""}: ${problem}`)),
  );
  if (problems.length === 0) return;
  console.error(problems.join("\n"));
  process.exitCode = 1;
}

interface SimulateOptions {
  readonly chosen: readonly NamedScenario[];
  readonly changes: typeof variants;
  readonly seed: number;
  readonly throttleJitter: number;
}

/** @throws Error where an option is unknown, or has a value that can't be used. */
function readOptions(): SimulateOptions {
  const { values } = parseArgs({
    options: {
      seed: { type: "string", default: "1" },
      jitter: { type: "string", default: String(asynchronousQueue.throttleJitter) },
      stress: { type: "boolean", default: false },
      scenario: { type: "string" },
      variants: { type: "string", default: "as-deployed" },
    },
  });
  const known: readonly NamedScenario[] = [...scenarios, ...stressScenarios];
  const chosen =
    values.scenario === undefined ? (values.stress ? stressScenarios : scenarios) : select(known, values.scenario);
  const changes = values.variants === "all-of-them" ? variants : select(variants, values.variants);
  const seed = Number(values.seed);
  if (!Number.isInteger(seed)) throw new Error(`--seed is "${values.seed}": use a whole number.`);
  const throttleJitter = Number(values.jitter);
  if (!(throttleJitter >= 0 && throttleJitter <= 1))
    throw new Error(`--jitter is "${values.jitter}": use a number from 0 to 1.`);
  return { chosen, changes, seed, throttleJitter };
}

function select<Item extends { readonly id: string }>(items: readonly Item[], text: string): readonly Item[] {
  return text.split(",").map((id) => {
    const item = items.find((candidate) => candidate.id === id);
    if (item === undefined) {
      throw new Error(`"${id}" is unknown: use one of ${items.map(({ id: other }) => other).join(", ")}`);
    }
    return item;
  });
}

main().catch((error: unknown) => {
  console.error(error instanceof MissingToolsError ? error.message : error);
  process.exitCode = 1;
});
