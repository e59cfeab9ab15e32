import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { applyPlan } from "./apply";
import { readManifest } from "./artifact";
import { planComment, putComment } from "./comment";
import { problemsOfCheckout } from "./deploy-jobs";
import { findDrift } from "./drift";
import { putDriftIssues } from "./drift-issue";
import { findPlan } from "./find-plan";
import { GitHub } from "./github";
import { makePlan } from "./plan";
import { Refusal } from "./refusal";
import { selectStages } from "./stages";
import { readSource } from "./source";

/**
 * `npm run ci -- <step>`: the steps of the workflows in .github/workflows. Each runs anywhere. Only the answer goes to
 * standard output, in the form of `$GITHUB_OUTPUT` or of JSON.
 */

const environment = process.env;
const source = join(__dirname, "..", "..");

function list(text: string): string[] {
  if (!/^\[(?:"\w+"(?:, ?"\w+")*)?\]$/.test(text)) {
    throw new InvalidArgumentError('Give what "npm run ci -- stages" prints, for example ["dev","prod"].');
  }
  return JSON.parse(text) as string[];
}

function pullRequestNumber(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("Give the number of a pull request.");
  return Number(text);
}

function fromJob(name: string): string {
  const value = environment[name];
  if (!value) throw new Refusal(`${name} is not set: GitHub sets it in a job, or the workflow does (docs/ci.md).`);
  return value;
}

const github = (): GitHub =>
  new GitHub({
    apiUrl: fromJob("GITHUB_API_URL"),
    repository: fromJob("GITHUB_REPOSITORY"),
    token: fromJob("GITHUB_TOKEN"),
  });

const runAddress = (): string =>
  `${fromJob("GITHUB_SERVER_URL")}/${fromJob("GITHUB_REPOSITORY")}/actions/runs/${fromJob("GITHUB_RUN_ID")}`;

export const program = new Command("npm run ci --").description("Runs a step of the workflows (docs/ci.md).");

program
  .command("stages")
  .description("Print the stages that CI_STAGES names as a JSON list, in the order in which they are deployed.")
  .action(() => {
    const stages = selectStages(environment.CI_STAGES);
    const problems = problemsOfCheckout(source, stages);
    if (problems.length > 0) throw new Refusal(problems.join("\n"));
    console.log(JSON.stringify(stages));
  });

program
  .command("plan")
  .description("Synthesize and plan the stage of the environment, and write the artifact.")
  .requiredOption("--artifact <folder>", "the folder to write: the plan, the stack's folder, a summary")
  .action(async ({ artifact }: { artifact: string }) => {
    await makePlan(source, artifact, environment);
  });

program
  .command("comment")
  .description("Write the plans of all stages into the pull request's comment, or print it.")
  .requiredOption("--stages <json>", "the stages as a JSON list", list)
  .requiredOption("--artifacts <folder>", "the folder with the artifact of each stage")
  .option("--pull-request <number>", "where the comment goes", pullRequestNumber)
  .action(async (options: { stages: string[]; artifacts: string; pullRequest?: number }) => {
    const { body, problems } = planComment({ stages: options.stages, folder: options.artifacts, run: runAddress() });
    if (options.pullRequest === undefined) console.log(body);
    else await putComment(github(), options.pullRequest, body);
    // Only now, so that the comment stands: the job has to be red.
    if (problems.length > 0) throw new Refusal(problems.join("\n"));
  });

program
  .command("find-plan")
  .description("Find the artifact of the plan that was read before the merge.")
  .requiredOption("--stage <stage>", "the stage that is deployed")
  .requiredOption("--commit <sha>", "the commit that is deployed")
  .requiredOption("--branch <name>", "the default branch")
  .action(async (options: { stage: string; commit: string; branch: string }) => {
    const { runId, artifactId } = await findPlan(github(), options);
    console.log(`run-id=${runId}\nartifact-id=${artifactId}`);
  });

program
  .command("apply")
  .description("Apply a kept plan, if neither the commit nor the state has moved on since.")
  .requiredOption("--stage <stage>", "the stage that is deployed")
  .requiredOption("--artifact <folder>", "the folder that the plan's job has uploaded")
  .requiredOption("--into <folder>", "a clean folder for the stack")
  .action(async (options: { stage: string; artifact: string; into: string }) => {
    await applyPlan({ ...options, source: await readSource(source, environment), environment });
  });

program
  .command("settings")
  .description("Print the configuration that a stage was planned with, one NAME=value a line.")
  .requiredOption("--artifact <folder>", "the folder that the plan's job has uploaded")
  .action(({ artifact }: { artifact: string }) => {
    for (const [name, value] of Object.entries(readManifest(artifact).settings)) {
      console.log(`${name}=${value}`);
    }
  });

program
  .command("drift")
  .description("Write a report of what a stage has that the checkout does not say, empty where nothing differs.")
  .requiredOption("--report <file>", "the file to write")
  .action(async ({ report }: { report: string }) => {
    const found = await findDrift(source, environment);
    mkdirSync(dirname(report), { recursive: true });
    writeFileSync(report, found ?? "");
    console.error(found ?? "Nothing has drifted.");
  });

program
  .command("drift-issues")
  .description("Open, update or close the issue of each stage.")
  .requiredOption("--stages <json>", "the stages as a JSON list", list)
  .requiredOption("--reports <folder>", "the folder with the report of each stage")
  .action(async (options: { stages: string[]; reports: string }) => {
    await putDriftIssues(github(), { ...options, run: runAddress() }, console.error);
  });

if (require.main === module) {
  program.parseAsync().catch((error: unknown) => {
    console.error(describe(error));
    process.exitCode = 1;
  });
}

/** What a person has to read: the sentence, and that of the cause. A stack trace stands only behind a fault of ours. */
function describe(error: unknown): unknown {
  if (!(error instanceof Error) || error.constructor === Error || error instanceof TypeError) return error;
  return error.cause instanceof Error ? `${error.message}\n(${error.cause.message})` : error.message;
}
