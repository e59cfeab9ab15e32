import { fork } from "node:child_process";
import { type Deployment } from "./deployment";
import { scenarios, stressScenarios } from "./scenarios";
import { summarize, type Summary } from "./summary";
import { variants } from "./variants";
import { defaultSettings, simulate } from "./world";

/** One simulation to run. It holds ids of scenario and variant, because functions can't be sent to another process. */
export interface Job {
  readonly scenario: string;
  readonly variant: string;
  readonly seed: number;
  /**
   * Largest share by which waits in Lambda's asynchronous queue are shortened, 0 to 1.
   * @default `asynchronousQueue.throttleJitter` of limits.ts
   */
  readonly throttleJitter?: number;
}

interface Work {
  readonly job: Job;
  readonly deployment: Deployment;
}

/** Runs the jobs in `processes` processes at the same time. @returns the summaries in the order of the jobs. */
export async function runAll(jobs: readonly Job[], deployment: Deployment, processes: number): Promise<Summary[]> {
  const summaries: Summary[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let job = jobs[next]; job !== undefined; job = jobs[next]) {
      const index = next++;
      summaries[index] = await inProcess(job, deployment);
    }
  };
  await Promise.all(Array.from({ length: processes }, work));
  return summaries;
}

function inProcess(job: Job, deployment: Deployment): Promise<Summary> {
  return new Promise((resolve, reject) => {
    const child = fork(__filename, { execArgv: ["--import", "tsx"], serialization: "advanced" });
    child.once("message", (summary) => {
      resolve(summary as Summary);
    });
    child.once("exit", (code) => {
      reject(new Error(`The simulation of ${job.scenario} ended with ${String(code)} and without a result.`));
    });
    child.send({ job, deployment } satisfies Work);
  });
}

async function run(
  { scenario: id, variant: variantId, seed, ...changes }: Job,
  deployment: Deployment,
): Promise<Summary> {
  const scenario = [...scenarios, ...stressScenarios].find((candidate) => candidate.id === id);
  const variant = variants.find((candidate) => candidate.id === variantId);
  if (scenario === undefined || variant === undefined) throw new Error(`There is no ${id} with ${variantId}.`);
  return summarize(
    scenario,
    await simulate(variant.apply(deployment), scenario, seed, { ...defaultSettings, ...changes }),
  );
}

if (require.main === module) {
  // Stack traces are switched off, because a simulation makes hundreds of thousands of errors and nobody reads them.
  Error.stackTraceLimit = 0;
  process.once("message", (message) => {
    const { job, deployment } = message as Work;
    void run(job, deployment).then((summary) => {
      process.send?.(summary, () => {
        process.disconnect();
      });
    });
  });
}
